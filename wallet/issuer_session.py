"""A conversation with one issuer and its authorization server: bounded requests, each with a proof of the wallet's key
where the server takes one (DPoP, RFC 9449), and errors as what a worker can do about them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final, Protocol
from urllib.parse import urlencode, urlsplit

from vc.canon import Json, Limits, parse_object, to_json
from vc.dpop import make_dpop
from vc.errors import Finding, Malformed, Rejected, Undetermined, Unsupported
from vc.io.fetch import Fetched
from vc.keys import ED25519, Signer
from vc.model import Object

MAX_ANSWER: Final = 4 << 20  # a hundred copies of a credential with 300 claims
LIMITS: Final = Limits(size=MAX_ANSWER)
GONE: Final = 410  # what an offer's address says once the offer was used
NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})
NOTHING: Final[Object] = MappingProxyType({})

_FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = "application/json"
JWT: Final = "application/jwt"
_NOT_FOUND: Final = (404, 410)
_FINAL: Final = ("credential_request_denied", "invalid_transaction_id")  # asking again changes nothing (§9.3)
_WANTS_NONCE: Final = "use_dpop_nonce"

# Errors of an issuer as what a worker can do; everything else is said as it came.
_ADVICE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "invalid_grant": "the offer was used, is too old, or the code is wrong; ask the platform for a new one",
        "invalid_transaction_id": "the platform does not know what it promised any more; ask it for a new offer",
        "credential_request_denied": "the platform says no to this credential; ask it why",
        "invalid_encryption_parameters": "the platform and this wallet know no common way to encrypt; tell it so",
        "invalid_client": "the platform does not know this wallet; ask it which --client-id to use",
        "unauthorized_client": "the platform does not let this wallet do that; ask it which --client-id to use",
        _WANTS_NONCE: "the platform asks for a proof that it does not accept; tell it so",
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


@dataclass(slots=True)
class Session:
    """What is known of the issuer, and the newest DPoP nonce of each server (RFC 9449 §8).

    ``typed`` is the origin that the worker gave: no other address may be a private one.
    """

    ask: Ask
    issuer: str
    typed: str
    now: Callable[[], datetime]
    rand: Callable[[int], bytes]
    key: Signer | None = field(default=None, repr=False)  # None: tokens are Bearer tokens
    token: str = field(default="", repr=False)
    metadata: Object = field(default_factory=dict)  # of the issuer
    left_out: Mapping[str, str] = field(default_factory=dict)  # configurations of the offer, and why: a code
    server: Object = field(default_factory=dict)  # the metadata of its authorization server
    nonces: dict[str, str] = field(default_factory=dict, repr=False)

    def endpoint(self, name: str) -> str:
        """Its URL. Raises :class:`Unsupported` for an issuer without it."""
        url = self.find_endpoint(name)
        if url is None:
            raise Unsupported("issuer", f"its metadata names no {name}")
        return url

    def find_endpoint(self, name: str) -> str | None:
        """Its URL, where there is one."""
        url = self.metadata.get(name, self.server.get(name))
        return url if isinstance(url, str) else None

    async def find(self, url: str) -> dict[str, Json] | None:
        """A JSON document, or None where there is none. Raises for an answer that is neither."""
        answer = await self._send("GET", url, None, {"Accept": _JSON})
        return None if answer.status in _NOT_FOUND else document(answer, url)

    async def fetched(self, url: str, *, limit: int) -> Fetched:
        """Whatever is at a URL, as bytes."""
        return await self.ask(
            url, limit=limit, private=self._is_private(url), method="GET", body=None, headers=NO_HEADERS
        )

    async def post_form(self, url: str, form: Mapping[str, str]) -> Fetched:
        """The answer of the authorization server, which gives tokens and takes none."""
        return await self._post(url, urlencode(form).encode(), _FORM, "")

    async def post(self, url: str, body: Mapping[str, Json] | None) -> Fetched:
        """The answer of the issuer to a request with the access token."""
        return await self._post(url, b"" if body is None else to_json(dict(body)), _JSON, self.token)

    async def post_text(self, url: str, text: str, content_type: str) -> Fetched:
        """:meth:`post` of a text that is not JSON, to which the answer may be none either."""
        return await self._post(url, text.encode("ascii"), content_type, self.token)

    async def _post(self, url: str, body: bytes, content_type: str, token: str) -> Fetched:
        """Sent again when the server wants its nonce in the proof."""
        answer = await self._proven(url, body, content_type, token)
        fresh, server = answer.headers.get("dpop-nonce"), origin(url)
        if fresh and fresh != self.nonces.get(server):
            self.nonces[server] = fresh
            if answer.status in (400, 401) and _asks_for_nonce(answer):
                answer = await self._proven(url, body, content_type, token)
        return answer

    async def _proven(self, url: str, body: bytes, content_type: str, token: str) -> Fetched:
        headers = {"Content-Type": content_type, "Accept": _JSON if content_type != JWT else f"{JWT}, {_JSON}"}
        if token:
            headers["Authorization"] = f"{'DPoP' if self.key else 'Bearer'} {token}"
        if self.key is not None:
            headers["DPoP"] = make_dpop(
                self.key,
                method="POST",
                url=url,
                at=self.now(),
                rand=self.rand,
                access_token=token or None,
                nonce=self.nonces.get(origin(url)),
                algorithm=self._algorithm(self.key),
            )
        return await self._send("POST", url, body, headers)

    def _algorithm(self, key: Signer) -> str | None:
        """A server may know an Ed25519 signature by its new name only (RFC 9864)."""
        offered = self.server.get("dpop_signing_alg_values_supported")
        is_new = isinstance(offered, list) and "Ed25519" in offered and "EdDSA" not in offered
        return "Ed25519" if is_new and key.public.kind == ED25519 else None

    async def _send(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Fetched:
        return await self.ask(
            url, limit=MAX_ANSWER, private=self._is_private(url), method=method, body=body, headers=headers
        )

    def _is_private(self, url: str) -> bool:
        """Whether it may be at a private address: the worker gave its origin."""
        return origin(url) == self.typed


def document(answer: Fetched, where: str) -> dict[str, Json]:
    """The JSON object of a good answer, or its error as ours."""
    if answer.status >= 500:
        raise Undetermined(f"{where} answers with an error ({answer.status})", "try again later", code="ISSUER_DOWN")
    if answer.status >= 400:
        error = "invalid_grant" if answer.status == GONE else error_of(answer)
        code = "ISSUER_DENIED" if error in _FINAL else "ISSUER_REFUSED"
        raise Rejected((Finding(code, f"{where}: {_ADVICE.get(error, error)}", ""),))
    if not 200 <= answer.status < 300:
        raise Malformed(where, f"answers with {answer.status}, which leads elsewhere", code="REDIRECTED")
    return parse_object(answer.body, where=where, limits=LIMITS)


def error_of(answer: Fetched) -> str:
    """The OAuth error code of an answer, or its status."""
    try:
        error = parse_object(answer.body, where="error", limits=Limits(size=1 << 14)).get("error")
    except (Malformed, Unsupported):
        return f"error {answer.status}"
    return str(error or f"error {answer.status}")[:100]


def _asks_for_nonce(answer: Fetched) -> bool:
    """RFC 9449 §8 in the body, §9 in the header."""
    return error_of(answer) == _WANTS_NONCE or _WANTS_NONCE in answer.headers.get("www-authenticate", "")


def origin(url: str) -> str:
    """Scheme, host and port, in one spelling."""
    parts = urlsplit(url)
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}"
