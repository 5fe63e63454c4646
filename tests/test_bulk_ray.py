"""Bulk signing on a Ray cluster that the test starts: the same rows, and none lost with an actor that is killed."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from issuer.bulk import Columns, rows, sign_batch
from issuer.claims import Run
from issuer.database import Database
from issuer.formats import Format
from issuer.issue import Engine, issue_pending
from issuer.pool import WAITING, Work
from issuer.wanted import Wanted
from tests.line import AT, issuer_keys
from tests.test_bulk import BASE, PERSONAL, about, check_whole, put
from vc.errors import Malformed

pytest.importorskip("ray", reason="the extra `bulk` is not installed")
from issuer.ray_engine import check_engine, on_ray

ACTORS = 2
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::ResourceWarning")  # Ray's own


def children(parent: int) -> Iterator[tuple[int, str]]:
    """All processes below a process, with their names."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            above = int(path.read_text().rpartition(")")[2].split()[1])
            name = (path.parent / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if above == parent:
            yield int(path.parent.name), name
            yield from children(int(path.parent.name))


def test_a_killed_actor_loses_no_row_and_no_more_is_read_than_fits(tmp_path: Path) -> None:
    killed: list[int] = []
    given = 0
    with Database.open(tmp_path / "issuer.db") as database:
        put(database, *about(10 * 64 + 5), PERSONAL)
        with Run.start(database) as run:
            batches = list(run.look(Wanted(AT, (Format.BBS,))))

    def source() -> Iterator[Columns]:
        nonlocal given
        for batch in batches:
            given += 1
            yield batch

    seen: list[str] = []
    ahead: list[int] = []
    for batch, made in on_ray(source(), work=Work(sign_batch, issuer_keys(), AT), address="ray", actors=ACTORS):
        assert list(batch["digest"]) == list(made["digest"])
        seen += made["digest"]
        ahead.append(given - len(ahead))
        assert [one["code"] for one in rows(made) if one["error"]] in ([], ["PERSONAL_TEXT"])
        if len(ahead) in (2, 5):
            (pid, _), *_ = ((pid, name) for pid, name in children(os.getpid()) if name.startswith("ray::Signer"))
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)
    assert len(killed) == 2
    assert sorted(seen) == sorted(digest for batch in batches for digest in batch["digest"])
    assert max(ahead) <= WAITING * ACTORS


def test_a_whole_run_on_ray(tmp_path: Path) -> None:
    with Database.open(tmp_path / "issuer.db") as database:
        put(database, *about(150), PERSONAL)
        with Run.start(database) as run:
            outcome = issue_pending(
                run,
                issuer_keys(),
                wanted=Wanted(AT, (Format.BBS, Format.SD_JWT)),
                engine=Engine(ACTORS, "ray"),
                base=BASE,
                on_total=lambda _: None,
                on_done=lambda _: None,
            )
        assert (outcome.signed, outcome.refused) == (300, 2)
        check_whole(database)


def test_only_what_is_an_address_is_one() -> None:
    assert check_engine("ray://cluster.example:10001") == "ray://cluster.example:10001"
    for text in ("ray:", "ray://", "spark", "ray://a b", "ray://x" * 100):
        with pytest.raises(Malformed):
            check_engine(text)
