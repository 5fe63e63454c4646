"""What a command says of an error in French: the sentence that the web app has for it, then the English detail."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from vc.errors import VcError

_ENGLISH: Final = "en"


def told(error: VcError, arguments: Sequence[str]) -> tuple[str, ...]:
    """The lines for a person who asked for another language than that of the errors themselves; nothing for others."""
    lang = next(reversed([*_named(arguments)]), _ENGLISH)
    if lang == _ENGLISH:
        return ()
    from wallet.web.phrases import phrase, refusal  # noqa: PLC0415  (errors are rare, and every command starts here)

    detail = phrase("in_english", lang)
    return f"{refusal(error, lang)[0]} [{error.code}]", f"{detail} {error}"


def _named(arguments: Sequence[str]) -> Iterator[str]:
    """The languages that ``--lang`` names, of ours."""
    spelt = [after for before, after in pairwise(arguments) if before == "--lang"]
    spelt += [one.removeprefix("--lang=") for one in arguments if one.startswith("--lang=")]
    yield from (one for one in spelt if one in ("en", "fr"))
