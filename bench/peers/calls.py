"""Calls, fields, graphs and computing from Python: calls.py cffi|ctypes … type_size|nelements|type|ne|add|warm|first|sums|product"""

import os
from itertools import repeat
from statistics import median
from time import perf_counter_ns

from decoder import build, describe, make_model
from rounds import arguments, report

ROUNDS, TURNS = 11, 100_000
GRAPH_ROUNDS, BUILDS = 21, 40
F32, F16 = 0, 1

ggml, (figure,) = arguments()
lib = ggml.lib


def measure(loop, answer):
    """Runs rounds of a loop of TURNS turns; `answer` is what its work comes to."""
    times = []
    for _ in range(ROUNDS):
        start = perf_counter_ns()
        result = loop()
        times.append((perf_counter_ns() - start) / TURNS)
        assert str(result) == answer, result
    report(median(times), answer)


def type_size():
    def loop():
        for _ in repeat(None, TURNS):
            size = lib.ggml_type_size(F32)
        return size

    measure(loop, "4")


def nelements():
    tensor = lib.ggml_new_tensor_1d(ggml.init(1 << 20), F32, 256)

    def loop():
        for _ in repeat(None, TURNS):
            count = lib.ggml_nelements(tensor)
        return count

    measure(loop, "256")


def many():
    """64 tensors over and over, so that a loop of TURNS turns sees each in turn."""
    ctx = ggml.init(16 * 1024 * 1024)
    tensors = [ggml.fields(lib.ggml_new_tensor_1d(ctx, F16, 256)) for _ in range(64)]
    return tensors * (TURNS // len(tensors)) + tensors[: TURNS % len(tensors)]


def read_type():
    tensors = many()

    def loop():
        for tensor in tensors:
            value = tensor.type
        return value

    measure(loop, "1")


def read_ne():
    tensors = many()

    def loop():
        for tensor in tensors:
            value = tensor.ne[0]
        return value

    measure(loop, "256")


def add():
    weights, ctx = ggml.init(1 << 20, True), ggml.init(1 << 20, True)
    a, b = lib.ggml_new_tensor_1d(weights, F32, 64), lib.ggml_new_tensor_1d(weights, F32, 64)

    def loop():
        for _ in repeat(None, TURNS // 1000):
            lib.ggml_reset(ctx)
            for _ in repeat(None, 1000):
                last = lib.ggml_add(ctx, a, b)
        return lib.ggml_nelements(last)

    measure(loop, "64")


def graph():
    weights = make_model(lib, ggml.init(16 * 1024 * 1024, True))
    ctx = ggml.init(4 * 1024 * 1024, True)
    start = perf_counter_ns()
    last = build(lib, ctx, weights, ggml.null)
    first = perf_counter_ns() - start
    if figure == "first":
        return report(first, describe(lib, ctx, last))
    times = []
    for _ in range(GRAPH_ROUNDS):
        start = perf_counter_ns()
        for _ in repeat(None, BUILDS):
            last = build(lib, ctx, weights, ggml.null)
        times.append((perf_counter_ns() - start) / BUILDS)
    report(median(times), describe(lib, ctx, last))


def compute(make, threads, repeats):
    """Computes a graph over and over; the first of its result's numbers is the answer."""
    ctx = ggml.init(64 * 1024 * 1024)
    result = make(ctx)
    graph = lib.ggml_new_graph_custom(ctx, 2048, False)
    lib.ggml_build_forward_expand(graph, result)
    times = []
    for _ in range(31):
        start = perf_counter_ns()
        for _ in repeat(None, repeats):
            lib.ggml_graph_compute_with_ctx(ctx, graph, threads)
        times.append((perf_counter_ns() - start) / repeats)
    report(median(times), f"{lib.ggml_get_f32_1d(result, 0):.0f}")


def sums(ctx):
    sum = lib.ggml_set_f32(lib.ggml_new_tensor_1d(ctx, F32, 64), 0)
    one = lib.ggml_set_f32(lib.ggml_new_tensor_1d(ctx, F32, 64), 1)
    for _ in range(1000):
        sum = lib.ggml_add(ctx, sum, one)
    return sum


def product(ctx):
    a = lib.ggml_set_f32(lib.ggml_new_tensor_2d(ctx, F32, 512, 512), 1)
    b = lib.ggml_set_f32(lib.ggml_new_tensor_2d(ctx, F32, 512, 512), 2)
    return lib.ggml_mul_mat(ctx, a, b)


{
    "type_size": type_size,
    "nelements": nelements,
    "type": read_type,
    "ne": read_ne,
    "add": add,
    "warm": graph,
    "first": graph,
    "sums": lambda: compute(sums, 1, 20),
    "product": lambda: compute(product, os.cpu_count(), 3),
}[figure]()
