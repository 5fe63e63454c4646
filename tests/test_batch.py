"""Many answers in one run: a line for each, in their order, against the same, whatever is wrong with one."""

import fcntl
import io
import json
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final

import pytest

from issuer.formats import Format
from tests.cli import ouvrage
from tests.line import AT, rand_from
from tests.test_faults import RULES, perfect, perfect_answer, trust_text
from tests.test_wallet_sdjwt import asked
from vc.canon import to_json
from vc.errors import Malformed, Undetermined
from verifier import batch
from verifier.batch import MAX_LINE, Checker, Terms, check_all, read_lines
from verifier.request import Wanted, build_request

FORMATS: Final = list(Format)


def asking(form: Format) -> dict[str, Any]:
    """The request that the perfect answer in a format answers, as it was sent."""
    made = build_request(
        [Wanted.parse("Earnings.averageAtLeast12m>=1500")],
        client_id="lender.example",
        purpose="credit.consumer.eu",
        necessity="",
        retention_days=30,
        ask_anyway=True,
        accept_possession=False,
        sd_jwt=form is Format.SD_JWT,
        rand=rand_from("request"),
    )
    assert made["nonce"] == asked(sd=form is Format.SD_JWT).nonce
    return made


def line(form: Format = Format.BBS, **changes: Any) -> bytes:
    return to_json({"id": f"of {form}", "request": asking(form), "answer": json.loads(perfect_answer(form)), **changes})


BAD: Final = [
    b"",
    b"junk",
    b"[]",
    b"{}",
    b"\xff\xfe",
    b'{"request": 1, "answer": {}}',
    b"[" * 100_000,
    line(id=7),
    line(id="x" * 300),
    line(answer={}),
    line(answer={"vp_token": {}}),
    line(request={}),
    line(request=asking(Format.SD_JWT)),
]
LINES: Final = [line(FORMATS[number % 3]) for number in range(5)] + BAD + [line(Format.SD_JWT)]


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("batch") / "trust.json"
    path.write_text(trust_text())
    return path


@pytest.fixture
def terms(trust: Path) -> Terms:
    return Terms(trust, "digest of the trust", AT, RULES.encode())


def results(raw: bytes) -> list[dict[str, Any]]:
    return [json.loads(one) for one in raw.splitlines()]


def test_every_line_has_its_own_result_whatever_is_wrong_with_another(terms: Terms) -> None:
    checker = Checker.of(terms)
    made = results(b"".join(checker.result(number, raw) for number, raw in enumerate(LINES, 1)))
    assert [one["line"] for one in made] == list(range(1, len(LINES) + 1))
    good = [one for one in made if one.get("report", {}).get("verdict") == "valid"]
    assert [one["line"] for one in good] == [1, 2, 3, 4, 5, len(LINES)]
    assert good[0]["report"]["decision"]["outcome"] == "met"
    assert good[0]["id"] == "of bbs-2023"
    for one in made[5:-1]:
        assert one.keys() == {"line", "id", "input", "terms", "report" if "report" in one else "error"}
        assert ("error" in one) or one["report"]["proven"] == []


def test_a_line_says_the_same_as_a_check_of_its_own(terms: Terms) -> None:
    checker = Checker.of(terms)
    for form in FORMATS:
        (made,) = results(checker.result(1, line(form)))
        alone = perfect(form).report().to_json()
        assert {**made["report"], "decision": None, "answerSha256": None} == {**alone, "answerSha256": None}


def test_the_command_goes_on_where_it_was_stopped(trust: Path, tmp_path: Path) -> None:
    source, out, policy = tmp_path / "answers.jsonl", tmp_path / "results.jsonl", tmp_path / "policy.toml"
    source.write_bytes(b"\n".join(LINES) + b"\n")
    policy.write_text(RULES)
    command = [
        "verifier",
        "check-all",
        source,
        "--out",
        out,
        "--trust",
        trust,
        "--policy",
        policy,
        "--at",
        "2026-11-24",
    ]
    done = ouvrage(tmp_path, *map(str, command), "--processes", "2", "--json")
    assert done.json == {"lines": len(LINES), "before": 0, "out": str(out)}  # nothing is summed up over people
    whole = out.read_bytes()
    assert [one["line"] for one in results(whole)] == list(range(1, len(LINES) + 1))
    assert out.stat().st_mode & 0o777 == 0o600
    cut = whole.index(b"\n", len(whole) // 2)
    out.write_bytes(whole[: cut + 40])  # killed in the middle of a line
    again = ouvrage(tmp_path, *map(str, command), "--processes", "1", "--json")
    assert again.json["before"] == whole[:cut].count(b"\n") + 1
    assert out.read_bytes() == whole
    other = ouvrage(tmp_path, *map(str, [*command[:7], "--at", "2026-11-24"]), "--json", ok=False)
    assert other.code == 2
    assert "OTHER_RESULTS" in other.out  # without the policy: not the same for all
    assert out.read_bytes() == whole


@pytest.mark.parametrize("held", [b"a letter", b"a letter\nof two lines\n", b'{"line": 1}\n'])
def test_what_is_not_a_result_is_not_written_over(terms: Terms, tmp_path: Path, held: bytes) -> None:
    out = tmp_path / "out"
    out.write_bytes(held)
    with pytest.raises(Malformed):
        check_all(io.BytesIO(line()), out, terms, processes=1)
    assert out.read_bytes() == held


def test_two_runs_do_not_write_one_file(terms: Terms, tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(Undetermined) as refused:
            check_all(io.BytesIO(line()), tmp_path / "out", terms, processes=1)
    assert refused.value.code == "LOCKED"


def test_a_line_without_end_is_read_no_further_than_an_answer_may_be_long() -> None:
    source = io.BytesIO(b"x" * (MAX_LINE * 3) + b"\nshort\n" + b"y" * (MAX_LINE + 1))
    assert [(number, len(raw)) for number, raw in read_lines(source)] == [(1, MAX_LINE + 1), (2, 5), (3, MAX_LINE + 1)]


def test_no_more_is_read_ahead_than_is_being_checked(terms: Terms, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []

    class Here:
        """A pool of this process alone."""

        def __init__(self, *_: Any, **__: Any) -> None:
            self.checker = Checker.of(terms)

        def __enter__(self) -> "Here":
            return self

        def __exit__(self, *_: object) -> None:
            return None

        def submit(self, _: Any, chunk: list[tuple[int, bytes]]) -> Any:
            made: Any = Future()
            made.set_result([b"%d\n" % number for number, _ in chunk])
            return made

        def shutdown(self, **_: Any) -> None:
            return None

    def chunks() -> Any:
        for number in range(50):
            taken.append(number)
            yield [(number, b"")]

    monkeypatch.setattr(batch, "ProcessPoolExecutor", Here)
    seen = 0
    for (made,) in batch._through(chunks(), terms, 2):
        assert made == b"%d\n" % seen
        assert len(taken) - seen <= batch.WAITING * 2
        seen += 1
    assert seen == 50
