"""First inputs of libFuzzer."""

from bandfold.benchmarks.c_mutants import SETTINGS
from bandfold.benchmarks.fuzz_corpus import write_corpus
from bandfold.bitstream.container.sections import read_sections
from bandfold.bitstream.packages.package import unpack


def test_streams_settings_and_a_package(tmp_path):
    write_corpus(tmp_path / "corpus")
    streams = list((tmp_path / "corpus" / "streams").iterdir())
    assert {"seed-0", "tiny.bndf", "older-streamed.bndf"} <= {path.name for path in streams}
    assert all(section.intact for path in streams for section in read_sections(path.read_bytes()))
    settings = list((tmp_path / "corpus" / "settings").iterdir())
    assert len(settings) == 200
    assert all(path.stat().st_size > SETTINGS.size for path in settings)
    assert unpack((tmp_path / "corpus" / "small.bfm").read_bytes())
