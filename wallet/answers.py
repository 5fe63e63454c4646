"""What the worker says to a statement: a reply or a dispute, kept as text, signed anew with every showing.

It is signed by the key of the very copy that is shown, so that it links no two showings by itself; and it belongs to
the statement by the digest of what every showing discloses, so that it outlives a refresh.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self
from unicodedata import name as name_of

from vc.canon import Json
from vc.errors import Malformed, VcError
from vc.jsonld import Contexts
from vc.model import Credential
from vc.secure import sign
from wallet.keys import HolderKey, named_as
from work.draft import draft
from work.reply import about_digest
from work.screening import findings
from work.statement import Claims, Statement
from work.subject import read_claims
from work.types import ANSWERS, TYPES
from work.validate import check_document, credential_kind

MAX_TEXT: Final = 1000  # characters: enough to answer, too little to publish a file in
MAX_EVIDENCE: Final = TYPES["Dispute"].claims["evidenceDigests"].slots  # files that one dispute can name

NOBODY: Final = ""  # the issuer by which the wallet files what the worker imported: each copy has another one
_SELF: Final = "self"  # statements have a worker; it is never signed
_ABOUT: Final = "about"


@dataclass(frozen=True, slots=True)
class Answer:
    """A Reply or a Dispute. ``filed`` is the name that all copies of the statement share (:func:`filed_under`)."""

    type: str
    filed: str
    claims: Claims  # all but ``about``

    @classmethod
    def make(cls, type_name: str, filed: str, claims: Claims) -> Self:
        """One whose claims are as its type demands. Raises :class:`Malformed`."""
        Statement(type_name, _SELF, {**claims, _ABOUT: filed})
        return cls(type_name, filed, claims)

    @classmethod
    def parse(cls, body: dict[str, Json]) -> Self:
        """What :meth:`to_json` made."""
        match body:
            case {"type": str(type_name), "filed": str(filed), "claims": dict(claims)}:
                read = {
                    name: tuple(map(str, one)) if isinstance(one, list) else str(one) for name, one in claims.items()
                }
                return cls.make(type_name, filed, read)
        raise Malformed("the vault", "holds a reply that this version does not know", code="VAULT_DAMAGED")

    def to_json(self) -> dict[str, Json]:
        """For the vault, and for scripts."""
        claims: dict[str, Json] = {
            name: value if isinstance(value, str) else list[Json](value) for name, value in self.claims.items()
        }
        return {"type": self.type, "filed": self.filed, "claims": claims}


def filed_under(credential: Credential, *, own: bool) -> str:
    """The digest by which answers to a statement are found again; empty for what cannot be answered."""
    try:
        kind = credential_kind(credential.document)
        issuer = NOBODY if own else credential.issuer
        return (
            ""
            if kind.name in ANSWERS
            else about_digest(kind.name, issuer, read_claims(kind, credential.subjects[0])[0])
        )
    except VcError:
        return ""


def sign_answers(
    answers: Sequence[Answer], credential: Credential, *, key: HolderKey, contexts: Contexts, at: datetime
) -> list[Json]:
    """The answers to ``credential``, signed by the key that this copy of it is bound to."""
    if not answers:
        return []
    kind = credential_kind(credential.document)
    about = about_digest(kind.name, credential.issuer, read_claims(kind, credential.subjects[0])[0])
    named = named_as(key, credential.subjects[0].get("id"))
    return [_signed(answer, about, named, contexts, at) for answer in answers]


def _signed(answer: Answer, about: str, key: HolderKey, contexts: Contexts, at: datetime) -> Json:
    statement = Statement(answer.type, _SELF, {**answer.claims, _ABOUT: about})
    document = draft(statement, issuer=key.did, holder=key.did, at=at).document
    check_document(document)
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return sign(document, key=key, created=midnight, contexts=contexts)


def tidy(text: str, *, where: str) -> str:
    """A text as it can be signed: lines end with a line feed, nothing stands before or behind.

    Raises :class:`Malformed` for what no reply can hold, and says what that is.
    """
    lines = (line.replace("\t", " ").rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    tidied = "\n".join(lines).strip()
    prose = TYPES["Reply"].claims["text"]
    if not tidied:
        raise Malformed(where, "there is no text in it", code="BAD_TEXT")
    if len(tidied) > MAX_TEXT:
        raise Malformed(where, f"has {len(tidied)} characters; {MAX_TEXT} is the most", code="BAD_TEXT")
    if tidied[0] in "!~":
        raise Malformed(where, "begins with a mark that has another meaning here: begin with a word", code="BAD_TEXT")
    if not prose.accepts(tidied):
        odd = next((each for each in tidied[1:] if each != "\n" and not prose.accepts(f"a{each}")), tidied[0])
        named = name_of(odd, f"U+{ord(odd):04X}")
        raise Malformed(where, f"holds a character that nobody can see ({named}): take it out", code="BAD_TEXT")
    return tidied


def screened(text: str) -> tuple[str, ...]:
    """What in a text names a person or leads to one, by its kind. It is the worker's own: nothing is refused."""
    return tuple(dict.fromkeys(found.kind.name for found in findings(text)))
