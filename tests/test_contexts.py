"""The frozen contexts: exact bytes, equal to the published ones, and never fetched."""

import json
from hashlib import sha256, sha384
from pathlib import Path

import pytest

import vc.contexts
from tests.shared import shared_path
from vc.canon import parse_object
from vc.contexts import EXAMPLE_PINS, EXAMPLES, PINS, SERVED, W3C
from vc.errors import Malformed, Unsupported
from vc.jsonld import Contexts, to_rdf

FOLDER = Path(vc.contexts.__file__).parent
EXTRA = "https://example.org/extra/v1"
EXTRA_BYTES = b'{"@context": {"extra": "https://example.org/extra#extra"}}'

PUBLISHED = {
    "credentials-v1.jsonld": "credentials-v1.jsonld",
    "credentials-v2.jsonld": "credentials-v2.jsonld",
    "undefined-terms-v2.jsonld": "credentials-undefined-terms-v2.jsonld",
    "data-integrity-v1.jsonld": "data-integrity-v1.jsonld",
    "data-integrity-v2.jsonld": "data-integrity-v2.jsonld",
    "did-v1.jsonld": "did-v1.jsonld",
    "multikey-v1.jsonld": "multikey-v1.jsonld",
    "ed25519-signature-2020-v1.jsonld": "ed25519-signature-2020-v1.jsonld",
    "vdl-v1.jsonld": "vdl-v1.jsonld",
    "vdl-aamva-v1.jsonld": "vdl-aamva-v1.jsonld",
    "citizenship-v4rc1.jsonld": "citizenship-v4rc1.jsonld",
    "examples-v2.jsonld": "credentials-examples-v2.jsonld",
}
OPEN_BADGES = "open-badges-3.0.3.jsonld"  # of which no published copy is kept beside: its tests are in test_open_badges
ALL = {**PINS, **EXAMPLE_PINS}
BOTH = W3C.with_(EXAMPLES.raw)


@pytest.mark.parametrize(("url", "name", "pin"), [(url, *file) for url, file in ALL.items()])
def test_every_file_has_the_pinned_digest(url: str, name: str, pin: str) -> None:
    assert sha256((FOLDER / name).read_bytes()).hexdigest() == pin
    assert BOTH.pins[url] == pin


def test_every_file_is_pinned_and_its_licence_is_told() -> None:
    names = {path.name for path in FOLDER.glob("*.jsonld")}
    assert names == {name for name, _ in ALL.values()}
    licences = (FOLDER / "LICENSES.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in licences and f"`{url}`" in licences for url, (name, _) in ALL.items())


@pytest.mark.parametrize(("ours", "published"), PUBLISHED.items())
def test_every_file_equals_the_published_context(ours: str, published: str) -> None:
    theirs = shared_path(f"vectors/contexts/{published}").read_bytes()
    assert parse_object((FOLDER / ours).read_bytes()) == parse_object(theirs)


def test_what_is_served_is_told_where_it_is_not_what_is_here() -> None:
    for url, (name, _) in ALL.items():
        if name == OPEN_BADGES:
            continue
        published = shared_path(f"vectors/contexts/{PUBLISHED[name]}").read_bytes()
        if published != BOTH.raw[url]:
            assert {sha256(published).hexdigest(), sha384(published).hexdigest()} <= set(SERVED[url]), url


def test_contexts_of_examples_are_apart() -> None:
    assert W3C.pins.keys().isdisjoint(EXAMPLES.pins)


def test_a_changed_file_is_not_loaded() -> None:
    url, (name, pin) = next(iter(PINS.items()))
    assert vc.contexts._pinned(url, name, pin)
    with pytest.raises(Malformed, match=url):
        vc.contexts._pinned(url, name, "0" * 64)


def test_an_unknown_context_is_an_error_that_names_it() -> None:
    with pytest.raises(Unsupported) as caught:
        to_rdf({"@context": ["https://www.w3.org/ns/credentials/v2", EXTRA], "type": "VerifiableCredential"}, W3C)
    assert (caught.value.what, caught.value.name) == ("context", EXTRA)


def test_with_adds_and_leaves_the_first_set_alone() -> None:
    more = W3C.with_({EXTRA: EXTRA_BYTES})
    assert to_rdf({"@context": EXTRA, "extra": "x"}, more).quads
    assert EXTRA not in W3C.pins
    assert more.pins[EXTRA] == sha256(EXTRA_BYTES).hexdigest()


def test_with_refuses_other_bytes_under_a_known_url() -> None:
    same = W3C.with_({EXTRA: EXTRA_BYTES}).with_({EXTRA: EXTRA_BYTES})
    with pytest.raises(Malformed, match="pinned to other bytes"):
        same.with_({EXTRA: EXTRA_BYTES + b"\n"})


def test_sets_with_the_same_bytes_are_equal() -> None:
    one, two = W3C.with_({EXTRA: EXTRA_BYTES}), W3C.with_({EXTRA: EXTRA_BYTES})
    assert one == two
    assert hash(one) == hash(two)
    assert one != W3C
    assert one != W3C.with_({EXTRA: EXTRA_BYTES + b"\n"})


def test_a_set_cannot_change() -> None:
    with pytest.raises(TypeError):
        W3C.raw[EXTRA] = EXTRA_BYTES  # type: ignore[index]
    with pytest.raises(TypeError):
        W3C.pins[EXTRA] = ""  # type: ignore[index]
    raw = {EXTRA: EXTRA_BYTES}
    contexts = Contexts.of(raw)
    raw[EXTRA] = b"{}"
    assert contexts.context(EXTRA) == json.loads(EXTRA_BYTES)["@context"]


@pytest.mark.parametrize(
    ("url", "raw"),
    [
        ("not-a-url", EXTRA_BYTES),
        ("null", EXTRA_BYTES),
        (EXTRA, b"{}"),
        (EXTRA, b"[]"),
        (EXTRA, b'{"@context": {}, "@context": {}}'),
        (EXTRA, b"\xff"),
    ],
)
def test_what_is_no_context_is_refused(url: str, raw: bytes) -> None:
    with pytest.raises(Malformed):
        Contexts.of({url: raw})
