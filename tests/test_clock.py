"""What profiles may call to read times, zones, durations, distances and money of rides."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from issuer.canonical import SLOTS
from issuer.engine import database as open_database
from issuer.records import MACROS

ZONES = ("Europe/Paris", "America/Denver", "Asia/Kolkata", "Australia/Melbourne", "UTC")


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_database() as opened:
        opened.connection.execute(MACROS)
        yield opened.connection


def call(database: duckdb.DuckDBPyConnection, sql: str, **values: object) -> object:
    (found,) = database.execute(f"SELECT {sql}", values).fetchone() or (None,)
    return found


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2021-03-01T00:16:48.000Z", datetime(2021, 3, 1, 0, 16, 48)),
        ("2021-02-28 23:17:18", datetime(2021, 2, 28, 23, 17, 18)),
        ("2015-12-02 7:10:55", datetime(2015, 12, 2, 7, 10, 55)),
        ("2022-05-03 06:12:10 +0000 UTC", datetime(2022, 5, 3, 6, 12, 10)),
        ("2022-05-03T06:12:10+01:00", datetime(2022, 5, 3, 6, 12, 10)),
        ("2020-04-10 10:48:04.57", datetime(2020, 4, 10, 10, 48, 4)),
        ("2022-05-03T06:12", datetime(2022, 5, 3, 6, 12)),
        ("2024-05-02", None),
        ("10.0", None),
        ("05.07.2024", None),
        ("02-05-2024", None),
        ("2024-02-30 10:00:00", None),
        ("2024-05-02 25:00:00", None),
        ("2024-05-02 10:00:00x", None),
        ("0001-01-01 00:00:00", None),
        ("", None),
    ],
)
def test_a_time_is_the_one_that_is_written(
    database: duckdb.DuckDBPyConnection, text: str, moment: datetime | None
) -> None:
    assert call(database, "moment_of($text)", text=text) == moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2022-05-03T06:12:10.123-0530", datetime(2022, 5, 3, 11, 42, 10)),
        ("2022-05-03T06:12:10+01:00", datetime(2022, 5, 3, 5, 12, 10)),
        ("2022-05-03 06:12:10 +0000 UTC", datetime(2022, 5, 3, 6, 12, 10)),
        ("2022-05-03 06:12:10", datetime(2022, 5, 3, 6, 12, 10)),
        ("1502844378", datetime(2017, 8, 16, 0, 46, 18)),
        ("1502844378.9", datetime(2017, 8, 16, 0, 46, 18)),
        ("1502844378123", datetime(2017, 8, 16, 0, 46, 18, 123000)),
        ("42", None),
        ("15028443781234567", None),
        ("soon", None),
    ],
)
def test_times_in_utc(database: duckdb.DuckDBPyConnection, text: str, moment: datetime | None) -> None:
    assert call(database, "utc_of($text)", text=text) == moment


@settings(max_examples=60, deadline=None)
@given(moment=st.datetimes(datetime(1991, 1, 1), datetime(2030, 1, 1)), zone=st.sampled_from(ZONES))
def test_clocks_agree_with_the_standard_library(
    database: duckdb.DuckDBPyConnection, moment: datetime, zone: str
) -> None:
    at = moment.replace(microsecond=0)
    local = at.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert call(database, "local_of(utc_of($text), $zone)", text=f"{at:%Y-%m-%dT%H:%M:%S}Z", zone=zone) == local


def test_a_zone_that_there_is_not_makes_no_time(database: duckdb.DuckDBPyConnection) -> None:
    database.execute(
        "CREATE OR REPLACE TEMP TABLE zones AS SELECT unnest(['Europe/Paris', 'Mars/Base', NULL, '']) AS zone"
    )
    found = database.execute("SELECT local_of(TIMESTAMP '2024-02-28 23:16:00', zone) FROM zones").fetchall()
    assert found == [(datetime(2024, 2, 29, 0, 16),), (None,), (None,), (None,)]


@pytest.mark.parametrize("hour", range(24))
def test_slots_begin_at_midnight_6_12_and_18(database: duckdb.DuckDBPyConnection, hour: int) -> None:
    assert call(database, "slot_of($at)", at=datetime(2024, 5, 2, hour, 59)) == SLOTS[hour // 6]


@settings(max_examples=60, deadline=None)
@given(seconds=st.integers(-200_000, 200_000))
def test_hours_are_seconds_to_six_places(database: duckdb.DuckDBPyConnection, seconds: int) -> None:
    start = datetime(2024, 5, 2)
    found = call(database, "hours_from($a, $b)", a=start, b=start + timedelta(seconds=seconds))
    assert isinstance(found, Decimal)
    assert abs(found - Decimal(seconds) / 3600) <= Decimal("0.0000005")


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("km_of(measure_of('4.4460436245171'))", Decimal("7.155214")),
        ("km_of(1)", Decimal("1.609344")),
        ("measure_of('4.9E-4')", Decimal("0.000490")),
        ("measure_of('1e99')", None),
        ("measure_of('NaN')", None),
        ("measure_of('5 km')", None),
        ("amount_of('-1,55')", Decimal("-1.55")),
        ("amount_of('17.0')", Decimal(17)),
        ("amount_of('1,234')", Decimal(1234)),
        ("amount_of('1,234.50')", Decimal("1234.5")),
        ("amount_of('-$3')", Decimal(-3)),
        ("amount_of('1.234,50')", None),
        ("amount_of('1e3')", None),
        ("amount_of('')", None),
    ],
)
def test_distances_and_amounts(database: duckdb.DuckDBPyConnection, sql: str, value: Decimal | None) -> None:
    assert call(database, sql) == value
