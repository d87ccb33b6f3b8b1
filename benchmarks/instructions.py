"""Instructions per sample on ARM, under QEMU: ``make instructions``."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path

import click

from bandfold.benchmarks.arm.assembly import Block
from bandfold.benchmarks.arm.counted_kernels import compile_counted
from bandfold.benchmarks.arm.emulated_python import EmulatedPython
from bandfold.benchmarks.arm.instruction_profile import Share, functions, innermost_loops
from bandfold.benchmarks.arm.workload import SEED
from bandfold.onboard import Encoder
from bandfold.programs.options import FOLDER, bps_option, figures_option, geometry_options, names
from bandfold.programs.program import run, write_figures
from bandfold.synthetic.scenes import SyntheticScene

TASKS = ("effort 5", "effort 1", "lossless", "decode", "restore")
"""What is counted: encodes, and decodes of effort 5 without restoration and with it."""

_LEAST = 0.005
"""Share of all instructions from which on a function or a loop is told."""

_SCALAR = 0.25
"""Share of vector instructions below which a loop is told."""


@dataclass(frozen=True)
class Profile:
    """What one task executes on one processor.

    Parameters
    ----------
    cpu, task : str
        As on the command line.
    samples : int
        Of the scene.
    functions, loops : list of Share
        Of the kernels, most instructions first.
    """

    cpu: str
    task: str
    samples: int
    functions: list[Share]
    loops: list[Share]

    @property
    def executed(self) -> int:
        """Instructions of all kernels."""
        return sum(one.executed for one in self.functions)


def profile(
    python: EmulatedPython,
    task: str,
    shape: tuple[int, int, int],
    bps: float,
    blocks: Mapping[str, Sequence[Block]],
) -> Profile:
    """Run a task under QEMU.

    Parameters
    ----------
    python : EmulatedPython
        With counted kernels.
    task : str
        One of `TASKS`.
    shape : tuple of int
        Lines, samples and bands of the made-up scene.
    bps : float
        Bits per sample, where it is not lossless.
    blocks : mapping of str to sequence of Block
        Of the kernels; see `bandfold.benchmarks.arm.counted_kernels.compile_counted`.

    Returns
    -------
    Profile

    Raises
    ------
    BandfoldError
        If it fails under QEMU.
    """
    lengths = json.dumps({name: len(part) for name, part in blocks.items()})
    words = ["-m", "bandfold.benchmarks.arm.workload"]
    with tempfile.TemporaryDirectory(prefix="bandfold-instructions-") as folder:
        if task in ("decode", "restore"):
            stream = Path(folder, "scene.bf")
            Encoder(bps=bps).encode_to(SyntheticScene(*shape, SEED), stream)
            words += ["decode", lengths, "--stream", str(stream)]
            words += ["--restore"] if task == "restore" else []
        else:
            words += ["encode", lengths, "--shape", *map(str, shape)]
            words += [] if task == "lossless" else ["--bps", str(bps), "--effort", task.split()[-1]]
        runs = json.loads(python.output(words).splitlines()[-1])
    counted = [pair for name, part in blocks.items() for pair in zip(part, runs[name], strict=True)]
    return Profile(python.cpu, task, prod(shape), functions(counted), innermost_loops(counted))


def functions_text(profiles: Sequence[Profile]) -> str:
    """Write instructions per sample of each kernel as a Markdown table.

    Parameters
    ----------
    profiles : sequence of Profile
        One column for each.

    Returns
    -------
    str
        With the share of vector instructions in brackets; kernels below 0.5 % in all columns are left out.
    """
    columns = [{share.name: share for share in one.functions} for one in profiles]
    most: Counter[str] = Counter()
    for one in profiles:
        for share in one.functions:
            most[share.name] = max(most[share.name], round(1e6 * share.executed / one.executed))
    lines = [
        "| kernel | " + " | ".join(f"{one.task}, {one.cpu}" for one in profiles) + " |",
        "|---|" + "---:|" * len(profiles),
    ]

    def row(name: str, shares: Sequence[Share | None]) -> str:
        cells = [
            ""
            if share is None
            else f"{share.executed / one.samples:.1f} ({100 * share.vector / share.executed:.0f} %)"
            for one, share in zip(profiles, shares, strict=True)
        ]
        return f"| {name} | " + " | ".join(cells) + " |"

    for name, millionths in most.most_common():
        if millionths >= 1e6 * _LEAST:
            lines.append(row(f"`{name}`", [column.get(name) for column in columns]))
    sums = [Share("all", one.executed, sum(share.vector for share in one.functions)) for one in profiles]
    return "\n".join([*lines, row("all kernels", sums)])


def loops_text(one: Profile) -> str:
    """List the innermost loops that hardly work on vectors.

    Parameters
    ----------
    one : Profile
        Of a task.

    Returns
    -------
    str
        Instructions per sample, and where the loop is; those below 0.5 % are left out.
    """
    lines = [f"{one.task}, {one.cpu}: innermost loops of which less than a quarter are vector instructions"]
    for loop in one.loops:
        if loop.vector < _SCALAR * loop.executed and loop.executed >= _LEAST * one.executed:
            share = 100 * loop.executed / one.executed
            lines.append(f"  {loop.executed / one.samples:7.2f} per sample {share:5.1f} %  {loop.name}")
    return "\n".join(lines)


@click.command()
@click.option(
    "--arm", type=FOLDER, default=Path("out/arm"), show_default=True, help="What make instructions fills."
)
@click.option("--cpus", callback=names, default="cortex-a72,cortex-a76", show_default=True)
@click.option("--tasks", callback=names, default=",".join(TASKS), show_default=True)
@geometry_options(128, 168, 224)
@bps_option
@figures_option("Write figures here.")
def main(
    arm: Path,
    cpus: Sequence[str],
    tasks: Sequence[str],
    lines: int,
    samples: int,
    bands: int,
    bps: float,
    json_path: Path | None,
) -> None:
    """Count the instructions that kernels execute on ARM for each sample of a made-up scene."""
    unknown = set(tasks).difference(TASKS)
    if unknown:
        raise click.BadParameter(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(TASKS)}")
    found = []
    click.echo(
        f"{bands} bands x {lines} x {samples} at {bps:g} bps; share of vector instructions in brackets"
    )
    with tempfile.TemporaryDirectory(prefix="bandfold-instructions-") as folder:
        library = Path(folder, "kernels.so")
        blocks = compile_counted(library)
        for task in tasks:
            for cpu in cpus:
                python = EmulatedPython(arm, cpu, library)
                one = profile(python, task, (lines, samples, bands), bps, blocks)
                click.echo(f"{task}, {cpu}: {one.executed / one.samples:.1f} per sample", err=True)
                found.append(one)
    click.echo(functions_text(found) + "\n")
    for one in found:
        click.echo(loops_text(one) + "\n")
    if json_path:
        write_figures(json_path, [asdict(one) for one in found])


if __name__ == "__main__":
    run(main)
