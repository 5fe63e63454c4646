"""``ouvrage verifier evidence``: open an evidence pack, check all of it again, and print the report."""

from pathlib import Path
from typing import Annotated

import typer

from vc.canon import Json
from vc.errors import VcError
from vc.io.command import show
from vc.io.files import read_bounded, write_atomic
from vc.io.offline import forbid_network
from vc.io.options import Home, Json_, Lang, language
from verifier import render
from verifier.evidence import MAX_PACK, Opened, unknown_keys, unpack
from verifier.pdf import to_pdf
from verifier.trust_commands import TrustFile, held_trust
from verifier.trust_store import load
from verifier.words import day, phrase


def evidence_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `check --evidence FILE` wrote.")],
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write the report as a page to print.")] = None,
    pdf: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write the report as PDF.")] = None,
    trust: TrustFile = None,
    lang: Lang = "en",
    home_dir: Home = None,
    as_json: Json_ = False,
) -> None:
    """Check an evidence pack again, offline: is everything as it was, and does the check come out the same?"""
    forbid_network()
    language_ = language(lang)
    opened = unpack(read_bounded(file, limit=MAX_PACK))
    if html is not None:
        write_atomic(html, render.to_html(opened.report, language_).encode("utf-8"), mode=0o644)
    if pdf is not None:
        write_atomic(pdf, to_pdf(opened.report, language_), mode=0o644)
    unknown = _unknown(opened, held_trust(trust, home_dir))
    told: dict[str, Json] = {
        "checkedAgain": True,
        "trustDigest": opened.trust_digest or None,
        "unknownKeys": None if unknown is None else list[Json](unknown),
        "report": opened.report.to_json(),
    }
    show(told, as_json=as_json, text=lambda: _text(opened, unknown, language_))


def _unknown(opened: Opened, held: Path) -> tuple[str, ...] | None:
    """Keys that are not known here; None where nobody is trusted here."""
    try:
        return unknown_keys(opened, load(held))
    except VcError:
        return None


def _text(opened: Opened, unknown: tuple[str, ...] | None, lang: str) -> str:
    at = day(opened.case.at, lang)
    if unknown is None:
        compared = phrase("evidence.alone", lang)
    elif unknown:
        compared = phrase("evidence.unknown", lang, keys=", ".join(unknown))
    else:
        compared = phrase("evidence.known", lang)
    said = [phrase("evidence.same", lang, at=at), compared]
    return "\n".join([*said, "", render.to_text(opened.report, lang)])
