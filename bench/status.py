"""Status lists against the signatures that they save: encoding one, and looking one status up.

The floors are raw signatures, for that is what a list costs its publisher anyway, and the bare decompression.
"""

import os
import random
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime

from nacl.signing import SigningKey

from bench.measure import Row, compare
from vc import Ed25519Key, token_status
from vc.canon import parse_object, to_json
from vc.contexts import W3C
from vc.deflate import ZLIB, inflate
from vc.keys import P256Key
from vc.model import parse_credential
from vc.secure import sign, verify_proofs
from vc.status import (
    MIN_ENTRIES,
    StatusEntry,
    StatusList,
    encode_list,
    new_list,
    set_statuses,
    status_list_credential,
)

AT = datetime(2026, 11, 24, tzinfo=UTC)
URL = "https://platform.example/status/3"
LARGE = 10_000_000


def chosen(entries: int, share: float) -> dict[int, int]:
    """That share of the entries, at random, set to 1."""
    return dict.fromkeys(random.Random(1).sample(range(entries), int(entries * share)), 1)


def encoding() -> Iterator[Row]:
    """131 072 entries, whatever share of them is revoked, in less than 40 signatures of either kind."""
    text = os.urandom(64)
    ed25519, p256 = SigningKey(os.urandom(32)), P256Key.generate(os.urandom)
    for share in (0.001, 0.01, 0.05, 0.2):
        bits = set_statuses(new_list(), chosen(MIN_ENTRIES, share))
        for name, floor in (("Ed25519", lambda: ed25519.sign(text)), ("P-256", lambda: p256.sign(text))):
            yield compare(
                f"status list, {share:.1%} set, in {name} signatures",
                lambda bits=bits: encode_list(bits),  # type: ignore[misc]
                floor,
                limit=40,
                rounds=200,
            )


def tokens() -> Iterator[Row]:
    """The same for a Token Status List of two bits."""
    text, ed25519 = os.urandom(64), SigningKey(os.urandom(32))
    packed = token_status.set_statuses(
        token_status.new_statuses(MIN_ENTRIES, bits=2), chosen(MIN_ENTRIES, 0.01), bits=2
    )
    yield compare(
        "token status list, 2 bits, 1.0% set, in Ed25519 signatures",
        lambda: token_status.TokenStatusList.of(packed, bits=2),
        lambda: ed25519.sign(text),
        limit=40,
        rounds=200,
    )


def lookups() -> Iterator[Row]:
    """One status of a list: against the bare decompression of it, which nobody can avoid."""
    for entries, share in ((MIN_ENTRIES, 0.01), (LARGE, 0.01)):
        statuses = token_status.TokenStatusList.of(
            token_status.set_statuses(token_status.new_statuses(entries, bits=1), chosen(entries, share), bits=1),
            bits=1,
        )
        yield compare(
            f"one status of {entries}, from its compressed list",
            lambda statuses=statuses: statuses.read(99_999),  # type: ignore[misc]
            lambda statuses=statuses: zlib.decompress(statuses.compressed),  # type: ignore[misc]
            limit=2,
            rounds=100 if entries < LARGE else 20,
        )
        assert sum(map(len, inflate(statuses.compressed, form=ZLIB))) == (entries + 7) // 8


def whole() -> Iterator[Row]:
    """A status list credential, from bytes to one status that was looked up, in raw verifications."""
    key = Ed25519Key.from_seed(os.urandom(32))
    document = status_list_credential(
        set_statuses(new_list(), chosen(MIN_ENTRIES, 0.01)),
        url=URL,
        issuer=key.did,
        purposes=["revocation"],
        valid_from=AT,
        valid_until=AT,
    )
    raw = to_json(sign(document, key=key, created=AT, contexts=W3C))
    text = os.urandom(64)
    signed = SigningKey(key.seed).sign(text)
    verify_key = SigningKey(key.seed).verify_key

    def look_up() -> int:
        secured = parse_object(raw)
        verify_proofs(secured, contexts=W3C)
        return StatusList.parse(parse_credential(secured)).read(StatusEntry(URL, 94567, "revocation"))

    yield compare(
        "one status of a signed list, from bytes", look_up, lambda: verify_key.verify(signed), limit=10, rounds=500
    )


def rows() -> Iterator[Row]:
    """Every row about status lists."""
    yield from encoding()
    yield from tokens()
    yield from lookups()
    yield from whole()
