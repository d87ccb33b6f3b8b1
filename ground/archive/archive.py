"""Many streams into many files, on the workers of a Dask cluster."""

from __future__ import annotations

import shutil
import threading
import time
from asyncio import CancelledError
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bandfold.common.atomic_files import output_errors
from bandfold.common.errors import BandfoldError, OutputError, SettingsError
from bandfold.formats.file_formats import usual_suffix
from bandfold.ground.decoder import DEFAULT_MEMORY_LIMIT, Decoder
from bandfold.ground.restoration.restoration_model import AUTO

from .product import write_product
from .receipt import Receipt, digest

if TYPE_CHECKING:
    from distributed import Client

_OWN = ".bandfold"
"""Folder within that of an archive: receipts, unfinished files, and the lock."""

_ONE_AT_A_TIME = threading.Lock()
"""A worker may have several threads; its memory is for one scene."""


@dataclass(frozen=True)
class Settings:
    """How the scenes of an archive are decoded.

    Parameters
    ----------
    kind : str
        One of `bandfold.formats.file_formats.WRITTEN`.
    bands, lines : tuple of int or None
        Start and stop of a range, None where open.
    interleave, byte_order : str, optional
        As for `bandfold.ground.archive.product.write_product`.
    memory_limit : int
        Bytes that decoding a scene may take.
    models : tuple of str
        Package files that streams may need; workers read them under the same path.
    restore : str
    threads : int
        As for `bandfold.ground.decoder.Decoder`.
    """

    kind: str = "zarr"
    bands: tuple[int | None, int | None] = (None, None)
    lines: tuple[int | None, int | None] = (None, None)
    interleave: str | None = None
    byte_order: str | None = None
    memory_limit: int = DEFAULT_MEMORY_LIMIT
    models: tuple[str, ...] = ()
    restore: str = AUTO
    threads: int = 1

    def traces(self) -> dict[str, Any]:
        """What makes a difference in the output."""
        return {
            "bandfold": version("bandfold"),
            "kind": self.kind,
            "bands": list(self.bands),
            "lines": list(self.lines),
            "interleave": self.interleave,
            "byte_order": self.byte_order,
            "restore": self.restore,
        }


@dataclass(frozen=True)
class Outcome:
    """What became of a stream.

    Parameters
    ----------
    stream, output : Path
    state : str
        ``done``; ``skipped``: it was there already, and verified; ``failed``.
    damage : tuple of str
        Lines that are damaged, and why.
    reason : str
        Why it failed.
    seconds, processor : float
        Time that the worker took, and processor time of it.
    """

    stream: Path
    output: Path
    state: str
    damage: tuple[str, ...] = ()
    reason: str = ""
    seconds: float = 0.0
    processor: float = 0.0


@dataclass
class Archive:
    """Streams, and the folder for what is decoded from them.

    Parameters
    ----------
    streams : sequence of Path
        Their names without suffix must differ: they become the names of the outputs.
    folder : Path
        Made where it is not there. Workers must have it, and the streams, under the same path.
    settings : Settings

    Raises
    ------
    SettingsError
        If two streams have the same name.
    """

    streams: Sequence[Path]
    folder: Path
    settings: Settings = field(default_factory=Settings)

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
        """What a stream is decoded into."""
        return self.folder / (stream.stem + usual_suffix(self.settings.kind))

    def decode(self, client: Client, told: Callable[[Outcome, int], None] | None = None) -> list[Outcome]:
        """Decode all streams; those that fail do not stop the others.

        A worker that dies is replaced by another, if the cluster does so, and its scene is started again.

        Parameters
        ----------
        client : distributed.Client
            Of the cluster.
        told : callable, optional
            Called with each outcome as it comes in, and how many there are by then.

        Returns
        -------
        list of Outcome
            In the order of the streams.

        Raises
        ------
        OutputError
            If the folder cannot be made, or somebody else is decoding into it.
        """
        from distributed import as_completed

        outcomes: dict[Path, Outcome] = {}
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
                    outcomes[stream] = Outcome(stream, self.output(stream), "failed", reason=_text(error))
                # Dask forgets it now.
                future.release()
                if told is not None:
                    told(outcomes[stream], len(outcomes))
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


def decode_scene(stream: Path, output: Path, partial: Path, settings: Settings) -> Outcome:
    """Decode a stream on a worker, unless that has been done.

    Parameters
    ----------
    stream, output : Path
    partial : Path
        Folder for unfinished files.
    settings : Settings

    Returns
    -------
    Outcome
        Whatever happens.
    """
    with _ONE_AT_A_TIME:
        started, worked = time.perf_counter(), time.process_time()
        try:
            outcome = _decode(stream, output, partial, settings)
        except (BandfoldError, OSError, MemoryError) as error:
            outcome = Outcome(stream, output, "failed", reason=_text(error))
        except Exception as error:
            # The others are to be decoded whatever is wrong with this one.
            outcome = Outcome(stream, output, "failed", reason=f"{type(error).__name__}: {_text(error)}")
        return replace(outcome, seconds=time.perf_counter() - started, processor=time.process_time() - worked)


def _decode(stream: Path, output: Path, partial: Path, settings: Settings) -> Outcome:
    receipt_path = partial.parent / f"{output.name}.json"
    receipt = Receipt.load(receipt_path)
    decoder = Decoder(
        stream,
        memory_limit=settings.memory_limit,
        models=settings.models,
        restore=settings.restore,
        threads=settings.threads,
    )
    identity = digest([stream])
    if receipt is not None and receipt.holds(identity, settings.traces(), output.parent):
        return Outcome(stream, output, "skipped", receipt.damage)
    info = decoder.info
    product = write_product(
        decoder,
        output,
        settings.kind,
        _range(settings.bands, info.bands, "bands"),
        _range(settings.lines, info.lines, "lines"),
        interleave=settings.interleave,
        byte_order=settings.byte_order,
        folder=partial,
    )
    damage = tuple(
        f"lines {item.lines.start}:{item.lines.stop} are damaged: {item.reason}" for item in product.damage
    )
    names = tuple(path.name for path in product.paths)
    Receipt(identity, settings.traces(), names, digest(product.paths), damage).save(receipt_path)
    return Outcome(stream, output, "done", damage)


def _range(given: tuple[int | None, int | None], size: int, name: str) -> slice:
    start, stop = given[0] or 0, size if given[1] is None else given[1]
    if not start < stop <= size:
        raise SettingsError(f"{name} {start}:{stop} are not a part of the scene, which has {name} 0:{size}")
    return slice(start, stop)


@contextmanager
def _locked(path: Path, folder: Path) -> Iterator[None]:
    """Keep others out, as long as this process lives."""
    try:
        import fcntl
    except ImportError:
        # No POSIX system: nobody is kept out.
        yield
        return
    with output_errors(folder):
        file = open(path, "w")  # noqa: SIM115 - it is closed below
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise OutputError(
                f"somebody else is decoding into {folder}: wait for them, or name another folder"
            ) from error
        yield


def _text(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
