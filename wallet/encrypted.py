"""Requests and answers of an issuer's credential endpoints, encrypted on top of TLS where it offers that (OpenID4VCI
§10): with the key of its metadata there, and with a key that is made for one answer back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from vc.canon import Json, parse_object
from vc.errors import Finding, Malformed, Rejected, Unsupported, VcError
from vc.io.fetch import Fetched
from vc.jwe import ALGORITHMS, ENCRYPTIONS, DecryptionKey, check_recipient, decrypt_jwt, encrypt_jwt
from vc.model import Object
from vc.oid4vci import ResponseEncryption
from wallet.issuer_session import JWT, LIMITS, MAX_ANSWER, Session, document

MAX_KEYS: Final = 16  # of an issuer's metadata that are looked at

_ENCRYPTIONS: Final = tuple(reversed(ENCRYPTIONS))  # the strongest first
_REQUEST: Final = "credential_request_encryption"
_RESPONSE: Final = "credential_response_encryption"


@dataclass(frozen=True, slots=True)
class Sealing:
    """How requests are encrypted, and answers: None for in the clear. An answer is encrypted only to a key that came
    encrypted; in the clear, it could be somebody else's (§8.2)."""

    jwk: Object | None = None
    request: str | None = None  # the content encryption
    response: str | None = None

    @classmethod
    def parse(cls, metadata: Object) -> Self:
        """What the metadata of an issuer offer, as far as this wallet can do it (§12.2.4).

        Raises :class:`Unsupported` where the issuer insists on what this wallet cannot do.
        """
        jwk, request = _of_requests(metadata.get(_REQUEST))
        response = _of_answers(metadata.get(_RESPONSE))
        if request is None and _is_required(metadata.get(_REQUEST)):
            raise _beyond("takes requests only encrypted")
        if _is_required(metadata.get(_RESPONSE)):
            if response is None:
                raise _beyond("answers only encrypted")
            if request is None:
                what = "it answers only encrypted, and names no key to encrypt the request with, as it then has to"
                raise Unsupported("issuer", what, code="UNSUPPORTED_SUITE")
        return cls(jwk, request, response if request else None)


async def ask_encrypted(session: Session, url: str, body: Mapping[str, Json], *, where: str) -> dict[str, Json]:
    """The answer of a credential endpoint to a request, both encrypted as far as the issuer offers it.

    Raises what :func:`wallet.issuer_session.document` does; :class:`Rejected` ``NOT_DECRYPTED`` for an answer to
    another key, and ``NOT_ENCRYPTED`` for one in the clear where that was not asked for.
    """
    sealing = Sealing.parse(session.metadata)
    key = DecryptionKey.generate(session.rand) if sealing.response else None
    if key is not None and sealing.response:
        how = ResponseEncryption(key.jwk, sealing.response).to_json()
        body = {**body, _RESPONSE: {**how, "alg": ALGORITHMS[0]}}  # the key says that; issuers of drafts look here
    if sealing.jwk is None or sealing.request is None:
        return document(await session.post(url, body), where)
    text = encrypt_jwt(dict(body), jwk=sealing.jwk, enc=sealing.request)
    answer = await session.post_text(url, text, JWT)
    return _opened(answer, key, where) if key is not None and 200 <= answer.status < 300 else document(answer, where)


def _opened(answer: Fetched, key: DecryptionKey, where: str) -> dict[str, Json]:
    if answer.headers.get("content-type", "").partition(";")[0].strip().lower() != JWT:
        why = "the platform answered in the clear, though this wallet asked it not to: nothing of it was kept"
        raise Rejected((Finding("NOT_ENCRYPTED", why),))
    try:
        text = answer.body.decode("ascii")
    except UnicodeDecodeError:
        raise Malformed(where, "not an encrypted message", code="BAD_JWE") from None
    return parse_object(decrypt_jwt(text, keys=(key,), limit=MAX_ANSWER), where=where, limits=LIMITS)


def _of_requests(said: Json) -> tuple[Object, str] | tuple[None, None]:
    """The first key of the issuer that something can be encrypted to, and how."""
    enc = _chosen(said)
    jwks = said.get("jwks") if isinstance(said, dict) else None
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if enc is None or not isinstance(keys, list):
        return None, None
    for jwk in keys[:MAX_KEYS]:
        try:
            if isinstance(jwk, dict) and isinstance(jwk.get("kid"), str):
                known: Object = {"alg": ALGORITHMS[0], **jwk}
                check_recipient(known, enc=enc)
                return known, enc
        except VcError:
            continue
    return None, None


def _of_answers(said: Json) -> str | None:
    algorithms = said.get("alg_values_supported") if isinstance(said, dict) else None
    return _chosen(said) if isinstance(algorithms, list) and ALGORITHMS[0] in algorithms else None


def _chosen(said: Json) -> str | None:
    listed = said.get("enc_values_supported") if isinstance(said, dict) else None
    return next((one for one in _ENCRYPTIONS if isinstance(listed, list) and one in listed), None)


def _is_required(said: Json) -> bool:
    return isinstance(said, dict) and said.get("encryption_required") is True


def _beyond(what: str) -> Unsupported:
    known = f"{', '.join(ALGORITHMS)} with {' or '.join(_ENCRYPTIONS)}"
    return Unsupported("issuer", f"it {what}, and in no way that this wallet knows ({known})", code="UNSUPPORTED_SUITE")
