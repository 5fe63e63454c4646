"""Credentials against the JSON Schema of their type (JSON Schema 2020-12), offline."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from jsonschema_rs import Draft202012Validator, RegexOptions

from vc.canon import Json
from vc.errors import Malformed, Unsupported
from work.subject import SUBJECT, value_at
from work.types import TYPES, Claim, StatementType

_BY_TYPES: Final = MappingProxyType({kind.types: kind for kind in TYPES.values()})
_MOST_TYPES: Final = max(map(len, _BY_TYPES))


@cache  # a schema takes a while to compile, and few commands need them all
def _validator(credential_type: str) -> Draft202012Validator:
    (kind,) = (kind for kind in TYPES.values() if kind.credential_type == credential_type)
    # ``offline`` refuses every remote $ref; RegexOptions is the engine that cannot be made to backtrack; ``mask``
    # keeps what a credential says out of error messages.
    return Draft202012Validator(dict(kind.schema), offline=True, pattern_options=RegexOptions(), mask="the value")


def check_document(document: Mapping[str, Json]) -> None:
    """Raise :class:`Malformed`, with a JSON pointer, unless ``document`` is a complete credential of its type.

    Complete: every claim takes all of its slots, filler included. The schema alone also fits what a worker derives
    from it, where claims are left out. Raises :class:`Unsupported` for a type that is not ours.
    """
    kind = credential_kind(document)
    for error in _validator(kind.credential_type).iter_errors(dict(document)):
        raise Malformed(_pointer(error.instance_path), error.message, code="SCHEMA_MISMATCH")
    for claim in kind.claims.values():
        _check_slots(claim, value_at(document[SUBJECT], claim.path))


def credential_kind(document: Mapping[str, Json]) -> StatementType:
    """The statement type of a credential. Raises :class:`Malformed` or :class:`Unsupported`."""
    types = document.get("type")
    if not isinstance(types, list) or types[:1] != ["VerifiableCredential"] or not 1 < len(types) <= _MOST_TYPES:
        raise Malformed("/type", "VerifiableCredential and one statement type")
    named = tuple(str(name) for name in types)
    if named not in _BY_TYPES:
        raise Unsupported("credential type", named[-1])
    return _BY_TYPES[named]


def _check_slots(claim: Claim, value: Json) -> None:
    taken = len(value) if isinstance(value, list) else int(value is not None)
    if taken != claim.slots:
        raise Malformed(claim.pointer, f"takes {claim.slots} places, not {taken}", code="SCHEMA_MISMATCH")


def _pointer(path: list[str | int]) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
