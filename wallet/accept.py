"""Fetching credentials that a platform offers: OpenID4VCI 1.0 with a pre-authorized code (§3.5), for the wallet's keys.

What is fetched is verified by :mod:`wallet.receive` before anything is kept. Every address comes from the offer that
the worker gave; only the origin that it names may be a private one.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final, Protocol
from urllib.parse import urlencode, urlsplit

from vc.canon import Json, Limits, parse_object, to_json
from vc.dpop import make_dpop
from vc.errors import Finding, Malformed, Rejected, Undetermined, Unsupported
from vc.io.fetch import Fetched
from vc.keyproof import make_jwt_proof
from vc.keys import Ed25519Key, Signer
from vc.model import Object
from vc.offer import PRE_AUTHORIZED, CredentialOffer, OfferReference, parse_offer_link
from wallet.formats import FORMATS, format_of

MAX_ANSWER: Final = 4 << 20  # a hundred copies of a credential with 300 claims
LIMITS: Final = Limits(size=MAX_ANSWER)
MAX_DATASETS: Final = 200  # credentials of one offer, before copies
GONE: Final = 410  # what an offer's address says once the offer was used
NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})

# Errors of an issuer as what a worker can do; everything else is said as it came.
_ADVICE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "invalid_grant": "the offer was used, is too old, or the code is wrong; ask the platform for a new one",
        "credential_request_denied": "the platform says no to this credential; ask it why",
        "use_dpop_nonce": "the platform asks for a proof that it does not accept; tell it so",
    }
)


class Ask(Protocol):
    """The door to the network (vc.io.fetch.fetch); tests give another one."""

    def __call__(
        self,
        url: str,
        *,
        limit: int,
        private: bool,
        method: str,
        body: bytes | None,
        headers: Mapping[str, str],
    ) -> Awaitable[Fetched]: ...


@dataclass(frozen=True, slots=True)
class Accepted:
    """What came of an offer: credentials as received, and the types that the platform has still to decide on."""

    issuer: str
    documents: tuple[Json, ...]
    holders: frozenset[str]  # the DIDs of the keys that copies were asked for
    deferred: tuple[str, ...]
    notifications: tuple[str, ...]
    session: "Session" = field(repr=False)


@dataclass(slots=True)
class Session:
    """A conversation with one issuer. It keeps the newest DPoP nonce of each server (RFC 9449 §8)."""

    ask: Ask
    issuer: str
    key: Signer
    now: Callable[[], datetime]
    rand: Callable[[int], bytes]
    token: str = field(default="", repr=False)
    dpop_nonce: str | None = None
    endpoints: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def endpoint(self, name: str) -> str:
        """Its URL. Raises :class:`Unsupported` for an issuer without it."""
        if name not in self.endpoints:
            raise Unsupported("issuer", f"its metadata names no {name}")
        return self.endpoints[name]

    async def get(self, url: str) -> dict[str, Json]:
        """A JSON document. Raises where there is none."""
        return _document(await self._send("GET", url, None, {"Accept": "application/json"}), url)

    async def fetched(self, url: str, *, limit: int) -> Fetched:
        """Whatever is at a URL, as bytes."""
        return await self.ask(
            url, limit=limit, private=self._is_private(url), method="GET", body=None, headers=NO_HEADERS
        )

    async def post(self, url: str, body: bytes, content_type: str) -> Fetched:
        """The answer to a request that carries a DPoP proof, sent again when the server wants its nonce in it."""
        answer = await self._proven(url, body, content_type)
        fresh = answer.headers.get("dpop-nonce")
        if fresh and fresh != self.dpop_nonce:
            self.dpop_nonce = fresh
            if answer.status in (400, 401) and _error(answer) == "use_dpop_nonce":
                answer = await self._proven(url, body, content_type)
        return answer

    async def _proven(self, url: str, body: bytes, content_type: str) -> Fetched:
        proof = make_dpop(
            self.key,
            method="POST",
            url=url,
            at=self.now(),
            rand=self.rand,
            access_token=self.token or None,
            nonce=self.dpop_nonce,
        )
        authorization = {"Authorization": f"DPoP {self.token}"} if self.token else {}
        return await self._send("POST", url, body, {"DPoP": proof, "Content-Type": content_type, **authorization})

    async def _send(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Fetched:
        return await self.ask(
            url, limit=MAX_ANSWER, private=self._is_private(url), method=method, body=body, headers=headers
        )

    def _is_private(self, url: str) -> bool:
        """Whether it may be at a private address: the worker gave the offer that names its origin."""
        return _origin(url) == _origin(self.issuer)


async def read_offer(link: str, *, ask: Ask) -> CredentialOffer:
    """The offer behind a link (OpenID4VCI §4.1). Raises :class:`Malformed`, :class:`Undetermined`."""
    offer = parse_offer_link(link)
    if isinstance(offer, OfferReference):
        answer = await ask(
            offer.uri, limit=MAX_ANSWER, private=True, method="GET", body=None, headers={"Accept": "application/json"}
        )
        return CredentialOffer.parse(_document(answer, "the offer"))
    return offer


async def accept(
    offer: CredentialOffer,
    *,
    ask: Ask,
    tx_code: str | None,
    holders: Callable[[int], Sequence[Ed25519Key]],
    copies: int,
    now: Callable[[], datetime],
    rand: Callable[[int], bytes],
    formats: Collection[str] = FORMATS,
) -> Accepted:
    """Fetch ``copies`` of every credential of an offer in one of ``formats``, each bound to a key of ``holders``.

    Raises :class:`Unsupported` for an offer with nothing for this wallet, :class:`Rejected` where the issuer says no,
    :class:`Undetermined` where it does not answer.
    """
    if offer.pre_authorized is None:
        raise Unsupported("offer", "it asks you to log in with the platform first, which this wallet does not do yet")
    session = Session(ask, offer.issuer, Ed25519Key.from_seed(rand(32)), now, rand)
    metadata = await _metadata(session)
    wanted = _wanted(offer, metadata, formats)
    details = await _token(session, offer.pre_authorized.code, tx_code, wanted)
    keys = holders(min(copies, _batch(metadata)))
    documents: list[Json] = []
    deferred: list[str] = []
    notifications: list[str] = []
    for configuration, identifiers in details.items():
        for identifier in identifiers:
            answer = await _credentials(session, configuration, identifier, keys)
            if "transaction_id" in answer:
                deferred.append(configuration)
                continue
            documents += _copies(answer)
            notifications += [str(answer["notification_id"])] if "notification_id" in answer else []
    own = frozenset(key.did for key in keys)
    return Accepted(offer.issuer, tuple(documents), own, tuple(deferred), tuple(notifications), session)


async def tell_accepted(accepted: Accepted) -> None:
    """Tell the issuer that the credentials are kept, so that it can erase its own copies (OpenID4VCI §11)."""
    for notification in accepted.notifications:
        body = to_json({"notification_id": notification, "event": "credential_accepted"})
        await accepted.session.post(accepted.session.endpoint("notification_endpoint"), body, "application/json")


async def _metadata(session: Session) -> Object:
    """The metadata of the issuer and of its authorization server (§12.2, §12.3), which has to be the issuer itself."""
    metadata = await session.get(_well_known(session.issuer, "openid-credential-issuer"))
    if metadata.get("credential_issuer") != session.issuer:
        raise Rejected((Finding("ISSUER_MISMATCH", "the metadata is of another issuer: nothing was fetched", ""),))
    servers = metadata.get("authorization_servers", [session.issuer])
    if servers != [session.issuer]:
        raise Unsupported("issuer", "its authorization server is somewhere else")
    server = await session.get(_well_known(session.issuer, "oauth-authorization-server"))
    if server.get("issuer") != session.issuer:
        raise Rejected((Finding("ISSUER_MISMATCH", "the metadata is of another server: nothing was fetched", ""),))
    named = {name: metadata.get(name) for name in ("credential_endpoint", "nonce_endpoint", "notification_endpoint")}
    named["token_endpoint"] = server.get("token_endpoint")
    session.endpoints = MappingProxyType({name: url for name, url in named.items() if isinstance(url, str)})
    return metadata


def _wanted(offer: CredentialOffer, metadata: Object, formats: Collection[str]) -> tuple[str, ...]:
    """The configurations of an offer that this wallet can keep, in the formats that are wanted."""
    known = metadata.get("credential_configurations_supported")
    known = known if isinstance(known, dict) else {}
    wanted = tuple(name for name in offer.configuration_ids if format_of(known.get(name)) in formats)
    if not wanted:
        named = ", ".join(sorted(formats, key=FORMATS.index))
        raise Unsupported("offer", f"none of its credentials is in a format that is wanted ({named})")
    return wanted


async def _token(
    session: Session, code: str, tx_code: str | None, configurations: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Exchange the code for a token (§6.1); the credential identifiers by configuration."""
    details: list[Json] = [
        {"type": "openid_credential", "credential_configuration_id": name} for name in configurations
    ]
    form = {
        "grant_type": PRE_AUTHORIZED,
        "pre-authorized_code": code,
        "authorization_details": to_json(details).decode(),
        **({"tx_code": tx_code} if tx_code else {}),
    }
    answer = await session.post(
        session.endpoint("token_endpoint"), urlencode(form).encode(), "application/x-www-form-urlencoded"
    )
    body = _document(answer, "the token endpoint")
    if not isinstance(body.get("access_token"), str) or str(body.get("token_type")).lower() != "dpop":
        raise Malformed("token", "not a token that is bound to this wallet's key", code="BAD_TOKEN")
    session.token = str(body["access_token"])
    return _identifiers(body)


def _identifiers(body: Object) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    details = body.get("authorization_details")
    for entry in details if isinstance(details, list) else ():
        match entry:
            case {"credential_configuration_id": str(name), "credential_identifiers": list(identifiers)}:
                found[name] = tuple(str(one) for one in identifiers)
    if not found or sum(map(len, found.values())) > MAX_DATASETS:
        raise Malformed("token", f"names no credential, or more than {MAX_DATASETS}", code="BAD_TOKEN")
    return found


async def _credentials(
    session: Session, configuration: str, identifier: str, keys: Sequence[Ed25519Key]
) -> dict[str, Json]:
    """One request for copies of one credential (§8.2), with a proof of each key."""
    answer = await session.post(session.endpoint("nonce_endpoint"), b"", "application/json")
    nonce = str(_document(answer, "the nonce endpoint").get("c_nonce"))
    proofs: list[Json] = [make_jwt_proof(key, audience=session.issuer, nonce=nonce, at=session.now()) for key in keys]
    body = to_json({"credential_identifier": identifier, "proofs": {"jwt": proofs}})
    answer = await session.post(session.endpoint("credential_endpoint"), body, "application/json")
    return _document(answer, configuration)


def _copies(answer: Object) -> list[Json]:
    entries = answer.get("credentials")
    if not isinstance(entries, list) or not entries:
        raise Malformed("the answer", "holds no credential", code="NO_CREDENTIAL")
    return [entry.get("credential") if isinstance(entry, dict) else None for entry in entries]


def _batch(metadata: Object) -> int:
    match metadata.get("batch_credential_issuance"):
        case {"batch_size": int(size)} if size > 1:
            return size
    return 1


def _document(answer: Fetched, where: str) -> dict[str, Json]:
    """The JSON object of a good answer, or its error as ours."""
    if answer.status >= 500:
        raise Undetermined(f"{where} answers with an error ({answer.status})", "try again later", code="ISSUER_DOWN")
    if answer.status >= 400:
        error = "invalid_grant" if answer.status == GONE else _error(answer)
        raise Rejected((Finding("ISSUER_REFUSED", f"{where}: {_ADVICE.get(error, error)}", ""),))
    if not 200 <= answer.status < 300:
        raise Malformed(where, f"answers with {answer.status}, which leads elsewhere", code="REDIRECTED")
    return parse_object(answer.body, where=where, limits=LIMITS)


def _error(answer: Fetched) -> str:
    try:
        error = parse_object(answer.body, where="error", limits=Limits(size=1 << 14)).get("error")
    except (Malformed, Unsupported):
        return f"error {answer.status}"
    return str(error or f"error {answer.status}")[:100]


def _well_known(issuer: str, name: str) -> str:
    parts = urlsplit(issuer)
    return f"{parts.scheme}://{parts.netloc}/.well-known/{name}{parts.path.rstrip('/')}"


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
