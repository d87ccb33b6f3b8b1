"""Settings of a stream in plain words."""

from __future__ import annotations

_WORDS = {
    "format_version": "version of the format",
    "file_bytes": "bytes of the file",
    "bps": "bits per sample",
    "dtype": "type of the samples",
    "scaling": "from counts to values",
    "precision": "value of one count",
    "precision_of_bands": "bands with counts of their own",
    "no_data": "value that marks absent samples",
    "fill_values_found": "fill values that were found",
    "open": "written while lines came in",
    "complete": "has its end",
    "step": "quantiser step, in counts",
    "max_error": "largest error allowed",
    "relative_error": "largest error allowed, as a share of the sample",
    "transform": "transform of blocks",
    "spectral": "folding of bands",
    "folds": "spectral transforms",
    "intervals": "last bands of spectral intervals, exclusive",
    "components": "components that are kept",
    "components_first": "components of each interval",
    "rotations": "rotations that blocks choose from",
    "rotated_components": "components that are rotated",
    "engines": "engines that run its networks",
    "basis_share": "share of the vectors in the file",
    "strip_lines": "lines of a strip",
    "model": "trained encoder",
    "model_hash": "hash of its package",
    "sensor": "package of the sensor",
    "sensor_hash": "hash of its package",
    "quantiser": "quantisers",
    "tables": "hash of the entropy tables",
}


def setting_name(key: str) -> str:
    """Say in words what an entry of `bandfold info --json` is.

    Parameters
    ----------
    key : str
        As `bandfold.ground.stream.stream_report.stream_report` names it.

    Returns
    -------
    str
        The key with blanks where there are no better words.
    """
    return _WORDS.get(key, key.replace("_", " "))
