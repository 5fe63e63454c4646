"""What opens a vault or a backup, as it was typed or brought: the passphrase, the 24 words, guardians' shares."""

from typing import Final

from aiohttp import web

from vc.errors import Finding, Rejected, VcError
from wallet.guardians import MAX_GUARDIANS, MAX_SHARE, combine, share_words, typed_shares
from wallet.guardians import misspelt as misspelt_in_share
from wallet.phrase import MAX_TEXT, misspelt, read_phrase
from wallet.sealing import OPENER, WORDS
from wallet.web import phrases
from wallet.web.form import Form, typed_passphrase
from wallet.web.page import Wrong, wrong_from

MAX_TOLD: Final = 12  # misspelt words that are named at once

_MISSPELT: Final = ("WORD_MISSPELT", "SHARE_MISSPELT")
_OF_THE_NEW: Final = ("PASSPHRASES_DIFFER", "WEAK_PASSPHRASE", "BAD_PASSPHRASE", "NO_PASSPHRASE")


def opened_by(by: str, form: Form, lang: str) -> bytes:
    """The secret. Raises :class:`Rejected` as the readers of words and shares do; misspelt words named in ``lang``."""
    typed = form.text("secret")
    if by == OPENER:
        return typed_passphrase(typed)
    if by == WORDS:
        _require_spelt([phrases.phrase("mistyped.word", lang, number=at, word=word, near=near)
                        for at, word, near in misspelt(typed[:MAX_TEXT])], "WORD_MISSPELT")  # fmt: skip
        return read_phrase(typed[:MAX_TEXT])
    files = [raw[:MAX_SHARE].decode("utf-8-sig", "replace") for raw in form.files]
    shares = [*files, *typed_shares(typed[: MAX_SHARE * MAX_GUARDIANS])][: MAX_GUARDIANS + 1]
    _require_spelt([phrases.phrase("mistyped.share", lang, share=share, number=at, word=word, near=near)
                    for share, text in enumerate(shares, 1)
                    for at, word, near in misspelt_in_share(share_words(text))], "SHARE_MISSPELT")  # fmt: skip
    return combine({str(number): text for number, text in enumerate(shares, 1)})


def wrong_secret(request: web.Request, error: VcError, by: str) -> tuple[Wrong, ...]:
    """What is wrong with what was to open it, or with the new passphrase."""
    if isinstance(error, Rejected) and error.code in _MISSPELT:
        return tuple(Wrong("secret", one.message) for one in error.findings)
    if by != OPENER and error.code in _OF_THE_NEW:
        return wrong_from(request, error, "again" if error.code == "PASSPHRASES_DIFFER" else "new")
    return tuple(one._replace(detail="") for one in wrong_from(request, error, "secret"))


def _require_spelt(told: list[str], code: str) -> None:
    if told:
        raise Rejected(tuple(Finding(code, one) for one in told[:MAX_TOLD]))
