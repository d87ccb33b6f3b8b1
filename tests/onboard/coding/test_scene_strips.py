"""Strips of a scene: where their large arrays lie changes no byte."""

from itertools import pairwise

import numpy as np
import pytest

from bandfold.bitstream.container.header import STEP_UNIT
from bandfold.bitstream.container.segment_layout import SegmentHeader
from bandfold.common.workers import Workers
from bandfold.onboard import Encoder
from bandfold.onboard.coding import scene_strips
from bandfold.onboard.coding.scene_coder import SceneCoder
from bandfold.onboard.coding.strip_coder import CodedStrip
from bandfold.onboard.planning.plan import Plan
from bandfold.onboard.samples.samples import ArraySource, Samples
from bandfold.synthetic.scenes import SyntheticScene

SCENE = SyntheticScene(40, 48, 24, seed=5).read(slice(0, 24), slice(0, 40))


@pytest.mark.parametrize("target", [{"bps": 0.6}, {"psnr": 60.0}, {"lossless": True}])
def test_strips_that_share_memory_are_those_that_do_not(monkeypatch, target):
    usual = Encoder(**target, strip_lines=16).encode(SCENE)
    monkeypatch.setattr(scene_strips, "LATENTS_KEPT", 0)
    for threads in (1, 3):
        assert Encoder(**target, strip_lines=16, threads=threads).encode(SCENE) == usual


def test_what_is_forgotten_is_found_again():
    from bandfold.onboard.planning.block_sample import sample_blocks
    from bandfold.onboard.planning.scene_planner import ScenePlanner

    planner = ScenePlanner(sample_blocks(ArraySource(SCENE)), None)
    before = planner.plan(9.0)
    planner.forget()
    after = planner.plan(14.0)
    again = ScenePlanner(planner.sample, None).plan(14.0)
    assert before.fold.components >= after.fold.components
    np.testing.assert_array_equal(after.fold.second.codes, again.fold.second.codes)


class _Counting:
    """Codes strips without doing anything, and says what was asked of it."""

    latents_per_pixel = 1.0
    workers = Workers(2)

    def __init__(self):
        self.analysed, self.coded = [], []

    def analyse(self, samples, lines, memory=None):
        self.analysed.append(lines.start)
        return lines.start

    def code(self, analysed, place, step, *, errors, memory=None):
        self.coded.append((place.index, analysed, step))
        return CodedStrip(bytes([place.index]), 0.0)


def _strips(coder, heights):
    starts = np.cumsum([0, *heights]).tolist()
    samples = ArraySource(np.zeros((1, sum(heights), 8), np.uint16))
    parts = [
        scene_strips.Strip(samples, slice(start, end), SegmentHeader(index, 0, None), coder, max(heights))
        for index, (start, end) in enumerate(pairwise(starts))
    ]
    return scene_strips.SceneStrips(Plan(1.0, ()), parts, samples.info.lines * 8)


def _coder_of(method, strips):
    samples = Samples.of(strips.part(0).samples)
    return SceneCoder(samples, method, None, 8, lambda stage, done: None)


@pytest.mark.parametrize("kept", [0, 1 << 20])
def test_a_strip_is_begun_before_its_step_is_known(monkeypatch, kept):
    monkeypatch.setattr(scene_strips, "LATENTS_KEPT", kept)
    counting = _Counting()
    strips = _strips(counting, [8] * 5)
    coder = _coder_of(counting, strips)
    with counting.workers.kept():
        coded = coder.code_strips(strips, 10 * STEP_UNIT, range(2), errors=False)
        coded += coder.code_strips(strips, 20 * STEP_UNIT, range(2, 4), errors=False)
    assert [strip.payload for strip in coded] == [b"\x00", b"\x01", b"\x02", b"\x03"]
    # One strip for the other thread, and that one once only.
    assert sorted(counting.analysed) == [0, 8, 16, 24, 32]
    assert sorted(counting.coded) == [(0, 0, 10), (1, 8, 10), (2, 16, 20), (3, 24, 20)]


def test_one_thread_begins_with_nothing_ahead():
    counting = _Counting()
    counting.workers = Workers(1)
    strips = _strips(counting, [8] * 3)
    _coder_of(counting, strips).code_strips(strips, 10, range(2), errors=False)
    assert counting.analysed == [0, 8]


def test_strips_that_take_longest_come_first():
    counting = _Counting()
    counting.workers = Workers(1)
    strips = _strips(counting, [8, 16, 8, 24])
    coded = _coder_of(counting, strips).code_strips(strips, 10, errors=False)
    assert [place for place, _, _ in counting.coded] == [3, 1, 0, 2]
    assert [strip.payload for strip in coded] == [b"\x00", b"\x01", b"\x02", b"\x03"]
