"""What leaves the vault and comes back: a backup, restoring one, and the one proof that is saved readable."""

import asyncio
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from aiohttp import web

from vc.canon import to_json
from vc.errors import Malformed, Undetermined, VcError
from wallet.backup import open_backup, write_backup
from wallet.exporting import export, to_export
from wallet.keeping import KEEP, MAX_KEEP, Folder, begin_folder, choose_folder, note_backup
from wallet.restore import restore
from wallet.sealing import OPENER
from wallet.shelf import Shelf
from wallet.web import views
from wallet.web.box import Locked
from wallet.web.desk import DESK, MadeBackup, Restored
from wallet.web.form import Form, chosen_passphrase, read_form
from wallet.web.page import Wrong, download, language, page, see_other, wrong_by, wrong_from
from wallet.web.safety import safety
from wallet.web.unlocking import opened_by, wrong_secret

_PIECE: Final = 1 << 18
_MAX_PATH: Final = 1024
_OF_THE_FILE: Final = ("NOT_A_BACKUP", "BACKUP_DAMAGED", "BACKUP_NEWER", "CANNOT_WRITE", "FILE_EXISTS")


async def get_backup(request: web.Request) -> web.StreamResponse:
    """When the last backup was made, and to make one."""
    return await _backup_page(request)


async def post_backup(request: web.Request) -> web.StreamResponse:
    """Make a backup, open it again and compare all of it; only then it can be saved."""
    desk = request.app[DESK]
    await read_form(request)
    at = desk.now()

    def step(shelf: Shelf) -> MadeBackup:
        with _scratch(shelf.vault.path.parent) as path:
            made = write_backup(shelf.vault, path, at=at)
            return MadeBackup(path.open("rb"), made.age, made.count, at)

    try:
        made = await desk.box.use(step)
    except VcError as error:
        return await _backup_page(request, wrong=wrong_from(request, error, "make"), status=error.http_status)
    return see_other(f"/backup/{desk.begin(made)}")


async def get_made(request: web.Request) -> web.StreamResponse:
    """The backup is made and tested: here it is."""
    desk, name = request.app[DESK], request.match_info["id"]
    await desk.box.use(lambda _shelf: None)
    made = desk.found(name, MadeBackup)
    return page(request, "backed_up", here="settings", count=made.count, file=f"/backup/{name}/file")


async def get_backup_file(request: web.Request) -> web.StreamResponse:
    """The backup, piece by piece. With the last piece it counts as the last backup."""
    desk = request.app[DESK]
    await desk.box.use(lambda _shelf: None)
    made = desk.found(request.match_info["id"], MadeBackup)
    file = made.file.fileno()
    size, sent = os.fstat(file).st_size, 0
    disposition = f'attachment; filename="ouvrage-wallet-{made.at:%Y-%m-%d}.backup"'
    response = web.StreamResponse(headers={"Content-Disposition": disposition, "Content-Length": str(size)})
    response.content_type = "application/octet-stream"
    await response.prepare(request)
    while piece := await asyncio.to_thread(os.pread, file, _PIECE, sent):
        sent += len(piece)
        if sent == size:  # before the browser has all of it and asks for the next page
            with suppress(Locked, VcError):  # then it does not count as the last one, and the settings say so
                await desk.box.use(lambda shelf: note_backup(shelf.vault, made.age, at=made.at, rand=desk.rand))
        await response.write(piece)
    await response.write_eof()
    return response


async def post_folder(request: web.Request) -> web.StreamResponse:
    """A folder for backups: one now, and one when the wallet is locked after a change."""
    desk, form = request.app[DESK], await read_form(request)
    at = desk.now()
    try:
        folder = _folder(form)
        await desk.box.use(lambda shelf: begin_folder(shelf.vault, folder, once=False, at=at, rand=desk.rand))
    except VcError as error:
        field = "keep" if error.code == "BAD_KEEP" else "folder"
        return await _backup_page(request, wrong=wrong_from(request, error, field), status=error.http_status)
    return see_other("/backup")


async def post_folder_stop(request: web.Request) -> web.StreamResponse:
    """No more backups to a folder."""
    desk = request.app[DESK]
    await read_form(request)
    await desk.box.use(lambda shelf: choose_folder(shelf.vault, None, rand=desk.rand))
    return see_other("/backup")


async def get_restore(request: web.Request) -> web.StreamResponse:
    """Ask for the file, and for what opens it; and say what becomes of a wallet that is here."""
    return await _restore_page(request)


async def post_restore(request: web.Request) -> web.StreamResponse:
    """Make the wallet from a backup: all of it and compared, or nothing."""
    desk, by = request.app[DESK], request.match_info["by"]
    parent = await desk.box.with_path(lambda path: path.parent)
    try:
        with _scratch(parent) as backup:
            with _written(backup) as file:
                form = await read_form(request, backup=file)
            if await desk.box.exists() and form.text("replace") != "yes":
                return await _restore_page(
                    request, wrong=wrong_by(request, "restore.not_agreed", "replace"), status=422
                )
            done = await _restored(request, backup, by, form)
    except VcError as error:
        return await _restore_page(request, wrong=_wrong_restore(request, error), status=error.http_status)
    return see_other(f"/restored/{desk.begin(done)}")


async def get_restored(request: web.Request) -> web.StreamResponse:
    """What was restored."""
    desk = request.app[DESK]
    return page(request, "restored", done=desk.found(request.match_info["id"], Restored))


async def get_export(request: web.Request) -> web.StreamResponse:
    """What it means to save one proof so that anybody can read it."""
    return await _export_page(request)


async def post_export(request: web.Request) -> web.StreamResponse:
    """One copy of one proof, readable, after the worker has agreed. It is in the ledger before it leaves."""
    desk, name, form = request.app[DESK], request.match_info["name"], await read_form(request)
    at = desk.now()
    if form.text("agree") != "yes":
        return await _export_page(request, wrong=wrong_by(request, "export.not_agreed", "agree"), status=422)
    document = await desk.box.use(lambda shelf: export(shelf, to_export(shelf, name), at=at, rand=desk.rand))
    if isinstance(document, str):
        return download(f"proof-{name}.txt", document.encode(), "text/plain")
    return download(f"proof-{name}.json", to_json(document), "application/json")


async def _restored(request: web.Request, file: Path, by: str, form: Form) -> Restored:
    desk = request.app[DESK]
    secret = await asyncio.to_thread(opened_by, by, form, language(request))
    new = chosen_passphrase(form, "new") if by != OPENER else None
    backup = await desk.box.with_path(lambda _path: open_backup(file, secret, by=by))
    await desk.lock()  # what is open now is moved aside; and what came from it is over
    at = desk.now()
    aside = await desk.box.with_path(
        lambda path: restore(
            backup, path, new_passphrase=new, replace=form.text("replace") == "yes", at=at, rand=desk.rand
        )
    )
    return Restored(backup.made[:10], backup.count, str(aside or ""), renewed=new is not None)


async def _backup_page(request: web.Request, *, wrong: tuple[Wrong, ...] = (), status: int = 200) -> web.StreamResponse:
    safe = await request.app[DESK].box.use(lambda shelf: safety(shelf.vault))
    return page(request, "backup", status=status, wrong=wrong, here="settings", safe=safe, keep=KEEP, most=MAX_KEEP)


async def _restore_page(
    request: web.Request, *, wrong: tuple[Wrong, ...] = (), status: int = 200
) -> web.StreamResponse:
    there = await request.app[DESK].box.exists()
    by = request.match_info["by"]
    return page(request, "restore", status=status, wrong=wrong, by=by, there=there)


async def _export_page(request: web.Request, *, wrong: tuple[Wrong, ...] = (), status: int = 200) -> web.StreamResponse:
    desk, lang, name = request.app[DESK], language(request), request.match_info["name"]
    at = desk.now()
    told = await desk.box.use(lambda shelf: views.statement(shelf.copies(), name, at=at, lang=lang))
    return page(request, "export", status=status, wrong=wrong, here="home", told=told)


def _wrong_restore(request: web.Request, error: VcError) -> tuple[Wrong, ...]:
    if error.code in _OF_THE_FILE:
        return wrong_from(request, error, "backup")
    return wrong_secret(request, error, request.match_info["by"])


def _folder(form: Form) -> Folder:
    text, keep = form.text("folder").strip(), form.text("keep")
    try:
        path = Path(text[:_MAX_PATH]).expanduser() if text.isprintable() else Path()
    except RuntimeError:  # nobody of that name is at home here
        path = Path()
    if not path.is_absolute():
        raise Malformed("folder", "write the whole way to it, from / on", code="BAD_FOLDER")
    if not (keep.isascii() and keep.isdecimal() and len(keep) <= 3 and 1 <= int(keep) <= MAX_KEEP):
        raise Malformed("keep", f"from 1 to {MAX_KEEP} days", code="BAD_KEEP")
    return Folder(path, int(keep))


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """The name of a file for what is sealed, beside the vault, that is gone at the end."""
    try:
        descriptor, name = tempfile.mkstemp(dir=folder, prefix=".backup.", suffix=".tmp")  # for its owner only
        os.close(descriptor)
    except OSError as error:
        raise Undetermined(f"{folder}: {error.strerror}", "free some space", code="CANNOT_WRITE") from None
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


@contextmanager
def _written(path: Path) -> Iterator[BinaryIO]:
    """That file, written to; a disk that is found full at the end is told as one that was before."""
    try:
        with path.open("wb") as file:
            yield file
    except OSError as error:
        raise Undetermined(f"{path}: {error.strerror}", "free some space", code="CANNOT_WRITE") from None
