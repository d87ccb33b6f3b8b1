"""Files that grow: each part is safe, one process writes, and what an earlier run has left is kept."""

import errno
import os
import signal
import subprocess
import sys
import textwrap

import pytest

from bandfold.common import file_lock
from bandfold.common.errors import OutputError
from bandfold.common.growing_file import Existing, GrowingFile, part_of


def test_a_growing_file_is_there_under_another_name_until_it_is_finished(tmp_path):
    path = tmp_path / "a.bf"
    path.write_bytes(b"old")
    with GrowingFile(path) as file:
        file.write(b"one")
        assert part_of(path).read_bytes() == b"one"
        file.write(b"two")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"onetwo"
    assert os.listdir(tmp_path) == ["a.bf"]


def grow(path, *parts, existing=Existing.REFUSE, keep=None):
    with GrowingFile(path, existing) as file:
        if keep is not None:
            file.go_on_behind(keep)
        for part in parts:
            if part is None:
                raise KeyboardInterrupt
            file.write(part)


def test_what_a_failure_leaves_of_a_growing_file_is_gone_on_with(tmp_path):
    path = tmp_path / "a.bf"
    with pytest.raises(KeyboardInterrupt):
        grow(path, b"one", b"half", None)
    assert os.listdir(tmp_path) == ["a.bf.part"]
    assert part_of(path).read_bytes() == b"onehalf"
    grow(path, b"two", existing=Existing.KEEP, keep=3)
    assert path.read_bytes() == b"onetwo"


def test_what_is_left_is_not_destroyed_unless_that_is_said(tmp_path):
    path = tmp_path / "a.bf"
    part_of(path).write_bytes(b"precious")
    with pytest.raises(
        OutputError, match=r"a\.bf\.part holds 8 bytes that an interrupted run has left: continue"
    ):
        grow(path, b"new")
    # Nothing is cut off before the first write: what fails before it has changed nothing.
    for existing, keep in ((Existing.KEEP, 3), (Existing.DISCARD, None)):
        with pytest.raises(KeyboardInterrupt):
            grow(path, None, existing=existing, keep=keep)
        assert part_of(path).read_bytes() == b"precious"
    grow(path, b"new", existing=Existing.DISCARD)
    assert path.read_bytes() == b"new"
    part_of(path).write_bytes(b"precious")
    grow(path, existing=Existing.KEEP, keep=3)
    assert path.read_bytes() == b"pre"


def test_an_empty_part_is_in_nobodys_way_and_none_is_left(tmp_path):
    path = tmp_path / "a.bf"
    part_of(path).write_bytes(b"")
    with pytest.raises(KeyboardInterrupt):
        grow(path, None)
    assert os.listdir(tmp_path) == []


def test_where_no_file_can_grow(tmp_path):
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "none" / "a.bf", tmp_path / "folder"):
        with pytest.raises(OutputError, match="cannot write"):
            grow(path, b"one")


def test_one_writes_at_a_time(tmp_path):
    path = tmp_path / "a.bf"
    with GrowingFile(path) as file:
        file.write(b"one")
        for existing in Existing:
            with pytest.raises(OutputError, match=r"a\.bf\.part is being written by this process: wait"):
                grow(path, b"two", existing=existing)
        file.write(b"three")
    assert path.read_bytes() == b"onethree"
    grow(path, b"two")
    assert path.read_bytes() == b"two"


def test_who_holds_it_is_told_and_a_dead_process_holds_nothing(tmp_path):
    path = tmp_path / "a.bf"
    script = f"""
        import sys
        from bandfold.common.growing_file import GrowingFile
        with GrowingFile({str(path)!r}) as file:
            file.write(b"one")
            print("ready", flush=True)
            sys.stdin.read()
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout.readline() == b"ready\n"
        with pytest.raises(
            OutputError, match=rf"is being written by (process {process.pid}|another process): "
        ):
            grow(path, b"two", existing=Existing.KEEP)
        assert part_of(path).read_bytes() == b"one"
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    grow(path, b"two", existing=Existing.KEEP)
    assert path.read_bytes() == b"onetwo"


def test_without_the_list_of_locks_somebody_holds_it(tmp_path, monkeypatch):
    for text in (None, "", "1: FLOCK\n", "1: FLOCK ADVISORY WRITE x 08:02:1 0 EOF\n"):
        locks = tmp_path / "locks"
        locks.unlink(missing_ok=True)
        if text is not None:
            locks.write_text(text)
        monkeypatch.setattr(file_lock, "LOCKS", locks)
        with GrowingFile(tmp_path / "a.bf"), pytest.raises(OutputError, match="by another process"):
            grow(tmp_path / "a.bf", b"two")


def test_a_file_that_is_renamed_while_it_is_opened_is_not_taken(tmp_path, monkeypatch):
    """The one who holds the lock finishes between our opening of the file and our lock."""
    path, part = tmp_path / "a.bf", part_of(tmp_path / "a.bf")
    first = GrowingFile(path)
    first.write(b"one")
    lock = file_lock.take_lock

    def late(file):
        monkeypatch.setattr(file_lock, "take_lock", lock)
        first.__exit__(None, None, None)
        return lock(file)

    monkeypatch.setattr(file_lock, "take_lock", late)
    grow(path.with_name("a.bf"), b"two")
    assert not part.exists()
    assert path.read_bytes() == b"two"


def test_a_file_system_without_locks_is_written_all_the_same(tmp_path, monkeypatch):
    def none(*_):
        raise OSError(file_lock.errno.ENOLCK, "no locks")

    monkeypatch.setattr(file_lock.fcntl, "flock", none)
    grow(tmp_path / "a.bf", b"one")
    assert (tmp_path / "a.bf").read_bytes() == b"one"
    # As on a system that has neither kind of lock.
    monkeypatch.setattr(file_lock, "fcntl", None)
    monkeypatch.setattr(file_lock, "msvcrt", None)
    grow(tmp_path / "b.bf", b"one")
    assert (tmp_path / "b.bf").read_bytes() == b"one"


def test_other_failures_of_a_lock_are_told(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(file_lock.errno.EIO, "broken")

    monkeypatch.setattr(file_lock.fcntl, "flock", fail)
    with pytest.raises(OutputError, match="broken"):
        grow(tmp_path / "a.bf", b"one")


class WindowsLocks:
    """What the C library of Windows does: a byte is locked for one descriptor until that is closed."""

    LK_NBLCK = 2

    def __init__(self):
        self.held = {}

    def locking(self, descriptor, mode, nbytes):
        assert (mode, nbytes) == (self.LK_NBLCK, 1)
        file = os.fstat(descriptor)
        byte = (file.st_ino, os.lseek(descriptor, 0, os.SEEK_CUR))
        # The same number is that of a file which was closed in between.
        if self.held.get(byte) != descriptor and self._is_open(self.held.get(byte), file):
            raise PermissionError(errno.EACCES, "Permission denied")
        self.held[byte] = descriptor

    @staticmethod
    def _is_open(descriptor, file):
        try:
            return descriptor is not None and os.path.samestat(os.fstat(descriptor), file)
        except OSError:
            return False


@pytest.fixture
def windows(monkeypatch):
    locks = WindowsLocks()
    monkeypatch.setattr(file_lock, "fcntl", None)
    monkeypatch.setattr(file_lock, "msvcrt", locks)
    return locks


def test_one_writes_at_a_time_on_windows(tmp_path, windows):
    path = tmp_path / "a.bf"
    with GrowingFile(path) as file:
        assert [byte for _, byte in windows.held] == [file_lock.LOCKED_BYTE]
        file.write(b"one")
        with pytest.raises(OutputError, match=r"a\.bf\.part is being written by another process: wait"):
            grow(path, b"two", existing=Existing.KEEP)
        file.write(b"three")
    assert path.read_bytes() == b"onethree"
    grow(path, b"two")
    assert path.read_bytes() == b"two"


def test_what_was_left_on_windows_is_gone_on_with(tmp_path, windows):
    path = tmp_path / "a.bf"
    with pytest.raises(KeyboardInterrupt):
        grow(path, b"onehalf", None)
    grow(path, b"two", existing=Existing.KEEP, keep=3)
    assert path.read_bytes() == b"onetwo"
