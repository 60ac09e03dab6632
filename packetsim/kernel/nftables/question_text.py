"""Rule: a question about the packet is read here; one that is not modelled is refused by its own words."""

from __future__ import annotations

from packetsim.kernel.nftables.datatypes import STATE, RefusedError
from packetsim.kernel.nftables.elements import read_components, read_element
from packetsim.kernel.nftables.fields import FIELDS, Asked, Fields
from packetsim.kernel.nftables.key_text import read_braced, read_fields, read_listed, read_map_name
from packetsim.kernel.nftables.maps import MapLiteral, VerdictMap
from packetsim.kernel.nftables.matches import STATUS_BITS, Compare, InSet, MaskedMark, State, Status
from packetsim.kernel.nftables.model import Statement
from packetsim.kernel.nftables.words import Words


def read_question(words: Words) -> Statement:
    fields = read_fields(words)
    if words.peek() == "vmap":
        return read_verdict_map(words, fields)
    if fields.parts == (FIELDS["meta mark"],) and words.peek() in ("&", "and"):
        return _masked_mark(words)
    if words.peek() in ("<", ">", "<=", ">=", "|", "^", "<<", ">>"):
        raise RefusedError(f'operator "{words.peek()}" is not modelled; compare with ==, != or a set')
    negated = words.takes("!=")
    if not negated:
        words.takes("==")
    if words.peek().startswith("@"):
        return InSet(fields, words.take()[1:], negated)
    if fields.datatypes == (STATE,):
        return _state(words, negated)
    return _compare(words, fields, negated)


def _compare(words: Words, fields: Fields, negated: bool) -> Statement:
    datatypes = fields.datatypes
    if words.peek() != "{":
        value = read_components(words, datatypes)
        if words.peek() == ",":
            raise RefusedError(f'the list after "{fields.render()}" is not modelled; put it in braces')
        return Compare(fields, (value,), negated)
    values = read_braced(words, lambda: read_components(words, datatypes))
    return Compare(fields, tuple(values), negated, braces=True)


def _state(words: Words, negated: bool) -> Statement:
    braces = words.peek() == "{"
    states = read_braced(words, words.take) if braces else read_listed(words)
    for state in states:
        STATE.component(state)
    return State(tuple(states), negated, braces)


def read_status(words: Words) -> Statement:
    bits = read_listed(words)
    for bit in bits:
        if bit not in STATUS_BITS:
            raise RefusedError(f'"ct status {bit}" is not modelled; known are {" and ".join(STATUS_BITS)}')
    return Status(tuple(bits))


def _masked_mark(words: Words) -> Statement:
    words.take()
    mask = words.number()
    operator = words.take()
    if operator not in ("==", "!="):
        raise RefusedError(f'operator "{operator}" after a mask is not modelled; use == or !=')
    return MaskedMark(mask, words.number(), operator == "!=")


def read_verdict_map(words: Words, asked: Asked) -> Statement:
    words.expect("vmap")
    if words.peek() != "{":
        return VerdictMap(asked, read_map_name(words))
    elements = read_braced(words, lambda: read_element(words, asked.datatypes, verdicts=True))
    return VerdictMap(asked, MapLiteral(asked.datatypes, (), tuple(elements)))
