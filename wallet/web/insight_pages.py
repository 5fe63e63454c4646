"""For the worker alone: charts, what they could prove, what ends soon."""

from typing import Any

from aiohttp import web

from wallet.insights import Insights, Provable, insights
from wallet.insights_svg import income_svg, income_table, rating_svg, rating_table
from wallet.insights_words import ending_text, income_title, proof_text, rating_title
from wallet.plain import short
from wallet.web import views
from wallet.web.desk import DESK
from wallet.web.page import language, page


async def get_insights(request: web.Request) -> web.StreamResponse:
    """All of it on one page. Nothing is sent."""
    desk, lang = request.app[DESK], language(request)
    at = desk.now()
    found = await desk.box.use(lambda shelf: insights(shelf.copies(), at))
    return page(request, "insights", here="home", charts=_charts(found, lang), **_told(found, lang))


def _charts(found: Insights, lang: str) -> dict[str, list[tuple[str, str, str]]]:
    """Titles, pictures and tables: these are markup, made of escaped texts and numbers (wallet.insights_svg)."""
    incomes = enumerate(found.income)
    ratings = enumerate(found.ratings)
    return {
        "income": [
            (income_title(one, lang), income_svg(one, f"income-{place}", lang), income_table(one, lang))
            for place, one in incomes
        ],
        "ratings": [
            (rating_title(one, lang), rating_svg(one, f"rating-{place}", lang), rating_table(one, lang))
            for place, one in ratings
        ],
    }


def _told(found: Insights, lang: str) -> dict[str, Any]:
    return {
        "proves": [
            (
                purpose.labels[lang],
                [_proof(one, lang) for one in proofs if one.required],
                [_proof(one, lang) for one in proofs if not one.required],
            )
            for purpose, proofs in found.proves
        ],
        "ending": [(ending_text(one, lang), one.statement.copy.statement) for one in found.ending],
        "low": [(views.name_of(one.type, lang), one.copy.statement, one.unused) for one in found.low],
    }


def _proof(one: Provable, lang: str) -> tuple[str, str]:
    """What would be proven, and by whose word; nobody's where the worker imported it."""
    return proof_text(one, lang), "" if one.own else short(one.issuer)
