"""Files: bounded reads, whole writes, the home folder, passphrases."""

import errno
import os
import resource
import socket
import stat
import subprocess
import sys
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vc.errors import Malformed, Undetermined, VcError
from vc.io.files import MAX_PASSPHRASE, atomic_file, home, read_bounded, read_passphrase, write_atomic


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def no_prompt() -> str:
    raise AssertionError("asked although a file was named")


# --- reading


@pytest.mark.parametrize("size", [0, 1, 99, 100])
def test_a_file_within_the_limit_is_read_whole(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * size)
    assert read_bounded(path, limit=100) == b"x" * size


def test_one_byte_more_than_the_limit_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 101)
    with pytest.raises(Malformed, match=r"file: larger than 100 bytes") as caught:
        read_bounded(path, limit=100)
    assert caught.value.code == "TOO_LARGE"


def test_a_huge_file_is_refused_by_its_size_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    monkeypatch.setattr(os, "read", lambda *_: pytest.fail("read"))
    with pytest.raises(Malformed, match="larger than"):
        read_bounded(path, limit=1 << 20)


def test_an_endless_device_is_read_to_the_limit_and_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    read = os.read

    def counted(descriptor: int, count: int) -> bytes:
        taken.append(len(part := read(descriptor, count)))
        return part

    monkeypatch.setattr(os, "read", counted)
    with pytest.raises(Malformed, match="larger than 1000 bytes"):
        read_bounded(Path("/dev/zero"), limit=1000)
    assert sum(taken) == 1001


def test_a_file_that_grows_after_it_was_measured_is_still_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "growing"
    path.write_bytes(b"x")
    fstat = os.fstat

    def measured(descriptor: int) -> os.stat_result:
        status = fstat(descriptor)
        path.write_bytes(b"x" * 5000)
        return status

    monkeypatch.setattr(os, "fstat", measured)
    with pytest.raises(Malformed, match="larger than 1000 bytes"):
        read_bounded(path, limit=1000)


def test_a_pipe_is_read_until_its_writer_is_done(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # so that the writer can open it
    writer = os.open(path, os.O_WRONLY)

    def write() -> None:
        os.write(writer, b"late")
        os.close(writer)

    later = threading.Timer(0.05, write)
    later.start()
    assert read_bounded(path, limit=100) == b"late"
    later.join()
    os.close(reader)


def test_a_pipe_that_nobody_writes_to_does_not_wait(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert read_bounded(path, limit=100) == b""


def test_what_cannot_be_read_is_malformed_and_named(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "nowhere").symlink_to(tmp_path / "missing")
    (tmp_path / "file").touch()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        for name, code in {
            "missing": "FILE_MISSING",
            "nowhere": "FILE_MISSING",
            "nul\0inside": "FILE_MISSING",
            "file/below": "FILE_UNREADABLE",
            ".": "FILE_UNREADABLE",
            "loop": "FILE_UNREADABLE",
            "socket": "FILE_UNREADABLE",
            "n" * 300: "FILE_UNREADABLE",
        }.items():
            with pytest.raises(Malformed) as caught:
                read_bounded(tmp_path / name, limit=100)
            assert (name, caught.value.code) == (name, code)
            assert tmp_path.name in caught.value.where


def test_a_forbidden_file_is_malformed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret"
    path.touch(mode=0o000)
    if os.geteuid() == 0:  # root may read everything, so the system's answer is given in its place

        def refuse(*_: object) -> int:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

        monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(Malformed, match="Permission denied"):
        read_bounded(path, limit=100)


@pytest.mark.parametrize("limit", [100, 300])
def test_reading_leaves_no_descriptor_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    opened: list[int] = []
    open_ = os.open

    def counted(path: Path, flags: int) -> int:
        opened.append(descriptor := open_(path, flags))
        return descriptor

    monkeypatch.setattr(os, "open", counted)
    (tmp_path / "file").write_bytes(b"x" * 200)
    with suppress(Malformed):
        read_bounded(tmp_path / "file", limit=limit)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(opened[0])


# --- writing


def test_written_bytes_are_there_with_the_mode_asked_for(tmp_path: Path) -> None:
    for wanted in (0o600, 0o644):
        path = tmp_path / f"{wanted}"
        before = os.umask(0o027)
        try:
            write_atomic(path, b"data", mode=wanted)
        finally:
            os.umask(before)
        assert (path.read_bytes(), mode(path)) == (b"data", wanted)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_rewritten_file_gets_new_content_and_mode_and_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old and longer")
    path.chmod(0o666)
    write_atomic(path, b"new")
    assert (path.read_bytes(), mode(path), names(tmp_path)) == (b"new", 0o600, ["file"])


def test_the_new_file_is_private_while_it_is_written(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with atomic_file(tmp_path / "file", mode=0o644) as temporary:
            assert mode(temporary) == 0o600
            assert not (tmp_path / "file").exists()
    finally:
        os.umask(before)
    assert mode(tmp_path / "file") == 0o644


def test_a_link_keeps_pointing_to_the_file_that_is_rewritten(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere" / "file")
    write_atomic(tmp_path / "link", b"data")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "elsewhere" / "file").read_bytes() == b"data"


def test_a_failure_inside_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def interrupted() -> None:
        with atomic_file(path) as temporary:
            temporary.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert (path.read_bytes(), names(tmp_path)) == (b"old", ["file"])


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_what_the_disk_refuses_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, call, refuse)
    with pytest.raises(Undetermined, match=r"file: cannot be written: No space left on device") as caught:
        write_atomic(path, b"new")
    assert caught.value.code == "CANNOT_WRITE"
    assert (path.read_bytes(), names(tmp_path)) == (b"old", ["file"])


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    code = "import sys, tests.test_files as t; t.write_with_little_space(t.Path(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    assert (done.stdout.strip(), done.stderr) == ("CANNOT_WRITE", "")
    assert (path.read_bytes(), names(tmp_path)) == (b"old", ["file"])


def write_with_little_space(path: Path) -> None:
    """Runs in a process of its own: a file there can grow to 64 KiB only."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))
    try:
        write_atomic(path, b"x" * (1 << 20))
    except VcError as error:
        print(error.code)


def test_the_file_and_its_folder_are_synced_before_and_after_the_name_appears(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace

    def synced(descriptor: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def replaced(source: str | Path, target: str | Path) -> None:
        steps.append("name")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    write_atomic(tmp_path / "file", b"data")
    assert steps == ["file", "name", "folder"]


def test_an_existing_file_is_never_touched_without_replace(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with atomic_file(path, replace=False) as temporary:
        temporary.write_bytes(b"first")
    with pytest.raises(Malformed, match="is already there") as caught, atomic_file(path, replace=False) as temporary:
        temporary.write_bytes(b"second")
    assert caught.value.code == "FILE_EXISTS"
    assert (path.read_bytes(), path.stat().st_nlink, names(tmp_path)) == (b"first", 1, ["file"])


def test_a_place_that_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(Malformed, match="is not a file"):
            write_atomic(tmp_path / name, b"data")
    with pytest.raises(Malformed, match="is not a file"):
        write_atomic(Path("/dev/null"), b"data")
    for name in ("missing/file", "nul\0inside", "n" * 300):
        with pytest.raises(Undetermined, match="cannot be written"):
            write_atomic(tmp_path / name, b"data")
    assert names(tmp_path) == ["folder", "pipe"]


# --- the home folder


def test_the_option_goes_before_the_environment_and_that_before_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    environ = {"OUVRAGE_HOME": str(tmp_path / "env")}
    assert home(tmp_path / "option", "wallet", environ) == tmp_path / "option" / "wallet"
    assert home(None, "wallet", environ) == tmp_path / "env" / "wallet"
    assert home(None, "issuer", {}) == tmp_path / ".ouvrage" / "issuer"
    assert home(None, "issuer", {"OUVRAGE_HOME": ""}) == tmp_path / ".ouvrage" / "issuer"


def test_the_home_is_made_for_its_owner_only_and_kept_as_it_is(tmp_path: Path) -> None:
    base = tmp_path / "deep" / "home"
    folder = home(base, "wallet", {})
    assert (mode(base), mode(folder)) == (0o700, 0o700)
    folder.chmod(0o750)
    (folder / "vault").touch()
    assert home(base, "wallet", {}) == folder
    assert (mode(folder), names(folder)) == (0o750, ["vault"])


def test_a_home_that_cannot_be_is_malformed(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "wallet").touch()
    for name in ("file", "file/below", "home", "nul\0inside"):
        with pytest.raises(Malformed) as caught:
            home(tmp_path / name, "wallet", {})
        assert caught.value.code == "BAD_HOME"


# --- passphrases


@pytest.mark.parametrize(
    ("content", "passphrase"),
    [
        (b"correct horse", b"correct horse"),
        (b"correct horse\n", b"correct horse"),
        (b"correct horse\r\n", b"correct horse"),
        (b" spaced \n\n", b" spaced \n"),
        ("e\u0301te\u0301\n".encode(), "été".encode()),
        (b"", b""),
    ],
)
def test_a_passphrase_file_is_read_without_its_newline(tmp_path: Path, content: bytes, passphrase: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    assert read_passphrase({"OUVRAGE_PASSPHRASE_FILE": str(tmp_path / "file")}, no_prompt) == passphrase


def test_without_a_file_the_prompt_is_asked() -> None:
    assert read_passphrase({}, lambda: "e\u0301te\u0301 indien") == "été indien".encode()


def test_a_file_and_a_prompt_give_the_same_passphrase(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("Où est le café ?\n", encoding="utf-8")
    from_file = read_passphrase({"OUVRAGE_PASSPHRASE_FILE": str(tmp_path / "file")}, no_prompt)
    assert from_file == read_passphrase({}, lambda: "Où est le café ?")


def test_a_passphrase_that_is_missing_long_or_no_text_is_malformed(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"secret\xff\xfe")
    (tmp_path / "long").write_bytes(b"s" * (MAX_PASSPHRASE + 1))
    for name, code in {"missing": "FILE_MISSING", "binary": "BAD_PASSPHRASE", "long": "TOO_LARGE"}.items():
        with pytest.raises(Malformed) as caught:
            read_passphrase({"OUVRAGE_PASSPHRASE_FILE": str(tmp_path / name)}, no_prompt)
        assert (name, caught.value.code) == (name, code)
        assert "secret" not in str(caught.value)
    for typed in ("s" * (MAX_PASSPHRASE + 1), "lone \ud800 surrogate"):
        with pytest.raises(Malformed) as caught:
            read_passphrase({}, partial(str, typed))
        assert caught.value.code == "BAD_PASSPHRASE"


@given(st.binary(max_size=64))
def test_any_passphrase_file_gives_a_passphrase_or_our_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "any-passphrase"
    file.write_bytes(content)
    try:
        passphrase = read_passphrase({"OUVRAGE_PASSPHRASE_FILE": str(file)}, no_prompt)
    except VcError:
        with pytest.raises(UnicodeDecodeError):
            content.decode()
        return
    assert read_passphrase({}, passphrase.decode) in {passphrase, passphrase.removesuffix(b"\n").removesuffix(b"\r")}
