"""Nothing is signed in which a free text names a person or leads to one, whatever statement it is in."""

from pathlib import Path
from typing import Any

import pytest

from issuer.store import Store
from tests.cli import ouvrage
from tests.work_samples import CLAIMS, statement
from vc.errors import Malformed
from work.screened import check_texts
from work.types import TYPES

FOUND = [
    ("PlatformMembership", {"activityKinds": ("Ménage", "06 12 34 56 78")}, "activityKinds", "a phone number"),
    ("PlatformMembership", {"tierLevel": "somebody@mail.example"}, "tierLevel", "an e-mail address"),
    ("WorkHistory", {"areas": ("12 rue des Lilas, 69003 Lyon",)}, "areas", "a street address or a door code"),
    ("WorkHistory", {"serviceTypes": ("call +33 6 12 34 56 78 4",)}, "serviceTypes", "a phone number"),
    ("CompletedWork", {"serviceType": "write to me@mail.example"}, "serviceType", "an e-mail address"),
    ("TrainingRights", {"trainings": ("Cours par @quelquun",)}, "trainings", "a user name"),
    ("Qualification", {"criteria": "Ask Mrs Dunmore for the test."}, "criteria", "a person's name"),
]


@pytest.mark.parametrize(("kind", "changes", "claim", "what"), FOUND)
def test_what_leads_to_a_person_is_refused_without_repeating_it(
    kind: str, changes: dict[str, Any], claim: str, what: str
) -> None:
    with pytest.raises(Malformed) as caught:
        check_texts(statement(kind, **changes))
    assert caught.value.code == "PERSONAL_TEXT"
    assert claim in caught.value.where
    assert what in caught.value.why
    (text,) = [one for value in changes.values() for one in ([value] if isinstance(value, str) else value)][-1:]
    assert text not in str(caught.value)


@pytest.mark.parametrize("kind", sorted(name for name in CLAIMS if TYPES[name].signer == "issuer"))
def test_the_words_of_platforms_pass(kind: str) -> None:
    check_texts(statement(kind))


@pytest.mark.parametrize("word", ["La Poste", "Saint-Denis", "UberX", "75011 Paris 11e", "Monter un meuble", "Lyon 3e"])
def test_short_words_that_look_like_names_pass(word: str) -> None:
    check_texts(statement("PlatformMembership", activityKinds=(word,)))


def test_the_command_signs_nothing_of_it(tmp_path: Path) -> None:
    (tmp_path / "issuer").mkdir()
    with Store.open(tmp_path / "issuer" / "issuer.db") as store:
        store.add_statements([statement("PlatformMembership", tierLevel="somebody@mail.example")], source="test")
    done = ouvrage(tmp_path, "issuer", "issue", "--allow-few", "PlatformMembership", ok=False)
    assert (done.code, "PERSONAL_TEXT" in done.out, "somebody" in done.out + done.err) == (1, True, False)
    assert ouvrage(tmp_path, "issuer", "status", "--json").json["byType"]["PlatformMembership"]["credentials"] == 0
