"""Getting in and out: the passphrase, a new wallet, the lock, the settings."""

from aiohttp import web

from vc.errors import VcError
from wallet.web.desk import DESK
from wallet.web.form import read_form, typed_passphrase
from wallet.web.page import language, page, see_other, wrong_by, wrong_from
from wallet.web.safety import safety


async def get_unlock(request: web.Request) -> web.StreamResponse:
    """Ask for the passphrase; or, where there is no wallet yet, for a new one."""
    box = request.app[DESK].box
    if box.is_open:
        return see_other("/")
    return page(request, "unlock") if await box.exists() else see_other("/new")


async def post_unlock(request: web.Request) -> web.StreamResponse:
    """Open the wallet."""
    box, form = request.app[DESK].box, await read_form(request)
    try:
        await box.open(typed_passphrase(form.text("passphrase")))
    except VcError as error:
        return page(request, "unlock", status=error.http_status, wrong=wrong_from(request, error, "passphrase"))
    return see_other("/")


async def get_new(request: web.Request) -> web.StreamResponse:
    """Ask for the passphrase of a new wallet, twice."""
    return see_other("/unlock") if await request.app[DESK].box.exists() else page(request, "new")


async def post_new(request: web.Request) -> web.StreamResponse:
    """Make a new wallet."""
    box, form = request.app[DESK].box, await read_form(request)
    if form.text("passphrase") != form.text("again"):
        return page(request, "new", status=422, wrong=wrong_by(request, "new.differs", "again"))
    try:
        await box.create(typed_passphrase(form.text("passphrase")))
    except VcError as error:
        return page(request, "new", status=error.http_status, wrong=wrong_from(request, error, "passphrase"))
    return see_other("/")


async def post_lock(request: web.Request) -> web.StreamResponse:
    """Lock the wallet."""
    await read_form(request)
    await request.app[DESK].lock()
    return see_other("/unlock")


async def get_settings(request: web.Request) -> web.StreamResponse:
    """What keeps the wallet from being lost, the language, the lock."""
    box = request.app[DESK].box
    safe = await box.use(lambda shelf: safety(shelf.vault))
    return page(request, "settings", here="settings", minutes=int(box.idle_minutes), now=language(request), safe=safe)
