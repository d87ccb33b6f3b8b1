"""A board imports the encoder before every scene: that must not take longer than a small one."""

import subprocess
import sys

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
