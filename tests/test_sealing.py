"""Seals and key slots."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vc.errors import Malformed
from vc.sealing import MAX_COST, MIN_COST, Cost
from wallet.sealing import DEFAULT_COST, Slot, seal, unseal
from wallet.vault import Item

Filled = tuple[Path, tuple[Item, ...]]


def test_a_seal_opens_at_its_own_place_only() -> None:
    sealed = seal(b"secret", key=bytes(32), place=b"here", rand=os.urandom)
    assert unseal(sealed, key=bytes(32), place=b"here") == b"secret"
    assert unseal(sealed, key=bytes(32), place=b"there") is None
    assert unseal(sealed, key=bytes([1]) * 32, place=b"here") is None
    for raw in (b"", sealed[:39], sealed[:-1], sealed + b"x", "text", None):
        assert unseal(raw, key=bytes(32), place=b"here") is None


@given(st.binary(max_size=1100), st.binary(max_size=20))
def test_what_is_sealed_is_unsealed(plaintext: bytes, place: bytes) -> None:
    sealed = seal(plaintext, key=bytes(32), place=place, rand=os.urandom)
    assert unseal(sealed, key=bytes(32), place=place) == plaintext
    assert (len(sealed) - 40) % 512 == 0
    assert len(sealed) - 40 - len(plaintext) <= 512


def test_randomness_is_asked_for_and_used() -> None:
    asked: list[int] = []

    def rand(count: int) -> bytes:
        asked.append(count)
        return bytes([len(asked)]) * count

    slot = Slot.wrap("passphrase", bytes(32), b"secret", cost=MIN_COST, rand=rand)
    assert asked == [16, 24]
    assert (slot.salt, slot.sealed[:24]) == (bytes([1]) * 16, bytes([2]) * 24)
    assert slot.unwrap(b"secret") == bytes(32)


def test_a_slot_with_a_recomputed_checksum_and_a_cheaper_price_opens_nothing() -> None:
    slot = Slot.wrap("passphrase", bytes(32), b"secret", cost=Cost(2, 16384), rand=os.urandom)
    cheap = Slot(slot.kind, slot.salt, MIN_COST, slot.sealed)
    assert Slot.parse(cheap.row(), where="slot") == cheap
    assert cheap.unwrap(b"secret") is None


@pytest.mark.parametrize(
    "cost",
    [Cost(MAX_COST.ops + 1, MIN_COST.mem), Cost(1, MAX_COST.mem + 1), Cost(0, 8192), Cost(1, 8191), Cost(-1, -1)],
)
def test_a_slot_beyond_the_bounds_is_refused_before_it_costs_anything(cost: Cost) -> None:
    dear = Slot("passphrase", bytes(16), cost, bytes(100))
    row = ("passphrase", bytes(16), cost.ops, cost.mem, bytes(100), bytes(32) if cost.ops < 0 else dear.checksum())
    with pytest.raises(Malformed, match="asks for what no vault asks"):
        Slot.parse(row, where="slot")
    with pytest.raises(ValueError, match="could not be opened again"):
        Slot.wrap("passphrase", bytes(32), b"secret", cost=cost, rand=os.urandom)


def test_the_default_price_is_high_and_within_the_bounds() -> None:
    assert DEFAULT_COST.ops * DEFAULT_COST.mem >= 3 * (256 << 20)  # libsodium's MODERATE
    slot = Slot.wrap("passphrase", bytes(32), b"secret", cost=DEFAULT_COST, rand=os.urandom)
    assert Slot.parse(slot.row(), where="slot") == slot
