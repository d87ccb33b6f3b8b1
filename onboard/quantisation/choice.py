"""Which quantiser a stream uses, and the tables that go with it."""

from __future__ import annotations

import os
from pathlib import Path

from bandfold.bitstream.container.header import DEPENDENT, QUANTISERS, UNIFORM
from bandfold.bitstream.contexts.tables import DEPENDENT as DEPENDENT_TABLES
from bandfold.bitstream.contexts.tables import Tables
from bandfold.common.errors import SettingsError

DEFAULT = DEPENDENT
"""Quantiser of folded components where none is named."""


def tables_path(quantiser: str | None, tables: str | os.PathLike[str] | None) -> Path | None:
    """Find the tables of a quantiser.

    Parameters
    ----------
    quantiser : str or None
        One of `QUANTISERS`; `DEFAULT` if None.
    tables : path_like or None
        Tables that the user names.

    Returns
    -------
    Path or None
        None for those of `bandfold.bitstream.contexts.tables.SHIPPED`.

    Raises
    ------
    SettingsError
        If the quantiser is unknown, or tables are named, which tell the quantiser themselves.
    """
    if quantiser is not None and quantiser not in QUANTISERS:
        raise SettingsError(f"quantiser {quantiser!r} is unknown: use {' or '.join(QUANTISERS)}")
    if tables is not None:
        if quantiser is not None:
            raise SettingsError(
                "tables tell the quantiser themselves: leave out the quantiser, or the tables"
            )
        return Path(tables)
    return DEPENDENT_TABLES if (quantiser or DEFAULT) == DEPENDENT else None


def quantiser_of(tables: Tables, *, spectral: bool) -> str:
    """Quantiser of a stream: single bands have one quantiser whatever the tables say."""
    return DEPENDENT if spectral and tables.modes["folded"].dependent else UNIFORM
