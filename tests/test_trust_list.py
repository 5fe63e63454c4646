"""Trust lists under attack: what is expired, rolled back, frozen, mixed, half-written or signed by too few is not taken
over, and the last good list stays in force."""

import json
import os
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from securesystemslib.signer import Signature  # type: ignore[attr-defined]
from tuf.api.metadata import Metadata
from tuf.ngclient import FetcherInterface, Updater  # type: ignore[attr-defined]

from tests.trust_lists import AT, LISTED, Union, entry, resigned, take, token
from vc.canon import to_json
from vc.errors import Malformed, Rejected, Undetermined, VcError
from vc.keys import Ed25519Key
from vc.verify import Policy, check_trust_age
from verifier.trust_publisher import write_zip
from verifier.trust_store import Files, freshness, load, read_current
from verifier.trust_sync import sync

DAY = timedelta(days=1)
POLICY = Policy(frozenset())


def method(number: int) -> str:
    return Ed25519Key.from_seed(number.to_bytes(32, "big")).verification_method


def names(folder: Path) -> list[str]:
    return sorted(issuer.name for issuer in load(folder).issuers)


def code_of(work: Any) -> str:
    with pytest.raises(VcError) as caught:
        work()
    return caught.value.code


@pytest.fixture
def union(tmp_path: Path) -> Union:
    made = Union(tmp_path / "union")
    for number in (1, 2):
        made.publisher.add(entry(number), mirror=(), at=AT)
    return made


# --- what is right ----------------------------------------------------------------------------------------------------


def test_a_list_is_taken_over_and_read_when_it_is_asked_for(union: Union, tmp_path: Path) -> None:
    fingerprint = union.publish(token())
    done = take(tmp_path / "home", union.out, fingerprint)
    assert (done.name, done.issuers, done.lists, done.changed) == ("Union", 2, 1, True)
    trust = load(tmp_path / "home")
    found = trust.find(method(1))
    assert found is not None
    assert (found[0].name, trust.find(method(3)), len(trust.by_method)) == ("Platform 1", None, 2)
    assert trust.status_tokens[LISTED].as_of == AT
    assert (trust.as_of, trust.expires) == (AT, AT + 30 * DAY)
    assert freshness(trust, AT, max_age=POLICY.max_trust_age).state == "fresh"


def test_the_reference_client_reads_what_is_published(union: Union, tmp_path: Path) -> None:
    union.publish(token())

    class Local(FetcherInterface):
        def _fetch(self, url: str) -> Any:
            path = union.out / url.removeprefix("local:///")
            if not path.exists():
                from tuf.api.exceptions import DownloadHTTPError  # noqa: PLC0415

                raise DownloadHTTPError("none", 404)
            return iter([path.read_bytes()])

    (tmp_path / "client").mkdir()
    root = (union.out / "1.root.json").read_bytes()
    client = Updater(
        str(tmp_path / "client"), "local:///", str(tmp_path), "local:///targets/", fetcher=Local(), bootstrap=root
    )
    client._trusted_set.reference_time = AT
    client.refresh()
    path = next(path for path in client._trusted_set.targets.targets if path.startswith("issuers/"))
    info = client.get_targetinfo(path)
    assert info is not None
    assert b"Platform" in Path(client.download_target(info)).read_bytes()


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_only_what_changed_is_transferred(union: Union, tmp_path: Path, form: str) -> None:
    def mirror() -> str:
        write_zip(union.out, tmp_path / "list.zip")
        return str(union.out if form == "folder" else tmp_path / "list.zip")

    def again(at: datetime, fingerprint: str | None = None) -> tuple[int, int]:
        import asyncio  # noqa: PLC0415

        from verifier.trust_sources import opened  # noqa: PLC0415

        with opened(mirror()) as source:
            done = asyncio.run(sync(tmp_path / "home", source, fingerprint=fingerprint, at=at))
        return done.requests, done.received

    lists = [token(f"https://platform.example/status/{n}/token", body=f"e30.{n * 'e'}.c2ln") for n in range(1, 21)]
    first, _ = again(AT, union.publish(*lists))
    assert first == 2 + 4 + 20 + 2 + 1  # roots; timestamp, snapshot, targets, lists; 20 lists; issuers; words
    assert again(AT)[0] == 2  # is there a newer root, a newer timestamp: no
    lists[7] = token(lists[7].url, at=AT + DAY, body="e30.new.c2ln")
    union.publish(*lists, at=AT + DAY)
    requests, received = again(AT + DAY)
    assert requests == 2 + 2 + 1  # beside the timestamp: snapshot, lists, and the one list
    assert received < sum(len(each.read_bytes()) for each in union.out.glob("*.json")) + 100
    assert load(tmp_path / "home").status_tokens[lists[7].url].text == "e30.new.c2ln"


def test_removed_is_removed_and_old_files_go(union: Union, tmp_path: Path) -> None:
    home = tmp_path / "home"
    take(home, union.out, union.publish())
    assert union.publisher.remove("000 000 002") == "Platform 2"
    for number in (1, 2, 3):
        union.publish(at=AT + number * DAY)
        take(home, union.out, at=AT + number * DAY)
    assert (names(home), load(home).find(method(2))) == (["Platform 1"], None)
    current = read_current(home)
    assert current is not None
    held = {path.name for path in (home / "files").glob("*/*")}
    assert held == {*current["metadata"].values(), current["index"], current["before"]} | {
        each for each in held if b"OuvrageTrust" in Files(home).read(each) or b'"contexts"' in Files(home).read(each)
    }
    assert len(list((union.out / "targets" / "issuers").iterdir())) == 1


def test_the_same_list_needs_no_people_again(union: Union) -> None:
    union.publish()
    bundle = union.publisher.prepare(at=AT + DAY)
    assert (bundle.root, bundle.targets) == (None, None)
    assert union.publisher.prepare(at=AT + 330 * DAY).targets is not None  # before their signatures end


def test_earlier_documents_are_kept(union: Union) -> None:
    def documents(text: str) -> bytes:
        did = "did:web:platform.example"
        return entry(9, did=did, documents=[{"id": did, "document": json.dumps({"id": did, "note": text})}])

    for day, text in enumerate(("first", "second", "second", "third")):
        part = union.publisher.add(documents(text), mirror=(), at=AT + day * DAY)
    given = part.documents.given["did:web:platform.example"]
    assert b"third" in given.raw
    assert [(one.until - AT, b"first" in one.raw) for one in given.earlier] == [(DAY, True), (3 * DAY, False)]


# --- attacks ----------------------------------------------------------------------------------------------------------


def test_whoever_has_no_list_has_to_say_which(union: Union, tmp_path: Path) -> None:
    union.publish()
    assert code_of(lambda: take(tmp_path / "home", union.out)) == "FINGERPRINT_MISSING"
    assert code_of(lambda: take(tmp_path / "home", union.out, "00" * 32)) == "TRUST_OTHER_LIST"
    assert code_of(lambda: load(tmp_path / "home")) == "FILE_MISSING"  # nobody is trusted


def test_another_list_does_not_take_the_place_of_the_first(union: Union, tmp_path: Path) -> None:
    fingerprint = union.publish()
    take(tmp_path / "home", union.out, fingerprint)
    other = Union(tmp_path / "other")
    other.publisher.add(entry(66), mirror=(), at=AT)
    theirs = other.publish()
    assert code_of(lambda: take(tmp_path / "home", other.out)) == "TRUST_UNSIGNED"
    assert code_of(lambda: take(tmp_path / "home", other.out, theirs)) == "TRUST_OTHER_LIST"
    assert names(tmp_path / "home") == ["Platform 1", "Platform 2"]


def test_too_few_signatures(union: Union, tmp_path: Path) -> None:
    with pytest.raises(Undetermined, match=r"1 more of these have to sign: Bo, Cy") as caught:
        union.publish(by=(0,))
    assert caught.value.code == "SIGNATURES_MISSING"
    assert not union.out.exists()
    fingerprint = union.publish(by=(0,), checked=False)  # a publisher that cheats
    assert code_of(lambda: take(tmp_path / "home", union.out, fingerprint)) == "TRUST_UNSIGNED"


def test_one_signer_signing_twice_is_one(union: Union, tmp_path: Path) -> None:
    union.publish()
    bad = union.copy("bad")
    root: Any = Metadata.from_bytes((bad / "1.root.json").read_bytes())
    first, second, _ = root.signed.roles["root"].keyids
    root.signatures[second] = Signature(second, root.signatures[first].signature)
    (bad / "1.root.json").write_bytes(root.to_bytes())
    from verifier.trust_roles import digest  # noqa: PLC0415

    assert code_of(lambda: take(tmp_path / "h", bad, digest(root.to_bytes()))) == "TRUST_UNSIGNED"


def test_the_mirror_cannot_vouch_for_anybody(union: Union, tmp_path: Path) -> None:
    """The online key, stolen, signs a list with an issuer of its own."""
    fingerprint = union.publish()
    union.publisher.add(entry(66), mirror=(), at=AT)
    stolen = union.online
    bundle = union.publisher.prepare(at=AT)
    assert bundle.targets is not None
    bundle.targets.sign(stolen.signer)
    union.publisher.publish(bundle, (), online=stolen, days=30, at=AT, out=union.out)
    assert code_of(lambda: take(tmp_path / "home", union.out, fingerprint)) == "TRUST_UNSIGNED"


def test_an_issuer_cannot_come_in_by_the_lists(union: Union, tmp_path: Path) -> None:
    fingerprint = union.publish(token())
    lists = next(union.out.glob("*.lists.json"))
    read: Any = Metadata.from_bytes(lists.read_bytes())
    (file,) = read.signed.targets.values()
    file.path = f"issuers/{'a' * 32}.json"
    _republish_lists(union, {file.path: file})
    assert code_of(lambda: take(tmp_path / "home", union.out, fingerprint)) == "TRUST_UNSIGNED"


def _republish_lists(union: Union, targets: dict[str, Any]) -> None:
    """Whoever has the online key signs other lists, and all that goes with it."""
    from verifier.trust_publisher import _meta  # noqa: PLC0415

    made: dict[str, Any] = {}
    for role in ("lists", "snapshot", "timestamp"):
        path = union.out / "timestamp.json" if role == "timestamp" else next(union.out.glob(f"*.{role}.json"))
        made[role] = Metadata.from_bytes(path.read_bytes())
        if role == "lists":
            made[role].signed.targets = targets
        elif role == "snapshot":
            made[role].signed.meta["lists.json"] = _meta(made["lists"])
        else:
            made[role].signed.snapshot_meta = _meta(made["snapshot"])
        made[role].sign(union.online.signer)
        path.write_bytes(made[role].to_bytes())


def test_rolled_back(union: Union, tmp_path: Path) -> None:
    home = tmp_path / "home"
    fingerprint = union.publish()
    old = union.copy("old")
    union.publisher.remove("000 000 002")
    union.publish(at=AT + DAY)
    take(home, union.out, fingerprint, at=AT + DAY)
    assert code_of(lambda: take(home, old, at=AT + DAY)) == "TRUST_ROLLED_BACK"
    assert names(home) == ["Platform 1"]


def test_frozen_then_expired(union: Union, tmp_path: Path) -> None:
    """A mirror that hides what is new is believed for as long as the publisher said, and no longer."""
    home = tmp_path / "home"
    take(home, union.out, union.publish(days=7))
    frozen = union.copy("frozen")
    union.publisher.remove("000 000 002")
    union.publish(at=AT + 3 * DAY)
    assert not take(home, frozen, at=AT + 6 * DAY).changed
    assert code_of(lambda: take(home, frozen, at=AT + 7 * DAY)) == "TRUST_EXPIRED"
    trust = load(home)
    with pytest.raises(Undetermined) as caught:
        check_trust_age(trust, POLICY, AT + 7 * DAY)
    assert caught.value.code == "STALE_TRUST"
    check_trust_age(trust, POLICY, AT + 6 * DAY)
    states = [freshness(trust, AT + day * DAY, max_age=POLICY.max_trust_age).state for day in (-1, 5, 7)]
    assert states == ["fresh", "ending", "ended"]


def test_an_expired_list_is_not_begun_with(union: Union, tmp_path: Path) -> None:
    fingerprint = union.publish(days=7)
    assert code_of(lambda: take(tmp_path / "h", union.out, fingerprint, at=AT + 8 * DAY)) == "TRUST_EXPIRED"
    assert code_of(lambda: take(tmp_path / "h", union.out, fingerprint, at=AT + 366 * DAY)) == "TRUST_EXPIRED"


@pytest.mark.parametrize("part", ["snapshot", "targets", "lists"])
def test_mixed_and_matched(union: Union, tmp_path: Path, part: str) -> None:
    """Each piece is rightly signed; they were never published together."""
    fingerprint = union.publish(token())
    old = union.copy("old")
    union.publisher.remove("000 000 002")
    union.publish(token(body="e30.new.c2ln"), at=AT + DAY)
    (fresh,) = (path for path in union.out.glob(f"2.{part}.json"))
    fresh.write_bytes((old / f"1.{part}.json").read_bytes())
    assert code_of(lambda: take(tmp_path / "home", union.out, fingerprint, at=AT + DAY)) == "TRUST_MIXED"


def test_fast_forward_is_undone_by_a_new_key(union: Union, tmp_path: Path) -> None:
    """Whoever stole the online key signs a version number that nothing can follow."""
    home = tmp_path / "home"
    fingerprint = union.publish()
    resigned(union.out / "timestamp.json", union.online, version=(1 << 31) - 1)
    take(home, union.out, fingerprint)
    union.publish(at=AT + DAY)
    assert code_of(lambda: take(home, union.out, at=AT + DAY)) == "TRUST_ROLLED_BACK"
    stolen = union.rotate_online(AT + DAY)
    union.publisher.add(entry(3), mirror=(), at=AT + DAY)
    union.publish(at=AT + DAY)
    take(home, union.out, at=AT + DAY)
    assert names(home) == ["Platform 1", "Platform 2", "Platform 3"]
    resigned(union.out / "timestamp.json", stolen, version=1 << 30)
    assert code_of(lambda: take(home, union.out, at=AT + DAY)) == "TRUST_UNSIGNED"


def test_signers_change_only_with_the_old_ones(union: Union, tmp_path: Path) -> None:
    home = tmp_path / "home"
    take(home, union.out, union.publish())
    thief = Union(tmp_path / "thief")
    union.publisher.change_root(
        signers=[one.public for one in thief.people], threshold=2, online=union.online.public, at=AT
    )
    bundle = union.publisher.prepare(at=AT)
    for one in thief.people:
        bundle.sign(one)
    assert code_of(lambda: bundle.check_signed(union.publisher.root())) == "SIGNATURES_MISSING"
    union.publisher.publish(bundle, (), online=union.online, days=30, at=AT, out=union.out)
    assert code_of(lambda: take(home, union.out)) == "TRUST_UNSIGNED"
    assert names(home) == ["Platform 1", "Platform 2"]


def test_a_skipped_root_is_no_road(union: Union, tmp_path: Path) -> None:
    home = tmp_path / "home"
    take(home, union.out, union.publish())
    for _ in range(2):
        union.rotate_online()
        union.publish()
    (union.out / "2.root.json").write_bytes((union.out / "3.root.json").read_bytes())
    assert code_of(lambda: take(home, union.out)) in ("TRUST_ROLLED_BACK", "TRUST_UNSIGNED")


@pytest.mark.parametrize("gone", ["timestamp.json", "1.snapshot.json", "1.targets.json", "1.lists.json", "targets"])
def test_half_written(union: Union, tmp_path: Path, gone: str) -> None:
    fingerprint = union.publish(token())
    path = union.out / gone
    for file in [path] if path.is_file() else list(path.rglob("*.json"))[:1]:
        file.unlink()
    assert code_of(lambda: take(tmp_path / "home", union.out, fingerprint)) == "TRUST_MISSING"


def test_a_changed_file_of_an_issuer(union: Union, tmp_path: Path) -> None:
    fingerprint = union.publish()
    victim = next((union.out / "targets" / "issuers").iterdir())
    raw = victim.read_bytes()
    victim.write_bytes(raw.replace(b"Platform", b"Flatporm"))
    assert code_of(lambda: take(tmp_path / "home", union.out, fingerprint)) == "TRUST_MIXED"
    victim.write_bytes(raw + b" " * 100)
    assert code_of(lambda: take(tmp_path / "home", union.out, fingerprint)) == "TOO_LARGE"


def test_the_words_of_a_list_are_those_of_this_program(
    union: Union, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from verifier import trust_publisher, trust_vocabulary  # noqa: PLC0415

    said = json.loads(trust_vocabulary.vocabulary())
    assert len(said["schemas"]) > 10
    said["schemas"]["Earnings.json"] = "00" * 32
    monkeypatch.setattr(trust_publisher, "vocabulary", lambda: to_json(said))
    assert take(tmp_path / "home", union.out, union.publish()).other_schemas == ("Earnings.json",)
    said["contexts"]["https://w3id.org/ouvrage/v1"] = "00" * 32
    union.publish(at=AT + DAY)
    assert code_of(lambda: take(tmp_path / "home", union.out, at=AT + DAY)) == "OTHER_VOCABULARY"


def test_two_issuers_with_one_key(union: Union) -> None:
    stolen = json.loads(entry(1))
    stolen["issuer"] |= {"name": "Somebody else", "legalIdentifier": "999"}
    with pytest.raises(Malformed, match="another issuer's"):
        union.publisher.add(to_json(stolen), mirror=(), at=AT)


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"signed": 1, "signatures": []}', b"{" * 5000, b"\xff" * 9])
def test_junk_is_refused_with_our_errors(union: Union, tmp_path: Path, raw: bytes) -> None:
    fingerprint = union.publish()
    for name in ("timestamp.json", "1.snapshot.json"):
        bad = union.copy(f"bad {name}")
        (bad / name).write_bytes(raw)
        with pytest.raises((Malformed, Rejected)):
            take(tmp_path / "home", bad, fingerprint)


def test_damage_on_this_machine_is_noticed_and_mended(union: Union, tmp_path: Path) -> None:
    home = tmp_path / "home"
    fingerprint = union.publish(token())
    take(home, union.out, fingerprint)
    for path in (home / "files").glob("*/*"):
        if b"Platform 1" in path.read_bytes():
            path.write_bytes(path.read_bytes().replace(b"Platform 1", b"Platform 7"))
    assert code_of(lambda: load(home).find(method(1))) == "TRUST_DAMAGED"
    found = load(home).find(method(2))  # which was not touched
    assert found is not None
    take(home, union.out)
    assert names(home) == ["Platform 1", "Platform 2"]
    (home / "current.json").write_bytes(b'{"type": "Ouvr')
    assert code_of(lambda: load(home)) != ""
    assert code_of(lambda: take(home, union.out)) == "TRUST_DAMAGED"
    take(home, union.out, fingerprint)
    assert names(home) == ["Platform 1", "Platform 2"]


def test_killed_at_any_step_leaves_the_old_or_the_new(union: Union, tmp_path: Path) -> None:
    """A sync is stopped at each of its changes to the disk, as kill -9 stops it: nothing is tidied up."""
    home = tmp_path / "home"
    take(home, union.out, union.publish(token()))
    union.publisher.add(entry(3), mirror=(), at=AT)
    union.publish(token(body="e30.new.c2ln"), at=AT + DAY)
    seen = set()
    for step in range(40):
        pid = os.fork()
        if not pid:
            try:
                _stop_at(step)
                take(home, union.out, at=AT + DAY)
            except BaseException:  # noqa: BLE001
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        held = names(home)
        assert held in (["Platform 1", "Platform 2"], ["Platform 1", "Platform 2", "Platform 3"])
        assert load(home).status_tokens[LISTED].text == ("e30.new.c2ln" if len(held) == 3 else "e30.e30.c2ln")
        seen.add((os.WIFSIGNALED(status), len(held)))
        if not os.WIFSIGNALED(status):
            break
    assert {(True, 2), (False, 3)} <= seen


def _stop_at(step: int) -> None:
    """kill -9 at the ``step``-th opening for writing, renaming or removing."""
    import signal  # noqa: PLC0415
    import sys  # noqa: PLC0415

    left = [step]

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if writes or event in ("os.rename", "os.remove"):
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1

    sys.addaudithook(watch)


def test_a_zip_that_lies_about_its_sizes(union: Union, tmp_path: Path) -> None:
    union.publish()
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("1.root.json", b" " * (64 << 20))
    import asyncio  # noqa: PLC0415

    from verifier.trust_sources import opened  # noqa: PLC0415

    with opened(str(tmp_path / "bomb.zip")) as source:
        assert code_of(lambda: asyncio.run(sync(tmp_path / "h", source, fingerprint="0", at=AT))) == "TOO_LARGE"
    (tmp_path / "no.zip").write_bytes(b"PK no")
    with pytest.raises(Malformed, match="nor a zip"), opened(str(tmp_path / "no.zip")):
        pass
