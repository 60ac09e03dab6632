"""Rule: names, labels and port names are what apimachinery's validation lets be (1.35), and each refusal says how."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from packetsim.cluster.places import Path, Place, Report, shown

Refusal = tuple[str, str]  # message, cure
Check = Callable[[str], Refusal | None]

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LABEL_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_PORT_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
MAX_ANNOTATIONS = 256 * 1024


def _check(text: str, pattern: re.Pattern[str], most: int, form: str) -> Refusal | None:
    if len(text) > most:
        return f"{shown(text)} has {len(text):,} characters, at most {most} are allowed", "Use a shorter name"
    if not pattern.fullmatch(text):
        return f"{shown(text)} is not a valid name", form
    return None


def dns_label(text: str) -> Refusal | None:
    form = "Use lower-case letters, digits and '-', beginning and ending with a letter or digit"
    return _check(text, _LABEL, 63, form)


def service_name(text: str) -> Refusal | None:
    """DNS-1035, unlike other names: it must begin with a letter."""
    form = "Use lower-case letters, digits and '-', beginning with a letter and ending with a letter or digit"
    return _check(text, _LABEL_1035, 63, form)


def dns_subdomain(text: str) -> Refusal | None:
    form = "Use lower-case letters, digits, '-' and '.', each part beginning and ending with a letter or digit"
    return _check(text, _SUBDOMAIN, 253, form)


def port_name(text: str) -> Refusal | None:
    """IsValidPortName: what a container port, or a targetPort that is text, may be called."""
    form = "Use at most 15 lower-case letters, digits and single '-', with one letter at least"
    refusal = _check(text, _PORT_NAME, 15, form)
    if refusal is None and ("--" in text or not re.search("[a-z]", text)):
        return f"{shown(text)} is not a valid port name", form
    return refusal


@lru_cache(maxsize=8192)
def qualified_name(text: str) -> Refusal | None:
    """A label's or annotation's key: `[prefix/]name`."""
    form = "Use letters, digits, '-', '_' and '.', with an optional DNS name and '/' before it"
    prefix, slash, name = text.rpartition("/")
    refusal = _check(name, _QUALIFIED, 63, form)
    if refusal is None and slash:
        refusal = _check(prefix, _SUBDOMAIN, 253, form)
    return refusal


@lru_cache(maxsize=8192)
def label_value(text: str) -> Refusal | None:
    form = "Use at most 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or digit"
    return _check(text, _QUALIFIED, 63, form) if text else None


def check_labels(labels: Mapping[str, str], place: Place, path: Path, report: Report) -> None:
    for key, value in labels.items():
        for refusal in (qualified_name(key), label_value(value)):
            if refusal:
                report.problem(place, (*path, key), *refusal)


def check_annotations(annotations: Mapping[str, str], place: Place, path: Path, report: Report) -> None:
    for key in annotations:
        if refusal := qualified_name(key.lower()):
            report.problem(place, (*path, key), *refusal)
    size = sum(len(key) + len(value) for key, value in annotations.items())
    if size > MAX_ANNOTATIONS:
        cure = "Move long data elsewhere: the API server takes 256 KiB"
        report.problem(place, path, f"the annotations hold {size:,} characters", cure)
