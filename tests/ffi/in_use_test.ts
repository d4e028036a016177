/**
 * What a computation is using can be neither freed, changed, placed anew nor computed a second time: from a callback of the computation itself, and
 * while `computeAsync` runs.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { compute, computeAsync, copy, init, view } from "@ggml/deno/utils";

const { GGML_TYPE_F32: F32 } = lib;

/** What each of some actions throws, tried once, from wherever `attempt` is called. */
class Attempts {
  readonly messages: string[] = [];
  readonly #actions: readonly (() => unknown)[];

  constructor(...actions: readonly (() => unknown)[]) {
    this.#actions = actions;
  }

  readonly attempt = () => {
    if (this.messages.length > 0) return;
    for (const action of this.#actions) {
      try {
        action();
        this.messages.push("nothing was thrown");
      } catch (error) {
        this.messages.push((error as Error).message);
      }
    }
  };

  expect(...patterns: readonly RegExp[]): void {
    assertEquals(this.messages.length, patterns.length);
    patterns.forEach((pattern, i) => assertMatch(this.messages[i], pattern));
  }
}

/** A graph of an operator in TypeScript, which copies and calls a function. */
function operated(ctx: lib.ggml_context, called: () => void) {
  const a = lib.ggml_new_tensor_1d(ctx, F32, 2),
    operator = new lib.ggml_custom1_op_t((dst, a) => {
      called();
      copy(a!, dst!);
    });
  const result = lib.ggml_map_custom1(ctx, a, operator, 1, null), graph = lib.ggml_new_graph(ctx);
  lib.ggml_build_forward_expand(graph, result);
  return { a, graph, result };
}

Deno.test("an operator can't free, change or compute what computes it", () => {
  const ctx = init(), pool = lib.ggml_threadpool_new(lib.ggml_threadpool_params_default(1));
  let attempts = new Attempts();
  const { a, graph, result } = operated(ctx, () => attempts.attempt());
  copy([1, 2], a);
  const plan = lib.ggml_graph_plan(graph, 1, pool);
  if (plan.work_size > 0) plan.work_data = new Uint8Array(plan.work_size) as never;
  const squares = lib.ggml_sqr(ctx, a), other = lib.ggml_new_graph(ctx);
  lib.ggml_build_forward_expand(other, squares);
  const otherPlan = lib.ggml_graph_plan(other, 1, pool);
  attempts = new Attempts(
    () => lib.ggml_free(ctx),
    () => ctx[Symbol.dispose](),
    () => lib.ggml_threadpool_free(pool),
    () => lib.ggml_graph_clear(graph),
    () => lib.ggml_graph_reset(graph),
    () => lib.ggml_graph_add_node(graph, a),
    () => lib.ggml_build_forward_expand(graph, squares),
    () => lib.ggml_build_forward_select(graph, [squares], 1, 0),
    () => lib.ggml_build_backward_expand(ctx, graph, null),
    () => lib.ggml_graph_cpy(other, graph),
    () => result.ne = [1e9, 1, 1, 1],
    () => a.type = lib.GGML_TYPE_F64,
    () => compute(graph),
    () => lib.ggml_graph_compute(graph, plan),
    () => lib.ggml_graph_compute(other, otherPlan),
  );
  lib.ggml_graph_compute(graph, plan);
  attempts.expect(
    /^this ggml_context can't be freed by ggml_free now: ggml_graph_compute is using it$/,
    /ggml_graph_compute is using it$/,
    /^this ggml_threadpool can't be freed by ggml_threadpool_free now: ggml_graph_compute is using it$/,
    /^ggml_graph_clear: this graph is being computed by ggml_graph_compute: wait until that has ended$/,
    /^ggml_graph_reset: this graph is being computed/,
    /^ggml_graph_add_node: this graph is being computed/,
    /^ggml_build_forward_expand: this graph is being computed/,
    /^ggml_build_forward_select: this graph is being computed/,
    /^ggml_build_backward_expand: this graph is being computed/,
    /^ggml_graph_cpy: this graph is being computed/,
    /^ggml_tensor: this ggml_tensor can't be changed now: its graph is being computed by ggml_graph_compute$/,
    /^ggml_tensor: this ggml_tensor can't be changed now/,
    /^compute: this graph is being computed/,
    /^ggml_graph_compute: this graph is being computed/,
    /^ggml_graph_compute: this ggml_threadpool is being used by ggml_graph_compute: wait until that has ended$/,
  );
  assertEquals([...view(result).data as Float32Array], [1, 2]);
  lib.ggml_graph_compute(other, otherPlan); // afterwards it can
  assertEquals([...view(squares).data as Float32Array], [1, 4]);
  lib.ggml_free(ctx);
  lib.ggml_threadpool_free(pool);
});

Deno.test("an operator can compute another graph", () => {
  using inner = init(), ctx = init();
  const b = lib.ggml_new_tensor_1d(inner, F32, 2), squares = lib.ggml_sqr(inner, b), other = lib.ggml_new_graph(inner);
  lib.ggml_build_forward_expand(other, squares);
  copy([3, 4], b);
  const { graph } = operated(ctx, () => compute(other));
  compute(graph);
  assertEquals([...view(squares).data as Float32Array], [9, 16]);
});

Deno.test("an operator can't free the backend, buffer, allocator or scheduler by which it is computed", () => {
  const backend = lib.ggml_backend_cpu_init()!, sched = lib.ggml_backend_sched_new([backend], null, 1, 64, false, true);
  const ctx = init({ noAlloc: true });
  let attempts = new Attempts();
  const { a, graph, result } = operated(ctx, () => attempts.attempt());
  lib.ggml_set_input(a);
  lib.ggml_set_output(result);
  assert(lib.ggml_backend_sched_alloc_graph(sched, graph));
  copy([1, 2], a);
  attempts = new Attempts(
    () => lib.ggml_backend_free(backend),
    () => lib.ggml_backend_sched_free(sched),
    () => lib.ggml_backend_sched_reset(sched),
    () => lib.ggml_backend_sched_set_eval_callback(sched, null, null),
    () => lib.ggml_backend_sched_alloc_graph(sched, graph),
    () => lib.ggml_backend_sched_split_graph(sched, graph),
    () => lib.ggml_backend_sched_reserve(sched, graph),
    () => lib.ggml_backend_sched_reserve_size(sched, graph, new BigUint64Array(1)),
    () => lib.ggml_backend_sched_graph_compute(sched, graph),
  );
  lib.ggml_backend_sched_graph_compute(sched, graph);
  const using = / now: ggml_backend_sched_graph_compute is using it$/;
  attempts.expect(
    using,
    using,
    using,
    using,
    using,
    using,
    using,
    using,
    /^ggml_backend_sched_graph_compute: this graph is being computed/,
  );
  assertEquals([...view(result).data as Float32Array], [1, 2]);
});

Deno.test("an optimizer's callback can't free what is trained, nor have it trained", () => {
  const backend = lib.ggml_backend_cpu_init()!, sched = lib.ggml_backend_sched_new([backend], null, 1, 2048, false, true);
  const kept = init({ noAlloc: true }), ctx = init({ memSize: 8 << 20, noAlloc: true });
  const inputs = lib.ggml_new_tensor_2d(kept, F32, 1, 4), weight = lib.ggml_new_tensor_2d(kept, F32, 1, 1);
  lib.ggml_set_param(weight);
  const buffer = lib.ggml_backend_alloc_ctx_tensors(kept, backend)!, outputs = lib.ggml_mul_mat(ctx, weight, inputs);
  lib.ggml_set_f32(weight, 1);
  const dataset = lib.ggml_opt_dataset_init(F32, F32, 1, 1, 8, 4), result = lib.ggml_opt_result_init();
  let attempts = new Attempts();
  const rate = new lib.ggml_opt_get_optimizer_params((userdata) => {
    attempts.attempt();
    return lib.ggml_opt_get_default_optimizer_params(userdata);
  });
  const params = Object.assign(lib.ggml_opt_default_params(sched, lib.GGML_OPT_LOSS_TYPE_MEAN_SQUARED_ERROR), {
    ctx_compute: ctx,
    inputs,
    outputs,
    get_opt_pars: rate,
  });
  const optimizer = lib.ggml_opt_init(params);
  const epoch = () => lib.ggml_opt_epoch(optimizer, dataset, result, null, 8, null, null);
  attempts = new Attempts(
    () => lib.ggml_opt_free(optimizer),
    () => lib.ggml_opt_dataset_free(dataset),
    () => lib.ggml_opt_result_free(result),
    () => lib.ggml_backend_sched_free(sched),
    () => lib.ggml_backend_free(backend),
    () => lib.ggml_backend_buffer_free(buffer),
    () => lib.ggml_free(ctx),
    epoch,
  );
  epoch();
  const using = / now: ggml_opt_epoch is using it$/;
  attempts.expect(
    using,
    using,
    using,
    using,
    using,
    using,
    using,
    /^ggml_opt_epoch: this ggml_opt_context is being used by ggml_opt_epoch/,
  );
  epoch();
});

Deno.test("while computeAsync runs nothing that it uses is changed or placed anew", async () => {
  const backend = lib.ggml_backend_cpu_init()!;
  using ctx = init({ noAlloc: true });
  const a = lib.ggml_new_tensor_2d(ctx, F32, 256, 256), graph = lib.ggml_new_graph(ctx);
  let result = lib.ggml_sqr(ctx, a);
  for (let i = 0; i < 20; i++) result = lib.ggml_mul_mat(ctx, a, result);
  lib.ggml_build_forward_expand(graph, result);
  using allocator = lib.ggml_gallocr_new(lib.ggml_backend_cpu_buffer_type());
  assert(lib.ggml_gallocr_alloc_graph(allocator, graph));
  copy(new Float32Array(256 * 256), a);
  using other = lib.ggml_gallocr_new(lib.ggml_backend_cpu_buffer_type());
  using sched = lib.ggml_backend_sched_new([backend], null, 1, 64, false, false);
  const computing = computeAsync(graph, { backend });
  const inUse: [() => unknown, RegExp][] = [
    [() => lib.ggml_gallocr_alloc_graph(other, graph), /^ggml_gallocr_alloc_graph: this graph is being computed by computeAsync/],
    [() => lib.ggml_gallocr_reserve(other, graph), /^ggml_gallocr_reserve: this graph is being computed by computeAsync/],
    [() => lib.ggml_gallocr_reserve_n(other, graph, null, null), /^ggml_gallocr_reserve_n: this graph is being computed/],
    [() => lib.ggml_backend_sched_alloc_graph(sched, graph), /^ggml_backend_sched_alloc_graph: this graph is being computed/],
    [() => lib.ggml_backend_sched_reserve(sched, graph), /^ggml_backend_sched_reserve: this graph is being computed/],
    [
      () => lib.ggml_backend_sched_reserve_size(sched, graph, new BigUint64Array(1)),
      /^ggml_backend_sched_reserve_size: this graph is being computed/,
    ],
    [() => lib.ggml_gallocr_alloc_graph(allocator, graph), /^ggml_gallocr_alloc_graph: this ggml_gallocr can't be changed now/],
    [() => lib.ggml_gallocr_reserve(allocator, graph), /^ggml_gallocr_reserve: this ggml_gallocr can't be changed now/],
    [() => lib.ggml_gallocr_reserve_n(allocator, graph, null, null), /^ggml_gallocr_reserve_n: /],
    [() => lib.ggml_gallocr_free(allocator), /^this ggml_gallocr can't be freed/],
    [() => lib.ggml_graph_clear(graph), /^ggml_graph_clear: this graph is being computed by computeAsync/],
    [() => lib.ggml_graph_compute_with_ctx(ctx, graph, 1), /^ggml_graph_compute_with_ctx: this graph is being computed by computeAsync/],
    [() => lib.ggml_reset(ctx), /computeAsync is using it/],
  ];
  for (const [action, says] of inUse) assertMatch(assertThrows(action, Error).message, says);
  await computing;
  lib.ggml_graph_compute_with_ctx(init({ memSize: 1 << 20 }), graph, 1);
  lib.ggml_graph_clear(graph);
});

Deno.test("writing to one of a tensor's sizes, strides or sources throws, where it would change nothing", () => {
  using ctx = init();
  const a = lib.ggml_new_tensor_2d(ctx, F32, 3, 2),
    sum = lib.ggml_add(ctx, a, a),
    huge = lib.ggml_new_tensor_1d(init({ noAlloc: true }), F32, 2 ** 33);
  for (const array of [a.ne, a.nb, sum.src, huge.ne] as unknown[][]) {
    assertThrows(() => array[0] = array[1], TypeError, "read only");
    assertThrows(() => array.push(array[0]), TypeError);
  }
  assertEquals([a.ne, huge.ne], [[3, 2, 1, 1], [2 ** 33, 1, 1, 1]]);
  for (let i = 1; i < 500; i++) assertEquals(lib.ggml_new_tensor_2d(ctx, F32, i, i % 7 + 1).ne, [i, i % 7 + 1, 1, 1]);
});
