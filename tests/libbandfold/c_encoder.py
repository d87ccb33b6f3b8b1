"""The encoder of libbandfold as Python calls it."""

import ctypes

import numpy as np

from .c_library import OK, TYPES, Allocator, Bytes, DecodingError

WRITE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
INTERLEAVES = ("bsq", "bil", "bip")


class Field(ctypes.Structure):
    _fields_ = (
        ("key", ctypes.c_char_p),
        ("items", ctypes.POINTER(ctypes.c_char_p)),
        ("count", ctypes.c_uint32),
        ("is_list", ctypes.c_int),
    )


class Settings(ctypes.Structure):
    _fields_ = (
        ("bands", ctypes.c_uint32),
        ("samples", ctypes.c_uint32),
        ("type", ctypes.c_int),
        ("step", ctypes.c_double),
        *((name, ctypes.c_double) for name in ("bits_per_sample", "psnr", "rmse")),
        ("buffer", ctypes.c_uint64),
        ("package", Bytes),
        ("strip_lines", ctypes.c_uint32),
        ("effort", ctypes.c_int),
        ("repeat", ctypes.c_int32),
        ("scrub", ctypes.c_int32),
        ("has_no_data", ctypes.c_int),
        ("no_data", ctypes.c_double),
        ("source_interleave", ctypes.c_int),
        ("source_big_endian", ctypes.c_int),
        ("fields", ctypes.POINTER(Field)),
        ("field_count", ctypes.c_uint32),
        ("write", WRITE),
        ("context", ctypes.c_void_p),
        ("memory_limit", ctypes.c_uint64),
        ("reserve", ctypes.c_uint64),
        ("allocator", ctypes.POINTER(Allocator)),
    )


def _fields(metadata):
    """Metadata as C takes them."""
    fields = []
    for key, value in metadata.items():
        items = (value,) if isinstance(value, str) else value
        texts = (ctypes.c_char_p * len(items))(*(item.encode() for item in items))
        fields.append(Field(key.encode(), texts, len(items), not isinstance(value, str)))
    return (Field * len(fields))(*fields)


class Encoder:
    """An encoder of the library; sections are collected."""

    def __init__(self, library, package, metadata=None, allocator=None, write=None, **settings):
        self._calls = library.calls
        for name in ("most", "lasting"):
            getattr(self._calls, f"bandfold_encoder_{name}_memory").restype = ctypes.c_uint64
        self.sections = []

        @WRITE
        def collect(_, section, size):
            self.sections.append(ctypes.string_at(section, size))
            return 0

        self._write = collect if write is None else WRITE(write)
        told = Settings(package=Bytes(package, len(package)), write=self._write, **settings)
        fields = _fields(metadata or {})
        told.fields, told.field_count = fields, len(fields)
        if allocator is not None:
            told.allocator = ctypes.pointer(allocator)
        self._handle, self._reason = ctypes.c_void_p(), ctypes.c_char_p()
        self._check(
            self._calls.bandfold_encoder_open(
                ctypes.byref(told), ctypes.byref(self._handle), ctypes.byref(self._reason)
            )
        )

    def _check(self, status):
        if status != OK:
            raise DecodingError(status, self._reason.value.decode())

    def _hand_over(self, call, array, lines):
        array = np.ascontiguousarray(array)
        pointer = ctypes.c_void_p(array.ctypes.data)
        self._check(call(self._handle, pointer, ctypes.c_uint32(lines), ctypes.byref(self._reason)))

    def push(self, lines):
        """Take lines, shape (count, bands, samples)."""
        self._hand_over(self._calls.bandfold_encoder_push, lines, len(lines))

    def push_band(self, plane):
        """Take a band of a frame, shape (lines, samples)."""
        self._hand_over(self._calls.bandfold_encoder_push_band, plane, len(plane))

    def finish(self):
        """End the stream."""
        self._check(self._calls.bandfold_encoder_finish(self._handle, ctypes.byref(self._reason)))

    @property
    def lines(self):
        """Lines that were handed over."""
        return self._calls.bandfold_encoder_lines(self._handle)

    @property
    def strip_lines(self):
        """Lines of a strip."""
        return self._calls.bandfold_encoder_strip_lines(self._handle)

    @property
    def memory(self):
        """Bytes that were needed at a time, and those that are needed all the time."""
        calls = self._calls
        return (
            calls.bandfold_encoder_most_memory(self._handle),
            calls.bandfold_encoder_lasting_memory(self._handle),
        )

    def close(self):
        """Give back all memory."""
        self._calls.bandfold_encoder_close(self._handle)
        self._handle = ctypes.c_void_p()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def encode(library, cube, package, *, pieces=(1,), **settings):
    """Encode a cube, shape (bands, lines, samples), handed over in pieces of so many lines in turn."""
    bands, lines, samples = cube.shape
    settings["type"] = TYPES.index(str(cube.dtype))
    with Encoder(library, package, bands=bands, samples=samples, **settings) as encoder:
        by_line, done, turn = cube.transpose(1, 0, 2), 0, 0
        while done < lines:
            count = pieces[turn % len(pieces)]
            encoder.push(by_line[done : done + count])
            done, turn = done + count, turn + 1
        assert encoder.lines == lines
        encoder.finish()
        return b"".join(encoder.sections)
