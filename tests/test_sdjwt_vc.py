"""SD-JWT VC: the published examples, the profile's rules, whose key signs, and the rules of a type."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.certificates import certify, names, secret
from tests.sdjwt_samples import Example, Rand, examples
from vc.canon import Json, parse_object, to_json
from vc.contexts import W3C
from vc.did import did_jwk, did_jwk_method
from vc.disclosure import digest_of
from vc.errors import Finding, Rejected, Undetermined, VcError
from vc.jose import Jws, sign_jws
from vc.jwk import public_jwk
from vc.keys import P256Key, PublicKey, Signer
from vc.model import Object
from vc.multibase import encode_base64url
from vc.sdjwt import Challenge, HeldSdJwt, KeyBinding, parse_sd_jwt, present
from vc.sdjwt_issuer import (
    FindIssuer,
    Issuer,
    KnownIssuers,
    NamedIssuer,
    find_known,
    find_self_described,
    named_issuer,
    parse_jwk_set,
)
from vc.sdjwt_vc import (
    NEVER_SELECTIVE,
    TYP,
    VerifiedSdJwtVc,
    confirmation,
    hold_credential,
    issue_credential,
    verify_credential,
)
from vc.trust import Trust, parse_trust

PUBLISHED = list(examples("sd-jwt-vc-examples"))
AT: Final = datetime(2026, 11, 24, tzinfo=UTC)
HOLDER: Final = P256Key.from_secret(bytes(31) + b"\x02")
KEY: Final = P256Key.from_secret(bytes(31) + b"\x01")
STRANGER: Final = P256Key.from_secret(bytes(31) + b"\x03")
ISS: Final = "https://platform.example/eu"
VCT: Final = "https://platform.example/earnings"
CHALLENGE: Final = Challenge("nonce", "https://lender.example")
without_deadline: Final = settings(deadline=None)

CLAIMS: Final[dict[str, Any]] = {
    "iss": ISS,
    "iat": 1795392000,
    "exp": 1798000000,
    "vct": VCT,
    "cnf": confirmation(HOLDER.public),
    "total": "18000.00",
    "address": {"locality": "Lyon", "country": "FR"},
    "months": ["1500.00", "1600.00", "1400.00"],
}
SELECTIVE: Final = ("/total", "/address", "/address/locality", "/months/0", "/months/1", "/months/2")
BY_NAME: Final = find_known(KnownIssuers(named={ISS: NamedIssuer({"1": KEY.public}, frozenset({VCT}))}), AT)


def issued(key: Signer = KEY, **changes: Any) -> str:
    arguments: dict[str, Any] = {"selective": SELECTIVE, "rand": Rand(), "header": {"kid": "1"}, **changes}
    return issue_credential(arguments.pop("claims", CLAIMS), key=key, **arguments)


def held(text: str = "", **changes: Any) -> HeldSdJwt:
    arguments: dict[str, Any] = {"find_issuer": BY_NAME, "at": AT, **changes}
    return hold_credential(text or issued(), **arguments)


def shown(*pointers: str, text: str = "", **changes: Any) -> str:
    binding = KeyBinding(HOLDER, CHALLENGE.nonce, CHALLENGE.audience, AT)
    return present(held(text, **changes), pointers, binding=binding).text


def checked(presented: Json, **changes: Any) -> VerifiedSdJwtVc:
    arguments: dict[str, Any] = {
        "find_issuer": BY_NAME,
        "challenge": CHALLENGE,
        "at": AT,
        "check_status": None,
        "types": None,
        **changes,
    }
    return verify_credential(presented, **arguments)


def code_of(action: Callable[[], object]) -> str:
    with pytest.raises(VcError) as refused:
        action()
    return refused.value.code


def with_claims(*without: str, **changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**CLAIMS, **changes}.items() if name not in without}


def signed(payload: dict[str, Any], *disclosures: str, key: Signer = KEY, typ: str = TYP, **header: Any) -> str:
    """A credential of any content, without key binding."""
    members: dict[str, Json] = {"kid": "1", **header}
    return "~".join((sign_jws(to_json(payload), key=key, typ=typ, header=members), *disclosures, ""))


# --- the published examples -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vector", PUBLISHED, ids=lambda vector: vector.name)
def test_the_published_examples(vector: Example) -> None:
    issuer = Issuer("example", "example#1", vector.issuers[0], frozenset({vector["user_claims"]["vct"]}))

    def find(jws: Jws, payload: Object) -> Issuer:
        assert payload == vector["sd_jwt_payload"]
        return issuer

    kept = hold_credential(vector.form("sd_jwt_issuance"), find_issuer=find, at=vector.at)
    assert {name: kept.claims[name] for name in vector["user_claims"]} == vector["user_claims"]
    challenge = None
    if vector.bound:
        challenge = Challenge(vector["kb_jwt_payload"]["nonce"], vector["kb_jwt_payload"]["aud"])
    verified = checked(vector.form("sd_jwt_presentation"), find_issuer=find, challenge=challenge, at=vector.at)
    assert verified.claims == vector["verified_contents"]
    assert verified.vct == vector["user_claims"]["vct"]
    assert verified.issuer == issuer
    assert verified.binding == vector.steps.get("kb_jwt_payload", {})
    shown_in_vector = parse_sd_jwt(vector.form("sd_jwt_presentation")).disclosures
    leaves = ["".join(f"/{part}" for part in path) for path in verified.disclosed]
    again = present(kept, [each for each in leaves if not any(o.startswith(each + "/") for o in leaves)], binding=None)
    assert set(again.disclosures) == set(shown_in_vector)


def test_all_examples_are_there() -> None:
    assert [vector.name for vector in PUBLISHED] == ["01", "02", "03-pid"]


# --- the profile ------------------------------------------------------------------------------------------------------


def test_from_issuer_to_verifier() -> None:
    verified = checked(shown("/total", "/months/1"))
    assert verified.claims == with_claims("address", months=["1600.00"])
    assert verified.disclosed == {("total",), ("months", 0)}
    assert verified.vct == VCT
    assert verified.types == {VCT}
    assert verified.metadata is None
    assert verified.issuer == Issuer(ISS, f"{ISS}#1", KEY.public, frozenset({VCT}))
    assert verified.holder == HOLDER.public
    assert verified.binding["aud"] == CHALLENGE.audience


def test_without_selective_claims() -> None:
    text = issued(selective=[])
    assert "_sd" not in parse_object(parse_sd_jwt(text).jws.unverified)
    assert checked(text, challenge=None).claims == CLAIMS


def test_other_types_count_where_the_issuer_may_attest_them() -> None:
    claims = with_claims(aka_vcts=["urn:example:income", "urn:example:passport"])
    known = KnownIssuers(named={ISS: NamedIssuer({"1": KEY.public}, frozenset({VCT, "urn:example:income"}))})
    verified = checked(issued(claims=claims), challenge=None, find_issuer=find_known(known, AT))
    assert verified.types == {VCT, "urn:example:income"}


def test_an_issuer_is_not_believed_about_other_types() -> None:
    text = issued(claims=with_claims(vct="urn:example:passport", aka_vcts=[VCT]))
    assert code_of(lambda: checked(text, challenge=None)) == "TYPE_NOT_TRUSTED"
    assert held(text).claims["vct"] == "urn:example:passport"  # what is given to a holder is the holder's to judge


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        (with_claims("vct"), "BAD_TYPE"),
        (with_claims(vct=""), "BAD_TYPE"),
        (with_claims(vct=["x"]), "BAD_TYPE"),
        (with_claims(vct="x" * 3000), "BAD_TYPE"),
        (with_claims(aka_vcts=[]), "BAD_TYPE"),
        (with_claims(aka_vcts="x"), "BAD_TYPE"),
        (with_claims(aka_vcts=[1]), "BAD_TYPE"),
        (with_claims(aka_vcts=[VCT]), "BAD_TYPE"),
        (with_claims(aka_vcts=[f"x{number}" for number in range(17)]), "BAD_TYPE"),
        (with_claims(iss=1), "NOT_TEXT"),
        (with_claims(sub=1), "NOT_TEXT"),
        (with_claims(**{"vct#integrity": 1}), "NOT_TEXT"),
        (with_claims(exp="2026"), "BAD_DATE"),
        (with_claims(iat=True), "BAD_DATE"),
        (with_claims(status="x"), "NOT_AN_OBJECT"),
        (with_claims(cnf={}), "UNSUPPORTED_KEY"),
        (with_claims(cnf={"jwk": {**public_jwk(HOLDER.public), "d": "AQ"}}), "BAD_KEY"),
    ],
    ids=lambda value: str(value)[-40:],
)
def test_registered_claims_have_their_form(claims: dict[str, Any], code: str) -> None:
    assert code_of(lambda: issued(claims=claims, selective=[])) == code
    if code != "NOT_TEXT" or claims["iss"] == ISS:
        assert code_of(lambda: checked(signed(claims), challenge=None)) == code


@pytest.mark.parametrize("name", sorted(NEVER_SELECTIVE))
def test_what_can_never_be_kept_back(name: str) -> None:
    values = {"vct#integrity": "sha256-x", "aka_vcts": ["x"], "status": {"a": 1}, "nbf": 1}
    claims = with_claims(**{name: values.get(name, CLAIMS.get(name))})
    assert code_of(lambda: issued(claims=claims, selective=[f"/{name}"])) == "BAD_POINTER"
    text = encode_base64url(to_json(["salt", name, claims[name]]))
    payload = {key: value for key, value in claims.items() if key != name}
    hidden = signed({**payload, "_sd": [digest_of(text, "sha-256")]}, text)
    # Without its name in the clear, an issuer is not even looked for.
    assert code_of(partial(checked, hidden, challenge=None)) == (
        "ISSUER_NOT_TRUSTED" if name == "iss" else "DISCLOSURE_INVALID"
    )


@pytest.mark.parametrize(
    "claims",
    [
        with_claims(cnf={"jwk": public_jwk(HOLDER.public), "_sd": ["x"]}),
        with_claims(cnf={"jwk": {**public_jwk(HOLDER.public), "_sd": ["x"]}}),
        with_claims(status={"status_list": [{"...": "x"}]}),
        with_claims(aka_vcts=["y", {"...": "x"}]),
    ],
    ids=["cnf", "jwk", "status", "aka_vcts"],
)
def test_nothing_in_it_can_be_kept_back_either(claims: dict[str, Any]) -> None:
    assert code_of(lambda: checked(signed(claims), challenge=None)) == "DISCLOSURE_INVALID"
    assert code_of(lambda: issued(claims=CLAIMS, selective=["/cnf/jwk"])) == "BAD_POINTER"
    assert code_of(lambda: issued(claims=CLAIMS, decoys={"/cnf": 1})) == "BAD_POINTER"


@pytest.mark.parametrize("typ", ["vc+sd-jwt", "JWT", "kb+jwt", "application/dc+sd-jwt", "DC+SD-JWT"])
def test_another_type_of_token(typ: str) -> None:
    assert code_of(lambda: checked(signed(CLAIMS, typ=typ), challenge=None)) == "PURPOSE_MISMATCH"


def test_dates() -> None:
    assert code_of(lambda: checked(shown(), at=datetime(2026, 12, 31, tzinfo=UTC), challenge=LONG)) == "EXPIRED"
    assert code_of(lambda: checked(signed(with_claims(nbf=1795900000)), challenge=None)) == "NOT_YET_VALID"


LONG: Final = replace(CHALLENGE, max_age=timedelta(days=100))


def test_status() -> None:
    status = {"status_list": {"idx": 1, "uri": "https://platform.example/list"}}
    text = issued(claims=with_claims(status=status))
    asked: list[Json] = []

    def says(*results: Finding | Undetermined) -> Callable[[Json], Iterator[Finding | Undetermined]]:
        def check(claim: Json) -> Iterator[Finding | Undetermined]:
            asked.append(claim)
            yield from results

        return check

    doubt = Undetermined("the list is old", "get a newer one", code="STATUS_STALE")
    assert code_of(lambda: checked(text, challenge=None)) == "STATUS_UNKNOWN"
    assert checked(text, challenge=None, check_status=says()).claims["status"] == status
    assert code_of(lambda: checked(text, challenge=None, check_status=says(doubt))) == "STATUS_STALE"
    revoked = says(doubt, Finding("REVOKED", "withdrawn"))
    assert code_of(lambda: checked(text, challenge=None, check_status=revoked)) == "REVOKED"
    assert asked == [status] * 3
    assert checked(issued(), challenge=None, check_status=revoked).vct == VCT  # it names no list


# --- whose key: DIDs --------------------------------------------------------------------------------------------------

DID: Final = KEY.did
METHOD: Final = KEY.verification_method


def trust(method: str = METHOD, **window: str) -> Trust:
    key = {"id": method, "validFrom": "2026-01-01T00:00:00Z", "validUntil": None, **window}
    entry: dict[str, Any] = {"name": "Platform", "legalIdentifier": "1", "mayAttest": [VCT], "keys": [key]}
    document: dict[str, Any] = {"type": "OuvrageTrust", "version": 1, "asOf": "2026-11-24T00:00:00Z"}
    return parse_trust(to_json({**document, "issuers": [entry], "public": []}), contexts=W3C)


def by_did(found: Trust | None = None) -> FindIssuer:
    return find_known(KnownIssuers(trust=found or trust()), AT)


BY_DID: Final = with_claims(iss=DID)


def test_a_did_that_the_trust_file_knows() -> None:
    text = issued(claims=BY_DID, header={})
    assert parse_sd_jwt(text).jws.header["kid"] == METHOD
    verified = checked(text, challenge=None, find_issuer=by_did())
    assert verified.issuer == Issuer("Platform", METHOD, KEY.public, frozenset({VCT}))
    for kid in (METHOD, "#" + METHOD.partition("#")[2]):
        assert checked(signed(BY_DID, kid=kid), challenge=None, find_issuer=by_did()).issuer == verified.issuer
    alone = "~".join((sign_jws(to_json(BY_DID), key=KEY, typ=TYP), ""))
    assert checked(alone, challenge=None, find_issuer=by_did()).issuer == verified.issuer


def test_a_did_jwk() -> None:
    did, method = did_jwk(KEY.public), did_jwk_method(KEY.public)
    text = "~".join((sign_jws(to_json(with_claims(iss=did)), key=KEY, typ=TYP), ""))
    assert checked(text, challenge=None, find_issuer=by_did(trust(method))).issuer.method == method
    assert hold_credential(text, find_issuer=find_self_described, at=AT).claims["iss"] == did


@pytest.mark.parametrize(
    ("text", "found", "code"),
    [
        (signed(BY_DID, kid=METHOD), trust(STRANGER.verification_method), "ISSUER_NOT_TRUSTED"),
        (signed(BY_DID, kid=STRANGER.verification_method), trust(), "METHOD_NOT_ISSUERS"),
        (signed(BY_DID, kid="1"), trust(), "METHOD_NOT_ISSUERS"),
        (signed(BY_DID, kid=METHOD, key=STRANGER), trust(), "PROOF_INVALID"),
        (signed(BY_DID, kid=METHOD), trust(validUntil="2026-11-01T00:00:00Z"), "KEY_OUT_OF_WINDOW"),
        (signed(BY_DID, kid=METHOD), trust(validFrom="2026-11-24T00:00:00Z"), "KEY_OUT_OF_WINDOW"),
        (signed(with_claims(iss="did:web:x.example"), kid="#1"), trust("did:web:x.example#1"), "DID_UNKNOWN"),
        (signed(with_claims(iss="did:example:x"), kid="#1"), trust("did:example:x#1"), "UNSUPPORTED_DID"),
        (signed(with_claims(iss="did:key"), kid="#1"), trust(), "ISSUER_NOT_TRUSTED"),
        (signed(with_claims(iss=""), kid="#1"), trust(), "NOT_TEXT"),
        (signed(with_claims(iss="x" * 2000), kid="#1"), trust(), "NOT_TEXT"),
        (signed(BY_DID, kid="#" + "x" * 2000), trust(), "NOT_TEXT"),
    ],
)
def test_a_did_that_is_not_believed(text: str, found: Trust, code: str) -> None:
    assert code_of(lambda: checked(text, challenge=None, find_issuer=by_did(found))) == code


def test_a_key_that_was_rotated_away() -> None:
    ended = trust(validUntil="2026-11-23T12:00:00Z")
    assert checked(signed(BY_DID, kid=METHOD), challenge=None, find_issuer=by_did(ended)).vct == VCT
    undated = signed({name: value for name, value in BY_DID.items() if name != "iat"}, kid=METHOD)
    assert code_of(lambda: checked(undated, challenge=None, find_issuer=by_did(ended))) == "KEY_OUT_OF_WINDOW"


def test_several_keys_and_none_named() -> None:
    text = "~".join((sign_jws(to_json(with_claims(iss="did:web:x.example")), key=KEY, typ=TYP), ""))
    assert code_of(lambda: checked(text, challenge=None, find_issuer=by_did())) == "MISSING"


def test_a_holder_keeps_what_a_did_describes() -> None:
    kept = hold_credential(issued(claims=BY_DID, header={}), find_issuer=find_self_described, at=AT)
    assert kept.claims == BY_DID
    assert code_of(lambda: held(find_issuer=find_self_described)) == "ISSUER_NOT_TRUSTED"
    text = issued(claims=BY_DID, header={})
    assert code_of(lambda: checked(text, challenge=None, find_issuer=find_self_described)) == "TYPE_NOT_TRUSTED"


# --- whose key: names -------------------------------------------------------------------------------------------------


def jwks(*keys: dict[str, Any]) -> dict[str, Any]:
    return {"keys": list(keys)}


def jwk(key: PublicKey = KEY.public, **members: Any) -> dict[str, Any]:
    return {**public_jwk(key), **members}


def metadata(**members: Any) -> bytes:
    document = {"issuer": ISS, "jwks": jwks(jwk(kid="1")), **members}
    return to_json({name: value for name, value in document.items() if value is not None})


def test_issuer_metadata() -> None:
    types = frozenset({VCT})
    for named in (
        named_issuer(metadata(), iss=ISS, may_attest=types),
        named_issuer(metadata(jwks=jwks(jwk(kid="1"), jwk(STRANGER.public, kid="2"))), iss=ISS, may_attest=types),
        named_issuer(metadata(jwks=jwks(jwk())), iss=ISS, may_attest=types),
        named_issuer(
            metadata(jwks=None, jwks_uri="https://x.example/keys"),
            iss=ISS,
            may_attest=types,
            jwks=to_json(jwks(jwk(kid="1"))),
        ),
    ):
        find = find_known(KnownIssuers(named={ISS: named}), AT)
        text = signed(CLAIMS) if "1" in named.keys else "~".join((sign_jws(to_json(CLAIMS), key=KEY, typ=TYP), ""))
        assert checked(text, challenge=None, find_issuer=find).issuer.public == KEY.public


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (metadata(issuer="https://other.example"), "METHOD_NOT_ISSUERS"),
        (metadata(issuer=None), "METHOD_NOT_ISSUERS"),
        (metadata(jwks=None), "BAD_KEY"),
        (metadata(jwks_uri="https://x.example"), "BAD_KEY"),
        (metadata(jwks=None, jwks_uri="https://x.example"), "KEYS_UNKNOWN"),
        (metadata(jwks=[]), "BAD_KEY"),
        (b"[]", "NOT_JSON"),
    ],
)
def test_what_is_no_issuer_metadata(raw: bytes, code: str) -> None:
    assert code_of(lambda: named_issuer(raw, iss=ISS, may_attest=frozenset())) == code


@pytest.mark.parametrize(
    ("value", "kids"),
    [
        (jwks(), []),
        (jwks(jwk(kid="a"), jwk(STRANGER.public, kid="b", use="sig")), ["a", "b"]),
        (jwks(jwk(kid="a", use="enc")), []),
        (jwks({"kty": "RSA", "n": "AQ", "e": "AQAB", "kid": "a"}, jwk(kid="b")), ["b"]),
        (jwks(jwk()), [""]),
    ],
)
def test_a_jwk_set(value: dict[str, Any], kids: list[str]) -> None:
    assert list(parse_jwk_set(value)) == kids


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"keys": {}},
        {"keys": [1]},
        jwks(jwk(kid="a"), jwk(kid="a")),
        jwks(jwk(), jwk()),
        jwks(jwk(kid=1)),
        jwks(jwk(kid="a", d="AQ")),
        jwks(jwk(x="AQ")),
        jwks(*[jwk(kid=str(number)) for number in range(257)]),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_jwk_set(value: Any) -> None:
    assert code_of(lambda: parse_jwk_set(value)) == "BAD_KEY"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (signed(CLAIMS, kid="2"), "METHOD_NOT_ISSUERS"),
        (signed(CLAIMS, key=STRANGER), "PROOF_INVALID"),
        (signed(with_claims(iss=f"{ISS}/")), "ISSUER_NOT_TRUSTED"),
        (signed(with_claims("iss")), "ISSUER_NOT_TRUSTED"),
        (signed(with_claims(iss=DID), kid=METHOD), "ISSUER_NOT_TRUSTED"),
    ],
)
def test_a_name_that_is_not_believed(text: str, code: str) -> None:
    assert code_of(lambda: checked(text, challenge=None)) == code


def test_of_several_keys_one_has_to_be_named() -> None:
    named = NamedIssuer({"1": KEY.public, "2": STRANGER.public}, frozenset({VCT}))
    text = "~".join((sign_jws(to_json(CLAIMS), key=KEY, typ=TYP), ""))
    find = find_known(KnownIssuers(named={ISS: named}), AT)
    assert code_of(lambda: checked(text, challenge=None, find_issuer=find)) == "METHOD_NOT_ISSUERS"


def test_an_empty_knowledge_trusts_nobody() -> None:
    for text in (signed(CLAIMS), signed(BY_DID, kid=METHOD), signed(with_claims("iss"), x5c=[SIGNER.x5c])):
        with pytest.raises(Rejected):
            checked(text, challenge=None, find_issuer=find_known(KnownIssuers(), AT))


# --- whose key: certificates ------------------------------------------------------------------------------------------

ROOT: Final = certify("root", secret(11), authority=True)
SIGNER: Final = certify(
    "signer", secret(1), ROOT, extensions=[(names("platform.example", "urn:example:platform"), False)]
)
BY_CERTIFICATE: Final = find_known(KnownIssuers(roots={ROOT.certificate: frozenset({VCT})}), AT)


def certified(claims: dict[str, Any], **changes: Any) -> str:
    header = {"x5c": [SIGNER.x5c], **changes}
    return "~".join((sign_jws(to_json(claims), key=KEY, typ=TYP, header=header), ""))


def test_a_certificate_names_the_issuer() -> None:
    verified = checked(certified(with_claims("iss")), challenge=None, find_issuer=BY_CERTIFICATE)
    assert verified.issuer.name == "CN=signer"
    assert len(verified.issuer.method) == 43
    for name in (ISS, "https://Platform.example", "urn:example:platform"):
        found = checked(certified(with_claims(iss=name)), challenge=None, find_issuer=BY_CERTIFICATE)
        assert found.issuer.name == name


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (certified(with_claims(iss="https://other.example")), "METHOD_NOT_ISSUERS"),
        (certified(with_claims(iss="http://platform.example")), "METHOD_NOT_ISSUERS"),
        (certified(with_claims(iss="https://platform.example.other.example")), "METHOD_NOT_ISSUERS"),
        (certified(with_claims(iss="https://[x")), "METHOD_NOT_ISSUERS"),
        (certified(with_claims(iss="platform.example")), "METHOD_NOT_ISSUERS"),
        (certified(BY_DID), "ISSUER_NOT_TRUSTED"),
        (certified(with_claims("iss"), x5c=[ROOT.x5c]), "CHAIN_INVALID"),
        (certified(with_claims("iss"), x5c="x"), "BAD_CERTIFICATE"),
        (certified(with_claims("iss", vct="urn:other")), "TYPE_NOT_TRUSTED"),
    ],
)
def test_a_certificate_that_is_not_believed(text: str, code: str) -> None:
    assert code_of(lambda: checked(text, challenge=None, find_issuer=BY_CERTIFICATE)) == code


def test_who_presents_does_not_choose_the_road() -> None:
    """A certificate of a trusted root does not replace the keys that are known of a name, or of a DID."""
    thief = certify("thief", secret(3), ROOT, extensions=[(names("platform.example"), False)])
    known = KnownIssuers(
        trust=trust(),
        named={ISS: NamedIssuer({"1": KEY.public}, frozenset({VCT}))},
        roots={ROOT.certificate: frozenset({VCT})},
    )
    for claims, code in ((CLAIMS, "PROOF_INVALID"), (BY_DID, "PROOF_INVALID")):
        text = "~".join((sign_jws(to_json(claims), key=STRANGER, typ=TYP, header={"x5c": [thief.x5c]}), ""))
        assert code_of(partial(checked, text, challenge=None, find_issuer=find_known(known, AT))) == code


# --- the page that explains it ----------------------------------------------------------------------------------------


def test_the_example_of_the_page_runs() -> None:
    page = (Path(__file__).parents[1] / "docs" / "sd-jwt.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(block, {})


# --- only our errors --------------------------------------------------------------------------------------------------

MEMBERS = st.sampled_from(["iss", "vct", "aka_vcts", "cnf", "status", "exp", "_sd", "a"])
JUNK = st.recursive(
    st.none() | st.integers() | st.text(max_size=6) | st.sampled_from([VCT, ISS, DID, "did:web:x", "https://[x"]),
    lambda below: st.lists(below, max_size=2) | st.dictionaries(st.sampled_from(["_sd", "...", "jwk", "kty"]), below),
    max_leaves=6,
)


@without_deadline
@given(st.dictionaries(MEMBERS, JUNK), st.dictionaries(st.sampled_from(["kid", "x5c", "x"]), JUNK))
@example({"iss": "did:web:"}, {"kid": "#"})
@example({"vct": "x"}, {"x5c": ["MAA="]})
def test_only_our_errors_leave(changes: dict[str, Any], header: dict[str, Any]) -> None:
    known = KnownIssuers(
        trust(), {ISS: NamedIssuer({"1": KEY.public}, frozenset({VCT}))}, {ROOT.certificate: frozenset({VCT})}
    )
    try:
        text = sign_jws(to_json({**CLAIMS, **changes}), key=KEY, typ=TYP, header={"kid": "1", **header})
        checked(f"{text}~", challenge=None, find_issuer=find_known(known, AT), types={VCT: b"{}"})
    except VcError:
        pass
