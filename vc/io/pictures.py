"""Pictures of QR codes, read: one function for every command that takes a message from a file.

A picture comes from anybody. Its kind, its size in bytes and in pixels, and the number of images in it are checked
before it is decoded, and only what a QR code says leaves this module.
"""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vc.errors import Malformed, Undetermined, VcError
from vc.frames import MAGIC, MAX_FRAMES, MAX_TEXT, MAX_TEXTS, Dictionaries, Kind, is_frame, join
from vc.io.files import read_bounded

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PICTURE: Final = 32 << 20  # bytes: a phone's largest photo
MAX_PIXELS: Final = 1 << 26  # 64 million, of all images of one: more than a phone takes without being asked to
MAX_FILES: Final = 2 * MAX_FRAMES  # of a folder
FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF")
SHARP: Final = 1 << 24  # pixels: a photo with more is read at half its width, where noise goes and codes stay

_SIGNATURES: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a")
_NAMES: Final = (".png", ".jpg", ".jpeg", ".webp", ".gif")
_WHAT: Final = {
    Kind.OFFER: "an offer of a platform",
    Kind.REQUEST: "a request",
    Kind.ANSWER: "an answer",
    Kind.COUNTER_OFFER: "a counter-offer",
}


def read_message(*paths: Path, kind: Kind, limit: int, dictionaries: Dictionaries) -> bytes:
    """The message in a file as it is; or in pictures of its QR codes: a picture, an animation, several, a folder.

    A file may also hold the texts of the codes, one a line, as another program has read them. A code that is no frame
    of ours, such as a link, is the message itself. Raises :class:`Malformed`, :class:`Unsupported`, or
    :class:`Undetermined` where a code is missing or cannot be read.
    """
    where = str(paths[0]) if len(paths) == 1 else f"{len(paths)} files"
    files = [file for path in paths for file in _files(path)]
    if len(files) > MAX_FILES:
        raise Malformed(where, f"more than {MAX_FILES} pictures", code="TOO_LARGE")
    alone = len(files) == 1
    given = ((str(file), read_bounded(file, limit=max(limit, MAX_PICTURE) if alone else MAX_PICTURE)) for file in files)
    return _message(given, where, alone=alone, kind=kind, limit=limit, dictionaries=dictionaries)


def message_in(given: Sequence[bytes], *, kind: Kind, limit: int, dictionaries: Dictionaries, where: str) -> bytes:
    """As :func:`read_message`, of files that are here: those that were sent with a form."""
    if not 0 < len(given) <= MAX_FILES:
        raise Malformed(where, f"no file, or more than {MAX_FILES}", code="TOO_LARGE" if given else "NO_FILE")
    named = ((where, raw) for raw in given)
    return _message(named, where, alone=len(given) == 1, kind=kind, limit=limit, dictionaries=dictionaries)


def _message(
    given: Iterable[tuple[str, bytes]], where: str, *, alone: bool, kind: Kind, limit: int, dictionaries: Dictionaries
) -> bytes:
    texts: tuple[str, ...] = ()
    for name, raw in given:
        if alone and not is_picture(raw) and not raw.startswith(MAGIC.encode()):
            if len(raw) > limit:
                raise Malformed(where, f"larger than {limit} bytes", code="TOO_LARGE")
            return raw
        texts += said(raw, where=name)
    if not texts:
        raise Undetermined(
            f"{where}: no QR code can be read",
            "take the picture again: the whole code, from straight above, in good light",
            code="NO_CODE",
        )
    if not any(map(is_frame, texts)):
        return _alone(texts, where, limit)
    message = join(filter(is_frame, texts), dictionaries=dictionaries, where=where)
    if message.kind is not kind:
        why = f"its QR codes hold {_WHAT[message.kind]}; {_WHAT[kind]} is needed here"
        raise Malformed(where, why, code="WRONG_MESSAGE")
    return message.raw


def is_picture(raw: bytes) -> bool:
    """Whether bytes begin as a picture that can be read here does."""
    return raw.startswith(_SIGNATURES) or (raw[:4] == b"RIFF" and raw[8:12] == b"WEBP")


def read_codes(raw: bytes, *, where: str) -> tuple[str, ...]:
    """What the QR codes in a picture say, whichever way it is turned. Raises :class:`Malformed` for a bad picture."""
    return tuple(text for image in _images(raw, where) for text in _codes(image))


def said(raw: bytes, *, where: str) -> tuple[str, ...]:
    """What the QR codes of one file say, be it a picture or their texts, one a line. Raises :class:`Malformed`."""
    if is_picture(raw):
        return read_codes(raw, where=where)
    if not raw.startswith(MAGIC.encode()):
        why = "is neither a picture (PNG, JPEG, WebP, GIF) nor the text of QR codes"
        raise Malformed(where, why, code="BAD_PICTURE")
    if len(raw) > MAX_TEXTS * MAX_TEXT:
        raise Malformed(where, "is too large for the text of QR codes", code="TOO_LARGE")
    return tuple(raw.decode("ascii", "replace").splitlines())


def _files(path: Path) -> list[Path]:
    """The file itself, or the pictures in a folder."""
    if not path.is_dir():
        return [path]
    try:
        found = sorted(file for file in path.iterdir() if file.suffix.lower() in _NAMES)
    except OSError as error:
        raise Malformed(str(path), f"cannot be read: {error.strerror}", code="FILE_UNREADABLE") from None
    if not 0 < len(found) <= MAX_FILES:
        why = f"a folder with {len(found)} pictures; put the pictures of one message in it ({', '.join(_NAMES)})"
        raise Malformed(str(path), why, code="BAD_PICTURE")
    return found


def _alone(texts: Iterable[str], where: str, limit: int) -> bytes:
    """The one text that codes say which are no frames: a link."""
    (first, *others) = dict.fromkeys(texts)
    if others:
        raise Malformed(where, "shows several QR codes; take a picture of only one", code="FRAMES_MIXED")
    raw = first.encode()
    if len(raw) > limit:
        raise Malformed(where, f"larger than {limit} bytes", code="TOO_LARGE")
    return raw


def _images(raw: bytes, where: str) -> Iterator["Image"]:
    """Each image of a picture, in shades of grey."""
    try:
        yield from _decoded(raw, where)
    except VcError:
        raise
    except Exception as error:  # noqa: BLE001  (decoders raise a dozen kinds of error for what is no picture)
        raise Malformed(where, f"is not a whole picture ({type(error).__name__})", code="BAD_PICTURE") from None


def _decoded(raw: bytes, where: str) -> Iterator["Image"]:
    from PIL import Image  # noqa: PLC0415  (most commands read no picture)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pillow warns of the size that is refused below
        opened = Image.open(BytesIO(raw), formats=FORMATS)
    with opened:
        pixels = opened.width * opened.height
        if not 0 < pixels <= MAX_PIXELS:
            raise Malformed(where, f"has more than {MAX_PIXELS >> 20} million pixels", code="TOO_LARGE")
        opened.draft("L", (opened.width, opened.height))
        for number in range(MAX_TEXTS + 1):
            try:
                opened.seek(number)
            except EOFError:
                return
            if (number + 1) * pixels > MAX_PIXELS or number == MAX_TEXTS:
                raise Malformed(where, "is too long an animation", code="TOO_LARGE")
            yield _on_white(opened)


def _on_white(image: "Image") -> "Image":
    """In shades of grey; what is transparent is white, as on a page."""
    from PIL import Image  # noqa: PLC0415

    if not image.has_transparency_data:
        return image.convert("L")
    layers = image.convert("LA")
    page = Image.new("L", image.size, 255)
    page.paste(layers.getchannel("L"), mask=layers.getchannel("A"))
    return page


def _codes(image: "Image") -> tuple[str, ...]:
    """What the codes in one image say; where none is found, it is looked at again, smoothed, and larger."""
    import zxingcpp  # noqa: PLC0415

    formats = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    for tried in _looks(image):
        found = zxingcpp.read_barcodes(tried, formats=formats, text_mode=zxingcpp.TextMode.Plain)
        if texts := tuple(dict.fromkeys(code.text for code in found if len(code.text) <= 2 * MAX_TEXT)):
            return texts
    return ()


def _looks(image: "Image") -> Iterator["Image"]:
    from PIL import Image, ImageFilter, ImageOps  # noqa: PLC0415

    size = image.width * image.height
    image = image.reduce(2) if size > SHARP else image
    yield image
    yield ImageOps.autocontrast(image.filter(ImageFilter.GaussianBlur(1.2)), cutoff=1)
    if size <= SHARP // 8:
        yield image.resize((image.width * 2, image.height * 2), Image.Resampling.BICUBIC)
