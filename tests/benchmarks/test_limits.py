"""The campaign over limits: cases come back from their numbers, and a sample beyond its limit is noticed."""

import numpy as np
import pytest
from click.testing import CliRunner

from bandfold.benchmarks.limits import main
from bandfold.benchmarks.measures import limit_cases
from bandfold.benchmarks.measures.limit_cases import LimitCase
from bandfold.benchmarks.scenes.scene_file import write_scene
from bandfold.common.errors import VerificationError


def test_the_program_compares_so_many_samples():
    done = CliRunner().invoke(main, ["--samples", "6000", "--size", "2000", "--first", "7", "--every", "1"])
    assert done.exit_code == 0, done.output
    assert "1 cases from 7 on, 0 refused" in done.output
    assert int(done.output.split("all of ")[-1].split()[0]) >= 6000


def test_a_case_comes_from_its_number():
    one, other = LimitCase.make(5, 2000), LimitCase.make(5, 2000)
    assert np.array_equal(one.cube, other.cube, equal_nan=True)
    assert one.settings == other.settings
    cases = [LimitCase.make(number, 500) for number in range(0, 60 * limit_cases.CASES_OF_SCENE, 7)]
    assert {case.cube.dtype.name for case in cases} == set(limit_cases.DTYPES)
    assert any("model" in case.settings for case in cases)


def test_scenes_of_a_folder_take_turns_and_are_repeated_up_to_the_size(tmp_path):
    cube = np.arange(3 * 8 * 9, dtype=np.int16).reshape(3, 8, 9)
    write_scene(tmp_path / "own.hdr", cube)
    case = LimitCase.make(limit_cases.CASES_OF_SCENE, 4 * cube.size, [tmp_path / "own.hdr"])
    assert case.cube.shape == (3, 16, 18)
    assert np.array_equal(case.cube[:, :8, :9], cube)
    done = CliRunner().invoke(
        main, ["--samples", "1", "--size", "2000", "--first", "8", "--scenes", str(tmp_path)]
    )
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"lossless": True}, 1),
        ({"max_error": 3.0}, 4),
        ({"max_error": [3.0, 0.0]}, 1),
        ({"relative_error": 0.25, "max_error": 2.0}, 26),
    ],
)
def test_a_sample_beyond_its_limit_is_noticed(settings, error, monkeypatch):
    """Limits are computed from the settings alone, and a limit that is just kept passes."""
    cube = np.full((2, 8, 8), 100, np.uint16)

    class Spoilt:
        damage = ()

        def __init__(self, stream):
            pass

        def decode(self):
            found = cube.copy()
            found[1, 2, 3] += self.error
            return found

    monkeypatch.setattr(limit_cases, "Decoder", Spoilt)
    case = LimitCase(3, cube, None, settings)
    Spoilt.error = error - 1
    assert case.check()
    Spoilt.error = error
    with pytest.raises(VerificationError, match=r"case 3: 1 samples are beyond.*band 1"):
        case.check()


def test_settings_that_are_refused_count_for_nothing():
    cube = np.linspace(0, 1, 2 * 8 * 8, dtype=np.float32).reshape(2, 8, 8)
    assert not LimitCase(0, cube, None, {"max_error": 1e-9}).check()
