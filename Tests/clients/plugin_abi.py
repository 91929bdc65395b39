"""The plugin ABI (Sources/RoostABI/include/roost_plugin.h) through ctypes: a host of one model, in this process."""

import ctypes as c
from dataclasses import dataclass

import numpy as np

OK, ERROR, INVALID_INPUT, NOT_MY_FORMAT = range(4)
FP32, INT64, BYTES = 11, 9, 13
DTYPES = {FP32: np.float32, INT64: np.int64, 12: np.float64}


class Host(c.Structure):
    _fields_ = [
        ("struct_size", c.c_uint32),
        ("abi_version", c.c_uint32),
        ("context", c.c_void_p),
        ("log", c.CFUNCTYPE(None, c.c_void_p, c.c_int32, c.c_void_p, c.c_size_t)),
        ("fail", c.CFUNCTYPE(None, c.c_void_p, c.c_void_p, c.c_size_t)),
        ("model_memory", c.CFUNCTYPE(c.c_void_p, c.c_void_p, c.c_size_t)),
    ]


class LoadArgs(c.Structure):
    _fields_ = [
        ("struct_size", c.c_uint32),
        ("reserved", c.c_uint32),
        ("host", c.POINTER(Host)),
        ("path", c.c_char_p),
        ("data", c.c_void_p),
        ("size", c.c_size_t),
        ("model", c.c_void_p),
    ]


class TensorSpec(c.Structure):
    _fields_ = [
        ("name", c.c_char_p),
        ("shape", c.POINTER(c.c_int64)),
        ("rank", c.c_uint32),
        ("dtype", c.c_uint32),
    ]


class Column(c.Structure):
    _fields_ = [
        ("name", c.c_char_p),
        ("categories", c.POINTER(c.c_char_p)),
        ("category_count", c.c_uint32),
        ("kind", c.c_uint32),
        ("missing_refused", c.c_uint32),
        ("reserved", c.c_uint32),
    ]


class SignatureArgs(c.Structure):
    _fields_ = [
        ("struct_size", c.c_uint32),
        ("tensor_spec_size", c.c_uint32),
        ("model", c.c_void_p),
        ("host", c.POINTER(Host)),
        ("inputs", c.POINTER(TensorSpec)),
        ("outputs", c.POINTER(TensorSpec)),
        ("input_count", c.c_uint32),
        ("output_count", c.c_uint32),
        ("columns", c.POINTER(Column)),
        ("column_count", c.c_uint32),
        ("column_size", c.c_uint32),
    ]


class HostTensor(c.Structure):
    _fields_ = [
        ("data", c.c_void_p),
        ("shape", c.POINTER(c.c_int64)),
        ("rank", c.c_uint32),
        ("dtype", c.c_uint32),
    ]


class Bytes(c.Structure):
    _fields_ = [("data", c.c_void_p), ("size", c.c_size_t)]


OUTPUT = c.CFUNCTYPE(c.c_void_p, c.c_void_p, c.c_uint32, c.POINTER(c.c_int64), c.c_uint32)
FAIL_ROW = c.CFUNCTYPE(None, c.c_void_p, c.c_uint64, c.c_void_p, c.c_size_t)


class PredictArgs(c.Structure):
    _fields_ = [
        ("struct_size", c.c_uint32),
        ("input_count", c.c_uint32),
        ("model", c.c_void_p),
        ("host", c.POINTER(Host)),
        ("inputs", c.POINTER(HostTensor)),
        ("rows", c.c_uint64),
        ("deadline_ns", c.c_uint64),
        ("parameters", c.c_char_p),
        ("parameters_size", c.c_size_t),
        ("call", c.c_void_p),
        ("output", OUTPUT),
        ("fail_row", FAIL_ROW),
    ]


HOOK = c.CFUNCTYPE(c.c_int32, c.c_void_p, c.POINTER(Host))


class Plugin(c.Structure):
    _fields_ = [
        ("abi_version", c.c_uint32),
        ("struct_size", c.c_uint32),
        ("name", c.c_char_p),
        ("version", c.c_char_p),
        ("formats", c.c_char_p),
        ("load", c.CFUNCTYPE(c.c_int32, c.POINTER(LoadArgs))),
        ("signature", c.CFUNCTYPE(c.c_int32, c.POINTER(SignatureArgs))),
        ("predict", c.CFUNCTYPE(c.c_int32, c.POINTER(PredictArgs))),
        ("after_fork", HOOK),
        ("warm_up", HOOK),
        ("unload", c.CFUNCTYPE(None, c.c_void_p)),
        ("invoke", c.c_void_p),
    ]


class Refused(Exception):
    """A call of the plugin that returned something else than ROOST_OK."""

    def __init__(self, status, text):
        super().__init__(f"status {status}: {text}")
        self.status, self.text = status, text


@dataclass(frozen=True)
class Spec:
    name: str
    shape: tuple
    dtype: int


def _aligned(size, alignment=64):
    raw = np.zeros(size + alignment, dtype=np.uint8)
    start = -raw.ctypes.data % alignment
    return raw[start : start + size]


class Model:
    """A plugin's shared object and one model loaded by it."""

    def __init__(self, library, data=b"", path=None):
        self._library = c.CDLL(str(library))
        entry = self._library.roost_plugin_entry
        entry.restype, entry.argtypes = c.POINTER(Plugin), []
        self.plugin = entry().contents
        assert self.plugin.abi_version == 1
        self.log, self._failure, self._memory = [], "", []
        self._host = Host(
            c.sizeof(Host), 1, None, Host._fields_[3][1](self._on_log), Host._fields_[4][1](self._on_fail),
            Host._fields_[5][1](self._on_memory))
        self._file = _aligned(max(len(data), 1), 4096)
        self._file[: len(data)] = np.frombuffer(data, dtype=np.uint8)
        args = LoadArgs(
            c.sizeof(LoadArgs), 0, c.pointer(self._host), None if path is None else str(path).encode(),
            self._file.ctypes.data if data else None, len(data), None)
        self._check(self.plugin.load(c.byref(args)))
        self._model = args.model
        self.inputs, self.outputs, self.columns = self._signature()

    def _on_log(self, _, level, text, size):
        self.log.append((level, c.string_at(text, size).decode()))

    def _on_fail(self, _, text, size):
        self._failure = c.string_at(text, size).decode()

    def _on_memory(self, _, size):
        self._memory.append(_aligned(size))
        return self._memory[-1].ctypes.data

    def _check(self, status):
        if status != OK:
            text, self._failure = self._failure, ""
            raise Refused(status, text)

    def _signature(self):
        args = SignatureArgs(c.sizeof(SignatureArgs), 0, self._model, c.pointer(self._host))
        self._check(self.plugin.signature(c.byref(args)))
        assert args.tensor_spec_size == c.sizeof(TensorSpec)

        def specs(table, count):
            return [
                Spec(table[i].name.decode(), tuple(table[i].shape[: table[i].rank]), table[i].dtype)
                for i in range(count)]

        columns = [args.columns[i].name.decode() for i in range(args.column_count)]
        return specs(args.inputs, args.input_count), specs(args.outputs, args.output_count), columns

    def unload(self):
        self.plugin.unload(self._model)
        self._model = None

    def predict(self, *inputs):
        """The outputs of one call, by name; BYTES outputs as lists of text."""
        arrays = []
        for array in inputs:
            held = _aligned(max(array.nbytes, 1))
            held[: array.nbytes] = np.frombuffer(np.ascontiguousarray(array).tobytes(), dtype=np.uint8)
            arrays.append((held, (c.c_int64 * array.ndim)(*array.shape), array))
        codes = {np.dtype(kind): code for code, kind in DTYPES.items()}
        tensors = (HostTensor * len(arrays))(*[
            HostTensor(held.ctypes.data, shape, array.ndim, codes[array.dtype]) for held, shape, array in arrays])
        results = {}

        @OUTPUT
        def output(_, index, shape, rank):
            spec, extents = self.outputs[index], tuple(shape[:rank])
            fits = len(extents) == len(spec.shape) and all(b in (-1, a) for a, b in zip(extents, spec.shape))
            if not fits or extents[0] != len(inputs[0]) or index in results:
                return None
            size = int(np.prod(extents)) * (16 if spec.dtype == BYTES else np.dtype(DTYPES[spec.dtype]).itemsize)
            results[index] = (_aligned(max(size, 1))[:size], extents)
            return results[index][0].ctypes.data

        failed = {}

        @FAIL_ROW
        def fail_row(_, row, text, size):
            failed[row] = c.string_at(text, size).decode()

        args = PredictArgs(
            c.sizeof(PredictArgs), len(arrays), self._model, c.pointer(self._host), tensors, len(inputs[0]), 0, None,
            0, None, output, fail_row)
        self._check(self.plugin.predict(c.byref(args)))
        self.failed_rows = failed
        return {self.outputs[i].name: self._result(i, *results[i]) for i in sorted(results)}

    def _result(self, index, memory, extents):
        if self.outputs[index].dtype != BYTES:
            return memory.view(DTYPES[self.outputs[index].dtype]).reshape(extents)
        elements = (Bytes * int(np.prod(extents))).from_buffer(memory) if memory.size else []
        return [c.string_at(e.data, e.size).decode() for e in elements]
