"""Write the example tables of a platform that dumps its own records: made up, always the same bytes.

They have the columns of the canonical relations (docs/scale.md).

    python examples/make_records.py [FOLDER]
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import Final

from make_examples import Dice, Row, table, write_examples

WORKERS: Final = 24
DAYS: Final = 92
FIRST: Final = date(2026, 7, 1)
SLOTS: Final = ("morning", "afternoon", "evening", "night")
AREAS: Final = ("Centre", "North", "Harbour")


def trips() -> Iterator[tuple[int, int, date, Dice]]:
    """Worker, number, day and dice of each trip."""
    for worker in range(WORKERS):
        dice = Dice(7000 + worker)
        for number in range(30 + worker % 9):
            yield worker, number, FIRST + timedelta(days=dice.number(0, DAYS - 1)), dice


def jobs() -> bytes:
    """Trips with their hours, slots, areas and distances; some were cancelled."""
    columns = ("worker", "day", "job", "hours", "ended", "slot", "area", "service", "client", "distance")
    return table(columns, [job(*trip) for trip in trips()], end="\n")


def job(worker: int, number: int, day: date, dice: Dice) -> Row:
    ended = "completed" if dice.share() > 0.06 else "cancelledByClient"
    hours = f"{dice.number(8, 45) / 60:.4f}"
    place = dice.number(0, 11)
    spot = (SLOTS[place % 4], AREAS[place % 3], ("ride", "parcel")[place % 2], f"C{dice.number(0, 40)}")
    return (f"W{worker:02d}", day, f"J{worker:02d}{number:03d}", hours, ended, *spot, f"{dice.number(8, 190) / 10:.1f}")


def payments() -> bytes:
    """What each trip was paid, tips and a bonus now and then, and what the platform took back."""
    columns = ("worker", "day", "amount", "currency", "part")
    return table(columns, [row for trip in trips() for row in paid(*trip)], end="\n")


def paid(worker: int, number: int, day: date, dice: Dice) -> Iterator[Row]:
    name = f"W{worker:02d}"
    yield name, day, f"{dice.number(520, 2890) / 100:.2f}", "EUR", "work"
    if dice.share() > 0.7:
        yield name, day, f"{dice.number(100, 500) / 100:.2f}", "EUR", "tip"
    if number % 15 == 14:
        yield name, day, "25.00", "EUR", "incentive"
    if number % 20 == 19:
        yield name, day, "-3.40", "EUR", "adjustment"


def ratings() -> bytes:
    """Stars for about every third trip."""
    columns = ("worker", "day", "value", "ratings", "rater")
    rows = [
        (f"W{worker:02d}", day, dice.pick((5, 5, 5, 5, 4, 4, 3, 1)), 1, f"C{dice.number(0, 40)}")
        for worker, _, day, dice in trips()
        if dice.share() > 0.6
    ]
    return table(columns, rows, end="\n")


def members() -> bytes:
    """Everybody who has an account."""
    columns = ("worker", "day", "since", "verified", "registered", "kind")
    last = FIRST + timedelta(days=DAYS - 1)
    rows = [
        (f"W{worker:02d}", last, date(2020 + worker % 6, 1 + worker % 12, 5), "true", "true", "rides")
        for worker in range(WORKERS)
    ]
    return table(columns, rows, end="\n")


EXAMPLES: Final[Mapping[str, Callable[[], bytes]]] = {
    "records/jobs.csv": jobs,
    "records/payments.csv": payments,
    "records/ratings.csv": ratings,
    "records/members.csv": members,
}


if __name__ == "__main__":
    write_examples(EXAMPLES, sys.argv[1:])
