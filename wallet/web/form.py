"""The wallet's forms, and the passphrases in them."""

from typing import BinaryIO

from aiohttp import web

from vc.errors import Malformed
from vc.io import form
from vc.io.files import read_passphrase
from vc.io.form import MAX_BODY, Form
from vc.sealing import check_passphrase
from wallet.web.desk import DESK
from wallet.web.guard import check_csrf

__all__ = ["MAX_BODY", "Form", "chosen_passphrase", "read_form", "typed_passphrase"]


def typed_passphrase(text: str) -> bytes:
    """A passphrase as the commands read it, so that both open the same wallet. Raises :class:`Malformed`."""
    if not text:
        raise Malformed("passphrase", "is empty", code="NO_PASSPHRASE")
    return read_passphrase({}, lambda: text)


def chosen_passphrase(form: Form, name: str) -> bytes:
    """A new passphrase, typed twice. Raises :class:`Malformed` ``PASSPHRASES_DIFFER``, :class:`Rejected`."""
    if form.text(name) != form.text("again"):
        raise Malformed("passphrase", "the two are not the same", code="PASSPHRASES_DIFFER")
    chosen = typed_passphrase(form.text(name))
    check_passphrase(chosen)
    return chosen


async def read_form(request: web.Request, *, backup: BinaryIO | None = None) -> Form:
    """A form of this session, as :func:`vc.io.form.read_form` reads it."""
    desk = request.app[DESK]
    return await form.read_form(request, check_csrf=lambda given: check_csrf(desk, given), backup=backup)
