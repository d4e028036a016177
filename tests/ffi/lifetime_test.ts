/** Lifetimes: what is freed when, what happens to what points into it, and that every mistake is an Error that says which. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { lib, load } from "@ggml/deno";
import { type Handle, Pointer } from "@ggml/deno/ffi";
import { borrow, copy, init, own, view } from "@ggml/deno/utils";
import { cpu, graphOf, type Kind, KINDS, llamaKinds, newSched } from "../kinds.ts";
import { loadTinyLlama, tinyContext, writeTinyAdapter, writeTinyLlama } from "../tiny_llama.ts";

/** The message of the Error that `act` throws. */
function messageOf(act: () => unknown): string {
  return assertThrows(act, Error).message;
}

function testKind(name: string, { make, use, free }: Kind): void {
  use(make());
  {
    using disposed = make();
    disposed[Symbol.dispose]();
    disposed[Symbol.dispose]();
    assertStringIncludes(messageOf(() => use(disposed)), "was freed (disposed of)", name);
    assertStringIncludes(messageOf(() => free(disposed)), "was freed (disposed of)", name);
  }
  const freed = make();
  free(freed);
  assertStringIncludes(messageOf(() => use(freed)), "was freed by ", name);
  assertStringIncludes(messageOf(() => free(freed)), "was freed by ", name);
  freed[Symbol.dispose]();
  const held = make();
  const letGo = held.owner.hold("the test uses it");
  assertStringIncludes(messageOf(() => free(held)), "now: the test uses it", name);
  assertStringIncludes(messageOf(() => held[Symbol.dispose]()), "can't be freed (disposed of) now: the test uses it", name);
  use(held);
  letGo();
  letGo();
  held[Symbol.dispose]();
}

for (const [name, kind] of Object.entries(KINDS)) {
  Deno.test(`${name}: by using, by C's function, twice, after, and while in use`, () => testKind(name, kind));
}

Deno.test("libllama's objects: by using, by C's function, twice, after, and while in use", () =>
  withModel((path) => {
    for (const [name, kind] of Object.entries(llamaKinds(path))) testKind(name, kind);
  }));

async function withModel(test: (path: string, adapter: string) => void): Promise<void> {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/model.gguf`, adapter = `${folder}/adapter.gguf`;
  try {
    writeTinyLlama(path);
    writeTinyAdapter(adapter);
    test(path, adapter);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("an error says what was freed, how, and with what else", () => {
  const ctx = init({ memSize: 65536 });
  const { a, graph } = graphOf(ctx);
  a.name = "a";
  lib.ggml_free(ctx);
  assertEquals(
    messageOf(() => lib.ggml_nelements(a)),
    `ggml_nelements(tensor): the owner of this ggml_tensor "a" was freed: its ggml_context was freed by ggml_free`,
  );
  assertEquals(messageOf(() => a.ne), `ggml_tensor: the owner of this ggml_tensor "a" was freed: its ggml_context was freed by ggml_free`);
  assertEquals(messageOf(() => lib.ggml_used_mem(ctx)), "ggml_used_mem(ctx): this ggml_context was freed by ggml_free");
  assertStringIncludes(messageOf(() => lib.ggml_graph_n_nodes(graph)), "the owner of this ggml_cgraph was freed");
  const backend = cpu(), sched = newSched(backend);
  backend[Symbol.dispose]();
  assertEquals(
    messageOf(() => lib.ggml_backend_sched_reset(sched)),
    "ggml_backend_sched_reset(sched): this ggml_backend_sched was freed with its ggml_backend, which was freed (disposed of)",
  );
});

Deno.test("load({ debug: true }) has errors say where it was freed", () => {
  load({ debug: true });
  try {
    const ctx = init({ memSize: 65536 });
    (function freesTheContext() {
      ctx[Symbol.dispose]();
    })();
    const error = assertThrows(() => lib.ggml_used_mem(ctx), Error);
    assertStringIncludes((error.cause as Error).stack!, "freesTheContext");
    assertStringIncludes((error.cause as Error).message, "here the ggml_context was freed");
  } finally {
    load({ debug: false });
  }
  const ctx = init({ memSize: 65536 });
  ctx[Symbol.dispose]();
  assertEquals(assertThrows(() => lib.ggml_used_mem(ctx), Error).cause, undefined);
  assertThrows(() => load({ debug: 1 as never }), TypeError, "load({ debug }): expected a boolean");
});

Deno.test("a context that uses another one's tensors can't be used once that is freed, but can be freed", () => {
  const weights = init({ memSize: 65536 }), ctx = init({ memSize: 65536 }), other = init({ memSize: 65536 });
  const w = lib.ggml_new_tensor_1d(weights, lib.GGML_TYPE_F32, 4);
  const sum = lib.ggml_add(ctx, lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4), w);
  const graph = lib.ggml_new_graph_custom(other, 16, false);
  lib.ggml_build_forward_expand(graph, sum);
  lib.ggml_free(weights);
  for (
    const [act, name] of [[() => sum.src[1], "ggml_tensor"], [
      () => lib.ggml_graph_compute_with_ctx(other, graph, 1),
      "ggml_context",
    ]] as const
  ) {
    assertStringIncludes(messageOf(act), "points into a ggml_context that was freed by ggml_free", name);
  }
  ctx[Symbol.dispose]();
  lib.ggml_free(other);
  assertStringIncludes(messageOf(() => lib.ggml_free(other)), "was freed by ggml_free");
});

Deno.test("contexts that point into each other are freed in any order", () => {
  const a = init({ memSize: 65536 }), b = init({ memSize: 65536 });
  const inA = lib.ggml_new_tensor_1d(a, lib.GGML_TYPE_F32, 4);
  const inB = lib.ggml_add(b, inA, inA);
  lib.ggml_add(a, inB, inB);
  a[Symbol.dispose]();
  assertStringIncludes(messageOf(() => inB.ne), "points into a ggml_context that was freed");
  b[Symbol.dispose]();
});

Deno.test("a buffer outlives its backend and its context, and detaches what showed it", () => {
  const ctx = init({ memSize: 65536, noAlloc: true }), backend = cpu();
  const t = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4);
  const buffer = lib.ggml_backend_alloc_ctx_tensors(ctx, backend)!;
  backend[Symbol.dispose]();
  copy(new Float32Array([1, 2, 3, 4]), t);
  const numbers = view(t).data, bytes = t.data!.bytes(16);
  ctx[Symbol.dispose]();
  assertEquals([...numbers], [1, 2, 3, 4]); // the buffer is what holds them
  assertEquals(lib.ggml_backend_buffer_get_size(buffer) >= 16, true);
  assertEquals(bytes.length, 0);
  lib.ggml_backend_buffer_free(buffer);
  assertEquals(numbers.length, 0);
});

Deno.test("a context whose tensors lie in a freed buffer can't be used, but can be freed", () => {
  using ctx = init({ memSize: 65536, noAlloc: true });
  using backend = cpu();
  const t = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4);
  const buffer = lib.ggml_backend_alloc_ctx_tensors(ctx, backend)!;
  assert(t.buffer!.owner === buffer.owner && t.buffer!.owner === t.buffer!.owner);
  const numbers = view(t).data;
  t.buffer![Symbol.dispose](); // through another handle of it
  assertStringIncludes(messageOf(() => lib.ggml_backend_buffer_get_size(buffer)), "this ggml_backend_buffer was freed (disposed of)");
  for (const act of [() => t.data, () => view(t), () => copy(new Float32Array(4), t), () => lib.ggml_get_data(t)]) {
    assertStringIncludes(messageOf(act), "its ggml_context points into a ggml_backend_buffer that was freed");
  }
  assertEquals(numbers.length, 0);
});

Deno.test("a tallocr and what it placed end with its buffer", () => {
  using ctx = init({ memSize: 65536, noAlloc: true });
  using backend = cpu();
  const buffer = lib.ggml_backend_alloc_buffer(backend, 4096)!;
  const talloc = lib.ggml_tallocr_new(buffer);
  const t = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4);
  assertEquals(lib.ggml_tallocr_alloc(talloc, t), lib.GGML_STATUS_SUCCESS);
  assert(talloc.buffer!.owner === buffer.owner);
  copy(new Float32Array([1, 2, 3, 4]), t);
  const numbers = view(t).data;
  buffer[Symbol.dispose]();
  assertStringIncludes(messageOf(() => lib.ggml_tallocr_alloc(talloc, t)), "points into a ggml_backend_buffer that was freed");
  assertStringIncludes(messageOf(() => t.data), "points into a ggml_backend_buffer that was freed");
  assertEquals(numbers.length, 0);
});

Deno.test("what an allocator placed ends with it, and the weights that it only read don't", () => {
  using weights = init({ memSize: 65536 }),
    made = init({ memSize: 65536, noAlloc: true }),
    graphs = init({ memSize: 65536, noAlloc: true });
  const w = lib.ggml_new_tensor_1d(weights, lib.GGML_TYPE_F32, 4);
  copy(new Float32Array([1, 2, 3, 4]), w);
  const sum = lib.ggml_add(made, w, w);
  const graph = lib.ggml_new_graph_custom(graphs, 16, false);
  lib.ggml_build_forward_expand(graph, sum);
  using backend = cpu();
  const galloc = lib.ggml_gallocr_new(lib.ggml_backend_get_default_buffer_type(backend));
  assertEquals(lib.ggml_gallocr_alloc_graph(galloc, graph), true);
  assertEquals(lib.ggml_backend_graph_compute(backend, graph), lib.GGML_STATUS_SUCCESS);
  const numbers = view(sum).data;
  assertEquals([...numbers], [2, 4, 6, 8]);
  assertStringIncludes(messageOf(() => sum.buffer![Symbol.dispose]()), "borrowed");
  assertStringIncludes(messageOf(() => lib.ggml_backend_buffer_free(sum.buffer)), "borrowed from another object");
  galloc[Symbol.dispose]();
  assertEquals(numbers.length, 0);
  for (const act of [() => view(sum), () => lib.ggml_backend_graph_compute(backend, graph)]) {
    assertStringIncludes(messageOf(act), "points into a ggml_gallocr that was freed");
  }
  assertEquals([...view(w).data], [1, 2, 3, 4]);
});

/** In `ctx`, a graph that doubles `n` numbers. */
function doubling(ctx: lib.ggml_context, n: number): { a: lib.ggml_tensor; sum: lib.ggml_tensor; graph: lib.ggml_cgraph } {
  const a = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, n);
  lib.ggml_set_input(a);
  const sum = lib.ggml_add(ctx, a, a);
  const graph = lib.ggml_new_graph_custom(ctx, 16, false);
  lib.ggml_build_forward_expand(graph, sum);
  return { a, sum, graph };
}

Deno.test("an allocator that moves to a larger graph takes the memory of the one before", () => {
  using ctx = init({ memSize: 65536, noAlloc: true }), backend = cpu();
  using galloc = lib.ggml_gallocr_new(lib.ggml_backend_cpu_buffer_type());
  const small = doubling(ctx, 4), large = doubling(ctx, 1 << 20);
  for (let i = 0; i < 2; i++) assertEquals(lib.ggml_gallocr_alloc_graph(galloc, small.graph), true);
  const numbers = view(small.a).data;
  for (let i = 0; i < 2; i++) assertEquals(lib.ggml_gallocr_alloc_graph(galloc, small.graph), true);
  numbers.set([1, 2, 3, 4]); // the same graph again leaves all where it is
  assertEquals(lib.ggml_backend_graph_compute(backend, small.graph), lib.GGML_STATUS_SUCCESS);
  assertEquals([...view(small.sum).data], [2, 4, 6, 8]);
  assertEquals(lib.ggml_gallocr_alloc_graph(galloc, large.graph), true);
  assertEquals(numbers.length, 0);
  assertStringIncludes(messageOf(() => view(small.sum)), "has no memory yet");
  copy(new Float32Array(1 << 20).fill(3), large.a);
  assertEquals(lib.ggml_backend_graph_compute(backend, large.graph), lib.GGML_STATUS_SUCCESS);
  assertEquals(view(large.sum).data[12345], 6);
  assertEquals(lib.ggml_gallocr_reserve(galloc, large.graph), true);
  assertStringIncludes(messageOf(() => view(large.sum)), "has no memory yet");
});

Deno.test("a scheduler computes the graph that it is given, not the one before", () => {
  using ctx = init({ memSize: 65536, noAlloc: true }), backend = cpu(), sched = newSched(backend);
  const graphs = [doubling(ctx, 4), doubling(ctx, 1 << 20), doubling(ctx, 16)];
  for (const { a, sum, graph } of [...graphs, ...graphs]) {
    assertEquals(lib.ggml_backend_sched_alloc_graph(sched, graph), true);
    copy(new Float32Array(a.ne[0]).fill(a.ne[0]), a);
    for (let i = 0; i < 2; i++) assertEquals(lib.ggml_backend_sched_graph_compute(sched, graph), lib.GGML_STATUS_SUCCESS);
    assertEquals(view(sum).data[3], 2 * a.ne[0]);
    for (const other of graphs) if (other.graph !== graph) assertEquals(other.sum.data, null);
  }
});

Deno.test("a scheduler forgets a graph whose context is freed, and computes the next", () => {
  using backend = cpu();
  using sched = newSched(backend);
  for (let i = 1; i < 4; i++) {
    using ctx = init({ memSize: 65536, noAlloc: true });
    const { a, sum, graph } = graphOf(ctx);
    assertEquals(lib.ggml_backend_sched_alloc_graph(sched, graph), true);
    copy(new Float32Array(4).fill(i), a);
    assertEquals(lib.ggml_backend_sched_graph_compute(sched, graph), lib.GGML_STATUS_SUCCESS);
    assertEquals([...view(sum).data], [2 * i, 2 * i, 2 * i, 2 * i]);
  } // without a reset
});

Deno.test("what a scheduler placed ends with it, and it ends with its backend", () => {
  using ctx = init({ memSize: 65536, noAlloc: true });
  const backend = cpu(), sched = newSched(backend);
  const { sum, graph } = graphOf(ctx);
  lib.ggml_backend_sched_graph_compute(sched, graph);
  const numbers = view(sum).data;
  assert(lib.ggml_backend_sched_get_backend(sched, 0).owner === backend.owner);
  assert(lib.ggml_backend_sched_get_tensor_backend(sched, sum)!.owner === backend.owner);
  lib.ggml_backend_free(lib.ggml_backend_sched_get_backend(sched, 0)); // the same object
  assertStringIncludes(messageOf(() => lib.ggml_backend_name(backend)), "this ggml_backend was freed by ggml_backend_free");
  assertStringIncludes(messageOf(() => lib.ggml_backend_sched_free(sched)), "freed with its ggml_backend");
  assertStringIncludes(messageOf(() => view(sum)), "points into a ggml_backend_sched that was freed with its ggml_backend");
  assertEquals(numbers.length, 0);
  sched[Symbol.dispose]();
});

Deno.test("a hold on what depends on an object keeps it from being freed", () => {
  const backend = cpu(), sched = newSched(backend);
  const letGo = sched.owner.hold("computeAsync is using it");
  assertEquals(messageOf(() => backend[Symbol.dispose]()), "this ggml_backend can't be freed (disposed of) now: computeAsync is using it");
  assertEquals(lib.ggml_backend_sched_get_n_backends(sched), 1);
  letGo();
  lib.ggml_backend_free(backend);
  assertStringIncludes(messageOf(() => lib.ggml_backend_sched_reset(sched)), "freed with its ggml_backend");
});

Deno.test("a backend's thread pool is the last one that it was given", () => {
  using backend = cpu();
  const pools = [1, 1, 1].map((n) => lib.ggml_threadpool_new(lib.ggml_threadpool_params_default(n)));
  lib.ggml_backend_cpu_set_threadpool(backend, pools[0]);
  lib.ggml_backend_cpu_set_threadpool(backend, pools[1]);
  pools[0][Symbol.dispose]();
  assertEquals(lib.ggml_backend_name(backend), "CPU");
  lib.ggml_backend_cpu_set_threadpool(backend, null);
  pools[1][Symbol.dispose]();
  assertEquals(lib.ggml_backend_name(backend), "CPU");
  lib.ggml_backend_cpu_set_threadpool(backend, pools[2]);
  pools[2][Symbol.dispose]();
  assertStringIncludes(messageOf(() => lib.ggml_backend_name(backend)), "points into a ggml_threadpool that was freed");
});

Deno.test("ggml_reset ends what was made in a context, which goes on", () => {
  using ctx = init({ memSize: 65536 });
  const t = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4);
  const sameContext = lib.ggml_context.from(ctx.address)!;
  lib.ggml_reset(ctx);
  assertEquals(
    messageOf(() => lib.ggml_nelements(t)),
    "ggml_nelements(tensor): the owner of this ggml_tensor was freed: its ggml_context was cleared by ggml_reset",
  );
  assertStringIncludes(messageOf(() => lib.ggml_used_mem(sameContext)), "was cleared by ggml_reset");
  assertEquals(lib.ggml_used_mem(ctx), 0);
  const next = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4);
  copy(new Float32Array([1, 2, 3, 4]), next);
  assertEquals([...view(next).data], [1, 2, 3, 4]);
  lib.ggml_reset(null);
});

Deno.test("the context that a gguf makes is the caller's", async () => {
  const path = await Deno.makeTempFile({ suffix: ".gguf" });
  try {
    writeTinyLlama(path);
    const out = new BigUint64Array(1);
    const gguf = lib.gguf_init_from_file(path, new lib.gguf_init_params({ no_alloc: false, ctx: out }))!;
    using ctx = lib.ggml_context.from(out[0])!;
    const t = lib.ggml_get_tensor(ctx, "output.weight")!;
    assertEquals(t.ne, [32, 64, 1, 1]);
    gguf[Symbol.dispose]();
    assertEquals(view(t).shape, [64, 32]);
    const numbers = view(t).data;
    lib.ggml_context.from(out[0])![Symbol.dispose]();
    assertEquals(numbers.length, 0);
    assertStringIncludes(messageOf(() => t.ne), "was freed (disposed of)");
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("gguf_add_tensor: the gguf ends with the tensor's context", () => {
  using gguf = lib.gguf_init_empty();
  const ctx = init({ memSize: 65536 });
  lib.gguf_add_tensor(gguf, lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4));
  ctx[Symbol.dispose]();
  assertStringIncludes(messageOf(() => lib.gguf_write_to_file(gguf, "never", false)), "points into a ggml_context that was freed");
});

Deno.test("what a gguf shows ends when it changes", () => {
  using gguf = lib.gguf_init_empty();
  lib.gguf_set_arr_data(gguf, "numbers", lib.GGUF_TYPE_INT32, Int32Array.of(1, 2, 3), 3);
  const data = lib.gguf_get_arr_data(gguf, 0)!;
  const numbers = new Int32Array(data.bytes(12).buffer);
  assertEquals([...numbers], [1, 2, 3]);
  lib.gguf_set_val_u32(gguf, "n", 1);
  assertEquals(numbers.length, 0);
  assertStringIncludes(messageOf(() => data.bytes(12)), "its gguf_context was replaced by gguf_set_val_u32");
  assertEquals(lib.gguf_get_n_kv(gguf), 2);
});

Deno.test("struct parameters point to what they were made from", () => {
  const backend = cpu(), sched = newSched(backend);
  const params = lib.ggml_opt_default_params(sched, lib.GGML_OPT_LOSS_TYPE_SUM);
  assert(params.backend_sched!.owner === sched.owner);
  using opt = lib.ggml_opt_init(params);
  sched[Symbol.dispose]();
  assertStringIncludes(messageOf(() => params.backend_sched), "this ggml_opt_params points into a ggml_backend_sched that was freed");
  assertStringIncludes(messageOf(() => lib.ggml_opt_static_graphs(opt)), "freed with its ggml_backend_sched");
});

Deno.test("a scheduler computes on after an optimizer that used it was freed, by C or by hand", () => {
  using backend = cpu();
  lib.ggml_backend_cpu_set_n_threads(backend, 1);
  using sched = lib.ggml_backend_sched_new([backend], [lib.ggml_backend_cpu_buffer_type()], 1, 2048, false, false);
  using statics = init({ memSize: 65536, noAlloc: true }), dynamics = init({ memSize: 1 << 20, noAlloc: true });
  const inputs = lib.ggml_new_tensor_2d(statics, lib.GGML_TYPE_F32, 2, 4), w = lib.ggml_new_tensor_2d(statics, lib.GGML_TYPE_F32, 2, 1);
  lib.ggml_set_input(inputs);
  lib.ggml_set_param(w);
  using _ = lib.ggml_backend_alloc_ctx_tensors(statics, backend)!;
  copy(new Float32Array(2), w);
  using dataset = lib.ggml_opt_dataset_init(lib.GGML_TYPE_F32, lib.GGML_TYPE_F32, 2, 1, 16, 1);
  copy(Float32Array.from({ length: 32 }, (_, i) => Math.sin(i)), lib.ggml_opt_dataset_data(dataset));
  copy(Float32Array.from({ length: 16 }, (_, i) => Math.sin(2 * i) - Math.sin(2 * i + 1)), lib.ggml_opt_dataset_labels(dataset)!);
  const loss = lib.GGML_OPT_LOSS_TYPE_MEAN_SQUARED_ERROR, adamw = lib.GGML_OPT_OPTIMIZER_TYPE_ADAMW;
  const rates = new lib.ggml_opt_get_optimizer_params(() => lib.ggml_opt_get_default_optimizer_params(null));
  const doubles = () => {
    using ctx = init({ memSize: 65536, noAlloc: true });
    const { a, sum, graph } = graphOf(ctx);
    assertEquals(lib.ggml_backend_sched_alloc_graph(sched, graph), true);
    copy(new Float32Array([1, 2, 3, 4]), a);
    assertEquals(lib.ggml_backend_sched_graph_compute(sched, graph), lib.GGML_STATUS_SUCCESS);
    assertEquals([...view(sum).data], [2, 4, 6, 8]);
  };
  const outputOf = (ctx: lib.ggml_context) => {
    const outputs = lib.ggml_mul_mat(ctx, w, inputs);
    lib.ggml_set_output(outputs);
    return outputs;
  };
  lib.ggml_opt_fit(sched, dynamics, inputs, outputOf(dynamics), dataset, loss, adamw, rates, 20, 4, 0, true);
  assert(view(w).data[0] > 0 && view(w).data[1] < 0); // it learns
  doubles();
  const params = lib.ggml_opt_default_params(sched, loss);
  params.get_opt_pars = rates;
  const opt = lib.ggml_opt_init(params);
  const ctx = init({ memSize: 1 << 20, noAlloc: true });
  const outputs = outputOf(ctx), graph = lib.ggml_new_graph_custom(ctx, 2048, true);
  lib.ggml_build_forward_expand(graph, outputs);
  lib.ggml_opt_prepare_alloc(opt, ctx, graph, inputs, outputs);
  lib.ggml_opt_alloc(opt, true);
  const labels = lib.ggml_opt_labels(opt);
  lib.ggml_opt_dataset_get_batch(dataset, lib.ggml_opt_inputs(opt)!, labels, 0);
  using result = lib.ggml_opt_result_init();
  lib.ggml_opt_eval(opt, result);
  lib.ggml_opt_prepare_alloc(opt, ctx, graph, inputs, outputs);
  assertStringIncludes(messageOf(() => labels!.ne), "its ggml_opt_context was replaced by ggml_opt_prepare_alloc");
  opt[Symbol.dispose]();
  assertStringIncludes(messageOf(() => view(outputs)), "points into a ggml_opt_context that was freed");
  ctx[Symbol.dispose]();
  doubles();
});

Deno.test("a struct by value that C didn't make holds nothing to free", () => {
  const mine = new lib.llama_batch({ n_tokens: 1 });
  assertStringIncludes(messageOf(() => lib.llama_batch_free(mine)), "llama_batch_free(batch): C didn't make this llama_batch");
  const lent = lib.llama_batch_get_one(Int32Array.of(1), 1);
  assertStringIncludes(messageOf(() => lib.llama_batch_free(lent)), "C didn't make this llama_batch");
  const batch = lib.llama_batch_init(8, 0, 1);
  batch.token = new Int32Array(8) as never; // C's own is freed nevertheless
  const positions = batch.pos!.bytes(32);
  lib.llama_batch_free(batch);
  assertEquals(positions.length, 0);
});

Deno.test("a graph's copy owns its contexts and its buffer", () => {
  using ctx = init({ memSize: 65536, noAlloc: true });
  using backend = cpu();
  const { graph } = graphOf(ctx);
  using _ = lib.ggml_backend_alloc_ctx_tensors(ctx, backend)!;
  const twin = lib.ggml_backend_graph_copy(backend, graph);
  assertStringIncludes(messageOf(() => lib.ggml_free(twin.ctx_allocated)), "borrowed from another object");
  assertStringIncludes(messageOf(() => twin.buffer![Symbol.dispose]()), "borrowed from another object");
  const node = lib.ggml_graph_node(twin.graph!, 0);
  ctx[Symbol.dispose]();
  assertEquals(node.ne, [4, 1, 1, 1]);
  twin[Symbol.dispose]();
  assertStringIncludes(messageOf(() => node.ne), "its ggml_backend_graph_copy_struct was freed (disposed of)");
});

Deno.test("a chain takes samplers and gives them back", () => {
  const chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params());
  using greedy = lib.llama_sampler_init_greedy(), top = lib.llama_sampler_init_top_k(4);
  lib.llama_sampler_chain_add(chain, greedy);
  lib.llama_sampler_chain_add(chain, top);
  assertEquals(
    messageOf(() => lib.llama_sampler_chain_add(chain, top)),
    "llama_sampler_chain_add(smpl): this llama_sampler belongs to a llama_sampler already, which frees it",
  );
  assertStringIncludes(messageOf(() => lib.llama_sampler_chain_add(chain, chain)), "can't belong to itself");
  assertStringIncludes(messageOf(() => lib.llama_sampler_free(top)), "belongs to a llama_sampler, which frees it");
  top[Symbol.dispose](); // the chain does
  assert(lib.llama_sampler_chain_get(chain, 1)!.owner === top.owner && lib.llama_sampler_chain_get(chain, -1)!.owner === chain.owner);
  assertEquals(lib.llama_sampler_name(top), "top-k");
  using twin = lib.llama_sampler_clone(chain)!;
  const removed = lib.llama_sampler_chain_remove(chain, 0)!;
  assert(removed.owner === greedy.owner);
  lib.llama_sampler_free(chain);
  assertStringIncludes(messageOf(() => lib.llama_sampler_name(top)), "freed with its llama_sampler, which was freed by llama_sampler_free");
  assertEquals(lib.llama_sampler_name(greedy), "greedy");
  const inner = lib.llama_sampler_chain_get(twin, 1)!;
  assertEquals(lib.llama_sampler_name(inner), "top-k");
  assertStringIncludes(messageOf(() => lib.llama_sampler_free(inner)), "borrowed from another object");
  assertStringIncludes(messageOf(() => lib.llama_sampler_chain_add(twin, inner)), "belongs to another object");
});

Deno.test("a model takes its contexts, samplers and adapters with it", () =>
  withModel((path, adapterPath) => {
    const model = loadTinyLlama(path), ctx = tinyContext(model);
    assert(lib.llama_get_model(ctx).owner === model.owner);
    const sampler = lib.llama_sampler_init_infill(lib.llama_model_get_vocab(model));
    const chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params());
    lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_infill(lib.llama_model_get_vocab(model)));
    const batch = lib.llama_batch_get_one(Int32Array.of(1, 2, 3), 3);
    assertEquals(lib.llama_decode(ctx, batch), 0);
    const logits = lib.llama_get_logits(ctx)!.bytes(64 * 4);
    assert(new Float32Array(logits.buffer).some((x) => x !== 0));
    assertEquals(lib.llama_decode(ctx, batch), 0);
    assertEquals(logits.length, 0); // they are the next ones now
    const next = lib.llama_get_logits(ctx)!.bytes(64 * 4);
    const adapter = lib.llama_adapter_lora_init(model, adapterPath)!;
    assertEquals(lib.llama_set_adapters_lora(ctx, [adapter], 1, Float32Array.of(1)), 0);
    lib.llama_model_free(lib.llama_get_model(ctx));
    assertStringIncludes(messageOf(() => lib.llama_adapter_meta_count(adapter)), "freed with its llama_model");
    assertStringIncludes(messageOf(() => lib.llama_decode(ctx, batch)), "freed with its llama_model, which was freed by llama_model_free");
    assertStringIncludes(messageOf(() => lib.llama_sampler_name(sampler)), "freed with its llama_model");
    assertStringIncludes(messageOf(() => lib.llama_sampler_chain_n(chain)), "points into a llama_model that was freed");
    assertEquals(next.length, 0);
    for (const handle of [ctx, sampler, chain, adapter, model]) handle[Symbol.dispose]();
  }));

Deno.test("a context can't be used with an adapter that was freed, unless it was given others", () =>
  withModel((path, adapterPath) => {
    using model = loadTinyLlama(path), ctx = tinyContext(model);
    const [first, second] = [1, 2].map(() => lib.llama_adapter_lora_init(model, adapterPath)!);
    lib.llama_set_adapters_lora(ctx, [first], 1, Float32Array.of(1));
    lib.llama_set_adapters_lora(ctx, [second], 1, Float32Array.of(1));
    lib.llama_adapter_lora_free(first);
    const batch = lib.llama_batch_get_one(Int32Array.of(1, 2), 2);
    assertEquals(lib.llama_decode(ctx, batch), 0);
    second[Symbol.dispose]();
    assertStringIncludes(messageOf(() => lib.llama_decode(ctx, batch)), "points into a llama_adapter_lora that was freed");
  }));

Deno.test("a context drops a thread pool that is freed", () =>
  withModel((path) => {
    using model = loadTinyLlama(path), ctx = tinyContext(model);
    const pool = lib.ggml_threadpool_new(lib.ggml_threadpool_params_default(1));
    lib.llama_attach_threadpool(ctx, pool, null);
    pool[Symbol.dispose]();
    assertEquals(lib.llama_decode(ctx, lib.llama_batch_get_one(Int32Array.of(1, 2), 2)), 0);
  }));

/** A context that nothing in TypeScript knows of. */
function rawContext(): bigint {
  const { symbols } = Deno.dlopen(load().files[0], {
    ggml_init: { parameters: [{ struct: ["usize", "pointer", "bool"] }], result: "pointer" },
  });
  return BigInt(Deno.UnsafePointer.value(symbols.ggml_init(new lib.ggml_init_params({ mem_size: 4096 }).bytes)));
}

Deno.test("own puts a pointer under the rule, borrow takes it out", () => {
  const address = rawContext();
  const raw = lib.ggml_context.from(address)!;
  assertStringIncludes(messageOf(() => raw[Symbol.dispose]()), "only an address, which is not freed by itself: own() it first");
  const owned = own(raw);
  assert(owned === raw && lib.ggml_context.from(address)!.owner === raw.owner);
  assert(own(lib.ggml_context.from(address)!).owner === raw.owner);
  borrow(owned)[Symbol.dispose]();
  assertEquals(lib.ggml_get_mem_size(owned), 4096);
  own(owned)[Symbol.dispose]();
  assertStringIncludes(messageOf(() => lib.ggml_get_mem_size(owned)), "was freed (disposed of)");
  assertStringIncludes(messageOf(() => own(owned)), "own: this ggml_context was freed");
  assertStringIncludes(messageOf(() => borrow(owned)), "borrow: this ggml_context was freed");
});

Deno.test("what is borrowed is the caller's to free", () => {
  const gguf = borrow(lib.gguf_init_empty());
  gguf[Symbol.dispose]();
  assertEquals(lib.gguf_get_n_kv(gguf), 0);
  lib.gguf_free(gguf);
  assertStringIncludes(messageOf(() => lib.gguf_free(gguf)), "was freed by gguf_free");
  const raw = lib.ggml_context.from(rawContext())!;
  lib.ggml_free(raw); // a mere address is C's business, but not twice
  assertStringIncludes(messageOf(() => lib.ggml_free(raw)), "was freed by ggml_free");
});

Deno.test("a mere address of an object that is known is that object", () => {
  using gguf = lib.gguf_init_empty();
  lib.gguf_free(new lib.gguf_context(gguf.address));
  assertStringIncludes(messageOf(() => lib.gguf_get_n_kv(gguf)), "was freed by gguf_free");
});

Deno.test("what a mere address keeps may end, and what is never freed stays usable", () => {
  const raw = lib.ggml_context.from(rawContext())!, ctx = init({ memSize: 65536 });
  const t = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4);
  lib.ggml_view_tensor(raw, t);
  ctx[Symbol.dispose]();
  assertStringIncludes(messageOf(() => t.ne), "was freed (disposed of)");
  assertEquals(lib.ggml_backend_buft_name(lib.ggml_backend_cpu_buffer_type()), "CPU");
  own(raw)[Symbol.dispose]();
});

Deno.test("a plan is freed by way of a backend that can't be used any more", () => {
  using backend = cpu();
  using plan = lib.ggml_backend_graph_plan_create(backend, graphOf(init({ memSize: 65536 })).graph)!;
  const pool = lib.ggml_threadpool_new(lib.ggml_threadpool_params_default(1));
  lib.ggml_backend_cpu_set_threadpool(backend, pool);
  pool[Symbol.dispose]();
  assertStringIncludes(messageOf(() => lib.ggml_backend_graph_plan_compute(backend, plan)), "points into a ggml_threadpool");
  lib.ggml_backend_graph_plan_free(backend, plan);
  assertStringIncludes(messageOf(() => lib.ggml_backend_graph_plan_free(backend, plan)), "was freed by ggml_backend_graph_plan_free");
});

Deno.test("own takes a function that frees, and refuses what is not the caller's", () => {
  const freed: bigint[] = [];
  const address = BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(new Uint8Array(8))));
  const pointer = own(Pointer.from(address)!, (address) => void freed.push(address));
  pointer[Symbol.dispose]();
  pointer[Symbol.dispose]();
  assertEquals(freed, [address]);
  assertThrows(() => own(Pointer.from(address)!), TypeError, "own: a Pointer has no function that frees it");
  assertThrows(() => own({} as Handle), TypeError, "own: expected a handle, got a plain object");
  using ctx = init({ memSize: 65536 });
  const t = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4);
  assertThrows(() => own(t), TypeError, "own: a ggml_tensor has no function that frees it");
  assertThrows(() => own(t, () => {}), Error, "own: this ggml_tensor belongs to another object");
  assertThrows(() => own(t.data!, () => {}), Error, "own: this Pointer belongs to another object");
  assertThrows(() => t.data![Symbol.dispose](), Error, "borrowed from another object");
});
