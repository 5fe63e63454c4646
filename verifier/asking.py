"""What is asked of a worker, as a system or a page says it, and the request that it becomes (OpenID4VP §5)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, Final, Self
from urllib.parse import urlsplit, urlunsplit

from vc.canon import Json, parse_object, to_json
from vc.errors import Malformed
from vc.jwe import ENCRYPTIONS, DecryptionKey
from vc.multibase import encode_base64url
from vc.oid4vp import parse_request
from vc.transaction import parse_transactions, write_transaction
from vc.verify import Policy
from vc.vp_response import DIRECT_POST, DIRECT_POST_JWT
from verifier.asked import MAX_RETENTION
from verifier.check import policy
from verifier.identity import Identity
from verifier.request import MAX_CLAIMS, Wanted, build_request

STATE_LENGTH: Final = 24  # bytes
LIFETIME: Final = 900  # seconds: time to find the phone
MAX_LIFETIME: Final = 30 * 86_400
MAX_TEXT: Final = 1000
MAX_URL: Final = 2048
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Ask:
    """A demand. Its JSON has the same names, in camelCase (docs/verifier-api.md)."""

    purpose: str
    claims: tuple[str, ...]  # as for ``ouvrage verifier request --claim``
    necessity: str = ""
    retention_days: int | None = None  # None: as the purpose's pack says
    format: str = "bbs-2023"  # or sd-jwt
    ask_anyway: bool = False  # even what the pack's neverAsk lists: the report will say so
    accept_possession: bool = False
    accept_self_asserted: bool = False
    keep_answer: bool = False  # keep the presentation itself, too, as long as the report
    encrypted: bool = True  # direct_post.jwt
    redirect_uri: str | None = None  # on the same device: where the worker's browser goes on
    lifetime: int = LIFETIME
    reference: str = ""  # the asker's own word for it; comes back in the webhook
    transaction_data: tuple[Mapping[str, Json], ...] = ()

    def __post_init__(self) -> None:
        """Raise :class:`Malformed` for what cannot be asked."""
        if self.format not in ("bbs-2023", "sd-jwt"):
            raise Malformed("/format", "bbs-2023 or sd-jwt")
        if not 0 < len(self.claims) <= MAX_CLAIMS:
            raise Malformed("/claims", f"not a list of 1 to {MAX_CLAIMS}")
        if not 1 <= self.lifetime <= MAX_LIFETIME:
            raise Malformed("/lifetime", f"not 1 to {MAX_LIFETIME} seconds")
        if self.retention_days is not None and not 0 <= self.retention_days <= MAX_RETENTION:
            raise Malformed("/retentionDays", f"not 0 to {MAX_RETENTION}")
        for name in ("purpose", "necessity", "reference"):
            if len(getattr(self, name)) > MAX_TEXT:
                raise Malformed(f"/{name}", f"longer than {MAX_TEXT} characters")
        if self.redirect_uri is not None:
            _check_redirect(self.redirect_uri)
        if self.transaction_data and self.format != "sd-jwt":
            raise Malformed("/transactionData", "only an SD-JWT VC can agree to a transaction: ask with format sd-jwt")

    @classmethod
    def parse(cls, value: Json) -> Self:
        """The demand in a body of JSON. Raises :class:`Malformed` for a member that is not known, too."""
        if not isinstance(value, dict):
            raise Malformed("body", "not a JSON object", code="NOT_JSON")
        for name in value:
            if name not in _NAMES:
                raise Malformed(f"/{name[:60]}", f"not known; known are {', '.join(_NAMES)}")
        for name in ("purpose", "claims"):
            if name not in value:
                raise Malformed(f"/{name}", "missing")
        return cls(**{_NAMES[name]: _read(_NAMES[name], entry, f"/{name}") for name, entry in value.items()})


def camel(name: str) -> str:
    """``retention_days`` as JSON spells it: ``retentionDays``."""
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)


_NAMES: Final[Mapping[str, str]] = MappingProxyType({camel(one.name): one.name for one in fields(Ask)})
_FLAGS: Final = frozenset({"ask_anyway", "accept_possession", "accept_self_asserted", "keep_answer", "encrypted"})


def _read(name: str, value: Json, where: str) -> Any:
    """The value of a member, in the type that its field has."""
    if name in _FLAGS:
        if isinstance(value, bool):
            return value
        raise Malformed(where, "neither true nor false")
    if name in ("retention_days", "lifetime"):
        if type(value) is int:
            return value
        raise Malformed(where, "not a whole number")
    if name in ("claims", "transaction_data"):
        kind: type = str if name == "claims" else dict
        if isinstance(value, list) and all(isinstance(one, kind) for one in value):
            return tuple(value)
        raise Malformed(where, f"not a list of {'texts' if kind is str else 'objects'}")
    if isinstance(value, str):
        return value
    raise Malformed(where, "not a text")


def _check_redirect(uri: str) -> None:
    try:
        parts = urlsplit(uri)
        host = parts.hostname
    except ValueError:
        parts, host = urlsplit(""), None
    secure = parts.scheme == "https" or (parts.scheme == "http" and host in _LOCAL)
    if not secure or not host or "@" in parts.netloc or parts.fragment or len(uri) > MAX_URL or not uri.isprintable():
        raise Malformed("/redirectUri", "not an https URL without a fragment")


@dataclass(frozen=True, slots=True)
class Terms:
    """What of an answer is accepted, and whether it is kept beside its report."""

    accept_possession: bool
    accept_self_asserted: bool
    keep_answer: bool

    @classmethod
    def of(cls, ask: Ask) -> Self:
        """The terms of a demand."""
        return cls(ask.accept_possession, ask.accept_self_asserted, ask.keep_answer)

    @classmethod
    def read(cls, text: str) -> Self:
        """What :meth:`write` wrote."""
        return cls(**{name: value is True for name, value in parse_object(text.encode()).items()})

    def write(self) -> str:
        """For the store."""
        return to_json({one.name: getattr(self, one.name) for one in fields(self)}).decode()

    @property
    def policy(self) -> Policy:
        """For the check."""
        return policy(accept_possession=self.accept_possession, accept_self_asserted=self.accept_self_asserted)


def build(
    ask: Ask,
    *,
    identity: Identity,
    response_uri: str,
    recipient: DecryptionKey | None,
    rand: Callable[[int], bytes],
) -> dict[str, Json]:
    """The members of the request, its nonce and its state fresh; with a ``recipient`` the answer is encrypted to it.

    Raises :class:`Rejected` for what the purpose must never ask for, unless the demand says to ask anyway.
    """
    made = build_file(ask, client_id=identity.of(response_uri), rand=rand)
    metadata = made["client_metadata"]
    assert isinstance(metadata, dict)
    made |= {
        "response_mode": DIRECT_POST if recipient is None else DIRECT_POST_JWT,
        "response_uri": response_uri,
        "state": encode_base64url(rand(STATE_LENGTH)),
    }
    if recipient is not None:
        metadata |= {
            "jwks": {"keys": [recipient.jwk]},
            "encrypted_response_enc_values_supported": list[Json](ENCRYPTIONS),
        }
    if ask.transaction_data:
        made["transaction_data"] = _transactions(ask, made)
    return made


def build_file(ask: Ask, *, client_id: str, rand: Callable[[int], bytes]) -> dict[str, Json]:
    """The members of a request that is handed over as a file, and answered with one. Raises as :func:`build`."""
    return build_request(
        [Wanted.parse(text) for text in ask.claims],
        client_id=client_id,
        purpose=ask.purpose,
        necessity=ask.necessity,
        retention_days=ask.retention_days,
        ask_anyway=ask.ask_anyway,
        accept_possession=ask.accept_possession,
        sd_jwt=ask.format == "sd-jwt",
        rand=rand,
    )


def _transactions(ask: Ask, made: Mapping[str, Json]) -> list[Json]:
    """The transactions, each for one query of this request: so it is plain who has to agree."""
    queries = {query.id for query in parse_request(to_json(dict(made))).queries}
    texts: list[Json] = [write_transaction(one) for one in ask.transaction_data]
    for one in parse_transactions(texts, where="/transactionData"):
        if len(one.credential_ids) != 1 or one.credential_ids[0] not in queries:
            why = f"its credential_ids have to name one of {', '.join(sorted(queries))}"
            raise Malformed("/transactionData", why)
    return texts


def with_code(redirect_uri: str, code: str) -> str:
    """The address that a worker's browser goes on to, with the code that only it then has (OpenID4VP §13.3)."""
    parts = urlsplit(redirect_uri)
    query = f"{parts.query}&" if parts.query else ""
    return urlunsplit(parts._replace(query=f"{query}response_code={code}"))
