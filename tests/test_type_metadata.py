"""Type Metadata: integrity, inheritance, the rules of one document, and a credential against its type."""

from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256, sha384, sha512
from typing import Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.sdjwt_samples import Rand
from vc.canon import Json, parse_object, to_json
from vc.disclosure import Revealed, reveal
from vc.errors import Undetermined, VcError
from vc.keys import P256Key
from vc.sdjwt import parse_sd_jwt, present
from vc.sdjwt_issuer import Issuer
from vc.sdjwt_vc import hold_credential, issue_credential, verify_credential
from vc.type_metadata import (
    MAX_DOCUMENTS,
    ClaimMetadata,
    TypeMetadata,
    check_claims,
    parse_type_metadata,
    resolve_type,
    select,
    verify_integrity,
)

VCT: Final = "https://types.example/earnings"
BASE: Final = "https://types.example/income"
KEY: Final = P256Key.from_secret(bytes(31) + b"\x01")
AT: Final = datetime(2026, 11, 24, tzinfo=UTC)
ENGLISH: Final = {"locale": "en", "label": "Total"}
without_deadline: Final = settings(deadline=None)


def document(vct: str = VCT, **members: Any) -> bytes:
    return to_json({"vct": vct, **members})


def sri(raw: bytes, name: str = "sha256") -> str:
    hashed = {"sha256": sha256, "sha384": sha384, "sha512": sha512}[name](raw)
    return f"{name}-{b64encode(hashed.digest()).decode()}"


def code_of(action: Callable[[], object]) -> str:
    with pytest.raises(VcError) as refused:
        action()
    return refused.value.code


# --- integrity --------------------------------------------------------------------------------------------------------

RAW: Final = b"a document"


@pytest.mark.parametrize(
    "integrity",
    [
        sri(RAW),
        sri(RAW, "sha384"),
        sri(RAW, "sha512"),
        f"{sri(RAW)}?option",
        f"{sri(b'x')} {sri(RAW)}",
        f"{sri(b'x')}\t{sri(RAW, 'sha512')}",  # the strongest counts
        f"md5-xx sha1-yy {sri(RAW)}",
        f"  {sri(RAW)}  ",
    ],
)
def test_the_document_that_was_meant(integrity: str) -> None:
    verify_integrity(RAW, integrity, where="x")


@pytest.mark.parametrize(
    ("integrity", "code"),
    [
        (sri(b"another"), "INTEGRITY_MISMATCH"),
        (f"{sri(RAW)} {sri(b'x', 'sha512')}", "INTEGRITY_MISMATCH"),
        ("", "INTEGRITY_MISMATCH"),
        ("md5-xx", "INTEGRITY_MISMATCH"),
        (sri(RAW).upper(), "INTEGRITY_MISMATCH"),
        ("sha256-", "INTEGRITY_MISMATCH"),
        (f"sha256-{sha256(RAW).hexdigest()}", "INTEGRITY_MISMATCH"),
        ("sha256-é", "BAD_TYPE_METADATA"),
        (sri(RAW).rstrip("="), "BAD_TYPE_METADATA"),
        (None, "BAD_TYPE_METADATA"),
        (1, "BAD_TYPE_METADATA"),
        ("sha256-" + "A" * 2000, "BAD_TYPE_METADATA"),
    ],
)
def test_another_document(integrity: Json, code: str) -> None:
    assert code_of(lambda: verify_integrity(RAW, integrity, where="x")) == code


def test_integrity_is_checked_before_the_document_is_read() -> None:
    assert code_of(lambda: resolve_type(VCT, sri(b"x"), {VCT: b"no JSON"})) == "INTEGRITY_MISMATCH"
    parent = document(BASE)
    child = document(extends=BASE, **{"extends#integrity": sri(parent)})
    assert resolve_type(VCT, sri(child), {VCT: child, BASE: parent}).extends == (BASE,)
    assert code_of(lambda: resolve_type(VCT, sri(child), {VCT: child, BASE: parent + b" "})) == "INTEGRITY_MISMATCH"


# --- inheritance ------------------------------------------------------------------------------------------------------


def inherited(parent: dict[str, Any], own: dict[str, Any]) -> TypeMetadata:
    documents = {VCT: document(extends=BASE, claims=[own]), BASE: document(BASE, claims=[parent])}
    return resolve_type(VCT, None, documents)


def test_claims_and_display_are_inherited() -> None:
    documents = {
        VCT: document(
            name="Child",
            extends=BASE,
            claims=[
                {"path": ["address", "city"], "display": [{"locale": "en", "label": "Town"}]},
                {"path": ["nationalities"], "sd": "always"},
            ],
        ),
        BASE: document(
            BASE,
            name="Parent",
            description="for developers",
            display=[{"locale": "fr", "name": "Revenus"}],
            claims=[
                {"path": ["name"], "display": [ENGLISH], "mandatory": True},
                {"path": ["address", "city"], "display": [ENGLISH, ENGLISH], "sd": "never", "svg_id": "city"},
            ],
        ),
    }
    resolved = resolve_type(VCT, None, documents)
    assert (resolved.vct, resolved.name, resolved.description, resolved.extends) == (VCT, "Child", None, (BASE,))
    assert resolved.display == ({"locale": "fr", "name": "Revenus"},)
    assert resolved.claims == (
        ClaimMetadata(("name",), None, True, (ENGLISH,), None),
        ClaimMetadata(("address", "city"), "never", None, ({"locale": "en", "label": "Town"},), "city"),
        ClaimMetadata(("nationalities",), "always", None, None, None),
    )
    own = {**documents, VCT: document(extends=BASE, display=[])}
    assert resolve_type(VCT, None, own).display == ()


@pytest.mark.parametrize(
    ("parent", "own", "result"),
    [
        ({}, {}, (None, None)),
        ({"sd": "allowed"}, {"sd": "always"}, ("always", None)),
        ({}, {"sd": "never"}, ("never", None)),
        ({"sd": "always"}, {"sd": "always"}, ("always", None)),
        ({"sd": "always"}, {}, ("always", None)),
        ({"mandatory": False}, {"mandatory": True}, (None, True)),
        ({"mandatory": True}, {}, (None, True)),
        ({"sd": "always"}, {"sd": "allowed"}, None),
        ({"sd": "always"}, {"sd": "never"}, None),
        ({"sd": "never"}, {"sd": "always"}, None),
        ({"mandatory": True}, {"mandatory": False}, None),
    ],
    ids=str,
)
def test_a_child_is_never_looser(parent: dict[str, Any], own: dict[str, Any], result: tuple[Any, Any] | None) -> None:
    path = {"path": ["total"]}
    if result is None:
        assert code_of(lambda: inherited(path | parent, path | own)) == "TYPE_RULES_BROKEN"
    else:
        (claim,) = inherited(path | parent, path | own).claims
        assert (claim.sd, claim.mandatory) == result


def chain(length: int) -> dict[str, bytes]:
    return {
        f"t{number}": document(f"t{number}", **({"extends": f"t{number + 1}"} if number + 1 < length else {}))
        for number in range(length)
    }


def test_chains_are_bounded_and_have_an_end() -> None:
    assert len(resolve_type("t0", None, chain(MAX_DOCUMENTS)).extends) == MAX_DOCUMENTS - 1
    assert code_of(lambda: resolve_type("t0", None, chain(MAX_DOCUMENTS + 1))) == "TYPE_RULES_BROKEN"
    for circle in ({"a": "a"}, {"a": "b", "b": "a"}, {"a": "b", "b": "c", "c": "b"}):
        documents = {vct: document(vct, extends=parent) for vct, parent in circle.items()}
        assert code_of(partial(resolve_type, "a", None, documents)) == "TYPE_RULES_BROKEN"


def test_what_is_not_given_is_not_known() -> None:
    for documents in ({}, {VCT: document(extends=BASE)}):
        with pytest.raises(Undetermined) as unknown:
            resolve_type(VCT, None, documents)
        assert unknown.value.code == "TYPE_METADATA_MISSING"
    assert code_of(lambda: resolve_type(VCT, None, {VCT: document(BASE)})) == "TYPE_RULES_BROKEN"


def test_one_svg_id_for_two_claims() -> None:
    parent, own = {"path": ["a"], "svg_id": "x"}, {"path": ["b"], "svg_id": "x"}
    assert code_of(lambda: inherited(parent, own)) == "BAD_TYPE_METADATA"


# --- one document -----------------------------------------------------------------------------------------------------


def rendering(**methods: Any) -> bytes:
    return document(display=[{"locale": "en", "name": "x", "rendering": methods}])


@pytest.mark.parametrize(
    "raw",
    [
        b"{}",
        b"[]",
        document(vct=1),  # type: ignore[arg-type]
        document(name=1),
        document(description=[]),
        document(extends=["x"]),
        document(claims={}),
        document(claims=["x"]),
        document(claims=[{}] * 2000),
        document(claims=[{}]),
        document(claims=[{"path": []}]),
        document(claims=[{"path": "total"}]),
        document(claims=[{"path": [-1]}]),
        document(claims=[{"path": [1.5]}]),
        document(claims=[{"path": [True]}]),
        document(claims=[{"path": [["x"]]}]),
        document(claims=[{"path": ["x"] * 33}]),
        document(claims=[{"path": ["x"]}, {"path": ["x"]}]),
        document(claims=[{"path": ["x"], "sd": "maybe"}]),
        document(claims=[{"path": ["x"], "sd": None}]),
        document(claims=[{"path": ["x"], "mandatory": "true"}]),
        document(claims=[{"path": ["x"], "mandatory": None}]),
        document(claims=[{"path": ["x"], "svg_id": "1x"}]),
        document(claims=[{"path": ["x"], "svg_id": "x\n"}]),
        document(claims=[{"path": ["x"], "svg_id": ""}]),
        document(claims=[{"path": ["x"], "display": {}}]),
        document(claims=[{"path": ["x"], "display": ["x"]}]),
        document(claims=[{"path": ["x"], "display": [{"locale": "en"}]}]),
        document(claims=[{"path": ["x"], "display": [{"label": "x"}]}]),
        document(claims=[{"path": ["x"], "display": [{**ENGLISH, "description": 1}]}]),
        document(display=[{"locale": "en", "label": "x"}]),
        rendering(simple=1),
        rendering(simple={"logo": "https://x.example"}),
        rendering(simple={"logo": {}}),
        rendering(simple={"logo": {"uri": "http://x.example"}}),
        rendering(simple={"background_image": {"uri": "javascript:alert(1)"}}),
        rendering(svg_templates={}),
        rendering(svg_templates=[{"uri": "file:///x"}]),
    ],
    ids=lambda raw: raw.decode()[-40:],
)
def test_what_is_no_type_metadata(raw: bytes) -> None:
    assert code_of(lambda: parse_type_metadata(raw)) in ("BAD_TYPE_METADATA", "NOT_JSON")


def test_what_is_one() -> None:
    raw = rendering(
        simple={"logo": {"uri": "https://x.example/l.png", "alt_text": "x"}, "text_color": "#FFFFFF"},
        svg_templates=[{"uri": "data:image/svg+xml,x"}],
        other={"unknown": 1},
    )
    metadata = parse_type_metadata(raw)
    assert metadata.display == tuple(parse_object(raw)["display"])  # type: ignore[arg-type]
    assert parse_type_metadata(document(claims=[{"path": ["a", 0, None], "x": 1}], unknown=1)).claims == (
        ClaimMetadata(("a", 0, None), None, None, None, None),
    )


# --- a credential against its type ------------------------------------------------------------------------------------

CLAIMS: Final[dict[str, Any]] = {
    "iss": "https://platform.example",
    "vct": VCT,
    "total": "1500",
    "name": "plain",
    "address": {"locality": "Lyon", "country": "FR"},
    "months": ["1", "2", "3"],
    "jobs": [{"kind": "ride", "hours": "3"}, {"kind": "meal"}],
}
SELECTIVE: Final = ("/total", "/address/locality", "/months/0", "/months/2", "/jobs/0", "/jobs/0/hours")
ISSUER: Final = Issuer("x", "x#1", KEY.public, frozenset({VCT}))


def credential(**changes: Any) -> str:
    return issue_credential({**CLAIMS, **changes}, key=KEY, selective=SELECTIVE, rand=Rand())


def revealed(*pointers: str) -> Revealed:
    kept = hold_credential(credential(), find_issuer=lambda *_: ISSUER, at=AT)
    shown = present(kept, pointers, binding=None)
    return reveal(kept.payload, shown.disclosures, keep_hidden=True)


EVERYTHING: Final = revealed("")
NOTHING: Final = revealed()


def test_places_count_as_issued() -> None:
    selection = select(("months", None), NOTHING.claims)
    assert selection is not None
    assert [place for place, _ in selection.places] == [("months", 0), ("months", 1), ("months", 2)]
    assert select(("months", 1), NOTHING.claims) == select(("months", 1), EVERYTHING.claims)
    assert NOTHING.claims["months"][1] == "2"  # type: ignore[index]


@pytest.mark.parametrize(
    ("path", "places", "may_be_hidden"),
    [
        (("name",), [("name",)], False),
        (("total",), [], True),
        (("nothing",), [], True),
        (("address",), [("address",)], False),
        (("address", "country"), [("address", "country")], False),
        (("address", "locality"), [], True),
        (("months", 3), [], False),
        (("jobs", None, "kind"), [("jobs", 1, "kind")], True),
        (("jobs", 1, "hours"), [], False),
        (("jobs", 0, "hours"), [], True),
        (("jobs", 0), [("jobs", 0)], False),
        (("_sd",), [], False),
        (("jobs", 0, "..."), [], True),
        (("name", "x"), None, False),
        (("name", 0), None, False),
        (("name", None), None, False),
        (("address", 0), None, False),
        (("months", "x"), None, False),
        (("jobs", None, "kind", None), None, False),
    ],
)
def test_what_a_path_selects(path: Any, places: list[Any] | None, may_be_hidden: bool) -> None:
    selection = select(path, NOTHING.claims)
    if places is None:
        assert selection is None
    else:
        assert selection is not None
        assert [place for place, _ in selection.places] == places
        assert selection.may_be_hidden == may_be_hidden


def findings(issued: Revealed, *, complete: bool = False, **rules: Any) -> int:
    metadata = parse_type_metadata(document(claims=[rules]))
    found = list(check_claims(metadata, issued, complete=complete))
    assert {finding.code for finding in found} <= {"TYPE_RULES_BROKEN"}
    return len(found)


@pytest.mark.parametrize("issued", [EVERYTHING, NOTHING], ids=["shown", "hidden"])
@pytest.mark.parametrize(
    ("path", "sd", "wrong"),
    [
        (["name"], "never", 0),
        (["name"], "always", 1),
        (["name"], "allowed", 0),
        (["address"], "never", 0),
        (["address"], "always", 1),
        (["months", 1], "never", 0),
        (["months", 1], "always", 1),
        (["months", 0], "always", 0),
        (["months", 0], "never", 1),
        (["months", None], "always", 1),
        (["months", None], "never", 2),
        (["jobs", 0], "never", 1),
        (["jobs", 1, "kind"], "never", 0),
        (["name", "x"], "allowed", 1),
    ],
)
def test_what_may_be_kept_back(issued: Revealed, path: list[Any], sd: str, wrong: int) -> None:
    assert findings(issued, path=path, sd=sd) == wrong


@pytest.mark.parametrize(
    ("path", "sd", "shown", "hidden"),
    [
        (["total"], "never", 1, 0),  # what is hidden cannot be told
        (["jobs", 0, "hours"], "never", 1, 0),
        (["jobs", 0, "hours"], "always", 0, 0),
        (["jobs", None, "kind"], "always", 2, 1),
        (["jobs", 0, "kind"], "always", 1, 0),  # its parent can be kept back, itself it cannot
    ],
)
def test_what_a_verifier_cannot_see(path: list[Any], sd: str, shown: int, hidden: int) -> None:
    assert findings(EVERYTHING, path=path, sd=sd) == shown
    assert findings(NOTHING, path=path, sd=sd) == hidden


@pytest.mark.parametrize(
    ("path", "verifier", "holder"),
    [
        (["name"], 0, 0),
        (["total"], 0, 0),
        (["nothing"], 0, 1),  # the payload has digests, one of which may be its
        (["address", "nothing"], 0, 1),
        (["jobs", 1, "nothing"], 1, 1),  # nothing is hidden there
        (["jobs", 0, "nothing"], 0, 1),
        (["months", 9], 1, 1),
        (["months", 0], 0, 0),
    ],
)
def test_what_is_mandatory(path: list[Any], verifier: int, holder: int) -> None:
    assert findings(NOTHING, path=path, mandatory=True) == verifier
    assert findings(EVERYTHING, path=path, mandatory=True, complete=True) == holder
    assert findings(NOTHING, path=path, mandatory=False) == 0


def test_work_is_bounded() -> None:
    wide: dict[str, Json] = {"a": [["x"] * 300] * 300}
    many = parse_type_metadata(document(claims=[{"path": ["a", None, None]}]))
    assert code_of(lambda: list(check_claims(many, Revealed(wide, {}), complete=False))) == "TOO_LARGE"
    long: dict[str, Json] = {"a": ["x"] * 1000}
    several = parse_type_metadata(document(claims=[{"path": ["a", None]}]))
    repeated = TypeMetadata(VCT, None, None, (), None, None, several.claims * 100)
    assert code_of(lambda: list(check_claims(repeated, Revealed(long, {}), complete=False))) == "TOO_LARGE"


def test_a_credential_keeps_the_rules_of_its_type() -> None:
    rules = {VCT: document(claims=[{"path": ["total"], "sd": "always", "mandatory": True}])}
    broken = {VCT: document(claims=[{"path": ["name"], "sd": "always"}])}
    find: Any = lambda *_: ISSUER  # noqa: E731
    for text in (credential(), credential(**{"vct#integrity": sri(rules[VCT])})):
        kept = hold_credential(text, find_issuer=find, at=AT, types=rules)
        verified = verify_credential(
            present(kept, [], binding=None).text,
            find_issuer=find,
            challenge=None,
            at=AT,
            check_status=None,
            types=rules,
        )
        assert verified.metadata is not None
        assert verified.metadata.vct == VCT
    check = partial(verify_credential, credential(), find_issuer=find, challenge=None, at=AT, check_status=None)
    assert code_of(partial(check, types=broken)) == "TYPE_RULES_BROKEN"
    assert code_of(partial(check, types={})) == "TYPE_METADATA_MISSING"
    assert code_of(partial(hold_credential, credential(), find_issuer=find, at=AT, types=broken)) == "TYPE_RULES_BROKEN"
    pinned = credential(**{"vct#integrity": sri(b"other")})
    assert code_of(partial(hold_credential, pinned, find_issuer=find, at=AT, types=rules)) == "INTEGRITY_MISMATCH"
    assert parse_sd_jwt(pinned).disclosures


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 9) | st.sampled_from(["always", "en", "https://x", "x"]),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(
            st.sampled_from(["path", "sd", "display", "locale", "name", "uri", "simple", "rendering"]), below
        )
    ),
    max_leaves=10,
)


@without_deadline
@given(st.dictionaries(st.sampled_from(["extends", "display", "claims", "extends#integrity", "name"]), JUNK))
@example({"extends": VCT})
def test_only_our_errors_leave(members: dict[str, Any]) -> None:
    try:
        metadata = resolve_type(VCT, None, {VCT: document(**members), "x": document("x", **members)})
        list(check_claims(metadata, NOTHING, complete=True))
    except VcError:
        pass
