"""Options that the issuer's commands share."""

from pathlib import Path
from typing import Annotated, Final

import typer

DATABASE_FILE: Final = "issuer.db"

Database_ = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        envvar="OUVRAGE_DATABASE",
        show_envvar=False,
        help="Where state lives if not in a file: postgresql://…, or OUVRAGE_DATABASE.",
    ),
]

K: Final = 20  # workers who share all that is always shown: issuer.lint says why

AllowFew = Annotated[
    list[str] | None,
    typer.Option("--allow-few", metavar="TYPE", help="Answer for crowds of fewer than k of this type."),
]
Crowd = Annotated[int, typer.Option("--k", min=2, max=10_000, help="How many workers make a crowd.")]


def database_address(given: str | None, folder: Path) -> str | Path:
    """Where the database is: the URL of ``--database``, or the file in the issuer's folder."""
    return given or folder / DATABASE_FILE
