"""Rule: a lab is its log. Rows are added, never changed; whatever else is here can be made again from them.

Links are kept as hashes: who reads this database gets into no lab.
"""

from __future__ import annotations

from django.db import models


class Lab(models.Model):
    """`seed`: of all its dice. `first`: the documents, mode and title it began with (`lab_state.packed`).

    `touched`: when somebody last used it; labs that nobody uses expire.
    """

    owner_hash = models.CharField(max_length=64, unique=True)
    editor_hash = models.CharField(max_length=64, unique=True)
    viewer_hash = models.CharField(max_length=64, unique=True)
    seed = models.BigIntegerField()
    first = models.BinaryField()
    made = models.DateTimeField(auto_now_add=True)
    touched = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"lab {self.pk}"


class Entry(models.Model):
    """One event, by its number in the lab, with the command that brought it about."""

    lab = models.ForeignKey(Lab, on_delete=models.CASCADE, related_name="entries")
    seq = models.PositiveIntegerField()
    at = models.DateTimeField()
    command = models.BinaryField()  # JSON, zlib
    event = models.BinaryField()  # JSON, zlib

    class Meta:
        ordering = ("lab_id", "seq")
        verbose_name_plural = "entries"
        constraints = (models.UniqueConstraint(fields=("lab", "seq"), name="one_event_a_number"),)

    def __str__(self) -> str:
        return f"{self.lab_id}: {self.seq}"


class Snapshot(models.Model):
    """The state after event `seq` (`lab_state.packed`). `fresh`: kernels began anew with it, so they may be
    replayed from here; else it brings back documents alone.
    """

    lab = models.ForeignKey(Lab, on_delete=models.CASCADE, related_name="snapshots")
    seq = models.PositiveIntegerField()
    state = models.BinaryField()
    fresh = models.BooleanField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("lab", "seq"), name="one_snapshot_a_number"),)

    def __str__(self) -> str:
        return f"{self.lab_id}: after {self.seq}"


class TraceDocument(models.Model):
    """A walk as packetsim tells it (docs/trace.md), JSON in zlib, and its capture file. Never changes."""

    lab = models.ForeignKey(Lab, on_delete=models.CASCADE, related_name="traces")
    number = models.PositiveIntegerField()
    seq = models.PositiveIntegerField()
    document = models.BinaryField()
    capture = models.BinaryField()  # pcapng, zlib

    class Meta:
        ordering = ("lab_id", "number")
        constraints = (models.UniqueConstraint(fields=("lab", "number"), name="one_trace_a_number"),)

    def __str__(self) -> str:
        return f"{self.lab_id}: trace {self.number}"
