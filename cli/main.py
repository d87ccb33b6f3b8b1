"""The `bandfold` command: a group with one file per subcommand."""

from __future__ import annotations

import atexit
import gc
import os
import warnings

import click

from bandfold.common.workers import BLAS_THREADS, share_heap

from .command_group import BandfoldGroup
from .command_modules import CommandModules
from .console import warn_as_told
from .verbosity import add_verbosity

OVERVIEW = """\b
Examples:
  bandfold demo                                      see it work, without a scene of your own
  bandfold encode scene.hdr -o scene.bf --bps 0.25   compress to a quarter bit per sample
  bandfold decode scene.bf -o again.hdr              and back
  bandfold compare scene.hdr again.hdr               what was lost

\b
Exit status: 0 done, 2 settings, 3 scene, 4 rate or quality out of reach, 5 model, 6 stream,
7 memory limit, 8 output, 9 decoded but damaged, 10 some of several scenes failed, 11 flipped
bits in memory, 130 interrupted, 143 and 129 ended by SIGTERM and SIGHUP.
"""


@click.group(
    cls=BandfoldGroup,
    epilog=OVERVIEW,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(package_name="bandfold", message="bandfold %(version)s")
@click.pass_context
def main(context: click.Context) -> None:
    """Compress hyperspectral scenes (ENVI) into streams, and back.

    Read on with bandfold COMMAND --help.
    """
    # Before NumPy is imported: --threads says how many there are, and those of BLAS would come on top.
    os.environ.setdefault(BLAS_THREADS, "1")
    # At the end the process gives back all there is, whatever refers to what.
    atexit.register(gc.freeze)
    share_heap()
    warnings.showwarning = warn_as_told
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


STREAMS = ("encode", "decode", "info", "truncate", "compare", "report", "vrt", "hdf5")
PACKETS = ("packetise", "depacketise")
MODELS = ("partition", "fit", "models", "engines", "selftest", "train", "export")
TRIALS = ("synth", "bench", "demo")

ELSEWHERE = {"selftest": "engines"}
"""Files of commands that do not have one of their own."""

add_verbosity(main)
main.commands = CommandModules(
    {name: ELSEWHERE.get(name, name) for name in (*STREAMS, *PACKETS, *MODELS, *TRIALS)}, add_verbosity
)


if __name__ == "__main__":
    main()
