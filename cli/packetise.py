"""`bandfold packetise`: a stream into CCSDS space packets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bandfold.bitstream.container.sections import SIGNATURE
from bandfold.common.input_files import read_input

from .console import DAMAGED, tell, warn
from .kept_inputs import keep_input
from .options import PACKETS_HELP, json_option, output_option, packets_option
from .packet_output import write_packets

if TYPE_CHECKING:
    from bandfold.onboard.downlink.packets import PacketSettings

EXAMPLE = """\b
Examples:
  bandfold packetise scene.bf -o scene.ccsds --packets apid=100
  bandfold packetise scene.bf -o scene.ccsds --packets apid=100,size=1024,repeat=4,count=12345,scene=7
"""


@click.command(epilog=EXAMPLE)
@click.argument("stream", type=click.Path(path_type=Path))
@output_option(required=True, help="Packets to write.")
@packets_option(required=True, help=PACKETS_HELP)
@json_option
@click.pass_context
def packetise(
    context: click.Context, stream: Path, output: Path, packets: PacketSettings, as_json: bool
) -> None:
    """Cut STREAM into CCSDS space packets.

    Each section of the stream goes into as many packets as it needs, and every packet says where its bytes
    belong. What is damaged in STREAM is left out, and the exit status is then 9.
    """
    keep_input("the stream", [stream], [output])
    data = read_input("stream", stream, SIGNATURE)
    report = {"output": str(output), **write_packets(data, packets, output)}
    text = (
        f"{output}: {report['packets']} packets ({report['copies']} of them copies), "
        f"{report['bytes']} bytes, scene {report['scene']} of APID {report['apid']}, "
        f"identity {report['identity']}; "
        f"the next sequence count is {report['next_count']}"
    )
    tell(report, text, as_json=as_json)
    if report["damaged_bytes_left_out"]:
        warn(f"{report['damaged_bytes_left_out']} bytes of the stream are damaged and were left out")
        context.exit(DAMAGED)
