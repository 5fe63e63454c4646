"""From the files of a platform to statements about reviews, insurance, training and disputes; and to what is not
stated, with the reason."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from issuer.attest import Attested, attest
from issuer.marks import SALT as SALT_BYTES
from issuer.marks import load_or_create_salt, mark
from issuer.profile import Profile
from tests.topic_samples import CONTESTED, CORRECTED, POLICIES, PROFILE, REVIEWS, RIGHTS, SALT, profile, write
from vc.errors import Malformed
from work.types import TYPES


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Attested:
    return attest(profile(), write(tmp_path_factory.mktemp("atelier")), salt=SALT)


def stated(made: Attested, kind: str, worker: str) -> list[dict[str, Any]]:
    """The claims of a worker's statements of a type, without those that all of them share."""
    common = ("category", "sourceMethod", "periodEnd", "raterPopulation", "bestRating", "worstRating", "decidedBy")
    found = [one for one in made.statements if (one.type, one.worker) == (kind, worker)]
    return [{name: value for name, value in one.claims.items() if name not in common} for one in found]


def test_every_review_is_a_statement_and_tells_how_many_there_are(made: Attested) -> None:
    found = sorted(stated(made, "Review", "W1"), key=lambda one: one["reviewRating"])
    assert [one["reviewRating"] for one in found] == ["2", "3.5", "4", "5"]
    assert {one["sampleTotal"] for one in found} == {"4"}
    assert len({one["workRef"] for one in found}) == 4
    assert all(TYPES["Review"].claims["workRef"].accepts(one["workRef"]) for one in found)
    (best,) = (one for one in found if one["reviewRating"] == "5")
    del best["workRef"]
    assert best == {
        "reviewRating": "5",
        "published": "2025-06",
        "sampleTotal": "4",
        "lang": "fr",
        "visibility": "public",
        "publicationRight": "true",
        "reviewBody": "Travail soigné, livré avant la date. Je recommande !",
        "reviewAspects": ("quality 5",),
    }
    (other,) = stated(made, "Review", "W2")
    assert (other["reviewRating"], other["reviewBody"]) == ("notRated", "Good work on version 2.1.3 for 1 200 EUR.")


def test_what_the_platform_does_not_say_of_a_review_is_not_granted(made: Attested) -> None:
    (unsaid,) = (one for one in stated(made, "Review", "W1") if one["reviewRating"] == "2")
    assert (unsaid["visibility"], unsaid["publicationRight"]) == ("private", "false")
    (silent,) = (one for one in stated(made, "Review", "W1") if one["reviewRating"] == "3.5")
    assert (silent["lang"], "reviewBody" in silent) == ("en", False)


def test_a_text_that_names_somebody_is_not_stated_and_the_run_says_so(made: Attested) -> None:
    (named,) = (one for one in stated(made, "Review", "W1") if one["reviewRating"] == "4")
    assert "reviewBody" not in named
    reason = "review text holds an e-mail address, a phone number and a person's name: stated without it"
    listed = {(one.line, one.reason): one.value for one in made.rejects if one.file == "reviews.csv"}
    assert listed[4, reason] == "0• •• •• •• ••, o.••••••@•••••••.•••, b•••••"
    assert listed[6, "review text holds a person's name: stated without it"] == "B•••••"
    assert {lot.reason: lot.rows for lot in made.reconciliation.in_part}[reason] == 1
    assert reason in made.reconciliation.text()
    table = list(csv.reader(io.StringIO(made.rejects_csv().decode(), newline="")))
    assert ["reviews.csv", "6", "review text holds a person's name: stated without it", "B•••••"] in table
    everything = f"{made.statements}{made.rejects}{made.reconciliation}"
    assert not any(secret in everything for secret in ("Odile", "Brunel", "BRUNEL", "brunel", "12 34", "example.org"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x" * 2001, "longer than 2000 characters"),
        ("tr\u200bès bien", "a character that nobody sees"),
        ("~01", "begins with a mark that statements keep"),
    ],
)
def test_a_text_that_no_statement_can_hold_is_left_out_and_told(tmp_path: Path, text: str, why: str) -> None:
    rows = f'worker,review,date,stars,text\nW1,R1,2025-06-03,5,"{text}"\nW1,R2,2025-06-03,5,{"x" * 2000}\n'
    made = attest(profile(), write(tmp_path, reviews=rows), salt=SALT)
    found = [one.get("reviewBody") for one in stated(made, "Review", "W1")]
    assert sorted(found, key=str) == sorted([None, "x" * 2000], key=str)
    (listed,) = (one for one in made.rejects if one.file == "reviews.csv")
    assert (listed.line, why in listed.reason) == (2, True)


def test_texts_are_taken_away_from_the_right_rows_of_many_files(tmp_path: Path) -> None:
    """More rows than are taken away at once, in two files with the same line numbers, and some that are left out."""
    where = PROFILE.replace(
        "[files.policy]", '[[files.review.leave_out]]\nwhen = "value = 1"\nreason = "a test"\n[files.policy]'
    )
    head, paths = "worker,review,date,stars,text\n", []
    for name, odd in (("a", 0), ("b", 1)):
        texts = ("Merci à Mme Durand" if number % 2 == odd else "Très bien" for number in range(2400))
        stars = (1 if number < 100 else 5 for number in range(2400))
        rows = (
            f"W{name},{name}{number},2025-06-03,{star},{text}"
            for number, (star, text) in enumerate(zip(stars, texts, strict=True))
        )
        paths.append(tmp_path / f"{name}.csv")
        paths[-1].write_text(head + "\n".join(rows), encoding="utf-8")
    made = attest(Profile.parse(where.encode(), where="x"), paths, salt=SALT)
    for worker in ("Wa", "Wb"):
        bodies = [one.get("reviewBody") for one in stated(made, "Review", worker)]
        assert (bodies.count(None), bodies.count("Très bien")) == (1150, 1150)
    lines = {name: [one.line for one in made.rejects if one.file == f"{name}.csv"] for name in "ab"}
    assert lines == {"a": list(range(102, 2402, 2)), "b": list(range(103, 2402, 2))}
    assert {lot.rows for lot in made.reconciliation.in_part} == {2300}


def test_a_review_that_was_changed_is_stated_once_in_its_last_version(made: Attested) -> None:
    assert not any("Pas encore" in str(one.claims) for one in made.statements)
    lots = {lot.reason: lot.rows for lot in made.reconciliation.in_part}
    assert lots["an earlier version of a review that is stated"] == 1
    assert lots["an earlier period of a policy that is stated"] == 1
    assert lots["an earlier outcome of a dispute that is stated"] == 1


def test_a_policy_is_put_together_from_its_rows(made: Attested) -> None:
    assert stated(made, "ProfessionalInsurance", "W1") == [
        {
            "insurerName": "Assurances du Pont",
            "insurerIdentifier": "000 000 002",
            "coverFrom": "2025-01-01",
            "coverTo": "2025-12-31",
            "scope": "holder",
            "coveredActivities": ("Enduits", "Peinture", "Plâtrerie"),
            "policyNumber": "RC-17",
            "currency": "EUR",
            "territory": ("BE", "FR"),
            "expertiseScheme": "Échelle Pont",
            "expertiseLevel": "3",
            "ceilingPerClaim": "500000.00",
            "ceilingPerYear": "1000000.00",
            "ceilingPerClaimAtLeast": ("000050", "000100", "000150", "000300", "000500"),
        }
    ]  # the deductible and the trade of the degree are not: the rows do not agree about them
    (mission,) = stated(made, "ProfessionalInsurance", "W2")
    assert mission["insurerIdentifier"] == "notPublished"
    assert (mission["scope"], mission["jobsUpTo"]) == ("missionOnly", "3000.00")
    assert (mission["ceilingPerClaim"], mission["ceilingPerClaimAtLeast"]) == ("80000.50", ("000050",))
    assert TYPES["ProfessionalInsurance"].claims["missionRef"].accepts(mission["missionRef"])


def test_amounts_in_two_currencies_are_not_stated(tmp_path: Path) -> None:
    rows = POLICIES.replace("€500,EUR", "€400,USD")
    (policy,) = stated(attest(profile(), write(tmp_path, policies=rows), salt=SALT), "ProfessionalInsurance", "W1")
    assert {"currency", "ceilingPerClaim", "ceilingPerYear", "deductible", "ceilingPerClaimAtLeast"}.isdisjoint(policy)


def test_training_rights_are_added_up_by_year_and_before(made: Attested) -> None:
    assert stated(made, "TrainingRights", "W1") == [
        {
            "currency": "EUR",
            "cfpPaidLastYear": "48.20",  # 20.10 + 28.105, from August 2024 on
            "cfpPaidEarlier": "131.05",  # 100.005 + 31.045, rounded once
            "cpfTopUps": ("2024 250.00", "2025 500.00"),
            "vaeActions": ("Titre professionnel de peintre en bâtiment",),
            "trainings": ("Gestes et postures",),
        }
    ]
    assert stated(made, "TrainingRights", "W2") == [{"currency": "notApplicable", "trainings": ("Conduite en hiver",)}]


def test_each_currency_of_training_is_a_statement_of_its_own(tmp_path: Path) -> None:
    changed = PROFILE.replace(
        'currency = "CASE WHEN \\"euros\\" IS NOT NULL THEN \'EUR\' END"',
        "currency = \"CASE WHEN \\\"course\\\" = 'x' THEN 'CHF' ELSE 'EUR' END\"",
    )
    rows = "worker,date,what,course,euros\nW1,2025-07-01,cfp,x,€1\nW1,2025-07-01,cfp,,€2\nW1,2025-07-01,vae,y,\n"
    made = attest(Profile.parse(changed.encode(), where="x"), write(tmp_path, rights=rows), salt=SALT)
    found = stated(made, "TrainingRights", "W1")
    assert [(one["currency"], one["cfpPaidLastYear"], one["vaeActions"]) for one in found] == [
        ("CHF", "1.00", ("y",)),
        ("EUR", "2.00", ("y",)),
    ]


def test_the_last_outcome_of_a_dispute_is_stated(made: Attested) -> None:
    (corrected,) = stated(made, "DisputeOutcome", "W1")
    assert corrected == {"outcome": "corrected", "decidedOn": "2025-07", "about": CONTESTED, "replaces": CORRECTED}
    (withdrawn,) = stated(made, "DisputeOutcome", "W2")
    assert (withdrawn["about"], withdrawn["replaces"]) == (CORRECTED, "none")
    assert {one.claims["decidedBy"] for one in made.statements if one.type == "DisputeOutcome"} == {"mediator"}


def test_rows_that_cannot_be_understood_are_rejected_one_by_one(made: Attested) -> None:
    listed = [(one.file, one.line, one.reason) for one in made.rejects if "stated without" not in one.reason]
    assert listed == [
        ("reviews.csv", 9, "a review without rating and without text"),
        ("reviews.csv", 10, "language is not a tag such as fr or en-GB"),
        ("policies.csv", 6, "the cover ends before it begins"),
        ("policies.csv", 7, "territory is not country codes of two letters"),
        ("policies.csv", 8, "the cover of one mission only, without the mission"),
        ("policies.csv", 9, "ceiling_claim is below zero"),
        ("rights.csv", 12, "training without its title"),
        ("rights.csv", 13, "a contribution without its amount, or without currency"),
        ("rights.csv", 14, "kind is none of cfp, vae, training, cpf"),
        ("decisions.csv", 5, "about is not the fingerprint of a statement"),
        ("decisions.csv", 6, "ended is none of upheld, corrected, removed, withdrawn"),
        ("decisions.csv", 7, "a statement in the place of one that was not corrected"),
    ]
    found = made.reconciliation
    assert found.rows_in == found.rows_used + len(listed) == 35


@pytest.mark.parametrize(
    ("file", "row", "reason"),
    [
        ("rights", f'W1,2025-01-01,vae,"{"x" * 201}",', "title is not one line"),
        ("rights", 'W1,2025-01-01,vae,"a\nb",', "title is not one line"),
        ("rights", "W1,2025-01-01,vae,~01,", "title is not one line"),
        ("policies", "W1,2025-01-01,,,,2025-01-01,2025-02-01,,,,,x,,,,,,", "insurer is empty"),
        ("policies", "W1,2025-01-01,A,,,1925-01-01,2025-02-01,,,,,x,,,,,,", "from not understood"),
        ("policies", "W1,2025-01-01,A,,,2025-01-01,2025-02-01,,,,,x,,all,,,,", "scope is none of holder"),
        ("policies", f"W1,2025-01-01,A,,,2025-01-01,2025-02-01,,,,,x;{'y' * 201},,,,,,", "kind is not activities"),
        ("policies", "W1,2025-01-01,A,,,2025-01-01,2025-02-01,,,,,x;,,,,,,", "kind is not activities"),
        ("policies", f"W1,2025-01-01,A,,{'9' * 65},2025-01-01,2025-02-01,,,,,x,,,,,,", "policy is not one line"),
        ("decisions", f"W1,2025-01-01,{CONTESTED},corrected,{CONTESTED}", "a statement in its own place"),
    ],
)
def test_what_no_claim_can_hold_is_a_rejected_row(tmp_path: Path, file: str, row: str, reason: str) -> None:
    texts = {"policies": POLICIES, "rights": RIGHTS, "decisions": "worker,date,statement,decision,new statement\n"}
    made = attest(profile(), write(tmp_path, **{file: texts[file] + row + "\n"}), salt=SALT)
    lines = [one.reason for one in made.rejects if one.file == f"{file}.csv"]
    assert lines[-1].startswith(reason)


def test_a_file_without_a_column_is_checked_as_if_it_were_empty(tmp_path: Path) -> None:
    without = PROFILE.replace("amount = '''money_of(\"euros\", '€')'''\n", "")
    rows = "worker,date,what,course,euros\nW1,2025-07-01,cfp,,€1\nW1,2025-07-01,vae,y,\n"
    made = attest(Profile.parse(without.encode(), where="x"), write(tmp_path, rights=rows), salt=SALT)
    (listed,) = (one.reason for one in made.rejects if one.file == "rights.csv")
    assert listed == "a contribution without its amount, or without currency"


def test_a_mark_can_be_traced_back_only_with_the_secret(made: Attested, tmp_path: Path) -> None:
    other = attest(profile(), write(tmp_path), salt=bytes(32))
    marks = [{one.claims["workRef"] for one in run.statements if one.type == "Review"} for run in (made, other)]
    assert marks[0].isdisjoint(marks[1])
    again = attest(profile(), write(tmp_path), salt=SALT)
    assert again.statements == made.statements
    assert mark(SALT, "W1", "R1") != mark(SALT, "W2", "R1")


def test_without_the_secret_nothing_that_names_a_job_is_made(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="a secret of the platform is needed"):
        attest(profile(), write(tmp_path))


def test_the_secret_is_kept_and_is_nobody_elses(tmp_path: Path) -> None:
    path = tmp_path / "job-names.key"
    salt = load_or_create_salt(path, lambda length: b"s" * length)
    assert (salt, path.stat().st_mode & 0o777) == (b"s" * SALT_BYTES, 0o600)
    assert load_or_create_salt(path, lambda length: b"t" * length) == salt
    path.write_bytes(salt[:-1])
    with pytest.raises(Malformed, match="restore it"):
        load_or_create_salt(path, lambda length: b"t" * length)


def test_an_order_of_rows_changes_nothing(made: Attested, tmp_path: Path) -> None:
    def reversed_(text: str) -> str:
        rows = list(csv.reader(io.StringIO(text, newline="")))
        out = io.StringIO(newline="")
        csv.writer(out).writerows([rows[0], *reversed(rows[1:])])
        return out.getvalue()

    turned = {"reviews": reversed_(REVIEWS), "policies": reversed_(POLICIES), "rights": reversed_(RIGHTS)}
    assert attest(profile(), write(tmp_path, **turned), salt=SALT).statements == made.statements


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('bestRating = "5"', 'bestRating = "five"', "bestRating"),
        ('decidedBy = "mediator"', 'decidedBy = "me"', "decidedBy"),
        ('raterPopulation = "clients"\n', "", "raterPopulation"),
        ('reviews = "TRUE"', 'training = "TRUE"', "training needs kind"),
    ],
)
def test_a_profile_that_says_too_little_is_refused(old: str, new: str, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        Profile.parse(PROFILE.replace(old, new).encode(), where="atelier.toml")
