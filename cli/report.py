"""`bandfold report`: a stream as a page to look at."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bandfold.common.errors import SettingsError

from .console import DAMAGED, tell, warn_first
from .kept_inputs import keep_input
from .option_values import parse_size
from .options import (
    PATH,
    DecodingOptions,
    ReadingOptions,
    grouped,
    json_option,
    option_group,
    output_option,
    read_by,
)
from .scene_input import open_reference
from .verbosity import progress_shown

if TYPE_CHECKING:
    from bandfold.common.scene import SceneInfo
    from bandfold.ground.report.tile_folder import TileFolder

EXAMPLE = """\b
Examples:
  bandfold report scene.bf -o report.html
  bandfold report scene.bf --reference scene.hdr -o report.html --colours 29,19,9
  bandfold report scene.bf --reference scene.hdr -o report.html --tiles report_tiles
"""


@dataclass(frozen=True)
class PageOptions:
    """What a page shows."""

    reference: Path | None = grouped(
        "--reference", type=PATH, help="The scene that was encoded, to tell what was lost."
    )
    colours: str | None = grouped(
        "--colours",
        metavar="R,G,B",
        help="Bands of the picture, from 0.  [default: those of the header, else clear ones]",
    )
    max_size: int = grouped(
        "--max-size",
        metavar="SIZE",
        callback=read_by(parse_size),
        default="3M",
        show_default=True,
        help="Size of the page, about: of larger scenes only every so many pixels and bands keep their "
        "spectra.",
    )
    tiles: Path | None = grouped(
        "--tiles",
        metavar="DIR",
        type=click.Path(path_type=Path),
        help="Write all samples and maps as tiles into this folder, which goes with the page.",
    )
    max_tiles: int = grouped(
        "--max-tiles",
        metavar="SIZE",
        callback=read_by(parse_size),
        default="4G",
        show_default=True,
        help="Size of that folder, at most.",
    )


@click.command(epilog=EXAMPLE)
@click.argument("stream", type=click.Path(path_type=Path))
@output_option(required=True, help="Page to write (.html).")
@option_group("page", PageOptions)
@option_group("decoding", DecodingOptions, "memory_limit", "models", "trusted")
@option_group("reading", ReadingOptions, "no_data", "variable", "band_axis")
@json_option
@click.pass_context
def report(
    context: click.Context,
    stream: Path,
    output: Path,
    page: PageOptions,
    decoding: DecodingOptions,
    reading: ReadingOptions,
    as_json: bool,
) -> None:
    """Show STREAM as one page of HTML.

    The page holds everything it shows and needs neither a server nor the network: the scene in colours and
    band by band, the spectrum of any pixel, quality by band and pixel where a reference is given, where the
    bytes went, what is damaged, and the settings. The reference may have any format that encode reads. Large
    scenes are shown in part, unless --tiles has a folder for the rest.
    """
    if find_spec("bokeh") is None:
        raise SettingsError("report needs Bokeh: pip install 'bandfold[report]'")
    from bandfold.common.atomic_files import AtomicFile, output_errors
    from bandfold.ground.report.bit_counting_decoder import BitCountingDecoder
    from bandfold.ground.report.report_contents import collect
    from bandfold.ground.report.report_page import render, values_within

    keep_input("the stream", [stream], [output])
    decoder = BitCountingDecoder(
        stream, memory_limit=decoding.memory_limit, models=decoding.models, trusted=decoding.trusted
    )
    bands = _colours(page.colours, decoder.info.bands)
    original = None if page.reference is None else open_reference(page.reference, reading)
    keep_input("the reference", [page.reference, getattr(original, "path", None)], [output])
    values = values_within(page.max_size, 1 if original is None else 2)
    with _tiles(page, output, decoder.info) as tiles, AtomicFile(output) as written:
        with progress_shown() as progress:
            contents = collect(decoder, original, values, bands, progress, tiles)
            html = render(contents, stream.name, tiles=tiles).encode("utf-8")
        with output_errors(output):
            written.file.write(html)
        written.finish()
        if tiles is not None:
            tiles.publish()
    comparison = contents.comparison
    facts = {
        "output": str(output),
        "bytes": len(html),
        **vars(contents.cubes.grid),
        "comparison": None if comparison is None else comparison.to_dict(),
        "damage": [{"lines": one.bounds, "reason": one.reason} for one in contents.damage],
        "tiles": tiles and {"folder": str(page.tiles), "files": tiles.files, "bytes": tiles.bytes},
    }
    text = f"{output}: {len(html)} bytes"
    if tiles is not None:
        text += f"\n{page.tiles}: {tiles.bytes} bytes in {tiles.files} tiles"
    tell(facts, text, as_json=as_json)
    warn_first(map(str, contents.damage))
    if contents.damage:
        context.exit(DAMAGED)


def _tiles(page: PageOptions, output: Path, info: SceneInfo) -> AbstractContextManager[TileFolder | None]:
    """The folder of tiles that is asked for."""
    if page.tiles is None:
        return nullcontext()
    from bandfold.ground.report.tile_folder import TileFolder

    return TileFolder(
        page.tiles, output, info, reference=page.reference is not None, most_bytes=page.max_tiles
    )


def _colours(text: str | None, bands: int) -> tuple[int, ...] | None:
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    numbers = tuple(int(part) for part in parts if part.isdecimal())
    if len(parts) != 3 or len(numbers) != 3 or max(numbers) >= bands:
        raise SettingsError(f"--colours {text!r} are not three bands from 0 to {bands - 1}: write 29,19,9")
    return numbers
