"""Compiled kernels: the inner loops of the codec in C, each beside the NumPy function that it stands for.

`compiled` declares a NumPy function and the C function that gives the same bits. At each call the arrays are
checked once, for both alike; then C runs where it can, and NumPy does the same work elsewhere, several times
slower.

The C functions are built with the package where a compiler is found (``common/native``), and called through
ctypes, which lets other threads run meanwhile. ``BANDFOLD_KERNELS=off`` in the environment switches them off,
and ``BANDFOLD_KERNELS=FILE`` takes another library.
"""

from __future__ import annotations

import ctypes
import inspect
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, ParamSpec, TypeVar

import numpy as np

from .kernel_specification import NAMESPACE, SCALARS, Specification

VERSION = 21
"""Of the C functions: a library of another version is left alone."""

SWITCH = "BANDFOLD_KERNELS"
"""Environment variable that switches the kernels off, or names another library."""


class KernelsWarning(UserWarning):
    """Compiled kernels are left alone, so that everything takes several times as long."""


Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
Kind = TypeVar("Kind", bound="type[Structure]")


def _load() -> ctypes.CDLL | None:
    wanted = os.environ.get(SWITCH, "")
    if wanted.lower() in ("off", "0", "no"):
        return None
    built = (Path(__file__).with_name(f"_kernels{suffix}") for suffix in EXTENSION_SUFFIXES)
    path = Path(wanted) if wanted else next((one for one in built if one.exists()), None)
    if path is None:
        return None
    try:
        found = ctypes.CDLL(str(path))
        version = found.bf_version()
    except (OSError, AttributeError):
        # Built for another machine, or something else: NumPy does the work.
        return None
    if version == VERSION:
        return found
    message = (
        f"kernels in {path} are of version {version}, not {VERSION}: NumPy does their work, in three "
        f"to five times the time; install bandfold anew, or set {SWITCH}=off to leave it at that"
    )
    warnings.warn(KernelsWarning(message), stacklevel=2)
    return None


_LOADED = _load()

library = _LOADED
"""The C functions, or None."""


@contextmanager
def switched_off() -> Iterator[None]:
    """Leave the work to NumPy meanwhile, to compare the two."""
    global library  # noqa: PLW0603 - the one place that says what is in use
    kept, library = library, None
    try:
        yield
    finally:
        library = kept


class Kernel(NamedTuple):
    """A function that exists twice.

    Parameters
    ----------
    specification : Specification
        Name, parameters and result of the C function.
    twin : callable
        The NumPy function as it was written, which checks nothing.
    """

    specification: Specification
    twin: Callable[..., Any]


KERNELS: dict[str, Kernel] = {}
"""All functions declared by `compiled` in the modules that are loaded, by the names of the C functions."""

STRUCTURES: dict[str, type[Structure]] = {}
"""All structures declared by `structure`, by the names of the C types."""


def compiled(
    specification: str, when: Callable[..., bool] | None = None
) -> Callable[[Callable[Parameters, Result]], Callable[Parameters, Result]]:
    """Let a C function take the place of a NumPy function.

    Parameters
    ----------
    specification : str
        The C function: its parameters in their order, and its result; see
        `bandfold.common.kernel_specification`. Parameters that the NumPy function has too are taken from its
        arguments, all others are sizes or scratch memory.
    when : callable, optional
        Says of the arguments, by their names, whether C can do the work; without it C always can.

    Returns
    -------
    callable
        Decorator of the NumPy function. Calls raise ``ValueError`` where an array is not as specified,
        whichever of the two does the work.
    """
    parsed = Specification(specification)

    def decorate(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
        names: tuple[str, ...] = ()
        native: Callable[..., Any] | None = None
        quick: Callable[..., tuple[tuple[Any, ...], object] | None] | None = None

        @wraps(function)
        def call(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
            nonlocal names, native, quick
            result: Result
            if quick is None:
                # Made where it is used first: most programs call a few of all kernels.
                names, native = parsed.names_of(function), _native(parsed)
                quick = parsed.quick_values(names)
            if native and library is not None and when is None and not kwargs and len(args) == len(names):
                found = quick(*args)
                if found is not None:
                    result = native(*found[0])
                    return result
            if kwargs or len(args) != len(names):
                given = dict(inspect.signature(function).bind(*args, **kwargs).arguments)
            else:
                given = dict(zip(names, args, strict=True))
            known = parsed.check(given)
            if library is None or native is None or (when is not None and not when(**given)):
                return function(*args, **kwargs)
            result = native(*parsed.values(given, known))
            return result

        KERNELS[parsed.name] = Kernel(parsed, function)
        NAMESPACE[parsed.name] = call
        return call

    return decorate


def _native(specification: Specification) -> Callable[..., Any] | None:
    """The C function, None where there is no library or it does not have it."""
    # Whether they are switched off meanwhile or not.
    found = getattr(_LOADED, specification.name, None)
    if found is not None:
        found.argtypes = [parameter.ctype for parameter in specification.parameters]
        found.restype = None if specification.result is None else SCALARS[specification.result]
    return found


class Structure(ctypes.Structure):
    """What several C functions look at, built from the arrays and numbers that its specification names.

    Parameters
    ----------
    **given : ndarray, int, float or None
        Fields by their names. Sizes follow from arrays, and arrays that are not given are cleared memory.

    Attributes
    ----------
    arrays : dict of str to ndarray
        The arrays behind the addresses, which stay alive with the structure.

    Raises
    ------
    ValueError
        If an array is not as specified.
    """

    specification: ClassVar[Specification]

    def __init__(self, **given: Any) -> None:
        super().__init__()
        known = self.specification.check(given)
        for parameter, value in zip(
            self.specification.parameters, self.specification.values(given, known), strict=True
        ):
            setattr(self, parameter.name, value)
        self.arrays = {name: value for name, value in known.items() if isinstance(value, np.ndarray)}

    @property
    def structure(self) -> Structure:
        """Itself: arguments of compiled functions are structures, or have one under this name."""
        return self


def structure(specification: str) -> Callable[[Kind], Kind]:
    """Declare the fields of a `Structure`.

    Parameters
    ----------
    specification : str
        The C type: its fields in their order, written as the parameters of a function are.

    Returns
    -------
    callable
        Decorator of the class.
    """
    parsed = Specification(specification)

    def decorate(kind: Kind) -> Kind:
        kind.specification = parsed
        kind._fields_ = [(parameter.name, parameter.ctype) for parameter in parsed.parameters]
        STRUCTURES[parsed.name] = kind
        return kind

    return decorate
