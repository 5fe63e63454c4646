"""Proofs of the keys that credentials are bound to (OID4VCI appendix F), and key attestations (appendix D).

A holder is a DID: that which the proof names (did:key, did:jwk), or the did:key of a bare key.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from cryptography import x509

from vc.canon import Json, Limits, parse_object, to_json
from vc.contexts import W3C
from vc.did import did_key, resolve_method
from vc.errors import Malformed, Unsupported, VcError
from vc.jose import NOTHING, SKEW, check_times, numeric_date, parse_jws, sign_jws, verify_jws
from vc.jsonld import Contexts
from vc.jwk import parse_jwk, public_jwk
from vc.keys import ED25519, P256, P384, PublicKey, Signer
from vc.model import CREDENTIALS_V1, CREDENTIALS_V2, Object, Proof, parse_presentation
from vc.oauth import OAuthRefusal, refusing
from vc.oid4vci import MAX_PROOFS, MAX_TEXT, CredentialRequest
from vc.proof import AUTHENTICATION, verify_proof
from vc.secure import sign
from vc.x5c import certificate_key, parse_x5c, verify_chain

PROOF_TYP: Final = "openid4vci-proof+jwt"
ATTESTATION_TYP: Final = "key-attestation+jwt"
DRAFT_TYP: Final = "keyattestation+jwt"  # of draft 15: what wallets still send
JWT: Final = "jwt"
DI_VP: Final = "di_vp"
ATTESTATION: Final = "attestation"

MAX_PROOF: Final = 1 << 17  # characters of a JWT: with an attestation of many keys
MAX_AGE: Final = timedelta(minutes=10)  # OID4VCI §13.7; the nonce is what really bounds it
HOLDER_KINDS: Final = (ED25519, P256, P384)

_SIGNATURES: Final = ("ES256", "ES384", "EdDSA", "Ed25519")
# proof_signing_alg_values_supported by proof type (OID4VCI §12.2.4)
ALGORITHMS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        JWT: _SIGNATURES,
        DI_VP: ("eddsa-rdfc-2022", "eddsa-jcs-2022", "ecdsa-rdfc-2019", "ecdsa-jcs-2019"),
        ATTESTATION: _SIGNATURES,
    }
)
# Of key storage and of user authentication (OID4VCI appendix D.2); ecosystems may add URLs.
LEVELS: Final = ("iso_18045_high", "iso_18045_moderate", "iso_18045_enhanced-basic", "iso_18045_basic")
_LIMITS: Final = Limits(size=MAX_PROOF, depth=8)
_BINDINGS: Final = ("kid", "jwk", "x5c")


@dataclass(frozen=True, slots=True)
class KeyAttestation:
    """What a wallet provider says of keys, verified (OID4VCI appendix D). Its ``status`` is not checked."""

    keys: tuple[PublicKey, ...]
    names: tuple[str | None, ...]  # the ``kid`` of each key
    nonce: str | None
    key_storage: tuple[str, ...]
    user_authentication: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProvenKeys:
    """The holders that credentials may be bound to, one for each key, and the nonces that this used."""

    holders: tuple[str, ...]
    nonces: frozenset[str]
    attestations: tuple[KeyAttestation, ...] = ()


@dataclass(frozen=True, slots=True)
class _Rules:
    audience: str
    at: datetime
    algorithms: Collection[str]  # of the proof type
    client: str | None
    attestation_roots: Collection[x509.Certificate]
    require_attestation: bool
    proof_roots: Collection[x509.Certificate]
    contexts: Contexts
    attested: dict[str, KeyAttestation] = field(default_factory=dict)  # a batch repeats one attestation


@dataclass(frozen=True, slots=True)
class _Proven:
    holders: Mapping[PublicKey, str]
    nonces: tuple[str, ...]


def verify_proofs(
    request: CredentialRequest,
    *,
    audience: str,
    check_nonce: Callable[[str], bool],
    at: datetime,
    algorithms: Mapping[str, Collection[str]],
    client: str | None,
    attestation_roots: Collection[x509.Certificate],
    require_attestation: bool,
    proof_roots: Collection[x509.Certificate] = (),
    limit: int = MAX_PROOFS,
    contexts: Contexts = W3C,
) -> ProvenKeys:
    """The keys that the proofs of a request prove (OID4VCI §8.2, appendix F.4).

    ``audience`` is the Credential Issuer Identifier. ``algorithms`` are what the metadata lists for each proof type, as
    in ALGORITHMS; a type that it lacks is refused. ``client`` is None for anonymous clients. Where a key attestation
    is verified, all keys that it attests are holders (appendix F.1); without ``attestation_roots`` one in a proof is
    not looked at, and only the key that signed is a holder. With ``proof_roots``, an ``x5c`` has to lead to one.

    Raises :class:`OAuthRefusal` with ``invalid_proof`` or ``invalid_nonce``. Using nonces up is the caller's.
    """
    kind = request.proof_type
    with refusing("invalid_proof"):
        if kind is None or kind not in algorithms or kind not in _VERIFY:
            raise Malformed("proofs", f"has to have one of {', '.join(sorted(algorithms))}")
        rules = _Rules(
            audience, at, algorithms[kind], client, attestation_roots, require_attestation, proof_roots, contexts
        )
        proven = [_VERIFY[kind](proof, rules, f"proofs/{kind}/{place}") for place, proof in _some(request, limit)]
        holders = _distinct(proven, limit)
    nonces = frozenset(nonce for each in proven for nonce in each.nonces)
    if not all(check_nonce(nonce) for nonce in sorted(nonces)):
        raise OAuthRefusal("invalid_nonce", "the nonce is not valid any more: get a new one at the Nonce Endpoint")
    return ProvenKeys(holders, nonces, tuple(rules.attested.values()))


def _some(request: CredentialRequest, limit: int) -> Iterator[tuple[int, Json]]:
    if not 0 < len(request.proofs) <= limit:
        raise Malformed("proofs", f"needs 1 to {limit} proofs")
    if request.proof_type == ATTESTATION and len(request.proofs) != 1:
        raise Malformed("proofs/attestation", "needs exactly one key attestation")
    yield from enumerate(request.proofs)


def _distinct(proven: Sequence[_Proven], limit: int) -> tuple[str, ...]:
    """Each key once, under the DID by which its own proof names it."""
    signed = [next(iter(each.holders)) for each in proven]
    if len(set(signed)) != len(signed):
        raise Malformed("proofs", "two proofs of one key: use another key for each credential")
    holders = {key: each.holders[key] for key, each in zip(signed, proven, strict=True)}
    for each in proven:
        if len(each.holders) > 1:  # an attestation's other keys
            holders = {**each.holders, **holders}
    if len(holders) > limit:
        raise Malformed("proofs", f"more than {limit} keys")
    order = dict.fromkeys([*signed, *holders])
    return tuple(holders[key] for key in order)


def _jwt(proof: Json, rules: _Rules, where: str) -> _Proven:
    """OID4VCI appendix F.1."""
    jws = parse_jws(_text(proof, where, MAX_PROOF), where=where, limit=MAX_PROOF)
    attestation = _attestation_of(jws.header, rules, where)
    holder, public = _named_key(jws.header, rules, attestation, where)
    if public.kind not in HOLDER_KINDS:
        raise Unsupported("key", public.kind.name, code="UNSUPPORTED_KEY")
    claims = parse_object(
        verify_jws(jws, public, typ=PROOF_TYP, algorithms=rules.algorithms, where=where), where=where, limits=_LIMITS
    )
    if claims.get("aud") != rules.audience:
        raise Malformed(f"{where}/aud", f"has to be {rules.audience}")
    if "iss" in claims and (rules.client is None or claims["iss"] != rules.client):
        raise Malformed(f"{where}/iss", "has to be the client_id, or absent where the client is anonymous")
    _check_time(claims, rules.at, where)
    nonces = [_text(claims.get("nonce"), f"{where}/nonce")]
    if attestation is None:
        return _Proven({public: holder}, tuple(nonces))
    if public not in attestation.keys:
        raise Malformed(f"{where}/key_attestation", "does not attest the key that signed the proof")
    nonces.append(_text(attestation.nonce, f"{where}/key_attestation/nonce"))
    return _Proven({public: holder} | {key: did_key(key) for key in attestation.keys if key != public}, tuple(nonces))


def _attestation_of(header: Object, rules: _Rules, where: str) -> KeyAttestation | None:
    if rules.require_attestation and "key_attestation" not in header:
        raise Malformed(f"{where}/key_attestation", "a key attestation is required here")
    if "key_attestation" not in header or not (rules.attestation_roots or rules.require_attestation):
        return None
    text = _text(header["key_attestation"], f"{where}/key_attestation", MAX_PROOF)
    return _attested(text, rules, f"{where}/key_attestation", expires=True)


def _attested(text: str, rules: _Rules, where: str, *, expires: bool) -> KeyAttestation:
    if text not in rules.attested:
        rules.attested[text] = verify_key_attestation(
            text, roots=rules.attestation_roots, at=rules.at, algorithms=rules.algorithms, expires=expires, where=where
        )
    return rules.attested[text]


def _named_key(header: Object, rules: _Rules, attestation: KeyAttestation | None, where: str) -> tuple[str, PublicKey]:
    """The holder and key that a proof's header names in one of three ways (OID4VCI appendix F.1)."""
    named = [name for name in _BINDINGS if name in header]
    if len(named) != 1:
        raise Malformed(where, "has to name its key by exactly one of kid, jwk and x5c")
    if named == ["jwk"]:
        public = parse_jwk(header["jwk"], where=f"{where}/jwk")
    elif named == ["x5c"]:
        chain = parse_x5c(header["x5c"], where=f"{where}/x5c")
        public = certificate_key(chain[0])
        if rules.proof_roots:
            verify_chain(chain, rules.proof_roots, at=rules.at)
    else:
        kid = _text(header["kid"], f"{where}/kid")
        if kid.startswith("did:") or attestation is None:
            return _did_method(kid, f"{where}/kid")
        public = _attested_key(kid, attestation, where)
    return did_key(public), public


def _did_method(url: str, where: str) -> tuple[str, PublicKey]:
    try:
        method = resolve_method(url)
    except VcError:
        raise Malformed(where, "has to be the DID URL of a did:key or did:jwk, with its fragment") from None
    return method.controller, method.public


def _attested_key(kid: str, attestation: KeyAttestation, where: str) -> PublicKey:
    """A ``kid`` that is no DID URL: the name of an attested key or, as in the example of appendix F.1, its place."""
    for place, (name, key) in enumerate(zip(attestation.names, attestation.keys, strict=True)):
        if kid == (str(place) if name is None else name):
            return key
    raise Malformed(f"{where}/kid", "neither a DID URL nor the name of an attested key")


def verify_key_attestation(
    text: str,
    *,
    roots: Collection[x509.Certificate],
    at: datetime,
    algorithms: Collection[str],
    expires: bool,
    where: str = "key attestation",
) -> KeyAttestation:
    """What a key attestation says, on the word of ``roots`` (OID4VCI appendix D.1); ``expires`` if it has to.

    Raises :class:`Rejected`, :class:`Malformed` or :class:`Unsupported`.
    """
    jws = parse_jws(text, where=where, limit=MAX_PROOF)
    chain = verify_chain(parse_x5c(jws.header.get("x5c"), where=f"{where}/x5c"), roots, at=at)
    typ = DRAFT_TYP if jws.header.get("typ") == DRAFT_TYP else ATTESTATION_TYP
    payload = verify_jws(jws, chain.public, typ=typ, algorithms=algorithms, where=where)
    claims = parse_object(payload, where=where, limits=_LIMITS)
    made = numeric_date(claims, "iat", where=where)
    if made is None or made > (at + SKEW).timestamp():
        raise Malformed(f"{where}/iat", "missing, or yet to come")
    if expires and "exp" not in claims:
        raise Malformed(f"{where}/exp", "missing: an attestation in a proof has to end")
    for finding in check_times(claims, at, where=where):
        raise Malformed(finding.where, finding.message)
    listed = claims.get("attested_keys")
    if not isinstance(listed, list) or not 0 < len(listed) <= MAX_PROOFS:
        raise Malformed(f"{where}/attested_keys", f"not a list of 1 to {MAX_PROOFS} keys")
    keys = tuple(_holder_key(jwk, f"{where}/attested_keys/{place}") for place, jwk in enumerate(listed))
    names = tuple(jwk.get("kid") if isinstance(jwk, dict) else None for jwk in listed)
    return KeyAttestation(
        keys,
        tuple(name if isinstance(name, str) else None for name in names),
        _text(claims["nonce"], f"{where}/nonce") if "nonce" in claims else None,
        _texts(claims, "key_storage", where),
        _texts(claims, "user_authentication", where),
    )


def _holder_key(jwk: Json, where: str) -> PublicKey:
    public = parse_jwk(jwk, where=where)
    if public.kind not in HOLDER_KINDS:
        raise Unsupported("attested key", public.kind.name, code="UNSUPPORTED_KEY")
    return public


def _attestation(proof: Json, rules: _Rules, where: str) -> _Proven:
    """OID4VCI appendix F.3: nobody has signed with these keys, but somebody who is trusted vouches for them."""
    attestation = _attested(_text(proof, where, MAX_PROOF), rules, where, expires=False)
    nonce = _text(attestation.nonce, f"{where}/nonce")
    return _Proven({key: did_key(key) for key in attestation.keys}, (nonce,))


def _di_vp(proof: Json, rules: _Rules, where: str) -> _Proven:
    """OID4VCI appendix F.2."""
    if rules.require_attestation:
        raise Malformed(where, "a key attestation is required here: use the proof type jwt or attestation")
    presentation = parse_presentation(proof, where=where, least=0, versions=(CREDENTIALS_V2, CREDENTIALS_V1))
    if len(presentation.proofs) != 1:
        raise Malformed(f"{where}/proof", "needs exactly one proof")
    (signed,) = presentation.proofs
    if signed.cryptosuite not in rules.algorithms:
        raise Unsupported("cryptosuite", signed.cryptosuite, code="UNSUPPORTED_SUITE")
    method = verify_proof(
        presentation.document, signed, presentation.proofs, purpose=AUTHENTICATION, contexts=rules.contexts
    )
    if presentation.holder not in (None, method.controller):
        raise Malformed(f"{where}/holder", "is not the controller of the key that signed")
    if signed.domain != (rules.audience,):
        raise Malformed(f"{where}/proof/domain", f"has to be {rules.audience}")
    _check_dates(signed, rules.at, where)
    nonce = _text(signed.challenge, f"{where}/proof/challenge")
    return _Proven({method.public: method.controller}, (nonce,))


_VERIFY: Final[Mapping[str, Callable[[Json, _Rules, str], _Proven]]] = MappingProxyType(
    {JWT: _jwt, DI_VP: _di_vp, ATTESTATION: _attestation}
)


def make_jwt_proof(
    key: Signer,
    *,
    audience: str,
    nonce: str | None,
    at: datetime,
    client: str | None = None,
    header: Object = NOTHING,
    algorithm: str | None = None,
) -> str:
    """A proof of type ``jwt`` (OID4VCI appendix F.1). It names its key by ``kid``, the key's verification method,
    unless ``header`` has a ``jwk`` or an ``x5c``; a ``key_attestation`` belongs there, too. ``nonce`` is None for an
    issuer that gives none, ``algorithm`` as :func:`vc.jose.sign_jws` has it."""
    named: dict[str, Json] = {} if any(name in header for name in _BINDINGS) else {"kid": key.verification_method}
    claims: dict[str, Json] = {"aud": audience, "iat": int(at.timestamp())}
    if nonce is not None:
        claims["nonce"] = nonce
    if client is not None:
        claims["iss"] = client
    return sign_jws(to_json(claims), key=key, typ=PROOF_TYP, header={**named, **header}, algorithm=algorithm)


def make_di_vp_proof(
    key: Signer, *, audience: str, nonce: str, at: datetime, suite: str | None = None, contexts: Contexts = W3C
) -> dict[str, Json]:
    """A proof of type ``di_vp`` (OID4VCI appendix F.2): a presentation of nothing, signed by its holder."""
    document: dict[str, Json] = {
        "@context": [CREDENTIALS_V2],
        "type": ["VerifiablePresentation"],
        "holder": key.verification_method.partition("#")[0],
    }
    return sign(
        document,
        key=key,
        created=at,
        contexts=contexts,
        purpose=AUTHENTICATION,
        challenge=nonce,
        domain=audience,
        suite=suite,
    )


def check_levels(proven: ProvenKeys, *, key_storage: Collection[str], user_authentication: Collection[str]) -> None:
    """That every key attestation asserts one of the accepted values of each, where some are named (appendix D.2).

    Raises :class:`OAuthRefusal` with ``invalid_proof``. Proofs without an attestation are for ``require_attestation``.
    """
    with refusing("invalid_proof"):
        for attestation in proven.attestations:
            for name, accepted, asserted in (
                ("key_storage", key_storage, attestation.key_storage),
                ("user_authentication", user_authentication, attestation.user_authentication),
            ):
                if accepted and not set(accepted) & set(asserted):
                    raise Malformed(f"key attestation/{name}", f"has to be one of {', '.join(accepted)}")


def make_key_attestation(
    keys: Sequence[PublicKey],
    *,
    key: Signer,
    x5c: Sequence[str],
    at: datetime,
    lifetime: timedelta,
    nonce: str | None = None,
    claims: Object = NOTHING,
) -> str:
    """A key attestation by a wallet provider (OID4VCI appendix D.1); ``claims`` are others, such as ``key_storage``."""
    members: dict[str, Json] = {
        **claims,
        "iat": int(at.timestamp()),
        "exp": int((at + lifetime).timestamp()),
        "attested_keys": [public_jwk(public) for public in keys],
    }
    if nonce is not None:
        members["nonce"] = nonce
    return sign_jws(to_json(members), key=key, typ=ATTESTATION_TYP, header={"x5c": list[Json](x5c)})


def _check_time(claims: Object, at: datetime, where: str) -> None:
    made = numeric_date(claims, "iat", where=where)
    if made is None:
        raise Malformed(f"{where}/iat", "missing")
    _check_made(made, at, f"{where}/iat")
    for finding in check_times(claims, at, where=where):
        raise Malformed(finding.where, finding.message)


def _check_dates(proof: Proof, at: datetime, where: str) -> None:
    if proof.created is not None:
        _check_made(proof.created.timestamp(), at, f"{where}/proof/created")
    if proof.expires is not None and at >= proof.expires:
        raise Malformed(f"{where}/proof/expires", "past its end")


def _check_made(made: float, at: datetime, where: str) -> None:
    if not -SKEW.total_seconds() <= at.timestamp() - made <= MAX_AGE.total_seconds():
        raise Malformed(where, "too far from now: make a new proof, by a clock that is right")


def _text(value: Json, where: str, limit: int = MAX_TEXT) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= limit:
        raise Malformed(where, f"missing, or not a text of at most {limit} characters")
    return value


def _texts(claims: Object, name: str, where: str) -> tuple[str, ...]:
    value = claims.get(name, [])
    texts = [one for one in value if isinstance(one, str)] if isinstance(value, list) else None
    if texts is None or not isinstance(value, list) or len(texts) != len(value) or (name in claims and not value):
        raise Malformed(f"{where}/{name}", "not a list of texts")
    return tuple(texts)
