"""Credentials of the older data model with linked-data proofs (vc-data-model-1.1, ld-proofs), verified by ``didkit``.

Read only. ``didkit`` checks one signature at a time, in another process: a judge that this module is given. What it
leaves out is done here: it overlooks dates and every proof but one, drops types that no context defines, believes
contexts that a document brings along, and asks the network about DIDs that do not carry their own key.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from vc.canon import Json, parse_object, to_json
from vc.did import DidUrl
from vc.errors import Finding, Malformed, Rejected, Undetermined, Unsupported
from vc.jose import SKEW
from vc.jsonld import Contexts, to_quads
from vc.model import (
    CREDENTIALS_V1,
    MAX_PROOFS,
    Credential,
    Object,
    Presentation,
    check_context,
    parse_credential,
    parse_date_time,
    parse_presentation,
    refuse_context_within,
)
from vc.proof import ASSERTION, AUTHENTICATION
from vc.rdf import canonicalize

INSTALL: Final = "install it with: pip install 'ouvrage[legacy]'"

SUITES: Final = frozenset(
    {
        "Ed25519Signature2018",
        "Ed25519Signature2020",
        "JsonWebSignature2020",
        "EcdsaSecp256k1Signature2019",
        "EcdsaSecp256k1RecoverySignature2020",
        "EcdsaSecp256r1Signature2019",
    }
)
DID_METHODS: Final = frozenset({"key", "jwk"})  # which carry their key: of the others, didkit would ask the network

# What a proof may bring to define its own members; each is in didkit.
PROOF_CONTEXTS: Final = frozenset(
    {
        "https://w3id.org/security/suites/ed25519-2020/v1",
        "https://w3id.org/security/suites/jws-2020/v1",
        "https://w3id.org/security/suites/secp256k1recovery-2020/v2",
        "https://identity.foundation/EcdsaSecp256k1RecoverySignature2020/lds-ecdsa-secp256k1-recovery2020-0.0.jsonld",
    }
)

Judge: TypeAlias = Callable[[bytes], bytes]
"""Answers a question in JSON with what ``didkit`` says; :func:`vc.io.didkit_process.ask_didkit`."""


@dataclass(frozen=True, slots=True)
class LegacyCredential:
    """A credential of the older data model whose every check here has passed; whom to trust is not one of them."""

    credential: Credential
    methods: tuple[str, ...]  # the verification methods of its proofs, at least one


@dataclass(frozen=True, slots=True)
class LegacyPresentation:
    """A presentation of the older data model that ``holder`` has signed for whoever asked, and its credentials."""

    holder: str
    credentials: tuple[LegacyCredential, ...]


@dataclass(frozen=True, slots=True)
class _Proof:
    """A linked-data proof of a suite that ``didkit`` reads, by a key that its DID carries."""

    document: dict[str, Json]
    method: str
    controller: str
    created: datetime
    expires: datetime | None


def verify_legacy_credential(document: Json, *, judge: Judge, contexts: Contexts, at: datetime) -> LegacyCredential:
    """What a credential of VCDM 1.1 with linked-data proofs proves as of ``at``; each of its proofs has to hold.

    ``contexts`` are those whose words the verifier knows. Raises :class:`Malformed`, :class:`Unsupported`,
    :class:`Rejected` with every finding, and what ``judge`` raises.
    """
    members, proofs = _parts(document, ASSERTION)
    check_context(members, "", versions=(CREDENTIALS_V1,))
    credential = parse_credential(members)
    _check_words(members, contexts)
    for proof in proofs:
        _ask(judge, "credential", {**members, "proof": proof.document}, {"proofPurpose": ASSERTION})
    findings = tuple(_check_credential(credential, proofs, at))
    if findings:
        raise Rejected(findings)
    return LegacyCredential(credential, tuple(proof.method for proof in proofs))


def verify_legacy_presentation(
    document: Json, *, judge: Judge, contexts: Contexts, challenge: str, domain: str, at: datetime
) -> LegacyPresentation:
    """What a presentation of VCDM 1.1 proves to the verifier that set ``challenge`` and ``domain``.

    Raises as :func:`verify_legacy_credential` does.
    """
    members, proofs = _parts(document, AUTHENTICATION)
    held = members.get("verifiableCredential")
    secured = held if isinstance(held, list) else [held]
    bare: list[Json] = [_without_proof(each) for each in secured]
    presentation = parse_presentation({**members, "verifiableCredential": bare}, versions=(CREDENTIALS_V1,))
    _check_words({**members, "verifiableCredential": bare}, contexts)
    options: dict[str, Json] = {"proofPurpose": AUTHENTICATION, "challenge": challenge, "domain": domain}
    findings = tuple(_check_presentation(presentation, proofs, options, at))
    if findings:
        raise Rejected(findings)
    for proof in proofs:
        _ask(judge, "presentation", {**members, "proof": proof.document}, options)
    credentials = tuple(verify_legacy_credential(each, judge=judge, contexts=contexts, at=at) for each in secured)
    return LegacyPresentation(proofs[0].controller, credentials)


def _parts(document: Json, purpose: str) -> tuple[dict[str, Json], tuple[_Proof, ...]]:
    if not isinstance(document, dict):
        raise Malformed("", "not an object", code="NOT_AN_OBJECT")
    held = document.get("proof")
    proofs = held if isinstance(held, list) else [] if held is None else [held]
    if not 0 < len(proofs) <= MAX_PROOFS:
        raise Malformed("/proof", f"needs 1 to {MAX_PROOFS} proofs", code="PROOF_MISSING")
    return _without_proof(document), tuple(_parse_proof(proof, purpose) for proof in proofs)


def _without_proof(document: Json) -> dict[str, Json]:
    if not isinstance(document, dict):
        raise Malformed("/verifiableCredential", "not an object", code="NOT_AN_OBJECT")
    return {name: value for name, value in document.items() if name != "proof"}


def _parse_proof(proof: Json, purpose: str) -> _Proof:
    match proof:
        case {"type": str(suite), "verificationMethod": str(method), "proofPurpose": str(stated)}:
            assert isinstance(proof, dict)
        case _:
            raise Malformed("/proof", "needs a type, a verificationMethod and a proofPurpose", code="PROOF_MISSING")
    if suite not in SUITES:
        raise Unsupported("proof of the older data model", suite, code="UNSUPPORTED_SUITE")
    if stated != purpose:
        raise Rejected((Finding("PURPOSE_MISMATCH", f"the proof is not for {purpose}", "/proof/proofPurpose"),))
    url = DidUrl.parse(method)
    if url.method not in DID_METHODS:
        raise Unsupported("DID method", url.method, code="UNSUPPORTED_DID")
    brought = proof.get("@context", [])
    listed = brought if isinstance(brought, list) else [brought]
    if not all(isinstance(context, str) and context in PROOF_CONTEXTS for context in listed):
        raise Rejected((Finding("CONTEXT_UNKNOWN", "brings words of its own", "/proof/@context"),))
    created = parse_date_time(proof.get("created"), where="/proof/created")
    expires = parse_date_time(proof["expires"], where="/proof/expires") if "expires" in proof else None
    return _Proof(proof, method, url.did, created, expires)


def _check_words(document: dict[str, Json], contexts: Contexts) -> None:
    """Every word is defined by a context that the verifier holds, and the nodes can be told apart in bounded work.

    A type that no context defines would be dropped in silence, and so not be signed
    (vc-data-integrity#securing-data-losslessly).
    """
    listed = document["@context"]
    if not isinstance(listed, list) or not all(isinstance(context, str) for context in listed):
        raise Rejected((Finding("CONTEXT_UNKNOWN", "brings words of its own", "/@context"),))
    # The credentials of a presentation have contexts of their own, and are looked at one by one.
    apart = ("@context", "verifiableCredential")
    refuse_context_within(value for name, value in document.items() if name not in apart)
    canonicalize(to_quads(document, contexts))


def _ask(judge: Judge, kind: str, document: dict[str, Json], options: dict[str, Json]) -> None:
    """Raise :class:`Rejected` unless the judge finds the one proof of ``document`` good."""
    answer = parse_object(judge(to_json({"kind": kind, "document": document, "options": options})), where="didkit")
    match answer:
        case {"missing": str(why)}:
            raise Unsupported("proof of the older data model", f"didkit is {why}; {INSTALL}", code="UNSUPPORTED_SUITE")
        case {"checks": ["proof"], "warnings": [], "errors": []}:
            return
        case {"errors": [*errors]} if any("Unknown context" in str(error) for error in errors):
            raise Unsupported("context", "one that didkit does not have", code="UNKNOWN_CONTEXT")
        case {"errors": [*_]}:
            raise Rejected((Finding("PROOF_INVALID", "the signature does not hold for what is said", "/proof"),))
    raise Undetermined("the reader of older proofs gave no answer", "try again", code="NO_ANSWER")


def _check_credential(credential: Credential, proofs: tuple[_Proof, ...], at: datetime) -> Iterator[Finding]:
    if credential.valid_from and at + SKEW < credential.valid_from:
        yield Finding("NOT_YET_VALID", f"valid only from {credential.valid_from:%Y-%m-%d}", "/issuanceDate")
    if credential.valid_until and at > credential.valid_until:
        yield Finding("EXPIRED", f"expired on {credential.valid_until:%Y-%m-%d}", "/expirationDate")
    if any(proof.controller != credential.issuer for proof in proofs):
        yield Finding("METHOD_NOT_ISSUERS", "signed by a key that is not the issuer's", "/issuer")
    if "credentialStatus" in credential.document:
        yield Finding("STATUS_UNKNOWN", "names a status list of a kind that is not read here", "/credentialStatus")
    yield from _check_created(proofs, at)


def _check_presentation(
    presentation: Presentation, proofs: tuple[_Proof, ...], options: Object, at: datetime
) -> Iterator[Finding]:
    for proof in proofs:
        if proof.document.get("challenge") != options["challenge"]:
            yield Finding("CHALLENGE_MISMATCH", "made for another request, not for this one", "/proof/challenge")
        if proof.document.get("domain") != options["domain"]:
            yield Finding("DOMAIN_MISMATCH", "made for another verifier", "/proof/domain")
    holders = {proof.controller for proof in proofs}
    if len(holders) != 1 or (presentation.holder is not None and presentation.holder not in holders):
        yield Finding("HOLDER_MISMATCH", "signed by another key than the holder's", "/holder")
    yield from _check_created(proofs, at)


def _check_created(proofs: tuple[_Proof, ...], at: datetime) -> Iterator[Finding]:
    """ld-proofs: dates of the signatures themselves"""
    if any(at + SKEW < proof.created for proof in proofs):
        yield Finding("NOT_YET_VALID", "signed at a time that is yet to come", "/proof/created")
    if any(proof.expires is not None and at > proof.expires for proof in proofs):
        yield Finding("EXPIRED", "its proof is past its end", "/proof/expires")
