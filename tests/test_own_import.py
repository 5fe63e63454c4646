"""What workers import themselves: kept, shown, checked, and marked everywhere as confirmed by nobody."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ouvrage.own_import import attested, of_one, self_signed
from tests.cli import ROOT, ouvrage
from tests.line import AT, Shown, credential, entry, holder_key, issuer_keys, rand_from, request, trust
from tests.vaults import create
from tests.work_samples import CONTEXT, EARNINGS, RATING
from vc.errors import Malformed, Rejected
from vc.keys import Bls12381Key, Ed25519Key
from vc.model import CREDENTIALS_V2, parse_credential
from vc.oid4vp import Request
from vc.proof import AUTHENTICATION
from vc.secure import sign, sign_selective
from vc.trust import Trust
from vc.verify import Assurance, Verified
from verifier.check import check, policy
from verifier.render import to_html, to_text
from verifier.report import Report, build
from wallet.answers import Answer, filed_under
from wallet.choose import Copy, plan
from wallet.present import present
from wallet.receive import same_statement
from wallet.shelf import Shelf
from work import CONTEXTS
from work.draft import draft
from work.statement import SourceMethod, Statement, context_digest
from work.wording import lines

IMPORTED = SourceMethod.workerImportUnverified.value
UPWORK, AIRBNB = (ROOT / "examples" / name for name in ("upwork/upwork_timesheet.csv", "airbnb/airbnb_hosts.csv"))
NOBODY = trust(entry(issuer_keys("another")))
REPLY_CLAIMS = {"text": "Half of them never rate.", "lang": "en", "dateCreated": "2026-11"}
CHECK = {"accept_possession": False, "accept_self_asserted": True}


def statement(kind: str = "Earnings", **changes: Any) -> Statement:
    claims = {"Earnings": EARNINGS, "Rating": RATING}[kind]
    return Statement(kind, "self", {**claims, "sourceMethod": IMPORTED, **changes})


def imported(kind: str = "Earnings", holder: Ed25519Key | None = None, **changes: Any) -> Copy:
    (made,) = self_signed([statement(kind, **changes)], [holder or holder_key()], at=AT, rand=rand_from(kind))
    name = same_statement(made.credential, own=True)
    return Copy(b"0" * 16, made.document, made.credential, name, made.holder, 0, own=True)


def asked(kind: str = "Earnings") -> Request:
    claim = {"Earnings": "Earnings.averageAtLeast12m>=1500"}.get(kind, kind)
    return request(claim, purpose="platform.onboarding.eu")


def shown(*copies: Copy, kind: str = "Earnings") -> Shown:
    made = plan(asked(kind), copies or (imported(kind),), contexts=CONTEXTS, at=AT)
    (proposal,) = made.proposals
    presented = present(
        proposal, request=asked(kind), key=holder_key(), contexts=CONTEXTS, at=AT, rand=rand_from("shown")
    )
    return Shown(asked(kind), {"vp_token": {kind: [presented]}})


def accepted(one: Shown, trusted: Trust = NOBODY, **flags: bool) -> Verified:
    raw = json.dumps(one.answer).encode()
    ((verified,),) = check(raw, one.request, trust=trusted, policy=policy(**{**CHECK, **flags}), at=AT).values()
    return verified


def report(one: Shown, trusted: Trust = NOBODY) -> Report:
    raw = json.dumps(one.answer).encode()
    proven = check(raw, one.request, trust=trusted, policy=policy(**CHECK), at=AT)
    return build(one.request, proven, trust=trusted, at=AT, answer=raw)


def refused(one: Shown, trusted: Trust = NOBODY, **flags: bool) -> str:
    with pytest.raises(Rejected) as caught:
        accepted(one, trusted, **flags)
    return caught.value.code


# ---- making --------------------------------------------------------------------------------------------------------


def test_what_a_worker_imports_says_so_and_nothing_of_the_platform() -> None:
    made = attested("airbnb", [AIRBNB])
    assert {one.type for one in made.statements} == {"PlatformMembership", "Rating", "RatingBand"}
    assert {one.claims["sourceMethod"] for one in made.statements} == {IMPORTED}
    ratings = [one for one in made.statements if one.type == "Rating"]
    assert {one.claims["contextDigest"] for one in ratings} == {"notPublished"}


def test_the_worker_says_who_they_are_where_a_file_is_about_several() -> None:
    made = attested("airbnb", [AIRBNB]).statements
    with pytest.raises(Malformed) as caught:
        of_one(made, None)
    assert "say which one you are" in caught.value.why
    with pytest.raises(Malformed) as caught:
        of_one(made, "nobody")
    assert caught.value.code == "NOT_FOUND"
    one = made[0].worker
    assert {each.worker for each in of_one(made, one)} == {one}
    assert {each.worker for each in of_one(attested("upwork", [UPWORK]).statements, None)} == {"upwork_timesheet"}


def test_each_copy_has_an_issuer_that_no_other_has() -> None:
    keys = [holder_key(name) for name in ("one", "two", "three")]
    made = list(self_signed([statement(), statement("Rating")], keys, at=AT, rand=os.urandom))
    assert len({one.credential.issuer for one in made}) == len(made) == 6
    assert [one.holder for one in made] == [key.did for key in keys] * 2
    assert all(one.credential.issuer.startswith("did:key:zUC7") for one in made)  # BLS12-381, none of the worker's
    assert len({same_statement(one.credential, own=True) for one in made}) == 2
    assert len({same_statement(one.credential) for one in made}) == 6


def test_no_key_that_a_verifier_has_seen_binds_a_new_copy(tmp_path: Path) -> None:
    shelf = Shelf(create(tmp_path / "vault.db"))
    keys = shelf.make_keys(2, rand=os.urandom)
    assert shelf.unspent_keys(1, rand=os.urandom)[0].did == keys[0].did
    received = list(self_signed([statement()], keys, at=AT, rand=os.urandom))
    shelf.add(received, at=AT, rand=os.urandom)
    made = plan(asked(), shelf.copies(), contexts=CONTEXTS, at=AT)
    shelf.record(asked(), made.proposals, at=AT, rand=os.urandom)
    (seen,) = {one.copy.holder for one in made.proposals}
    (next_,) = shelf.unspent_keys(1, rand=os.urandom)
    assert next_.did in {key.did for key in keys} - {seen}
    assert len({key.did for key in shelf.unspent_keys(3, rand=os.urandom)} - {seen}) == 3
    assert len(shelf.signing_keys()) == 4
    shelf.vault.close()


def test_a_platforms_word_goes_before_ones_own() -> None:
    theirs = parse_credential(credential())
    held = Copy(b"1" * 16, credential(), theirs, "theirs", holder_key().did, 5)
    newer = imported(periodEnd="2025-08", monthly=("2025-07 1500.00", "2025-08 20000.00"))
    (proposal,) = plan(asked(), [newer, held], contexts=CONTEXTS, at=AT).proposals
    assert proposal.copy.statement == "theirs"


# ---- checking ------------------------------------------------------------------------------------------------------


def test_it_is_refused_unless_the_verifier_says_otherwise() -> None:
    assert refused(shown(), accept_self_asserted=False) == "ISSUER_NOT_TRUSTED"
    (one,) = accepted(shown()).credentials
    assert (one.assurance, one.issuer, one.key) == (Assurance.SELF_ASSERTED, None, None)
    assert one.not_checked == ("IDENTITY", "WITHHELD", "TRUTH")
    assert one.claims["averageAtLeast12m"] == ["001500"]


def stranger(**claims: Any) -> Copy:
    """A credential by a key that nobody knows, whatever it says of where it comes from."""
    key = Bls12381Key.from_secret((7).to_bytes(32, "big"))
    drafted = draft(Statement("Earnings", "x", {**EARNINGS, **claims}), issuer=key.did, holder=holder_key().did, at=AT)
    document = sign_selective(
        drafted.document, key=key, created=AT, mandatory=drafted.mandatory, contexts=CONTEXTS, rand=rand_from("s")
    )
    return Copy(b"0" * 16, document, parse_credential(document), "stranger", holder_key().did, 0)


def test_a_stranger_who_claims_to_be_a_platform_is_refused_even_so() -> None:
    assert refused(shown(stranger(sourceMethod="platformNative"))) == "ISSUER_NOT_TRUSTED"
    assert refused(shown(stranger(sourceMethod="dsarImport"))) == "ISSUER_NOT_TRUSTED"
    assert len(accepted(shown(stranger(sourceMethod=IMPORTED))).credentials) == 1


def test_a_hidden_source_is_no_source() -> None:
    key = Bls12381Key.from_secret((7).to_bytes(32, "big"))
    drafted = draft(statement(), issuer=key.did, holder=holder_key().did, at=AT)
    mandatory = [pointer for pointer in drafted.mandatory if not pointer.endswith("/sourceMethod")]
    document = sign_selective(
        drafted.document, key=key, created=AT, mandatory=mandatory, contexts=CONTEXTS, rand=rand_from("h")
    )
    held = Copy(b"0" * 16, document, parse_credential(document), "hidden", holder_key().did, 0)
    assert refused(shown(held)) == "ISSUER_NOT_TRUSTED"


def test_a_trusted_name_cannot_be_borrowed() -> None:
    platform = issuer_keys().credentials.did
    drafted = draft(statement(), issuer=platform, holder=holder_key().did, at=AT)
    forger = Bls12381Key.from_secret((7).to_bytes(32, "big"))
    document = sign_selective(
        drafted.document,
        key=forger,
        created=AT,
        mandatory=drafted.mandatory,
        contexts=CONTEXTS,
        rand=rand_from("forged"),
    )
    held = Copy(b"0" * 16, document, parse_credential(document), "forged", holder_key().did, 0)
    assert refused(shown(held), trust()) == "METHOD_NOT_ISSUERS"
    whole = draft(statement(), issuer=platform, holder=holder_key().did, at=AT).document
    lied = sign(whole, key=holder_key(), created=None, contexts=CONTEXTS)
    one = shown()
    one.answer["vp_token"]["Earnings"][0]["verifiableCredential"] = [lied]
    assert refused(one, trust()) in ("PROOF_INVALID", "METHOD_NOT_ISSUERS")


def test_an_issuer_of_the_trust_file_is_held_to_it_whatever_the_source() -> None:
    """An importer's service may sign such statements; what it may not attest does not become the worker's own word."""
    document = credential_of_importer()
    held = Copy(b"0" * 16, document, parse_credential(document), "importer", holder_key().did, 0)
    (one,) = accepted(shown(held), trust()).credentials
    assert one.assurance is Assurance.ISSUER
    not_for_this = trust(entry(issuer_keys(), mayAttest=["RatingCredential"]))
    assert refused(shown(held), not_for_this) == "TYPE_NOT_TRUSTED"


def credential_of_importer(kind: str = "Earnings", **changes: Any) -> dict[str, Any]:
    key = issuer_keys().credentials
    drafted = draft(statement(kind, **changes), issuer=key.did, holder=holder_key().did, at=AT)
    midnight = AT.replace(hour=0, minute=0)
    return sign_selective(
        drafted.document, key=key, created=midnight, mandatory=drafted.mandatory, contexts=CONTEXTS, rand=rand_from("i")
    )


def test_it_is_the_presenters_own_and_needs_their_key_whatever_else_is_accepted() -> None:
    bare = {
        "@context": [CREDENTIALS_V2],
        "type": ["VerifiablePresentation"],
        "verifiableCredential": shown().answer["vp_token"]["Earnings"][0]["verifiableCredential"],
        "holder": holder_key("thief").did,
    }
    stolen = sign(
        bare,
        key=holder_key("thief"),
        created=None,
        contexts=CONTEXTS,
        purpose=AUTHENTICATION,
        challenge=asked().nonce,
        domain=asked().client_id,
    )
    for possession in (False, True):
        one = Shown(asked(), {"vp_token": {"Earnings": [stolen]}})
        assert refused(one, accept_possession=possession) == "HOLDER_NOT_SUBJECT"
    unbound = replace_subject(imported())
    assert refused(unbound, accept_possession=True) == "BINDING_TOO_WEAK"


def replace_subject(copy: Copy) -> Shown:
    """The same statement without a key of the worker, shown by whoever has it."""
    key = Bls12381Key.from_secret((7).to_bytes(32, "big"))
    drafted = draft(statement(), issuer=key.did, holder=None, at=AT)
    document = sign_selective(
        drafted.document, key=key, created=AT, mandatory=drafted.mandatory, contexts=CONTEXTS, rand=rand_from("u")
    )
    loose = replace(asked(), queries=tuple(replace(query, holder_binding=False) for query in asked().queries))
    held = replace(copy, document=document, credential=parse_credential(document), holder=None)
    (proposal,) = plan(loose, [held], contexts=CONTEXTS, at=AT).proposals
    presented = present(proposal, request=loose, key=None, contexts=CONTEXTS, at=AT, rand=rand_from("u"))
    return Shown(loose, {"vp_token": {"Earnings": [presented]}})


def test_whom_nobody_vouches_for_mixes_no_types() -> None:
    key = Bls12381Key.from_secret((7).to_bytes(32, "big"))
    drafted = draft(statement(), issuer=key.did, holder=holder_key().did, at=AT)
    document: dict[str, Any] = {
        **drafted.document,
        "type": ["VerifiableCredential", "EarningsCredential", "RatingCredential"],
    }
    signed = sign_selective(
        document, key=key, created=AT, mandatory=drafted.mandatory, contexts=CONTEXTS, rand=rand_from("m")
    )
    held = Copy(b"0" * 16, signed, parse_credential(signed), "mixed", holder_key().did, 0)
    assert refused(shown(held)) == "NOT_WHAT_WAS_ASKED"


def test_the_report_marks_it_first_and_names_no_issuer() -> None:
    made = report(shown())
    proven: Any = made.to_json()["proven"]
    (one,) = proven
    assert (one["assurance"], one["issuer"]) == ("selfAsserted", None)
    for lang, warning, verdict in (
        ("en", "The worker’s own statement, from a file that nobody has confirmed.", "Only the worker’s own word"),
        ("fr", "Déclaration de la personne elle-même, tirée d’un fichier que personne n’a confirmé.", "Seulement la"),
    ):
        text = " ".join(to_text(made, lang).split())
        assert f"! {warning}" in text
        page = to_html(made, lang)
        assert f'<p class="warning">{warning}</p>' in page
        assert verdict in page
        assert page.index(warning) < page.index("<li>")
        head = page[page.index("<header>") : page.index("</header>")]
        assert not any(word in head for word in ("platform", "plateforme", "issuer", "émetteur", "Valid", "Valable"))
        assert "--accept-self-asserted" in text
        assert "Example platform" not in text


def test_beside_a_platforms_word_only_the_own_part_is_marked() -> None:
    both = request("Earnings.averageAtLeast12m>=1500", "Rating", purpose="platform.onboarding.eu")
    theirs = credential("Rating")
    held = [imported(), Copy(b"1" * 16, theirs, parse_credential(theirs), "theirs", holder_key().did, 0)]
    answer = {
        proposal.query.id: [
            present(proposal, request=both, key=holder_key(), contexts=CONTEXTS, at=AT, rand=rand_from("both"))
        ]
        for proposal in plan(both, held, contexts=CONTEXTS, at=AT).proposals
    }
    made = report(Shown(both, {"vp_token": answer}), trust())
    assert [(one.type, one.assurance.value, one.issuer) for one in made.proven] == [
        ("Earnings", "selfAsserted", ""),
        ("Rating", "issuer", "Example platform"),
    ]
    for lang, words in (("en", "a part of it is only the worker’s own word"), ("fr", "une partie n’est que la parole")):
        assert words in " ".join(to_text(made, lang).split())


def test_no_platforms_spread_of_ratings_is_laid_beside_it() -> None:
    context = Statement("RatingContext", "", CONTEXT)
    key = issuer_keys().public
    drafted = draft(context, issuer=key.did, holder=None, at=AT).document
    midnight = AT.replace(hour=0, minute=0)
    public = parse_credential(sign(drafted, key=key, created=midnight, contexts=CONTEXTS))
    with_context = replace(trust(), public=(public,))
    copied = imported("Rating", contextDigest=context_digest(context))
    digest = context_digest(context)
    vouched_for = credential_of_importer("Rating", contextDigest=digest)
    theirs = Copy(b"0" * 16, vouched_for, parse_credential(vouched_for), "theirs", holder_key().did, 0)
    assert report(shown(theirs, kind="Rating"), with_context).proven[0].context is not None
    made = report(shown(copied, kind="Rating"), with_context)
    assert made.proven[0].context is None
    assert not any(one.code.startswith("CONTEXT") for one in made.unchecked)
    assert "How ratings are spread on this platform" not in to_text(made, "en")


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_no_sentence_says_that_the_platform_states_a_rating_that_was_imported(lang: str) -> None:
    claims = {**RATING, "sourceMethod": IMPORTED, "jobsEligible": "notPublished", "responseRate": "notPublished"}
    claims["effectiveShare"] = "notPublished"
    told = lines("Rating", claims, lang)[0].text
    native = lines("Rating", {**claims, "sourceMethod": "platformNative"}, lang)[0].text
    states = {
        "en": ("The platform states", "published by the platform"),
        "fr": ("La plateforme indique", "publié par la"),
    }
    for words in states[lang]:
        assert words in native
        assert words not in told


def test_a_reply_goes_with_it_too() -> None:
    held = imported("Rating")
    answer = Answer.make("Reply", filed_under(held.credential, own=True), {**REPLY_CLAIMS})
    said = replace(held, answers=(answer,))
    assert [one.assurance for one in accepted(shown(said, kind="Rating")).credentials] == [
        Assurance.SELF_ASSERTED,
        Assurance.HOLDER,
    ]


# ---- the command line ----------------------------------------------------------------------------------------------


def test_the_wallet_loads_no_database_engine_before_it_imports() -> None:
    code = "import sys, ouvrage.own_import; sys.exit('duckdb' in sys.modules or 'issuer.attest' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0


def test_a_worker_whose_platform_issues_nothing(tmp_path: Path) -> None:
    home = tmp_path
    assert "import" in ouvrage(home, "wallet", "--help").out
    ouvrage(home, "wallet", "init")
    words = ("wallet", "import", "--profile", "upwork", UPWORK, "--copies", "2")
    first = ouvrage(home, *words, "--json").json
    assert (first["added"], first["already"], first["rejects"]) == (4, 0, 0)
    assert ouvrage(home, *words, "--json").json["already"] == 4
    for lang, mark in (("en", "no platform has confirmed it"), ("fr", "aucune plateforme ne l’a confirmée")):
        assert ouvrage(home, "wallet", "list", "--lang", lang).out.count(mark) == 2
    listed = ouvrage(home, "wallet", "list", "--json").json["credentials"]
    assert [(one["type"], one["copies"], one["ownImport"]) for one in listed] == [
        ("Earnings", 2, True),
        ("WorkHistory", 2, True),
    ]
    shown_ = ouvrage(home, "wallet", "show", listed[0]["statement"]).out
    assert "Imported by yourself; no platform has confirmed it." in shown_
    ouvrage(home, "verifier", "request", "--as", "lender.example", "--purpose", "credit.consumer.eu",
            "--claim", "Earnings.averageAtLeast12m>=1000", "--out", "request.json")  # fmt: skip
    told = ouvrage(home, "wallet", "request", "request.json", "--lang", "fr").out
    assert "Importée par vous-même ; aucune plateforme ne l’a confirmée." in told
    ouvrage(home, "wallet", "present", "--request", "request.json", "--out", "answer.json", "--yes")
    assert "[imported by yourself]" in ouvrage(home, "wallet", "ledger").out
    ouvrage(home, "verifier", "trust", "init")
    check_ = ("verifier", "check", "answer.json", "--request", "request.json")
    no = ouvrage(home, *check_, "--json", ok=False)
    assert (no.code, no.json["reasons"][0]["code"], no.json["proven"]) == (1, "ISSUER_NOT_TRUSTED", [])
    yes = ouvrage(home, *check_, "--accept-self-asserted", "--html", "report.html", "--json").json
    (proven,) = yes["proven"]
    assert (proven["assurance"], proven["issuer"], proven["binding"]) == ("selfAsserted", None, "key")
    assert "nobody has confirmed" in (home / "report.html").read_text(encoding="utf-8")
    assert not (home / "issuer").exists()  # no platform's state was made on the way


def test_a_file_about_several_workers_and_rows_that_are_not_understood(tmp_path: Path) -> None:
    ouvrage(tmp_path, "wallet", "init")
    words = ("wallet", "import", "--profile", "airbnb", AIRBNB)
    refused_ = ouvrage(tmp_path, *words, ok=False)
    assert refused_.code == 2
    assert "say which one you are" in refused_.err
    one = attested("airbnb", [AIRBNB]).statements[0].worker
    made = ouvrage(tmp_path, *words, "--worker", one, "--copies", "1", "--rejects", "rejects.csv", "--json").json
    assert made["added"] == 2
    assert bool(made["rejects"]) == (tmp_path / "rejects.csv").exists()
    wrong = ouvrage(tmp_path, "wallet", "import", "--profile", "upwork", AIRBNB, ok=False)
    assert (wrong.code, wrong.err.count("\n")) == (2, 1)
