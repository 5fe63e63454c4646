"""SD-JWT (RFC 9901): the published examples step by step, the attacks, round trips, and only our errors."""

import json
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.sdjwt_samples import Example, Rand, examples
from vc.canon import Json, parse_object, to_json
from vc.disclosure import MAX_DISCLOSURES, Path, digest_of, parse_disclosure, reveal
from vc.errors import Malformed, Rejected, Unsupported, VcError
from vc.jose import NOTHING, parse_jws, sign_jws, verify_jws
from vc.jwk import public_jwk
from vc.keys import Ed25519Key, P256Key, P384Key, PublicKey, Signer
from vc.multibase import decode_base64url, encode_base64url
from vc.sdjwt import (
    KB_JWT,
    MAX_SD_JWT,
    Challenge,
    HeldSdJwt,
    KeyBinding,
    SdJwt,
    VerifiedSdJwt,
    hold,
    issue,
    json_form,
    parse_sd_jwt,
    present,
    verify,
)

RFC = list(examples("rfc-examples"))
TYP: Final = "example+sd-jwt"
AT: Final = datetime(2026, 11, 24, tzinfo=UTC)
ISSUER: Final = P256Key.from_secret(bytes(31) + b"\x01")
HOLDER: Final = P256Key.from_secret(bytes(31) + b"\x02")
STRANGER: Final = P256Key.from_secret(bytes(31) + b"\x03")
NONCE: Final = "n-0S6_WzA2Mj"
AUDIENCE: Final = "https://lender.example"
CHALLENGE: Final = Challenge(NONCE, AUDIENCE)
without_deadline: Final = settings(deadline=None)

CLAIMS: Final[dict[str, Any]] = {
    "iss": "https://platform.example",
    "iat": 1795392000,
    "exp": 1798000000,
    "cnf": {"jwk": public_jwk(HOLDER.public)},
    "currency": "EUR",
    "total": "18000.00",
    "address": {"locality": "Lyon", "country": "FR"},
    "months": ["2026-09 1500.00", "2026-10 1600.00", "2026-11 1400.00"],
    "rating": {"value": "4.85", "aspects": [{"name": "care", "value": "4.9"}]},
}
SELECTIVE: Final = (
    "/total",
    "/address",
    "/address/locality",
    "/address/country",
    "/months/0",
    "/months/2",
    "/rating/aspects/0",
    "/rating/aspects/0/value",
)


def issued(**changes: Any) -> str:
    arguments: dict[str, Any] = {"key": ISSUER, "typ": TYP, "selective": SELECTIVE, "rand": Rand(), **changes}
    return issue(arguments.pop("claims", CLAIMS), **arguments)


def issuer_key(jws: object, payload: object) -> PublicKey:
    return ISSUER.public


def held(text: str = "") -> HeldSdJwt:
    return hold(parse_sd_jwt(text or issued()), issuer_key=issuer_key, typ=TYP, at=AT)


def bound(pointers: Collection[str] = ("/total",), **changes: Any) -> str:
    binding = KeyBinding(**{"key": HOLDER, "nonce": NONCE, "audience": AUDIENCE, "at": AT, **changes})
    return present(held(), tuple(pointers), binding=binding).text


def checked(presented: Json, *, challenge: Challenge | None = CHALLENGE, at: datetime = AT) -> VerifiedSdJwt:
    return verify(parse_sd_jwt(presented), issuer_key=issuer_key, typ=TYP, challenge=challenge, at=at)


def code_of(action: Callable[[], object]) -> str:
    with pytest.raises(VcError) as refused:
        action()
    return refused.value.code


# --- the published examples -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vector", RFC, ids=lambda vector: vector.name)
def test_the_issued_payload_and_its_digests(vector: Example) -> None:
    received = parse_sd_jwt(vector.form("sd_jwt_issuance"))
    assert received.kb_jwt is None
    assert parse_object(received.jws.unverified) == vector["sd_jwt_payload"]
    held_by = reveal(vector["sd_jwt_payload"], received.disclosures)
    assert {name: held_by.claims[name] for name in vector["user_claims"]} == vector["user_claims"]
    kept = reveal(vector["sd_jwt_payload"], received.disclosures, keep_hidden=True)
    assert sorted(_digests(kept.claims)) == sorted(vector.steps.get("decoy_digests", []))


@pytest.mark.parametrize("vector", RFC, ids=lambda vector: vector.name)
def test_what_the_holder_presents(vector: Example) -> None:
    kept = hold(parse_sd_jwt(vector.form("sd_jwt_issuance")), issuer_key=vector.issuer_key, typ=None, at=vector.at)
    wanted = frozenset(parse_sd_jwt(vector.form("sd_jwt_presentation")).disclosures)
    shown = [path for path, text in kept.disclosed.items() if text in wanted]
    leaves = [path for path in shown if not any(other[: len(path)] == path for other in shown if other != path)]
    ours = frozenset(present(kept, [pointer_of(path) for path in leaves], binding=None).disclosures)
    # Two examples show an object without what could be shown of it; a pointer shows what it names whole.
    assert ours == wanted or (vector.name.startswith("complex_eidas") and ours > wanted)


@pytest.mark.parametrize("vector", RFC, ids=lambda vector: vector.name)
def test_what_the_verifier_learns(vector: Example) -> None:
    presented = parse_sd_jwt(vector.form("sd_jwt_presentation"))
    challenge = None
    if vector.bound:
        bound_to = vector["kb_jwt_payload"]
        assert digest_of(presented.bare, "sha-256") == bound_to["sd_hash"]
        kb_jwt = parse_jws(str(presented.kb_jwt))
        assert kb_jwt.header == vector["kb_jwt_header"]
        assert parse_object(kb_jwt.unverified) == bound_to
        challenge = Challenge(bound_to["nonce"], bound_to["aud"])
    typ = str(presented.jws.header["typ"])
    verified = verify(presented, issuer_key=vector.issuer_key, typ=typ, challenge=challenge, at=vector.at)
    assert verified.claims == vector["verified_contents"]
    assert verified.binding == vector.steps.get("kb_jwt_payload", {})


def test_the_examples_have_every_form() -> None:
    names = {vector.name for vector in RFC}
    assert len(names) == 15
    assert sum(isinstance(vector.form("sd_jwt_issuance"), dict) for vector in RFC) == 2
    assert len(parse_sd_jwt(next(v for v in RFC if v.name.endswith("general")).form("sd_jwt_issuance")).cosigned) == 1


def test_the_digest_and_the_spellings_of_the_rfc() -> None:
    text = encode_base64url('["_26bc4LT-ac6q2KI6cBW5es", "family_name", "Möbius"]'.encode())
    assert digest_of(text, "sha-256") == "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"  # RFC 9901 §4.2.3
    for spelling in ('["s","family_name","M\\u00f6bius"]', '[\n"s",\n"family_name",\n"Möbius"\n]'):
        assert parse_disclosure(encode_base64url(spelling.encode())) == ["s", "family_name", "Möbius"]


def _digests(value: Json) -> list[str]:
    if isinstance(value, dict):
        own = value.get("_sd", []) if "_sd" in value else [value["..."]] if "..." in value else []
        assert isinstance(own, list)
        return [*map(str, own), *(digest for each in value.values() for digest in _digests(each))]
    return [digest for each in value for digest in _digests(each)] if isinstance(value, list) else []


def pointer_of(path: Path) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def nested(levels: int) -> Any:
    value: Any = "end"
    for _ in range(levels):
        value = [value]
    return value


# --- issuing ----------------------------------------------------------------------------------------------------------


def test_golden() -> None:
    """Of our own making: everything is deterministic, given the same random bytes."""
    assert sha256(issued(decoys={"": 2, "/months": 1}).encode()).hexdigest() == GOLDEN


def test_what_stands_in_the_payload() -> None:
    received = parse_sd_jwt(issued(decoys={"": 2, "/months": 3, "/rating": 1}))
    payload: Any = parse_object(received.jws.unverified)
    assert received.jws.header == {"alg": "ES256", "typ": TYP}
    assert payload["_sd_alg"] == "sha-256"
    assert list(payload) == ["_sd", "iss", "iat", "exp", "cnf", "currency", "months", "rating", "_sd_alg"]
    assert payload["_sd"] == sorted(payload["_sd"])
    assert len(payload["_sd"]) == 2 + 2
    assert len(payload["months"]) == 3 + 3
    assert len(payload["rating"]["_sd"]) == 1
    assert len(received.disclosures) == len(SELECTIVE)
    assert b"Lyon" not in received.jws.unverified


def test_every_salt_is_another_one() -> None:
    disclosures = parse_sd_jwt(issued()).disclosures
    salts = {str(parse_disclosure(text)[0]) for text in disclosures}
    assert len(salts) == len(disclosures)
    assert {len(decode_base64url(salt)) for salt in salts} == {18}


def test_digests_match_the_signature_in_strength() -> None:
    key = P384Key.from_secret(bytes(47) + b"\x01")
    received = parse_sd_jwt(issued(key=key))
    payload: Any = parse_object(received.jws.unverified)
    assert payload["_sd_alg"] == "sha-384"
    assert {len(digest) for digest in payload["_sd"]} == {64}
    kept = hold(received, issuer_key=lambda *_: key.public, typ=TYP, at=AT)
    binding = KeyBinding(HOLDER, NONCE, AUDIENCE, AT)
    shown = present(kept, ["/address"], binding=binding)
    verified = verify(shown, issuer_key=lambda *_: key.public, typ=TYP, challenge=CHALLENGE, at=AT)
    assert verified.claims["address"] == CLAIMS["address"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"selective": ["/nothing"]}, "BAD_POINTER"),
        ({"selective": ["/months/3"]}, "BAD_POINTER"),
        ({"selective": ["/months/00"]}, "BAD_POINTER"),
        ({"selective": ["/months/-"]}, "BAD_POINTER"),
        ({"selective": [""]}, "BAD_POINTER"),
        ({"selective": ["total"]}, "BAD_POINTER"),
        ({"selective": ["/currency/x"]}, "BAD_POINTER"),
        ({"decoys": {"/nothing": 1}}, "BAD_POINTER"),
        ({"decoys": {"/currency": 1}}, "BAD_POINTER"),
        ({"decoys": {"": 2000}}, "TOO_LARGE"),
        ({"decoys": {"": -1}}, "TOO_LARGE"),
        ({"claims": {"_sd": []}, "selective": []}, "BAD_SD_JWT"),
        ({"claims": {"a": [{"...": "x"}]}, "selective": []}, "BAD_SD_JWT"),
        ({"claims": {"a": {"_sd_alg": "x"}}, "selective": []}, "BAD_SD_JWT"),
        ({"claims": {"a": {"_sd": "x"}}, "selective": ["/a"]}, "BAD_SD_JWT"),
        ({"claims": {"a": float("nan")}, "selective": ["/a"]}, "NOT_JSON"),
        ({"header": {"alg": "none"}}, "BAD_JWS"),
        ({"claims": {"a": nested(3000)}, "selective": []}, "TOO_DEEP"),
        ({"rand": lambda count: bytes(count - 1)}, "MALFORMED"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else value,
)
def test_what_is_not_issued(changes: dict[str, Any], code: str) -> None:
    assert code_of(lambda: issued(**changes)) == code


def test_names_that_need_an_escape() -> None:
    claims = {"a/b": {"c~d": 1}, "~1": 2}
    text = issued(claims=claims, selective=["/a~1b/c~0d", "/~01"])
    assert held(text).claims == claims
    assert {pointer_of(path) for path in held(text).disclosed} == {"/a~1b/c~0d", "/~01"}


# --- presenting -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pointers", "shown"),
    [
        ([], {}),
        (["/currency"], {}),
        (["/total"], {"total": "18000.00"}),
        (["/address"], {"address": {"locality": "Lyon", "country": "FR"}}),
        (["/address/country"], {"address": {"country": "FR"}}),
        (["/months/2"], {"months": ["2026-10 1600.00", "2026-11 1400.00"]}),
        (["/months"], {"months": CLAIMS["months"]}),
        (["/rating/aspects/0/name"], {"rating": {"value": "4.85", "aspects": [{"name": "care"}]}}),
        (["/rating"], {"rating": CLAIMS["rating"]}),
        (["/address/locality", "/address/country"], {"address": {"locality": "Lyon", "country": "FR"}}),
        ([""], CLAIMS),
    ],
    ids=str,
)
def test_what_a_pointer_shows(pointers: list[str], shown: dict[str, Any]) -> None:
    always = {name: CLAIMS[name] for name in ("iss", "iat", "exp", "cnf", "currency")}
    hidden = {"months": ["2026-10 1600.00"], "rating": {"value": "4.85", "aspects": []}}
    verified = checked(bound(pointers))
    assert verified.claims == always | hidden | shown
    assert verified.holder == HOLDER.public
    assert verified.binding["nonce"] == NONCE


def test_a_presentation_carries_nothing_that_is_not_shown() -> None:
    text = bound(["/address/country"])
    assert text.count("~") == 3
    decoded = b"".join(decode_base64url(part) for part in text.split("~")[1:-1])
    assert b"Lyon" not in decoded
    assert b"18000" not in decoded


def test_without_binding() -> None:
    shown = present(held(), ["/total"], binding=None)
    assert shown.text.endswith("~")
    verified = checked(shown.text, challenge=None)
    assert verified.claims["total"] == "18000.00"
    assert verified.holder is None
    assert verified.binding == NOTHING
    assert verified.disclosed == {("total",)}


def test_the_two_forms_say_the_same() -> None:
    shown = parse_sd_jwt(bound(["/address"]))
    assert parse_sd_jwt(json.loads(json.dumps(json_form(shown)))) == shown
    assert checked(json_form(shown)) == checked(shown.text)
    plain = parse_sd_jwt(issued(selective=[]))
    assert parse_sd_jwt(json_form(plain)) == plain


def test_what_a_holder_refuses() -> None:
    assert code_of(lambda: held(bound())) == "PURPOSE_MISMATCH"
    assert code_of(lambda: bound(["/nothing"])) == "BAD_POINTER"
    assert code_of(lambda: bound(key=STRANGER)) == "KEY_MISMATCH"
    unbound = {name: value for name, value in CLAIMS.items() if name != "cnf"}
    binding = KeyBinding(HOLDER, NONCE, AUDIENCE, AT)
    assert code_of(lambda: present(held(issued(claims=unbound)), [], binding=binding)) == "BINDING_TOO_WEAK"


# --- the attacks: what the issuer has signed --------------------------------------------------------------------------

D: Final = encode_base64url(b'["salt","name","value"]')
E: Final = encode_base64url(b'["salt","element"]')


def signed(payload: dict[str, Any], *disclosures: str, key: Signer = ISSUER, typ: str = TYP) -> str:
    """An SD-JWT of any content, signed by its issuer."""
    return "~".join((sign_jws(to_json(payload), key=key, typ=typ), *disclosures, ""))


def hashed(text: str) -> str:
    return digest_of(text, "sha-256")


def disclosure(*parts: Json) -> str:
    return encode_base64url(to_json(list(parts)))


def disclosing(*texts: str) -> str:
    """An SD-JWT whose payload has the digests of these disclosures, and which carries them."""
    return signed({"_sd": [hashed(text) for text in texts]}, *texts)


INVALID: Final = "DISCLOSURE_INVALID"
TWICE: Final = encode_base64url(b'["s","a",{"b":1,"b":2}]')
NESTED: Final = disclosure("s", "outer", {"_sd": [hashed(D)]})
ATTACKS: Final[list[tuple[str, str, str]]] = [
    ("a disclosure of nothing", signed({}, D), INVALID),
    ("a disclosure twice", signed({"_sd": [hashed(D)]}, D, D), INVALID),
    ("a disclosure of another credential", signed({"_sd": [hashed(D)]}, D, E), INVALID),
    ("a digest twice", signed({"_sd": [hashed(D), hashed(D)]}, D), INVALID),
    ("a digest twice, undisclosed", signed({"_sd": ["x"], "a": {"_sd": ["x"]}}), INVALID),
    ("a digest twice, in a list", signed({"_sd": [hashed(E)], "a": [{"...": hashed(E)}]}), INVALID),
    ("a digest twice, once in a disclosure", disclosing(D, NESTED), INVALID),
    ("a child without its parent", signed({"_sd": [hashed(NESTED)]}, D), INVALID),
    ("an overwritten claim", signed({"_sd": [hashed(D)], "name": 1}, D), INVALID),
    ("a claim said twice", disclosing(D, disclosure("t", "name", 2)), INVALID),
    *((f"a claim called {name}", disclosing(disclosure("s", name, [])), INVALID) for name in ("_sd", "...", "_sd_alg")),
    ("a disclosed _sd that is no list", disclosing(disclosure("s", "a", {"_sd": 1})), "BAD_SD_JWT"),
    ("an element among claims", disclosing(E), INVALID),
    ("a claim among elements", signed({"a": [{"...": hashed(D)}]}, D), INVALID),
    ("a salt that is a number", disclosing(disclosure(1, "a", 1)), "BAD_DISCLOSURE"),
    ("a name that is a number", disclosing(disclosure("s", 1, 1)), INVALID),
    ("four parts", disclosing(disclosure("s", "a", 1, 1)), "BAD_DISCLOSURE"),
    ("one part", disclosing(disclosure("s")), "BAD_DISCLOSURE"),
    ("no list", disclosing(encode_base64url(b'{"a":1}')), "BAD_DISCLOSURE"),
    ("no JSON", disclosing("eHh4"), "NOT_JSON"),
    ("one name twice", disclosing(TWICE), "NOT_JSON"),
    ("a padded disclosure", disclosing(D + "="), "BAD_MULTIBASE"),
    ("an empty disclosure", disclosing(""), "NOT_JSON"),
    ("a disclosure that is not ASCII", signed({"_sd": ["x"]}, "é"), "BAD_MULTIBASE"),
    ("_sd that is a text", signed({"_sd": hashed(D)}, D), "BAD_SD_JWT"),
    ("_sd of numbers", signed({"_sd": [1]}), "BAD_SD_JWT"),
    ("... in an object", signed({"...": hashed(D)}, D), "BAD_SD_JWT"),
    ("... beside something", signed({"a": [{"...": hashed(E), "b": 1}]}, E), "BAD_SD_JWT"),
    ("... that is a number", signed({"a": [{"...": 1}]}), "BAD_SD_JWT"),
    ("... in an object in an object", signed({"a": {"b": {"...": hashed(E)}}}, E), "BAD_SD_JWT"),
    ("_sd_alg further down", signed({"a": {"_sd_alg": "sha-256"}}), "BAD_SD_JWT"),
    ("_sd_alg that is a number", signed({"_sd_alg": 1}), "BAD_SD_JWT"),
    ("a truncated hash", signed({"_sd_alg": "sha-256-32", "_sd": [hashed(D)]}, D), "UNSUPPORTED_SUITE"),
    ("a broken hash", signed({"_sd_alg": "md5"}), "UNSUPPORTED_SUITE"),
    ("a hash in capitals", signed({"_sd_alg": "SHA-256"}), "UNSUPPORTED_SUITE"),
    ("a digest of another hash", signed({"_sd_alg": "sha-512", "_sd": [hashed(D)]}, D), INVALID),
    ("a payload that is a list", f"{sign_jws(b'[]', key=ISSUER, typ=TYP)}~", "NOT_JSON"),
    ("expired", signed({"exp": int(AT.timestamp())}), "EXPIRED"),
    ("not valid yet", signed({"nbf": int(AT.timestamp()) + 3600}), "NOT_YET_VALID"),
    ("an end that is no time", signed({"exp": "tomorrow"}), "BAD_DATE"),
    ("an end that is disclosed", disclosing(disclosure("s", "exp", 1)), "EXPIRED"),
    ("for another reader", signed({"aud": "https://other.example"}), "DOMAIN_MISMATCH"),
    ("another issuer's", signed({}, key=STRANGER), "PROOF_INVALID"),
    ("another key's kind", signed({}, key=Ed25519Key.from_seed(bytes(32))), "KEY_MISMATCH"),
    ("another type", signed({}, typ="dc+sd-jwt"), "PURPOSE_MISMATCH"),
    ("a KB-JWT as an SD-JWT", signed({}, typ=KB_JWT), "PURPOSE_MISMATCH"),
    ("none", encode_base64url(to_json({"alg": "none", "typ": TYP})) + ".e30.~", "UNSUPPORTED_SUITE"),
    ("HS256", encode_base64url(to_json({"alg": "HS256", "typ": TYP})) + ".e30.AAAA~", "UNSUPPORTED_SUITE"),
    ("no ~", signed({})[:-1], "BAD_SD_JWT"),
    ("too many disclosures", "~" * (MAX_DISCLOSURES + 2), "TOO_LARGE"),
    ("too large", "A" * (MAX_SD_JWT + 1), "TOO_LARGE"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code"), [row[1:] for row in ATTACKS], ids=[row[0] for row in ATTACKS])
def test_what_no_verifier_accepts(text: str, code: str) -> None:
    assert code_of(lambda: checked(text, challenge=None)) == code
    if code != "DOMAIN_MISMATCH":
        assert code_of(lambda: held(text)) == code


def test_disclosures_cannot_multiply() -> None:
    """Each of twenty holds the digest of the next one twice: a million claims, if they were used more than once."""
    inner = disclosure("s", "a", "end")
    made = [inner]
    for number in range(20):
        outer = disclosure("s", f"x{number}", [{"...": hashed(made[-1])}, {"...": hashed(made[-1])}])
        made.append(outer)
    assert code_of(lambda: checked(signed({"_sd": [hashed(made[-1])]}, *made), challenge=None)) == "DISCLOSURE_INVALID"


def test_disclosures_cannot_nest_without_end() -> None:
    made = [disclosure("s", "a", "end")]
    for _ in range(60):
        made.append(disclosure("s", "a", {"_sd": [hashed(made[-1])]}))
    assert code_of(lambda: checked(signed({"_sd": [hashed(made[-1])]}, *made), challenge=None)) == "TOO_DEEP"
    lists = [disclosure("s", "end")]
    for _ in range(60):
        lists.append(disclosure("s", [{"...": hashed(lists[-1])}]))
    assert code_of(lambda: checked(signed({"a": [{"...": hashed(lists[-1])}]}, *lists), challenge=None)) == "TOO_DEEP"


def test_a_type_is_asked_for_only_where_it_is_known() -> None:
    text = parse_sd_jwt(signed({}, typ="other+sd-jwt"))
    assert verify(text, issuer_key=issuer_key, typ=None, challenge=None, at=AT).claims == {}


def test_the_audience_may_be_a_list() -> None:
    cnf = {"cnf": CLAIMS["cnf"]}
    for audience in (AUDIENCE, ["https://other.example", AUDIENCE]):
        kept = hold(parse_sd_jwt(signed({"aud": audience, **cnf})), issuer_key=issuer_key, typ=TYP, at=AT)
        shown = present(kept, [], binding=KeyBinding(HOLDER, NONCE, AUDIENCE, AT))
        assert checked(shown.text).claims["aud"] == audience
        assert code_of(partial(checked, kept.received.text, challenge=None)) == "DOMAIN_MISMATCH"


# --- the attacks: what the holder has signed --------------------------------------------------------------------------

SHOWN: Final = present(held(), ["/total", "/address"], binding=None)


def kb_jwt(shown: SdJwt = SHOWN, *, key: Signer = HOLDER, typ: str = KB_JWT, **changes: Any) -> str:
    """A KB-JWT of any content; a claim that is None is left out."""
    claims = {"iat": int(AT.timestamp()), "aud": AUDIENCE, "nonce": NONCE, "sd_hash": hashed(shown.bare), **changes}
    payload: dict[str, Json] = {name: value for name, value in claims.items() if value is not None}
    return sign_jws(to_json(payload), key=key, typ=typ)


NOW: Final = int(AT.timestamp())
BINDINGS: Final[list[tuple[str, str, str]]] = [
    ("another nonce", kb_jwt(nonce="other"), "CHALLENGE_MISMATCH"),
    ("no nonce", kb_jwt(nonce=None), "BAD_SD_JWT"),
    ("a nonce that is a number", kb_jwt(nonce=1), "BAD_SD_JWT"),
    ("another verifier", kb_jwt(aud="https://other.example"), "DOMAIN_MISMATCH"),
    ("several verifiers", kb_jwt(aud=[AUDIENCE]), "BAD_SD_JWT"),
    ("no verifier", kb_jwt(aud=None), "BAD_SD_JWT"),
    ("another sd_hash", kb_jwt(sd_hash=hashed("x")), "SD_HASH_MISMATCH"),
    ("the hash of a part", kb_jwt(sd_hash=hashed(SHOWN.jws.text)), "SD_HASH_MISMATCH"),
    ("no sd_hash", kb_jwt(sd_hash=None), "BAD_SD_JWT"),
    ("too old", kb_jwt(iat=NOW - 601), "BINDING_STALE"),
    ("from the future", kb_jwt(iat=NOW + 301), "BINDING_STALE"),
    ("no time", kb_jwt(iat=None), "MISSING"),
    ("a time that is a text", kb_jwt(iat=str(NOW)), "BAD_DATE"),
    ("past its own end", kb_jwt(exp=NOW), "EXPIRED"),
    ("before its own start", kb_jwt(nbf=NOW + 3600), "NOT_YET_VALID"),
    ("another type", kb_jwt(typ="JWT"), "PURPOSE_MISMATCH"),
    ("the type of a credential", kb_jwt(typ=TYP), "PURPOSE_MISMATCH"),
    ("another key", kb_jwt(key=STRANGER), "PROOF_INVALID"),
    ("the issuer's key", kb_jwt(key=ISSUER), "PROOF_INVALID"),
    ("a key of another kind", kb_jwt(key=Ed25519Key.from_seed(bytes(32))), "KEY_MISMATCH"),
    ("none", encode_base64url(to_json({"alg": "none", "typ": KB_JWT})) + ".e30.", "UNSUPPORTED_SUITE"),
    ("no JWT", "xx", "BAD_JWS"),
    ("no signature", kb_jwt().rpartition(".")[0] + ".", "BAD_SIGNATURE"),
    ("an SD-JWT's first part", SHOWN.jws.text, "PURPOSE_MISMATCH"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code"), [row[1:] for row in BINDINGS], ids=[row[0] for row in BINDINGS])
def test_what_binds_nobody(text: str, code: str) -> None:
    assert code_of(lambda: checked(SHOWN.bare + text)) == code


def test_the_window_of_a_binding() -> None:
    for age in (-300, 0, 600):
        assert checked(SHOWN.bare + kb_jwt(iat=NOW - age)).holder == HOLDER.public
    late = Challenge(NONCE, AUDIENCE, max_age=timedelta(days=2))
    assert checked(SHOWN.bare + kb_jwt(iat=NOW - 100_000), challenge=late).holder == HOLDER.public


def test_what_is_wrong_is_said_once() -> None:
    with pytest.raises(Rejected) as refused:
        checked(SHOWN.bare + kb_jwt(nonce="x", aud="y", sd_hash="z", iat=1, exp=2))
    assert [finding.code for finding in refused.value.findings] == [
        "EXPIRED",
        "BINDING_STALE",
        "CHALLENGE_MISMATCH",
        "DOMAIN_MISMATCH",
        "SD_HASH_MISMATCH",
    ]


def test_the_choice_of_claims_is_bound() -> None:
    first, *_, last = bound(["/total", "/address"]).split("~")
    fewer = present(held(), ["/total"], binding=None).disclosures
    for disclosures in ((), fewer, tuple(reversed(SHOWN.disclosures))):
        assert code_of(partial(checked, "~".join((first, *disclosures, last)))) == "SD_HASH_MISMATCH"
    more = parse_sd_jwt(issued()).disclosures
    assert code_of(lambda: checked("~".join((first, *more, last)))) == "SD_HASH_MISMATCH"
    other = issued(rand=Rand("other")).partition("~")[0]
    assert code_of(lambda: checked("~".join((other, *SHOWN.disclosures, last)))) == "DISCLOSURE_INVALID"
    assert code_of(lambda: checked(f"{other}~{last}")) == "SD_HASH_MISMATCH"


def test_binding_is_the_verifiers_to_ask() -> None:
    assert code_of(lambda: checked(SHOWN.text)) == "HOLDER_PROOF_MISSING"
    assert code_of(lambda: checked(bound(), challenge=None)) == "NOT_ASKED"


@pytest.mark.parametrize(
    ("confirmation", "code"),
    [
        (None, "BINDING_TOO_WEAK"),
        ("did:example:holder", "NOT_AN_OBJECT"),
        ({}, "UNSUPPORTED_KEY"),
        ({"kid": "did:example:holder#1"}, "UNSUPPORTED_KEY"),
        ({"jku": "https://attacker.example/keys", "kid": "1"}, "UNSUPPORTED_KEY"),
        ({"jwk": public_jwk(HOLDER.public), "jku": "https://attacker.example/keys"}, "UNSUPPORTED_KEY"),
        ({"jwk": {**public_jwk(HOLDER.public), "d": "AQ"}}, "BAD_KEY"),
        ({"jwk": {"kty": "RSA", "n": "AQ", "e": "AQAB"}}, "UNSUPPORTED_KEY"),
        ({"jwk": {"kty": "oct", "k": "AQ"}}, "BAD_KEY"),
        ({"jwk": [public_jwk(HOLDER.public)]}, "BAD_KEY"),
        ({"jwk": public_jwk(STRANGER.public)}, "PROOF_INVALID"),
    ],
    ids=str,
)
def test_what_names_no_holder(confirmation: Any, code: str) -> None:
    payload = {} if confirmation is None else {"cnf": confirmation}
    text = signed(payload)
    assert code_of(lambda: checked(text + kb_jwt(sd_hash=hashed(text)))) == code


# --- the JSON form ----------------------------------------------------------------------------------------------------


def form(**changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {**json_form(parse_sd_jwt(bound())), **changes}
    return {name: value for name, value in made.items() if value is not None}


def general(*others: dict[str, Any], **changes: Any) -> dict[str, Any]:
    made = form()
    payload = made.pop("payload")
    return {"payload": payload, "signatures": [made, *others], **changes}


def second(**changes: Any) -> dict[str, Any]:
    made = form(header={})
    return {name: made[name] for name in ("protected", "signature", "header")} | changes


GOOD_HEADER: Final = form()["header"]
FORMS: Final[list[tuple[str, Any, str]]] = [
    ("nothing", {}, "BAD_SD_JWT"),
    ("no signature", form(signature=None), "BAD_SD_JWT"),
    ("a payload that is an object", form(payload={}), "BAD_SD_JWT"),
    ("no protected header", form(protected=None), "BAD_SD_JWT"),
    ("a header that is a list", form(header=[]), "BAD_JWS"),
    ("what is signed, said again", form(header={**GOOD_HEADER, "alg": "ES256"}), "BAD_JWS"),
    ("crit where nobody signs it", form(header={**GOOD_HEADER, "crit": []}), "BAD_JWS"),
    ("a kid that is a number", form(header={**GOOD_HEADER, "kid": 1}), "BAD_SD_JWT"),
    ("disclosures that are a text", form(header={**GOOD_HEADER, "disclosures": "x"}), "BAD_SD_JWT"),
    ("a disclosure that is a number", form(header={**GOOD_HEADER, "disclosures": [1]}), "BAD_SD_JWT"),
    ("a kb_jwt that is a number", form(header={**GOOD_HEADER, "kb_jwt": 1}), "BAD_SD_JWT"),
    ("an empty kb_jwt", form(header={**GOOD_HEADER, "kb_jwt": ""}), "BAD_SD_JWT"),
    ("no kb_jwt", form(header={"disclosures": GOOD_HEADER["disclosures"]}), "HOLDER_PROOF_MISSING"),
    ("other disclosures", form(header={**GOOD_HEADER, "disclosures": []}), "SD_HASH_MISMATCH"),
    ("too many disclosures", form(header={"disclosures": ["AA"] * (MAX_DISCLOSURES + 1)}), "TOO_LARGE"),
    ("both forms", general(signature="AA"), "BAD_SD_JWT"),
    ("no signatures", general(signatures=[]), "BAD_SD_JWT"),
    ("signatures that are an object", general(signatures={}), "BAD_SD_JWT"),
    ("a signature that is a text", general(signatures=["x"]), "BAD_SD_JWT"),
    ("too many signatures", general(*[second()] * 4), "BAD_SD_JWT"),
    ("disclosures at the second", general(second(header={"disclosures": []})), "BAD_SD_JWT"),
    ("a binding at the second", general(second(header={"kb_jwt": kb_jwt()})), "BAD_SD_JWT"),
    ("a second signature that does not hold", general(second(signature="A" * 86)), "PROOF_INVALID"),
    ("a second signature of none", general(second(protected=encode_base64url(b'{"alg":"none"}'))), "UNSUPPORTED_SUITE"),
]  # fmt: skip


@pytest.mark.parametrize(("presented", "code"), [row[1:] for row in FORMS], ids=[row[0] for row in FORMS])
def test_what_is_no_json_form(presented: Any, code: str) -> None:
    assert code_of(lambda: checked(presented)) == code


def test_what_is_a_json_form() -> None:
    expected = checked(bound())
    assert checked(form()) == checked(general()) == checked(general(second())) == expected
    named = checked(form(header={**GOOD_HEADER, "kid": "k", "other": 1}))
    assert named.header == {**expected.header, "kid": "k"}


@pytest.mark.parametrize("value", [None, 1, True, [], ["x"]], ids=repr)
def test_what_is_no_form_at_all(value: Json) -> None:
    assert code_of(lambda: checked(value)) == "BAD_SD_JWT"


# --- properties -------------------------------------------------------------------------------------------------------

NAMES = st.text(max_size=4).filter(lambda name: name not in ("_sd", "...", "_sd_alg"))
LEAVES = st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=5)
VALUES = st.recursive(
    LEAVES, lambda below: st.lists(below, max_size=3) | st.dictionaries(NAMES, below, max_size=3), max_leaves=12
)
OBJECTS = st.dictionaries(NAMES, VALUES, min_size=1, max_size=4)


def paths_of(value: Json, path: Path = ()) -> list[Path]:
    children: list[tuple[str | int, Json]] = []
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list):
        children = list(enumerate(value))
    return [found for key, child in children for found in ((*path, key), *paths_of(child, (*path, key)))]


def pruned(value: Json, hidden: Collection[Path], path: Path = ()) -> Json:
    """What is left without the claims at ``hidden``: written without digests, to compare with what digests do."""
    if isinstance(value, dict):
        return {k: pruned(v, hidden, (*path, k)) for k, v in value.items() if (*path, k) not in hidden}
    if isinstance(value, list):
        return [pruned(v, hidden, (*path, i)) for i, v in enumerate(value) if (*path, i) not in hidden]
    return value


@without_deadline
@given(st.data(), OBJECTS)
def test_whatever_is_hidden_comes_back(data: st.DataObject, claims: dict[str, Any]) -> None:
    places = paths_of(claims)
    selective = data.draw(st.lists(st.sampled_from(places), unique=True))
    holders = [path for path in ((), *places) if isinstance(_at(claims, path), dict | list)]
    decoys = data.draw(st.dictionaries(st.sampled_from(holders), st.integers(0, 2), max_size=3))
    received = parse_sd_jwt(
        issued(
            claims=claims,
            selective=[pointer_of(path) for path in selective],
            decoys={pointer_of(path): count for path, count in decoys.items()},
        )
    )
    payload = parse_object(received.jws.unverified)
    whole = reveal(payload, received.disclosures)
    assert whole.claims == claims
    assert set(whole.disclosed) == set(selective)
    kept_back = data.draw(st.lists(st.sampled_from(selective), unique=True)) if selective else []
    hidden = {path for path in selective if any(path[: len(each)] == each for each in kept_back)}
    shown = [text for path, text in whole.disclosed.items() if path not in hidden]
    assert reveal(payload, data.draw(st.permutations(shown))).claims == pruned(claims, hidden)


def _at(value: Any, path: Path) -> Any:
    for part in path:
        value = value[part]
    return value


@without_deadline
@given(st.integers(0, len(bound()) - 1), st.sampled_from("AZaz09-_.~= é\0"))
def test_no_changed_character_verifies(place: int, character: str) -> None:
    good = bound()
    changed = good[:place] + character + good[place + 1 :]
    if changed != good:
        with pytest.raises(VcError):
            checked(changed)


JUNK = st.recursive(
    st.none() | st.integers() | st.text(max_size=8) | st.sampled_from([D, E, hashed(D), "_sd", "..."]),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(st.sampled_from(["_sd", "...", "_sd_alg", "cnf", "exp", "aud", "a"]), below, max_size=3)
    ),
    max_leaves=8,
)


@without_deadline
@given(st.dictionaries(st.sampled_from(["_sd", "...", "_sd_alg", "cnf", "exp", "a"]), JUNK), st.lists(JUNK, max_size=3))
@example({"_sd": [hashed(D)]}, [D])
@example({"a": ["\ud800"]}, [])
def test_only_our_errors_leave(payload: dict[str, Any], disclosures: list[Any]) -> None:
    try:
        texts = [text if isinstance(text, str) else disclosure("s", text) for text in disclosures]
        text = signed(payload, *texts)
        checked(text, challenge=None)
        checked(text + kb_jwt(sd_hash=hashed(text)))
    except VcError:
        pass


@without_deadline
@given(st.text(max_size=60) | JUNK)
@example("~")
@example("..~..")
@example("~~~~")
@example("\ud800~")
def test_junk_is_refused(presented: Any) -> None:
    with pytest.raises(VcError):
        checked(presented)


def test_the_header_and_the_payload_are_handed_on() -> None:
    seen: list[object] = []

    def find(jws: Any, payload: Any) -> PublicKey:
        seen.extend((jws.header["typ"], payload["iss"]))
        return ISSUER.public

    verified = verify(SHOWN, issuer_key=find, typ=TYP, challenge=None, at=AT)
    assert seen == [TYP, CLAIMS["iss"]]
    assert verified.payload == parse_object(verify_jws(SHOWN.jws, ISSUER.public, typ=TYP))
    assert replace(SHOWN, kb_jwt="x").text == SHOWN.bare + "x"


def test_kinds_of_errors() -> None:
    for presented, kind in ((signed({"_sd_alg": "md5"}), Unsupported), ("x", Malformed), (signed({}, D), Rejected)):
        with pytest.raises(kind):
            checked(presented, challenge=None)


GOLDEN: Final = "1f4ec4ea08876666a8fadbc753e871957192c24b7b52eccf6552b7d9f9e1ece5"
