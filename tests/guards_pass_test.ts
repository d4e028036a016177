/** Guards written by hand let pass what is right: each of the ways in which the guarded functions are meant to be used, with its result. */

import { assert, assertEquals } from "@std/assert";
import { lib } from "@ggml/deno";
import { init } from "@ggml/deno/utils";

const F32 = lib.GGML_TYPE_F32;
const cpu = lib.ggml_backend_cpu_init()!;
lib.ggml_backend_cpu_set_n_threads(cpu, 1);
const withoutMemory = (memSize = 1 << 20) => init({ memSize, noAlloc: true });

/** Tensors of the given shapes in one buffer of the CPU backend. */
function tensors(...shapes: [number, number][]): lib.ggml_tensor[] {
  const ctx = withoutMemory();
  const made = shapes.map(([ne0, ne1]) => lib.ggml_new_tensor_2d(ctx, F32, ne0, ne1));
  kept.push(lib.ggml_backend_alloc_ctx_tensors(ctx, cpu));
  return made;
}
const kept: unknown[] = [];

function numbers(tensor: lib.ggml_tensor): number[] {
  const floats = new Float32Array(lib.ggml_nelements(tensor));
  lib.ggml_backend_tensor_get(tensor, floats, 0, floats.byteLength);
  return [...floats];
}

Deno.test("metadata of every type is written and read", () => {
  const ctx = lib.gguf_init_empty();
  lib.gguf_set_val_u32(ctx, "general.alignment", 64);
  lib.gguf_set_val_bool(ctx, "yes", true);
  lib.gguf_set_val_f64(ctx, "half", 0.5);
  lib.gguf_set_val_str(ctx, "name", "ggml");
  lib.gguf_set_arr_data(ctx, "bytes", lib.GGUF_TYPE_UINT8, new Uint8Array([7]), 1);
  lib.gguf_set_arr_data(ctx, "longs", lib.GGUF_TYPE_INT64, new BigInt64Array([1n, -2n]), 2);
  lib.gguf_set_arr_str(ctx, "names", ["a", "b"], 2);
  const key = (name: string) => lib.gguf_find_key(ctx, name);
  assertEquals(lib.gguf_get_val_u32(ctx, key("general.alignment")), 64);
  assertEquals(lib.gguf_get_val_bool(ctx, key("yes")), true);
  assertEquals(lib.gguf_get_val_f64(ctx, key("half")), 0.5);
  assertEquals(lib.gguf_get_val_str(ctx, key("name")), "ggml");
  assertEquals(lib.gguf_get_val_u8(ctx, key("bytes")), 7); // an array of one will do
  assertEquals(lib.gguf_get_arr_type(ctx, key("longs")), lib.GGUF_TYPE_INT64);
  assertEquals([...new BigInt64Array(lib.gguf_get_arr_data(ctx, key("longs"))!.bytes(16).buffer)], [1n, -2n]);
  assertEquals([0, 1].map((i) => lib.gguf_get_arr_str(ctx, key("names"), i)), ["a", "b"]);
  const copy = lib.gguf_init_empty();
  lib.gguf_set_kv(copy, ctx);
  assertEquals(lib.gguf_get_n_kv(copy), 7);
});

Deno.test("tensors are added to a file, retyped, given data and written", async () => {
  using ctx = init({ memSize: 1 << 16 });
  const tensor = lib.ggml_new_tensor_1d(ctx, F32, 32), file = lib.gguf_init_empty(), path = await Deno.makeTempFile();
  lib.ggml_set_name(tensor, "weights");
  lib.gguf_add_tensor(file, tensor);
  assertEquals(lib.gguf_get_tensor_size(file, 0), 128);
  assert(lib.gguf_write_to_file(file, path, true));
  assert(lib.gguf_write_to_file(file, path, false));
  assertEquals((await Deno.stat(path)).size, lib.gguf_get_meta_size(file) + 128);
  lib.gguf_set_tensor_type(file, "weights", lib.GGML_TYPE_Q8_0);
  lib.gguf_set_tensor_data(file, "weights", new Uint8Array(34));
  assertEquals(lib.gguf_get_tensor_type(file, 0), lib.GGML_TYPE_Q8_0);
  await Deno.remove(path);
});

Deno.test("tensors in a buffer are written, read, copied and cleared, in pieces too", () => {
  const [a, b] = tensors([4, 1], [4, 1]);
  lib.ggml_backend_tensor_set(a, new Float32Array([1, 2, 3, 4]), 0, 16);
  lib.ggml_backend_tensor_set(a, new Float32Array([9]), 12, 4);
  lib.ggml_backend_tensor_set(a, new Uint8Array(0), 16, 0);
  assertEquals(numbers(a), [1, 2, 3, 9]);
  lib.ggml_backend_tensor_set_2d(a, new Float32Array([5, 0, 6]), 0, 4, 2, 8, 8); // every other one
  assertEquals(numbers(a), [5, 2, 6, 9]);
  lib.ggml_backend_tensor_copy(a, b);
  lib.ggml_backend_tensor_copy_async(cpu, cpu, a, b);
  lib.ggml_backend_tensor_memset(b, 0, 8, 8);
  assertEquals(numbers(b), [5, 2, 0, 0]);
  lib.ggml_backend_tensor_get_async(cpu, b, new Float32Array(2), 8n, 8n);
});

Deno.test("tensors are placed in a buffer by hand, and views in their source's", () => {
  const buffer = lib.ggml_backend_alloc_buffer(cpu, 128)!, talloc = lib.ggml_tallocr_new(buffer), ctx = withoutMemory();
  const a = lib.ggml_new_tensor_1d(ctx, F32, 8), b = lib.ggml_new_tensor_1d(ctx, F32, 8), view = lib.ggml_view_1d(ctx, a, 4, 16);
  assertEquals(lib.ggml_tallocr_alloc(talloc, a), lib.GGML_STATUS_SUCCESS);
  assertEquals(
    lib.ggml_backend_tensor_alloc(buffer, b, new lib.ggml_tensor(talloc.base!.address + BigInt(talloc.offset))),
    lib.GGML_STATUS_SUCCESS,
  );
  assertEquals(lib.ggml_backend_view_init(view), lib.GGML_STATUS_SUCCESS);
  assertEquals(view.data!.address - a.data!.address, 16n);
  const memory = init({ memSize: 4096 }), base = lib.ggml_get_mem_buffer(memory)!;
  const start = Number(-base.address & 31n), aligned = base.bytes(4096).subarray(start, start + 64);
  assertEquals(lib.ggml_backend_buffer_get_size(lib.ggml_backend_cpu_buffer_from_ptr(aligned, 64)), 64);
});

/** (a + a) * a, in no memory yet. */
function graphOf(size = 1): { graph: lib.ggml_cgraph; a: lib.ggml_tensor; result: lib.ggml_tensor } {
  const ctx = withoutMemory();
  const a = lib.ggml_new_tensor_1d(ctx, F32, 4);
  let result = lib.ggml_add(ctx, a, a);
  for (let i = 0; i < size; i++) result = lib.ggml_mul(ctx, result, a);
  lib.ggml_set_input(a);
  lib.ggml_set_output(result);
  const graph = lib.ggml_new_graph(ctx);
  lib.ggml_build_forward_expand(graph, result);
  return { graph, a, result };
}

Deno.test("a scheduler reserves, allocates, computes and is reset", () => {
  const sched = lib.ggml_backend_sched_new([cpu], null, 1, 64, false, true);
  const { graph } = graphOf(), sizes = new BigUint64Array(1);
  lib.ggml_backend_sched_reserve_size(sched, graph, sizes);
  assert(sizes[0] >= 16n);
  assert(lib.ggml_backend_sched_reserve(sched, graphOf(40).graph));
  for (let i = 1; i <= 3; i++) {
    const { graph, a, result } = graphOf();
    lib.ggml_backend_sched_set_tensor_backend(sched, a, lib.ggml_backend_sched_get_backend(sched, 0));
    assert(lib.ggml_backend_sched_alloc_graph(sched, graph));
    lib.ggml_backend_tensor_set(a, new Float32Array(4).fill(i), 0, 16);
    assertEquals(lib.ggml_backend_sched_graph_compute(sched, graph), lib.GGML_STATUS_SUCCESS);
    assertEquals(lib.ggml_backend_sched_graph_compute_async(sched, graph), lib.GGML_STATUS_SUCCESS); // it is allocated still
    assertEquals(numbers(result), Array(4).fill(2 * i * i));
    assert(lib.ggml_backend_sched_get_buffer_size(sched, cpu) >= 16);
    lib.ggml_backend_sched_reset(sched);
  }
});

Deno.test("a graph allocator allocates what it was asked to, also after it only measured", () => {
  const galloc = lib.ggml_gallocr_new(lib.ggml_backend_cpu_buffer_type());
  const first = graphOf(), second = graphOf(3), sizes = new BigUint64Array(1);
  lib.ggml_gallocr_reserve_n_size(galloc, first.graph, null, null, sizes);
  assertEquals(lib.ggml_gallocr_get_buffer_size(galloc, 0), 0);
  assert(lib.ggml_gallocr_alloc_graph(galloc, second.graph)); // another graph: it reserves by itself
  assert(lib.ggml_gallocr_reserve_n(galloc, first.graph, new Int32Array(2), new Int32Array(1)));
  assert(lib.ggml_gallocr_alloc_graph(galloc, first.graph));
  lib.ggml_backend_tensor_set(first.a, new Float32Array([1, 2, 3, 4]), 0, 16);
  assertEquals(lib.ggml_backend_graph_compute(cpu, first.graph), lib.GGML_STATUS_SUCCESS);
  assertEquals(numbers(first.result), [2, 8, 18, 32]);
  const plan = lib.ggml_backend_graph_plan_create(cpu, first.graph)!;
  assertEquals(lib.ggml_backend_graph_plan_compute(cpu, plan), lib.GGML_STATUS_SUCCESS);
  lib.ggml_backend_graph_plan_free(cpu, plan);
});

Deno.test("an allocated graph is copied to a backend, and compared", () => {
  const [a, b] = tensors([4, 1], [4, 1]), ctx = withoutMemory();
  const sum = lib.ggml_add(ctx, a, b), graph = lib.ggml_new_graph(ctx);
  lib.ggml_build_forward_expand(graph, sum);
  kept.push(lib.ggml_backend_alloc_ctx_tensors(ctx, cpu));
  const seen: string[] = [];
  const callback = new lib.ggml_backend_eval_callback((_i, t1, t2) =>
    seen.push(`${lib.ggml_op_name(t1!.op)} ${lib.ggml_op_name(t2!.op)}`) > 0
  );
  assert(lib.ggml_backend_compare_graph_backend(cpu, cpu, graph, callback, null, [sum], 1));
  assert(lib.ggml_backend_compare_graph_backend(cpu, cpu, graph, callback, null, null, 0));
  assertEquals(seen, ["ADD ADD", "ADD ADD"]);
});

Deno.test("elements of a context's tensors are read and written one by one, of views too", () => {
  using ctx = init({ memSize: 1 << 16 });
  const t = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_I32, 3, 2), transposed = lib.ggml_transpose(ctx, t);
  lib.ggml_set_i32(t, 7);
  lib.ggml_set_i32_1d(t, 5, 8);
  lib.ggml_set_f32_nd(t, 1, 0, 0, 0, 9);
  assertEquals([0, 1, 2, 3, 4, 5].map((i) => lib.ggml_get_i32_1d(t, i)), [7, 9, 7, 7, 7, 8]);
  assertEquals([0, 1, 2, 3, 4, 5].map((i) => lib.ggml_get_f32_1d(transposed, i)), [7, 7, 9, 7, 7, 8]);
  assertEquals(lib.ggml_get_f32_nd(transposed, 1, 2, 0, 0), 8);
  assertEquals(lib.ggml_get_i32_1d(lib.ggml_new_i32(ctx, 5), 0), 5);
  assertEquals(lib.ggml_get_f32_1d(lib.ggml_new_f32(ctx, 0.5), 0), 0.5);
  const [inHostBuffer] = tensors([2, 1]);
  assertEquals(lib.ggml_get_f32_1d(lib.ggml_set_f32(inHostBuffer, 3), 1), 3);
});

Deno.test("a graph is computed with threads, a plan's own memory, and the context's", () => {
  using ctx = init({ memSize: 1 << 20 });
  const a = lib.ggml_new_tensor_1d(ctx, F32, 64), soft = lib.ggml_soft_max(ctx, lib.ggml_set_f32(a, 1)), graph = lib.ggml_new_graph(ctx);
  lib.ggml_build_forward_expand(graph, soft);
  const pool = lib.ggml_threadpool_new(lib.ggml_threadpool_params_default(1));
  const plan = lib.ggml_graph_plan(graph, 1, pool);
  plan.work_data = new Uint8Array(plan.work_size);
  assertEquals(lib.ggml_graph_compute(graph, plan), lib.GGML_STATUS_SUCCESS);
  lib.ggml_threadpool_free(pool);
  assertEquals(lib.ggml_graph_compute_with_ctx(ctx, graph, 1), lib.GGML_STATUS_SUCCESS);
  assertEquals(lib.ggml_get_f32_1d(soft, 0), 1 / 64);
});

/** outputs = weights · inputs, for batches of two data points of two numbers. */
function model(loss: lib.ggml_opt_loss_type) {
  const [inputs, weights] = tensors([2, 2], [2, 1]), compute = withoutMemory(8 << 20);
  lib.ggml_set_param(weights);
  lib.ggml_backend_tensor_set(weights, new Float32Array([0.5, 0.5]), 0, 8);
  const sched = lib.ggml_backend_sched_new([cpu], null, 1, 4096, false, true);
  return { inputs, weights, outputs: lib.ggml_mul_mat(compute, weights, inputs), compute, sched, loss };
}

/** Eight data points, whose label is the sum of their two numbers. */
function sums(): lib.ggml_opt_dataset {
  const dataset = lib.ggml_opt_dataset_init(F32, F32, 2, 1, 8, 1);
  const data = Float32Array.from({ length: 16 }, (_, i) => i % 5),
    labels = Float32Array.from({ length: 8 }, (_, i) => data[2 * i] + data[2 * i + 1]);
  lib.ggml_backend_tensor_set(lib.ggml_opt_dataset_data(dataset), data, 0, data.byteLength);
  lib.ggml_backend_tensor_set(lib.ggml_opt_dataset_labels(dataset)!, labels, 0, labels.byteLength);
  return dataset;
}

Deno.test("a model is trained, step by step and by epochs", () => {
  const { inputs, weights, outputs, compute, sched, loss } = model(lib.GGML_OPT_LOSS_TYPE_MEAN_SQUARED_ERROR), dataset = sums();
  const step = new lib.ggml_opt_get_optimizer_params(() => {
    const params = lib.ggml_opt_get_default_optimizer_params(null);
    params.sgd.alpha = 0.05;
    return params;
  });
  const params = lib.ggml_opt_default_params(sched, loss);
  Object.assign(params, { ctx_compute: compute, inputs, outputs, get_opt_pars: step, optimizer: lib.GGML_OPT_OPTIMIZER_TYPE_SGD });
  const opt = lib.ggml_opt_init(params), result = lib.ggml_opt_result_init();
  const first = new Float64Array(1), last = new Float64Array(1), uncertainty = new Float64Array(1);
  for (let batch = 0; batch < 4; batch++) {
    lib.ggml_opt_alloc(opt, true);
    lib.ggml_opt_dataset_get_batch(dataset, inputs, lib.ggml_opt_labels(opt), batch);
    lib.ggml_opt_eval(opt, result);
  }
  lib.ggml_opt_result_loss(result, first, uncertainty);
  for (let epoch = 0; epoch < 20; epoch++) {
    lib.ggml_opt_result_reset(result);
    lib.ggml_opt_dataset_shuffle(opt, dataset, -1);
    lib.ggml_opt_dataset_shuffle(opt, dataset, 4);
    lib.ggml_opt_epoch(opt, dataset, result, null, 8, null, null);
  }
  lib.ggml_opt_result_loss(result, last, null);
  assert(last[0] < first[0] / 100, `the loss went from ${first[0]} to ${last[0]}`);
  assert(numbers(weights).every((weight) => Math.abs(weight - 1) < 0.01), `${numbers(weights)}`);
  const data = new Float32Array(4), labels = new Float32Array(2);
  lib.ggml_opt_dataset_get_batch_host(dataset, data, 16, labels, 3);
  assertEquals([...labels], [data[0] + data[1], data[2] + data[3]]);
});

Deno.test("ggml_opt_fit trains a model in one call, and a result holds predictions", () => {
  const { inputs, outputs, compute, sched } = model(lib.GGML_OPT_LOSS_TYPE_CROSS_ENTROPY);
  const defaults = new lib.ggml_opt_get_optimizer_params((userdata) => lib.ggml_opt_get_default_optimizer_params(userdata));
  const { GGML_OPT_LOSS_TYPE_CROSS_ENTROPY: loss, GGML_OPT_OPTIMIZER_TYPE_ADAMW: adamw } = lib;
  lib.ggml_opt_fit(sched, compute, inputs, outputs, sums(), loss, adamw, defaults, 2, 4, 0.5, true);
  const again = model(loss), params = lib.ggml_opt_default_params(again.sched, loss), result = lib.ggml_opt_result_init();
  Object.assign(params, { ctx_compute: again.compute, inputs: again.inputs, outputs: again.outputs });
  const opt = lib.ggml_opt_init(params);
  lib.ggml_opt_alloc(opt, false);
  lib.ggml_opt_eval(opt, result);
  const predictions = new Int32Array(2).fill(-1);
  lib.ggml_opt_result_pred(result, predictions);
  assertEquals([...predictions], [0, 0]); // there is one class
  assert(lib.ggml_opt_grad_acc(opt, again.weights) !== undefined);
});
