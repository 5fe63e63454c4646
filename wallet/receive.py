"""Credentials that arrive: verified before they are kept."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from vc.canon import Json, Limits, canonicalize, parse_json
from vc.documents import NO_DOCUMENTS, Documents, Given
from vc.errors import Finding, Malformed, Rejected, Undetermined
from vc.jsonld import Contexts
from vc.model import Credential, Object, parse_credential
from vc.secure import SELECTIVE, hold, verify_proofs
from wallet import sdjwt
from wallet.formats import FORMATS, SD_JWT
from wallet.keys import one_name
from wallet.sdjwt import credential_of, holder_of, lines_of, verify_received
from work.draft import is_filler
from work.subject import read_claims
from work.types import TYPES

MAX_FILE: Final = 8 << 20  # some 900 credentials; the memory that hostile JSON can claim is twenty times its size
MAX_CREDENTIALS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Received:
    """A credential that its issuer really signed, and whose key it is bound to."""

    document: dict[str, Json] | str  # as received: JSON with its proof, or the text of an SD-JWT VC
    credential: Credential
    holder: str | None
    own: bool = False  # the worker made it from a file of theirs
    platform: str = ""  # the credential issuer that it was fetched from
    issuer_document: Given | None = None  # what says which key its issuer has, where the issuer's DID does not


def read_credentials(raw: bytes, *, where: str) -> list[Json]:
    """The credentials of a file: one, a list of them, or an object with ``credentials``, where an SD-JWT VC is a text;
    or one SD-JWT VC on each line. Raises :class:`Malformed`."""
    if raw.lstrip()[:1] not in (b"{", b"[", b'"'):
        return _bounded(list[Json](lines_of(raw, where=where)), where)
    value = parse_json(raw, where=where, limits=Limits(size=MAX_FILE))
    if isinstance(value, dict) and "credentials" in value and "@context" not in value:
        value = value["credentials"]
    return _bounded(value if isinstance(value, list) else [value], where)


def _bounded(documents: list[Json], where: str) -> list[Json]:
    if not 0 < len(documents) <= MAX_CREDENTIALS:
        raise Malformed(where, f"holds no credential, or more than {MAX_CREDENTIALS}", code="NO_CREDENTIAL")
    return documents


def receive(
    document: Json,
    *,
    own: Collection[str],
    contexts: Contexts,
    at: datetime,
    where: str,
    documents: Documents = NO_DOCUMENTS,
) -> Received:
    """A credential for this wallet. ``own`` are the DIDs of its keys, ``documents`` those of issuers that need one.

    Raises :class:`Malformed`, :class:`Unsupported`, or :class:`Rejected` where its issuer did not sign it, its time is
    over, or it is bound to a key of somebody else; :class:`Undetermined` where its issuer's document is not given.
    """
    if isinstance(document, str):
        return _receive_sd_jwt(document, own, documents, at, where)
    credential = parse_credential(document, where=where)
    assert isinstance(document, dict)
    _verify(document, credential, contexts, documents, at)
    named = credential.subjects[0].get("id")
    holder = one_name(named) if isinstance(named, str) else named
    findings = [*_time_findings(credential, at, where), *_check_mine(holder, own, f"{where}/credentialSubject")]
    if findings:
        raise Rejected(tuple(findings))
    return Received(
        document,
        credential,
        holder if isinstance(holder, str) else None,
        issuer_document=documents.given.get(credential.issuer),
    )


def _receive_sd_jwt(text: str, own: Collection[str], documents: Documents, at: datetime, where: str) -> Received:
    with _documents_explained():
        held = verify_received(text, documents=documents, at=at, where=where)
    holder, credential = holder_of(held), credential_of(held)
    if findings := tuple(_check_mine(holder, own, f"{where}/cnf")):
        raise Rejected(findings)
    return Received(text, credential, holder, issuer_document=documents.given.get(credential.issuer))


def _check_mine(holder: Json, own: Collection[str], where: str) -> Iterator[Finding]:
    if holder is not None and holder not in own:
        yield Finding("NOT_MINE", "bound to a key that is not in this wallet", where)


def issuer_of(document: Json, *, where: str) -> str:
    """Who a credential says has signed it: nothing is verified. Raises :class:`Malformed` or :class:`Unsupported`."""
    if isinstance(document, str):
        return sdjwt.issuer_of(document, where=where)
    return parse_credential(document, where=where).issuer


@contextmanager
def _documents_explained() -> Iterator[None]:
    """What a worker can do about a document that is not held here."""
    try:
        yield
    except Undetermined as error:
        if error.code != "DID_UNKNOWN":
            raise
        raise Undetermined(
            "the document with the issuer's keys is not held here",
            "ask the platform for an offer, and give it to `ouvrage wallet accept`",
            code=error.code,
        ) from None


def _verify(document: Object, credential: Credential, contexts: Contexts, documents: Documents, at: datetime) -> None:
    """Raise unless the issuer signed it: a copy to show claims of, or a credential that is shown whole."""
    if len(credential.proofs) != 1:
        raise Malformed("/proof", "needs exactly one proof", code="PROOF_MISSING")
    proof = credential.proofs[0]
    if proof.verification_method.partition("#")[0] != credential.issuer:
        raise Rejected((Finding("METHOD_NOT_ISSUERS", "signed by a key that is not the issuer's", "/issuer"),))
    verify = hold if proof.cryptosuite in SELECTIVE else verify_proofs
    with _documents_explained():
        verify(document, contexts=contexts, documents=documents, at=at)


def _time_findings(credential: Credential, at: datetime, where: str) -> list[Finding]:
    if credential.valid_until and at > credential.valid_until:
        return [
            Finding(
                "EXPIRED",
                f"expired on {credential.valid_until:%Y-%m-%d}: ask the platform for a new one",
                f"{where}/validUntil",
            )
        ]
    return []


def same_statement(credential: Credential, *, own: bool = False, platform: str = "") -> str:
    """A short name that all copies of one statement share, whatever key each is bound to, whatever its format, and
    whenever it was signed: what is said, by whom. That is the ``platform`` which it was fetched from, where there is
    one: many sign each format by another did:key.

    What the worker imported (``own``) is signed by another throw-away key in each copy. Of a type that is not known
    here nobody can tell whether two formats say the same: each is a statement of its own.
    """
    kind = TYPES.get(statement_type(credential))
    claims, others = read_claims(kind, credential.subjects[0]) if kind else ({}, ())
    if kind is None or others or len(credential.subjects) != 1:
        return same_batch(credential, own=own)
    said: dict[str, Json] = {name: told for name, value in claims.items() if (told := _told(value)) not in (None, [])}
    return _short_digest({"type": kind.name, "issuer": "" if own else platform or credential.issuer, "claims": said})


def _told(value: Json) -> Json:
    """A claim's value without padding; a set in one order."""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return list[Json](sorted(str(one) for one in value if not is_filler(one)))
    return None if is_filler(value) else value


def same_batch(credential: Credential, *, own: bool = False) -> str:
    """A short name of what was signed alike: copies in one format that differ in their keys alone. By it the wallet
    knows what newer copies take the place of. Each copy of a format that has a status has another place in its list.
    """
    apart = ({"id", "issuer"} if own else {"id"}) | {"credentialStatus"}
    document = {name: value for name, value in credential.document.items() if name not in apart}
    document["credentialSubject"] = [
        {name: value for name, value in subject.items() if name != "id"} for subject in credential.subjects
    ]
    suite = credential.proofs[0].cryptosuite if credential.proofs else SD_JWT
    if suite in FORMATS[1:]:
        document["proof"] = suite
    return _short_digest(document)


def _short_digest(said: Object) -> str:
    return sha256(canonicalize(dict(said))).hexdigest()[:12]


def statement_type(credential: Credential) -> str:
    """The statement type of a credential: ``Earnings`` for an EarningsCredential."""
    names = [name.removesuffix("Credential") for name in credential.types if name != "VerifiableCredential"]
    return next((name for name in names if name in TYPES), names[0] if names else "")
