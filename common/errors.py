"""Typed errors: every failure that a user can cause or meet has a class and an exit status of its own."""

from __future__ import annotations


class BandfoldError(Exception):
    """Base of all errors that bandfold raises on purpose.

    The message says what is wrong, where, and what to do about it, on one line.

    Attributes
    ----------
    exit_status : int
        What the command line returns to the shell for this class of error.
    """

    exit_status = 1


class SettingsError(BandfoldError):
    """Settings contradict each other or lie outside their range."""

    exit_status = 2


class SceneError(BandfoldError):
    """The scene to encode is unreadable, inconsistent or holds what cannot be coded (NaN, ...)."""

    exit_status = 3


class BudgetError(BandfoldError):
    """The rate or quality asked for cannot be met on this scene."""

    exit_status = 4


class ModelError(BandfoldError):
    """A model package is unknown, absent or not the one that the stream names."""

    exit_status = 5


class StreamError(BandfoldError):
    """A compressed stream is corrupt, truncated or of an unknown version."""

    exit_status = 6


class MemoryLimitError(BandfoldError):
    """Decoding would take more memory than the caller allows."""

    exit_status = 7


class IntegrityError(BandfoldError):
    """What is loaded in memory has changed, and cannot be loaded again."""

    exit_status = 11


class VerificationError(BandfoldError):
    """What was coded is not what was to be coded, which was noticed before it was written."""

    exit_status = 12


class OutputError(BandfoldError):
    """The output cannot be written: no such directory, no space, no permission."""

    exit_status = 8
