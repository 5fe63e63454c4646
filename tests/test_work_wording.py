"""What people read, in both languages; and purpose packs."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.work_samples import (
    APPROVAL,
    BAND,
    CLAIMS,
    CONTEXT,
    DIGEST,
    DISPUTE,
    EARNINGS,
    GOLD,
    HISTORY,
    INSURANCE,
    MEMBERSHIP,
    OUTCOME,
    RATING,
    REPLY,
    REVIEW,
    SOME,
    TOO_FEW,
    TRAINING,
    statements,
)
from vc.errors import Malformed, Unsupported
from work.phrases import GROUP, month, number
from work.purposes import PURPOSES, Judgement, Purpose, judge, law
from work.types import ANSWERS, LANGUAGES, TYPES
from work.wording import RATING as RATING_GROUP
from work.wording import REVIEW as REVIEW_GROUP
from work.wording import WHOLE, explain, label, lines, say

BESIDE = {"currency": "USD"}


def plain(text: str) -> str:
    """Spaces that do not break, as plain ones."""
    return text.replace(GROUP, " ").replace("\u00a0", " ")


SAID: list[tuple[str, str, Any, str, str]] = [
    (
        "Earnings",
        "averageAtLeast12m",
        "001500",
        "at least 1 500 USD a month on average over 12 months",
        "au moins 1 500 USD par mois en moyenne sur 12 mois",
    ),
    (
        "Earnings",
        "averageAtLeast3m",
        ("000100", "000800"),
        "at least 800 USD a month on average over 3 months",
        "au moins 800 USD par mois en moyenne sur 3 mois",
    ),
    (
        "Earnings",
        "monthly",
        ("2025-08 1210.30", "2025-07 0.00"),
        "July 2025: 0.00 USD; August 2025: 1 210.30 USD",
        "juillet 2025 : 0,00 USD ; août 2025 : 1 210,30 USD",
    ),
    ("Earnings", "total", "-12.50", "-12.50 USD in all over the period", "-12,50 USD au total sur la période"),
    (
        "Earnings",
        "basis",
        "afterCommission",
        "What is counted: what was left after the platform’s commission",
        "Ce qui est compté : ce qui reste après la commission de la plateforme",
    ),
    ("Earnings", "tipsIncluded", "false", "tips are not included", "pourboires non compris"),
    (
        "Earnings",
        "tollsIncluded",
        "notPublished",
        "the platform does not say whether tolls paid back are included",
        "la plateforme ne dit pas si les péages remboursés sont compris",
    ),
    (
        "Earnings",
        "sourceMethod",
        "workerImportUnverified",
        "Where it comes from: imported by the worker; no platform has confirmed it",
        "Origine : importé par la personne elle-même ; aucune plateforme ne l’a confirmé",
    ),
    (
        "WorkHistory",
        "durationDefinition",
        "https://w3id.org/ouvrage/v1/durations/pickUpToDropOff",
        "How hours are counted: from pick-up to drop-off (France, decree 2021-501)",
        "Comment les heures sont comptées : de la prise en charge à la dépose (France, décret 2021-501)",
    ),
    ("WorkHistory", "jobsAtLeast", "001000", "jobs done: at least 1 000", "prestations terminées : au moins 1 000"),
    ("WorkHistory", "totalDurationHours", "601.17", "hours worked: 601.17", "heures travaillées : 601,17"),
    ("WorkHistory", "monthlyJobs", ("2025-04 3",), "jobs in April 2025: 3", "prestations en avril 2025 : 3"),
    ("WorkHistory", "jobsAccepted", "9", "jobs accepted by the client: 9", "prestations acceptées par le client : 9"),
    (
        "WorkHistory",
        "timeSlots",
        ("night 0.125", "evening 0.875"),
        "share of the jobs in the evening: 87.5%; share of the jobs at night: 12.5%",
        "part des prestations le soir : 87,5 % ; part des prestations la nuit : 12,5 %",
    ),
    (
        "WorkHistory",
        "serviceTypes",
        ("translation into French 1200",),
        "jobs of the kind “translation into French”: 1 200",
        "prestations de type « translation into French » : 1 200",
    ),
    ("WorkHistory", "areas", ("Lyon", "Paris"), "Areas: Lyon; Areas: Paris", "Zones : Lyon ; Zones : Paris"),
    ("WorkHistory", "averageDistanceKm", "3.4", "3.4 km on average per job", "3,4 km en moyenne par prestation"),
    (
        "Earnings",
        "fiscalSource",
        "payments",
        "Records it is taken from: the single payments",
        "Données d’origine : les paiements, un par un",
    ),
    ("CompletedWork", "outcome", "completed", "How it ended: completed", "Issue : terminée"),
    ("CompletedWork", "startDate", "2025-07-01", "begun on 1 July 2025", "début : 1er juillet 2025"),
    ("CompletedWork", "endDate", "2025-07-31", "ended on 31 July 2025", "fin : 31 juillet 2025"),
    ("CompletedWork", "quantity", "12500.000 word", "quantity: 12 500 words", "quantité : 12 500 mots"),
    ("CompletedWork", "quantity", "12.050 km", "quantity: 12.05 km", "quantité : 12,05 km"),
    (
        "PlatformMembership",
        "registrationNumberPresent",
        "true",
        "the platform holds the worker’s registration number",
        "la plateforme connaît le numéro d’immatriculation de la personne",
    ),
    (
        "PlatformMembership",
        "tierValidUntil",
        "2025-09",
        "level valid until September 2025",
        "niveau valable jusqu’en septembre 2025",
    ),
    ("PlatformMembership", "memberSince", "2019-04", "member since April 2019", "membre depuis avril 2019"),
    ("PlatformMembership", "tierLevel", "Superhost", "Level: Superhost", "Niveau : Superhost"),
    (
        "PlatformMembership",
        "tenureMonthsAtLeast",
        "000012",
        "on the platform for at least 12 months",
        "sur la plateforme depuis au moins 12 mois",
    ),
    (
        "Rating",
        "aspects",
        ("cleanliness 4.91 fewerThan5",),
        "cleanliness: 4.91 (number of ratings: fewer than 5)",
        "cleanliness : 4,91 (nombre de notes : moins de 5)",
    ),
    (
        "RatingContext",
        "percentiles",
        ("50 4.85",),
        "50% of the workers have 4.85 or less",
        "50 % des personnes ont 4,85 ou moins",
    ),
    ("RatingContext", "shareAtMax", "0.21", "Share with the best rating: 21%", "Part avec la meilleure note : 21 %"),
    (
        "RatingContext",
        "windowRule",
        "lastN 500",
        "Which ratings count: only the latest ratings (number: 500)",
        "Notes prises en compte : seulement les dernières notes (nombre : 500)",
    ),
    (
        "ProfessionalInsurance",
        "ceilingPerClaimAtLeast",
        ("000500",),
        "at least 500 000 USD per claim",
        "au moins 500 000 USD par sinistre",
    ),
    (
        "ProfessionalInsurance",
        "coverFrom",
        "2025-01-01",
        "Covered from: 1 January 2025",
        "Couvert à partir du : 1er janvier 2025",
    ),
    (
        "ProfessionalInsurance",
        "coverTo",
        "2025-12-31",
        "Covered until: 31 December 2025",
        "Couvert jusqu’au : 31 décembre 2025",
    ),
    (
        "TrainingRights",
        "cpfTopUps",
        ("2025 1500.00",),
        "training account (CPF) topped up in 2025: 1 500.00 USD",
        "compte personnel de formation (CPF) abondé en 2025 : 1 500,00 USD",
    ),
    (
        "DisputeOutcome",
        "replaces",
        DIGEST,
        "Statement that takes its place: uEiBJ_qzt1ZR…",
        "Attestation qui la remplace : uEiBJ_qzt1ZR…",
    ),
    (
        "Review",
        "reviewBody",
        "Très bien {name} !",
        "The client wrote: “Très bien {name} !”",
        "Le client a écrit : « Très bien {name} ! »",
    ),
    (
        "Review",
        "publicationRight",
        "false",
        "shown for this request only: it may not be published",
        "montré pour cette demande seulement : il ne peut pas être publié",
    ),
    (
        "RatingContext",
        "responseRate",
        "notPublished",
        "Share of jobs rated: not published by the platform",
        "Part des prestations notées : non publié par la plateforme",
    ),
]


@pytest.mark.parametrize(("kind", "claim", "value", "english", "french"), SAID)
def test_claims_in_words(kind: str, claim: str, value: Any, english: str, french: str) -> None:
    assert plain(say(kind, claim, value, "en", beside=BESIDE)) == english
    assert plain(say(kind, claim, value, "fr", beside=BESIDE)) == french


RATING_EN = (
    "The true figure lies between 4.596 and 4.848, 95 times out of 100 (from the spread of the ratings). "
    "The platform states 4.77, on a scale from 1 (worst) to 5 (best). Number of ratings: 128, by guests. "
    "Different raters: 120; share of the one who rated most: 3.1%. "
    "Jobs that could be rated: 1 340; share of them rated: 9.55%. "
    "Ratings above the middle of the scale, as a share of all jobs that could be rated, those without a rating "
    "included: 9.1%. "
    "Spread (value: number of ratings): 5: 110; 4: 12; 3: 3; 2: 1; 1: 2. "
    "Period: January 2024 – July 2025; all ratings received until then. "
    "How it is computed: plain average of the ratings; not limited to one client. "
    "The platform does not publish its method. Number of ratings left out: 3. "
    "The platform has not published how its ratings are spread, so this one cannot be compared. "
    "Studies show that such ratings treat some people unfairly: https://doi.org/10.1145/2998181.2998327."
)
RATING_FR = (
    "Le vrai chiffre se situe entre 4,596 et 4,848, 95 fois sur 100 (d’après la répartition des notes). "
    "La plateforme indique 4,77, sur une échelle de 1 (le moins bien) à 5 (le mieux). "
    "Nombre de notes : 128, données par des voyageurs. "
    "Personnes différentes qui ont noté : 120 ; part de celle qui a noté le plus : 3,1 %. "
    "Prestations qui pouvaient être notées : 1 340 ; part notée : 9,55 %. "
    "Notes au-dessus du milieu de l’échelle, en part de toutes les prestations qui pouvaient être notées, y compris "
    "celles sans note : 9,1 %. "
    "Répartition (valeur : nombre de notes) : 5 : 110 ; 4 : 12 ; 3 : 3 ; 2 : 1 ; 1 : 2. "
    "Période : janvier 2024 – juillet 2025 ; toutes les notes reçues jusque-là. "
    "Mode de calcul : moyenne simple des notes ; pas limité à un seul client. "
    "La plateforme ne publie pas sa méthode. Nombre de notes écartées : 3. "
    "La plateforme n’a pas publié comment ses notes se répartissent : celle-ci ne peut pas être comparée. "
    "Des études montrent que de telles notes désavantagent certaines personnes : "
    "https://doi.org/10.1145/2998181.2998327."
)


def test_a_rating_in_words() -> None:
    assert plain(lines("Rating", RATING, "en")[0].text) == RATING_EN
    assert plain(lines("Rating", RATING, "fr")[0].text) == RATING_FR


def test_a_share_is_told_in_percent() -> None:
    told = plain(lines("Rating", GOLD, "en")[0].text)
    assert told.startswith("The true figure lies between 81.8% and 98.5%, 95 times out of 100 (Wilson’s method). ")
    assert (
        "The platform states 94.44%, on a scale from 0% (worst) to 100% (best). Test questions answered: 36. " in told
    )
    assert "only the latest ratings (number: 100)" in told


def test_one_rater_who_gave_most_ratings_is_seen_and_what_is_usual_is_named() -> None:
    told = plain(lines("Rating", APPROVAL, "en")[0].text)
    assert (
        "Pieces of work judged: 47, by requesters. Different raters: 3; share of the one who rated most: 93.6%." in told
    )
    assert (
        "With some usual ratings of the platform added (their value: 93.9%, their number: 10; source: the spread of "
        "all ratings of the platform), it would be 21.7%." in told
    )
    assert "The platform explains its method at https://platform.example/how-work-is-judged." in told
    assert "Whether such ratings treat some people unfairly is not stated." in told
    rest = {line.claim: line.text for line in lines("Rating", APPROVAL, "en")[1:]}
    assert rest["disputedOpen"] == "Ratings contested, no answer yet: 2"
    french = [plain(line.text) for line in lines("Rating", APPROVAL, "fr")]
    assert "Pourquoi des notes sont écartées : plus anciennes que les notes prises en compte" in french


BAND_EN = (
    "The true figure lies somewhere between 4.5 and 5, 95 times out of 100 (from the spread of the ratings), "
    "on a scale from 1 (worst) to 5 (best). More is not said, so that nobody is recognised by it. "
    "Number of ratings: at least 100, by guests. To the nearest 10%: share of the jobs that were rated: 10%; share of "
    "the ratings by the one who rated most: not published by the platform. "
    "Spread (value: share of the ratings, to the nearest 10%): 5: 90%; 4: 10%; 3: 0%; 2: 0%; 1: 0%. "
    "All ratings received until July 2025. "
    "How it is computed: plain average of the ratings; not limited to one client. "
    "The platform has not published how its ratings are spread, so this one cannot be compared."
)


def test_a_band_in_words() -> None:
    told = lines("RatingBand", BAND, "en")
    assert [line.claim for line in told] == ["bandFrom", "category", "sourceMethod"]
    assert plain(told[0].text) == BAND_EN
    french = plain(lines("RatingBand", {**BAND, "windowKind": "lastN", "windowSize": "500"}, "fr")[0].text)
    assert french.startswith("Le vrai chiffre se situe quelque part entre 4,5 et 5, 95 fois sur 100")
    assert "Seulement les dernières notes (nombre : 500), jusqu’en juillet 2025." in french
    share = {**BAND, "computation": "approvalShare", "bandFrom": "0.7", "bandTo": "0.9", "bestRating": "1",
             "worstRating": "0", "coarseDistribution": ("0 0.2", "1 0.8")}  # fmt: skip
    assert "between 70% and 90%" in lines("RatingBand", share, "en")[0].text
    assert "Pieces of work judged: at least 100" in lines("RatingBand", share, "en")[0].text


@pytest.mark.parametrize("claim", sorted(WHOLE["RatingBand"]))
def test_no_member_of_a_band_is_told_alone(claim: str) -> None:
    with pytest.raises(Malformed):
        say("RatingBand", claim, BAND[claim], "en")
    assert say("RatingBand", claim, BAND[claim], "fr", beside=BAND) == lines("RatingBand", BAND, "fr")[0].text


def test_too_few_to_state_is_told_in_words() -> None:
    told = plain(lines("Rating", TOO_FEW, "fr")[0].text)
    assert told.startswith("Pas d’intervalle : il y a trop peu de notes. Trop peu de notes pour donner une valeur. ")
    assert "Nombre de notes : moins de 5, données par des voyageurs." in told
    assert "part notée : chiffre non publié par la plateforme." in told


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("claim", sorted(RATING_GROUP))
def test_no_member_of_a_rating_is_told_alone(claim: str, lang: str) -> None:
    with pytest.raises(Malformed):
        say("Rating", claim, RATING[claim], lang)
    assert say("Rating", claim, RATING[claim], lang, beside=RATING) == lines("Rating", RATING, lang)[0].text


def test_the_rating_of_one_review_is_told_with_its_scale_its_month_and_how_many_there_are() -> None:
    assert plain(lines("Review", REVIEW, "en")[0].text) == (
        "One review (June 2025): 5, on a scale from 1 (worst) to 5 (best). Who rates: clients. "
        "Reviews of this worker in all: 34."
    )
    assert plain(lines("Review", {**REVIEW, "reviewRating": "notRated"}, "fr")[0].text) == (
        "Un avis (juin 2025) sans note (l’échelle va de 1, le moins bien, à 5, le mieux). Qui note : des clients. "
        "Nombre total d’avis sur cette personne : 34."
    )


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("claim", sorted(REVIEW_GROUP))
def test_no_member_of_a_reviews_rating_is_told_alone(claim: str, lang: str) -> None:
    with pytest.raises(Malformed):
        say("Review", claim, REVIEW[claim], lang)
    with pytest.raises(Malformed):
        lines("Review", {name: value for name, value in REVIEW.items() if name != claim}, lang)
    with pytest.raises(Malformed):
        lines("Review", {**REVIEW, "bestRating": "4"}, lang)
    assert say("Review", claim, REVIEW[claim], lang, beside=REVIEW) == lines("Review", REVIEW, lang)[0].text


def test_percentiles_are_told_in_their_order() -> None:
    told = [line.text for line in lines("RatingContext", CONTEXT, "en") if line.claim == "percentiles"]
    assert [text.partition("%")[0] for text in told] == ["1", "5", "10", "99"]


def test_the_spread_of_a_context_is_told_value_by_value() -> None:
    told = [line.text for line in lines("RatingContext", CONTEXT, "fr") if line.claim == "distribution"]
    assert plain(told[-1]) == "notes de 5 : 28 000"


@pytest.mark.parametrize(
    ("kind", "claim", "value"),
    [
        ("Earnings", "total", "1e999999"),
        ("Earnings", "total", "~01"),
        ("Earnings", "monthly", ("2025-07",)),
        ("Earnings", "averageAtLeast3m", "1500"),
        ("RatingContext", "shareAtMax", "many"),
        ("PlatformMembership", "tierLevel", "\u202eevil"),
    ],
)
def test_what_no_statement_says_is_not_told(kind: str, claim: str, value: Any) -> None:
    with pytest.raises(Malformed):
        say(kind, claim, value, "en")
    with pytest.raises(Malformed):
        lines(kind, {**CLAIMS[kind], claim: value}, "en")


@pytest.mark.parametrize(
    "changes",
    [
        {"intervalUpper": "notStated"},
        {"ratingValue": "4,77"},
        {"distribution": ("5 3", "notPublished")},
        {"bestRating": "1"},
    ],
    ids=str,
)
def test_a_rating_that_contradicts_itself_is_not_told(changes: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        lines("Rating", {**RATING, **changes}, "en")


def test_lines_leave_out_what_is_not_shown_and_lower_rungs() -> None:
    shown = {name: EARNINGS[name] for name in ("currency", "averageAtLeast12m", "monthly")}
    assert [(line.claim, plain(line.text)) for line in lines("Earnings", shown, "en")] == [
        ("currency", "amounts in USD"),
        ("monthly", "May 2025: 12 000.00 USD"),
        ("monthly", "June 2025: 0.00 USD"),
        ("monthly", "July 2025: 6 210.30 USD"),
        ("averageAtLeast12m", "at least 1 500 USD a month on average over 12 months"),
    ]


@pytest.mark.parametrize(
    "claims",
    [
        *(MEMBERSHIP, HISTORY, EARNINGS, RATING, TOO_FEW, GOLD, APPROVAL, BAND, CONTEXT, REVIEW, INSURANCE, TRAINING),
        *(OUTCOME, REPLY, DISPUTE),
    ],
    ids=str,
)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_line_is_finished_text(claims: dict[str, Any], lang: str) -> None:
    kind = next(name for name in CLAIMS if set(claims) <= set(TYPES[name].claims))
    for line in lines(kind, claims, lang):
        assert not re.search(r"[{}]|  |: (true|false)\b|\b(notPublished|notStated|tooFewToState|~\d\d)\b", line.text), (
            line.text
        )


@pytest.mark.parametrize("kind", sorted(TYPES))
@SOME
@given(data=st.data())
def test_every_statement_can_be_told(kind: str, data: st.DataObject) -> None:
    made = data.draw(statements(kind))
    for lang in LANGUAGES:
        told = lines(kind, made.claims, lang)
        assert {line.claim for line in told} >= set(made.claims) - WHOLE.get(kind, frozenset())


@given(st.decimals(-(10**9), 10**9, places=2))
def test_numbers_are_grouped_and_keep_every_digit(value: Any) -> None:
    text = f"{value:f}"
    assert number(text, "fr").replace(GROUP, "").replace(",", ".") == text
    assert number(text, "en").replace(GROUP, "") == text
    assert all(len(group) == 3 for group in number(text, "en").split(".")[0].split(GROUP)[1:])


def test_numbers_and_months_by_language() -> None:
    assert number("1234567.80", "fr") == "1\u202f234\u202f567,80"
    assert number("001500", "en") == "1\u202f500"
    assert month("2025-12", "fr") == "décembre 2025"


def test_french_marks_stay_with_their_word() -> None:
    for kind in TYPES.values():
        for claim in ("", *kind.claims):
            for text in (label(kind.name, "fr", claim), explain(kind.name, "fr", claim)):
                assert not re.search(r" [:;!?%]", text)
                assert "'" not in text


def test_explanations_are_one_sentence() -> None:
    for kind in TYPES.values():
        for lang in LANGUAGES:
            for claim in ("", *kind.claims):
                text = explain(kind.name, lang, claim)
                assert re.fullmatch(r"[^.]+\.", text), text
                assert len(text) <= 150, text


def test_what_has_no_words_is_unsupported() -> None:
    with pytest.raises(Unsupported):
        label("Earnings", "de")
    with pytest.raises(Unsupported):
        label("Score", "en")
    with pytest.raises(Unsupported):
        say("Earnings", "score", "1", "en")


# --- purposes ---


def test_the_five_packs() -> None:
    assert sorted(PURPOSES) == [
        "credit.consumer.eu",
        "employment.fr",
        "housing.tenancy.fr",
        "insurance.rcpro.fr",
        "platform.onboarding.eu",
    ]


@pytest.mark.parametrize(
    ("purpose", "kind", "claim", "judgement"),
    [
        ("housing.tenancy.fr", "Rating", "ratingValue", "never"),
        ("housing.tenancy.fr", "Review", "", "never"),
        ("housing.tenancy.fr", "Earnings", "averageAtLeast12m", "acceptable"),
        ("housing.tenancy.fr", "Earnings", "monthly", "never"),
        ("housing.tenancy.fr", "Earnings", "currency", "acceptable"),
        ("housing.tenancy.fr", "WorkHistory", "lastJob", "expected"),
        ("housing.tenancy.fr", "WorkHistory", "monthlyJobs", "unusual"),
        ("housing.tenancy.fr", "WorkHistory", "unitOfWork", "expected"),
        ("credit.consumer.eu", "Earnings", "averageAtLeast12m", "expected"),
        ("credit.consumer.eu", "Earnings", "monthly", "acceptable"),
        ("credit.consumer.eu", "Rating", "", "never"),
        ("employment.fr", "Rating", "ratingValue", "acceptable"),
        ("employment.fr", "Earnings", "total", "never"),
        ("employment.fr", "Earnings", "currency", "never"),
        ("platform.onboarding.eu", "Rating", "ratingValue", "acceptable"),
        ("platform.onboarding.eu", "Earnings", "currency", "unusual"),
        ("platform.onboarding.eu", "PlatformMembership", "identityVerified", "expected"),
        ("platform.onboarding.eu", "PlatformMembership", "tierLevel", "acceptable"),
        ("insurance.rcpro.fr", "Review", "", "never"),
        ("insurance.rcpro.fr", "Earnings", "averageAtLeast12m", "expected"),
        ("insurance.rcpro.fr", "Unheard", "of", "unusual"),
    ],
)
def test_judgements(purpose: str, kind: str, claim: str, judgement: str) -> None:
    assert judge(PURPOSES[purpose], kind, claim) == Judgement(judgement)


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_without_a_purpose_everything_is_unusual(kind: str) -> None:
    assert {judge(None, kind, claim) for claim in TYPES[kind].claims} == {Judgement.unusual}


def test_packs_speak_of_claims_that_exist() -> None:
    later = {"RatingBand", "Reply", "Dispute", "Qualification"}
    for purpose in PURPOSES.values():
        for rule in purpose.rules:
            for reference in rule.claims:
                kind, _, claim = reference.partition(".")
                assert kind in later or (kind in TYPES and (not claim or claim in TYPES[kind].claims)), reference


def test_no_claim_is_under_two_rules_of_a_pack() -> None:
    for purpose in PURPOSES.values():
        spoken = [reference for rule in purpose.rules for reference in rule.claims]
        assert len(spoken) == len(set(spoken)), purpose.code


def test_packs_say_everything_in_both_languages() -> None:
    for purpose in PURPOSES.values():
        assert purpose.retention_days > 0
        for words in (purpose.labels, purpose.law, *(rule.law for rule in purpose.rules)):
            assert tuple(words) == LANGUAGES
            assert all(words.values())


def test_the_law_of_a_never_is_that_of_its_rule() -> None:
    housing = PURPOSES["housing.tenancy.fr"]
    assert "2015-1437" in law(housing, "Rating", "ratingValue", "en")
    assert "mois par mois" in law(housing, "Earnings", "monthly", "fr")
    assert "15 000 €" in law(housing, "WorkHistory", "monthlyJobs", "fr")
    with pytest.raises(Unsupported):
        law(housing, "Rating", "", "de")


def test_the_signed_terms_allow_what_the_packs_do() -> None:
    """A type names a purpose in its terms exactly where a pack has a use for it, and keeps it at least as long."""
    for kind in TYPES.values():
        if kind.about == "worker" and kind.signer == "issuer" and kind.name != "DisputeOutcome":
            useful = [purpose for purpose in PURPOSES.values() if has_a_use(purpose, kind.name)]
            assert kind.terms["allowedPurpose"] == [purpose.code for purpose in useful]
            assert all(purpose.retention_days <= int(kind.terms["retentionMaxDays"]) for purpose in useful)


def test_an_outcome_may_go_wherever_the_contested_statement_goes() -> None:
    terms = TYPES["DisputeOutcome"].terms
    longest = [int(kind.terms["retentionMaxDays"]) for kind in TYPES.values() if kind.about == "worker"]
    assert terms["allowedPurpose"] == sorted(PURPOSES)
    assert int(terms["retentionMaxDays"]) == max(longest)


def test_an_answer_may_go_wherever_what_it_answers_goes() -> None:
    longest = max(int(kind.terms["retentionMaxDays"]) for kind in TYPES.values() if kind.about == "worker")
    for name in ANSWERS:
        assert TYPES[name].terms["allowedPurpose"] == sorted(PURPOSES)
        assert int(TYPES[name].terms["retentionMaxDays"]) == longest


def has_a_use(purpose: Purpose, kind: str) -> bool:
    wanted = (rule for rule in purpose.rules if rule.judgement != Judgement.never)
    return any(reference.partition(".")[0] == kind for rule in wanted for reference in rule.claims)
