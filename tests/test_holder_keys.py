"""Keys of both kinds: what an issuer takes is what it is given, and what a verifier can check is what it is shown."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.databases import *  # noqa: F403
from tests.issuing import AT, BBS, JWT, SD, attest, running
from tests.line import credential, rand_from, trust
from tests.test_wallet_accept import Between, going_by, offered, said, take, told
from tests.test_wallet_formats import FORMS_OF_EARNINGS, with_lists
from tests.test_wallet_refresh import came_back
from tests.test_wallet_sdjwt import asked, planned, sd_jwt
from tests.vaults import create, reopen
from vc.canon import Json, to_json
from vc.did import did_jwk, resolve_method
from vc.errors import Unsupported, VcError
from vc.io.fetch import Fetched
from vc.jose import parse_jws
from vc.keyproof import ALGORITHMS
from vc.keys import ED25519, P256, Ed25519Key, P256Key
from vc.oid4vp import Request
from verifier.check import check, policy
from wallet.accept import ANONYMOUS
from wallet.answers import Answer, filed_under
from wallet.key_proofs import Named, Wanted, all_wanted
from wallet.keys import by_did_jwk, kind_of, named_as, one_name
from wallet.online import METADATA
from wallet.platform_words import collected_text
from wallet.present import present
from wallet.receive import receive
from wallet.shelf import KEY, Shelf
from wallet.vault import Item
from wallet.words import plan_json, plan_text
from work import CONTEXTS

ES256: Final = {"jwt": {"proof_signing_alg_values_supported": ["ES256"]}}
EDDSA: Final = {"jwt": {"proof_signing_alg_values_supported": ["EdDSA"]}}
ATTESTED: Final = {"jwt": {"proof_signing_alg_values_supported": ["ES256"], "key_attestations_required": {}}}


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with create(tmp_path / "vault.db") as vault:
        yield Shelf(vault)


def telling(described: dict[str, dict[str, Any]]) -> Between:
    """The road to the issuer, which describes these configurations otherwise, and else is as it is."""

    def change(got: Fetched) -> Fetched:
        document = json.loads(got.body)
        for name, members in described.items():
            document["credential_configurations_supported"][name] |= members
        return replace(got, body=to_json(document))

    road = Between()
    road.changes = {"openid-credential-issuer": change}
    return road


def wants(proofs: Any, *methods: str) -> dict[str, Any]:
    return {"proof_types_supported": proofs, "cryptographic_binding_methods_supported": list(methods or ("did:key",))}


# ---- receiving -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("form", "method"), [(BBS, "did:key"), (SD, "did:jwk"), (JWT, "jwk")])
async def test_from_a_platform_that_takes_p256_only_to_a_report(
    database: Any, tmp_path: Path, form: str, method: str
) -> None:
    attest(database)
    with create(tmp_path / "vault.db") as vault:
        async with going_by(database, "web") as (service, held):
            road = telling({form: wants(ES256, method)})
            assert (await take(Shelf(vault), offered(service, form).link, service.clock, ask=road)).added == 2
            trusted = with_lists(told(held.ring), database, held, service.base)
    with reopen(tmp_path / "vault.db") as vault:  # the platform is gone
        shelf = Shelf(vault)
        assert [key.public.kind for key in shelf.signing_keys()] == [P256, P256]
        assert {one.holder for one in shelf.copies()} == {key.did for key in shelf.signing_keys()}
        if method == "did:jwk":
            names = {one.credential.subjects[0]["id"] for one in shelf.copies()}
            assert names == {did_jwk(key.public) for key in shelf.signing_keys()}
        question = asked(sd=form == JWT)
        answer = answered(shelf, question)
    may = tuple(replace(one, may_attest=one.may_attest | set(FORMS_OF_EARNINGS)) for one in trusted.issuers)
    trusted = replace(trusted, issuers=may, by_method={key.method: (one, key) for one in may for key in one.keys})
    ((verified,),) = check(answer, question, trust=trusted, policy=policy(accept_possession=False), at=AT).values()
    assert verified.credentials[0].claims["averageAtLeast12m"] == ["001500"]


def answered(shelf: Shelf, question: Request) -> bytes:
    (proposal,) = planned(question, *shelf.copies()).proposals
    key = next(key for key in shelf.signing_keys() if key.did == proposal.copy.holder)
    made = present(proposal, request=question, key=key, contexts=CONTEXTS, at=AT, rand=os.urandom)
    return to_json({"vp_token": {proposal.query.id: [made]}})


@pytest.mark.parametrize(
    ("each", "kinds"),
    [
        ({}, {BBS: ED25519, SD: ED25519, JWT: ED25519}),
        ({JWT: wants(EDDSA, "jwk")}, {BBS: ED25519, SD: ED25519, JWT: ED25519}),
        ({JWT: wants(ES256, "jwk")}, {BBS: P256, SD: P256, JWT: P256}),  # one holder, where there can be one
        ({JWT: wants(ES256, "jwk"), BBS: wants(EDDSA)}, {BBS: ED25519, SD: ED25519, JWT: P256}),
    ],
)
async def test_one_offer_with_several_kinds_of_keys(
    database: Any, shelf: Shelf, each: dict[str, Any], kinds: dict[str, Any]
) -> None:
    attest(database)
    suites = {BBS: "bbs-2023", SD: "ecdsa-sd-2023", JWT: "sd-jwt"}
    async with running(database) as service:
        road = telling(each)
        assert (await take(shelf, offered(service, *kinds).link, service.clock, ask=road)).added == 6
        keys = {key.did: number for number, key in enumerate(shelf.signing_keys())}
        assert len(keys) == 2 * len(set(kinds.values()))
        for name, kind in kinds.items():
            bound = [one.holder or "" for one in shelf.copies() if one.suite == suites[name]]
            assert {kind_of(holder) for holder in bound} == {kind}
            of_kind = [key.did for key in shelf.signing_keys() if key.public.kind == kind]
            assert bound == of_kind  # the i-th key of a kind binds the i-th copy
        renewed = await came_back(shelf, service.clock, ask=road, rebind=True)
        assert (renewed.error, renewed.added, renewed.retired) == (None, 6, 6)
        assert len(shelf.signing_keys()) == len(keys)
        assert not keys.keys() & {key.did for key in shelf.signing_keys()}


async def test_what_is_not_for_this_wallet_is_left_out_and_the_rest_is_kept(database: Any, shelf: Shelf) -> None:
    attest(database)
    odd = {
        BBS: wants({"jwt": {"proof_signing_alg_values_supported": ["ES512"]}}),
        SD: wants(ATTESTED),
        "Rating_bbs-2023": wants({"attestation": {}}),
        "Rating_sd-jwt": wants(ES256, "cose_key"),
    }
    async with running(database) as service:
        road = telling(odd)
        with pytest.raises(Unsupported, match="keys for ES512 only"):
            await take(shelf, offered(service, BBS).link, service.clock, ask=road)
        got = await take(shelf, offered(service, *odd, JWT).link, service.clock, ask=road)
    assert (got.added, {one.suite for one in shelf.copies()}) == (2, {"sd-jwt"})
    assert got.to_json()["leftOut"] == {
        BBS: "KEY_NOT_TAKEN",
        SD: "KEY_ATTESTATION_NEEDED",
        "Rating_bbs-2023": "UNSUPPORTED_PROOF",
        "Rating_sd-jwt": "UNSUPPORTED_BINDING",
    }
    for lang, words in (("en", "left out, and nothing of it was asked for"), ("fr", "laissé de côté")):
        assert collected_text(got, lang).count(words) == 4


async def test_a_platform_that_wants_a_maker_to_vouch_is_told_of_before_the_offer_is_used(
    database: Any, shelf: Shelf
) -> None:
    attest(database)
    async with running(database) as service:
        link = offered(service).link
        members: dict[str, Any] = {"token_endpoint_auth_methods_supported": ["attest_jwt_client_auth"]}
        road = Between({"oauth-authorization-server": said(**members, **{ANONYMOUS: False})})
        with pytest.raises(Unsupported, match="only to wallets that their maker vouches for") as refused:
            await take(shelf, link, service.clock, ask=road)
        assert refused.value.code == "WALLET_ATTESTATION_NEEDED"
        assert not [url for url in road.asked if url.endswith("/token")]
        anonymous = Between({"oauth-authorization-server": said(**members, **{ANONYMOUS: True})})
        assert (await take(shelf, link, service.clock, ask=anonymous)).added == 2


@pytest.mark.parametrize("offers", [["ES256"], ["EdDSA"], ["Ed25519"], ["PS256", "ES256", "EdDSA"]])
async def test_tokens_are_bound_to_a_key_in_an_algorithm_of_the_server(
    database: Any, shelf: Shelf, offers: list[str]
) -> None:
    attest(database)
    signed = set()

    async with running(database) as service:
        road = Between({"oauth-authorization-server": said(dpop_signing_alg_values_supported=offers)})

        async def listening(url: str, **arguments: Any) -> Fetched:
            if "DPoP" in arguments["headers"]:
                signed.add(parse_jws(arguments["headers"]["DPoP"]).header["alg"])
            return await road(url, **arguments)

        assert (await take(shelf, offered(service).link, service.clock, ask=listening)).added == 2
        road.changes["oauth-authorization-server"] = said(dpop_signing_alg_values_supported=["PS256"])
        with pytest.raises(Unsupported, match="no proof of a key that this wallet can make"):
            await take(shelf, offered(service).link, service.clock, ask=listening)
    assert signed == {"ES256" if "ES256" in offers else offers[0]}


def test_a_key_of_an_earlier_version_still_opens(tmp_path: Path) -> None:
    seed = bytes(range(32))
    with create(tmp_path / "vault.db") as vault:
        vault.put([Item.new(KEY, {"position": 0, "seed": seed.hex()}, rand=os.urandom)])
        (made,) = Shelf(vault).make_keys(1, rand=os.urandom, kind=P256)
    with reopen(tmp_path / "vault.db") as vault:
        old, new = Shelf(vault).signing_keys()
        assert (old, new) == (Ed25519Key.from_seed(seed), made)
        assert isinstance(new, P256Key)
        assert isinstance(made, P256Key)
        assert new.secret == made.secret
        assert Shelf(vault).unspent_keys(1, rand=os.urandom) == (old,)
        vault.put([Item.new(KEY, {"position": 2, "P-384": "00"}, rand=os.urandom)])
        with pytest.raises(VcError, match="a key that this version does not know"):
            Shelf(vault).signing_keys()


@pytest.mark.parametrize("key", [Ed25519Key.from_seed(bytes(32)), P256Key.from_secret(bytes(31) + b"\x07")], ids=str)
def test_the_names_of_a_key(key: Any) -> None:
    name = did_jwk(key.public)
    assert (kind_of(key.did), one_name(key.did), one_name(name)) == (key.public.kind, key.did, key.did)
    assert named_as(key, key.did) is key
    assert named_as(key, name) == by_did_jwk(key)
    signature = by_did_jwk(key).sign(b"x")
    assert resolve_method(by_did_jwk(key).verification_method).public == key.public
    assert len(signature) == 64
    respelt = "did:jwk:" + json_base64({"kty": "OKP", "crv": "Ed25519", "x": "A" * 43, "use": "sig"})
    assert one_name(respelt) == respelt  # nobody here could sign by that name


def json_base64(value: Any) -> str:
    from vc.multibase import encode_base64url  # noqa: PLC0415

    return encode_base64url(to_json(value))


@pytest.mark.parametrize(
    ("described", "kind", "named", "algorithm"),
    [
        ({}, ED25519, Named.DID_KEY, "EdDSA"),
        (wants(ES256, "did:jwk", "did:key"), P256, Named.DID_KEY, "ES256"),
        (wants({"jwt": {"proof_signing_alg_values_supported": ["Ed25519"]}}, "did"), ED25519, Named.DID_KEY, "Ed25519"),
        (wants({"jwt": {}}, "did:jwk"), ED25519, Named.DID_JWK, "EdDSA"),
        ({**wants(ES256, "did:key", "jwk"), "format": "dc+sd-jwt"}, P256, Named.JWK, "ES256"),
    ],
)
def test_the_proof_that_an_issuer_takes(described: Any, kind: Any, named: Named, algorithm: str) -> None:
    wanted = Wanted.parse(described)
    assert (wanted.kind, wanted.named) == (kind, named)
    key: Any = P256Key.generate(os.urandom) if kind == P256 else Ed25519Key.from_seed(bytes(32))
    header = parse_jws(wanted.proof(key, audience="https://x.example", nonce=None, at=AT)).header
    assert header["alg"] == algorithm
    assert ("jwk" in header, "kid" in header) == (named is Named.JWK, named is not Named.JWK)
    assert str(header.get("kid", "did:")).startswith("did:jwk:" if named is Named.DID_JWK else "did:")


JSON_LIKE: Final[Callable[[], Any]] = lambda: st.recursive(  # noqa: E731
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["jwt", "ES256", "EdDSA", "did:key", "jwk", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["jwt", "attestation", "proof_signing_alg_values_supported", "key_attestations_required"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(proofs=JSON_LIKE(), methods=JSON_LIKE(), form=st.sampled_from(["ldp_vc", "dc+sd-jwt", 7]))
def test_whatever_a_platform_says_of_keys_is_understood_or_refused(proofs: Any, methods: Any, form: Any) -> None:
    described: dict[str, Json] = {
        "format": form,
        "proof_types_supported": proofs,
        "cryptographic_binding_methods_supported": methods,
    }
    wanted, code = understood({"one": described, "two": {}})
    assert code in {"", "KEY_NOT_TAKEN", "UNSUPPORTED_PROOF", "UNSUPPORTED_BINDING", "KEY_ATTESTATION_NEEDED"}
    jwt = proofs.get("jwt") if isinstance(proofs, dict) else None
    listed = jwt.get("proof_signing_alg_values_supported") if isinstance(jwt, dict) else None
    for one in wanted.values():
        assert set(one.algorithms.values()) <= set(ALGORITHMS["jwt"])
    assert code or not isinstance(listed, list) or wanted["one"].algorithms[wanted["one"].kind] in listed


def understood(described: dict[str, Any]) -> tuple[Mapping[str, Wanted], str]:
    try:
        return all_wanted(described), ""
    except Unsupported as error:
        return {}, error.code


# ---- showing ---------------------------------------------------------------------------------------------------------


def p256(number: int = 1) -> P256Key:
    return P256Key.from_secret(number.to_bytes(32, "big"))


def kept(shelf: Shelf, *keys: Any) -> None:
    documents = [made for key in keys for made in (sd_jwt(holder=key), credential(holder=key))]
    own = {key.did for key in keys}
    shelf.add(
        [receive(one, own=own, contexts=CONTEXTS, at=AT, where="file") for one in documents],
        at=AT,
        rand=os.urandom,
    )


@pytest.mark.parametrize(
    ("formats", "sd", "ld"),
    [
        ({}, {ED25519, P256}, {ED25519, P256}),
        ({"dc+sd-jwt": {"kb-jwt_alg_values": ["ES256"]}, "ldp_vc": {}}, {P256}, {ED25519, P256}),
        ({"dc+sd-jwt": {"kb-jwt_alg_values": ["ES384"]}}, set(), set()),
        ({"ldp_vc": {"cryptosuite_values": ["bbs-2023", "ecdsa-rdfc-2019"]}}, set(), {P256}),
        ({"ldp_vc": {"cryptosuite_values": ["bbs-2023", "ecdsa-jcs-2019"]}}, set(), set()),
    ],
)
def test_a_copy_whose_key_the_verifier_cannot_check_is_not_chosen_and_that_is_said(
    shelf: Shelf, formats: Any, sd: set[Any], ld: set[Any]
) -> None:
    ours = Ed25519Key.from_seed(bytes(32))
    for keys in ([ours], [p256()]):
        kept(shelf, *keys)
    metadata: dict[str, Any] = {"client_metadata": {"vp_formats_supported": formats}}
    for is_sd, kinds in ((True, sd), (False, ld)):
        question = asked(sd=is_sd, **metadata)
        for key in (ours, p256()):
            made = planned(question, *(one for one in shelf.copies() if one.holder == key.did))
            assert bool(made.proposals) == (key.public.kind in kinds)
            assert bool(made.uncheckable) == (key.public.kind not in kinds)
            told: Any = plan_json(question, made)
            assert told["uncheckable"] == [one.statement for one in made.uncheckable]
            for lang, words in (("en", "they cannot check how it is signed"), ("fr", "ne pas savoir vérifier")):
                text = plan_text(question, made, lang)
                assert (words in text) == bool(made.uncheckable)
                assert not made.uncheckable or (
                    "ES256" in text or "EdDSA" in text or "-2022" in text or "-2019" in text
                )


def test_both_kinds_of_key_convince_our_verifier(shelf: Shelf) -> None:
    kept(shelf, p256())
    for is_sd in (True, False):
        question = asked(sd=is_sd)
        (proposal,) = planned(question, *shelf.copies()).proposals
        made = present(proposal, request=question, key=p256(), contexts=CONTEXTS, at=AT, rand=rand_from("p"))
        raw = to_json({"vp_token": {proposal.query.id: [made]}})
        ((verified,),) = check(raw, question, trust=trust(), policy=policy(accept_possession=False), at=AT).values()
        assert verified.holder == p256().did
        if isinstance(made, str):
            assert parse_jws(made.rpartition("~")[2]).header["alg"] == "ES256"
        else:
            proof: Any = made["proof"]
            assert proof["cryptosuite"] == "ecdsa-rdfc-2019"


def test_a_reply_is_signed_by_the_name_that_the_copy_has_for_its_key(shelf: Shelf) -> None:
    """A copy that is bound to a did:jwk: the presentation and the reply are of one holder, and the verifier agrees."""
    statement = credential(holder=by_did_jwk(p256()))
    shelf.add(
        [receive(statement, own={p256().did}, contexts=CONTEXTS, at=AT, where="file")], at=AT, rand=rand_from("jwk")
    )
    (copy,) = shelf.copies()
    claims = {"text": "Not so.", "lang": "en", "dateCreated": "2026-11"}
    shelf.say(Answer.make("Reply", filed_under(copy.credential, own=False), claims), rand=rand_from("say"))
    question = asked(sd=False)
    (proposal,) = planned(question, *shelf.copies()).proposals
    made = present(proposal, request=question, key=p256(), contexts=CONTEXTS, at=AT, rand=rand_from("p"))
    raw = to_json({"vp_token": {proposal.query.id: [made]}})
    ((verified,),) = check(raw, question, trust=trust(), policy=policy(accept_possession=False), at=AT).values()
    assert verified.holder == did_jwk(p256().public)
    assert [one.assurance.name for one in verified.credentials] == ["ISSUER", "HOLDER"]


def test_what_verifiers_are_told_is_what_the_keys_sign() -> None:
    formats: Any = METADATA["vp_formats_supported"]
    assert formats["dc+sd-jwt"]["kb-jwt_alg_values"] == ["EdDSA", "Ed25519", "ES256"]
    assert {"eddsa-rdfc-2022", "ecdsa-rdfc-2019"} <= set(formats["ldp_vc"]["cryptosuite_values"])
