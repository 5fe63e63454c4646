"""``python -m fuzz [--seconds N] [TARGET…]``: fuzz every target for its share of the time, from the kept corpus.

New inputs that reach new code join the corpus; an input that makes anything but a value or one of our errors ends the
run, and is left in ``fuzz/crashes``. Needs the extra ``fuzz`` (atheris, on Linux).
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

CRASHES: Final = Path(__file__).with_name("crashes")
MAX_INPUT: Final = 16_384  # bytes: larger than any message that we make


def main(arguments: Sequence[str]) -> int:
    """Fuzz the named targets, or all of them; the exit code says whether all behaved."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=600, help="in all, for all targets together")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--keep", action="store_true", help="take what the last run found into the kept corpus")
    parser.add_argument("targets", nargs="*")
    options = parser.parse_args(arguments)
    if options.one:
        _fuzz(options.targets[0], options.seconds)
        return 0
    from fuzz.targets import TARGETS  # noqa: PLC0415  (a fuzzing process imports it instrumented, so only here)

    names = options.targets or list(TARGETS)
    if options.keep:
        for name in names:
            _keep(name)
        return 0
    share = max(options.seconds // len(names), 1)
    failed = [name for name in names if not _run(name, share)]
    sys.stdout.write(f"{len(names) - len(failed)} passed, {len(failed)} failed\n")
    return 1 if failed else 0


def _run(name: str, seconds: int) -> bool:
    done = subprocess.run(
        [sys.executable, "-m", "fuzz", "--one", "--seconds", str(seconds), name],
        capture_output=True,
        text=True,
        check=False,
    )
    last = [line for line in done.stderr.splitlines() if "cov:" in line or "Done" in line][-1:]
    sys.stdout.write(f"{name:<20} {'ok' if done.returncode == 0 else 'FAILED'}  {' '.join(last)[:100]}\n")
    if done.returncode != 0:
        sys.stdout.write(done.stderr[-3000:])
    return done.returncode == 0


def _fuzz(name: str, seconds: int) -> None:
    """Fuzz one target in this process; libFuzzer ends it."""
    import atheris  # noqa: PLC0415  (the regression test of the corpus needs the targets, not the fuzzer)

    with atheris.instrument_imports(include=["vc", "work"]):
        from fuzz.targets import CORPUS, TARGETS, attempt  # noqa: PLC0415
    target = TARGETS[name]
    fresh = CRASHES / f"corpus-{name}"
    fresh.mkdir(parents=True, exist_ok=True)
    (CORPUS / name).mkdir(parents=True, exist_ok=True)
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={MAX_INPUT}",
        "-timeout=10",
        "-rss_limit_mb=2048",
        f"-artifact_prefix={CRASHES}/{name}-",
    ]
    atheris.Setup([sys.argv[0], *options, str(fresh), str(CORPUS / name)], lambda raw: _once(attempt, target, raw))
    atheris.Fuzz()


def _once(attempt: object, target: object, raw: bytes) -> None:
    attempt(target, raw)  # type: ignore[operator]


def _keep(name: str) -> None:
    from fuzz.targets import CORPUS  # noqa: PLC0415

    for path in (CRASHES / f"corpus-{name}").glob("*"):
        shutil.copy(path, CORPUS / name / path.name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
