"""The library is built once for all of these tests."""

import pytest

from .c_library import COMPILER, Library, install


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    if COMPILER is None:
        pytest.skip("there is no C compiler")
    return install(tmp_path_factory.mktemp("libbandfold"))


@pytest.fixture(scope="session")
def library(installed):
    return Library(installed.shared)
