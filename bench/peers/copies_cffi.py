"""Numbers in and out of tensors as ggml's examples/python does it, with cffi and numpy: copies_cffi.py MODULE_FOLDER LIBRARY FIGURE

It gives numpy a tensor's memory, has numpy convert between numbers, and one C routine quantize or dequantize.
"""

import sys

folder, path, figure = sys.argv[1:]
sys.path.insert(0, folder)

from statistics import median
from time import perf_counter_ns

import numpy as np
from ggml_cffi import ffi  # made by build_cffi.py

from measures import report

lib = ffi.dlopen(path)
COUNT, SIDE, SMALL = 1 << 24, 4096, 64
F32, F16, Q4_K = 0, 1, 12

params = ffi.new("struct ggml_init_params *")
params.mem_size = 4 * COUNT + (1 << 20)
ctx = ffi.gc(lib.ggml_init(params[0]), lib.ggml_free)
DTYPES = {F32: np.float32, F16: np.float16}


def array_of(tensor):
    """A tensor's memory as numpy sees it, made for each copy."""
    memory = ffi.buffer(lib.ggml_get_data(tensor), lib.ggml_nbytes(tensor))
    shape = [tensor.ne[i] for i in range(lib.ggml_n_dims(tensor))]
    return np.frombuffer(memory, dtype=DTYPES[tensor.type]).reshape(shape)


def floats(array):
    return ffi.from_buffer("float *", array)


def copy(source, target):
    """numpy to tensor, or the other way around."""
    if isinstance(source, np.ndarray):
        if target.type in DTYPES:
            np.copyto(array_of(target), source, casting="same_kind")
        else:
            lib.ggml_quantize_chunk(target.type, floats(source), lib.ggml_get_data(target), 0, SIDE, SIDE, ffi.NULL)
    elif source.type in DTYPES:
        np.copyto(target, array_of(source), casting="same_kind")
    else:
        lib.ggml_get_type_traits(source.type).to_float(lib.ggml_get_data(source), floats(target), target.size)


f32 = ((np.arange(COUNT, dtype=np.uint64) * 0x9E3779B1 % 2**32) / 2**32 - 0.5).astype(np.float32)
out = np.ones(COUNT, dtype=np.float32)


def memory(tensor):
    return np.frombuffer(ffi.buffer(lib.ggml_get_data(tensor), lib.ggml_nbytes(tensor)), dtype=np.uint8)


def prepare():
    if figure == "small":
        tensor, few = lib.ggml_new_tensor_1d(ctx, F32, SMALL), f32[:SMALL]

        def run():
            for _ in range(1000):
                copy(few, tensor)

        return run, memory(tensor)
    source, target = figure.split("-")
    types = {"f32": F32, "f16": F16, "q4_K": Q4_K}
    if source == "f32":
        tensor = lib.ggml_new_tensor_1d(ctx, types[target], COUNT)
        return lambda: copy(f32, tensor), memory(tensor)
    tensor = lib.ggml_new_tensor_1d(ctx, types[source], COUNT)
    copy(f32, tensor)
    return lambda: copy(tensor, out), out.view(np.uint8)


run, result = prepare()
times = []
for round in range(-2, 21 if figure == "small" else 5):
    start = perf_counter_ns()
    run()
    if round >= 0:
        times.append(perf_counter_ns() - start)
report(median(times), str(sum(int(result[i * len(result) // 1024]) for i in range(1024))))
