"""The manifest of a package: what it is called, what it is for, and its card."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bandfold.common.errors import ModelError

FORMAT = 1
"""Version of the package file."""

KINDS = ("sensor", "codec", "restoration")
"""Packages hold the fold of a sensor, a trained encoder, or a network of the ground."""

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
"""What packages may be called."""

LARGEST_MANIFEST = 1 << 20
"""Bytes of a manifest at most."""


@dataclass(frozen=True)
class Manifest:
    """What a package says about itself.

    Parameters
    ----------
    name : str
        Lower-case letters, digits, ``.``, ``_`` and ``-``; at most 64.
    kind : {"sensor", "codec", "restoration"}
        What the package holds, see `KINDS`.
    description : str
        One line.
    bandfold : str
        Version that made it.
    card : mapping
        Free fields that JSON can hold: architecture, MAC per sample, parameters, training scenes, curves.

    Raises
    ------
    ModelError
        If a field is not as described.
    """

    name: str
    kind: str
    description: str = ""
    bandfold: str = ""
    card: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not NAME.fullmatch(self.name):
            raise ModelError(
                f"package name {str(self.name)[:80]!r} is not possible: use at most 64 lower-case letters, "
                "digits, '.', '_' and '-', a letter or digit first"
            )
        if self.kind not in KINDS:
            raise ModelError(
                f"package {self.name!r} is of unknown kind {str(self.kind)[:80]!r}: use {' or '.join(KINDS)}"
            )
        if not isinstance(self.description, str) or not isinstance(self.bandfold, str):
            raise ModelError(f"package {self.name!r}: description and bandfold version must be texts")
        if not isinstance(self.card, Mapping):
            raise ModelError(f"package {self.name!r}: the card must be a JSON object")

    def to_json(self) -> bytes:
        """The manifest file; the same content gives the same bytes.

        Returns
        -------
        bytes

        Raises
        ------
        ModelError
            If the card holds what JSON cannot, or too much.
        """
        content = {
            "format": FORMAT,
            "name": self.name,
            "kind": self.kind,
            "description": self.description,
            "bandfold": self.bandfold,
            "card": dict(self.card),
        }
        try:
            text = json.dumps(content, indent=1, sort_keys=True, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise ModelError(f"card of package {self.name!r} cannot be written as JSON: {error}") from error
        data = text.encode() + b"\n"
        if len(data) > LARGEST_MANIFEST:
            raise ModelError(
                f"card of package {self.name!r} has {len(data)} bytes, at most {LARGEST_MANIFEST} are "
                "allowed: shorten it"
            )
        return data

    @staticmethod
    def from_json(data: bytes, source: str) -> Manifest:
        """Read a manifest file.

        Parameters
        ----------
        data : bytes
            The manifest as JSON.
        source : str
            What error messages call the package.

        Returns
        -------
        Manifest

        Raises
        ------
        ModelError
            If it is no manifest, or of another version of the package file.
        """
        if len(data) > LARGEST_MANIFEST:
            raise _refusal(source, f"it has {len(data)} bytes, more than {LARGEST_MANIFEST}")
        try:
            content = json.loads(data.decode())
        except (ValueError, RecursionError) as error:
            raise _refusal(source, "it is not JSON") from error
        if not isinstance(content, dict) or type(content.get("format")) is not int:
            raise _refusal(source, "it does not say which format it has")
        if content["format"] != FORMAT:
            raise ModelError(
                f"package {source} is of format {content['format']}, this version reads {FORMAT}: "
                "use the release that it was made for"
            )
        absent = [name for name in ("name", "kind", "description", "bandfold", "card") if name not in content]
        if absent:
            raise _refusal(source, f"it lacks {', '.join(absent)}")
        return Manifest(
            content["name"], content["kind"], content["description"], content["bandfold"], content["card"]
        )


def _refusal(source: str, reason: str) -> ModelError:
    return ModelError(f"manifest of package {source} cannot be used: {reason}; fetch the package again")
