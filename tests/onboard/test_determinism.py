"""The same scene gives the same stream: twice, from memory or file, with either entropy coder."""

import numpy as np
import pytest

from bandfold.bitstream.container.sections import Section, read_sections
from bandfold.common import kernels
from bandfold.formats.envi.reader import open_envi
from bandfold.formats.envi.writer import EnviWriter
from bandfold.ground import Decoder
from bandfold.onboard import Encoder
from bandfold.synthetic.scenes import SyntheticScene


@pytest.fixture(scope="module")
def scene():
    return SyntheticScene(50, 44, 20, seed=5)


@pytest.fixture(scope="module")
def cube(scene):
    return scene.read(slice(0, 20), slice(0, 50))


@pytest.fixture(scope="module")
def stream(cube):
    return Encoder(bps=0.6, strip_lines=24).encode(cube)


def test_twice_the_same(cube, stream):
    assert Encoder(bps=0.6, strip_lines=24).encode(cube) == stream


def test_byte_order_and_memory_layout_do_not_matter(cube, stream):
    turned = np.asfortranarray(cube).astype(">u2")
    assert Encoder(bps=0.6, strip_lines=24).encode(turned) == stream


@pytest.mark.parametrize("interleave", ["bsq", "bil", "bip"])
@pytest.mark.parametrize("byte_order", ["little", "big"])
def test_a_file_gives_the_segments_of_the_array(tmp_path, scene, cube, stream, interleave, byte_order):
    path = tmp_path / "scene.hdr"
    with EnviWriter(path, scene.info, interleave=interleave, byte_order=byte_order) as writer:
        writer.write(slice(0, 20), slice(0, 50), cube)
    # At the step of the other stream: metadata take bytes, so a budget would lead to another one.
    step = Decoder(stream).report()["step"]
    memory = Encoder(step=step, strip_lines=24).encode(cube)
    file = Encoder(step=step, strip_lines=24).encode(open_envi(path))
    wanted = (Section.SEGMENT, Section.FOLD, Section.ROTATION)
    first, second = (
        [(section.kind, section.payload) for section in read_sections(data) if section.kind in wanted]
        for data in (memory, file)
    )
    assert len(first) >= 4
    assert first == second


def test_numpy_gives_the_stream_of_the_compiled_kernels(cube, stream):
    expected = Decoder(stream).decode()
    with kernels.switched_off():
        plain = Encoder(bps=0.6, strip_lines=24).encode(cube)
        decoded = Decoder(stream).decode()
    assert plain == stream
    np.testing.assert_array_equal(decoded, expected)
