"""Rule: a link is its own key. The owner's is drawn; the other two follow from it and lead no way back.

Only hashes are stored. Whoever has the owner's link can make the others again, so they need be told only there.
"""

from __future__ import annotations

import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256

from visualizer.schemas import Role

_BYTES = 16  # 128 bits
_FORM = re.compile(r"[A-Za-z0-9_-]{22}")
ROLES: tuple[Role, ...] = ("owner", "editor", "viewer")


def drawn() -> str:
    """A new owner's token."""
    return secrets.token_urlsafe(_BYTES)


def token_of(owner: str, role: Role) -> str:
    """The token that the lab's link for this role has."""
    if role == "owner":
        return owner
    digest = hmac.digest(owner.encode(), f"packetwalk {role}".encode(), "sha256")
    return urlsafe_b64encode(digest[:_BYTES]).rstrip(b"=").decode()


def hash_of(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def is_token(text: str) -> bool:
    return _FORM.fullmatch(text) is not None
