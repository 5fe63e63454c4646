"""What the wallet says of platforms that give credentials, in English and French."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vc.errors import Rejected, VcError

if TYPE_CHECKING:
    from wallet.collect import Collected
    from wallet.refresh import Refreshed, Task

WORDS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    tomllib.loads(files("wallet").joinpath("platforms.toml").read_text(encoding="utf-8"))
)


def collected_text(collected: "Collected", lang: str) -> str:
    """What came of an offer."""
    words = WORDS[lang]
    lines = [words["kept"].format(count=collected.added, issuer=collected.issuer)]
    lines += [words["deferred"].format(what=printable(name)) for name in collected.deferred]
    lines += left_out_lines(collected.left_out, lang)
    return "\n".join([*lines, *([] if collected.told else [words["untold"]])])


def left_out_lines(left_out: Mapping[str, str], lang: str) -> list[str]:
    """Configurations of an offer that are not for this wallet, each with why."""
    words = WORDS[lang]
    return [words["left_out"].format(what=printable(name), why=words[why]) for name, why in left_out.items()]


def planned_text(tasks: Sequence["Task"], lang: str) -> str:
    """What a refresh would do."""
    return "\n".join(line for task in tasks for line in _planned(task, lang)) or WORDS[lang]["nothing"]


def refreshed_text(results: Sequence["Refreshed"], lang: str) -> str:
    """What a refresh did."""
    return "\n".join(line for one in results for line in _refreshed(one, lang)) or WORDS[lang]["nothing"]


def _planned(task: "Task", lang: str) -> Iterator[str]:
    words, issuer = WORDS[lang], task.grant.issuer
    for name, reason in task.reasons:
        yield words["would_renew"].format(issuer=issuer, what=printable(name), reason=words[reason])
    for one in task.due:
        yield words["would_fetch"].format(issuer=issuer, what=printable(one.dataset.configuration))
    yield from _waiting(task, lang)
    if task.is_idle and not task.waiting:
        yield words["idle"].format(issuer=issuer)


def _refreshed(one: "Refreshed", lang: str) -> Iterator[str]:
    words, issuer = WORDS[lang], one.task.grant.issuer
    for key, count in (("renewed", one.added), ("retired", one.retired)):
        if count:
            yield words[key].format(issuer=issuer, count=count)
    for name in one.deferred:
        yield words["still"].format(issuer=issuer, what=printable(name))
    if one.error is not None:
        yield words["failed"].format(issuer=issuer, why=_sentence(one.error))
    yield from _waiting(one.task, lang)
    if one.task.is_idle and not one.task.waiting:
        yield words["idle"].format(issuer=issuer)


def _waiting(task: "Task", lang: str) -> Iterator[str]:
    for one in task.waiting:
        moment = f"{one.not_before:%Y-%m-%d %H:%M} UTC"
        what = printable(one.dataset.configuration)
        yield WORDS[lang]["waiting"].format(issuer=task.grant.issuer, what=what, moment=moment)


def _sentence(error: VcError) -> str:
    text = "; ".join(one.message for one in error.findings) if isinstance(error, Rejected) else str(error)
    return f"{printable(text).rstrip('.')}."


def printable(text: str) -> str:
    """A text from outside on one line, without characters that move the cursor or turn the direction of reading."""
    return "".join(character for character in text if character.isprintable())[:300]
