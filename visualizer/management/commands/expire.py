"""Rule: labs nobody has used for PACKETWALK_LAB_DAYS are deleted, log and all; run it once a day."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from visualizer import log


class Command(BaseCommand):
    help = "Delete labs that have expired."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say how many there are")

    def handle(self, *args: Any, **options: Any) -> None:
        labs = list(log.expired())
        if not options["dry_run"]:
            for lab in labs:
                lab.delete()
        verb = "would be deleted" if options["dry_run"] else "deleted"
        self.stdout.write(f"{len(labs)} labs {verb}")
