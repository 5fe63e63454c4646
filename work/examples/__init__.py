"""One made-up statement of each type, for the documentation and the tests: nobody's data."""

from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from vc.canon import parse_object
from work.statement import Statement
from work.types import TYPES


def _load(name: str) -> Statement:
    return Statement.parse(parse_object(files(__name__).joinpath(f"{name}.json").read_bytes(), where=name))


EXAMPLES: Final[Mapping[str, Statement]] = MappingProxyType({name: _load(name) for name in TYPES})
