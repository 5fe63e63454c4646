"""Nonces: nobody remembers them, nobody else can make them, and they run out."""

import os

import pytest

from issuer.nonces import C_NONCE, DPOP, MAX_NONCE, check_nonce, new_nonce

SECRET = b"s" * 32
NOW = 1_795_000_000


def made(label: str = C_NONCE) -> str:
    return new_nonce(SECRET, now=NOW, rand=os.urandom, label=label)


def test_a_nonce_is_good_for_its_time() -> None:
    nonce = made()
    good = [now for now in (NOW - 1, NOW, NOW + 300, NOW + 301) if check_nonce(SECRET, nonce, now=now, lifetime=300)]
    assert good == [NOW, NOW + 300]


def test_a_nonce_is_good_for_one_purpose_and_one_issuer() -> None:
    assert check_nonce(SECRET, made(DPOP), now=NOW, lifetime=300, label=DPOP)
    assert not check_nonce(SECRET, made(DPOP), now=NOW, lifetime=300)
    assert not check_nonce(b"t" * 32, made(), now=NOW, lifetime=300)


def test_no_two_are_the_same_and_none_is_too_long() -> None:
    nonces = {made() for _ in range(100)}
    assert len(nonces) == 100
    assert max(map(len, nonces)) <= MAX_NONCE


@pytest.mark.parametrize("text", ["", "A", "é", "AAAA", "=" * 46, "A" * 10_000, "\ud800"])
def test_what_is_no_nonce(text: str) -> None:
    assert not check_nonce(SECRET, text, now=NOW, lifetime=300)


def test_no_character_can_be_changed() -> None:
    nonce = made()
    for place, character in enumerate(nonce):
        other = "B" if character != "B" else "C"
        assert not check_nonce(SECRET, nonce[:place] + other + nonce[place + 1 :], now=NOW, lifetime=10**9)
