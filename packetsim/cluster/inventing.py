"""Rule: what a cluster would draw at random is drawn here from the object's own name: the same every time."""

from __future__ import annotations

from hashlib import sha256

# apimachinery util/rand: no vowels, and no digits that look like letters, so that no word comes out
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def number_from(*parts: str) -> int:
    """A large number that looks random."""
    return int.from_bytes(sha256("\0".join(parts).encode()).digest()[:8], "big")


def suffix(*parts: str) -> str:
    """Five characters, as generateName adds them."""
    number, text = number_from(*parts), ""
    for _ in range(5):
        number, index = divmod(number, len(ALPHABET))
        text += ALPHABET[index]
    return text


def template_hash(*parts: str) -> str:
    """Ten characters, as `pod-template-hash` has: the digits of a 32-bit hash, each encoded (rand.SafeEncodeString)."""
    digits = f"{number_from(*parts) % 2**32:010d}"
    return "".join(ALPHABET[ord(digit) % len(ALPHABET)] for digit in digits)
