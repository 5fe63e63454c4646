"""VC-API (VCALM): what a request asks, and the answer to it. Issuing, verifying, deriving, as functions of values.

Issuing is strict: what a verifier of any make would refuse is refused before it is signed. Verifying here answers the
smallest question, whether the proofs hold; the others (:data:`CHECKS`) are asked by name. Who wants to know what a
presentation proves asks :mod:`vc.verify`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final

from vc.canon import Json
from vc.did import VerificationMethod
from vc.documents import NO_DOCUMENTS
from vc.envelope import ENVELOPED_PRESENTATION, FORMS, Content, Secured, envelope, parse_envelope
from vc.enveloped import by_did, check_challenge, open_credential, open_presentation, secure
from vc.errors import Finding, Malformed, Rejected, Unsupported
from vc.integrity import check_resources
from vc.jose import NOTHING, check_times
from vc.jsonld import Contexts, to_quads
from vc.keys import Bls12381Key, Signer
from vc.ldcontext import compile_contexts, context_key
from vc.model import (
    CREDENTIALS_V1,
    CREDENTIALS_V2,
    MAX_PROOFS,
    Credential,
    Object,
    Proof,
    check_context,
    format_date_time,
    is_envelope,
    parse_credential,
    parse_presentation,
)
from vc.proof import ASSERTION, AUTHENTICATION, suite_of, verify_all
from vc.secure import derive as derive_held
from vc.secure import hold, sign, sign_selective
from vc.status import StatusEntry, StatusList, check_purpose, status_entries, unknown_status
from vc.suites.selective import parse_pointers

PROOF_CONTEXT: Final = "https://w3id.org/security/data-integrity/v2"
SELECTIVE: Final = frozenset({"bbs-2023", "ecdsa-sd-2023"})
ENVELOPING: Final = "vc+jwt"  # the one suite that leaves no proof in the credential (vc-jose-cose#with-jose)
MANDATORY: Final = ("/issuer",)  # where the client names nothing: without its issuer, what is shown proves nothing


@dataclass(frozen=True, slots=True)
class Issuer:
    """One issuer instance: one suite with one key. Clients choose by URL, so each has its own.

    ``signs_for_others``: whether it also signs what names another issuer, as no platform would.
    """

    suite: str
    key: Bls12381Key | Signer = field(repr=False)
    signs_for_others: bool = False

    @property
    def did(self) -> str:
        """The DID that its key belongs to."""
        return self.key.verification_method.partition("#")[0]


@dataclass(frozen=True, slots=True)
class World:
    """What a verifier here knows: contexts, the time, and status list credentials by URL, where it holds any.

    They need not be trusted: each has to be signed by the issuer whose credential names it.
    """

    contexts: Contexts
    at: datetime
    status_list: Callable[[str], Json]  # None for one that is not held


@dataclass(frozen=True, slots=True)
class Proven:
    """A credential whose every proof holds, or whose envelope does; ``claims`` are what the envelope says of itself."""

    credential: Credential
    methods: tuple[VerificationMethod, ...]
    claims: Object


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request to verify asks beyond the proof: named checks, and what the proof has to be made for."""

    checks: frozenset[str]
    challenge: str | None
    domain: frozenset[str] | None
    world: World


_FIND: Final = by_did(NO_DOCUMENTS, at=None)

VERIFIED: Final[Mapping[str, Json]] = MappingProxyType({"verified": True, "problemDetails": []})


# ---- issuing ---------------------------------------------------------------------------------------------------------


def issue(
    body: Json,
    *,
    issuer: Issuer,
    contexts: Contexts,
    at: datetime,
    rand: Callable[[int], bytes],
    status: Callable[[], StatusEntry] | None = None,
) -> dict[str, Json]:
    """VCALM #issue-credential: the credential of a request, signed at ``at``.

    ``status`` gives the next free place of the issuer's own list; it is asked when nothing else is in the way.
    Raises :class:`Malformed`, :class:`Unsupported` or :class:`Rejected` for what should not be signed.
    """
    asked, options = _parts(body, "credential")
    document = complete(asked, contexts=contexts, at=at)
    held = check_issuable(document, issuer, contexts)
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    mandatory = _texts(options, "mandatoryPointers", MANDATORY)
    parse_pointers(mandatory, unsecured, where="/options/mandatoryPointers")
    if status is not None:
        unsecured["credentialStatus"] = _add_status(unsecured, status())
    secured = _secure(unsecured, issuer, mandatory, contexts=contexts, at=at, rand=rand)
    if held:  # a proof set: ours says nothing about the others
        secured["proof"] = [*held, secured["proof"]]
    return {"verifiableCredential": secured}


def complete(credential: Object, *, contexts: Contexts, at: datetime) -> dict[str, Json]:
    """A credential of version 1.1 with what it needs to be signed in this way: a date, and words for the proof.

    One of version 2.0 needs nothing. Raises :class:`Malformed`, or :class:`Unsupported` for an unknown context.
    """
    document = dict(credential)
    if check_context(document, "", versions=(CREDENTIALS_V2, CREDENTIALS_V1)) == CREDENTIALS_V2:
        return document
    listed = document["@context"]
    assert isinstance(listed, list)
    if "DataIntegrityProof" not in compile_contexts(contexts, context_key(listed)).terms:
        document["@context"] = [*listed, PROOF_CONTEXT]
    document.setdefault("issuanceDate", format_date_time(at))
    return document


def check_issuable(document: Object, issuer: Issuer, contexts: Contexts) -> Sequence[Json]:
    """The proofs that a credential already has; raise for what should not be signed.

    Beyond the data model: types in a list, nothing that JSON-LD would drop (a type that is no absolute IRI among it),
    digests that are true, and only what this issuer may say.
    """
    held = _held_proofs(document)
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    credential = parse_credential(unsecured)
    if not isinstance(document["type"], list):
        raise Malformed("/type", "not a list", code="NOT_TEXT")
    if credential.issuer != issuer.did and not issuer.signs_for_others:
        raise Rejected((Finding("METHOD_NOT_ISSUERS", "names another issuer than the one that is asked", "/issuer"),))
    if held and issuer.suite == ENVELOPING:
        raise Unsupported("proof inside an envelope", issuer.suite)
    check_resources(unsecured, contexts)
    to_quads(unsecured, contexts)
    return held


def _add_status(document: Object, entry: StatusEntry) -> Json:
    """The status beside what the credential already states."""
    stated = document.get("credentialStatus", [])
    others = stated if isinstance(stated, list) else [stated]
    return [*others, entry.to_json()] if others else entry.to_json()


def _held_proofs(document: Object) -> Sequence[Json]:
    """What is there is left as it is: whoever verifies a proof set verifies all of it."""
    value = document.get("proof", [])
    proofs = value if isinstance(value, list) else [value]
    if len(proofs) >= MAX_PROOFS or ("proof" in document and not proofs):
        raise Malformed("/proof", f"needs 1 to {MAX_PROOFS - 1} proofs, or none at all", code="PROOF_MISSING")
    for proof in proofs:
        if not isinstance(proof, dict) or not isinstance(proof.get("type"), str):
            raise Malformed("/proof/type", "missing, or not a text", code="MISSING")
    return proofs


def _secure(
    document: Object,
    issuer: Issuer,
    mandatory: Sequence[str],
    *,
    contexts: Contexts,
    at: datetime,
    rand: Callable[[int], bytes],
) -> dict[str, Json]:
    if issuer.suite in SELECTIVE:
        return sign_selective(document, key=issuer.key, created=at, mandatory=mandatory, contexts=contexts, rand=rand)
    if isinstance(issuer.key, Bls12381Key):
        raise Unsupported("key", issuer.key.public.kind.name, code="UNSUPPORTED_KEY")
    if issuer.suite == ENVELOPING:
        return envelope(secure(document, FORMS["application/vc+jwt"], key=issuer.key))
    return sign(document, key=issuer.key, created=at, contexts=contexts, suite=issuer.suite)


# ---- verifying -------------------------------------------------------------------------------------------------------


def verify_credential(body: Json, world: World) -> Mapping[str, Json]:
    """VCALM #verify-credential: :data:`VERIFIED`, where the proofs hold and every check that was asked for passes.

    Raises :class:`Rejected`, :class:`Malformed`, :class:`Unsupported` or :class:`Undetermined`.
    """
    secured, options = _parts(body, "verifiableCredential")
    asked = _asked(options, world)
    proven = prove(secured, world.contexts)
    _refuse([*check_made_for(proven.credential.proofs, asked), *check_named(proven, asked)])
    return VERIFIED


def verify_presentation(body: Json, world: World) -> Mapping[str, Json]:
    """VCALM #verify-presentation: :data:`VERIFIED`, where holder and issuers have signed, for this challenge.

    A holder that is named has to be the one who signed. Raises as :func:`verify_credential` does.
    """
    secured, options = _parts(body, "verifiablePresentation")
    asked = _asked(options, world)
    if asked.challenge is None:
        raise Malformed("/options/challenge", "missing: an old answer would pass for a new one", code="MISSING")
    enveloped = secured.get("type") in (ENVELOPED_PRESENTATION, [ENVELOPED_PRESENTATION])
    findings, proven = (_open_presentation if enveloped else _prove_presentation)(secured, asked, world.contexts)
    _refuse([*findings, *(finding for each in proven for finding in check_named(each, asked))])
    return VERIFIED


def _prove_presentation(
    secured: dict[str, Json], asked: Asked, contexts: Contexts
) -> tuple[list[Finding], list[Proven]]:
    presentation = parse_presentation(secured, least=0, enveloped=True)
    to_quads(presentation.document, contexts)
    methods = verify_all(presentation.document, presentation.proofs, purpose=AUTHENTICATION, contexts=contexts)
    findings = [*check_made_for(presentation.proofs, asked), *check_holder(presentation.holder, methods)]
    held = secured.get("verifiableCredential", [])
    listed = held if isinstance(held, list) else [held]
    return findings, [
        prove(each, contexts, where=f"/verifiableCredential/{number}") for number, each in enumerate(listed)
    ]


def _open_presentation(
    secured: dict[str, Json], asked: Asked, contexts: Contexts
) -> tuple[list[Finding], list[Proven]]:
    opened = open_presentation(parse_envelope(secured, content=Content.PRESENTATION), find=_FIND)
    findings = list(check_holder(opened.presentation.holder, (opened.method,)))
    findings += check_challenge(opened, asked.challenge or "")
    audience = opened.claims.get("aud", [])
    named = frozenset(map(str, audience if isinstance(audience, list) else [audience]))
    if asked.domain is not None and named != asked.domain:
        findings.append(Finding("DOMAIN_MISMATCH", "made for another verifier", "/aud"))
    return findings, [_opened(each, contexts) for each in opened.credentials]


def prove(secured: Json, contexts: Contexts, *, where: str = "") -> Proven:
    """The credential of a secured document whose every proof holds, or that is in an envelope that does.

    Its signer need not be its issuer: that is a check of its own. Raises as :func:`verify_credential` does.
    """
    if is_envelope(secured):
        return _opened(parse_envelope(secured, content=Content.CREDENTIAL, where=where), contexts)
    credential = parse_credential(secured, where=where)
    _check_meaning(credential, contexts)
    methods = verify_all(credential.document, credential.proofs, purpose=ASSERTION, contexts=contexts)
    return Proven(credential, methods, NOTHING)


def _opened(secured: Secured, contexts: Contexts) -> Proven:
    opened = open_credential(secured, find=_FIND)
    _check_meaning(opened.credential, contexts)
    return Proven(opened.credential, (opened.method,), opened.claims)


def _check_meaning(credential: Credential, contexts: Contexts) -> None:
    """What the proof itself may not tell: words that mean nothing, pages that are not what they were."""
    check_resources(credential.document, contexts)
    to_quads(credential.document, contexts)


def check_made_for(proofs: Sequence[Proof], asked: Asked) -> Iterator[Finding]:
    """vc-data-integrity#verify-proof: a challenge or a domain that is asked for is that of every proof, and of one."""
    if asked.challenge is not None and {proof.challenge for proof in proofs} != {asked.challenge}:
        yield Finding("CHALLENGE_MISMATCH", "made for another request, not for this one", "/proof/challenge")
    if asked.domain is not None and {frozenset(proof.domain) for proof in proofs} != {asked.domain}:
        yield Finding("DOMAIN_MISMATCH", "made for another verifier", "/proof/domain")


def check_holder(holder: str | None, methods: Sequence[VerificationMethod]) -> Iterator[Finding]:
    """One signed the presentation: the holder, where one is named."""
    signers = {method.controller for method in methods}
    if len(signers) != 1 or holder not in (None, *signers):
        yield Finding("HOLDER_MISMATCH", "signed by another key than the holder's", "/holder")


def check_named(proven: Proven, asked: Asked) -> Iterator[Finding]:
    """The checks that were asked for by name. Raises :class:`Undetermined` for a status whose list is not held."""
    for name in sorted(asked.checks):
        yield from CHECKS[name](proven, asked.world)


def _check_issuer(proven: Proven, _world: World) -> Iterator[Finding]:
    if any(method.controller != proven.credential.issuer for method in proven.methods):
        yield Finding("METHOD_NOT_ISSUERS", "signed by a key that is not the issuer's", "/issuer")


def _check_validity(proven: Proven, world: World) -> Iterator[Finding]:
    """vc-data-model-2.0#validity-period, and the ends that the proofs state."""
    credential, at = proven.credential, world.at
    yield from check_times(proven.claims, at)
    if credential.valid_from and at < credential.valid_from:
        yield Finding("NOT_YET_VALID", f"valid only from {credential.valid_from:%Y-%m-%d}", "/validFrom")
    ends = [end for end in (credential.valid_until, *(proof.expires for proof in credential.proofs)) if end]
    if ends and at > min(ends):
        yield Finding("EXPIRED", f"expired on {min(ends):%Y-%m-%d}", "/validUntil")


def _check_status(proven: Proven, world: World) -> Iterator[Finding]:
    """vc-bitstring-status-list#validate-algorithm, for lists that are held and that the issuer itself has signed."""
    for stated in status_entries(proven.credential.document):
        entry = StatusEntry.parse(stated)
        held = world.status_list(entry.list_url)
        if held is None:
            raise unknown_status("a status list that is not held here")
        listed = prove(held, world.contexts)
        # Another's list, or another list of the same issuer, could clear what this one revokes.
        if listed.credential.document.get("id") != entry.list_url or listed.methods != proven.methods:
            raise unknown_status("a status list that is not its issuer's")
        yield from _check_validity(listed, world)
        for wrong in check_purpose(entry, StatusList.parse(listed.credential).read(entry)):
            if not isinstance(wrong, Finding):
                raise wrong
            yield wrong


def _check_proof(_proven: Proven, _world: World) -> Iterator[Finding]:
    yield from ()  # checked before anything else, whether asked for or not


CHECKS: Final[Mapping[str, Callable[[Proven, World], Iterator[Finding]]]] = MappingProxyType(
    {"proof": _check_proof, "issuer": _check_issuer, "validity": _check_validity, "credentialStatus": _check_status}
)


# ---- deriving --------------------------------------------------------------------------------------------------------


def derive(body: Json, *, contexts: Contexts, rand: Callable[[int], bytes]) -> dict[str, Json]:
    """VCALM #derive-credential: what the options' ``selectivePointers`` name, with what is mandatory, and no more.

    Raises :class:`Malformed`, :class:`Unsupported` or :class:`Rejected`.
    """
    secured, options = _parts(body, "verifiableCredential")
    for proof in parse_credential(secured).proofs:
        if suite_of(proof).name not in SELECTIVE:
            raise Unsupported("selective disclosure", suite_of(proof).name, code="UNSUPPORTED_SUITE")
    held = hold(secured, contexts=contexts)
    return {"verifiableCredential": derive_held(held, _texts(options, "selectivePointers", ()), rand=rand)}


# ---- requests --------------------------------------------------------------------------------------------------------


def _parts(body: Json, name: str) -> tuple[dict[str, Json], Object]:
    """The document of a request, and its options. Options that are not known here ask for nothing."""
    match body:
        case {"options": options, **rest} if isinstance(options, dict) or options is None:
            document = rest.get(name)
        case {"options": _}:
            raise Malformed("/options", "not an object", code="NOT_AN_OBJECT")
        case _:
            options, document = None, body.get(name) if isinstance(body, dict) else None
    if not isinstance(document, dict):
        raise Malformed(f"/{name}", "missing, or not an object", code="NOT_AN_OBJECT")
    return document, options or {}


def _asked(options: Object, world: World) -> Asked:
    checks = frozenset(_texts(options, "checks", ()))
    for name in sorted(checks - CHECKS.keys()):
        raise Unsupported("check", name)
    challenge = options.get("challenge")
    if challenge is not None and not isinstance(challenge, str):
        raise Malformed("/options/challenge", "not a text", code="NOT_TEXT")
    domain = options.get("domain")
    domains = (
        None if domain is None else frozenset([domain] if isinstance(domain, str) else _texts(options, "domain", ()))
    )
    return Asked(checks, challenge, domains, world)


def _texts(options: Object, name: str, default: Sequence[str]) -> Sequence[str]:
    value = options.get(name)
    if value is None:
        return default
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Malformed(f"/options/{name}", "not a list of texts", code="NOT_TEXT")
    return [str(item) for item in value]


def _refuse(findings: Sequence[Finding]) -> None:
    if findings:
        raise Rejected(tuple(findings))
