"""Damage, limits and memory of the C library: reported as Python reports them, and nothing is lost."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from bandfold.benchmarks.c_mutants import (
    MOST_BYTES,
    PACKAGED,
    PACKAGES,
    SETTINGS_TO_ENCODE,
    campaign,
    mutant,
)
from bandfold.benchmarks.damage.mutations import cut, flipped, joined, sections
from bandfold.benchmarks.damage.streams import hostile_seeds, long_stream
from bandfold.bitstream.container import stream_budget
from bandfold.bitstream.container.header import Header
from bandfold.bitstream.container.sections import Section, write_preamble
from bandfold.bitstream.contexts.tables import DATA
from bandfold.common.errors import BandfoldError
from bandfold.ground.decoder import Decoder

from .c_library import (
    BAD_ARGUMENT,
    COMPILER,
    CORRUPT,
    FILLED,
    INTACT,
    LIBRARY,
    NEEDS_PACKAGE,
    NO_MEMORY,
    OK,
    OVER_LIMIT,
    PARTIAL,
    UNSUPPORTED,
    Counter,
    DecodingError,
    compile_all,
)

GOLDEN = Path(__file__).parents[1] / "golden"
SHIPPED = [(DATA / f"{name}.bfm").read_bytes() for name in PACKAGED.values()]


@pytest.fixture(scope="module")
def seeds():
    """Streams of all kinds that need no networks."""
    return {name: data for name, data in hostile_seeds().items() if name != "trained model"}


def outcome(library, data):
    """Samples and damage, or that it is refused, by the library and by Python."""
    try:
        with library.open(data, SHIPPED) as ours:
            samples = ours.decode()
            damage = [(one.lines, one.condition == FILLED) for one in ours.reports if one.condition != INTACT]
            found = samples.tobytes(), damage
    except DecodingError:
        found = None
    try:
        theirs = Decoder(data, restore="off")
        wanted = theirs.decode().tobytes(), [(one.lines, one.filled) for one in theirs.damage]
    except BandfoldError:
        wanted = None
    return found, wanted


def test_hostile_streams_come_out_as_in_python(library, seeds):
    refused = 0
    for number in range(120):
        found, wanted = outcome(library, mutant(seeds, number))
        assert found == wanted, number
        refused += found is None
    assert 20 < refused < 100


def test_flipped_bits_come_out_as_in_python(library):
    data = (GOLDEN / "streamed.bndf").read_bytes()
    for one in list(flipped(data))[::293]:
        found, wanted = outcome(library, one)
        assert found == wanted


def test_cut_streams_come_out_as_in_python(library):
    data = (GOLDEN / "bounded_rotated.bndf").read_bytes()
    for one in list(cut(data))[::97]:
        found, wanted = outcome(library, one)
        assert found == wanted


def test_what_is_left_of_a_segment_is_decoded(library):
    data = bytearray(long_stream())
    kinds = sections(bytes(data))
    place = len(write_preamble())
    last = max(len(payload) for kind, payload in kinds if kind == Section.SEGMENT)
    target = next(payload for kind, payload in kinds if kind == Section.SEGMENT and len(payload) == last)
    place = bytes(data).index(target) + len(target) - 3
    data[place] ^= 1
    with library.open(bytes(data)) as ours:
        found = ours.decode()
        conditions = {one.condition for one in ours.reports if one.condition != INTACT}
    theirs = Decoder(bytes(data), restore="off")
    assert found.tobytes() == theirs.decode().tobytes()
    assert conditions == ({FILLED} if theirs.damage[0].filled else {PARTIAL})


def test_a_stream_that_claims_too_much_is_refused(library):
    data = (GOLDEN / "tiny.bndf").read_bytes()
    parts = sections(data)
    header = Header.unpack(parts[0][1])
    claims = header.pack().replace(bytes([2, 1, 8, 8]), bytes([2]) + b"\xff\xff\xff\x07" * 2 + bytes([8]))
    huge = joined([(Section.HEADER, claims), *parts[1:]])
    with pytest.raises(DecodingError) as refused, library.open(huge) as ours:
        ours.decode()
    assert refused.value.status == OVER_LIMIT


def test_what_a_stream_may_cost_is_what_python_says():
    folder = LIBRARY / "source"
    told = re.findall(r"BFL_(\w+) = ([\d <]+)", (folder / "budget.h").read_text(encoding="utf-8"))
    least = re.findall(r"#define (\w+) (.*)", (folder / "budget.c").read_text(encoding="utf-8"))
    found = {name: eval(text.replace("(uint64_t)", "")) for name, text in (*told, *least)}
    assert len(found) > 12
    assert found == {name: getattr(stream_budget, name) for name in found}


def test_a_package_that_is_missing_is_asked_for(library):
    for name in ("sensed", "predicted"):
        data = (GOLDEN / f"{name}.bndf").read_bytes()
        for others in ([], SHIPPED, [SHIPPED[0][:-1]]):
            with pytest.raises(DecodingError) as refused:
                library.open(data, others)
            assert refused.value.status == NEEDS_PACKAGE


def test_what_is_no_stream_is_refused(library):
    data = (GOLDEN / "tiny.bndf").read_bytes()
    for bad, status in ((b"", CORRUPT), (b"BNDF" * 9, CORRUPT), (data[:8] + b"\1" + data[9:], UNSUPPORTED)):
        with pytest.raises(DecodingError) as refused:
            library.open(bad)
        assert refused.value.status == status


def test_every_message_is_one_line(library):
    messages = [library.calls.bandfold_message(status).decode() for status in range(11)]
    assert len(set(messages)) == 11
    assert all(message and "\n" not in message for message in messages)


@pytest.mark.parametrize("name", ["bounded_rotated", "outliers", "sensed", "predicted"])
def test_memory_that_ends_anywhere_is_told_and_given_back(library, name):
    data = (GOLDEN / f"{name}.bndf").read_bytes()
    packages = [path.read_bytes() for path in sorted(GOLDEN.glob("*.bfm"))]
    usual = Counter(1 << 30)
    with library.open(data, packages, allocator=usual.allocator) as ours:
        wanted = ours.decode().tobytes()
    assert usual.held == 0
    for most in range(0, usual.taken, max(usual.taken // 40, 1)):
        counter = Counter(most)
        with (
            pytest.raises(DecodingError) as refused,
            library.open(data, packages, allocator=counter.allocator) as ours,
        ):
            ours.decode()
        assert refused.value.status == NO_MEMORY
        assert counter.held == 0
    # What failed once does not stand in the way later.
    with library.open(data, packages, allocator=usual.allocator) as ours:
        assert ours.decode().tobytes() == wanted


@pytest.fixture(scope="module")
def sanitised_objects(tmp_path_factory):
    """The library and what its campaigns share, compiled under sanitisers, and the options to link with."""
    if COMPILER is None:
        pytest.skip("there is no C compiler")
    folder = tmp_path_factory.mktemp("sanitised")
    probe = folder / "probe.c"
    probe.write_text("int main(void) { return 0; }\n")
    sanitisers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    if subprocess.run([COMPILER, *sanitisers, probe, "-o", folder / "probe"], capture_output=True).returncode:
        pytest.skip("the compiler has no sanitisers")
    names = ("decode_all", "encode_all", "counting_memory", "packages")
    more = [LIBRARY / "fuzz" / f"{name}.c" for name in names]
    more.append(LIBRARY / "example" / "file_bytes.c")
    together = folder / "library.so"
    compile_all(folder, together, *more, options=["-O0", "-shared", *sanitisers])
    return folder, together, sanitisers


def link(sanitised_objects, name, *sources, options=()):
    folder, together, sanitisers = sanitised_objects
    include = [f"-I{one}" for one in (LIBRARY / "include", LIBRARY / "fuzz")]
    files = [LIBRARY / "fuzz" / f"{one}.c" for one in sources]
    command = [COMPILER, "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Werror", *sanitisers]
    command += [*options, *include, *files, together, f"-Wl,-rpath,{folder}", "-o", folder / name]
    subprocess.run(command, check=True)
    return folder / name


@pytest.mark.parametrize("fuzzed", ["decode_all", "encode_all"])
def test_the_entry_points_of_libfuzzer_replay_files(sanitised_objects, tmp_path, seeds, fuzzed):
    target = link(sanitised_objects, fuzzed, "fuzz_target", "replay", options=[f"-DFUZZED={fuzzed}"])
    rng = np.random.default_rng(0)
    files = []
    for number, stream in enumerate(list(seeds.values())[:6]):
        data = np.frombuffer(stream, dtype=np.uint8).copy()
        for changed in range(3):
            files.append(tmp_path / f"{number}-{changed}")
            files[-1].write_bytes(data.tobytes())
            data[rng.integers(len(data), size=4)] ^= 1 << changed
    done = subprocess.run([target, *files], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{len(files)} inputs\n", "")
    missing = subprocess.run([target, tmp_path / "none"], capture_output=True, text=True)
    assert (missing.returncode, missing.stderr) == (2, f"error: {tmp_path / 'none'} cannot be read\n")


def test_a_short_campaign_under_sanitisers(sanitised_objects, seeds):
    driver = link(sanitised_objects, "mutants", "mutants")
    found = campaign(driver, seeds, 0, 80)
    assert "crash" not in found, found
    assert found["tried"] == 80
    assert found["largest"] < MOST_BYTES
    assert all(count > 0 for count in found["statuses"][:2])
    found = campaign(driver, seeds, 0, 20, kind=PACKAGES)
    assert "crash" not in found, found
    assert found["statuses"][OK] + found["statuses"][NEEDS_PACKAGE] + found["statuses"][CORRUPT] == 20
    found = campaign(driver, {}, 0, 40, kind=SETTINGS_TO_ENCODE)
    assert "crash" not in found, found
    assert found["statuses"][OK] > 5
    assert found["statuses"][BAD_ARGUMENT] > 5
