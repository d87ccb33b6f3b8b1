"""Files, pipes and devices that are read whole: nothing is read without end, and no pipe awaited for ever."""

import io
import os
import threading

import pytest

from bandfold.common import input_files
from bandfold.common.errors import StreamError
from bandfold.common.input_files import begins_with, read_input, read_list, read_pieces, read_whole

ZERO = pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="has no endless device")
PIPES = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no named pipes")


class Endless(io.RawIOBase):
    """Bytes without end, as of a pipe."""

    given = 0

    def readable(self):
        return True

    def readinto(self, buffer):
        buffer[:] = b"\1" * len(buffer)
        self.given += len(buffer)
        return len(buffer)


@pytest.fixture
def pipe(tmp_path, monkeypatch):
    monkeypatch.setattr(input_files, "WRITER_AWAITED", 0.2)
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


def test_files_are_read_whole(tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    assert read_whole(tmp_path / "file") == b"content"
    assert read_whole(tmp_path / "file", begins=b"other") == b"content"
    with pytest.raises(OSError, match="it has 7 bytes, more than the 6"):
        read_whole(tmp_path / "file", limit=6)
    with pytest.raises(StreamError, match=r"stream .*absent cannot be read: No such file"):
        read_input("stream", tmp_path / "absent")


@ZERO
def test_endless_devices_are_not_read_without_end(monkeypatch):
    monkeypatch.setattr(input_files, "LARGEST_UNSEEN", 1 << 22)
    monkeypatch.setattr(input_files, "LARGEST_LIST", 1 << 21)
    assert len(read_whole("/dev/zero", begins=b"signature")) == 9
    with pytest.raises(StreamError, match="more than 4 MiB come from it"):
        read_input("packets", "/dev/zero")
    with pytest.raises(OSError, match="more than 2 MiB"):
        read_list("/dev/zero")
    with pytest.raises(OSError, match="more than 3 MiB"):
        read_whole("/dev/zero", begins=b"\0\0", limit=3 << 20)


def test_what_does_not_begin_as_it_should_is_read_no_further():
    endless = Endless()
    assert read_pieces(endless, b"signature") == b"\1" * 9
    assert endless.given == 9
    assert read_pieces(io.BytesIO(b"signature and more"), b"signature") == b"signature and more"
    assert read_pieces(io.BytesIO(b"sig"), b"signature") == b"sig"


@PIPES
def test_a_pipe_that_nobody_writes_to_is_given_up(pipe):
    with pytest.raises(StreamError, match=r"no program writes to this pipe within 0\.2 s"):
        read_input("packets", pipe)


@PIPES
def test_a_pipe_is_read_to_its_end_however_slowly_it_comes(pipe):
    written = threading.Event()

    def write():
        with open(pipe, "wb", buffering=0) as file:
            written.wait(0.4)
            file.write(b"first, ")
            written.wait(0.1)
            file.write(b"then the rest")

    writer = threading.Thread(target=write)
    writer.start()
    assert read_input("packets", pipe) == b"first, then the rest"
    writer.join()


@PIPES
def test_a_pipe_is_not_touched_to_see_what_it_is(pipe, tmp_path):
    assert not begins_with(pipe, b"x")
    assert not begins_with(tmp_path, b"x")
    assert not begins_with("\0", b"x")
    (tmp_path / "file").write_bytes(b"xyz")
    assert begins_with(tmp_path / "file", b"xy")
    assert not begins_with(tmp_path / "file", b"y")
