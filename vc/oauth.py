"""OAuth 2.0 at both ends: how an endpoint says no, in the words of its specification (RFC 6749 §5.2, RFC 6750 §3);
forms and headers that say one thing; PKCE (RFC 7636)."""

import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qsl

from vc.canon import Json
from vc.errors import Rejected, VcError
from vc.multibase import encode_base64url

MAX_FORM: Final = 1 << 16  # bytes: an attestation with its chain of certificates fits
MAX_PARAMETERS: Final = 64

_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}\Z")  # RFC 7636 §4.1
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}\Z")  # a SHA-256 in base64url

NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


class OAuthRefusal(VcError):
    """An OAuth error response. ``error`` is the specification's code; ``description`` is for developers, in ASCII.

    ``status`` is the HTTP status, ``headers`` those that belong to the error, such as ``WWW-Authenticate``.
    """

    def __init__(self, error: str, description: str, *, status: int = 400, headers: Mapping[str, str] = NO_HEADERS):
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.status = status
        self.headers = dict(headers)
        self.code = error.upper()

    def to_json(self) -> dict[str, Json]:
        """The body of the response. What OAuth does not allow in a description is replaced (RFC 6749 §5.2)."""
        return {"error": self.error, "error_description": ascii_only(self.description)}


def ascii_only(text: str) -> str:
    """``text`` in the characters of an ``error_description``: %x20-21 / %x23-5B / %x5D-7E."""
    return "".join(one if " " <= one <= "~" and one not in '"\\' else "'" if one == '"' else "?" for one in text)[:400]


@contextmanager
def refusing(error: str, *, status: int = 400) -> Iterator[None]:
    """Whatever of ours goes wrong in the block leaves it as an :class:`OAuthRefusal` with the code ``error``."""
    try:
        yield
    except OAuthRefusal:
        raise
    except VcError as no:
        raise OAuthRefusal(error, _told(no), status=status) from None


def _told(no: VcError) -> str:
    if isinstance(no, Rejected):
        return "; ".join(f"{finding.where or '/'}: {finding.message}" for finding in no.findings)
    return str(no)


def parse_form(raw: bytes, *, limit: int = MAX_FORM) -> dict[str, str]:
    """The parameters of a form or a query (RFC 6749 appendix B), without those that have no value (§3.1, §3.2).

    Raises :class:`OAuthRefusal` with ``invalid_request`` for one that is too large, has a parameter twice, or is not
    a form.
    """
    if len(raw) > limit:
        raise OAuthRefusal("invalid_request", f"larger than {limit} bytes", status=413)
    try:
        pairs = parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_PARAMETERS,
        )
    except ValueError:  # UnicodeDecodeError too
        raise OAuthRefusal(
            "invalid_request", f"not a form of at most {MAX_PARAMETERS} parameters: send name=value&name=value"
        ) from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise OAuthRefusal("invalid_request", "a parameter occurs twice: send each once")
    return {name: value for name, value in form.items() if value}


def single_header(values: Sequence[str], name: str, *, error: str = "invalid_request") -> str | None:
    """The one value of a header that may be sent once, or None without it. Raises :class:`OAuthRefusal`."""
    if len(values) > 1:
        raise OAuthRefusal(error, f"more than one {name} header: send one")
    return values[0] if values else None


def pkce_challenge(verifier: str) -> str:
    """The S256 code challenge of a code verifier (RFC 7636 §4.2)."""
    return encode_base64url(sha256(verifier.encode()).digest())


def check_pkce_challenge(challenge: str | None, method: str | None) -> str:
    """The code challenge of an authorization request (RFC 7636 §4.3); S256 only, as ``plain`` protects nothing.

    Raises :class:`OAuthRefusal` with ``invalid_request`` (§4.4.1).
    """
    if challenge is None or not _CHALLENGE.match(challenge):
        raise OAuthRefusal("invalid_request", "code_challenge is missing or not the SHA-256 of a code verifier")
    if method != "S256":
        raise OAuthRefusal("invalid_request", "code_challenge_method has to be S256")
    return challenge


def check_pkce(verifier: str | None, challenge: str) -> None:
    """Whether ``verifier`` belongs to ``challenge`` (RFC 7636 §4.6).

    Raises :class:`OAuthRefusal` with ``invalid_grant`` where it does not, and returns nothing where it does.
    """
    if verifier is None or not _VERIFIER.match(verifier):
        raise OAuthRefusal("invalid_grant", "code_verifier is missing or not 43 to 128 unreserved characters")
    if not hmac.compare_digest(pkce_challenge(verifier), challenge):
        raise OAuthRefusal("invalid_grant", "code_verifier is not that of the code_challenge")
