"""The profiles that come with the package, on the examples and on the real exports; and what a profile may not be."""

import csv
import importlib.util
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from issuer.attest import Attested, attest
from issuer.canonical import COLUMNS, RELATIONS
from issuer.profile import Profile, load_profile, profile_names
from tests.shared import shared_path
from vc.errors import Malformed, Unsupported, VcError
from work.draft import draft
from work.statement import Statement, context_digest
from work.validate import check_document

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
FILES = {
    "upwork": ("upwork/upwork_timesheet.csv", "upwork_timesheet.csv"),
    "airbnb": ("airbnb/airbnb_hosts.csv", "airbnb_dc_listings_reputation.csv"),
    "figure-eight": ("figure-eight/figure_eight_judgments.csv", "figure_eight_relex_binary_choice.csv"),
}
AT = datetime(2026, 11, 24, tzinfo=UTC)


@cache
def run(profile: str, path: Path) -> Attested:
    return attest(load_profile(profile), [path], salt=bytes(32))


def exports(profile: str, where: str) -> Path:
    example, real = FILES[profile]
    return EXAMPLES / example if where == "example" else shared_path(f"data/{real}")


def by_type(made: Attested, kind: str) -> dict[str, Statement]:
    return {statement.worker: statement for statement in made.statements if statement.type == kind}


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def half_even(value: Fraction, places: int) -> str:
    return f"{Decimal(round(value * 10**places)).scaleb(-places):.{places}f}"


# The examples, and what is in them.


def makers() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_examples", EXAMPLES / "make_examples.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", [files[0] for files in FILES.values()])
def test_examples_are_what_their_script_writes(name: str) -> None:
    assert makers().EXAMPLES[name]() == (EXAMPLES / name).read_bytes()


@pytest.mark.parametrize("profile", FILES)
def test_examples_have_the_columns_of_the_real_exports(profile: str) -> None:
    ours, real = exports(profile, "example"), exports(profile, "real")
    assert ours.read_bytes().split(b"\n")[0] == real.read_bytes().split(b"\n")[0]


@pytest.mark.parametrize("where", ["example", "real"])
@pytest.mark.parametrize("profile", FILES)
def test_every_statement_becomes_a_valid_credential(profile: str, where: str) -> None:
    made = run(profile, exports(profile, where))
    for statement in made.statements[:: max(1, len(made.statements) // 40)]:
        about_platform = statement.type == "RatingContext"
        holder = None if about_platform else "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
        check_document(draft(statement, issuer="did:key:zUC7example", holder=holder, at=AT).document)


@pytest.mark.parametrize("profile", FILES)
def test_statements_come_in_order_and_the_same_every_time(profile: str) -> None:
    made = run(profile, exports(profile, "example"))
    order = [(statement.worker, statement.type) for statement in made.statements]
    assert order == sorted(order)
    again = attest(load_profile(profile), [exports(profile, "example")], salt=bytes(32))
    assert [one.digest() for one in made.statements] == [one.digest() for one in again.statements]


def test_the_example_freelance_reaches_1500_and_not_1800() -> None:
    (earnings,) = by_type(run("upwork", exports("upwork", "example")), "Earnings").values()
    assert earnings.claims["averageAtLeast12m"][-1] == "001500"
    assert 1700 <= Decimal(str(earnings.claims["total12m"])) / 12 <= 1790
    assert len(earnings.claims["monthly"]) == 24


# The figures that are published for the real exports, and ours.


@pytest.mark.parametrize(
    ("where", "jobs", "hours", "money", "first", "last"),
    [
        ("real", "11", "601.17", "5189.58", "2023-09", "2025-07"),
        ("example", "11", "996.83", "32477.56", "2024-11", "2026-10"),
    ],
)
def test_upwork(where: str, jobs: str, hours: str, money: str, first: str, last: str) -> None:
    made = run("upwork", exports("upwork", where))
    (history,), (earnings,) = by_type(made, "WorkHistory").values(), by_type(made, "Earnings").values()
    assert (history.claims["jobsCompleted"], history.claims["totalDurationHours"]) == (jobs, hours)
    assert (history.claims["firstJob"], history.claims["lastJob"]) == (first, last)
    assert (earnings.claims["total"], earnings.claims["currency"]) == (money, "USD")
    assert earnings.claims["basis"] == "grossPaidByClient"
    assert earnings.claims["incentivesIncluded"] == "true"
    assert history.worker == exports("upwork", where).stem
    assert made.rejects == ()


def test_upwork_figures_of_the_real_report() -> None:
    figures = dict(run("upwork", exports("upwork", "real")).reconciliation.figures)
    assert figures == {
        "Hours logged": "601.17", "Contracts": "11", "Hourly lines": "243", "Fixed price payments": "2",
        "Bonuses": "7", "First day": "2023-09-16", "Last day": "2025-07-16",
    }  # fmt: skip


@pytest.mark.parametrize("where", ["example", "real"])
def test_upwork_months_agree_with_a_second_count(where: str) -> None:
    path = exports("upwork", where)
    money: defaultdict[str, Decimal] = defaultdict(Decimal)
    hours: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in rows_of(path):
        money[row["Date"][:7]] += Decimal(row["Amount"])
        hours[row["Date"][:7]] += Decimal(row["Hours"] or 0)
    made = run("upwork", path)
    (history,), (earnings,) = by_type(made, "WorkHistory").values(), by_type(made, "Earnings").values()
    for month, amount in (str(entry).split(" ") for entry in earnings.claims["monthly"]):
        assert Decimal(amount) == money.pop(month, Decimal())
    for month, amount in (str(entry).split(" ") for entry in history.claims["monthlyHours"]):
        assert Decimal(amount) == round(hours.pop(month, Decimal()), 2)
    assert not money
    assert not hours


def test_airbnb_figures_of_the_real_file() -> None:
    made = run("airbnb", exports("airbnb", "real"))
    assert dict(made.reconciliation.figures) == {
        "Hosts": "3036", "Listings without a review": "1236", "Rated listings": "5021",
        "Mean rating of the rated listings": "4.770", "Rated listings at 4.5 or above": "90.0 %", "Stays": "0",
    }  # fmt: skip
    assert made.reconciliation.statements == {
        "PlatformMembership": 3036,
        "Rating": 3036,
        "RatingBand": 2569,
        "RatingContext": 1,
    }
    (odd,) = made.reconciliation.in_part
    assert (odd.rows, odd.reason) == (1, "rating outside the scale from 1 to 5")


@pytest.mark.parametrize("where", ["example", "real"])
def test_every_host_has_the_rating_of_a_second_count(where: str) -> None:
    path = exports("airbnb", where)
    points: defaultdict[str, Fraction] = defaultdict(Fraction)
    reviews: defaultdict[str, int] = defaultdict(int)
    for row in rows_of(path):
        reviews[row["host"]] += 0
        if row["review_scores_rating"] and Decimal(row["review_scores_rating"]) >= 1:
            points[row["host"]] += Fraction(row["review_scores_rating"]) * int(row["number_of_reviews"])
            reviews[row["host"]] += int(row["number_of_reviews"])
    made = by_type(run("airbnb", path), "Rating")
    assert made.keys() == reviews.keys()
    for host, statement in made.items():
        if reviews[host] < 5:
            assert (statement.claims["ratingValue"], statement.claims["ratingCount"]) == ("tooFewToState", "fewerThan5")
            assert "aspects" not in statement.claims
        else:
            assert statement.claims["ratingValue"] == half_even(points[host] / reviews[host], 2)
            assert statement.claims["ratingCount"] == str(reviews[host])
            assert statement.claims["intervalMethod"] == "wilsonBound"
            assert statement.claims["distribution"] == ("notPublished",)


@pytest.mark.parametrize("where", ["example", "real"])
def test_membership_says_what_the_listings_say(where: str) -> None:
    path = exports("airbnb", where)
    made = by_type(run("airbnb", path), "PlatformMembership")
    for row in rows_of(path):
        claims = made[row["host"]].claims
        assert claims.get("memberSince", "") == row["host_since"][:7]
        assert claims.get("tierLevel") == ("Superhost" if row["host_is_superhost"] == "t" else None)
        assert ("tierScheme" in claims) == ("tierLevel" in claims)
        assert claims.get("identityVerified") == {"t": "true", "f": "false", "": None}[row["host_identity_verified"]]
        assert row["room_type"] in claims["activityKinds"]


@pytest.mark.parametrize(
    ("profile", "where"), [(p, w) for p in ("airbnb", "figure-eight") for w in ("example", "real")]
)
def test_ratings_name_the_context_that_they_are_read_in(profile: str, where: str) -> None:
    made = run(profile, exports(profile, where))
    ratings = by_type(made, "Rating").values()
    context = by_type(made, "RatingContext")[""]
    assert {rating.claims["contextDigest"] for rating in ratings} == {context_digest(context)}
    stated = sorted(
        Decimal(str(rating.claims["ratingValue"])) for rating in ratings if rating.claims["ratingValue"][0].isdigit()
    )
    assert context.claims["population"] == str(len(stated))
    percentiles = dict(str(entry).split(" ") for entry in context.claims["percentiles"])
    assert Decimal(percentiles["50"]) == stated[(len(stated) + 1) // 2 - 1]


@pytest.mark.parametrize(("where", "workers", "tainted"), [("real", 67, 0), ("example", 320, 91)])
def test_figure_eight(where: str, workers: int, tainted: int) -> None:
    path = exports("figure-eight", where)
    trust: defaultdict[str, list[Fraction]] = defaultdict(list)
    judgments: defaultdict[str, int] = defaultdict(int)
    for row in rows_of(path):
        judgments[row["_worker_id"]] += 1
        if row["_tainted"] == "false":
            trust[row["_worker_id"]].append(Fraction(row["_trust"]))
    made = run("figure-eight", path)
    ratings = by_type(made, "Rating")
    assert len(ratings) == workers
    assert sum(lot.rows for lot in made.reconciliation.left_out) == tainted
    for worker, rating in ratings.items():
        good = trust[worker]
        mean = half_even(Fraction(sum(good), len(good)), 4) if good else "notPublished"
        assert rating.claims["ratingValue"] == mean
        assert rating.claims["jobsEligible"] == str(judgments[worker])
        assert rating.claims["excludedCount"] == str(judgments[worker] - len(good))
        assert (rating.claims["ratingCount"], rating.claims["intervalMethod"]) == ("notPublished", "notStated")


# What a profile is, and is not.


@pytest.mark.parametrize("name", profile_names())
def test_profiles_say_what_is_documented_and_what_is_assumed(name: str) -> None:
    profile = load_profile(name)
    assert profile.name == name
    assert all(len(text) > 40 for text in (profile.documented, profile.assumed, profile.provenance))
    assert "://" not in profile.provenance


def test_a_profile_reads_no_more_columns_than_it_needs() -> None:
    third_parties = {"sentence", "_ip", "_city", "host_name", "Guest"}
    for name in profile_names():
        assert not third_parties & {column for kind in load_profile(name).files for column in kind.names}


NEW = """
name = "parcels"
title = "A parcel service"
platform = "Parcels"
category = "organised"
documented = "Nothing."
assumed = "Everything."
provenance = "This test."

[files.tour]
title = "tours"
delimiters = [";"]
nulls = ["-"]
required = ["Fahrer", "Tag", "Dauer", "Betrag"]
[files.tour.aliases]
Betrag = ["Lohn"]
[files.tour.columns]
worker = '"Fahrer"'
day = '''day_of("Tag", '%d.%m.%Y')'''
hours = '''number_of(replace("Dauer", ',', '.'))'''
amount = '''number_of(replace("Betrag", ',', '.'))'''
currency = "'EUR'"
[files.tour.feeds]
jobs = "hours > 0"
pay = "amount > 0"
[[files.tour.leave_out]]
of = ["pay"]
when = "amount <= 0"
reason = "paid back"

[statements.WorkHistory]
unitOfWork = "shift"
durationDefinition = "https://w3id.org/ouvrage/v1/durations/logged"
[statements.Earnings]
basis = "afterCommission"
tipsIncluded = "false"
incentivesIncluded = "true"
tollsIncluded = "notPublished"
"""


def test_a_new_platform_is_one_file(tmp_path: Path) -> None:
    profile, export = tmp_path / "parcels.toml", tmp_path / "touren.csv"
    profile.write_text(NEW, encoding="utf-8")
    export.write_bytes(
        "fahrer ;TAG;Dauer;Lohn;Bemerkung\r\n"
        "Zoë;05.07.2024;7,5;90,10;für Köln\r\n"
        "Zoë;10.0;1;3;\r\n"
        "Zoë;06.08.2024;-;-4,20;zurück\r\n"
        "Ali;31.08.2024;2,25;30;\r\n".encode("cp1252")
    )
    made = attest(load_profile(str(profile)), [export])
    earnings, histories = by_type(made, "Earnings"), by_type(made, "WorkHistory")
    assert [rejected.line for rejected in made.rejects] == [3]
    assert earnings["Zoë"].claims["monthly"] == ("2024-07 90.10", "2024-08 0.00")
    assert histories["Zoë"].claims["totalDurationHours"] == "7.50"
    assert histories["Ali"].claims["jobsCompleted"] == "1"
    assert made.reconciliation.left_out[0].money == {"EUR": Decimal("-4.20")}


def new(old: str, with_: str) -> Profile:
    assert old in NEW
    return Profile.parse(NEW.replace(old, with_).encode(), where="parcels.toml")


@pytest.mark.parametrize(
    ("old", "with_", "place"),
    [
        ('title = "tours"', 'title = "tours"\ncolour = "red"', "colour"),
        ('name = "parcels"', "", "name"),
        ('category = "organised"', 'category = "gig"', "category"),
        ("[files.tour]", "[files.pay]", "named by one word"),
        ("worker = '\"Fahrer\"'", "", "worker"),
        ("currency = \"'EUR'\"", "", "pay needs currency"),
        ("currency = \"'EUR'\"", "curency = \"'EUR'\"", "columns"),
        ('pay = "amount > 0"', 'tips = "amount > 0"', "feeds"),
        ('of = ["pay"]', 'of = ["ratings"]', "of"),
        ('delimiters = [";"]', 'delimiters = [";;"]', "delimiters"),
        ('delimiters = [";"]', 'delimiters = [";"]\nencodings = ["klingon"]', "encodings"),
        ('Betrag = ["Lohn"]', 'Betra = ["Lohn"]', "aliases"),
        ('basis = "afterCommission"', 'basis = "net"', "basis"),
        ('unitOfWork = "shift"', "", "unitOfWork"),
        ("[statements.Earnings]", "[statements.Earning]", "Earning"),
        ('name = "parcels"', "name = parcels", "not TOML"),
    ],
)
def test_a_wrong_profile_is_refused_by_place(old: str, with_: str, place: str) -> None:
    with pytest.raises(Malformed, match=r"^parcels\.toml") as refused:
        new(old, with_)
    assert place in str(refused.value)


def test_a_context_needs_ratings() -> None:
    profile = (Path(__file__).resolve().parents[1] / "issuer/profiles/airbnb.toml").read_text(encoding="utf-8")
    start, end = profile.index("[statements.Rating]"), profile.index("[statements.RatingContext]")
    with pytest.raises(Malformed, match="both, or none"):
        Profile.parse((profile[:start] + profile[end:]).encode(), where="airbnb.toml")


def test_statements_need_the_relation_that_they_are_made_from() -> None:
    with pytest.raises(Malformed, match="is made from ratings"):
        new("[statements.Earnings]", "[statements.RatingContext]\nknownBiasNotes = []\n[statements.Earnings]")


@pytest.mark.parametrize(
    "sql",
    [
        "(SELECT content FROM read_text('/etc/hostname'))",
        "(SELECT any_value(x) FROM read_csv('/etc/passwd') AS t(x))",
        "no_such_function()",
        "'EUR', (",
    ],
)
def test_a_profile_can_reach_no_files(tmp_path: Path, sql: str) -> None:
    export = tmp_path / "t.csv"
    export.write_text("Fahrer;Tag;Dauer;Betrag\nA;05.07.2024;1;2\n", encoding="utf-8")
    profile = new("currency = \"'EUR'\"", f'currency = """{sql}"""')
    with pytest.raises(Malformed) as refused:
        attest(profile, [export])
    assert refused.value.code == "BAD_SQL"
    assert "\n" not in str(refused.value)


def test_rows_that_a_profile_forgets_are_an_error(tmp_path: Path) -> None:
    export = tmp_path / "t.csv"
    export.write_text("Fahrer;Tag;Dauer;Betrag\nA;05.07.2024;1;2\nA;05.07.2024;0;-1\n", encoding="utf-8")
    profile = new('when = "amount <= 0"', 'when = "amount < -100"')
    with pytest.raises(VcError, match="gives no reason"):
        attest(profile, [export])


@pytest.mark.parametrize("name", ["uberr", "../profiles/upwork", "", "upwork.csv"])
def test_unknown_profiles(name: str) -> None:
    with pytest.raises(Unsupported, match="see: ouvrage issuer profiles"):
        load_profile(name)


def test_a_profile_that_is_nearly_right() -> None:
    with pytest.raises(Unsupported, match=r"uberr \(did you mean uber\?"):
        load_profile("uberr")


def test_a_profile_file_that_is_not_there() -> None:
    with pytest.raises(Malformed, match="no such file"):
        load_profile("nowhere.toml")


def test_canonical_columns_are_those_of_the_relations() -> None:
    related = {column for relation in RELATIONS.values() for column in relation.columns}
    assert set(COLUMNS) - related == {"excluded"}  # which any row may be, for a reason
