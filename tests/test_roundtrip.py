"""Whatever the shape, the type and the content: a scene comes back with its error bounded by the step."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.common.scene import Scaling
from bandfold.ground import Decoder
from bandfold.onboard import ArraySource, Encoder

EXAMPLES = settings(max_examples=100, deadline=None, derandomize=True)
CONTENTS = ("constant", "random", "smooth", "saturated", "dead", "spike")
SHAPES = st.tuples(st.integers(1, 20), st.integers(1, 40), st.integers(1, 40))


def content(kind, shape, dtype, seed):
    """Samples that go to the ends of their type where the kind allows it."""
    rng = np.random.default_rng(seed)
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    bands, lines, samples = shape
    if kind == "constant":
        return np.full(shape, rng.integers(low, high, endpoint=True), dtype)
    if kind == "random":
        return rng.integers(low, high, shape, dtype, endpoint=True)
    if kind == "spike":
        spike = np.full(shape, low, dtype)
        spike[tuple(rng.integers(0, shape))] = high
        return spike
    line, sample = np.mgrid[:lines, :samples]
    wave = (np.sin(line / 7 + rng.random() * 6) + np.cos(sample / 5) + 2) / 4
    smooth = low + (high - low) * wave * np.linspace(0.2, 0.9, bands)[:, None, None]
    if kind == "saturated":
        smooth = low + 3 * (smooth - low)
    if kind == "dead":
        smooth += rng.normal(0, 3, shape)
        smooth[rng.random(bands) < 0.4] = rng.integers(low, high, endpoint=True)
    return np.clip(np.rint(smooth), low, high).astype(dtype)


def rmse(first, second):
    return float(np.sqrt(np.mean((first.astype(np.float64) - second) ** 2)))


def bound(step):
    """Largest RMSE in counts.

    A uniform quantiser errs by step / sqrt(12) = 0.29 steps. Zeroing and dropping raise the squared error by
    at most 0.13 step**2 for each bit that they save: 0.7 bit a sample, more than noise around the
    step costs, give sqrt(1 / 12 + 0.7 * 0.13) = 0.42 steps (0.37 is the most that a thousand scenes showed).
    Rounding to integers adds up to 1 / sqrt(12) = 0.29 counts.
    """
    return 0.42 * step + 0.29


@EXAMPLES
@given(
    shape=SHAPES,
    dtype=st.sampled_from(["uint8", "int8", "uint16", "int16"]),
    kind=st.sampled_from(CONTENTS),
    octave=st.floats(-4, 7),
    spectral=st.sampled_from(["auto", "none"]),
    seed=st.integers(0, 1 << 20),
)
def test_scene_of_integers(shape, dtype, kind, octave, spectral, seed):
    cube = content(kind, shape, np.dtype(dtype), seed)
    step = 2.0**octave
    decoder = Decoder(Encoder(step=step, spectral=spectral).encode(cube))
    decoded = decoder.decode()
    assert decoded.shape == cube.shape
    assert decoded.dtype == cube.dtype
    assert decoder.damage == []
    assert rmse(decoded, cube) <= bound(step)


@settings(EXAMPLES, max_examples=40)
@given(
    shape=SHAPES,
    dtype=st.sampled_from(["float32", "float64"]),
    scale=st.sampled_from([0.01, -0.5, 3e-5]),
    octave=st.floats(-2, 6),
    absent=st.sampled_from([0.0, 0.02, 0.6, 1.0]),
    seed=st.integers(0, 1 << 20),
)
def test_scene_of_floats_with_absent_samples(shape, dtype, scale, octave, absent, seed):
    rng = np.random.default_rng(seed)
    counts = content("smooth", shape, np.dtype("int16"), seed) + rng.random(shape)
    cube = (np.clip(counts, -32768, 32767) * scale + 7.25).astype(dtype)
    mask = rng.random(shape) < absent
    cube[mask] = np.nan
    source = ArraySource(cube, scaling=Scaling(scale, 7.25), no_data=float("nan"))
    step = 2.0**octave
    decoded = Decoder(Encoder(step=step).encode(source)).decode()
    assert decoded.dtype == cube.dtype
    np.testing.assert_array_equal(np.isnan(decoded), mask)
    if not mask.all():
        # Absent samples are filled and coded too, so the present ones may have more than their share of the
        # squared error, but not more than all of it. Counts are rounded once more on the way in.
        share = np.sqrt(1 / (~mask).mean())
        assert rmse(decoded[~mask], cube[~mask]) <= abs(scale) * (bound(step) * share + 0.5)
