"""Sensors of boards, on file trees laid out as their documentation has them."""

import pytest

from bandfold.benchmarks.power.sensor import SensorError
from bandfold.benchmarks.power.sensor_choice import find_sensor
from bandfold.benchmarks.power.thermal import Throttling, temperatures

from .boards import PMIC_WATTS, agx_orin, orin_nano, raspberry, thor, two_packages, write


def test_input_of_a_jetson_module(tmp_path):
    sensor, reason = find_sensor(orin_nano(tmp_path))
    assert (sensor.name, sensor.rails, sensor.counts, reason) == ("INA3221", ("VDD_IN",), False, None)
    assert sensor.value() == pytest.approx(5.040 * 0.960)
    write(tmp_path, {"sys/class/hwmon/hwmon1/curr1_input": 2000})
    assert sensor.value() == pytest.approx(5.040 * 2)


def test_rails_of_a_jetson_without_one_for_all(tmp_path):
    sensor, _ = find_sensor(agx_orin(tmp_path))
    assert sensor.rails == ("VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0", "VDDQ_VDD2_1V8AO")
    watts = 19.152 * 0.184 + 19.152 * 0.040 + 5.0 * 0.704 + 5.0 * 0.112
    assert sensor.value() == pytest.approx(watts)
    (tmp_path / "sys/class/hwmon/hwmon2/in2_input").unlink()
    with pytest.raises(SensorError, match="rail VDD_CPU_CV of the INA3221"):
        sensor.value()
    assert find_sensor(tmp_path)[1].startswith("rail VDD_CPU_CV of the INA3221")


def test_input_of_a_jetson_thor(tmp_path):
    sensor, reason = find_sensor(thor(tmp_path))
    assert (sensor.name, sensor.rails, sensor.counts, reason) == ("INA238", ("VIN",), False, None)
    assert sensor.value() == pytest.approx(35.736)
    assert sensor.update == pytest.approx(0.0505, abs=1e-4)
    carrier = "sys/class/hwmon/hwmon3"
    write(tmp_path, {f"{carrier}/update_interval": 70})
    assert find_sensor(tmp_path)[0].update == 0.07
    # Without a power it is volts times amperes; without those, the module is measured.
    (tmp_path / carrier / "power1_input").unlink()
    assert sensor.value() == pytest.approx(19.744 * 1.810)
    (tmp_path / carrier / "in1_input").unlink()
    with pytest.raises(SensorError, match=r"the INA238 in .*hwmon3 cannot be read"):
        sensor.value()
    other, _ = find_sensor(tmp_path)
    assert (other.name, other.update) == ("INA3221", 0.2)
    assert other.value() == pytest.approx(3 * 19.6 * 0.3)


def test_monitors_without_a_label_are_added_up(tmp_path):
    for number, microwatts in ((2, 3_000_000), (10, 4_500_000)):
        folder = f"sys/class/hwmon/hwmon{number}"
        write(tmp_path, {f"{folder}/name": "ina238", f"{folder}/power1_input": microwatts})
    sensor, _ = find_sensor(tmp_path)
    assert sensor.rails == ("hwmon2", "hwmon10")
    assert sensor.value() == pytest.approx(7.5)


def test_rails_of_a_raspberry_pi_5(tmp_path):
    sensor, reason = find_sensor(raspberry(tmp_path))
    assert reason is None
    assert not sensor.counts
    assert len(sensor.rails) == 12
    assert {"VDD_CORE", "HDMI", "0V8_AON"} <= set(sensor.rails)
    assert not {"EXT5V", "BATT"} & set(sensor.rails)
    assert sensor.value() == pytest.approx(PMIC_WATTS)


def test_a_raspberry_pi_4_has_none(tmp_path):
    sensor, reason = find_sensor(raspberry(tmp_path, model="Raspberry Pi 4 Model B Rev 1.4\0"))
    assert sensor is None
    assert reason.startswith("no INA238, no INA3221, no PMIC of a Raspberry Pi 5 and no RAPL counter")


@pytest.mark.parametrize(
    ("pmic", "message"),
    [
        ('error=1 error_msg="Command not registered"', "vcgencmd pmic_read_adc fails: error=1"),
        ("EXT5V_V volt(24)=5.14078000V", "tells no rail of which current and voltage are measured"),
    ],
)
def test_a_pmic_that_says_nothing(tmp_path, pmic, message):
    sensor, reason = find_sensor(raspberry(tmp_path, pmic=pmic))
    assert sensor is None
    assert message in reason


def test_a_raspberry_pi_5_without_its_command(tmp_path):
    raspberry(tmp_path)
    (tmp_path / "usr/bin/vcgencmd").unlink()
    assert "vcgencmd cannot be run" in find_sensor(tmp_path)[1]


def counters(root, package=0, dram=0, other=0):
    zones = root / "sys/class/powercap"
    for zone, value in {
        "intel-rapl:0": package,
        "intel-rapl:0/intel-rapl:0:1": dram,
        "intel-rapl:1": other,
    }.items():
        (zones / zone / "energy_uj").write_text(f"{value}\n")


def test_counters_of_packages_and_memory(tmp_path):
    sensor, _ = find_sensor(two_packages(tmp_path))
    assert sensor.counts
    assert sensor.rails == ("package-0", "package-0 dram", "package-1")
    assert sensor.value() == 0
    counters(tmp_path, 4_000_000, 800_000, 2_000_000)
    assert sensor.value() == pytest.approx(3.5)
    # Parts and doubles are not counted again.
    write(tmp_path, {"sys/class/powercap/intel-rapl:0/intel-rapl:0:0/energy_uj": 9_999_999})
    write(tmp_path, {"sys/class/powercap/intel-rapl-mmio:0/energy_uj": 9_999_999})
    assert sensor.value() == pytest.approx(3.5)


def test_counters_that_start_again(tmp_path):
    two_packages(tmp_path)
    counters(tmp_path, 262_143_328_850 - 500_000, 65_712_999_613 - 1, 7)
    sensor, _ = find_sensor(tmp_path)
    counters(tmp_path, 1_500_000, 999_999, 7)
    assert sensor.value() == pytest.approx(2.0 + 1.0)
    counters(tmp_path, 2_500_000, 999_999, 7)
    assert sensor.value() == pytest.approx(4.0)
    counters(tmp_path, 0, 999_999, 7)
    assert sensor.value() == pytest.approx(4.0 + 262_143.32885 - 2.5)


def test_a_counter_that_starts_again_somewhere_is_an_error(tmp_path):
    two_packages(tmp_path)
    (tmp_path / "sys/class/powercap/intel-rapl:1/max_energy_range_uj").unlink()
    sensor, _ = find_sensor(tmp_path)
    counters(tmp_path, 1, 1, 3_000_000)
    sensor.value()
    counters(tmp_path, 2, 2, 1_000_000)
    with pytest.raises(SensorError, match="does not tell where: run this as root"):
        sensor.value()


def test_counters_that_are_for_root_alone(tmp_path):
    two_packages(tmp_path)
    # The tests may run as root, who can read everything: a folder is no file for anybody.
    energy = tmp_path / "sys/class/powercap/intel-rapl:1/energy_uj"
    energy.unlink()
    energy.mkdir()
    sensor, reason = find_sensor(tmp_path)
    assert sensor is None
    assert "cannot be read: run this as root" in reason


def test_a_board_without_sensors(tmp_path):
    assert find_sensor(tmp_path) == (
        None,
        "no INA238, no INA3221, no PMIC of a Raspberry Pi 5 and no RAPL counter on this board",
    )
    assert temperatures(tmp_path) == {}
    assert not Throttling(tmp_path).known
    assert Throttling(tmp_path).found() == []


def test_temperatures(tmp_path):
    assert temperatures(orin_nano(tmp_path)) == {"cpu-thermal": 48.937, "tj-thermal": 49.25}
    zone = "sys/class/thermal/thermal_zone2"
    write(tmp_path, {f"{zone}/type": "cpu-thermal", f"{zone}/temp": -40000})
    write(tmp_path, {"sys/class/thermal/thermal_zone3/type": "acpitz"})
    assert temperatures(tmp_path)["cpu-thermal (thermal_zone2)"] == -40


def test_throttling_of_a_jetson(tmp_path):
    throttling = Throttling(orin_nano(tmp_path))
    assert throttling.known
    assert throttling.found() == []
    write(tmp_path, {"sys/class/hwmon/hwmon3/oc3_event_cnt": 3})
    write(tmp_path, {"sys/class/thermal/cooling_device0/cur_state": 2})
    write(tmp_path, {"sys/class/thermal/cooling_device1/cur_state": 4})
    assert throttling.found() == ["over-current alarm oc3", "cpufreq-cpu0 (cooling_device1) slowed down"]


def test_throttling_of_a_raspberry_pi(tmp_path):
    # Under-voltage when it was started, which is over.
    throttling = Throttling(raspberry(tmp_path, throttled="0x10000"))
    assert throttling.known
    assert throttling.found() == []
    write(tmp_path, {"throttled": "0xd0008"})
    assert throttling.found() == [
        "throttled for the first time since the start of the board",
        "soft temperature limit for the first time since the start of the board",
        "soft temperature limit",
    ]


def test_throttling_of_a_processor(tmp_path):
    throttling = Throttling(two_packages(tmp_path))
    assert throttling.found() == []
    write(tmp_path, {"sys/devices/system/cpu/cpu10/thermal_throttle/package_throttle_count": 6})
    assert throttling.found() == ["cpu10 package throttled"]
