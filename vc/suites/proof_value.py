"""Proof values of the selective suites: a multibase text of three header bytes and deterministic CBOR."""

from collections.abc import Sequence
from typing import Final, NoReturn, cast

from vc import cbor
from vc.errors import Finding, Malformed, Rejected
from vc.multibase import decode_base64url, encode_base64url
from vc.suites.selective import MAX_POINTERS

AT: Final = "/proof/proofValue"


def serialize_components(header: bytes, components: cbor.Cbor) -> str:
    """vc-di-ecdsa#serializebaseproofvalue, #serializederivedproofvalue: no component is tagged."""
    return "u" + encode_base64url(header + cbor.encode(components))


def parse_components(proof_value: str, header: bytes, *, suite: str) -> object:
    """vc-di-ecdsa#parsebaseproofvalue, #parsederivedproofvalue: what follows the ``header``, decoded and not yet
    looked at. Raises :class:`Malformed`."""
    data = decode_base64url(proof_value[1:], where=AT) if proof_value.startswith("u") else b""
    if data[:3] != header:
        raise Malformed(AT, f"not a proof of {suite} of the kind expected here", code="PROOF_INVALID")
    return cbor.decode(data[3:], where=AT)


def parse_indexes(values: Sequence[object]) -> tuple[int, ...]:
    """Ascending indexes; any other order would give one proof two spellings. Raises :class:`Malformed`."""
    indexes = tuple(cast("Sequence[int]", values)) if set(map(type, values)) <= {int} else (-1,)
    if indexes and (indexes != tuple(sorted(set(indexes))) or indexes[0] < 0 or indexes[-1] >= MAX_POINTERS):
        raise Malformed(AT, "indexes have to ascend", code="PROOF_INVALID")
    return indexes


def separate(nquads: Sequence[str], mandatory_indexes: Sequence[int]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """vc-di-ecdsa#createverifydata: the mandatory lines, and the others. Raises :class:`Malformed`."""
    if mandatory_indexes and mandatory_indexes[-1] >= len(nquads):  # they ascend
        raise Malformed(AT, "a mandatory index beyond the last claim", code="PROOF_INVALID")
    chosen = set(mandatory_indexes)
    others = tuple(line for index, line in enumerate(nquads) if index not in chosen)
    return tuple(nquads[index] for index in mandatory_indexes), others


def refuse_base_proof() -> NoReturn:
    """A base proof gets a finding of its own: who shows one gives away every claim and the means to show them again."""
    raise Rejected(
        (Finding("BASE_PROOF", "this is the worker's own copy, with all claims; ask for a derived proof", AT),)
    )


def check_count(shown: int, signed: int) -> None:
    """Said before the cryptography says a plain no: what was done to the claims."""
    if shown > signed:
        raise Rejected((Finding("CLAIM_ADDED", "shows more claims than were signed for this showing", "/"),))
    if shown < signed:
        raise Rejected((Finding("CLAIM_DROPPED", "lacks a claim that this showing was signed with", "/"),))
