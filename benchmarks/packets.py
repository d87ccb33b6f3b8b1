"""What lost packets cost a scene: ``python -m bandfold.benchmarks.packets``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from bandfold.benchmarks.damage.packet_losses import Loss, losses_table, measure_losses, strips_that_differ
from bandfold.onboard import Encoder
from bandfold.onboard.downlink.packets import PacketSettings
from bandfold.programs.options import bps_option, figures_option, geometry_options, whole_numbers
from bandfold.programs.program import run, write_figures
from bandfold.synthetic.scenes import SyntheticScene

_SEED = 1
"""Of the scene."""


def _shares(_: click.Context, __: click.Parameter, text: str) -> list[float]:
    try:
        return [float(item) for item in text.split(",")]
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no list of numbers with commas between") from error


@click.command()
@geometry_options(512, 340, 112)
@bps_option
@click.option("--strip-lines", default="8,64", callback=whole_numbers, show_default=True)
@click.option(
    "--sizes", default="1024,4096,65542", callback=whole_numbers, show_default=True, help="Of packets."
)
@click.option("--repeats", default="0,8", callback=whole_numbers, show_default=True)
@click.option("--losses", default="0.01,0.05,0.1", callback=_shares, show_default=True)
@click.option("--trials", type=click.IntRange(1), default=100, show_default=True)
@figures_option("Write the figures here.")
def main(
    lines: int,
    samples: int,
    bands: int,
    bps: float,
    strip_lines: list[int],
    sizes: list[int],
    repeats: list[int],
    losses: list[float],
    trials: int,
    json_path: Path | None,
) -> None:
    """Strips lost over packets lost, on a synthetic scene."""
    scene = SyntheticScene(lines, samples, bands, _SEED)
    found: list[Loss] = []
    checks = []
    for height in strip_lines:
        stream = Encoder(bps=bps, strip_lines=height).encode(scene)
        for size in sizes:
            for repeat in repeats:
                settings = PacketSettings(1, size=size, scene=1, repeat=repeat)
                found += [measure_losses(stream, settings, height, lost, trials) for lost in losses]
        settings = PacketSettings(1, size=sizes[0], scene=1)
        strips, gone, differing = strips_that_differ(stream, settings, losses[0])
        checks.append({"strip_lines": height, "strips": strips, "lost": gone, "differing": differing})
    click.echo(f"{lines} x {samples} x {bands} at {bps:g} bps, {trials} trials\n\n{losses_table(found)}\n")
    for check in checks:
        click.echo(
            f"Strips of {check['strip_lines']} lines: {check['lost']} of {check['strips']} lost, "
            f"{check['differing']} others differ from what all packets give."
        )
    if json_path:
        content = {"bps": bps, "trials": trials, "losses": [asdict(one) for one in found], "checks": checks}
        write_figures(json_path, content)


if __name__ == "__main__":
    run(main)
