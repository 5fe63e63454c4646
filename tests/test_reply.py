"""Replies and disputes: bound by digest, shown wherever the statement is shown, the presenter's own, nothing else."""

import inspect
import json
import os
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer.keys import IssuerKey
from tests.line import (
    AT,
    Shown,
    checked,
    copy,
    credential,
    entry,
    holder_key,
    issuer_keys,
    rand_from,
    request,
    trust,
    unbinding,
)
from tests.vaults import create
from tests.work_samples import RATING
from vc.canon import canonicalize
from vc.errors import Malformed, Rejected, Undetermined, Unsupported, VcError
from vc.keys import Ed25519Key
from vc.model import CREDENTIALS_V2, parse_credential
from vc.proof import AUTHENTICATION
from vc.secure import derive, hold, sign
from vc.verify import Assurance, verify_presentation
from verifier.check import check, policy
from verifier.render import to_html, to_text
from verifier.report import Report, build
from verifier.request import Wanted
from verifier.words import has_words
from wallet.answers import MAX_TEXT, Answer, filed_under, screened, tidy
from wallet.choice import only
from wallet.choose import Copy, plan
from wallet.held import by_statement
from wallet.ledger import entry as ledger_entry
from wallet.present import present
from wallet.present_command import present_command
from wallet.receive import Received, receive
from wallet.shelf import Shelf
from wallet.words import find, kept_text, list_text, plan_json, plan_text, statement_text, statements
from work import CONTEXTS
from work.draft import draft
from work.reply import about_digest
from work.screening import Kind
from work.statement import Statement
from work.types import TYPES

ASKED = request("Rating", purpose="platform.onboarding.eu")
TEXT = "The client wanted red,\nand said so in writing."
THIEF = Ed25519Key.from_seed(rand_from("thief")(32))


def reply(about: str, **changes: Any) -> Answer:
    return Answer.make("Reply", about, {"text": TEXT, "lang": "en", "dateCreated": "2026-11", **changes})


def dispute(about: str, **changes: Any) -> Answer:
    claims = {"ground": "outsideControl", "text": "none", "lang": "fr", "opened": "2026-11-01", **changes}
    return Answer.make("Dispute", about, {"evidenceDigests": ("none",), **claims})


def digest(document: Any) -> str:
    return filed_under(parse_credential(document), own=False)


def answered(document: Any, *make: Callable[[str], Answer]) -> Copy:
    return replace(copy(document), answers=tuple(each(digest(document)) for each in make))


def shown_by(held: Copy, key: Ed25519Key | None = None) -> dict[str, Any]:
    """The presentation of a copy and of what the worker says to it."""
    (proposal,) = plan(ASKED, [held], contexts=CONTEXTS, at=AT).proposals
    made = present(proposal, request=ASKED, key=key or holder_key(), contexts=CONTEXTS, at=AT, rand=rand_from("shown"))
    assert isinstance(made, dict)
    return made


def shown(*make: Callable[[str], Answer]) -> Shown:
    return Shown(ASKED, {"vp_token": {"Rating": [shown_by(answered(credential("Rating"), *make))]}})


# ---- the digest ----------------------------------------------------------------------------------------------------


def test_the_digest_is_the_published_one() -> None:
    claims = {
        name: sorted(value) if isinstance(value, tuple) else value
        for name, value in RATING.items()
        if TYPES["Rating"].claims[name].mandatory
    }
    named = canonicalize({"type": "Rating", "issuer": "did:key:zX", "claims": claims})
    expected = "u" + urlsafe_b64encode(b"\x12\x20" + sha256(named).digest()).decode().rstrip("=")
    assert about_digest("Rating", "did:key:zX", RATING) == expected
    assert TYPES["Reply"].claims["about"].accepts(expected)


def test_any_selective_showing_gives_the_same_digest() -> None:
    document = credential("Earnings")
    held = hold(document, contexts=CONTEXTS)
    everything = parse_credential(document)
    digests = set()
    for pointers in ([], ["/credentialSubject/monthly/23"], ["/credentialSubject/averageAtLeast12m/2"]):
        seen = parse_credential(derive(held, pointers, rand=rand_from("x")))
        digests.add(about_digest("Earnings", seen.issuer, seen.subjects[0]))
    assert digests == {about_digest("Earnings", everything.issuer, everything.subjects[0])}


def test_a_refreshed_statement_and_every_copy_have_the_same_digest() -> None:
    copies = [
        credential("Rating"),
        credential("Rating", holder=holder_key("second")),
        credential("Rating", at=AT + timedelta(days=40)),
    ]
    assert len({digest(document) for document in copies}) == 1
    assert digest(credential("Rating", keys=issuer_keys("another"))) != digest(copies[0])
    assert digest(credential("Earnings")) != digest(copies[0])


@given(st.sampled_from([name for name, claim in TYPES["Rating"].claims.items() if claim.mandatory]))
def test_every_mandatory_claim_counts(name: str) -> None:
    plain = about_digest("Rating", "did:key:zX", RATING)
    other: Any = ("5 1",) if TYPES["Rating"].claims[name].many else "other"
    assert about_digest("Rating", "did:key:zX", {**RATING, name: other}) != plain
    with pytest.raises(Malformed):
        about_digest("Rating", "did:key:zX", {key: value for key, value in RATING.items() if key != name})


def test_the_order_of_sets_and_filler_do_not_count() -> None:
    spread = list(RATING["distribution"])
    for written in (spread[::-1], [*spread, "~01"], tuple(spread)):
        assert about_digest("Rating", "did:key:zX", {**RATING, "distribution": written}) == about_digest(
            "Rating", "did:key:zX", RATING
        )
    with pytest.raises(Malformed):
        about_digest("Rating", "did:key:zX", {**RATING, "distribution": [1]})
    with pytest.raises(Malformed):
        about_digest("Rating", "did:key:zX", {**RATING, "ratingValue": "~01"})
    with pytest.raises(Unsupported):
        about_digest("Score", "did:key:zX", RATING)


# ---- the wallet ----------------------------------------------------------------------------------------------------


def test_the_reply_goes_with_the_statement_signed_by_the_same_key() -> None:
    presentation = shown_by(answered(credential("Rating"), reply, dispute))
    rating, said, disputed = presentation["verifiableCredential"]
    assert [one["type"][1] for one in (rating, said, disputed)] == [
        "RatingCredential",
        "ReplyCredential",
        "DisputeCredential",
    ]
    for one in (said, disputed):
        assert one["issuer"] == one["credentialSubject"]["id"] == presentation["holder"] == holder_key().did
        assert one["proof"]["cryptosuite"] == "eddsa-rdfc-2022"
        assert one["credentialSubject"]["about"] == digest(credential("Rating"))
    assert said["credentialSubject"]["text"] == TEXT


def test_two_showings_share_nothing_but_what_is_said() -> None:
    keys = [holder_key(name) for name in ("first", "second")]
    one, other = (
        shown_by(answered(credential("Rating", holder=key), reply), key)["verifiableCredential"][1] for key in keys
    )
    for document, key in ((one, keys[0]), (other, keys[1])):
        assert document["issuer"] == key.did
        document["credentialSubject"].pop("id")
        for name in ("issuer", "proof"):
            document.pop(name)
    assert one == other


def test_there_is_no_way_to_show_the_statement_without_the_reply() -> None:
    options = set(inspect.signature(present_command).parameters)
    asking = {"source", "request", "root", "decline", "qr", "card"}  # none of them chooses what is shown
    assert options == asking | {"choose", "counter_offer", "yes", "out", "home_dir", "lang", "at", "as_json"}
    assert set(inspect.signature(present).parameters) == {"proposal", "request", "key", "contexts", "at", "rand"}
    held = answered(credential("Earnings"), reply)
    asked = request("Earnings.averageAtLeast12m>=1500", "Earnings.periodStart")
    made = plan(asked, [held], contexts=CONTEXTS, at=AT)
    for less in (made, only(made, ["Earnings"]), only(made, ["Earnings.averageAtLeast12m"])):
        (proposal,) = less.proposals
        presentation = present(
            proposal, request=asked, key=holder_key(), contexts=CONTEXTS, at=AT, rand=rand_from("less")
        )
        assert isinstance(presentation, dict)
        assert len(presentation["verifiableCredential"]) == 2  # type: ignore[arg-type]


def test_what_is_answered_is_not_shown_by_a_copy_without_a_key() -> None:
    asked = unbinding(ASKED)
    held = answered(credential("Rating", bound=False), reply)
    made = plan(asked, [held], contexts=CONTEXTS, at=AT)
    assert (made.proposals, [query.id for query in made.unanswered]) == ((), ["Rating"])
    assert plan_json(asked, made)["needKey"] == [held.statement]
    for lang, words in (("en", "bound to no key of yours"), ("fr", "lié à aucune de vos clés")):
        assert words in plan_text(asked, made, lang)
    silent = plan(asked, [replace(held, answers=())], contexts=CONTEXTS, at=AT).proposals
    with pytest.raises(Undetermined) as caught:
        present(
            replace(silent[0], copy=held), request=asked, key=None, contexts=CONTEXTS, at=AT, rand=rand_from("none")
        )
    assert caught.value.code == "REPLY_NEEDS_KEY"


def test_a_bound_copy_is_taken_where_there_is_one() -> None:
    unbound, bound = answered(credential("Rating", bound=False), reply), answered(credential("Rating"), reply)
    made = plan(unbinding(ASKED), [unbound, bound], contexts=CONTEXTS, at=AT)
    assert [proposal.copy for proposal in made.proposals] == [bound]


def test_the_worker_reads_it_before_it_is_shown_and_in_the_ledger() -> None:
    held = answered(credential("Rating"), reply, dispute)
    made = plan(ASKED, [held], contexts=CONTEXTS, at=AT)
    for lang, words in (("en", "Always shown with it"), ("fr", "Toujours montré avec")):
        told = plan_text(ASKED, made, lang)
        assert words in told
        assert "  > and said so in writing." in told
        assert words in statement_text(by_statement([held])[0], lang)
    assert [one["type"] for one in plan_json(ASKED, made)["proposals"][0]["answers"]] == [  # type: ignore[index, call-overload, union-attr]
        "Reply",
        "Dispute",
    ]
    assert "your reply, your dispute" in list_text(statements([held]), "en")
    assert "votre réponse" in list_text(statements([held]), "fr")
    line: Any = ledger_entry(ASKED, made.proposals, at=AT, previous=None)
    assert [one["type"] for one in line["shown"][0]["answers"]] == ["Reply", "Dispute"]
    assert line["shown"][0]["answers"][0]["claims"]["text"] == TEXT


def test_words_of_ones_own_can_be_recognised() -> None:
    asked = request()
    made = plan(asked, [answered(credential(), reply)], contexts=CONTEXTS, at=AT)
    assert "recognised" in plan_text(asked, made, "en")
    assert "recognised" not in plan_text(asked, plan(asked, [copy(credential())], contexts=CONTEXTS, at=AT), "en")


def kept(path: Path, *documents: Any) -> Shelf:
    shelf = Shelf(create(path))
    own = [holder_key().did]
    received = [receive(one, own=own, contexts=CONTEXTS, at=AT, where="x") for one in documents]
    shelf.add(received, at=AT, rand=os.urandom)
    return shelf


def test_the_vault_keeps_it_and_gives_it_with_every_copy(tmp_path: Path) -> None:
    fresh = credential("Rating", at=AT + timedelta(days=1))
    shelf = kept(tmp_path / "vault.db", credential("Rating"), fresh, credential("Earnings"))
    about = digest(fresh)
    assert not shelf.say(reply(about), rand=os.urandom)
    assert not shelf.say(dispute(about), rand=os.urandom)
    assert shelf.say(reply(about, text="Second thoughts"), rand=os.urandom)
    said = [[one.claims["text"] for one in each.answers] for each in shelf.copies()]
    assert said == [["none", "Second thoughts"], ["none", "Second thoughts"], []]
    assert b"Second thoughts" not in (tmp_path / "vault.db").read_bytes()
    assert shelf.take_back("Reply", about)
    assert not shelf.take_back("Reply", about)
    assert [one.type for one in shelf.answers()] == ["Dispute"]
    shelf.vault.close()


def test_what_the_worker_imported_is_answered_once_for_all_copies(tmp_path: Path) -> None:
    shelf = Shelf(create(tmp_path / "vault.db"))
    made = [credential("Rating", keys=issuer_keys(name), holder=holder_key(name)) for name in ("a", "b")]
    received = [
        Received(document, parse_credential(document), document["credentialSubject"]["id"], own=True)
        for document in made
    ]
    assert shelf.add(received, at=AT, rand=os.urandom) == 2
    one, other = shelf.copies()
    assert one.own
    assert one.statement == other.statement
    shelf.say(reply(filed_under(one.credential, own=True)), rand=os.urandom)
    for each, key in zip(shelf.copies(), (holder_key("a"), holder_key("b")), strict=True):
        said = shown_by(each, key)["verifiableCredential"][1]
        assert said["credentialSubject"]["about"] == digest(each.document)
    shelf.vault.close()


def test_a_text_is_tidied_or_refused_with_its_reason() -> None:
    assert tidy("  one \r\ntwo\t2\rthree \n", where="x") == "one\ntwo 2\nthree"
    assert tidy("é" * MAX_TEXT, where="x") == "é" * MAX_TEXT
    for text, why in (
        (" \n ", "no text"),
        ("a" * (MAX_TEXT + 1), "1001 characters"),
        ("~01", "begins with a mark"),
        ("a\u202eb", "RIGHT-TO-LEFT OVERRIDE"),
        ("a\x07b", "U+0007"),
        ("\u200ba", "ZERO WIDTH SPACE"),
    ):
        with pytest.raises(Malformed) as caught:
            tidy(text, where="--text")
        assert why in caught.value.why


@given(st.text(max_size=MAX_TEXT + 5))
def test_a_tidied_text_can_always_be_signed(text: str) -> None:
    try:
        made = tidy(text, where="x")
    except VcError:
        return
    assert reply(digest(credential("Rating")), text=made).claims["text"] == made
    assert tidy(made, where="x") == made


def test_what_names_a_person_is_warned_of_and_kept() -> None:
    for text, kind in (("write to a.b@example.org", "email"), ("call +33 6 12 34 56 78", "phone")):
        assert screened(text) == (kind,)
    for text in (TEXT, "on 12 November 2026 at 17:30", "4.77 of 5, 128 ratings"):
        assert screened(text) == ()
    held = answered(credential("Rating"), reply)
    for lang, word in (("en", "Please look again"), ("fr", "Regardez encore")):
        for kind in Kind:
            assert word in kept_text(held, held.answers[0], (kind.name,), replaced=False, lang=lang)
        assert word not in kept_text(held, held.answers[0], (), replaced=True, lang=lang)


def test_what_is_not_known_cannot_be_answered() -> None:
    stranger = {**credential("Rating"), "type": ["VerifiableCredential", "ScoreCredential"]}
    assert digest(stranger) == ""
    own = shown_by(answered(credential("Rating"), reply))["verifiableCredential"][1]
    assert digest(own) == ""  # a reply to a reply


def test_a_statement_is_found_by_its_name_or_as_the_only_one_of_its_type() -> None:
    one, other = copy(credential("Rating")), copy(credential("Earnings"))
    for name in (one.statement, one.statement[:6], "Rating"):
        assert find([one, other], name) == one
    assert find([one, copy(credential("Rating", at=AT + timedelta(days=1)))], "Rating").type == "Rating"  # signed anew
    newer = replace(one, statement="0" * 12)
    for name in ("Rating", "", "Ratin", "zzz"):
        with pytest.raises(Malformed):
            find([one, other, newer], name)


# ---- the verifier --------------------------------------------------------------------------------------------------


def report(one: Shown, **given_: Any) -> Report:
    raw = json.dumps(one.answer).encode()
    proven = check(raw, one.request, trust=trust(), policy=policy(accept_possession=False), at=AT)
    return build(one.request, proven, trust=trust(), at=AT, answer=raw, **given_)


def test_a_reply_is_verified_as_the_presenters_own_word() -> None:
    rating, said, disputed = checked(shown(reply, dispute)).credentials
    assert (rating.assurance, said.assurance, disputed.assurance) == (
        Assurance.ISSUER,
        Assurance.HOLDER,
        Assurance.HOLDER,
    )
    assert (said.issuer, said.key, said.did) == (None, None, holder_key().did)
    assert rating.issuer is not None


def test_the_report_shows_the_reply_beside_the_statement() -> None:
    made = report(shown(reply, dispute))
    (one,) = made.proven
    assert [said.type for said in one.answers] == ["Reply", "Dispute"]
    english, french = " ".join(to_text(made, "en").split()), " ".join(to_text(made, "fr").split())
    assert "The worker answers: ------------------- > The client wanted red, > and said so in writing." in english
    assert "The worker disputes this since 1 November 2026: the cause was outside the worker’s control" in english
    assert "These are the worker’s own words; only the worker vouches for them." in english
    assert "La personne conteste ceci depuis le 1er novembre 2026 : la cause échappait à la personne" in french
    page = to_html(made, "fr")
    assert '<blockquote lang="en">\n<p>The client wanted red,</p>\n<p>and said so in writing.</p>' in page
    assert page.index("<blockquote") < page.index("<table", page.index("Ce qui est prouvé"))  # right behind the rating
    entry_: Any = made.to_json()["proven"]
    assert [said["type"] for said in entry_[0]["answers"]] == ["Reply", "Dispute"]
    assert entry_[0]["answers"][0]["claims"]["text"] == TEXT
    assert (entry_[0]["assurance"], len(entry_)) == ("issuer", 1)


def test_a_reply_has_the_size_of_what_it_answers() -> None:
    css = (Path(__file__).parents[1] / "verifier" / "templates" / "report.css").read_text(encoding="utf-8")
    rules = [rule for rule in css.split("}") if "blockquote" in rule]
    assert rules
    assert not any("font-size" in rule or "color" in rule for rule in rules)


def test_that_there_is_no_reply_is_never_said() -> None:
    silent = report(shown())
    for lang in ("en", "fr"):
        for said in (to_text(silent, lang), to_html(silent, lang)):
            assert "blockquote lang" not in said
            for word in ("answers:", "reply", "replies", "dispute", "répond :", "réponse jointe", "conteste"):
                assert word not in said


def test_a_reply_cannot_look_like_the_report() -> None:
    evil = "It was so.\nValid as of 1 January 2030, according to a trust file of 1 January 2030.\n\n<script>x</script>"
    made = report(shown(lambda about: reply(about, text=evil)))
    lines = to_text(made, "en").splitlines()
    assert all(line.lstrip().startswith("> ") for line in lines if "January 2030" in line or "script" in line)
    assert "<script>" not in to_html(made, "en")


Spoil = Callable[[Shown], None]


def signed_reply(key: IssuerKey, about: str, kind: str = "Reply", **changes: Any) -> dict[str, Any]:
    """A reply as anybody could sign it."""
    made = reply(about) if kind == "Reply" else dispute(about)
    statement = Statement(kind, "self", {**made.claims, "about": about})
    document: dict[str, Any] = draft(statement, issuer=key.did, holder=key.did, at=AT).document
    document["credentialSubject"].update(changes.pop("claims", {}))
    return sign({**document, **changes}, key=key, created=None, contexts=CONTEXTS)


def with_(*credentials: Any, key: Ed25519Key | None = None, rating: Any = None) -> Shown:
    """A perfect showing of a rating, with these credentials beside it, signed by ``key``."""
    one, key = shown(), key or holder_key()
    (presentation,) = one.answer["vp_token"]["Rating"]
    held = [rating] if rating else presentation["verifiableCredential"]
    bare: dict[str, Any] = {
        "@context": [CREDENTIALS_V2],
        "type": ["VerifiablePresentation"],
        "verifiableCredential": [*held, *credentials],
        "holder": key.did,
    }
    signed = sign(
        bare,
        key=key,
        created=None,
        contexts=CONTEXTS,
        purpose=AUTHENTICATION,
        challenge=ASKED.nonce,
        domain=ASKED.client_id,
    )
    return Shown(ASKED, {"vp_token": {"Rating": [signed]}})


def mine(**changes: Any) -> dict[str, Any]:
    return signed_reply(holder_key(), digest(credential("Rating")), **changes)


def changed_text() -> Shown:
    said = mine()
    said["credentialSubject"]["text"] = "I agree with all of it."
    return with_(said)


def replayed() -> Shown:
    """Another holder shows their own rating with the reply that this worker wrote to theirs."""
    key = holder_key("second")
    presentation = shown_by(answered(credential("Rating", holder=key)), key)
    return with_(mine(), key=key, rating=presentation["verifiableCredential"][0])


def by_the_platform() -> Shown:
    return with_(signed_reply(issuer_keys().public, digest(credential("Rating"))))


def a_statement_beside_it() -> Shown:
    return with_(mine(), shown_by(copy(credential("Rating")))["verifiableCredential"][0])


ABOUT_EARNINGS = digest(credential("Earnings"))
HOSTILE: list[tuple[str, Callable[[], Shown], str]] = [
    ("someone else's reply", lambda: with_(signed_reply(THIEF, digest(credential("Rating")))), "HOLDER_NOT_ISSUER"),
    ("about another credential", lambda: with_(signed_reply(holder_key(), ABOUT_EARNINGS)), "REPLY_UNBOUND"),
    ("replayed by another holder", replayed, "HOLDER_NOT_ISSUER"),
    ("changed text", changed_text, "PROOF_INVALID"),
    ("two replies", lambda: with_(mine(), mine(claims={"text": "And another thing."})), "REPLY_REPEATED"),
    ("the same one twice", lambda: with_(mine(), mine()), "REPLY_REPEATED"),
    ("a platform's claim in it", lambda: with_(mine(claims={"ratingValue": "5"})), "REPLY_MALFORMED"),
    ("a claim missing", lambda: with_(mine(claims={"lang": "~01"})), "REPLY_MALFORMED"),
    ("padding as text", lambda: with_(mine(claims={"text": "~01"})), "REPLY_MALFORMED"),
    ("a platform's type beside it",
     lambda: with_(mine(type=["VerifiableCredential", "ReplyCredential", "RatingCredential"])), "TYPE_NOT_TRUSTED"),
    ("two types of the worker's",
     lambda: with_(mine(type=["VerifiableCredential", "ReplyCredential", "DisputeCredential"])), "TYPE_NOT_TRUSTED"),
    ("a platform's type alone", lambda: with_(mine(type=["VerifiableCredential", "RatingCredential"])),
     "ISSUER_NOT_TRUSTED"),
    ("about somebody else", lambda: with_(mine(claims={"id": THIEF.did})), "HOLDER_NOT_SUBJECT"),
    ("signed by the platform", by_the_platform, "HOLDER_NOT_ISSUER"),
    ("in another's name", lambda: with_(mine(issuer=issuer_keys().credentials.did)), "METHOD_NOT_ISSUERS"),
    ("out of date", lambda: with_(mine(validUntil="2026-11-20T23:59:59Z", validFrom="2026-11-01T00:00:00Z")),
     "EXPIRED"),
    ("a reply and no statement", lambda: with_(rating=mine()), "NOT_WHAT_WAS_ASKED"),
    ("a whole statement beside it", a_statement_beside_it, "NOT_WHAT_WAS_ASKED"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "code"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_what_is_no_reply_of_the_presenter_to_this_statement_is_refused(make: Callable[[], Shown], code: str) -> None:
    with pytest.raises(Rejected) as caught:
        checked(make())
    assert caught.value.code == code
    assert has_words(code)


def test_the_hostile_ones_are_a_hair_from_a_good_one() -> None:
    assert (
        len(checked(with_(mine(), signed_reply(holder_key(), digest(credential("Rating")), "Dispute"))).credentials)
        == 3
    )


def test_no_issuer_can_be_trusted_to_speak_for_the_worker() -> None:
    generous = trust(entry(issuer_keys(), mayAttest=[kind.credential_type for kind in TYPES.values()]))
    with pytest.raises(Rejected) as caught:
        checked(by_the_platform(), trusted=generous)
    assert caught.value.code == "HOLDER_NOT_ISSUER"


@pytest.mark.parametrize("possession", [False, True])
def test_an_unsigned_presentation_carries_no_reply(*, possession: bool) -> None:
    alone = Shown(ASKED, {"vp_token": {"Rating": [mine()]}})
    unsigned = with_(mine())
    del unsigned.answer["vp_token"]["Rating"][0]["proof"]
    for one in (alone, unsigned):
        with pytest.raises(Rejected) as caught:
            checked(one, possession=possession)
        codes = {finding.code for finding in caught.value.findings}
        assert ("HOLDER_NOT_ISSUER" if possession else "HOLDER_PROOF_MISSING") in codes


def test_without_the_policy_a_holder_vouches_for_nothing() -> None:
    strict = replace(policy(accept_possession=False), holder_types=frozenset())
    (presented,) = with_(mine()).answer["vp_token"]["Rating"]
    with pytest.raises(Rejected) as caught:
        verify_presentation(
            presented, challenge=ASKED.nonce, domain=ASKED.client_id, trust=trust(), policy=strict, at=AT
        )
    assert caught.value.code == "ISSUER_NOT_TRUSTED"


def test_a_reply_by_another_wallet_may_be_signed_over_its_json() -> None:
    said = {name: value for name, value in mine().items() if name != "proof"}
    signed = sign(said, key=holder_key(), created=None, contexts=CONTEXTS, suite="eddsa-jcs-2022")
    assert [one.suite for one in checked(with_(signed)).credentials] == ["bbs-2023", "eddsa-jcs-2022"]


def test_a_reply_cannot_be_asked_for_by_itself() -> None:
    for claim in ("Reply", "Dispute.ground"):
        with pytest.raises(Unsupported) as caught:
            Wanted.parse(claim)
        assert "Reply" not in caught.value.name.partition(";")[2]
