"""Wallets that their provider vouches for (OID4VCI appendix E, draft-ietf-oauth-attestation-based-client-auth).

Two headers: OAuth-Client-Attestation, which the provider signed, and OAuth-Client-Attestation-PoP, which the wallet
signs with the key that the first one names. A DPoP proof instead of the second one, and revocation of attestations
by status lists, are not part of this.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509

from vc.canon import Json, Limits, parse_object, to_json
from vc.dpop import jwk_thumbprint
from vc.errors import Malformed
from vc.jose import NOTHING, SKEW, check_times, numeric_date, parse_jws, sign_jws, verify_jws
from vc.jwk import parse_jwk, public_jwk
from vc.keys import PublicKey, Signer
from vc.model import Object
from vc.multibase import encode_base64url
from vc.oauth import OAuthRefusal, refusing
from vc.x5c import parse_x5c, verify_chain

ATTESTATION_TYP: Final = "oauth-client-attestation+jwt"
POP_TYP: Final = "oauth-client-attestation-pop+jwt"
ALGORITHMS: Final = ("ES256", "ES384", "EdDSA", "Ed25519")  # client_attestation_signing_alg_values_supported
MAX_ATTESTATION: Final = 1 << 16  # characters: with a chain of certificates
MAX_POP: Final = 1 << 13
MAX_TEXT: Final = 512  # of names
MAX_AGE: Final = timedelta(minutes=5)  # of a proof of possession

_LIMITS: Final = Limits(size=MAX_ATTESTATION, depth=8)
_ATTESTATION: Final = "OAuth-Client-Attestation"
_POP: Final = "OAuth-Client-Attestation-PoP"


@dataclass(frozen=True, slots=True)
class AttestedClient:
    """A wallet on its provider's word. ``client_id`` is the same for all wallets of a provider, ``jkt`` this one's key;
    ``jti`` is the name by which its proof of possession counts as used."""

    client_id: str
    jkt: str
    jti: str
    public: PublicKey = field(repr=False)
    wallet_name: str | None = None


def verify_client_attestation(
    attestation: str,
    pop: str,
    *,
    audience: str,
    at: datetime,
    roots: Collection[x509.Certificate],
    check_challenge: Callable[[str], bool] | None,
    require_challenge: bool = False,
) -> AttestedClient:
    """The wallet that sent these two headers; ``audience`` is the issuer identifier of the authorization server.

    ``check_challenge`` is asked about a challenge in the proof of possession; a server whose metadata has a
    ``challenge_endpoint`` may require one. That ``jti`` was not used before, and that a ``client_id`` in the request is
    the same, are the caller's to check.

    Raises :class:`OAuthRefusal`: ``invalid_client``; ``use_fresh_attestation``; ``use_attestation_challenge``, to
    which the caller adds the header ``OAuth-Client-Attestation-Challenge``.
    """
    with refusing("invalid_client", status=401):
        claims = _signed_by_provider(attestation, roots, at)
        confirmation = claims.get("cnf")
        public = parse_jwk(confirmation.get("jwk") if isinstance(confirmation, dict) else None, where="cnf/jwk")
        client_id = _text(claims, "sub", _ATTESTATION)
        proof = _signed_by_wallet(pop, public)
        audiences = proof.get("aud")
        if audiences not in (audience, [audience]):
            raise Malformed(f"{_POP}/aud", f"has to be {audience}")
        jti = _text(proof, "jti", _POP)
        _check_times(proof, at)
        _check_fresh(claims, at)
    challenge = proof.get("challenge")
    if require_challenge or (challenge is not None and check_challenge is not None):
        known = isinstance(challenge, str) and len(challenge) <= MAX_TEXT
        if not known or check_challenge is None or not check_challenge(str(challenge)):
            raise OAuthRefusal("use_attestation_challenge", "the proof of possession needs a challenge of this server")
    name = claims.get("wallet_name")
    return AttestedClient(
        client_id,
        jwk_thumbprint(public_jwk(public)),
        jti,
        public,
        name if isinstance(name, str) and len(name) <= MAX_TEXT else None,
    )


def make_client_attestation(
    client_id: str,
    public: PublicKey,
    *,
    key: Signer,
    x5c: Sequence[str],
    at: datetime,
    lifetime: timedelta,
    claims: Object = NOTHING,
) -> str:
    """A wallet attestation by a provider, for a wallet's key; ``claims`` are others, such as ``wallet_name``."""
    members: dict[str, Json] = {
        **claims,
        "sub": client_id,
        "iat": int(at.timestamp()),
        "exp": int((at + lifetime).timestamp()),
        "cnf": {"jwk": public_jwk(public)},
    }
    return sign_jws(to_json(members), key=key, typ=ATTESTATION_TYP, header={"x5c": list[Json](x5c)})


def make_client_attestation_pop(
    key: Signer,
    *,
    audience: str,
    at: datetime,
    rand: Callable[[int], bytes],
    client_id: str,
    challenge: str | None = None,
) -> str:
    """A wallet's proof that it has the key that its attestation names, for one request."""
    claims: dict[str, Json] = {
        "iss": client_id,  # earlier drafts ask for it, and for exp
        "aud": audience,
        "jti": encode_base64url(rand(16)),
        "iat": int(at.timestamp()),
        "exp": int((at + MAX_AGE).timestamp()),
    }
    if challenge is not None:
        claims["challenge"] = challenge
    return sign_jws(to_json(claims), key=key, typ=POP_TYP)


def _signed_by_provider(text: str, roots: Collection[x509.Certificate], at: datetime) -> Object:
    jws = parse_jws(text, where=_ATTESTATION, limit=MAX_ATTESTATION)
    chain = verify_chain(parse_x5c(jws.header.get("x5c"), where=f"{_ATTESTATION}/x5c"), roots, at=at)
    payload = verify_jws(jws, chain.public, typ=ATTESTATION_TYP, algorithms=ALGORITHMS, where=_ATTESTATION)
    return parse_object(payload, where=_ATTESTATION, limits=_LIMITS)


def _signed_by_wallet(text: str, public: PublicKey) -> Object:
    jws = parse_jws(text, where=_POP, limit=MAX_POP)
    payload = verify_jws(jws, public, typ=POP_TYP, algorithms=ALGORITHMS, where=_POP)
    return parse_object(payload, where=_POP, limits=_LIMITS)


def _check_times(proof: Object, at: datetime) -> None:
    made = numeric_date(proof, "iat", where=_POP)
    if made is None or not -SKEW.total_seconds() <= at.timestamp() - made <= MAX_AGE.total_seconds():
        raise Malformed(f"{_POP}/iat", "missing, or too far from now: make a new proof for each request")
    for finding in check_times(proof, at, where=_POP):
        raise Malformed(finding.where, finding.message)


def _check_fresh(claims: Object, at: datetime) -> None:
    made = numeric_date(claims, "iat", where=_ATTESTATION)
    if "exp" not in claims:
        raise Malformed(f"{_ATTESTATION}/exp", "missing")
    if made is not None and made > (at + SKEW).timestamp():
        raise Malformed(f"{_ATTESTATION}/iat", "yet to come")
    for finding in check_times(claims, at, where=_ATTESTATION):
        if finding.code == "EXPIRED":
            raise OAuthRefusal("use_fresh_attestation", "the client attestation is past its end: get a new one")
        raise Malformed(finding.where, finding.message)


def _text(claims: Object, name: str, where: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT:
        raise Malformed(f"{where}/{name}", f"missing, or not a text of at most {MAX_TEXT} characters")
    return value
