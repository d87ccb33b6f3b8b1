"""External codecs: run without a shell, held to their word, stopped in time."""

import shlex
import sys

import numpy as np
import pytest

from bandfold.benchmarks.codecs.external import External
from bandfold.common.errors import SettingsError, StreamError

# A codec of two files: header and samples in one archive.
ENCODE = """
import sys, pathlib
header = pathlib.Path(sys.argv[1])
text = header.read_bytes()
samples = header.with_suffix(".img").read_bytes()
pathlib.Path(sys.argv[2]).write_bytes(len(text).to_bytes(4, "big") + text + samples)
"""
DECODE = """
import sys, pathlib
packed = pathlib.Path(sys.argv[1]).read_bytes()
end = 4 + int.from_bytes(packed[:4], "big")
header = pathlib.Path(sys.argv[2])
header.write_bytes(packed[4:end])
header.with_suffix(".img").write_bytes(packed[end:])
"""


def template(encode=ENCODE, decode=DECODE):
    python = shlex.quote(sys.executable)
    return (
        f"copy={python} -c {shlex.quote(encode)} {{in}} {{out}} {{bps}} ; "
        f"{python} -c {shlex.quote(decode)} {{in}} {{out}}"
    )


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16"])
def test_a_scene_goes_out_and_comes_back(dtype):
    cube = np.arange(60).reshape(3, 4, 5).astype(dtype)
    codec = External.parse(template())
    assert codec.name == "copy"
    encoded = codec.encode(cube, 0.5)
    decoded = codec.decode(encoded.stream)
    assert decoded.cube.dtype == cube.dtype
    assert (decoded.cube == cube).all()
    assert encoded.seconds > 0
    assert decoded.seconds > 0


def test_the_rate_reaches_the_encoder():
    codec = External.parse(
        template(encode="import sys, pathlib\npathlib.Path(sys.argv[2]).write_text(sys.argv[3])")
    )
    assert codec.encode(np.zeros((1, 2, 2), np.uint8), 0.25).stream == b"0.25"


def test_no_shell_runs(tmp_path):
    target = tmp_path / "made"
    writes_last_word = "import sys, pathlib\npathlib.Path(sys.argv[2]).write_text(sys.argv[4])"
    line = template(encode=writes_last_word).replace("{bps} ;", f"{{bps}} '$(touch {target})' ;")
    codec = External.parse(line)
    stream = codec.encode(np.zeros((1, 2, 2), np.uint8), 0.25).stream
    assert stream.decode() == f"$(touch {target})"
    assert not target.exists()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("no equals sign", "has no name"),
        ("=enc {in} {out} {bps} ; dec {in} {out}", "has no name"),
        ("a=enc {in} {out} {bps}", "two commands"),
        ("a=enc {in} {out} {bps} ; dec {in} {out} ; more", "two commands"),
        ("a=enc {in} {out} ; dec {in} {out}", r"encoder of external codec 'a' does not use \{bps\}"),
        ("a=enc {in} {out} {bps} ; dec {in}", r"decoder of external codec 'a' does not use \{out\}"),
        ("a=enc '{in} {out} {bps} ; dec {in} {out}", "cannot be split"),
    ],
)
def test_a_malformed_template_is_refused(line, said):
    with pytest.raises(SettingsError, match=said):
        External.parse(line)


def test_a_program_that_is_not_there_is_named():
    codec = External.parse("a=/no/such/program {in} {out} {bps} ; dec {in} {out}")
    with pytest.raises(SettingsError, match="'/no/such/program'"):
        codec.encode(np.zeros((1, 2, 2), np.uint8), 1)


def test_a_program_that_fails_is_quoted():
    codec = External.parse(template(encode="import sys; sys.exit('out of luck')"))
    with pytest.raises(StreamError, match="status 1: out of luck"):
        codec.encode(np.zeros((1, 2, 2), np.uint8), 1)


def test_a_program_that_writes_nothing_is_found_out():
    codec = External.parse(template(encode="pass", decode="pass"))
    with pytest.raises(StreamError, match="wrote no file"):
        codec.encode(np.zeros((1, 2, 2), np.uint8), 1)
    with pytest.raises(StreamError, match="wrote no ENVI header"):
        codec.decode(b"")


def test_a_program_that_hangs_is_stopped():
    codec = External.parse(template(encode="import time; time.sleep(60)"), timeout=0.3)
    with pytest.raises(StreamError, match=r"more than 0\.3 seconds"):
        codec.encode(np.zeros((1, 2, 2), np.uint8), 1)
