"""Every profile that is shipped, on every one of its samples: alone, together, and as credentials."""

import json
import re
import subprocess
import sys
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import pytest

from issuer.attest import Attested, attest
from issuer.canonical import COLUMNS
from issuer.constants import MADE_FROM
from issuer.exports import layout, open_export
from issuer.intake import Said
from issuer.profile import Profile, load_profile, profile_names
from tests.cli import ROOT, ouvrage
from vc.errors import Malformed, VcError
from work.draft import draft
from work.statement import Statement
from work.validate import check_document

EXAMPLES = ROOT / "examples"
AT = datetime(2026, 11, 24, tzinfo=UTC)
HOLDER = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
# What the samples plant where nobody may read: names, guests, addresses and texts; IPs; positions; telephone numbers.
CANARIES = re.compile(r"canary|203\.0\.113|47\.1234|06 00 00|super malter 9", re.IGNORECASE)
SCRIPTS = sorted(EXAMPLES.glob("make_*.py"))
SHIPPED = profile_names()
SAMPLES = [(name, path) for name in SHIPPED for path in sorted((EXAMPLES / name).rglob("*")) if path.is_file()]
SALT = bytes(range(32))
SAID = Said(zone="Europe/Paris", day=date(2026, 10, 31))
# Samples from which nothing can be attested alone, and why.
NOT_ALONE = {
    "05 - Driver Performance Badges.csv": "EMPTY",
    "driver_lifetime_ratings_received-0.csv": "NO_DAY",
    "me.json": "NO_DAY",
}
USABLE = [(name, path) for name, path in SAMPLES if path.name not in NOT_ALONE]
IDS = [f"{name}-{path.name}" for name, path in USABLE]


@cache
def made_of(name: str, paths: tuple[Path, ...]) -> Attested:
    try:
        return attest(load_profile(name), paths, said=SAID, salt=SALT)
    except Malformed as error:
        if "name the worker" not in str(error):
            raise
    return attest(load_profile(name), paths, worker="sample", said=SAID, salt=SALT)


def exports(name: str) -> list[tuple[Path, ...]]:
    """The samples of a profile; those in one folder are the files of one export."""
    folders = dict.fromkeys(path.parent for profile, path in USABLE if profile == name)
    return [tuple(path for _, path in SAMPLES if path.parent == folder) for folder in folders]


def texts(statement: Statement) -> str:
    return json.dumps(statement.to_json() | {"worker": ""}, ensure_ascii=False)


def check(made: Attested) -> None:
    """Rows and money add up, some statement is made, and all that are made are fit to be signed."""
    made.reconciliation.check()
    assert made.statements
    for statement in made.statements[:: max(1, len(made.statements) // 40)]:
        holder = None if statement.type == "RatingContext" else HOLDER
        check_document(draft(statement, issuer="did:key:zUC7example", holder=holder, at=AT).document)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_profile_has_a_sample(name: str) -> None:
    assert exports(name), f"examples/{name} holds no sample of profile {name}"


def test_every_sample_is_of_a_profile_and_written_by_a_script(tmp_path: Path) -> None:
    for script in SCRIPTS:
        subprocess.run([sys.executable, str(script), str(tmp_path)], check=True, cwd=EXAMPLES)
    written = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    there = {path.relative_to(EXAMPLES): path.read_bytes() for _, path in SAMPLES}
    assert written.keys() == there.keys()
    assert [str(path) for path in written if written[path] != there[path]] == []


@pytest.mark.parametrize(("name", "path"), [one for one in SAMPLES if one not in USABLE])
def test_a_sample_that_says_nothing_alone(name: str, path: Path) -> None:
    with pytest.raises(VcError) as refused:
        made_of(name, (path,))
    assert refused.value.code == NOT_ALONE[path.name]


@pytest.mark.parametrize(("name", "path"), USABLE, ids=IDS)
def test_a_sample_alone(name: str, path: Path) -> None:
    made = made_of(name, (path,))
    check(made)
    found = made.reconciliation
    assert found.rows_used > found.rows_in / 10
    assert sum(lot.rows for lot in found.rejected) <= found.rows_in / 20, made.rejects[:5]


@pytest.mark.parametrize("name", [name for name in SHIPPED if any(len(paths) > 1 for paths in exports(name))])
def test_all_files_of_an_export_together(name: str) -> None:
    for paths in exports(name):
        made = made_of(name, paths)
        check(made)
        alone = [made_of(name, (path,)).reconciliation.rows_in for path in paths if path.name not in NOT_ALONE]
        others = [rows for file, rows in made.reconciliation.files if file in NOT_ALONE]
        assert made.reconciliation.rows_in == sum(alone) + sum(others)


@pytest.mark.parametrize("name", SHIPPED)
def test_nothing_that_must_not_exist_is_stated(name: str) -> None:
    for paths in (*((path,) for profile, path in USABLE if profile == name), *exports(name)):
        made = made_of(name, paths)
        assert [one.type for one in made.statements if CANARIES.search(texts(one))] == []
        assert CANARIES.search(made.reconciliation.text()) is None


def planted(path: Path) -> int:
    return len(CANARIES.findall(path.read_text(encoding="utf-8-sig")))


def test_the_canaries_are_there_to_be_found() -> None:
    assert sum(planted(path) > 0 for _, path in SAMPLES) > 15


@pytest.mark.parametrize("name", SHIPPED)
def test_the_same_samples_give_the_same_statements(name: str) -> None:
    paths = (min((path for profile, path in USABLE if profile == name), key=lambda path: path.stat().st_size),)
    again = attest(load_profile(name), paths, said=SAID, salt=SALT)
    assert [one.digest() for one in again.statements] == [one.digest() for one in made_of(name, paths).statements]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_profile_says_what_it_knows_and_what_it_takes_for_granted(name: str) -> None:
    profile = load_profile(name)
    for text in (profile.documented, profile.assumed, profile.provenance):
        assert len(text) > 20
        assert text.endswith(".")
    if name.startswith("generic-"):
        assert profile.documented.startswith("Nothing")


FORBIDDEN = re.compile(
    r"^(name|nom|prenom|voyageur|guest)$|\b(ip|_ip|first_?name|last_?name|surname|e-?mail|phone|telephone|adresse|address"
    r"|latitude|longitude|lat|lng|gps|birth|naissance|iban|siret|tin|acceptance_rate|deactivat\w*|penalt\w*|union)\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_profile_reads_no_column_that_must_not_be_read(name: str) -> None:
    profile = load_profile(name)
    read = {column for kind in profile.files for column in (*kind.names, *kind.aliases)}
    assert sorted(filter(FORBIDDEN.search, read)) == []


def fed(profile: Profile) -> set[str]:
    return {relation for kind in profile.files for relation in kind.feeds}


@pytest.mark.parametrize("name", SHIPPED)
def test_every_relation_that_is_fed_is_stated(name: str) -> None:
    profile = load_profile(name)
    assert {MADE_FROM[kind] for kind in profile.statements} == fed(profile)
    assert {column for kind in profile.files for column in kind.columns} <= COLUMNS.keys()


def test_the_command_lists_all_of_them(tmp_path: Path) -> None:
    listed = ouvrage(tmp_path, "issuer", "profiles", "--json").json["profiles"]
    assert {one["name"] for one in listed} == set(SHIPPED)
    assert all(one["documented"] and one["assumed"] for one in listed)
    text = ouvrage(tmp_path, "issuer", "profiles").out
    assert all(f"{name} (" in text for name in SHIPPED)


@pytest.mark.parametrize(("name", "path"), USABLE, ids=IDS)
def test_documented_profiles_do_not_read_each_others_exports(name: str, path: Path) -> None:
    """What no platform documents is read by anybody's guess; what one documents, by its own profiles only."""
    documented = {other for other in SHIPPED if not load_profile(other).documented.startswith("Nothing")}
    taken = {other for other in documented if fits(load_profile(other), path)}
    assert fits(load_profile(name), path)
    assert taken <= RELATED.get(name, {name})


# Drivers and couriers of Uber get the same payments file.
RELATED = {"uber": {"uber", "uber-eats"}, "uber-eats": {"uber", "uber-eats"}}


def fits(profile: Profile, path: Path) -> bool:
    with open_export(path) as stream:
        try:
            return layout(stream, path, profile) is not None
        except Malformed:
            return False
