"""did:webvh 1.0: logs made with the reference package, our own made by hand, and every fault of one.

The reference package (``did-webvh``) is the maker and the second opinion here, and nothing else: its resolver runs in
an event loop, which opens a socket, and it lets through what the specification forbids (see STRICTER below).
"""

import asyncio
import json
import sys
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import pytest
import rfc8785
from did_webvh.askar import AskarSigningKey
from did_webvh.core.file_utils import read_str
from did_webvh.core.resolver import DidResolver, HistoryResolver
from did_webvh.core.state import DocumentState
from did_webvh.provision import provision_did
from did_webvh.verify import WebvhVerifier
from hypothesis import given, settings
from hypothesis import strategies as st

from vc.contexts import W3C
from vc.did_webvh import MAX_ENTRIES, MAX_LOG, MAX_WITNESS_PROOFS, History, read_log
from vc.documents import Documents, Given, resolve
from vc.errors import Malformed, Rejected, Undetermined, Unsupported, VcError
from vc.io.offline import NETWORK_EVENTS
from vc.keys import Ed25519Key, P256Key
from vc.multibase import encode_base58btc
from vc.proof import add_proof, proof_options
from vc.secure import sign, verify_proofs
from vc.suites.plain import ECDSA_JCS_2019, EDDSA_JCS_2022

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
KEYS: Final = [Ed25519Key.from_seed(bytes([number]) * 32) for number in range(1, 8)]
FIRST, SECOND, THIRD, ONE, TWO, THREE, OUTSIDER = KEYS
POINT: Final = P256Key.from_secret(b"\x09" * 32)


def month(number: int) -> datetime:
    return START.replace(month=number)


def theirs(key: Ed25519Key) -> AskarSigningKey:
    """A key of ours in the hands of the reference package."""
    return AskarSigningKey.from_secret_bytes("ed25519", key.seed)


# --- a log by the reference package ----------------------------------------------------------------------------------


def methods(did: str, *keys: Ed25519Key) -> dict[str, Any]:
    """Members of a DID document with these keys for assertions, named by their number."""
    return {
        "verificationMethod": [
            {
                "id": f"{did}#{KEYS.index(key)}",
                "type": "Multikey",
                "controller": did,
                "publicKeyMultibase": key.public.multikey,
            }
            for key in keys
        ],
        "assertionMethod": [f"{did}#{KEYS.index(key)}" for key in keys],
    }


def provisioned() -> tuple[bytes, str]:
    """Two entries: a key rotated in February."""
    placeholder = "did:webvh:{SCID}:example.com%3A8443:issuers"
    state = provision_did(
        {"@context": ["https://www.w3.org/ns/did/v1"], "id": placeholder, **methods(placeholder, FIRST)},
        params={"updateKeys": [FIRST.public.multikey]},
        timestamp=month(1),
    )
    state.proofs.append(state.create_proof(theirs(FIRST), timestamp=state.timestamp))
    did = state.document_id
    after = state.create_next({**state.document, **methods(did, SECOND)}, {}, month(2))
    after.proofs.append(after.create_proof(theirs(FIRST), timestamp=after.timestamp))
    return "".join(f"{each.history_json()}\n" for each in (state, after)).encode(), did


LOG, DID = provisioned()


def test_a_log_of_the_reference_package_is_read() -> None:
    history = read_log(LOG, did=DID)
    assert [(version.number, version.time) for version in history.versions] == [(1, month(1)), (2, month(2))]
    assert [version.id.partition("-")[0] for version in history.versions] == ["1", "2"]
    assert history.did == DID


def key_at(number: int, at: datetime | None, signed: datetime | None = None) -> bytes:
    documents = Documents.of({DID: Given(LOG)})
    return resolve(f"{DID}#{number}", documents=documents, purpose="assertionMethod", at=at, signed=signed).public.raw


def test_each_key_counts_in_its_time() -> None:
    assert key_at(0, month(1)) == FIRST.public.raw
    assert key_at(0, month(2) - timedelta(seconds=1)) == FIRST.public.raw
    for at in (month(2), month(12), None):
        assert key_at(1, at) == SECOND.public.raw
        with pytest.raises(Rejected, match="no such key"):
            key_at(0, at)
    with pytest.raises(Rejected, match="no such key"):
        key_at(1, month(1))
    with pytest.raises(Rejected, match="not been created yet"):
        key_at(0, month(1) - timedelta(seconds=1))


def test_a_key_that_was_rotated_away_still_vouches_for_what_it_signed() -> None:
    assert key_at(0, month(12), signed=month(1)) == FIRST.public.raw
    with pytest.raises(Rejected, match="no such key"):
        key_at(1, month(12), signed=month(1))
    with pytest.raises(Rejected, match="no such key"):
        key_at(1, month(1), signed=month(12))  # said to be yet to come


def credential(key: Ed25519Key, name: int, created: datetime | None) -> dict[str, Any]:
    method = f"{DID}#{name}"
    document: dict[str, Any] = {
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/undefined-terms/v2"],
        "type": ["VerifiableCredential"],
        "issuer": DID,
        "credentialSubject": {"jobs": "120"},
    }
    return sign(document, key=Ed25519Key.from_seed(key.seed, method), created=created, contexts=W3C)


@pytest.mark.parametrize(
    ("key", "name", "created", "code"),
    [
        (FIRST, 0, month(1), None),
        (SECOND, 1, month(3), None),
        (SECOND, 1, None, None),
        (FIRST, 0, month(3), "INVALID_VERIFICATION_METHOD"),
        (FIRST, 0, None, "INVALID_VERIFICATION_METHOD"),
        (SECOND, 1, month(1), "INVALID_VERIFICATION_METHOD"),
        (FIRST, 1, month(3), "PROOF_INVALID"),
    ],
)
def test_a_credential_is_read_with_the_keys_of_its_day(
    key: Ed25519Key, name: int, created: datetime | None, code: str | None
) -> None:
    documents = Documents.of({DID: Given(LOG)})
    secured = credential(key, name, created)
    if code is None:
        assert verify_proofs(secured, contexts=W3C, documents=documents, at=month(12))[0].controller == DID
        return
    with pytest.raises(Rejected) as refused:
        verify_proofs(secured, contexts=W3C, documents=documents, at=month(12))
    assert refused.value.code == code


def test_a_version_is_never_the_signers_to_choose() -> None:
    for query in ("versionId=1", "versionTime=2026-01-01T00:00:00Z", "versionNumber=1"):
        with pytest.raises(Undetermined):
            resolve(
                f"{DID}?{query}#0", documents=Documents.of({DID: Given(LOG)}), purpose="assertionMethod", at=month(3)
            )


def test_no_socket_is_opened() -> None:
    opened: list[str] = []
    watching = True
    sys.addaudithook(lambda event, _: opened.append(event) if watching and event in NETWORK_EVENTS else None)
    log, did, witness = made(witnesses())
    assert len(read_log(log, did=did, witness=witness).versions) == 4
    assert opened == []
    asyncio.new_event_loop().close()  # what the reference package's resolver would need
    assert opened != []
    watching = False


# --- logs made by hand -----------------------------------------------------------------------------------------------


def multihash(data: bytes) -> str:
    return encode_base58btc(b"\x12\x20" + sha256(data).digest())[1:]


def hash_of(key: Ed25519Key | P256Key) -> str:
    return multihash(key.public.multikey.encode())


@dataclass
class Entry:
    """What one entry of a log is made of; ``spoil`` changes it before it is signed, ``break_`` afterwards."""

    parameters: dict[str, Any] = field(default_factory=dict)
    signer: Any = FIRST
    time: str = ""
    place: str = "example.com"
    state: dict[str, Any] = field(default_factory=dict)
    suite: Any = EDDSA_JCS_2022
    purpose: str = "assertionMethod"
    method: str = ""
    spoil: Callable[[dict[str, Any]], None] = lambda _: None
    break_: Callable[[dict[str, Any]], None] = lambda _: None


@dataclass
class Recipe:
    """A log, and which witnesses approve which of its entries."""

    entries: list[Entry]
    approvals: list[tuple[int, Any]] = field(default_factory=list)
    scid: str = ""  # another than the right one


GENESIS: Final[dict[str, Any]] = {"method": "did:webvh:1.0", "scid": "{SCID}", "updateKeys": [FIRST.public.multikey]}


def first(**parameters: Any) -> Entry:
    return Entry({**GENESIS, **parameters})


def made(recipe: Recipe) -> tuple[bytes, str, bytes | None]:
    """The log, the DID and the witness proofs of a recipe."""
    lines: list[bytes] = []
    ids: list[str] = []
    scid = ""
    for number, entry in enumerate(recipe.entries, start=1):
        document: dict[str, Any] = {
            "versionId": ids[-1] if ids else "{SCID}",
            "versionTime": entry.time or f"{month(number):%Y-%m-%dT%H:%M:%SZ}",
            "parameters": deepcopy(entry.parameters),
            "state": {"id": f"did:webvh:{scid or '{SCID}'}:{entry.place}", **entry.state},
        }
        entry.spoil(document)
        if not ids:
            scid = recipe.scid or multihash(rfc8785.dumps(document))
            document = json.loads(json.dumps(document).replace("{SCID}", scid))
        document["versionId"] = f"{number}-{multihash(rfc8785.dumps(document))}"
        options = proof_options(
            entry.suite.name,
            method=entry.method or entry.signer.verification_method,
            purpose=entry.purpose,
            created=month(number),
        )
        signed = add_proof(document, options, suite=entry.suite, key=entry.signer, contexts=W3C)
        document = {**signed, "proof": [signed["proof"]]}
        entry.break_(document)
        lines.append(json.dumps(document).encode() + b"\n")
        ids.append(document["versionId"])
    return b"".join(lines), f"did:webvh:{scid}:{recipe.entries[0].place}", proofs(ids, recipe.approvals)


def proofs(ids: list[str], approvals: Iterable[tuple[int, Any]]) -> bytes | None:
    return json.dumps([approval(ids[number - 1], witness) for number, witness in approvals]).encode() or None


def approval(
    version: str, witness: Any, suite: Any = EDDSA_JCS_2022, purpose: str = "assertionMethod"
) -> dict[str, Any]:
    options = proof_options(suite.name, method=witness.verification_method, purpose=purpose, created=START)
    secured = add_proof({"versionId": version}, options, suite=suite, key=witness, contexts=W3C)
    return {"versionId": version, "proof": [secured["proof"]]}


def read(recipe: Recipe) -> History:
    log, did, witness = made(recipe)
    return read_log(log, did=did, witness=witness)


def multikeys(*keys: Any) -> list[str]:
    return [key.public.multikey for key in keys]


def witness_parameter(threshold: Any, *keys: Any) -> dict[str, Any]:
    return {"threshold": threshold, "witnesses": [{"id": key.did} for key in keys]}


def rotated() -> Recipe:
    """Keys that are rotated, without being committed to."""
    return Recipe(
        [
            first(),
            Entry({"updateKeys": multikeys(SECOND)}, signer=FIRST),
            Entry({}, signer=SECOND),
            Entry({"updateKeys": multikeys(SECOND, THIRD)}, signer=SECOND),
            Entry({}, signer=THIRD),
        ]
    )


def committed() -> Recipe:
    """Pre-rotation, and its end."""
    return Recipe(
        [
            first(nextKeyHashes=[hash_of(SECOND), hash_of(OUTSIDER)]),
            Entry({"updateKeys": multikeys(SECOND), "nextKeyHashes": [hash_of(THIRD)]}, signer=SECOND),
            Entry({"updateKeys": multikeys(THIRD), "nextKeyHashes": []}, signer=THIRD),
            Entry({"updateKeys": multikeys(FIRST)}, signer=THIRD),
            Entry({}, signer=FIRST),
        ]
    )


def witnesses() -> Recipe:
    """Two of three witnesses from the second entry on, others from the fourth."""
    return Recipe(
        [
            first(),
            Entry({"witness": witness_parameter(2, ONE, TWO, THREE)}),
            Entry({"witness": witness_parameter(1, OUTSIDER)}),
            Entry({}),
        ],
        approvals=[(2, ONE), (3, TWO), (3, ONE), (4, OUTSIDER)],
    )


def moved() -> Recipe:
    old = "did:webvh:{SCID}:example.com"

    def known_as(document: dict[str, Any]) -> None:
        scid = document["state"]["id"].split(":")[2]
        document["state"]["alsoKnownAs"] = [old.replace("{SCID}", scid)]

    return Recipe([first(portable=True), Entry({}, place="example.org:new", spoil=known_as)])


GOOD: Final[list[Callable[[], Recipe]]] = [
    lambda: Recipe([first()]),
    rotated,
    committed,
    witnesses,
    moved,
    lambda: Recipe([first(witness={}, watchers=["https://watcher.example"], portable=False, deactivated=False, ttl=0)]),
    lambda: Recipe([first(), Entry({"deactivated": True, "updateKeys": []})]),
    lambda: Recipe([first(), Entry({"method": "did:webvh:1.0", "ttl": 60, "watchers": []})]),
    lambda: Recipe([first(witness=None, nextKeyHashes=None, watchers=None, ttl=None)]),
    lambda: Recipe([first(), Entry(time="2026-01-01T00:00:00.001+00:00")]),
    lambda: Recipe([first(updateKeys=multikeys(FIRST, SECOND)), Entry(signer=SECOND)]),
]


@pytest.mark.parametrize("recipe", GOOD)
def test_what_the_specification_allows_is_read(recipe: Callable[[], Recipe]) -> None:
    assert len(read(recipe()).versions) == len(recipe().entries)


@pytest.mark.parametrize("recipe", [rotated, committed, lambda: Recipe([first()])])
def test_the_reference_package_reads_them_too(recipe: Callable[[], Recipe]) -> None:
    log, did, _ = made(recipe())
    assert reference(log, did) == did


def reference(log: bytes, did: str, witness: bytes | None = None) -> str | None:
    """The id of the document that the reference package resolves to; None where it refuses."""

    class Given(HistoryResolver):  # type: ignore[misc]
        def resolve_entry_log(self, _did: str) -> Any:
            return read_str(log.decode())

        def resolve_witness_log(self, _did: str) -> Any:
            return read_str((witness or b"").decode())

    result = asyncio.run(DidResolver(WebvhVerifier()).resolve(did, Given()))
    return None if result.document is None else str(result.document["id"])


def test_a_did_that_was_deactivated_has_a_past_and_no_present() -> None:
    history = read(Recipe([first(), Entry({"deactivated": True})]))
    assert history.document(month(2) - timedelta(seconds=1)).id == history.did
    for at in (month(2), None):
        with pytest.raises(Rejected, match="was deactivated") as refused:
            history.document(at)
        assert refused.value.code == "DID_LOG_INVALID"


def test_a_did_that_was_moved_is_known_by_each_name_in_its_time() -> None:
    log, did, _ = made(moved())
    new = did.replace("example.com", "example.org:new")
    assert read_log(log, did=did).document(month(1)).id == did
    assert read_log(log, did=new).document(None).id == new
    with pytest.raises(Rejected, match="another name"):
        read_log(log, did=did).document(month(2))
    with pytest.raises(Rejected, match="another name"):
        read_log(log, did=new).document(month(1))


def test_witnesses_that_are_no_longer_asked_for_have_the_last_word() -> None:
    ended = [first(witness=witness_parameter(1, ONE)), Entry({"witness": {}}), Entry({})]
    assert len(read(Recipe(ended, approvals=[(2, ONE)])).versions) == 3
    with pytest.raises(Rejected, match="entry 2"):
        read(Recipe(ended, approvals=[(1, ONE)]))


# --- faults ----------------------------------------------------------------------------------------------------------


def without(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda document: document.pop(name) and None


def put(*place: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        node: Any = document
        for name in place[:-1]:
            node = node[name]
        node[place[-1]] = value

    return change


def twice(document: dict[str, Any]) -> None:
    document["versionId"] = document["versionId"].replace("-", "--")


def renumbered(document: dict[str, Any]) -> None:
    document["versionId"] = "3" + document["versionId"][1:]


def other_scid(document: dict[str, Any]) -> None:
    document["state"]["id"] = f"did:webvh:{'Q' * 46}:example.com"


BODY, OTHER = FIRST.public.multikey, OUTSIDER.public.multikey


def alone(parameters: dict[str, Any] | None = None, **changes: Any) -> Recipe:
    """A log of one entry."""
    return Recipe([Entry(GENESIS if parameters is None else parameters, **changes)])


def after(parameters: dict[str, Any] | None = None, **changes: Any) -> Recipe:
    """A log whose second entry is the one in question."""
    return Recipe([first(), Entry(parameters or {}, **changes)])


def committing(key: Any, parameters: dict[str, Any], **changes: Any) -> Recipe:
    """A log that commits to a key, and what comes after."""
    return Recipe([first(nextKeyHashes=[hash_of(key)]), Entry(parameters, **changes)])


def witnessing(witness: Any, *approvals: tuple[int, Any]) -> Recipe:
    """A log that requires witnesses from the start."""
    return Recipe([first(witness=witness)], list(approvals))


def lacking(name: str) -> dict[str, Any]:
    return {key: value for key, value in GENESIS.items() if key != name}


def unlist(entry: dict[str, Any]) -> None:
    entry["proof"] = entry["proof"][0]


def repeat(entry: dict[str, Any]) -> None:
    entry["proof"] *= 9


def add_a_false_one(entry: dict[str, Any]) -> None:
    entry["proof"].append({**entry["proof"][0], "created": "2027-01-01T00:00:00Z"})


def lose_id(entry: dict[str, Any]) -> None:
    del entry["state"]["id"]


BROKEN: Final[dict[str, Recipe]] = {
    "changed state": after(break_=put("state", "x", value=1)),
    "changed first state": alone(break_=put("state", "x", value=1)),
    "changed time": after(break_=put("versionTime", value="2026-03-01T00:00:00Z")),
    "changed parameters": after(break_=put("parameters", "ttl", value=1)),
    "number": after(break_=renumbered),
    "two dashes": after(break_=twice),
    "no version": after(break_=put("versionId", value=None)),
    "scid of another": Recipe([first()], scid=multihash(b"x")),
    "scid parameter": Recipe([first(scid=multihash(b"x"))]),
    "scid in state": after(spoil=other_scid),
    "same time": after(time="2026-01-01T00:00:00Z"),
    "earlier": after(time="2025-01-01T00:00:00Z"),
    "another key": after(signer=OUTSIDER),
    "key of the next": after({"updateKeys": multikeys(SECOND)}, signer=SECOND),
    "key of before": Recipe([*rotated().entries[:2], Entry(signer=FIRST)]),
    "no key left": Recipe([first(), Entry({"updateKeys": []}), Entry()]),
    "purpose": alone(purpose="authentication"),
    "suite": alone({**GENESIS, "updateKeys": multikeys(POINT)}, signer=POINT, suite=ECDSA_JCS_2019),
    "by a did:web": alone(method=f"did:web:example.com#{BODY}"),
    "not committed to": committing(SECOND, {"updateKeys": multikeys(THIRD), "nextKeyHashes": []}, signer=THIRD),
    "one of two not committed to": committing(
        SECOND, {"updateKeys": multikeys(SECOND, FIRST), "nextKeyHashes": []}, signer=SECOND
    ),
    "committed, signed by the old": committing(
        SECOND, {"updateKeys": multikeys(SECOND), "nextKeyHashes": []}, signer=FIRST
    ),
    "goes on": Recipe([first(), Entry({"deactivated": True}), Entry({"deactivated": False})]),
    "moved": after(place="example.org"),
    "moved in silence": Recipe([first(portable=True), Entry(place="example.org")]),
    "moved too late": Recipe([first(portable=True), Entry({"portable": False}), *moved().entries[1:]]),
    "no witness there": witnessing(witness_parameter(1, ONE)),
    "too few": Recipe(witnesses().entries, [(3, ONE), (4, OUTSIDER)]),
    "one counted twice": Recipe(witnesses().entries, [(3, ONE), (3, ONE), (2, ONE), (4, OUTSIDER)]),
    "of the next, too early": Recipe(witnesses().entries, [(2, ONE), (2, TWO), (4, OUTSIDER)]),
    "not the last": Recipe(witnesses().entries, witnesses().approvals[:3]),
    "not a witness": witnessing(witness_parameter(1, ONE), (1, TWO)),
}
MISSHAPEN: Final[dict[str, Recipe]] = {
    "no proofs": alone(break_=put("proof", value=[])),
    "proof no list": alone(break_=unlist),
    "many proofs": alone(break_=repeat),
    "keys inherited": committing(FIRST, {"nextKeyHashes": []}),
    "hashes inherited": committing(FIRST, {"updateKeys": multikeys(FIRST)}),
    "no method": alone(lacking("method")),
    "no keys": alone(lacking("updateKeys")),
    "no scid": alone(lacking("scid")),
    "scid again": after({"scid": "x"}),
    "unknown parameter": Recipe([first(prerotation=True)]),
    "keys no list": Recipe([first(updateKeys=BODY)]),
    "keys no texts": Recipe([first(updateKeys=[BODY, 1])]),
    "many keys": Recipe([first(updateKeys=[BODY] * 65)]),
    "hashes no list": Recipe([first(nextKeyHashes="x")]),
    "watchers": Recipe([first(watchers={})]),
    "portable": Recipe([first(portable="true")]),
    "portable later": after({"portable": True}),
    "portable again": Recipe([first(portable=True), Entry({"portable": True})]),
    "deactivated": Recipe([first(deactivated=1)]),
    "ttl": Recipe([first(ttl=-1)]),
    "ttl true": Recipe([first(ttl=True)]),
    "parameters no object": after(spoil=put("parameters", value=[])),
    "no id": after(spoil=lose_id),
    "no state": after(spoil=put("state", value=[])),
    "no member": after(break_=without("versionTime")),
    "one more member": after(break_=put("note", value=1)),
    "the same witness twice": witnessing(witness_parameter(2, ONE, ONE), (1, ONE)),
    "threshold too high": witnessing(witness_parameter(2, ONE), (1, ONE)),
    "threshold 0": witnessing(witness_parameter(0, ONE)),
    "threshold true": witnessing(witness_parameter(True, ONE), (1, ONE)),
    "threshold 0.5": witnessing(witness_parameter(0.5, ONE), (1, ONE)),
    "no witnesses": witnessing({"threshold": 1, "witnesses": []}),
    "more said": witnessing({**witness_parameter(1, ONE), "quorum": 2}),
    "no threshold": witnessing({"witnesses": [{"id": ONE.did}]}),
    "another curve": witnessing(witness_parameter(1, POINT)),
    "another DID": witnessing({"threshold": 1, "witnesses": [{"id": "did:web:example.com"}]}),
    "no DID": witnessing({"threshold": 1, "witnesses": [ONE.did]}),
}
OTHERWISE: Final[dict[str, tuple[Recipe, str]]] = {
    "no zone": (alone(time="2026-01-01T00:00:00"), "BAD_DATE"),
    "another zone": (alone(time="2026-01-01T00:00:00+01:00"), "BAD_DATE"),
    "body and fragment": (alone(signer=OUTSIDER, method=f"did:key:{BODY}#{OTHER}"), "BAD_METHOD"),
    "signed as another": (alone(signer=OUTSIDER, method=f"did:key:{BODY}#{BODY}"), "PROOF_INVALID"),
    "a second proof that is none": (alone(break_=add_a_false_one), "PROOF_INVALID"),
    "another version": (Recipe([first(method="did:webvh:0.5")]), "UNSUPPORTED_DID"),
    "a later version": (after({"method": "did:webvh:1.0-rc1"}), "UNSUPPORTED_DID"),
    "null method": (after({"method": None}), "UNSUPPORTED_DID"),
    "to an address": (Recipe([first(portable=True), Entry(place="127.0.0.1")]), "BAD_METHOD"),
}
FAULTS: Final[dict[str, tuple[Recipe, str]]] = {
    **{name: (recipe, "DID_LOG_INVALID") for name, recipe in BROKEN.items()},
    **{name: (recipe, "BAD_DID_LOG") for name, recipe in MISSHAPEN.items()},
    **OTHERWISE,
}


@pytest.mark.parametrize(("recipe", "code"), FAULTS.values(), ids=FAULTS)
def test_one_thing_wrong(recipe: Recipe, code: str) -> None:
    with pytest.raises((Malformed, Rejected, Unsupported)) as refused:
        read(recipe)
    assert refused.value.code == code


# What the reference package lets through although the specification says MUST NOT: why the log is verified here.
STRICTER: Final = [
    "purpose",
    "suite",
    "hashes inherited",
    "portable again",
    "another zone",
    "goes on",
    "moved in silence",
    "the same witness twice",
    "threshold true",
]


@pytest.mark.parametrize("name", STRICTER)
def test_the_reference_package_lets_it_through(name: str) -> None:
    log, _, witness = made(FAULTS[name][0])
    last = json.loads(log.splitlines()[-1])["state"]["id"]
    assert reference(log, last, witness) == last


@pytest.mark.parametrize("name", ["changed state", "scid parameter", "another key", "not committed to", "too few"])
def test_both_refuse(name: str) -> None:
    log, did, witness = made(FAULTS[name][0])
    assert reference(log, did, witness) is None


def test_the_log_of_another_did_is_refused() -> None:
    log, did, _ = made(Recipe([first()]))
    for other in (did.replace("example.com", "example.org"), f"{did}:user", did.replace(did.split(":")[2], "Q" * 46)):
        with pytest.raises(Rejected) as refused:
            read_log(log, did=other)
        assert refused.value.code == "DID_LOG_INVALID"
    with pytest.raises(Malformed):
        read_log(log, did="did:web:example.com")


def test_the_scid_may_stand_in_a_name() -> None:
    """Replaced in a name, it changes the order of names: the placeholder sorts elsewhere."""
    assert len(read(alone(state={"{SCID}": "x", "a": "{SCID}", "~": "y"})).versions) == 1


# --- witness proofs --------------------------------------------------------------------------------------------------


def witnessed(*entries: Any) -> History:
    log, did, _ = made(Recipe([first(witness=witness_parameter(1, ONE))]))
    return read_log(log, did=did, witness=json.dumps(entries).encode())


def version() -> str:
    log, _, _ = made(Recipe([first(witness=witness_parameter(1, ONE))]))
    return str(json.loads(log)["versionId"])


def test_what_does_not_verify_or_belong_here_is_left_out() -> None:
    good = approval(version(), ONE)
    spoilt = deepcopy(good)
    spoilt["proof"][0]["proofValue"] = approval(version(), TWO)["proof"][0]["proofValue"]
    useless: list[Any] = [
        spoilt,
        approval("2-QmYetToCome", ONE),
        approval(version(), ONE, purpose="authentication"),
        approval(version(), POINT, suite=ECDSA_JCS_2019),
        {"versionId": version()},
        {"versionId": version(), "proof": [1]},
        {**approval("2-QmYetToCome", ONE), "versionId": version()},
    ]
    for entry in useless:
        with pytest.raises(Rejected) as refused:
            witnessed(entry)
        assert refused.value.code == "DID_LOG_INVALID"
    assert len(witnessed(*useless, good).versions) == 1


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (None, "DID_LOG_INVALID"),
        (b"", "NOT_JSON"),
        (b"{}", "BAD_DID_LOG"),
        (b"[1]", "BAD_DID_LOG"),
        (b'[{"proof": []}]', "BAD_DID_LOG"),
        (b"[]", "DID_LOG_INVALID"),
        (json.dumps([{"versionId": "1-x", "proof": [1] * (MAX_WITNESS_PROOFS + 1)}]).encode(), "TOO_LARGE"),
        (b" " * (MAX_LOG + 1), "TOO_LARGE"),
    ],
)
def test_what_are_no_witness_proofs(raw: bytes | None, code: str) -> None:
    log, did, _ = made(Recipe([first(witness=witness_parameter(1, ONE))]))
    with pytest.raises((Malformed, Rejected)) as refused:
        read_log(log, did=did, witness=raw)
    assert refused.value.code == code


# --- bounds and junk -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "NOT_JSON"),
        (b"\n", "NOT_JSON"),
        (b"[]", "NOT_JSON"),
        (b"{}", "BAD_DID_LOG"),
        (LOG + b"\n", "NOT_JSON"),
        (LOG.replace(b"\n", b"\n\n", 1), "NOT_JSON"),
        (LOG.splitlines()[1], "BAD_DID_LOG"),
        (b"\n".join(reversed(LOG.splitlines())), "BAD_DID_LOG"),
        (LOG + LOG.splitlines()[1], "DID_LOG_INVALID"),
        (LOG.replace(b'"versionTime"', b'"versionTime": "2026-01-01T00:00:00Z", "versionTime"', 1), "NOT_JSON"),
        (b"{}\n" * (MAX_ENTRIES + 1), "TOO_LARGE"),
        (b" " * (MAX_LOG + 1), "TOO_LARGE"),
        (b"[" * 100_000, "TOO_DEEP"),
    ],
)
def test_what_is_no_log(raw: bytes, code: str) -> None:
    with pytest.raises((Malformed, Rejected)) as refused:
        read_log(raw, did=DID)
    assert refused.value.code == code


def test_lines_may_end_like_those_of_other_systems() -> None:
    for log in (LOG.rstrip(b"\n"), LOG.replace(b"\n", b"\r\n")):
        assert read_log(log, did=DID).versions == read_log(LOG, did=DID).versions


@settings(max_examples=150, deadline=None)
@given(position=st.integers(0, len(LOG) - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_is_refused_or_changes_no_meaning(position: int, bit: int) -> None:
    log = bytearray(LOG)
    log[position] ^= 1 << bit
    try:
        history = read_log(bytes(log), did=DID)
    except VcError:
        return
    assert history.versions == read_log(LOG, did=DID).versions


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_only_our_errors_leave(data: st.DataObject) -> None:
    entry = json.loads(LOG.splitlines()[0])
    node: Any = entry
    while True:
        name = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        if isinstance(node[name], dict | list) and node[name] and data.draw(st.booleans()):
            node = node[name]
            continue
        node[name] = data.draw(st.sampled_from([None, True, 1, "", "x", [], {}, [[]], [{}], {"id": 1}]))
        break
    with pytest.raises(VcError):
        read_log(json.dumps(entry).encode(), did=DID)


def test_the_reference_package_makes_what_we_make() -> None:
    """Entry hash and SCID by two implementations."""
    log, did, _ = made(Recipe([first()]))
    state = DocumentState.load_history_json(log.decode(), None)
    state.check_version_id()
    assert state.document_id == did
