"""The insights as pictures for a page: SVG that says what it shows, and the same figures as a table.

Nothing in it is loaded or run, and no style is inline, so that the strictest content security policy has it.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from html import escape
from typing import Final

from wallet.guard_words import tell
from wallet.insights import Income, Ratings
from wallet.insights_words import figure, income_title, place, rating_title, stated
from work.phrases import month, number

WIDTH: Final = 640
HEIGHT: Final = 200
FOOT: Final = 24  # for the months below
LABELS: Final = 6  # months that are written below, at most


def income_svg(one: Income, name: str, lang: str) -> str:
    """A bar for each month. ``name`` begins the ids, so that several pictures can stand on one page."""
    most = max((amount for _, amount in one.points), default=Decimal(0))
    step = Decimal(WIDTH) / max(len(one.points), 1)
    bars = []
    for index, (at, amount) in enumerate(one.points):
        tall = amount * (HEIGHT - FOOT) / most if most > 0 and amount > 0 else Decimal(0)
        tip = f"{month(at, lang)}: {number(str(amount), lang)} {one.currency}"
        bars.append(
            f'<rect x="{index * step + step / 10:.1f}" y="{HEIGHT - FOOT - tall:.1f}" width="{step * 4 / 5:.1f}" '
            f'height="{tall:.1f}" fill="currentColor"><title>{escape(tip)}</title></rect>'
        )
    desc = _described("chart_desc", [at for at, _ in one.points], lang,
                      most=f"{number(str(most), lang)} {one.currency}")  # fmt: skip
    return _svg(name, income_title(one, lang), desc, [*bars, *_months([at for at, _ in one.points])])


def income_table(one: Income, lang: str) -> str:
    """The same figures as a table."""
    rows = [(month(at, lang), f"{number(str(amount), lang)} {one.currency}") for at, amount in one.points]
    return _table(income_title(one, lang), ("column_month", "column_amount"), rows, lang)


def rating_svg(one: Ratings, name: str, lang: str) -> str:
    """A line for each interval and a dot for each stated value, on the whole of the scale."""
    step = Decimal(WIDTH) / max(len(one.points), 1)
    marks = []
    for index, point in enumerate(one.points):
        places = [place(one, text) for text in (point.lower, point.upper, point.value)]
        lower, upper, value = (None if each is None else _height(each) for each in places)
        x = index * step + step / 2
        if lower is None or upper is None or value is None:
            continue  # what is not stated has no place on a scale; the table says so
        marks.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{lower:.1f}" y2="{upper:.1f}" stroke="currentColor" '
            f'stroke-width="3"/><circle cx="{x:.1f}" cy="{value:.1f}" r="5" fill="currentColor"/>'
        )
    ends = (
        f'<text x="2" y="{_height(Decimal(end)) + shift}" font-size="12" fill="currentColor">{escape(text)}</text>'
        for end, shift, text in ((0, -2, figure(one, one.worst, lang)), (1, 12, figure(one, one.best, lang)))
    )
    months = [point.month for point in one.points]
    desc = _described("chart_rating_desc", months, lang)
    return _svg(name, rating_title(one, lang), desc, [*marks, *ends, *_months(months)])


def rating_table(one: Ratings, lang: str) -> str:
    """The same ratings as a table, the interval first."""
    rows = [
        (
            month(point.month, lang),
            f"{figure(one, point.lower, lang)} – {figure(one, point.upper, lang)}",
            figure(one, point.value, lang),
            stated(point.count, lang),
        )
        for point in one.points
    ]
    return _table(
        rating_title(one, lang), ("column_month", "column_interval", "column_value", "column_count"), rows, lang
    )


def _height(place_: Decimal) -> Decimal:
    return (HEIGHT - FOOT) * (1 - place_)


def _described(key: str, months: Sequence[str], lang: str, **fields: str) -> str:
    first, last = (month(months[end], lang) if months else "" for end in (0, -1))
    return tell(key, lang, count=len(months), first=first, last=last, **fields)


def _months(months: Sequence[str]) -> Iterable[str]:
    step, every = Decimal(WIDTH) / max(len(months), 1), max(1, -(-len(months) // LABELS))
    for index in range(0, len(months), every):
        yield (
            f'<text x="{index * step + step / 2:.1f}" y="{HEIGHT - 6}" font-size="12" text-anchor="middle" '
            f'fill="currentColor">{escape(months[index])}</text>'
        )


def _svg(name: str, title: str, desc: str, marks: Iterable[str]) -> str:
    key = escape(name)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-labelledby="{key}-title {key}-desc"><title id="{key}-title">{escape(title)}</title>'
        f'<desc id="{key}-desc">{escape(desc)}</desc>{"".join(marks)}</svg>'
    )


def _table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]], lang: str) -> str:
    head = "".join(f'<th scope="col">{escape(tell(column, lang))}</th>' for column in columns)
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in row[1:])}</tr>'
        for row in rows
    )
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
