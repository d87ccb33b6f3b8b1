import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.payloads.payload import PayloadReader, PayloadWriter
from bandfold.bitstream.payloads.prediction_code import (
    COARSEST_SHIFT,
    read_predictions,
    weight_shift,
    write_predictions,
)
from bandfold.bitstream.transforms.band_order import Hierarchy
from bandfold.bitstream.transforms.band_prediction import LARGEST_WEIGHT, Prediction
from bandfold.common.errors import StreamError

TABLES = load_tables()
ORDER = Hierarchy((2, 2)).bands(11)


def _written(predictions, shift):
    payload = PayloadWriter(TABLES)
    write_predictions(payload, predictions, shift)
    return PayloadReader(TABLES, payload.data())


@settings(max_examples=60, deadline=None)
@given(data=st.data(), shift=st.integers(0, COARSEST_SHIFT))
def test_what_is_written_is_read(data, shift):
    predictions = []
    for one in ORDER:
        count = data.draw(st.integers(0, len(one.references)))
        units = [1 << weight_shift(place, shift) for place in range(count)]
        weights = tuple(
            data.draw(st.integers(-(LARGEST_WEIGHT // unit), LARGEST_WEIGHT // unit)) * unit for unit in units
        )
        predictions.append(Prediction(weights, data.draw(st.integers(-300, 300))))
    reader = _written(predictions, shift)
    assert read_predictions(reader, ORDER) == (tuple(predictions), shift)
    reader.finish()


def test_bands_that_look_alike_cost_little():
    alike = [Prediction((512, 512), 0) if len(one.references) > 1 else Prediction() for one in ORDER]
    other = [
        Prediction((512 + 37 * number, 512 - 29 * number), number)
        if len(one.references) > 1
        else Prediction()
        for number, one in enumerate(ORDER)
    ]
    sizes = []
    for predictions in (alike, other):
        payload = PayloadWriter(TABLES)
        write_predictions(payload, predictions, 0)
        sizes.append(len(payload.data()))
    assert sizes[0] < sizes[1] / 2


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[COARSEST_SHIFT + 1]], "units of 2"),
        ([[0], [1] * 11], "more bands than it may"),
        ([[0], [0] * 11, [1 << 21] + [0] * 10], "out of range"),
        ([[0], [0, 1] + [0] * 9, [0] * 11, [LARGEST_WEIGHT]], "out of range"),
    ],
)
def test_damage_is_found(values, message):
    payload = PayloadWriter(TABLES)
    means = (512, 512, 128, 2048)
    for number, (integers, mean) in enumerate(zip(values, means, strict=False)):
        payload.integers(integers, mean, signed=number > 1)
    # What is still to be read is zeros.
    with pytest.raises(StreamError, match=message):
        read_predictions(PayloadReader(TABLES, payload.data()), ORDER)
