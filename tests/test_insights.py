"""What the wallet shows its worker alone: never added up, never mixed, never a bare number; and safe to print."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.line import AT, copy, credential
from tests.work_samples import TOO_FEW
from vc.canon import Json
from wallet.choose import Copy
from wallet.insights import income, insights, ratings
from wallet.insights_svg import income_svg, income_table, rating_svg, rating_table
from wallet.insights_words import insights_json, insights_text
from work.purposes import PURPOSES, Judgement, judge
from work.types import LANGUAGES

EVIL = '<script>alert(1)</script>\x1b[2J\u202e"&'


def changed(one: Copy, *, issuer: str = "", name: str = "", **claims: Json) -> Copy:
    """A copy that says something else, as only its reader sees it."""
    parsed = one.credential
    document: Any = {**parsed.document, "issuer": {"id": issuer or parsed.issuer, "name": name or "Platform"}}
    subject: Any = {**parsed.subjects[0], **claims}
    made = replace(parsed, document=document, subjects=(subject,), issuer=issuer or parsed.issuer)
    return replace(one, credential=made, statement=f"{one.statement}{issuer}{claims.get('periodEnd', '')}{len(claims)}")


EARNINGS = copy(credential())
RATING = copy(credential("Rating"))
HELD = [EARNINGS, RATING, *(copy(credential(kind)) for kind in ("WorkHistory", "PlatformMembership", "RatingBand"))]


def test_different_currencies_and_platforms_are_never_added_up() -> None:
    others = [
        changed(EARNINGS, currency="EUR", monthly=["2025-05 100.00"]),
        changed(EARNINGS, issuer="did:key:zOther", currency="USD", monthly=["2025-05 7.00"]),
    ]
    found = list(income([EARNINGS, *others]))
    assert sorted((one.currency, dict(one.points)["2025-05"]) for one in found) == [
        ("EUR", Decimal("100.00")), ("USD", Decimal("7.00")), ("USD", Decimal("12000.00"))]  # fmt: skip


def test_a_month_is_told_as_the_newest_statement_has_it() -> None:
    newer = changed(EARNINGS, periodEnd="2025-09", monthly=["2025-07 6000.00", "2025-08 1.00"])
    for order in ([EARNINGS, newer], [newer, EARNINGS]):
        (one,) = income(order)
        assert dict(one.points)["2025-07"] == Decimal("6000.00")
        assert [month for month, _ in one.points] == ["2025-05", "2025-06", "2025-07", "2025-08"]


def test_scales_are_never_mixed_and_a_rating_is_never_bare() -> None:
    other = changed(RATING, bestRating="10", periodEnd="2025-08")
    later = changed(RATING, periodEnd="2025-08", ratingValue="4.9")
    found = list(ratings([RATING, other, later]))
    assert sorted((one.best, [point.month for point in one.points]) for one in found) == [
        ("10", ["2025-08"]), ("5", ["2025-07", "2025-08"])]  # fmt: skip
    for lang in LANGUAGES:
        text = insights_text(insights([RATING, other, later], AT), lang)
        lines = [line for line in text.splitlines() if "4.77" in line or "4,77" in line]
        assert lines
        assert all("128" in line and ("between" in line or "entre" in line) for line in lines)


def test_a_rating_of_too_few_has_no_figure() -> None:
    stated: Any = {name: list(one) if isinstance(one, tuple) else one for name, one in TOO_FEW.items()}
    few = changed(RATING, **stated)
    (one,) = ratings([few])
    assert "too few ratings" in insights_text(insights([few], AT), "en")
    assert "<circle" not in rating_svg(one, "r", "en")
    assert rating_table(one, "fr")


def test_what_each_purpose_could_be_shown_with_which_rung() -> None:
    proves = insights_json(insights(HELD, AT))["proves"]
    assert isinstance(proves, dict)
    assert proves.keys() == PURPOSES.keys()
    housing: Any = {one["claim"]: one for one in _dicts(proves["housing.tenancy.fr"])}
    average = housing["Earnings.averageAtLeast12m"]
    assert (average["atLeast"], average["mayBeRequired"]) == (1500, False)
    assert housing["PlatformMembership.tenureMonthsAtLeast"]["mayBeRequired"] is True
    for code, proofs in proves.items():
        for one in _dicts(proofs):
            kind, _, claim = one["claim"].partition(".")
            assert judge(PURPOSES[code], kind, claim) in (Judgement.expected, Judgement.acceptable)


def _dicts(value: Json) -> Sequence[Any]:
    assert isinstance(value, list)
    return value


def test_nothing_is_proven_by_what_has_ended() -> None:
    late = insights(HELD, AT + timedelta(days=400))
    assert all(proofs == () for _, proofs in late.proves)
    assert late.income  # but the past is still told
    assert {one.over for one in late.ending} == {True}


def test_what_ends_soon_is_told_soonest_first() -> None:
    end = EARNINGS.valid_until
    assert end is not None
    assert insights(HELD, end - timedelta(days=20)).ending == ()
    soon = insights(HELD, end - timedelta(days=3)).ending
    assert len(soon) == len(HELD)
    assert [one.day for one in soon] == sorted(one.day for one in soon)
    renewed = changed(EARNINGS, periodEnd="2026-12")
    renewed = replace(renewed, credential=replace(renewed.credential, valid_until=end + timedelta(days=30)))
    assert insights([EARNINGS, renewed], end - timedelta(days=3)).ending == ()


def test_copies_that_run_low_are_among_the_insights() -> None:
    copies = [
        replace(EARNINGS, id=bytes([number]) * 16, holder=f"did:example:{number}", shown=int(number < 3))
        for number in range(4)
    ]
    (low,) = insights(copies, AT).low
    assert (low.unused, low.copies) == (1, 4)
    assert "1 copy left" in insights_text(insights(copies, AT), "en")


def hostile() -> list[Copy]:
    claims: Json = ["2025-05 NaN", "2025-05 1e99999", EVIL, "9999-99 1.00", "2025-06 " + "9" * 400]
    return [
        changed(EARNINGS, name=EVIL, monthly=claims, averageAtLeast12m=[EVIL, "999999"]),
        changed(EARNINGS, name=EVIL, currency=EVIL),
        changed(EARNINGS, name=EVIL, monthly=["2025-05 -3.00", "2025-06 0.00"], basis=EVIL, issuer=EVIL),
        changed(RATING, name=EVIL, ratingValue=EVIL),
        changed(RATING, name=EVIL, ratingValue="99", intervalLower="notStated"),
        changed(RATING, name=EVIL, bestRating="1", worstRating="1", computation=EVIL),
        changed(RATING, name=EVIL, periodEnd=EVIL, issuer="did:x"),
    ]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_hostile_credentials_are_harmless(lang: str) -> None:
    found = insights([*hostile(), *HELD], AT)
    page = "".join(
        [*(income_svg(one, EVIL, lang) + income_table(one, lang) for one in found.income),
         *(rating_svg(one, EVIL, lang) + rating_table(one, lang) for one in found.ratings)]
    )  # fmt: skip
    text = insights_text(found, lang)
    assert page
    assert "<script" not in page
    assert not {"\x1b", "\u202e"} & set(text)
    assert len(text) < 20_000


@pytest.mark.parametrize("lang", LANGUAGES)
def test_pictures_say_what_they_show_and_load_nothing(lang: str) -> None:
    found = insights(HELD, AT)
    (paid,), (rated,) = found.income, found.ratings
    for svg in (income_svg(paid, "paid", lang), rating_svg(rated, "rated", lang)):
        root = ET.fromstring(svg)
        named = root.attrib["aria-labelledby"].split()
        told = {node.attrib.get("id"): node.text for node in root}
        assert all(told[name] for name in named)
        assert root.attrib["role"] == "img"
        assert not re.search(r"style=|href=|url\(|<script|on\w+=", svg)
    rows = ET.fromstring(income_table(paid, lang)).findall("tbody/tr")
    assert len(rows) == len(paid.points)
    assert len(ET.fromstring(income_svg(paid, "x", lang)).findall("{http://www.w3.org/2000/svg}rect")) == 3


def test_an_empty_wallet_has_nothing_to_tell_and_says_so() -> None:
    text = insights_text(insights([], AT), "fr")
    assert text.count("Rien ici.") == 4
