"""Statements as SD-JWT VCs (draft-ietf-oauth-sd-jwt-vc): the type of each, and the claims that an issuer signs.

Claims stand side by side under their own names. Those that are always shown are in the clear; every other value is a
disclosure of its own, each rung and each month too. Decoys stand for what a worker does not have, so that all
credentials of a type have the same number of digests, in the same places.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from vc.canon import Json, canonicalize
from vc.errors import Malformed
from vc.jose import numeric_date
from vc.keys import PublicKey
from vc.model import Credential, Object, format_date_time
from vc.sdjwt_vc import confirmation
from vc.token_status import StatusReference
from work.months import first_second, valid_until
from work.statement import Statement
from work.subject import SUBJECT, build_subject, claim_of
from work.types import LANGUAGES, TYPES, Claim, StatementType, Words

TERMS: Final = "termsOfUse"
# What an SD-JWT VC of any type may have beside what it says.
REGISTERED: Final = frozenset(
    {"iss", "sub", "aud", "iat", "nbf", "exp", "jti", "cnf", "vct", "vct#integrity", "aka_vcts", "status"}
)

_TERMS_LABELS: Final[Mapping[str, Words]] = MappingProxyType(
    {
        TERMS: {"en": "Terms of use", "fr": "Conditions d’usage"},
        "allowedPurpose": {"en": "May be used for", "fr": "Usages permis"},
        "retentionMaxDays": {"en": "May be kept for, in days", "fr": "Conservation, en jours au plus"},
    }
)


@dataclass(frozen=True, slots=True)
class Template:
    """What :func:`vc.sdjwt_vc.issue_credential` signs: claims, JSON pointers of those that can be kept back, decoys."""

    claims: dict[str, Json]
    selective: tuple[str, ...]
    decoys: Mapping[str, int]


def template(
    statement: Statement,
    *,
    issuer: str,
    holder: PublicKey | None,
    at: datetime,
    status: StatusReference | None = None,
) -> Template:
    """The claims of a statement for one key of its worker, with times rounded to the day.

    ``issuer`` is its DID; ``status`` its place in a token status list. A statement about the platform takes no
    ``holder``: raises :class:`Malformed`.
    """
    kind = TYPES[statement.type]
    if kind.about == "platform" and holder is not None:
        raise Malformed("/cnf", "a statement about the platform has no holder")
    day = int(first_second(at).timestamp())
    claims: dict[str, Json] = {
        "iss": issuer,
        "iat": day,  # by which a verifier knows that the key counted, when it no longer does
        "nbf": day,
        "exp": int(valid_until(at).timestamp()),
        "vct": kind.vct,
        "vct#integrity": integrity(kind),
        TERMS: kind.terms,
        **({} if holder is None else {"cnf": confirmation(holder)}),
        **({} if status is None else {"status": status.to_json()}),
    }
    selective: list[str] = []
    decoys = {"": 0}
    for claim in kind.claims.values():
        value = statement.claims.get(claim.name, () if claim.many else None)
        if value is not None:
            claims[claim.jwt] = value if isinstance(value, str) else list[Json](sorted(value))
        if claim.mandatory:
            continue
        if claim.many:
            selective += [f"/{claim.jwt}/{index}" for index in range(len(value or ()))]
            decoys[f"/{claim.jwt}"] = claim.slots - len(value or ())
        elif value is None:
            decoys[""] += 1
        else:
            selective.append(f"/{claim.jwt}")
    return Template(claims, tuple(selective), MappingProxyType(decoys))


def shown_claims(kind: StatementType, claims: Object) -> dict[str, Json]:
    """The claims of a statement among those that an SD-JWT VC has shown, by their names in the vocabulary."""
    return {
        claim.name: claims[claim.jwt]
        for claim in kind.claims.values()
        if claim.jwt in claims and claims[claim.jwt] != []
    }


# ---- as the vocabulary says it ---------------------------------------------------------------------------------------


def as_credential(claims: Object, *, issuer: str) -> Credential:
    """What the claims of an SD-JWT VC say, in the places where a JSON-LD credential of the vocabulary has it.

    For reading only: nothing signs it in this form. What a type of ours does not have is left out; of a type that is
    not known here, everything that it says is in the subject.
    """
    vct = str(claims.get("vct"))
    kind = BY_VCT.get(vct)
    starts, ends = (_moment(claims, *names) for names in (("nbf", "iat"), ("exp",)))
    members: dict[str, Json] = {"issuer": issuer}
    members |= {} if starts is None else {"validFrom": format_date_time(starts)}
    members |= {} if ends is None else {"validUntil": format_date_time(ends)}
    if kind is None:
        members["type"] = ["VerifiableCredential", vct if ":" in vct else f"vct:{vct}"]  # never a type of ours
        members[SUBJECT] = {name: value for name, value in claims.items() if name not in REGISTERED}
    else:
        shown = shown_claims(kind, claims)
        members = {**kind.fixed, **members, TERMS: claims.get(TERMS)}
        members[SUBJECT] = build_subject({kind.claims[name].path: value for name, value in shown.items()})
    types, subject = members["type"], members[SUBJECT]
    assert isinstance(types, list)
    assert isinstance(subject, dict)
    return Credential(members, tuple(map(str, types)), issuer, (subject,), starts, ends, ())


def _moment(claims: Object, *names: str) -> datetime | None:
    seconds = next((found for name in names if (found := numeric_date(claims, name)) is not None), None)
    return None if seconds is None else datetime.fromtimestamp(int(seconds), UTC)


def document_pointer(kind: StatementType | None, pointer: str) -> str:
    """Where :func:`as_credential` has what stands at ``pointer`` in the claims of an SD-JWT VC."""
    _, name, *below = pointer.split("/")
    if kind is None:
        return pointer if name in REGISTERED else f"/{SUBJECT}{pointer}"
    claim = next((each for each in kind.claims.values() if each.jwt == name), None)
    return "/".join((claim.pointer, *below)) if claim else pointer


def claims_pointer(kind: StatementType | None, pointer: str) -> str:
    """The way back from :func:`document_pointer`."""
    if kind is None:
        return pointer.removeprefix(f"/{SUBJECT}")
    claim = claim_of(kind, pointer)
    return f"/{claim.jwt}{pointer.removeprefix(claim.pointer)}" if claim else pointer


# ---- the document of a type ------------------------------------------------------------------------------------------


def type_metadata(kind: StatementType) -> dict[str, Json]:
    """The Type Metadata of a statement type (draft §type-metadata-format), made from its schema."""
    described = [entry for claim in kind.claims.values() for entry in _claim_metadata(claim)]
    return {
        "vct": kind.vct,
        "name": kind.labels["en"],
        "description": kind.explain["en"],
        "display": [
            {"locale": lang, "name": kind.labels[lang], "description": kind.explain[lang]} for lang in LANGUAGES
        ],
        "claims": [*_terms_metadata(), *described],
    }


def _claim_metadata(claim: Claim) -> list[Json]:
    """A claim with several values is a list in the clear, whose items can be kept back one by one."""
    display: Json = [
        {"locale": lang, "label": claim.labels[lang], "description": claim.explain[lang]} for lang in LANGUAGES
    ]
    kept_back = "never" if claim.mandatory else "always"
    if not claim.many:
        return [{"path": [claim.jwt], "display": display, "mandatory": claim.mandatory, "sd": kept_back}]
    return [
        {"path": [claim.jwt], "display": display, "mandatory": True, "sd": "never"},
        {"path": [claim.jwt, None], "display": display, "mandatory": claim.mandatory, "sd": kept_back},
    ]


def _terms_metadata() -> list[Json]:
    paths = {TERMS: [TERMS], **{name: [TERMS, name] for name in ("allowedPurpose", "retentionMaxDays")}}
    return [
        {
            "path": list[Json](path),
            "display": [{"locale": lang, "label": _TERMS_LABELS[name][lang]} for lang in LANGUAGES],
            "mandatory": True,
            "sd": "never",
        }
        for name, path in paths.items()
    ]


def integrity(kind: StatementType) -> str:
    """The digest of the document of a type (draft §document-integrity), for ``vct#integrity``."""
    return "sha256-" + b64encode(sha256(DOCUMENTS[kind.vct]).digest()).decode()


BY_VCT: Final[Mapping[str, StatementType]] = MappingProxyType({kind.vct: kind for kind in TYPES.values()})
DOCUMENTS: Final[Mapping[str, bytes]] = MappingProxyType(
    {kind.vct: canonicalize(type_metadata(kind)) for kind in TYPES.values()}
)
