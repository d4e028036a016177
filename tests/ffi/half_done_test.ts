/**
 * What C left half done: it is refused from then on and says why, or it is put in order; either way it can be freed, and the process goes on.
 *
 * @module
 */

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { compute, copy, init, view } from "@ggml/deno/utils";
import { newTensor } from "../context.ts";
import { loadTinyLlama, tinyContext, writeTinyLlama } from "../tiny_llama.ts";

const { GGML_TYPE_F32: F32, GGML_TYPE_I32: I32, GGML_TYPE_Q4_0: Q4_0 } = lib;

/** Computes something and looks whether it is right. */
function assertWorks(): void {
  using ctx = init();
  const a = newTensor(ctx, F32, 3), graph = graphOf(ctx, lib.ggml_sqr(ctx, a));
  copy([1, 2, 3], a);
  compute(graph);
  assertEquals([...view(lib.ggml_graph_node(graph, 0)).data as Float32Array], [1, 4, 9]);
}

/** Throws unless each use is refused because of a call of `name`. */
function assertRefused(name: string, ...uses: (() => unknown)[]): void {
  for (const use of uses) {
    const { message, cause } = assertThrows(use, Error);
    assertStringIncludes(message, `was left half done by ${name}, which failed: `);
    assertStringIncludes((cause as Error).message, name);
  }
  assertWorks();
}

function graphOf(ctx: lib.ggml_context, ...results: lib.ggml_tensor[]): lib.ggml_cgraph {
  const graph = lib.ggml_new_graph_custom(ctx, 64, false);
  for (const result of results) lib.ggml_build_forward_expand(graph, result);
  return graph;
}

/** A sum of more terms than `nodes`. */
function longSum(ctx: lib.ggml_context, nodes: number): lib.ggml_tensor {
  let sum = newTensor(ctx, F32, 4);
  for (let i = 0; i <= nodes; i++) sum = lib.ggml_add(ctx, sum, sum);
  return sum;
}

const cpu = lib.ggml_backend_cpu_init()!;
lib.ggml_backend_cpu_set_n_threads(cpu, 1);
const cpuType = lib.ggml_backend_cpu_buffer_type();

Deno.test("a graph that didn't take all that a tensor is computed from; its context is in order", () => {
  using ctx = init({ memSize: 1 << 20 });
  const graph = lib.ggml_new_graph_custom(ctx, 4, false), sum = longSum(ctx, 4);
  assertThrows(() => lib.ggml_build_forward_expand(graph, sum), Error, "cgraph->n_nodes < cgraph->size");
  assertRefused(
    "ggml_build_forward_expand",
    () => compute(graph),
    () => lib.ggml_graph_n_nodes(graph),
    () => lib.ggml_build_forward_expand(graph, newTensor(ctx, F32, 1)),
    () => lib.ggml_graph_clear(new lib.ggml_cgraph(graph.address, ctx.owner)), // another handle of it
  );
  compute(graphOf(ctx, sum));
  const select = lib.ggml_new_graph_custom(ctx, 4, false);
  assertThrows(() => lib.ggml_build_forward_select(select, [sum], 1, 1), Error, "idx >= 0 && idx < n_tensors");
  assertEquals(lib.ggml_graph_n_nodes(select), 0); // nothing was changed by then
  assertThrows(() => lib.ggml_build_forward_select(select, [sum], 1, 0), Error, "cgraph->n_nodes < cgraph->size");
  assertRefused("ggml_build_forward_select", () => lib.ggml_graph_n_nodes(select));
});

Deno.test("a graph that was got as the field of a struct is refused wherever it is got again", () => {
  using ctx = init({ noAlloc: true });
  const a = newTensor(ctx, F32, 4), graph = lib.ggml_new_graph_custom(ctx, 4, false);
  lib.ggml_build_forward_expand(graph, lib.ggml_sqr(ctx, a));
  using _buffer = lib.ggml_backend_alloc_ctx_tensors(ctx, cpu)!;
  using copied = lib.ggml_backend_graph_copy(cpu, graph);
  assertThrows(() => lib.ggml_build_forward_expand(copied.graph!, longSum(ctx, 4)), Error, "cgraph->n_nodes < cgraph->size");
  assertRefused("ggml_build_forward_expand", () => lib.ggml_graph_n_nodes(copied.graph!));
  assertEquals(lib.ggml_graph_n_nodes(graph), 1);
});

Deno.test("a graph that has some of its gradients", () => {
  using ctx = init({ memSize: 1 << 22 });
  const a = newTensor(ctx, F32, 4);
  lib.ggml_set_f32(a, 1);
  const sorted = lib.ggml_sum(ctx, lib.ggml_cumsum(ctx, a)), graph = lib.ggml_new_graph_custom(ctx, 64, true);
  lib.ggml_build_forward_expand(graph, sorted);
  assertThrows(() => lib.ggml_build_backward_expand(ctx, graph, null), Error, "any_params");
  compute(graph); // there is nothing to be computed backward, and all else is there
  assertEquals(view(sorted).get(0), 10);
  const again = lib.ggml_new_graph_custom(ctx, 64, true);
  lib.ggml_set_param(a);
  lib.ggml_set_loss(sorted);
  lib.ggml_build_forward_expand(again, sorted);
  assertThrows(() => lib.ggml_build_backward_expand(ctx, again, null), Error, "unsupported ggml op for backward pass: CUMSUM");
  assertRefused("ggml_build_backward_expand", () => compute(again));
});

Deno.test("a copy of a graph without its gradients", () => {
  using ctx = init({ memSize: 1 << 22 });
  const source = lib.ggml_new_graph_custom(ctx, 64, true), small = lib.ggml_new_graph_custom(ctx, 1, true);
  lib.ggml_build_forward_expand(source, longSum(ctx, 4));
  assertThrows(() => lib.ggml_graph_cpy(source, small), Error, "dst->size >= src->n_nodes");
  assertEquals(lib.ggml_graph_n_nodes(small), 0);
  const without = lib.ggml_new_graph_custom(ctx, 64, false);
  assertThrows(() => lib.ggml_graph_cpy(source, without), Error, "dst->grads");
  assertRefused("ggml_graph_cpy", () => compute(without));
});

/** A graph that allocators fail of when some of its tensors have memory: one is in a buffer, but has no place in it. */
function unplaceable(ctx: lib.ggml_context, buffer: lib.ggml_backend_buffer): { graph: lib.ggml_cgraph; first: lib.ggml_tensor } {
  const first = newTensor(ctx, F32, 4), nowhere = newTensor(ctx, F32, 4);
  nowhere.buffer = new lib.ggml_backend_buffer(buffer.address); // by its address alone, so that the context doesn't depend on it
  return { first, graph: graphOf(ctx, lib.ggml_sqr(ctx, first), lib.ggml_sqr(ctx, nowhere)) };
}

/** A graph that any allocator takes; computes it in what `allocate` gives, and looks whether it is right. */
function assertAllocates(allocate: (graph: lib.ggml_cgraph) => void, run: (graph: lib.ggml_cgraph) => unknown): void {
  using ctx = init({ noAlloc: true });
  const input = newTensor(ctx, F32, 3);
  lib.ggml_set_input(input);
  const graph = graphOf(ctx, lib.ggml_sqr(ctx, input));
  allocate(graph);
  copy([1, 2, 3], input);
  run(graph);
  assertEquals([...view(lib.ggml_graph_node(graph, 0)).data as Float32Array], [1, 4, 9]);
}

Deno.test("an allocator that failed takes back what it gave, and allocates another graph", () => {
  using ctx = init({ noAlloc: true }), rest = init({ noAlloc: true });
  newTensor(rest, F32, 4);
  using buffer = lib.ggml_backend_alloc_ctx_tensors(rest, cpu)!;
  const { graph, first } = unplaceable(ctx, buffer);
  {
    using galloc = lib.ggml_gallocr_new(cpuType);
    for (let i = 0; i < 2; i++) {
      assertThrows(() => lib.ggml_gallocr_alloc_graph(galloc, graph), Error, "tensor->buffer == NULL");
      assertEquals([first.data, first.buffer], [null, null]);
    }
    assertThrows(() => compute(graph), Error);
    assertAllocates((graph) => lib.ggml_gallocr_alloc_graph(galloc, graph), compute);
  }
  assertEquals(first.ne, [4, 1, 1, 1]); // the context holds on to nothing of the allocator
  assertWorks();
});

Deno.test("a scheduler that failed takes back what it gave, and takes another graph; one that hadn't begun keeps the one that it has", () => {
  using ctx = init({ noAlloc: true }), rest = init({ noAlloc: true });
  newTensor(rest, F32, 4);
  using buffer = lib.ggml_backend_alloc_ctx_tensors(rest, cpu)!;
  const { graph, first } = unplaceable(ctx, buffer);
  using sched = lib.ggml_backend_sched_new([cpu], null, 1, 16, false, false);
  const failing = [
    lib.ggml_backend_sched_alloc_graph,
    lib.ggml_backend_sched_graph_compute,
    lib.ggml_backend_sched_graph_compute_async,
  ];
  for (const fails of failing) {
    assertThrows(() => fails(sched, graph), Error, "tensor->buffer == NULL");
    assertEquals([first.data, first.buffer], [null, null]);
    assertAllocates((graph) => lib.ggml_backend_sched_alloc_graph(sched, graph), (graph) => {
      assertThrows(() => lib.ggml_backend_sched_alloc_graph(sched, graph), Error, "!sched->is_alloc");
      lib.ggml_backend_sched_graph_compute(sched, graph);
    });
  }
  const large = graphOf(ctx, longSum(ctx, 40));
  for (const fails of [lib.ggml_backend_sched_reserve, lib.ggml_backend_sched_split_graph]) {
    assertThrows(() => fails(sched, large), Error);
    assertAllocates((graph) => lib.ggml_backend_sched_alloc_graph(sched, graph), (graph) => compute(graph, { backend: sched }));
  }
  assertWorks();
});

Deno.test("a kernel that failed leaves the graph allocated: it can be computed again, and its context needs the scheduler", () => {
  using ctx = init({ noAlloc: true });
  const sched = lib.ggml_backend_sched_new([cpu], null, 1, 64, false, false);
  const table = newTensor(ctx, F32, 4, 3), rows = newTensor(ctx, I32, 1);
  lib.ggml_set_input(table);
  lib.ggml_set_input(rows);
  const picked = lib.ggml_get_rows(ctx, table, rows), graph = graphOf(ctx, picked);
  lib.ggml_backend_sched_alloc_graph(sched, graph);
  copy(Float32Array.from({ length: 12 }, (_, i) => i), table);
  copy(Int32Array.of(7), rows);
  assertThrows(() => lib.ggml_backend_sched_graph_compute(sched, graph), Error, "i01 >= 0 && i01 < ne01");
  copy(Int32Array.of(2), rows);
  lib.ggml_backend_sched_graph_compute(sched, graph);
  assertEquals([...view(picked).data as Float32Array], [8, 9, 10, 11]);

  using other = init({ noAlloc: true });
  const squares = lib.ggml_sqr(other, newTensor(other, I32, 4));
  assertThrows(() => lib.ggml_backend_sched_graph_compute(sched, graphOf(other, squares)), Error, "node 0 (SQR");
  sched[Symbol.dispose]();
  assertThrows(() => squares.data, Error, "points into a ggml_backend_sched that was freed");
  assertWorks();
});

/** An optimizer of a product with rows that are picked by an index, in memory that lives as long as the test. */
function picker(loss: lib.ggml_opt_loss_type = lib.GGML_OPT_LOSS_TYPE_SUM) {
  const own = init({ noAlloc: true }), compute = init({ memSize: 8 << 20, noAlloc: true });
  const inputs = newTensor(own, F32, 2, 4), weights = newTensor(own, F32, 2, 3), rows = newTensor(own, I32, 1);
  const buffer = lib.ggml_backend_alloc_ctx_tensors(own, cpu)!;
  lib.ggml_set_param(weights);
  copy(new Float32Array(8).fill(1), inputs);
  copy(new Float32Array(6).fill(1), weights);
  copy(Int32Array.of(0), rows);
  const sched = lib.ggml_backend_sched_new([cpu], null, 1, 4096, false, false);
  const outputs = lib.ggml_mul_mat(compute, lib.ggml_get_rows(compute, weights, rows), inputs);
  const params = Object.assign(lib.ggml_opt_default_params(sched, loss), { ctx_compute: compute, inputs, outputs });
  return { own, compute, inputs, outputs, weights, rows, buffer, sched, make: () => lib.ggml_opt_init(params) };
}

Deno.test("an optimizer whose step failed in a kernel, and the result that the step was added to", () => {
  const { rows, sched, make, buffer } = picker();
  using opt = make(), result = lib.ggml_opt_result_init();
  lib.ggml_opt_alloc(opt, true);
  assertThrows(() => lib.ggml_opt_alloc(opt, true), Error, "!opt_ctx->eval_ready"); // it can be computed all the same
  lib.ggml_opt_eval(opt, result);
  copy(Int32Array.of(9), rows);
  lib.ggml_opt_alloc(opt, true);
  assertThrows(() => lib.ggml_opt_eval(opt, result), Error, "i01 >= 0 && i01 < ne01");
  assertRefused(
    "ggml_opt_eval",
    () => lib.ggml_opt_alloc(opt, true),
    () => lib.ggml_opt_loss(opt),
    () => lib.ggml_opt_result_ndata(result, new BigInt64Array(1)),
  );
  assertAllocates(
    (graph) => lib.ggml_backend_sched_alloc_graph(sched, graph),
    (graph) => lib.ggml_backend_sched_graph_compute(sched, graph),
  );
  assertEquals(buffer.owner.freed, false);
});

Deno.test("an optimizer that couldn't add a step to a result did that step, and goes on", () => {
  using first = picker(lib.GGML_OPT_LOSS_TYPE_MEAN).make(), second = picker().make(), result = lib.ggml_opt_result_init();
  lib.ggml_opt_alloc(first, false);
  lib.ggml_opt_eval(first, result);
  lib.ggml_opt_alloc(second, false);
  assertThrows(() => lib.ggml_opt_eval(second, result), Error, "result->loss_per_datapoint == opt_ctx->loss_per_datapoint");
  lib.ggml_opt_alloc(second, false);
  lib.ggml_opt_result_reset(result);
  lib.ggml_opt_eval(second, result);
  const loss = new Float64Array(1);
  lib.ggml_opt_result_loss(result, loss, null);
  assertEquals(loss[0], 8);
});

Deno.test("an optimizer whose graphs were built in part, with the context that they are in", () => {
  using sched = lib.ggml_backend_sched_new([cpu], null, 1, 4096, false, false);
  using opt = lib.ggml_opt_init(lib.ggml_opt_default_params(sched, lib.GGML_OPT_LOSS_TYPE_SUM));
  assertThrows(() => lib.ggml_opt_alloc(opt, false), Error, "no compute context set");
  using ctx = init({ memSize: 8 << 20, noAlloc: true });
  const inputs = newTensor(ctx, F32, 4), graph = lib.ggml_new_graph_custom(ctx, 64, true);
  lib.ggml_build_forward_expand(graph, lib.ggml_sqr(ctx, inputs));
  lib.ggml_opt_prepare_alloc(opt, ctx, graph, inputs, inputs);
  assertThrows(() => lib.ggml_opt_alloc(opt, false), Error, "no trainable parameters found");
  assertRefused("ggml_opt_alloc", () => lib.ggml_opt_eval(opt, null), () => lib.ggml_opt_inputs(opt));
  assertThrows(() => lib.ggml_graph_n_nodes(graph), Error, "points into a ggml_opt_context that was left half done by ggml_opt_alloc");
});

Deno.test("an epoch that failed in the middle, and one that hadn't begun", () => {
  const { make } = picker();
  using opt = make(), train = lib.ggml_opt_result_init(), labelled = lib.ggml_opt_dataset_init(F32, F32, 2, 1, 8, 2);
  using wrong = lib.ggml_opt_dataset_init(F32, F32, 3, 0, 8, 2);
  assertThrows(() => lib.ggml_opt_epoch(opt, wrong, train, null, -1, null, null), Error, "data->ne[0] == inputs->ne[0]");
  assertEquals(lib.ggml_opt_static_graphs(opt), true);
  assertThrows(() => lib.ggml_opt_epoch(opt, labelled, train, null, -1, null, null), Error, "labels");
  assertRefused("ggml_opt_epoch", () => lib.ggml_opt_static_graphs(opt), () => lib.ggml_opt_result_reset(train));
});

Deno.test("a fit that failed leaves its scheduler and its context in order", () => {
  const { compute: ctx, inputs, outputs, sched, rows, weights } = picker();
  using data = lib.ggml_opt_dataset_init(F32, F32, 2, 0, 8, 2);
  copy(new Float32Array(16).fill(1), lib.ggml_opt_dataset_data(data));
  const pars = new lib.ggml_opt_get_optimizer_params((userdata) => lib.ggml_opt_get_default_optimizer_params(userdata));
  const fit = () =>
    lib.ggml_opt_fit(
      sched,
      ctx,
      inputs,
      outputs,
      data,
      lib.GGML_OPT_LOSS_TYPE_SUM,
      lib.GGML_OPT_OPTIMIZER_TYPE_SGD,
      pars,
      1,
      4,
      0,
      true,
    );
  copy(Int32Array.of(5), rows);
  assertThrows(fit, Error, "i01 >= 0 && i01 < ne01");
  assertAllocates(
    (graph) => lib.ggml_backend_sched_alloc_graph(sched, graph),
    (graph) => lib.ggml_backend_sched_graph_compute(sched, graph),
  );
  copy(new Float32Array(6).fill(1), weights);
  copy(Int32Array.of(1), rows);
  fit();
  // The loss is the sum of four products: its gradient is 4, twice, at a rate of 0.001.
  assertEquals([...view(weights).data as Float32Array], [1, 1, ...Array(2).fill(Math.fround(Math.fround(1 - 0.004) - 0.004)), 1, 1]);
});

Deno.test("a GGUF file of which a tensor or a key was changed in part", () => {
  using ctx = init(), changed = lib.gguf_init_empty(), keyless = lib.gguf_init_empty();
  lib.gguf_add_tensor(changed, lib.ggml_set_name(newTensor(ctx, F32, 100), "weights"));
  assertThrows(() => lib.gguf_set_tensor_type(changed, "nothing", Q4_0), Error, "tensor not found");
  assertEquals(lib.gguf_get_n_tensors(changed), 1);
  assertThrows(() => lib.gguf_set_tensor_type(changed, "weights", Q4_0), Error, "tensor->ne[0] % blck_size == 0");
  assertRefused(
    "gguf_set_tensor_type",
    () => lib.gguf_get_tensor_size(changed, 0),
    () => lib.gguf_write_to_file(changed, "/dev/null", false),
  );
  assertThrows(() => lib.gguf_set_arr_str(keyless, "", ["a"], 1), Error, "!key.empty()");
  assertThrows(() => lib.gguf_set_arr_str(keyless, "texts", new BigUint64Array(1), 1), Error, "gguf_set_arr_str");
  assertRefused("gguf_set_arr_str", () => lib.gguf_get_n_kv(keyless));
});

Deno.test("a context of libllama that was given more than a batch may have is as it was", () => {
  const directory = Deno.makeTempDirSync();
  try {
    writeTinyLlama(`${directory}/model.gguf`);
    using model = loadTinyLlama(`${directory}/model.gguf`), ctx = tinyContext(model);
    const decode = (n: number) => lib.llama_decode(ctx, lib.llama_batch_get_one(new Int32Array(n), n));
    assertEquals(decode(2), 0);
    assertThrows(() => decode(lib.llama_n_batch(ctx) + 1), Error, "n_tokens_all <= cparams.n_batch");
    assertEquals(decode(1), 0);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});
