"""Rule: text is read word by word, and the first word that is not understood is refused by name."""

from __future__ import annotations

import re

from packetsim.kernel.nftables.datatypes import RefusedError

_WORD = re.compile(r'"[^"]*"|[{},;]|[^\s{},;"]+')


class Words:
    """The words of a rule, an element or a header, taken from left to right."""

    __slots__ = ("_at", "_words", "text")

    def __init__(self, text: str) -> None:
        if text.count('"') % 2:
            raise RefusedError(f"cannot read {text!r}; every quote must be closed")
        self.text = text
        self._words = _WORD.findall(text)
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._words)

    def peek(self, ahead: int = 0) -> str:
        """The word `ahead` of the next one, or nothing at the end."""
        at = self._at + ahead
        return self._words[at] if at < len(self._words) else ""

    def take(self) -> str:
        word = self.peek()
        if not word:
            raise RefusedError(f'"{self.text}" ends too early; write it as `nft list ruleset` does')
        self._at += 1
        return word

    def takes(self, *wanted: str) -> bool:
        """Take these words if they come next."""
        found = all(self.peek(ahead) == word for ahead, word in enumerate(wanted))
        if found:
            self._at += len(wanted)
        return found

    def expect(self, wanted: str) -> None:
        word = self.take()
        if word != wanted:
            raise RefusedError(f'"{word}" stands where "{wanted}" belongs in "{self.text}"')

    def quoted(self) -> str:
        word = self.take()
        if word[0] != '"':
            raise RefusedError(f'{word} needs double quotes in "{self.text}"')
        return word[1:-1]

    def number(self) -> int:
        word = self.take()
        try:
            return int(word, 0)
        except ValueError:
            raise RefusedError(f'"{word}" is no number in "{self.text}"') from None

    def rest(self) -> str:
        """What is left, for a message."""
        return " ".join(self._words[self._at :])

    def end(self) -> None:
        if self:
            raise RefusedError(f'"{self.rest()}" is not modelled at the end of "{self.text}"; leave it out')
