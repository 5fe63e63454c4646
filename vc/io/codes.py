"""QR codes, drawn: one picture, a folder of them, an animation, or a page that shows them in turn without a script."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from io import BytesIO, StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vc.errors import Malformed, Undetermined
from vc.io.files import write_atomic

if TYPE_CHECKING:
    import segno

TURN: Final = 1.5  # seconds that each code is shown: long enough for a phone to find and read it
QUIET: Final = 4  # modules of white around a code (ISO/IEC 18004 §6.3.8)
SCALE: Final = 8  # pixels of a module: a code of 117 modules has a thousand

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "offer": "An offer",
        "request": "A request",
        "answer": "An answer",
        "one": "Show this code, or take a picture of it.",
        "several": "It takes {count} codes. Take a picture of each, in any order: they hold the message together.",
        "how": "Which codes to show",
        "moving": "All, in turn",
        "still": "All, one below the other",
        "only": "Number {number}",
        "of": "Code {number} of {count}",
    },
    "fr": {
        "offer": "Une offre",
        "request": "Une demande",
        "answer": "Une réponse",
        "one": "Montrez ce code, ou prenez-le en photo.",
        "several": "Il faut {count} codes. Prenez chacun en photo, dans l’ordre que vous voulez\N{NO-BREAK SPACE}: "
        "ensemble, ils contiennent le message.",
        "how": "Codes à montrer",
        "moving": "Tous, tour à tour",
        "still": "Tous, l’un sous l’autre",
        "only": "Numéro {number}",
        "of": "Code {number} sur {count}",
    },
}


@dataclass(frozen=True, slots=True)
class Subject:
    """What codes are of: ``name`` is ``offer``, ``request`` or ``answer``; it names the files of a folder, too."""

    name: str
    lang: str

    def title(self, number: int, count: int) -> str:
        """What one code is, for who cannot see it."""
        words = _WORDS[self.lang]
        of = words["of"].format(number=number, count=count)
        return words[self.name] if count == 1 else f"{words[self.name]}, {of[0].lower()}{of[1:]}"


@dataclass(frozen=True, slots=True)
class Back:
    """Where a page that is served leads back to, and in what words."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page that holds everything it needs, and the policy that it asks of browsers."""

    html: bytes
    policy: str


def draw(texts: Sequence[str], target: Path, subject: Subject) -> dict[Path, bytes]:
    """The files to write for codes with these texts; the name of ``target`` says of which kind.

    ``.svg`` and ``.png`` are a picture of one code, ``.gif`` an animation, ``.html`` a page; another name is a folder
    with numbered pictures and the page. Raises :class:`Malformed` where that does not do. Nothing is written yet.
    """
    match target.suffix.lower():
        case ".svg" | ".png" as suffix:
            if len(texts) != 1:
                why = f"it takes {len(texts)} QR codes: name a folder instead, or a .html or .gif file"
                raise Malformed(str(target), why, code="SEVERAL_CODES")
            return {target: _svg(texts[0], subject) if suffix == ".svg" else _png(texts[0])}
        case ".gif":
            return {target: _animation(texts)}
        case ".html":
            return {target: page(texts, subject).html}
        case "":
            return _folder(texts, target, subject)
    raise Malformed(str(target), "name a .svg, .png, .gif or .html file, or a folder", code="USAGE")


def write_drawn(drawn: Mapping[Path, bytes], *, mode: int = 0o600) -> None:
    """Write what :func:`draw` made. Raises :class:`Undetermined`, code ``CANNOT_WRITE``."""
    for path, data in drawn.items():
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise Undetermined(
                f"{path.parent}: cannot be made: {error.strerror}", "name another place", code="CANNOT_WRITE"
            ) from None
        write_atomic(path, data, mode=mode)


def picture(texts: Sequence[str]) -> tuple[str, bytes]:
    """One picture of all codes, and what kind it is: ``png``, or where there are several ``gif``, which moves."""
    return ("png", _png(texts[0])) if len(texts) == 1 else ("gif", _animation(texts))


def page(texts: Sequence[str], subject: Subject, *, back: Back | None = None) -> Page:
    """One page with all codes, self-contained: they take turns, or stand still for who asks for that."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415  (most commands make no page)

    css = files("vc.io").joinpath("templates", "codes.css").read_text(encoding="utf-8") + _turns(len(texts))
    environment = Environment(loader=PackageLoader("vc.io"), autoescape=True, undefined=StrictUndefined)
    made = environment.get_template("codes.html.j2").render(
        lang=subject.lang,
        words=_WORDS[subject.lang],
        title=_WORDS[subject.lang][subject.name],
        codes=inline(texts, subject),
        css=css,
        policy=policy(css),
        back=back,
    )
    return Page(made.encode("utf-8"), policy(css))


def inline(texts: Sequence[str], subject: Subject) -> tuple[str, ...]:
    """Each code as SVG to stand in a page, with a name for who cannot see it."""
    return tuple(
        _svg(text, subject, number, len(texts), page=True).decode("utf-8") for number, text in enumerate(texts, start=1)
    )


def terminal(text: str) -> str:
    """A code with this text, for a terminal."""
    drawn = StringIO()
    _code(text).terminal(drawn, border=2, compact=True)
    return drawn.getvalue()


def policy(css: str) -> str:
    """What lets exactly this style sheet into a page, and nothing else (CSP 3 §2.3.1)."""
    digest = b64encode(sha256(css.encode("utf-8")).digest()).decode("ascii")
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _turns(count: int) -> str:
    """The rules by which ``count`` codes take turns in one place, and which one is shown where that is chosen."""
    if count == 1:
        return ""
    numbers = range(1, count + 1)
    chosen = "".join(
        f"main:has(#only{number}:checked) .code:not(#code{number}) {{ display: none; }}\n" for number in numbers
    )
    delays = "".join(
        f"  main:has(#all:checked) #code{number} {{ animation-delay: {(number - 1) * TURN:g}s; }}\n"
        for number in numbers
    )
    return f"""{chosen}@media screen and (prefers-reduced-motion: no-preference) {{
  main:has(#all:checked) .code {{
    grid-area: 1 / 1;
    visibility: hidden;
    animation: turn {count * TURN:g}s step-end infinite;
  }}
{delays}}}
@media (prefers-reduced-motion: reduce) {{
  .moving {{ display: none; }}
  .still {{ display: inline; }}
}}
@keyframes turn {{
  0% {{ visibility: visible; }}
  {100 / count:.4f}% {{ visibility: hidden; }}
}}
@media print {{
  fieldset {{ display: none; }}
  .code {{ break-inside: avoid; }}
}}
"""


def _folder(texts: Sequence[str], folder: Path, subject: Subject) -> dict[Path, bytes]:
    """A picture of each code, numbered, and the page with all of them."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        why = "is there already and not empty; codes of two messages must not mix: name a new folder"
        raise Malformed(str(folder), why, code="FILE_EXISTS")
    drawn = {
        folder / f"{subject.name}-{number:02}-of-{len(texts):02}.png": _png(text)
        for number, text in enumerate(texts, start=1)
    }
    return {**drawn, folder / f"{subject.name}.html": page(texts, subject).html}


def _code(text: str) -> "segno.QRCode":
    import segno  # noqa: PLC0415

    # Level L at least: a screen has no stains. More is taken where the code does not grow by it.
    return segno.make_qr(text, error="l", boost_error=True)


def _svg(text: str, subject: Subject, number: int = 1, count: int = 1, *, page: bool = False) -> bytes:
    title = subject.title(number, count)
    drawn = BytesIO()
    _code(text).save(
        drawn, kind="svg", border=QUIET, scale=1 if page else SCALE, light="#fff", omitsize=page, xmldecl=not page,
        svgns=not page, nl=False, title=None if page else title,
    )  # fmt: skip
    raw = drawn.getvalue()
    return raw.replace(b"<svg ", f'<svg role="img" aria-label="{title}" '.encode(), 1) if page else raw


def _png(text: str) -> bytes:
    drawn = BytesIO()
    _code(text).save(drawn, kind="png", border=QUIET, scale=SCALE)
    return drawn.getvalue()


def _animation(texts: Sequence[str]) -> bytes:
    from PIL import Image  # noqa: PLC0415

    first, *others = (Image.open(BytesIO(_png(text))).convert("P") for text in texts)
    drawn = BytesIO()
    # Without "keep all" pillow would leave out what it finds equal to the image before.
    first.save(drawn, "GIF", save_all=True, append_images=others, duration=int(TURN * 1000), loop=0, disposal=2)
    return drawn.getvalue()
