"""Writes made-up exports of rides and deliveries, in the exact shapes of the platforms' own files, always the same.

    python examples/make_organised.py [FOLDER]

Nothing in them comes from a real export: the columns, separators, spellings and oddities do.
"""

import csv
import io
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

Row = Sequence[object]

_TRIP: Final = """
city_id currency_code timezone flow source_tag product_type_name global_product_name request_timestamp_local
request_timestamp_utc begintrip_timestamp_local begintrip_timestamp_utc dropoff_timestamp_local dropoff_timestamp_utc
eta surge_multiplier is_surged has_destination is_pool_matched is_star_power request_to_begin_distance_miles
request_to_begin_duration_seconds trip_distance_miles trip_duration_seconds status is_completed is_flat_rate
is_cash_trip is_wait_time_eligible is_rewindtrip rewindtrip_timestamp_local rewindtrip_timestamp_utc promotion_local
promotion_usd credits_local credits_usd has_driver_upfront_fare driver_upfront_fare_local driver_upfront_fare_usd
original_fare_local original_fare_usd base_fare_local base_fare_usd surge_fare_local surge_fare_usd
minimum_fare_roundup_local minimum_fare_roundup_usd per_mile_fare_local per_mile_fare_usd per_minute_fare_local
per_minute_fare_usd cancellation_fee_local cancellation_fee_usd rounding_down_amount_local rounding_down_amount_usd
service_fee_local service_fee_usd toll_amount_local toll_amount_usd booking_fee_local booking_fee_usd
earnings_boost_local earnings_boost_usd fare_distance_miles fare_duration_minutes request_date_id_local
driver_trip_number concierge_source_type wait_time_fare_local wait_time_fare_usd service_fee is_on_time
driver_cancellation_reason vehicle_trip_number is_multidestination driver_surge_multiplier long_distance_surcharge_local
long_distance_surcharge_usd guaranteed_surge_multiplier ufp_type cancellation_type carrier_mcc carrier_mnc
is_directed_dispatch_trip wait_duration_minutes is_scheduled_trip is_airport_trip"""
_NOT_IN_US: Final = """
city_id flow source_tag is_star_power is_rewindtrip rewindtrip_timestamp_local rewindtrip_timestamp_utc carrier_mcc
carrier_mnc earnings_boost_local earnings_boost_usd service_fee is_on_time request_date_id_local
rounding_down_amount_local rounding_down_amount_usd"""
_COURIER: Final = """
city_name courier_accept_timestamp_local courier_accept_timestamp_utc courier_accept_to_pickup_distance_miles
courier_accept_to_pickup_duration_seconds courier_arrival_pickup_timestamp_local courier_begintrip_timestamp_local
courier_begintrip_to_dropoff_miles courier_begintrip_to_dropoff_seconds courier_commission_rate
courier_arrival_dropoff_timestamp_local courier_dropoff_timestamp_local delivery_status dropoff_delivery_distance_km
restaurant_request_timestamp_local"""
TRIP_COLUMNS: Final = tuple(_TRIP.split())
US_TRIP_COLUMNS: Final = (
    *("city_name", "flow_type"),
    *(one for one in TRIP_COLUMNS if one not in _NOT_IN_US.split()),
    "license_plate",
)
COURIER_COLUMNS: Final = tuple(_COURIER.split())
WOLT_COLUMNS: Final = (
    *("Task creation time ", "Task completion time", "Is pickup task", "Completed with vehicle type"),
    *("Arrived at", "Started at", "Arrival time", "Departed at"),
)
PAYMENT_COLUMNS: Final = ("amount_local", "currency_code", "classification", "category", "recognize_timestamp_local")


def table(header: Row, rows: Iterable[Row], *, delimiter: str = ",", quote_all: bool = False) -> bytes:
    """A CSV file in UTF-8."""
    text = io.StringIO(newline="")
    quoting: Literal[0, 1] = csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n", quoting=quoting)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode("utf-8")


def chosen(columns: Sequence[str], row: Mapping[str, object]) -> Row:
    """The values of a row in the order of the columns; what it does not have is empty."""
    return [row.get(column, "") for column in columns]


def zulu(moment: datetime) -> str:
    """As the French files write times, local ones included."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


# Uber: a driver in Paris, January and February 2026, and one trip that began on 1 March by the clocks there.

TRIPS: Final = 48


def trip(number: int) -> dict[str, object]:
    """The ``number``-th trip; every eighth was cancelled by the passenger."""
    begin = datetime(2026, 1, 4, 6, 30) + timedelta(days=number * 1.15, hours=number * 5 % 17)
    if number == TRIPS - 1:
        begin = datetime(2026, 3, 1, 0, 23, 56)
    minutes, miles, utc = 9 + number * 7 % 31, f"{1.1 + number * 13 % 70 / 10:.13f}", timedelta(hours=-1)
    done = number % 8 != 5
    asked, end = begin - timedelta(minutes=7, seconds=8), begin + timedelta(minutes=minutes)
    row: dict[str, object] = {
        "city_id": 5,
        "currency_code": "EUR",
        "timezone": "Europe/Paris",
        "flow": "Black",
        "global_product_name": "UberX",
        "product_type_name": ("uberX", "GREEN", "Comfort")[number % 3],
        "surge_multiplier": "1.0",
        "is_surged": "false",
        "request_timestamp_local": zulu(asked),
        "request_timestamp_utc": zulu(asked + utc),
        "eta": 260 + number,
        "status": "completed" if done else "rider_canceled",
        "is_completed": str(done).lower(),
        "trip_distance_miles": miles if done else "0.0",
        "trip_duration_seconds": minutes * 60 if done else 0,
        "is_airport_trip": "NULL",
        "promotion_local": "\\N",
        "fare_distance_miles": "NA",
        "service_fee": "0.25",
    }
    if done:
        row |= {"begintrip_timestamp_local": zulu(begin), "begintrip_timestamp_utc": zulu(begin + utc)}
        row |= {"dropoff_timestamp_local": zulu(end), "dropoff_timestamp_utc": zulu(end + utc)}
        row |= {
            "driver_trip_number": number + 1,
            "original_fare_local": fare(number),
            "driver_upfront_fare_local": fare(number),
        }
    return row


def fare(number: int) -> float:
    """What the passenger of a trip pays."""
    return 9.5 + number * 137 % 180 / 10


def uber_trips() -> bytes:
    """86 columns and semicolons; local times end in Z."""
    return table(TRIP_COLUMNS, (chosen(TRIP_COLUMNS, trip(n)) for n in reversed(range(TRIPS))), delimiter=";")


def uber_trips_us() -> bytes:
    """73 columns and commas; times without a zone."""
    rows = []
    for row in map(trip, range(12)):
        plain = {
            name: str(value).replace("T", " ").replace(".000Z", "")
            for name, value in row.items()
            if "timestamp" in name
        }
        us = {"city_name": "Denver", "flow_type": "p2p", "license_plate": "", "timezone": "America/Denver"}
        rows.append(chosen(US_TRIP_COLUMNS, {**row, **plain, **us, "currency_code": "USD"}))
    return table(US_TRIP_COLUMNS, rows)


def uber_lines(number: int) -> list[Row]:
    """The payment lines of a trip: the fare, Uber's commission, tax that cancels out, and what else there was."""
    when = f"{datetime.fromisoformat(str(trip(number)['request_timestamp_local'])[:19]):%Y-%m-%d %H:%M:%S}"
    if number % 8 == 5:
        return (
            [(4.0, "EUR", "transport.fare.cancellation_fee", "driver_payment_fares", when)] if number % 16 == 5 else []
        )
    price, tax = fare(number), round(fare(number) / 11, 2)
    lines: list[Row] = [
        (price, "EUR", "transport.fare.driver_upfront_fare", "driver_payment_fares", when),
        (round(-price / 4, 2), "EUR", "intermediary.commission", "commission", when),
        (-tax, "EUR", "transport.tax.vat", "tax", when),
        (tax, "EUR", "transport.tax.vat", "tax", when),
    ]
    extra: dict[int, Row] = {
        1: (2.5, "EUR", "transport.misc.tip", "tip", when),
        2: (1.2, "EUR", "transport.fare.charges.wait_time", "driver_payment_charges", when),
        3: (8.9, "EUR", "transport.toll", "driver_payment_tolls", when),
        4: (15, "EUR", "intermediary.incentive.quest", "existing_driver_incentive", when),
    }
    return [*lines, extra[number % 11]] if number % 11 in extra else lines


def uber_payments() -> bytes:
    """Without a trip's id, in the French spelling."""
    rows = [(5, *line) for number in range(TRIPS) for line in uber_lines(number)]
    return table(("city_id", *PAYMENT_COLUMNS), rows, delimiter=";")


def uber_payments_us() -> bytes:
    """With a trip's id, in the newer spelling."""
    header = (
        "City Name",
        "Trip UUID",
        "Local Amount",
        "Currency Code",
        "Classification",
        "Category",
        "Local Timestamp",
    )
    rows = [
        ("Denver", f"00000000-0000-4000-8000-{number:012d}", line[0], "USD", *line[2:])
        for number in range(12)
        for line in uber_lines(number)
    ]
    return table(header, rows)


def uber_ratings() -> bytes:
    """One column: no day, no trip."""
    return table(("five_star_rating",), [(4 if number % 9 == 4 else 5,) for number in range(22)])


DRIVER: Final = "made-up-driver-0001=="
FIRST_TRIP: Final = 1767259800  # 1 January 2026, 09:30 UTC


def api_trips() -> bytes:
    """Two pages of the Driver API; the trip at the seam is on both."""
    trips = [api_trip(number) for number in range(9)]
    pages = [{"count": 9, "limit": 5, "offset": at, "trips": trips[max(0, at - 1) : at + 5]} for at in (0, 5)]
    return (json.dumps(pages, indent=1) + "\n").encode()


def api_trip(number: int) -> dict[str, object]:
    """A trip as the Driver API has it."""
    begin = FIRST_TRIP + number * 260_000
    done = number != 6
    last = "completed" if done else "rider_canceled"
    changes = [{"status": "accepted", "timestamp": begin - 300}, {"status": "trip_began", "timestamp": begin}]
    return {
        "trip_id": f"00000000-0000-4000-8000-{number:012d}",
        "status": last,
        "driver_id": DRIVER,
        "fare": 6.2,
        "status_changes": [*changes, {"status": last, "timestamp": begin + 600}],
        "pickup": {"timestamp": begin},
        "dropoff": {"timestamp": begin + 600 + number} if done else None,
        "distance": 1.5,
        "duration": 600 + number,
        "start_city": {"display_name": "Lyon", "latitude": 0.0, "longitude": 0.0},
        "currency_code": "EUR",
        "surge_multiplier": 1.0,
        "vehicle_id": "00000000-0000-4000-8000-000000000000",
    }


def api_payments() -> bytes:
    """A page of payments of the Driver API."""
    payments = [
        {
            "payment_id": f"00000000-0000-4000-9000-{number:012d}",
            "category": "fare",
            "driver_id": DRIVER,
            "event_time": FIRST_TRIP + number * 260_000 + 700,
            "trip_id": None,
            "cash_collected": 0.0,
            "amount": 4.65 + 2.1 * (number == 3),
            "currency_code": "EUR",
            "partner_id": DRIVER,
            "rider_fees": {},
            "breakdown": {"other": 6.2, "service_fee": -1.55, **({"toll": 2.1} if number == 3 else {})},
        }
        for number in range(9)
    ]
    payments[8] |= {"category": "device_subscription", "amount": -5.0, "breakdown": {"other": -5.0}}
    return (json.dumps({"count": 9, "limit": 50, "offset": 0, "payments": payments}) + "\n").encode()


def api_profile() -> bytes:
    """The driver's own profile in the Driver API."""
    account = {"driver_id": DRIVER, "rating": 4.9, "activation_status": "active", "promo_code": "made-up"}
    return (json.dumps(account) + "\n").encode()


def fleet_week() -> bytes:
    """What a fleet gets each week: no day but in the file's name."""
    header = (
        *("UUID du chauffeur", "Prénom du chauffeur", "Nom du chauffeur", "Revenus totaux", "Versements"),
        "Remboursements et notes de frais",
    )
    rows = [
        (f"00000000-0000-4000-8000-{n:012d}", "Prénom", "Nom", f"{310 + n * 41.5:.2f}", "-200.00", "0.00")
        for n in range(3)
    ]
    return b"\xef\xbb\xbf" + table(header, rows, quote_all=True)


# Uber Eats: a courier in Lyon, spring 2026. Two orders of one round are paid alike; some lines have no category.


def delivery(number: int) -> dict[str, object]:
    """The ``number``-th delivery; the tenth and the eleventh were carried in one round."""
    nth = 9 if number == 10 else number
    begin = datetime(2026, 3, 2, 12, 5) + timedelta(days=nth // 3 * 2, minutes=nth % 3 * 47)
    end = begin + timedelta(minutes=11 + nth % 9)
    status = {7: "canceled", 13: "failed", 17: "driver_canceled"}.get(number, "completed")
    row: dict[str, object] = {
        "city_name": "Lyon",
        "delivery_status": status,
        "courier_commission_rate": "0.0",
        "courier_accept_timestamp_local": f"{begin - timedelta(minutes=9):%Y-%m-%d %H:%M:%S}",
        "courier_accept_timestamp_utc": f"{begin - timedelta(hours=1, minutes=9):%Y-%m-%d %H:%M:%S}",
        "restaurant_request_timestamp_local": f"{begin - timedelta(minutes=10):%Y-%m-%d %H:%M:%S}",
        "courier_accept_to_pickup_distance_miles": "0.3125",
        "dropoff_delivery_distance_km": "0.04",
        "courier_begintrip_to_dropoff_miles": "0.0" if status != "completed" else f"{0.6 + nth % 8 / 10:.2f}",
    }
    if status == "completed":
        row |= {"courier_begintrip_timestamp_local": f"{begin:%Y-%m-%d %H:%M:%S}"}
        row |= {"courier_dropoff_timestamp_local": f"{end:%Y-%m-%d %H:%M:%S}"}
        row |= {"courier_begintrip_to_dropoff_seconds": (end - begin).seconds}
    return row


def eats_trips() -> bytes:
    """Miles next to kilometres."""
    return table(COURIER_COLUMNS, (chosen(COURIER_COLUMNS, delivery(number)) for number in range(24)))


def eats_payments() -> bytes:
    """One line for each part of a fare."""
    rows: list[Row] = []
    for number in range(24):
        row = delivery(number)
        if row["delivery_status"] != "completed":
            continue
        when, category = row["courier_accept_timestamp_local"], "" if number in {4, 5} else "driver_payment_fares"
        way = round(float(str(row["courier_begintrip_to_dropoff_miles"])) * 1.3, 2)
        parts = (("pickup", 1.2), ("dropoff", 0.9), ("distance", way))
        rows += [("Lyon", money, "EUR", f"delivery.fare.{part}", category, when) for part, money in parts]
        if number % 6 == 1:
            rows.append(("Lyon", 2, "EUR", "transport.misc.tip", "tip", when))
    rows.append(
        (
            "Lyon",
            -3.3,
            "EUR",
            "intermediary.delivery.charge.courier.fraud.fare",
            "courier_fraud_holdback",
            "2026-03-09 20:20:48",
        )
    )
    rows.append(
        (
            "Lyon",
            3.3,
            "EUR",
            "intermediary.delivery.charge.courier.fraud.fare",
            "courier_fraud_holdback",
            "2026-03-10 09:00:00",
        )
    )
    rows.append(("Lyon", 1.5, "EUR", "eats.mp.charges.location_change_fee", "eats_fee", "2026-03-09 21:00:01"))
    return table(("city_name", *PAYMENT_COLUMNS), rows)


# Wolt: pick-ups and deliveries, one row each.


def wolt() -> bytes:
    """The first header ends in a space; a vehicle's name is broken over two lines once."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(WOLT_COLUMNS)
    for number in range(15):
        made = datetime(2026, 2, 3, 11, 2, 7, 25_000) + timedelta(days=number // 4 * 3, minutes=number % 4 * 41)
        left = made + timedelta(minutes=12)
        done, vehicle = number != 11, "BIC\nYCLE" if number == 6 else "BICYCLE"
        for pickup, start, end in (("TRUE", made, left), ("FALSE", left, left + timedelta(minutes=9 + number % 7))):
            told = [
                f"{end:%Y-%m-%d %H:%M:%S.%f}"[:-3],
                pickup,
                vehicle,
                f"{end:%Y-%m-%d %H:%M:%S}",
                f"{start:%Y-%m-%d %H:%M:%S.%f}"[:-3],
            ]
            told = told if done else ["", pickup, "", "", ""]
            writer.writerow([f"{made:%Y-%m-%d %H:%M:%S.%f}"[:-3], *told, f"{end:%Y-%m-%d %H:%M:%S}", ""])
    return text.getvalue().encode()


# Deliveroo: shifts and adjustments. Stuart: jobs. And plain tables in French and English.


def deliveroo_shifts() -> bytes:
    """The columns of the tables in a rider's fee statements."""
    header = ("Day", "Date", "Time In", "Time Out", "Duration", "Orders Delivered", "Total")
    rows = []
    for number in range(18):
        day = datetime(2026, 4, 6) + timedelta(days=number * 3)
        hours = (0.7, 2.5, 3.1)[number % 3]
        out = datetime(2026, 1, 1, 18) + timedelta(hours=hours)
        rows.append(
            (
                f"{day:%A}",
                f"{day:%d/%m/%Y}",
                "18:00",
                f"{out:%H:%M}",
                f"{hours}h",
                number % 3 * 3 + 1,
                f"€{6.4 + hours * 9:.2f}",
            )
        )
    return table(header, rows)


def deliveroo_adjustments() -> bytes:
    """Adjustments and tips, with the day that they are booked on."""
    rows = [
        ("12/04/2026", "Tips", "", "€6.50"),
        ("26/04/2026", "Referral bonus", "", "€40.00"),
        ("10/05/2026", "Fee adjustment", "order cancelled\nby restaurant", "€3.20"),
        ("10/05/2026", "Transaction fee", "", "-€0.50"),
    ]
    return table(("Date", "Category", "Note", "Amount"), rows)


def stuart() -> bytes:
    """Jobs as the API for businesses describes them, one to a line."""
    lines = []
    for number in range(12):
        begin = datetime(2026, 5, 4, 19, 10) + timedelta(days=number * 2)
        status = {5: "canceled", 9: "in_progress"}.get(number, "finished")
        job = {
            "id": 100_000 + number,
            "status": status,
            "transport_type": "bike",
            "assignment_code": None,
            "pickup_at": f"{begin:%Y-%m-%dT%H:%M:%S}.000+02:00",
            "city": "Lille",
            "distance": 2.4 + number / 10,
            "dropoff_at": f"{begin + timedelta(minutes=18):%Y-%m-%dT%H:%M:%S}.000+02:00",
            "duration": 18,
            "deliveries": [{"id": 200_000 + number, "status": "delivered", "package_type": "small"}],
            "pricing": {"price_tax_included": 11.5, "price_tax_excluded": 9.58},
        }
        lines.append(json.dumps(job))
    return ("\n".join(lines) + "\n").encode()


def plain_trips() -> bytes:
    """French headers, times in UTC with a zone beside them."""
    header = (
        "chauffeur",
        "numéro de course",
        "début",
        "fin",
        "statut",
        "distance (km)",
        "ville",
        "type de service",
        "fuseau horaire",
    )
    rows = []
    for number in range(20):
        begin = datetime(2026, 2, 1, 8) + timedelta(days=number // 2 * 3, hours=number % 2 * 5)
        if number == 19:
            begin = datetime(2026, 2, 28, 23, 16)
        end = begin + timedelta(minutes=14 + number % 5)
        status = "annulée par le client" if number == 8 else "terminée"
        who = ("C-01", "C-02")[number % 2]
        rows.append(
            (
                who,
                f"N{number:04d}",
                f"{begin:%Y-%m-%dT%H:%M:%S}Z",
                f"{end:%Y-%m-%dT%H:%M:%S}Z",
                status,
                f"{4 + number / 4}".replace(".", ","),
                "Rennes",
                "berline",
                "Europe/Paris",
            )
        )
    return table(header, rows, delimiter=";")


def plain_payments() -> bytes:
    """Amounts with a decimal comma; two equal payments."""
    rows: list[Row] = [
        (("C-01", "C-02")[n % 2], f"{1 + n:02d}/02/2026", f"{11 + n},50", "EUR", "course") for n in range(20)
    ]
    rows += [("C-01", "07/02/2026", "2,00", "EUR", "pourboire")] * 2
    return table(("chauffeur", "date de paiement", "montant", "devise", "nature"), rows, delimiter=";")


EXAMPLES: Final = {
    "uber/02 - Driver Lifetime Trips.csv": uber_trips,
    "uber/also/05 - Driver Performance Badges.csv": bytes,
    "uber/19a - Driver Payments.csv": uber_payments,
    "uber/also/driver_lifetime_ratings_received-0.csv": uber_ratings,
    "uber/us/driver_lifetime_trips-0.csv": uber_trips_us,
    "uber/us/driver_payments-0.csv": uber_payments_us,
    "uber/api/trips.json": api_trips,
    "uber/api/payments.json": api_payments,
    "uber/api/me.json": api_profile,
    "uber/fleet/20260406-20260413-payments_driver.csv": fleet_week,
    "uber-eats/23a - Driver Payments.csv": eats_payments,
    "uber-eats/31 - Courier Lifetime Trip Data.csv": eats_trips,
    "wolt/courier_tasks.csv": wolt,
    "deliveroo/shifts.csv": deliveroo_shifts,
    "deliveroo/adjustments.csv": deliveroo_adjustments,
    "stuart/jobs.jsonl": stuart,
    "generic-organised/courses.csv": plain_trips,
    "generic-organised/paiements.csv": plain_payments,
}


def main(folder: Path) -> None:
    """Write all examples."""
    for name, make in EXAMPLES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(make())
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent)
