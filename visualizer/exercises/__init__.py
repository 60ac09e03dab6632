"""Lessons and exercises: content files in, scenes, questions and grades out. Pure: no web, clock or dice of its own.

Read `schema.py` (what an author may write), `stage.py` (what the engine does of it), `questions.py` (what is asked
of it) and `grading.py`. `python -m visualizer.exercises` proves all content. docs/authoring.md is for authors.
"""
