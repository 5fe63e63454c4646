"""The verifier's report: what it says, what it never says, and that absence looks the same whatever its reason."""

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.work_samples import REVIEW
from vc.canon import Json, to_json
from vc.errors import Finding, Malformed, Rejected, Undetermined, Unsupported, VcError
from vc.keys import Ed25519Key
from vc.model import Credential, parse_credential
from vc.oid4vp import ClaimQuery, Request, credential_query, parse_request
from vc.proof import ASSERTION, add_proof, proof_options
from vc.suites.plain import EDDSA_RDFC_2022
from vc.trust import Trust, TrustedIssuer, TrustedKey
from vc.verify import Binding, Verified, VerifiedCredential
from verifier.render import to_html, to_text
from verifier.report import Report, Verdict, build, refused
from verifier.words import MAX_MARKS, clean, has_words
from work import CONTEXTS
from work.contexts import URL
from work.draft import draft
from work.statement import Claims, Statement, context_digest
from work.types import TYPES
from work.wording import WHOLE

AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
TRUST_DAY = datetime(2026, 11, 20, tzinfo=UTC)
NARROW = "\N{NARROW NO-BREAK SPACE}"
FIXED = "\N{NO-BREAK SPACE}"

PUBLIC = Ed25519Key.from_seed(b"\x01" * 32)
STRANGER = Ed25519Key.from_seed(b"\x02" * 32)
KEY = TrustedKey(PUBLIC.verification_method, datetime(2026, 1, 1, tzinfo=UTC), None)
PLATFORM = TrustedIssuer(
    "Comptoir des Tâches SA", "SIREN 552 100 554", frozenset(kind.credential_type for kind in TYPES.values()), (KEY,)
)
TRUST = Trust(TRUST_DAY, (PLATFORM,), (), CONTEXTS, {KEY.method: (PLATFORM, KEY)})

COMMON = {"category": "freelance", "sourceMethod": "platformNative", "periodEnd": "2026-10"}
EARNINGS: Claims = {
    **COMMON,
    "currency": "EUR",
    "basis": "afterCommission",
    "tipsIncluded": "false",
    "incentivesIncluded": "true",
    "tollsIncluded": "notPublished",
    "expensesNotDeducted": "true",
    "averageAtLeast12m": ("001500",),
}
MEMBERSHIP: Claims = {**COMMON, "tenureMonthsAtLeast": ("000024",), "status": "active"}
CONTEXT = Statement(
    "RatingContext",
    "",
    {
        "category": "sharing",
        "raterPopulation": "guests",
        "computation": "arithmeticMean",
        "population": "3036",
        "populationMean": "4.77",
        "percentiles": ("10 4.5", "50 4.85", "90 5.0"),
        "shareAtMax": "0.2",
        "responseRate": "notPublished",
        "windowRule": "allTime",
        "distribution": ("notPublished",),
        "excludesOutsideControl": "notPublished",
        "actionThreshold": "notPublished",
        "biasAudit": "notPublished",
        "asOf": "2026-10",
        "knownBiasNotes": ("doi:10.1145/2998181.2998327",),
    },
)
RATING: Claims = {
    **COMMON,
    "category": "sharing",
    "periodStart": "2024-11",
    "computation": "arithmeticMean",
    "raterPopulation": "guests",
    "perRater": "false",
    "ratingValue": "4.79",
    "bestRating": "5",
    "worstRating": "1",
    "ratingCount": "120",
    "jobsEligible": "200",
    "responseRate": "0.6",
    "distribution": ("notPublished",),
    "windowKind": "allTime",
    "windowSize": "notApplicable",
    "intervalLower": "4.567",
    "intervalUpper": "4.902",
    "intervalLevel": "95",
    "intervalMethod": "wilsonBound",
    "contextDigest": context_digest(CONTEXT),
    "excludedCount": "notPublished",
    "raterCountDistinct": "notPublished",
    "topRaterShare": "notPublished",
    "effectiveShare": "notPublished",
    "shrunkValue": "notStated",
    "priorMean": "notStated",
    "priorStrength": "notStated",
    "priorSource": "notStated",
    "methodUrl": "notPublished",
    "knownBiasNotes": ("doi:10.1145/2998181.2998327",),
}
BAND: Claims = {
    **COMMON,
    "category": "sharing",
    "computation": "arithmeticMean",
    "raterPopulation": "guests",
    "perRater": "false",
    "bandFrom": "4.5",
    "bandTo": "5",
    "bestRating": "5",
    "worstRating": "1",
    "ratingsAtLeast": "000100",
    "coarseResponseRate": "0.6",
    "coarseTopRaterShare": "notPublished",
    "coarseDistribution": ("notPublished",),
    "windowKind": "allTime",
    "windowSize": "notApplicable",
    "intervalLevel": "95",
    "intervalMethod": "wilsonBound",
    "contextDigest": context_digest(CONTEXT),
}


def query(kind: str, *claims: ClaimQuery, sets: tuple[tuple[str, ...], ...] = ()) -> dict[str, Json]:
    return credential_query(kind.lower(), [f"{URL}#{kind}Credential"], claims, sets)


def claim(name: str, *values: str) -> ClaimQuery:
    many = any(name in kind.claims and kind.claims[name].many for kind in TYPES.values())
    path = ("credentialSubject", name, None) if many else ("credentialSubject", name)
    return ClaimQuery("-".join((name, *values)), path, values)


def request(*queries: dict[str, Json], client: str = "Banque du Port", **purpose: Json) -> Request:
    stated = {
        "code": "credit.consumer.eu",
        "necessity": "To see that you can pay back.",
        "retentionDays": 30,
        **purpose,
    }
    members: dict[str, Json] = {
        "response_type": "vp_token",
        "client_id": client,
        "nonce": "a-nonce-that-nobody-guesses",
        "dcql_query": {"credentials": list[Json](queries)},
        "purpose": stated,
    }
    return parse_request(to_json(members))


LOAN = request(query("Earnings", claim("averageAtLeast12m", "001500")))
RATED = request(query("Rating"), code="platform.onboarding.eu")


def credential(kind: str, claims: Mapping[str, Any], **changes: Any) -> VerifiedCredential:
    subject: dict[str, Json] = {name: list(one) if isinstance(one, tuple) else one for name, one in claims.items()}
    terms: Json = TYPES[kind].terms if kind in TYPES else []
    made = VerifiedCredential(
        types=("VerifiableCredential", f"{kind}Credential"),
        claims=subject,
        document={
            "issuer": {"id": PUBLIC.did, "name": "A Name Of Its Own"},
            "credentialSubject": subject,
            "termsOfUse": terms,
        },
        issuer=PLATFORM,
        key=KEY,
        suite="bbs-2023",
        binding=Binding.KEY,
        valid_from=datetime(2026, 11, 1, tzinfo=UTC),
        valid_until=datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC),
        not_checked=("IDENTITY", "WITHHELD", "REVOCATION"),
    )
    return replace(made, **changes)


def verified(*credentials: VerifiedCredential) -> Verified:
    return Verified(credentials, "did:key:z6Mkworker", AT, TRUST_DAY)


def proven(
    asked: Request, name: str, kind: str, claims: Mapping[str, Any], trust: Trust = TRUST, **changes: Any
) -> Report:
    return build(asked, {name: [verified(credential(kind, claims, **changes))]}, trust=trust, at=AT)


def context(statement: Statement = CONTEXT, key: Ed25519Key = PUBLIC, at: datetime = AT) -> Credential:
    """A platform's public statement on its ratings, signed."""
    document = draft(statement, issuer=key.did, holder=None, at=at).document
    midnight = at.replace(hour=0, minute=0)
    options = proof_options("eddsa-rdfc-2022", method=key.verification_method, purpose=ASSERTION, created=midnight)
    return parse_credential(add_proof(document, options, suite=EDDSA_RDFC_2022, key=key, contexts=CONTEXTS))


def flat(text: str) -> str:
    return re.sub(r"\s*\n\s*", " ", text)


def text_of(report: Report, lang: str = "en") -> str:
    return flat(to_text(report, lang))


class Reader(HTMLParser):
    """What a browser would see: tags with their attributes, headings in order, and the words."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in {"style", "title"}:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


# ---- what is said ------------------------------------------------------------------------------------------------


def test_the_verdict_is_one_dated_sentence() -> None:
    report = proven(LOAN, "earnings", "Earnings", EARNINGS)
    assert report.verdict is Verdict.VALID
    assert "Valid as of 24 November 2026, according to a trust file of 20 November 2026." in text_of(report)
    assert "Valable au 24 novembre 2026, d’après un fichier de confiance du 20 novembre 2026." in text_of(report, "fr")


def test_a_rung_of_income_is_told_with_all_that_is_needed_to_read_it() -> None:
    english, french = (text_of(proven(LOAN, "earnings", "Earnings", EARNINGS), lang) for lang in ("en", "fr"))
    assert f"At least 1{NARROW}500 EUR a month on average over 12 months" in english
    assert "the worker’s own costs are not taken off" in english
    assert "Signed by: Comptoir des Tâches SA, SIREN 552 100 554 (as the trust file names it)" in english
    assert "Period: up to October 2026; its beginning is not shown" in english
    assert "Valid until: 31 December 2026" in english
    assert f"Au moins 1{NARROW}500 EUR par mois en moyenne sur 12 mois" in french
    assert f"Période{FIXED}: jusqu’à octobre 2026" in french
    assert "31 décembre 2026" in french


def test_who_asked_and_why_come_from_the_request() -> None:
    report = text_of(proven(LOAN, "earnings", "Earnings", EARNINGS))
    assert "Asked by: Banque du Port (as the request says)" in report
    assert "Purpose: a consumer credit in the European Union" in report
    assert "Why it is needed: To see that you can pay back." in report


def test_parts_come_in_the_order_of_their_weight() -> None:
    page = text_of(proven(request(query("Earnings"), query("WorkHistory")), "earnings", "Earnings", EARNINGS))
    parts = ["Valid as of", "Who asked", "What was proven", "Asked and not shown", "What was not checked", "Until when"]
    places = [page.index(part) for part in parts]
    assert places == sorted(places)


def test_an_issuer_has_the_name_of_the_trust_file_only() -> None:
    report = proven(LOAN, "earnings", "Earnings", EARNINGS)
    for rendered in (to_text(report, "en"), to_html(report, "fr"), json.dumps(report.to_json())):
        assert "A Name Of Its Own" not in rendered


@pytest.mark.parametrize("missing", ["bestRating", "worstRating", "published", "sampleTotal", "raterPopulation"])
def test_the_rating_of_one_review_is_told_whole_or_not_at_all(missing: str) -> None:
    asked = request(query("Review"))
    whole = text_of(proven(asked, "review", "Review", REVIEW))
    assert "One review (June 2025): 5, on a scale from 1 (worst) to 5 (best)." in whole
    part = {name: value for name, value in REVIEW.items() if name != missing}
    for claims in (part, {**REVIEW, missing: "~01"}, {**REVIEW, "bestRating": "4"}):
        report = proven(asked, "review", "Review", claims)
        assert report.proven[0].claims == {}
        assert "reviewBody" in report.proven[0].unread
        assert "Travail soigné" not in text_of(report)


def test_a_text_that_was_signed_is_told_even_where_later_rules_would_refuse_it() -> None:
    """What is looked for in texts grows; what was signed before stays what it was."""
    report = proven(request(query("Review")), "review", "Review", {**REVIEW, "reviewBody": "Merci à Mme Durand"})
    assert "The client wrote: “Merci à Mme Durand”" in text_of(report)


def test_membership_is_told_in_sentences() -> None:
    report = text_of(
        proven(request(query("PlatformMembership")), "platformmembership", "PlatformMembership", MEMBERSHIP)
    )
    assert "On the platform for at least 24 months" in report
    assert "Account: account active" in report
    assert "Kind of work: freelance assignments" in report


def test_months_are_told_one_by_one() -> None:
    claims = {**EARNINGS, "monthly": ("!01", "2026-09 210.30", "2026-10 2210.30")}
    page = to_html(proven(LOAN, "earnings", "Earnings", claims), "fr")
    assert f"Septembre 2026{FIXED}: 210,30 EUR" in page
    assert f"Octobre 2026{FIXED}: 2{NARROW}210,30 EUR" in page
    assert "!01" not in page


@pytest.mark.parametrize(
    ("binding", "said", "unsaid"),
    [
        (Binding.KEY, "the holder of the key that the statement names", "somebody who holds a copy"),
        (
            Binding.POSSESSION,
            "somebody who holds a copy of it: weaker",
            "the holder of the key that the statement names",
        ),
    ],
)
def test_the_strength_of_the_binding_is_named(binding: Binding, said: str, unsaid: str) -> None:
    codes = ("IDENTITY", "WITHHELD", *(("SUBJECT",) if binding is Binding.POSSESSION else ()), "REVOCATION")
    report = proven(LOAN, "earnings", "Earnings", EARNINGS, binding=binding, not_checked=codes)
    assert said in text_of(report)
    assert unsaid not in text_of(report)
    assert ("a copy is enough to show it" in text_of(report)) == (binding is Binding.POSSESSION)


@pytest.mark.parametrize(
    ("source", "warning"),
    [
        ("dsarImport", "! Weaker than a platform’s own word. Comptoir des Tâches SA signed what it read"),
        ("workerImportUnverified", "! Not confirmed by any platform. Comptoir des Tâches SA signed only"),
        ("platformNative", None),
    ],
)
def test_an_import_is_visibly_weaker(source: str, warning: str | None) -> None:
    report = proven(LOAN, "earnings", "Earnings", {**EARNINGS, "sourceMethod": source})
    if warning:
        assert warning in text_of(report)
    assert ('class="warning"' in to_html(report, "en")) == (warning is not None)


# ---- ratings -----------------------------------------------------------------------------------------------------


def test_the_interval_of_a_rating_comes_before_its_value_and_its_context_beside_it() -> None:
    trust = replace(TRUST, public=(context(),))
    report = proven(RATED, "rating", "Rating", RATING, trust=trust)
    english, french = text_of(report), text_of(report, "fr")
    assert english.index("between 4.567 and 4.902") < english.index("4.79")
    assert french.index("entre 4,567 et 4,902") < french.index("4,79")
    assert "On this platform half of those who are rated are at 4.85 or above." in english
    assert "la moitié des personnes notées sont à 4,85 ou plus" in french
    assert "doi:10.1145/2998181.2998327" in english
    assert report.to_json()["notChecked"] == [
        {"code": code, "about": "", "reason": ""} for code in ("IDENTITY", "WITHHELD", "REVOCATION", "TRUST_DATE")
    ]


def test_a_band_is_told_whole_with_its_context_and_without_an_exact_figure() -> None:
    asked = request(query("RatingBand"), code="platform.onboarding.eu")
    report = proven(asked, "ratingband", "RatingBand", BAND, trust=replace(TRUST, public=(context(),)))
    english, french = text_of(report), text_of(report, "fr")
    assert "somewhere between 4.5 and 5" in english
    assert "Number of ratings: at least 100, by guests." in english
    assert "On this platform half of those who are rated are at 4.85 or above." in english
    assert "quelque part entre 4,5 et 5" in french
    assert report.proven[0].context is not None
    for claim_name in WHOLE["RatingBand"]:
        partial = {name: value for name, value in BAND.items() if name != claim_name}
        told = proven(asked, "ratingband", "RatingBand", partial)
        assert "4.5" not in text_of(told)
        assert told.proven[0].claims == {}


def test_an_interval_that_was_narrowed_is_not_told() -> None:
    narrowed = {**RATING, "intervalLower": "4.700"}
    report = proven(RATED, "rating", "Rating", narrowed)
    assert report.proven[0].claims == {}
    assert "4.79" not in text_of(report)


def test_a_rating_that_is_not_whole_is_not_told_at_all() -> None:
    partial = {name: value for name, value in RATING.items() if name != "ratingCount"}
    report = proven(RATED, "rating", "Rating", partial)
    for lang in ("en", "fr"):
        assert "4.79" not in to_text(report, lang)
        assert "4,79" not in to_text(report, lang)
    assert "ratingValue" in report.proven[0].unread


def tampered() -> Credential:
    good = context()
    subject = {**good.subjects[0], "populationMean": "3.10"}
    return replace(good, document={**good.document, "credentialSubject": subject}, subjects=(subject,))


@pytest.mark.parametrize(
    ("public", "issuer", "code"),
    [
        (tampered, PLATFORM.name, "PROOF_INVALID"),
        (lambda: context(key=STRANGER), "", "ISSUER_NOT_TRUSTED"),
        (lambda: context(at=AT - timedelta(days=100)), PLATFORM.name, "EXPIRED"),
        (lambda: replace(context(), proofs=()), "", "PROOF_MISSING"),
    ],
)
def test_a_context_that_does_not_verify_is_set_aside_and_named(public: Any, issuer: str, code: str) -> None:
    report = proven(RATED, "rating", "Rating", RATING, trust=replace(TRUST, public=(public(),)))
    assert report.proven[0].context is None
    listed = [(one.code, one.about, one.reason) for one in report.unchecked[-2:]]
    assert listed == [("CONTEXT_MISSING", PLATFORM.name, ""), ("CONTEXT_SET_ASIDE", issuer, code)]
    assert f"was set aside ({code})" in text_of(report)
    assert "4.85" not in text_of(report)


def test_a_context_by_an_issuer_that_may_not_attest_it_is_set_aside() -> None:
    limited = replace(PLATFORM, may_attest=frozenset({"RatingCredential"}))
    trust = replace(TRUST, issuers=(limited,), public=(context(),), by_method={KEY.method: (limited, KEY)})
    report = proven(RATED, "rating", "Rating", RATING, trust=trust, issuer=limited)
    assert [one.reason for one in report.unchecked if one.code == "CONTEXT_SET_ASIDE"] == ["TYPE_NOT_TRUSTED"]


def test_scales_are_not_compared() -> None:
    other = Statement("RatingContext", "", {**CONTEXT.claims, "raterPopulation": "clients"})
    trust = replace(TRUST, public=(context(other),))
    report = proven(RATED, "rating", "Rating", {**RATING, "contextDigest": context_digest(other)}, trust=trust)
    assert report.proven[0].context is None
    assert "Different scales were not compared." in text_of(report)


def test_two_ratings_are_not_compared_with_each_other() -> None:
    share = {**RATING, "contextDigest": "notPublished", "category": "microwork", "computation": "approvalShare",
             "raterPopulation": "requesters", "ratingValue": "0.85", "bestRating": "1", "worstRating": "0",
             "intervalLower": "0.775", "intervalUpper": "0.903"}  # fmt: skip
    queries = query("Rating"), {**query("Rating"), "id": "other"}
    answers = {"rating": [verified(credential("Rating", RATING))], "other": [verified(credential("Rating", share))]}
    report = text_of(build(request(*queries), answers, trust=TRUST, at=AT))
    assert "were not compared with each other" in report
    assert "between 77.5% and 90.3%" in report


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_nobody_is_scored_ranked_or_graded(lang: str) -> None:
    page = Reader(to_html(proven(RATED, "rating", "Rating", RATING, trust=replace(TRUST, public=(context(),))), lang))
    assert not re.search(r"\b(score|rank|grade|stars|classement|percentile|top \d)", page.text, re.IGNORECASE)


# ---- what is absent ----------------------------------------------------------------------------------------------


def renderings(report: Report) -> list[str]:
    return [*(to_text(report, lang) for lang in ("en", "fr")), *(to_html(report, lang) for lang in ("en", "fr")),
            json.dumps(report.to_json())]  # fmt: skip


def test_declining_and_having_none_are_the_same_bytes() -> None:
    asked = request(query("Earnings", claim("averageAtLeast12m", "001500"), claim("total12m")), query("Rating"))
    declined = {name: value for name, value in EARNINGS.items() if name != "averageAtLeast12m"}
    has_none = {**declined, "averageAtLeast12m": ("~01",), "total12m": "~01"}
    reports = [proven(asked, "earnings", "Earnings", claims) for claims in (declined, has_none)]
    assert renderings(reports[0]) == renderings(reports[1])
    told = text_of(reports[0])
    assert f"Not shown: Earnings, at least 1{NARROW}500 a month on average over 12 months" in told
    assert "Not shown: Rating" in told
    assert "This says nothing about the worker" in told


def test_a_lower_rung_than_the_one_asked_does_not_answer_and_a_higher_one_does() -> None:
    assert proven(LOAN, "earnings", "Earnings", {**EARNINGS, "averageAtLeast12m": ("001800",)}).not_shown == ()
    report = proven(LOAN, "earnings", "Earnings", {**EARNINGS, "averageAtLeast12m": ("001200",)})
    assert [one.alternatives[0][0].values for one in report.not_shown] == [("001500",)]
    assert proven(LOAN, "earnings", "Earnings", EARNINGS).not_shown == ()


def test_any_of_the_alternatives_answers() -> None:
    high, low = claim("averageAtLeast12m", "001500"), claim("averageAtLeast12m", "001200")
    asked = request(query("Earnings", high, low, sets=((high.id,), (low.id,))))
    assert proven(asked, "earnings", "Earnings", {**EARNINGS, "averageAtLeast12m": ("001200",)}).not_shown == ()
    missing = proven(asked, "earnings", "Earnings", {**EARNINGS, "averageAtLeast12m": ("000800",)})
    assert len(missing.not_shown) == 1
    assert f"at least 1{NARROW}500 a month on average over 12 months or Earnings, at least 1{NARROW}200" in text_of(
        missing
    )


def test_a_credential_that_is_an_alternative_is_not_missed() -> None:
    raw = request(query("Earnings"), query("WorkHistory"))
    parsed = parse_request(
        to_json({"response_type": "vp_token", "client_id": "x", "nonce": raw.nonce, "dcql_query": {
            "credentials": [query("Earnings"), query("WorkHistory")],
            "credential_sets": [{"options": [["earnings"], ["workhistory"]]}]}})
    )  # fmt: skip
    assert [one.query for one in proven(raw, "earnings", "Earnings", EARNINGS).not_shown] == ["workhistory"]
    assert proven(parsed, "earnings", "Earnings", EARNINGS).not_shown == ()


def test_nothing_checked_is_nothing_proved() -> None:
    with pytest.raises(Malformed) as caught:
        build(LOAN, {}, trust=TRUST, at=AT)
    assert caught.value.code == "NO_PRESENTATION"


# ---- asking too much, keeping too long ---------------------------------------------------------------------------


def test_what_must_never_be_asked_is_printed_with_the_law() -> None:
    asked = request(query("Earnings", claim("monthly"), claim("total12m")), query("Rating"), code="housing.tenancy.fr")
    report = proven(asked, "earnings", "Earnings", EARNINGS)
    english, french = text_of(report), text_of(report, "fr")
    assert "must never be asked for this purpose: Rating. Ratings and reviews are not on the list" in english
    assert "must never be asked for this purpose: Earnings, income per month. The list of decree 2015-1437" in english
    assert "jamais l’être pour cette finalité" in french
    assert "un bailleur ne peut pas les demander" in french
    assert [(one.type, one.claim) for one in report.asked.never] == [("Earnings", "monthly"), ("Rating", "")]  # type: ignore[union-attr]


def test_a_purpose_outside_the_terms_is_said() -> None:
    report = proven(request(query("Rating"), code="housing.tenancy.fr"), "rating", "Rating", RATING)
    assert not report.proven[0].purpose_allowed
    assert "do not allow its use for the purpose stated above" in text_of(report)
    assert proven(RATED, "rating", "Rating", RATING).proven[0].purpose_allowed


@pytest.mark.parametrize(
    ("stated", "erase"),
    [
        ({"retentionDays": 30}, date(2026, 12, 24)),
        ({"retentionDays": 365}, date(2027, 2, 22)),  # the terms of an Earnings statement allow 90 days
        ({"retentionDays": True}, date(2027, 2, 22)),
        ({"retentionDays": 0}, date(2026, 11, 24)),
        ({"retentionDays": "x", "code": "?"}, date(2027, 2, 22)),
    ],
)
def test_the_shortest_limit_says_when_to_erase(stated: dict[str, Any], erase: date) -> None:
    assert proven(request(query("Earnings"), **stated), "earnings", "Earnings", EARNINGS).erase_by == erase


def test_keeping_is_dated_in_both_languages_and_survives_the_end_of_the_calendar() -> None:
    report = proven(LOAN, "earnings", "Earnings", EARNINGS)
    assert "erase the answer and this report by 24 December 2026." in text_of(report)
    assert "au plus tard le 24 décembre 2026." in text_of(report, "fr")
    late = refused(LOAN, Undetermined("x", "y", code="STALE_TRUST"), trust=TRUST, at=AT.replace(year=9999))
    assert late.erase_by == date(9999, 12, 24)
    assert refused(LOAN, Undetermined("x", "y"), trust=None, at=AT.replace(year=9999, month=12)).erase_by == date.max


def test_it_says_how_to_check_again() -> None:
    report = build(LOAN, {"earnings": [verified(credential("Earnings", EARNINGS))]}, trust=TRUST, at=AT, answer=b"raw")
    assert sha256(b"raw").hexdigest() in to_text(report, "en")
    assert "ouvrage verifier check ANSWER" in text_of(report)
    assert "SHA-256" not in to_text(proven(LOAN, "earnings", "Earnings", EARNINGS), "en")


# ---- refusals ----------------------------------------------------------------------------------------------------

ELSEWHERE = {
    "client_id.py",
    "frames.py",
    "jwe.py",
    "request_object.py",
    "sealing.py",
    "vp_response.py",
}  # what they refuse, no verification meets
SOURCES = sorted(
    path
    for path in (Path(__file__).parents[1] / "vc").rglob("*.py")
    if path.parent.name != "io" and path.name not in ELSEWHERE
)
RAISED = {
    code
    for path in (*SOURCES, Path(__file__).parents[1] / "verifier" / "check.py")
    for code in re.findall(r'(?:code="|Finding\(\s*")([A-Z][A-Z0-9_]+)"', path.read_text(encoding="utf-8"))
}


def test_every_code_that_verification_raises_has_words() -> None:
    assert len(RAISED) > 30
    assert [code for code in sorted(RAISED) if not has_words(code)] == []


@pytest.mark.parametrize("code", sorted(RAISED | {"NOT_YET_INVENTED"}))
def test_a_refusal_explains_itself_and_shows_nothing_of_the_claims(code: str) -> None:
    error = Rejected((Finding(code, "averageAtLeast12m 001500", "/credentialSubject"),))
    report = refused(LOAN, error, trust=TRUST, at=AT)
    english, french = text_of(report), text_of(report, "fr")
    assert "Refused on 24 November 2026, according to a trust file of 20 November 2026." in english
    assert "Refusé le 24 novembre 2026" in french
    for page in (english, french, to_html(report, "en")):
        assert f"({code})" in page
        assert "001500" not in page
    assert "not about the person" in english
    assert report.proven == ()


@pytest.mark.parametrize(
    ("error", "known", "verdict"),
    [
        (Malformed("/proof", "bad"), True, Verdict.REFUSED),
        (Malformed("trust file", "bad", code="BAD_TRUST"), False, Verdict.UNDETERMINED),
        (Unsupported("cryptosuite", "x-2030", code="UNSUPPORTED_SUITE"), True, Verdict.UNDETERMINED),
        (Undetermined("the trust file is old", "get a newer one", code="STALE_TRUST"), True, Verdict.UNDETERMINED),
        (Rejected((Finding("EXPIRED", "x"), Finding("ISSUER_NOT_TRUSTED", "y"))), True, Verdict.REFUSED),
    ],
)
def test_no_is_not_the_same_as_cannot_be_told(error: VcError, known: bool, verdict: Verdict) -> None:
    report = refused(LOAN if known else None, error, trust=TRUST if known else None, at=AT)
    assert report.verdict is verdict
    begins = "Refused on 24" if verdict is Verdict.REFUSED else "Cannot be told on 24"
    assert begins in text_of(report)
    for lang in ("en", "fr"):
        Reader(to_html(report, lang))


def test_all_findings_are_told() -> None:
    report = refused(LOAN, Rejected((Finding("EXPIRED", "x"), Finding("ISSUER_NOT_TRUSTED", "y"))), trust=TRUST, at=AT)
    assert "past its end date" in text_of(report)
    assert "nobody you trust vouches for it" in text_of(report)


# ---- the page, and hostile text ----------------------------------------------------------------------------------

HOSTILE = (
    '<script>alert(1)</script><img src="https://evil.example/x.png">',
    "\u202egnp.exe\u202c \u2066x\u2069 \u200b\u200f\ufeff",
    "\x1b[2J\x1b[31mred\x00\x07\x9b1m\nSecond line\r\n",
    "Ω" * 10_000,
    "a" + "\u0301" * 5_000,
    "{{ 7*7 }} {% raw %} {lang} %s \\",
    "' onmouseover='alert(1)",
)


def everywhere(text: str) -> Report:
    """A report with one text in every place that somebody else fills."""
    issuer = replace(PLATFORM, name=text[:512], legal_identifier=text[:512])
    claims = {**MEMBERSHIP, "activityKinds": (text[:64],), text: text, "sourceMethod": text}
    asked = request(
        query(
            "PlatformMembership", ClaimQuery("c", ("credentialSubject", text), (text,)), ClaimQuery("d", (text,), ())
        ),
        client=text[:2048],
        necessity=text,
        code=text,
    )
    return proven(asked, "platformmembership", "PlatformMembership", claims, issuer=issuer)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_text_from_elsewhere_stays_text(hostile: str) -> None:
    failed = refused(LOAN, Rejected((Finding(hostile, hostile, hostile),)), trust=TRUST, at=AT)
    for report in (everywhere(hostile), failed):
        for lang in ("en", "fr"):
            page = to_html(report, lang)
            assert {tag for tag, _ in Reader(page).tags} <= TAGS
            assert not any(name.startswith("on") for _, attributes in Reader(page).tags for name in attributes)
            for rendered in (page, to_text(report, lang)):
                assert not re.search(
                    "[\u202a-\u202e\u2066-\u2069\u200b-\u200f\ufeff\x00-\x08\x0b-\x1f\x7f-\x9f]", rendered
                )
                assert len(rendered) < 30_000


TAGS = {
    "html", "head", "meta", "title", "style", "body", "header", "main", "section", "h1", "h2", "h3", "h4",
    "p", "ul", "li", "table", "tbody", "tr", "th", "td",
}  # fmt: skip


@settings(deadline=None)
@given(st.text(max_size=500), st.integers(1, 400))
def test_cleaned_text_is_one_bounded_line_and_cleaning_it_again_changes_nothing(text: str, most: int) -> None:
    cleaned = clean(text, most)
    assert len(cleaned) <= most + 1
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x1f\x7f-\x9f\u2028\u2029]", cleaned)
    assert clean(cleaned, most + 1) == cleaned
    assert not re.search(f"\u0301{{{MAX_MARKS + 1}}}", cleaned)


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_page_asks_for_nothing_and_can_be_read_by_machines_that_read_aloud(lang: str) -> None:
    page = to_html(proven(RATED, "rating", "Rating", RATING, trust=replace(TRUST, public=(context(),))), lang)
    read = Reader(page)
    assert read.open == []
    assert read.tags[0] == ("html", {"lang": lang})
    assert {tag for tag, _ in read.tags} <= TAGS
    assert not {"src", "href", "style", "srcset", "action"} & {
        name for _, attributes in read.tags for name in attributes
    }
    assert "url(" not in page
    assert "@import" not in page
    levels = [int(tag[1]) for tag, _ in read.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(deeper <= level + 1 for level, deeper in pairwise(levels))
    assert all(attributes.get("scope") == "row" for tag, attributes in read.tags if tag == "th")
    ids = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    labels = [attributes["aria-labelledby"] for _, attributes in read.tags if "aria-labelledby" in attributes]
    assert len(ids) == len(set(ids))
    assert set(labels) <= set(ids)


def test_the_policy_of_the_page_lets_in_its_own_style_sheet_only() -> None:
    page = to_html(proven(LOAN, "earnings", "Earnings", EARNINGS), "en")
    policy = next(one for tag, one in Reader(page).tags if one.get("http-equiv"))["content"]
    css = page.partition("<style>")[2].partition("</style>")[0]
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert b64encode(sha256(css.encode()).digest()).decode() in policy


def colours(css: str) -> list[dict[str, str]]:
    return [
        dict(re.findall(r"--(\w+): (#\w{3,6});", block)) for block in re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    ]


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_stands_out_from_its_ground() -> None:
    palettes = colours(to_html(proven(LOAN, "earnings", "Earnings", EARNINGS), "en"))
    assert len(palettes) == 3  # light, dark, print
    for palette in palettes:
        for ink in ("ink", "soft"):
            for ground in ("paper", "tint"):
                light, dark = sorted((luminance(palette[ink]), luminance(palette[ground])), reverse=True)
                assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_text_and_page_say_the_same() -> None:
    report = proven(RATED, "rating", "Rating", RATING, trust=replace(TRUST, public=(context(),)))
    for lang in ("en", "fr"):
        page = Reader(to_html(report, lang)).text
        words = re.findall(r"[^\W\d_]{5,}", text_of(report, lang))
        assert [word for word in words if word not in page] == []


def test_only_english_and_french_are_spoken() -> None:
    report = proven(LOAN, "earnings", "Earnings", EARNINGS)
    for render in (to_text, to_html):
        with pytest.raises(Unsupported):
            render(report, "de")


@st.composite
def spellings(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """Claims that are spelt right one by one, whatever they say together; filler among them."""
    kind = draw(st.sampled_from(sorted(TYPES)))
    claims: dict[str, Any] = dict(RATING) if kind == "Rating" else {}
    for name in draw(st.lists(st.sampled_from(sorted(TYPES[kind].claims)), max_size=3 if claims else 12)):
        one = TYPES[kind].claims[name]
        value = st.one_of(st.from_regex(one.pattern, fullmatch=True), st.just("~01"))
        claims[name] = draw(st.lists(value, max_size=3) if one.many else value)
    return kind, claims


@settings(deadline=None)
@given(spellings())
def test_any_claims_of_a_trusted_issuer_can_be_reported(statement: tuple[str, dict[str, Any]]) -> None:
    kind, claims = statement
    report = proven(LOAN, "earnings", kind, claims)
    for lang in ("en", "fr"):
        assert Reader(to_html(report, lang)).open == []
        assert to_text(report, lang)


# ---- for scripts -------------------------------------------------------------------------------------------------

KEYS = {
    "type", "version", "verdict", "standing", "settledBy", "at", "trustAsOf", "asked", "proven", "notShown",
    "notChecked", "reasons", "eraseBy", "answerSha256", "decision",
}  # fmt: skip
PROVEN_KEYS = {
    "query", "type", "issuer", "claims", "unread", "binding", "suite", "validFrom", "validUntil",
    "purposeAllowed", "context", "notes", "assurance", "answers",
}  # fmt: skip


@pytest.mark.parametrize("code", ["CONTESTED", "STATUS_MESSAGE", "REFRESH_AVAILABLE"])
def test_what_status_lists_say_beside_a_statement_is_printed(code: str) -> None:
    report = proven(LOAN, "Earnings", "Earnings", EARNINGS, notes=(code,))
    plain = proven(LOAN, "Earnings", "Earnings", EARNINGS)
    for lang in ("en", "fr"):
        told, silent = to_text(report, lang), to_text(plain, lang)
        assert len(told) > len(silent) + 40
        assert to_html(report, lang) != to_html(plain, lang)
    assert report.to_json()["proven"][0]["notes"] == [code]  # type: ignore[index, call-overload]


def test_the_json_has_the_same_members_whatever_the_verdict() -> None:
    valid = proven(LOAN, "earnings", "Earnings", EARNINGS).to_json()
    no = refused(None, Malformed("", "x"), trust=None, at=AT).to_json()
    assert valid.keys() == no.keys() == KEYS
    assert [one.keys() for one in valid["proven"]] == [PROVEN_KEYS]  # type: ignore[union-attr]
    assert valid["at"] == "2026-11-24T09:30:00Z"
    assert valid["asked"] == {
        "verifier": "Banque du Port",
        "purpose": "credit.consumer.eu",
        "necessity": "To see that you can pay back.",
        "retentionDays": 30,
        "never": [],
    }
    assert to_json(valid) == to_json(json.loads(json.dumps(valid)))


def test_claims_that_are_not_in_known_words_are_named_and_not_printed() -> None:
    report = proven(
        LOAN, "earnings", "Earnings", {**EARNINGS, "total12m": "lots", "shoeSize": "43", "currency": ("EUR",)}
    )
    assert report.proven[0].unread == ("currency", "shoeSize", "total12m")
    assert "lots" not in to_text(report, "en")
    assert "not in words that are known here, and so not printed: currency, shoeSize, total12m." in text_of(report)


def test_a_type_that_is_not_known_is_not_printed() -> None:
    report = proven(LOAN, "earnings", "Diploma", {"title": "Doctor of everything"})
    assert report.proven[0].type == ""
    assert "Doctor" not in to_text(report, "en")
    assert "A statement of a kind that is not known here" in text_of(report)
