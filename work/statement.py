"""Statements: what a platform says about one worker, before anybody signs it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final, Self

from vc.canon import Json, canonicalize
from vc.errors import Malformed
from work.digest import multihash
from work.rules import check_claims
from work.types import statement_type

Claims = Mapping[str, str | tuple[str, ...]]

MAX_WORKER: Final = 256  # a platform's id of a worker; UUIDs, e-mail addresses and URLs all fit


class Category(StrEnum):
    """The five families of platform work."""

    microwork = "microwork"
    freelance = "freelance"
    jobbing = "jobbing"
    sharing = "sharing"
    organised = "organised"


class SourceMethod(StrEnum):
    """Who vouches for the facts, strongest first."""

    platformNative = "platformNative"  # noqa: N815 - the spelling of the vocabulary
    dsarImport = "dsarImport"  # noqa: N815
    workerImportUnverified = "workerImportUnverified"  # noqa: N815


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of one of :data:`work.types.TYPES`; a value of this class has been checked against its type.

    ``worker`` is the platform's own id of the worker and is never signed; it is empty where the statement is about
    the platform. ``claims`` holds text only, tuples of text for claims that are sets; there is no filler in it.
    Raises :class:`Malformed` (with a JSON pointer) or :class:`Unsupported` when it is made.
    """

    type: str
    worker: str
    claims: Claims

    def __post_init__(self) -> None:
        kind = statement_type(self.type)
        if kind.about == "worker" and not self.worker:
            raise Malformed("/worker", "is missing")
        if kind.about == "platform" and self.worker:
            raise Malformed("/worker", "has to be empty: the statement is about the platform")
        if len(self.worker) > MAX_WORKER:
            raise Malformed("/worker", f"longer than {MAX_WORKER} characters")
        check_claims(kind, self.claims)

    @classmethod
    def parse(cls, value: Json) -> Self:
        """One line of ``statements.jsonl``, as JSON. Raises :class:`Malformed` or :class:`Unsupported`."""
        match value:
            case {"type": str(kind), "worker": str(worker), "claims": dict(claims), **rest} if not rest:
                return cls(kind, worker, {name: _claim_value(name, claims[name]) for name in claims})
        raise Malformed("", "a statement has the members type, worker and claims, and no other")

    def to_json(self) -> dict[str, Json]:
        """The JSON that :meth:`parse` reads; sets are sorted, so that one statement has one spelling."""
        return {"type": self.type, "worker": self.worker, "claims": self._claims()}

    def digest(self) -> str:
        """SHA-256, in hex, of the canonical JSON (RFC 8785) of the statement, the worker's id included."""
        return sha256(canonicalize(self.to_json())).hexdigest()

    def topic(self) -> str:
        """What tells this statement from others of its type about the same worker: "EUR" of Earnings, say."""
        # No claim accepts a line break, so that two topics are never written alike.
        return "\n".join(str(self.claims.get(name, "")) for name in statement_type(self.type).topic)

    def _claims(self) -> dict[str, Json]:
        return {
            name: value if isinstance(value, str) else list[Json](sorted(value)) for name, value in self.claims.items()
        }


def context_digest(statement: Statement) -> str:
    """The name by which a Rating points to the RatingContext that it has to be read in.

    A base64url multihash (SHA-256) over the canonical JSON of type and claims, whoever signed it and when.
    """
    if statement.type != "RatingContext":
        raise Malformed("/type", "only a RatingContext is a context for ratings")
    return multihash(canonicalize({"type": statement.type, "claims": statement._claims()}))


def _claim_value(name: str, value: Json) -> str | tuple[str, ...]:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(str(item) for item in value)
    raise Malformed(f"/claims/{name[:64]}", "text, or a list of texts; numbers are written as text")
