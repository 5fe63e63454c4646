"""One bit of one text of one signed vector, flipped: it never verifies."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.shared import SHARED, shared_path
from tests.vectors import contexts
from vc.errors import VcError
from vc.secure import verify_proofs

Place = tuple[str | int, ...]

SIGNED = (
    "vc-di-eddsa/eddsa-rdfc-2022/signedDataInt.json",
    "vc-di-eddsa/eddsa-rdfc-2022/employ/signedDataInt.json",
    "vc-di-eddsa/eddsa-jcs-2022/signedJCS.json",
    "vc-di-eddsa/Ed25519Signature2020/signedEdSig.json",
    "vc-di-eddsa/proof-set-chain/signedProofSet2.json",
    "vc-di-eddsa/proof-set-chain/signedProofChain2.json",
    "vc-di-bbs/derivedRevealDocument.json",
)


def signed() -> Iterator[Path]:
    folder = SHARED / "vectors"
    yield from (folder / name for name in SIGNED)
    yield from sorted(folder.glob("vc-di-ecdsa/**/signed*.json"))
    yield from sorted(folder.glob("vc-di-ecdsa/**/derivedRevealDocument.json"))


def verifiable() -> Iterator[Path]:
    """Of the signed vectors, those that a verifier is meant to see: base proofs are for their holder."""
    yield from (path for path in signed() if path.exists() and "u2V0A" not in path.read_text(encoding="utf-8"))


def texts(value: Any, place: Place = ()) -> Iterator[Place]:
    """The place of every text in a document."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from texts(member, (*place, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from texts(item, (*place, index))
    elif isinstance(value, str):
        yield place


def flipped(document: Any, place: Place, position: int) -> Any:
    """A copy in which one bit of one character is another."""
    copy = json.loads(json.dumps(document))
    holder = copy
    for part in place[:-1]:
        holder = holder[part]
    text = holder[place[-1]]
    spot = position % len(text)
    holder[place[-1]] = text[:spot] + chr(ord(text[spot]) ^ 1) + text[spot + 1 :]
    return copy


@pytest.mark.parametrize("path", list(verifiable()), ids=lambda path: "/".join(path.parts[-3:]))
def test_a_flipped_bit_never_verifies(path: Path) -> None:
    document = json.loads(path.read_bytes())
    verify_proofs(document, contexts=contexts())
    places = list(texts(document))
    assert len(places) > 5
    for place in places:
        for position in (0, 7, -1):
            with pytest.raises(VcError):
                verify_proofs(flipped(document, place, position), contexts=contexts())


def test_there_are_vectors_to_flip() -> None:
    shared_path("vectors/vc-di-ecdsa")
    assert len(list(verifiable())) > 12
