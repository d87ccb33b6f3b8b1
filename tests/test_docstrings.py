"""Docstrings: every parameter that one documents says what it is, and none is left out or made up."""

import importlib
import inspect
import pkgutil

import pytest

import bandfold

numpydoc = pytest.importorskip("numpydoc.validate")

TOPS = [one.name for one in pkgutil.iter_modules(bandfold.__path__) if one.ispkg and one.name != "tests"]


def modules(package):
    """A package and its modules, but those that need a library which is not installed."""
    top = importlib.import_module(f"bandfold.{package}")
    yield top
    for found in pkgutil.walk_packages(top.__path__, f"{top.__name__}."):
        if found.name.rpartition(".")[2].startswith("_"):
            continue
        try:
            yield importlib.import_module(found.name)
        except ModuleNotFoundError as error:
            if error.name is None or error.name.startswith("bandfold"):
                raise


def documented(module):
    """The functions, classes and methods that a module defines and does not hide."""
    for name, item in vars(module).items():
        if name.startswith("_") or getattr(item, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(item):
            yield item
            methods = (getattr(one, "__func__", one) for key, one in vars(item).items() if key[0] != "_")
            yield from filter(inspect.isfunction, methods)
        elif inspect.isroutine(inspect.unwrap(item)):
            yield item


def faults(item):
    """Parameters without a description, unknown ones and, where others are documented, missing ones."""
    doc = numpydoc.Validator(numpydoc.get_doc_object(item))
    name = f"{item.__module__}.{item.__qualname__}"
    for parameter, (_, description) in doc.doc_all_parameters.items():
        if not "".join(description).strip():
            yield f"{name}: {parameter} has no description"
    if doc.doc_all_parameters:
        yield from (f"{name}: {said}" for code, said in doc.parameter_mismatches if code in ("PR01", "PR02"))


def all_faults(module):
    """What is wrong in a module."""
    return [fault for item in documented(module) for fault in faults(item)]


@pytest.mark.parametrize("package", TOPS)
def test_every_documented_parameter_says_what_it_is(package):
    found = [fault for module in modules(package) for fault in all_faults(module)]
    assert not found, "\n" + "\n".join(found)


def test_the_namespace_is_documented_too():
    assert all_faults(bandfold) == []


def test_a_fault_is_found():
    def made_up(first, second, third):
        """Do nothing.

        Parameters
        ----------
        first : int
        second : int
            What it is.
        fourth : int
            Not there.
        """

    found = " ".join(faults(made_up))
    assert "first has no description" in found
    assert "third" in found
    assert "fourth" in found
    assert "second" not in found
