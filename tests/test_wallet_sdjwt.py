"""SD-JWT VCs in the wallet: verified, kept as they came, listed, chosen and shown to a verifier that checks them."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from tests.certificates import certify, names, secret
from tests.line import AT, SAMPLES, answer, credential, holder_key, issuer_keys, rand_from, request, trust
from tests.vaults import create
from vc.canon import Json, to_json
from vc.errors import Malformed, Rejected, Unsupported, VcError
from vc.keys import Ed25519Key, P256Key
from vc.multibase import encode_base64url
from vc.oid4vp import SD_JWT_VC, Request, parse_request
from vc.sdjwt import Challenge, parse_sd_jwt
from vc.sdjwt_issuer import KnownIssuers, find_known
from vc.sdjwt_vc import VerifiedSdJwtVc, confirmation, issue_credential, verify_credential
from vc.token_status import (
    StatusListToken,
    StatusReference,
    TokenStatusList,
    new_statuses,
    set_statuses,
    sign_status_jwt,
)
from vc.verify import Verified
from verifier.check import check, policy
from verifier.report import build
from verifier.request import Wanted, build_request
from wallet.answers import Answer, filed_under
from wallet.choice import only
from wallet.choose import Copy, Plan, Proposal, plan
from wallet.held import by_statement
from wallet.keys import HolderKey
from wallet.ledger import entry
from wallet.present import present
from wallet.receive import read_credentials, receive
from wallet.sdjwt import read_kept
from wallet.shelf import Shelf
from wallet.words import copy_json, list_text, plan_json, plan_text, statement_text, statements
from work import CONTEXTS
from work.statement import Statement
from work.types import TYPES
from work.vct import template

FOREIGN: Final = "https://elsewhere.example/badge"
URI: Final = "https://platform.example/status/1/token"


def sd_jwt(kind: str = "Earnings", *, holder: HolderKey | None = None, bound: bool = True, **claims: Any) -> str:
    """A statement as an issuer hands it over, with other or more claims."""
    made = template(
        Statement(kind, "worker-1", SAMPLES[kind]),
        issuer=issuer_keys().public.did,
        holder=(holder or holder_key()).public if bound else None,
        at=AT,
    )
    return issue_credential(
        {**made.claims, **claims},
        key=issuer_keys().public,
        selective=made.selective,
        decoys=made.decoys,
        rand=rand_from(f"{kind}{(holder or holder_key()).did}"),
    )


def foreign(key: Any = None, header: dict[str, Json] | None = None, **claims: Any) -> str:
    """A credential of a type that nobody here knows."""
    own = key or issuer_keys().public
    said: dict[str, Json] = {
        "iss": own.did,
        "vct": FOREIGN,
        "cnf": confirmation(holder_key().public),
        "level": 3,
        "address": {"city": "Lille", "street": "1 rue d’Artois"},
        "name": "Zoé",
        **claims,
    }
    said = {name: value for name, value in said.items() if value is not None}
    return issue_credential(
        said, key=own, selective=["/address/street", "/name"], rand=rand_from("f"), header=header or {}
    )


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with create(tmp_path / "vault.db") as vault:
        yield Shelf(vault)


def keep(shelf: Shelf, *texts: Json, own: Ed25519Key | None = None) -> tuple[Copy, ...]:
    mine = {(own or holder_key()).did, *(holder_key(str(number)).did for number in range(3))}
    received = [receive(text, own=mine, contexts=CONTEXTS, at=AT, where="file") for text in texts]
    shelf.add(received, at=AT, rand=rand_from("shelf"))
    return shelf.copies()


def asked(*claims: str, sd: bool = True, **changes: Any) -> Request:
    document = build_request(
        [Wanted.parse(claim) for claim in claims or ("Earnings.averageAtLeast12m>=1500",)],
        client_id="lender.example",
        purpose="credit.consumer.eu",
        necessity="",
        retention_days=30,
        ask_anyway=True,
        accept_possession=False,
        sd_jwt=sd,
        rand=rand_from("request"),
    )
    return parse_request(to_json({**document, **changes}))


def asked_for(vct: str, *paths: list[Json], **query: Json) -> Request:
    """A request for a type, by claims paths."""
    claims: list[Json] = [{"id": f"c{number}", "path": path} for number, path in enumerate(paths)]
    members: dict[str, Json] = {"id": "one", "format": SD_JWT_VC, "meta": {"vct_values": [vct]}, **query}
    return asked(dcql_query={"credentials": [members | ({"claims": claims} if claims else {})]})


def planned(request_: Request, *copies: Copy) -> Plan:
    return plan(request_, copies, contexts=CONTEXTS, at=AT)


def proposed(request_: Request, *copies: Copy) -> Proposal:
    (proposal,) = planned(request_, *copies).proposals
    return proposal


def shown(proposal: Proposal, request_: Request, key: Ed25519Key | None = None) -> str:
    made = present(
        proposal, request=request_, key=key or holder_key(), contexts=CONTEXTS, at=AT, rand=rand_from("present")
    )
    assert isinstance(made, str)
    return made


def verified(text: str, request_: Request) -> VerifiedSdJwtVc:
    """What the library's own verifier says, which knows nothing of the wallet."""
    return verify_credential(
        text,
        find_issuer=find_known(KnownIssuers(trust=trust()), AT),
        challenge=Challenge(request_.nonce, request_.client_id),
        at=AT,
        check_status=None,
        types=None,
    )


def proven(text: str, request_: Request, *, trusted: Any = None, at: Any = AT, name: str = "Earnings") -> Verified:
    raw = json.dumps({"vp_token": {name: [text]}}).encode()
    return check(raw, request_, trust=trusted or trust(), policy=policy(accept_possession=False), at=at)[name][0]


# ---- received and kept -----------------------------------------------------------------------------------------------


def test_what_is_kept_is_the_text_as_it_came(shelf: Shelf) -> None:
    text = sd_jwt()
    (copy,) = keep(shelf, text)
    assert copy.document == text
    assert (copy.format, copy.suite, copy.type, copy.kind) == (SD_JWT_VC, "sd-jwt", "Earnings", TYPES["Earnings"])
    assert (copy.issuer, copy.holder) == (issuer_keys().public.did, holder_key().did)
    assert copy.valid_until is not None
    assert copy.valid_until > AT
    assert copy.subject["currency"] == SAMPLES["Earnings"]["currency"]
    assert not copy.carries_answers
    assert keep(shelf, text) == (copy,)  # once is enough


def test_copies_for_several_keys_are_one_statement_apart_from_that_of_another_issuer(shelf: Shelf) -> None:
    copies = keep(shelf, *(sd_jwt(holder=holder_key(str(number))) for number in range(3)), credential())
    assert len(copies) == 4
    entries: list[Any] = statements(copies)
    formats = [{"bbs-2023": {"copies": 1, "unused": 1}}, {"sd-jwt": {"copies": 3, "unused": 3}}]
    assert sorted((entry["formats"] for entry in entries), key=list) == formats
    assert list_text(entries, "en").count("sd-jwt: 3") == list_text(entries, "fr").count("sd-jwt : 3") == 1


def test_a_file_has_one_on_each_line_or_a_list() -> None:
    one, other = sd_jwt(), sd_jwt("Rating")
    assert read_credentials(f"{one}\r\n\n  {other}\n".encode(), where="file") == [one, other]
    assert read_credentials(json.dumps([one, {"@context": []}]).encode(), where="file") == [one, {"@context": []}]
    assert read_credentials(json.dumps(one).encode(), where="file") == [one]
    for bad, code in ((b"", "NO_CREDENTIAL"), (b"\n \n", "NO_CREDENTIAL"), (b"\xff\xfe", "BAD_SD_JWT")):
        with pytest.raises(Malformed) as refused:
            read_credentials(bad, where="file")
        assert refused.value.code == code


def spoilt(text: str, place: int) -> str:
    """With another signature, or another disclosure."""
    parts = text.split("~")
    parts[place] = parts[place][:-2] + ("AA" if parts[place][-2:] != "AA" else "BB")
    return "~".join(parts)


def invented(text: str, *parts: Json) -> str:
    return text + encode_base64url(json.dumps(parts).encode()) + "~"


HOSTILE: Final[dict[str, tuple[Callable[[], str], str]]] = {
    "another's key": (lambda: sd_jwt(holder=holder_key("somebody")), "NOT_MINE"),
    "a key of another kind": (
        lambda: sd_jwt(bound=False, cnf=confirmation(P256Key.generate(rand_from("p")).public)),
        "NOT_MINE",
    ),
    "no key in cnf": (lambda: sd_jwt(bound=False, cnf={"jwk": {"kty": "oct", "k": "AAAA"}}), "BAD_KEY"),
    "over": (lambda: sd_jwt(exp=int(AT.timestamp()) - 1), "EXPIRED"),
    "not yet": (lambda: sd_jwt(nbf=int((AT + timedelta(days=2)).timestamp())), "NOT_YET_VALID"),
    "another issuer's name": (lambda: sd_jwt(iss=holder_key("other").did), "PROOF_INVALID"),
    "a signature that is none": (lambda: spoilt(sd_jwt(), 0), "PROOF_INVALID"),
    "a disclosure that is none": (lambda: spoilt(sd_jwt(), 1), "DISCLOSURE_INVALID"),
    "a claim that the issuer did not sign": (lambda: invented(sd_jwt(), "salt", "total", "9.99"), "DISCLOSURE_INVALID"),
    "a disclosure twice": (lambda: sd_jwt() + sd_jwt().split("~")[1] + "~", "DISCLOSURE_INVALID"),
    "already shown to somebody": (lambda: sd_jwt() + "eyJ9.e30.AA", "PURPOSE_MISMATCH"),
    "more than its type has a word for": (lambda: sd_jwt(tracking="worker-1"), "CLAIM_UNKNOWN"),
    "a claim of another shape": (lambda: sd_jwt(currency="<script>alert(1)</script>"), "CLAIM_MALFORMED"),
    "a claim that is an object": (lambda: sd_jwt(currency={"value": "EUR"}), "CLAIM_MALFORMED"),
    "a rule of its type broken": (lambda: sd_jwt(periodStart=None), "CLAIM_MALFORMED"),
    "too large": (lambda: sd_jwt() + "A" * (1 << 20) + "~", "TOO_LARGE"),
    "too many disclosures": (lambda: sd_jwt() + "AA~" * 5000, "TOO_LARGE"),
    "no SD-JWT": (lambda: "eyJhbGciOiJFUzI1NiJ9", "BAD_SD_JWT"),
    "nothing signed": (lambda: "~", "BAD_JWS"),
    "an algorithm that is none": (lambda: "eyJhbGciOiJub25lIn0.e30.~", "UNSUPPORTED_SUITE"),
    "an issuer that is named by nothing": (lambda: foreign(iss=None), "ISSUER_NOT_TRUSTED"),
    "an issuer by a name alone": (lambda: foreign(iss="https://elsewhere.example"), "ISSUER_NOT_TRUSTED"),
    "an issuer whose document is not held": (
        lambda: foreign(iss="did:web:elsewhere.example", header={"kid": "#key"}),
        "DID_UNKNOWN",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_wrong_is_not_kept(shelf: Shelf, name: str) -> None:
    make, code = HOSTILE[name]
    with pytest.raises(VcError) as refused:
        keep(shelf, credential(), make())
    assert refused.value.code == code
    assert shelf.copies() == ()


def test_a_type_that_is_not_known_is_said_to_be_so(shelf: Shelf) -> None:
    (copy,) = keep(shelf, foreign(name="<script>\x1b[2J\u202ename"))
    assert (copy.kind, copy.type) == (None, FOREIGN)
    assert copy_json(copy)["known"] is False
    for lang, words in (("en", "is not known to this wallet"), ("fr", "ne connaît pas ce type")):
        text = statement_text(by_statement([copy])[0], lang)
        assert words in text
        assert "Lille" in text
        assert "\x1b" not in text
        assert "\u202e" not in text


@pytest.mark.parametrize("vct", ["Earnings", "EarningsCredential", "VerifiableCredential"])
def test_a_foreign_type_never_passes_for_one_of_ours(shelf: Shelf, vct: str) -> None:
    (copy,) = keep(shelf, foreign(vct=vct, total="1.00"))
    assert copy.kind is None
    assert not planned(asked("Earnings"), copy).proposals


# ---- certificates ----------------------------------------------------------------------------------------------------

ROOT: Final = certify("root", secret(1), authority=True)
BETWEEN: Final = certify("between", secret(2), ROOT, authority=True)
OWN: Final = P256Key.generate(rand_from("certified"))
LEAF: Final = certify("platform", secret(3), BETWEEN, extensions=[(names("https://platform.example"), False)])
LEAF_KEY: Final = P256Key.from_secret((3).to_bytes(32, "big"))


@pytest.mark.parametrize("chain", [[LEAF], [LEAF, BETWEEN]], ids=len)
@pytest.mark.parametrize("iss", [None, "https://platform.example"])
def test_a_certificate_is_checked_and_nobody_is_said_to_trust_it(
    shelf: Shelf, chain: list[Any], iss: str | None
) -> None:
    header: dict[str, Json] = {"x5c": [one.x5c for one in chain]}
    (copy,) = keep(shelf, foreign(LEAF_KEY, header, iss=iss))
    assert copy.issuer == iss or "CN=platform" in copy.issuer
    for lang, words in (("en", "this wallet has not checked"), ("fr", "n’a pas vérifié si quelqu’un s’y fie")):
        assert words in statement_text(by_statement([copy])[0], lang)


BAD_CHAINS: Final = {
    "another's certificate": (foreign, OWN, [LEAF], "https://platform.example"),
    "another's name": (foreign, LEAF_KEY, [LEAF], "https://elsewhere.example"),
    "not in order": (foreign, LEAF_KEY, [LEAF, ROOT, BETWEEN], None),
    "somebody else between": (foreign, LEAF_KEY, [LEAF, certify("between", secret(9), ROOT, authority=True)], None),
    "over": (foreign, LEAF_KEY, [certify("old", secret(3), BETWEEN, days=(-9, -2))], None),
    "an authority's": (foreign, P256Key.from_secret((2).to_bytes(32, "big")), [BETWEEN], None),
    "another key than the DID's": (foreign, OWN, [LEAF], OWN.did),
}


@pytest.mark.parametrize("name", BAD_CHAINS)
def test_a_certificate_that_does_not_hold_is_refused(shelf: Shelf, name: str) -> None:
    make, key, chain, iss = BAD_CHAINS[name]
    with pytest.raises(Rejected):
        keep(shelf, make(key, {"x5c": [one.x5c for one in chain]}, iss=iss))
    assert shelf.copies() == ()


# ---- chosen and shown ------------------------------------------------------------------------------------------------


def test_exactly_what_is_asked_is_shown_and_proven(shelf: Shelf) -> None:
    request_ = asked("Earnings.averageAtLeast12m>=1500", "Earnings.periodEnd")
    proposal = proposed(request_, *keep(shelf, sd_jwt(), credential()))
    assert proposal.copy.format == SD_JWT_VC
    assert [one.value for one in proposal.asked if one.claim == "averageAtLeast12m"] == ["001500"]
    text = shown(proposal, request_)
    claims = verified(text, request_).claims
    assert claims["averageAtLeast12m"] == ["001500"]
    assert "total" not in claims
    mandatory = {claim.name for claim in TYPES["Earnings"].claims.values() if claim.mandatory}
    (told,) = proven(text, request_).credentials
    assert told.claims.keys() == mandatory | {"averageAtLeast12m", "periodEnd"}
    assert (told.suite, told.issuer.name if told.issuer else "") == ("sd-jwt", "Example platform")


def test_the_report_reads_it_like_any_other(shelf: Shelf) -> None:
    request_ = asked("Earnings.averageAtLeast12m>=1500", "Earnings.averageAtLeast12m>=3000", "Earnings.total")
    text = shown(only_what_is_there(request_, keep(shelf, sd_jwt())), request_)
    answered = json.dumps({"vp_token": {"Earnings": [text]}}).encode()
    made: Any = build(request_, {"Earnings": [proven(text, request_)]}, trust=trust(), at=AT, answer=answered).to_json()
    (one,) = made["proven"]
    assert one["type"] == "Earnings"
    assert one["claims"]["averageAtLeast12m"] == ["001500"]
    assert "averageAtLeast12m" in json.dumps(made["notShown"])


def only_what_is_there(request_: Request, copies: tuple[Copy, ...]) -> Proposal:
    """The proposal for the first claim of a request, which asks for more than there is."""
    (query,) = request_.queries
    less = replace(request_, queries=(replace(query, claims=query.claims[:1]),))
    return proposed(less, *copies)


def test_the_worker_can_show_less(shelf: Shelf) -> None:
    request_ = asked("Earnings.averageAtLeast12m>=1500", "Earnings.monthly")
    made = only(planned(request_, *keep(shelf, sd_jwt())), ["Earnings.averageAtLeast12m"])
    claims = verified(shown(made.proposals[0], request_), request_).claims
    assert claims["averageAtLeast12m"] == ["001500"]
    assert claims["monthly"] == []


def test_a_whole_list_is_named_to_the_worker_value_by_value(shelf: Shelf) -> None:
    request_ = asked_for(TYPES["Earnings"].vct, ["monthly"])
    made = planned(request_, *keep(shelf, sd_jwt()))
    months = list(SAMPLES["Earnings"]["monthly"])
    assert sorted(one.value for one in made.proposals[0].asked) == sorted(months)
    told: Any = plan_json(request_, made)
    assert told["proposals"][0]["shown"]["monthly"] == sorted(months)
    claims: Any = verified(shown(made.proposals[0], request_), request_).claims
    assert sorted(claims["monthly"]) == sorted(months)


def test_a_whole_subject_is_named_too_in_the_other_format() -> None:
    """A verifier that asks for everything at once does not hide from the worker what it would get."""
    json_ld = request()
    query = replace(
        json_ld.queries[0], claims=(replace(json_ld.queries[0].claims[0], path=("credentialSubject",), values=()),)
    )
    whole = replace(json_ld, queries=(query,))
    (presentation,) = answer(whole, credential())["vp_token"]["Earnings"]
    from tests.line import copy as held  # noqa: PLC0415

    named = {one.claim for one in proposed(whole, held(credential())).asked}
    (told,) = presentation["verifiableCredential"]
    assert told["credentialSubject"].keys() <= named | {"id"}
    assert "monthly" in named


def test_a_foreign_credential_names_all_that_it_shows(shelf: Shelf) -> None:
    request_ = asked_for(FOREIGN, ["address", "street"], ["level"])
    made = planned(request_, *keep(shelf, foreign()))
    text = plan_text(request_, made, "en")
    for told in ("level: 3", "address.city: Lille", "address.street: 1 rue d’Artois"):
        assert told in text
    assert "Zoé" not in text
    claims = verified_foreign(shown(made.proposals[0], request_), request_)
    assert claims["address"] == {"city": "Lille", "street": "1 rue d’Artois"}
    assert "name" not in claims


def verified_foreign(text: str, request_: Request) -> Any:
    known = trust({**entry_of_everything(), "mayAttest": [FOREIGN]})
    return verify_credential(
        text,
        find_issuer=find_known(KnownIssuers(trust=known), AT),
        challenge=Challenge(request_.nonce, request_.client_id),
        at=AT,
        check_status=None,
        types=None,
    ).claims


def entry_of_everything() -> dict[str, Any]:
    from tests.line import entry as entry_of  # noqa: PLC0415

    return entry_of(issuer_keys())


def test_the_format_that_is_asked_for_is_shown(shelf: Shelf) -> None:
    copies = keep(shelf, sd_jwt(), credential())
    assert proposed(asked(sd=False), *copies).copy.suite == "bbs-2023"
    assert proposed(asked(), *copies).copy.suite == "sd-jwt"
    alone = [one for one in copies if one.format == SD_JWT_VC]
    assert not planned(asked(sd=False), *alone).proposals
    assert not planned(asked_for("https://elsewhere.example/other"), *copies).proposals


def test_the_first_set_of_claims_that_can_be_answered_is_shown(shelf: Shelf) -> None:
    (copy,) = keep(shelf, foreign())
    request_ = asked_for(FOREIGN, ["absent"], ["address", "street"], ["name"], claim_sets=[["c0"], ["c2"], ["c1"]])
    claims = verified_foreign(shown(proposed(request_, copy), request_), request_)
    assert claims["name"] == "Zoé"
    assert "street" not in claims["address"]


def test_the_least_shown_copy_is_spent_whose_key_nobody_has_seen(shelf: Shelf) -> None:
    keys = [holder_key(str(number)) for number in range(3)]
    copies = list(keep(shelf, *(sd_jwt(holder=key) for key in keys), credential(holder=keys[0])))
    seen = [replace(one, shown=1) if one.format != SD_JWT_VC else one for one in copies]
    proposal = proposed(asked(), *seen)
    assert proposal.copy.holder != keys[0].did  # the key of the copy in the other format can be recognised
    assert (proposal.fresh, proposal.copies_left) == (True, 2)
    spent = proposed(asked(), *(replace(one, shown=1) for one in copies))
    assert (spent.fresh, spent.copies_left) == (False, 0)


def test_what_is_seen_in_any_case_is_written_down_whatever_the_worker_chose(shelf: Shelf) -> None:
    request_ = asked_for(FOREIGN, ["address", "street"], ["name"])
    made = planned(request_, *keep(shelf, foreign()))
    less = only(made, [f"{FOREIGN}.name"])
    assert sorted(one.value for one in less.proposals[0].asked) == ["3", "Lille", "Zoé"]
    claims = verified_foreign(shown(less.proposals[0], request_), request_)
    assert (claims["name"], claims["level"], claims["address"]) == ("Zoé", 3, {"city": "Lille"})


def test_a_copy_is_counted_and_written_down(shelf: Shelf) -> None:
    request_, copies = asked(), keep(shelf, sd_jwt())
    proposal = proposed(request_, *copies)
    shelf.record(request_, [proposal], at=AT, rand=rand_from("record"))
    assert [one.shown for one in shelf.copies()] == [1]
    line: Any
    (line,) = shelf.ledger()
    (told,) = line["shown"]
    assert told["format"] == "sd-jwt"
    assert told["claims"] == [{"claim": "Earnings.averageAtLeast12m", "value": "001500"}]
    assert line == entry(request_, [proposal], at=AT, previous=None)


def test_another_key_cannot_show_it(shelf: Shelf) -> None:
    proposal = proposed(asked(), *keep(shelf, sd_jwt()))
    for key in (None, holder_key("another")):
        with pytest.raises(VcError) as refused:
            present(proposal, request=asked(), key=key, contexts=CONTEXTS, at=AT, rand=rand_from("present"))
        assert refused.value.code == "KEY_MISSING"


def test_a_copy_without_a_key_answers_only_who_asks_for_no_key(shelf: Shelf) -> None:
    (copy,) = keep(shelf, sd_jwt(bound=False))
    assert not planned(asked(), copy).proposals
    vct = TYPES["Earnings"].vct
    lax = asked_for(vct, ["currency"], require_cryptographic_holder_binding=False)
    made = present(proposed(lax, copy), request=lax, key=None, contexts=CONTEXTS, at=AT, rand=rand_from("present"))
    assert isinstance(made, str)
    assert parse_sd_jwt(made).kb_jwt is None
    with pytest.raises(Rejected) as refused:  # nothing binds it to the request, so our verifier takes it from nobody
        proven(made, lax, name="one")
    assert refused.value.code == "HOLDER_PROOF_MISSING"


def test_what_the_worker_says_cannot_go_with_it_so_it_is_held_back(shelf: Shelf) -> None:
    (copy,) = keep(shelf, sd_jwt())
    filed = filed_under(copy.credential, own=False)
    claims = {"text": "Not so.", "lang": "en", "dateCreated": "2026-11"}
    shelf.say(Answer.make("Reply", filed, claims), rand=rand_from("say"))
    held = shelf.copies()
    made = planned(asked(), *held)
    assert made.proposals == ()
    assert [one.format for one in made.unbound_answers] == [SD_JWT_VC]
    for lang, words in (("en", "there is no place for it"), ("fr", "n’a pas de place pour cela")):
        assert words in plan_text(asked(), made, lang)
    with pytest.raises(VcError) as refused:
        shown(replace(proposed(asked(), copy), copy=held[0]), asked())
    assert refused.value.code == "REPLY_NEEDS_KEY"


# ---- what the verifier can check -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formats", "sd", "ld"),
    [
        ({}, True, True),
        ({"dc+sd-jwt": {}}, True, False),
        ({"ldp_vc": {}}, False, True),
        ({"dc+sd-jwt": {"sd-jwt_alg_values": ["ES256"]}, "ldp_vc": {"cryptosuite_values": ["bbs-2023"]}}, False, False),
        ({"dc+sd-jwt": {"sd-jwt_alg_values": ["EdDSA"], "kb-jwt_alg_values": ["ES256"]}}, False, False),
        ({"dc+sd-jwt": {"kb-jwt_alg_values": ["Ed25519"]}}, True, False),
        ({"ldp_vc": {"cryptosuite_values": ["bbs-2023", "eddsa-rdfc-2022"]}}, False, True),
        ({"ldp_vc": {"proof_type_values": ["Ed25519Signature2020"]}}, False, False),
    ],
)
def test_what_the_verifier_cannot_check_is_not_proposed(shelf: Shelf, formats: Any, sd: bool, ld: bool) -> None:
    copies = keep(shelf, sd_jwt(), credential())
    metadata: dict[str, Any] = {"client_metadata": {"vp_formats_supported": formats}}
    assert bool(planned(asked(**metadata), *copies).proposals) == sd
    assert bool(planned(asked(sd=False, **metadata), *copies).proposals) == ld


def test_the_key_signs_by_the_name_that_the_verifier_asks_for(shelf: Shelf) -> None:
    formats = {"dc+sd-jwt": {"kb-jwt_alg_values": ["Ed25519"]}}
    request_ = asked(client_metadata={"vp_formats_supported": formats})
    text = shown(proposed(request_, *keep(shelf, sd_jwt())), request_)
    assert (
        json.loads(__import__("base64").urlsafe_b64decode(text.rpartition("~")[2].split(".")[0] + "=="))["alg"]
        == "Ed25519"
    )
    assert verified(text, request_).holder == holder_key().public


# ---- checked ---------------------------------------------------------------------------------------------------------


def test_an_answer_to_another_request_is_refused(shelf: Shelf) -> None:
    request_ = asked()
    text = shown(proposed(request_, *keep(shelf, sd_jwt())), request_)
    assert proven(text, request_).holder == holder_key().did
    for other, code in (
        (replace(request_, nonce="n" * 24), "CHALLENGE_MISMATCH"),
        (replace(request_, client_id="other.example"), "DOMAIN_MISMATCH"),
        (asked("Rating.ratingValue"), "NOT_WHAT_WAS_ASKED"),
    ):
        with pytest.raises(Rejected) as refused:
            proven(text, other, name=other.queries[0].id)
        assert refused.value.code == code
    with pytest.raises(Rejected) as refused:
        proven("~".join((*text.split("~")[:-2], text.split("~")[-1])), request_)  # one claim fewer than was signed for
    assert refused.value.code == "SD_HASH_MISMATCH"
    with pytest.raises(Rejected) as refused:
        proven(text, request_, trusted=trust(entry_of_another()))
    assert refused.value.code == "ISSUER_NOT_TRUSTED"


def entry_of_another() -> dict[str, Any]:
    from tests.line import entry as entry_of  # noqa: PLC0415

    return entry_of(issuer_keys("another"))


def status_trust(value: int, **changes: Any) -> Any:
    """A trust file with the list in which the credential has this status."""
    statuses = set_statuses(new_statuses(64, bits=2), {7: value}, bits=2)
    token = StatusListToken(
        uri=URI,
        issued=AT,
        expires=AT + timedelta(days=3),
        ttl=None,
        statuses=TokenStatusList.of(statuses, bits=2),
    )
    key = issuer_keys().public
    text = sign_status_jwt(token, key=key, kid=key.verification_method)
    entry_ = {"url": URI, "asOf": "2026-11-24T00:00:00Z", "token": text, **changes}
    made = trust()
    document = {
        "type": "OuvrageTrust",
        "version": 1,
        "asOf": "2026-11-24T00:00:00Z",
        "issuers": [entry_of_everything()],
        "statusLists": [entry_],
    }
    from vc.trust import parse_trust  # noqa: PLC0415

    return parse_trust(json.dumps(document).encode(), contexts=made.contexts)


def test_the_status_list_of_the_trust_file_is_read(shelf: Shelf) -> None:
    text = sd_jwt(status=StatusReference(URI, 7).to_json())
    request_ = asked()
    answered = shown(proposed(request_, *keep(shelf, text)), request_)
    (good,) = proven(answered, request_, trusted=status_trust(0)).credentials
    assert (good.not_checked, good.notes) == (("IDENTITY", "WITHHELD"), ())
    (contested,) = proven(answered, request_, trusted=status_trust(3)).credentials
    assert contested.notes == ("CONTESTED",)
    for trusted, code in (
        (status_trust(1), "REVOKED"),
        (trust(), "STATUS_UNKNOWN"),
        (status_trust(0, asOf="2026-10-24T00:00:00Z"), "STATUS_STALE"),
        (status_trust(0, token="eyJ9.e30.AA"), "STATUS_VERIFICATION_ERROR"),
    ):
        with pytest.raises(VcError) as refused:
            proven(answered, request_, trusted=trusted)
        assert refused.value.code == code


def test_transaction_data_is_still_refused() -> None:
    with pytest.raises(Unsupported):
        asked(transaction_data=["e30"])


def test_a_kept_text_reads_as_it_was_verified(shelf: Shelf) -> None:
    (copy,) = keep(shelf, sd_jwt("Rating"))
    assert isinstance(copy.document, str)
    assert read_kept(copy.document).received.text == copy.document
    assert copy_json(copy)["type"] == "Rating"
