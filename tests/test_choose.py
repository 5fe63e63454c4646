"""What the wallet would answer, what it warns of, and what it never volunteers."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.line import AT, answer, copy, credential, holder_key, request, unbinding
from vc.errors import Malformed, Undetermined
from vc.oid4vp import CredentialSet, Request
from wallet.choice import claim_name, only
from wallet.choose import Plan, plan
from wallet.ledger import START, check_chain, digest, entry
from wallet.present import present
from wallet.words import list_text, plan_json, plan_text, shown_claims, statements
from work import CONTEXTS
from work.purposes import Judgement
from work.types import TYPES


def planned(asked: Request, *documents: Any) -> Plan:
    return plan(asked, [copy(document) for document in documents], contexts=CONTEXTS, at=AT)


def test_exactly_what_is_asked_and_what_is_mandatory() -> None:
    made = planned(request(), credential())
    (proposal,) = made.proposals
    assert [one.value for one in proposal.asked] == ["001500"]
    mandatory = {claim.name for claim in TYPES["Earnings"].claims.values() if claim.mandatory}
    assert set(shown_claims(proposal)) == mandatory | {"averageAtLeast12m"}
    (presentation,) = answer(request(), credential())["vp_token"]["Earnings"]
    (shown,) = presentation["verifiableCredential"]
    assert set(shown["credentialSubject"]) == mandatory | {"averageAtLeast12m", "id"}
    assert shown["credentialSubject"]["averageAtLeast12m"] == ["001500"]


def test_a_rung_that_is_not_reached_is_not_answered_and_not_told() -> None:
    made = planned(request("Earnings.averageAtLeast12m>=3000"), credential())
    assert made.proposals == ()
    assert [query.id for query in made.unanswered] == ["Earnings"]


def test_padding_is_never_shown() -> None:
    made = planned(request("Earnings.monthly", "Earnings.total12m"), credential())
    assert made.proposals == ()  # the sample has no total12m: only padding stands there
    (proposal,) = planned(request("Earnings.monthly"), credential()).proposals
    assert [one.value for one in proposal.asked] == ["2025-05 12000.00", "2025-06 0.00", "2025-07 6210.30"]


def test_an_expired_credential_is_not_offered() -> None:
    old = credential(at=AT - timedelta(days=90))
    assert planned(request(), old).proposals == ()


def test_the_least_shown_copy_is_spent_and_the_last_one_is_told() -> None:
    keys = [holder_key(name) for name in ("one", "two", "three")]
    copies = [replace(copy(credential(holder=key)), shown=shown) for key, shown in zip(keys, (1, 0, 2), strict=True)]
    (proposal,) = plan(request(), copies, contexts=CONTEXTS, at=AT).proposals
    assert proposal.copy.holder == keys[1].did
    assert (proposal.fresh, proposal.copies_left) == (True, 1)
    spent = [replace(one, shown=one.shown + 1) for one in copies]
    (proposal,) = plan(request(), spent, contexts=CONTEXTS, at=AT).proposals
    assert (proposal.fresh, proposal.copies_left) == (False, 0)
    assert "could find out" in plan_text(request(), plan(request(), spent, contexts=CONTEXTS, at=AT), "en")


def test_an_unbound_copy_answers_only_where_no_binding_is_asked() -> None:
    unbound = credential(bound=False)
    assert planned(request(), unbound).proposals == ()
    (proposal,) = planned(unbinding(request()), unbound).proposals
    assert proposal.copy.holder is None


def test_the_key_of_the_copy_is_needed() -> None:
    (proposal,) = planned(request(), credential()).proposals
    for key in (None, holder_key("another")):
        with pytest.raises(Undetermined):
            present(proposal, request=request(), key=key, contexts=CONTEXTS, at=AT, rand=bytes)


def test_a_purpose_is_compared_with_what_is_asked() -> None:
    housing = request("Rating", "Earnings.monthly", "WorkHistory.lastJob", purpose="housing.tenancy.fr")
    made = planned(housing, credential(), credential("Rating"))
    judged = {claim_name(proposal, one): one.judgement for proposal in made.proposals for one in proposal.asked}
    assert judged["Earnings.monthly"] is Judgement.never
    for lang, word in (("en", "Must not be asked"), ("fr", "Ne doit pas être demandé")):
        assert word in plan_text(housing, made, lang)


def test_a_whole_type_that_must_not_be_asked_is_warned_of() -> None:
    housing = request("Rating", purpose="housing.tenancy.fr")
    assert "Must not be asked" in plan_text(housing, planned(housing, credential("Rating")), "en")


def test_without_a_purpose_everything_is_unusual() -> None:
    nameless = replace(request(), extra={})
    (proposal,) = planned(nameless, credential()).proposals
    assert {one.judgement for one in proposal.asked} == {Judgement.unusual}
    assert "does not name" in plan_text(nameless, planned(nameless, credential()), "en")


def test_a_rating_warns_that_it_can_be_recognised() -> None:
    asked = request("Rating", purpose="platform.onboarding.eu")
    assert "recognised by its content" in plan_text(asked, planned(asked, credential("Rating")), "en")


def test_the_band_is_offered_instead_where_there_is_one() -> None:
    asked = request("Rating", purpose="platform.onboarding.eu")
    for lang, named in (("en", "“Rating, as a band”"), ("fr", "« Note, en tranche »")):
        assert named in plan_text(asked, planned(asked, credential("Rating"), credential("RatingBand")), lang)
        assert named not in plan_text(asked, planned(asked, credential("Rating")), lang)
    only_band = request("RatingBand", purpose="platform.onboarding.eu")
    told = plan_text(only_band, planned(only_band, credential("RatingBand")), "en")
    assert "somewhere between 4.5 and 5" in told
    assert "recognised by its content" not in told


def test_of_alternatives_the_one_that_leaves_no_trace_is_shown() -> None:
    asked = request("Rating", "RatingBand", purpose="platform.onboarding.eu")
    either = replace(asked, sets=(CredentialSet((("Rating",), ("RatingBand",)), required=True),))
    both, alone = (credential("Rating"), credential("RatingBand")), (credential("Rating"),)
    assert [one.type for one in planned(either, *both).proposals] == ["RatingBand"]
    assert [one.type for one in planned(either, *alone).proposals] == ["Rating"]


def test_the_worker_can_show_less_and_never_more() -> None:
    asked = request("Earnings.averageAtLeast12m>=1500", "Earnings.periodStart", "PlatformMembership.memberSince")
    made = planned(asked, credential(), credential("PlatformMembership"))
    less = only(made, ["Earnings.averageAtLeast12m"])
    assert [proposal.type for proposal in less.proposals] == ["Earnings"]
    assert [one.pointer.split("/")[2] for one in less.proposals[0].asked] == ["averageAtLeast12m"]
    assert len(only(made, ["Earnings"]).proposals[0].asked) == 2
    with pytest.raises(Malformed) as caught:
        only(made, ["Earnings.total"])
    assert caught.value.code == "NOT_ASKED"


def test_alternatives_are_tried_in_the_verifiers_order() -> None:
    asked = request("Earnings.averageAtLeast12m>=1500", "PlatformMembership.memberSince")
    either = replace(asked, sets=(CredentialSet((("Earnings",), ("PlatformMembership",)), required=True),))
    assert [one.type for one in planned(either, credential(), credential("PlatformMembership")).proposals] == [
        "Earnings"
    ]
    assert [one.type for one in planned(either, credential("PlatformMembership")).proposals] == ["PlatformMembership"]
    assert [query.id for query in planned(either).unanswered] == ["Earnings"]


def test_another_type_does_not_answer() -> None:
    assert planned(request(), credential("Rating")).proposals == ()


def test_a_verifiers_texts_cannot_move_the_terminal() -> None:
    asked = replace(
        request(), client_id="evil\x1b[2J\u202ename", extra={"purpose": {"necessity": "\x07" * 3 + "x" * 999}}
    )
    text = plan_text(asked, planned(asked, credential()), "fr")
    assert not {"\x1b", "\x07", "\u202e"} & set(text)


def test_lists_are_told_in_both_languages() -> None:
    entries = statements([copy(credential()), copy(credential(holder=holder_key("x")))])
    assert len(entries) == 1
    assert "2 of 2 copies unused" in list_text(entries, "en")
    assert "2 exemplaires neufs sur 2" in list_text(entries, "fr")
    assert json.dumps(plan_json(request(), planned(request(), credential())))


def test_the_ledger_is_a_chain_that_shows_tampering() -> None:
    made = planned(request(), credential())
    first = entry(request(), made.proposals, at=AT, previous=None)
    second = entry(request(), made.proposals, at=AT, previous=first)
    assert first["previous"] == START
    assert second["previous"] == digest(first)
    check_chain([first, second])
    for broken in (
        [second],
        [first, {**second, "verifier": "another"}, entry(request(), (), at=AT, previous=second)],
        [{**first, "at": "2026-01-01T00:00:00Z"}, second],
    ):
        with pytest.raises(Malformed) as caught:
            check_chain(broken)
        assert caught.value.code == "LEDGER_BROKEN"
