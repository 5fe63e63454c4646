"""What an issuer is read from: DID documents and logs, an OpenID Federation trust chain, an ETSI trusted list."""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import pytest

from tests.certificates import certify, secret
from tests.trust_lists import AT
from vc.canon import Json, to_json
from vc.errors import VcError
from vc.jose import sign_jws
from vc.jwk import public_jwk
from vc.keys import Ed25519Key, P256Key
from vc.sdjwt_issuer import KnownIssuers, find_known
from vc.sdjwt_vc import issue_credential, verify_credential
from vc.trust import Trust, parse_trust
from verifier.trust_entries import Said, read_entries
from verifier.trust_etsi import GRANTED, NAMESPACE, parse_xml
from verifier.trust_federation import ISSUER
from verifier.trustfile import add_issuer, empty
from work import CONTEXTS

VCT: Final = "https://platform.example/work"
SAID: Final = Said(name="Platform", legal_identifier="000 000 001", may_attest=(VCT,))


def key(number: int) -> P256Key:
    return P256Key.from_secret(number.to_bytes(32, "big"))


def added(*files: bytes, said: Said = SAID, at: datetime = AT) -> Trust:
    """The trust file after each of these was added, a day apart."""
    raw = empty(at)
    for day, file in enumerate(files):
        moment = at + timedelta(days=day)
        held = {one.legal_identifier: one for one in parse_trust(raw, contexts=CONTEXTS).issuers}
        for entry in read_entries(file, said, held=held, at=moment):
            raw = add_issuer(raw, entry, contexts=CONTEXTS, at=moment)
    return parse_trust(raw, contexts=CONTEXTS)


def code_of(*files: bytes, said: Said = SAID, at: datetime = AT) -> str:
    with pytest.raises(VcError) as caught:
        added(*files, said=said, at=at)
    return caught.value.code


# --- did:web ----------------------------------------------------------------------------------------------------------

DID: Final = "did:web:platform.example"


def did_document(**keys: Ed25519Key) -> bytes:
    methods: list[Json] = [
        {"id": f"{DID}#{name}", "type": "Multikey", "controller": DID, "publicKeyMultibase": one.public.multikey}
        for name, one in keys.items()
    ]
    return to_json({"id": DID, "verificationMethod": methods, "assertionMethod": [f"{DID}#{name}" for name in keys]})


def signed_by(name: str, own: Ed25519Key, iat: datetime) -> str:
    claims: dict[str, Json] = {"iss": DID, "vct": VCT, "iat": int(iat.timestamp())}
    return issue_credential(claims, key=own, selective=[], rand=bytes, header={"kid": f"{DID}#{name}"})


def test_a_new_document_does_not_undo_what_an_older_key_signed() -> None:
    old, new = Ed25519Key.from_seed(b"1" * 32), Ed25519Key.from_seed(b"2" * 32)
    trust = added(did_document(old=old), did_document(new=new))
    day = timedelta(days=1)
    windows = {each.method: each.valid_until for each in trust.issuers[0].keys}
    assert windows == {f"{DID}#old": AT + day, f"{DID}#new": None}

    def verdict(text: str) -> str:
        try:
            verify_credential(
                text, find_issuer=find_known(KnownIssuers(trust=trust), AT + 3 * day), challenge=None, at=AT + 3 * day,
                check_status=None, types=None,
            )  # fmt: skip
        except VcError as error:
            return error.code
        return "ok"

    assert verdict(signed_by("old", old, AT + day / 2)) == "ok"
    assert verdict(signed_by("new", new, AT + 2 * day)) == "ok"
    assert verdict(signed_by("old", old, AT + 2 * day)) == "KEY_OUT_OF_WINDOW"
    assert verdict(signed_by("new", new, AT + day / 2)) == "KEY_OUT_OF_WINDOW"
    assert verdict(signed_by("old", new, AT + day / 2)) == "PROOF_INVALID"


def test_a_log_tells_its_windows() -> None:
    from tests.test_did_webvh import DID, LOG, month  # noqa: PLC0415

    windows = {each.method: (each.valid_from, each.valid_until) for each in added(LOG).issuers[0].keys}
    assert windows == {f"{DID}#0": (month(1), month(2)), f"{DID}#1": (month(2), None)}


def test_what_an_entry_does_not_say_has_to_be_said() -> None:
    document = did_document(one=Ed25519Key.from_seed(b"1" * 32))
    for said in (Said(), Said(name="A"), Said(name="A", legal_identifier="1")):
        assert code_of(document, said=said) == "USAGE"
    assert code_of(b'{"id": "did:key:z6Mk"}') == "BAD_TRUST"


# --- OpenID Federation ------------------------------------------------------------------------------------------------

LEAF, BETWEEN, ANCHOR = "https://platform.example", "https://federation.example", "https://anchor.example"
LEAF_FED, BETWEEN_FED, ANCHOR_FED, SIGNS = key(11), key(12), key(13), key(14)


def jwks(*keys: P256Key) -> dict[str, Json]:
    return {"keys": [{**public_jwk(one.public), "kid": one.public.multikey} for one in keys]}


ANCHOR_FILE: Final = to_json({"id": ANCHOR, "jwks": jwks(ANCHOR_FED)})
FEDERATED: Final = Said(may_attest=(VCT,), anchor=ANCHOR_FILE)


def statement(iss: str, sub: str, own: P256Key, keys: P256Key, **claims: Json) -> str:
    now = int(AT.timestamp())
    said = {"iss": iss, "sub": sub, "iat": now - 60, "exp": now + 86400, "jwks": jwks(keys), **claims}
    said = {name: value for name, value in said.items() if value is not None}
    return sign_jws(to_json(said), key=own, typ="entity-statement+jwt", header={"kid": own.public.multikey})


def chain(**changes: dict[str, Json]) -> list[str]:
    """Leaf, the statement about it, the statement about its superior, and the anchor."""
    metadata: Json = {ISSUER: {"jwks": jwks(SIGNS)}, "federation_entity": {"organization_name": "A platform"}}
    leaf: dict[str, Json] = {"metadata": metadata, "authority_hints": [BETWEEN], **changes.get("leaf", {})}
    return [
        statement(LEAF, LEAF, LEAF_FED, LEAF_FED, **leaf),
        statement(BETWEEN, LEAF, BETWEEN_FED, LEAF_FED, **changes.get("about", {})),
        statement(ANCHOR, BETWEEN, ANCHOR_FED, BETWEEN_FED, **changes.get("above", {})),
        statement(ANCHOR, ANCHOR, ANCHOR_FED, ANCHOR_FED, **changes.get("anchor", {})),
    ]


def file(texts: list[str]) -> bytes:
    return to_json(list[Json](texts))


@pytest.mark.parametrize("texts", [chain(), chain()[:3]])
def test_a_chain_to_the_anchor_gives_the_issuers_keys(texts: list[str]) -> None:
    trust = added(file(texts), said=FEDERATED)
    (issuer,) = trust.issuers
    assert (issuer.name, issuer.legal_identifier) == ("A platform", LEAF)
    assert issuer.keys[0].valid_until == AT + timedelta(days=1)  # no longer than the chain
    claims: dict[str, Json] = {"iss": LEAF, "vct": VCT, "iat": int(AT.timestamp())}
    text = issue_credential(claims, key=SIGNS, selective=[], rand=bytes, header={"kid": SIGNS.public.multikey})
    verified = verify_credential(
        text,
        find_issuer=find_known(KnownIssuers(trust=trust), AT),
        challenge=None,
        at=AT,
        check_status=None,
        types=None,
    )
    assert verified.issuer.name == "A platform"


CHAIN: Final = chain()
BAD: Final[dict[str, tuple[list[str], str]]] = {
    "a link missing": ([CHAIN[0], CHAIN[2], CHAIN[3]], "TRUST_CHAIN_INVALID"),
    "in another order": ([CHAIN[0], CHAIN[2], CHAIN[1]], "TRUST_CHAIN_INVALID"),
    "of the leaf alone": ([CHAIN[0], CHAIN[0]], "TRUST_CHAIN_INVALID"),
    "that ends below the anchor": (CHAIN[:2], "TRUST_CHAIN_INVALID"),
    "by a stranger": (
        [*CHAIN[:2], statement(ANCHOR, BETWEEN, key(66), BETWEEN_FED)], "TRUST_CHAIN_INVALID"
    ),
    "to a stranger's anchor": (
        [*CHAIN[:2], statement(ANCHOR, BETWEEN, key(66), BETWEEN_FED), statement(ANCHOR, ANCHOR, key(66), key(66))],
        "TRUST_CHAIN_INVALID",
    ),
    "with another leaf's key": ([statement(LEAF, LEAF, key(66), key(66)), *CHAIN[1:]], "TRUST_CHAIN_INVALID"),
    "with another superior": (chain(leaf={"authority_hints": ["https://x.example"]}), "TRUST_CHAIN_INVALID"),
    "that ended": (chain(about={"exp": int(AT.timestamp())}), "EXPIRED"),
    "without an end": (chain(about={"exp": None}), "BAD_TRUST_CHAIN"),
    "with what must be understood": (chain(above={"crit": ["x"]}), "UNSUPPORTED_TRUST_CHAIN"),
    "with a policy": (chain(above={"metadata_policy": {ISSUER: {}}}), "UNSUPPORTED_TRUST_CHAIN"),
    "too long": (chain(above={"constraints": {"max_path_length": 0}}), "TRUST_CHAIN_INVALID"),
    "of another type": (chain(above={"constraints": {"allowed_entity_types": ["openid_relying_party"]}}),
                        "TRUST_CHAIN_INVALID"),
    "outside the names": (chain(above={"constraints": {"naming_constraints": {"permitted": [".gov.example"]}}}),
                          "TRUST_CHAIN_INVALID"),
    "without keys": (chain(leaf={"metadata": {}}), "KEYS_UNKNOWN"),
    "of junk": (["a.b.c", "d"], "BAD_BASE64URL"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_chain_that_is_not_believed(name: str) -> None:
    texts, code = BAD[name]
    found = code_of(file(texts), said=FEDERATED)
    assert found == code or (name == "of junk" and found.isupper())


def test_a_constraint_that_is_kept_and_an_anchor_that_is_missing() -> None:
    rules: Json = {"max_path_length": 1, "naming_constraints": {"permitted": [".example"], "excluded": ["x.example"]}}
    assert added(file(chain(above={"constraints": rules})), said=FEDERATED).issuers
    assert code_of(file(CHAIN), said=Said(may_attest=(VCT,))) == "USAGE"


# --- ETSI -------------------------------------------------------------------------------------------------------------

CA: Final = certify("Authority of a platform", secret(1), authority=True, days=(-30, 365))
SERVICE: Final = "http://uri.etsi.org/TrstSvc/Svctype/EAA"
HISTORY: Final = f"""<ServiceHistory><ServiceHistoryInstance><ServiceTypeIdentifier>{SERVICE}</ServiceTypeIdentifier>
<ServiceStatus>{GRANTED}</ServiceStatus><StatusStartingTime>2026-02-01T00:00:00Z</StatusStartingTime>
</ServiceHistoryInstance></ServiceHistory>"""


def trusted_list(
    *, status: str = GRANTED, history: str = "", until: str = "2027-01-01T00:00:00Z", top: str = ""
) -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?>{top}
<TrustServiceStatusList xmlns="{NAMESPACE}"><SchemeInformation><NextUpdate><dateTime>{until}</dateTime></NextUpdate>
</SchemeInformation><TrustServiceProviderList><TrustServiceProvider><TSPInformation><TSPName>
<Name xml:lang="en">A platform, ltd.</Name></TSPName><TSPTradeName><Name xml:lang="en">VATFR-123456789</Name>
</TSPTradeName></TSPInformation><TSPServices><TSPService><ServiceInformation>
<ServiceTypeIdentifier>{SERVICE}</ServiceTypeIdentifier><ServiceDigitalIdentity><DigitalId>
<X509Certificate>{CA.x5c[:64]}
{CA.x5c[64:]}</X509Certificate></DigitalId></ServiceDigitalIdentity><ServiceStatus>{status}</ServiceStatus>
<StatusStartingTime>2026-06-01T00:00:00Z</StatusStartingTime></ServiceInformation>{history}</TSPService></TSPServices>
</TrustServiceProvider></TrustServiceProviderList></TrustServiceStatusList>""".encode()


def listed(raw: bytes, **more: Any) -> Said:
    return Said(may_attest=(VCT,), sha256=sha256(raw).hexdigest(), services=(SERVICE,), **more)


def test_the_services_of_a_trusted_list_are_issuers() -> None:
    raw = trusted_list()
    (issuer,) = added(raw, said=listed(raw)).issuers
    assert (issuer.name, issuer.legal_identifier, issuer.keys) == ("A platform, ltd.", "VATFR-123456789", ())
    (one,) = issuer.certificates
    assert one.certificate == CA.certificate
    (bounded,) = added(raw, said=listed(raw, names=("platform.example",))).issuers[0].certificates
    assert [sorted(each.names) for each in (one, bounded)] == [[], ["platform.example"]]
    assert (one.valid_from, one.valid_until) == (datetime(2026, 6, 1, tzinfo=UTC), None)


def test_a_service_that_was_withdrawn_keeps_its_window() -> None:
    raw = trusted_list(status=GRANTED.replace("granted", "withdrawn"), history=HISTORY)
    (one,) = added(raw, said=listed(raw)).issuers[0].certificates
    assert (one.valid_from, one.valid_until) == (datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))


def test_trusted_lists_that_are_not_taken() -> None:
    raw = trusted_list()
    assert code_of(raw, said=Said(may_attest=(VCT,), services=(SERVICE,))) == "TRUSTED_LIST_UNVERIFIED"
    assert code_of(raw + b" ", said=listed(raw)) == "TRUSTED_LIST_UNVERIFIED"
    assert code_of(raw, said=Said(may_attest=(VCT,), sha256=sha256(raw).hexdigest())) == "USAGE"
    for bad, code in (
        (trusted_list(until="2026-11-01T00:00:00Z"), "TRUST_EXPIRED"),
        (trusted_list(status="http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/withdrawn"), "NOT_FOUND"),
        (trusted_list(top='<!DOCTYPE x [<!ENTITY a "b">]>'), "BAD_TRUSTED_LIST"),
        (trusted_list(top='<!DOCTYPE x SYSTEM "file:///etc/passwd">'), "BAD_TRUSTED_LIST"),
        (trusted_list().replace(b"TrustServiceStatusList", b"Other"), "BAD_TRUSTED_LIST"),
        (trusted_list()[:-5], "BAD_TRUSTED_LIST"),
        (b"<" * 9, "BAD_TRUSTED_LIST"),
    ):
        assert code_of(bad, said=listed(bad)) == code
    with pytest.raises(VcError, match="too deep"):
        parse_xml(b"<a>" * 99 + b"</a>" * 99)


def test_an_entry_by_its_own_issuer_is_taken_as_it_is() -> None:
    raw = json.dumps({"issuer": {"name": "A"}}).encode()
    assert read_entries(raw, Said(), held={}, at=AT) == [raw]
