"""``ouvrage wallet refresh`` and ``delete``: coming back to platforms, and letting go of a statement."""

import asyncio
import os
import sys
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from vc.canon import Json
from vc.errors import Malformed
from vc.io.command import say, show
from vc.io.options import Home, Json_, Lang, language
from wallet import words
from wallet.choose import Copy
from wallet.opening import open_shelf
from wallet.shelf import Shelf
from work import CONTEXTS
from work.wording import label

NAMED: Final = "The name that `list` gives, or its first letters; or a type, such as Earnings, where you have one."

Days = Annotated[int, typer.Option("--days", min=0, max=365, help="Renew what ends within this many days.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; ask nobody.")]
Rebind = Annotated[
    bool,
    typer.Option("--rebind", help="Fetch everything anew for new keys, and let the old ones go: on a new device."),
]


def refresh_command(
    days: Days = 10,
    dry_run: DryRun = False,
    rebind: Rebind = False,
    home_dir: Home = None,
    lang: Lang = "en",
    as_json: Json_ = False,
) -> None:
    """Come back to platforms: for what they promised, and for new copies before the old ones run out."""
    from vc.io.fetch import fetch  # noqa: PLC0415  (aiohttp takes a while to load)
    from wallet.platform_words import planned_text, refreshed_text  # noqa: PLC0415
    from wallet.refresh import due, errors, refresh  # noqa: PLC0415

    told_in = language(lang)
    with open_shelf(home_dir, lang=told_in) as shelf:
        tasks = due(shelf, at=_now(), days=days, rebind=rebind)
        if dry_run:
            planned: list[Json] = [task.to_json() for task in tasks]
            show({"plan": planned}, as_json=as_json, text=lambda: planned_text(tasks, told_in))
            return
        results = asyncio.run(refresh(shelf, tasks, ask=fetch, contexts=CONTEXTS, now=_now, rand=os.urandom))
    done: list[Json] = [one.to_json() for one in results]
    show({"refreshed": done}, as_json=as_json, text=lambda: refreshed_text(results, told_in))
    for error in errors(results):
        raise typer.Exit(error.exit_code)


def delete_command(
    statement: Annotated[str, typer.Argument(help=NAMED)],
    yes: Annotated[bool, typer.Option("--yes", help="Delete without being asked.")] = False,
    home_dir: Home = None,
    lang: Lang = "en",
    as_json: Json_ = False,
) -> None:
    """Delete all copies of a statement from this wallet, and tell the platform that gave it."""
    told_in = language(lang)
    from wallet.platform_words import WORDS  # noqa: PLC0415

    texts = WORDS[told_in]
    with open_shelf(home_dir, lang=told_in) as shelf:
        copies = shelf.copies()
        name = words.find(copies, statement).statement
        gone = [one for one in copies if one.statement == name]
        asked = texts["delete"].format(count=len(gone), label=_label(gone[0], told_in))
        if not (yes or _agrees(asked, texts["delete_ask"], as_json=as_json)):
            raise Malformed("delete", "you did not agree, so nothing was deleted (--yes agrees)", code="NOT_AGREED")
        told = asyncio.run(_delete(shelf, name))
    document: dict[str, Json] = {"statement": name, "deleted": len(gone), "told": told}
    show(
        document,
        as_json=as_json,
        text=lambda: (
            f"{texts['deleted'].format(count=len(gone))} {texts['deleted_told' if told else 'deleted_untold']}"
        ),
    )


async def _delete(shelf: Shelf, name: str) -> bool:
    from vc.io.fetch import fetch  # noqa: PLC0415
    from wallet.letting_go import delete_statement, tell_deleted  # noqa: PLC0415

    left = delete_statement(shelf, name)
    return await tell_deleted(shelf, left, ask=fetch, now=_now, rand=os.urandom)


def _label(copy: Copy, lang: str) -> str:
    return label(copy.type, lang) if copy.kind else copy.type[:100]


def _agrees(text: str, question: str, *, as_json: bool) -> bool:
    if as_json or not sys.stdin.isatty():
        return False
    say(text)
    return typer.confirm(question, default=False)


def _now() -> datetime:
    return datetime.now(UTC)
