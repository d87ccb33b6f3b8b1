"""Tables in Markdown."""

from bandfold.benchmarks.board.text import markdown

from .reports import failed, measurement, report


def test_one_configuration_in_full():
    text = markdown(report(measurement()))
    assert text.startswith("Raspberry Pi 5 Model B Rev 1.0; 4 x Cortex-A76; kernel 6.6.31; Python 3.11.2; ")
    assert "800 x 1000 x 10 uint16; 3 x 4 s or more; mean ± 95 % confidence interval" in text
    assert "| settings |  | fold, uniform, 1 thread, 0.5 bits per sample |" in text
    assert "| power at rest | W | 1.00 |" in text
    assert "| encoding, throughput | Msamples/s | 4.00 ± 0.00 |" in text
    assert "| encoding, energy above rest | µJ/sample | 1.0000 ± 1.2421 |" in text
    assert "| decoding, peak memory, imports included | MiB | 60 |" in text
    name = "latency of a strip of 64 lines, from its last line to its segment"
    assert f"| {name} | ms | p50 10.0, p95 20.0, p99 21.0, worst 22.0 (of 9) |" in text
    assert "| clock of all cores, mean (least-most) | MHz | 2350 (1500-2400) |" in text
    assert "| temperature of cpu-thermal, mean (least-most) | °C | 50.0 (40.0-61.5) |" in text
    assert "| throttling |  | none |" in text
    assert text.endswith("Energy: INA3221; sum of VDD_IN.")


def test_without_a_sensor_no_energy_is_reported():
    text = markdown(report(measurement(sensor=None, decode=False, streamed=False, warnings=["A warning."])))
    assert "| time of a strip of 64 lines of a whole scene | ms | " in text
    assert "No energy is reported: there is none." in text
    assert "µJ" not in text
    assert "decoding" not in text
    assert text.endswith("\nA warning.")


def test_several_configurations_are_rows():
    rows = [measurement(warnings=["Hot."]), measurement(threads=2, warnings=["Hot."]), failed()]
    rows[1]["streamed"] = False
    lines = markdown(report(*rows)).splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 2 + 3
    assert len({line.count("|") for line in table}) == 1
    assert table[2].startswith(
        "| fold, uniform, 1 thread, 0.5 bits per sample | 4.00 ± 0.00 | 4.00 ± 4.97 | 1.0000 ± 1.2421 | "
    )
    assert table[4].startswith("| innovations, litert, 2 threads, 0.5 bits per sample | failed |")
    assert "innovations, litert, 2 threads, 0.5 bits per sample: Failed: it is not exact" in lines
    assert (
        "fold, uniform, 2 threads, 0.5 bits per sample: does not stream, strips are timed in the encode of a "
        "whole scene." in lines
    )
    assert any(line.startswith("fold, uniform, 1 thread") and line.endswith(": Hot.") for line in lines)
