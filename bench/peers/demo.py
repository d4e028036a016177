"""What examples/add_quant.ts does, as ggml's examples/python does it, with numpy: demo.py cffi|ctypes …"""

import os

import numpy as np

from rounds import arguments

ggml, _ = arguments()
lib = ggml.lib
F32, Q5_K = 0, 13
n, threads = 256, os.cpu_count()

ctx = ggml.init(12 * 1024 * 1024)

a = lib.ggml_new_tensor_1d(ctx, Q5_K, n)
b = lib.ggml_new_tensor_1d(ctx, F32, n)
sum = lib.ggml_add(ctx, a, b)

graph = lib.ggml_new_graph(ctx)
lib.ggml_build_forward_expand(graph, sum)


def floats(tensor):
    return np.frombuffer(ggml.buffer(lib.ggml_get_data(tensor), 4 * n), dtype=np.float32)


def dequantized(tensor):
    numbers = np.empty(n, dtype=np.float32)
    ggml.to_float(ggml.fields(tensor).type)(lib.ggml_get_data(tensor), ggml.pointer(numbers), n)
    return numbers


source = np.arange(n, dtype=np.float32)
lib.ggml_quantize_chunk(Q5_K, ggml.pointer(source), lib.ggml_get_data(a), 0, 1, n, ggml.null)
floats(b)[:] = np.arange(n, dtype=np.float32) * 100
lib.ggml_graph_compute_with_ctx(ctx, graph, threads)

print(dequantized(a))
print(floats(b))
print(dequantized(sum))
