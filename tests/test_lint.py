"""The privacy lint: crowds, what makes them small, and that nothing below k is signed without an answer for it."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from issuer.claims import Run
from issuer.formats import Format
from issuer.lint import leave_out_small_crowds, lint, refuse_small_crowds, refused
from issuer.store import Store
from issuer.wanted import Wanted
from tests.cli import Done, ouvrage
from tests.work_samples import statement
from vc.errors import Rejected, Unsupported
from work.statement import Statement
from work.types import TYPES

CATEGORIES = st.sampled_from(["jobbing", "sharing"])
AT = datetime(2026, 11, 24, tzinfo=UTC)


def about(worker: str, kind: str, **changes: Any) -> Statement:
    return Statement(kind, worker, statement(kind, **changes).claims)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "issuer.db")


def fill(store: Store, count: int, kind: str = "PlatformMembership", first: int = 0, **changes: Any) -> None:
    made = [about(f"w{number}", kind, **changes) for number in range(first, first + count)]
    store.add_statements(made, source="test")


def codes(store: Store, k: int = 20, allowed: tuple[str, ...] = ()) -> list[str]:
    return [finding.code for finding in refused(lint(store, k=k, at=AT), k=k, allowed=allowed)]


def test_a_crowd_of_k_passes_and_one_fewer_does_not(store: Store) -> None:
    fill(store, 20)
    assert codes(store) == []
    assert codes(store, k=21) == ["TOO_FEW_ALIKE"]


def test_one_worker_who_differs_in_a_value_that_is_always_shown_is_found(store: Store) -> None:
    fill(store, 40)
    fill(store, 1, first=40, category="jobbing")
    (one,) = lint(store, k=20, at=AT)
    assert (one.crowds.workers, one.crowds.combinations, one.crowds.smallest, one.crowds.below) == (41, 2, 1, 1)
    (shown, size), *rest = one.crowds.examples
    assert (shown["category"], size, rest) == ("jobbing", 1, [])
    guilty = [blame.claim for blame in one.blame if blame.below_without == 0]
    assert guilty == ["category"]
    assert codes(store) == ["TOO_FEW_ALIKE"]


def test_values_that_the_worker_can_hide_make_no_crowd_smaller(store: Store) -> None:
    made = [about(f"w{number}", "PlatformMembership", memberSince=f"20{number:02d}-01") for number in range(10, 26)]
    store.add_statements(made, source="test")
    (one,) = lint(store, k=16, at=AT)
    assert (one.crowds.combinations, one.crowds.below) == (1, 0)


def test_a_type_that_identifies_by_nature_says_so_and_passes(store: Store) -> None:
    fill(store, 1, kind="Rating")
    (one,) = lint(store, k=20, at=AT)
    assert (one.kind.identifies, one.crowds.below, codes(store)) == (True, 1, [])
    assert one.to_json()["identifiesByNature"] is True


def test_several_statements_about_one_worker_are_no_crowd(store: Store) -> None:
    for currency in ("EUR", "USD"):
        store.add_statements([about("w", "Earnings", currency=currency)], source="test")
    (one,) = lint(store, k=2, at=AT)
    assert (one.crowds.workers, one.crowds.combinations, one.crowds.below) == (1, 2, 2)


def test_who_answers_for_a_type_answers_for_no_other(store: Store) -> None:
    fill(store, 3)
    fill(store, 3, kind="Earnings")
    assert codes(store, allowed=("Earnings",)) == ["TOO_FEW_ALIKE"]
    assert codes(store, allowed=("Earnings", "PlatformMembership")) == []
    with pytest.raises(Unsupported, match="Earning "):
        codes(store, allowed=("Earning",))


def test_a_worker_is_refused_for_their_own_crowd_only(store: Store) -> None:
    fill(store, 20)
    fill(store, 1, first=20, category="jobbing")
    refuse_small_crowds(store, worker="w1", k=20, allowed=())
    for worker in ("w20", None):
        with pytest.raises(Rejected, match="1 worker in a crowd"):
            refuse_small_crowds(store, worker=worker, k=20, allowed=())


def pending(store: Store, *, about: str | None = None, only: str | None = None) -> tuple[dict[str, int], list[str]]:
    """What a run about one worker or all leaves out, and the statements of ``only`` that it would sign."""
    with Run.start(store.database) as run:
        left = leave_out_small_crowds(store, run, worker=about, k=20, allowed=())
        wanted = Wanted(AT, (Format.BBS,), only)
        bodies = [body for batch in run.look(wanted) for body in batch["body"]]
        assert run.count(wanted) == len(bodies)
    return left, bodies


def test_those_in_small_crowds_can_be_left_out(store: Store) -> None:
    fill(store, 20)
    fill(store, 1, first=20, category="jobbing")
    fill(store, 1, kind="Rating")
    left, bodies = pending(store)
    assert left == {"PlatformMembership": 1}
    assert len(bodies) == 21
    assert not any("jobbing" in body for body in bodies)


def test_of_one_worker_only_their_own_are_left_out(store: Store) -> None:
    fill(store, 20)
    fill(store, 2, first=20, category="jobbing")
    assert pending(store, about="w1")[0] == {}
    for only, count in (("w20", 0), ("w21", 1)):
        left, bodies = pending(store, about="w20", only=only)
        assert left == {"PlatformMembership": 1}
        assert len(bodies) == count


def test_nothing_at_all_is_linted_in_peace(store: Store) -> None:
    assert lint(store, k=20, at=AT) == ()


def test_every_type_has_one_number_of_quads_whatever_is_known(store: Store) -> None:
    rich, poor = about("rich", "PlatformMembership"), about("poor", "PlatformMembership")
    bare = {claim.name for claim in TYPES["PlatformMembership"].claims.values() if claim.mandatory}
    poor = Statement(poor.type, poor.worker, {name: poor.claims[name] for name in bare})
    store.add_statements([rich, poor], source="test")
    (one,) = lint(store, k=2, at=AT)
    assert len(one.quads) == 1


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 9), CATEGORIES), min_size=1, max_size=30),
    st.integers(2, 6),
)
def test_crowds_are_those_of_a_plain_count(rows: list[tuple[int, str]], k: int) -> None:
    with TemporaryDirectory() as folder, Store.open(Path(folder) / "issuer.db") as memory:
        last = dict(rows)  # a later statement replaces an earlier one
        memory.add_statements([about(f"w{n}", "PlatformMembership", category=s) for n, s in rows], source="test")
        counted = Counter(last.values())
        (one,) = lint(memory, k=k, at=AT)
        assert one.crowds.combinations == len(counted)
        assert one.crowds.below == sum(size for size in counted.values() if size < k)
        assert one.crowds.smallest == min(counted.values())


# As a user runs it.


def attested(home: Path, workers: int) -> None:
    folder = home / "issuer"
    folder.mkdir()
    with Store.open(folder / "issuer.db") as store:
        fill(store, workers)
        fill(store, 1, first=workers, category="jobbing")


def run(home: Path, *words: str, ok: bool = True) -> Done:
    return ouvrage(home, "issuer", *words, ok=ok)


def test_the_command_tells_who_stands_out_and_signs_nothing_of_it(tmp_path: Path) -> None:
    attested(tmp_path, 20)
    told = run(tmp_path, "lint", ok=False)
    assert told.code == 1
    assert "1: " in told.out
    assert "category jobbing" in told.out
    assert "TOO_FEW_ALIKE" in told.err
    asked = run(tmp_path, "lint", "--json", ok=False)
    assert (asked.code, asked.err) == (1, "")
    assert [one["code"] for one in asked.json["refused"]] == ["TOO_FEW_ALIKE"]
    assert run(tmp_path, "issue", ok=False).code == 1
    assert run(tmp_path, "status", "--json").json["byType"]["PlatformMembership"]["credentials"] == 0
    left = run(tmp_path, "issue", "--leave-few", "--json").json
    assert (left["signed"], left["leftUnsigned"]) == (20, {"PlatformMembership": 1})
    assert run(tmp_path, "issue", "--allow-few", "PlatformMembership", "--json").json["signed"] == 1
    assert run(tmp_path, "lint", "--k", "2", "--allow-few", "PlatformMembership", "--json").json["refused"] == []
