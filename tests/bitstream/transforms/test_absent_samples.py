"""A sample without data is the no-data value, and no other sample ever is."""

import numpy as np
import pytest

from bandfold.bitstream.transforms.scaling import mark_no_data
from bandfold.common.scene import Scaling, SceneInfo
from bandfold.ground import Decoder
from bandfold.onboard import ArraySource, Encoder


@pytest.mark.parametrize(
    ("dtype", "scaling", "marker"),
    [
        ("float32", Scaling(1e-9, 1.0), 1.0),
        ("float32", Scaling(1e-9, -9999.0), -9999.0),
        ("float32", Scaling(1e30, 0.0), float(np.finfo("f4").max)),
        ("float64", Scaling(1e-20, 7.0), 7.0),
        ("int32", Scaling(0.01, 5.0), 5.0),
        ("int32", Scaling(1e9, 0.0), 2.0**31 - 1),
        ("uint32", Scaling(1e-3, 0.0), 0.0),
        ("float32", Scaling(0.5, 0.0), 0.1),
    ],
)
def test_present_samples_never_are(dtype, scaling, marker):
    counts = np.arange(-32768, 32768, dtype=np.int16).reshape(1, 256, 256)
    info = SceneInfo(1, 256, 256, np.dtype(dtype), scaling=scaling, no_data=marker)
    absent = np.zeros(counts.shape, bool)
    absent[0, 7] = True
    found = mark_no_data(counts, absent, info)
    np.testing.assert_array_equal(found == np.array(marker).astype(dtype), absent)


def test_through_the_codec():
    cube = np.full((4, 16, 16), 9999.0, np.float32)
    cube[:, ::2, ::3] = np.nextafter(np.float32(9999), np.float32(0))
    cube[:, 5, 5] = 9998.0
    cube[:, 3:5] = -9999
    cube[1, 9, 9] = np.nextafter(np.float32(-9999), np.float32(0))
    for scaling in (None, Scaling(1.0)):
        data = Encoder(step=8.0).encode(ArraySource(cube, scaling=scaling, no_data=-9999.0))
        found = Decoder(data, restore="off").decode()
        np.testing.assert_array_equal(found == -9999, cube == -9999)
