"""``ouvrage wallet``: the worker's commands."""

import os
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from vc.canon import Json, to_json
from vc.errors import Malformed
from vc.io.command import new_app, run, show
from vc.io.files import read_bounded, write_atomic
from vc.io.options import At, Home, Json_, Lang, Out, language, moment
from wallet import words
from wallet.accept_command import accept_command
from wallet.answers import MAX_EVIDENCE, screened, tidy
from wallet.backup_commands import backup_command, export_command, restore_command
from wallet.held import find
from wallet.insights_command import insights_command
from wallet.keeping import backup_state
from wallet.ledger_command import ledger_app
from wallet.opening import open_shelf
from wallet.present_command import present_command, request_command, trust_command
from wallet.receive import MAX_FILE, Received, read_credentials, receive
from wallet.refresh_command import delete_command, refresh_command
from wallet.refusals import told
from wallet.saying import say, signed_dispute, take_back
from wallet.vault_commands import guardians_command, init_command, passphrase_command, words_command
from wallet.vault_words import backup_lines
from wallet.web.serve_command import serve_command
from work import CONTEXTS
from work.digest import multihash
from work.statement import Claims
from work.types import LANGUAGES, TYPES

MAX_TEXT_FILE: Final = 1 << 14  # a thousand characters have 4 KB at most
MAX_EVIDENCE_FILE: Final = 64 << 20
GROUNDS: Final = tuple(TYPES["Dispute"].claims["ground"].words)

app = new_app("The worker's wallet: keep credentials, choose what to show.")

NAMED: Final = "The name that `list` gives, or its first letters; or a type, such as Earnings, where you have one."
Remove = Annotated[bool, typer.Option("--remove", help="Take it back: it goes with no showing any more.")]
TextLang = Annotated[str, typer.Option("--lang", help="The language of your text, such as en or fr.")]


app.command("init")(init_command)
app.command("words")(words_command)
app.command("guardians")(guardians_command)
app.command("passphrase")(passphrase_command)
app.command("backup")(backup_command)
app.command("restore")(restore_command)
app.command("export")(export_command)


@app.command("keys")
def keys_command(
    count: Annotated[int, typer.Option(help="How many single-use keys to make.")] = 5,
    out: Out = None,
    home_dir: Home = None,
    as_json: Json_ = False,
) -> None:
    """Make single-use keys; the platform binds one copy of each credential to each of them."""
    with open_shelf(home_dir) as shelf:
        dids: list[Json] = [key.did for key in shelf.make_keys(count, rand=os.urandom)]
    document: dict[str, Json] = {"keys": dids}
    if out is not None:
        write_atomic(out, to_json(document))
    show(
        document,
        as_json=as_json,
        text=lambda: (
            f"{count} new keys. Give the platform this file, it holds no secret: {out}"
            if out
            else "\n".join(map(str, dids))
        ),
    )


@app.command("add")
def add_command(file: Path, home_dir: Home = None, at: At = None, as_json: Json_ = False) -> None:
    """Verify credentials from a file and keep them: all of them, or none if one is wrong."""
    moment_ = moment(at)
    documents = read_credentials(read_bounded(file, limit=MAX_FILE), where=str(file))
    with open_shelf(home_dir) as shelf:
        own = {key.did for key in shelf.signing_keys()}
        received: list[Received] = [
            receive(document, own=own, contexts=CONTEXTS, at=moment_, where=f"{file} /{index}")
            for index, document in enumerate(documents)
        ]
        new = shelf.add(received, at=moment_, rand=os.urandom)
    show(
        {"added": new, "already": len(received) - new},
        as_json=as_json,
        text=lambda: f"{new} credentials verified and kept; {len(received) - new} were already here.",
    )


app.command("accept")(accept_command)
app.command("refresh")(refresh_command)
app.command("delete")(delete_command)


@app.command("list")
def list_command(home_dir: Home = None, lang: Lang = "en", as_json: Json_ = False) -> None:
    """What is in the wallet."""
    language_ = language(lang)
    with open_shelf(home_dir, lang=language_) as shelf:
        statements = words.statements(shelf.copies())
        backups = backup_state(shelf.vault)
    show(
        {"credentials": statements, "backup": backups},
        as_json=as_json,
        text=lambda: "\n".join([words.list_text(statements, language_), *backup_lines(backups, language_)]),
    )


@app.command("show")
def show_command(
    statement: Annotated[str, typer.Argument(help=NAMED)],
    home_dir: Home = None,
    lang: Lang = "en",
    as_json: Json_ = False,
) -> None:
    """Everything that one credential says."""
    language_ = language(lang)
    with open_shelf(home_dir) as shelf:
        one = find(shelf.copies(), statement)
    document = {**words.statement_json(one), **words.copy_json(one.copy)}
    show(document, as_json=as_json, text=lambda: words.statement_text(one, language_))


app.command("request")(request_command)
app.command("present")(present_command)
app.command("trust")(trust_command)


@app.command("reply")
def reply_command(
    statement: Annotated[str, typer.Argument(help=NAMED)],
    text: Annotated[str | None, typer.Option(help="What you answer, in your own words.")] = None,
    file: Annotated[Path | None, typer.Option(metavar="FILE", help="The text is in this file.")] = None,
    remove: Remove = False,
    home_dir: Home = None,
    lang: TextLang = "en",
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Answer a statement. Your reply is shown wherever the statement is shown."""
    written = _own_text(text, file)
    if (written is None) != remove:
        raise Malformed("--text, --file", "give one of them, or --remove", code="USAGE")
    claims: Claims = {"text": written or "", "lang": lang, "dateCreated": f"{moment(at):%Y-%m}"}
    _say("Reply", statement, None if remove else claims, home_dir, lang, as_json=as_json)


@app.command("dispute")
def dispute_command(
    statement: Annotated[str, typer.Argument(help=NAMED)],
    ground: Annotated[str | None, typer.Option(help=f"Why: {', '.join(GROUNDS)}.")] = None,
    text: Annotated[str | None, typer.Option(help="What you add, in your own words.")] = None,
    file: Annotated[Path | None, typer.Option(metavar="FILE", help="The text is in this file.")] = None,
    evidence: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A file that proves it; may be repeated. Only its fingerprint is shown."),
    ] = None,
    remove: Remove = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Also write it signed, to hand it to the platform.")
    ] = None,
    home_dir: Home = None,
    lang: TextLang = "en",
    at: At = None,
    as_json: Json_ = False,
) -> None:
    """Dispute a statement. That you do is shown wherever the statement is shown, until you take it back."""
    if (ground is None) != remove or (ground is not None and ground not in GROUNDS):
        raise Malformed("--ground", f"one of {', '.join(GROUNDS)}, or --remove instead", code="USAGE")
    files = evidence or []
    if len(files) > MAX_EVIDENCE:
        raise Malformed("--evidence", f"{MAX_EVIDENCE} files at most", code="USAGE")
    digests = sorted({multihash(read_bounded(path, limit=MAX_EVIDENCE_FILE)) for path in files})
    claims: Claims = {
        "ground": ground or "",
        "text": _own_text(text, file) or "none",
        "lang": lang,
        "opened": f"{moment(at):%Y-%m-%d}",
        "evidenceDigests": tuple(digests) or ("none",),
    }
    _say("Dispute", statement, None if remove else claims, home_dir, lang, as_json=as_json)
    if out is not None and not remove:
        with open_shelf(home_dir) as shelf:
            signed = signed_dispute(shelf, statement, at=moment(at))
        write_atomic(out, to_json(signed))


app.add_typer(ledger_app, name="ledger")
app.command("insights")(insights_command)


app.command("serve")(serve_command)


def _own_text(text: str | None, file: Path | None) -> str | None:
    """The worker's own words, from the command line or a file; nothing where neither is given."""
    if text is not None and file is not None:
        raise Malformed("--text, --file", "give one of them", code="USAGE")
    if file is None:
        return None if text is None else tidy(text, where="--text")
    try:
        return tidy(read_bounded(file, limit=MAX_TEXT_FILE).decode("utf-8-sig"), where=str(file))
    except UnicodeDecodeError:
        raise Malformed(str(file), "is not text in UTF-8", code="NOT_TEXT") from None


def _say(
    type_name: str, statement: str, claims: Claims | None, home_dir: Path | None, lang: str, *, as_json: bool
) -> None:
    """Keep what the worker says to a statement, or take it back where there are no ``claims``."""
    told_in = lang if lang in LANGUAGES else "en"
    with open_shelf(home_dir) as shelf:
        if claims is None:
            one, removed = take_back(shelf, type_name, statement)
            show({"statement": one.name, "removed": removed}, as_json=as_json,
                 text=lambda: words.removed_text(type_name, told_in, removed=removed))  # fmt: skip
            return
        one, answer, replaced = say(shelf, type_name, statement, claims, rand=os.urandom)
    warnings = screened(str(claims["text"]))
    show(
        {"statement": one.name, "answer": answer.to_json(), "replaced": replaced, "warnings": list(warnings)},
        as_json=as_json,
        text=lambda: words.kept_text(one.copy, answer, warnings, replaced=replaced, lang=told_in),
    )


def main(arguments: list[str]) -> None:
    """Run the wallet's commands."""
    run(app, arguments or ["--help"], name="ouvrage wallet", told=lambda error: told(error, arguments))


if __name__ == "__main__":
    main(sys.argv[1:])
