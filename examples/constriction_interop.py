"""Read the entropy-coded words of a stream with the `constriction` library, without bandfold's own coder.

The words of the format are those of constriction's AnsCoder, so a decoder can be written with it. Here it
reads the side information of a FOLD section, as docs/format.md says under "Payloads" and "FOLD".
"""

import sys
from pathlib import Path

import numpy as np

import bandfold
from bandfold.bitstream.container.sections import Section, read_sections

try:
    import constriction
except ImportError:
    sys.exit("skipped: this example needs constriction: pip install 'bandfold[constriction]'")

cube = np.add.outer(np.arange(6) * 700, np.arange(16 * 16).reshape(16, 16) * 3).astype(np.uint16)
stream = bandfold.Encoder(step=4, spectral="none", quantiser="uniform").encode(cube)

# The tables of the format: frequencies that sum to 2**24. constriction gives each symbol one unit and spreads
# the rest by probability, so f - 1 reproduces the frequencies exactly.
tables = np.load(Path(bandfold.__file__).parent / "bitstream" / "data" / "tables.npz")["side_frequencies"]
categorical = constriction.stream.model.Categorical
models = [categorical(row - 1.0, perfect=False) for row in tables.astype(np.float64)]

# FOLD: its number, the number of words (both below 128 here, so one byte each), words, raw bits.
(fold,) = [one.payload for one in read_sections(stream) if one.kind == Section.FOLD]
end = 2 + 4 * fold[1]
words = np.frombuffer(fold[2:end], "<u4").astype(np.uint32)
bits = iter(np.unpackbits(np.frombuffer(fold[end:], np.uint8)).tolist())
coder = constriction.stream.stack.AnsCoder(
    words[::-1].copy()
)  # a stack: constriction takes words from its end


def integers(count: int, mean: int, signed: bool) -> list[int]:
    """Read integers as "integers(n, mean, signed)" of docs/format.md says."""
    values = []
    for _ in range(count):
        token = int(coder.decode(models[min(max((mean * mean).bit_length() - 9, 0), 39)]))
        octave = (token - 16) // 2
        value = token if token < 16 else (2 + token % 2) << (octave + 3)
        for width in range(octave + 2, -1, -1) if token >= 16 else ():
            value += next(bits) << width
        values.append(value)
        mean = max(mean + ((256 * value - mean) >> 3), 1)
    return [-one if signed and one and next(bits) else one for one in values]


(intervals,) = integers(1, 2048, False)
lengths = integers(intervals, 8192, False)
(shift,) = integers(1, 2048, False)
means = np.cumsum(integers(sum(lengths), 16384, True)) << shift
print(f"{intervals} interval(s) of {lengths} bands, means {(means / 64).tolist()} counts")
same = coder.is_empty() and (means == bandfold.Decoder(stream).fold.means).all()
print("as bandfold reads them:", bool(same))
