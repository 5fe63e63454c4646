"""Errors, sorted by what the caller can do next.

Every error that leaves :mod:`vc` is a :class:`VcError`. Messages name a place and a reason; they never carry a key,
a secret or a whole document.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with what was checked.

    ``code`` is stable and upper-case, ``message`` is for people, ``where`` is a JSON pointer or empty.
    """

    code: str
    message: str
    where: str = ""


class VcError(Exception):
    """Base of all errors of this library. ``code`` is stable; ``exit_code`` and ``http_status`` follow the class."""

    code: str
    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500

    def __reduce__(self) -> tuple[Callable[..., "VcError"], tuple[object, ...]]:
        """Errors cross process pools. ``Exception`` would call the class with its message, and lose the worker."""
        return _rebuild, (type(self), self.args, vars(self))


def _rebuild(kind: type[VcError], args: tuple[object, ...], state: dict[str, Any]) -> VcError:
    error = kind.__new__(kind, *args)
    vars(error).update(state)
    return error


class Malformed(VcError):
    """The input is not what it claims to be. ``where`` is a JSON pointer, a file name or a position."""

    exit_code = 2
    http_status = 400

    def __init__(self, where: str, why: str, *, code: str = "MALFORMED") -> None:
        super().__init__(f"{where or '/'}: {why}")
        self.where = where
        self.why = why
        self.code = code


class Unsupported(VcError):
    """The input is well-formed, but names something that this library does not do."""

    exit_code = 2
    http_status = 400

    def __init__(self, what: str, name: str, *, code: str = "UNSUPPORTED") -> None:
        super().__init__(f"unsupported {what}: {name[:200]}")
        self.what = what
        self.name = name
        self.code = code


class Rejected(VcError):
    """The input was checked and the answer is no. At least one finding says why."""

    exit_code = 1
    http_status = 422

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        if not findings:
            raise ValueError("a rejection needs a finding")
        super().__init__("; ".join(finding.message for finding in findings))
        self.findings = findings
        self.code = findings[0].code


class Undetermined(VcError):
    """The answer cannot be told from what we hold. ``hint`` says what would settle it."""

    exit_code = 3
    http_status = 503

    def __init__(self, what: str, hint: str, *, code: str = "UNDETERMINED") -> None:
        super().__init__(f"{what} ({hint})")
        self.what = what
        self.hint = hint
        self.code = code
