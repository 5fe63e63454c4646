"""QR codes, drawn and read again: clean, as a phone sees them, and from pictures that mean harm."""

import struct
import zlib
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.line import answer, credential, request
from tests.photos import photo, photos
from vc.canon import to_json
from vc.errors import Malformed, Undetermined, VcError
from vc.frames import MAX_TEXTS, Kind, Message, split
from vc.io import pictures
from vc.io.codes import Subject, draw, write_drawn
from vc.io.pictures import MAX_PIXELS, is_picture, read_codes, read_message
from work.dictionary import DICTIONARIES, PIN

RAW = to_json(answer(request(), credential()))
FRAMES = split(Message(Kind.ANSWER, RAW), dictionaries=DICTIONARIES)
LINK = "openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fplatform.example%2Foffers%2F7"
SUBJECT = Subject("answer", "en")


def read(*paths: Path, kind: Kind = Kind.ANSWER, limit: int = 1 << 20) -> bytes:
    return read_message(*paths, kind=kind, limit=limit, dictionaries=DICTIONARIES)


def drawn(target: Path, texts: tuple[str, ...] = FRAMES) -> Path:
    write_drawn(draw(texts, target, SUBJECT))
    return target


def saved(image: Image.Image, kind: str) -> bytes:
    out = BytesIO()
    image.save(out, kind)
    return out.getvalue()


def one_code(text: str = LINK) -> Image.Image:
    return Image.open(BytesIO(draw([text], Path("one.png"), SUBJECT)[Path("one.png")]))


@pytest.mark.parametrize("name", ["answer.gif", "answer"])
def test_what_is_drawn_is_read(name: str, tmp_path: Path) -> None:
    assert read(drawn(tmp_path / name)) == RAW


def test_a_folder_holds_numbered_pictures_and_a_page(tmp_path: Path) -> None:
    names = [path.name for path in sorted(drawn(tmp_path / "answer").iterdir())]
    assert names == [*(f"answer-0{number}-of-03.png" for number in (1, 2, 3)), "answer.html"]


def test_photos_of_every_code_are_read_in_any_order(tmp_path: Path) -> None:
    taken = photos(sorted(drawn(tmp_path / "answer").glob("*.png")), tmp_path / "photos")
    assert read(tmp_path / "photos") == RAW
    assert read(*taken) == RAW
    assert read(*reversed(taken), taken[0]) == RAW


@pytest.mark.parametrize("width", [450, 700, 1400])
@pytest.mark.parametrize("turn", [0, -17, 88, 200])
def test_a_photo_from_near_and_far(width: int, turn: int) -> None:
    with Image.open(BytesIO(draw(FRAMES[:1], Path("a.png"), SUBJECT)[Path("a.png")])) as shown:
        taken = photo(shown, width=width, turn=turn, seed=width + turn)
    assert read_codes(taken, where="photo") == FRAMES[:1]


def test_one_picture_of_all_codes(tmp_path: Path) -> None:
    codes = [Image.open(path).convert("L") for path in sorted(drawn(tmp_path / "answer").glob("*.png"))]
    size = codes[0].width
    paper = Image.new("L", (2 * size, 2 * size), 255)
    for number, code in enumerate(codes):
        paper.paste(code, (number % 2 * size, number // 2 * size))
    (tmp_path / "paper.jpg").write_bytes(photo(paper, width=1800, turn=3))
    assert read(tmp_path / "paper.jpg") == RAW


def test_a_missing_photo_is_named(tmp_path: Path) -> None:
    folder = drawn(tmp_path / "answer")
    (folder / "answer-02-of-03.png").unlink()
    with pytest.raises(Undetermined, match="missing: number 2"):
        read(folder)


def test_the_texts_of_codes_one_a_line(tmp_path: Path) -> None:
    (tmp_path / "scanned.txt").write_text("\n".join([*FRAMES[1:], FRAMES[0], ""]))
    assert read(tmp_path / "scanned.txt") == RAW


def test_a_file_that_is_no_picture_is_the_message(tmp_path: Path) -> None:
    (tmp_path / "answer.json").write_bytes(RAW)
    assert read(tmp_path / "answer.json") == RAW
    with pytest.raises(Malformed) as caught:
        read(tmp_path / "answer.json", limit=len(RAW) - 1)
    assert caught.value.code == "TOO_LARGE"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_link_is_read_from_every_kind_of_picture(kind: str, tmp_path: Path) -> None:
    raw = saved(one_code().convert("RGB"), kind)
    assert is_picture(raw)
    (tmp_path / "offer").write_bytes(raw)
    assert read(tmp_path / "offer", kind=Kind.OFFER) == LINK.encode()


def test_a_code_on_nothing_and_a_code_in_white_on_black() -> None:
    code = one_code().convert("L")
    clear = Image.new("LA", code.size, (0, 0))
    clear.putalpha(code.point(lambda value: 255 - value))
    assert read_codes(saved(clear, "PNG"), where="clear") == (LINK,)
    assert read_codes(saved(code.point(lambda value: 255 - value), "PNG"), where="inverted") == (LINK,)


def test_codes_of_another_kind_and_of_two_messages(tmp_path: Path) -> None:
    with pytest.raises(Malformed) as caught:
        read(drawn(tmp_path / "answer.gif"), kind=Kind.REQUEST)
    assert caught.value.code == "WRONG_MESSAGE"
    assert "an answer" in str(caught.value)
    for name, text in (("one.png", LINK), ("two.png", LINK + "8")):
        drawn(tmp_path / name, (text,))
    with pytest.raises(Malformed) as caught:
        read(tmp_path / "one.png", tmp_path / "two.png")
    assert caught.value.code == "FRAMES_MIXED"


def test_a_picture_without_a_code_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(saved(Image.effect_noise((300, 300), 80), "PNG"))
    with pytest.raises(Undetermined, match="take the picture again") as caught:
        read(tmp_path / "cat.png")
    assert caught.value.code == "NO_CODE"


def test_folders_that_do_not_do(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    for number in range(pictures.MAX_FILES + 1):
        (tmp_path / "full" / f"{number}.png").touch()
    for folder in ("empty", "full"):
        with pytest.raises(Malformed) as caught:
            read(tmp_path / folder)
        assert caught.value.code == "BAD_PICTURE"


def test_one_picture_does_not_hold_three_codes_and_a_folder_is_not_written_over(tmp_path: Path) -> None:
    for name in ("a.png", "a.svg"):
        with pytest.raises(Malformed) as caught:
            draw(FRAMES, tmp_path / name, SUBJECT)
        assert caught.value.code == "SEVERAL_CODES"
    folder = drawn(tmp_path / "answer")
    with pytest.raises(Malformed) as caught:
        draw(FRAMES, folder, SUBJECT)
    assert caught.value.code == "FILE_EXISTS"
    with pytest.raises(Malformed):
        draw(FRAMES, tmp_path / "answer.pdf", SUBJECT)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, data: bytes) -> bytes:
    """A PNG that says its size, whatever it holds."""
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [8193, 20_000, 65_535, 2**31 - 1])
def test_a_picture_of_too_many_pixels_is_not_decoded(side: int) -> None:
    assert side * side > MAX_PIXELS
    with pytest.raises(Malformed) as caught:
        read_codes(png(side, side, zlib.compress(bytes(1000))), where="bomb")
    assert caught.value.code in ("TOO_LARGE", "BAD_PICTURE")


def test_an_animation_without_end() -> None:
    frames = [Image.new("L", (1, 1), number % 256) for number in range(MAX_TEXTS + 1)]
    out = BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=20)
    with pytest.raises(Malformed) as caught:
        read_codes(out.getvalue(), where="long")
    assert caught.value.code == "TOO_LARGE"


def test_an_animation_of_large_images() -> None:
    wide = [Image.new("P", (5000, 5000), number) for number in range(4)]
    out = BytesIO()
    wide[0].save(out, "GIF", save_all=True, append_images=wide[1:], duration=20)
    with pytest.raises(Malformed) as caught:
        read_codes(out.getvalue(), where="large")
    assert caught.value.code == "TOO_LARGE"


NO_PICTURES = (
    b"",
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"GIF89a",
    b"RIFF\0\0\0\0WEBP",
    b"%PDF-1.7",
    b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    png(9, 9, b"no zlib"),
    png(0, 0, b""),
)


@pytest.mark.parametrize("raw", NO_PICTURES)
def test_what_is_no_picture(raw: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        read_codes(raw, where="file")
    assert caught.value.code in ("BAD_PICTURE", "TOO_LARGE")


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF"]), st.data())
def test_only_our_errors_leave_a_damaged_picture(kind: str, data: st.DataObject) -> None:
    raw = bytearray(saved(one_code("https://platform.example").convert("RGB"), kind))
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        texts = read_codes(bytes(raw[: data.draw(st.integers(0, len(raw)))]), where="file")
    except VcError:
        return
    assert set(texts) <= {"https://platform.example"}


def test_the_dictionary_is_the_pinned_one() -> None:
    assert sha256(DICTIONARIES["1"]).hexdigest() == PIN
    assert len(DICTIONARIES["1"]) < 1 << 15  # what deflate can reach back
