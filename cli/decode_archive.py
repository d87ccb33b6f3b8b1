"""What `bandfold decode` does with several streams."""

from __future__ import annotations

import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

import click

from .console import DAMAGED, FAILED, tell, warn
from .verbosity import progress_shown

if TYPE_CHECKING:
    from bandfold.ground.archive.archive_decoding import Archive
    from bandfold.ground.archive.archive_settings import SceneOutcome


def decode_archive(
    context: click.Context, archive: Archive, scheduler: str | None, workers: int | None, *, as_json: bool
) -> None:
    """Decode an archive and report; ends the program with a status where something went wrong.

    Parameters
    ----------
    context : click.Context
        Of the command, whose exit status tells of failures.
    archive : Archive
        Streams, output folder and settings.
    scheduler : str or None
        Address of a Dask scheduler.
    workers : int or None
        Processes to start where there is none.
    as_json : bool
        Report as JSON.
    """
    from bandfold.formats.file_formats import need_libraries
    from bandfold.ground.archive.dask_cluster import dask_client

    started = time.perf_counter()
    total = len(archive.streams)
    need_libraries(archive.settings.layout.kind, f"writing {archive.settings.layout.kind}")
    limit = archive.settings.options.memory_limit
    workers = None if workers is None else min(workers, total)
    with dask_client(scheduler, workers, limit) as client, progress_shown() as progress:

        def told(outcome: SceneOutcome, count: int) -> None:
            progress("decode scenes", count / total)
            if not as_json and not sys.stderr.isatty():
                click.echo(f"{count}/{total} {outcome.output.name}: {outcome.state}, {outcome.seconds:.1f} s")

        outcomes = archive.decode(client, told)
    seconds = time.perf_counter() - started
    counts = Counter(outcome.state for outcome in outcomes)
    report = {
        "output": str(archive.folder),
        "format": archive.settings.layout.kind,
        "seconds": seconds,
        **{state: counts[state] for state in ("done", "skipped", "failed")},
        "scenes": [
            {
                "stream": str(outcome.stream),
                "output": str(outcome.output),
                "state": outcome.state,
                "damage": list(outcome.damage),
                "reason": outcome.reason or None,
                "seconds": outcome.seconds,
            }
            for outcome in outcomes
        ],
    }
    text = (
        f"{archive.folder}: {counts['done']} decoded, {counts['skipped']} there already, "
        f"{counts['failed']} failed, {seconds:.1f} s"
    )
    tell(report, text, as_json=as_json)
    for outcome in outcomes:
        for item in outcome.damage:
            warn(f"{outcome.stream.name}: {item}")
    for outcome in outcomes:
        if outcome.state == "failed":
            warn(f"{outcome.stream.name} failed: {outcome.reason}")
    if counts["failed"]:
        context.exit(FAILED)
    if any(outcome.damage for outcome in outcomes):
        context.exit(DAMAGED)
