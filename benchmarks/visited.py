"""The files that an encode or a decode visits: ``python -m bandfold.benchmarks.visited --step 8``.

A reader who follows a sample has to open the files whose functions run. This prints them, in the order in
which they are first entered, so that docs/architecture.md can be held against the code and the number kept
small.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import click

from bandfold.ground import Decoder
from bandfold.onboard import Encoder
from bandfold.onboard.self_check import made_up_scene
from bandfold.programs.program import run

ROOT = Path(sys.modules["bandfold"].__file__ or "").parent
"""Folder of the package."""

Result = TypeVar("Result")


def visited_files(call: Callable[[], Result]) -> tuple[Result, dict[str, int]]:
    """Run something and note which files of the package run for it.

    Parameters
    ----------
    call : callable
        What to run; in threads that it starts too.

    Returns
    -------
    result
        Of the call.
    files : dict of str to int
        Paths within the package, in the order in which they were first entered, and how many of their
        functions ran.
    """
    functions: dict[str, set[str]] = {}

    def note(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            path = Path(frame.f_code.co_filename)
            if path.is_relative_to(ROOT) and path != Path(__file__):
                functions.setdefault(str(path.relative_to(ROOT)), set()).add(frame.f_code.co_name)

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        result = call()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return result, {path: len(names) for path, names in functions.items()}


@click.command()
@click.option("--step", type=float, default=8.0, show_default=True, help="Quantiser step in counts.")
@click.option(
    "--scene", type=click.Path(exists=True, path_type=Path), help="A scene in place of a made-up one."
)
@click.option(
    "--whole", is_flag=True, help="Count the making of Encoder and Decoder too, not the calls alone."
)
def main(step: float, scene: Path | None, whole: bool) -> None:
    """Print the files of bandfold that run when a scene is encoded at a step, and decoded again."""
    cube: Any = made_up_scene()
    if scene is not None:
        from bandfold.formats.opening import open_scene

        cube = open_scene(scene)
    encoder = Encoder(step=step)
    encode = (lambda: Encoder(step=step).encode(cube)) if whole else (lambda: encoder.encode(cube))
    stream, encoding = visited_files(encode)
    decoder = Decoder(stream, restore="off")
    decode = (lambda: Decoder(stream, restore="off").decode()) if whole else decoder.decode
    _, decoding = visited_files(decode)
    for name, files in (("encode", encoding), ("decode", decoding)):
        click.echo(f"{name} at a step of {step:g}: {len(files)} files")
        for path, count in files.items():
            click.echo(f"  {path} ({count} functions)")


if __name__ == "__main__":
    run(main)
