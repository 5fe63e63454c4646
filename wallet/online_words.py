"""What the wallet says of a request that came over the network: who asks, and where the answer goes."""

import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from cryptography import x509

from vc.canon import Json
from vc.client_id import Client
from vc.vp_response import ReplyTo
from wallet.roots import root_name
from work.phrases import day

_TEXTS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    tomllib.loads(files("wallet").joinpath("online.toml").read_text(encoding="utf-8"))
)


def asked_lines(client: Client, reply_to: ReplyTo, *, before: bool, less: bool, lang: str) -> Iterator[str]:
    """Who asks, on whose word, and where the answer goes; whether this was asked before, and ``less`` is answered."""
    words = _TEXTS[lang]
    yield words[client.voucher.value].format(name=_plain(client.id.name), by=_plain(client.by))
    yield words["goes_to"].format(host=_plain(reply_to.host)) + (f" {words['encrypted']}" if reply_to.recipient else "")
    if before:
        yield words["before"]
    if less:  # which OID4VP §6.4.2 would not have; what is shown is the worker's choice
        yield words["partial"]


def asked_json(client: Client, reply_to: ReplyTo, *, before: bool) -> dict[str, Json]:
    """The same for scripts."""
    return {
        "client": {
            "prefix": client.id.prefix,
            "name": client.id.name,
            "voucher": client.voucher.value,
            "by": client.by,
        },
        "replyTo": reply_to.uri,
        "encrypted": reply_to.recipient is not None,
        "answeredBefore": before,
    }


def sent_text(reply_to: ReplyTo, redirect: str | None, lang: str) -> str:
    """The last words after an answer was taken."""
    words = _TEXTS[lang]
    sent = words["sent"].format(host=_plain(reply_to.host))
    return f"{sent}\n{words['next'].format(uri=_plain(redirect, most=2048))}" if redirect else sent


def declined_text(reply_to: ReplyTo, redirect: str | None, lang: str) -> str:
    """The last words after the worker said no."""
    words = _TEXTS[lang]
    told = words["declined"].format(host=_plain(reply_to.host))
    return f"{told}\n{words['next'].format(uri=_plain(redirect, most=2048))}" if redirect else told


def failed_text(why: str, lang: str) -> str:
    """The last words after an answer was not taken."""
    return _TEXTS[lang]["failed"].format(why=_plain(why))


def failed_row(entry: Mapping[str, Json], lang: str) -> str:
    """The ledger's line of an answer that was not taken."""
    return _TEXTS[lang]["failed_ledger"].format(
        number=entry["number"],
        at=entry["at"],
        verifier=_plain(str(entry["verifier"])),
        line=entry["notDelivered"],
        why=_plain(str(entry["why"])),
    )


def receipt_row(entry: Mapping[str, Json], lang: str) -> str:
    """The ledger's line of a verifier's receipt."""
    words = _TEXTS[lang]
    return words["receipt_ledger"].format(
        number=entry["number"], at=entry["at"], line=entry["receiptFor"], told=receipt_told(entry, lang)
    )


def receipt_told(entry: Mapping[str, Json], lang: str) -> str:
    """What a verifier's receipt says that it keeps, and until when."""
    words, receipt = _TEXTS[lang], entry["receipt"]
    assert isinstance(receipt, dict)
    until = receipt.get("eraseBy")
    kept = receipt.get("kept")
    what = words["keeps_answer" if isinstance(kept, list) and "answer" in kept else "keeps_report"]
    end = words["keeps_until"].format(day=day(str(until), lang)) if until else words["keeps_open"]
    return words["receipt"].format(verifier=_plain(str(entry["verifier"])), what=what, end=end)


def roots_text(roots: tuple[x509.Certificate, ...], lang: str) -> str:
    """The authorities that the worker trusts, a line each."""
    words = _TEXTS[lang]
    rows = [
        words["root_row"].format(
            name=root_name(one), subject=_plain(one.subject.rfc4514_string()), end=f"{one.not_valid_after_utc:%Y-%m-%d}"
        )
        for one in roots
    ]
    return "\n".join(rows) or words["roots_none"]


def dropped_text(name: str, lang: str) -> str:
    """The last word of ``trust --remove``."""
    return _TEXTS[lang]["dropped"].format(name=name)


def _plain(text: str, most: int = 300) -> str:
    return "".join(character for character in text if character.isprintable())[:most]
