"""What a report says of one credential: its claims as the vocabulary spells them, and whose word they are."""

from dataclasses import dataclass
from datetime import UTC, datetime

from vc.canon import Json
from vc.model import format_date_time
from vc.verify import Assurance, Binding
from verifier.references import Reference
from work.statement import Claims


@dataclass(frozen=True, slots=True)
class Said:
    """What the worker says to a statement that they show: a Reply or a Dispute, in their own words."""

    type: str
    claims: Claims

    def text(self, name: str) -> str:
        """A claim that is one text."""
        return str(self.claims[name])


@dataclass(frozen=True, slots=True)
class Proven:
    """What one credential proved, or what a worker only says (``assurance``).

    Issuers are named as the trust file names them; what no issuer of it signed names none.
    """

    query: str
    type: str  # statement type; empty where it is none that is known here
    assurance: Assurance
    issuer: str
    legal_identifier: str
    claims: Claims  # without filler, and only as the vocabulary spells them
    unread: tuple[str, ...]  # names of members that were signed but are not in words known here
    binding: Binding
    suite: str
    valid_from: datetime | None
    valid_until: datetime | None
    purpose_allowed: bool
    context: Reference | None  # of a rating
    notes: tuple[str, ...] = ()  # codes of what its status lists say beside it: CONTESTED and the like
    answers: tuple[Said, ...] = ()
    holder: str = ""  # the key that signed the presentation, where one did; for telling one person from two, not shown

    @property
    def source(self) -> str:
        """How the facts were attested; empty where it is not stated."""
        return self._text("sourceMethod")

    @property
    def period(self) -> tuple[str, str]:
        """The first and the last month covered; empty where not shown."""
        return self._text("periodStart"), self._text("periodEnd")

    def _text(self, name: str) -> str:
        value = self.claims.get(name, "")
        return value if isinstance(value, str) else ""

    def to_json(self) -> Json:
        """For the report; the holder's key is not in it."""
        return {
            "query": self.query,
            "type": self.type,
            "assurance": self.assurance.value,
            "issuer": {"name": self.issuer, "legalIdentifier": self.legal_identifier} if self.issuer else None,
            "claims": claims_json(self.claims),
            "unread": list[Json](self.unread),
            "binding": self.binding.value,
            "suite": self.suite,
            "validFrom": moment_json(self.valid_from),
            "validUntil": moment_json(self.valid_until),
            "purposeAllowed": self.purpose_allowed,
            "context": None if self.context is None else claims_json(self.context.statement.claims),
            "notes": list[Json](self.notes),
            "answers": [{"type": said.type, "claims": claims_json(said.claims)} for said in self.answers],
        }


def claims_json(claims: Claims) -> Json:
    """Claims as JSON."""
    return {name: value if isinstance(value, str) else list[Json](value) for name, value in claims.items()}


def moment_json(moment: datetime | None) -> str | None:
    """A moment as JSON, in UTC."""
    return None if moment is None else format_date_time(moment.astimezone(UTC))
