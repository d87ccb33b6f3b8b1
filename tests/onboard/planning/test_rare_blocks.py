"""Rare blocks: what a sample does not know is planned for too, and nothing else is."""

import numpy as np
import pytest

from bandfold.common.workers import Workers
from bandfold.ground import Decoder
from bandfold.onboard import ArraySource, Encoder
from bandfold.onboard.planning.block_sample import sample_blocks
from bandfold.onboard.planning.rare_blocks import add_rare_blocks

BANDS, LINES, SAMPLES = 24, 270, 262
SHIP = np.round(900 * np.abs(np.sin(np.linspace(0, 9, BANDS))) + 500)
WHOLE = (slice(0, LINES),)


def sea(ships=()):
    """Smooth water with noise; three pixels by two of another kind at each place."""
    rng = np.random.default_rng(5)
    waves = np.kron(rng.normal(size=(3, 34, 33)), np.ones((8, 8)))[:, :LINES, :SAMPLES]
    spectra = np.stack([np.exp(-np.linspace(0, at, BANDS)) for at in (1, 2, 4)]) * [[60.0], [40.0], [20.0]]
    cube = 2000 + np.tensordot(spectra.T, waves, 1) + rng.normal(0, 2, (BANDS, LINES, SAMPLES))
    for line, column in ships:
        cube[:, line : line + 3, column : column + 2] += SHIP[:, None, None]
    return np.rint(cube).astype(np.uint16)


def unsampled(count):
    """Places of so many blocks that the sample does not hold."""
    rows, columns = np.arange(LINES) // 8, np.arange(SAMPLES) // 8
    number = (rows[:, None] * 64 + columns).astype(np.uint16)[None]
    taken = np.unique(sample_blocks(ArraySource(number)).blocks[0])
    free = np.setdiff1d(number[0, 16:-16, 16:-16], taken)
    free = free[:: len(free) // count]
    return [(block // 64 * 8, block % 64 * 8) for block in free[:count].tolist()]


def test_samples_that_know_the_land_stay_as_they_are():
    source = ArraySource(sea())
    sample = sample_blocks(source)
    assert sample.blocks.shape[1] * 64 < sample.pixels
    assert add_rare_blocks(sample, source, WHOLE) is sample
    everything = ArraySource(sea(unsampled(1))[:, :64, :64])
    sample = sample_blocks(everything)
    assert add_rare_blocks(sample, everything, (slice(0, 64),)) is sample


@pytest.mark.parametrize("lines", [WHOLE, (slice(0, 64), slice(64, LINES))])
@pytest.mark.parametrize("threads", [1, 3])
def test_ships_are_added_as_they_weigh(lines, threads):
    ships = unsampled(3)
    cube = sea(ships)
    source = ArraySource(cube)
    sample = sample_blocks(source, workers=Workers(threads))
    rare = add_rare_blocks(sample, source, lines)
    assert rare.added == 3
    np.testing.assert_array_equal(rare.blocks[:, :-3], sample.blocks)
    share = np.sqrt(sample.blocks.shape[1] * 64 / sample.pixels)
    mean = np.rint(sample.blocks.reshape(BANDS, -1).mean(axis=1))
    found = {
        tuple(np.rint((block.max(axis=1) - mean) / share / 20))
        for block in rare.blocks[:, -3:].swapaxes(0, 1)
    }
    wanted = {tuple(np.rint((cube[:, y : y + 8, x : x + 8].max(axis=(1, 2)) - mean) / 20)) for y, x in ships}
    assert np.abs(np.array(sorted(found)) - np.array(sorted(wanted))).max() <= 1
    # Smaller samples keep them.
    np.testing.assert_array_equal(rare.thinned(50)[:, -3:], rare.blocks[:, -3:])
    assert rare.few.shape[1] <= 512 + 3


def test_blocks_at_the_edge_are_found_and_filled():
    ships = [(LINES - 3, SAMPLES - 2)]
    source = ArraySource(sea(ships))
    sample = sample_blocks(source)
    if LINES // 8 in sample.rows:
        sample = sample_blocks(source, most=64)
    rare = add_rare_blocks(sample, source, WHOLE)
    assert rare.added == 1
    assert rare.blocks.shape[2] == 64


@pytest.mark.parametrize("value", [65535, 0])
def test_single_samples_far_off_are_found_in_any_band(value):
    """A number that fell below zero and became the highest: in most bands of its pixel nothing is amiss."""
    (line, column), *_ = unsampled(1)
    cube = sea() + np.uint16(9000)
    cube[13, line + 3, column + 5] = value
    source = ArraySource(cube)
    rare = add_rare_blocks(sample_blocks(source), source, WHOLE)
    assert rare.added == 1
    decoded = Decoder(Encoder(bps=0.3).encode(cube), restore="off").decode()
    assert abs(int(decoded[13, line + 3, column + 5]) - value) < 500


def test_other_spectra_are_new_where_stronger_ones_are_sampled():
    """One kind of ship in the sample is not to hide another kind."""
    (line, column), *_ = unsampled(1)
    cube = sea([(line, column)])
    sampled = sample_blocks(ArraySource(cube)).rows[3] * 8
    other = np.round(3000 * np.abs(np.cos(np.linspace(0, 5, BANDS)))).astype(np.uint16)
    cube[:, sampled : sampled + 8, ::8] += other[:, None, None]
    source = ArraySource(cube)
    rare = add_rare_blocks(sample_blocks(source), source, WHOLE)
    ship = np.rint(rare.blocks[:, -1].max(axis=1) - rare.blocks.mean(axis=(1, 2)))
    assert rare.added == 1
    assert np.corrcoef(ship, SHIP)[0, 1] > 0.95


def test_no_more_are_added_than_a_part_of_the_sample():
    source = ArraySource(sea(unsampled(60)))
    sample = sample_blocks(source)
    rare = add_rare_blocks(sample, source, WHOLE)
    assert 0 < rare.added <= sample.blocks.shape[1] // 20


@pytest.mark.parametrize("effort", [3, 5])
def test_ships_keep_their_spectra_at_low_rates(effort):
    (line, column), *_ = ships = unsampled(1)
    cube = sea(ships)
    decoded = Decoder(Encoder(bps=0.05, effort=effort).encode(cube), restore="off").decode()
    error = (
        decoded[:, line : line + 3, column : column + 2].astype(float)
        - cube[:, line : line + 3, column : column + 2]
    )
    assert np.sqrt(np.mean(error**2)) < 60 < 0.1 * np.sqrt(np.mean(SHIP**2))
    threads = [Encoder(bps=0.05, effort=effort, threads=count).encode(cube) for count in (1, 2)]
    assert threads[0] == threads[1]
