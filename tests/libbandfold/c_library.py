"""libbandfold as Python calls it: built by CMake where it is there, by the compiler alone otherwise."""

import ctypes
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "libbandfold"
KERNELS = ROOT / "common" / "native"
GOLDEN = ROOT / "tests" / "golden"
GOLDEN_PACKAGES = [
    *sorted(GOLDEN.glob("*.bfm")),
    *sorted((ROOT / "bitstream" / "data" / "older").glob("innovations-*.bfm")),
]
"""Packages that golden streams name, those of earlier releases among them."""
INCLUDED = (LIBRARY / "include", LIBRARY / "source", LIBRARY / "source" / "encoder", KERNELS)
KERNEL_NAMES = (
    "analysis", "arrangement", "bytes", "contexts", "exact_sum", "linear", "logarithms", "prediction",
    "quantise", "rans", "refinement_base", "refinement_planes", "refinement_symbols", "rotation", "trellis",
)  # fmt: skip
OPTIONS = ["-std=gnu11", "-ffp-contract=off", "-fno-trapping-math", "-fno-math-errno", "-fPIC"]
COMPILER = shutil.which("cc") or shutil.which("gcc")
TYPES = ("uint8", "int8", "uint16", "int16", "int32", "uint32", "float32", "float64")
(
    OK,
    CORRUPT,
    UNSUPPORTED,
    NEEDS_PACKAGE,
    OVER_LIMIT,
    NO_MEMORY,
    BAD_ARGUMENT,
    NOT_WRITTEN,
    FAULT,
    OVER_RATE,
) = range(10)
INTACT, PARTIAL, UNBOUNDED, FILLED = range(4)


def sources(folder):
    """All C files of the library, its tables among them, which are written to a folder."""
    tables = folder / "tables_data.c"
    generator = [sys.executable, LIBRARY / "generate_tables.py", ROOT / "bitstream" / "data", tables]
    subprocess.run(generator, check=True)
    kernels = [KERNELS / f"{name}.c" for name in KERNEL_NAMES]
    return [*sorted((LIBRARY / "source").rglob("*.c")), *kernels, tables]


def compile_all(folder, output, *more, options):
    """Compile the library with more sources or options into one file."""
    include = [f"-I{one}" for one in INCLUDED]
    command = [COMPILER, *OPTIONS, *options, "-DBF_CLONES=", "-DBF_EXPORT=", *include, "-w"]
    subprocess.run([*command, *sources(folder), *more, "-lm", "-o", output], check=True, cwd=folder)
    return output


@dataclass
class Installed:
    """What CMake installed, or the compiler alone made where there is no CMake."""

    shared: Path
    headers: Path
    cmake: bool

    def program(self, output, *files):
        """Compile a program that uses the library."""
        library = [f"-L{self.shared.parent}", "-lbandfold", f"-Wl,-rpath,{self.shared.parent}"]
        command = [COMPILER, "-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{self.headers}"]
        subprocess.run([*command, *files, *library, "-o", output], check=True)
        return output


def install(folder):
    """Build the library, and install it into a folder."""
    if shutil.which("cmake") is None or shutil.which("make") is None:
        shared = compile_all(folder, folder / "libbandfold.so", options=("-O1", "-shared"))
        return Installed(shared, LIBRARY / "include", False)
    build, prefix = folder / "build", folder / "prefix"
    # Little is optimised: that saves more time here than it costs.
    options = [
        "-DCMAKE_BUILD_TYPE=None",
        "-DCMAKE_C_FLAGS=-O1",
        "-DBANDFOLD_CLONES=OFF",
        "-DBANDFOLD_PROGRAM=OFF",
    ]
    for command in (
        ["cmake", "-S", LIBRARY, "-B", build, f"-DCMAKE_INSTALL_PREFIX={prefix}", *options],
        ["cmake", "--build", build],
        ["cmake", "--install", build],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        assert "warning:" not in done.stdout + done.stderr
    (shared,) = prefix.rglob("libbandfold.so")
    return Installed(shared, prefix / "include", True)


class DecodingError(Exception):
    """A call that did not return OK."""

    def __init__(self, status, reason):
        super().__init__(f"{status}: {reason}")
        self.status, self.reason = status, reason


class Allocator(ctypes.Structure):
    _fields_ = (
        ("allocate", ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)),
        ("release", ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)),
        ("context", ctypes.c_void_p),
    )


class Counter:
    """An allocator that counts, and has memory for so many blocks only."""

    def __init__(self, most):
        libc = ctypes.CDLL(None)
        libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
        libc.free.argtypes = [ctypes.c_void_p]
        self.held, self.taken, self.most = 0, 0, most
        self.blocks = {}
        kinds = dict(Allocator._fields_)

        @kinds["allocate"]
        def allocate(_, size):
            self.taken += 1
            if self.taken > self.most:
                return None
            self.held += 1
            block = libc.malloc(size)
            self.blocks[block] = size
            return block

        @kinds["release"]
        def release(_, block):
            self.held -= 1
            del self.blocks[block]
            libc.free(block)

        self.allocator = Allocator(allocate, release, None)


class Bytes(ctypes.Structure):
    _fields_ = (("data", ctypes.c_char_p), ("size", ctypes.c_size_t))


class Options(ctypes.Structure):
    _fields_ = (
        ("memory_limit", ctypes.c_uint64),
        ("trusted", ctypes.c_int),
        ("base_only", ctypes.c_int),
        ("packages", ctypes.POINTER(Bytes)),
        ("package_count", ctypes.c_size_t),
        ("allocator", ctypes.POINTER(Allocator)),
    )


class Info(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_uint32) for name in ("bands", "lines", "samples")),
        ("type", ctypes.c_int),
        ("strip_lines", ctypes.c_uint32),
        ("step", ctypes.c_double),
        *((name, ctypes.c_int) for name in ("complete", "bounded", "has_no_data")),
        ("no_data", ctypes.c_double),
        ("scaled", ctypes.c_int),
        ("scale", ctypes.c_double),
        ("offset", ctypes.c_double),
        ("source_interleave", ctypes.c_int),
        ("source_big_endian", ctypes.c_int),
    )


class Report(ctypes.Structure):
    _fields_ = (
        ("first_line", ctypes.c_uint32),
        ("lines", ctypes.c_uint32),
        ("condition", ctypes.c_int),
        ("refined", ctypes.c_int),
        ("reason", ctypes.c_char_p),
    )


REPORT = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(Report))


class Request(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_uint32) for name in ("first_band", "bands", "first_line", "lines")),
        ("report", REPORT),
        ("context", ctypes.c_void_p),
    )


@dataclass
class Told:
    """What was told of a strip."""

    lines: slice
    condition: int
    refined: bool
    reason: str


@dataclass
class Library:
    """The shared library."""

    path: Path
    calls: ctypes.CDLL = field(init=False)

    def __post_init__(self):
        self.calls = calls = ctypes.CDLL(str(self.path))
        for name in ("message", "version", "field_key", "item"):
            getattr(calls, f"bandfold_{name}").restype = ctypes.c_char_p
        for name in ("close", "get_info", "field_count", "field_key", "find_field"):
            getattr(calls, f"bandfold_{name}").argtypes = [ctypes.c_void_p]
        calls.bandfold_get_info.argtypes = [ctypes.c_void_p, ctypes.POINTER(Info)]
        calls.bandfold_field_key.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
        calls.bandfold_find_field.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
        calls.bandfold_field_is_list.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
        calls.bandfold_item_count.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
        calls.bandfold_item.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32]
        calls.bandfold_wavelengths.argtypes = [ctypes.c_void_p, ctypes.c_void_p]

    def open(self, data, packages=(), **options):
        """Open a stream."""
        return Decoder(self.calls, data, packages, **options)


class Decoder:
    """A decoder of the library."""

    def __init__(self, calls, data, packages=(), allocator=None, **options):
        self._calls, self._data = calls, data
        self._packages = (Bytes * len(packages))(*(Bytes(one, len(one)) for one in packages))
        told = Options(packages=self._packages, package_count=len(packages), **options)
        if allocator is not None:
            told.allocator = ctypes.pointer(allocator)
        self._handle, reason = ctypes.c_void_p(), ctypes.c_char_p()
        status = calls.bandfold_open(
            data,
            ctypes.c_size_t(len(data)),
            ctypes.byref(told),
            ctypes.byref(self._handle),
            ctypes.byref(reason),
        )
        if status != OK:
            assert not self._handle.value
            raise DecodingError(status, reason.value.decode())
        assert reason.value == b""
        self.info = Info()
        calls.bandfold_get_info(self._handle, ctypes.byref(self.info))
        self.reports = []

    def close(self):
        """Give back all memory."""
        self._calls.bandfold_close(self._handle)
        self._handle = ctypes.c_void_p()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def metadata(self):
        """Fields as the Python package tells them."""
        calls, found = self._calls, {}
        for number in range(calls.bandfold_field_count(self._handle)):
            count = calls.bandfold_item_count(self._handle, number)
            items = tuple(calls.bandfold_item(self._handle, number, one).decode() for one in range(count))
            is_list = calls.bandfold_field_is_list(self._handle, number)
            found[calls.bandfold_field_key(self._handle, number).decode()] = items if is_list else items[0]
        return found

    @property
    def wavelengths(self):
        """Those of all bands, or None."""
        values = np.zeros(self.info.bands)
        return values if self._calls.bandfold_wavelengths(self._handle, values.ctypes.data) else None

    def decode(self, bands=(0, 0), lines=(0, 0)):
        """Decode first and count of bands and lines; 0 for all."""
        self.reports = []

        @REPORT
        def report(_, strip):
            one = strip.contents
            lines = slice(one.first_line, one.first_line + one.lines)
            self.reports.append(Told(lines, one.condition, bool(one.refined), one.reason.decode()))

        request = Request(*bands, *lines, report, None)
        size, reason = ctypes.c_uint64(), ctypes.c_char_p()
        status = self._calls.bandfold_output_size(
            self._handle, ctypes.byref(request), ctypes.byref(size), ctypes.byref(reason)
        )
        if status != OK:
            raise DecodingError(status, reason.value.decode())
        shape = (
            bands[1] or self.info.bands - bands[0],
            lines[1] or self.info.lines - lines[0],
            self.info.samples,
        )
        samples = np.empty(shape, dtype=TYPES[self.info.type])
        assert size.value == samples.nbytes
        status = self._calls.bandfold_decode(
            self._handle,
            ctypes.byref(request),
            ctypes.c_void_p(samples.ctypes.data),
            size,
            ctypes.byref(reason),
        )
        if status != OK:
            raise DecodingError(status, reason.value.decode())
        return samples
