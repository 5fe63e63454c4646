"""Every benchmark can be run: tiny sizes, each thing done once, nothing timed. So none breaks unseen."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from bench import (
    __main__,
    attest,
    bbs_features,
    claims,
    ecdsa,
    enveloped,
    frames,
    measure,
    sdjwt,
    sizes,
    status,
    statuslists,
    vcapi,
    wallet,
)
from bench.measure import Action, Clock, Row
from issuer.formats import Format

SMALL: Final[Mapping[Any, Mapping[str, Any]]] = {
    wallet: {"HELD": 2, "MANY": 5},
    claims: {"COPIES": 1, "BATCH": 1, "OFFERS": 1, "ROUNDS": 1, "CONCURRENT": 1, "WORKERS": 2},
    sizes: {"SIZES": (10,)},
    ecdsa: {"SIZES": (10,)},
}
ROWS: Final[tuple[Callable[[], Iterator[Row]], ...]] = (
    __main__.whole,
    __main__.selective,
    __main__.json_ld,
    ecdsa.rows,
    bbs_features.rows,
    sdjwt.rows,
    enveloped.rows,
    frames.rows,
    status.rows,
    statuslists.rows,
    vcapi.rows,
    wallet.rows,
    sizes.rows,
)


def once(name: str, action: Action, floor: Action, limit: float, rounds: int, clock: Clock) -> Row:
    assert rounds > 0
    assert clock() > 0
    action()
    floor()
    return Row(name, 1.0, 1.0, 1.0, limit)


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "_measure", once)
    for module, values in SMALL.items():
        for name, value in values.items():
            monkeypatch.setattr(module, name, value)


@pytest.mark.parametrize("rows", ROWS, ids=lambda one: f"{one.__module__}.{one.__name__}")
def test_the_rows_of_a_benchmark_can_be_made(rows: Callable[[], Iterator[Any]]) -> None:
    made = list(rows())
    assert made
    assert all(len(row.text().split()) > 5 and row.limit > 0 for row in made)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the pipe of the service's output
def test_an_offer_is_claimed_from_the_service() -> None:
    with claims.service(2) as served:
        assert claims.row(served, Format.BBS, 1, claims.LIMIT).median > 0


def test_an_export_is_attested(tmp_path: Path) -> None:
    done = attest.measure(20_000, tmp_path)
    assert (done.workers, done.kept) == (
        100,
        done.memory <= attest.MEMORY and done.seconds <= attest.RATIO * done.floor,
    )
