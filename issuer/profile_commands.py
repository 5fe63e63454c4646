"""``ouvrage issuer profile``: making a profile for an export that none of ours describes."""

from pathlib import Path
from typing import Annotated

import typer

from vc.errors import Malformed
from vc.io.command import new_app, show
from vc.io.files import write_atomic
from vc.io.options import Json_, Out
from work.statement import Category

app = new_app("Profiles of your own.")


@app.callback()
def profile_group() -> None:
    """Profiles of your own."""


@app.command("new")
def new_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An export (CSV) to guess from.")],
    name: Annotated[str, typer.Option(help="The profile's name: small letters, figures and hyphens.")],
    platform: Annotated[str | None, typer.Option(help="The platform's name; default: the profile's.")] = None,
    category: Annotated[Category, typer.Option(help="The family of platform work.")] = Category.freelance,
    currency: Annotated[
        str | None, typer.Option(metavar="CODE", help="Of all amounts, where the file does not say: EUR.")
    ] = None,
    out: Out = None,
    as_json: Json_ = False,
) -> None:
    """Guess a profile from a file's columns, show what was guessed and why, and write it for a person to correct."""
    from issuer.guess import guess, told  # noqa: PLC0415  (what profiles need takes a while to load)
    from issuer.guess_profile import profile_text  # noqa: PLC0415
    from issuer.profile import Profile  # noqa: PLC0415

    target = out or Path(f"{name}.toml")
    if target.exists():
        raise Malformed(str(target), "is there already, and may have been corrected by hand", code="FILE_EXISTS")
    made = guess(file)
    text = profile_text(made, name=name, platform=platform or name, category=category, currency=currency)
    Profile.parse(text.encode(), where="the guessed profile")  # also checks the name
    write_atomic(target, text.encode())
    roles = {role: {"column": column.name, "why": made.why(role)} for role, column in made.roles.items()}
    show(
        {"profile": str(target), "guessed": roles, "neverRead": [column.name for column in made.never]},
        as_json=as_json,
        text=lambda: "\n".join(
            [
                *told(made),
                f"Written to {target}. Read it, correct what is marked CHECK, and try it:",
                f"  ouvrage issuer attest --profile {target} {file}",
            ]
        ),
    )
