"""Options that commands of all services share, with the same words everywhere."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from vc.errors import Malformed
from vc.model import parse_date_time

Json_ = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Home = Annotated[
    Path | None, typer.Option("--home", metavar="DIR", help="Where state lives; default ~/.ouvrage, or OUVRAGE_HOME.")
]
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the result to this file.")]
Lang = Annotated[str, typer.Option("--lang", help="en or fr.")]
At = Annotated[str | None, typer.Option("--at", metavar="DATE", help="As of this day (2026-11-24) instead of now.")]


def moment(at: str | None) -> datetime:
    """The moment that ``--at`` names, or now. Raises :class:`Malformed`."""
    if at is None:
        return datetime.now(UTC)
    text = f"{at}T12:00:00Z" if len(at) == len("2026-11-24") else at
    return parse_date_time(text, where="--at").astimezone(UTC)


def language(lang: str) -> str:
    """``en`` or ``fr``. Raises :class:`Malformed`."""
    if lang not in ("en", "fr"):
        raise Malformed("--lang", "en or fr", code="BAD_LANGUAGE")
    return lang
