/**
 * Training and scheduling that C fails in: each is an Error, and then the same process trains, or computes, something right.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { init, view } from "@ggml/deno/utils";
import { message } from "../failing.ts";
import { fuzzes } from "../fuzz/fuzzes.ts";

const { GGML_TYPE_F32: F32, GGML_OPT_LOSS_TYPE_MEAN_SQUARED_ERROR: SQUARES, GGML_OPT_OPTIMIZER_TYPE_SGD: SGD } = lib;

/** A model of one weight, of whose input 1 shall become 3, and what trains it. */
class Training implements Disposable {
  readonly backend: lib.ggml_backend = lib.ggml_backend_cpu_init()!;
  readonly scheduler: lib.ggml_backend_sched;
  readonly fixed: lib.ggml_context = init({ memSize: 1 << 16, noAlloc: true });
  readonly compute: lib.ggml_context;
  readonly inputs: lib.ggml_tensor;
  readonly weight: lib.ggml_tensor;
  readonly outputs: lib.ggml_tensor;
  readonly dataset: lib.ggml_opt_dataset = lib.ggml_opt_dataset_init(F32, F32, 1, 1, 8, 1);

  constructor({ place = true, memSize = 1 << 20, layer = lib.ggml_mul_mat } = {}) {
    lib.ggml_backend_cpu_set_n_threads(this.backend, 1);
    this.scheduler = lib.ggml_backend_sched_new([this.backend], null, 1, 2048, false, false);
    this.compute = init({ memSize, noAlloc: true });
    if (!place) this.fixed = init({ memSize: 1 << 16 });
    this.inputs = lib.ggml_new_tensor_2d(this.fixed, F32, 1, 1);
    this.weight = lib.ggml_new_tensor_2d(this.fixed, F32, 1, 1);
    lib.ggml_set_param(this.weight);
    if (place) lib.ggml_backend_alloc_ctx_tensors(this.fixed, this.backend);
    lib.ggml_set_f32(this.weight, 0);
    this.outputs = layer(this.compute, this.weight, this.inputs);
    lib.ggml_set_f32(lib.ggml_opt_dataset_data(this.dataset), 1);
    lib.ggml_set_f32(lib.ggml_opt_dataset_labels(this.dataset)!, 3);
  }

  fit(): void {
    const { scheduler, compute, inputs, outputs, dataset } = this;
    lib.ggml_opt_fit(scheduler, compute, inputs, outputs, dataset, SQUARES, SGD, rates(0.2), 4, 1, 0, true);
  }

  /** An optimizer whose graphs are built once. */
  optimizer(alpha: number): lib.ggml_opt_context {
    const params = lib.ggml_opt_default_params(this.scheduler, SQUARES);
    const { compute: ctx_compute, inputs, outputs } = this;
    return lib.ggml_opt_init(Object.assign(params, { ctx_compute, inputs, outputs, get_opt_pars: rates(alpha), optimizer: SGD }));
  }

  [Symbol.dispose](): void {
    this.scheduler[Symbol.dispose]();
    this.dataset[Symbol.dispose]();
  }
}

/** What an optimizer asks before each step. */
function rates(alpha: number): lib.ggml_opt_get_optimizer_params {
  return new lib.ggml_opt_get_optimizer_params(() => {
    const params = lib.ggml_opt_get_default_optimizer_params(null);
    params.sgd.alpha = params.adamw.alpha = alpha;
    return params;
  });
}

/** Trains something and looks whether it is right. */
function assertTrains(): void {
  using training = new Training();
  training.fit();
  const weight = lib.ggml_get_f32_1d(training.weight, 0);
  assert(Math.abs(weight - 3) < 0.01, `expected 3, got ${weight}`);
}

/** A graph of squares of so many numbers, without memory. */
function squares(count: number): { ctx: lib.ggml_context; graph: lib.ggml_cgraph; input: lib.ggml_tensor; result: lib.ggml_tensor } {
  const ctx = init({ memSize: 1 << 20, noAlloc: true }), input = lib.ggml_new_tensor_1d(ctx, F32, count);
  lib.ggml_set_input(input);
  const result = lib.ggml_sqr(ctx, input), graph = lib.ggml_new_graph(ctx);
  lib.ggml_build_forward_expand(graph, result);
  return { ctx, graph, input, result };
}

Deno.test("an optimizer's callback that returns alpha 0 at the first step is an Error", () => {
  using training = new Training();
  using optimizer = training.optimizer(0), result = lib.ggml_opt_result_init();
  assertMatch(
    message(() => lib.ggml_opt_epoch(optimizer, training.dataset, result, null, 8, null, null)),
    /^ggml_opt_epoch: assertion failed: opt_pars\.sgd\.alpha > 0\.0f \(ggml-opt\.cpp:\d+\)$/,
  );
  assertMatch(
    message(() => lib.ggml_opt_epoch(optimizer, training.dataset, result, null, 8, null, null)),
    /this ggml_opt_context .*left half done by ggml_opt_epoch/,
  );
  assertTrains();
});

Deno.test("ggml_opt_fit with parameters in a plain init() is an Error", () => {
  using training = new Training({ place: false });
  assertMatch(message(() => training.fit()), /^ggml_opt_fit\(inputs\): expected a tensor in a backend's buffer/);
  assertTrains();
});

Deno.test("ggml_opt_init with a ctx_compute that is too small is an Error", () => {
  for (const memSize of [1000, 4000, 200_000]) {
    using training = new Training({ memSize });
    assertMatch(message(() => training.optimizer(0.1)), /^ggml_opt_init: /);
  }
  assertTrains();
});

Deno.test("ggml_opt_alloc, then ggml_backend_sched_alloc_graph", () => {
  using training = new Training();
  using optimizer = training.optimizer(0.1);
  lib.ggml_opt_alloc(optimizer, true);
  const { graph, input, result } = squares(3);
  assertMatch(
    message(() => lib.ggml_backend_sched_alloc_graph(training.scheduler, graph)),
    /^ggml_backend_sched_alloc_graph: assertion failed: !sched->is_alloc/,
  );
  lib.ggml_backend_sched_reset(training.scheduler);
  lib.ggml_backend_sched_alloc_graph(training.scheduler, graph); // in place of the optimizer's
  lib.ggml_backend_tensor_set(input, new Float32Array([1, 2, 3]), 0, 12);
  lib.ggml_backend_sched_graph_compute(training.scheduler, graph);
  assertEquals([...view(result).data as Float32Array], [1, 4, 9]);
  assertMatch(message(() => lib.ggml_opt_eval(optimizer, null)), /^ggml_opt_eval\(opt_ctx\): its scheduler was reset/);
  assertTrains();
});

Deno.test("an optimizer whose scheduler computes something else says so", () => {
  using training = new Training();
  using optimizer = training.optimizer(0.2), result = lib.ggml_opt_result_init();
  const epoch = () => lib.ggml_opt_epoch(optimizer, training.dataset, result, null, 8, null, null);
  epoch();
  assert(Math.abs(lib.ggml_get_f32_1d(training.weight, 0) - 3) < 0.1);
  const { graph, input, result: squared } = squares(1);
  const other = () => lib.ggml_backend_sched_graph_compute(training.scheduler, graph);
  assertMatch(message(other), /^ggml_backend_sched_graph_compute\(sched\): it has the graph of an optimizer allocated/);
  lib.ggml_backend_sched_reset(training.scheduler);
  lib.ggml_backend_sched_alloc_graph(training.scheduler, graph);
  lib.ggml_backend_tensor_set(input, new Float32Array([3]), 0, 4);
  assertEquals(other(), lib.GGML_STATUS_SUCCESS);
  assertEquals([...view(squared).data as Float32Array], [9]);
  assertMatch(message(epoch), /^ggml_opt_epoch\(opt_ctx\): its scheduler was reset or given another graph/);
  assertTrains();
});

Deno.test("a graph with more nodes than the first of an optimizer is an Error", () => {
  using training = new Training();
  using optimizer = lib.ggml_opt_init(lib.ggml_opt_default_params(training.scheduler, SQUARES));
  const step = (depth: number) => {
    const ctx = init({ memSize: 1 << 20, noAlloc: true });
    let outputs = lib.ggml_mul_mat(ctx, training.weight, training.inputs);
    for (let i = 0; i < depth; i++) outputs = lib.ggml_scale(ctx, outputs, 0.5);
    const graph = lib.ggml_new_graph_custom(ctx, 2048, true);
    lib.ggml_build_forward_expand(graph, outputs);
    lib.ggml_opt_prepare_alloc(optimizer, ctx, graph, training.inputs, outputs);
    lib.ggml_opt_alloc(optimizer, true);
    lib.ggml_set_f32(training.inputs, 1);
    lib.ggml_opt_eval(optimizer, null);
  };
  step(3);
  step(3);
  assertMatch(message(() => step(10)), /^ggml_opt_alloc\(opt_ctx\): expected a graph of at most \d+ nodes, as the first had, got \d+$/);
  step(3);
  assertTrains();
});

Deno.test("a scheduler of no nodes, an allocator of no buffers, ids of no buffer", () => {
  using training = new Training();
  assertMatch(
    message(() => lib.ggml_backend_sched_new([training.backend], null, 1, 0, false, false)),
    /^ggml_backend_sched_new\(graph_size\): expected 1 to 1048576, got 0$/,
  );
  const type = lib.ggml_backend_cpu_buffer_type(), { graph } = squares(3);
  assertMatch(message(() => lib.ggml_gallocr_new_n([], 0)), /^ggml_gallocr_new_n\(n_bufs\): expected at least 1, got 0$/);
  using allocator = lib.ggml_gallocr_new_n([type], 1);
  const reserve = (nodes: number[], leafs: number[]) =>
    lib.ggml_gallocr_reserve_n(allocator, graph, Int32Array.from(nodes), Int32Array.from(leafs));
  assertMatch(message(() => reserve([1000], [0])), /^ggml_gallocr_reserve_n.*buffer_id/);
  assertMatch(message(() => reserve([0], [-1])), /^ggml_gallocr_reserve_n.*buffer_id/);
  assertMatch(message(() => reserve([0], [])), /^ggml_gallocr_reserve_n\(leaf_buffer_ids\): expected at least one int32/);
  const sizes = (length: number) => lib.ggml_gallocr_reserve_n_size(allocator, graph, null, null, new BigUint64Array(length));
  assertMatch(message(() => sizes(0)), /^ggml_gallocr_reserve_n_size\(sizes\): expected at least one uint64/);
  sizes(1);
  assertEquals(reserve([0], [0]), true);
  assertEquals(lib.ggml_gallocr_alloc_graph(allocator, graph), true);
});

Deno.test("a node that fails is noted with the scheduler's memory: its tensors are unusable when that ends", () => {
  const backend = lib.ggml_backend_cpu_init()!, scheduler = lib.ggml_backend_sched_new([backend], null, 1, 64, false, false);
  const ctx = init({ memSize: 1 << 20, noAlloc: true });
  const squared = lib.ggml_sqr(ctx, lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_I32, 8)), graph = lib.ggml_new_graph(ctx);
  lib.ggml_build_forward_expand(graph, squared);
  assertMatch(message(() => lib.ggml_backend_sched_graph_compute(scheduler, graph)), /node 0 \(SQR "node_0": i32 ne=\[8\]\)/);
  scheduler[Symbol.dispose]();
  assertMatch(message(() => squared.data), /scheduler|ggml_backend_sched/);
});

for (const [world, calls] of [["train", 4000], ["sched", 4000]] as const) fuzzes(world, calls);

Deno.test("what has no gradient is named", () => {
  using ctx = init({ memSize: 1 << 20 });
  const x = lib.ggml_new_tensor_1d(ctx, F32, 4);
  lib.ggml_set_param(x);
  const backward = (y: lib.ggml_tensor) => {
    const loss = lib.ggml_sum(ctx, y), graph = lib.ggml_new_graph_custom(ctx, 64, true);
    lib.ggml_set_loss(loss);
    lib.ggml_build_forward_expand(graph, loss);
    return assertThrows(() => lib.ggml_build_backward_expand(ctx, graph, null), Error).message;
  };
  assertMatch(backward(lib.ggml_floor(ctx, x)), /C has no gradient of a unary operation in cgraph, which has FLOOR$/);
  assertMatch(backward(lib.ggml_norm(ctx, x, 1e-5)), /unsupported ggml op for backward pass: NORM \(ggml\.c:\d+\)$/);
  assertMatch(backward(lib.ggml_geglu(ctx, x)), /unsupported glu op for backward pass: GEGLU/);
  const kernel = lib.ggml_new_tensor_3d(ctx, F32, 2, 1, 2), signal = lib.ggml_new_tensor_3d(ctx, F32, 8, 1, 1);
  for (const parameter of [kernel, signal]) lib.ggml_set_param(parameter);
  assertMatch(
    backward(lib.ggml_im2col(ctx, kernel, signal, 1, 0, 0, 0, 1, 0, false, F32)),
    /0x10\): C has no gradient of src\[0\] of a node of cgraph, IM2COL "node_\d+": f32 ne=\[2, 7\]$/,
  );
});

Deno.test("what has no gradient is named by the functions that train", () => {
  using training = new Training({ layer: (ctx, w, x) => lib.ggml_tanh(ctx, lib.ggml_mul_mat(ctx, w, x)) });
  const reason = (where: string) => new RegExp(`C has no gradient of a unary operation in ${where}, which has TANH(;|$)`);
  assertMatch(assertThrows(() => training.optimizer(0.1), Error).message, reason("params.outputs"));
  assertMatch(assertThrows(() => training.fit(), Error).message, reason("outputs"));
  const params = Object.assign(lib.ggml_opt_default_params(training.scheduler, SQUARES), { get_opt_pars: rates(0.1) });
  using optimizer = lib.ggml_opt_init(params);
  const { compute, inputs, outputs } = training, graph = lib.ggml_new_graph_custom(compute, 64, true);
  lib.ggml_build_forward_expand(graph, outputs);
  lib.ggml_opt_prepare_alloc(optimizer, compute, graph, inputs, outputs);
  assertMatch(assertThrows(() => lib.ggml_opt_alloc(optimizer, true), Error).message, reason("its outputs"));
});

Deno.test("a handle in a text says what it is", () => {
  using ctx = init({ memSize: 1 << 20 });
  const graph = lib.ggml_new_graph(ctx);
  assertMatch(`cgraph is ${graph}`, /^cgraph is ggml_cgraph \{ 0x[0-9a-f]+ \}$/);
});
