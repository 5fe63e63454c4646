"""Mirroring the platforms' status lists whole, so that no verifier ever has to ask a platform about one person.

Only what has changed is transferred (ETag). Nothing of it is believed here: lists are verified when they are used. But
what is no list, or older than what is held, does not take the place of one that is.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from vc.canon import Json, Limits, parse_object, to_json
from vc.errors import Malformed, VcError
from vc.io.fetch import Fetched, fetch
from vc.io.files import read_bounded, write_atomic
from vc.model import format_date_time, parse_credential, parse_date_time
from vc.token_status import parse_aggregation, parse_status_jwt
from verifier.trust_publisher import Mirrored
from verifier.trust_sources import AT_ONCE

MAX_LIST: Final = 8 << 20  # bytes: a list of 4 MB, in base64
MAX_STATE: Final = 16 << 20
MAX_LISTS: Final = 4096  # of one issuer
ACCEPT: Final = "application/statuslist+jwt, application/vc, application/json;q=0.9, */*;q=0.1"
SIBLINGS: Final = ("revocation", "suspension", "message")  # what an `ouvrage issuer` has beside each token


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a mirroring did: the lists that are held now, how many answered anew, and who could not be reached."""

    lists: tuple[Mirrored, ...]
    changed: int
    same: int
    failed: tuple[str, ...]


class Mirror:
    """The folder of lists that were taken before, and what is asked for now."""

    def __init__(self, folder: Path, *, at: datetime, private: bool) -> None:
        self.folder, self.at, self.private = folder, at, private
        self.gate = asyncio.Semaphore(AT_ONCE)
        self.state: dict[str, dict[str, str]] = _read_state(folder / "mirrored.json")
        self.wanted: dict[str, None] = {}
        self.failed: list[str] = []
        self.changed = self.same = 0

    async def run(self, places: Sequence[str]) -> Outcome:
        """Ask at each of ``places``: a status list, or a document that names all of a platform's."""
        await asyncio.gather(*(self._place(url) for url in places))
        lists = tuple(self._held(url) for url in sorted(self.wanted) if url in self.state)
        kept: dict[str, Json] = {url: dict(self.state[url]) for url in sorted(self.state) if url in self.wanted}
        write_atomic(self.folder / "mirrored.json", to_json(kept))
        used = {self.state[url]["sha256"] for url in kept}
        for path in self.folder.glob("*.list"):
            if path.stem not in used:
                path.unlink(missing_ok=True)
        return Outcome(lists, self.changed, self.same, tuple(self.failed))

    async def _place(self, url: str) -> None:
        answer = await self._ask(url)
        if answer is None:
            self._keep_all_of(url)
            return
        try:
            uris = parse_aggregation(answer.body) if answer.body.lstrip()[:1] == b"{" else None
        except VcError:
            uris = None
        if uris is None:
            self._take(url, answer, url)
            return
        own = [uri for uri in uris[:MAX_LISTS] if _origin(uri) == _origin(url)]  # nobody sends us elsewhere
        self.failed += [f"{uri[:200]}: at another place than its index" for uri in uris if uri not in own]
        await asyncio.gather(*(self._list(uri, url) for uri in own))

    async def _list(self, url: str, index: str) -> None:
        siblings = [f"{url.removesuffix('token')}{name}" for name in SIBLINGS] if url.endswith("/token") else []
        for each in (url, *siblings):
            answer = await self._ask(each, silent=each != url)
            if answer is not None:
                self._take(each, answer, index)
            elif each in self.state:
                self.wanted[each] = None  # what cannot be had anew is kept, with its old date

    async def _ask(self, url: str, *, silent: bool = False) -> Fetched | None:
        held = self.state.get(url, {})
        headers = {"Accept": ACCEPT} | ({"If-None-Match": held["etag"]} if held.get("etag") else {})
        try:
            async with self.gate:
                answer = await fetch(url, limit=MAX_LIST, private=self.private, headers=headers)
        except VcError as error:
            self.failed.append(f"{url[:200]}: {error}"[:400])
            return None
        if answer.status not in (200, 304):
            if not silent:
                self.failed.append(f"{url[:200]}: answered {answer.status}")
            return None
        return answer

    def _keep_all_of(self, index: str) -> None:
        self.wanted |= dict.fromkeys(url for url, held in self.state.items() if held.get("index") == index)

    def _take(self, url: str, answer: Fetched, index: str) -> None:
        now = format_date_time(self.at.replace(microsecond=0))
        held = self.state.get(url)
        self.wanted[url] = None
        if answer.status == 304:
            if held is not None:
                held["asOf"] = now
                self.same += 1
            return
        try:
            kind, signed = read_list(answer.body, url)
        except VcError as error:
            self.failed.append(f"{url[:200]}: {error}"[:400])
            return
        if held is not None and signed < parse_date_time(held["signed"], where="mirrored.json"):
            self.failed.append(f"{url[:200]}: is older than the one that is held")
            return
        digest = sha256(answer.body).hexdigest()
        self.changed += held is None or held["sha256"] != digest
        self.same += held is not None and held["sha256"] == digest
        write_atomic(self.folder / f"{digest}.list", answer.body, mode=0o644)
        self.state[url] = {
            "kind": kind,
            "sha256": digest,
            "asOf": now,
            "signed": format_date_time(signed),
            "etag": answer.headers.get("etag", "")[:256],
            "index": index,
        }

    def _held(self, url: str) -> Mirrored:
        held = self.state[url]
        raw = read_bounded(self.folder / f"{held['sha256']}.list", limit=MAX_LIST)
        return Mirrored(url, held["kind"], parse_date_time(held["asOf"], where="mirrored.json"), raw)


def read_list(raw: bytes, url: str) -> tuple[str, datetime]:
    """What kind of status list this is, and when it says that it was signed; nothing is verified.

    Raises :class:`Malformed` for what is not the list at ``url``.
    """
    if raw.lstrip()[:1] == b"{":
        credential = parse_credential(parse_object(raw, where="status list", limits=Limits(size=MAX_LIST)))
        when = credential.proofs[0].created if credential.proofs and credential.proofs[0].created else None
        if credential.document.get("id") != url or (when or credential.valid_from) is None:
            raise Malformed("status list", "is the list of another place, or of no time", code="BAD_STATUS_LIST")
        signed = when or credential.valid_from
        assert signed is not None
        return "credential", signed
    claims = parse_object(
        parse_status_jwt(raw.decode("ascii", errors="replace")).unverified,
        where="status list",
        limits=Limits(size=MAX_LIST),
    )
    issued = claims.get("iat")
    if claims.get("sub") != url or not isinstance(issued, int) or isinstance(issued, bool) or not 0 < issued < 1 << 36:
        raise Malformed("status list", "is the list of another place, or of no time", code="BAD_STATUS_LIST")
    return "token", datetime.fromtimestamp(issued, UTC)


def _origin(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", url
    return parts.scheme, parts.netloc


def _read_state(path: Path) -> dict[str, dict[str, str]]:
    if not path.exists():
        return {}
    read: Mapping[str, Json] = parse_object(
        read_bounded(path, limit=MAX_STATE), where=str(path), limits=Limits(size=MAX_STATE)
    )
    return {
        url: {name: str(value) for name, value in one.items()} for url, one in read.items() if isinstance(one, dict)
    }
