"""A board imports the encoder before every scene: that must not take longer than a small one."""

import subprocess
import sys

import pytest

PROGRAM = """
import time, numpy
start = time.process_time()
import bandfold.onboard
print(time.process_time() - start)
"""


def test_import_is_quick():
    """Processor time beyond NumPy, the best of three: other programs may be busy."""
    times = [
        float(subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True).stdout)
        for _ in range(3)
    ]
    assert min(times) < 0.3


BESIDE = """
import sys, threading
from bandfold.common.workers import Workers
from bandfold.onboard import Encoder
from bandfold.synthetic.scenes import SyntheticScene

WANTED = ("bandfold.onboard.coding.scene_coder", "bandfold.onboard.rate.scene_control")
assert not any(name in sys.modules for name in WANTED), "they would hold up the first blocks"
later, begun = Workers.later, []

def noted(self, function):
    begun.append([name in sys.modules for name in WANTED])
    return later(self, function)

Workers.later = noted
scene = SyntheticScene(64, 64, 12, 3)
print(len(Encoder(bps=1.0, threads=THREADS).encode(scene)), begun[0])
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_what_codes_is_imported_once_a_scene_is_sampled(threads):
    program = BESIDE.replace("THREADS", str(threads))
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    size, imported = done.stdout.split(maxsplit=1)
    assert 0 < int(size) <= 64 * 64 * 12 / 8
    assert imported.strip() == "[False, False]"
