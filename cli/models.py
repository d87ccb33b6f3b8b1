"""`bandfold models`: which packages there are, and what they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .console import print_json, print_table
from .options import json_option

if TYPE_CHECKING:
    from bandfold.bitstream.packages.package import Package

EXAMPLE = """\b
Examples:
  bandfold models
  bandfold models show aviris-224
  bandfold models show sensor.bfm --json

Packages are looked for in the folders that BANDFOLD_MODELS names, then among those that are shipped.
"""


@click.group(epilog=EXAMPLE, invoke_without_command=True)
@json_option
@click.pass_context
def models(context: click.Context, as_json: bool) -> None:
    """List the packages of sensors, trained encoders and restorations that are at hand."""
    if context.invoked_subcommand is not None:
        return
    from bandfold.bitstream.packages.registry import Registry

    packages = list(Registry().packages())
    if as_json:
        print_json({"packages": [_summary(package) for package in packages]})
        return
    columns = ("name", "kind", "bytes", "hash", "description")
    print_table([{key: _summary(package)[key] for key in columns} for package in packages])


@models.command()
@click.argument("package", metavar="NAME|FILE")
@json_option
def show(package: str, as_json: bool) -> None:
    """Print the card of a package."""
    from bandfold.bitstream.packages.registry import Registry

    found = Registry().find(package)
    report = {
        **_summary(found),
        "hash": found.digest.hex(),
        "made with": found.manifest.bandfold,
        "card": dict(found.manifest.card),
        "arrays": {name: f"{array.dtype} {array.shape}" for name, array in sorted(found.arrays.items())},
        "engines": {name: len(data) for name, data in sorted(found.engines.items())},
    }
    if as_json:
        print_json(report)
        return
    card = report.pop("card")
    for key, value in {**report, **card}.items():
        click.echo(f"{key}: {_text(value)}")


def _summary(package: Package) -> dict[str, Any]:
    return {
        "name": package.name,
        "kind": package.manifest.kind,
        "bytes": Path(package.source).stat().st_size,
        "hash": package.identity.hex(),
        "description": package.manifest.description,
        "source": package.source,
    }


def _text(value: Any) -> str:
    """What is nested on lines of its own, everything else on one."""
    if isinstance(value, dict):
        return "".join(f"\n  {key}: {item}" for key, item in value.items()) or "none"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none"
    return str(value) or "-"
