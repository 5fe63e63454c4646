"""The guard: verdicts, law, counter-offers, what can be recognised; and what a hostile request cannot do to it."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.line import AT, copy, credential, holder_key, request
from vc.canon import to_json
from vc.oid4vp import MAX_CLAIMS, MAX_QUERIES, ClaimQuery, Request, parse_request
from wallet.choose import Copy, plan
from wallet.guard import ROUGHER, CounterOffer, Why, assess, counter_offer
from wallet.guard_words import counter_lines, message, trace_lines, verdict_lines
from wallet.traces import Reason, traces
from wallet.words import list_text, plan_text, statements
from work import CONTEXTS
from work.purposes import PURPOSES, Judgement
from work.subject import SUBJECT
from work.types import LANGUAGES, TYPES

KINDS = ("Earnings", "WorkHistory", "PlatformMembership", "Rating", "RatingBand")
LAWS = ("GDPR", "RGPD", "Directive", "directive", "ecree", "écret", "D.7342-6")


def held(*kinds: str) -> list[Copy]:
    return [replace(copy(credential(kind)), id=kind.encode()) for kind in kinds or KINDS]


def offer_for(asked: Request, *kinds: str) -> CounterOffer:
    return counter_offer(asked, held(*kinds), contexts=CONTEXTS, at=AT)


def housing(*claims: str) -> Request:
    return request(*claims, purpose="housing.tenancy.fr")


def test_every_rule_of_every_pack_carries_a_law_in_both_languages() -> None:
    for purpose in PURPOSES.values():
        for rule in purpose.rules:
            for lang in LANGUAGES:
                assert any(law in rule.law[lang] for law in LAWS), (purpose.code, rule.law[lang])


def test_every_ladder_is_reached_from_the_figure_that_it_is_computed_from() -> None:
    for kind in TYPES.values():
        for claim in kind.claims.values():
            if claim.ladder and claim.basis:
                assert claim.name in ROUGHER[f"{kind.name}.{claim.basis.claim}"]
    for name, ladders in ROUGHER.items():
        owner, _, figure = name.partition(".")
        assert figure in TYPES[owner].claims
        assert all(TYPES[owner].claims[ladder].ladder for ladder in ladders)


def test_each_demand_has_its_verdict_and_its_law() -> None:
    judged = {
        (one.type, one.claim): one for one in assess(housing("Earnings.monthly", "Rating", "WorkHistory.lastJob"))
    }
    assert judged["Earnings", "monthly"].judgement is Judgement.never
    assert judged["Rating", ""].judgement is Judgement.never
    assert judged["WorkHistory", "lastJob"].judgement is Judgement.expected
    law = judged["Rating", ""].law
    assert law is not None
    assert ("article 22-2" in law["en"], "article 22-2" in law["fr"]) == (True, True)


def test_without_a_known_purpose_everything_is_unusual_and_nothing_is_offered() -> None:
    extras: tuple[Any, ...] = (
        {},
        {"purpose": {"code": "made.up"}},
        {"purpose": "housing.tenancy.fr"},
        {"purpose": {"code": ["x"]}},
    )
    for extra in extras:
        nameless = replace(request("Earnings.averageAtLeast12m>=1500"), extra=extra)
        assert {one.judgement for one in assess(nameless)} == {Judgement.unusual}
        offer = offer_for(nameless)
        assert (offer.offered, offer.answer.proposals) == ((), ())
        assert "what it is for" in "\n".join(counter_lines(offer, "en"))


def test_a_landlord_who_asks_too_much_is_offered_a_threshold() -> None:
    offer = offer_for(housing("Earnings.monthly", "Rating", "Review", "PlatformMembership.status"))
    shown = {(one.type, one.claim): one for one in offer.offered}
    assert shown.keys() == {("Earnings", "averageAtLeast12m"), ("PlatformMembership", "status")}
    rung = shown["Earnings", "averageAtLeast12m"]
    assert (rung.rung, rung.instead_of, rung.optional) == ("001500", ("Earnings.monthly",), True)
    assert {(one.type, one.why) for one in offer.withheld} == {
        ("Earnings", Why.never), ("Rating", Why.never), ("Review", Why.never)}  # fmt: skip
    assert [proposal.type for proposal in offer.answer.proposals] == ["PlatformMembership"]
    assert not offer.complete
    told = "\n".join(counter_lines(offer, "fr"))
    assert "1\u202f500" in told
    assert "On apprendrait encore" in told
    assert "On n’apprendrait pas" in told


def test_what_can_be_answered_is_answered_with_what_is_asked_and_no_more() -> None:
    asked = housing("Earnings.averageAtLeast12m>=1500", "Earnings.monthly", "Rating", "PlatformMembership.status")
    offer = offer_for(asked)
    assert offer.instead == ()  # the threshold is asked: it needs no other in its place
    shown = {proposal.type: [one.claim for one in proposal.asked] for proposal in offer.answer.proposals}
    assert shown == {"Earnings": ["averageAtLeast12m"], "PlatformMembership": ["status"]}
    whole = plan(asked, held(), contexts=CONTEXTS, at=AT)
    everything = {one.pointer for proposal in whole.proposals for one in proposal.asked}
    assert {one.pointer for proposal in offer.answer.proposals for one in proposal.asked} < everything
    assert not offer.complete
    assert "turn it down" in "\n".join(counter_lines(offer, "en"))


def test_a_request_in_order_has_no_smaller_answer() -> None:
    offer = offer_for(request("Earnings.averageAtLeast12m>=1500"))
    assert (offer.says_less, offer.complete, offer.instead) == (False, True, ())
    assert list(counter_lines(offer, "en")) == ["Nothing smaller would still serve the purpose."]


def test_figures_become_rungs_where_the_wallet_has_them() -> None:
    offer = offer_for(request("Earnings.total", "Earnings.monthly", "PlatformMembership.memberSince"))
    assert {one.claim: one.instead_of for one in offer.offered} == {
        "averageAtLeast12m": ("Earnings.total", "Earnings.monthly"),
        "tenureMonthsAtLeast": ("PlatformMembership.memberSince",),
    }
    assert {one.why for one in offer.withheld} == {Why.rougher}


def test_a_band_is_offered_instead_of_a_rating() -> None:
    asked = request("Rating", purpose="platform.onboarding.eu")
    assert [(one.type, one.instead_of) for one in offer_for(asked).offered] == [("RatingBand", ("Rating",))]
    alone = offer_for(asked, "Rating")
    assert (alone.offered, [one.why for one in alone.withheld]) == ((), [Why.optional])
    assert offer_for(housing("Rating")).offered == ()  # a band is a rating, too


def test_a_ladder_asked_without_a_threshold_is_answered_with_one_rung() -> None:
    asked = request("Earnings.averageAtLeast12m>=1500")
    (query,) = asked.queries
    every = replace(query, claims=(ClaimQuery("all", (SUBJECT, "averageAtLeast12m", None), ()),))
    asked = replace(asked, queries=(every,))
    (whole,) = plan(asked, held(), contexts=CONTEXTS, at=AT).proposals
    assert len(whole.asked) > 1
    (less,) = offer_for(asked).answer.proposals
    assert [one.value for one in less.asked] == [max(one.value for one in whole.asked)]


def test_of_alternatives_the_one_that_the_purpose_allows_is_answered_whole() -> None:
    asked = housing("Earnings.averageAtLeast12m>=1500", "Earnings.monthly")
    (query,) = asked.queries
    ids = {claim.path[1]: claim.id for claim in query.claims}
    sets = ((ids["monthly"],), (ids["averageAtLeast12m"],))
    offer = offer_for(replace(asked, queries=(replace(query, claim_sets=sets),)))
    (proposal,) = offer.answer.proposals
    assert [one.claim for one in proposal.asked] == ["averageAtLeast12m"]
    assert (offer.instead, offer.complete) == ((), True)


def test_the_message_is_a_request_that_the_wallet_answers_whole() -> None:
    offer = offer_for(housing("Earnings.monthly", "Rating", "PlatformMembership.status"))
    told: Any = json.loads(to_json(message(offer)))
    assert told["ask"] == ["PlatformMembership.status", "Earnings.averageAtLeast12m>=1500"]
    asked = housing("WorkHistory.lastJob")
    raw = {
        "response_type": "vp_token",
        "client_id": asked.client_id,
        "nonce": asked.nonce,
        "dcql_query": told["dcql_query"],
        "purpose": {"code": "housing.tenancy.fr"},
    }
    again = offer_for(parse_request(json.dumps(raw).encode()))
    assert (again.says_less, again.complete) == (False, True)
    assert "12\u202f000" not in json.dumps(told, ensure_ascii=False)  # no figure of the statement is in it
    assert {one["why"] for one in told["wouldNotShow"]} == {"never"}


def test_all_of_a_subject_is_judged_by_the_worst_of_it() -> None:
    asked = housing("WorkHistory.lastJob")
    (query,) = asked.queries
    whole = replace(asked, queries=(replace(query, claims=(ClaimQuery("all", (SUBJECT,), ()),)),))
    (judged,) = assess(whole)
    assert judged.judgement is Judgement.never
    assert offer_for(whole).answer.proposals == ()
    assert "everything in it" in "\n".join(verdict_lines(whole, "en"))


def hostile(count: int = MAX_CLAIMS) -> Request:
    """A request for everything, in as many claims as there may be, with names that move the cursor."""
    queries = [
        {
            "id": f"q{number}",
            "format": "ldp_vc",
            "meta": {"type_values": [["https://w3id.org/ouvrage/v1#EarningsCredential" if number else "evil\x1b[2J"]]},
            "claims": [
                {"path": [SUBJECT, f"<script>\x1b[31m\u202e{number}.{index}" + "x" * 80]} for index in range(count)
            ],
        }
        for number in range(MAX_QUERIES)
    ]
    raw = {
        "response_type": "vp_token",
        "client_id": "evil\x1b[2J\u202ename",
        "nonce": "n" * 32,
        "dcql_query": {"credentials": queries},
        "purpose": {"code": "housing.tenancy.fr", "necessity": "because\x07"},
    }
    return parse_request(json.dumps(raw).encode())


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_request_for_everything_stays_readable(lang: str) -> None:
    asked = hostile()
    assert sum(len(query.claims) for query in asked.queries) > 2000
    made = plan(asked, held(), contexts=CONTEXTS, at=AT)
    text = "\n".join([plan_text(asked, made, lang), *counter_lines(offer_for(asked), lang)])
    assert len(text) < 6000
    assert not {"\x1b", "\x07", "\u202e"} & set(text)
    assert "more" in text if lang == "en" else "autres" in text


def test_a_credential_cannot_write_into_the_terminal() -> None:
    evil = copy(credential())
    subject: Any = {
        **evil.credential.subjects[0],
        "currency": "EUR\x1b[2J\u202e",
        "averageAtLeast12m": ["001500", "99\x1b99"],
    }
    evil = replace(evil, credential=replace(evil.credential, subjects=(subject,)))
    offer = counter_offer(housing("Earnings.monthly"), [evil], contexts=CONTEXTS, at=AT)
    assert [one.rung for one in offer.offered] == ["001500"]
    for text in ("\n".join(counter_lines(offer, "en")), json.dumps(message(offer)["text"], ensure_ascii=False)):
        assert not {"\x1b", "\u202e"} & set(text)


def test_what_a_choice_makes_linkable() -> None:
    asked = request("Earnings.averageAtLeast12m>=1500")
    (proposal,) = plan(asked, held(), contexts=CONTEXTS, at=AT).proposals
    assert list(traces(proposal)) == []  # a rung is what many people say
    (proposal,) = plan(request("Earnings.monthly"), held(), contexts=CONTEXTS, at=AT).proposals
    assert [(one.reason, one.claims) for one in traces(proposal)] == [(Reason.figures, ("monthly",))]
    again = replace(proposal, copy=replace(proposal.copy, shown=3, holder=None))
    assert [one.reason for one in traces(again)] == [Reason.shown, Reason.figures, Reason.unbound]
    assert "3" in next(trace_lines(again, "fr"))
    (proposal,) = plan(request("WorkHistory.serviceTypes", "WorkHistory.areas", purpose="employment.fr"), held(),
                       contexts=CONTEXTS, at=AT).proposals  # fmt: skip
    assert [(one.reason, one.claims) for one in traces(proposal)] == [
        (Reason.figures, ("serviceTypes",)), (Reason.rare, ("areas",))]  # fmt: skip
    (proposal,) = plan(request("Rating", purpose="platform.onboarding.eu"), held(), contexts=CONTEXTS, at=AT).proposals
    assert [one.reason for one in traces(proposal)] == [Reason.type]


def test_copies_that_run_low_are_told() -> None:
    keys = [holder_key(f"key {number}") for number in range(4)]
    copies = [copy(credential(holder=key)) for key in keys]
    assert "refresh" not in list_text(statements(copies), "en")
    spent = [replace(one, shown=int(number < 2)) for number, one in enumerate(copies)]
    assert "2 copies left; `ouvrage wallet refresh` fetches more" in list_text(statements(spent), "en")
    assert "Il reste 2 exemplaires" in list_text(statements(spent), "fr")
    asked = request()
    assert "1 copy left" in plan_text(asked, plan(asked, spent, contexts=CONTEXTS, at=AT), "en")
    own = [replace(one, own=True) for one in spent]
    assert "import the file again" in list_text(statements(own), "en")
