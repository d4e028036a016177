"""The figures that are measured inside a Python process, whatever way the library is called: see with_cffi.py and with_ctypes.py."""

import json
from itertools import repeat
from statistics import median
from time import perf_counter_ns

from decoder import build, describe, make_model

ROUNDS, TURNS = 11, 100_000
GRAPH_ROUNDS, BUILDS = 21, 40


def report(ns, answer):
    """Prints a measurement as ../rounds.ts reads it."""
    print(json.dumps({"ns": ns, "answer": answer}))


def measure(loop, answer):
    """Runs rounds of a loop of TURNS turns; `answer` is what its work comes to."""
    times = []
    for _ in range(ROUNDS):
        start = perf_counter_ns()
        result = loop()
        times.append((perf_counter_ns() - start) / TURNS)
        assert str(result) == answer, result
    report(median(times), answer)


def type_size(lib):
    def loop():
        for _ in repeat(None, TURNS):
            size = lib.ggml_type_size(0)
        return size

    measure(loop, "4")


def nelements(lib, tensor):
    def loop():
        for _ in repeat(None, TURNS):
            count = lib.ggml_nelements(tensor)
        return count

    measure(loop, "256")


def many(tensors):
    """The same tensors over and over, so that a loop of TURNS turns sees each in turn."""
    return tensors * (TURNS // len(tensors)) + tensors[: TURNS % len(tensors)]


def graph(lib, init, null, which):
    """`init(size)` makes a context without data."""
    weights = make_model(lib, init(16 * 1024 * 1024))
    ctx = init(4 * 1024 * 1024)
    start = perf_counter_ns()
    last = build(lib, ctx, weights, null)
    first = perf_counter_ns() - start
    if which == "first":
        return report(first, describe(lib, ctx, last))
    times = []
    for _ in range(GRAPH_ROUNDS):
        start = perf_counter_ns()
        for _ in repeat(None, BUILDS):
            last = build(lib, ctx, weights, null)
        times.append((perf_counter_ns() - start) / BUILDS)
    report(median(times), describe(lib, ctx, last))
