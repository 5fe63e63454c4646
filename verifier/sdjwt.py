"""Checking an SD-JWT VC in an answer: the same steps, trust file and result as for a JSON-LD credential."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from vc.canon import Json, parse_object
from vc.clock import notes_of
from vc.did import did_key
from vc.documents import resolve
from vc.errors import Finding, Rejected, Undetermined, VcError
from vc.jose import Jws, numeric_date
from vc.model import Object
from vc.oid4vp import CredentialQuery, Request
from vc.proof import ASSERTION
from vc.sdjwt import Challenge, parse_sd_jwt
from vc.sdjwt_issuer import Issuer, KnownIssuers, find_certified, find_known
from vc.sdjwt_vc import VerifiedSdJwtVc, verify_credential
from vc.status import LIST, unknown_status, unusable
from vc.token_status import (
    StatusListToken,
    StatusReference,
    check_status,
    parse_status_jwt,
    read_status,
    verify_status_jwt,
)
from vc.transaction import check_agreed, parse_transactions
from vc.trust import Trust
from vc.verify import Binding, Policy, Verified, VerifiedCredential, check_trust_age
from work.vct import BY_VCT, DOCUMENTS, as_credential

SUITE: Final = "sd-jwt"
CONTESTED: Final = frozenset({3})  # of the application-specific values, what ours says of our types
MAX_ANSWER_AGE: Final = timedelta(days=30)  # answers travel as files; the nonce says which request they answer


def verify_sd_jwt(
    presented: Json, query: CredentialQuery, request: Request, *, trust: Trust, policy: Policy, at: datetime
) -> Verified:
    """What an SD-JWT+KB proves to the verifier that made ``request``, as of ``at`` (docs/verification.md).

    Its holder has to have signed, whatever else the policy accepts: nothing else binds it to the request. Raises what
    :func:`vc.verify.verify_presentation` does.
    """
    check_trust_age(trust, policy, at)
    vct = parse_object(parse_sd_jwt(presented).jws.unverified, where="SD-JWT payload").get("vct")
    if not any(wanted == {vct} for wanted in query.types):
        raise Rejected((Finding("NOT_WHAT_WAS_ASKED", "answers with another kind of credential", "/vp_token"),))
    find, found, notes = find_known(KnownIssuers(trust=trust), at), list[Issuer](), list[str]()
    known_type = vct in BY_VCT

    def find_issuer(jws: Jws, payload: Object) -> Issuer:
        found.append(find(jws, payload))
        return found[-1]

    def judge_status(status: Json) -> Iterator[Finding | Undetermined]:
        tokens = {}
        try:
            uri = StatusReference.parse(status).uri
            tokens[uri] = _open(uri, found[0], trust, policy, at)
        except Undetermined as doubt:
            yield doubt
            return
        except VcError as error:
            yield unusable(f"does not hold ({error.code})")
            return
        said = tuple(check_status(status, tokens=tokens, notes=CONTESTED if known_type else frozenset()))
        yield from said
        if not said and read_status(status, tokens=tokens) in CONTESTED:
            notes.append("CONTESTED")

    verified = verify_credential(
        presented,
        find_issuer=find_issuer,
        challenge=Challenge(request.nonce, request.client_id, MAX_ANSWER_AGE),
        at=at,
        check_status=judge_status,
        types=DOCUMENTS if known_type else None,
    )
    assert verified.holder is not None
    asked = request.extra.get("transaction_data")
    transactions = () if asked is None else parse_transactions(asked)
    if findings := tuple(check_agreed(transactions, query.id, verified.binding)):
        raise Rejected(findings)
    shown = _credential(verified, tuple(notes))
    dated = replace(shown, not_checked=(*shown.not_checked, *_clock(verified, trust, at)))
    return Verified((dated,), did_key(verified.holder), at, trust.as_of)


def _clock(verified: VerifiedSdJwtVc, trust: Trust, at: datetime) -> Iterator[str]:
    """Codes of what it says against the moment of the check."""
    signed, shown = (
        [datetime.fromtimestamp(seconds, UTC) for name in names if (seconds := numeric_date(claims, name)) is not None]
        for claims, names in ((verified.claims, ("iat", "nbf")), (verified.binding, ("iat",)))
    )
    status = verified.claims.get("status")
    given = None if status is None else trust.status_tokens.get(StatusReference.parse(status).uri)
    return notes_of(at, signed=signed, shown=shown, listed=() if given is None else (given.as_of,))


def _credential(verified: VerifiedSdJwtVc, notes: tuple[str, ...]) -> VerifiedCredential:
    """The verified claims, where the report looks for them."""
    read = as_credential(verified.claims, issuer=str(verified.claims.get("iss", verified.issuer.method)))
    known = verified.issuer.trusted
    assert known is not None  # find_known has refused every other
    return VerifiedCredential(
        types=read.types,
        claims=read.subjects[0],
        document=read.document,
        issuer=known[0],
        key=known[1],
        suite=SUITE,
        binding=Binding.KEY,
        valid_from=read.valid_from,
        valid_until=read.valid_until,
        not_checked=("IDENTITY", "WITHHELD") if "status" in verified.claims else ("IDENTITY", "WITHHELD", "REVOCATION"),
        notes=notes,
    )


def _open(uri: str, issuer: Issuer, trust: Trust, policy: Policy, at: datetime) -> StatusListToken:
    """Step 6: the Status List Token at ``uri`` out of the trust file, by somebody who may keep it for this issuer."""
    given = trust.status_tokens.get(uri)
    if given is None:
        raise unknown_status("a status list that is not held here")
    if not -policy.max_status_age <= at - given.as_of <= policy.max_status_age:
        raise Undetermined(
            f"the status list is from {given.as_of:%Y-%m-%d}, not from the time asked about",
            "get a trust file with a newer one",
            code="STATUS_STALE",
        )
    jws = parse_status_jwt(given.text)
    try:
        keeper = _keeper(jws, trust, given.as_of, at)
    except VcError:
        raise unusable("is signed by somebody who is not in the trust file") from None
    # Another's list could clear what this issuer has revoked, or revoke what it has not.
    if not _may_keep(keeper, issuer):
        raise unknown_status("a status list by somebody who is not trusted to keep it")
    return verify_status_jwt(jws, key=keeper.public, uri=uri, at=at)


def _keeper(jws: Jws, trust: Trust, as_of: datetime, at: datetime) -> Issuer:
    """Who signed a Status List Token: by a key of the trust file, or by a certificate under one that stands there."""
    method = str(jws.header.get("kid"))
    found = trust.find(method)
    if found is None and "x5c" in jws.header:
        return find_certified(None, jws, {"iat": as_of.timestamp()}, trust, at)
    if found is None or not found[1].covers(as_of):
        raise unusable("is signed by somebody who is not in the trust file")
    key = resolve(method, documents=trust.documents, purpose=ASSERTION, at=at, signed=as_of).public
    return Issuer(found[0].name, method, key, found[0].may_attest, found)


def _may_keep(keeper: Issuer, issuer: Issuer) -> bool:
    assert keeper.trusted is not None
    assert issuer.trusted is not None
    return keeper.trusted[0] == issuer.trusted[0] or LIST in keeper.may_attest
