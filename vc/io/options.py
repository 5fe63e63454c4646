"""Options that commands of all services share, with the same words everywhere."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from vc.errors import Malformed
from vc.model import parse_date_time

LOOPBACK: Final = "127.0.0.1"

Json_ = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Home = Annotated[
    Path | None, typer.Option("--home", metavar="DIR", help="Where state lives; default ~/.ouvrage, or OUVRAGE_HOME.")
]
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the result to this file.")]
Lang = Annotated[str, typer.Option("--lang", help="en or fr.")]
At = Annotated[str | None, typer.Option("--at", metavar="DATE", help="As of this day (2026-11-24) instead of now.")]
Port = Annotated[int, typer.Option("--port", metavar="N", min=0, max=65535, help="Where to listen; 0: any free port.")]
Host = Annotated[str, typer.Option("--host", help="The address to listen on; the default is for this machine only.")]
Tls = Annotated[bool, typer.Option("--tls", help="Speak HTTPS, with a certificate made on the spot.")]

TlsCert = Annotated[
    Path | None, typer.Option(metavar="FILE", help="HTTPS with this certificate and its chain, in PEM.")
]
TlsKey = Annotated[Path | None, typer.Option(metavar="FILE", help="The key of the certificate, in PEM.")]


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
