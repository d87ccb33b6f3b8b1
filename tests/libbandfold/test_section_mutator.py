"""What libFuzzer changes of a stream lies behind right checksums, and refinements go with their segments."""

import ctypes
import subprocess
from pathlib import Path

import pytest

from bandfold.benchmarks.damage.mutations import sections
from bandfold.bitstream.container.refinement_layout import Refinement, segment_checksum
from bandfold.bitstream.container.sections import Section, read_sections

from .c_library import COMPILER, LIBRARY

GOLDEN = Path(__file__).parents[1] / "golden"

LIBFUZZER = """
#include <stddef.h>
#include <stdint.h>
/* In place of libFuzzer's own: the last byte is changed, and two are put behind it. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room)
{
    if (size)
        data[size - 1] ^= 1;
    for (int n = 0; n < 2 && size < room; n++)
        data[size++] = 7;
    return size;
}
"""


@pytest.fixture(scope="module")
def mutate(tmp_path_factory):
    if COMPILER is None:
        pytest.skip("there is no C compiler")
    folder = tmp_path_factory.mktemp("mutator")
    (folder / "libfuzzer.c").write_text(LIBFUZZER)
    files = [LIBRARY / "fuzz" / "section_mutator.c", LIBRARY / "source" / "byte_reader.c"]
    command = [COMPILER, "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    command += [f"-I{LIBRARY / 'source'}", "-o", folder / "mutator.so", folder / "libfuzzer.c", *files]
    subprocess.run(command, check=True)
    call = ctypes.CDLL(str(folder / "mutator.so")).LLVMFuzzerCustomMutator
    call.restype = ctypes.c_size_t
    call.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_uint]

    def mutate(data, seed, spare=100):
        memory = ctypes.create_string_buffer(data, len(data) + spare)
        size = call(memory, len(data), len(data) + spare, seed)
        return memory.raw[:size]

    return mutate


def test_one_section_is_changed_and_all_are_intact(mutate):
    data = (GOLDEN / "streamed.bndf").read_bytes()
    before = sections(data)
    changed = set()
    for seed in range(1, 5 * len(before), 5):
        found = mutate(data, seed)
        assert all(section.intact for section in read_sections(found))
        after = sections(found)
        places = [n for n, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
        assert places == [seed // 5 % len(before)]
        kind, payload = before[places[0]]
        last = bytes([payload[-1] ^ 1]) if payload else b""
        assert after[places[0]] == (kind, payload[:-1] + last + b"\7\7")
        changed.update(places)
    assert changed == set(range(len(before)))


def test_refinements_go_with_their_segments(mutate):
    data = (GOLDEN / "lossless.bndf").read_bytes()
    kinds = [kind for kind, _ in sections(data)]
    seed = 5 * kinds.index(Section.SEGMENT) + 1
    after = sections(mutate(data, seed))
    assert after != sections(data)
    segments = {payload[0]: segment_checksum(payload) for kind, payload in after if kind == Section.SEGMENT}
    found = [Refinement.unpack(payload) for kind, payload in after if kind == Section.REFINEMENT]
    assert found
    assert all(one.segment == segments[one.index] for one in found)


def test_everything_else_is_libfuzzers_own_change(mutate):
    data = (GOLDEN / "tiny.bndf").read_bytes()
    own = data[:-1] + bytes([data[-1] ^ 1]) + b"\7\7"
    assert mutate(data, 10) == own
    for no_stream in (b"", b"\x89BNDF", data[:10] + b"\xff" * 20):
        found = mutate(no_stream, 1)
        assert found == no_stream[:-1] + bytes([no_stream[-1] ^ 1] if no_stream else []) + b"\7\7"
    # There is no room for a head that might be longer.
    assert mutate(data, 1, spare=2) == own
