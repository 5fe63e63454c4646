"""The kept corpus of the fuzzer, run again: each input gives a value or one of our errors."""

import pytest

from fuzz.targets import CORPUS, TARGETS, attempt

INPUTS = sorted(path for path in CORPUS.rglob("*") if path.is_file())


def test_every_target_has_a_corpus() -> None:
    assert {path.parent.name for path in INPUTS} == set(TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_the_corpus_gives_values_and_our_errors(target: str) -> None:
    outcomes = [attempt(TARGETS[target], path.read_bytes()) for path in INPUTS if path.parent.name == target]
    assert outcomes


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_stands_the_corpus_of_every_other(target: str) -> None:
    for path in INPUTS:
        attempt(TARGETS[target], path.read_bytes())
