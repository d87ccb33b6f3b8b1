"""No command overwrites what it reads, by whatever name or link it is called."""

import os

import pytest

from bandfold.onboard import Encoder

from .conftest import check_failure

COMMANDS = {
    "depacketise a.ccsds -o a.ccsds": "a file of packets",
    "packetise a.bf -o a.bf --packets apid=5": "the stream",
    "packetise a.bf -o ./link.bf --packets apid=5": "the stream",
    "packetise a.bf -o hard.bf --packets apid=5": "the stream",
    "truncate a.bf -o link.bf --bytes 200": "the stream",
    "decode a.npy -o a.npy": "the stream",
    "decode a.bf -o raw.hdr": "the stream",
    "decode raw.hdr -o raw.hdr": "the stream",
    "vrt a.bf -o a.bf": "the stream",
    "hdf5 a.bf -o a.bf": "the stream",
    "report a.bf -o a.bf": "the stream",
    "report a.bf --reference scene.hdr -o scene.img": "the reference",
    "report a.bf --reference scene.hdr -o scene.hdr": "the reference",
    "encode scene.hdr -o scene.img --step 40": "the scene",
    "partition scene.hdr -o scene.img": "the scene",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_an_output_that_is_an_input_is_refused(run, scene, tmp_path, command):
    for library in {"hdf5": ("h5py", "h5netcdf", "xarray", "pyproj"), "report": ("bokeh",)}.get(
        command.split()[0], ("spacepackets",)
    ):
        pytest.importorskip(library)
    stream = Encoder(step=200.0).encode(scene)
    for name in ("a.bf", "a.npy", "raw.img"):
        (tmp_path / name).write_bytes(stream)
    (tmp_path / "raw.hdr").write_bytes(stream)
    (tmp_path / "link.bf").symlink_to("a.bf")
    os.link(tmp_path / "a.bf", tmp_path / "hard.bf")
    if "ccsds" in command:
        assert run("packetise", "a.bf", "-o", "a.ccsds", "--packets", "apid=5").status == 0
    if command.startswith("decode a.bf"):
        (tmp_path / "raw.img").unlink()
        (tmp_path / "raw.img").symlink_to("a.bf")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    check_failure(run(*command.split()), 2, f"is {COMMANDS[command]} itself: name another file")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_other_files_that_are_there_are_replaced(run, scene, tmp_path):
    (tmp_path / "a.bf").write_bytes(Encoder(step=200.0).encode(scene))
    for _ in range(2):
        assert run("decode", "a.bf", "-o", "b.hdr").status == 0
