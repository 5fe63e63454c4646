"""``ouvrage demo``: the whole story in a minute, told by the real commands.

Three platforms turn their exports into signed statements; two workers keep theirs in encrypted wallets; a lender and
another platform check what they are shown in a process that can reach no network; then everything that must be
refused is tried and is refused.
"""

import csv
import json
import os
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from ouvrage.stage import Stage, fresh, indented, isolation, went_wrong
from vc.canon import Json
from vc.errors import Malformed
from vc.io.command import new_app, run, say
from vc.keys import Ed25519Key
from vc.model import CREDENTIALS_V2
from vc.proof import AUTHENTICATION
from vc.secure import sign
from work import CONTEXTS

EXAMPLES: Final = Path(__file__).resolve().parents[1] / "examples"
CHECK: Final = "verifier check lender.answer.json --request lender.request.json --trust trust.json"

app = new_app("The whole story in a minute.")


@dataclass(frozen=True, slots=True)
class Platform:
    """One platform of the story: its export among the examples, and a real export of the same shape."""

    name: str
    profile: str
    legal_identifier: str
    example: str
    real: str
    crowd: str = "--leave-few"  # what the platform says of workers whom too few resemble


FREELANCE: Final = Platform(
    "Example freelance marketplace",
    "upwork",
    "000 000 001",
    "upwork/upwork_timesheet.csv",
    "upwork_timesheet.csv",
    crowd="--allow-few Earnings --allow-few WorkHistory",  # an export about one person: a crowd of one
)
SHARING: Final = Platform(
    "Example home-sharing platform",
    "airbnb",
    "000 000 002",
    "airbnb/airbnb_hosts.csv",
    "airbnb_dc_listings_reputation.csv",
)
MICROWORK: Final = Platform(
    "Example microwork platform",
    "figure-eight",
    "000 000 003",
    "figure-eight/figure_eight_judgments.csv",
    "figure_eight_relex_binary_choice.csv",
)
PLATFORMS: Final = (FREELANCE, SHARING, MICROWORK)

Exports = dict[str, Path]


@app.command()
def demo(
    data: Annotated[Path | None, typer.Option(metavar="DIR", help="Real exports instead of the examples.")] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where to leave what the demo makes.")] = Path("demo-output"),
) -> None:
    """Tell the whole story, from a platform's export to a landlord's page."""
    exports = _exports(data)
    stage = Stage(fresh(out), isolation())
    platforms(stage, exports)
    rung = freelance_and_lender(stage, exports)
    host_and_next_platform(stage, exports)
    refusals(stage, rung)
    ending(stage)


def platforms(stage: Stage, exports: Exports) -> None:
    """Each platform attests and publishes its keys; a verifier puts them into its trust file."""
    _title("1. Three platforms turn the records that they already have into statements")
    for one in PLATFORMS:
        _passphrase(stage, one.profile, "only this platform knows it")
        export = shlex.quote(str(exports[one.profile]))
        stage.ouvrage(f"issuer attest --profile {one.profile} {export}", home=one.profile)
    _title("2. They say who they are, and sign: each claim can be shown alone, and no two showings can be linked")
    for one in PLATFORMS:
        names = f"--name '{one.name}' --legal-identifier '{one.legal_identifier}'"
        stage.ouvrage(f"issuer keys {names}", home=one.profile)
    for one in (SHARING, MICROWORK):
        stage.ouvrage(f"issuer issue {one.crowd}", home=one.profile)
    _title("3. A verifier decides whom to trust; from here on it never asks a platform again")
    for one in PLATFORMS:
        entry = f"{one.profile}.entry.json"
        stage.ouvrage("issuer keys --json", home=one.profile, to=entry)
        stage.ouvrage(f"verifier trust add {entry} --trust trust.json")


def wallet(stage: Stage, home: str, platform: Platform, worker: str) -> None:
    """A worker makes a wallet and single-use keys; the platform binds a copy of each statement to each key."""
    _passphrase(stage, home, "only this worker knows it")
    stage.ouvrage("wallet init", home=home)
    stage.ouvrage(f"wallet keys --count 3 --out {home}.keys.json", home=home)
    stage.ouvrage(
        f"issuer issue --worker {shlex.quote(worker)} --keys {home}.keys.json --out {home}.credentials.json "
        f"{platform.crowd}",
        home=platform.profile,
    )
    stage.ouvrage(f"wallet add {home}.credentials.json", home=home)
    stage.ouvrage("wallet list", home=home)


def _passphrase(stage: Stage, home: str, text: str) -> None:
    """What seals the keys that are kept in a home."""
    folder = stage.folder / home
    folder.mkdir()
    (folder / "passphrase.txt").write_text(f"{text}\n", encoding="utf-8")


def freelance_and_lender(stage: Stage, exports: Exports) -> int:
    """A lender learns a threshold of income, and no month; the report is left as a page to print."""
    _title("4. A freelance keeps credentials in an encrypted wallet")
    wallet(stage, "freelance", FREELANCE, exports[FREELANCE.profile].stem)
    _title("5. A lender asks for an income threshold, and gets that and no month")
    rung = _highest_rung(stage)
    stage.ouvrage(
        f"verifier request --as lender.example --purpose credit.consumer.eu --claim '{_income(rung)}' "
        "--necessity 'to see that a loan can be paid back' --out lender.request.json"
    )
    stage.ouvrage("wallet present --request lender.request.json --out lender.answer.json --yes", home="freelance")
    if stage.isolation:
        say("The check runs in a network namespace that has no interface, and stops if a socket is opened:")
    else:
        say("This system allows no network namespace here; the check still stops if a socket is opened:")
    stage.ouvrage(f"{CHECK} --html lender.report.html", isolated=True)
    return rung


def host_and_next_platform(stage: Stage, exports: Exports) -> None:
    """A host shows another platform a rating that cannot travel bare."""
    _title("6. A host shows the next platform a rating: never bare, always with its count, scale and context")
    wallet(stage, "host", SHARING, _busiest_host(exports[SHARING.profile]))
    stage.ouvrage(
        "verifier request --as next-platform.example --purpose platform.onboarding.eu --claim Rating "
        "--out platform.request.json"
    )
    stage.ouvrage("wallet present --request platform.request.json --out platform.answer.json --yes", home="host")
    stage.ouvrage(
        "verifier check platform.answer.json --request platform.request.json --trust trust.json "
        "--html platform.report.html",
        isolated=True,
    )


def refusals(stage: Stage, rung: int) -> None:
    """Everything that must not work, tried."""
    _title("7. What must be refused is refused, each with its own reason")
    answer, asked = stage.read("lender.answer.json"), stage.read("lender.request.json")

    say("A claim that was changed after signing, to look richer:")
    stage.write("tampered.json", _richer(answer, rung))
    _refused(stage, CHECK.replace("lender.answer", "tampered"), "PROOF_INVALID")

    say("The same answer, passed on to another verifier who asked the same:")
    claim = f"--purpose credit.consumer.eu --claim '{_income(rung)}'"
    stage.run(f"verifier request --as landlord.example {claim} --out other.request.json")
    _refused(stage, CHECK.replace("lender.request", "other.request"), "CHALLENGE_MISMATCH")

    say("An issuer that the verifier does not list:")
    stage.run("verifier trust init --trust nobody.trust.json")
    _refused(stage, CHECK.replace("trust.json", "nobody.trust.json"), "ISSUER_NOT_TRUSTED")

    say("The same answer in three months, when the credential has expired:")
    later = f"{datetime.now(UTC) + timedelta(days=90):%Y-%m-%d}"
    stage.run(f"verifier trust add {FREELANCE.profile}.entry.json --trust later.trust.json --at {later}")
    _refused(stage, f"{CHECK.replace('trust.json', 'later.trust.json')} --at {later}", "EXPIRED")

    say("Somebody else's credential, signed for with a thief's own key:")
    (shown,) = answer["vp_token"]["Earnings"][0]["verifiableCredential"]
    stage.write("stolen.json", _stolen(shown, asked))
    _refused(stage, CHECK.replace("lender.answer", "stolen"), "HOLDER_NOT_SUBJECT")

    say("The worker's own copy, with every claim in it, instead of a derived proof:")
    copies = stage.read("freelance.credentials.json")["credentials"]
    stage.write("base.json", _stolen(next(one for one in copies if "EarningsCredential" in one["type"]), asked))
    _refused(stage, CHECK.replace("lender.answer", "base"), "BASE_PROOF")


def ending(stage: Stage) -> None:
    """Name what is left to look at."""
    _title("What is left to look at")
    for name, words in (
        ("lender.report.html", "the lender's page: open it in a browser, or print it"),
        ("platform.report.html", "the next platform's page"),
        ("lender.request.json", "what the lender asked"),
        ("lender.answer.json", "what the freelance's wallet answered"),
        ("trust.json", "whom the verifier trusts"),
    ):
        say(f"  {stage.folder / name}\n      {words}")


def _refused(stage: Stage, line: str, code: str) -> None:
    say(f"$ ouvrage {line}")
    reasons = stage.ask(line, expect=1)["reasons"]
    if code not in [reason["code"] for reason in reasons]:
        went_wrong(f"{line} was refused, but not for {code}")
    say(indented("\n".join(f"refused (exit code 1): {one['message']} [{one['code']}]" for one in reasons)))


def _richer(answer: Any, rung: int) -> Any:
    """The answer with a higher rung written over the one that was shown."""
    higher = 3000 if rung != 3000 else 4000
    return json.loads(json.dumps(answer).replace(f'"{rung:06d}"', f'"{higher:06d}"'))


def _stolen(credential: Json, asked: dict[str, Any]) -> dict[str, Any]:
    """An answer with a credential that somebody else's key is bound to, signed with a key of the thief's own."""
    thief = Ed25519Key.from_seed(os.urandom(32))
    presentation: dict[str, Json] = {
        "@context": [CREDENTIALS_V2],
        "type": ["VerifiablePresentation"],
        "verifiableCredential": [credential],
        "holder": thief.did,
    }
    signed = sign(
        presentation,
        key=thief,
        created=None,
        contexts=CONTEXTS,
        purpose=AUTHENTICATION,
        challenge=asked["nonce"],
        domain=asked["client_id"],
    )
    return {"vp_token": {"Earnings": [signed]}}


def _income(rung: int) -> str:
    return f"Earnings.averageAtLeast12m>={rung}"


def _highest_rung(stage: Stage) -> int:
    """The highest threshold of twelve-month income that the freelance's wallet can show."""
    held = stage.ask("wallet list", home="freelance")["credentials"]
    earnings = next(one["statement"] for one in held if one["type"] == "Earnings")
    rungs = stage.ask(f"wallet show {earnings}", home="freelance")["claims"].get("averageAtLeast12m")
    if not rungs:
        went_wrong("the freelance's export reaches no threshold over twelve months")
    return max(map(int, rungs))


def _busiest_host(export: Path) -> str:
    """The host whose listings have the most reviews."""
    with export.open(encoding="utf-8", newline="") as rows:
        reviews: Counter[str] = Counter()
        for row in csv.DictReader(rows):
            reviews[row["host"]] += int(row["number_of_reviews"] or 0)
    return reviews.most_common(1)[0][0]


def _exports(data: Path | None) -> Exports:
    folder = EXAMPLES if data is None else data.resolve()
    exports = {one.profile: folder / (one.example if data is None else one.real) for one in PLATFORMS}
    for path in exports.values():
        if not path.is_file():
            raise Malformed(str(path), "not found; the demo needs it", code="FILE_MISSING")
    return exports


def _title(text: str) -> None:
    say(f"\n== {text} ==")


def main(arguments: Sequence[str]) -> None:
    """Run the demo."""
    run(app, list(arguments), name="ouvrage demo")
