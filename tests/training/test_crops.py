"""Crops lie in the plane, in all eight orientations."""

import numpy as np

from bandfold.training.crops import draw_crop


def test_crops_are_parts_of_the_plane_in_every_orientation():
    plane = np.arange(30, dtype=np.float32).reshape(5, 6)
    whole = {
        tuple(turned[line : line + 5, sample : sample + 5].ravel())
        for mirrored in (plane, plane[:, ::-1])
        for turned in (np.rot90(mirrored, turns) for turns in range(4))
        for line in range(turned.shape[0] - 4)
        for sample in range(turned.shape[1] - 4)
    }
    rng = np.random.default_rng(0)
    drawn = {tuple(draw_crop(plane, 5, rng).ravel()) for _ in range(400)}
    assert drawn == whole
    assert len(drawn) == 16


def test_a_plane_smaller_than_the_crop_is_mirrored():
    plane = np.array([[1, 2]], dtype=np.float32)
    crop = draw_crop(plane, 4, np.random.default_rng(1))
    assert crop.shape == (4, 4)
    assert sorted(crop.ravel()) == [1] * 8 + [2] * 8


def test_leading_axes_are_kept_together():
    plane = np.arange(64, dtype=np.float32).reshape(8, 8)
    crop = draw_crop(np.stack([plane, plane + 100]), 3, np.random.default_rng(2))
    np.testing.assert_array_equal(crop[1], crop[0] + 100)
