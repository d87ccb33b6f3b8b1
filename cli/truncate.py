"""`bandfold truncate`: a stream cut to size."""

from __future__ import annotations

from pathlib import Path

import click

from bandfold.bitstream.errors import SettingsError, StreamError

from .common import json_option, print_json

EXAMPLE = """\b
Example:
  bandfold truncate scene.bf --bytes 400000 -o smaller.bf
"""


@click.command(epilog=EXAMPLE)
@click.argument("stream", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Stream to write.")
@click.option("--bytes", "nbytes", type=click.IntRange(1), required=True, help="Bytes of it at most.")
@json_option
def truncate(stream: Path, output: Path, nbytes: int, as_json: bool) -> None:
    """Cut STREAM to size, without decoding it.

    The whole scene comes back, at a lower quality: the weakest components of each strip are left out, those
    first that save the least error for their bytes. Streams that are coded band by band cannot be cut.
    """
    from bandfold.bitstream.output import atomic_output
    from bandfold.bitstream.truncation import truncate as cut_to_size

    if output.exists() and stream.exists() and output.samefile(stream):
        raise SettingsError(f"output {output} is the stream itself: name another file")
    try:
        data = stream.read_bytes()
    except OSError as error:
        raise StreamError(f"stream {stream} cannot be read: {error.strerror}") from error
    cut = cut_to_size(data, nbytes)
    with atomic_output(output) as file:
        file.write(cut.data)
    report = {
        "output": str(output),
        "bytes": len(cut.data),
        "bytes_before": len(data),
        "chunks": cut.kept,
        "chunks_before": cut.chunks,
    }
    if as_json:
        print_json(report)
    else:
        click.echo(
            f"{output}: {len(cut.data)} bytes of {len(data)}, {cut.kept} chunks of {cut.chunks} are left"
        )
