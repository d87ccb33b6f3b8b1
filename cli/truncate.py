"""`bandfold truncate`: a stream cut to size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bandfold.bitstream.container.sections import SIGNATURE
from bandfold.common.input_files import read_input

from .console import tell
from .kept_inputs import keep_input
from .options import json_option, output_option, trusted_option

EXAMPLE = """\b
Examples:
  bandfold truncate scene.bf --bytes 400000 -o smaller.bf
  bandfold truncate scene.bf --bytes 400000 -o smaller.bf --requantise
"""


@click.command(epilog=EXAMPLE)
@click.argument("stream", type=click.Path(path_type=Path))
@output_option(required=True, help="Stream to write.")
@click.option("--bytes", "nbytes", type=click.IntRange(1), required=True, help="Bytes of it at most.")
@click.option(
    "--requantise",
    is_flag=True,
    help="Decode the latents and quantise them with a coarser step: better by decibels, and slower.",
)
@trusted_option()
@json_option
def truncate(stream: Path, output: Path, nbytes: int, requantise: bool, trusted: bool, as_json: bool) -> None:
    """Cut STREAM to size, without decoding its samples.

    The whole scene comes back, at a lower quality: the weakest components of each strip are left out, those
    first that save the least error for their bytes. Streams that are coded band by band cannot be cut.

    Of a lossless stream, or one with --max-error, the refinements of the last strips are left out first:
    their limits no longer hold, and info says where they do.

    With --requantise all components stay, at a coarser step, which needs the processor that encoding needs
    after the spectral transform, a few times over. Streams of a trained model cannot be requantised.
    """
    from bandfold.bitstream.container.truncation import truncate as cut_to_size
    from bandfold.common.atomic_files import atomic_output

    keep_input("the stream", [stream], [output])
    data = read_input("stream", stream, SIGNATURE)
    details: dict[str, Any]
    if requantise:
        from bandfold.onboard.downlink.requantise import requantise as make_coarser

        coarser = make_coarser(data, nbytes, trusted=trusted)
        made, details = coarser.data, {"factor": coarser.factor}
        said = f"steps are {coarser.factor:.2f} times as coarse"
    else:
        cut = cut_to_size(data, nbytes)
        made, details = cut.data, {"chunks": cut.kept, "chunks_before": cut.chunks}
        said = f"{cut.kept} chunks of {cut.chunks} are left"
        details |= {"refinements": cut.kept_refined, "refinements_before": cut.refined}
        if cut.refined:
            said += f", {cut.kept_refined} refinements of {cut.refined}"
    with atomic_output(output) as file:
        file.write(made)
    report = {"output": str(output), "bytes": len(made), "bytes_before": len(data), **details}
    tell(report, f"{output}: {len(made)} bytes of {len(data)}, {said}", as_json=as_json)
