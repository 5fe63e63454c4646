"""Selective Disclosure for JWTs (RFC 9901): issue, hold, present and verify.

A presentation is verified with the issuer's key that the caller finds, and with a challenge where the caller asks for
key binding: whether it does is never told by what is presented (RFC 9901 §9.5).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, TypeAlias

from vc.canon import Json, parse_object, to_json
from vc.disclosure import (
    MAX_DISCLOSURES,
    SD_ALG,
    Outline,
    Path,
    Rand,
    Revealed,
    digest_of,
    hash_name,
    reveal,
)
from vc.errors import Finding, Malformed, Rejected, Unsupported
from vc.jose import MAX_JWS, NOTHING, SKEW, Jws, check_times, numeric_date, parse_jws, sign_jws, verify_jws
from vc.jwk import parse_jwk
from vc.keys import P384, P521, PublicKey, Signer
from vc.model import Object
from vc.suites.selective import parse_pointers

KB_JWT: Final = "kb+jwt"
MAX_SD_JWT: Final = MAX_JWS  # characters, disclosures included
MAX_SIGNATURES: Final = 4  # of the general JSON form; each costs a verification
MAX_BINDING_AGE: Final = timedelta(minutes=10)  # between the holder's signature and its verification
NO_DECOYS: Final[Mapping[str, int]] = MappingProxyType({})
OTHER_CONFIRMATIONS: Final = frozenset({"jwe", "jku"})  # RFC 7800 §3.1: at most one of jwk, jwe and jku

IssuerKey: TypeAlias = Callable[[Jws, Object], PublicKey]  # by a header and a payload that are not verified yet


@dataclass(frozen=True, slots=True)
class SdJwt:
    """An SD-JWT, or an SD-JWT+KB, as received: nothing in it is verified (RFC 9901 §4 and §8)."""

    jws: Jws
    disclosures: tuple[str, ...] = field(repr=False)
    kb_jwt: str | None = field(default=None, repr=False)
    cosigned: tuple[Jws, ...] = ()  # more signatures over the same payload: the general JSON form

    @property
    def bare(self) -> str:
        """The compact form without a KB-JWT: what ``sd_hash`` covers (RFC 9901 §4.3.1)."""
        return "~".join((self.jws.text, *self.disclosures, ""))

    @property
    def text(self) -> str:
        """The compact form."""
        return self.bare + (self.kb_jwt or "")


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a verifier asked for: that the holder signs for this ``nonce`` and this ``audience``."""

    nonce: str
    audience: str
    max_age: timedelta = MAX_BINDING_AGE


@dataclass(frozen=True, slots=True)
class KeyBinding:
    """How a holder binds a presentation: with its key, to a verifier's nonce and name, at a moment."""

    key: Signer
    nonce: str
    audience: str
    at: datetime
    algorithm: str | None = None  # the name of the key's algorithm that the verifier asks for


@dataclass(frozen=True, slots=True)
class HeldSdJwt:
    """An SD-JWT that its holder has verified, and what each of its disclosures says."""

    received: SdJwt
    payload: Object  # as the issuer signed it, digests included
    claims: Object
    disclosed: Mapping[Path, str]  # the disclosure of the claim at a path


@dataclass(frozen=True, slots=True)
class VerifiedSdJwt:
    """An SD-JWT whose every check has passed (RFC 9901 §7.1 and §7.3)."""

    claims: Object  # the Processed SD-JWT Payload
    disclosed: frozenset[Path]  # of ``claims``: what its holder could have kept back
    header: Object
    payload: Object  # as the issuer signed it, digests included
    holder: PublicKey | None  # the key of ``cnf`` that signed for the challenge
    binding: Object  # the claims of the KB-JWT; empty without one


# ---- the two forms ---------------------------------------------------------------------------------------------------


def parse_sd_jwt(presented: Json, *, where: str = "SD-JWT") -> SdJwt:
    """An SD-JWT or SD-JWT+KB: a text (RFC 9901 §4), or an object of the JWS JSON serialization (§8).

    Raises :class:`Malformed` or :class:`Unsupported`.
    """
    if isinstance(presented, dict):
        return _parse_json_form(presented, where)
    if not isinstance(presented, str):
        raise Malformed(where, "neither a text nor an object", code="BAD_SD_JWT")
    if len(presented) > MAX_SD_JWT or presented.count("~") > MAX_DISCLOSURES + 1:
        raise Malformed(where, f"more than {MAX_SD_JWT} characters or {MAX_DISCLOSURES} disclosures", code="TOO_LARGE")
    jwt, *disclosures = presented.split("~")
    if not disclosures:
        raise Malformed(where, "no ~ after the signed part", code="BAD_SD_JWT")
    kb_jwt = disclosures.pop()
    if len(disclosures) > MAX_DISCLOSURES:
        raise Malformed(where, f"more than {MAX_DISCLOSURES} disclosures", code="TOO_LARGE")
    return SdJwt(parse_jws(jwt, where=where), tuple(disclosures), kb_jwt or None)


def _texts(disclosures: Sequence[Json], where: str) -> tuple[str, ...]:
    texts = tuple(text for text in disclosures if isinstance(text, str))
    if len(texts) != len(disclosures):
        raise Malformed(where, "a disclosure that is no text", code="BAD_SD_JWT")
    if len(texts) > MAX_DISCLOSURES or sum(map(len, texts)) > MAX_SD_JWT:
        raise Malformed(where, f"more than {MAX_SD_JWT} characters or {MAX_DISCLOSURES} disclosures", code="TOO_LARGE")
    return texts


def _parse_json_form(presented: Object, where: str) -> SdJwt:
    """RFC 9901 §8, RFC 7515 §7.2: of the unprotected headers only ``kid`` and what is defined there are read."""
    signatures = presented.get("signatures", [presented])
    if not isinstance(signatures, list) or not 0 < len(signatures) <= MAX_SIGNATURES:
        raise Malformed(where, f"needs 1 to {MAX_SIGNATURES} signatures", code="BAD_SD_JWT")
    if "signatures" in presented and not {"protected", "header", "signature"}.isdisjoint(presented):
        raise Malformed(where, "both forms of the JWS JSON serialization at once", code="BAD_SD_JWT")
    payload = _member(presented, "payload", where)
    parsed = [_parse_signature(each, payload, where) for each in signatures]
    (first, header), *others = parsed
    if any(not {"disclosures", "kb_jwt"}.isdisjoint(other) for _, other in others):
        raise Malformed(where, "disclosures beside another signature than the first", code="BAD_SD_JWT")
    disclosures, kb_jwt = header.get("disclosures", []), header.get("kb_jwt")
    if not isinstance(disclosures, list) or not (kb_jwt is None or (isinstance(kb_jwt, str) and kb_jwt)):
        raise Malformed(where, "disclosures that are no list, or a kb_jwt that is no text", code="BAD_SD_JWT")
    return SdJwt(first, _texts(disclosures, where), kb_jwt, tuple(jws for jws, _ in others))


def _parse_signature(entry: "Json | Object", payload: str, where: str) -> tuple[Jws, Object]:
    if not isinstance(entry, Mapping):
        raise Malformed(where, "a signature that is not an object", code="BAD_SD_JWT")
    jws = parse_jws(f"{_member(entry, 'protected', where)}.{payload}.{_member(entry, 'signature', where)}", where=where)
    header = entry.get("header", {})
    if not isinstance(header, dict) or not {*jws.header, "crit", "b64"}.isdisjoint(header):
        raise Malformed(where, "an unprotected header that is no object, or says again what is signed", code="BAD_JWS")
    if "kid" in header:  # it chooses among keys that are trusted anyway
        jws = replace(jws, header={**jws.header, "kid": _member(header, "kid", where)})
    return jws, header


def _member(members: Object, name: str, where: str) -> str:
    value = members.get(name)
    if not isinstance(value, str):
        raise Malformed(f"{where}/{name}", "missing, or not a text", code="BAD_SD_JWT")
    return value


def json_form(sd_jwt: SdJwt) -> dict[str, Json]:
    """The flattened JWS JSON serialization (RFC 9901 §8.2)."""
    protected, payload, signature = sd_jwt.jws.text.split(".")
    header: dict[str, Json] = {"disclosures": list(sd_jwt.disclosures)}
    if sd_jwt.kb_jwt is not None:
        header["kb_jwt"] = sd_jwt.kb_jwt
    return {"payload": payload, "protected": protected, "signature": signature, "header": header}


# ---- issuer ----------------------------------------------------------------------------------------------------------


def issue(
    claims: Object,
    *,
    key: Signer,
    typ: str,
    selective: Sequence[str],
    rand: Rand,
    decoys: Mapping[str, int] = NO_DECOYS,
    header: Mapping[str, Json] = NOTHING,
) -> str:
    """An SD-JWT in its compact form, for its holder's eyes only (RFC 9901 §4).

    ``selective`` are JSON pointers of the claims that the holder may show or keep back, one by one; a pointer to
    something below another makes it a recursive disclosure. ``decoys`` says, by pointer, how many digests of nothing
    to add to an object or a list. Raises :class:`Malformed` for a pointer that names nothing.
    """
    return issue_copy(Outline.of(claims, selective, decoys), key=key, typ=typ, rand=rand, header=header)


def issue_copy(
    outline: Outline,
    own: Object = NOTHING,
    *,
    key: Signer,
    typ: str,
    rand: Rand,
    header: Mapping[str, Json] = NOTHING,
) -> str:
    """:func:`issue`, for one of several copies of the same claims; ``own`` are claims of this copy, in the clear."""
    # RFC 9901 §9.4: the digests resist collisions as well as the signature's own hash does.
    hashed_with = {P384: "sha-384", P521: "sha-512"}.get(key.public.kind, "sha-256")
    payload, disclosures = outline.hide(hashed_with=hashed_with, rand=rand)
    signed = sign_jws(to_json({**payload, **own, SD_ALG: hashed_with}), key=key, typ=typ, header=header)
    return "~".join((signed, *disclosures, ""))


# ---- holder ----------------------------------------------------------------------------------------------------------


def hold(received: SdJwt, *, issuer_key: IssuerKey, typ: str | None, at: datetime) -> HeldSdJwt:
    """RFC 9901 §7.2: what a holder checks before it keeps an SD-JWT. Raises :class:`Malformed` or :class:`Rejected`."""
    if received.kb_jwt is not None:
        raise Rejected((Finding("PURPOSE_MISMATCH", "already bound to a verifier: not for a holder to keep"),))
    payload = _issuer_signed(received, issuer_key, typ)
    revealed = reveal(payload, received.disclosures)
    _reject(check_times(revealed.claims, at))
    return HeldSdJwt(received, payload, revealed.claims, revealed.disclosed)


def present(held: HeldSdJwt, pointers: Sequence[str], *, binding: KeyBinding | None) -> SdJwt:
    """The SD-JWT that shows what ``pointers`` name, whole, and no other claim that can be kept back (RFC 9901 §7.2).

    Pointers are into ``held.claims``; what a claim stands in is shown along with it. Raises :class:`Malformed` for a
    pointer that names nothing, :class:`Rejected` where the key is not the one that the issuer has named.
    """
    paths = parse_pointers(pointers, held.claims, where="pointers")
    wanted = frozenset(paths)
    around = {path[:length] for path in paths for length in range(len(path) + 1)}
    chosen = {
        text
        for path, text in held.disclosed.items()
        if path in around or any(path[:length] in wanted for length in range(len(path)))
    }
    shown = replace(held.received, disclosures=tuple(text for text in held.received.disclosures if text in chosen))
    return shown if binding is None else replace(shown, kb_jwt=_bind(shown, held, binding))


def _bind(shown: SdJwt, held: HeldSdJwt, binding: KeyBinding) -> str:
    if holder_key(held.claims) != binding.key.public:
        raise Rejected((Finding("KEY_MISMATCH", "not the key that this SD-JWT is bound to", "/cnf"),))
    payload: dict[str, Json] = {
        "iat": int(binding.at.timestamp()),
        "aud": binding.audience,
        "nonce": binding.nonce,
        "sd_hash": digest_of(shown.bare, hash_name(held.payload)),
    }
    return sign_jws(to_json(payload), key=binding.key, typ=KB_JWT, algorithm=binding.algorithm)


def holder_key(claims: Object) -> PublicKey:
    """The key that an SD-JWT is bound to: ``cnf.jwk`` (RFC 9901 §4.1.2, RFC 7800 §3.2).

    Raises :class:`Rejected` where there is none, :class:`Unsupported` for a confirmation of another kind.
    """
    if "cnf" not in claims:
        raise Rejected((Finding("BINDING_TOO_WEAK", "names no key of its holder", "/cnf"),))
    confirmation = claims["cnf"]
    if not isinstance(confirmation, dict):
        raise Malformed("/cnf", "not an object", code="NOT_AN_OBJECT")
    if "jwk" not in confirmation or not OTHER_CONFIRMATIONS.isdisjoint(confirmation):
        raise Unsupported("key confirmation", " ".join(sorted(confirmation)), code="UNSUPPORTED_KEY")
    return parse_jwk(confirmation["jwk"], where="/cnf/jwk")


# ---- verifier --------------------------------------------------------------------------------------------------------


def verify(
    presented: SdJwt, *, issuer_key: IssuerKey, typ: str | None, challenge: Challenge | None, at: datetime
) -> VerifiedSdJwt:
    """What an SD-JWT proves as of ``at`` (RFC 9901 §7.3): key binding is required exactly where a challenge is given.

    ``issuer_key`` finds the key, by the header and the payload that are not verified yet, or raises; ``typ`` is the
    explicit type that is expected, None for any. Raises :class:`Malformed`, :class:`Unsupported` or :class:`Rejected`.
    """
    if challenge is None and presented.kb_jwt is not None:
        raise Rejected((Finding("NOT_ASKED", "bound to a verifier, where no binding was asked for"),))
    if challenge is not None and presented.kb_jwt is None:
        raise Rejected((Finding("HOLDER_PROOF_MISSING", "its holder has not signed this presentation"),))
    payload = _issuer_signed(presented, issuer_key, typ)
    revealed = reveal(payload, presented.disclosures)
    holder, binding = (None, NOTHING) if challenge is None else _bound(presented, revealed, payload, challenge, at)
    _reject(check_times(revealed.claims, at))
    _reject(_check_audience(revealed.claims, challenge))
    return VerifiedSdJwt(revealed.claims, frozenset(revealed.disclosed), presented.jws.header, payload, holder, binding)


def _issuer_signed(sd_jwt: SdJwt, issuer_key: IssuerKey, typ: str | None) -> dict[str, Json]:
    """RFC 9901 §7.1 step 2. Where several have signed, every signature has to hold."""
    payload = parse_object(sd_jwt.jws.unverified, where="SD-JWT payload")
    for jws in (sd_jwt.jws, *sd_jwt.cosigned):
        verify_jws(jws, issuer_key(jws, payload), typ=typ, where="SD-JWT")
    return payload


def _bound(
    presented: SdJwt, revealed: Revealed, payload: Object, challenge: Challenge, at: datetime
) -> tuple[PublicKey, Object]:
    """RFC 9901 §7.3 step 5: the holder's key and the claims that it signed for this challenge."""
    assert presented.kb_jwt is not None
    holder = holder_key(revealed.claims)
    jws = parse_jws(presented.kb_jwt, where="KB-JWT")
    claims = parse_object(verify_jws(jws, holder, typ=KB_JWT, where="KB-JWT"), where="KB-JWT payload")
    issued = numeric_date(claims, "iat", where="KB-JWT")
    if issued is None:
        raise Malformed("KB-JWT/iat", "missing", code="MISSING")
    texts = {name: _member(claims, name, "KB-JWT") for name in ("nonce", "aud", "sd_hash")}
    findings = [*check_times(claims, at, where="KB-JWT"), *_check_age(issued, challenge, at)]
    if texts["nonce"] != challenge.nonce:
        findings.append(Finding("CHALLENGE_MISMATCH", "made for another request, not for this one", "KB-JWT/nonce"))
    if texts["aud"] != challenge.audience:
        findings.append(Finding("DOMAIN_MISMATCH", "made for another verifier", "KB-JWT/aud"))
    if texts["sd_hash"] != digest_of(presented.bare, hash_name(payload)):
        findings.append(Finding("SD_HASH_MISMATCH", "signed for another choice of claims", "KB-JWT/sd_hash"))
    _reject(findings)
    return holder, claims


def _check_age(issued: float, challenge: Challenge, at: datetime) -> Iterator[Finding]:
    age = at.timestamp() - issued
    if not -SKEW.total_seconds() <= age <= challenge.max_age.total_seconds():
        yield Finding("BINDING_STALE", "signed by its holder too long ago, or in the future", "KB-JWT/iat")


def _check_audience(claims: Object, challenge: Challenge | None) -> Iterator[Finding]:
    """RFC 7519 §4.1.3: a credential made for named readers is for nobody else."""
    if "aud" in claims:
        audience = claims["aud"]
        readers = audience if isinstance(audience, list) else [audience]
        if challenge is None or challenge.audience not in readers:
            yield Finding("DOMAIN_MISMATCH", "made for another verifier", "/aud")


def _reject(findings: Iterator[Finding] | Sequence[Finding]) -> None:
    if found := tuple(findings):
        raise Rejected(found)
