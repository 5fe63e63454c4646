"""An ETSI TS 119 612 trusted list: the certificates of its services, as issuers of SD-JWT VCs with ``x5c``.

The XML signature of the list is NOT verified here. So the list has to be the one whose SHA-256 was told by another
road; without that it is refused. It is read without a DTD, entities, or anything from elsewhere, and bounded.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Final
from xml.parsers import expat

from vc.canon import Json
from vc.errors import Malformed
from vc.model import format_date_time, parse_date_time
from verifier.trust_roles import refused

MAX_LIST: Final = 16 << 20  # bytes; the largest national list has 6 MB
MAX_ELEMENTS: Final = 400_000
MAX_DEPTH: Final = 64
NAMESPACE: Final = "http://uri.etsi.org/02231/v2#"
GRANTED: Final = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/granted"


@dataclass(slots=True)
class Element:
    """An XML element: its name with its namespace, its text, and what is in it."""

    name: str
    text: str = ""
    children: list["Element"] = field(default_factory=list)

    def all(self, *path: str) -> list["Element"]:
        """The elements at the end of a path of ETSI names."""
        found = [self]
        for name in path:
            found = [child for each in found for child in each.children if child.name == f"{NAMESPACE} {name}"]
        return found

    def one(self, *path: str) -> str:
        """The text of the first of them, or nothing."""
        return next((each.text.strip() for each in self.all(*path)), "")


def read_trusted_list(
    raw: bytes,
    digest: str | None,
    services: Sequence[str],
    may_attest: Sequence[str],
    *,
    names: Sequence[str] = (),
    at: datetime,
) -> list[dict[str, Json]]:
    """The entries of the providers whose services are of one of the types ``services``, as of ``at``.

    ``names`` are what the certificates of an issuer have to state, where there are any.
    Raises :class:`Malformed`, or :class:`Rejected` for another list than the one that ``digest`` names.
    """
    if digest is None or sha256(raw).hexdigest() != "".join(digest.split()).lower():
        raise refused(
            "TRUSTED_LIST_UNVERIFIED",
            "the signature of a trusted list is not checked here: give its SHA-256 with --sha256, as its operator or a "
            "tool that checks signatures told you",
        )
    root = parse_xml(raw)
    if root.name != f"{NAMESPACE} TrustServiceStatusList":
        raise Malformed("trusted list", "not an ETSI trusted list", code="BAD_TRUSTED_LIST")
    ends = root.one("SchemeInformation", "NextUpdate", "dateTime")
    if not ends or at >= parse_date_time(ends, where="trusted list NextUpdate"):
        raise refused("TRUST_EXPIRED", "the trusted list has ended: get the newest one")
    if not services or not may_attest:
        types = sorted({each.one("ServiceTypeIdentifier") for each in _services(root)})
        raise Malformed(
            "--service, --may-attest",
            f"say which services to take, and what they may attest; this list has: {', '.join(types)[:800]}",
            code="USAGE",
        )
    providers = root.all("TrustServiceProviderList", "TrustServiceProvider")
    entries = [
        entry for each in providers if (entry := _entry(each, frozenset(services), may_attest, names)) is not None
    ]
    if not entries:
        raise Malformed("trusted list", "has no service of that type with a certificate", code="NOT_FOUND")
    return entries


def _services(root: Element) -> list[Element]:
    path = ("TrustServiceProviderList", "TrustServiceProvider", "TSPServices", "TSPService", "ServiceInformation")
    return root.all(*path)


def _entry(
    provider: Element, wanted: frozenset[str], may_attest: Sequence[str], names: Sequence[str]
) -> dict[str, Json] | None:
    certificates = [
        one | ({"names": list[Json](names)} if names else {})
        for service in provider.all("TSPServices", "TSPService")
        if service.one("ServiceInformation", "ServiceTypeIdentifier") in wanted
        for one in _certificates(service)
    ]
    if not certificates:
        return None
    name = provider.one("TSPInformation", "TSPName", "Name")
    trade = [each.text.strip() for each in provider.all("TSPInformation", "TSPTradeName", "Name")]
    # §5.4.2: the first trade name that is built like VATDE-123 is the official registration
    identifier = next((each for each in trade if len(each) > 6 and each[5:6] == "-" and each[:5].isupper()), "")
    if not name:
        raise Malformed("trusted list", "a provider without a name", code="BAD_TRUSTED_LIST")
    issuer: dict[str, Json] = {
        "name": name[:500],
        "legalIdentifier": (identifier or name)[:500],
        "mayAttest": list[Json](may_attest),
        "keys": [],
        "certificates": list[Json](certificates),
    }
    return {"issuer": issuer}


def _certificates(service: Element) -> Iterator[dict[str, Json]]:
    """Each certificate with the times within which its service was granted (§5.5.4, §5.6)."""
    (now, *_) = service.all("ServiceInformation") or [Element("")]
    states = [(now.one("StatusStartingTime"), now.one("ServiceStatus"))]
    history = service.all("ServiceHistory", "ServiceHistoryInstance")
    states += [(each.one("StatusStartingTime"), each.one("ServiceStatus")) for each in history]
    times = sorted((parse_date_time(time, where="trusted list StatusStartingTime"), state) for time, state in states)
    granted: list[tuple[datetime, datetime | None]] = []
    for (start, state), after in zip(times, [*(time for time, _ in times[1:]), None], strict=True):
        if state == GRANTED:
            granted.append((start, after))
    for held in now.all("ServiceDigitalIdentity", "DigitalId", "X509Certificate"):
        for start, end in granted:
            yield {
                "certificate": "".join(held.text.split()),
                "validFrom": format_date_time(start),
                "validUntil": None if end is None else format_date_time(end),
            }


def parse_xml(raw: bytes) -> Element:
    """An XML document without a DTD, bounded. Raises :class:`Malformed`."""
    if len(raw) > MAX_LIST:
        raise Malformed("XML", f"larger than {MAX_LIST} bytes", code="TOO_LARGE")
    parser = expat.ParserCreate(namespace_separator=" ")
    top = Element("")
    stack, count = [top], 0

    def start(name: str, _: object) -> None:
        nonlocal count
        count += 1
        if count > MAX_ELEMENTS or len(stack) > MAX_DEPTH:
            raise Malformed("XML", "too many elements, or too deep", code="TOO_LARGE")
        element = Element(name)
        stack[-1].children.append(element)
        stack.append(element)

    def end(_: str) -> None:
        stack.pop()

    def text(piece: str) -> None:
        stack[-1].text += piece

    def refuse(*_: object) -> None:
        raise Malformed("XML", "with a DTD, which could make it mean anything", code="BAD_TRUSTED_LIST")

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.StartDoctypeDeclHandler = refuse
    parser.buffer_text = True
    try:
        parser.Parse(raw, True)
    except (expat.ExpatError, ValueError, LookupError):
        raise Malformed("XML", "cannot be read as XML", code="BAD_TRUSTED_LIST") from None
    return top.children[0]
