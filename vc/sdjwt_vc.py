"""SD-JWT-based Verifiable Digital Credentials (draft-ietf-oauth-sd-jwt-vc-19, editors' text of August 2026).

The profile of SD-JWT for credentials: the type, the claims that can never be kept back, and the rules of a type. Whose
key has signed is told by a function that the caller gives (:mod:`vc.sdjwt_issuer`); nothing is fetched.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from vc.canon import Json
from vc.disclosure import ELLIPSIS, SD, Outline, Path, Rand, reveal
from vc.errors import Finding, Malformed, Rejected, Undetermined
from vc.jose import NOTHING, Jws, numeric_date
from vc.jwk import public_jwk
from vc.keys import PublicKey, Signer
from vc.model import Object
from vc.sdjwt import (
    NO_DECOYS,
    Challenge,
    HeldSdJwt,
    SdJwt,
    hold,
    holder_key,
    issue_copy,
    parse_sd_jwt,
    verify,
)
from vc.sdjwt_issuer import FindIssuer, Issuer
from vc.type_metadata import TypeMetadata, check_claims, resolve_type

TYP: Final = "dc+sd-jwt"
# Draft §claims: neither they nor anything in them may be in a disclosure.
NEVER_SELECTIVE: Final = frozenset({"iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status"})
_NEVER: Final = frozenset(f"/{name}" for name in NEVER_SELECTIVE)
_NEVER_BELOW: Final = tuple(f"/{name}/" for name in NEVER_SELECTIVE)
MAX_TYPES: Final = 16  # in aka_vcts
MAX_TYPE: Final = 2048  # characters

StatusCheck: TypeAlias = Callable[[Json], Iterator[Finding | Undetermined]]
Types: TypeAlias = Mapping[str, bytes]  # type metadata documents as received, by vct


@dataclass(frozen=True, slots=True)
class VerifiedSdJwtVc:
    """An SD-JWT VC whose every check has passed."""

    vct: str
    types: frozenset[str]  # vct and those of aka_vcts that the issuer may attest too
    claims: Object  # all that was shown, registered claims included
    disclosed: frozenset[Path]  # of ``claims``: what its holder could have kept back
    issuer: Issuer
    holder: PublicKey | None  # the key that signed for the challenge
    binding: Object  # the claims of the KB-JWT; empty without one
    metadata: TypeMetadata | None


def confirmation(holder: PublicKey) -> dict[str, Json]:
    """The ``cnf`` claim that binds a credential to a holder's key (RFC 7800 §3.2)."""
    return {"jwk": public_jwk(holder)}


def issue_credential(
    claims: Object,
    *,
    key: Signer,
    selective: Sequence[str],
    rand: Rand,
    decoys: Mapping[str, int] = NO_DECOYS,
    header: Mapping[str, Json] = NOTHING,
) -> str:
    """An SD-JWT VC in its compact form, for its holder's eyes only (draft §data-format).

    ``claims`` need a ``vct``; ``selective`` and ``decoys`` are as for :func:`vc.sdjwt.issue`. Where ``iss`` is the DID
    of the key, the header names its method. Raises :class:`Malformed` for what the profile does not allow.
    """
    method = key.verification_method
    if "kid" not in header and "x5c" not in header and method.partition("#")[0] == claims.get("iss"):
        header = {"kid": method, **header}
    outline = outline_credential(claims, selective=selective, decoys=decoys)
    return issue_copy(outline, key=key, typ=TYP, rand=rand, header=header)


def outline_credential(claims: Object, *, selective: Sequence[str], decoys: Mapping[str, int] = NO_DECOYS) -> Outline:
    """What all copies of a credential have alike, checked: for :func:`vc.sdjwt.issue_copy` as a TYP.

    Raises :class:`Malformed` for what the profile does not allow.
    """
    _types(claims)
    _check_registered(claims)
    for name in ("iat", "nbf", "exp"):
        numeric_date(claims, name, where="")
    if "cnf" in claims:
        holder_key(claims)
    for pointer in (*selective, *decoys):
        if pointer in _NEVER or pointer.startswith(_NEVER_BELOW):
            raise Malformed("selective", f"{pointer[:64]} can never be kept back", code="BAD_POINTER")
    return Outline.of(claims, selective, decoys)


def hold_credential(received: Json, *, find_issuer: FindIssuer, at: datetime, types: Types | None = None) -> HeldSdJwt:
    """An SD-JWT VC that its holder has verified; what it says is left to present (draft §verification-and-processing).

    ``types`` are documents with which its type is to be checked, None not to. Raises what :func:`verify_credential`
    does, but does not ask what the issuer may attest.
    """
    held = hold(
        parse_sd_jwt(received),
        issuer_key=lambda jws, payload: find_issuer(jws, payload).public,
        typ=TYP,
        at=at,
    )
    _check_profile(held.payload, held.disclosed)
    if "cnf" in held.claims:
        holder_key(held.claims)
    if types is not None:
        _metadata(held.payload, held.received, types, complete=True)
    return held


def verify_credential(
    presented: Json,
    *,
    find_issuer: FindIssuer,
    challenge: Challenge | None,
    at: datetime,
    check_status: StatusCheck | None,
    types: Types | None,
) -> VerifiedSdJwtVc:
    """What an SD-JWT VC proves as of ``at`` (draft §vc-sd-jwt-verification-and-processing).

    ``challenge`` requires key binding, None refuses it. ``check_status`` judges a ``status`` claim; without it, a
    credential that has one is refused. ``types`` are documents with which its type is to be checked, None not to.

    Raises :class:`Malformed`, :class:`Unsupported`, :class:`Rejected`, or :class:`Undetermined` where the type's
    document is not given or the status cannot be told. A no is said before a doubt.
    """
    parsed = parse_sd_jwt(presented)
    issuers: list[Issuer] = []

    def issuer_key(jws: Jws, payload: Object) -> PublicKey:
        issuers.append(find_issuer(jws, payload))
        return issuers[-1].public

    verified = verify(parsed, issuer_key=issuer_key, typ=TYP, challenge=challenge, at=at)
    vct, *others = _check_profile(verified.payload, verified.disclosed)
    if challenge is None and "cnf" in verified.claims:
        holder_key(verified.claims)
    for issuer in issuers:
        if vct not in issuer.may_attest:
            raise Rejected((Finding("TYPE_NOT_TRUSTED", f"{issuer.name[:100]} is not trusted to attest this", "/vct"),))
    metadata = None if types is None else _metadata(verified.payload, parsed, types, complete=False)
    if "status" in verified.claims:
        _settle((check_status or _unknown_status)(verified.claims["status"]))
    return VerifiedSdJwtVc(
        vct,
        frozenset({vct, *(name for name in others if name in issuers[0].may_attest)}),
        verified.claims,
        verified.disclosed,
        issuers[0],
        verified.holder,
        verified.binding,
        metadata,
    )


def _check_profile(payload: Object, disclosed: Collection[Path]) -> tuple[str, ...]:
    """The types of a credential, ``vct`` first, whose registered claims are all in the clear (draft §claims)."""
    if not NEVER_SELECTIVE.isdisjoint([path[0] for path in disclosed]) or any(
        _hides(payload[name]) for name in NEVER_SELECTIVE & payload.keys()
    ):
        raise Rejected((Finding("DISCLOSURE_INVALID", "a claim is selectively disclosable that never can be"),))
    _check_registered(payload)
    return _types(payload)


def _hides(value: Json) -> bool:
    """Whether something in a claim could be kept back."""
    if isinstance(value, dict):
        return SD in value or ELLIPSIS in value or any(map(_hides, value.values()))
    return isinstance(value, list) and any(map(_hides, value))


def _types(claims: Object) -> tuple[str, ...]:
    vct, others = claims.get("vct"), claims.get("aka_vcts", [])
    if not _is_type(vct):
        raise Malformed("/vct", f"missing, or not a text of at most {MAX_TYPE} characters", code="BAD_TYPE")
    if not isinstance(others, list) or len(others) > MAX_TYPES or not all(map(_is_type, others)):
        raise Malformed("/aka_vcts", f"not a list of up to {MAX_TYPES} types", code="BAD_TYPE")
    if vct in others or ("aka_vcts" in claims and not others):
        raise Malformed("/aka_vcts", "empty, or says vct again", code="BAD_TYPE")
    return (str(vct), *map(str, others))


def _is_type(value: Json) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_TYPE


def _check_registered(claims: Object) -> None:
    """RFC 7519 §4.1, draft §claims: the forms of claims that others rely on, but for times. Raises Malformed."""
    for name in ("iss", "sub", "vct#integrity"):
        if name in claims and not isinstance(claims[name], str):
            raise Malformed(f"/{name}", "not a text", code="NOT_TEXT")
    if not isinstance(claims.get("status", {}), dict):
        raise Malformed("/status", "not an object", code="NOT_AN_OBJECT")


def _metadata(payload: Object, received: SdJwt, types: Types, *, complete: bool) -> TypeMetadata:
    """Draft §processing-type-metadata: the type with all that it extends, whose rules the credential keeps."""
    metadata = resolve_type(str(payload["vct"]), payload.get("vct#integrity"), types)
    findings = tuple(check_claims(metadata, reveal(payload, received.disclosures, keep_hidden=True), complete=complete))
    if findings:
        raise Rejected(findings)
    return metadata


def _unknown_status(status: Json) -> Iterator[Finding | Undetermined]:  # noqa: ARG001  (whatever it is)
    yield Finding("STATUS_UNKNOWN", "names a status list that we do not hold", "/status")


def _settle(said: Iterator[Finding | Undetermined]) -> None:
    """A no is said before a doubt."""
    results = tuple(said)
    findings = tuple(each for each in results if isinstance(each, Finding))
    if findings:
        raise Rejected(findings)
    for doubt in results:
        assert isinstance(doubt, Undetermined)
        raise doubt
