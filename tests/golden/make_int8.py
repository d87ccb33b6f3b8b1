"""Rewrite the golden model in 8-bit integers, what it makes of fixed inputs, and a stream coded with it.

Run it by hand, from the root of the repository, after a change that is meant::

    python tests/golden/make_int8.py

Needs what export needs. The latents come from a plain loop over integers below, not from an engine: it is
what engines are compared with. No test runs it.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.packages.manifest import Manifest
from bandfold.bitstream.packages.package import Package, load_package, save_package
from bandfold.bitstream.segments.band_codec import ANALYSIS, QUANTISED, SYNTHESIS, BandCodec
from bandfold.onboard.encoder import Encoder
from bandfold.onboard.networks.conv_stack import ConvLayer, ConvStack, same_padding
from bandfold.onboard.networks.engine_choice import golden_digest, probe

HERE = Path(__file__).parent
FILES = HERE / "int8"
MODEL = FILES / "golden-int8.bfm"
INPUTS, LATENTS = FILES / "inputs.npz", FILES / "latents.npz"
STREAM = FILES / "stream.bndf"
SETTINGS: dict[str, Any] = {"step": 8.0, "strip_lines": 16}

LAYERS = ((1, 8, 9, 4, 14), (8, 12, 5, 2, 60), (12, 16, 5, 2, 4))
"""Inputs, outputs, kernel and stride of each layer, and how much smaller it makes what it sees."""

PLANES = ((96, 128), (16, 16), (48, 80))
"""Lines and samples of the planes whose latents are kept."""


def maker() -> Any:
    """The script that makes the other golden files: its scenes and random bits are used here too."""
    if "make_golden" in sys.modules:
        return sys.modules["make_golden"]
    specification = importlib.util.spec_from_file_location("make_golden", HERE / "make_golden.py")
    module = importlib.util.module_from_spec(specification)
    sys.modules["make_golden"] = module
    specification.loader.exec_module(module)
    return module


def stack(seed: int) -> ConvStack:
    """A network of random weights, scales that are no powers of two, dead and saturated channels."""
    bits = maker().bits
    scale = np.float32(0.437 + 0.03 * seed)
    first, layers = scale, []
    for number, (inputs, outputs, kernel, stride, less) in enumerate(LAYERS):
        count = inputs * kernel * kernel
        values = (
            bits(outputs * count, 1000 * seed + number).reshape(outputs, inputs, kernel, kernel) % 255 - 127
        )
        # Smooth planes have their energy in the mean of a kernel.
        weights = np.clip(values // 3 + 40 * ((np.arange(outputs) % 3) - 1)[:, None, None, None], -127, 127)
        weights[outputs - 1] = 0
        scales = ((bits(outputs, 2000 * seed + number) % 4096 + 4096) / 4096 / count / less).astype(
            np.float32
        )
        last = number == len(LAYERS) - 1
        bias = bits(outputs, 3000 * seed + number) % 4001 - 2000
        bias[:2] = 300000, -300000
        next_scale = np.float32(1.0) if last else np.float32(scale * 1.07)
        layers.append(
            ConvLayer(
                weights.astype(np.int8),
                scales,
                bias.astype(np.int32),
                stride,
                next_scale,
                0 if last else -128,
            )
        )
        scale = next_scale
    return ConvStack(first, 5 - 10 * seed, tuple(layers))


def planes(seed: int) -> list[NDArray[np.int8]]:
    """Inputs: random, and smooth with edges."""
    made = maker()
    found = []
    for number, (lines, samples) in enumerate(PLANES):
        noise = made.bits(lines * samples, 40 * seed + number).reshape(lines, samples) % 256 - 128
        smooth = np.clip(made.field_of(lines, samples, 50 * seed + number) // 4, -128, 127)
        found.append(np.where(np.arange(samples) % 32 < 16, noise, smooth).astype(np.int8)[None, None])
    return found


def reference(network: ConvStack, batch: NDArray[np.int8]) -> NDArray[np.int8]:
    """What a quantised network is, spelled out: integers, and two roundings for each value."""
    (values,) = batch.astype(np.int64)
    scale, zero = network.scale, network.zero
    for layer in network.layers:
        before, after = same_padding(layer.kernel, layer.stride)
        padded = np.pad(values - zero, ((0, 0), (before, after), (before, after)))
        rows, columns = (extent // layer.stride for extent in values.shape[1:])
        result = np.zeros((len(layer.bias), rows, columns), dtype=np.int64)
        weights = layer.weights.astype(np.int64)
        for row in range(rows):
            for column in range(columns):
                top, left = row * layer.stride, column * layer.stride
                window = padded[:, top : top + layer.kernel, left : left + layer.kernel]
                sums = layer.bias + (weights * window).sum(axis=(1, 2, 3))
                for channel, total in enumerate(sums.tolist()):
                    factor = np.float32(np.float32(scale * layer.weight_scales[channel]) / layer.scale)
                    scaled = int(np.rint(np.float32(np.float32(total) * factor))) + layer.zero
                    result[channel, row, column] = min(max(scaled, -128), 127)
        values, scale, zero = result, layer.scale, layer.zero
    return values.astype(np.int8)[None]


def model() -> Package:
    """Two engines in integers; the synthesis of the golden model in floating point."""
    from bandfold.export.qoperator import to_qoperator
    from bandfold.export.tflite import to_tflite

    walsh = load_package(HERE / "golden-walsh.bfm")
    networks, golden = {}, []
    for number in range(2):
        network = stack(number)
        networks[ANALYSIS.format(number)] = to_qoperator(network).SerializeToString(deterministic=True)
        networks[QUANTISED.format(number)] = to_tflite(network)
        networks[SYNTHESIS.format(number)] = walsh.engines[SYNTHESIS.format(number)]
        golden.append(np.frombuffer(golden_digest(reference(network, probe(network))), np.uint8))
    like = BandCodec.from_package(walsh)
    codec = BandCodec(
        MODEL.stem,
        b"",
        like.frequencies,
        networks,
        like.ends,
        like.limits,
        like.engine_of,
        np.stack(golden),
    )
    manifest = Manifest(codec.name, "codec", "for golden latents", "0", {"training scenes": []})
    return Package(manifest, codec.arrays(), networks)


def main() -> None:
    save_package(model(), MODEL)
    inputs = {f"{number}-{place}": plane for number in range(2) for place, plane in enumerate(planes(number))}
    np.savez_compressed(INPUTS, **inputs)
    latents = {name: reference(stack(int(name[0])), plane) for name, plane in inputs.items()}
    np.savez_compressed(LATENTS, **latents)
    STREAM.write_bytes(Encoder(model=MODEL, engine="numpy", **SETTINGS).encode(maker().modelled()))
    for name, values in latents.items():
        saturated = float(((values == -128) | (values == 127)).mean())
        print(f"{name}: {values.shape}, {np.unique(values).size} values, {100 * saturated:.1f} % saturated")
    print(f"{STREAM.name}: {STREAM.stat().st_size} bytes")


if __name__ == "__main__":
    main()
