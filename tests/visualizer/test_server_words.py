"""Rule: every sentence that the server can say has its form and its words in Chinese, and no form stands there unused.

conftest.py holds what is said in other tests to the same; static/test/words.test.ts reads the samples as the page does.
"""

from __future__ import annotations

import json
import re

import pytest

from tests.visualizer.labs import CLIENT, SHOP, WEB, dice
from tests.visualizer.server_words import FORMS, SAMPLES, form_of, places, sentences, stays_english
from visualizer.refusals import RefusedError
from visualizer.schemas import Apply, Command, Resolve, Send
from visualizer.sessions import Session, new_state

SAID: list[str] = json.loads(SAMPLES.read_text())
MORE = """---
kind: Service
apiVersion: v1
metadata: {name: alias, namespace: shop}
spec: {type: ExternalName, externalName: example.com}
---
kind: Service
apiVersion: v1
metadata: {name: bare, namespace: shop}
spec: {clusterIP: None, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
kind: Service
apiVersion: v1
metadata: {name: hollow, namespace: shop}
spec: {clusterIP: None, selector: {app: nobody}, ports: [{port: 80}]}
---
kind: Service
apiVersion: v1
metadata: {name: two, namespace: shop}
spec:
  selector: {app: web}
  ports: [{name: a, port: 80, protocol: UDP}, {name: b, port: 80, protocol: SCTP}, {name: c, port: 90}]
"""
REFUSED: list[Command] = [
    *(
        Send(source=CLIENT, target=target)
        for target in (
            "shop/wbe:80",
            "zzzzzz/qqqqqq:80",
            "nowhere:80",
            "224.0.0.1:80",
            "[::1",
            "fd00::1:80",
            "a:b:c",
            "shop/alias",
            "shop/bare",
            "shop/hollow",
            "shop/web:99999",
            "shop/two",
            "shop/two:80",
            "shop/two:zzz",
            "shop/client:zzz",
            "node1",
            "[fd00::1]:80",
        )
    ),
    *(
        Send(source=source, target=WEB)
        for source in (
            "shop/clinet",
            "qq/rr",
            "nobody",
            "shop/web",
            "10.96.100.10",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "127.0.0.1",
            "fd00::1",
        )
    ),
    Send(source=CLIENT, target="shop/two:a", protocol="tcp"),
    Send(source="203.0.113.7", target="127.0.0.1:80"),
    Send(source="203.0.113.7", target="node1:30080", via="node9"),
    Resolve(source=CLIENT, service="shop/none"),
    Apply(manifests="a: b"),
    Apply(manifests="kind: Service"),
    Apply(manifests="- x"),
    Apply(manifests="kind: Pod\nmetadata: {name: a}\n---\nkind: Pod\nmetadata: {name: a}\n"),
    Apply(manifests=""),
]


def test_every_sentence_in_the_source_has_a_form() -> None:
    found = list(sentences())
    assert len(found) > 60  # the search itself still finds them
    assert [one for one in found if form_of(one[1], loose=True) is None and not stays_english(one[1])] == []
    assert [one for one in places() if form_of(one) is None] == []


@pytest.mark.parametrize("command", REFUSED, ids=str)
def test_a_refusal_has_its_words(command: Command) -> None:
    session = Session(new_state(SHOP + MORE, "Shop"), 0, dice)
    with pytest.raises(RefusedError) as refused:
        session.handle(command)
    assert [one for one in refused.value.problems if form_of(one) is None] == []


@pytest.mark.parametrize("text", SAID)
def test_a_sample_has_its_form(text: str) -> None:
    assert form_of(text) is not None


def test_no_form_is_without_a_sample() -> None:
    used: set[int] = set()
    waiting = list(SAID)
    while waiting:
        number = form_of(text := waiting.pop())
        if number is not None:
            used.add(number)
            found = FORMS[number][0].fullmatch(text)
            given = found.groupdict().items() if found is not None else ()
            waiting += [one for name, one in given if one and name.startswith(("cure", "names"))]
    assert [form.pattern for number, (form, _) in enumerate(FORMS) if number not in used] == []


@pytest.mark.parametrize("number", range(len(FORMS)))
def test_a_form_s_words_use_what_it_finds(number: int) -> None:
    form, words = FORMS[number]
    assert set(re.findall(r"\{(\w+)\}", words)) == set(form.groupindex)
    assert re.search(r"[\u4e00-\u9fff]", words) or re.fullmatch(r"[{}\w：，、]+", words)
