"""Write the example exports of this folder: made up from beginning to end, always the same bytes.

They have the columns, spellings, gaps and oddities of the real exports, and none of their content.

    python examples/make_examples.py [FOLDER]
"""

import csv
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final, TypeVar

T = TypeVar("T")
Row = Sequence[object]


class Dice:
    """Chance that repeats. Only ``Random.random`` gives the same numbers in every version of Python."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - nothing here is secret

    def share(self) -> float:
        """From 0 to below 1."""
        return self._random.random()

    def number(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return low + int(self.share() * (high - low + 1))

    def pick(self, items: Sequence[T]) -> T:
        """One of some items."""
        return items[int(self.share() * len(items))]


def table(
    header: Row, rows: Iterable[Row], *, end: str, delimiter: str = ",", quote_all: bool = False, last_end: bool = True
) -> bytes:
    """A CSV file in UTF-8."""
    text = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerow(header)
    writer.writerows(rows)
    whole = text.getvalue()
    return (whole if last_end else whole.removesuffix(end)).encode("utf-8")


# A freelance's two years, as Upwork's time and earnings report has them.

FIRST_MONTH: Final = date(2024, 11, 1)
# Dollars that each month should bring, from November 2024 to October 2026; August 2025 was a month off.
MONEY: Final = (
    *(420, 760, 655, 910, 1130, 1240, 1010, 1395, 1180, 0, 1465, 1310),
    *(1480, 1910, 1350, 1620, 2050, 1890, 1540, 1725, 2210, 980, 2105, 2140),
)
# Title, first and last month (0 is November 2024), dollars an hour.
CONTRACTS: Final = (
    ("Accessible booking form for a small theatre", 0, 2, 22),
    ("Recipe site: print styles and search", 1, 6, 24),
    ("Port old newsletter templates to MJML", 4, 8, 26),
    ("Keyboard navigation for a map of cycle paths", 7, 13, 30),
    ("Charts for a community weather station", 10, 17, 32),
    ('Design system, part two: "forms and tables"', 12, 20, 36),
    ("Vue components for a seed exchange", 15, 23, 38),
    ("Performance audit of a museum's ticket shop", 18, 23, 42),
    ("Help texts and translations (French, Breton)", 21, 23, 35),
)
FIXED: Final = ((3, "Favicon and social cards for a bakery", 60), (14, "One-page site for a choir festival", 240))
BONUSES: Final = ((2, 0, 15), (6, 1, 25), (8, 2, 20), (13, 3, 50), (16, 5, 40), (20, 5, 75), (22, 7, 60))


def upwork() -> bytes:
    """Two years of one freelance: 1 750 dollars a month over the last twelve."""
    dice = Dice(20261101)
    rows = sorted(row for month, money in enumerate(MONEY) for row in month_of_work(dice, month, money))
    header = ("Date", "Contract", "Hours", "Amount", "Payment type")
    return table(header, rows, end="\n", quote_all=True, last_end=False)


def month_of_work(dice: Dice, month: int, money: int) -> Iterator[tuple[str, ...]]:
    """The lines of one month: fixed prices and bonuses first, then hours until the money is there."""
    left = float(money)
    extra = [(title, price, "Fixed Price Payment") for at, title, price in FIXED if at == month]
    extra += [(CONTRACTS[number][0], price, "Bonus") for at, number, price in BONUSES if at == month]
    for title, price, kind in extra:
        left -= price
        yield day_in(dice, month), named(title), "", plain(price), kind
    open_now = [contract for contract in CONTRACTS if contract[1] <= month <= contract[2]]
    taken: set[tuple[str, str]] = set()
    while left > 0:
        title, _, _, rate = dice.pick(open_now)
        key = (day_in(dice, month), named(title))
        if key in taken:
            continue
        taken.add(key)
        sixths = max(1, min(dice.number(3, 48), round(left / rate * 6)))
        left = round(left - sixths * rate / 6, 2)
        yield *key, plain(round(sixths / 6, 5)), plain(round(sixths * rate / 6, 2)), ""
        left = left if left >= rate / 6 else 0


def named(title: str) -> str:
    """A contract as the report names it, with its number."""
    titles = [*(contract[0] for contract in CONTRACTS), *(fixed[1] for fixed in FIXED)]
    return f"{title} ({40112233 + 350171 * titles.index(title)})"


def day_in(dice: Dice, month: int) -> str:
    """A day of a month, mostly on a weekday."""
    first = FIRST_MONTH.year * 12 + FIRST_MONTH.month - 1 + month
    day = date(first // 12, first % 12 + 1, dice.number(1, 28))
    return str(day - timedelta(days=2) if day.weekday() > 4 and day.day > 2 else day)


def plain(number: float) -> str:
    """A number without needless zeros: 16.5, 4."""
    return f"{number:.5f}".rstrip("0").rstrip(".")


# The hosts of a city, with the columns that Inside Airbnb publishes.

LISTINGS: Final = 3000
SEEN: Final = date(2026, 10, 13)
LISTING_COLUMNS: Final = (
    *("listing", "host", "last_scraped", "host_since", "host_response_time", "host_response_rate"),
    *("host_acceptance_rate", "host_is_superhost", "calculated_host_listings_count", "host_identity_verified"),
    *("room_type", "number_of_reviews", "number_of_reviews_ltm", "number_of_reviews_l30d", "first_review"),
    *("last_review", "review_scores_rating", "review_scores_accuracy", "review_scores_cleanliness"),
    *("review_scores_checkin", "review_scores_communication", "review_scores_location", "review_scores_value"),
    *("reviews_per_month", "estimated_occupancy_l365d", "estimated_revenue_l365d"),
)
RESPONSE_TIMES: Final = ("within an hour",) * 12 + ("within a few hours",) * 2 + ("within a day", "a few days or more")
ROOMS: Final = ("Entire home/apt",) * 15 + ("Private room",) * 4 + ("Hotel room", "Shared room")
SIZES: Final = (1,) * 76 + (2,) * 12 + (3,) * 5 + (4,) * 3 + (6, 9, 14, 25)


def airbnb() -> bytes:
    """3 000 listings of some 1 600 hosts, as they were seen on three days of October 2026."""
    dice = Dice(20261013)
    hosts: list[int] = []
    while len(hosts) < LISTINGS:
        hosts += [hosts[-1] + 1 if hosts else 1] * min(dice.pick(SIZES), LISTINGS - len(hosts))
    owned = {host: hosts.count(host) for host in set(hosts)}
    known = {host: host_columns(dice, host, owned[host]) for host in sorted(owned)}
    order = sorted(range(LISTINGS), key=lambda _: dice.share())
    rows = (
        (f"L{number:05d}", f"H{hosts[at]:04d}", *listing_columns(dice, number, known[hosts[at]]))
        for number, at in enumerate(order, 1)
    )
    return table(LISTING_COLUMNS, rows, end="\r\n")


def host_columns(dice: Dice, host: int, owned: int) -> dict[str, str]:
    """What is said about a host on each of their listings; ``quality`` is what the stars are drawn from."""
    quality, silent = dice.share() ** 0.25, dice.share() < 0.08
    since = date(2009, 3, 1) + timedelta(days=dice.number(0, 6200))
    rate = min(100, 70 + int(45 * dice.share()))
    return {
        "since": "" if host == 311 else str(since),
        "time": "N/A" if silent else dice.pick(RESPONSE_TIMES),
        "response": "N/A" if silent else f"{min(100, rate + 9)}%",
        "acceptance": "N/A" if silent or dice.share() < 0.01 else f"{rate}%",
        "superhost": "" if dice.share() < 0.025 else "t" if quality > 0.8 and dice.share() < 0.7 else "f",
        "owned": str(owned),
        "verified": "" if host == 311 else "t" if dice.share() < 0.89 else "f",
        "quality": str(quality),
        "first": str(max(since, date(2012, 1, 1))),
    }


def listing_columns(dice: Dice, number: int, host: Mapping[str, str]) -> Iterator[str]:
    """The columns of one listing behind its two ids."""
    reviews = 0 if dice.share() < 0.2 else 1 + int(260 * dice.share() ** 3.2 + 4 * dice.share())
    reviews = 1 if number in (1189, 2477) else reviews
    last_year = min(reviews, int(reviews * dice.share() * 0.7))
    yield from (str(SEEN + timedelta(days=dice.number(0, 2))), host["since"], host["time"], host["response"])
    yield from (host["acceptance"], host["superhost"], host["owned"], host["verified"], dice.pick(ROOMS))
    yield from (str(reviews), str(last_year), str(min(last_year, dice.number(0, 9))))
    first, last = review_days(dice, host, reviews)
    yield from (first, last) if reviews else ("", "")
    yield from scores(dice, number, reviews, float(host["quality"]))
    months = max(1, (SEEN - date.fromisoformat(first)).days // 30)
    yield f"{reviews / months:.2f}".rstrip("0").rstrip(".") if reviews else ""
    nights = min(255, last_year * 6)
    yield str(nights)
    yield "" if dice.share() < 0.24 else str(nights * dice.number(55, 240))


def review_days(dice: Dice, host: Mapping[str, str], reviews: int) -> tuple[str, str]:
    """The days of the first and of the latest review."""
    earliest = date.fromisoformat(host["first"])
    first = earliest + timedelta(days=int((SEEN - earliest).days * dice.share()))
    last = first if reviews == 1 else first + timedelta(days=int((SEEN - first).days * dice.share()))
    return str(first), str(last)


def scores(dice: Dice, number: int, reviews: int, quality: float) -> list[str]:
    """The overall score and six sides of it: averages of stars, so that few reviews give coarse figures."""
    if not reviews or number == 2477:  # one listing has a review and no score
        return [""] * 7
    if number == 1189:  # and one has a score that no guest can give
        return ["0.0"] + [""] * 6
    drawn = min(reviews, 60)
    return [average(dice, drawn, quality + shift) for shift in (0, 0.01, -0.02, 0.02, 0.02, 0.01, -0.03)]


def average(dice: Dice, count: int, quality: float) -> str:
    """The mean of ``count`` stars, with at least one decimal."""
    total = 0
    for _ in range(count):
        draw = dice.share()
        total += 5 if draw < 0.62 + 0.33 * quality else 4 if draw < 0.92 + 0.06 * quality else dice.number(1, 3)
    mean = f"{total / count:.2f}".rstrip("0")
    return mean + "0" if mean.endswith(".") else mean


# A crowd's judgments, as the full report of a job has them.

JUDGMENT_COLUMNS: Final = (
    *("_unit_id", "_created_at", "_id", "_started_at", "_tainted", "_channel", "_trust", "_worker_id", "_country"),
    *("_region", "_city", "_ip", "term1", "b1", "e1", "b2", "term2", "e2", "sent_id", "sentence"),
    "top_member_employee",
)
CHANNELS: Final = ("clixsense",) * 8 + ("neodev",) * 6 + ("instagc",) * 5 + ("prodege",) * 4 + ("elite", "zoombucks")
ROLES: Final = (
    *("head gardener", "night porter", "chief archivist", "stage manager", "ferry captain", "first violinist"),
    *("bridge engineer", "school cook", "lighthouse keeper", "chair of the board"),
)
PLACES: Final = (
    *("Harbour Museum", "Northern Ferry Company", "Society of Clockmakers", "Municipal Orchestra", "Valley Railway"),
    *("Institute of Tides", "Old Town Theatre", "Salt Marsh Trust"),
)
FRAMES: Final = (
    "The {role} of the {place} said on Monday that the roof , damaged in the storm , would be mended by spring .",
    "After eleven years at the {place} , the {role} has opened a bookshop near the station .",
    "`` We open on Sunday '' , said the {role} ; the {place} did not comment .",
    'Visitors to the {place} , among them a {role} , were asked to keep their "tickets" .',
)
UNITS: Final = 64
CROWD: Final = 320


def figure_eight() -> bytes:
    """1 600 judgments of some hundred contributors on 64 sentences."""
    dice = Dice(20261014)
    crowd = [(str(5_000_000 + 97_003 * number + dice.number(0, 9)), dice.share()) for number in range(CROWD)]
    rows = [row for unit in range(UNITS) for row in judgments(dice, unit, crowd)]
    return table(JUDGMENT_COLUMNS, rows, end="\n")


def judgments(dice: Dice, unit: int, crowd: Sequence[tuple[str, float]]) -> Iterator[Row]:
    """25 judgments of different contributors on one sentence, in the order of time."""
    role, place = ROLES[unit % len(ROLES)], PLACES[unit // 3 % len(PLACES)]
    sentence = FRAMES[unit % len(FRAMES)].format(role=role, place=place)
    moment = datetime(2026, 10, 14, 8, 0) + timedelta(minutes=37 * unit)
    first = dice.number(0, CROWD - 1)
    for number in range(25):
        worker, skill = crowd[(first + 11 * number) % CROWD]
        tainted = skill < 0.03
        moment += timedelta(seconds=dice.number(20, 140))
        trust = 0.31 + skill * 9 if tainted else 0.86 + 0.14 * skill**0.7
        answer = dice.share() < (0.8 if unit % len(FRAMES) != 3 else 0.15)
        yield (
            *(990_100_000 + unit, stamp(moment), 2_100_000_000 + unit * 40_000 + number * 1_213),
            stamp(moment - timedelta(seconds=dice.number(9, 120))),
            *(str(tainted).lower(), CHANNELS[int(skill * len(CHANNELS))], f"{trust:.4f}".rstrip("0"), worker),
            *("NA", "NA", "NA", "NA", role, *span(sentence, role), span(sentence, place)[0], place),
            *(span(sentence, place)[1], f"OWN-{unit:04d}", sentence, str(answer).upper()),
        )


def stamp(moment: datetime) -> str:
    """A time as the report writes it: 3/9/2026 08:05:02."""
    return f"{moment.month}/{moment.day}/{moment:%Y %H:%M:%S}"


def span(sentence: str, term: str) -> tuple[int, int]:
    """The words of a term in a sentence: the first, and the one after the last."""
    begin = len(sentence[: sentence.index(term)].split())
    return begin, begin + len(term.split())


EXAMPLES: Final[Mapping[str, Callable[[], bytes]]] = {
    "upwork/upwork_timesheet.csv": upwork,
    "airbnb/airbnb_hosts.csv": airbnb,
    "figure-eight/figure_eight_judgments.csv": figure_eight,
}


def write_examples(examples: Mapping[str, Callable[[], bytes]], arguments: Sequence[str]) -> None:
    """Write the files below the folder that is named first, or below this one."""
    folder = Path(arguments[0]) if arguments else Path(__file__).parent
    for name, make in examples.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(make())


if __name__ == "__main__":
    write_examples(EXAMPLES, sys.argv[1:])
