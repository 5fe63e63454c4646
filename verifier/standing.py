"""One name for what came of a check, from one table: what the findings mean, and what would settle each."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Standing(StrEnum):
    """How things stand with an answer, by one name. It is about the answer, never about a person."""

    VALID_AS_OF = "validAsOf"
    CONTESTED = "contested"  # valid, and a dispute about it is open
    REFUSED = "refused"
    UNKNOWN_ISSUER = "unknownIssuer"
    REVOKED = "revoked"  # or put on hold
    EXPIRED = "expired"
    STALE = "stale"
    CANNOT_TELL = "cannotTell"


class Settles(StrEnum):
    """What would settle it."""

    OUTCOME = "outcome"  # the end of the dispute
    ANSWER = "answer"  # one made anew, by the worker's own wallet, for this request
    CREDENTIAL = "credential"  # a new one from its issuer
    TRUST = "trust"  # a newer trust list, or a fuller one
    CLOCK = "clock"  # setting it right


# What is not in here is refused, and an answer made anew would settle it; or, where nothing was judged, it cannot be
# told, and a newer trust list may.
TABLE: Final[Mapping[str, tuple[Standing, Settles]]] = MappingProxyType(
    {
        "ISSUER_NOT_TRUSTED": (Standing.UNKNOWN_ISSUER, Settles.TRUST),
        "CHAIN_INVALID": (Standing.UNKNOWN_ISSUER, Settles.TRUST),
        "DID_UNKNOWN": (Standing.UNKNOWN_ISSUER, Settles.TRUST),
        "KEYS_UNKNOWN": (Standing.UNKNOWN_ISSUER, Settles.TRUST),
        "REVOKED": (Standing.REVOKED, Settles.CREDENTIAL),
        "SUSPENDED": (Standing.REVOKED, Settles.CREDENTIAL),
        "EXPIRED": (Standing.EXPIRED, Settles.CREDENTIAL),
        "STALE_TRUST": (Standing.STALE, Settles.TRUST),
        "STATUS_STALE": (Standing.STALE, Settles.TRUST),
        "NOT_YET_VALID": (Standing.REFUSED, Settles.CLOCK),
        "WRONG_CLOCK": (Standing.CANNOT_TELL, Settles.CLOCK),
        "TYPE_NOT_TRUSTED": (Standing.REFUSED, Settles.TRUST),
        "KEY_OUT_OF_WINDOW": (Standing.REFUSED, Settles.CREDENTIAL),
        "METHOD_NOT_ISSUERS": (Standing.REFUSED, Settles.CREDENTIAL),
        "SEVERAL_SUBJECTS": (Standing.REFUSED, Settles.CREDENTIAL),
        "BINDING_TOO_WEAK": (Standing.REFUSED, Settles.CREDENTIAL),
        "TYPE_RULES_BROKEN": (Standing.REFUSED, Settles.CREDENTIAL),
    }
)
_FIRST: Final = tuple(Standing)  # of several findings the earliest here names the whole: the hardest to put right


def find_standing(
    codes: Sequence[str], *, judged: bool, contested: bool = False, confirmed: bool = True
) -> tuple[Standing, tuple[Settles, ...]]:
    """The one name for a report with these findings, and everything that has to happen to settle it.

    ``judged`` says that what is not in the table is a no. Without a finding, the answer is valid: ``contested`` where
    a dispute about it is open; and with an issuer only where one has ``confirmed`` anything of it.
    """
    if not codes:
        if not confirmed:
            return Standing.UNKNOWN_ISSUER, (Settles.CREDENTIAL,)
        return (Standing.CONTESTED, (Settles.OUTCOME,)) if contested else (Standing.VALID_AS_OF, ())
    other = (Standing.REFUSED, Settles.ANSWER) if judged else (Standing.CANNOT_TELL, Settles.TRUST)
    found = [TABLE.get(code, other) for code in codes]
    named = min((standing for standing, _ in found), key=_FIRST.index)
    return named, tuple(dict.fromkeys(settles for _, settles in found))
