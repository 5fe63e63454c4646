"""What of a query the wallet has to go by beside types and claims: several at once, who vouches for the issuer."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from tests.certificates import certify, names, secret, usage
from tests.line import AT, copy, credential, holder_key, issuer_keys, request
from tests.vaults import create
from tests.verifying import ROOT
from vc.errors import Malformed, Unsupported
from vc.jose import sign_jws
from vc.keys import Ed25519Key
from vc.oid4vp import MAX_MULTIPLE, CredentialQuery, Request, TrustedAuthority, parse_answer, parse_request
from vc.trusted_authorities import is_trusted
from vc.x5c import authority_key_ids
from wallet.answering import make_answer, plan_for
from wallet.card import card_page
from wallet.choose import plan
from wallet.receive import receive
from wallet.shelf import Shelf
from work import CONTEXTS


def asking(**more: Any) -> Request:
    asked = request()
    return replace(asked, queries=(replace(asked.queries[0], **more),))


def parsed(**more: Any) -> CredentialQuery:
    query = {"id": "a", "format": "ldp_vc", "meta": {}, **more}
    members = {"response_type": "vp_token", "client_id": "a", "nonce": "0123456789abcdef",
               "dcql_query": {"credentials": [query]}}  # fmt: skip
    return parse_request(json.dumps(members).encode()).queries[0]


def test_several_statements_where_several_may_be_shown() -> None:
    held = [
        copy(credential(holder=holder_key("one"))),
        copy(credential(holder=holder_key("two"))),
        replace(copy(credential(holder=holder_key("three"))), statement="of another platform"),
    ]
    (single,) = plan(asking(), held, contexts=CONTEXTS, at=AT).proposals
    several = plan(asking(multiple=True), held, contexts=CONTEXTS, at=AT).proposals
    assert [one.copy.statement for one in several].count(single.copy.statement) == 1  # not two copies of one
    assert {one.copy.statement for one in several} == {held[0].statement, "of another platform"}
    assert {one.query.id for one in several} == {single.query.id}


def test_each_of_several_presentations_of_a_query_is_in_the_answer(tmp_path: Path) -> None:
    with create(tmp_path / "vault.db") as vault:
        shelf = Shelf(vault)
        (key,) = shelf.make_keys(1, rand=os.urandom)
        documents = [credential(holder=key), credential(holder=key, keys=replace(issuer_keys("other"), name="Other"))]
        received = [receive(one, own={key.did}, contexts=CONTEXTS, at=AT, where="test") for one in documents]
        shelf.add(received, at=AT, rand=os.urandom)
        asked = asking(multiple=True)
        made = plan_for(shelf, asked, at=AT)
        answer = make_answer(shelf, asked, made, at=AT)
    card = card_page(answer, asked, made.proposals, at=AT, lang="en").html.decode()
    assert len(parse_answer(json.dumps(answer).encode(), asked)["Earnings"]) == 2
    sources = re.findall("Confirmed by [^;]+;", card)
    assert len(set(sources)) == 2  # each by whom its own presentation names


def test_no_more_are_shown_than_an_answer_may_hold() -> None:
    one = copy(credential())
    held = [replace(one, id=bytes([number]), statement=str(number)) for number in range(MAX_MULTIPLE + 4)]
    assert len(plan(asking(multiple=True), held, contexts=CONTEXTS, at=AT).proposals) == MAX_MULTIPLE


def test_answers_with_several_presentations() -> None:
    token = json.dumps({"vp_token": {"Earnings": [{"a": 1}, {"b": 2}]}}).encode()
    assert parse_answer(token, asking(multiple=True)) == {"Earnings": ({"a": 1}, {"b": 2})}
    with pytest.raises(Malformed, match="one presentation"):
        parse_answer(token, asking())
    for count in (0, MAX_MULTIPLE + 1):
        with pytest.raises(Malformed, match=f"1 to {MAX_MULTIPLE}"):
            parse_answer(json.dumps({"vp_token": {"Earnings": [{}] * count}}).encode(), asking(multiple=True))


def test_what_is_read_of_multiple_and_of_authorities() -> None:
    query = parsed(multiple=True, trusted_authorities=[{"type": "aki", "values": ["a", "b"]}])
    assert (query.multiple, query.authorities) == (True, (TrustedAuthority("aki", ("a", "b")),))
    assert (parsed().multiple, parsed().authorities) == (False, ())


@pytest.mark.parametrize(
    "more",
    [
        {"multiple": "true"},
        {"multiple": 1},
        {"trusted_authorities": []},
        {"trusted_authorities": ["aki"]},
        {"trusted_authorities": [{"type": "aki"}]},
        {"trusted_authorities": [{"type": "aki", "values": []}]},
        {"trusted_authorities": [{"type": "aki", "values": [1]}]},
        {"trusted_authorities": [{"values": ["a"]}]},
        {"trusted_authorities": [{"type": "aki", "values": ["a"]}] * 17},
    ],
)
def test_what_is_not_read(more: Any) -> None:
    with pytest.raises(Malformed):
        parsed(**more)


@pytest.mark.parametrize("kind", ["aki", "etsi_tl", "openid_federation", "not-yet-invented"])
def test_a_credential_that_nobody_named_vouches_for_is_as_if_it_were_not_there(kind: str) -> None:
    held = [copy(credential())]
    made = plan(asking(authorities=(TrustedAuthority(kind, ("a",)),)), held, contexts=CONTEXTS, at=AT)
    assert (made.proposals, [query.id for query in made.unanswered]) == ((), ["Earnings"])


def test_an_sd_jwt_by_the_authority_in_its_certificates() -> None:
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(ROOT.key.public_key())
    extensions = [(names("issuer.example"), False), (usage(signatures=True), True), (above, False)]
    party = certify("An issuer", secret(9), ROOT, extensions=extensions)
    (name,) = authority_key_ids([party.certificate])
    text = sign_jws(b"{}", key=Ed25519Key.from_seed(bytes(32)), typ="dc+sd-jwt", header={"x5c": [party.x5c]}) + "~"
    query = asking(authorities=(TrustedAuthority("etsi_tl", ("a",)), TrustedAuthority("aki", ("b", name)))).queries[0]
    assert is_trusted(query, text)
    assert not is_trusted(replace(query, authorities=(TrustedAuthority("aki", ("b",)),)), text)
    assert not is_trusted(replace(query, authorities=(TrustedAuthority("etsi_tl", (name,)),)), text)
    for other in ("junk", text.partition(".")[2]):
        assert not is_trusted(query, other)
    assert not is_trusted(query, {"x5c": [party.x5c]})


def test_a_transaction_is_refused_by_its_name() -> None:
    members = {"response_type": "vp_token", "client_id": "a", "nonce": "0123456789abcdef",
               "transaction_data": ["eyJ0eXBlIjoicGF5bWVudCJ9", "!"]}  # fmt: skip
    with pytest.raises(Unsupported, match=r"\(payment, unreadable\)"):
        parse_request(json.dumps(members).encode())
