"""The traps that real exports of rides and deliveries set: each a small file of that exact shape."""

from decimal import Decimal
from pathlib import Path

import pytest

from issuer.attest import attest
from issuer.profile import load_profile
from tests.organised import claims, figures, left_out, made, maker, parts
from vc.errors import Malformed

TRIP_HEADER = """\
city_id;currency_code;timezone;product_type_name;request_timestamp_local;request_timestamp_utc;\
begintrip_timestamp_local;begintrip_timestamp_utc;dropoff_timestamp_local;dropoff_timestamp_utc;\
trip_distance_miles;trip_duration_seconds;status;is_completed"""
TRIPS = TRIP_HEADER.split(";")
PAY = "city_id;amount_local;currency_code;classification;category;recognize_timestamp_local"
US_PAY = "City Name,Trip UUID,Local Amount,Currency Code,Classification,Category,Local Timestamp"
EATS_PAY = "city_name,amount_local,currency_code,classification,category,recognize_timestamp_local"
FARE = "5;17.0;EUR;transport.fare.base;driver_payment_fares;2026-02-03 10:00:00"


def trips(*rows: str, sign: str = ";", drop: tuple[str, ...] = ()) -> str:
    """A trips file; ``rows`` have semicolons."""
    kept = [place for place, name in enumerate(TRIPS) if name not in drop]
    table = [TRIPS, *(row.split(";") for row in rows)]
    return "".join(sign.join(row[place] for place in kept) + "\n" for row in table)


def trip(begin: str = "2026-02-03T10:05:00.000Z", end: str = "2026-02-03T10:25:00.000Z", **changes: str) -> str:
    """A completed trip; local times as they are, those in UTC an hour before."""
    utc = {name: time.replace("T10:", "T09:") for name, time in (("begin", begin), ("end", end))}
    row = {
        "city_id": "5", "currency_code": "EUR", "timezone": "Europe/Paris", "product_type_name": "uberX",
        "request_timestamp_local": begin, "request_timestamp_utc": utc["begin"], "begintrip_timestamp_local": begin,
        "begintrip_timestamp_utc": utc["begin"], "dropoff_timestamp_local": end, "dropoff_timestamp_utc": utc["end"],
        "trip_distance_miles": "2.5", "trip_duration_seconds": "1200", "status": "completed", "is_completed": "true",
    }  # fmt: skip
    return ";".join({**row, **changes}[name] for name in TRIPS)


def pay(*rows: str) -> str:
    return "\n".join((PAY, *rows)) + "\n"


# Separators, names, byte order marks, columns.


@pytest.mark.parametrize("sign", [";", ",", "\t"])
def test_either_separator(tmp_path: Path, sign: str) -> None:
    found = made(tmp_path, "uber", {"t.csv": trips(trip(), sign=sign), "p.csv": pay(FARE).replace(";", sign)})
    assert claims(found, "WorkHistory")["jobsCompleted"] == "1"
    assert claims(found, "Earnings")["total"] == "17.00"


@pytest.mark.parametrize(
    "name", ["02 - Driver Lifetime Trips.csv", "driver_lifetime_trips-0.csv", "Trajets à vie.txt", "x"]
)
def test_names_of_files_never_matter(tmp_path: Path, name: str) -> None:
    assert claims(made(tmp_path, "uber", {name: trips(trip())}), "WorkHistory")["jobsCompleted"] == "1"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_byte_order_marks_and_other_encodings(tmp_path: Path, encoding: str) -> None:
    text = trips(trip(product_type_name="Berline électrique")).encode(encoding)
    assert claims(made(tmp_path, "uber", {"t.csv": text}), "WorkHistory")["jobsCompleted"] == "1"


@pytest.mark.parametrize(
    "drop",
    [
        ("timezone", "request_timestamp_local", "request_timestamp_utc", "product_type_name"),
        ("begintrip_timestamp_utc", "dropoff_timestamp_utc", "trip_distance_miles"),
        ("begintrip_timestamp_local", "dropoff_timestamp_local", "request_timestamp_local"),
        ("status", "trip_duration_seconds", "currency_code", "city_id"),
        ("is_completed",),
    ],
)
def test_columns_that_are_not_essential_may_be_missing(tmp_path: Path, drop: tuple[str, ...]) -> None:
    history = claims(made(tmp_path, "uber", {"t.csv": trips(trip(), drop=drop)}), "WorkHistory")
    assert (history["jobsCompleted"], history["totalDurationHours"], history["firstJob"]) == ("1", "0.33", "2026-02")


def test_without_what_is_essential_the_error_says_what_was_recognised(tmp_path: Path) -> None:
    drop = ("status", "is_completed", "dropoff_timestamp_local", "dropoff_timestamp_utc")
    with pytest.raises(Malformed) as refused:
        made(tmp_path, "uber", {"t.csv": trips(trip(), drop=drop)})
    why = str(refused.value)
    assert (
        "without dropoff_timestamp_local or dropoff_timestamp_utc, status or is_completed; no profile of ours fits"
        in why
    )
    assert "it has request_timestamp_local, request_timestamp_utc" in why
    with pytest.raises(Malformed, match="profile uber would fit"):
        made(tmp_path, "wolt", {"t.csv": trips(trip())})
    with pytest.raises(Malformed, match="profile uber-eats would fit; it has city_name of lifetime trips"):
        made(tmp_path, "uber", {"t.csv": f"{COURIER}\n{delivery()}\n"})


def test_unknown_columns_do_not_matter(tmp_path: Path) -> None:
    text = trips(trip()).replace("city_id;", "city_id;favourite_song;").replace("\n5;", '\n5;"a; ""b""";')
    assert claims(made(tmp_path, "uber", {"t.csv": text}), "WorkHistory")["jobsCompleted"] == "1"


# Nothing, written in many ways; numbers; dates.


@pytest.mark.parametrize("nothing", ["", "NULL", "NA", "\\N", "null", "N/A", "NaN"])
def test_ways_of_writing_nothing(tmp_path: Path, nothing: str) -> None:
    optional = ("trip_distance_miles", "begintrip_timestamp_utc", "product_type_name", "is_completed")
    never = [name for name in TRIPS if name.startswith(("begintrip", "dropoff", "trip_"))]
    cancelled = {**dict.fromkeys(never, nothing), "status": "rider_canceled"}
    rows = (trip(**dict.fromkeys(optional, nothing)), trip(**cancelled))
    payment = pay(FARE.replace("driver_payment_fares", nothing))
    found = made(tmp_path, "uber", {"t.csv": trips(*rows), "p.csv": payment})
    assert claims(found, "WorkHistory")["totalDurationHours"] == "0.33"
    assert left_out(found) == {"trip cancelled by the passenger or by Uber": 1}
    assert figures(found)["Payment lines without a category"] == "1 lines, 17.00 EUR"
    assert found.rejects == ()


@pytest.mark.parametrize(
    "date", ["10.0", "05.07.2024", "2024-07-05", "05/07/2024 10:00", "1720173600", "2024-13-05 10:00:00"]
)
def test_what_is_no_local_time_is_never_guessed_at(tmp_path: Path, date: str) -> None:
    found = made(tmp_path, "uber", {"p.csv": pay(FARE, f"5;9.0;EUR;transport.fare.base;driver_payment_fares;{date}")})
    (reject,) = found.rejects
    assert (reject.line, reject.reason, reject.value) == (3, "recognize_timestamp_local not understood", date)
    assert [(lot.rows, lot.money) for lot in found.reconciliation.rejected] == [(1, {"EUR": Decimal(9)})]


@pytest.mark.parametrize(
    "time",
    [
        "2026-02-28 23:17:18", "2026-02-28T23:17:18", "2026-02-28T23:17:18.000Z", "2026-02-28 23:17:18.5",
        "2026-02-28T23:17:18+01:00", "2026-02-28 23:17:18 +0000 UTC", "2026-02-28 23:17:18 UTC", "2026-02-28 23:17",
    ],
)  # fmt: skip
def test_a_local_time_is_local_whatever_stands_behind_it(tmp_path: Path, time: str) -> None:
    found = made(tmp_path, "uber", {"p.csv": pay(f"5;9.0;EUR;transport.fare.base;driver_payment_fares;{time}")})
    assert claims(found, "Earnings")["monthly"] == ("2026-02 9.00",)


@pytest.mark.parametrize(
    ("amount", "money"),
    [
        ("-4.25", "-4.25"),
        ("17", "17"),
        ("8.899999999999999", "8.9"),
        ("-1,55", "-1.55"),
        ("0.0", "0"),
        ("1234.5", "1234.5"),
    ],
)
def test_amounts(tmp_path: Path, amount: str, money: str) -> None:
    assert parts(tmp_path, "uber", {"p.csv": pay(FARE.replace("17.0", amount))}) == {"work": Decimal(money)}


# Local months, and miles.


def test_the_month_is_that_of_the_clocks_where_the_trip_was(tmp_path: Path) -> None:
    times = {
        "request_timestamp_local": "2026-03-01T00:16:48.000Z", "request_timestamp_utc": "2026-02-28T23:16:48.000Z",
        "begintrip_timestamp_local": "2026-03-01T00:23:56.000Z", "begintrip_timestamp_utc": "2026-02-28T23:23:56.000Z",
        "dropoff_timestamp_local": "2026-03-01T00:42:41.000Z", "dropoff_timestamp_utc": "2026-02-28T23:42:41.000Z",
    }  # fmt: skip
    local = tuple(name for name in TRIPS if name.endswith("_local"))
    utc = tuple(name for name in TRIPS if name.endswith("_utc"))
    for drop in ((), local, utc):
        history = claims(made(tmp_path, "uber", {"t.csv": trips(trip(**times), drop=drop)}), "WorkHistory")
        assert (history["firstJob"], history["totalDurationHours"]) == ("2026-03", "0.31")


def test_times_in_utc_without_a_zone_are_no_days(tmp_path: Path) -> None:
    drop = ("timezone", *(name for name in TRIPS if name.endswith("_local")))
    with pytest.raises(
        Malformed, match=r"none of begintrip_timestamp_local, begintrip_timestamp_utc, timezone,.* tells the day"
    ):
        made(tmp_path, "uber", {"t.csv": trips(trip(), drop=drop)})


def test_an_hour_that_the_clocks_skip_is_not_worked(tmp_path: Path) -> None:
    row = trip(
        begintrip_timestamp_local="2026-03-29T01:50:00.000Z", begintrip_timestamp_utc="2026-03-29T00:50:00.000Z",
        dropoff_timestamp_local="2026-03-29T03:20:00.000Z", dropoff_timestamp_utc="2026-03-29T01:20:00.000Z",
    )  # fmt: skip
    assert claims(made(tmp_path, "uber", {"t.csv": trips(row)}), "WorkHistory")["totalDurationHours"] == "0.50"


COURIER = (
    "city_name,courier_accept_timestamp_local,courier_begintrip_timestamp_local,courier_begintrip_to_dropoff_miles,"
    "courier_begintrip_to_dropoff_seconds,courier_dropoff_timestamp_local,delivery_status,dropoff_delivery_distance_km"
)


def delivery(status: str = "completed", miles: str = "1.25", km: str = "0.0363") -> str:
    return f"Lyon,2026-03-02 11:56:00,2026-03-02 12:05:00,{miles},900,2026-03-02 12:20:00,{status},{km}"


def test_the_way_is_in_miles_and_never_the_kilometres_beside_it(tmp_path: Path) -> None:
    found = made(tmp_path, "uber-eats", {"t.csv": f"{COURIER}\n{delivery(km='8.4')}\n{delivery(miles='9.9E-4')}\n"})
    assert figures(found)["Kilometres from the restaurant"] == "2.0"


@pytest.mark.parametrize("status", ["canceled", "driver_canceled", "failed", "unfulfilled", ""])
def test_only_what_was_completed_is_a_job(tmp_path: Path, status: str) -> None:
    found = made(tmp_path, "uber-eats", {"t.csv": f"{COURIER}\n{delivery()}\n{delivery(status)}\n"})
    assert claims(found, "WorkHistory")["jobsCompleted"] == "1"
    assert list(left_out(found).values()) == [1]
    assert (found.reconciliation.rows_in, found.reconciliation.rows_used) == (2, 1)


def test_cancelled_trips_are_counted_by_reason(tmp_path: Path) -> None:
    rows = [
        trip(status=status) for status in ("rider_canceled", "driver_canceled", "rider_cancelled", "lost", "COMPLETED")
    ]
    found = made(tmp_path, "uber", {"t.csv": trips(*rows)})
    assert claims(found, "WorkHistory")["jobsCompleted"] == "1"
    assert left_out(found) == {
        "trip cancelled by the passenger or by Uber": 2,
        "trip cancelled by the driver": 1,
        "trip that the file does not call completed": 1,
    }


# Lines that appear twice.


def test_equal_lines_of_one_file_are_two_payments_and_are_named(tmp_path: Path) -> None:
    line = "Lyon,3.69,EUR,delivery.fare.dropoff,driver_payment_fares,2026-02-14 19:15:30"
    found = made(tmp_path, "uber-eats", {"p.csv": f"{EATS_PAY}\n{line}\n{line}\n{line.replace('3.69', '4.0')}\n"})
    assert claims(found, "Earnings")["total"] == "11.38"
    assert figures(found)["Payment lines equal to another one of their file"] == "1 lines, 3.69 EUR"
    assert found.reconciliation.left_out == ()


def test_a_line_that_is_in_two_downloads_is_one_payment(tmp_path: Path) -> None:
    line = "Lyon,3.69,EUR,delivery.fare.dropoff,{},2026-02-14 19:15:30"
    fare = line.format("driver_payment_fares")
    newer = "Lyon,uuid-1,3.690,EUR,delivery.fare.dropoff,driver_payment_fares,2026-02-14T19:15:30.000Z"
    files = {
        "a.csv": f"{EATS_PAY}\n{fare}\n{fare}\n",
        "b.csv": f"{EATS_PAY}\n{line.format('')}\n",
        "c.csv": f"{US_PAY}\n{newer}\n",
    }
    found = made(tmp_path, "uber-eats", files)
    assert claims(found, "Earnings")["total"] == "7.38"
    (again,) = found.reconciliation.left_out
    assert (again.rows, again.money) == (2, {"EUR": Decimal("7.38")})
    assert again.reason.startswith("is in an earlier file too (same recognize_timestamp_local, amount_local")


def test_a_trip_that_is_there_twice_is_one_trip(tmp_path: Path) -> None:
    plain = trip().replace("T10", " 10").replace("T09", " 09").replace(".000Z", "")
    found = made(tmp_path, "uber", {"a.csv": trips(trip(), trip()), "b.csv": trips(plain)})
    assert claims(found, "WorkHistory")["jobsCompleted"] == "1"
    assert list(left_out(found).values()) == [2]


# Categories.


@pytest.mark.parametrize(
    ("category", "classification", "part"),
    [
        ("driver_payment_fares", "transport.fare.base", "work"),
        ("commission", "intermediary.commission", "work"),
        ("driver_payment_charges", "transport.fare.charges.wait_time", "work"),
        ("eats_fee", "eats.mp.charges.location_change_fee", "work"),
        ("tip", "transport.misc.tip", "tip"),
        ("driver_payment_tolls", "transport.toll", "toll"),
        ("existing_driver_incentive", "intermediary.incentive.quest", "incentive"),
        ("courier_fraud_holdback", "intermediary.delivery.charge.courier.fraud.fare", "adjustment"),
        ("", "transport.misc.tip", "tip"),
        ("", "delivery.fare.pickup", "work"),
        ("", "transport.toll", "toll"),
        ("", "", "adjustment"),
        ("something_new", "transport.misc.tip", "tip"),
        ("something_new", "something.new", "adjustment"),
    ],
)
def test_parts_of_pay(tmp_path: Path, category: str, classification: str, part: str) -> None:
    row = f"5;3.5;EUR;{classification};{category};2026-02-03 10:00:00"
    expected = {"work": Decimal("20.5")} if part == "work" else {"work": Decimal(17), part: Decimal("3.5")}
    assert parts(tmp_path, "uber", {"p.csv": pay(FARE, row)}) == expected
    label = {"": "without a category", "something_new": "of a category that we do not know"}.get(category)
    found = figures(made(tmp_path, "uber", {"p.csv": pay(FARE, row)}))
    assert label is None or found[f"Payment lines {label}"] == "1 lines, 3.50 EUR"


@pytest.mark.parametrize(
    ("category", "classification", "reason"),
    [
        ("tax", "transport.tax.vat", "tax"),
        ("", "delivery.courier.tax.vat", "tax"),
        ("cash_collected", "transport.cash", "how money was handed over"),
        ("", "driver.bank_transfer", "how money was handed over"),
        ("device_subscription", "x", "an expense of the worker's"),
    ],
)
def test_what_is_no_income_is_left_out_to_the_cent(
    tmp_path: Path, category: str, classification: str, reason: str
) -> None:
    found = made(tmp_path, "uber", {"p.csv": pay(FARE, f"5;-8.05;EUR;{classification};{category};2026-02-03 10:00:00")})
    (lot,) = found.reconciliation.left_out
    assert lot.reason.startswith(reason)
    assert lot.money == {"EUR": Decimal("-8.05")}
    assert claims(found, "Earnings")["total"] == "17.00"


def test_a_payments_file_without_categories_is_read_by_its_classifications(tmp_path: Path) -> None:
    text = pay(FARE, "5;2.0;EUR;transport.misc.tip;x;2026-02-03 10:00:00")
    bare = "\n".join(";".join(line.split(";")[:4] + line.split(";")[5:]) for line in text.splitlines())
    assert parts(tmp_path, "uber", {"p.csv": bare}) == {"work": Decimal(17), "tip": Decimal(2)}


def test_headers_of_the_newer_payments_file(tmp_path: Path) -> None:
    row = "Los Angeles,0f0f,21.30,USD,transport.fare.base,driver_payment_fares,2025-05-01 18:00:00"
    earnings = claims(made(tmp_path, "uber", {"p.csv": f"{US_PAY}\n{row}\n"}), "Earnings")
    assert (earnings["currency"], earnings["total"], earnings["basis"]) == ("USD", "21.30", "afterCommission")


# Empty files, quoted newlines, a header with a space.


def test_an_empty_file_among_others_is_named_and_no_error(tmp_path: Path) -> None:
    files = {"05 - Driver Performance Badges.csv": "", "t.csv": trips(trip()), "p.csv": f"{PAY}\n"}
    found = made(tmp_path, "uber", files)
    assert dict(found.reconciliation.files) == {"05 - Driver Performance Badges.csv": 0, "t.csv": 1, "p.csv": 0}
    assert "05 - Driver Performance Badges.csv: 0 rows" in found.reconciliation.text()


@pytest.mark.parametrize("text", ["", "\n", "\ufeff", f"{PAY}\n", trips()])
def test_an_empty_file_alone_is_a_clear_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(Malformed, match="is empty: there are no rows in it"):
        made(tmp_path, "uber", {"05 - Driver Performance Badges.csv": text})


WOLT = (
    '"Task creation time ","Task completion time","Is pickup task","Completed with vehicle type","Arrived at",'
    '"Started at","Arrival time","Departed at"\n'
)


def task(pickup: str, end: str = "2026-02-03 11:26:22.875", vehicle: str = "BICYCLE") -> str:
    start = '"2026-02-03 11:14:22.5"' if end else ""
    return f'"2026-02-03 11:02:07.02","{end}",{pickup},"{vehicle}","",{start},"2026-02-03 11:25:54",\n'


def test_pick_ups_are_no_deliveries_and_a_header_may_end_in_a_space(tmp_path: Path) -> None:
    text = (
        WOLT
        + task("TRUE")
        + task("FALSE")
        + task("FALSE", "2026-02-03 11:50:00", "BIC\nYCLE")
        + task("FALSE", "")
        + task("FALSE", "later")
    )
    found = made(tmp_path, "wolt", {"courier_tasks.csv": text})
    history = claims(found, "WorkHistory")
    assert (history["jobsCompleted"], history["unitOfWork"], history["totalDurationHours"]) == ("2", "delivery", "0.79")
    assert sorted(left_out(found).values()) == [1, 1]
    assert [(one.line, one.reason) for one in found.rejects] == [(7, "Started at, Task completion time not understood")]
    stripped = made(tmp_path, "wolt", {"courier_tasks.csv": text.replace('time "', 'time"')})
    assert claims(stripped, "WorkHistory") == history


def test_quoted_newlines_do_not_move_line_numbers(tmp_path: Path) -> None:
    text = WOLT + task("FALSE", vehicle="BIC\nYCLE") + task("maybe")
    found = made(tmp_path, "wolt", {"courier_tasks.csv": text})
    assert [(one.line, one.reason) for one in found.rejects] == [(4, "Is pickup task not understood")]


# What no statement may speak of.


NEVER = {
    "10 - Driver Online Offline.csv": ("earner_state;city_id;begin_lat;begin_timestamp_utc", "where people were"),
    "11 - Driver App Restrictions.csv": ("msg.cityid;msg.penaltyboxdurationms;msg.rule;Time", "penalties"),
    "14 - Driver Dispatches Offered and Accepted.csv": ("city_id;dispatches;rejections;accepts", "acceptance rate"),
    "1 - Driver Detailed Device Data.csv": ("lat,lng,gps_time_ms,altitude,speed", "GPS"),
    "driver_app_analytics-0.csv": ("City,Event Time (UTC),Latitude,Longitude,Speed (GPS)", "GPS"),
    "Lost Time details (Driver).csv": ("previous_dropoff_time,notask_minutes", "where people waited"),
    "rider_lifetime_trips-0.csv": (
        "city_name,begintrip_timestamp_local,dropoff_timestamp_local,status,payment_type,trip_distance_miles",
        "as a passenger",
    ),
    "trips_data-0.csv": (
        "begintrip_timestamp_local,begintrip_address,dropoff_timestamp_local,status",
        "as a passenger",
    ),
}


@pytest.mark.parametrize("profile", ["uber", "uber-eats"])
@pytest.mark.parametrize("name", NEVER)
def test_what_no_statement_may_speak_of_is_refused_with_the_reason(tmp_path: Path, profile: str, name: str) -> None:
    header, why = NEVER[name]
    with pytest.raises(Malformed) as refused:
        made(tmp_path, profile, {name: header + "\n", "t.csv": trips(trip())})
    assert refused.value.code == "NEVER_USED"
    assert str(refused.value).startswith(f"{tmp_path / name}: is never used: ")
    assert why in str(refused.value)
    assert "Leave this file out" in str(refused.value)


# Files without days, and files without workers.


def test_ratings_without_a_day_need_other_files(tmp_path: Path) -> None:
    ratings = "five_star_rating\n" + "5\n" * 9 + "4\n" + "0\nfive\n\n"
    found = made(tmp_path, "uber", {"r.csv": ratings, "t.csv": trips(trip())})
    rating = claims(found, "Rating")
    assert (rating["ratingValue"], rating["ratingCount"], rating["windowKind"]) == ("4.90", "10", "allTime")
    assert rating["periodEnd"] == "2026-02"
    assert [(one.line, one.value) for one in found.rejects] == [(12, ""), (13, "five")]
    with pytest.raises(Malformed, match="nothing in it says of which day it is: attest it together with"):
        made(tmp_path, "uber", {"r.csv": ratings})


FLEET = (
    "UUID du chauffeur,Prénom du chauffeur,Nom du chauffeur,Revenus totaux,Versements,"
    "Remboursements et notes de frais\n"
)


def test_the_week_of_a_fleet_is_in_the_files_name_or_is_said(tmp_path: Path) -> None:
    text = FLEET + 'u1,A,B,"1 310,50",-200,0\nu2,A,B,99.9,,\n'
    (tmp_path / "20260330-20260406-payments.csv").write_text(text)
    found = attest(load_profile("uber"), [tmp_path / "20260330-20260406-payments.csv"])
    assert {one.worker: one.claims["monthly"] for one in found.statements} == {
        "u1": ("2026-04 1310.50",), "u2": ("2026-04 99.90",),
    }  # fmt: skip
    (tmp_path / "week.csv").write_text(text)
    with pytest.raises(Malformed, match="add --day with the last one of them"):
        attest(load_profile("uber"), [tmp_path / "week.csv"])


def test_one_file_is_about_its_name_and_several_about_the_worker_who_is_named(tmp_path: Path) -> None:
    (tmp_path / "D-77.csv").write_text(trips(trip()))
    (one,) = attest(load_profile("uber"), [tmp_path / "D-77.csv"]).statements
    assert one.worker == "D-77"


# A second count of the example that is made up.


def test_the_example_of_a_driver_agrees_with_a_second_count(tmp_path: Path) -> None:
    examples = maker()
    rows = [examples.trip(number) for number in range(examples.TRIPS)]
    lines = [line for number in range(examples.TRIPS) for line in examples.uber_lines(number)]
    files = {"t.csv": examples.uber_trips(), "p.csv": examples.uber_payments()}
    found = made(tmp_path, "uber", files)
    history = claims(found, "WorkHistory")
    done = [row for row in rows if row["status"] == "completed"]
    assert history["jobsCompleted"] == str(len(done))
    assert history["totalDurationHours"] == f"{sum(int(str(row['trip_duration_seconds'])) for row in done) / 3600:.2f}"
    months = [str(row["begintrip_timestamp_local"])[:7] for row in done]
    assert history["monthlyJobs"] == tuple(f"{month} {months.count(month)}" for month in sorted(set(months)))
    by_part = parts(tmp_path, "uber", files)
    assert by_part["tip"] == sum(Decimal(str(line[0])) for line in lines if line[3] == "tip")
    assert by_part["toll"] == sum(Decimal(str(line[0])) for line in lines if line[3] == "driver_payment_tolls")
    income = sum(Decimal(str(line[0])) for line in lines if line[3] != "tax")
    assert sum(by_part.values()) == income
