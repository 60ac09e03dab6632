"""Rule: a line of a chain becomes statements here; what is not modelled is refused by its own words, never skipped."""

from __future__ import annotations

from packetsim.kernel.nftables.datatypes import RefusedError
from packetsim.kernel.nftables.elements import VERDICTS, read_verdict
from packetsim.kernel.nftables.key_text import read_numgen
from packetsim.kernel.nftables.model import Rule, Statement
from packetsim.kernel.nftables.question_text import read_question, read_status, read_verdict_map
from packetsim.kernel.nftables.statement_text import STATEMENTS, read_set_mark
from packetsim.kernel.nftables.words import Words
from packetsim.ruletext import Origin


def parse_rule(text: str, origins: tuple[Origin, ...] = ()) -> Rule:
    """One rule, without its handle. Raises RefusedError."""
    words = Words(text)
    statements: list[Statement] = []
    comment = ""
    while words:
        if words.takes("comment"):
            comment = words.quoted()
            words.end()
            break
        if statements and statements[-1].decides:
            raise RefusedError(f'"{words.rest()}" stands behind a verdict and would never run; leave it out')
        statements.append(_statement(words))
    if not statements:
        raise RefusedError(f'"{text}" holds no statement; leave the line out')
    return Rule(tuple(statements), comment, text, origins)


def render_rule(rule: Rule) -> str:
    text = " ".join(statement.render() for statement in rule.statements)
    return f'{text} comment "{rule.comment}"' if rule.comment else text


def _statement(words: Words) -> Statement:
    word = words.peek()
    if word in VERDICTS:
        return read_verdict(words)
    if word in STATEMENTS:
        words.take()
        return STATEMENTS[word](words)
    if words.takes("ct", "status"):
        return read_status(words)
    if words.takes("numgen"):
        return read_verdict_map(words, read_numgen(words))
    if words.takes("meta", "mark", "set") or words.takes("mark", "set"):
        return read_set_mark(words)
    return read_question(words)
