"""Statements as SD-JWT VCs (draft-ietf-oauth-sd-jwt-vc): the type of each, and the claims that an issuer signs.

Claims stand side by side under their own names. Those that are always shown are in the clear; every other value is a
disclosure of its own, each rung and each month too. Decoys stand for what a worker does not have, so that all
credentials of a type have the same number of digests, in the same places.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from vc.canon import Json, canonicalize
from vc.errors import Malformed
from vc.keys import PublicKey
from vc.model import Object
from vc.sdjwt_vc import confirmation
from vc.token_status import StatusReference
from work.months import first_second, valid_until
from work.statement import Statement
from work.types import LANGUAGES, TYPES, Claim, StatementType, Words

TERMS: Final = "termsOfUse"

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


DOCUMENTS: Final[Mapping[str, bytes]] = MappingProxyType(
    {kind.vct: canonicalize(type_metadata(kind)) for kind in TYPES.values()}
)
