"""`bandfold fit`: the package of a sensor, from some of its scenes."""

from __future__ import annotations

import re
import time
from pathlib import Path

import click

from .options import (
    ReadingOptions,
    description_option,
    json_option,
    name_option,
    option_group,
    output_option,
    partition_option,
)
from .package_output import check_package_name, tell_package
from .scene_input import open_source
from .verbosity import progress_shown

EXAMPLE = """\b
Examples:
  bandfold fit first.hdr second.hdr -o sensor.bfm --description "our camera, flight 12"
  bandfold encode third.hdr -o third.bf --bps 0.25 --sensor sensor.bfm
  bandfold decode third.bf -o again.hdr --model sensor.bfm
"""


@click.command(epilog=EXAMPLE)
@click.argument("scenes", nargs=-1, required=True, type=click.Path(path_type=Path))
@output_option(required=True, help="Package to write (.bfm).")
@name_option(help="Name of the package.  [default: the name of the file]")
@description_option(help="One line about the sensor.")
@partition_option(
    help="Spectral intervals: found in the scenes, the usual ones of AVIRIS, or of 'bandfold partition -o'.",
)
@option_group("reading", ReadingOptions)
@json_option
def fit(
    scenes: tuple[Path, ...],
    output: Path,
    name: str | None,
    description: str,
    partition: str | tuple[int, ...],
    reading: ReadingOptions,
    as_json: bool,
) -> None:
    """Fit the package of a sensor to SCENES.

    The package holds the spectral partition and the vectors that fold bands into components. A scene that is
    encoded with it need not carry them; whoever decodes it needs the package.
    """
    from bandfold.bitstream.packages.package import save_package
    from bandfold.calibration.sensor_fit import fit_sensor
    from bandfold.onboard.planning.partition import partition_ends
    from bandfold.onboard.samples.samples import Samples

    check_package_name(output)
    started = time.perf_counter()
    sources = {}
    for path in scenes:
        title = path.stem if path.stem not in sources else str(path)
        sources[title] = Samples.of(open_source(path, reading))
    with progress_shown() as progress:
        package = fit_sensor(
            sources,
            name or _name(output),
            description=description,
            ends=partition_ends(partition),
            progress=progress,
        )
    saved = save_package(package, output)
    card = saved.manifest.card
    what = f"{card['bands']} bands in {len(card['intervals'])} intervals"
    tell_package(saved, output, time.perf_counter() - started, what, dict(card), as_json=as_json)


def _name(output: Path) -> str:
    """A name that packages may have, after the file."""
    return re.sub(r"[^a-z0-9._-]+", "-", output.stem.lower()).strip("-._")[:64] or "sensor"
