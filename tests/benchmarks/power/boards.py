"""File trees as boards show them."""

import stat

PMIC = """\
   3V7_WL_SW_A current(0)=0.09759480A
     3V3_SYS_A current(1)=0.06245856A
     1V8_SYS_A current(2)=0.16297780A
    DDR_VDD2_A current(3)=0.02537379A
    DDR_VDDQ_A current(4)=0.00000000A
     1V1_SYS_A current(5)=0.18054430A
      0V8_SW_A current(6)=0.35128820A
    VDD_CORE_A current(7)=1.57850000A
     3V3_DAC_A current(17)=0.00006105A
     3V3_ADC_A current(18)=0.00006105A
     0V8_AON_A current(16)=0.00412700A
        HDMI_A current(22)=0.01257630A
   3V7_WL_SW_V volt(8)=3.70614400V
     3V3_SYS_V volt(9)=3.31177400V
     1V8_SYS_V volt(10)=1.80026000V
    DDR_VDD2_V volt(11)=1.10549000V
    DDR_VDDQ_V volt(12)=0.60952080V
     1V1_SYS_V volt(13)=1.10695500V
      0V8_SW_V volt(14)=0.80109480V
    VDD_CORE_V volt(15)=0.72086650V
     3V3_DAC_V volt(20)=3.31018700V
     3V3_ADC_V volt(21)=3.30988200V
     0V8_AON_V volt(19)=0.79804290V
        HDMI_V volt(23)=5.13908000V
       EXT5V_V volt(24)=5.14078000V
        BATT_V volt(25)=0.00000000V
"""
"""What a Raspberry Pi 5 prints; rails without a current are no supplies of the board."""

PMIC_WATTS = (
    0.09759480 * 3.70614400
    + 0.06245856 * 3.31177400
    + 0.16297780 * 1.80026000
    + 0.02537379 * 1.10549000
    + 0.18054430 * 1.10695500
    + 0.35128820 * 0.80109480
    + 1.57850000 * 0.72086650
    + 0.00006105 * (3.31018700 + 3.30988200)
    + 0.00412700 * 0.79804290
    + 0.01257630 * 5.13908000
)


def write(root, files):
    """Make files of a dict from path to content."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{content}\n")
    return root


def orin_nano(root):
    """Jetson Orin Nano: one monitor at 1-0040, whose first rail is the input of the module."""
    monitor = "sys/class/hwmon/hwmon1"
    return write(
        root,
        {
            "sys/class/hwmon/hwmon0/name": "tmp102",
            "sys/class/hwmon/hwmon0/in1_label": "VDD_FAKE",
            f"{monitor}/name": "ina3221",
            f"{monitor}/in1_label": "VDD_IN",
            f"{monitor}/in1_input": 5040,
            f"{monitor}/curr1_input": 960,
            f"{monitor}/in2_label": "VDD_CPU_GPU_CV",
            f"{monitor}/in2_input": 5040,
            f"{monitor}/curr2_input": 128,
            f"{monitor}/in3_label": "VDD_SOC",
            f"{monitor}/in3_input": 5032,
            f"{monitor}/curr3_input": 288,
            f"{monitor}/in7_label": "sum of shunt voltages",
            f"{monitor}/in7_input": 4,
            "sys/class/hwmon/hwmon3/name": "soctherm_oc",
            "sys/class/hwmon/hwmon3/oc1_event_cnt": 0,
            "sys/class/hwmon/hwmon3/oc3_event_cnt": 2,
            "sys/class/thermal/thermal_zone0/type": "cpu-thermal",
            "sys/class/thermal/thermal_zone0/temp": 48937,
            "sys/class/thermal/thermal_zone1/type": "gpu-thermal",
            "sys/class/thermal/thermal_zone1/temp": -256000,
            "sys/class/thermal/thermal_zone10/type": "tj-thermal",
            "sys/class/thermal/thermal_zone10/temp": 49250,
            "sys/class/thermal/cooling_device0/type": "pwm-fan",
            "sys/class/thermal/cooling_device0/cur_state": 1,
            "sys/class/thermal/cooling_device1/type": "cpufreq-cpu0",
            "sys/class/thermal/cooling_device1/cur_state": 0,
        },
    )


def agx_orin(root):
    """Jetson AGX Orin: two monitors and no rail that holds the others."""
    first, second = "sys/class/hwmon/hwmon2", "sys/class/hwmon/hwmon10"
    rails = [
        (first, 1, "VDD_GPU_SOC", 19152, 184),
        (first, 2, "VDD_CPU_CV", 19152, 40),
        (first, 3, "VIN_SYS_5V0", 5000, 704),
        (second, 1, "NC", 0, 0),
        (second, 2, "VDDQ_VDD2_1V8AO", 5000, 112),
    ]
    files = {f"{first}/name": "ina3221", f"{second}/name": "ina3221"}
    for folder, number, label, volts, amperes in rails:
        files[f"{folder}/in{number}_label"] = label
        files[f"{folder}/in{number}_input"] = volts
        files[f"{folder}/curr{number}_input"] = amperes
    files[f"{second}/in3_label"] = "NOT_USED"
    files[f"{second}/in3_enable"] = 0
    return write(root, files)


def thor(root):
    """Jetson AGX Thor: a monitor at the input of the carrier board, and one for parts of it."""
    carrier, module = "sys/class/hwmon/hwmon3", "sys/class/hwmon/hwmon4"
    files = {
        f"{carrier}/name": "ina238",
        f"{carrier}/label": "VIN",
        f"{carrier}/in0_input": 9,
        f"{carrier}/in1_input": 19744,
        f"{carrier}/curr1_input": 1810,
        f"{carrier}/power1_input": 35_736_000,
        f"{carrier}/temp1_input": 41250,
        f"{module}/name": "ina3221",
        f"{module}/update_interval": 200,
    }
    for number, label in enumerate(("VDD_GPU", "VDD_CPU_SOC_MSS", "VIN_SYS_5V0"), 1):
        files |= {f"{module}/in{number}_label": label, f"{module}/in{number}_input": 19600}
        files |= {f"{module}/curr{number}_input": 300}
    return write(root, files)


def cores(root, megahertz, limit=2400, governor="ondemand"):
    """Cores at some frequency, and the highest one that they may have."""
    for core, clock in megahertz.items():
        folder = f"sys/devices/system/cpu/cpu{core}/cpufreq"
        write(
            root,
            {
                f"{folder}/scaling_cur_freq": clock * 1000,
                f"{folder}/scaling_max_freq": limit * 1000,
                f"{folder}/scaling_governor": governor,
            },
        )
    return root


def raspberry(root, model="Raspberry Pi 5 Model B Rev 1.0\0", throttled="0x0", pmic=PMIC):
    """A Raspberry Pi: its model, and a vcgencmd that prints what the firmware would."""
    write(root, {"sys/class/thermal/thermal_zone0/type": "cpu-thermal"})
    write(root, {"sys/class/thermal/thermal_zone0/temp": 51500})
    write(root, {"proc/device-tree/model": model, "throttled": throttled, "pmic": pmic.rstrip("\n")})
    script = (
        "#!/bin/sh\n"
        'case "$1" in\n'
        f'  get_throttled) echo "throttled=$(cat {root}/throttled)" ;;\n'
        f"  pmic_read_adc) cat {root}/pmic ;;\n"
        '  measure_clock) [ "$2" = arm ] && echo "frequency(0)=1500398464" ;;\n'
        '  *) echo "error=1 error_msg=\\"Command not registered\\""; exit 1 ;;\n'
        "esac"
    )
    command = root / "usr/bin/vcgencmd"
    write(root, {"usr/bin/vcgencmd": script})
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    return root


def two_packages(root):
    """A machine with two processors: packages, their parts, memory, and what is shown twice."""
    zones = {
        "intel-rapl:0": ("package-0", 262143328850, 1_000_000),
        "intel-rapl:0/intel-rapl:0:0": ("core", 262143328850, 400_000),
        "intel-rapl:0/intel-rapl:0:1": ("dram", 65712999613, 300_000),
        "intel-rapl:1": ("package-1", 262143328850, 2_000_000),
        "intel-rapl:2": ("psys", 262143328850, 9_000_000),
        "intel-rapl-mmio:0": ("package-0", 262143328850, 1_000_000),
    }
    for zone, (name, largest, energy) in zones.items():
        folder = f"sys/class/powercap/{zone}"
        write(
            root,
            {
                f"{folder}/name": name,
                f"{folder}/max_energy_range_uj": largest,
                f"{folder}/energy_uj": energy,
            },
        )
    # The kernel shows parts beside their package, too.
    write(root, {"sys/class/powercap/intel-rapl:0:0/name": "core"})
    for cpu in (0, 1, 10):
        folder = f"sys/devices/system/cpu/cpu{cpu}/thermal_throttle"
        write(root, {f"{folder}/core_throttle_count": cpu, f"{folder}/package_throttle_count": 5})
    return root
