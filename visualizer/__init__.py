"""The lab: a cluster that people build in the browser, and packets that walk it.

Read `schemas.py` (what is said), `sessions.py` (what a command does), `log.py` (how it is kept), then
`rooms.py` and `consumers.py` (who is told).
"""
