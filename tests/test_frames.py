"""A message as QR frames: whatever is cut is put together again, and whatever else comes gives one of our errors."""

import zlib
from hashlib import sha256

import pytest
from base45 import b45encode
from hypothesis import given
from hypothesis import strategies as st

from tests.line import answer, credential, request
from vc.canon import to_json
from vc.errors import Malformed, Undetermined, Unsupported, VcError
from vc.frames import CAPACITY, MAX_FRAMES, MAX_MESSAGE, MAX_TEXTS, Frame, Kind, Message, is_frame, join, split
from work.dictionary import DICTIONARIES

ANSWER = Message(Kind.ANSWER, to_json(answer(request(), credential())))
FRAMES = split(ANSWER, dictionaries=DICTIONARIES)


def joined(*texts: str) -> Message:
    return join(texts, dictionaries=DICTIONARIES)


def forged(packed: bytes, digest: bytes, *, version: str = "1", number: int = 1, count: int = 1) -> str:
    """A frame that says what it likes."""
    return f"OUV{version}A{b45encode(digest[:6]).decode()}{number:02}{count:02}{b45encode(packed).decode()}"


def test_a_presentation_takes_several_frames_of_one_size() -> None:
    assert len(FRAMES) > 1
    assert max(map(len, FRAMES)) <= CAPACITY
    assert len(set(map(len, FRAMES[:-1]))) == 1
    assert all(map(is_frame, FRAMES))
    assert joined(*FRAMES) == ANSWER


@given(st.binary(max_size=3000), st.sampled_from(Kind), st.integers(120, CAPACITY), st.data())
def test_any_bytes_come_back_in_any_order_and_however_often(
    raw: bytes, kind: Kind, capacity: int, data: st.DataObject
) -> None:
    frames = split(Message(kind, raw), dictionaries=DICTIONARIES, capacity=capacity)
    assert max(map(len, frames)) <= capacity
    again = data.draw(st.permutations(frames * 2))
    assert joined(*again) == Message(kind, raw)


def test_the_dictionary_pays_for_itself() -> None:
    small = Message(Kind.ANSWER, to_json(answer(request("RatingBand"), credential("RatingBand"))))
    (one,) = split(small, dictionaries=DICTIONARIES)
    plain = split(small, dictionaries={"1": b""})
    assert len(one) < 0.7 * sum(map(len, plain))


def test_what_is_missing_is_named() -> None:
    with pytest.raises(Undetermined, match=r"2 of 3 QR codes.*missing: number 2") as caught:
        joined(FRAMES[0], FRAMES[2])
    assert caught.value.code == "FRAME_MISSING"


def test_no_frame_at_all() -> None:
    with pytest.raises(Malformed) as caught:
        joined()
    assert caught.value.code == "NO_FRAME"


def test_frames_of_another_message_are_told_apart() -> None:
    other = split(Message(Kind.ANSWER, ANSWER.raw + b" "), dictionaries=DICTIONARIES)
    as_request = split(Message(Kind.REQUEST, ANSWER.raw), dictionaries=DICTIONARIES)
    for strange in (other[1], as_request[1]):
        with pytest.raises(Malformed) as caught:
            joined(FRAMES[0], strange, FRAMES[2])
        assert caught.value.code == "FRAMES_MIXED"


def test_two_frames_of_one_number_that_differ() -> None:
    one = Frame.parse(FRAMES[0])
    twin = Frame(one.version, one.kind, one.digest, one.number, one.count, one.data[:-2] + b"xy")
    with pytest.raises(Malformed) as caught:
        joined(*FRAMES, str(twin))
    assert caught.value.code == "FRAMES_MIXED"


def test_frames_that_count_otherwise_do_not_mix() -> None:
    more = Frame.parse(FRAMES[0])
    lying = Frame(more.version, more.kind, more.digest, 1, 2, more.data)
    with pytest.raises(Malformed) as caught:
        joined(str(lying), FRAMES[1])
    assert caught.value.code == "FRAMES_MIXED"
    with pytest.raises(Malformed) as caught:  # alone they are consistent, but no whole message
        joined(str(lying), str(Frame(more.version, more.kind, more.digest, 2, 2, more.data)))
    assert caught.value.code == "BAD_COMPRESSION"


def test_a_changed_message_is_not_given_out() -> None:
    packed = zlib.compress(b'{"vp_token":{"Earnings":["somebody else"]}}')
    with pytest.raises(Malformed) as caught:
        joined(forged(packed, sha256(b"OUV1A" + ANSWER.raw).digest()))
    assert caught.value.code == "BAD_DIGEST"


def test_the_digest_covers_the_kind() -> None:
    with pytest.raises(Malformed) as caught:
        joined(*(frame.replace("OUV1A", "OUV1R", 1) for frame in FRAMES))
    assert caught.value.code == "BAD_DIGEST"


@pytest.mark.parametrize("size", [MAX_MESSAGE + 1, 200 << 20])
def test_a_bomb_is_stopped(size: int) -> None:
    packed = zlib.compress(bytes(size), 9)
    pieces = [packed[start : start + 2000] for start in range(0, len(packed), 2000)][:MAX_FRAMES]
    texts = [forged(piece, bytes(6), number=n, count=len(pieces)) for n, piece in enumerate(pieces, start=1)]
    with pytest.raises(Malformed) as caught:
        joined(*texts)
    assert caught.value.code == "TOO_LARGE"


@pytest.mark.parametrize("cut", [1, 40, 400])
def test_what_is_cut_off_or_follows_is_refused(cut: int) -> None:
    packed = zlib.compress(ANSWER.raw)
    digest = sha256(b"OUV1A" + ANSWER.raw).digest()
    for wrong in (packed[:-cut], packed + bytes(cut)):
        halves = (wrong[:2000], wrong[2000:])
        with pytest.raises(Malformed) as caught:
            joined(*(forged(half, digest, number=n, count=2) for n, half in enumerate(halves, start=1)))
        assert caught.value.code in ("BAD_COMPRESSION", "BAD_DIGEST")


@pytest.mark.parametrize(("number", "count"), [(0, 1), (2, 1), (1, 65), (1, 99), (0, 0)])
def test_numbers_that_lie(number: int, count: int) -> None:
    with pytest.raises(Malformed) as caught:
        joined(forged(b"x", bytes(6), number=number, count=count))
    assert caught.value.code == "BAD_FRAME"


def test_too_many_codes_are_not_even_read() -> None:
    with pytest.raises(Malformed) as caught:
        joined(*[FRAMES[0]] * (MAX_TEXTS + 1))
    assert caught.value.code == "TOO_LARGE"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "OUV",
        "OUV1",
        "https://ouvrage.example",
        FRAMES[0].lower(),
        FRAMES[0] + "\n",
        FRAMES[0][:22] + ":::",
        FRAMES[0] + "A" * 5000,
        "OUV1A" + ":" * 9 + "0101AA",
    ],
)
def test_what_is_no_frame(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        joined(text)
    assert caught.value.code == "BAD_FRAME"


def test_a_version_and_a_kind_that_are_not_known_yet() -> None:
    with pytest.raises(Unsupported):
        joined(forged(b"x", bytes(6), version="Z"))
    with pytest.raises(Unsupported):
        joined(forged(b"x", bytes(6)).replace("OUV1A", "OUV1X", 1))


def test_what_no_codes_hold_is_said_before_anything_is_drawn() -> None:
    noise = b"".join(sha256(bytes([n % 256, n // 256])).digest() for n in range(5000))
    for raw in (noise, bytes(MAX_MESSAGE + 1)):
        with pytest.raises(Malformed) as caught:
            split(Message(Kind.ANSWER, raw), dictionaries=DICTIONARIES)
        assert caught.value.code == "TOO_LARGE"


@given(st.data())
def test_only_our_errors_leave(data: st.DataObject) -> None:
    texts = list(FRAMES)
    which = data.draw(st.integers(0, len(texts) - 1))
    where = data.draw(st.integers(0, len(texts[which]) - 1))
    put = data.draw(st.text(max_size=3))
    texts[which] = texts[which][:where] + put + texts[which][where + data.draw(st.integers(0, 2)) :]
    try:
        message = joined(*texts)
    except VcError:
        return
    assert message == ANSWER
