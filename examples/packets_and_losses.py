"""Send a stream as CCSDS space packets, lose some, and decode what arrived.

Needs spacepackets: pip install 'bandfold[packets]'
"""

import random

import bandfold
from bandfold.ground.packets.packet_reader import find_packets
from bandfold.ground.packets.reassembly import Reassembly
from bandfold.onboard.downlink.packets import PacketSettings, packetise
from bandfold.synthetic.scenes import SyntheticScene

scene = SyntheticScene(lines=128, samples=64, bands=32, seed=3)
cube = scene.read(slice(0, 32), slice(0, 128))

# Low strips lose less: a strip is gone with the first of its packets.
stream = bandfold.Encoder(bps=0.5, strip_lines=8).encode(cube)

# Header and fold are sent again after every 4 strips, so that a lost copy costs nothing.
packets = list(packetise(stream, PacketSettings(apid=100, size=512, repeat=4)))
print(f"{len(stream)} bytes in {len(packets)} packets")

# One packet in twenty is lost, the others arrive in any order, some of them twice.
chance = random.Random(4)
arrived = [packet for packet in packets if chance.random() > 0.05]
arrived += arrived[:3]
chance.shuffle(arrived)

# The ground looks for packets in the bytes that came down, whatever lies between them.
reassembly = Reassembly()
reassembly.add(find_packets(b"".join(arrived)).packets)
assembly = reassembly.assemble()
lost = assembly.lost_strips().lines
print(f"packets lost: {assembly.packets.lost}; strips lost, with their lines: {lost}")

# Lost strips are filled with the means of the bands. All others are as if nothing had happened.
decoder = bandfold.Decoder(assembly.stream)
again = decoder.decode()
intact = bandfold.Decoder(stream).decode()
strips = [slice(first, first + 8) for first in range(0, 128, 8)]
differ = [number for number, lines in enumerate(strips) if (again[:, lines] != intact[:, lines]).any()]
print(
    f"{len(decoder.damage)} strips are damaged; all others are as without losses: {set(differ) <= set(lost)}"
)
