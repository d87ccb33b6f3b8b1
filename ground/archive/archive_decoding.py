"""Decodes many streams into many files, on the workers of a Dask cluster."""

from __future__ import annotations

import shutil
import threading
import time
from asyncio import CancelledError
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bandfold.common.atomic_files import output_errors
from bandfold.common.errors import BandfoldError, OutputError, SettingsError
from bandfold.common.file_lock import take_lock
from bandfold.formats.file_formats import USUAL_SUFFIX
from bandfold.ground.access.decode_to_file import decode_to_file
from bandfold.ground.access.scene_subset import part_of_scene
from bandfold.ground.decoder import Decoder

from .archive_settings import ArchiveSettings, SceneOutcome
from .decode_record import DecodeRecord, digest

if TYPE_CHECKING:
    from distributed import Client

_OWN = ".bandfold"
"""Folder within that of an archive: records, unfinished files, and the lock."""

_ONE_AT_A_TIME = threading.Lock()
"""A worker may have several threads; its memory is for one scene."""


@dataclass
class Archive:
    """Streams, and the folder for what is decoded from them.

    Parameters
    ----------
    streams : sequence of Path
        Their names without suffix must differ: they become the names of the outputs.
    folder : Path
        Made where it is not there. Workers must have it, and the streams, under the same path.
    settings : ArchiveSettings
        How they are decoded.

    Raises
    ------
    SettingsError
        If two streams have the same name.
    """

    streams: Sequence[Path]
    folder: Path
    settings: ArchiveSettings = field(default_factory=ArchiveSettings)

    def __post_init__(self) -> None:
        self.streams = [path.absolute() for path in self.streams]
        self.folder = self.folder.absolute()
        names: dict[str, Path] = {}
        for path in self.streams:
            if path.stem in names:
                raise SettingsError(
                    f"{names[path.stem]} and {path} would both become {path.stem}: "
                    "decode them into two folders"
                )
            names[path.stem] = path

    def output(self, stream: Path) -> Path:
        """What a stream is decoded into.

        Parameters
        ----------
        stream : Path
            File of the stream.

        Returns
        -------
        Path
            Named after the stream, in the folder of the archive.
        """
        return self.folder / (stream.stem + USUAL_SUFFIX[self.settings.layout.kind])

    def decode(
        self, client: Client, on_outcome: Callable[[SceneOutcome, int], None] | None = None
    ) -> list[SceneOutcome]:
        """Decode all streams; those that fail do not stop the others.

        A worker that dies is replaced by another, if the cluster does so, and its scene is started again.

        Parameters
        ----------
        client : distributed.Client
            Of the cluster.
        on_outcome : callable, optional
            Called with each outcome as it comes in, and how many there are by then.

        Returns
        -------
        list of SceneOutcome
            In the order of the streams.

        Raises
        ------
        OutputError
            If the folder cannot be made, or somebody else is decoding into it.
        """
        from distributed import as_completed

        outcomes: dict[Path, SceneOutcome] = {}
        with self._own() as partial:
            futures = {
                client.submit(
                    decode_scene, stream, self.output(stream), partial, self.settings, pure=False
                ): stream
                for stream in self.streams
            }
            for future in as_completed(list(futures), loop=client.loop):
                stream = futures.pop(future)
                try:
                    outcomes[stream] = future.result()
                except (Exception, CancelledError) as error:
                    # What a scene can do wrong is an outcome. This is a worker that died again and again.
                    outcomes[stream] = SceneOutcome(
                        stream, self.output(stream), "failed", reason=_text(error)
                    )
                # Dask forgets it now.
                future.release()
                if on_outcome is not None:
                    on_outcome(outcomes[stream], len(outcomes))
        return [outcomes[stream] for stream in self.streams]

    @contextmanager
    def _own(self) -> Iterator[Path]:
        """Take hold of the folder, and make one for unfinished files, cleared of what others left."""
        own = self.folder / _OWN
        partial = own / "partial"
        with output_errors(self.folder):
            own.mkdir(parents=True, exist_ok=True)
        with _locked(own / "lock", self.folder):
            shutil.rmtree(partial, ignore_errors=True)
            with output_errors(self.folder):
                partial.mkdir()
            try:
                yield partial
            finally:
                shutil.rmtree(partial, ignore_errors=True)


def decode_scene(stream: Path, output: Path, partial: Path, settings: ArchiveSettings) -> SceneOutcome:
    """Decode a stream on a worker, unless that has been done.

    Parameters
    ----------
    stream, output : Path
        File of the stream, and what it is decoded into.
    partial : Path
        Folder for unfinished files.
    settings : ArchiveSettings
        How it is decoded.

    Returns
    -------
    SceneOutcome
        What became of it; whatever happens, nothing is raised.
    """
    with _ONE_AT_A_TIME:
        started, worked = time.perf_counter(), time.process_time()
        try:
            outcome = _decode(stream, output, partial, settings)
        except (BandfoldError, OSError, MemoryError) as error:
            outcome = SceneOutcome(stream, output, "failed", reason=_text(error))
        except Exception as error:
            # The others are to be decoded whatever is wrong with this one.
            outcome = SceneOutcome(stream, output, "failed", reason=f"{type(error).__name__}: {_text(error)}")
        return replace(outcome, seconds=time.perf_counter() - started, processor=time.process_time() - worked)


def _decode(stream: Path, output: Path, partial: Path, settings: ArchiveSettings) -> SceneOutcome:
    record_path = partial.parent / f"{output.name}.json"
    record = DecodeRecord.load(record_path)
    decoder = Decoder(stream, **vars(settings.options))
    identity = digest([stream])
    if record is not None and record.verifies(identity, settings.reproducible(), output.parent):
        return SceneOutcome(stream, output, "skipped", record.damage)
    info = decoder.info
    written = decode_to_file(
        decoder,
        output,
        settings.layout,
        part_of_scene(info, settings.bands, settings.lines, settings.samples),
        folder=partial,
    )
    damage = tuple(map(str, written.damage))
    names = tuple(path.name for path in written.paths)
    DecodeRecord(identity, settings.reproducible(), names, digest(written.paths), damage).save(record_path)
    return SceneOutcome(stream, output, "done", damage)


@contextmanager
def _locked(path: Path, folder: Path) -> Iterator[None]:
    """Keep others out, as long as this process lives."""
    with output_errors(folder):
        file = open(path, "w")  # noqa: SIM115 - it is closed below
    with file:
        with output_errors(folder):
            alone = take_lock(file)
        if not alone:
            raise OutputError(
                f"somebody else is decoding into {folder}: wait for them, or name another folder"
            )
        yield


def _text(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
