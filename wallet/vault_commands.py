"""``ouvrage wallet init``, ``words``, ``guardians``, ``passphrase``: who opens the vault."""

import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from vc.canon import Json
from vc.errors import Malformed
from vc.io.command import say, show
from vc.io.files import read_bounded, read_passphrase, write_atomic
from vc.io.options import Home, Json_, Lang, language
from vc.sealing import KEY_BYTES, check_passphrase
from wallet.keyholders import let_guardians_in, let_words_in, share_file, share_text
from wallet.opening import ask_passphrase, kept, open_shelf, vault_path
from wallet.sealing import GUARDIANS, WORDS
from wallet.shielding import shield
from wallet.vault import Vault
from wallet.vault_words import numbered, told

ASKED: Final = 3  # words that are asked back
TRIES: Final = 3

NoWords = Annotated[bool, typer.Option("--no-words", help="Make no recovery phrase.")]
ByWords = Annotated[
    bool,
    typer.Option("--words", help="Open it with the 24 words; asked for, or in the file that OUVRAGE_WORDS_FILE names."),
]
ByShares = Annotated[bool, typer.Option("--shares", help="Open it with guardians' shares: the files that follow.")]
ShareFiles = Annotated[list[Path] | None, typer.Argument(metavar="[SHARE]...", help="With --shares: one file each.")]


def init_command(no_words: NoWords = False, home_dir: Home = None, lang: Lang = "en", as_json: Json_ = False) -> None:
    """Make a new wallet, locked with a passphrase that only you know, and 24 words for when you forget it."""
    language_ = language(lang)
    shield()
    path = vault_path(home_dir)
    with Vault.create(path, _chosen("OUVRAGE_PASSPHRASE_FILE"), rand=os.urandom) as vault, kept(vault, language_):
        words = () if no_words else _new_words(vault, language_)
    document = {"vault": str(path), **({"words": " ".join(words)} if words else {})}
    show(document, as_json=as_json, text=lambda: told("ready", language_, path=path))
    _hand_over(words, language_, as_json=as_json)


def words_command(home_dir: Home = None, lang: Lang = "en", as_json: Json_ = False) -> None:
    """Make a new recovery phrase of 24 words. The old one opens the wallet no more."""
    language_ = language(lang)
    with open_shelf(home_dir, lang=language_) as shelf:
        words = _new_words(shelf.vault, language_)
    show({"words": " ".join(words)}, as_json=as_json, text=lambda: told("words_made", language_))
    _hand_over(words, language_, as_json=as_json)


def guardians_command(
    of: Annotated[int | None, typer.Option("--of", metavar="N", help="How many guardians.")] = None,
    need: Annotated[int | None, typer.Option("--need", metavar="K", help="How many of them open it together.")] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FOLDER", help="Where the files go.")] = None,
    name: Annotated[
        list[str] | None, typer.Option("--name", help="A guardian's name; once for each, or not at all.")
    ] = None,
    end: Annotated[bool, typer.Option("--end", help="End the shares that are out; make no new ones.")] = False,
    home_dir: Home = None,
    lang: Lang = "en",
    as_json: Json_ = False,
) -> None:
    """Shares of a key for people you trust: enough of them together open the wallet. New shares end old ones."""
    language_ = language(lang)
    if end != (of is None) or end != (need is None) or end != (out is None):
        raise Malformed("--of, --need, --out", "give all three, or --end instead", code="USAGE")
    if of is None or need is None or out is None:
        with open_shelf(home_dir, lang=language_) as shelf:
            ended = shelf.vault.shut_out(GUARDIANS)
        text = told("guardians_ended" if ended else "no_guardians", language_)
        show({"ended": ended}, as_json=as_json, text=lambda: text)
        return
    files = _new_guardians(out, of, need, name or [], home_dir, language_)
    show(
        {"files": [str(file) for file in files], "of": of, "need": need},
        as_json=as_json,
        text=lambda: told("guardians_made", language_, of=of, need=need, folder=out),
    )


def passphrase_command(
    files: ShareFiles = None,
    by_words: ByWords = False,
    by_shares: ByShares = False,
    home_dir: Home = None,
    lang: Lang = "en",
    as_json: Json_ = False,
) -> None:
    """Change the passphrase, or choose a new one when it is forgotten. Everything is sealed again.

    The new one is asked for, or in the file that OUVRAGE_NEW_PASSPHRASE_FILE names.
    """
    language_ = language(lang)
    shield()
    by, secret = opened_by(files, by_words=by_words, by_shares=by_shares)
    with Vault.open(vault_path(home_dir), secret, by=by, rand=os.urandom) as vault, kept(vault, language_):
        vault.change_passphrase(new_passphrase())
        others = vault.openers()
    document: dict[str, Json] = {"changed": True, "words": WORDS in others, "guardians": others.get(GUARDIANS)}
    show(document, as_json=as_json, text=lambda: _changed_text(others, language_))


def opened_by(files: list[Path] | None, *, by_words: bool, by_shares: bool) -> tuple[str, bytes]:
    """What opens it: the kind of slot, and the secret. Raises :class:`Malformed` and :class:`Rejected`."""
    if (by_words and by_shares) or bool(files) != by_shares:
        raise Malformed("--words, --shares", "give --words, or --shares and the files of the shares", code="USAGE")
    if by_words:
        from wallet.phrase import MAX_TEXT, read_phrase  # noqa: PLC0415  (its lists are read when they are needed)

        file = os.environ.get("OUVRAGE_WORDS_FILE")
        text = _text(Path(file), MAX_TEXT) if file else str(typer.prompt("24 words", hide_input=False, err=True))
        return WORDS, read_phrase(text)
    if by_shares:
        from wallet.guardians import MAX_GUARDIANS, MAX_SHARE, combine  # noqa: PLC0415

        named = {str(file): _text(file, MAX_SHARE) for file in (files or [])[: MAX_GUARDIANS + 1]}
        return GUARDIANS, combine(named)
    return "passphrase", read_passphrase(os.environ, ask_passphrase)


def new_passphrase() -> bytes:
    """A new passphrase, asked for twice, or from the file that OUVRAGE_NEW_PASSPHRASE_FILE names."""
    chosen = _chosen("OUVRAGE_NEW_PASSPHRASE_FILE", "New passphrase")
    check_passphrase(chosen)
    return chosen


def _chosen(variable: str, prompt: str = "Passphrase") -> bytes:
    file = os.environ.get(variable)
    environ: Mapping[str, str] = {"OUVRAGE_PASSPHRASE_FILE": file} if file else {}
    chosen = read_passphrase(environ, lambda: _hidden(prompt))
    if not file and chosen != read_passphrase({}, lambda: _hidden("The same again")):
        raise Malformed("passphrase", "the two are not the same; nothing was changed", code="BAD_PASSPHRASE")
    return chosen


def _hidden(prompt: str) -> str:
    return str(typer.prompt(prompt, hide_input=True, err=True))


def _text(path: Path, limit: int) -> str:
    try:
        return read_bounded(path, limit=limit).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Malformed(str(path), "is not text in UTF-8", code="NOT_TEXT") from None


def _new_words(vault: Vault, lang: str) -> tuple[str, ...]:
    from wallet.phrase import phrase  # noqa: PLC0415

    secret = os.urandom(KEY_BYTES)
    let_words_in(vault, secret, at=datetime.now(UTC), rand=os.urandom)
    return phrase(secret, lang)


def _hand_over(words: tuple[str, ...], lang: str, *, as_json: bool) -> None:
    """Show new words, and in a terminal ask for some of them, so that they are on paper before the screen is gone."""
    if as_json or not words:
        return
    say(f"\n{told('phrase', lang)}\n\n{numbered(words)}\n")
    if sys.stdin.isatty():
        say(told("words_checked" if _knows(words, lang) else "words_unchecked", lang))


def _knows(words: tuple[str, ...], lang: str) -> bool:
    from wallet.phrase import plain  # noqa: PLC0415

    positions = sorted(range(len(words)), key=lambda _: os.urandom(8))[:ASKED]
    for position in sorted(positions):
        for _ in range(TRIES):
            given = str(typer.prompt(told("ask_word", lang, number=position + 1), err=True))
            if plain(given) == plain(words[position]):
                break
            typer.echo(told("wrong_word", lang, number=position + 1), err=True)
        else:
            return False
    return True


def _new_guardians(out: Path, of: int, need: int, names: list[str], home_dir: Path | None, lang: str) -> list[Path]:
    """The files of new shares. They are written before the wallet knows them: until then the old shares count."""
    from wallet.guardians import split  # noqa: PLC0415

    if names and len(names) != of:
        raise Malformed("--name", "give one name for each guardian, or none", code="USAGE")
    secret, at = os.urandom(KEY_BYTES), datetime.now(UTC)
    shares = split(secret, of=of, need=need)
    called = names or [""] * of
    files = [out / share_file(number, of=of, name=name) for number, name in enumerate(called, 1)]
    there = [file for file in files if file.exists()]
    if there:
        raise Malformed(str(there[0]), "is already there; choose another folder", code="FILE_EXISTS")
    with open_shelf(home_dir, lang=lang) as shelf:
        try:
            out.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise Malformed(str(out), f"cannot be made: {error.strerror}", code="BAD_FOLDER") from None
        try:
            for number, (file, share) in enumerate(zip(files, shares, strict=True), 1):
                name = called[number - 1]
                text = share_text(share, number, of=of, need=need, name=name, at=at, lang=lang)
                write_atomic(file, text.encode())
            let_guardians_in(shelf.vault, secret, of=of, need=need, names=names, at=at, rand=os.urandom)
        except BaseException:
            for file in files:
                file.unlink(missing_ok=True)
            raise
    return files


def _changed_text(others: Mapping[str, Mapping[str, Json]], lang: str) -> str:
    lines = [told("passphrase_changed", lang)]
    if WORDS in others:
        lines.append(told("same_words", lang))
    if GUARDIANS in others:
        about = others[GUARDIANS]
        lines.append(told("same_guardians", lang, need=about.get("need"), of=about.get("of")))
    return "\n".join(lines)
