"""Measures ctypes' calls: with_ctypes.py DUMP LIBRARY FIGURE"""

import ctypes
import sys

import measures
from ggml_ctypes import Library

dump, path, figure = sys.argv[1:]
lib = Library(path, dump)


def init(size, no_alloc=True):
    return lib.ggml_init(lib.struct("ggml_init_params")(size, None, no_alloc))


def addresses(type):
    ctx = init(16 * 1024 * 1024, False)
    return [lib.ggml_new_tensor_1d(ctx, type, 256) for _ in range(64)]


def tensors(type):
    pointer = ctypes.POINTER(lib.struct("ggml_tensor"))
    return measures.many([ctypes.cast(address, pointer) for address in addresses(type)])


def read_type():
    many = tensors(1)

    def loop():
        for tensor in many:
            value = tensor.contents.type
        return value

    measures.measure(loop, "1")


def read_ne():
    many = tensors(1)

    def loop():
        for tensor in many:
            value = tensor.contents.ne[0]
        return value

    measures.measure(loop, "256")


{
    "type_size": lambda: measures.type_size(lib),
    "nelements": lambda: measures.nelements(lib, addresses(0)[0]),
    "type": read_type,
    "ne": read_ne,
    "warm": lambda: measures.graph(lib, init, None, "warm"),
    "first": lambda: measures.graph(lib, init, None, "first"),
}[figure]()
