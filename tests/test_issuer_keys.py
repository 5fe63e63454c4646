"""The issuer's key ring: which key signs when, what verifiers are told, and what the sealed file lets through."""

import json
import pickle
import threading
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from issuer.database import Database
from issuer.events import Event, Kind
from issuer.events import read as read_events
from issuer.keyfile import Lock, ask_passphrase
from issuer.keyring import FILE, KeyRing, watch
from issuer.keys import IssuerKeys, Role, new_key
from issuer.ringkeys import RingKey
from tests.cli import ouvrage
from tests.line import AT, Shown, answer, checked, credential, issuer_keys, rand_from, request, trust
from vc.canon import Json
from vc.errors import Malformed, Rejected, Undetermined, Unsupported
from vc.io import keyfile
from vc.keys import P384, Bls12381Key
from vc.sealing import MIN_COST
from vc.trust import parse_issuer
from work.months import MAX_VALIDITY

DAY = timedelta(days=1)
TYPES = ["EarningsCredential"]


def ring(at: datetime = AT) -> KeyRing:
    named = replace(issuer_keys(), name="Example platform", legal_identifier="000 000 001")
    return KeyRing.of(named, secret=bytes(32), at=at)


def rotated(held: KeyRing, role: Role = Role.CREDENTIALS, *, at: datetime = AT, days: int = 0) -> KeyRing:
    rand = rand_from(f"{role}{at}")
    return held.rotated(role, new_key(role, None, rand), at=at, days=days, rand=rand)


def ids(held: KeyRing, at: datetime) -> dict[str, str]:
    return {role.value: held.signer(role, at).id for role in Role}


# ---- which key signs -------------------------------------------------------------------------------------------------


def test_a_new_ring_has_a_key_for_each_role() -> None:
    assert ids(ring(), AT) == {"credentials": "credentials-1", "public": "public-1", "sd": "sd-1", "jwt": "jwt-1"}
    assert replace(ring().signing(AT), name="", legal_identifier="") == issuer_keys()


def test_a_new_key_takes_over_on_its_day_and_the_old_one_stays_known() -> None:
    held = rotated(ring(), days=7)
    start = datetime(2026, 12, 1, tzinfo=UTC)
    assert ids(held, start - timedelta(seconds=1))["credentials"] == "credentials-1"
    assert ids(held, start)["credentials"] == "credentials-2"
    old = held.find("credentials-1")
    assert old.verifies_until == start + DAY - timedelta(seconds=1) + MAX_VALIDITY
    assert [old.state(at) for at in (AT, start, old.verifies_until, old.verifies_until + DAY)] == [
        "signs",
        "retired",
        "retired",
        "over",
    ]
    assert held.find("credentials-2").state(AT) == "announced"


def test_a_second_key_is_not_announced_before_the_first_has_come() -> None:
    with pytest.raises(Malformed) as refused:
        rotated(rotated(ring(), days=7))
    assert refused.value.code == "ANNOUNCED"


def test_what_is_dated_before_all_keys_is_signed_with_the_first() -> None:
    assert ring().signing(AT - 400 * DAY).credentials == issuer_keys().credentials


def test_a_killed_key_never_signs_again_and_another_does_at_once() -> None:
    held = ring().killed("sd-1", at=AT, rand=rand_from("kill"))
    assert ids(held, AT)["sd"] == "sd-2"
    assert held.find("sd-1").state(AT + DAY) == "killed"
    with pytest.raises(Malformed) as refused:
        held.killed("sd-1", at=AT, rand=rand_from("kill"))
    assert refused.value.code == "KEY_KILLED"
    with pytest.raises(Malformed) as unknown:
        held.killed("sd-9", at=AT, rand=rand_from("kill"))
    assert unknown.value.code == "UNKNOWN_KEY"


def test_an_announced_key_steps_in_for_one_that_is_killed() -> None:
    held = rotated(ring(), days=30).killed("credentials-1", at=AT, rand=rand_from("kill"))
    assert ids(held, AT)["credentials"] == "credentials-2"
    assert len([key for key in held.keys if key.role is Role.CREDENTIALS]) == 2


def test_where_the_announced_key_is_killed_the_old_one_goes_on() -> None:
    held = rotated(ring(), days=30).killed("credentials-2", at=AT, rand=rand_from("kill"))
    assert ids(held, AT + 100 * DAY)["credentials"] == "credentials-1"
    assert held.find("credentials-1").verifies_until is None


def test_the_only_key_of_a_past_day_that_was_killed_signs_nothing() -> None:
    held = rotated(ring(), days=3).killed("credentials-1", at=AT + 10 * DAY, rand=rand_from("kill"))
    with pytest.raises(Undetermined) as refused:
        held.signing(AT)
    assert refused.value.code == "NO_SIGNING_KEY"
    assert "2026-11-27" in refused.value.hint


@pytest.mark.parametrize(
    ("role", "kind", "name"),
    [
        (Role.JWT, "p-384", "P-384"),
        (Role.JWT, "ed25519", "Ed25519"),
        (Role.JWT, None, "P-256"),
        (Role.SD, "P-256", "P-256"),
        (Role.CREDENTIALS, None, "BLS12-381-G2"),
    ],
)
def test_the_kinds_of_a_role(role: Role, kind: str | None, name: str) -> None:
    assert new_key(role, kind, rand_from("kind")).public.kind.name == name


@pytest.mark.parametrize(("role", "kind"), [(Role.SD, "p-384"), (Role.PUBLIC, "p-256"), (Role.JWT, "rsa")])
def test_another_kind_is_refused(role: Role, kind: str) -> None:
    with pytest.raises(Unsupported) as refused:
        new_key(role, kind, rand_from("kind"))
    assert refused.value.code == "UNSUPPORTED_KEY"


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(list(Role)), st.integers(0, 40), st.booleans()), max_size=12))
def test_in_every_history_each_role_has_one_key_and_no_window_is_broken(steps: list[tuple[Role, int, bool]]) -> None:
    held, at = ring(), AT
    for role, days, kill in steps:
        at += timedelta(days=days, hours=5)
        if kill:
            held = held.killed(held.signer(role, at).id, at=at, rand=rand_from(f"{at}"))
        elif not any(key.role is role and key.state(at) == "announced" for key in held.keys):
            held = rotated(held, role, at=at, days=days % 9)
    for later in (at, at + 5 * DAY, at + 50 * DAY):
        signing = {role: [key for key in held.keys if key.role is role and key.signs(later)] for role in Role}
        assert all(len(keys) == 1 for keys in signing.values())
        told = parse_issuer(held.entry(TYPES, later)).keys
        for key in (each for keys in signing.values() for each in keys):
            (known,) = (each for each in told if each.method == key.key.verification_method)
            assert known.covers(later.replace(hour=0, minute=0, second=0, microsecond=0))


# ---- what verifiers are told -----------------------------------------------------------------------------------------


def test_what_a_rotated_key_signed_verifies_until_it_ends_and_a_verifier_knows_the_new_key_before() -> None:
    shown = Shown(request(), answer(request()))
    held = rotated(ring(), days=7)
    for at in (AT, AT + 20 * DAY, datetime(2026, 12, 31, tzinfo=UTC)):
        told = held.entry(["EarningsCredential"], at)
        assert checked(shown, trusted=trust(told, as_of=f"{at:%Y-%m-%d}T00:00:00Z"), at=at).holder
    fresh = credential(keys=held.signing(AT + 8 * DAY), at=AT + 8 * DAY)
    later = Shown(request(), answer(request(), fresh))
    assert checked(later, trusted=trust(held.entry(["EarningsCredential"], AT)), at=AT + 8 * DAY).holder


def test_what_is_signed_after_its_window_is_refused() -> None:
    held = rotated(ring(), days=1)
    stolen = credential(keys=issuer_keys(), at=AT + 3 * DAY)
    told = trust(held.entry(["EarningsCredential"], AT + 3 * DAY), as_of="2026-11-27T00:00:00Z")
    with pytest.raises(Rejected) as refused:
        checked(Shown(request(), answer(request(), stolen)), trusted=told, at=AT + 3 * DAY)
    assert refused.value.code == "KEY_OUT_OF_WINDOW"


def test_a_killed_key_leaves_with_all_that_it_signed() -> None:
    held = ring().killed("credentials-1", at=AT, rand=rand_from("kill"))
    with pytest.raises(Rejected) as refused:
        checked(Shown(request(), answer(request())), trusted=trust(held.entry(["EarningsCredential"], AT)))
    assert refused.value.code == "ISSUER_NOT_TRUSTED"


def test_a_key_leaves_the_entry_when_nothing_that_it_signed_can_be_valid() -> None:
    held = rotated(ring())
    end = held.find("credentials-1").verifies_until
    assert end is not None
    names = [len(parse_issuer(held.entry(TYPES, at)).keys) for at in (end, end + timedelta(seconds=1))]
    assert names == [5, 4]


# ---- at rest ---------------------------------------------------------------------------------------------------------


def ask(_new: bool) -> bytes:
    return b"some good words"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyfile, "COST", MIN_COST)
    new = Lock.new.__func__  # type: ignore[attr-defined]
    monkeypatch.setattr(Lock, "new", classmethod(lambda cls, text, *, rand: new(cls, text, rand=rand, cost=MIN_COST)))


def opened(folder: Path, passphrase: keyfile.Ask = ask) -> KeyRing:
    return KeyRing.open(folder, rand=rand_from("file"), at=AT, passphrase=passphrase)


def test_what_is_kept_is_what_is_read(tmp_path: Path) -> None:
    made = opened(tmp_path)
    changed = rotated(replace(made, name="Platform"), Role.JWT).killed("sd-1", at=AT, rand=rand_from("kill"))
    changed = changed.identified("webvh", "issuer.example", at=AT, rand=rand_from("did"))
    changed.save(tmp_path, rand=rand_from("save"), passphrase=ask)
    assert opened(tmp_path) == changed
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_no_secret_is_in_the_file_and_none_in_a_message(tmp_path: Path) -> None:
    made = opened(tmp_path)
    raw = (tmp_path / FILE).read_text()
    for key in made.keys:
        stored: Any = key.to_json()["key"]
        assert stored["secret"] not in raw
        assert stored["secret"] not in repr(made)
    assert made.secret.hex() not in raw + repr(made)
    assert "verificationMethod" not in raw


def test_another_passphrase_and_a_damaged_file_are_told_apart(tmp_path: Path) -> None:
    opened(tmp_path)
    with pytest.raises(Rejected) as wrong:
        opened(tmp_path, lambda _: b"other good words")
    assert wrong.value.code == "WRONG_PASSPHRASE"
    whole = json.loads((tmp_path / FILE).read_bytes())
    for spoil in SPOILT:
        document = json.loads(json.dumps(whole))
        spoil(document)
        (tmp_path / FILE).write_text(json.dumps(document))
        with pytest.raises(Malformed) as damaged:
            opened(tmp_path)
        assert damaged.value.code == "BAD_KEYS"


SPOILT: list[Any] = [
    lambda document: document.update(sealed=document["sealed"][:-8] + "AAAAAAA="),
    lambda document: document.update(sealed="?"),
    lambda document: document.update(checksum="00" * 32),
    lambda document: document["kdf"].update(ops=2),
    lambda document: document["kdf"].update(ops=10**6),
    lambda document: document["kdf"].update(memory=1 << 40),
    lambda document: document["kdf"].update(salt="00"),
    lambda document: document["kdf"].update(name="scrypt"),
    lambda document: document.update(version=3),
    lambda document: document.clear(),
]


@settings(deadline=None)
@given(position=st.integers(0, 10**6), byte=st.integers(0, 255))
def test_a_changed_byte_never_gives_other_keys(
    position: int, byte: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("keys")
    made = opened(folder)
    raw = bytearray((folder / FILE).read_bytes())
    raw[position % len(raw)] = byte
    (folder / FILE).write_bytes(bytes(raw))
    with suppress(Malformed, Rejected):
        assert opened(folder) == made


def test_a_file_from_before_is_read_without_a_passphrase_and_sealed_when_it_is_kept(tmp_path: Path) -> None:
    own = issuer_keys()
    held: dict[str, Any] = {"bls12381": own.credentials, "ed25519": own.public, "sd": own.sd, "jwt": own.jwt}
    secrets: dict[str, Json] = {
        name: (key.seed if hasattr(key, "seed") else key.secret).hex() for name, key in held.items()
    }
    document = {"version": 1, **secrets, "since": "2026-11-24T00:00:00Z", "name": "P", "legalIdentifier": "1"}
    (tmp_path / FILE).write_text(json.dumps(document))

    def never(_new: bool) -> bytes:
        raise AssertionError

    read = opened(tmp_path, never)
    assert replace(read.signing(AT), name="", legal_identifier="") == own
    asked: list[bool] = []

    def new(is_new: bool) -> bytes:
        asked.append(is_new)
        return b"some good words"

    read.save(tmp_path, rand=rand_from("seal"), passphrase=new)
    assert asked == [True]
    assert "sealed" in json.loads((tmp_path / FILE).read_bytes())
    assert opened(tmp_path) == read


def test_a_weak_passphrase_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(Rejected) as weak:
        opened(tmp_path, lambda _: b"short")
    assert weak.value.code == "WEAK_PASSPHRASE"
    assert not (tmp_path / FILE).exists()


def test_without_a_file_and_a_terminal_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OUVRAGE_PASSPHRASE_FILE", raising=False)
    with pytest.raises(Malformed) as refused:
        ask_passphrase(True)
    assert refused.value.code == "NO_PASSPHRASE"
    assert "OUVRAGE_PASSPHRASE_FILE" in str(refused.value)


def test_two_that_begin_at_once_make_one_set_of_keys(tmp_path: Path) -> None:
    made: list[KeyRing] = []
    threads = [
        threading.Thread(
            target=lambda name=name: made.append(KeyRing.open(tmp_path, rand=rand_from(name), at=AT, passphrase=ask))
        )
        for name in "abcd"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert all(each == made[0] for each in made)


def test_a_running_service_notices_that_the_file_changed(tmp_path: Path) -> None:
    asked: list[bool] = []

    def counted(new: bool) -> bytes:
        asked.append(new)
        return b"some good words"

    made = opened(tmp_path)
    current = watch(tmp_path, passphrase=counted)
    assert current() == made
    assert current() is current()
    rotated(made, Role.JWT).save(tmp_path, rand=rand_from("other"), passphrase=ask)
    assert current().signer(Role.JWT, AT).id == "jwt-2"
    assert asked == [False]  # the passphrase is stretched once, for as long as the salt is the same
    assert watch(tmp_path, passphrase=counted, lock=made.lock)().signer(Role.JWT, AT).id == "jwt-2"
    assert asked == [False]
    (tmp_path / FILE).unlink()
    with pytest.raises(Undetermined) as gone:
        current()
    assert gone.value.code == "KEYS_GONE"


def test_keys_cross_process_pools() -> None:
    own = rotated(ring(), Role.JWT).signing(AT)
    again = pickle.loads(pickle.dumps(own))
    assert isinstance(again, IssuerKeys)
    assert again == own
    assert again.jwt.sign(b"data") == own.jwt.sign(b"data")


def test_a_ring_key_is_read_as_it_was_written() -> None:
    key = rotated(ring(), Role.JWT, days=3).find("jwt-1")
    assert RingKey.parse(key.to_json(), "file") == key
    assert isinstance(ring().find("credentials-1").key, Bls12381Key)
    spoilt: list[Json] = [None, {}, {**key.to_json(), "key": {"kept": "elsewhere"}}, {**key.to_json(), "role": 1}]
    for value in spoilt:
        with pytest.raises(Malformed):
            RingKey.parse(value, "file")


# ---- the commands ----------------------------------------------------------------------------------------------------


def events(home: Path) -> list[Event]:
    with Database.open(home / "issuer" / "issuer.db") as database, database.read() as connection:
        return read_events(connection, since=0)


def test_the_commands(tmp_path: Path) -> None:
    who = ("issuer", "keys", "--name", "Example platform", "--legal-identifier", "000 000 001", "--json")
    first = ouvrage(tmp_path, *who).json
    assert set(first) == {"issuer", "public"}
    assert len(parse_issuer(first["issuer"]).keys) == 4
    made = ouvrage(tmp_path, "issuer", "keys", "rotate", "jwt", "--kind", "p-384", "--json").json
    assert (made["key"]["kind"], made["key"]["state"]) == (P384.name, "announced")
    assert ouvrage(tmp_path, "issuer", "keys", "kill", "sd-1", "--json").json["key"]["id"] == "sd-2"
    listed = ouvrage(tmp_path, "issuer", "keys", "list", "--json").json["keys"]
    assert [(key["id"], key["state"]) for key in listed] == [
        ("credentials-1", "signs"),
        ("public-1", "signs"),
        ("sd-1", "killed"),
        ("jwt-1", "signs"),
        ("jwt-2", "announced"),
        ("sd-2", "signs"),
    ]
    assert "sd-2" in ouvrage(tmp_path, "issuer", "keys", "list").out
    refused = ouvrage(tmp_path, "issuer", "keys", "rotate", "sd", "--kind", "rsa", ok=False)
    assert (refused.code, "UNSUPPORTED_KEY" in refused.err) == (2, True)
    told = [(each.kind, each.worker, dict(each.body)) for each in events(tmp_path)]
    assert [(kind, worker, body["key"], body.get("killed")) for kind, worker, body in told] == [
        (Kind.KEY_ROTATED, "", "jwt-2", None),
        (Kind.KEY_ROTATED, "", "sd-2", "sd-1"),
    ]
    (tmp_path / "new.txt").write_text("quite other words\n")
    ouvrage(tmp_path, "issuer", "keys", "passphrase", "--new-file", "new.txt")
    wrong = ouvrage(tmp_path, "issuer", "keys", "list", ok=False)
    assert (wrong.code, "WRONG_PASSPHRASE" in wrong.err) == (1, True)
    (tmp_path / "passphrase.txt").write_text("quite other words\n")
    assert len(ouvrage(tmp_path, "issuer", "keys", "list", "--json").json["keys"]) == 6
