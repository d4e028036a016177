"""What examples/add_quant.ts does, as ggml's examples/python does it, with cffi and numpy: demo_cffi.py MODULE_FOLDER LIBRARY"""

import os
import sys

sys.path.insert(0, sys.argv[1])

import numpy as np
from ggml_cffi import ffi  # made by build_cffi.py

lib = ffi.dlopen(sys.argv[2])
F32, Q5_K = 0, 13
n, threads = 256, os.cpu_count()

params = ffi.new("struct ggml_init_params *")
params.mem_size = 12 * 1024 * 1024
ctx = ffi.gc(lib.ggml_init(params[0]), lib.ggml_free)

a = lib.ggml_new_tensor_1d(ctx, Q5_K, n)
b = lib.ggml_new_tensor_1d(ctx, F32, n)
sum = lib.ggml_add(ctx, a, b)

graph = lib.ggml_new_graph(ctx)
lib.ggml_build_forward_expand(graph, sum)


def floats(tensor):
    return np.frombuffer(ffi.buffer(lib.ggml_get_data(tensor), 4 * n), dtype=np.float32)


def dequantized(tensor):
    numbers = np.empty(n, dtype=np.float32)
    lib.ggml_get_type_traits(tensor.type).to_float(lib.ggml_get_data(tensor), ffi.from_buffer("float *", numbers), n)
    return numbers


source = np.arange(n, dtype=np.float32)
lib.ggml_quantize_chunk(Q5_K, ffi.from_buffer("float *", source), lib.ggml_get_data(a), 0, 1, n, ffi.NULL)
floats(b)[:] = np.arange(n, dtype=np.float32) * 100
lib.ggml_graph_compute_with_ctx(ctx, graph, threads)

print(dequantized(a))
print(floats(b))
print(dequantized(sum))
