"""Segments of CCSDS 122: two blocks by hand, and both halves of the codec against each other."""

import contextlib

import numpy as np
import pytest

from bandfold.benchmarks.ccsds122.blocks import SHIFTS, column_shifts
from bandfold.benchmarks.ccsds122.depths import dc_depth, dc_quantiser
from bandfold.benchmarks.ccsds122.header import NO_LIMITS, Limits
from bandfold.benchmarks.ccsds122.image import Settings, decode_image, encode_image
from bandfold.benchmarks.ccsds122.segment_encoder import SegmentEncoder
from bandfold.common.errors import BudgetError, SceneError, SettingsError, StreamError

FLAT = np.zeros(64, np.int64)


def smooth(shape, kind="uint16", amplitude=3000):
    image = np.random.default_rng(4).normal(size=shape).cumsum(axis=0).cumsum(axis=1)
    image *= amplitude / np.abs(image).max()
    image += np.random.default_rng(5).normal(0, 2, shape)
    image -= 0 if kind.startswith("i") else image.min()
    return np.clip(np.rint(image), np.iinfo(kind).min, np.iinfo(kind).max).astype(kind)


def error(image, data):
    return float(((decode_image(data)[0].astype(float) - image) ** 2).mean())


def bits(blocks, shifts=FLAT):
    return "".join(map(str, np.concatenate(list(SegmentEncoder(np.array(blocks), shifts).parts(NO_LIMITS)))))


def block(**columns):
    values = FLAT.copy()
    for name, value in columns.items():
        values[int(name[1:])] = value
    return values


def test_a_parent_by_hand():
    # DC; depth of the block; code 0 of words of three bits and the word 100; its sign; no descendants.
    assert bits([block(c1=1)]) == "010000100"


def test_a_grandchild_by_hand():
    # Words 000 of parents, then 1, 001 of families (symbol 3) and 0000 of children, then 1, fours 1000
    # and types 0010.
    # Code of three bits: 0 takes 2 + 5, 1 takes 2 + 3, uncoded 6: code 1, "11" and "011".
    # Of four bits: children 0000 (symbol 10), fours 1000 (symbol 0), types 0010 (symbol 3): codes take
    # 8 + 1 + 4, 6 + 2 + 3, 5 + 3 + 3, 12: code 1, "000100", "10", "011".
    assert bits([block(c50=-1)]) == "01" + "0111" + "1011" + "01000100" + "1" + "10" + "0111"


def test_depths_and_quantisers():
    assert [dc_depth(np.array([value])) for value in (0, -1, 1, -2, 127, -128, 128)] == [1, 1, 2, 2, 8, 8, 9]
    assert [dc_quantiser(*pair, 0) for pair in ((3, 9), (8, 13), (17, 4), (14, 8))] == [0, 5, 7, 5]
    assert dc_quantiser(3, 0, 3) == 3


@pytest.mark.parametrize("kind", ["uint8", "uint16", "int16"])
@pytest.mark.parametrize("segment", [0, 16, 21])
def test_nothing_is_lost_without_a_limit(kind, segment):
    image = smooth((41, 90), kind, 120 if kind == "uint8" else 30000)
    data = encode_image(image, Settings(reversible=True, segment_blocks=segment))
    again, end = decode_image(b"before" + data + b"behind", 6)
    assert end == 6 + len(data)
    assert again.dtype == image.dtype
    assert (again == image).all()
    assert np.abs(decode_image(encode_image(image))[0].astype(int) - image).max() <= 1


def test_noise_and_extremes_come_back():
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 65536, (24, 33)).astype(np.uint16)
    for image in (
        noise,
        noise // 65535 * 65535,
        np.full((17, 17), 65535, np.uint16),
        np.zeros((19, 30), np.int16),
    ):
        assert (decode_image(encode_image(image, Settings(reversible=True)))[0] == image).all()


@pytest.mark.parametrize("reversible", [False, True])
@pytest.mark.parametrize("segment", [0, 20])
def test_every_limit_is_kept_and_decodes(reversible, segment):
    image = smooth((40, 61))
    blocks = 40
    whole = len(encode_image(image, Settings(reversible, segment)))
    share = (segment or blocks) / blocks
    errors = []
    for budget in range(60, whole + 300, 61):
        data = encode_image(image, Settings(reversible, segment, Limits(int(budget * share))))
        assert len(data) <= budget
        assert decode_image(data + b"behind")[1] == len(data)
        errors.append(error(image, data))
    # A point within a stage may lose a little against the one before it.
    assert all(after <= 1.5 * before for before, after in zip(errors[:-3], errors[3:], strict=True))
    assert errors[-1] <= (0 if reversible else 0.5)


def test_the_end_is_found_wherever_a_number_is_cut_off():
    for image in (smooth((17, 30)), smooth((17, 30), "int16", 30000), np.full((17, 30), 900, np.uint16)):
        for budget in range(20, 160, 3):
            data = encode_image(image, Settings(limits=Limits(budget)))
            assert decode_image(data + b"\xff" * 20)[1] == len(data) <= budget


def test_a_limit_cuts_what_would_be_coded_anyway():
    image = smooth((40, 61))
    whole, cut = encode_image(image), encode_image(image, Settings(limits=Limits(700)))
    assert len(cut) == 700
    assert whole[20:700] == cut[20:]
    # Without its end a file is as if it had been coded to that limit.
    assert error(image, whole[:700]) == error(image, cut)


def test_segments_end_at_a_plane_a_stage_or_before_all_planes():
    image = smooth((40, 61))
    sizes, errors = [], []
    for limits in (
        Limits(dc_only=True),
        *(Limits(plane=4, stage=stage) for stage in range(1, 5)),
        Limits(plane=3),
    ):
        data = encode_image(image, Settings(limits=limits))
        assert decode_image(data + bytes(9))[1] == len(data)
        sizes.append(len(data))
        errors.append(error(image, data))
    assert sizes == sorted(sizes)
    assert errors == sorted(errors, reverse=True)


def test_zeros_fill_a_segment():
    image = np.full((20, 20), 7, np.uint16)
    data = encode_image(image, Settings(limits=Limits(200, fill=True)))
    assert len(data) == 200
    again, end = decode_image(data)
    assert end == 200
    assert (again == image).all()


def test_weights_are_those_of_the_subbands():
    columns = column_shifts(SHIFTS)
    assert columns[:16].tolist() == [3, 3, 3, 2, *[2] * 8, *[1] * 4]
    assert columns[16:].tolist() == [1] * 32 + [0] * 16


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: encode_image(np.zeros((16, 40), np.uint16)), (SceneError, "17 x 17")),
        (lambda: encode_image(np.zeros((20, 20), np.int32)), (SceneError, "int32")),
        (lambda: encode_image(smooth((20, 20)), Settings(segment_blocks=5)), (SettingsError, "16 to")),
        (lambda: encode_image(smooth((20, 20)), Settings(limits=Limits(19))), (BudgetError, "20 bytes")),
        (lambda: decode_image(b"\xff" * 12), (StreamError, "within the header")),
        (lambda: decode_image(bytes(40)), (StreamError, "does not say")),
    ],
)
def test_what_cannot_be_coded_is_told(make, said):
    kind, words = said
    with pytest.raises(kind, match=words):
        make()


def test_damaged_data_ends_in_samples_or_in_a_typed_error():
    data = bytearray(encode_image(smooth((40, 61)), Settings(limits=Limits(900))))
    rng = np.random.default_rng(2)
    for _ in range(40):
        broken = data.copy()
        broken[rng.integers(20, 900)] ^= 1 << rng.integers(8)
        with contextlib.suppress(StreamError):
            assert decode_image(bytes(broken))[0].shape == (40, 61)
