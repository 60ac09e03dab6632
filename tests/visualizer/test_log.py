"""Rule: the log alone brings a lab back, exactly; nothing is told before it is stored, and a link is its own key."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from tests.visualizer.labs import CLIENT, SHOP, WEB
from tests.visualizer.test_sessions import STORY
from visualizer import log, tokens
from visualizer.log import LostError, OvertakenError
from visualizer.models import Entry, Lab, Snapshot, TraceDocument
from visualizer.refusals import RefusedError
from visualizer.schemas import Command, Patch, Rename, Send, SetMode, Undo
from visualizer.sessions import Session, new_state

pytestmark = pytest.mark.django_db


def made() -> tuple[Lab, str]:
    return log.create(new_state(SHOP, "Shop"))


def do(lab: Lab, session: Session, *commands: Command) -> None:
    for command in commands:
        log.append(lab.pk, command, session.handle(command), session)


def test_a_lab_is_brought_back_with_its_kernels() -> None:
    lab, _ = made()
    session = log.opened(lab)
    do(lab, session, *STORY)
    again = log.opened(lab)
    assert (again.state, again.seq) == (session.state, session.seq)
    for _ in range(4):
        assert again.handle(Send(source=CLIENT, target=WEB)) == session.handle(Send(source=CLIENT, target=WEB))


def test_a_lab_is_brought_back_from_snapshots() -> None:
    lab, _ = made()
    session = log.opened(lab)
    do(lab, session, SetMode(mode="ipvs"))
    assert Snapshot.objects.get(lab=lab).fresh
    both: list[Command] = [Send(source=CLIENT, target=WEB), Rename(title="x")]
    do(lab, session, *(both * log.EACH))
    assert [one.fresh for one in Snapshot.objects.filter(lab=lab).order_by("seq")] == [True, False, False]
    again = log.opened(lab)
    assert (again.state, again.seq) == (session.state, session.seq)
    assert again.handle(Send(source=CLIENT, target=WEB)) == session.handle(Send(source=CLIENT, target=WEB))


def test_events_have_numbers_without_gaps() -> None:
    lab, _ = made()
    session = log.opened(lab)
    do(lab, session, *STORY)
    with pytest.raises(RefusedError):
        session.handle(Send(source="nobody", target=WEB))
    do(lab, session, Rename(title="y"))
    stored = log.after(lab.pk, 0, 500)
    assert [one.seq for one in stored] == list(range(1, len(STORY) + 2))
    assert log.after(lab.pk, 5, 2) == stored[5:7]


def test_who_was_overtaken_is_told_and_stores_nothing() -> None:
    lab, _ = made()
    one, other = log.opened(lab), log.opened(lab)
    do(lab, one, Send(source=CLIENT, target=WEB))
    with pytest.raises(OvertakenError):
        do(lab, other, Send(source=CLIENT, target=WEB))
    assert (Entry.objects.count(), TraceDocument.objects.count()) == (1, 1)


def test_a_deleted_lab_takes_no_events() -> None:
    lab, token = made()
    session = log.opened(lab)
    Lab.objects.filter(pk=lab.pk).delete()
    with pytest.raises(LostError):
        do(lab, session, Rename(title="x"))
    with pytest.raises(LostError):
        log.find(token)


def test_each_link_has_its_role_and_only_hashes_are_stored() -> None:
    lab, owner = made()
    links = {role: tokens.token_of(owner, role) for role in tokens.ROLES}
    assert len(set(links.values())) == 3
    for role, token in links.items():
        assert log.find(token) == (lab, role)
        assert token not in str(Lab.objects.values().get())
    assert log.links(owner, lab).viewer == f"/l/{links['viewer']}"


@pytest.mark.parametrize("token", ["", "x", "a" * 22, "a" * 23, "../..", "' OR 1=1 --", "é" * 22, "\0" * 22])
def test_a_wrong_link_leads_nowhere(token: str) -> None:
    made()
    with pytest.raises(LostError):
        log.find(token)


def test_labs_that_nobody_uses_expire() -> None:
    lab, token = made()
    kept, kept_token = made()
    Lab.objects.filter(pk=lab.pk).update(touched=timezone.now() - timedelta(days=31))
    with pytest.raises(LostError):
        log.find(token)
    out = StringIO()
    call_command("expire", "--dry-run", stdout=out)
    assert Lab.objects.count() == 2
    call_command("expire", stdout=out)
    assert out.getvalue() == "1 labs would be deleted\n1 labs deleted\n"
    assert log.find(kept_token) == (kept, "owner")


def test_use_puts_expiry_off() -> None:
    lab, _ = made()
    lab.touched = timezone.now() - timedelta(days=29)
    lab.save()
    log.touch(lab)
    assert timezone.now() - lab.touched < timedelta(minutes=1)


def test_the_past_is_seen_and_forked() -> None:
    lab, _ = made()
    session = log.opened(lab)
    scale = Patch(kind="Deployment", namespace="shop", name="web", patch={"spec": {"replicas": 1}})
    do(lab, session, Send(source=CLIENT, target=WEB), scale, Undo())
    assert len(log.state_at(lab, 2).manifests.cluster.pods) == 4
    assert len(log.state_at(lab, 0).manifests.cluster.pods) == 6
    forked, _ = log.forked(lab, 2)
    there = log.opened(forked)
    assert (there.seq, there.state.title, len(there.manifests.cluster.pods)) == (0, "Shop (from 2)", 4)
    assert there.state.traces == 0
    do(forked, there, Undo())
    assert len(there.manifests.cluster.pods) == 6
    for wrong in (-1, 4):
        with pytest.raises(RefusedError, match="none of them"):
            log.state_at(lab, wrong)


def test_an_export_holds_what_happened() -> None:
    lab, _ = made()
    session = log.opened(lab)
    do(lab, session, *STORY)
    export = log.exported(lab, session.seen())
    assert [one.command for one in export.log] == STORY
    again = Session(new_state(export.first_manifests, "Shop"), 0, lambda seq: log._dice_of(lab)(seq))
    for one in export.log:
        assert again.handle(one.command).events[0] == one.event
