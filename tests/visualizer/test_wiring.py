"""Rule: what wires the app is tried as it is used: settings from the environment, limits, the schema file, checks."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from core import environment
from core.secrecy import WithoutLinks
from visualizer.checks import front_end, limits
from visualizer.limits import Bucket, Buckets
from visualizer.pages import WORDS, language_of
from visualizer.wire import schema


def test_the_schema_file_is_up_to_date() -> None:
    call_command("wire", "--check", stdout=StringIO())


def test_the_check_fails_when_the_file_falls_behind(settings: Any, tmp_path: Path) -> None:
    settings.BASE_DIR = tmp_path
    with pytest.raises(CommandError, match=r"manage\.py wire"):
        call_command("wire", "--check", stdout=StringIO())
    call_command("wire", stdout=StringIO())
    call_command("wire", "--check", stdout=StringIO())


def test_the_schema_names_every_message_and_leads_nowhere_else() -> None:
    text = json.dumps(schema())
    defined = schema()["$defs"]
    assert {"Command", "Event", "FromPage", "FromServer", "LabView", "RulesView", "Mode", "NewLab"} <= defined.keys()
    named = {part.partition('"')[0] for part in text.split('"#/$defs/')[1:]}
    assert named <= defined.keys()


def test_migrations_are_up_to_date(db: None) -> None:
    call_command("makemigrations", "--check", "--dry-run", stdout=StringIO())


def test_settings_that_cannot_be_read_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACKETWALK_X", "many")
    with pytest.raises(SystemExit, match="Write a whole number"):
        environment.number("X", 3)
    with pytest.raises(SystemExit, match="Write 1 or 0"):
        environment.truth("X", True)
    monkeypatch.setenv("PACKETWALK_X", " a, b,")
    assert environment.words("X", "") == ["a", "b"]


def test_a_secret_key_is_drawn_once_and_read_by_its_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PACKETWALK_SECRET_KEY", raising=False)
    first = environment.secret_key(tmp_path / "data")
    assert len(first) >= 50
    assert environment.secret_key(tmp_path / "data") == first
    assert (tmp_path / "data" / "secret-key").stat().st_mode & 0o077 == 0


def test_a_front_end_that_is_not_built_is_told_at_the_start(settings: Any, tmp_path: Path) -> None:
    settings.PACKETWALK_DIST = tmp_path
    assert [one.id for one in front_end(None)] == ["packetwalk.W1"]
    settings.PACKETWALK_LAB_DAYS = 0
    assert [one.id for one in limits(None)] == ["packetwalk.E2"]


def test_a_bucket_fills_with_time() -> None:
    bucket = Bucket(2, 1)
    assert [bucket.take(0) for _ in range(3)] == [True, True, False]
    assert [bucket.take(1.5), bucket.take(1.5)] == [True, False]
    assert not bucket.take(0)  # a clock that runs backwards gives nothing


def test_of_many_names_only_the_latest_are_kept() -> None:
    buckets = Buckets(1, 0, names=2)
    assert [buckets.take(name, 0) for name in ("a", "a", "b", "c", "a")] == [True, False, True, True, True]


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("", "en"), ("zh-CN,zh;q=0.9,en", "zh"), ("en-GB,zh", "en"), ("de", "en"), ("ZH", "zh"), (",;q=", "en")],
)
def test_the_readers_language(accepted: str, language: str) -> None:
    assert language_of(accepted) == language


def test_both_languages_say_the_same_things() -> None:
    assert WORDS["en"].keys() == WORDS["zh"].keys()


def test_a_link_is_hidden_wherever_it_stands_in_a_log() -> None:
    import logging

    record = logging.LogRecord(
        "x", logging.INFO, "", 0, "%s and %s", ("/l/abcdefghijklmnopqrstuv", "/ws/lab/x" + "y" * 21), None
    )
    WithoutLinks().filter(record)
    assert record.getMessage() == "/l/… and /ws/lab/…"
