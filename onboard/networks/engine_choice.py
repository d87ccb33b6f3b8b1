"""Which engine runs a quantised network: the fastest of those that give its golden latents here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import ModelError, SettingsError

from .conv_stack import ConvStack
from .engine import IntegerNetwork
from .litert_network import MODULES, LiteRtNetwork, find_interpreter
from .numpy_network import NumpyNetwork
from .onnxruntime_network import OrtNetwork

AUTO = "auto"

PROBE = (16, 16)
"""Rows and columns of the latents that an engine is checked on."""


@dataclass(frozen=True)
class IntegerModel:
    """A quantised network as a package holds it, in both formats.

    Parameters
    ----------
    name : str
        What messages call it.
    onnx : bytes
        The network as a QOperator graph of ONNX.
    tflite : bytes
        The same network, the same integers, for LiteRT.
    golden : bytes
        SHA-256 of what it makes of `probe`, as `golden_digest` gives it.
    """

    name: str
    onnx: bytes
    tflite: bytes
    golden: bytes

    @cached_property
    def stack(self) -> ConvStack:
        """The network as arrays, from its ONNX file."""
        return ConvStack.from_onnx(self.onnx, self.name)


@dataclass(frozen=True)
class Kind:
    """An engine.

    Parameters
    ----------
    name : str
        As the user names it.
    distributions : tuple of str
        Packages of Python that it may come from, those that are preferred first; empty if it is always there.
    open : callable
        From a model, a number of threads and what is to do the work; empty for the processor.
    extra : str
        Of bandfold, that brings it.
    accelerator : str
        What may do the work in place of the processor; empty if nothing can.
    """

    name: str
    distributions: tuple[str, ...]
    open: Callable[[IntegerModel, int, str], IntegerNetwork]
    extra: str = ""
    accelerator: str = ""

    def installed(self) -> str:
        """Name and version of what it comes from; empty if that is not installed."""
        # Only here: it takes a tenth of the time in which an encoder is imported.
        from importlib.metadata import PackageNotFoundError, version

        if not self.distributions:
            return f"numpy {np.__version__}"
        for name in self.distributions:
            try:
                return f"{name} {version(name)}"
            except PackageNotFoundError:
                continue
        return ""


ENGINES: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "litert",
            ("ai-edge-litert", "tflite-runtime"),
            lambda model, threads, delegate: LiteRtNetwork(model.tflite, model.name, threads, delegate),
            "tflite",
            "delegate",
        ),
        Kind(
            "onnxruntime",
            ("onnxruntime", "onnxruntime-gpu"),
            lambda model, threads, provider: OrtNetwork(model.onnx, model.name, threads, provider=provider),
            "onnx",
            "execution provider",
        ),
        Kind("numpy", (), lambda model, *_: NumpyNetwork(model.stack)),
    )
}
"""Engines by name, the fastest first (docs/int8.md)."""

CHOICES = (AUTO, *ENGINES)


@dataclass(frozen=True)
class Opened:
    """A network that an engine has opened, and given its golden latents.

    Parameters
    ----------
    engine : str
        Name of the engine.
    network : IntegerNetwork
        The network, ready to run.
    notes : tuple of str
        What the user should know.
    """

    engine: str
    network: IntegerNetwork
    notes: tuple[str, ...] = ()


def probe(stack: ConvStack) -> NDArray[np.int8]:
    """Make the input that engines are checked on.

    Half of it is smooth, half of it uses every integer, so that sums become small and large. It comes from
    integer arithmetic alone and is the same everywhere.

    Parameters
    ----------
    stack : ConvStack
        The network that is to be checked: its inputs and their zero.

    Returns
    -------
    ndarray of int8, shape (1, inputs, lines, samples)
    """
    lines, samples = (extent * stack.reduction for extent in PROBE)
    count = stack.inputs * lines * samples
    # Multiplicative hashing (Knuth): the high bits of a product with an odd number.
    noise = (np.arange(1, count + 1, dtype=np.uint64) * np.uint64(2654435761) & np.uint64(0xFFFFFFFF)) >> 24
    noise = noise.astype(np.int64).reshape(1, stack.inputs, lines, samples) - 128
    line, sample = np.mgrid[:lines, :samples]
    waves = np.abs((line * 3 + sample * 5) % 256 - 128) - 64 + noise // 16
    centred = np.clip(waves // 4 + stack.zero, -128, 127)
    mixed = np.where(sample < samples // 2, centred, noise)
    return mixed.astype(np.int8)


def golden_digest(latents: NDArray[np.int8]) -> bytes:
    """SHA-256 of the output of a network.

    Parameters
    ----------
    latents : ndarray of int8
        What the network made of the input.

    Returns
    -------
    bytes
        Of length 32.
    """
    return hashlib.sha256(np.ascontiguousarray(latents).tobytes()).digest()


def is_exact(network: IntegerNetwork, model: IntegerModel) -> bool:
    """Tell whether an opened network gives the golden latents of its model.

    Parameters
    ----------
    network : IntegerNetwork
        The network, opened by some engine.
    model : IntegerModel
        The model whose golden latents it must give.

    Returns
    -------
    bool
    """
    return golden_digest(network.run(probe(model.stack))) == model.golden


def open_exact(model: IntegerModel, wanted: str = AUTO, threads: int = 1) -> Opened:
    """Open a network with an engine that gives its golden latents on this machine.

    Parameters
    ----------
    model : IntegerModel
        The network in both formats, and its golden latents.
    wanted : str
        One of `CHOICES`; ``auto`` tries the fastest first. Behind a colon may follow the delegate of LiteRT
        (a shared library) or the execution provider of ONNX Runtime that is to run the network.
    threads : int
        Processor threads.

    Returns
    -------
    Opened

    Raises
    ------
    ModelError
        If the engine is not installed, cannot open the network, or gives other latents; with ``auto``, if
        none gives the golden ones.
    SettingsError
        If there is no such engine.
    """
    check_choice(wanted)
    if wanted != AUTO:
        return _open(model, wanted, threads)
    reasons = []
    for name in ENGINES:
        reason = unfit(name)
        if not reason:
            try:
                return _open(model, name, threads)
            except ModelError as error:
                reason = str(error)
        reasons.append(f"{name}: {reason}")
    raise ModelError(f"no engine gives the golden latents of {model.name} here ({'; '.join(reasons)})")


def check_choice(wanted: str) -> None:
    """Refuse names of engines that there are not.

    Parameters
    ----------
    wanted : str
        As for `open_exact`.

    Raises
    ------
    SettingsError
    """
    name, colon, _ = wanted.partition(":")
    if name not in CHOICES:
        raise SettingsError(f"engine {name!r} is unknown: use one of {', '.join(CHOICES)}")
    if colon and (name == AUTO or not ENGINES[name].accelerator):
        raise SettingsError(f"engine {name!r} runs on the processor: leave out {wanted[len(name) :]!r}")


def unfit(name: str) -> str:
    """Say why ``auto`` does not take an engine on this machine.

    Parameters
    ----------
    name : str
        Of the engine.

    Returns
    -------
    str
        Empty if it may be tried.
    """
    kind = ENGINES[name]
    if not kind.installed():
        return f"not installed (pip install 'bandfold[{kind.extra}]')"
    if name == "litert" and _is_legacy():
        return "tflite-runtime, whose integers differ between processors"
    return ""


def check_engines(model: IntegerModel, threads: int = 1) -> Iterator[tuple[str, str]]:
    """Try every installed engine on a model.

    Parameters
    ----------
    model : IntegerModel
        The network in both formats, and its golden latents.
    threads : int
        Processor threads.

    Yields
    ------
    name : str
        Of the engine.
    reason : str
        Why it is not exact here; empty if it is.
    """
    for name, kind in ENGINES.items():
        if kind.installed():
            try:
                _open(model, name, threads)
            except ModelError as error:
                yield name, str(error)
            else:
                yield name, ""


def require_exact(model: IntegerModel) -> None:
    """Make sure that every installed engine gives the golden latents, with one thread and with two.

    Parameters
    ----------
    model : IntegerModel
        The network in both formats, and its golden latents.

    Raises
    ------
    ModelError
        If one does not.
    """
    for threads in (1, 2):
        for name, reason in check_engines(model, threads):
            if reason and not unfit(name):
                raise ModelError(f"{model.name} is not the same in all engines ({threads} threads): {reason}")


def _open(model: IntegerModel, wanted: str, threads: int) -> Opened:
    name, _, accelerator = wanted.partition(":")
    network = ENGINES[name].open(model, threads, accelerator)
    if not is_exact(network, model):
        raise ModelError(
            f"engine {wanted} does not give the golden latents of {model.name} on this machine: "
            "use another one (bandfold engines)"
        )
    reason = unfit(name)
    return Opened(wanted, network, (f"engine {name} is {reason}",) if reason else ())


def _is_legacy() -> bool:
    module = find_interpreter()
    return module is not None and module.__name__ == MODULES[-1]
