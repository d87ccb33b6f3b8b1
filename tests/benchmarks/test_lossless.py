"""The table of lossless sizes: all bytes, the recorded rivals beside them, and no tables that saw a scene."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from bandfold.benchmarks.codecs.bounded_error import BoundedErrorCodec
from bandfold.benchmarks.lossless import main
from bandfold.benchmarks.measures.refined_size import FRAME_BYTES, refined_sizes
from bandfold.bitstream.refinement.tables import SHIPPED_REFINEMENT, load_refinement_tables
from bandfold.common.errors import SettingsError, VerificationError
from bandfold.formats.envi.writer import write_envi
from bandfold.onboard.samples.samples import ArraySource


@pytest.fixture(scope="module")
def cube():
    random = np.random.default_rng(0)
    scene = np.cumsum(random.normal(0, 40, (12, 24, 32)), axis=2) + 3000
    return np.rint(scene).astype(np.uint16)


@pytest.fixture
def folder(tmp_path, cube):
    write_envi(tmp_path / "field.hdr", cube, ArraySource(cube).info)
    cube.astype("<f4").tofile(tmp_path / "floats.img")
    header = "ENVI\nsamples = 32\nlines = 24\nbands = 12\ndata type = 4\ninterleave = bsq\nbyte order = 0\n"
    (tmp_path / "floats.hdr").write_text(header)
    return tmp_path


def test_sizes_hold_all_bytes(cube):
    means, coded = refined_sizes(cube, (0.0, 0.5), (0,), load_refinement_tables())
    assert means.base_bytes == 4 * 12
    assert 0 < coded.base_bytes <= cube.size / 16
    for one in (means, coded):
        assert one.refinement_bytes > FRAME_BYTES
        assert one.bps == 8 * (one.base_bytes + one.refinement_bytes) / cube.size
        assert one.bps < 16


def test_integer_scenes_are_compared_with_what_was_recorded(folder):
    recorded = folder / "recorded.json"
    recorded.write_text(
        json.dumps({"scenes": {"field": {"bps": {"c123_B2_tuned": 20.0, "other": 10, "est_x": 1}}}})
    )
    out = folder / "out.json"
    options = [
        "--scenes",
        str(folder),
        "--recorded",
        str(recorded),
        "--limits",
        "0,9",
        "--bases",
        "0",
        "--json",
        str(out),
    ]
    result = CliRunner().invoke(main, options, env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    figures = json.loads(out.read_text())
    assert list(figures) == ["field"]
    lossless, near = figures["field"]
    assert (lossless["limit"], near["limit"]) == (0, 9)
    assert near["bps"] < lossless["bps"]
    assert near["stream"] < lossless["stream"] < 16
    assert f"20.000 ({100 * (lossless['stream'] / 20 - 1):+.1f})" in result.output
    assert f"10.000 ({100 * (lossless['stream'] / 10 - 1):+.1f})" in result.output
    assert "on the mean of 1 scenes" in result.output


def test_tables_that_saw_a_scene_are_refused(folder):
    held_out = folder / "tables"
    held_out.mkdir()
    (held_out / "refinement-1.npz").write_bytes(SHIPPED_REFINEMENT.read_bytes())
    for told, passes in (({"field": "refinement-1.npz"}, True), ({"other": "refinement-1.npz"}, False)):
        (held_out / "refinement-folds.json").write_text(json.dumps(told))
        options = ["--scenes", str(folder), "--tables", str(held_out), "--bases", "0"]
        result = CliRunner().invoke(main, options)
        assert (result.exit_code == 0) == passes
        assert passes or isinstance(result.exception, SettingsError)


def test_other_codecs_run_live(folder):
    pytest.importorskip("imagecodecs")
    out = folder / "out.json"
    options = ["--scenes", str(folder), "--limits", "0,9", "--bases", "0", "--live", "--json", str(out)]
    assert CliRunner().invoke(main, options).exit_code == 0
    lossless, near = json.loads(out.read_text())["field"]
    for name in ("JPEG-LS", "SPERR", "SZ3", "ZFP"):
        assert near[name] < lossless[name] < 20
    assert "JPEG XL" in lossless
    assert "JPEG XL" not in near


def test_a_codec_that_misses_its_limit_is_told(cube):
    right = BoundedErrorCodec("copy", True, lambda cube, _: [cube.tobytes()], _copied)
    assert right.bps(cube, 0) == 16
    assert right.bps(cube.astype(np.int16) - 2000, 0) == 16
    wrong = BoundedErrorCodec("copy", True, right.encode, lambda *given: _copied(*given) + 2)
    with pytest.raises(VerificationError, match="copy is off by 2, not 1"):
        wrong.bps(cube, 1)


def _copied(parts, shape):
    return np.frombuffer(parts[0], np.uint16).reshape(shape)
