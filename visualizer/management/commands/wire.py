"""Rule: writes the front end's schema; with `--check` only says whether it is up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from visualizer.wire import schema_text

PLACE = Path("static") / "src" / "wire.schema.json"


class Command(BaseCommand):
    help = "Write static/src/wire.schema.json, the JSON Schema of every message and document."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; fail when the file falls behind")

    def handle(self, *args: Any, **options: Any) -> None:
        path, text = settings.BASE_DIR / PLACE, schema_text()
        if path.is_file() and path.read_text() == text:
            self.stdout.write(f"{PLACE} is up to date")
            return
        if options["check"]:
            raise CommandError(f"{PLACE} is not what visualizer/schemas.py says. Run `python manage.py wire`.")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        self.stdout.write(f"wrote {PLACE}")
