"""An exported run as a package: one file with networks, tables and a card, tried before it is handed out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.header import PLANES, CodingTools, Header, PackageReference
from bandfold.bitstream.container.segment_layout import SegmentHeader, split_segment
from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.packages.manifest import Manifest
from bandfold.bitstream.packages.package import Package, load_package, pack, save_package, unpack
from bandfold.bitstream.segments.band_codec import ANALYSIS, QUANTISED, REDUCTION, SYNTHESIS, BandCodec
from bandfold.bitstream.segments.band_segment import BandSegment, read_band_segment, write_band_segment
from bandfold.bitstream.transforms.klt import Fold
from bandfold.common.errors import ModelError
from bandfold.common.scene import SceneInfo
from bandfold.onboard.networks.engine_choice import require_exact
from bandfold.onboard.networks.network_engine import NetworkEngine, integer_model

from .layout import HALF, INTEGER_ONNX, INTEGER_TFLITE, Export, find_engine

Curves = Mapping[str, list[tuple[float, float]]]
"""Points (bits per sample, dB) by the scene that they were measured on."""

ARCHITECTURES = {
    "balle48": "9x9/4, 5x5/2, 5x5/2 of 48 filters with GDN between, factorised prior; band by band",
    "balle48-relu": "the same with ReLU in place of GDN in the analysis",
}
"""What networks are called on a card."""

_PROBE = (3 * REDUCTION - 5, 2 * REDUCTION + 3)
"""Lines and samples of the planes that a package is tried on: no multiples of a latent's."""


def make_package(
    export: Export,
    *,
    name: str | None = None,
    description: str = "",
    release: str = "",
    curves: Curves | None = None,
    precision: str = "fp32",
) -> Package:
    """Pack an exported run.

    Parameters
    ----------
    export : Export
        The exported run.
    name : str, optional
        Name of the package; that of the configuration by default.
    description : str
        One line.
    release : str
        Version of bandfold that packs it.
    curves : mapping, optional
        What was measured, for the card.
    precision : str
        What analyses compute in: one of `bandfold.export.layout.PRECISIONS`.

    Returns
    -------
    Package
        Not yet written; `check_package` tries it.

    Raises
    ------
    ModelError
        If the description lacks something or does not fit the rest.
    """
    about = export.about
    try:
        engines = [set(engine["parts"]) for engine in about["engines"]]
        ends, limits = about["intervals"]["bands"], about["intervals"]["nanometres"]
        codec = BandCodec(
            name=str(name or about["name"]),
            identity=b"",
            frequencies=export.frequencies,
            networks=_networks(export, precision),
            ends=tuple(int(end) for end in ends),
            limits=tuple(float(limit) for limit in limits),
            engine_of=tuple(find_engine(engines, number) for number in range(1, len(ends) + 1)),
            golden=_golden(export, precision),
        )
        if about["reduction"] != REDUCTION:
            raise ModelError(
                f"a latent stands for {about['reduction']} samples a side, streams have {REDUCTION}: "
                "train the network with that reduction"
            )
        card = _card(about, codec, curves or {}, precision)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"description of the export cannot be used: {error!r}; export the run again"
        ) from error
    manifest = Manifest(codec.name, "codec", description or _description(about), release, card)
    return Package(manifest, codec.arrays(), codec.networks)


def check_package(data: bytes, source: str) -> Package:
    """Read a package back and code planes with it.

    Parameters
    ----------
    data : bytes
        The package file.
    source : str
        What error messages call it.

    Returns
    -------
    Package
        As it was read.

    Raises
    ------
    ModelError
        If it is damaged, a network cannot be run, or latents do not come back from a segment.
    """
    package = unpack(data, source)
    codec = BandCodec.from_package(package)
    engine = NetworkEngine(codec)
    if codec.quantised:
        for number in range(codec.engines):
            require_exact(integer_model(codec, number))
    chance = np.random.default_rng(0)
    # Smooth, as bands are, and signed.
    planes = np.cumsum(np.cumsum(chance.normal(0, 0.1, (codec.engines, *_PROBE)), axis=1), axis=2)
    quantised = np.stack([engine.analyse(plane, number) for number, plane in enumerate(planes)])
    for number, latents in enumerate(quantised):
        restored = engine.synthesise(latents, number, *_PROBE)
        if restored.shape != _PROBE or not np.isfinite(restored).all():
            raise ModelError(f"synthesis {number} of package {source} gives no planes: export the run again")
    tables = codec.tables(load_tables())
    numbers = tuple(range(codec.engines))
    fold = Fold(tuple(number + 1 for number in numbers), np.zeros(codec.engines, np.int64), engines=numbers)
    info = SceneInfo(codec.engines, *_PROBE, np.dtype("int16"))
    header = Header(
        info,
        4 * REDUCTION,
        256,
        CodingTools(False, PLANES),
        tables.identity,
        PackageReference(codec.name, bytes(8)),
    )
    payload = write_band_segment(SegmentHeader(0, lines=_PROBE[0]), BandSegment(quantised), tables, fold)
    found = read_band_segment(split_segment(payload), header, tables, fold)
    if not np.array_equal(found.quantised, quantised):
        raise ModelError(f"latents of package {source} do not come back from a segment: export the run again")
    return package


def write_package(package: Package, path: Path) -> Package:
    """Write a package after trying it; nothing is written of one that fails.

    Parameters
    ----------
    package : Package
        As `make_package` gives it.
    path : Path
        File to write (.bfm).

    Returns
    -------
    Package
        As it is read back from the file, with its digest.

    Raises
    ------
    ModelError
        See `check_package`.
    OutputError
        If the file cannot be written.
    """
    check_package(pack(package), str(path))
    saved = save_package(package, path)
    found = load_package(path)
    if found.digest != saved.digest:
        raise ModelError(f"package {path} is not what was written: write it again, to another disk")
    return found


def _networks(export: Export, precision: str) -> dict[str, bytes]:
    analyses = {
        "fp32": lambda: {ANALYSIS: export.analyses},
        "fp16": lambda: {ANALYSIS: export.variant(HALF, "analyses in float16")},
        "int8": lambda: {
            ANALYSIS: export.variant(INTEGER_ONNX, "quantised analyses"),
            QUANTISED: export.variant(INTEGER_TFLITE, "quantised analyses"),
        },
    }[precision]()
    return {
        name.format(number): data
        for name, files in {**analyses, SYNTHESIS: export.syntheses}.items()
        for number, data in enumerate(files)
    }


def _golden(export: Export, precision: str) -> NDArray[np.uint8]:
    digests = [
        np.frombuffer(bytes.fromhex(engine["golden"]), np.uint8)
        for engine in (export.about["quantised"]["engines"] if precision == "int8" else [])
    ]
    return np.stack(digests) if digests else np.zeros((0, 32), np.uint8)


def _card(about: Mapping[str, Any], codec: BandCodec, curves: Curves, precision: str) -> dict[str, Any]:
    work = about["multiplications_per_sample"]
    first = about["engines"][0]["parameters"]
    training = about["training"]
    network = str(about["network"])
    quantised = {"calibration": about["quantised"]} if precision == "int8" else {}
    return {
        "architecture": f"{network}: {ARCHITECTURES[network]}" if network in ARCHITECTURES else network,
        "analysis computes in": precision,
        "MAC per sample": round(float(work["analysis"]), 1),
        "MAC per sample, ground": round(float(work["synthesis"]), 1),
        "parameters": int(first["analysis"]),
        "parameters, ground": int(first["synthesis"]),
        "engines": [list(engine["parts"]) for engine in about["engines"]],
        "engine of each interval": list(codec.engine_of),
        "intervals": {"bands": list(codec.ends), "nanometres": list(codec.limits)},
        "contrast": list(about["contrast"]),
        "training scenes": list(training["scenes"]),
        "training": training["config"],
        "curves": {scene: [list(point) for point in points] for scene, points in curves.items()},
        **quantised,
    }


def _description(about: Mapping[str, Any]) -> str:
    low, high = about["contrast"]
    return f"{about['network']}, band by band, for scenes with a deviation of {low:g} to {high:g} steps"
