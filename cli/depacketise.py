"""`bandfold depacketise`: CCSDS space packets into a stream."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from bandfold.common.atomic_files import atomic_output
from bandfold.common.input_files import read_input

from .console import DAMAGED, tell, warn_first
from .kept_inputs import keep_input
from .options import json_option, models_option, output_option

SHOWN = 20
"""Ranges of a section that are listed in words; JSON has them all."""

EXAMPLE = """\b
Examples:
  bandfold depacketise pass1.ccsds pass2.ccsds -o scene.bf
  bandfold depacketise mixed.ccsds -o scene.bf --scene 7 --json
  bandfold depacketise mixed.ccsds -o scene.bf --identity 3fa90c
"""


@click.command(epilog=EXAMPLE)
@click.argument("packets", type=click.Path(path_type=Path), nargs=-1, required=True)
@output_option(required=True, help="Stream to write.")
@click.option("--apid", type=int, help="Only packets of this APID.  [default: the one there is]")
@click.option("--scene", type=int, help="Only packets of this scene.  [default: the one there is]")
@click.option(
    "--identity",
    metavar="HEX",
    help="Only packets of the stream whose identity begins so.  [default: the one there is]",
)
@models_option(help="Package file that the stream may need (.bfm), to tell which lines are lost.")
@json_option
@click.pass_context
def depacketise(
    context: click.Context,
    packets: tuple[Path, ...],
    output: Path,
    apid: int | None,
    scene: int | None,
    identity: str | None,
    models: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Put a stream together from the files PACKETS.

    Packets may come in any order and from several passes, with duplicates and losses, and with other packets
    or fill between them. OUTPUT gets all sections that are whole. Where something is missing, it is
    reported, and the exit status is 9. Packets of several streams are never put together: name one of them.
    """
    from bandfold.bitstream.packages.registry import Registry
    from bandfold.ground.packets.packet_reader import find_packets
    from bandfold.ground.packets.reassembly import Reassembly

    keep_input("a file of packets", packets, [output])
    reassembly = Reassembly()
    skipped: dict[str, list[tuple[int, int]]] = {}
    for path in packets:
        found = find_packets(read_input("packets", path))
        reassembly.add(found.packets)
        skipped[str(path)] = found.skipped
    assembly = reassembly.assemble(apid, scene, identity)
    strips = assembly.lost_strips(Registry(models))
    with atomic_output(output) as file:
        file.write(assembly.stream)
    report = {
        "output": str(output),
        "bytes": len(assembly.stream),
        **assembly.report(strips),
        "skipped": [
            {"file": name, "bytes": [start, stop]} for name, parts in skipped.items() for start, stop in parts
        ],
    }
    tell(report, f"{output}: {report['bytes']} bytes, {_summary(report)}", as_json=as_json)
    warn_first(_losses(report))
    if not report["complete"]:
        context.exit(DAMAGED)


def _summary(report: dict[str, Any]) -> str:
    packets, sections = report["packets"], report["sections"]
    sent = "an unknown number" if packets["sent"] is None else packets["sent"]
    parts = [
        f"scene {report['scene']} of APID {report['apid']}"
        + (f" (identity {report['identity']})" if report["identity"] else ""),
        f"{packets['received']} packets ({packets['duplicates']} duplicates) of {sent}",
        f"{sections['whole']} sections whole",
        "complete" if report["complete"] else "not complete",
    ]
    return ", ".join(parts)


def _losses(report: dict[str, Any]) -> Iterator[str]:
    """What is missing or doubtful, the most important first, a line each."""
    for doubt in report["doubts"]:
        yield f"not all packets may be of one stream: {doubt}"
    if report["layout"] == 1:
        yield (
            "packets of layout 1 carry no identity of their stream: of two streams with one APID and number "
            "of the scene only contradictions are noticed"
        )
    if report["strips"]["unknown"]:
        yield f"which lines are lost is not known: {report['strips']['unknown']}"
    elif not report["stream_ended"]:
        yield "the end of the stream is missing: lines behind the last one are lost, or were never coded"
    for strip in report["strips"]["missing"]:
        yield f"lines {strip['lines'][0]}:{strip['lines'][1]} are lost (strip {strip['strip']})"
    for one in report["sections"]["partial"]:
        missing = ", ".join(f"{start}:{stop}" for start, stop in one["missing"][:SHOWN])
        missing += ", ..." if len(one["missing"]) > SHOWN else ""
        what = f"lacks bytes {missing} of {one['bytes']}" if missing else "is corrupt"
        yield f"section {one['section']} ({one['kind']}) {what}"
    for start, stop in report["sections"]["missing"]:
        yield f"sections {start}:{stop} are lost"
    for one in report["packets"]["ranges"]:
        start, stop = one["packets"]
        yield f"packets {start}:{stop} are lost, sequence counts from {one['first_count']}"
    if not report["end_seen"]:
        more = "" if report["stream_ended"] else ": more may be missing at the end"
        yield f"the closing packets are lost{more}"
    for one in report["skipped"]:
        start, stop = one["bytes"]
        yield f"bytes {start}:{stop} of {one['file']} are no intact packets of bandfold"
