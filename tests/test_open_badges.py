"""Qualification: a valid Open Badges 3.0 credential, whole and in every part of it that is shown.

``OB §…`` is a fragment of https://www.imsglobal.org/spec/ob/v3p0/.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.line import (
    AT,
    Shown,
    answer,
    checked,
    copy,
    credential,
    entry,
    holder_key,
    issuer_keys,
    rand_from,
    request,
    trust,
)
from tests.work_samples import CLAIMS, ISSUER, SOME, WORKER, statement, statements
from vc.canon import parse_object
from vc.contexts import PINS, W3C
from vc.errors import Malformed, Rejected
from vc.model import parse_credential
from vc.secure import derive, hold
from verifier.render import to_text
from verifier.report import build
from verifier.request import Wanted
from wallet.choice import only
from wallet.choose import plan
from wallet.held import by_statement
from wallet.receive import same_statement
from wallet.words import copy_json, plan_json, plan_text, statement_text
from work import CONTEXTS
from work.contexts import OPEN_BADGES_URL
from work.draft import draft
from work.subject import claim_of
from work.types import TYPES

KIND = TYPES["Qualification"]
ALONE = [claim for claim in KIND.claims.values() if not claim.mandatory]
ALIGNMENT = [
    "/credentialSubject/achievement/alignment/0/targetName",
    "/credentialSubject/achievement/alignment/0/targetUrl",
]
Path = tuple[str | int, ...]


# --- what Open Badges asks for ---


def breaches(document: dict[str, Any]) -> Iterator[str]:
    """Every MUST of Open Badges 3.0 that a credential of ours could break, in its JSON form."""
    contexts = document.get("@context")
    if not isinstance(contexts, list) or contexts[:2] != ["https://www.w3.org/ns/credentials/v2", OPEN_BADGES_URL]:
        yield "OB §json-ld: both contexts, the first two of a list"
    types = document.get("type")
    if not isinstance(types, list) or not {"VerifiableCredential", "OpenBadgeCredential"} <= set(types):
        yield "OB §achievementcredential: type"
    yield from need(document, "achievementcredential", id=str, issuer=str | dict, validFrom=str, credentialSubject=dict)
    yield from need(document, "achievementcredential", credentialSchema=list, termsOfUse=list)
    for each in document["credentialSchema"]:
        yield from need(each, "credentialschema", id=str, type=str)
    for each in document["termsOfUse"]:
        yield from need(each, "termsofuse", type=str)
    if isinstance(document["issuer"], dict):
        yield from need(document["issuer"], "profile", id=str, type=["Profile"], name=str)
    yield from subject_breaches(document["credentialSubject"])
    yield from (f"OB §json: nothing empty, {where}" for where in empty(document))


def subject_breaches(subject: dict[str, Any]) -> Iterator[str]:
    yield from need(subject, "achievementsubject", type=["AchievementSubject"], achievement=dict)
    if not isinstance(subject.get("id"), str):  # either the one or at least one of the others
        yield from need(subject, "achievementsubject", identifier=list)
        for each in subject.get("identifier", []):
            yield from need(each, "identityobject", type=str, hashed=bool, identityHash=str, identityType=str)
    achievement = subject["achievement"]
    yield from need(achievement, "achievement", id=str, type=["Achievement"], name=str, description=str, criteria=dict)
    yield from need(achievement, "achievement", achievementType=str)
    yield from need(achievement["criteria"], "criteria", narrative=str)
    for each in achievement.get("alignment", []):
        yield from need(each, "alignment", type=["Alignment"], targetName=str, targetUrl=str)
    for each in subject.get("result", []):
        yield from need(each, "result", type=["Result"], value=str)


def need(node: dict[str, Any], fragment: str, **members: Any) -> Iterator[str]:
    for name, kind in members.items():
        value = node.get(name)
        fits = value == kind if isinstance(kind, list) else isinstance(value, kind)
        if not fits:
            yield f"OB §{fragment}: {name}"


def empty(value: Any, where: str = "") -> Iterator[str]:
    if value in (None, [], {}):
        yield where
    if isinstance(value, dict | list):
        members = value.items() if isinstance(value, dict) else enumerate(value)
        for name, inner in members:
            yield from empty(inner, f"{where}/{name}")


def drafted(made: Any, holder: str | None = WORKER, **more: Any) -> dict[str, Any]:
    return draft(made, issuer=ISSUER, holder=holder, at=more.pop("at", AT), **more).document


@pytest.mark.parametrize("name", ["", "Example platform"])
@pytest.mark.parametrize("holder", [WORKER, None])
@SOME
@given(made=statements("Qualification"))
def test_any_qualification_is_an_open_badge(holder: str | None, name: str, made: Any) -> None:
    assert [*breaches(drafted(made, holder, issuer_name=name))] == []


@pytest.mark.parametrize("bound", [True, False])
@pytest.mark.parametrize("shown", [[], *([claim.pointer] for claim in ALONE if not claim.needs), ALIGNMENT])
def test_whatever_is_shown_is_an_open_badge(bound: bool, shown: list[str]) -> None:
    held = hold(credential("Qualification", bound=bound), contexts=CONTEXTS)
    assert [*breaches(derive(held, shown, presentation_header=b"", rand=rand_from("shown")))] == []


@pytest.mark.parametrize(
    ("where", "value", "breach"),
    [
        (("id",), None, "OB §achievementcredential: id"),
        (("type",), ["VerifiableCredential", "QualificationCredential"], "OB §achievementcredential: type"),
        (("issuer",), {"id": ISSUER, "name": "x"}, "OB §profile: type"),
        (("termsOfUse",), {"type": "WorkerDataTerms"}, "OB §achievementcredential: termsOfUse"),
        (("credentialSubject", "id"), None, "OB §achievementsubject: identifier"),
        (("credentialSubject", "achievement", "id"), None, "OB §achievement: id"),
        (("credentialSubject", "achievement", "alignment", 0, "targetUrl"), None, "OB §alignment: targetUrl"),
        (("credentialSubject", "result"), [], "OB §json: nothing empty, /credentialSubject/result"),
    ],
)
def test_a_breach_is_found(where: Path, value: Any, breach: str) -> None:
    document = drafted(statement("Qualification"))
    node: Any = document
    for part in where[:-1]:
        node = node[part]
    node.update({where[-1]: value}) if value is not None else node.pop(where[-1])
    assert breach in breaches(document)


def test_the_context_is_that_of_the_specification() -> None:
    """Its terms that we use, as the vocabulary names them, and the file is the one that was reviewed."""
    name, _ = PINS[OPEN_BADGES_URL]
    terms = parse_object(W3C.raw[OPEN_BADGES_URL])["@context"]
    assert name == "open-badges-3.0.3.jsonld"
    assert isinstance(terms, dict)
    told = json.dumps(terms)
    for iri in ("achievement", "achievementType", "alignment", "Criteria", "narrative", "result", "Profile"):
        assert f'"https://purl.imsglobal.org/spec/vc/ob/vocab.html#{iri}"' in told


# --- what is shown tells nothing of who shows it ---


def test_an_id_is_made_of_what_is_shown_beside_it() -> None:
    one, again = (
        drafted(statement("Qualification")),
        drafted(statement("Qualification", level=None, resultValue="poor")),
    )
    assert one["id"] == again["id"]  # nothing that can be kept back is in it
    assert one["credentialSubject"]["achievement"]["id"] == again["credentialSubject"]["achievement"]["id"]
    assert one["id"].startswith("urn:uuid:")


def test_single_use_copies_share_no_id_of_their_own() -> None:
    one, other = drafted(statement("Qualification")), drafted(statement("Qualification"), holder_key("other").did)
    assert one["id"] != other["id"]
    assert one["credentialSubject"]["achievement"] == other["credentialSubject"]["achievement"]
    assert same_statement(parse_credential(one)) == same_statement(parse_credential(other))


def test_two_badges_for_one_key_have_two_ids_and_so_have_those_of_two_months() -> None:
    ids = {
        drafted(statement("Qualification"))["id"],
        drafted(statement("Qualification", achievementName="Roofer"))["id"],
        drafted(statement("Qualification"), at=AT + timedelta(days=31))["id"],
        drafted(statement("Qualification"), None)["id"],
    }
    assert len(ids) == 4


def test_copies_without_a_key_share_what_the_batch_shares() -> None:
    one, other = (draft_of(worker)["id"] for worker in ("W1", "W2"))
    assert one == other


def draft_of(worker: str) -> dict[str, Any]:
    made = statement("Qualification")
    return drafted(type(made)("Qualification", worker, made.claims), None)


# --- the whole way ---

ASKED = ("Qualification.level", "Qualification.alignmentName", "Qualification.resultValue")


def test_from_the_issuer_to_the_report() -> None:
    asked = request(*ASKED, purpose="employment.fr")
    shown = answer(asked, credential("Qualification"))
    verified = checked(Shown(asked, shown))
    report = build(asked, {"Qualification": [verified]}, trust=trust(), at=AT)
    (proven,) = report.proven
    mandatory = {claim.name for claim in KIND.claims.values() if claim.mandatory}
    assert proven.type == "Qualification"
    assert proven.claims.keys() == mandatory | {"level", "alignmentName", "alignmentUrl", "resultValue"}
    assert all(proven.claims[name] == CLAIMS["Qualification"][name] for name in proven.claims)
    assert (proven.unread, report.not_shown, proven.purpose_allowed) == ((), (), True)
    assert CLAIMS["Qualification"]["expertiseOf"] not in json.dumps(shown)
    (derived,) = shown["vp_token"]["Qualification"][0]["verifiableCredential"]
    assert [*breaches(derived)] == []


WORDS = {
    "en": ["qualification: timber frame surveyor", "rests on: a review by people of the same trade", "certification"],
    "fr": ["qualification : timber frame surveyor", "une évaluation par des pairs", "certification"],
}


@pytest.mark.parametrize("lang", WORDS)
def test_the_report_and_the_wallet_say_it_in_words(lang: str) -> None:
    asked = request(*ASKED, purpose="employment.fr")
    held = copy(credential("Qualification"))
    assert not isinstance(held.document, str)
    made = plan(asked, [held], contexts=CONTEXTS, at=AT)
    report = build(
        asked,
        {"Qualification": [checked(Shown(asked, answer(asked, dict(held.document))))]},
        trust=trust(),
        at=AT,
    )
    for told in (plan_text(asked, made, lang), statement_text(by_statement([held])[0], lang), to_text(report, lang)):
        plain = " ".join(told.split()).casefold()  # of a report, lines are broken anywhere
        assert all(sentence in plain for sentence in WORDS[lang]), plain
        assert "urn:uuid" not in plain


def test_the_wallet_reads_its_claims_by_their_names() -> None:
    asked = request("Qualification.level", "Qualification.heldUntil", purpose="employment.fr")
    held = copy(credential("Qualification"))
    assert copy_json(held)["claims"] == CLAIMS["Qualification"]
    proposals = plan_json(asked, plan(asked, [held], contexts=CONTEXTS, at=AT))["proposals"]
    assert isinstance(proposals, list)
    (proposal,) = proposals
    assert isinstance(proposal, dict)
    assert proposal["judgements"] == {"Qualification.level": "expected", "Qualification.heldUntil": "expected"}
    shown = proposal["shown"]
    assert isinstance(shown, dict)
    assert (shown["achievementName"], shown["heldUntil"]) == ("Timber frame surveyor", "2027-06")


def test_what_says_nothing_alone_is_shown_with_what_it_needs() -> None:
    asked = request("Qualification.expertiseLevel", "Qualification.level", purpose="insurance.rcpro.fr")
    assert {claim.id for query in asked.queries for claim in query.claims} == {
        "expertiseLevel",
        "level",
        "expertiseScheme",
    }
    made = plan(asked, [copy(credential("Qualification"))], contexts=CONTEXTS, at=AT)
    (less,) = only(made, ["Qualification.expertiseLevel"]).proposals
    assert [one.claim for one in less.asked] == ["expertiseLevel", "expertiseScheme"]
    (bare,) = only(made, ["Qualification.level"]).proposals
    assert [one.claim for one in bare.asked] == ["level"]


def test_another_verifier_that_asks_for_half_gets_what_it_needs() -> None:
    asked = request("Qualification.expertiseScheme", purpose="insurance.rcpro.fr")
    (query,) = asked.queries
    half = replace(asked, queries=(replace(query, claims=query.claims[:1]),))
    made = plan(half, [copy(credential("Qualification"))], contexts=CONTEXTS, at=AT)
    assert [one.claim for one in made.proposals[0].asked] == ["expertiseScheme", "expertiseLevel"]


def test_absent_is_not_shown_and_no_filler_is_told() -> None:
    made = credential("Qualification")
    told = statement_text(by_statement([copy(made)])[0], "en")
    assert "~01" not in told
    asked = request("Qualification.level", purpose="employment.fr")
    assert plan(asked, [copy(credential("Earnings"))], contexts=CONTEXTS, at=AT).proposals == ()


def test_an_issuer_has_to_be_trusted_with_open_badges_too() -> None:
    asked = request(*ASKED, purpose="employment.fr")
    shown = Shown(asked, answer(asked, credential("Qualification")))
    with pytest.raises(Rejected) as caught:
        checked(shown, trusted=trust(entry(issuer_keys(), mayAttest=["QualificationCredential"])))
    assert [finding.code for finding in caught.value.findings] == ["TYPE_NOT_TRUSTED"]


def test_another_order_of_contexts_is_refused() -> None:
    asked = request(*ASKED, purpose="employment.fr")
    shown = answer(asked, credential("Qualification"))
    derived = shown["vp_token"]["Qualification"][0]["verifiableCredential"][0]
    derived["@context"] = [derived["@context"][0], *derived["@context"][:0:-1]]
    with pytest.raises((Rejected, Malformed)):
        checked(Shown(asked, shown))


@given(st.sampled_from(sorted(KIND.claims)))
def test_claims_are_asked_by_the_path_where_they_stand(name: str) -> None:
    (query,) = request(f"Qualification.{name}", purpose="employment.fr").queries
    path = query.claims[0].path
    assert claim_of(KIND, "/" + "/".join(map(str, path))) == Wanted.parse(f"Qualification.{name}").claim
