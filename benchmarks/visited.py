"""The files that an encode or a decode visits: ``python -m bandfold.benchmarks.visited --step 8``.

A reader who follows a sample has to open the files whose functions run. This prints them, in the order in
which they are first entered, so that docs/architecture.md can be held against the code and the number kept
small. Those that run for every strip, which is the path of a sample, are told from those that plan.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from inspect import CO_OPTIMIZED
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

LIBRARIES = "site-packages"
"""Folder of installed libraries, which may lie in that of the package: make puts them into ``.venv``."""

STRIP_CALLS = (
    ("onboard/coding/scene_strips.py", "code"),
    ("ground/synthesis/strip_decoder.py", "decode"),
)
"""Functions that do all the work on one strip, by file and name."""

Result = TypeVar("Result")


@dataclass
class Visit:
    """What ran.

    Parameters
    ----------
    functions : dict of str to set of str
        Names of the functions that ran, by the paths of their files within the package, in the order in which
        these were first entered.
    for_strips : set of str
        Files of which something ran for a strip.
    """

    functions: dict[str, set[str]] = field(default_factory=dict)
    for_strips: set[str] = field(default_factory=set)
    _strips: int = field(default=0, init=False)

    def of(self, call: Callable[[], Result]) -> Result:
        """Run something and note which files of the package run for it, in threads that it starts too."""
        threading.setprofile(self._note)
        sys.setprofile(self._note)
        try:
            return call()
        finally:
            sys.setprofile(None)
            threading.setprofile(None)

    def _note(self, frame: FrameType, event: str, argument: Any) -> None:
        path = Path(frame.f_code.co_filename)
        if event not in ("call", "return") or path == Path(__file__) or not path.is_relative_to(ROOT):
            return
        name = str(path.relative_to(ROOT))
        if LIBRARIES in name:
            return
        if (name, frame.f_code.co_name) in STRIP_CALLS:
            self._strips += 1 if event == "call" else -1
        # What is imported meanwhile runs no function of its own.
        if event == "call" and frame.f_code.co_flags & CO_OPTIMIZED:
            self.functions.setdefault(name, set()).add(frame.f_code.co_name)
            if self._strips:
                self.for_strips.add(name)

    def text(self, title: str) -> str:
        """A line of numbers, and one for each file."""
        lines = [f"{title}: {len(self.functions)} files, {len(self.for_strips)} of them (*) for every strip"]
        for path, names in self.functions.items():
            lines.append(f"  {'*' if path in self.for_strips else ' '} {path} ({len(names)} functions)")
        return "\n".join(lines)


@click.command()
@click.option("--step", type=float, default=8.0, show_default=True, help="Quantiser step in counts.")
@click.option(
    "--scene", type=click.Path(exists=True, path_type=Path), help="A scene in place of a made-up one."
)
def main(step: float, scene: Path | None) -> None:
    """Print the files of bandfold that run when a scene is encoded at a step, and decoded again."""
    cube: Any = made_up_scene()
    if scene is not None:
        from bandfold.formats.opening import open_scene

        cube = open_scene(scene)
    encoder, encoding, decoding = Encoder(step=step), Visit(), Visit()
    stream = encoding.of(lambda: encoder.encode(cube))
    decoder = Decoder(stream, restore="off")
    decoding.of(decoder.decode)
    click.echo(encoding.text(f"encode at a step of {step:g}"))
    click.echo(decoding.text("decode"))


if __name__ == "__main__":
    run(main)
