"""An output file appears whole or not at all."""

import errno
import os
import stat

import pytest

from bandfold.common.atomic_files import AtomicFile, atomic_output
from bandfold.common.errors import OutputError, SceneError


def test_file_appears_with_its_bytes_and_nothing_else(tmp_path):
    with atomic_output(tmp_path / "a.bf") as file:
        file.write(b"abc")
        assert not (tmp_path / "a.bf").exists()
    assert (tmp_path / "a.bf").read_bytes() == b"abc"
    assert os.listdir(tmp_path) == ["a.bf"]


def test_permissions_follow_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        with atomic_output(tmp_path / "a.bf") as file:
            file.write(b"abc")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.bf").stat().st_mode) == 0o640


@pytest.mark.parametrize("failure", [SceneError("bad"), KeyboardInterrupt(), ValueError("bug")])
def test_failure_in_the_body_keeps_the_old_file(tmp_path, failure):
    def write():
        with atomic_output(tmp_path / "a.bf") as file:
            file.write(b"new")
            raise failure

    (tmp_path / "a.bf").write_bytes(b"old")
    with pytest.raises(type(failure)):
        write()
    assert (tmp_path / "a.bf").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bf"]


def test_full_disk_is_an_output_error(tmp_path):
    with pytest.raises(OutputError, match="No space left") as caught, atomic_output(tmp_path / "a.bf"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.exit_status == 8
    assert os.listdir(tmp_path) == []


def test_full_disk_noticed_by_fsync_leaves_nothing(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"), atomic_output(tmp_path / "a.bf") as file:
        file.write(b"abc")
    assert os.listdir(tmp_path) == []


def test_missing_directory_is_an_output_error(tmp_path):
    with pytest.raises(OutputError, match="No such file or directory"), atomic_output(tmp_path / "no" / "a"):
        pass


@pytest.mark.parametrize("target", ["directory", "device"])
def test_what_is_no_regular_file_is_refused(tmp_path, target):
    path = tmp_path if target == "directory" else os.devnull
    with pytest.raises(OutputError, match="not a regular file"), atomic_output(path):
        pass
    assert os.listdir(tmp_path) == []
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_link_is_followed(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    with atomic_output(tmp_path / "link") as file:
        file.write(b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_longest_file_name_works(tmp_path):
    name = "n" * 255
    with atomic_output(tmp_path / name) as file:
        file.write(b"abc")
    assert os.listdir(tmp_path) == [name]


def test_discard_after_publish_keeps_the_file(tmp_path):
    output = AtomicFile(tmp_path / "a.bf")
    output.file.write(b"abc")
    output.publish()
    output.discard()
    assert (tmp_path / "a.bf").read_bytes() == b"abc"
