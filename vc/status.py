"""Bitstring Status List 1.0 (W3C Recommendation of 15 May 2025): build, update, read.

A list is read as it was received, compressed, and inflated in pieces: finding one status needs no more memory than the
list takes on the wire. Whether a list may be believed, and whether it is fresh, is :mod:`vc.verify`'s to say.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, Self

from vc.canon import Json
from vc.deflate import GZIP, MAX_DEFLATED, deflate, inflate, pick
from vc.errors import Finding, Malformed, Rejected, Undetermined, Unsupported
from vc.model import CREDENTIALS_V2, Credential, Object, format_date_time, is_url
from vc.multibase import decode_base64url, encode_base64url

MIN_ENTRIES: Final = 131_072  # the herd that a credential hides in
MAX_ENCODED: Final = MAX_DEFLATED * 4 // 3  # characters
MAX_ENTRIES: Final = 8  # status entries of one credential; each costs a list
MAX_SIZE: Final = 8  # bits of one status: 256 messages, each of which every credential would carry

# Purposes that do not put the credential's validity in question, and what is noted where they are set.
NOTES: Final[Mapping[str, str]] = MappingProxyType({"message": "STATUS_MESSAGE", "refresh": "REFRESH_AVAILABLE"})

ENTRY: Final = "BitstringStatusListEntry"
LIST: Final = "BitstringStatusListCredential"

REVOKED: Final = Finding("REVOKED", "was withdrawn by its issuer", "/credentialStatus")
SUSPENDED: Final = Finding("SUSPENDED", "is suspended by its issuer", "/credentialStatus")

_INDEX: Final = re.compile(r"(?:0|[1-9][0-9]{0,9})\Z")
_STATUS: Final = re.compile(r"0x[0-9A-Fa-f]{1,2}\Z")


@dataclass(frozen=True, slots=True)
class StatusEntry:
    """Where one status of a credential stands (vc-bitstring-status-list#bitstringstatuslistentry).

    ``size`` is in bits; ``messages`` holds what each value means, by value, or nothing where a bit is set or unset.
    """

    list_url: str
    index: int
    purpose: str
    size: int = 1
    messages: tuple[str, ...] = ()

    @classmethod
    def parse(cls, value: Json, *, where: str = "/credentialStatus") -> Self:
        """Raises :class:`Malformed`, or :class:`Unsupported` for a status of another type."""
        if not isinstance(value, dict):
            raise _bad(where, "not an object")
        if value.get("type") not in (ENTRY, [ENTRY]):
            raise Unsupported("status", str(value.get("type")), code="UNSUPPORTED_STATUS")
        match value:
            case {"statusListCredential": str(url), "statusListIndex": str(index), "statusPurpose": str(purpose)}:
                if is_url(url) and _INDEX.match(index) and purpose:
                    size = _size(value, where)
                    return cls(url, int(index), purpose, size, _messages(value, size, where))
        raise _bad(where, "needs a statusPurpose, a statusListCredential and a statusListIndex as text")

    def to_json(self) -> dict[str, Json]:
        """The entry as it stands in a credential."""
        entry: dict[str, Json] = {
            "type": ENTRY,
            "statusPurpose": self.purpose,
            "statusListIndex": str(self.index),
            "statusListCredential": self.list_url,
        }
        if self.size > 1:
            entry["statusSize"] = self.size
        if self.messages:
            entry["statusMessage"] = [
                {"status": f"0x{value:x}", "message": message} for value, message in enumerate(self.messages)
            ]
        return entry


def status_entries(document: Object) -> list[Json]:
    """What a credential states as its status, not yet read. Raises :class:`Malformed` for more than MAX_ENTRIES."""
    value = document.get("credentialStatus", [])
    entries: list[Json] = value if isinstance(value, list) else [value]
    if len(entries) > MAX_ENTRIES:
        raise _bad("/credentialStatus", f"more than {MAX_ENTRIES} entries")
    return entries


@dataclass(frozen=True, slots=True)
class StatusList:
    """A status list (vc-bitstring-status-list#bitstringstatuslistcredential), compressed as received.

    ``ttl`` is when its publisher wants it to be fetched again; it is no end of validity.
    """

    purposes: frozenset[str]
    compressed: bytes = field(repr=False)
    size: int | None = None  # where the list states it
    ttl: timedelta | None = None

    @classmethod
    def parse(cls, credential: Credential, *, where: str = "") -> Self:
        """The list that a credential carries: its form only. Raises :class:`Malformed`."""
        if LIST not in credential.types or len(credential.subjects) != 1:
            raise _bad(where, f"not a {LIST} about one list")
        subject, where = credential.subjects[0], f"{where}/credentialSubject"
        if subject.get("type") not in ("BitstringStatusList", ["BitstringStatusList"]):
            raise _bad(f"{where}/type", "not a BitstringStatusList")
        stated = subject.get("statusPurpose")
        purposes = [stated] if isinstance(stated, str) else stated
        if not isinstance(purposes, list) or not all(isinstance(purpose, str) and purpose for purpose in purposes):
            raise _bad(f"{where}/statusPurpose", "not a text or a list of texts")
        if not purposes:
            raise _bad(f"{where}/statusPurpose", "an empty list")
        return cls(
            purposes=frozenset(map(str, purposes)),
            compressed=_decode(subject.get("encodedList"), f"{where}/encodedList"),
            size=_size(subject, where) if "statusSize" in subject else None,
            ttl=_ttl(subject, where),
        )

    def read(self, entry: StatusEntry) -> int:
        """The value of one status (vc-bitstring-status-list#validate-algorithm, steps 5 to 11).

        Raises :class:`Rejected` where the entry does not fit the list, :class:`Malformed` where the list is none.
        """
        if entry.purpose not in self.purposes or entry.size != (self.size or entry.size):
            raise Rejected((_finding("STATUS_VERIFICATION_ERROR", "names a status list of another purpose"),))
        first = entry.index * entry.size
        stop = (first + entry.size + 7) // 8
        picked, length = pick(inflate(self.compressed, form=GZIP, where="encodedList"), first // 8, stop)
        check_length(length, entry.size)
        if stop > length:
            raise Rejected((_finding("RANGE_ERROR", "names a place that its status list does not have"),))
        return _value(picked, first % 8, entry.size)


def check_length(length: int, size: int) -> None:
    """Raise :class:`Malformed` unless a list of ``length`` bytes has room for the smallest herd."""
    if length * 8 // size < MIN_ENTRIES:
        raise Malformed("encodedList", f"has fewer than {MIN_ENTRIES} entries", code="STATUS_LIST_LENGTH_ERROR")


def new_list(entries: int = MIN_ENTRIES, *, size: int = 1) -> bytes:
    """A list in which nothing is set, with room for ``entries`` of ``size`` bits. Raises :class:`Malformed`."""
    bits = bytes((entries * size + 7) // 8)
    check_length(len(bits), size)
    return bits


def set_statuses(bits: bytes, statuses: Mapping[int, int], *, size: int = 1) -> bytes:
    """The list with these values at these indexes. Raises :class:`Malformed` for what does not fit in."""
    changed, mask, last = bytearray(bits), (1 << size) - 1, len(bits) * 8 - size
    for index, value in statuses.items():
        first = index * size
        if not 0 <= first <= last or not 0 <= value <= mask:
            raise Malformed("status list", f"no room for {value} at {index}", code="RANGE_ERROR")
        start, stop = first >> 3, (first + size + 7) >> 3
        shift = stop * 8 - first - size
        if stop - start == 1:
            changed[start] = changed[start] & ~(mask << shift) | value << shift
            continue
        held = int.from_bytes(changed[start:stop], "big") & ~(mask << shift)
        changed[start:stop] = (held | value << shift).to_bytes(stop - start, "big")
    return bytes(changed)


def encode_list(bits: bytes) -> str:
    """vc-bitstring-status-list#bitstring-generation-algorithm: gzip, then base64url as multibase."""
    return "u" + encode_base64url(deflate(bits, form=GZIP))


def expand_list(encoded: str) -> bytes:
    """vc-bitstring-status-list#bitstring-expansion-algorithm. Raises :class:`Malformed`."""
    where = "encodedList"
    return b"".join(inflate(_decode(encoded, where), form=GZIP, where=where))


def status_list_credential(
    bits: bytes,
    *,
    url: str,
    issuer: str,
    purposes: Sequence[str],
    valid_from: datetime,
    valid_until: datetime,
    ttl: timedelta | None = None,
) -> dict[str, Json]:
    """The credential that publishes a list, for its issuer to sign (vc-bitstring-status-list#generate-algorithm)."""
    subject: dict[str, Json] = {
        "id": f"{url}#list",
        "type": "BitstringStatusList",
        "statusPurpose": purposes[0] if len(purposes) == 1 else list[Json](purposes),
        "encodedList": encode_list(bits),
    }
    if ttl is not None:
        subject["ttl"] = ttl // timedelta(milliseconds=1)
    return {
        "@context": [CREDENTIALS_V2],
        "id": url,
        "type": ["VerifiableCredential", LIST],
        "issuer": issuer,
        "validFrom": format_date_time(valid_from),
        "validUntil": format_date_time(valid_until),
        "credentialSubject": subject,
    }


def check_purpose(entry: StatusEntry, value: int) -> Iterator[Finding | Undetermined]:
    """What a status says against its credential. A purpose that is not known here cannot be told."""
    if value == 0 or entry.purpose in NOTES:
        return
    if entry.purpose == "revocation":
        yield REVOKED
    elif entry.purpose == "suspension":
        yield SUSPENDED
    else:
        yield unknown_status(f"a status for {entry.purpose[:60]}, which is not known here")


def note(entry: StatusEntry, value: int) -> str | None:
    """The code of what a status says beside its credential, which stays valid; None where it says nothing."""
    if value == 0 or entry.purpose not in NOTES:
        return None
    message = entry.messages[value] if entry.messages else ""
    return "CONTESTED" if message == "contested" else NOTES[entry.purpose]


def unknown_status(what: str) -> Undetermined:
    """The answer where a status list says nothing that can be understood, or is not held."""
    return Undetermined(f"the credential has {what}", "get a trust file with its status list", code="STATUS_UNKNOWN")


def unusable(why: str) -> Undetermined:
    """The answer where a status list is held and cannot be relied on."""
    return Undetermined(
        f"the status list {why}", "get a trust file with its status list", code="STATUS_VERIFICATION_ERROR"
    )


def _value(picked: bytes, skipped: int, size: int) -> int:
    """``size`` bits after the first ``skipped``; the left-most bit is the highest."""
    return int.from_bytes(picked, "big") >> (len(picked) * 8 - skipped - size) & ((1 << size) - 1)


def _decode(value: Json, where: str) -> bytes:
    if not isinstance(value, str) or not value.startswith("u"):
        raise _bad(where, "not base64url as multibase")
    return decode_base64url(value[1:], where=where, limit=MAX_ENCODED)


def _size(value: Object, where: str) -> int:
    size = value.get("statusSize", 1)
    if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= MAX_SIZE:
        raise _bad(f"{where}/statusSize", f"not a whole number from 1 to {MAX_SIZE}")
    return size


def _ttl(subject: Object, where: str) -> timedelta | None:
    if "ttl" not in subject:
        return None
    ttl = subject["ttl"]
    if not isinstance(ttl, int) or isinstance(ttl, bool) or not 0 <= ttl <= 10**12:  # 30 years
        raise _bad(f"{where}/ttl", "not a number of milliseconds")
    return timedelta(milliseconds=ttl)


def _messages(value: Object, size: int, where: str) -> tuple[str, ...]:
    """The message of each value, in the order of the values."""
    if "statusMessage" not in value and size == 1:
        return ()
    stated, messages = value.get("statusMessage"), dict[int, str]()
    for item in stated if isinstance(stated, list) and len(stated) == 1 << size else ():
        match item:
            case {"status": str(status), "message": str(message)} if _STATUS.match(status):
                messages[int(status, 16)] = message
    if sorted(messages) != list(range(1 << size)):
        raise _bad(f"{where}/statusMessage", "does not say what each value means")
    return tuple(messages[number] for number in range(1 << size))


def _finding(code: str, message: str) -> Finding:
    return Finding(code, message, "/credentialStatus")


def _bad(where: str, why: str) -> Malformed:
    return Malformed(where, why, code="MALFORMED_VALUE_ERROR")
