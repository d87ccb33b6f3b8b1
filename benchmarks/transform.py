"""Whether an engine runs the cosine transform faster: ``python -m bandfold.benchmarks.transform``."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.dct import DCT, DCT_UNIT
from bandfold.calibration.program import run
from bandfold.common.scene import CHANNELS

BLOCKS = 43520
"""Blocks that are transformed at a time: eight components of 512 x 680 pixels."""

_OPSET, _IR = 18, 9


@dataclass(frozen=True)
class Timed:
    """The transform somewhere.

    Attributes
    ----------
    name : str
        Library and type.
    rate : float
        Million samples a second, the best of all runs.
    wrong : float
        Share of latents that are not those of exact arithmetic.
    """

    name: str
    rate: float
    wrong: float


def compare(blocks: int = BLOCKS, runs: int = 15) -> list[Timed]:
    """Time the transform in NumPy and in ONNX Runtime, on one thread.

    Parameters
    ----------
    blocks, runs : int

    Returns
    -------
    list of Timed
        NumPy in float64, as on board; ONNX Runtime in float64 and in float32.
    """
    planes = np.rint(np.random.default_rng(0).normal(0, 1e5, (CHANNELS, blocks)))
    exact = np.rint(DCT @ planes / DCT_UNIT)
    found = [_timed("NumPy float64", lambda: DCT @ planes, exact, planes.size, runs)]
    for kind in (np.float64, np.float32):
        session, given = _session(kind), planes.astype(kind)
        found.append(
            _timed(
                f"ONNX Runtime {np.dtype(kind).name}",
                lambda session=session, given=given: session.run(None, {"planes": given})[0],  # type: ignore[misc]
                exact,
                planes.size,
                runs,
            )
        )
    return found


def _timed(
    name: str, transform: Callable[[], NDArray[Any]], exact: NDArray[np.float64], samples: int, runs: int
) -> Timed:
    latents = np.rint(transform() / DCT_UNIT)
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        transform()
        times.append(time.perf_counter() - start)
    return Timed(name, samples / 1e6 / min(times), float(np.mean(latents != exact)))


def _session(kind: type[np.floating[Any]]) -> Any:
    import onnx
    import onnxruntime
    from onnx import helper, numpy_helper

    element = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["matrix", "planes"], ["latents"])],
        "transform",
        [helper.make_tensor_value_info("planes", element, [CHANNELS, None])],
        [helper.make_tensor_value_info("latents", element, [CHANNELS, None])],
        [numpy_helper.from_array(DCT.astype(kind), "matrix")],
    )
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)])
    model.ir_version = _IR
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])


@click.command()
@click.option("--runs", type=click.IntRange(1), default=15, show_default=True)
def main(runs: int) -> None:
    """Time the cosine transform on one thread (set OPENBLAS_NUM_THREADS=1 for NumPy's share)."""
    for one in compare(runs=runs):
        click.echo(f"{one.name:<24}{one.rate:8.1f} Msamples/s{100 * one.wrong:8.3f} % of latents differ")


if __name__ == "__main__":
    run(main)
