"""What compiled kernels take: the C prototype of a function, with the types and shapes of its arrays.

A specification looks like the header of a Python function::

    bf_rotate(latents: out(int32[size, 64, blocks]), size: int32, blocks: int64,
              matrices: float64[*, size, size])

- ``float64[n, 17, *]`` is a contiguous array: lengths are numbers, names, ``*`` for any, or expressions of
  names. A name is bound where it comes first and compared from then on. ``any`` in place of the type leaves
  it open.
- ``int32[64 : stride, rows, columns]`` lets an axis have gaps, and binds its stride, in elements.
- ``out(...)`` is an array or a structure that C writes to; all others C only reads.
- ``... | None`` may be absent.
- An array that is not among the arguments is scratch memory of that shape, cleared.
- ``count: int64`` is an argument or a length of that name; ``count: int64 = rows * columns`` is computed from
  them.
- ``network: bf_network`` is a structure.

Expressions may use the arguments, their attributes, and compiled functions by their C names.
"""

from __future__ import annotations

import ast
import ctypes
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from types import CodeType
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

SCALARS: dict[str, Any] = {
    "int32": ctypes.c_int32,
    "int64": ctypes.c_int64,
    "uint64": ctypes.c_uint64,
    "float32": ctypes.c_float,
    "float64": ctypes.c_double,
}
"""Numbers that C functions take, by the names of their types in NumPy."""

NAMESPACE: dict[str, Any] = {"__builtins__": {}}
"""What expressions may call: compiled functions by their C names."""

_C_TYPES = {"float32": "float", "float64": "double", "any": "void"}
_C_TYPES |= {name: f"{name}_t" for name in ("int8", "uint8", "uint16", "int32", "uint32", "int64", "uint64")}

_FIRST_BYTE: Callable[[Any], ctypes.c_char] = ctypes.c_char.from_buffer


def address_of(array: NDArray[Any]) -> int:
    """Address of the first element of an array.

    Parameters
    ----------
    array : ndarray
        The array, which has to live for as long as the address is used.

    Returns
    -------
    int
    """
    try:
        # Four times as fast as the attribute, but for memory without gaps that may be written to.
        return ctypes.addressof(_FIRST_BYTE(array))
    except (TypeError, ValueError):
        return int(array.ctypes.data)


class Axis(NamedTuple):
    """An axis of an array.

    Parameters
    ----------
    length : int or None
        The length, if it is a number.
    name : str
        Name of the length, if it has one.
    computed : str
        Expression of the length, if it is one.
    stride : str or None
        Name of the stride in elements, where the axis may have gaps.
    """

    length: int | None = None
    name: str = ""
    computed: str = ""
    stride: str | None = None

    @property
    def text(self) -> str:
        """The length, as it is to be computed where all names are known."""
        return self.computed or self.name or str(self.length)

    def size(self, known: dict[str, Any]) -> int:
        """Length of the axis of an array that is to be made.

        Parameters
        ----------
        known : dict of str to object
            Arguments and lengths by name.

        Returns
        -------
        int
        """
        if self.length is not None:
            return self.length
        return int(_evaluate(self.computed, known) if self.computed else known[self.name])


@dataclass(frozen=True)
class ArrayParameter:
    """An array, which C knows by its address.

    Parameters
    ----------
    name : str
        Of the parameter.
    text : str
        How it is specified, for messages.
    dtype : numpy.dtype or None
        Type of the elements; None for any.
    axes : tuple of Axis
        The axes in their order.
    written : bool
        Whether C writes to it.
    optional : bool
        Whether it may be None.
    """

    name: str
    text: str
    dtype: np.dtype[Any] | None
    axes: tuple[Axis, ...]
    written: bool
    optional: bool

    ctype = ctypes.c_void_p

    @cached_property
    def _strided(self) -> bool:
        """Whether an axis may have gaps."""
        return any(axis.stride is not None for axis in self.axes)

    @cached_property
    def _lengths(self) -> tuple[tuple[int | None, str], ...]:
        """Length and name of each axis, as far as it has them."""
        return tuple((axis.length, axis.name) for axis in self.axes)

    @property
    def c_type(self) -> str:
        """Type in C, as far as it is part of the prototype."""
        element = _C_TYPES["any" if self.dtype is None else self.dtype.name]
        return f"{'' if self.written else 'const '}{element} *"

    def check(self, array: NDArray[Any], known: dict[str, Any]) -> bool:
        """Whether an array is as specified.

        Parameters
        ----------
        array : ndarray
            The argument.
        known : dict of str to object
            Arguments and lengths by name; lengths that come here first are added.

        Returns
        -------
        bool
        """
        # Kernels are called for single bands of a strip: what is asked here is asked often.
        shape, dtype, flags, wanted = array.shape, array.dtype, array.flags, self.dtype
        if len(shape) != len(self.axes) or (dtype is not wanted and wanted is not None and dtype != wanted):
            return False
        if not (flags.c_contiguous or self._strided) or (self.written and not flags.writeable):
            return False
        for length, (size, name) in zip(shape, self._lengths, strict=True):
            asked = known.setdefault(name, length) if name else size
            if length != asked and asked is not None:
                return False
        return not self._strided or self._check_strides(array, known)

    def check_computed(self, array: NDArray[Any], known: dict[str, Any]) -> bool:
        """Whether lengths that are computed from others are as specified; parameters as of `check`."""
        return all(
            not axis.computed or length == _evaluate(axis.computed, known)
            for length, axis in zip(array.shape, self.axes, strict=True)
        )

    def _check_strides(self, array: NDArray[Any], known: dict[str, Any]) -> bool:
        expected = 1
        for axis, length, step in zip(self.axes[::-1], array.shape[::-1], array.strides[::-1], strict=True):
            stride, rest = divmod(step, array.itemsize)
            wanted = expected if axis.stride is None else known.setdefault(axis.stride, stride)
            # Where nothing follows in an axis its stride does not matter.
            if (rest or stride != wanted) and length > 1 and array.size:
                return False
            expected = wanted * length
        return True

    def value(self, given: Mapping[str, Any], known: dict[str, Any]) -> int | None:
        """Address of an argument that was checked, or of cleared memory where there is none.

        Parameters
        ----------
        given : mapping of str to object
            Arguments by name.
        known : dict of str to object
            Arguments and lengths by name; memory that is made here is added.

        Returns
        -------
        int or None
        """
        if self.name in given:
            array = given[self.name]
            return None if array is None else address_of(array)
        shape = [axis.size(known) for axis in self.axes]
        known[self.name] = np.zeros(shape, self.dtype)
        return address_of(known[self.name])


class ScalarParameter(NamedTuple):
    """A number.

    Parameters
    ----------
    name : str
        Of the parameter: that of an argument or of a length, unless it is computed.
    kind : str
        One of `SCALARS`.
    computed : str
        Expression of arguments and lengths, if it is one.
    """

    name: str
    kind: str
    computed: str = ""

    @property
    def ctype(self) -> Any:
        """Type for ctypes."""
        return SCALARS[self.kind]

    @property
    def c_type(self) -> str:
        """Type in C."""
        return f"{_C_TYPES[self.kind]} "

    def value(self, given: Mapping[str, Any], known: dict[str, Any]) -> Any:
        """The number; parameters as of `ArrayParameter.value`."""
        return _evaluate(self.computed, known) if self.computed else known[self.name]


class StructureParameter(NamedTuple):
    """A structure, which C knows by its address.

    Parameters
    ----------
    name : str
        Of the parameter.
    kind : str
        Type in C.
    written : bool
        Whether C writes to it.
    """

    name: str
    kind: str
    written: bool

    @property
    def ctype(self) -> Any:
        """Type for ctypes."""
        return ctypes.c_void_p

    @property
    def c_type(self) -> str:
        """Type in C."""
        return f"{'' if self.written else 'const '}{self.kind} *"

    def value(self, given: Mapping[str, Any], known: dict[str, Any]) -> int:
        """Address of an argument, or of what it has as its ``structure``."""
        return ctypes.addressof(given[self.name].structure)


Parameter = ArrayParameter | ScalarParameter | StructureParameter


class Specification:
    """A C function or structure, and what it needs of its arguments.

    Parameters
    ----------
    text : str
        As above.

    Attributes
    ----------
    name : str
        Of the function or of the structure.
    parameters : tuple of ArrayParameter, ScalarParameter and StructureParameter
        In the order of C.
    result : str or None
        Type of the result, one of `SCALARS`; None if there is none.
    """

    def __init__(self, text: str) -> None:
        self.name, self._rest = text.split("(", 1)

    @cached_property
    def _tree(self) -> tuple[ast.FunctionDef, str]:
        """The text as a function of Python, read where it is needed first; and how that is written."""
        # Python has no star in brackets, but it has an ellipsis.
        rest = re.sub(r"\*(?=\s*[,\]:])", "...", self._rest)
        written = f"def {self.name}(*, {rest}: ..."
        (tree,) = ast.parse(written).body
        assert isinstance(tree, ast.FunctionDef)  # noqa: S101 - it begins with def
        return tree, written

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters."""
        tree, written = self._tree
        return tuple(
            _parameter(argument, default, written)
            for argument, default in zip(tree.args.kwonlyargs, tree.args.kw_defaults, strict=True)
        )

    @cached_property
    def result(self) -> str | None:
        """Type of the result."""
        tree, written = self._tree
        return None if tree.returns is None else _text(tree.returns, written)

    @cached_property
    def _arrays(self) -> list[ArrayParameter]:
        return [one for one in self.parameters if isinstance(one, ArrayParameter)]

    @cached_property
    def _computed(self) -> list[ArrayParameter]:
        return [one for one in self._arrays if any(axis.computed for axis in one.axes)]

    def names_of(self, function: Callable[..., Any]) -> tuple[str, ...]:
        """Names of the parameters of the NumPy function.

        Parameters
        ----------
        function : callable
            The function.

        Returns
        -------
        tuple of str

        Raises
        ------
        ValueError
            If C does not have one of them.
        """
        names = tuple(inspect.signature(function).parameters)
        unknown = set(names).difference(parameter.name for parameter in self.parameters)
        if unknown:
            raise ValueError(f"{self.name} does not specify {', '.join(sorted(unknown))}")
        return names

    def check(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Compare arrays with what is specified.

        Parameters
        ----------
        given : mapping of str to object
            Arguments by name.

        Returns
        -------
        dict of str to object
            The arguments, and all lengths by name.

        Raises
        ------
        ValueError
            If an array is of another type or shape, has gaps, or is read-only where it is written to.
        """
        known = dict(given)
        for array in self._arrays:
            if array.name in given:
                value = given[array.name]
                if not (array.optional if value is None else array.check(value, known)):
                    self._refuse(array, value, known)
        # Lengths that are computed follow from those that are bound.
        for array in self._computed:
            if given.get(array.name) is not None and not array.check_computed(given[array.name], known):
                self._refuse(array, given[array.name], known)
        return known

    def quick_values(
        self, names: tuple[str, ...]
    ) -> Callable[..., tuple[tuple[Any, ...], tuple[NDArray[Any], ...]] | None]:
        """Make a function that does what `check` and `values` do, for arguments that are as they usually are.

        A kernel of a band takes less time than what is asked of its arguments one by one.

        Parameters
        ----------
        names : tuple of str
            Names of the arguments, in their order.

        Returns
        -------
        callable
            Gives what C is to be given, and scratch memory that must live as long as C may use it; None where
            arguments take a closer look, wrong ones among them.
        """
        known, lines, computed, results = set(names), list[str](), list[str](), list[str]()
        scratch = [one.name for one in self._arrays if one.name not in names]
        space: dict[str, Any] = {"address_of": address_of, "addressof": ctypes.addressof, "len": len}
        space |= {f"type_of_{one.name}": one.dtype for one in self._arrays} | {"zeros": np.zeros}
        for one in self.parameters:
            if isinstance(one, ScalarParameter):
                results.append(one.computed or one.name)
            elif isinstance(one, StructureParameter):
                results.append(f"addressof({one.name}.structure)")
            elif one.name in scratch:
                shape = "".join(f"{axis.text}, " for axis in one.axes)
                computed.append(f"{one.name} = zeros(({shape}), type_of_{one.name})")
                results.append(f"address_of({one.name})")
            else:
                found = {name for axis in one.axes for name in (axis.name, axis.stride) if name}
                if one.optional and not known.issuperset(found):
                    return _no_values
                absent = f"None if {one.name} is None else " if one.optional else ""
                results.append(f"{absent}address_of({one.name})")
                lines += _quick_check(one, known)
                present = f"{one.name} is not None and " if one.optional else ""
                computed += [
                    f"if {present}{one.name}.shape[{place}] != {axis.computed}: return None"
                    for place, axis in enumerate(one.axes)
                    if axis.computed
                ]
        kept = "".join(f"{name}, " for name in scratch)
        body = "\n        ".join([*lines, *computed, f"return ({', '.join(results)},), ({kept})"])
        heads = f"def make({', '.join(space)}):\n    def values({', '.join(names)}):"
        source = f"{heads}\n        {body}\n    return values"
        made: dict[str, Any] = {}
        # Expressions may call compiled functions, which are declared later, too.
        exec(source, NAMESPACE, made)
        values: Callable[..., tuple[tuple[Any, ...], tuple[NDArray[Any], ...]] | None] = made["make"](**space)
        return values

    def _refuse(self, array: ArrayParameter, value: NDArray[Any] | None, known: dict[str, Any]) -> NoReturn:
        found = "None"
        if value is not None:
            found = f"{value.dtype} of shape {value.shape}, strides {value.strides}"
            found += "" if value.flags.writeable else ", read-only"
        lengths = ", ".join(f"{name} = {value}" for name, value in known.items() if type(value) is int)
        raise ValueError(
            f"{self.name}: {array.name} is {found}, where {array.text} is needed, with {lengths}"
        )

    def values(self, given: Mapping[str, Any], known: dict[str, Any]) -> list[Any]:
        """What C is to be given for all parameters.

        Parameters
        ----------
        given : mapping of str to object
            Arguments by name.
        known : dict of str to object
            From `check`; scratch memory is added, and must live as long as C may use it.

        Returns
        -------
        list
            Numbers and addresses in the order of C.
        """
        return [parameter.value(given, known) for parameter in self.parameters]


def _no_values(*arguments: object) -> None:
    """Leave all arguments to `Specification.check`."""


def _quick_check(array: ArrayParameter, known: set[str]) -> list[str]:
    """Lines that bind the lengths of an array, and leave the function where it is not as usual."""
    name, asked, bound = array.name, [f"len(_shape) != {len(array.axes)}"], list[str]()
    strided = any(axis.stride for axis in array.axes)
    if not strided:
        asked.append("not _flags.c_contiguous")
    if array.dtype is not None:
        asked.append(f"{name}.dtype is not type_of_{name}")
    if array.written:
        asked.append("not _flags.writeable")
    own: dict[str, str] = {}
    for place, axis in enumerate(array.axes):
        length = own.get(axis.name) or axis.name or axis.length
        if axis.name and axis.name not in known:
            known.add(axis.name)
            own[axis.name] = f"_shape[{place}]"
            bound.append(f"{axis.name} = _shape[{place}]")
        elif length is not None:
            asked.append(f"_shape[{place}] != {length}")
    lines = [f"_shape, _flags = {name}.shape, {name}.flags", f"if {' or '.join(asked)}: return None", *bound]
    if strided:
        lines += [f"_item, _strides = {name}.itemsize, {name}.strides", *_quick_strides(array, known)]
    return [f"if {name} is not None:", *(f"    {line}" for line in lines)] if array.optional else lines


def _quick_strides(array: ArrayParameter, known: set[str]) -> list[str]:
    """Lines that bind the strides of an array, and leave the function where they are not as usual."""
    lines, wanted = list[str](), "1"
    for place, axis in reversed(list(enumerate(array.axes))):
        if axis.stride is not None and axis.stride not in known:
            known.add(axis.stride)
            lines.append(f"{axis.stride} = _strides[{place}] // _item")
        wanted = axis.stride or wanted
        lines.append(f"if _strides[{place}] != _item * {wanted} and _shape[{place}] > 1: return None")
        wanted = f"{wanted} * _shape[{place}]"
    return lines


def _parameter(argument: ast.arg, default: ast.expr | None, written_as: str) -> Parameter:
    kind = argument.annotation
    optional = isinstance(kind, ast.BinOp)
    if isinstance(kind, ast.BinOp):
        kind = kind.left
    text = _text(kind, written_as).replace("...", "*") if kind is not None else ""
    written = isinstance(kind, ast.Call)
    if isinstance(kind, ast.Call):
        kind = kind.args[0]
    if isinstance(kind, ast.Subscript):
        shape = kind.slice.elts if isinstance(kind.slice, ast.Tuple) else [kind.slice]
        element = _text(kind.value, written_as)
        dtype = None if element == "any" else np.dtype(element)
        axes = tuple(_axis(length, written_as) for length in shape)
        return ArrayParameter(argument.arg, text, dtype, axes, written, optional)
    if isinstance(kind, ast.Name) and kind.id in SCALARS:
        return ScalarParameter(argument.arg, kind.id, "" if default is None else _text(default, written_as))
    if isinstance(kind, ast.Name):
        return StructureParameter(argument.arg, kind.id, written)
    raise ValueError(f"{text!r} of {argument.arg} is neither an array nor a number nor a structure")


def _axis(length: ast.expr, written: str) -> Axis:
    stride = None
    size = length
    if isinstance(length, ast.Slice):
        if length.lower is None or length.upper is None:
            raise ValueError("an axis with gaps needs a length and the name of its stride")
        size, stride = length.lower, _text(length.upper, written)
    if isinstance(size, ast.Constant):
        return Axis(length=None if size.value is ... else int(str(size.value)), stride=stride)
    if isinstance(size, ast.Name):
        return Axis(name=size.id, stride=stride)
    return Axis(computed=_text(size, written), stride=stride)


def _text(part: ast.expr, written: str) -> str:
    """How a part of a specification is written, which has one line."""
    return written[part.col_offset : part.end_col_offset]


@cache
def _compiled(expression: str) -> CodeType:
    return compile(expression, "<kernel specification>", "eval")


def _evaluate(expression: str, known: dict[str, Any]) -> Any:
    """What an expression is, by arguments and lengths of known names."""
    return eval(_compiled(expression), NAMESPACE, known)
