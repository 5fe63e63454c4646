"""``python -m fuzz.seeds``: the inputs that every fuzzing run starts from, made from our own line of the house."""

import json
from collections.abc import Iterator
from pathlib import Path

from fuzz.seeds_formats import formats, lists_and_documents
from fuzz.seeds_protocol import protocols
from fuzz.targets import CORPUS
from tests.line import AT, answer, credential, entry, issuer_keys, request
from tests.work_samples import EARNINGS, RATING
from vc.canon import Json, to_json
from vc.frames import Kind, Message, split
from vc.io.codes import Subject, draw
from vc.secure import sign
from work import CONTEXTS
from work.dictionary import DICTIONARIES
from work.draft import draft
from work.statement import Statement


def seeds() -> Iterator[tuple[str, str, bytes]]:
    """``(target, name, bytes)``."""
    base = credential()
    (presentation,) = answer(request())["vp_token"]["Earnings"]
    (derived,) = presentation["verifiableCredential"]
    yield "json", "values", b'{"a":[1,-0,1.5e3,1e21,true,null,"\\u00e9\\ud83d\\ude00\\n"],"":{}}'
    yield (
        "nquads",
        "quads",
        b'_:a <urn:p> "x\\n\\"y\\""@fr <urn:g> .\n<urn:s> <urn:p> "1"^^<urn:d> .\n_:a <urn:p> _:b .\n',
    )
    yield "nquads384", "cycle", b"_:a <urn:p> _:b .\n_:b <urn:p> _:c .\n_:c <urn:p> _:a .\n"
    yield "cbor", "proof", bytes.fromhex("85410141024103a100018101")
    yield "multibase", "z", b"z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
    yield "multibase", "u", b"u2V0CgA"
    for target in ("multikey", "did"):
        key = issuer_keys().credentials.did
        text = key.removeprefix("did:key:") if target == "multikey" else f"{key}#{key.removeprefix('did:key:')}"
        yield target, "bls", text.encode()
    yield "base-proof", "earnings", base["proof"]["proofValue"].encode()
    yield "derived-proof", "earnings", derived["proof"]["proofValue"].encode()
    for target in ("json-ld", "credential", "document"):
        yield target, "earnings", to_json(base)
    for target in ("verify-proofs", "credential"):
        yield target, "derived", to_json(derived)
        yield target, "signed", to_json(sign(_rating(), key=issuer_keys().public, created=None, contexts=CONTEXTS))
    yield "hold", "earnings", to_json(base)
    for target in ("presentation", "verify-presentation"):
        yield target, "earnings", to_json(presentation)
    yield (
        "trust",
        "one",
        json.dumps(
            {"type": "OuvrageTrust", "version": 1, "asOf": "2026-11-24T00:00:00Z", "issuers": [entry(issuer_keys())]}
        ).encode(),
    )
    yield "statement", "earnings", to_json(Statement("Earnings", "worker", EARNINGS).to_json())
    yield "request", "income", _request()
    for name, raw in (("short", _request()), ("presentation", to_json(presentation))):
        texts = split(Message(Kind.ANSWER, raw), dictionaries=DICTIONARIES)
        yield "frames", name, "\n".join(texts).encode()
    for suffix in ("png", "gif"):
        picture = Path(f"code.{suffix}")
        yield "picture", suffix, draw(["https://platform.example"], picture, Subject("offer", "en"))[picture]
    yield from formats()
    yield from lists_and_documents()
    yield from protocols()


def _rating() -> dict[str, Json]:
    statement = Statement("Rating", "worker", RATING)
    return dict(draft(statement, issuer=issuer_keys().public.did, holder=None, at=AT).document)


def _request() -> bytes:
    query = {
        "id": "a",
        "format": "ldp_vc",
        "meta": {"type_values": [["urn:t"]]},
        "claims": [{"id": "c", "path": ["credentialSubject", "x", None, 0], "values": ["1", 2, True]}],
        "claim_sets": [["c"]],
    }
    return json.dumps(
        {
            "response_type": "vp_token",
            "client_id": "v",
            "nonce": "0123456789abcdef",
            "dcql_query": {"credentials": [query], "credential_sets": [{"options": [["a"]]}]},
        }
    ).encode()


def main() -> None:
    """Write the seeds into the corpus."""
    for target, name, raw in seeds():
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(raw)


if __name__ == "__main__":
    main()
