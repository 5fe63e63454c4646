"""Policies: met, not met or cannot tell, what would settle it, and what no policy can say."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer.copies import Job, sign_copy
from tests.cli import ouvrage
from tests.line import AT, copy, entry, holder_key, issuer_keys, rand_from, trust
from tests.work_samples import CLAIMS
from vc.canon import parse_json, to_json
from vc.errors import Malformed, Rejected, Unsupported, VcError
from vc.keys import Ed25519Key
from vc.oid4vp import Request, parse_request
from vc.verify import Assurance, Binding
from verifier.check import check
from verifier.check import policy as accepted
from verifier.decision import Aside, Decision, Judged, Outcome, decide
from verifier.decision_words import policy_lines
from verifier.policy import OPINIONS, PolicyFile, parse_policy
from verifier.policy_request import policy_request
from verifier.proven import Proven
from verifier.render import to_html, to_text
from verifier.report import Report, build
from wallet.choose import Copy, plan
from wallet.present import present
from work import CONTEXTS
from work.statement import Claims, Statement
from work.types import TYPES

INCOME = """
name = {en = "Income for a rent", fr = "Revenu pour un loyer"}
purpose = "credit.consumer.eu"
[lists]
known = ["000 000 001", "000 000 002"]
[[require]]
claim = "Earnings.averageAtLeast12m"
atLeast = 1500
where = {currency = "EUR"}
issuers = "known"
maxAgeDays = 45
addUp = true
"""
BASIC: Claims = {
    "category": "freelance",
    "sourceMethod": "platformNative",
    "periodEnd": "2026-10",
    "currency": "EUR",
    "basis": "afterCommission",
    "tipsIncluded": "false",
    "incentivesIncluded": "true",
    "tollsIncluded": "notPublished",
    "expensesNotDeducted": "true",
}
YEAR = tuple(f"2025-{month:02d}" for month in (11, 12)) + tuple(f"2026-{month:02d}" for month in range(1, 11))


def parsed(text: str = INCOME, **changes: str) -> PolicyFile:
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return parse_policy(text.encode())


def one(**claims: Any) -> PolicyFile:
    """A policy of one requirement."""
    lines = [f"{name} = {json.dumps(value)}" for name, value in claims.items() if not isinstance(value, dict)]
    tables = [
        f"{name} = {{{', '.join(f'{key} = {json.dumps(each)}' for key, each in value.items())}}}"
        for name, value in claims.items()
        if isinstance(value, dict)
    ]
    return parse_policy("\n".join(
        ['name = "One"', 'purpose = "insurance.rcpro.fr"', "[[require]]", *lines, *tables]
    ).encode())  # fmt: skip


def shown(kind: str = "Earnings", number: int = 1, *, holder: str = "did:key:z6MkA", **claims: Any) -> Proven:
    """What issuer ``number`` said and the worker showed."""
    return Proven(
        query=kind,
        type=kind,
        assurance=Assurance.ISSUER,
        issuer=f"Platform {number}",
        legal_identifier=f"000 000 00{number}",
        claims={**(BASIC if kind == "Earnings" else {}), **claims},
        unread=(),
        binding=Binding.KEY,
        suite="bbs-2023",
        valid_from=None,
        valid_until=None,
        purpose_allowed=True,
        context=None,
        holder=holder,
    )


def steps(*numbers: int) -> dict[str, Any]:
    return {"averageAtLeast12m": tuple(f"{number:06d}" for number in numbers)}


def judged(policy: PolicyFile, *proven: Proven, at: datetime = AT) -> Judged:
    (made,) = decide(policy, proven, at=at).judged
    return made


def further(made: Judged) -> list[str]:
    return [f"{one.type}.{one.claim}>={','.join(one.values)}{' other' * one.other}" for one in made.further]


def test_a_step_that_is_high_enough_is_enough() -> None:
    made = judged(parsed(), shown(**steps(1500)))
    assert (made.outcome, made.total, made.further) == (Outcome.MET, "1500", ())
    assert judged(parsed(), shown(**steps(3000))).outcome is Outcome.MET


def test_steps_of_several_platforms_add_up_downwards() -> None:
    made = judged(parsed(), shown(**steps(800)), shown(number=2, **steps(1000)))
    assert (made.outcome, made.total) == (Outcome.MET, "1800")
    assert [(each.issuer, each.value, each.exact) for each in made.counted] == [
        ("Platform 1", "800", False),
        ("Platform 2", "1000", False),
    ]


def test_what_is_lacking_is_asked_of_another_platform_first() -> None:
    made = judged(parsed(), shown(**steps(800)), shown(number=2, **steps(500)))
    assert made.outcome is Outcome.CANNOT_TELL
    assert further(made) == [
        "Earnings.averageAtLeast12m>=000200 other",
        "Earnings.averageAtLeast12m>=001000",
        "Earnings.averageAtLeast12m>=000800",
    ]
    assert [each.issuer for each in made.further] == ["", "Platform 1", "Platform 2"]


def test_of_one_issuer_and_period_one_statement_counts() -> None:
    made = judged(parsed(), shown(**steps(800)), shown(**steps(1000)))
    assert (made.outcome, made.total) == (Outcome.CANNOT_TELL, "1000")


@pytest.mark.parametrize(
    "other",
    [
        shown(number=2, **steps(1000), periodEnd="2026-11"),
        shown(number=2, **steps(1000), holder="did:key:z6MkB"),
        shown(number=2, **steps(1000), holder=""),
        shown(number=2, **steps(1000), basis="grossPaidByClient"),
    ],
    ids=["other months", "another key", "no key", "counted otherwise"],
)
def test_what_is_not_alike_does_not_add_up(other: Proven) -> None:
    made = judged(parsed(), shown(**steps(800)), other)
    assert (made.outcome, made.total) == (Outcome.CANNOT_TELL, "1000")


def test_a_policy_that_takes_both_ways_of_counting_still_never_adds_currencies() -> None:
    text = INCOME.replace('{currency = "EUR"}', '{currency = ["EUR", "USD"]}')
    made = judged(parsed(text), shown(**steps(800)), shown(number=2, **steps(1000), currency="USD"))
    assert (made.outcome, made.total) == (Outcome.CANNOT_TELL, "1000")


def test_a_figure_that_says_less_is_not_met_and_a_step_that_says_less_cannot_be_told() -> None:
    assert judged(parsed(), shown(total12m="12000.00")).outcome is Outcome.NOT_MET
    assert judged(parsed(), shown(**steps(1000))).outcome is Outcome.CANNOT_TELL
    assert judged(parsed(), shown(total12m="18000.00")).outcome is Outcome.MET
    assert judged(parsed(), shown(total12m="17999.99")).outcome is Outcome.NOT_MET
    mixed = judged(parsed(), shown(total12m="12000.00"), shown(number=2, **steps(100)))
    assert (mixed.outcome, mixed.total) == (Outcome.CANNOT_TELL, "1100")


def test_months_are_a_figure_only_when_all_of_them_are_there() -> None:
    whole = tuple(f"{month} 1600.00" for month in YEAR)
    assert judged(parsed(), shown(monthly=whole)).outcome is Outcome.MET
    assert judged(parsed(), shown(monthly=whole[1:])).aside == (("Earnings", Aside.NOT_SAID),)
    low = tuple(f"{month} {'-400.00' if month == '2026-03' else '1500.00'}" for month in YEAR)
    assert (judged(parsed(), shown(monthly=low)).outcome, judged(parsed(), shown(monthly=low)).total) == (
        Outcome.NOT_MET,
        "1341.66",
    )


@pytest.mark.parametrize(
    ("proven", "why"),
    [
        (shown(number=3, **steps(3000)), Aside.OTHER_ISSUER),
        (shown(**steps(3000), periodEnd="2026-09"), Aside.TOO_OLD),
        (shown(**steps(3000), currency="USD"), Aside.OTHER_KIND),
        (shown(**steps(3000), sourceMethod="workerImportUnverified"), Aside.OWN_WORD),
        (shown(total="99999.00"), Aside.NOT_SAID),
    ],
)
def test_what_does_not_count_is_no_no(proven: Proven, why: Aside) -> None:
    made = judged(parsed(), proven)
    assert (made.outcome, made.aside, made.counted) == (Outcome.CANNOT_TELL, (("Earnings", why),), ())
    assert further(made) == ["Earnings.averageAtLeast12m>=001500"]


def test_how_old_is_counted_from_the_end_of_the_last_month() -> None:
    old = shown(**steps(1500))
    assert judged(parsed(), old, at=datetime(2026, 12, 15, tzinfo=UTC)).outcome is Outcome.MET
    made = judged(parsed(), old, at=datetime(2026, 12, 16, tzinfo=UTC))
    assert (made.outcome, made.further[0].since) == (Outcome.CANNOT_TELL, "2026-11")


def test_nothing_shown_and_too_little_shown_look_alike() -> None:
    """Absent never means refuse."""
    assert judged(parsed()).outcome is Outcome.CANNOT_TELL
    assert judged(one(claim="Qualification")).outcome is Outcome.CANNOT_TELL


def test_words_and_dates() -> None:
    active = one(claim="PlatformMembership.status", oneOf=["active"])
    assert judged(active, shown("PlatformMembership", status="active")).outcome is Outcome.MET
    assert judged(active, shown("PlatformMembership", status="ended")).outcome is Outcome.NOT_MET
    assert judged(active, shown("PlatformMembership")).outcome is Outcome.CANNOT_TELL
    covered = one(claim="ProfessionalInsurance.coverTo", notBefore="today")
    assert judged(covered, shown("ProfessionalInsurance", coverTo="2026-11-24")).outcome is Outcome.MET
    assert judged(covered, shown("ProfessionalInsurance", coverTo="2026-11-23")).outcome is Outcome.NOT_MET
    held = one(claim="Qualification.heldUntil", notBefore="2026-11-30")
    assert judged(held, shown("Qualification", heldUntil="2026-11")).outcome is Outcome.MET
    ceiling = one(claim="ProfessionalInsurance.ceilingPerClaimAtLeast", atLeast=500, where={"currency": "EUR"})
    insured = shown("ProfessionalInsurance", currency="EUR", ceilingPerClaimAtLeast=("000500",))
    assert judged(ceiling, insured).outcome is Outcome.MET
    exact = judged(ceiling, shown("ProfessionalInsurance", currency="EUR", ceilingPerClaim="400000.00"))
    assert (exact.outcome, exact.total) == (Outcome.NOT_MET, "400")


def test_all_requirements_have_to_be_met() -> None:
    text = INCOME + '[[require]]\nclaim = "PlatformMembership.status"\noneOf = ["active"]\n'
    both = parsed(text)
    member = shown("PlatformMembership", status="active")
    assert decide(both, [shown(**steps(1500)), member], at=AT).outcome is Outcome.MET
    assert decide(both, [shown(**steps(1500))], at=AT).outcome is Outcome.CANNOT_TELL
    ended = shown("PlatformMembership", status="ended")
    assert decide(both, [ended], at=AT).outcome is Outcome.NOT_MET


@given(
    amounts=st.lists(st.integers(0, 4000), min_size=1, max_size=5),
    threshold=st.integers(1, 6000),
    exact=st.lists(st.booleans(), min_size=5, max_size=5),
)
def test_it_never_says_met_where_the_truth_is_less_nor_not_met_where_it_is_enough(
    amounts: list[int], threshold: int, exact: list[bool]
) -> None:
    """Whatever mix of steps and figures is shown, the outcome agrees with the amounts that they are true of."""
    ladder = TYPES["Earnings"].claims["averageAtLeast12m"].ladder
    proven = []
    for number, amount in enumerate(amounts, 1):
        reached = [step for step in ladder if step <= amount]
        if exact[number - 1]:
            proven.append(shown(number=number, total12m=f"{amount * 12}.00"))
        elif reached:
            proven.append(shown(number=number, **steps(max(reached))))
    text = INCOME.replace('issuers = "known"\n', "").replace("atLeast = 1500", f"atLeast = {threshold}")
    made = judged(parsed(text), *proven)
    if made.outcome is Outcome.MET:
        assert sum(amounts) >= threshold
    if made.outcome is Outcome.NOT_MET:
        told = sum(Decimal(each.value) for each in made.counted)
        assert told == sum(amount for amount, known in zip(amounts, exact, strict=False) if known) < threshold
    for each in made.further:
        assert made.outcome is not Outcome.MET
        if each.other and each.values and made.counted:  # shown as well, it would settle it
            more = shown(number=9, **steps(int(each.values[0])))
            assert judged(parsed(text), *proven, more).outcome is Outcome.MET


@pytest.mark.parametrize("kind", sorted(OPINIONS))
def test_no_policy_can_depend_on_an_opinion_or_on_its_absence(kind: str) -> None:
    with pytest.raises(Unsupported) as caught:
        one(claim=kind)
    assert caught.value.code == "POLICY_OPINION"
    with pytest.raises(Unsupported):
        one(claim=f"{kind}.{next(iter(TYPES[kind].claims))}")


def test_what_the_purpose_must_never_ask_is_in_no_policy() -> None:
    with pytest.raises(Rejected) as caught:
        parse_policy(b'name = "x"\npurpose = "credit.consumer.eu"\n[[require]]\nclaim = "WorkHistory.areas"\n')
    assert [found.code for found in caught.value.findings] == ["NEVER_ASK"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("atLeast = 1500", "atLeast = -1"),
        ("atLeast = 1500", "atLeast = 1500.5"),
        ("atLeast = 1500", "atLeast = true"),
        ("atLeast = 1500", 'oneOf = ["001500"]\natLeast = 1500'),
        ("atLeast = 1500\n", ""),
        ("addUp = true", "addUp = 1"),
        ("addUp = true", "score = 3"),
        ("addUp = true", "absent = 'refuse'"),
        ("maxAgeDays = 45", "maxAgeDays = -3"),
        ('issuers = "known"', 'issuers = "unknown"'),
        ('issuers = "known"', "issuers = []"),
        ('{currency = "EUR"}', '{currency = "euro"}'),
        ('{currency = "EUR"}', "{}"),
        ('{currency = "EUR"}', "3"),
        ('purpose = "credit.consumer.eu"', 'purpose = "credit.consumer.eu"\nrank = true'),
        ("[[require]]", "[require]"),
        ("averageAtLeast12m", "tips"),
        ('{en = "Income for a rent", fr = "Revenu pour un loyer"}', "3"),
    ],
)
def test_what_is_wrong_with_a_policy_is_said(old: str, new: str) -> None:
    assert old in INCOME
    with pytest.raises(Malformed) as caught:
        parse_policy(INCOME.replace(old, new).encode())
    assert caught.value.code == "BAD_POLICY"


def test_what_is_not_known_is_said() -> None:
    for old, new in (("credit.consumer.eu", "credit"), ("Earnings.", "Wages."), ("averageAtLeast12m", "average")):
        with pytest.raises(Unsupported):
            parse_policy(INCOME.replace(old, new).encode())
    with pytest.raises(Malformed, match="bytes"):
        parse_policy(b"#" * (1 << 17))


@given(raw=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_only_our_errors_leave(raw: bytes) -> None:
    with pytest.raises(VcError):
        parse_policy(raw)


def test_time_on_two_platforms_does_not_add_up() -> None:
    with pytest.raises(Malformed, match="add up"):
        one(claim="PlatformMembership.tenureMonthsAtLeast", atLeast=24, addUp=True)


# ---- from the policy to the request, to the wallet and back, with real credentials ----


def _earned(number: int, reached: tuple[str, ...], holder: Ed25519Key) -> Copy:
    keys = issuer_keys(f"platform-{number}")
    claims: Mapping[str, Any] = {
        **BASIC, "periodStart": "2025-11", "total12m": "21600.00", "averageAtLeast12m": reached
    }  # fmt: skip
    statement = Statement("Earnings", "worker", {name: claims[name] for name in claims if name in CLAIMS["Earnings"]
                                                 or name == "total12m"})  # fmt: skip
    job = Job(statement, statement.digest(), holder.did)
    document = parse_json(sign_copy(job, keys=keys, at=AT, rand=rand_from(str(number))).body.encode())
    return copy(document)


def _asked(policy: PolicyFile) -> Request:
    made = policy_request(
        policy, client_id="lender.example", necessity="", retention_days=30, sd_jwt=False, rand=rand_from("asked")
    )
    return parse_request(to_json(made))


def _answered(policy: PolicyFile, *copies: Copy, keys: tuple[Ed25519Key, ...] = ()) -> Report:
    request = _asked(policy)
    by_did = {key.did: key for key in (holder_key(), *keys)}
    made = plan(request, copies, contexts=CONTEXTS, at=AT)
    token: dict[str, list[Any]] = {}
    for proposal in made.proposals:
        shown_ = present(
            proposal,
            request=request,
            key=by_did[proposal.copy.holder or ""],
            contexts=CONTEXTS,
            at=AT,
            rand=rand_from("present"),
        )
        token.setdefault(proposal.query.id, []).append(shown_)
    raw = json.dumps({"vp_token": token}).encode()
    known = trust(
        *(
            entry(issuer_keys(f"platform-{number}"), name=f"Platform {number}", legalIdentifier=f"000 000 00{number}")
            for number in (1, 2)
        )
    )
    proven = check(raw, request, trust=known, policy=accepted(accept_possession=False), at=AT)
    return build(request, proven, trust=known, at=AT, answer=raw, policy=policy)


ALL_TO_1000 = tuple(f"{step:06d}" for step in (100, 200, 300, 500, 800, 1000))


def test_two_platforms_together_meet_a_policy_and_show_a_step_each() -> None:
    copies = [_earned(number, ALL_TO_1000, holder_key()) for number in (1, 2)]
    made = _answered(parsed(), *copies)
    assert made.decision is not None
    assert (made.decision.outcome, made.decision.judged[0].total) == (Outcome.MET, "2000")
    assert [each.claims["averageAtLeast12m"] for each in made.proven] == [("001000",), ("001000",)]
    assert not any("total12m" in each.claims for each in made.proven)
    assert made.not_shown == ()


def test_the_wallet_shows_together_what_one_key_binds() -> None:
    """Each platform has bound its copies to keys of the worker's; one of them both have."""
    keys = tuple(holder_key(f"key {number}") for number in range(3))
    held = [_earned(1, ALL_TO_1000, keys[0]), _earned(1, ALL_TO_1000, keys[1])]
    held += [_earned(2, ALL_TO_1000, keys[2]), _earned(2, ALL_TO_1000, keys[1])]
    made = _answered(parsed(), *(replace(one, id=bytes([n]) * 16) for n, one in enumerate(held)), keys=keys)
    assert made.decision is not None
    assert {one.holder for one in made.proven} == {keys[1].did}
    assert (made.decision.outcome, made.decision.judged[0].total) == (Outcome.MET, "2000")


def test_one_platform_alone_leaves_it_open_and_says_what_would_settle_it() -> None:
    made = _answered(parsed(), _earned(1, ALL_TO_1000, holder_key()))
    assert made.decision is not None
    assert made.decision.outcome is Outcome.CANNOT_TELL
    for lang, words in (("en", "at least 500 a month"), ("fr", "au moins 500 par mois")):
        told = " ".join(to_text(made, lang).split())
        assert words in told
    assert "from another platform" in " ".join(to_text(made, "en").split())
    assert "The policy “Income for a rent”" in to_html(made, "en")


def test_the_report_carries_the_decision_and_no_key_of_the_worker() -> None:
    document: Any = _answered(parsed(), _earned(1, ALL_TO_1000, holder_key())).to_json()
    (requirement,) = document["decision"]["requirements"]
    assert requirement["outcome"] == document["decision"]["outcome"] == "cannotTell"
    assert requirement["furtherDisclosure"][0] == {
        "type": "Earnings", "claim": "averageAtLeast12m", "values": ["000500"], "issuer": None, "otherIssuer": True,
        "notBefore": "2026-10",
    }  # fmt: skip
    assert holder_key().did not in json.dumps(document)


def test_a_policy_is_read_back_in_words() -> None:
    (line,) = policy_lines(parsed(), "fr")
    assert line.replace("\N{NARROW NO-BREAK SPACE}", " ").startswith("Au moins 1 500 par mois en moyenne sur 12 mois (")
    assert "45 jours" in line
    assert "s’additionne" in line


def test_decisions_have_no_room_for_a_score() -> None:
    """Every number in a decision is the policy's, or one that was shown, or their sum."""
    names = set(Decision.__dataclass_fields__) | set(Judged.__dataclass_fields__)
    assert names == {"policy", "judged", "requirement", "outcome", "counted", "total", "aside", "further"}


def test_the_commands(tmp_path: Path) -> None:
    file = tmp_path / "rent.toml"
    file.write_text(INCOME, encoding="utf-8")
    assert ouvrage(tmp_path, "verifier", "policy", file, "--json").json["purpose"] == "credit.consumer.eu"
    request: list[str | Path] = [
        "verifier",
        "request",
        "--policy",
        file,
        "--as",
        "lender.example",
        "--out",
        tmp_path / "request.json",
    ]
    (query,) = ouvrage(tmp_path, *request, "--json").json["request"]["dcql_query"]["credentials"]
    assert query["multiple"] is True
    assert query["claim_sets"][0] == ["averageAtLeast12m-1500"]
    both = ouvrage(tmp_path, *request, "--purpose", "employment.fr", ok=False)
    assert both.code == 2
    assert "--policy" in both.err
