"""The profiles of rides and deliveries on their examples: valid statements, and the numbers that went into them."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from issuer.attest import Attested, attest
from issuer.intake import Said, day_named
from issuer.profile import load_profile
from tests.organised import EXAMPLES, claims, figures, left_out, maker, write
from vc.errors import Malformed
from work.draft import draft
from work.validate import check_document

AT = datetime(2026, 11, 24, tzinfo=UTC)
HOLDER = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"

# Folder, profile, who it is about, statements, jobs, hours.
SAMPLES = {
    "uber and uber/also": (
        "uber",
        "me",
        {"Earnings": 1, "Rating": 1, "RatingBand": 1, "WorkHistory": 1},
        "42",
        "16.55",
    ),
    "uber/us": ("uber", "me", {"Earnings": 1, "WorkHistory": 1}, "11", "4.12"),
    "uber/api": ("uber", None, {"Earnings": 1, "PlatformMembership": 1, "WorkHistory": 1}, "8", "1.34"),
    "uber/fleet": ("uber", None, {"Earnings": 3}, None, None),
    "uber-eats": ("uber-eats", "me", {"Earnings": 1, "WorkHistory": 1}, "21", "4.97"),
    "wolt": ("wolt", "me", {"WorkHistory": 1}, "14", "2.73"),
    "deliveroo": ("deliveroo", "me", {"Earnings": 1, "WorkHistory": 1}, "18", "37.80"),
    "stuart": ("stuart", "me", {"WorkHistory": 1}, "10", "3.00"),
    "generic-organised": ("generic-organised", None, {"Earnings": 2, "WorkHistory": 2}, None, None),
}


def sample(folder: str) -> Attested:
    profile, worker, *_ = SAMPLES[folder]
    folders = [EXAMPLES / each for each in folder.split(" and ")]
    paths = sorted(path for each in folders for path in each.iterdir() if path.is_file())
    return attest(load_profile(profile), paths, worker=worker, said=Said("Europe/Paris"))


@pytest.mark.parametrize("folder", SAMPLES)
def test_examples_become_valid_statements_and_reconcile(folder: str) -> None:
    _, _, expected, jobs, hours = SAMPLES[folder]
    made = sample(folder)
    assert made.reconciliation.statements == expected
    assert made.rejects == ()
    made.reconciliation.check()
    for statement in made.statements:
        assert statement.claims["category"] == "organised"
        check_document(draft(statement, issuer="did:key:zUC7example", holder=HOLDER, at=AT).document)
    if jobs is not None:
        history = claims(made, "WorkHistory")
        assert (history["jobsCompleted"], history["totalDurationHours"]) == (jobs, hours)


@pytest.mark.parametrize("name", sorted(maker().EXAMPLES))
def test_examples_are_what_their_script_writes(name: str) -> None:
    assert maker().EXAMPLES[name]() == (EXAMPLES / name).read_bytes()


def test_the_script_writes_all_files_that_are_there(tmp_path: Path) -> None:
    maker().main(tmp_path)
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    folders = {name.split("/")[0] for name in written}
    there = (path for folder in folders for path in (EXAMPLES / folder).rglob("*") if path.is_file())
    assert written == {str(path.relative_to(EXAMPLES)) for path in there}


def test_examples_have_the_headers_of_the_real_exports() -> None:
    def header(name: str, sign: str) -> list[str]:
        return next(csv.reader(io.StringIO((EXAMPLES / name).read_text("utf-8-sig")), delimiter=sign))

    trips = header("uber/02 - Driver Lifetime Trips.csv", ";")
    assert (len(trips), trips[0], trips[24], trips[-1]) == (86, "city_id", "is_completed", "is_airport_trip")
    assert len(header("uber/us/driver_lifetime_trips-0.csv", ",")) == 73
    assert {"city_name", "flow_type", "license_plate"} <= set(header("uber/us/driver_lifetime_trips-0.csv", ","))
    assert header("wolt/courier_tasks.csv", ",")[0] == "Task creation time "
    assert "dropoff_delivery_distance_km" in header("uber-eats/31 - Courier Lifetime Trip Data.csv", ",")


def test_no_profile_reads_names_positions_or_penalties() -> None:
    never = ("lat", "lng", "latitude", "longitude", "Nom du chauffeur", "Prénom du chauffeur", "Note", "license_plate")
    for name in ("uber", "uber-eats", "wolt", "deliveroo", "stuart", "generic-organised"):
        for kind in load_profile(name).files:
            assert not [column for column in kind.names if column.rpartition(".")[2] in never]


def test_tolls_inside_the_payments_of_the_api_are_taken_out_and_named() -> None:
    made = sample("uber/api")
    assert claims(made, "Earnings")["total"] == "37.20"
    assert figures(made)["Tolls inside the payments of the Driver API"] == "2.10 EUR"
    assert [(lot.rows, lot.money) for lot in made.reconciliation.left_out if lot.money] == [(1, {"EUR": Decimal(-5)})]
    assert claims(made, "PlatformMembership")["status"] == "active"


def test_an_account_that_is_not_active_is_stated_nowhere(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "me.json": '{"driver_id": "made-up-driver-0001==", "activation_status": "suspended", "rating": 4.1}',
        "trips.json": (EXAMPLES / "uber/api/trips.json").read_bytes(),
    }
    made = attest(load_profile("uber"), write(tmp_path, files), said=Said("Europe/Paris"))
    assert made.reconciliation.statements == {"WorkHistory": 1}
    assert "an account that is not active: no statement may speak of why" in left_out(made)
    assert not any("suspended" in str(one.claims) for one in made.statements)


def test_the_last_trip_of_february_in_utc_is_one_of_march() -> None:
    made = sample("generic-organised")
    last = [one.claims["lastJob"] for one in made.statements if one.type == "WorkHistory"]
    assert last == ["2026-02", "2026-03"]


@pytest.mark.parametrize(
    ("shift", "hours"),
    [
        ("06/04/2026,18:00,20:30,2.5h,4,€28.90", "2.50"),
        ("2026-04-06,18:00,20:30,,4,€28.90", "2.50"),
        ("6 April 2026,22:30,01:00,,4,€28.90", "2.50"),
        ('06/04/2026,,,"2,5h",4,"28,90"', "2.50"),
    ],
)
def test_shifts_in_the_ways_that_statements_write_them(tmp_path: Path, shift: str, hours: str) -> None:
    text = f"Date,Time In,Time Out,Duration,Orders Delivered,Total\n{shift}\n"
    made = attest(load_profile("deliveroo"), write(tmp_path, {"r.csv": text}))
    assert claims(made, "WorkHistory")["totalDurationHours"] == hours
    assert (claims(made, "Earnings")["total"], claims(made, "Earnings")["currency"]) == ("28.90", "EUR")
    assert claims(made, "WorkHistory")["unitOfWork"] == "shift"


def test_an_amount_without_a_currency_is_not_guessed_at(tmp_path: Path) -> None:
    text = "Date,Duration,Total\n06/04/2026,2.5h,28.90\n"
    with pytest.raises(Malformed, match="the first is on line 2"):
        attest(load_profile("deliveroo"), write(tmp_path, {"r.csv": text}))


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("20260406-20260413-payments_driver.csv", "2026-04-13"),
        ("2026-04-06_fleet.csv", "2026-04-06"),
        ("payments 20261399.csv", None),
        ("driver_payments-0.csv", None),
        ("120260406.csv", None),
    ],
)
def test_days_in_the_names_of_files(name: str, day: str | None) -> None:
    found = day_named(name)
    assert (found and found.isoformat()) == day
