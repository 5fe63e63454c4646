"""Verifying many proofs of one issuer at once says the same of each as verifying it alone."""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bench.documents import AT, earnings
from tests.line import holder_key, issuer_keys, rand_from
from vc.bbs_batch import all_pair
from vc.did import resolve_method
from vc.errors import Rejected, VcError
from vc.model import Proof, parse_proof
from vc.secure import derive, hold, sign_selective
from vc.suites.bbs_2023 import verify_derived_proof
from vc.suites.bbs_2023_batch import verify_derived_proofs
from work import CONTEXTS

KEY = issuer_keys().credentials
METHOD = resolve_method(KEY.verification_method)
Shown = tuple[dict[str, Any], Proof]


def shown(count: int) -> list[Shown]:
    document, mandatory, pointers = earnings(KEY.did, holder_key().did)
    signed = sign_selective(
        document, key=KEY, created=AT, mandatory=mandatory, contexts=CONTEXTS, rand=rand_from("batch")
    )
    held = hold(signed, contexts=CONTEXTS)
    made = [derive(held, pointers[: number % 8 + 1], rand=os.urandom) for number in range(count)]
    return [({name: one[name] for name in one if name != "proof"}, parse_proof(one["proof"])) for one in made]


def together(documents: list[Shown]) -> list[str]:
    outcomes = verify_derived_proofs(documents, method=METHOD, contexts=CONTEXTS, rand=os.urandom)
    return ["" if outcome is None else outcome.code for outcome in outcomes]


def alone(documents: list[Shown]) -> list[str]:
    codes = []
    for document, proof in documents:
        try:
            verify_derived_proof(document, proof, method=METHOD, contexts=CONTEXTS)
            codes.append("")
        except VcError as error:
            codes.append(error.code)
    return codes


def test_good_ones() -> None:
    assert together(shown(5)) == alone(shown(5)) == [""] * 5


def change_claim(documents: list[Shown]) -> None:
    documents[1][0]["credentialSubject"]["currency"] = "EUR"


def add_claim(documents: list[Shown]) -> None:
    documents[0][0]["credentialSubject"]["total"] = "1.00"


def swap_proofs(documents: list[Shown]) -> None:
    documents[0], documents[2] = (documents[0][0], documents[2][1]), (documents[2][0], documents[0][1])


def base_proof(documents: list[Shown]) -> None:
    documents[2] = (documents[2][0], replace(documents[2][1], value="u2V0ChQ"))


def none_good(documents: list[Shown]) -> None:
    for document, _ in documents:
        document["issuer"] = "did:example:other"


@pytest.mark.parametrize("spoil", [change_claim, add_claim, swap_proofs, base_proof, none_good])
def test_bad_ones_are_named_and_spoil_no_other(spoil: Callable[[list[Shown]], None]) -> None:
    documents = shown(4)
    spoil(documents)
    assert any(alone(documents))
    assert together(documents) == alone(documents)


def test_proofs_of_another_key_do_not_pass_together() -> None:
    other = resolve_method(issuer_keys("another").credentials.verification_method)
    outcomes = verify_derived_proofs(shown(3), method=other, contexts=CONTEXTS, rand=os.urandom)
    assert all(isinstance(outcome, Rejected) for outcome in outcomes)


def test_of_no_proofs_nothing_holds() -> None:
    assert not all_pair(KEY.public.raw, [], rand=os.urandom)
    assert together([]) == []


def test_two_errors_that_cancel_out_without_coefficients_are_found() -> None:
    """Proofs whose points are off by opposite amounts would pass a sum without random coefficients."""
    from vc.bbs_batch import parse_shown  # noqa: PLC0415
    from vc.suites.bbs_2023_batch import _shown  # noqa: PLC0415

    first, second = (parse_shown(KEY.public.raw, _shown(*one, CONTEXTS)) for one in shown(2))
    off = replace(first, b_bar=first.b_bar + first.d), replace(second, b_bar=second.b_bar - first.d)
    assert all_pair(KEY.public.raw, [first, second], rand=os.urandom)
    assert not all_pair(KEY.public.raw, off, rand=os.urandom)
    assert all_pair(KEY.public.raw, off, rand=lambda length: b"\0" * (length - 1) + b"\1")  # why chance is needed
