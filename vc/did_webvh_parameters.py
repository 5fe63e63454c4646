"""The parameters of a did:webvh log (did:webvh 1.0, DID Method Parameters): what may update the DID, and how."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from vc.canon import Json
from vc.errors import Malformed, Unsupported, VcError
from vc.keys import ED25519, parse_multikey
from vc.model import Object

METHOD: Final = "did:webvh:1.0"
MAX_LISTED: Final = 64  # keys, hashes, witnesses or watchers in one entry

# What a member means where the first entry leaves it out. Null is an old spelling of the same, to be read as it.
DEFAULTS: Final[Mapping[str, Json]] = MappingProxyType(
    {
        "updateKeys": [],
        "nextKeyHashes": [],
        "witness": {},
        "watchers": [],
        "portable": False,
        "deactivated": False,
        "ttl": 3600,
    }
)


@dataclass(frozen=True, slots=True)
class Witnesses:
    """Who witnesses updates (did:key DIDs), and how many of them have to."""

    threshold: int
    ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters in force after an entry. ``witness`` is None where none is required."""

    scid: str
    update_keys: tuple[str, ...]
    next_key_hashes: frozenset[str]
    witness: Witnesses | None
    portable: bool
    deactivated: bool
    values: Mapping[str, Json]  # every member, as the next entry inherits it


def parse_parameters(value: Json, previous: Parameters | None, *, where: str) -> Parameters:
    """The parameters after an entry that states ``value``, following ``previous``. Raises :class:`Malformed`."""
    if not isinstance(value, dict):
        raise _bad(where, "not an object")
    if previous is None:
        _check_first(value, where)
    else:
        _check_later(value, previous, where)
    stated = {name: DEFAULTS.get(name) if member is None else member for name, member in value.items()}
    values = {**(previous.values if previous else DEFAULTS), **stated}
    for name, check in _CHECKS.items():
        if not check(values[name]):
            raise _bad(f"{where} /parameters/{name}", "not of its form")
    return Parameters(
        scid=str(values["scid"]),
        update_keys=_texts(values["updateKeys"]),
        next_key_hashes=frozenset(_texts(values["nextKeyHashes"])),
        witness=_witnesses(values["witness"], f"{where} /parameters/witness"),
        portable=values["portable"] is True,
        deactivated=values["deactivated"] is True,
        values=values,
    )


def _check_first(value: Object, where: str) -> None:
    _check_names(value, where)
    missing = {"method", "scid", "updateKeys"} - set(value)
    if missing:
        raise _bad(where, f"the first entry lacks {', '.join(sorted(missing))}")


def _check_later(value: Object, previous: Parameters, where: str) -> None:
    _check_names(value, where)
    if "scid" in value:
        raise _bad(where, "a later entry may not state the SCID again")
    if value.get("portable") is True:
        raise _bad(where, "only the first entry may make a DID portable")
    if previous.next_key_hashes and not {"updateKeys", "nextKeyHashes"} <= set(value):
        raise _bad(where, "with pre-rotation every entry states its keys and the hashes of the next")


def _check_names(value: Object, where: str) -> None:
    unknown = set(value) - set(DEFAULTS) - {"method", "scid"}
    if unknown:
        raise _bad(where, "a parameter that did:webvh 1.0 does not have")
    if value.get("method", METHOD) != METHOD:
        raise Unsupported("version of did:webvh", str(value["method"]), code="UNSUPPORTED_DID")


def _is_texts(value: Json) -> bool:
    return isinstance(value, list) and len(value) <= MAX_LISTED and all(isinstance(item, str) for item in value)


def _is_ttl(value: Json) -> bool:
    return type(value) is int and 0 <= value <= 2**31


def _is_bool(value: Json) -> bool:
    return isinstance(value, bool)


_CHECKS: Final[Mapping[str, Callable[[Json], bool]]] = MappingProxyType(
    {
        "scid": lambda value: isinstance(value, str),
        "updateKeys": _is_texts,
        "nextKeyHashes": _is_texts,
        "watchers": _is_texts,
        "portable": _is_bool,
        "deactivated": _is_bool,
        "ttl": _is_ttl,
    }
)


def _texts(value: Json) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _witnesses(value: Json, where: str) -> Witnesses | None:
    """did:webvh 1.0, The witness Parameter. One that is not understood is an error, never "no witnesses"."""
    if value == {}:
        return None
    match value:
        case {"threshold": int(threshold), "witnesses": list(entries), **rest} if not rest:
            ids = [_witness(entry, where) for entry in entries[: MAX_LISTED + 1]]
            if len(set(ids)) == len(ids) <= MAX_LISTED and type(threshold) is int and 1 <= threshold <= len(ids):
                return Witnesses(threshold, frozenset(ids))
    raise _bad(where, "needs a threshold and as many different witnesses")


def _witness(entry: Json, where: str) -> str:
    """A did:key whose key can make the proofs that did:webvh 1.0 permits."""
    match entry:
        case {"id": str(did), **rest} if not rest and did.startswith("did:key:"):
            try:
                if parse_multikey(did.removeprefix("did:key:")).kind == ED25519:
                    return did
            except VcError:
                pass
    raise _bad(where, "a witness is the did:key of an Ed25519 key")


def _bad(where: str, why: str) -> Malformed:
    return Malformed(where, why, code="BAD_DID_LOG")
