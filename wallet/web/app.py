"""The application of ``ouvrage wallet serve``."""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from aiohttp import web

from vc.io.fetch import fetch
from vc.io.web import STOPPING
from wallet.web import (
    answer_pages,
    answered_pages,
    entry_pages,
    export_pages,
    held_pages,
    insight_pages,
    ledger_pages,
    login_pages,
    receive_pages,
    renew_pages,
    trust_pages,
)
from wallet.web import backup_pages as backup
from wallet.web import opener_pages as openers
from wallet.web.box import Box
from wallet.web.desk import DESK, Desk
from wallet.web.guard import BACK, ENTER, add_headers, enter, guard
from wallet.web.page import STYLE_PATH, get_style

_NAME: Final = "{name:[0-9a-f]{12}}"
_ID: Final = "{id:[A-Za-z0-9_-]{16}}"
_KIND: Final = "{kind:reply|dispute}"
_BY: Final = "{by:passphrase|words|guardians}"
_OTHER: Final = "{by:words|guardians}"
_NUMBER: Final = "{number:[0-9]{1,2}}"

ROUTES: Final = (
    web.get(ENTER, enter, allow_head=False),
    web.get(STYLE_PATH, get_style),
    web.get("/unlock", entry_pages.get_unlock),
    web.post("/unlock", entry_pages.post_unlock),
    web.get("/new", entry_pages.get_new),
    web.post("/new", entry_pages.post_new),
    web.post("/lock", entry_pages.post_lock),
    web.get("/settings", entry_pages.get_settings),
    web.get("/", held_pages.get_home),
    web.get(f"/held/{_NAME}", held_pages.get_statement),
    web.post(f"/held/{_NAME}/dispute.json", held_pages.post_dispute_file),
    web.get(f"/held/{_NAME}/{_KIND}", held_pages.get_said),
    web.post(f"/held/{_NAME}/{_KIND}", held_pages.post_said),
    web.post(f"/held/{_NAME}/{_KIND}/remove", held_pages.post_take_back),
    web.get("/insights", insight_pages.get_insights),
    web.get("/receive", receive_pages.get_receive),
    web.post("/receive", receive_pages.post_receive),
    web.get("/receive/export", export_pages.get_export),
    web.post("/receive/export", export_pages.post_export),
    web.get(f"/offer/{_ID}", receive_pages.get_offer),
    web.post(f"/offer/{_ID}", receive_pages.post_offer),
    web.get(f"/offer/{_ID}/result", receive_pages.get_result),
    web.post("/keys", receive_pages.post_keys),
    web.get(f"/offer/{_ID}/login", login_pages.get_login),
    web.get(f"{BACK}{_ID}", login_pages.get_back, allow_head=False),
    web.get("/renew", renew_pages.get_renew),
    web.post("/renew", renew_pages.post_renew),
    web.get(f"/renew/{_ID}", renew_pages.get_renewed),
    web.get(f"/held/{_NAME}/delete", held_pages.get_delete),
    web.post(f"/held/{_NAME}/delete", held_pages.post_delete),
    web.get(f"/deleted/{_ID}", held_pages.get_deleted),
    web.get("/ledger", ledger_pages.get_ledger),
    web.get("/ledger.{form:csv|json}", ledger_pages.get_export),
    web.get("/ledger/{number:[0-9]{1,9}}", ledger_pages.get_entry),
    web.get("/ledger/{number:[0-9]{1,9}}/letter.html", ledger_pages.get_letter),
    # that nothing is lost
    web.get("/backup", backup.get_backup),
    web.post("/backup", backup.post_backup),
    web.post("/backup/folder", backup.post_folder),
    web.post("/backup/folder/stop", backup.post_folder_stop),
    web.get(f"/backup/{_ID}", backup.get_made),
    web.get(f"/backup/{_ID}/file", backup.get_backup_file, allow_head=False),
    web.get(f"/restore/{_BY}", backup.get_restore),
    web.post(f"/restore/{_BY}", backup.post_restore),
    web.get(f"/restored/{_ID}", backup.get_restored),
    web.get(f"/held/{_NAME}/export", backup.get_export),
    web.post(f"/held/{_NAME}/export", backup.post_export),
    web.get("/passphrase", openers.get_passphrase),
    web.post("/passphrase", openers.post_passphrase),
    web.get("/passphrase/done", openers.get_renewed),
    web.get(f"/forgot/{_OTHER}", openers.get_forgot),
    web.post(f"/forgot/{_OTHER}", openers.post_forgot),
    web.get("/words", openers.get_words),
    web.post("/words", openers.post_words),
    web.get("/words/done", openers.get_words_done),
    web.get(f"/words/{_ID}", openers.get_new_words),
    web.get(f"/words/{_ID}/check", openers.get_check),
    web.post(f"/words/{_ID}/check", openers.post_check),
    web.get("/guardians", openers.get_guardians),
    web.post("/guardians", openers.post_guardians),
    web.post("/guardians/end", openers.post_end),
    web.get("/guardians/done", openers.get_guardians_done),
    web.get(f"/guardians/{_ID}", openers.get_shares),
    web.post(f"/guardians/{_ID}", openers.post_shares),
    web.get(f"/guardians/{_ID}/{_NUMBER}", openers.get_share, allow_head=False),
    web.get(f"/guardians/{_ID}/{_NUMBER}.txt", openers.get_share, allow_head=False),
    # Showing: a request, the answer, what came of it
    web.get("/answer", answer_pages.get_answer),
    web.post("/answer", answer_pages.post_answer),
    web.get(f"/answer/{_ID}", answer_pages.get_request),
    web.post(f"/answer/{_ID}", answer_pages.post_request),
    web.post(f"/answer/{_ID}/decline", answer_pages.post_decline),
    web.post(f"/answer/{_ID}/counter-offer.json", answer_pages.post_counter_offer),
    web.get(f"/answer/{_ID}/done", answered_pages.get_done),
    web.post(f"/answer/{_ID}/send", answered_pages.post_send),
    web.get(f"/answer/{_ID}/answer.json", answered_pages.get_file),
    web.get(f"/answer/{_ID}/codes.html", answered_pages.get_codes),
    web.get(f"/answer/{_ID}/codes.{{kind:png|gif}}", answered_pages.get_picture),
    web.get(f"/answer/{_ID}/card.html", answered_pages.get_card),
    web.get("/settings/trust", trust_pages.get_trust),
    web.post("/settings/trust", trust_pages.post_trust),
    web.post("/settings/trust/remove", trust_pages.post_remove),
)


def new_desk(base: str, box: Box, *, token: str, home: Path) -> Desk:
    """What the pages share, in this world."""
    return Desk(box, base, token, ask=fetch, now=lambda: datetime.now(UTC), rand=os.urandom, home=home)


def make(desk: Desk) -> web.Application:
    """The pages over a vault."""
    app = web.Application(middlewares=[guard])
    app[DESK] = desk
    app[STOPPING] = asyncio.Event()
    app.add_routes(ROUTES)
    app.on_response_prepare.append(add_headers)

    async def watched(_app: web.Application) -> AsyncIterator[None]:
        async with desk.box.watched():
            yield

    app.cleanup_ctx.append(watched)
    return app
