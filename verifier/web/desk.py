"""The one visitor of the pages while ``ouvrage verifier serve`` runs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from vc.io.visit import ENTER
from vc.multibase import encode_base64url

SECRET_BYTES: Final = 32


@dataclass(slots=True)
class Desk:
    """``token`` is in the one link that lets the visitor's browser in, and good for once."""

    base: str
    rand: Callable[[int], bytes]
    token: str | None = field(default=None, repr=False)
    session: str = field(default="", repr=False)
    csrf: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if self.token is None:
            self.token = self.secret()

    @property
    def link(self) -> str:
        """Where the visitor comes in."""
        return f"{self.base}{ENTER}?token={self.token}"

    @property
    def cookie(self) -> str:
        """Cookies know no ports: two verifiers on one machine need two names."""
        return f"ouvrage_verifier_{urlsplit(self.base).port or 0}"

    @property
    def secure(self) -> bool:
        """Whether the pages are reached by https."""
        return self.base.startswith("https:")

    def secret(self) -> str:
        """A new random text that nobody guesses."""
        return encode_base64url(self.rand(SECRET_BYTES))


DESK: Final = web.AppKey("verifier-desk", Desk)
