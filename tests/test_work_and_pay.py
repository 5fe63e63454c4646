"""What is stated of jobs and of pay: which rows count, what is stated apart, what is left out; every cent is found."""

import calendar
import json
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from issuer.attest import Attested, attest
from issuer.marks import load_or_create_salt, mark
from issuer.profile import Profile
from tests.cli import ouvrage
from vc.errors import Malformed, Unsupported
from work import months
from work.statement import Statement

PROFILE = """
name = "rides"
title = "A ride service"
platform = "Rides"
category = "organised"
documented = "Nothing."
assumed = "Everything."
provenance = "This test."

[files.trip]
title = "trips"
delimiters = [","]
required = ["who", "on", "trip"]
optional = [
    "begun", "hours", "end", "slot", "area", "service", "client", "sector", "km", "gross", "fees", "net",
    "proof", "signed",
]
[files.trip.columns]
worker = '"who"'
day = '''day_of("on", '%Y-%m-%d')'''
job = '"trip"'
started = '''day_of("begun", '%Y-%m-%d')'''
hours = 'number_of("hours")'
ended = '"end"'
slot = '"slot"'
area = '"area"'
service = '"service"'
client = '"client"'
sector = '"sector"'
distance = 'number_of("km")'
quantity = 'number_of("km")'
measure = '''CASE WHEN "km" IS NOT NULL THEN 'km' END'''
gross = 'number_of("gross")'
fees = 'number_of("fees")'
net = 'number_of("net")'
currency = '''CASE WHEN coalesce("gross", "fees", "net") IS NOT NULL THEN 'EUR' END'''
deliverable = '"proof"'
countersign = '"signed"'
[files.trip.feeds]
jobs = "TRUE"

[files.payment]
title = "payments"
delimiters = [","]
required = ["who", "on", "amount", "cur", "part"]
[files.payment.columns]
worker = '"who"'
day = '''day_of("on", '%Y-%m-%d')'''
amount = 'number_of("amount")'
currency = '"cur"'
part = '"part"'
[files.payment.feeds]
pay = "TRUE"

[files.account]
title = "accounts"
delimiters = [","]
required = ["who", "on", "since", "siret", "tier", "tier_until"]
[files.account.columns]
worker = '"who"'
day = '''day_of("on", '%Y-%m-%d')'''
since = '''day_of("since", '%Y-%m-%d')'''
registered = 'flag_of("siret")'
tier = '"tier"'
until = '''day_of("tier_until", '%Y-%m-%d')'''
[files.account.feeds]
membership = "TRUE"

[statements.PlatformMembership]
status = "active"
tierScheme = "Stars"
tierCriteria = "https://example.com/stars"
[statements.WorkHistory]
unitOfWork = "trip"
durationDefinition = "https://w3id.org/ouvrage/v1/durations/pickUpToDropOff"
[statements.CompletedWork]
unitOfWork = "trip"
occupation = "http://data.europa.eu/esco/isco/C8322"
[statements.Earnings]
basis = "afterCommission"
tipsIncluded = "false"
incentivesIncluded = "false"
tollsIncluded = "false"
fiscalSource = "payments"
"""
SALT = bytes(range(32))
Rows = Sequence[Mapping[str, str]]


def profile(**changes: str) -> Profile:
    """The profile above, with other values of the constants of Earnings."""
    text = PROFILE
    for name, value in changes.items():
        assert f'{name} = "false"' in text
        text = text.replace(f'{name} = "false"', f'{name} = "{value}"')
    return Profile.parse(text.encode(), where="rides.toml")


def write(folder: Path, name: str, columns: Sequence[str], rows: Rows) -> Path:
    path = folder / name
    lines = [",".join(columns), *(",".join(row.get(column, "") for column in columns) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def trips(folder: Path, *rows: Mapping[str, str], each_job: bool = False, of: Profile | None = None) -> Attested:
    kind = profile().files[0]
    given = [{"who": "ann", "on": "2025-03-03", **row} for row in rows]
    path = write(folder, "trips.csv", kind.names, given)
    return attest(of or profile(), [path], salt=SALT, each_job=each_job)


def pay(folder: Path, *rows: tuple[str, str, str], of: Profile | None = None, currency: str = "EUR") -> Attested:
    kind = profile().files[1]
    given = [{"who": "ann", "on": day, "amount": amount, "cur": currency, "part": part} for day, amount, part in rows]
    return attest(of or profile(), [write(folder, "payments.csv", kind.names, given)])


def found(made: Attested, kind: str) -> list[Statement]:
    return [one for one in made.statements if one.type == kind]


def claims(made: Attested, kind: str) -> dict[str, str | tuple[str, ...]]:
    (one,) = found(made, kind)
    return dict(one.claims)


# Work that was done, and work that was not.


def test_cancelled_rows_are_no_work(tmp_path: Path) -> None:
    history = claims(
        trips(
            tmp_path,
            {"trip": "1", "hours": "1.5", "end": "completed"},
            {"trip": "2", "hours": "2", "end": "accepted", "on": "2025-04-02"},
            {"trip": "3", "hours": "8", "end": "cancelledByWorker", "on": "2024-01-02"},
            {"trip": "4", "hours": "8", "end": "cancelledByClient", "on": "2025-06-02"},
            {"hours": "8", "end": "cancelledByWorker"},
        ),
        "WorkHistory",
    )
    assert (history["jobsCompleted"], history["jobsAccepted"], history["cancelledByWorker"]) == ("2", "1", "2")
    assert (history["totalDurationHours"], history["activeDays"], history["activeMonths"]) == ("3.50", "2", "2")
    assert (history["firstJob"], history["lastJob"], history["periodEnd"]) == ("2025-03", "2025-04", "2025-06")
    assert history["monthlyJobs"] == ("2025-03 1", "2025-04 1", "2025-05 0", "2025-06 0")
    assert history["monthlyHours"] == ("2025-03 1.50", "2025-04 2.00", "2025-05 0.00", "2025-06 0.00")


def test_a_job_that_was_done_after_a_cancelled_try_is_not_cancelled(tmp_path: Path) -> None:
    rows = ({"trip": "1", "end": "cancelledByWorker"}, {"trip": "1", "end": "accepted"})
    history = claims(trips(tmp_path, *rows, {"trip": "2", "end": "cancelledByWorker"}), "WorkHistory")
    assert (history["jobsCompleted"], history["jobsAccepted"], history["cancelledByWorker"]) == ("1", "1", "1")


def test_how_jobs_ended_is_counted_only_where_all_rows_say_it(tmp_path: Path) -> None:
    made = trips(
        tmp_path,
        {"trip": "1", "end": "accepted"},
        {"trip": "2"},
        {"who": "bob", "trip": "3", "end": "completed"},
        {"who": "cyd", "trip": "4", "end": "accepted"},
    )
    ann, bob, cyd = (one.claims for one in found(made, "WorkHistory"))
    assert "jobsAccepted" not in ann
    assert ann["jobsCompleted"] == "2"
    assert (bob["jobsAccepted"], cyd["jobsAccepted"]) == ("0", "1")
    assert not any("cancelledByWorker" in one for one in (ann, bob, cyd))  # no row of the export knows the word


def test_a_worker_who_finished_nothing_has_no_months(tmp_path: Path) -> None:
    history = claims(trips(tmp_path, {"trip": "1", "end": "cancelledByWorker", "slot": "night"}), "WorkHistory")
    assert (history["jobsCompleted"], history["cancelledByWorker"], history["activeMonths"]) == ("0", "1", "0")
    assert history.keys() <= {
        *("category", "sourceMethod", "periodStart", "periodEnd", "unitOfWork", "durationDefinition", "jobsCompleted"),
        *("cancelledByWorker", "activeMonths", "activeDays"),
    }


@pytest.mark.parametrize(("column", "word"), [("end", "lost"), ("slot", "noon"), ("end", "Completed")])
def test_a_word_that_is_not_on_the_list_is_rejected_and_not_lost(tmp_path: Path, column: str, word: str) -> None:
    made = trips(tmp_path, {"trip": "1"}, {"trip": "2", column: word})
    ((line, reason),) = [(one.line, one.reason) for one in made.rejects]
    assert line == 3
    assert "is none of" in reason
    assert claims(made, "WorkHistory")["jobsCompleted"] == "1"


# When, where, what, how far, for whom.


def test_slots_are_shares_of_all_jobs(tmp_path: Path) -> None:
    rows = [{"trip": str(number), "slot": "morning"} for number in range(6)] + [{"trip": "a", "slot": "evening"}]
    assert claims(trips(tmp_path, *rows), "WorkHistory")["timeSlots"] == (
        "night 0.000",
        "morning 0.857",
        "afternoon 0.000",
        "evening 0.143",
    )
    assert "timeSlots" not in claims(trips(tmp_path, *rows, {"trip": "b"}), "WorkHistory")


def test_the_areas_and_services_with_the_most_jobs_are_kept(tmp_path: Path) -> None:
    jobs = [(zone, number) for zone in range(10) for number in range(zone)]
    rows = [{"trip": f"{zone}-{number}", "area": f"Zone {zone}", "service": "van"} for zone, number in jobs]
    history = claims(trips(tmp_path, *rows, {"trip": "x", "area": "\x07", "service": "b" * 65}), "WorkHistory")
    assert history["areas"] == tuple(f"Zone {zone}" for zone in range(9, 1, -1))
    assert history["serviceTypes"] == ("van 45",)


def test_rows_of_one_job_are_one_job_everywhere(tmp_path: Path) -> None:
    rows = [{"trip": "1", "area": "Lyon", "service": "van|\u00e9", "slot": "night", "km": "2.5"} for _ in range(3)]
    history = claims(trips(tmp_path, *rows, {"trip": "2", "area": "Lyon", "slot": "night", "km": "0"}), "WorkHistory")
    assert (history["jobsCompleted"], history["serviceTypes"]) == ("2", ("van|\u00e9 1",))
    assert history["timeSlots"][0] == "night 1.000"
    assert history["averageDistanceKm"] == "3.8"  # 7.5 km in 2 jobs, half to even


def test_a_distance_that_is_not_always_known_is_not_averaged(tmp_path: Path) -> None:
    known, cancelled = {"trip": "1", "km": "5"}, {"trip": "3", "km": "9", "end": "cancelledByClient"}
    assert claims(trips(tmp_path, known, cancelled), "WorkHistory")["averageDistanceKm"] == "5.0"
    assert "averageDistanceKm" not in claims(trips(tmp_path, known, {"trip": "2"}, cancelled), "WorkHistory")


def test_long_term_clients_came_back_in_three_months(tmp_path: Path) -> None:
    days = ("2025-01-31", "2025-02-01", "2025-03-01")
    regular = [{"client": "c1", "on": day} for day in days]
    once = [{"client": "c2", "on": "2025-01-02"}, {"client": "c2", "on": "2025-01-30"}, {"client": "c2", "on": days[1]}]
    gone = [{"client": "c3", "on": day, "end": "cancelledByWorker"} for day in days]
    assert claims(trips(tmp_path, *regular, *once, *gone), "WorkHistory")["longTermClients"] == "1"
    assert claims(trips(tmp_path, *once), "WorkHistory")["longTermClients"] == "0"
    assert "longTermClients" not in claims(trips(tmp_path, {"trip": "1"}), "WorkHistory")


# Pay: what is income, what is stated apart, what is left out.

PARTS = (("2025-01-05", "100", ""), ("2025-02-05", "10.10", "tip"), ("2025-02-06", "4", "toll"))
BONUS = ("2025-02-07", "20", "incentive")


def test_tips_are_stated_apart_and_the_money_adds_up(tmp_path: Path) -> None:
    made = pay(tmp_path, *PARTS, BONUS, ("2023-12-31", "3.30", "tip"), ("2025-02-08", "-1.50", "adjustment"))
    earnings, money = claims(made, "Earnings"), made.reconciliation
    assert (earnings["total"], earnings["tips"], earnings["tips12m"]) == ("98.50", "13.40", "10.10")
    assert earnings["monthly"][-2:] == ("2025-01 100.00", "2025-02 -1.50")
    assert earnings["monthsWithIncome"] == "1"
    assert earnings["fiscalSource"] == "payments"
    assert {lot.reason.partition(",")[0]: lot.money for lot in money.left_out} == {
        "toll paid back": {"EUR": Decimal(4)},
        "bonus of the platform": {"EUR": Decimal(20)},
    }
    assert (money.money_in["EUR"], money.attested["EUR"]) == (Decimal("135.90"), Decimal("111.90"))


@pytest.mark.parametrize(
    ("changes", "total", "tips", "left"),
    [
        ({"tipsIncluded": "true"}, "110.10", None, 24),
        ({"tipsIncluded": "notPublished"}, "100.00", "10.10", 24),
        ({"tollsIncluded": "true"}, "104.00", "10.10", 20),
        ({"incentivesIncluded": "true"}, "120.00", "10.10", 4),
        ({"tipsIncluded": "true", "tollsIncluded": "true", "incentivesIncluded": "true"}, "134.10", None, 0),
    ],
)
def test_a_part_counts_where_the_profile_says_so(
    tmp_path: Path, changes: dict[str, str], total: str, tips: str | None, left: int
) -> None:
    made = pay(tmp_path, *PARTS, BONUS, of=profile(**changes))
    earnings = claims(made, "Earnings")
    assert (earnings["total"], earnings.get("tips")) == (total, tips)
    assert sum(lot.money["EUR"] for lot in made.reconciliation.left_out) == left


def test_a_month_below_zero_is_stated_as_it_is(tmp_path: Path) -> None:
    rows = (("2025-01-05", "100", ""), ("2025-02-05", "30", ""), ("2025-02-06", "-80.25", "adjustment"))
    earnings = claims(pay(tmp_path, *rows, ("2025-03-01", "-0.004", "")), "Earnings")
    assert earnings["monthly"] == ("2025-01 100.00", "2025-02 -50.25", "2025-03 0.00")
    assert (earnings["total"], earnings["median3m"], earnings["monthsWithIncome"]) == ("49.75", "0.00", "1")
    assert "averageAtLeast3m" not in earnings


def test_rounding_is_half_to_even_by_month_and_accounted_for(tmp_path: Path) -> None:
    made = pay(tmp_path, ("2025-01-05", "0.005", ""), ("2025-02-05", "0.015", ""), ("2025-02-05", "0.025", "tip"))
    earnings = claims(made, "Earnings")
    assert (earnings["monthly"], earnings["tips"]) == (("2025-01 0.00", "2025-02 0.02"), "0.02")
    assert made.reconciliation.rounding == {"EUR": Decimal("0.005")}


def test_tips_alone_are_stated_beside_no_income(tmp_path: Path) -> None:
    earnings = claims(pay(tmp_path, ("2025-01-05", "2", "tip")), "Earnings")
    assert (earnings["total"], earnings["tips"], earnings["monthsWithIncome"]) == ("0.00", "2.00", "0")


CENTS = st.decimals(-300, 3000, places=4)
LINES = st.tuples(
    st.sampled_from(["ann", "bob"]),
    st.dates(date(2024, 1, 1), date(2026, 10, 31)),
    CENTS,
    st.sampled_from(["EUR", "GBP"]),
    st.sampled_from(["", "work", "tip", "toll", "incentive", "adjustment"]),
)
FLAGS = st.sampled_from(["true", "false", "notPublished"])


def half_even(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_EVEN)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(LINES, min_size=1, max_size=30), tips=FLAGS, tolls=FLAGS, bonuses=FLAGS)
def test_pay_agrees_with_a_second_count(
    tmp_path: Path, lines: list[tuple[str, date, Decimal, str, str]], tips: str, tolls: str, bonuses: str
) -> None:
    included = {"tip": tips == "true", "toll": tolls == "true", "incentive": bonuses == "true"}
    monthly: defaultdict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    apart: defaultdict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for worker, day, amount, currency, part in lines:
        place = (worker, currency, f"{day:%Y-%m}")
        if included.get(part, True):
            monthly[place] += amount
        elif part == "tip":
            apart[place] += amount
    rows = [
        {"who": worker, "on": str(day), "amount": f"{amount:f}", "cur": currency, "part": part}
        for worker, day, amount, currency, part in lines
    ]
    of = profile(tipsIncluded=tips, tollsIncluded=tolls, incentivesIncluded=bonuses)
    path = write(tmp_path, "payments.csv", of.files[1].names, rows)
    if not monthly and not apart:
        with pytest.raises(Malformed, match="no row can be used"):
            attest(of, [path])
        return
    made = attest(of, [path])  # refuses what does not reconcile
    keys = {place[:2] for place in (*monthly, *apart)}
    assert [(one.worker, one.claims["currency"]) for one in found(made, "Earnings")] == sorted(keys)
    for one in found(made, "Earnings"):
        who = (one.worker, str(one.claims["currency"]))
        paid = {place[2]: half_even(amount) for place, amount in monthly.items() if place[:2] == who}
        given_ = [half_even(amount) for place, amount in apart.items() if place[:2] == who]
        assert Decimal(str(one.claims["total"])) == sum(paid.values())
        assert one.claims.get("tips") == (f"{sum(given_):.2f}" if given_ else None)
        stated = {str(item)[:7]: Decimal(str(item)[8:]) for item in one.claims["monthly"]}
        assert {month: amount for month, amount in stated.items() if amount} == {
            month: amount for month, amount in paid.items() if amount and month in stated
        }
        assert "-0.00" not in str(one.claims)


# One job.


def test_single_jobs_are_stated_only_where_they_are_asked_for(tmp_path: Path) -> None:
    assert found(trips(tmp_path, {"trip": "1"}), "CompletedWork") == []
    plain = profile()
    less = {name: each for name, each in plain.statements.items() if name != "CompletedWork"}
    with pytest.raises(Unsupported, match="does not say what one job is"):
        trips(tmp_path, {"trip": "1"}, each_job=True, of=replace(plain, statements=less))


def test_one_job_is_told_from_all_its_rows(tmp_path: Path) -> None:
    digest = "uEiD" + "d" * 43
    common = {"trip": "7", "area": "Lyon", "service": "van", "sector": "retail", "proof": digest, "signed": digest}
    made = trips(
        tmp_path,
        {**common, "on": "2025-03-04", "begun": "2025-03-02", "hours": "1.25", "km": "10", "gross": "20", "fees": "2"},
        {**common, "hours": "1", "km": "2.5", "end": "accepted", "gross": "5", "net": "4.5"},
        {**common, "on": "2025-05-01", "hours": "9", "km": "9", "end": "cancelledByClient", "area": "Paris"},
        {**common, "on": "2025-06-01", "hours": "9", "end": "cancelledByWorker"},
        each_job=True,
    )
    assert claims(made, "CompletedWork") == {
        "category": "organised", "sourceMethod": "platformNative", "periodEnd": "2025-06", "unitOfWork": "trip",
        "occupation": "http://data.europa.eu/esco/isco/C8322", "outcome": "accepted", "serviceType": "van",
        "jobIdHash": claims(made, "CompletedWork")["jobIdHash"], "startDate": "2025-03-02", "endDate": "2025-03-04",
        "durationHours": "2.25", "quantity": "12.500 km", "area": "Lyon", "clientSector": "retail", "currency": "EUR",
        "gross": "25.00", "fees": "2.00", "net": "4.50", "deliverableHash": digest, "clientCountersign": digest,
    }  # fmt: skip


def test_jobs_come_newest_last_and_those_the_worker_cancelled_not_at_all(tmp_path: Path) -> None:
    made = trips(
        tmp_path,
        {"trip": "1", "on": "2025-03-09"},
        {"trip": "2", "on": "2025-03-01", "end": "cancelledByClient", "gross": "3"},
        {"trip": "3", "on": "2025-03-05", "end": "cancelledByWorker"},
        {"on": "2025-03-05", "hours": "1"},
        {"on": "2025-03-05", "hours": "2"},
        {"who": "abe", "trip": "2", "on": "2025-03-20"},
        each_job=True,
    )
    jobs = found(made, "CompletedWork")
    assert [(one.worker, one.claims["endDate"], one.claims["outcome"]) for one in jobs] == [
        ("abe", "2025-03-20", "completed"),
        ("ann", "2025-03-01", "cancelledByClient"),
        ("ann", "2025-03-05", "completed"),
        ("ann", "2025-03-05", "completed"),
        ("ann", "2025-03-09", "completed"),
    ]
    assert len({one.topic() for one in jobs}) == len(jobs)  # job 2 of two workers has two names as well


def test_a_job_keeps_its_name_in_a_longer_export(tmp_path: Path) -> None:
    rows = [{"hours": "1"}, {"hours": "2"}, {"trip": "9"}]
    before = trips(tmp_path, *rows, each_job=True)
    after = trips(tmp_path, {"on": "2025-02-01"}, *reversed(rows), {"on": "2025-03-04"}, each_job=True)
    names = [{one.claims["jobIdHash"] for one in found(made, "CompletedWork")} for made in (before, after)]
    assert len(names[0]) == 3
    assert names[0] < names[1]


def test_nobody_can_count_through_the_numbers_of_jobs(tmp_path: Path) -> None:
    """Whoever knows the rule and the job but not the secret does not find its name."""
    name = claims(trips(tmp_path, {"trip": "4711"}, each_job=True), "CompletedWork")["jobIdHash"]
    ((number,),) = duckdb.execute("SELECT CAST(md5_number('4711') AS VARCHAR)").fetchall()
    assert mark(SALT, "ann", f"job {number}") == name
    assert mark(bytes(32), "ann", f"job {number}") != name
    assert mark(SALT, "ann", "a") != mark(SALT, "an", "na")


def test_the_secret_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    path = tmp_path / "job-names.key"
    salt = load_or_create_salt(path, os.urandom)
    assert load_or_create_salt(path, lambda _: b"other" * 9) == salt
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(salt[:-1])
    with pytest.raises(Malformed, match="restore it from your backup"):
        load_or_create_salt(path, os.urandom)


def test_each_job_from_the_command_line(tmp_path: Path) -> None:
    described, out = tmp_path / "rides.toml", tmp_path / "statements.jsonl"
    described.write_text(PROFILE, encoding="utf-8")
    rows = [{"who": "w", "on": "2025-03-03", "trip": trip} for trip in "ab"]
    export = write(tmp_path, "trips.csv", ("who", "on", "trip"), rows)
    for added in ({"new": 3, "replaced": 0, "unchanged": 0}, {"new": 0, "replaced": 0, "unchanged": 3}):
        words = ("issuer", "attest", export, "--profile", described, "--each-job", "--out", out, "--json")
        told = ouvrage(tmp_path, *words).json
        assert {name: told[name] for name in added} == added
    kinds = [json.loads(line)["type"] for line in out.read_text(encoding="utf-8").splitlines()]
    assert kinds == ["CompletedWork", "CompletedWork", "WorkHistory"]


# Accounts.


def accounts(folder: Path, *rows: Mapping[str, str]) -> dict[str, str | tuple[str, ...]]:
    kind = profile().files[2]
    given = [{"who": "ann", "on": "2025-03-31", **row} for row in rows]
    return claims(attest(profile(), [write(folder, "accounts.csv", kind.names, given)]), "PlatformMembership")


def test_what_rows_say_of_registration_and_tier(tmp_path: Path) -> None:
    member = accounts(tmp_path, {"siret": "yes", "tier": "Gold", "tier_until": "2025-09-30"})
    assert (member["registrationNumberPresent"], member["tierLevel"]) == ("true", "Gold")
    assert (member["tierCriteria"], member["tierValidUntil"]) == ("https://example.com/stars", "2025-09")
    without = accounts(tmp_path, {"siret": "no", "tier_until": "2025-09-30"}, {"siret": ""})
    assert without["registrationNumberPresent"] == "false"
    assert {"tierCriteria", "tierValidUntil", "tierScheme", "tierLevel"}.isdisjoint(without)
    assert "registrationNumberPresent" not in accounts(tmp_path, {"siret": "no"}, {"siret": "yes"})


@settings(deadline=None)
@given(first=st.dates(date(2015, 1, 1), date(2026, 12, 31)), last=st.dates(date(2015, 1, 1), date(2026, 12, 31)))
def test_whole_months_agree_with_a_second_count(first: date, last: date) -> None:
    first, last = sorted((first, last))
    count, due = 0, first
    while True:
        at = months.number(f"{first:%Y-%m}") + count + 1
        year, month = at // 12, at % 12 + 1
        due = date(year, month, min(first.day, calendar.monthrange(year, month)[1]))
        if due > last:
            break
        count += 1
    assert months.whole(first, last) == count
