"""Step 6 of a verification, and signers whose keys stand in a DID document: from a trust file, offline."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from tests.line import entry, issuer_keys, trust
from vc.errors import Malformed, Rejected, Undetermined, Unsupported, VcError
from vc.keys import Ed25519Key
from vc.model import CREDENTIALS_V2, parse_credential
from vc.secure import sign
from vc.standing import NO_STATUS, Opened, read_standing
from vc.status import MIN_ENTRIES, StatusEntry, StatusList, new_list, set_statuses, status_list_credential
from vc.trust import Trust, parse_trust
from vc.verify import Policy, Verified, VerifiedCredential, verify_presentation
from verifier.check import policy
from verifier.trustfile import add_issuer
from work import CONTEXTS
from work.contexts import URL

AT: Final = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
DAY: Final = timedelta(days=1)
PLATFORM: Final = Ed25519Key.from_seed(b"\x01" * 32)
WORKER: Final = Ed25519Key.from_seed(b"\x02" * 32)
KEEPER: Final = Ed25519Key.from_seed(b"\x03" * 32)
STRANGER: Final = Ed25519Key.from_seed(b"\x04" * 32)

LIST: Final = "https://platform.example/status/3"
SECOND_LIST: Final = "https://platform.example/status/4"
WORDS: Final = ("in order", "contested", "under review", "undefined")

REVOCATION: Final = StatusEntry(LIST, 94567, "revocation")
SUSPENSION: Final = StatusEntry(LIST, 500, "suspension")
MESSAGE: Final = StatusEntry(SECOND_LIST, 7, "message", 2, WORDS)
REFRESH: Final = StatusEntry(LIST, 9, "refresh")


def credential(*statuses: StatusEntry | dict[str, Any], key: Ed25519Key = PLATFORM, holder: str = WORKER.did) -> Any:
    document: dict[str, Any] = {
        "@context": [CREDENTIALS_V2, URL],
        "type": ["VerifiableCredential", "EarningsCredential"],
        "issuer": key.did,
        "validFrom": "2026-11-01T00:00:00Z",
        "validUntil": "2026-12-31T23:59:59Z",
        "credentialSubject": {"id": holder, "currency": "EUR"},
    }
    entries = [each.to_json() if isinstance(each, StatusEntry) else each for each in statuses]
    if entries:
        document["credentialStatus"] = entries[0] if len(entries) == 1 else entries
    return sign(document, key=key, created=AT - DAY, contexts=CONTEXTS)


def presentation(*credentials: Any, key: Ed25519Key = WORKER) -> dict[str, Any]:
    document: dict[str, Any] = {
        "@context": [CREDENTIALS_V2],
        "type": ["VerifiablePresentation"],
        "holder": key.did,
        "verifiableCredential": list(credentials),
    }
    return sign(
        document, key=key, created=AT, contexts=CONTEXTS, purpose="authentication", challenge="c" * 32, domain="lender"
    )


def listed(
    statuses: dict[int, int] | None = None,
    *,
    url: str = LIST,
    purposes: tuple[str, ...] = ("revocation", "suspension", "refresh"),
    size: int = 1,
    key: Ed25519Key = PLATFORM,
    as_of: datetime = AT - DAY,
    **changes: Any,
) -> dict[str, Any]:
    """A status list as a trust file holds it; ``changes`` are members of its credential."""
    bits = set_statuses(new_list(size=size), statuses or {}, size=size)
    made = status_list_credential(
        bits, url=url, issuer=key.did, purposes=purposes, valid_from=AT - 2 * DAY, valid_until=AT + 30 * DAY
    )
    document = {name: value for name, value in {**made, **changes}.items() if value is not None}
    signed = sign(document, key=key, created=AT - DAY, contexts=CONTEXTS)
    return {"url": url, "asOf": f"{as_of:%Y-%m-%dT%H:%M:%SZ}", "credential": signed}


def messages(value: int) -> dict[str, Any]:
    return listed({7: value}, url=SECOND_LIST, purposes=("message",), size=2)


def trusted(
    *lists: dict[str, Any], documents: tuple[dict[str, Any], ...] = (), key: str = "", keeps: str = "X"
) -> Trust:
    """A trust file that knows the platform, with these lists and documents."""
    window = {"validFrom": "2026-01-01T00:00:00Z"}
    platform = entry(issuer_keys(), keys=[{"id": key or PLATFORM.verification_method, **window}])
    keeper = entry(
        issuer_keys(),
        name="Keeper of lists",
        legalIdentifier="000 000 002",
        keys=[{"id": KEEPER.verification_method, **window}],
        mayAttest=[keeps],
    )
    file = {
        "type": "OuvrageTrust",
        "version": 1,
        "asOf": "2026-11-24T00:00:00Z",
        "issuers": [platform, keeper],
        "statusLists": list(lists),
        "documents": list(documents),
    }
    return parse_trust(json.dumps(file).encode(), contexts=CONTEXTS)


def checked(presented: Any, trust: Trust, *, at: datetime = AT, rules: Policy | None = None) -> Verified:
    return verify_presentation(
        presented,
        challenge="c" * 32,
        domain="lender",
        trust=trust,
        policy=rules or policy(accept_possession=False),
        at=at,
    )


def shown(*statuses: StatusEntry | dict[str, Any], trust: Trust, at: datetime = AT) -> VerifiedCredential:
    (verified,) = checked(presentation(credential(*statuses)), trust, at=at).credentials
    return verified


# --- what a status says ----------------------------------------------------------------------------------------------


def test_a_credential_in_good_standing_is_accepted() -> None:
    verified = shown(REVOCATION, SUSPENSION, MESSAGE, REFRESH, trust=trusted(listed(), messages(0)))
    assert verified.notes == ()
    assert "REVOCATION" not in verified.not_checked


def test_a_credential_without_a_status_says_that_none_was_checked() -> None:
    assert "REVOCATION" in shown(trust=trusted(listed({94567: 1}))).not_checked
    assert "REVOCATION" in shown(SUSPENSION, trust=trusted(listed())).not_checked


@pytest.mark.parametrize(("status", "code"), [(REVOCATION, "REVOKED"), (SUSPENSION, "SUSPENDED")])
def test_what_was_withdrawn_or_put_on_hold_is_a_no(status: StatusEntry, code: str) -> None:
    with pytest.raises(Rejected) as refused:
        shown(status, trust=trusted(listed({status.index: 1})))
    assert [(finding.code, finding.where) for finding in refused.value.findings] == [(code, "/credentialStatus")]


def test_one_status_is_not_another_ones() -> None:
    everyone_else = dict.fromkeys((94566, 94568, 499, 501, 0, MIN_ENTRIES - 1), 1)
    assert shown(REVOCATION, SUSPENSION, trust=trusted(listed(everyone_else))).notes == ()


@pytest.mark.parametrize(
    ("value", "notes"), [(0, ()), (1, ("CONTESTED",)), (2, ("STATUS_MESSAGE",)), (3, ("STATUS_MESSAGE",))]
)
def test_what_is_said_beside_a_credential_leaves_it_valid(value: int, notes: tuple[str, ...]) -> None:
    assert shown(MESSAGE, trust=trusted(messages(value))).notes == notes


def test_an_update_that_is_there_is_noted() -> None:
    assert shown(REFRESH, REVOCATION, trust=trusted(listed({9: 1}))).notes == ("REFRESH_AVAILABLE",)


def test_a_list_of_another_keeper_counts_where_the_trust_file_says_so() -> None:
    lists = listed({94567: 1}, key=KEEPER)
    with pytest.raises(Undetermined) as undetermined:
        shown(REVOCATION, trust=trusted(lists))
    assert undetermined.value.code == "STATUS_UNKNOWN"
    with pytest.raises(Rejected) as refused:
        shown(REVOCATION, trust=trusted(lists, keeps="BitstringStatusListCredential"))
    assert refused.value.code == "REVOKED"


# --- what cannot be told ---------------------------------------------------------------------------------------------

BEFORE: Final = "2026-11-23T00:00:00Z"
DOUBTS: Final[dict[str, tuple[list[dict[str, Any]], str]]] = {
    "no list": ([], "STATUS_UNKNOWN"),
    "another list": ([listed(url=SECOND_LIST)], "STATUS_UNKNOWN"),
    "an old copy": ([listed(as_of=AT - 7 * DAY - timedelta(seconds=1))], "STATUS_STALE"),
    "a copy from later": ([listed(as_of=AT + 2 * DAY)], "STATUS_STALE"),
    "past its end": ([listed(validUntil=BEFORE)], "STATUS_STALE"),
    "before its start": ([listed(validFrom="2026-11-26T00:00:00Z")], "STATUS_STALE"),
    "of a stranger": ([listed(key=STRANGER)], "STATUS_VERIFICATION_ERROR"),
    "without a name": ([listed(id=None)], "STATUS_VERIFICATION_ERROR"),
    "of another name": ([{**listed(url=SECOND_LIST), "url": LIST}], "STATUS_VERIFICATION_ERROR"),
    "of another issuer": ([listed(issuer=STRANGER.did)], "STATUS_VERIFICATION_ERROR"),
    "no list in it": ([listed(type=["VerifiableCredential"])], "STATUS_VERIFICATION_ERROR"),
}


@pytest.mark.parametrize(("lists", "code"), DOUBTS.values(), ids=DOUBTS)
def test_what_the_lists_cannot_tell_is_not_told(lists: list[dict[str, Any]], code: str) -> None:
    with pytest.raises(Undetermined) as undetermined:
        shown(REVOCATION, trust=trusted(*lists))
    assert undetermined.value.code == code


def spoilt(**changes: Any) -> dict[str, Any]:
    """A list whose credential was changed after it was signed."""
    made = listed({94567: 1})
    subject = {**made["credential"]["credentialSubject"], **changes}
    return {**made, "credential": {**made["credential"], "credentialSubject": subject}}


def test_a_list_that_was_changed_clears_nobody() -> None:
    clean = listed()["credential"]["credentialSubject"]["encodedList"]
    with pytest.raises(Undetermined, match="PROOF_INVALID") as undetermined:
        shown(REVOCATION, trust=trusted(spoilt(encodedList=clean)))
    assert undetermined.value.code == "STATUS_VERIFICATION_ERROR"


def test_a_list_too_short_to_hide_in_cannot_tell() -> None:
    short = {**listed()["credential"]["credentialSubject"], "encodedList": "u" + "H4sIAAAAAAAA_2NgAAACAAEAAAAAAA"}
    made = listed(credentialSubject=short)
    with pytest.raises(Undetermined) as undetermined:
        shown(REVOCATION, trust=trusted(made))
    assert undetermined.value.code == "STATUS_VERIFICATION_ERROR"


def test_a_list_counts_for_as_long_as_the_policy_allows() -> None:
    lists = trusted(listed(as_of=AT - 7 * DAY))
    assert shown(REVOCATION, trust=lists).notes == ()
    strict = replace(policy(accept_possession=False), max_status_age=6 * DAY)
    with pytest.raises(Undetermined):
        checked(presentation(credential(REVOCATION)), lists, rules=strict)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (replace(REVOCATION, index=MIN_ENTRIES), "RANGE_ERROR"),
        (replace(REVOCATION, purpose="message"), "STATUS_VERIFICATION_ERROR"),
    ],
)
def test_an_entry_that_does_not_fit_its_list_is_a_no(status: StatusEntry, code: str) -> None:
    with pytest.raises(Rejected) as refused:
        shown(status, trust=trusted(listed()))
    assert refused.value.code == code


def test_another_kind_of_status_is_not_passed_over() -> None:
    other: dict[str, Any] = {**REVOCATION.to_json(), "type": "BitstringStatusListEntry", "statusListIndex": "01"}
    with pytest.raises(Malformed) as refused:
        shown(other, trust=trusted(listed()))
    assert refused.value.code == "MALFORMED_VALUE_ERROR"


def opened(statuses: dict[int, int]) -> Opened:
    found = trusted().find(PLATFORM.verification_method)
    assert found is not None
    bits = set_statuses(new_list(), statuses)
    made = status_list_credential(
        bits, url=LIST, issuer=PLATFORM.did, purposes=["revocation"], valid_from=AT, valid_until=AT
    )
    return Opened(StatusList.parse(parse_credential(made)), found[0])


def test_an_unknown_type_of_status_is_a_doubt_and_hides_no_other() -> None:
    document: dict[str, Any] = {"credentialStatus": [{"type": "Oracle2030"}, REVOCATION.to_json()]}
    withdrawn = opened({94567: 1})
    standing = read_standing(document, withdrawn.issuer, lambda _: withdrawn)
    assert [finding.code for finding in standing.findings] == ["REVOKED"]
    assert [type(doubt) for doubt in standing.doubts] == [Unsupported]
    assert standing.looked_up == {"revocation"}


def test_a_purpose_that_is_not_known_is_a_doubt_where_it_is_set() -> None:
    status = replace(REVOCATION, purpose="quarantine")
    for value, codes in ((0, []), (1, ["STATUS_UNKNOWN"])):
        held = opened({94567: value})
        held = replace(held, statuses=replace(held.statuses, purposes=frozenset({"quarantine"})))
        standing = read_standing({"credentialStatus": status.to_json()}, held.issuer, {LIST: held}.__getitem__)
        assert [doubt.code for doubt in standing.doubts] == codes


def test_no_status_is_no_standing() -> None:
    held = opened({})
    assert read_standing({}, held.issuer, lambda _: held) == NO_STATUS


# --- a no comes before a doubt ---------------------------------------------------------------------------------------


def test_a_no_is_said_even_where_something_else_cannot_be_told() -> None:
    with pytest.raises(Rejected) as refused:
        shown(MESSAGE, REVOCATION, trust=trusted(listed({94567: 1})))
    assert [finding.code for finding in refused.value.findings] == ["REVOKED"]
    with pytest.raises(Rejected) as refused:
        shown(MESSAGE, trust=trusted(), at=datetime(2027, 1, 2, tzinfo=UTC))
    assert refused.value.code == "EXPIRED"


def test_everything_is_said_at_once() -> None:
    lists = trusted(listed({94567: 1, 500: 1}))
    both = presentation(credential(REVOCATION, SUSPENSION), credential(REVOCATION, holder=STRANGER.did))
    with pytest.raises(Rejected) as refused:
        checked(both, lists)
    assert sorted(finding.code for finding in refused.value.findings) == [
        "HOLDER_NOT_SUBJECT",
        "REVOKED",
        "REVOKED",
        "SUSPENDED",
    ]


def test_who_is_not_trusted_chooses_no_lists_for_us_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    def watched(_: StatusList, entry: StatusEntry) -> int:
        read.append(entry.index)
        return 0

    monkeypatch.setattr(StatusList, "read", watched)
    with pytest.raises(Rejected) as refused:
        checked(presentation(credential(REVOCATION, key=STRANGER)), trusted(listed()))
    assert [finding.code for finding in refused.value.findings] == ["ISSUER_NOT_TRUSTED"]
    assert read == []
    assert checked(presentation(credential(REVOCATION)), trusted(listed())).credentials
    assert read == [94567]


def test_more_statuses_than_any_credential_has_are_refused() -> None:
    with pytest.raises(Malformed):
        shown(*[replace(REVOCATION, index=index) for index in range(9)], trust=trusted(listed()))


# --- signers whose keys stand in a document --------------------------------------------------------------------------

WEB: Final = "did:web:platform.example"
WEB_KEY: Final = Ed25519Key.from_seed(b"\x05" * 32, f"{WEB}#signs")
WEB_WORKER: Final = Ed25519Key.from_seed(b"\x06" * 32, "did:web:worker.example#shows")


def document(key: Ed25519Key, **purposes: list[str]) -> dict[str, Any]:
    """A DID document as a trust file holds it."""
    method = {
        "id": key.verification_method,
        "type": "Multikey",
        "controller": key.did,
        "publicKeyMultibase": key.public.multikey,
    }
    return {"id": key.did, "document": json.dumps({"id": key.did, "verificationMethod": [method], **purposes})}


SIGNS: Final = document(WEB_KEY, assertionMethod=[WEB_KEY.verification_method])
SHOWS: Final = document(WEB_WORKER, authentication=[WEB_WORKER.verification_method])


def by_web(*documents: dict[str, Any]) -> Verified:
    presented = presentation(credential(key=WEB_KEY, holder=WEB_WORKER.did), key=WEB_WORKER)
    return checked(presented, trusted(documents=documents, key=WEB_KEY.verification_method))


def test_an_issuer_and_a_holder_by_did_web_are_verified_from_the_trust_file() -> None:
    verified = by_web(SIGNS, SHOWS)
    assert verified.holder == WEB_WORKER.did
    assert verified.credentials[0].key is not None
    assert verified.credentials[0].key.method == WEB_KEY.verification_method


@pytest.mark.parametrize(
    ("documents", "error", "code"),
    [
        ((), Undetermined, "DID_UNKNOWN"),
        ((SIGNS,), Undetermined, "DID_UNKNOWN"),
        ((SHOWS,), Undetermined, "DID_UNKNOWN"),
        (
            (SIGNS, document(WEB_WORKER, assertionMethod=[WEB_WORKER.verification_method])),
            Rejected,
            "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD",
        ),
        (
            (SHOWS, document(WEB_KEY, authentication=[WEB_KEY.verification_method])),
            Rejected,
            "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD",
        ),
        (
            (SHOWS, document(Ed25519Key.from_seed(b"\x07" * 32, f"{WEB}#signs"), assertionMethod=[f"{WEB}#signs"])),
            Rejected,
            "PROOF_INVALID",
        ),
        ((SHOWS, {**SIGNS, "document": "{}"}), Malformed, "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT_ID"),
    ],
)
def test_without_the_right_document_nothing_is_proven(
    documents: tuple[dict[str, Any], ...], error: type[VcError], code: str
) -> None:
    with pytest.raises(error) as refused:
        by_web(*documents)
    assert refused.value.code == code


def test_a_document_alone_makes_nobody_trusted() -> None:
    presented = presentation(credential(key=WEB_KEY))
    with pytest.raises(Rejected) as refused:
        checked(presented, trusted(documents=(SIGNS,)))
    assert refused.value.code == "ISSUER_NOT_TRUSTED"


# --- reading them from a trust file ----------------------------------------------------------------------------------


GOOD_LIST: Final = listed()
FAULTY: Final[list[tuple[str, Any]]] = [
    ("statusLists", None),
    ("statusLists", {}),
    ("statusLists", "x"),
    ("statusLists", [GOOD_LIST, GOOD_LIST]),
    ("statusLists", [None]),
    ("statusLists", [[]]),
    ("statusLists", [{}]),
    ("statusLists", [{**GOOD_LIST, "url": 1}]),
    ("statusLists", [{**GOOD_LIST, "asOf": "x"}]),
    ("statusLists", [{**GOOD_LIST, "credential": None}]),
    ("statusLists", [{**GOOD_LIST, "credential": {}}]),
    ("documents", None),
    ("documents", {}),
    ("documents", "x"),
    ("documents", [SIGNS, SIGNS]),
    ("documents", [None]),
    ("documents", [{}]),
    ("documents", [{"id": WEB}]),
    ("documents", [{"id": 1, "document": "x"}]),
    ("documents", [{"id": WEB, "log": "x", "witness": None}]),
    ("documents", [{**SIGNS, "document": {}}]),
    ("documents", [{**SIGNS, "log": "x"}]),
    ("documents", [{**SIGNS, "witness": "x"}]),
]


@pytest.mark.parametrize(("member", "value"), FAULTY)
def test_a_trust_file_with_something_else_in_it_trusts_nobody(member: str, value: Any) -> None:
    file = {"type": "OuvrageTrust", "version": 1, "asOf": "2026-11-24T00:00:00Z", "issuers": [], member: value}
    with pytest.raises(Malformed):
        parse_trust(json.dumps(file).encode(), contexts=CONTEXTS)


def test_a_log_and_its_witnesses_are_kept_as_they_came() -> None:
    log = {"id": "did:webvh:Q:example.com", "log": '{"é": 1}\n', "witness": "[]"}
    held = trusted(documents=(log, SIGNS)).documents.given
    assert held["did:webvh:Q:example.com"].raw == '{"é": 1}\n'.encode()
    assert held["did:webvh:Q:example.com"].witness == b"[]"
    assert held[WEB].witness is None


def test_a_new_issuer_leaves_what_else_is_held_as_it_was() -> None:
    file: dict[str, Any] = {"type": "OuvrageTrust", "version": 1, "asOf": "2026-11-24T00:00:00Z"}
    held = json.dumps({**file, "documents": [SIGNS], "statusLists": [GOOD_LIST]}).encode()
    addition = json.dumps({"issuer": entry(issuer_keys())}).encode()
    written = parse_trust(add_issuer(held, addition, contexts=CONTEXTS, at=AT), contexts=CONTEXTS)
    assert len(written.issuers) == 1
    assert list(written.documents.given) == [WEB]
    assert list(written.status_lists) == [LIST]


def test_a_trust_file_without_them_holds_none() -> None:
    held = trust()
    assert dict(held.documents.given) == {}
    assert dict(held.status_lists) == {}
