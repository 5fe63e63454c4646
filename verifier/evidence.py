"""Evidence packs: one file with an answer, the question, whom one trusted and the report, to check again years later.

A pack is a zip file. It holds the part of the trust that the check looked at, and the digest of the whole. Opening one
does the whole check again, as of the day of the check, and compares the report byte for byte. Nothing is fetched.
"""

import io
import zipfile
import zlib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, Generic, TypeVar

from cryptography.hazmat.primitives.serialization import Encoding

from vc.canon import Json, parse_object, to_json
from vc.documents import Documents, Given
from vc.errors import Finding, Malformed, Rejected, VcError
from vc.model import Credential, format_date_time, parse_date_time
from vc.oid4vp import parse_request
from vc.trust import Trust, TrustedIssuer, parse_trust
from verifier.check import policy
from verifier.judge import judge
from verifier.policy import parse_policy
from verifier.render import to_html
from verifier.report import Report
from verifier.trust_store import among
from work import CONTEXTS

MAX_PACK: Final = 32 << 20
_LIMITS: Final[Mapping[str, int]] = {
    "evidence.json": 1 << 16,
    "answer.json": 1 << 20,
    "request.json": 1 << 18,
    "trust.json": 16 << 20,
    "policy.toml": 1 << 16,
    "report.json": 4 << 20,
    "report.html": 4 << 20,
}
_OPTIONAL: Final = frozenset({"policy.toml"})
_DAY_ONE: Final = (1980, 1, 1, 0, 0, 0)  # every file of a pack has it: the same check is the same pack

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Case:
    """What a check is made of. ``request`` and ``rules`` are the bytes of the request and of the policy file."""

    answer: bytes
    request: bytes
    at: datetime
    rules: bytes | None = None
    accept_possession: bool = False
    accept_self_asserted: bool = False

    def judged(self, trust: Trust) -> tuple[Report, VcError | None]:
        """The report, and the error that it tells of. Raises for a request or a policy that cannot be read."""
        accepted = policy(accept_possession=self.accept_possession, accept_self_asserted=self.accept_self_asserted)
        rules = None if self.rules is None else parse_policy(self.rules)
        request = parse_request(self.request, own=True)
        return judge(self.answer, request, trust=trust, policy=accepted, rules=rules, at=self.at)


@dataclass(frozen=True, slots=True)
class Opened:
    """A pack whose every part is what its list says, and whose check comes out as it did."""

    case: Case
    report: Report
    trust: Trust  # the part that the check looked at
    trust_digest: str  # of the whole


def pack(case: Case, trust: Trust, *, lang: str) -> bytes:
    """The pack of a check. It has been opened again when it is returned.

    Raises what :meth:`Case.judged` does, and :class:`Malformed` for a check that would not come out the same.
    """
    case = replace(case, at=case.at.replace(microsecond=0))
    watched, used = _watched(trust)
    report, _ = case.judged(watched)
    files = {
        "answer.json": case.answer,
        "request.json": case.request,
        "trust.json": used.extract(trust),
        "report.json": to_json(report.to_json()),
        "report.html": to_html(report, lang).encode("utf-8"),
        **({} if case.rules is None else {"policy.toml": case.rules}),
    }
    listed: dict[str, Json] = {
        "type": "OuvrageEvidence",
        "version": 1,
        "at": format_date_time(case.at.astimezone(UTC)),
        "acceptPossession": case.accept_possession,
        "acceptSelfAsserted": case.accept_self_asserted,
        "trustDigest": trust.digest,
        "files": {name: sha256(raw).hexdigest() for name, raw in files.items()},
    }
    made = _zipped({"evidence.json": to_json(listed), **files})
    unpack(made)
    return made


def unpack(raw: bytes) -> Opened:
    """A pack, checked again. Raises :class:`Malformed` for what is no pack or was changed, and :class:`Rejected` where
    the check no longer comes out as the report in it says."""
    files = _unzipped(raw)
    listed = parse_object(files.pop("evidence.json"), where="evidence.json")
    if (listed.get("type"), listed.get("version")) != ("OuvrageEvidence", 1):
        raise Malformed("evidence.json", "not the list of an evidence pack of version 1", code="BAD_EVIDENCE")
    if listed.get("files") != {name: sha256(one).hexdigest() for name, one in files.items()}:
        raise Malformed("evidence pack", "a file in it is not the one that its list names", code="EVIDENCE_CHANGED")
    case = Case(
        answer=files["answer.json"],
        request=files["request.json"],
        at=parse_date_time(listed.get("at"), where="evidence.json /at"),
        rules=files.get("policy.toml"),
        accept_possession=listed.get("acceptPossession") is True,
        accept_self_asserted=listed.get("acceptSelfAsserted") is True,
    )
    trust = parse_trust(files["trust.json"], contexts=CONTEXTS, where="trust.json")
    report, _ = case.judged(trust)
    if to_json(report.to_json()) != files["report.json"]:
        why = "the check comes out otherwise than the report in the pack says"
        raise Rejected((Finding("EVIDENCE_DIFFERS", why, "/report.json"),))
    digest = listed.get("trustDigest")
    return Opened(case, report, trust, digest if isinstance(digest, str) else "")


def unknown_keys(opened: Opened, held: Trust) -> tuple[str, ...]:
    """Keys that the pack trusted and the trust that is held here does not know as that issuer's."""
    known = ((key.method, issuer.legal_identifier) for issuer in opened.trust.issuers for key in issuer.keys)
    return tuple(method for method, owner in known if not _is_of(held.find(method), owner))


def _is_of(found: tuple[TrustedIssuer, object] | None, owner: str) -> bool:
    return found is not None and found[0].legal_identifier == owner


class _Noting(Mapping[str, V], Generic[V]):
    """A mapping that notes what was found in it."""

    def __init__(self, inner: Mapping[str, V], noted: dict[str, None]) -> None:
        self._inner, self._noted = inner, noted

    def __getitem__(self, key: str) -> V:
        value = self._inner[key]
        self._noted[key] = None
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._inner)

    def __len__(self) -> int:
        return len(self._inner)


@dataclass(frozen=True, slots=True)
class _Used:
    """The names of what a check looked at."""

    methods: dict[str, None] = field(default_factory=dict)
    names: dict[str, None] = field(default_factory=dict)  # of certificates
    documents: dict[str, None] = field(default_factory=dict)
    lists: dict[str, None] = field(default_factory=dict)
    tokens: dict[str, None] = field(default_factory=dict)

    def extract(self, trust: Trust) -> bytes:
        """The same as a trust file (docs/trust.md) of its own."""
        owners = [trust.by_method[method][0] for method in self.methods]
        owners += [issuer for name in self.names for issuer in trust.certified[name]]
        issuers = frozenset(owners)
        public = among(trust, digests=frozenset(), issuers=issuers)
        keys = {key.method for issuer in issuers for key in issuer.keys}
        return to_json(
            {
                "type": "OuvrageTrust",
                "version": 1,
                "asOf": format_date_time(trust.as_of),
                "issuers": [_issuer_json(one) for one in sorted(issuers, key=lambda one: one.legal_identifier)],
                "public": [
                    _signed(one) for one in public if any(proof.verification_method in keys for proof in one.proofs)
                ],
                "documents": [_document_json(did, trust.documents.given[did]) for did in sorted(self.documents)],
                "statusLists": [*self._lists(trust)],
            }
        )

    def _lists(self, trust: Trust) -> Iterator[Json]:
        for url in sorted(self.lists):
            given = trust.status_lists[url]
            yield {"url": url, "asOf": format_date_time(given.as_of), "credential": _signed(given.credential)}
        for url in sorted(self.tokens):
            token = trust.status_tokens[url]
            yield {"url": url, "asOf": format_date_time(token.as_of), "token": token.text}


def _watched(trust: Trust) -> tuple[Trust, _Used]:
    """The same trust, and what is being asked of it."""
    used = _Used()
    watched = replace(
        trust,
        by_method=_Noting(trust.by_method, used.methods),
        certified=_Noting(trust.certified, used.names),
        documents=Documents(_Noting(trust.documents.given, used.documents)),
        status_lists=_Noting(trust.status_lists, used.lists),
        status_tokens=_Noting(trust.status_tokens, used.tokens),
    )
    return watched, used


def _signed(credential: Credential) -> dict[str, Json]:
    """A credential with its proofs, as it was parsed."""
    proofs: list[Json] = [{**one.options, "proofValue": one.value} for one in credential.proofs]
    return {**credential.document, "proof": proofs[0] if len(proofs) == 1 else proofs}


def _issuer_json(issuer: TrustedIssuer) -> dict[str, Json]:
    return {
        "name": issuer.name,
        "legalIdentifier": issuer.legal_identifier,
        "mayAttest": list[Json](sorted(issuer.may_attest)),
        "keys": [{"id": key.method, **_window(key.valid_from, key.valid_until)} for key in issuer.keys],
        "certificates": [
            {
                "certificate": b64encode(one.certificate.public_bytes(Encoding.DER)).decode("ascii"),
                "names": list[Json](sorted(one.names)),
                **_window(one.valid_from, one.valid_until),
            }
            for one in issuer.certificates
        ],
    }


def _window(start: datetime, end: datetime | None) -> dict[str, Json]:
    return {"validFrom": format_date_time(start), "validUntil": None if end is None else format_date_time(end)}


def _document_json(did: str, given: Given) -> dict[str, Json]:
    text = given.raw.decode("utf-8")
    if did.startswith("did:webvh:"):
        witness: dict[str, Json] = {} if given.witness is None else {"witness": given.witness.decode("utf-8")}
        return {"id": did, "log": text, **witness}
    if not did.startswith("did:"):
        return {"id": did, "jwks": text}
    past: list[Json] = [
        {"document": one.raw.decode("utf-8"), "until": format_date_time(one.until)} for one in given.earlier
    ]
    return {"id": did, "document": text, **({"earlier": past} if past else {})}


def _zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, raw in files.items():
            made.writestr(zipfile.ZipInfo(name, _DAY_ONE), raw, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _unzipped(raw: bytes) -> dict[str, bytes]:
    """The files of a pack, those and no others, none larger than its kind may be."""
    if len(raw) > MAX_PACK:
        raise Malformed("evidence pack", f"more than {MAX_PACK} bytes", code="TOO_LARGE")
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as given:
            infos = given.infolist()
            names = [info.filename for info in infos]
            if len(set(names)) != len(names) or not _LIMITS.keys() - _OPTIONAL <= set(names) <= _LIMITS.keys():
                raise Malformed("evidence pack", "does not hold the files of one", code="BAD_EVIDENCE")
            return {info.filename: _read(given, info) for info in infos}
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        why = f"not a zip file that can be read ({type(error).__name__})"
        raise Malformed("evidence pack", why, code="BAD_EVIDENCE") from None


def _read(given: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    most = _LIMITS[info.filename]
    with given.open(info) as stream:
        raw = stream.read(most + 1)
    if len(raw) > most:
        raise Malformed(f"evidence pack {info.filename}", f"more than {most} bytes", code="TOO_LARGE")
    return raw
