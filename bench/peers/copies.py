"""Numbers in and out of tensors as ggml's examples/python does it, with numpy: copies.py cffi|ctypes … FIGURE

It gives numpy a tensor's memory, has numpy convert between numbers, and one C routine quantize or dequantize.
"""

from statistics import median
from time import perf_counter_ns

import numpy as np

from rounds import arguments, report

ggml, (figure,) = arguments()
lib = ggml.lib
COUNT, SIDE, SMALL = 1 << 24, 4096, 64
F32, F16, Q4_K = 0, 1, 12

ctx = ggml.init(4 * COUNT + (1 << 20))
DTYPES = {F32: np.float32, F16: np.float16}


def memory(tensor):
    return ggml.buffer(lib.ggml_get_data(tensor), lib.ggml_nbytes(tensor))


def array_of(tensor):
    """A tensor's memory as numpy sees it, made for each copy."""
    fields = ggml.fields(tensor)
    shape = [fields.ne[i] for i in reversed(range(lib.ggml_n_dims(tensor)))]
    return np.frombuffer(memory(tensor), dtype=DTYPES[fields.type]).reshape(shape)


def copy(source, target):
    """numpy to tensor, or the other way around."""
    if isinstance(source, np.ndarray):
        type = ggml.fields(target).type
        if type in DTYPES:
            np.copyto(array_of(target), source, casting="same_kind")
        else:
            lib.ggml_quantize_chunk(type, ggml.pointer(source), lib.ggml_get_data(target), 0, SIDE, SIDE, ggml.null)
        return
    type = ggml.fields(source).type
    if type in DTYPES:
        np.copyto(target, array_of(source), casting="same_kind")
    else:
        ggml.to_float(type)(lib.ggml_get_data(source), ggml.pointer(target), target.size)


f32 = ((np.arange(COUNT, dtype=np.uint64) * 0x9E3779B1 % 2**32) / 2**32 - 0.5).astype(np.float32)
out = np.ones(COUNT, dtype=np.float32)


def bytes_of(tensor):
    return np.frombuffer(memory(tensor), dtype=np.uint8)


def prepare():
    if figure == "small":
        tensor, few = lib.ggml_new_tensor_1d(ctx, F32, SMALL), f32[:SMALL]

        def run():
            for _ in range(1000):
                copy(few, tensor)

        return run, bytes_of(tensor)
    if figure == "transposed":
        tensor, square = lib.ggml_new_tensor_2d(ctx, F32, SIDE, SIDE), out.reshape(SIDE, SIDE)
        copy(f32.reshape(SIDE, SIDE), tensor)
        return lambda: np.copyto(square, array_of(tensor).T), out.view(np.uint8)
    source, target = figure.split("-")
    types = {"f32": F32, "f16": F16, "q4_K": Q4_K}
    if source == "f32":
        tensor = lib.ggml_new_tensor_1d(ctx, types[target], COUNT)
        return lambda: copy(f32, tensor), bytes_of(tensor)
    tensor = lib.ggml_new_tensor_1d(ctx, types[source], COUNT)
    copy(f32, tensor)
    return lambda: copy(tensor, out), out.view(np.uint8)


run, result = prepare()
times = []
for round in range(-2, 21 if figure == "small" else 3):
    start = perf_counter_ns()
    run()
    if round >= 0:
        times.append(perf_counter_ns() - start)
report(median(times), str(sum(int(result[i * len(result) // 1024]) for i in range(1024))))
