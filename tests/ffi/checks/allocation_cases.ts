/** Wrong calls of ggml-alloc.h, and of schedulers: what gives tensors a place. */

import { lib } from "@ggml/deno";
import { bare, type Case, cpu, ctx, empty, four, inContext, nowhere, optimizer, scheduler, sums } from "./objects.ts";

const { GGML_TYPE_F32: F32 } = lib;

const cpuType = lib.ggml_backend_cpu_buffer_type();

const allocator = () => lib.ggml_gallocr_new(cpuType);

/** The cases, by function. */
export const cases: Record<string, Case[]> = {
  ggml_backend_sched_new: [
    [
      () => lib.ggml_backend_sched_new([cpu, bare], null, 2, 64, false, false),
      ": assertion failed: ggml_backend_dev_type(ggml_backend_get_device(backends[n_backends - 1])) == GGML_BACKEND_D",
    ],
    [() => lib.ggml_backend_sched_new([], null, 0, 64, false, false), ": assertion failed: n_backends > 0"],
    [
      () => lib.ggml_backend_sched_new(Array(17).fill(cpu), null, 17, 64, false, false),
      ": assertion failed: n_backends <= GGML_SCHED_MAX_BACKENDS",
    ],
    [() => lib.ggml_backend_sched_new([cpu], null, 1, 2 ** 31, false, false), "(graph_size): expected 1 to 1048576, got 2147483648"],
    [() => lib.ggml_backend_sched_new([cpu], null, 1, 0, false, false), "(graph_size): expected 1 to 1048576, got 0"],
  ],
  ggml_backend_sched_get_backend: [[
    () => lib.ggml_backend_sched_get_backend(scheduler(), 1),
    ": assertion failed: i >= 0 && i < sched->n_backends",
  ]],
  ggml_backend_sched_get_buffer_type: [
    [
      () => lib.ggml_backend_sched_get_buffer_type(scheduler(), lib.ggml_backend_cpu_init()!),
      ": assertion failed: backend_index >= 0 && backend_index < sched->n_backends",
    ],
  ],
  ggml_backend_sched_get_buffer_size: [
    [
      () => lib.ggml_backend_sched_get_buffer_size(scheduler(), lib.ggml_backend_cpu_init()!),
      ": assertion failed: backend_index >= 0 && backend_index < sched->n_backends",
    ],
  ],
  ggml_backend_sched_set_tensor_backend: [
    [
      () => lib.ggml_backend_sched_set_tensor_backend(scheduler(), four, lib.ggml_backend_cpu_init()!),
      ": assertion failed: backend_index >= 0 && backend_index < sched->n_backends",
    ],
  ],
  ggml_backend_sched_reserve: [[
    () => lib.ggml_backend_sched_reserve(scheduler(1), sums(100)),
    ": assertion failed: (int)sched->hash_set.size >= measure_graph->n_nodes + measure_graph->n_leafs",
  ]],
  ggml_backend_sched_reserve_size: [
    [
      () => lib.ggml_backend_sched_reserve_size(scheduler(1), sums(100), new BigUint64Array(1)),
      ": assertion failed: (int)sched->hash_set.size >= measure_graph->n_nodes + measure_graph->n_leafs",
    ],
  ],
  ggml_backend_sched_alloc_graph: [
    [
      () => lib.ggml_backend_sched_alloc_graph(scheduler(1), sums(100)),
      ": assertion failed: (int)sched->hash_set.size >= graph->n_nodes + graph->n_leafs",
    ],
    [() => {
      const sched = scheduler(), graph = sums(1);
      lib.ggml_backend_sched_alloc_graph(sched, graph);
      lib.ggml_backend_sched_alloc_graph(sched, graph);
    }, ": assertion failed: !sched->is_alloc"],
  ],
  ggml_backend_sched_graph_compute: [
    [
      () => lib.ggml_backend_sched_graph_compute(scheduler(1), sums(100)),
      ": assertion failed: (int)sched->hash_set.size >= graph->n_nodes + graph->n_leafs",
    ],
    [() => {
      const sched = scheduler(4096);
      lib.ggml_opt_alloc(optimizer({ backend_sched: sched }), false);
      lib.ggml_backend_sched_graph_compute(sched, sums(1));
    }, "(sched): it has the graph of an optimizer allocated, and C would compute that"],
  ],
  ggml_backend_sched_graph_compute_async: [
    [
      () => lib.ggml_backend_sched_graph_compute_async(scheduler(1), sums(100)),
      ": assertion failed: (int)sched->hash_set.size >= graph->n_nodes + graph->n_leafs",
    ],
    [() => {
      const sched = scheduler(4096);
      lib.ggml_opt_alloc(optimizer({ backend_sched: sched }), false);
      lib.ggml_backend_sched_graph_compute_async(sched, sums(1));
    }, "(sched): it has the graph of an optimizer allocated, and C would compute that"],
  ],
  ggml_tallocr_alloc: [
    [
      () =>
        lib.ggml_tallocr_alloc(lib.ggml_tallocr_new(lib.ggml_backend_alloc_buffer(cpu, 64)!), lib.ggml_new_tensor_1d(empty(), F32, 100)),
      ": not enough space in the buffer",
    ],
    [() => lib.ggml_tallocr_alloc(new lib.ggml_tallocr(), nowhere()), ": assertion failed: buffer"],
    [
      () => lib.ggml_tallocr_alloc(lib.ggml_tallocr_new(lib.ggml_backend_alloc_buffer(cpu, 64)!), inContext),
      ": assertion failed: tensor->data == NULL",
    ],
  ],
  ggml_gallocr_new_n: [
    [() => lib.ggml_gallocr_new_n([], -1), "(n_bufs): expected at least 1, got -1"],
    [() => lib.ggml_gallocr_new_n([], 0), "(n_bufs): expected at least 1, got 0"],
  ],
  ggml_gallocr_reserve_n: [
    [
      () => lib.ggml_gallocr_reserve_n(allocator(), sums(2), new Int32Array([0, 1]), null),
      "(node_buffer_ids)[1]: expected the index of a buffer, of which there is 0 only, got 1",
    ],
    [() => lib.ggml_gallocr_reserve_n(allocator(), sums(2), new Int32Array(2), new Int32Array([-1])), ": assertion failed: buffer_id >= 0"],
    [() => lib.ggml_gallocr_reserve_n(allocator(), sums(2), new Int32Array(1), null), "(node_buffer_ids): expected at least 2 int32s"],
    [
      () => lib.ggml_gallocr_reserve_n(allocator(), sums(2), new Int32Array(2), new Int32Array(0)),
      "(leaf_buffer_ids): expected at least one int32",
    ],
    [
      () => lib.ggml_gallocr_reserve_n(allocator(), sums(2), null, new Int32Array([1])),
      "(leaf_buffer_ids)[0]: expected the index of a buffer, of which there is 0 only, got 1",
    ],
  ],
  ggml_gallocr_reserve_n_size: [
    [
      () => lib.ggml_gallocr_reserve_n_size(allocator(), sums(2), new Int32Array([0, -1]), null, new BigUint64Array(1)),
      ": assertion failed: buffer_id >= 0",
    ],
    [
      () => lib.ggml_gallocr_reserve_n_size(allocator(), sums(2), null, null, new BigUint64Array(0)),
      "(sizes): expected at least one uint64",
    ],
    [
      () => lib.ggml_gallocr_reserve_n_size(lib.ggml_gallocr_new_n([cpuType, cpuType], 2), sums(2), null, null, new BigUint64Array(1)),
      "(sizes): expected at least 2 uint64s (buffers), got a BigUint64Array of 1",
    ],
  ],
  ggml_gallocr_alloc_graph: [[() => {
    const galloc = allocator(), graph = sums(2);
    lib.ggml_gallocr_reserve_n_size(galloc, graph, null, null, new BigUint64Array(1));
    lib.ggml_gallocr_alloc_graph(galloc, graph);
  }, ": C used a null pointer"]],
  ggml_gallocr_get_buffer_size: [[
    () => lib.ggml_gallocr_get_buffer_size(allocator(), 1),
    ": assertion failed: buffer_id >= 0 && buffer_id < galloc->n_buffers",
  ]],
  ggml_backend_alloc_ctx_tensors: [
    [() => lib.ggml_backend_alloc_ctx_tensors(ctx, cpu), ": assertion failed: ggml_get_no_alloc(ctx) == true"],
    [() => {
      const own = empty();
      lib.ggml_view_1d(own, nowhere(), 2, 0);
      lib.ggml_new_tensor_1d(own, F32, 4);
      lib.ggml_backend_alloc_ctx_tensors(own, cpu);
    }, '(ctx): VIEW " (view)": f32 ne=[2] is a view of NONE: f32 ne=[4], which is in no backend\'s buffer: allocate that first'],
  ],
  ggml_backend_alloc_ctx_tensors_from_buft: [
    [() => lib.ggml_backend_alloc_ctx_tensors_from_buft(ctx, cpuType), ": assertion failed: ggml_get_no_alloc(ctx) == true"],
    [() => {
      const own = empty();
      lib.ggml_new_tensor_1d(own, F32, 4);
      lib.ggml_view_1d(own, inContext, 2, 0);
      lib.ggml_backend_alloc_ctx_tensors_from_buft(own, cpuType);
    }, '(ctx): VIEW "weights (view)": f32 ne=[2] is a view of NONE "weights": f32 ne=[4], which is in no backend'],
  ],
  ggml_backend_alloc_ctx_tensors_from_buft_size: [
    [() => lib.ggml_backend_alloc_ctx_tensors_from_buft_size(ctx, cpuType), ": assertion failed: ggml_get_no_alloc(ctx) == true"],
  ],
};
