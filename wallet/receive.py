"""Credentials that arrive: verified before they are kept."""

from collections.abc import Collection
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

MAX_FILE: Final = 8 << 20  # some 900 credentials; the memory that hostile JSON can claim is twenty times its size
MAX_CREDENTIALS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Received:
    """A credential that its issuer really signed, and whose key it is bound to."""

    document: dict[str, Json]  # as received, with its proof
    credential: Credential
    holder: str | None
    own: bool = False  # the worker made it from a file of theirs
    issuer_document: Given | None = None  # what says which key its issuer has, where the issuer's DID does not


def read_credentials(raw: bytes, *, where: str) -> list[Json]:
    """The credentials of a file: one, a list of them, or an object with ``credentials``. Raises :class:`Malformed`."""
    value = parse_json(raw, where=where, limits=Limits(size=MAX_FILE))
    if isinstance(value, dict) and "credentials" in value and "@context" not in value:
        value = value["credentials"]
    documents: list[Json] = value if isinstance(value, list) else [value]
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
    credential = parse_credential(document, where=where)
    assert isinstance(document, dict)
    _verify(document, credential, contexts, documents, at)
    findings = [*_time_findings(credential, at, where)]
    holder = credential.subjects[0].get("id")
    if holder is not None and holder not in own:
        findings.append(Finding("NOT_MINE", "bound to a key that is not in this wallet", f"{where}/credentialSubject"))
    if findings:
        raise Rejected(tuple(findings))
    return Received(
        document,
        credential,
        holder if isinstance(holder, str) else None,
        issuer_document=documents.given.get(credential.issuer),
    )


def _verify(document: Object, credential: Credential, contexts: Contexts, documents: Documents, at: datetime) -> None:
    """Raise unless the issuer signed it: a copy to show claims of, or a credential that is shown whole."""
    if len(credential.proofs) != 1:
        raise Malformed("/proof", "needs exactly one proof", code="PROOF_MISSING")
    proof = credential.proofs[0]
    if proof.verification_method.partition("#")[0] != credential.issuer:
        raise Rejected((Finding("METHOD_NOT_ISSUERS", "signed by a key that is not the issuer's", "/issuer"),))
    verify = hold if proof.cryptosuite in SELECTIVE else verify_proofs
    try:
        verify(document, contexts=contexts, documents=documents, at=at)
    except Undetermined as error:
        if error.code != "DID_UNKNOWN":
            raise
        raise Undetermined(
            "the document with the issuer's keys is not held here",
            "ask the platform for an offer, and give it to `ouvrage wallet accept`",
            code=error.code,
        ) from None


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


def same_statement(credential: Credential, *, own: bool = False) -> str:
    """A short name that all copies of one statement share, whatever key each is bound to.

    What the worker imported (``own``) is signed by another throw-away key in each copy.
    """
    apart = {"id", "issuer"} if own else {"id"}
    document = {name: value for name, value in credential.document.items() if name not in apart}
    document["credentialSubject"] = [
        {name: value for name, value in subject.items() if name != "id"} for subject in credential.subjects
    ]
    return sha256(canonicalize(document)).hexdigest()[:12]
