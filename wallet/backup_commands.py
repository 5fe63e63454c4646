"""``ouvrage wallet backup``, ``restore`` and ``export``: what leaves the vault, sealed; and one thing that is not."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from vc.canon import Json, to_json
from vc.errors import Malformed
from vc.io.command import say, show
from vc.io.files import write_atomic
from vc.io.options import At, Home, Json_, Lang, language, moment
from wallet.backup import open_backup, write_backup
from wallet.exporting import export, to_export
from wallet.keeping import KEEP, MAX_KEEP, Folder, begin_folder, choose_folder, note_backup
from wallet.opening import open_shelf, vault_path
from wallet.restore import restore
from wallet.shelf import Shelf
from wallet.shielding import shield
from wallet.vault_commands import ByShares, ByWords, ShareFiles, new_passphrase, opened_by
from wallet.vault_words import told

ToFolder = Annotated[
    Path | None,
    typer.Option("--to", metavar="FOLDER", help="Make one here now, and again after each change: one for each day."),
]
Keep = Annotated[int, typer.Option("--keep", min=1, max=MAX_KEEP, metavar="DAYS", help="How many days to keep there.")]
Once = Annotated[bool, typer.Option("--once", help="Only now; no more after each change.")]
Stop = Annotated[bool, typer.Option("--stop", help="Make no more backups after each change.")]
Replace = Annotated[bool, typer.Option("--replace", help="Move the wallet that is there aside; it is kept.")]
OutFile = Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write it.")]
Yes = Annotated[bool, typer.Option("--yes", help="Agree without being asked.")]


def backup_command(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Where to write it.")] = None,
    to: ToFolder = None,
    keep: Keep = KEEP,
    once: Once = False,
    stop: Stop = False,
    home_dir: Home = None,
    lang: Lang = "en",
    as_json: Json_ = False,
) -> None:
    """Everything in the wallet, in one file that your passphrase, words and guardians open. It is tested at once."""
    language_ = language(lang)
    if [file is not None, to is not None, stop].count(True) != 1:
        raise Malformed("FILE, --to, --stop", "give one of them", code="USAGE")
    with open_shelf(home_dir, lang=language_) as shelf:
        if stop:
            document: dict[str, Json] = {"stopped": choose_folder(shelf.vault, None, rand=os.urandom)}
            show(document, as_json=as_json, text=lambda: told("backup_stopped", language_))
            return
        path, count = _back_up(shelf, file, to, keep, once=once)
    document = {"backup": str(path), "items": count, "tested": True, "folder": str(to) if to and not once else None}
    lines = [told("backup_made", language_, path=path, count=count)]
    if to is not None and not once:
        lines.append(told("backup_folder", language_, folder=to, keep=keep))
    show(document, as_json=as_json, text=lambda: "\n".join(lines))


def _back_up(shelf: Shelf, file: Path | None, to: Path | None, keep: int, *, once: bool) -> tuple[Path, int]:
    at, vault = datetime.now(UTC), shelf.vault
    if to is not None:
        return begin_folder(vault, Folder(to, keep), once=once, at=at, rand=os.urandom), len(vault.ids())
    assert file is not None
    if file.absolute() == vault.path.absolute():
        raise Malformed(str(file), "is the wallet itself; choose another file", code="FILE_EXISTS")
    made = write_backup(vault, file, at=at)
    note_backup(vault, made.age, at=at, rand=os.urandom)
    return file, made.count


def restore_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The backup.")],
    files: ShareFiles = None,
    by_words: ByWords = False,
    by_shares: ByShares = False,
    replace: Replace = False,
    home_dir: Home = None,
    lang: Lang = "en",
    as_json: Json_ = False,
) -> None:
    """Make the wallet from a backup: all of it and checked, or nothing. Never over a wallet that is there.

    With --words or --shares you choose a new passphrase, as OUVRAGE_NEW_PASSPHRASE_FILE or when asked.
    """
    language_ = language(lang)
    shield()
    path = vault_path(home_dir)
    if path.exists() and not replace:
        why = "there is a wallet already; nothing was changed (--replace moves it aside and keeps it)"
        raise Malformed(str(path), why, code="FILE_EXISTS")
    by, secret = opened_by(files, by_words=by_words, by_shares=by_shares)
    backup = open_backup(file, secret, by=by)
    new = new_passphrase() if by_words or by_shares else None
    aside = restore(backup, path, new_passphrase=new, replace=replace, at=datetime.now(UTC), rand=os.urandom)
    lines = [told("restored", language_, day=backup.made[:10], count=backup.count)]
    lines.append(told("restored_new_passphrase" if new else "restored_passphrase", language_))
    if aside is not None:
        lines.append(told("restored_aside", language_, aside=aside))
    document = {
        "vault": str(path),
        "made": backup.made,
        "items": backup.count,
        "newPassphrase": new is not None,
        "aside": str(aside) if aside else None,
    }
    show(document, as_json=as_json, text=lambda: "\n".join(lines))


def export_command(
    statement: Annotated[str, typer.Argument(help="The name that `list` gives, or its first letters.")],
    out: OutFile,
    yes: Yes = False,
    home_dir: Home = None,
    lang: Lang = "en",
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Write one copy of one credential to a file, readable. It counts as shown and goes into the ledger."""
    language_, moment_ = language(lang), moment(at)
    with open_shelf(home_dir, lang=language_) as shelf:
        copy = to_export(shelf, statement)
        kind = copy.type
        question = told("export_ask", language_, type=kind, path=out)
        if not (yes or _agrees(question, language_, as_json=as_json)):
            raise Malformed("export", "you did not agree, so nothing was written (--yes agrees)", code="NOT_AGREED")
        document = export(shelf, copy, at=moment_, rand=os.urandom)
        write_atomic(out, document.encode() if isinstance(document, str) else to_json(document))
    show(
        {"statement": copy.statement, "type": kind, "file": str(out)},
        as_json=as_json,
        text=lambda: told("exported", language_, path=out),
    )


def _agrees(question: str, lang: str, *, as_json: bool) -> bool:
    if as_json or not sys.stdin.isatty():
        return False
    say(question)
    return typer.confirm(told("export_confirm", lang), default=False)
