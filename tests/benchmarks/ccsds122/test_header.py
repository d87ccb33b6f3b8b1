"""Headers of segments: bytes by hand, and what they say read back."""

import pytest

from bandfold.benchmarks.ccsds122.header import Header, Image, Limits, Size, read_header
from bandfold.common.errors import StreamError

IMAGE = Image(reversible=False, signed=False, depth=16, samples=614)


def test_bytes_by_hand():
    header = Header(True, True, 0, 17, 13, 3, Limits(5000), Size(4928), IMAGE)
    parts = (
        "1" "1" "00000000" "10001" "01101" "0" "111"  # part 1A
        "011" "00000"  # part 1B: lines of padding
        f"{5000:027b}" "0" "00000" "11" "0" "0000"  # part 2
        f"{4928:020b}" "1" "1" "00"  # part 3
        "0" "0" "0" "0" "0000" f"{614:020b}" "0" "000" "0" f"{0:020b}{0:011b}"  # part 4
    )  # fmt: skip
    assert "".join(f"{byte:08b}" for byte in header.pack()) == parts
    assert read_header(header.pack() + b"more", 0) == (header, 20)


@pytest.mark.parametrize(
    "header",
    [
        Header(False, False, 3, 1, 0),
        Header(False, True, 255, 20, 17, 0, size=Size(17, best_dc=False)),
        Header(True, False, 0, 9, 2, limits=Limits(dc_only=True, plane=7, stage=2, fill=True)),
        Header(
            True,
            False,
            0,
            9,
            2,
            image=Image(True, True, 12, 1 << 20, True, 64, (3, 1, 1, 0, 2, 2, 1, 0, 0, 0)),
        ),
        Header(True, False, 0, 9, 2, image=Image(True, False, 28, 100, word=40)),
    ],
)
def test_headers_come_back(header):
    data = bytes(5) + header.pack()
    assert read_header(data, 5) == (header, len(data) - 5)


def test_a_header_that_is_cut_off_is_told():
    with pytest.raises(StreamError, match="within the header"):
        read_header(Header(True, True, 0, 17, 13, 3, Limits(5000), Size(4928), IMAGE).pack()[:11], 0)
