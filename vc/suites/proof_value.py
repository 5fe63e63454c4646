"""What the selective suites share: proof values (three header bytes and deterministic CBOR), and what is disclosed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NoReturn, cast

from vc import cbor
from vc.canon import Json
from vc.errors import Finding, Malformed, Rejected
from vc.model import Object
from vc.multibase import decode_base64url, encode_base64url
from vc.suites.selective import (
    MAX_POINTERS,
    Labelled,
    LabelMap,
    group,
    parse_pointers,
    relative_indexes,
    select_json_ld,
    verifier_label_map,
)

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


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What a derived document shows, and how a verifier finds it among what was signed."""

    label_map: LabelMap
    mandatory_indexes: tuple[int, ...]
    selective_indexes: tuple[int, ...]
    reveal_document: dict[str, Json]


def disclose(
    document: Object, labelled: Labelled, mandatory_pointers: Sequence[str], selective_pointers: Sequence[str]
) -> Disclosure:
    """vc-di-ecdsa#createdisclosuredata, vc-di-bbs#createdisclosuredata: what the two have in common, all but the proof.

    Raises :class:`Malformed` for pointers that name nothing.
    """
    mandatory = parse_pointers(mandatory_pointers, document, where=AT)
    selective = parse_pointers(selective_pointers, document, where="/selectivePointers")
    combined = (*mandatory, *selective)
    groups = group(labelled, {"mandatory": mandatory, "selective": selective, "combined": combined})
    mandatory_indexes, selective_indexes = relative_indexes(groups)
    reveal_document = select_json_ld(combined, document)
    if reveal_document is None:
        raise Malformed("/selectivePointers", "nothing is selected and nothing is mandatory", code="BAD_POINTER")
    return Disclosure(verifier_label_map(groups), mandatory_indexes, selective_indexes, reveal_document)


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
