"""Rule: what the guest cannot do is told in a sentence, as the reply to the request that asked for it."""

from __future__ import annotations

import errno


class GuestError(Exception):
    """A request that cannot be carried out. `str(error)` is what the reply says."""


def errno_name(number: int) -> str:
    return errno.errorcode.get(number, str(number))
