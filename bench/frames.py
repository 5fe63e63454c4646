"""QR frames: a presentation of one credential into its codes and back, without and with pictures.

The floor of the texts is zlib with the same dictionary and base45 over the whole, which no cutting can do without; the
floor of the pictures is to draw, or to read, the same codes with the same library and nothing around it.
"""

import os
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import segno
import zxingcpp
from base45 import b45decode, b45encode
from PIL import Image

from bench.documents import AT, earnings
from bench.measure import Row, compare
from vc import Bls12381Key, Ed25519Key, derive, hold, sign_selective
from vc.bbs import key_gen
from vc.canon import to_json
from vc.frames import VERSION, Kind, Message, join, split
from vc.io.codes import QUIET, SCALE, Subject, draw
from vc.io.pictures import read_codes
from vc.suites.bbs_2023 import HeldBase
from work import CONTEXTS
from work.dictionary import DICTIONARIES

PRESET = DICTIONARIES[VERSION]


def rows() -> Iterator[Row]:
    """From bytes to texts, from texts to bytes, from texts to pictures, from pictures to texts."""
    message = Message(Kind.ANSWER, shown())
    texts = split(message, dictionaries=DICTIONARIES)
    packed = _packed(message.raw)
    coded = b45encode(packed)
    name = f"QR frames, {len(message.raw)} bytes in {len(texts)}"
    yield compare(
        f"{name}: cut",
        lambda: split(message, dictionaries=DICTIONARIES),
        lambda: b45encode(_packed(message.raw)),
        limit=1.5,
        rounds=300,
    )
    yield compare(
        f"{name}: join",
        lambda: join(texts, dictionaries=DICTIONARIES),
        lambda: zlib.decompressobj(zlib.MAX_WBITS, PRESET).decompress(b45decode(coded)),
        limit=1.5,
        rounds=300,
    )
    target = Path("one.png")
    subject = Subject("answer", "en")
    picture = draw(texts[:1], target, subject)[target]
    yield compare(
        "QR frame: draw as PNG", lambda: draw(texts[:1], target, subject), lambda: _draw(texts[0]), limit=1.2, rounds=10
    )
    yield compare(
        "QR frame: read from PNG", lambda: read_codes(picture, where=""), lambda: _read(picture), limit=1.5, rounds=20
    )


def shown() -> bytes:
    """A presentation's worth of bytes: a derived credential with 8 of 40 messages."""
    key = Bls12381Key.from_secret(key_gen(os.urandom(32)))
    document, mandatory, chosen = earnings(key.did, Ed25519Key.from_seed(os.urandom(32)).did)
    signed = sign_selective(document, key=key, created=AT, mandatory=mandatory, contexts=CONTEXTS, rand=os.urandom)
    held = hold(signed, contexts=CONTEXTS)
    assert isinstance(held, HeldBase)
    return to_json(derive(held, chosen, rand=os.urandom))


def _packed(raw: bytes) -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS, 9, zlib.Z_DEFAULT_STRATEGY, PRESET)
    return stream.compress(raw) + stream.flush()


def _draw(text: str) -> bytes:
    drawn = BytesIO()
    segno.make_qr(text, error="l").save(drawn, kind="png", border=QUIET, scale=SCALE)
    return drawn.getvalue()


def _read(picture: bytes) -> object:
    return zxingcpp.read_barcodes(
        Image.open(BytesIO(picture)).convert("L"), formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    )
