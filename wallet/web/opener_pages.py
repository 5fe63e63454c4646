"""Who opens the wallet: the passphrase, the 24 words, the guardians; and a passphrase that is forgotten."""

import asyncio
from typing import Final

from aiohttp import web

from vc.errors import Malformed, VcError
from vc.sealing import KEY_BYTES
from wallet.guardians import MAX_GUARDIANS, RULE, split
from wallet.keyholders import let_guardians_in, let_words_in, share_file, share_text
from wallet.phrase import phrase, plain
from wallet.sealing import GUARDIANS, OPENER
from wallet.web.desk import DESK, NewShares, NewWords
from wallet.web.form import Form, chosen_passphrase, read_form, typed_passphrase
from wallet.web.page import Wrong, download, language, page, see_other, wrong_by, wrong_from
from wallet.web.phrases import clean
from wallet.web.safety import require_passphrase, safety
from wallet.web.unlocking import opened_by, wrong_secret

ASKED: Final = 3  # words that are asked back
MAX_NAME: Final = 60  # characters of a guardian's name


async def get_passphrase(request: web.Request) -> web.StreamResponse:
    """Ask for the passphrase, and twice for the new one."""
    await request.app[DESK].box.use(lambda _shelf: None)
    return page(request, "passphrase", here="settings")


async def post_passphrase(request: web.Request) -> web.StreamResponse:
    """Change the passphrase: everything is sealed again."""
    box, form = request.app[DESK].box, await read_form(request)
    await box.use(lambda _shelf: None)
    try:
        new = chosen_passphrase(form, "new")
    except VcError as error:
        field = "again" if error.code == "PASSPHRASES_DIFFER" else "new"
        wrong = wrong_from(request, error, field)
        return page(request, "passphrase", status=error.http_status, here="settings", wrong=wrong)
    try:
        await box.renew(typed_passphrase(form.text("passphrase")), OPENER, new)
    except VcError as error:
        wrong = wrong_from(request, error, "passphrase")
        return page(request, "passphrase", status=error.http_status, here="settings", wrong=wrong)
    return see_other("/passphrase/done")


async def get_renewed(request: web.Request) -> web.StreamResponse:
    """The passphrase is changed; what that means for the words, the guardians and older backups."""
    return await _done_page(request, "passphrase")


async def get_forgot(request: web.Request) -> web.StreamResponse:
    """Ask for the words or the shares, and for a new passphrase."""
    if not await request.app[DESK].box.exists():
        return see_other("/new")
    return page(request, "forgot", by=request.match_info["by"])


async def post_forgot(request: web.Request) -> web.StreamResponse:
    """Open the wallet by words or shares, with a new passphrase."""
    box, by, form = request.app[DESK].box, request.match_info["by"], await read_form(request)
    try:
        secret = await asyncio.to_thread(opened_by, by, form, language(request))
        await box.renew(secret, by, chosen_passphrase(form, "new"))
    except VcError as error:
        return page(request, "forgot", status=error.http_status, by=by, wrong=wrong_secret(request, error, by))
    return see_other("/passphrase/done")


async def get_words(request: web.Request) -> web.StreamResponse:
    """What the 24 words are for, and whether there are some."""
    return await _words_page(request)


async def post_words(request: web.Request) -> web.StreamResponse:
    """New words, which open nothing yet."""
    desk, form = request.app[DESK], await read_form(request)
    try:
        passphrase = typed_passphrase(form.text("passphrase"))
        await desk.box.use(lambda shelf: require_passphrase(shelf.vault, passphrase))
    except VcError as error:
        return await _words_page(request, wrong=wrong_from(request, error, "passphrase"), status=error.http_status)
    secret, lang = desk.rand(KEY_BYTES), language(request)
    words = phrase(secret, lang)
    asked = sorted(sorted(range(len(words)), key=lambda _: desk.rand(8))[:ASKED])
    return see_other(f"/words/{desk.begin(NewWords(secret, words, lang, tuple(asked)))}")


async def get_new_words(request: web.Request) -> web.StreamResponse:
    """The 24 words, to be written down."""
    desk, name = request.app[DESK], request.match_info["id"]
    await desk.box.use(lambda _shelf: None)
    return page(request, "new_words", here="settings", new=desk.found(name, NewWords), path=f"/words/{name}")


async def get_check(request: web.Request) -> web.StreamResponse:
    """Ask for some of them."""
    return await _check_page(request)


async def post_check(request: web.Request) -> web.StreamResponse:
    """Where the worker's paper says the same, the words open the wallet from now on, and earlier ones no more."""
    desk, name, form = request.app[DESK], request.match_info["id"], await read_form(request)
    new, at = desk.found(name, NewWords), desk.now()
    wrong = [
        wrong_by(request, "check.wrong", f"word-{place + 1}", number=place + 1)[0]
        for place in new.asked
        if plain(form.text(f"word-{place + 1}")[:40]) != plain(new.words[place])
    ]
    if wrong:
        return await _check_page(request, wrong=tuple(wrong), status=422)
    await desk.box.use(lambda shelf: let_words_in(shelf.vault, new.secret, at=at, rand=desk.rand))
    desk.under_way.pop(name, None)
    return see_other("/words/done")


async def get_words_done(request: web.Request) -> web.StreamResponse:
    """The words open the wallet."""
    return await _done_page(request, "words")


async def get_guardians(request: web.Request) -> web.StreamResponse:
    """What guardians are, whether there are some, and the form for new shares."""
    return await _guardians_page(request)


async def post_guardians(request: web.Request) -> web.StreamResponse:
    """New shares, which open nothing yet."""
    desk, form = request.app[DESK], await read_form(request)
    at = desk.now()
    try:
        of, need, names = _wanted(form)
        passphrase = typed_passphrase(form.text("passphrase"))
        await desk.box.use(lambda shelf: require_passphrase(shelf.vault, passphrase))
    except VcError as error:
        field = {"GUARDIANS_COUNT": "of", "GUARDIANS_NAMES": "names"}.get(error.code, "passphrase")
        return await _guardians_page(request, wrong=wrong_from(request, error, field), status=error.http_status)
    secret = desk.rand(KEY_BYTES)
    shares = await asyncio.to_thread(split, secret, of=of, need=need)
    return see_other(f"/guardians/{desk.begin(NewShares(secret, shares, names, need, at))}")


async def get_shares(request: web.Request) -> web.StreamResponse:
    """One link for each share."""
    return await _shares_page(request)


async def get_share(request: web.Request) -> web.StreamResponse:
    """One share, to print; or its file."""
    desk, number = request.app[DESK], int(request.match_info["number"])
    await desk.box.use(lambda _shelf: None)
    name, lang = request.match_info["id"], language(request)
    new = desk.found(name, NewShares)
    if not 1 <= number <= len(new.shares):
        raise Malformed("share", "there is none of that number", code="NOT_FOUND")
    share, called, of = new.shares[number - 1], new.names[number - 1], len(new.shares)
    text = share_text(share, number, of=of, need=new.need, name=called, at=new.at, lang=lang)
    new.seen.add(number)
    if request.path.endswith(".txt"):
        return download(share_file(number, of=of, name=_ascii(called)), text.encode(), "text/plain")
    before, _, after = (part.strip() for part in text.split(RULE))
    head, *lines = before.split("\n\n")
    return page(
        request, "share", here="settings", head=head.splitlines(), lines=lines, words=share.split(),
        after=after.splitlines(), path=f"/guardians/{name}", number=number,
    )  # fmt: skip


async def post_shares(request: web.Request) -> web.StreamResponse:
    """Once each share was looked at, they open the wallet from now on, and earlier ones no more."""
    desk, name, form = request.app[DESK], request.match_info["id"], await read_form(request)
    new = desk.found(name, NewShares)
    of = len(new.shares)
    if len(new.seen) < of or form.text("agree") != "yes":
        return await _shares_page(request, wrong=wrong_by(request, "shares.unseen", "agree"), status=422)
    names = new.names if any(new.names) else ()
    await desk.box.use(
        lambda shelf: let_guardians_in(
            shelf.vault, new.secret, of=of, need=new.need, names=names, at=new.at, rand=desk.rand
        )
    )
    desk.under_way.pop(name, None)
    return see_other("/guardians/done")


async def post_end(request: web.Request) -> web.StreamResponse:
    """End the guardians' shares."""
    desk, form = request.app[DESK], await read_form(request)
    if form.text("end") != "yes":
        return await _guardians_page(request, wrong=wrong_by(request, "guardians.not_agreed", "end"), status=422)
    await desk.box.use(lambda shelf: shelf.vault.shut_out(GUARDIANS))
    return see_other("/guardians/done")


async def get_guardians_done(request: web.Request) -> web.StreamResponse:
    """The shares open the wallet, or none does any more."""
    return await _done_page(request, "guardians")


async def _done_page(request: web.Request, what: str) -> web.StreamResponse:
    safe = await request.app[DESK].box.use(lambda shelf: safety(shelf.vault))
    return page(request, "keys_changed", here="settings", what=what, safe=safe)


async def _words_page(request: web.Request, *, wrong: tuple[Wrong, ...] = (), status: int = 200) -> web.StreamResponse:
    safe = await request.app[DESK].box.use(lambda shelf: safety(shelf.vault))
    return page(request, "words", status=status, wrong=wrong, here="settings", safe=safe)


async def _check_page(request: web.Request, *, wrong: tuple[Wrong, ...] = (), status: int = 200) -> web.StreamResponse:
    desk, name = request.app[DESK], request.match_info["id"]
    await desk.box.use(lambda _shelf: None)
    numbers = [place + 1 for place in desk.found(name, NewWords).asked]
    return page(request, "check", status=status, wrong=wrong, here="settings", numbers=numbers, path=f"/words/{name}")


async def _guardians_page(
    request: web.Request, *, wrong: tuple[Wrong, ...] = (), status: int = 200
) -> web.StreamResponse:
    safe = await request.app[DESK].box.use(lambda shelf: safety(shelf.vault))
    return page(request, "guardians", status=status, wrong=wrong, here="settings", safe=safe, most=MAX_GUARDIANS)


async def _shares_page(request: web.Request, *, wrong: tuple[Wrong, ...] = (), status: int = 200) -> web.StreamResponse:
    desk, name = request.app[DESK], request.match_info["id"]
    await desk.box.use(lambda _shelf: None)
    new = desk.found(name, NewShares)
    return page(request, "shares", status=status, wrong=wrong, here="settings", new=new, path=f"/guardians/{name}")


def _wanted(form: Form) -> tuple[int, int, tuple[str, ...]]:
    """How many shares, how many open, and a name for each, or empty ones."""
    of, need = (_number(form.text(name)) for name in ("of", "need"))
    if not 2 <= need <= of <= MAX_GUARDIANS:
        raise Malformed("of, need", f"from 2 to {MAX_GUARDIANS}", code="GUARDIANS_COUNT")
    names = tuple(clean(line.strip(), MAX_NAME) for line in form.text("names").splitlines() if line.strip())
    if names and len(names) != of:
        raise Malformed("names", "one for each, or none", code="GUARDIANS_NAMES")
    return of, need, names or ("",) * of


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 3 else 0


def _ascii(name: str) -> str:
    """A name as a file's name goes into a header."""
    return "".join(letter for letter in plain(name) if letter.isascii()) if name else ""
