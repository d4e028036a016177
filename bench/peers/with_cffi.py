"""Measures cffi's calls, out of line and in ABI mode as ggml's examples/python does: with_cffi.py MODULE_FOLDER LIBRARY FIGURE"""

import sys

folder, path, figure = sys.argv[1:]
sys.path.insert(0, folder)

from ggml_cffi import ffi  # made by build_cffi.py

import measures

lib = ffi.dlopen(path)


def init(size, no_alloc=True):
    params = ffi.new("struct ggml_init_params *")
    params.mem_size, params.mem_buffer, params.no_alloc = size, ffi.NULL, no_alloc
    return lib.ggml_init(params[0])


def tensors(type):
    ctx = init(16 * 1024 * 1024, False)
    return measures.many([lib.ggml_new_tensor_1d(ctx, type, 256) for _ in range(64)])


def read_type():
    many = tensors(1)

    def loop():
        for tensor in many:
            value = tensor.type
        return value

    measures.measure(loop, "1")


def read_ne():
    many = tensors(1)

    def loop():
        for tensor in many:
            value = tensor.ne[0]
        return value

    measures.measure(loop, "256")


{
    "type_size": lambda: measures.type_size(lib),
    "nelements": lambda: measures.nelements(lib, tensors(0)[0]),
    "type": read_type,
    "ne": read_ne,
    "warm": lambda: measures.graph(lib, init, ffi.NULL, "warm"),
    "first": lambda: measures.graph(lib, init, ffi.NULL, "first"),
}[figure]()
