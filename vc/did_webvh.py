"""did:webvh 1.0: the log of a DID, verified entry by entry from given bytes, and the history of its keys.

The steps are those of the specification's Read (Resolve). Every entry is verified, whichever version is asked for; a
log with one bad entry is refused whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from vc.canon import Json, Limits, canonicalize, parse_json, parse_object, to_json
from vc.did import resolve_method
from vc.did_document import DidDocument
from vc.did_web import did_webvh_urls, split_did_webvh
from vc.did_webvh_parameters import Parameters, Witnesses, parse_parameters
from vc.errors import Finding, Malformed, Rejected, VcError
from vc.jsonld import Contexts
from vc.model import Object, Proof, parse_date_time, parse_proof
from vc.multibase import encode_base58btc
from vc.suites.plain import EDDSA_JCS_2022

MAX_LOG: Final = 1 << 20  # a key rotated every month for twenty years makes 240 entries of about 2 KB
MAX_ENTRIES: Final = 512  # each costs a signature check; 512 cost about 0.1 s
MAX_WITNESS_PROOFS: Final = 1024  # likewise; old proofs are to be removed from the file, one for each witness stays
ENTRY_LIMITS: Final = Limits(size=1 << 17)

_MEMBERS: Final = frozenset({"versionId", "versionTime", "parameters", "state", "proof"})
_NO_CONTEXTS: Final = Contexts.of({})  # eddsa-jcs-2022 signs JSON, not JSON-LD


@dataclass(frozen=True, slots=True)
class Version:
    """One verified entry of a log: the DID document that it put in force, and from when."""

    number: int
    id: str
    time: datetime
    state: Object
    parameters: Parameters


@dataclass(frozen=True, slots=True)
class History:
    """All versions of a DID, oldest first, every one verified."""

    did: str
    versions: tuple[Version, ...]

    def document(self, at: datetime | None) -> DidDocument:
        """The DID document in force at ``at``; without a moment, the newest.

        Entries from after ``at`` have not happened yet. Raises :class:`Rejected` where the DID did not exist yet, was
        deactivated, or went by another name.
        """
        past = [version for version in self.versions if at is None or version.time <= at]
        if not past:
            raise Rejected((_finding("had not been created yet"),))
        version = past[-1]
        if version.parameters.deactivated:
            raise Rejected((_finding("was deactivated"),))
        if version.state["id"] != self.did:
            raise Rejected((_finding("went by another name"),))
        return DidDocument.parse(dict(version.state), did=self.did)


def read_log(raw: bytes, *, did: str, witness: bytes | None = None) -> History:
    """The verified history of ``did`` from its log and, where witnesses are required, their proofs.

    Raises :class:`Malformed` for what is no log, :class:`Rejected` for one that does not hold.
    """
    scid, _ = split_did_webvh(did)
    versions: list[Version] = []
    for line in _lines(raw):
        versions.append(
            _read_entry(line, versions[-1] if versions else None, scid, f"DID log, entry {len(versions) + 1}")
        )
    if all(version.state["id"] != did for version in versions):
        raise Rejected((_finding("is not the one that its log is about"),))
    _check_witnesses(versions, witness)
    return History(did, tuple(versions))


def _lines(raw: bytes) -> list[bytes]:
    if len(raw) > MAX_LOG:
        raise Malformed("DID log", f"larger than {MAX_LOG} bytes", code="TOO_LARGE")
    lines = raw.removesuffix(b"\n").split(b"\n")
    if len(lines) > MAX_ENTRIES:
        raise Malformed("DID log", f"more than {MAX_ENTRIES} entries", code="TOO_LARGE")
    return lines


def _read_entry(line: bytes, previous: Version | None, scid: str, where: str) -> Version:
    """Read (Resolve), steps 1 to 7, for one entry."""
    entry = parse_object(line, where=where, limits=ENTRY_LIMITS)
    if set(entry) != _MEMBERS:
        raise Malformed(where, f"needs exactly {', '.join(sorted(_MEMBERS))}", code="BAD_DID_LOG")
    if previous is not None and previous.parameters.deactivated:
        raise Rejected((_finding("was deactivated, and its log goes on"),))
    number = previous.number + 1 if previous else 1
    parameters = parse_parameters(entry["parameters"], previous.parameters if previous else None, where=where)
    _check_version_id(entry, number, previous.id if previous else scid)
    time = _version_time(entry["versionTime"], previous, where)
    if previous is None:
        _check_scid(entry, scid, parameters)
    _check_state(entry["state"], previous, scid, where)
    _check_prerotation(parameters, previous)
    _check_proofs(entry, _active_keys(parameters, previous), where)
    state, version_id = entry["state"], entry["versionId"]
    assert isinstance(state, dict)
    assert isinstance(version_id, str)
    return Version(number, version_id, time, state, parameters)


def entry_hash(entry: Object, predecessor: str) -> str:
    """did:webvh 1.0, Generate Entry Hash: over the entry without its proof, chained to its predecessor."""
    hashed = {name: value for name, value in entry.items() if name != "proof"}
    return multihash(canonicalize({**hashed, "versionId": predecessor}))


def multihash(data: bytes) -> str:
    """base58btc over the SHA-256 multihash, without a multibase prefix: the one hash that did:webvh 1.0 permits."""
    return encode_base58btc(b"\x12\x20" + sha256(data).digest()).removeprefix("z")


def _check_version_id(entry: Object, number: int, predecessor: str) -> None:
    """Step 3: the number counts up by one, and the hash is that of this entry after that predecessor."""
    if entry["versionId"] != f"{number}-{entry_hash(entry, predecessor)}":
        raise Rejected((_finding(f"has a log that was changed at entry {number}"),))


def _version_time(value: Json, previous: Version | None, where: str) -> datetime:
    """Step 4: in UTC, and later than the entry before."""
    time = parse_date_time(value, where=f"{where} /versionTime")
    if time.utcoffset() != timedelta(0):
        raise Malformed(f"{where} /versionTime", "not in UTC", code="BAD_DATE")
    if previous is not None and time <= previous.time:
        raise Rejected((_finding("has a log that goes back in time"),))
    return time


def _check_scid(entry: Object, scid: str, parameters: Parameters) -> None:
    """Step 5 (Verify SCID): the identifier is the hash of its own first entry, with a placeholder for itself."""
    hashed = {name: value for name, value in entry.items() if name != "proof"}
    text = to_json({**hashed, "versionId": "{SCID}"}).replace(scid.encode(), b"{SCID}")
    # Replaced in the text, then read again: where the SCID stands in a name, replacing it changes the order of names.
    if parameters.scid != scid or multihash(canonicalize(parse_object(text, limits=ENTRY_LIMITS))) != scid:
        raise Rejected((_finding("does not match the first entry of its log"),))


def _check_state(state: Json, previous: Version | None, scid: str, where: str) -> None:
    """Step 6, and DID Portability: the SCID never changes; the name only where that was agreed from the start."""
    did = state.get("id") if isinstance(state, dict) else None
    if not isinstance(did, str) or not isinstance(state, dict):
        raise Malformed(f"{where} /state/id", "missing, or not a text", code="BAD_DID_LOG")
    did_webvh_urls(did)  # its syntax
    if split_did_webvh(did)[0] != scid:
        raise Rejected((_finding("is not the one that its log is about"),))
    if previous is None or did == previous.state["id"]:
        return
    known_as = state.get("alsoKnownAs")
    named = isinstance(known_as, list) and previous.state["id"] in known_as
    if not previous.parameters.portable or not named:
        raise Rejected((_finding("was moved without leave"),))


def _check_prerotation(parameters: Parameters, previous: Version | None) -> None:
    """Step 7: keys that were committed to by their hashes are the only ones that may follow."""
    if previous is None or not previous.parameters.next_key_hashes:
        return
    committed = previous.parameters.next_key_hashes
    if any(multihash(key.encode()) not in committed for key in parameters.update_keys):
        raise Rejected((_finding("was updated with a key that it had not committed to"),))


def _active_keys(parameters: Parameters, previous: Version | None) -> tuple[str, ...]:
    """did:webvh 1.0, Authorized Keys: of the entry before, or, at the start and with pre-rotation, of this one."""
    if previous is None or previous.parameters.next_key_hashes:
        return parameters.update_keys
    return previous.parameters.update_keys


def _check_proofs(entry: Object, keys: tuple[str, ...], where: str) -> None:
    """Step 2: every proof is by a key that may update the DID, and at least one is there."""
    proofs = entry["proof"]
    if not isinstance(proofs, list) or not 0 < len(proofs) <= 8:
        raise Malformed(f"{where} /proof", "needs 1 to 8 proofs", code="BAD_DID_LOG")
    document = {name: value for name, value in entry.items() if name != "proof"}
    for value in proofs:
        proof = parse_proof(value, where=f"{where} /proof")
        signer = _signer(document, proof)
        if signer.removeprefix("did:key:") not in keys:
            raise Rejected((_finding("was updated with a key that has no right to"),))


def _signer(document: Object, proof: Proof) -> str:
    """The did:key that made ``proof``: eddsa-jcs-2022 only, for assertion only. Raises :class:`Rejected`."""
    suite = EDDSA_JCS_2022
    if (proof.type, proof.cryptosuite, proof.purpose) != (suite.proof_type, suite.name, "assertionMethod"):
        raise Rejected((_finding("has a log signed in a way that did:webvh does not permit"),))
    if not proof.verification_method.startswith("did:key:"):
        raise Rejected((_finding("has a log signed by something else than a did:key"),))
    method = resolve_method(proof.verification_method)
    suite.verify(document, proof, method=method, contexts=_NO_CONTEXTS)
    return method.controller


def _check_witnesses(versions: list[Version], raw: bytes | None) -> None:
    """Step 9 (Verifying Witness Proofs During Resolution): for each entry enough witnesses, here or further on.

    A witness that approves an entry has approved all before it.
    """
    rules = [_witnesses_of(version, before) for version, before in zip(versions, [None, *versions], strict=False)]
    if not any(rules):
        return
    latest = _latest_approvals(versions, raw)
    for version, rule in zip(versions, rules, strict=True):
        if rule and sum(latest.get(witness, 0) >= version.number for witness in rule.ids) < rule.threshold:
            raise Rejected((_finding(f"has too few witnesses for entry {version.number} of its log"),))


def _witnesses_of(version: Version, before: Version | None) -> Witnesses | None:
    """Who has to witness an entry: those of the entry before; the first to be named begin with their own entry."""
    return (before.parameters.witness if before else None) or version.parameters.witness


def _latest_approvals(versions: list[Version], raw: bytes | None) -> Mapping[str, int]:
    """The newest entry of this log that each witness has signed. What does not verify or belong here counts nothing."""
    numbers = {version.id: version.number for version in versions}
    latest: dict[str, int] = {}
    for approval, proof in _approvals(raw):
        number = numbers.get(approval)
        if number is None:
            continue  # for an entry that is not published here: approves nothing
        try:
            witness = _signer({"versionId": approval}, parse_proof(proof))
        except VcError:
            continue
        latest[witness] = max(number, latest.get(witness, 0))
    return latest


def _approvals(raw: bytes | None) -> list[tuple[str, Json]]:
    """The proofs of a witness file, each with the version that it is about (The Witness Proofs File)."""
    if raw is None:
        raise Rejected((_finding("requires witnesses, and their proofs are not here"),))
    entries = parse_json(raw, where="DID witness proofs", limits=Limits(size=MAX_LOG))
    if not isinstance(entries, list):
        raise Malformed("DID witness proofs", "not a list", code="BAD_DID_LOG")
    found: list[tuple[str, Json]] = []
    for entry in entries:
        match entry:
            case {"versionId": str(version), "proof": list(proofs)}:
                found.extend((version, proof) for proof in proofs)
            case {"versionId": str()}:
                continue
            case _:
                raise Malformed("DID witness proofs", "not a list of versions and proofs", code="BAD_DID_LOG")
    if len(found) > MAX_WITNESS_PROOFS:
        raise Malformed("DID witness proofs", f"more than {MAX_WITNESS_PROOFS} proofs", code="TOO_LARGE")
    return found


def _finding(what: str) -> Finding:
    return Finding("DID_LOG_INVALID", f"the DID of the signer {what}", "/proof/verificationMethod")
