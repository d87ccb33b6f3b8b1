"""Headers come back field by field; reserved bits and impossible values are refused."""

import math
import struct
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.bitstream.container.header import (
    DTYPES,
    LARGEST_DIMENSION,
    MOST_BANDS,
    CodingTools,
    Header,
    PackageReference,
)
from bandfold.bitstream.container.sections import write_varint
from bandfold.common.errors import StreamError
from bandfold.common.scene import CODED_DTYPES, Scaling, SceneInfo

FINITE = st.floats(allow_nan=False, allow_infinity=False)
SIZE = st.integers(1, 300) | st.integers(1, LARGEST_DIMENSION)


HASH = st.binary(min_size=8, max_size=8)
FOLDED, BANDED = CodingTools(True, "dct8"), CodingTools(False, "dct8")


@st.composite
def headers(draw):
    dtype = draw(st.sampled_from(DTYPES))
    scaling = None
    if dtype not in CODED_DTYPES:
        counts = np.dtype(draw(st.sampled_from(["int16", "uint16"])))
        scaling = Scaling(draw(FINITE.filter(bool)), draw(FINITE), counts)
    info = SceneInfo(
        draw(st.integers(1, MOST_BANDS)),
        draw(SIZE),
        draw(SIZE),
        dtype,
        interleave=draw(st.sampled_from(["bsq", "bil", "bip"])),
        byte_order=draw(st.sampled_from(["little", "big"])),
        scaling=scaling,
        no_data=draw(st.none() | FINITE),
    )
    model, sensor = (draw(st.text(st.characters(codec="utf-8"), max_size=8)) for _ in range(2))
    if draw(st.booleans()):
        model = ""
    elif model:
        sensor = ""
    spectral = not model and (bool(sensor) or draw(st.booleans()))
    transform = draw(st.sampled_from(["planes16", "predicted8"])) if model else "dct8"
    weighted = ((spectral and not sensor) or transform == "predicted8") and draw(st.booleans())
    regional = not model and draw(st.booleans())
    return Header(
        info,
        8 * draw(SIZE),
        draw(st.integers(1, (1 << 64) - 1)),
        CodingTools(spectral, transform, weighted=weighted, regional=regional),
        draw(HASH),
        PackageReference(model, draw(HASH)) if model else None,
        PackageReference(sensor, draw(HASH)) if sensor else None,
    )


@settings(max_examples=150, deadline=None)
@given(headers())
def test_any_header_comes_back(header):
    assert Header.unpack(header.pack()) == header


@settings(max_examples=20, deadline=None)
@given(headers())
def test_an_open_header_does_not_tell_the_lines(header):
    packed = replace(header, open=True).pack()
    assert Header.unpack(packed) == replace(header, open=True, info=replace(header.info, lines=1))
    assert packed != replace(header, info=replace(header.info, lines=1)).pack()


@settings(max_examples=30, deadline=None)
@given(headers(), st.data())
def test_truncated_or_prolonged_headers_are_refused(header, data):
    # A name that is cut has a test of its own, below.
    tools = replace(header.tools, transform="dct8")
    payload = replace(header, tools=tools, model=None, sensor=None).pack()
    for wrong in (payload[: data.draw(st.integers(0, len(payload) - 1))], payload + b"\0"):
        with pytest.raises(StreamError):
            Header.unpack(wrong)


def test_names_that_are_cut_are_refused():
    sensor, model = b"\0" + b"\x02sn12345678", b"\x01m12345678"
    assert Header.unpack(_payload(flags=33, tail=sensor)).sensor == PackageReference("sn", b"12345678")
    assert Header.unpack(_payload(transform=1, tail=model)).model == PackageReference("m", b"12345678")
    for names, fields in ((sensor, {"flags": 33}), (model, {"transform": 1})):
        for length in range(len(names)):
            with pytest.raises(StreamError):
                Header.unpack(_payload(**fields, tail=names[:length]))


def test_a_header_may_name_a_model_or_a_sensor():
    info = SceneInfo(2, 3, 4, np.dtype("uint8"))
    header = Header(info, 8, 256, FOLDED, b"ABCDEFGH", None, PackageReference("sn", b"abcdefgh"))
    assert header.pack() == _payload(flags=33, tail=b"\0\x02snabcdefgh")
    header = Header(
        info, 8, 256, CodingTools(False, "planes16"), b"ABCDEFGH", PackageReference("m", b"12345678")
    )
    assert header.pack() == _payload(transform=1, tail=b"\x01m12345678")


@pytest.mark.parametrize("value", [math.nan, math.inf, -0.0, 1e300, 5e-324])
def test_any_no_data_value_comes_back(value):
    info = SceneInfo(1, 1, 1, np.dtype("uint8"), no_data=value)
    found = Header.unpack(Header(info, 8, 1, FOLDED, b"12345678").pack()).info.no_data
    assert struct.pack("<d", found) == struct.pack("<d", value)


def _payload(
    flags=0,
    dtype=0,
    layout=0,
    transform=0,
    quantiser=0,
    sizes=(2, 3, 4, 1, 256),
    tables=b"ABCDEFGH",
    extra=b"",
    tail=b"\0",
):
    head = bytes([flags, dtype, layout, transform, quantiser])
    return head + b"".join(write_varint(size) for size in sizes) + tables + extra + tail


def test_bytes_of_a_header():
    info = SceneInfo(2, 3, 4, np.dtype("uint8"))
    assert Header(info, 8, 256, BANDED, b"ABCDEFGH").pack() == _payload()
    assert Header(info, 8, 256, BANDED, b"ABCDEFGH", open=True).pack() == _payload(sizes=(2, 0, 4, 1, 256))
    scaled = SceneInfo(
        300, 3, 4, np.dtype("float32"), interleave="bip", byte_order="big",
        scaling=Scaling(0.5, -1.0, np.dtype("uint16")), no_data=-9999.0,
    )  # fmt: skip
    packed = Header(scaled, 64, 2560, FOLDED, b"ABCDEFGH").pack()
    extra = struct.pack("<ddd", 0.5, -1.0, -9999.0)
    assert packed == _payload(29, 6, 6, 0, 0, (300, 3, 4, 8, 2560), extra=extra)


def test_strips_cover_the_lines():
    info = SceneInfo(1, 37, 1, np.dtype("uint8"))
    header = Header(info, 16, 1, FOLDED, b"ABCDEFGH")
    assert [header.strip(index) for index in range(header.strip_count)] == [
        slice(0, 16),
        slice(16, 32),
        slice(32, 37),
    ]
    assert header.step == 1 / 256


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"flags": 64}, "does not fit|do not fit"),
        ({"flags": 68, "dtype": 6, "extra": struct.pack("<ddB", 1, 0, 0)}, "scalings of 0 bands"),
        ({"flags": 68, "dtype": 6, "extra": struct.pack("<ddB", 1, 0, 200)}, "corrupt"),
        ({"flags": 68, "dtype": 6, "extra": struct.pack("<ddBBBd", 1, 0, 1, 9, 1, 0)}, "not there"),
        (
            {"flags": 68, "dtype": 6, "extra": struct.pack("<ddBBBd", 1, 0, 1, 0, 1, math.nan)},
            "scaling of band",
        ),
        (
            {"flags": 68, "dtype": 6, "extra": struct.pack("<ddBBBd", 1e300, 0, 1, 0, 99, 0)},
            "scaling of band",
        ),
        ({"flags": 2, "transform": 1, "tail": b"\x01m12345678"}, "weights of blocks beside a model"),
        ({"flags": 128}, "weights of bands for no fold"),
        ({"flags": 128, "transform": 1, "tail": b"\x01m12345678"}, "weights of bands for no fold"),
        ({"flags": 161, "tail": b"\0\x01s12345678"}, "weights of bands for no fold"),
        ({"quantiser": 1}, "corrupt"),
        ({"quantiser": 2}, "corrupt"),
        ({"quantiser": 3, "flags": 1}, "corrupt"),
        ({"layout": 8}, "reserved"),
        ({"layout": 128}, "reserved"),
        ({"layout": 3}, "corrupt"),
        ({"dtype": 8}, "corrupt"),
        ({"dtype": 255}, "corrupt"),
        ({"transform": 2}, "corrupt"),
        ({"transform": 1}, "does not fit its model"),
        ({"tail": b"\x01m12345678"}, "does not fit its model"),
        ({"transform": 1, "flags": 1, "tail": b"\x01m12345678"}, "does not fit its model"),
        ({"dtype": 6}, "scaling"),
        ({"flags": 4, "extra": struct.pack("<dd", 1, 0)}, "remove the scaling"),
        ({"flags": 4, "dtype": 6, "extra": struct.pack("<dd", 0, 0)}, "scale"),
        ({"flags": 4, "dtype": 6, "extra": struct.pack("<dd", math.nan, 0)}, "scale"),
        ({"flags": 4, "dtype": 6, "extra": struct.pack("<dd", 1, math.inf)}, "offset"),
        ({"sizes": (0, 3, 4, 1, 256)}, "corrupt"),
        ({"sizes": (2, 3, 0, 1, 256)}, "corrupt"),
        ({"sizes": (2, 3, 4, 0, 256)}, "corrupt"),
        ({"sizes": (2, 3, 4, 1, 0)}, "corrupt"),
        ({"sizes": (MOST_BANDS + 1, 3, 4, 1, 256)}, "corrupt"),
        ({"sizes": (2, LARGEST_DIMENSION + 1, 4, 1, 256)}, "corrupt"),
        ({"sizes": (2, 3, (1 << 64) - 1, 1, 256)}, "corrupt"),
        ({"sizes": (2, 3, 4, LARGEST_DIMENSION + 1, 256)}, "corrupt"),
        ({"tail": b"\x02\xff\xff12345678"}, "corrupt"),
        ({"tail": b"\x01m1234567"}, "hash of a package"),
        ({"flags": 32, "tail": b"\0\x01s12345678"}, "for no fold"),
        ({"flags": 33, "tail": b"\0\0"}, "for no fold"),
        ({"flags": 33, "tail": b"\0\x02s12345678"}, "corrupt"),
        ({"tail": b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01m12345678"}, "name of a package"),
        ({"tail": b"\0ABCDEFGH"}, "length"),
    ],
)
def test_impossible_headers_are_refused(fields, message):
    with pytest.raises(StreamError, match=message):
        Header.unpack(_payload(**fields))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
def test_noise_is_a_header_or_a_stream_error(data):
    try:
        header = Header.unpack(data)
    except StreamError:
        return
    assert header.info.count >= 1
