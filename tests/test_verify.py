"""One otherwise perfect presentation, one thing wrong, the finding expected."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.line import (
    AT,
    Shown,
    answer,
    checked,
    credential,
    entry,
    good,
    holder_key,
    issuer_keys,
    rand_from,
    request,
    trust,
)
from vc.errors import Malformed, Rejected, Undetermined, VcError
from vc.keys import Ed25519Key
from vc.model import CREDENTIALS_V2
from vc.proof import AUTHENTICATION, add_proof, proof_options
from vc.suites.bbs_2023 import BASE_PROOF
from vc.suites.plain import EDDSA_RDFC_2022
from vc.verify import Assurance, Binding
from verifier.check import check, policy
from work import CONTEXTS


def presented(shown: Shown) -> dict[str, Any]:
    (presentations,) = shown.answer["vp_token"].values()
    return presentations[0]  # type: ignore[no-any-return]


def shown_credential(shown: Shown) -> dict[str, Any]:
    return presented(shown)["verifiableCredential"][0]  # type: ignore[no-any-return]


def signed_again(
    shown: Shown,
    *,
    key: Ed25519Key | None = None,
    challenge: str | None = None,
    domain: str | None = None,
    purpose: str = AUTHENTICATION,
    **changes: Any,
) -> None:
    """Sign the presentation anew, after something in it was changed."""
    key = key or holder_key()
    options = proof_options(
        "eddsa-rdfc-2022",
        method=key.verification_method,
        purpose=purpose,
        created=None,
        challenge=challenge or shown.request.nonce,
        domain=domain or shown.request.client_id,
    )
    held = presented(shown)
    bare = {name: value for name, value in {**held, "holder": key.did, **changes}.items() if name != "proof"}
    held.clear()
    held.update(add_proof(bare, options, suite=EDDSA_RDFC_2022, key=key, contexts=CONTEXTS))


THIEF = Ed25519Key.from_seed(rand_from("thief")(32))


def change_claim(shown: Shown) -> None:
    shown_credential(shown)["credentialSubject"]["averageAtLeast12m"] = ["003000"]
    signed_again(shown)


def change_mandatory(shown: Shown) -> None:
    shown_credential(shown)["credentialSubject"]["currency"] = "EUR"
    signed_again(shown)


def add_claim(shown: Shown) -> None:
    shown_credential(shown)["credentialSubject"]["total12m"] = "99999.00"
    signed_again(shown)


def drop_mandatory(shown: Shown) -> None:
    del shown_credential(shown)["credentialSubject"]["tipsIncluded"]
    signed_again(shown)


def change_issuer(shown: Shown) -> None:
    shown_credential(shown)["issuer"] = issuer_keys("another").credentials.did
    signed_again(shown)


def extend_validity(shown: Shown) -> None:
    shown_credential(shown)["validUntil"] = "2099-12-31T23:59:59Z"
    signed_again(shown)


def change_created(shown: Shown) -> None:
    shown_credential(shown)["proof"]["created"] = "2026-11-23T00:00:00Z"
    signed_again(shown)


def credential_for_another_purpose(shown: Shown) -> None:
    shown_credential(shown)["proof"]["proofPurpose"] = "authentication"
    signed_again(shown)


def swap_words(shown: Shown) -> None:
    """The same quads under a context that swaps two names: the signature would hold, the meaning would not."""
    document = shown_credential(shown)
    ouvrage = json.loads(CONTEXTS.raw["https://w3id.org/ouvrage/v1"])["@context"]
    ouvrage["averageAtLeast12m"], ouvrage["averageAtLeast3m"] = (
        ouvrage["averageAtLeast3m"],
        ouvrage["averageAtLeast12m"],
    )
    document["@context"] = [CREDENTIALS_V2, ouvrage]
    document["credentialSubject"]["averageAtLeast3m"] = document["credentialSubject"].pop("averageAtLeast12m")
    signed_again(shown)


def context_midway(shown: Shown) -> None:
    shown_credential(shown)["credentialSubject"]["@context"] = {}
    signed_again(shown)


def by_thief(shown: Shown) -> None:
    signed_again(shown, key=THIEF)


def thief_claims_to_be_the_holder(shown: Shown) -> None:
    options = proof_options(
        "eddsa-rdfc-2022",
        method=THIEF.verification_method,
        purpose=AUTHENTICATION,
        created=None,
        challenge=shown.request.nonce,
        domain=shown.request.client_id,
    )
    held = presented(shown)
    bare = {name: value for name, value in held.items() if name != "proof"}
    held.clear()
    held.update(add_proof(bare, options, suite=EDDSA_RDFC_2022, key=THIEF, contexts=CONTEXTS))


def unsigned(shown: Shown) -> None:
    del presented(shown)["proof"]


def empty_proofs(shown: Shown) -> None:
    presented(shown)["proof"] = []


def no_credential_proof(shown: Shown) -> None:
    del shown_credential(shown)["proof"]
    signed_again(shown)


def other_challenge(shown: Shown) -> None:
    signed_again(shown, challenge="A" * 32)


def other_domain(shown: Shown) -> None:
    signed_again(shown, domain="landlord.example")


def two_domains(shown: Shown) -> None:
    presented(shown)["proof"]["domain"] = [shown.request.client_id, "landlord.example"]


def challenge_rewritten(shown: Shown) -> None:
    presented(shown)["proof"]["created"] = "2026-11-20T00:00:00Z"


def asserting_instead_of_authenticating(shown: Shown) -> None:
    signed_again(shown, purpose="assertionMethod")


def unknown_suite(shown: Shown) -> None:
    shown_credential(shown)["proof"]["cryptosuite"] = "made-up-2030"
    signed_again(shown)


def suite_of_another_key(shown: Shown) -> None:
    shown_credential(shown)["proof"]["cryptosuite"] = "eddsa-rdfc-2022"
    signed_again(shown)


def legacy_suite(shown: Shown) -> None:
    held = presented(shown)["proof"]
    held["type"] = "Ed25519Signature2020"
    del held["cryptosuite"]


def proof_of_another_credential(shown: Shown) -> None:
    other = answer(request("Rating"), credential("Rating"))
    (presentation,) = other["vp_token"]["Rating"]
    shown_credential(shown)["proof"] = presentation["verifiableCredential"][0]["proof"]
    signed_again(shown)


def base_proof(shown: Shown) -> None:
    presented(shown)["verifiableCredential"] = [credential()]
    signed_again(shown)


def status_that_nobody_holds(shown: Shown) -> None:
    shown_credential(shown)["credentialStatus"] = {
        "id": "https://platform.example/status/3#94567",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "94567",
        "statusListCredential": "https://platform.example/status/3",
    }
    signed_again(shown)


def second_credential(shown: Shown) -> None:
    other = answer(request("Rating"), credential("Rating"))["vp_token"]["Rating"][0]
    presented(shown)["verifiableCredential"] += other["verifiableCredential"]
    signed_again(shown)


def another_kind_of_credential(shown: Shown) -> None:
    shown.answer["vp_token"]["Earnings"] = answer(request("Rating"), credential("Rating"))["vp_token"]["Rating"]
    signed_again(shown)


def no_type(shown: Shown) -> None:
    shown_credential(shown)["type"] = ["VerifiableCredential"]
    signed_again(shown)


def not_a_presentation(shown: Shown) -> None:
    presented(shown)["type"] = ["Presentation"]


def context_of_version_1(shown: Shown) -> None:
    presented(shown)["@context"] = ["https://www.w3.org/2018/credentials/v1"]


def unknown_context(shown: Shown) -> None:
    presented(shown)["@context"].append("https://example.com/unknown/v1")


def extra_member(shown: Shown) -> None:
    presented(shown)["note"] = "no such term"


def two_presentations(shown: Shown) -> None:
    shown.answer["vp_token"]["Earnings"] *= 2


def something_not_asked(shown: Shown) -> None:
    shown.answer["vp_token"]["Rating"] = shown.answer["vp_token"]["Earnings"]


def nothing(shown: Shown) -> None:
    shown.answer["vp_token"] = {}


def many_proofs(shown: Shown) -> None:
    presented(shown)["proof"] = [presented(shown)["proof"]] * 9


def many_credentials(shown: Shown) -> None:
    presented(shown)["verifiableCredential"] *= 17


def bad_date(shown: Shown) -> None:
    shown_credential(shown)["validUntil"] = "2026-13-31T23:59:59Z"


def subject_list(shown: Shown) -> None:
    document = shown_credential(shown)
    document["credentialSubject"] = [document["credentialSubject"], {"id": holder_key().did, "category": "freelance"}]
    signed_again(shown)


SPOILT: list[tuple[Callable[[Shown], None], str]] = [
    (change_claim, "PROOF_INVALID"),
    (change_mandatory, "PROOF_INVALID"),
    (add_claim, "CLAIM_ADDED"),
    (drop_mandatory, "PROOF_INVALID"),
    (change_issuer, "PROOF_INVALID"),
    (extend_validity, "PROOF_INVALID"),
    (change_created, "PROOF_INVALID"),
    (credential_for_another_purpose, "PURPOSE_MISMATCH"),
    (swap_words, "CONTEXT_UNKNOWN"),
    (context_midway, "CONTEXT_UNKNOWN"),
    (by_thief, "HOLDER_NOT_SUBJECT"),
    (thief_claims_to_be_the_holder, "HOLDER_MISMATCH"),
    (unsigned, "HOLDER_PROOF_MISSING"),
    (empty_proofs, "PROOF_MISSING"),
    (no_credential_proof, "PROOF_MISSING"),
    (other_challenge, "CHALLENGE_MISMATCH"),
    (other_domain, "DOMAIN_MISMATCH"),
    (two_domains, "DOMAIN_MISMATCH"),
    (challenge_rewritten, "PROOF_INVALID"),
    (asserting_instead_of_authenticating, "PURPOSE_MISMATCH"),
    (unknown_suite, "UNSUPPORTED_SUITE"),
    (suite_of_another_key, "KEY_MISMATCH"),
    (legacy_suite, "SUITE_NOT_ALLOWED"),
    (proof_of_another_credential, "PROOF_INVALID"),
    (base_proof, "BASE_PROOF"),
    (status_that_nobody_holds, "CLAIM_ADDED"),
    (second_credential, "NOT_WHAT_WAS_ASKED"),
    (another_kind_of_credential, "NOT_WHAT_WAS_ASKED"),
    (no_type, "PROOF_INVALID"),
    (not_a_presentation, "BAD_TYPE"),
    (context_of_version_1, "BAD_CONTEXT"),
    (unknown_context, "UNKNOWN_CONTEXT"),
    (extra_member, "DATA_LOSS"),
    (two_presentations, "NO_PRESENTATION"),
    (something_not_asked, "NOT_ASKED"),
    (nothing, "NO_PRESENTATION"),
    (many_proofs, "PROOF_MISSING"),
    (many_credentials, "BAD_PRESENTATION"),
    (bad_date, "BAD_DATE"),
    (subject_list, "SEVERAL_SUBJECTS"),
]


@pytest.mark.parametrize(("spoil", "code"), SPOILT, ids=[spoil.__name__ for spoil, _ in SPOILT])
def test_one_thing_wrong(spoil: Callable[[Shown], None], code: str) -> None:
    shown = good()
    spoil(shown)
    with pytest.raises(VcError) as caught:
        checked(shown)
    assert caught.value.code == code


def test_the_perfect_one_is_accepted() -> None:
    verified = checked(good())
    (shown,) = verified.credentials
    assert shown.claims["averageAtLeast12m"] == ["001500"]
    assert "total" not in shown.claims
    assert shown.issuer is not None
    assert shown.issuer.name == "Example platform"
    assert shown.assurance is Assurance.ISSUER
    assert shown.binding is Binding.KEY
    assert verified.holder == holder_key().did


WRONG_TRUST = [
    ("nobody", lambda: trust(entry(issuer_keys("another"))), AT, "ISSUER_NOT_TRUSTED"),
    ("not for this type", lambda: trust(entry(issuer_keys(), mayAttest=["RatingCredential"])), AT, "TYPE_NOT_TRUSTED"),
    (
        "key too new",
        lambda: trust(
            entry(
                issuer_keys(),
                keys=[{"id": issuer_keys().credentials.verification_method, "validFrom": "2026-11-25T00:00:00Z"}],
            )
        ),
        AT,
        "KEY_OUT_OF_WINDOW",
    ),
    (
        "key too old",
        lambda: trust(
            entry(
                issuer_keys(),
                keys=[
                    {
                        "id": issuer_keys().credentials.verification_method,
                        "validFrom": "2025-01-01T00:00:00Z",
                        "validUntil": "2026-11-23T23:59:59Z",
                    }
                ],
            )
        ),
        AT,
        "KEY_OUT_OF_WINDOW",
    ),
    ("stale", lambda: trust(as_of="2026-10-01T00:00:00Z"), AT, "STALE_TRUST"),
    ("from the future", lambda: trust(as_of="2026-12-01T00:00:00Z"), AT, "WRONG_CLOCK"),
    ("expired", lambda: trust(as_of="2027-01-05T00:00:00Z"), datetime(2027, 1, 5, tzinfo=UTC), "EXPIRED"),
    (
        "not yet valid",
        lambda: trust(
            entry(
                issuer_keys(),
                keys=[{"id": issuer_keys().credentials.verification_method, "validFrom": "2025-01-01T00:00:00Z"}],
            ),
            as_of="2026-11-20T00:00:00Z",
        ),
        AT - timedelta(days=4),
        "NOT_YET_VALID",
    ),
]


@pytest.mark.parametrize(("name", "make", "at", "code"), WRONG_TRUST, ids=[row[0] for row in WRONG_TRUST])
def test_wrong_trust_or_time(name: str, make: Callable[[], Any], at: datetime, code: str) -> None:
    with pytest.raises((Rejected, Undetermined)) as caught:
        checked(good(), trusted=make(), at=at)
    assert caught.value.code == code


def test_a_key_that_was_rotated_away_still_verifies_what_it_signed() -> None:
    keys = [
        {
            "id": issuer_keys().credentials.verification_method,
            "validFrom": "2025-01-01T00:00:00Z",
            "validUntil": "2026-11-24T23:59:59Z",
        }
    ]
    trusted = trust(entry(issuer_keys(), keys=keys), as_of="2026-12-20T00:00:00Z")
    assert checked(good(), trusted=trusted, at=datetime(2026, 12, 20, tzinfo=UTC)).credentials


def test_everything_that_is_wrong_is_said_at_once() -> None:
    shown = good()
    by_thief(shown)
    with pytest.raises(Rejected) as caught:
        checked(
            shown,
            trusted=trust(entry(issuer_keys("another")), as_of="2027-01-05T00:00:00Z"),
            at=datetime(2027, 1, 5, tzinfo=UTC),
        )
    assert [finding.code for finding in caught.value.findings] == [
        "EXPIRED",
        "ISSUER_NOT_TRUSTED",
        "HOLDER_NOT_SUBJECT",
    ]


def unbound() -> Shown:
    asked = request()
    return Shown(asked, answer(asked, credential(bound=False), bound=False))


def test_possession_is_accepted_only_by_name() -> None:
    with pytest.raises(Rejected) as caught:
        checked(unbound())
    assert caught.value.code == "HOLDER_PROOF_MISSING"
    (shown,) = checked(unbound(), possession=True).credentials
    assert shown.binding is Binding.POSSESSION


def test_possession_signed_by_any_key_is_still_possession() -> None:
    shown = unbound()
    derived = dict(presented(shown))
    presented(shown).clear()
    presented(shown).update(
        {"@context": [CREDENTIALS_V2], "type": ["VerifiablePresentation"], "verifiableCredential": [derived]}
    )
    signed_again(shown, key=THIEF)
    with pytest.raises(Rejected) as caught:
        checked(shown)
    assert caught.value.code == "BINDING_TOO_WEAK"
    assert checked(shown, possession=True).credentials[0].binding is Binding.POSSESSION


def test_a_bound_credential_without_its_presentation_is_refused() -> None:
    shown = good()
    (derived,) = presented(shown)["verifiableCredential"]
    presented(shown).clear()
    presented(shown).update(derived)
    for possession, code in ((False, "HOLDER_PROOF_MISSING"), (True, "HOLDER_NOT_SUBJECT")):
        with pytest.raises(Rejected) as caught:
            checked(shown, possession=possession)
        assert caught.value.code == code


def test_an_unbound_answer_to_another_request_is_refused() -> None:
    shown = unbound()
    with pytest.raises(Rejected) as caught:
        checked(Shown(request(seed="another"), shown.answer), possession=True)
    assert caught.value.code == "CHALLENGE_MISMATCH"


def test_a_bound_credential_cannot_be_shown_unsigned_even_where_possession_is_enough() -> None:
    shown = good()
    unsigned(shown)
    with pytest.raises(Rejected) as caught:
        checked(shown, possession=True)
    assert caught.value.code == "HOLDER_NOT_SUBJECT"


def test_the_same_answer_to_another_verifier_is_refused() -> None:
    shown = good()
    with pytest.raises(Rejected) as caught:
        checked(Shown(request(client="landlord.example", seed="another"), shown.answer))
    assert caught.value.code == "CHALLENGE_MISMATCH"
    same_nonce = replace(shown.request, client_id="landlord.example")
    with pytest.raises(Rejected) as caught:
        checked(Shown(same_nonce, shown.answer))
    assert caught.value.code == "DOMAIN_MISMATCH"


def test_declined_and_never_had_are_byte_identical() -> None:
    both = request("Earnings.averageAtLeast12m>=1500", "PlatformMembership.memberSince")
    from_rich_wallet = answer(both, credential(), credential("PlatformMembership"))
    del from_rich_wallet["vp_token"]["PlatformMembership"]  # the worker declined
    from_poor_wallet = answer(both, credential())
    assert json.dumps(from_rich_wallet) == json.dumps(from_poor_wallet)


def test_the_base_proof_marker_is_the_specifications() -> None:
    assert BASE_PROOF.hex() == "d95d02"


def flip(raw: bytes, position: int, bit: int) -> bytes:
    spoilt = bytearray(raw)
    spoilt[position % len(raw)] ^= 1 << bit
    return bytes(spoilt)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(position=st.integers(0, 100_000), bit=st.integers(0, 7))
def test_a_flipped_bit_is_refused_or_changes_no_meaning(position: int, bit: int) -> None:
    shown = good()
    raw = json.dumps(shown.answer).encode()
    try:
        proven = check(
            flip(raw, position, bit), shown.request, trust=trust(), policy=policy(accept_possession=False), at=AT
        )
    except VcError:
        return
    assert proven["Earnings"][0].credentials[0].claims == checked(shown).credentials[0].claims


@settings(max_examples=150, deadline=None)
@given(raw=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_only_our_errors_leave(raw: bytes) -> None:
    with pytest.raises(VcError):
        check(raw, good().request, trust=trust(), policy=policy(accept_possession=False), at=AT)


def test_a_huge_answer_is_refused_by_its_size() -> None:
    with pytest.raises(Malformed) as caught:
        check(b" " * (2 << 20), good().request, trust=trust(), policy=policy(accept_possession=False), at=AT)
    assert caught.value.code == "TOO_LARGE"
