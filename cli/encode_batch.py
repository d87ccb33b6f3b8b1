"""What `bandfold encode` does with several scenes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bandfold.common.errors import BandfoldError, SettingsError

from .command_group import told_failure
from .console import FAILED, tell, warn
from .scene_encoding import Destination, Encoded, encode_file
from .standard_streams import STANDARD
from .verbosity import progress_shown

if TYPE_CHECKING:
    from bandfold.formats.block_source import BlockSource
    from bandfold.onboard.downlink.packets import PacketSettings
    from bandfold.onboard.settings import EncoderSettings

    from .encode_options import StreamingOptions

    Opener = Callable[[Path], BlockSource]


@dataclass(frozen=True)
class Batch:
    """How several scenes are encoded.

    Parameters
    ----------
    folder : Path
        Where the streams go; made where it is not there.
    suffix : str
        Of their names, as ``.bf``.
    settings : EncoderSettings
        How each is coded.
    packets : PacketSettings or None
        How each is put into packets, if it is.
    streaming : StreamingOptions
        How each is written, if it is coded strip after strip.
    """

    folder: Path
    suffix: str
    settings: EncoderSettings
    packets: PacketSettings | None
    streaming: StreamingOptions

    def outputs(self, scenes: Sequence[Path]) -> dict[Path, Path]:
        """Name the streams.

        Parameters
        ----------
        scenes : sequence of Path
            What the user has named, raw files beside their headers included.

        Returns
        -------
        dict of Path to Path
            The stream of each scene, in order.

        Raises
        ------
        SettingsError
            If two scenes would become one stream.
        """
        outputs: dict[Path, Path] = {}
        named: dict[Path, Path] = {}
        for scene in _once(scenes):
            output = self.folder / (scene.stem + self.suffix)
            if output in named:
                raise SettingsError(
                    f"{named[output]} and {scene} would both become {output}: encode them into two folders"
                )
            named[output] = scene
            outputs[scene] = output
        return outputs


def refuse_in_batch(scenes: Sequence[Path], output: Path, streaming: StreamingOptions) -> None:
    """Refuse what makes sense for one scene only.

    Parameters
    ----------
    scenes : sequence of Path
        What is to be encoded.
    output : Path
        Where to.
    streaming : StreamingOptions
        How.

    Raises
    ------
    SettingsError
        If standard input or output is among them, the output is a file, or a stream is to be resumed.
    """
    if STANDARD in scenes or output == STANDARD:
        raise SettingsError("several scenes go from files into a folder: encode standard input on its own")
    if output.exists() and not output.is_dir():
        raise SettingsError(f"{output} is a file: several scenes go into a folder, name one")
    if streaming.resume:
        raise SettingsError("--resume continues one stream: name its scene and its file")


def encode_batch(batch: Batch, scenes: Sequence[Path], opener: Opener, *, as_json: bool) -> None:
    """Encode scenes one after the other and report; ends the program with a status where one has failed.

    Parameters
    ----------
    batch : Batch
        How they are encoded.
    scenes : sequence of Path
        Their files.
    opener : callable
        Opens one.
    as_json : bool
        Report as JSON.

    Raises
    ------
    SettingsError
        If two scenes would become one stream.
    OutputError
        If the folder cannot be made.
    """
    from bandfold.common.atomic_files import output_errors

    outputs = batch.outputs(scenes)
    with output_errors(batch.folder):
        batch.folder.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    reports: list[dict[str, Any]] = []
    failures: list[str] = []
    size = 0
    with progress_shown() as shown:
        whole = _WholeProgress(outputs, shown)
        for scene, output in outputs.items():
            begun = time.perf_counter()
            outcome = _encode(batch, scene, output, opener, whole.of(scene))
            if isinstance(outcome, Encoded):
                seconds = time.perf_counter() - begun
                size += outcome.size
                reports.append({"scene": str(scene), "state": "done", **outcome.report(output, seconds)})
                if not as_json:
                    tell({}, outcome.text(output, seconds), as_json=False)
                for note in outcome.notes:
                    warn(f"{scene}: {note}")
            else:
                reports.append({"scene": str(scene), "state": "failed", "output": None, **outcome})
                failures.append(f"{scene}: {outcome['reason']}")
            whole.finish(scene)
    seconds = time.perf_counter() - started
    done = len(outputs) - len(failures)
    report = {
        "output": str(batch.folder),
        "bytes": size,
        "seconds": seconds,
        "done": done,
        "failed": len(failures),
        "scenes": reports,
    }
    text = f"{batch.folder}: {done} encoded, {len(failures)} failed, {size} bytes, {seconds:.1f} s"
    tell(report, text, as_json=as_json)
    for failure in failures:
        click.echo(f"error: {failure}", err=True)
    if failures:
        click.get_current_context().exit(FAILED)


def _encode(
    batch: Batch, scene: Path, output: Path, opener: Opener, progress: Callable[[str, float], None]
) -> Encoded | dict[str, Any]:
    """What was written of a scene, or why nothing was."""
    try:
        target = Destination(output, batch.packets, batch.streaming)
        return encode_file(scene, opener(scene), batch.settings, target, progress)
    except (BandfoldError, OSError, MemoryError) as error:
        told = told_failure(error)
        if told is None:
            raise
        kind, reason, status = told
        return {"reason": " ".join(reason.split()), "kind": kind, "exit_status": status}


def _once(scenes: Sequence[Path]) -> list[Path]:
    """Scenes without raw files of ENVI whose headers are among them."""
    from bandfold.formats.envi.reader import header_beside
    from bandfold.formats.file_formats import format_of

    given = {scene.absolute() for scene in scenes}
    kept = []
    for scene in dict.fromkeys(scenes):
        raw = format_of(scene) == "envi" and scene.suffix.lower() != ".hdr"
        header = header_beside(scene) if raw else None
        if header is None or header.absolute() not in given:
            kept.append(scene)
    return kept


class _WholeProgress:
    """Progress over all scenes, each weighted by the bytes of its file.

    Of a scene only the coding counts: what comes before is short, and is not known in advance.
    """

    def __init__(self, outputs: dict[Path, Path], shown: Callable[[str, float], None]) -> None:
        self._shown = shown
        self._bytes = {scene: max(1, _size(scene)) for scene in outputs}
        self._all = sum(self._bytes.values())
        self._before = 0
        self._told = 0.0

    def of(self, scene: Path) -> Callable[[str, float], None]:
        """Progress of one scene."""

        def progress(stage: str, done: float) -> None:
            if stage == "code":
                self._tell(self._before + done * self._bytes[scene])

        return progress

    def finish(self, scene: Path) -> None:
        """Count a scene as done, whatever became of it."""
        self._before += self._bytes[scene]
        self._tell(self._before)

    def _tell(self, done: float) -> None:
        # A scene that is coded a second time goes on from where it was.
        self._told = max(self._told, done / self._all)
        self._shown("encode scenes", self._told)


def _size(scene: Path) -> int:
    """Bytes that hold a scene: of an ENVI header those beside it of its stem."""
    try:
        if scene.is_dir():
            return sum(file.stat().st_size for file in scene.rglob("*") if file.is_file())
        if scene.suffix.lower() != ".hdr":
            return scene.stat().st_size
        return sum(
            file.stat().st_size
            for file in scene.parent.iterdir()
            if file.stem.removesuffix(".img") == scene.stem
        )
    except OSError:
        return 0
