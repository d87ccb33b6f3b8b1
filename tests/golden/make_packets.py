"""Rewrite the golden packets, of the layout that is written now.

Run it by hand, after a change of the layout that is meant, from the root of the repository::

    python tests/golden/make_packets.py

No test runs it. Packets of layout 1, which is no longer written, were made by an earlier release with the
same settings.
"""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

from bandfold.onboard.downlink.packets import PacketSettings, packetise

HERE = Path(__file__).parent
FOLDER = HERE / "packets"
STREAMS = ("rotated", "streamed")
LAYOUT = 2
SETTINGS = PacketSettings(
    100, size=256, scene=7, repeat=2, count=16380, time=datetime(2026, 1, 1, tzinfo=timezone.utc)
)


def main() -> None:
    """Cut each stream into packets."""
    for name in STREAMS:
        stream = (HERE / f"{name}.bndf").read_bytes()
        path = FOLDER / f"{name}-layout{LAYOUT}.ccsds"
        path.write_bytes(b"".join(packetise(stream, SETTINGS)))
        print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
