"""The words that a trust list goes with: contexts and schemas, by hash."""

from hashlib import sha256
from importlib import resources
from typing import Final

from vc.canon import Json, parse_object, to_json
from vc.errors import Undetermined
from work import CONTEXTS
from work.types import TYPES

MAX_NAMED: Final = 20  # differences that are told one by one


def vocabulary() -> bytes:
    """The hashes of this program's contexts and schemas, as a file of a list."""
    return to_json({"contexts": dict(CONTEXTS.pins), "schemas": _schemas()})


def _schemas() -> dict[str, Json]:
    folder = resources.files("work.schemas")
    held = {f"{name}.json": folder / f"{name}.json" for name in TYPES}
    return {name: sha256(file.read_bytes()).hexdigest() for name, file in held.items() if file.is_file()}


def other_schemas(raw: bytes) -> tuple[str, ...]:
    """The schemas that the publisher has another version of; what they describe is still checked by our own.

    Raises :class:`Undetermined` where a context differs: the same words would mean something else.
    """
    said = parse_object(raw, where="vocabulary.json")
    contexts, schemas = said.get("contexts"), said.get("schemas")
    for url, pin in (contexts if isinstance(contexts, dict) else {}).items():
        if CONTEXTS.pins.get(url, pin) != pin:
            raise Undetermined(
                f"the list goes with another version of {url[:200]}", "get the newest ouvrage", code="OTHER_VOCABULARY"
            )
    own = _schemas()
    given = schemas if isinstance(schemas, dict) else {}
    return tuple(name for name, pin in sorted(own.items()) if given.get(name, pin) != pin)[:MAX_NAMED]
