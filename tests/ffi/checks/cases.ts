/**
 * Calls with wrong arguments, by the C function that they call: what would end the process in C, or read what isn't there. Each must be an Error;
 * most are C's own assertions, some what is looked at before (`ffi/checks/`).
 *
 * @module
 */

import { lib } from "@ggml/deno";
import { Pointer } from "@ggml/deno/ffi";
import { init } from "@ggml/deno/utils";
import { mostThreads } from "../../../ffi/calls/checks/thread_count.ts";

/** A call, and what its Error says behind the function's name. */
export type Case = readonly [call: () => unknown, message: string];

const { GGML_TYPE_F32: F32, GGML_TYPE_Q4_0: Q4_0, GGML_TYPE_I32: I32, GGML_TYPE_F64: F64 } = lib;
const cores = navigator.hardwareConcurrency, SOME = `${mostThreads()} threads for ${cores} ${cores === 1 ? "core" : "cores"}`;
const TOO_MANY = `expected at most ${SOME}, got 5130`;
const bytes = (n: number) => new Uint8Array(n);
const floats = (n: number) => new Float32Array(n);

/** Tensors in a context's own memory, in none, and in a backend's buffer. */
const ctx = init({ memSize: 1 << 20 });
const inContext = lib.ggml_new_tensor_1d(ctx, F32, 4);
const empty = () => lib.ggml_init(new lib.ggml_init_params({ mem_size: 1 << 20, no_alloc: true }));
const nowhere = () => lib.ggml_new_tensor_1d(empty(), F32, 4);
const cpu = lib.ggml_backend_cpu_init()!;
lib.ggml_backend_cpu_set_n_threads(cpu, 1);
const cpuType = lib.ggml_backend_cpu_buffer_type();
function inBuffer(type: lib.ggml_type, ...ne: [number, number?]): lib.ggml_tensor {
  const own = empty();
  const tensor = lib.ggml_new_tensor_2d(own, type, ne[0], ne[1] ?? 1);
  kept.push(lib.ggml_backend_alloc_ctx_tensors(own, cpu));
  return tensor;
}
const kept: unknown[] = [];
const four = inBuffer(F32, 4);

/** A tensor in a buffer, without a place in it. */
function placeless(): lib.ggml_tensor {
  return Object.assign(inBuffer(F32, 4), { data: null });
}

/** A file's metadata with one value of each kind. */
const gguf = lib.gguf_init_empty();
lib.gguf_set_val_u32(gguf, "number", 1);
lib.gguf_set_val_str(gguf, "text", "a");
lib.gguf_set_arr_data(gguf, "numbers", lib.GGUF_TYPE_UINT32, new Uint32Array([1, 2]), 2);
lib.gguf_set_arr_str(gguf, "texts", ["a", "b"], 2);
const [number, text, numbers, texts] = [0, 1, 2, 3];
lib.ggml_set_name(inContext, "weights");
lib.gguf_add_tensor(gguf, inContext);
/** A file's metadata with a tensor that has no data. */
function withoutData(): lib.gguf_context {
  const file = lib.gguf_init_empty();
  lib.gguf_add_tensor(file, nowhere());
  return file;
}

/** One that says that its tensors lie elsewhere than they will. */
function realigned(): lib.gguf_context {
  const file = lib.gguf_init_empty();
  lib.gguf_add_tensor(file, inContext);
  lib.gguf_set_val_u32(file, "general.alignment", 64);
  return file;
}

/** One with a tensor that was said to be of another type since. */
function enlarged(): lib.gguf_context {
  const file = lib.gguf_init_empty();
  lib.gguf_add_tensor(file, lib.ggml_set_name(lib.ggml_new_tensor_1d(ctx, Q4_0, 64), "blocks"));
  lib.gguf_set_tensor_type(file, "blocks", F32);
  return file;
}

/** One that was read, with a tensor that was given data since. */
function readAgain(): lib.gguf_context {
  const meta = bytes(lib.gguf_get_meta_size(gguf));
  lib.gguf_get_meta_data(gguf, meta);
  const file = lib.gguf_init_from_buffer(meta, meta.length, new lib.gguf_init_params({ no_alloc: true }))!;
  lib.gguf_set_tensor_data(file, "weights", bytes(16));
  return file;
}
const READ = '(ctx): the tensor "weights" was read from a file, and C would write what is anywhere, which is its fault';

function graphOf(...tensors: lib.ggml_tensor[]): lib.ggml_cgraph {
  const graph = lib.ggml_new_graph(empty());
  for (const tensor of tensors) lib.ggml_build_forward_expand(graph, tensor);
  return graph;
}

/** A graph of `n` additions of tensors that have no memory yet. */
function sums(n: number): lib.ggml_cgraph {
  const own = empty();
  const a = lib.ggml_new_tensor_1d(own, F32, 4);
  let sum = lib.ggml_add(own, a, a);
  for (let i = 1; i < n; i++) sum = lib.ggml_add(own, sum, a);
  return graphOf(sum);
}

const scheduler = (size = 64) => lib.ggml_backend_sched_new([cpu], null, 1, size, false, false);
const allocator = () => lib.ggml_gallocr_new(cpuType);

const dataset = lib.ggml_opt_dataset_init(F32, F32, 2, 0, 8, 2);
const labelled = lib.ggml_opt_dataset_init(F32, F32, 2, 1, 8, 2);

/** One that nobody has the memory for. */
const vast = () => lib.ggml_opt_dataset_init(F32, F32, 2 ** 30, 0, 2 ** 20, 4);

/** A model of one product, its inputs and weights in a buffer. */
function optimizer(params: object = {}, loss: lib.ggml_opt_loss_type = lib.GGML_OPT_LOSS_TYPE_SUM): lib.ggml_opt_context {
  const own = empty(), compute = init({ memSize: 8 << 20, noAlloc: true });
  const inputs = lib.ggml_new_tensor_2d(own, F32, 2, 4), weights = lib.ggml_new_tensor_2d(own, F32, 2, 1);
  kept.push(lib.ggml_backend_alloc_ctx_tensors(own, cpu));
  lib.ggml_set_param(weights);
  const made = lib.ggml_opt_default_params(scheduler(4096), loss);
  Object.assign(made, { ctx_compute: compute, inputs, outputs: lib.ggml_mul_mat(compute, weights, inputs) }, params);
  return lib.ggml_opt_init(made);
}
const dynamic = (params: object = {}) => optimizer({ ctx_compute: null, inputs: null, outputs: null, ...params });
const result = lib.ggml_opt_result_init();

/** A result with the predictions for four data points. */
function predicted(): lib.ggml_opt_result {
  const result = lib.ggml_opt_result_init(), opt = optimizer({}, lib.GGML_OPT_LOSS_TYPE_CROSS_ENTROPY);
  lib.ggml_opt_alloc(opt, false);
  lib.ggml_opt_eval(opt, result);
  return result;
}

/** Adds a step of another kind of optimizer to a result. */
function addStep(result: lib.ggml_opt_result): void {
  const opt = optimizer();
  lib.ggml_opt_alloc(opt, false);
  lib.ggml_opt_eval(opt, result);
}

/** A graph of tensors of which none was said to be a parameter. */
function untrainable(): { graph: lib.ggml_cgraph; inputs: lib.ggml_tensor } {
  const own = init({ memSize: 8 << 20, noAlloc: true }), inputs = lib.ggml_new_tensor_1d(own, F32, 4);
  const graph = lib.ggml_new_graph_custom(own, 64, true);
  lib.ggml_build_forward_expand(graph, lib.ggml_sqr(own, inputs));
  return { graph, inputs };
}

/** A graph that can be trained. */
function trainable(steps = 0) {
  const ctx = init({ memSize: 8 << 20, noAlloc: true }),
    inputs = lib.ggml_new_tensor_1d(ctx, F32, 4),
    weights = lib.ggml_new_tensor_1d(ctx, F32, 4);
  lib.ggml_set_param(weights);
  const graph = lib.ggml_new_graph_custom(ctx, 64, true);
  let outputs = lib.ggml_mul(ctx, inputs, weights);
  for (let i = 0; i < steps; i++) outputs = lib.ggml_mul(ctx, outputs, weights);
  lib.ggml_build_forward_expand(graph, outputs);
  return { ctx, graph, inputs, outputs };
}

/** What no kernel survives. */
function unrotatable(): lib.ggml_tensor {
  const own = init({ memSize: 1 << 20 }), a = lib.ggml_new_tensor_3d(own, F32, 4, 1, 1);
  return lib.ggml_sqr(own, lib.ggml_rope(own, a, lib.ggml_new_tensor_1d(own, I32, 1), 0, 0));
}

/** A graph that needs memory to work on. */
function softmax(): lib.ggml_cgraph {
  const tensor = lib.ggml_new_tensor_1d(ctx, F32, 64);
  lib.ggml_set_f32(tensor, 1);
  return graphOf(lib.ggml_soft_max(ctx, tensor));
}

function lossy(): lib.ggml_tensor {
  const loss = lib.ggml_sum(ctx, lib.ggml_new_tensor_1d(ctx, F32, 4));
  lib.ggml_set_loss(loss);
  return loss;
}

const optParams = (fields: object) => Object.assign(lib.ggml_opt_default_params(scheduler(), lib.GGML_OPT_LOSS_TYPE_SUM), fields);
const pars = new lib.ggml_opt_get_optimizer_params((userdata) => lib.ggml_opt_get_default_optimizer_params(userdata));
const batch = inBuffer(F32, 2, 4);
const weights = inBuffer(F32, 2);
lib.ggml_set_param(weights);
function fit(data: lib.ggml_opt_dataset, logical: number, split: number, trainable = true, inputs = batch): void {
  const compute = init({ memSize: 8 << 20, noAlloc: true });
  lib.ggml_opt_fit(
    scheduler(4096),
    compute,
    inputs,
    trainable ? lib.ggml_mul_mat(compute, weights, inputs) : inputs,
    data,
    lib.GGML_OPT_LOSS_TYPE_SUM,
    lib.GGML_OPT_OPTIMIZER_TYPE_SGD,
    pars,
    1,
    logical,
    split,
    true,
  );
}

/** A pointer to a C function, made of a TypeScript one. */
function pointerTo(parameters: Deno.NativeType[], result: Deno.NativeResultType, f: (...args: never[]) => unknown): bigint {
  const callback = new Deno.UnsafeCallback({ parameters, result } as Deno.UnsafeCallbackDefinition, f as () => void);
  kept.push(callback);
  return BigInt(Deno.UnsafePointer.value(callback.pointer));
}

/** A backend of a GPU that has a name and nothing else: plans, events and buffers of host memory are functions that a backend need not have. */
function bareBackend(): lib.ggml_backend {
  const name = new TextEncoder().encode("bare\0"), guid = bytes(16), device = new BigUint64Array(32), backend = new BigUint64Array(32);
  kept.push(name, guid, device, backend);
  const getName = pointerTo(["pointer"], "pointer", () => Deno.UnsafePointer.of(name));
  device.set([getName, getName, 0n, pointerTo(["pointer"], "i32", () => lib.GGML_BACKEND_DEVICE_TYPE_GPU)]);
  device[4] = pointerTo(["pointer", "pointer"], "void", () => {}); // get_props
  const addressOf = (memory: BufferSource) => BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(memory as Uint8Array<ArrayBuffer>)));
  backend.set([addressOf(guid), getName]);
  backend[17] = addressOf(device);
  return new lib.ggml_backend(addressOf(backend));
}
const bare = bareBackend();

type Functions = Record<string, (...args: unknown[]) => unknown>;
const call = (name: string, ...args: unknown[]) => () => (lib as unknown as Functions)[name](...args);

/** What an Error says where C divides by zero, on processors that don't do so without a word. */
export const DIVIDED = ": C divided by zero";

/** What C asserts of an index. */
const KEY = ": assertion failed: key_id >= 0 && key_id < gguf_get_n_kv(ctx)";
const TENSOR = ": assertion failed: tensor_id >= 0 && tensor_id < gguf_get_n_tensors(ctx)";

function getters(): Record<string, Case[]> {
  const kinds = ["u8", "i8", "u16", "i16", "i32", "f32", "u64", "i64", "f64", "bool", "str"];
  return Object.fromEntries(kinds.map((kind) => {
    const name = `gguf_get_val_${kind}`;
    return [name, [
      [call(name, gguf, number), ": assertion failed: type_to_gguf_type<T>::value == type"],
      [call(name, gguf, numbers), ": assertion failed: ctx->kv[key_id].get_ne() == 1"],
      [call(name, gguf, 4), KEY],
    ]];
  }));
}

function setters(): Record<string, Case[]> {
  const values: [string, unknown][] = [["u8", 1], ["i8", 1], ["u16", 1], ["i16", 1], ["i32", 1], ["f32", 1], ["u64", 1], ["i64", 1], [
    "f64",
    1,
  ]];
  return Object.fromEntries([...values, ["bool", true], ["str", "1"]].map(([kind, value]) => {
    const name = `gguf_set_val_${kind}`;
    return [name, [
      [call(name, gguf, "general.alignment", value), ": general.alignment must be type u32"],
      [call(name, gguf, "", value), ": assertion failed: !key.empty()"],
    ]];
  }));
}

/** C writes a pointer to where the parameters say. */
function gguf_inits(): Record<string, Case[]> {
  const params = Object.assign(new lib.gguf_init_params({ no_alloc: true }), { ctx: bytes(7) }),
    message = "(params): expected a ctx with room for a pointer, got 7 bytes";
  const read = new lib.gguf_reader_callback_t(() => 0);
  return {
    gguf_init_from_file: [[() => lib.gguf_init_from_file("no such file", params), message]],
    gguf_init_from_file_ptr: [[() => lib.gguf_init_from_file_ptr(null, params), message]],
    gguf_init_from_buffer: [[() => lib.gguf_init_from_buffer(bytes(24), 24, params), message]],
    gguf_init_from_callback: [[() => lib.gguf_init_from_callback(read, null, 24, 24, params), message]],
  };
}

function ofTensors(): Record<string, Case[]> {
  const names = ["offset", "name", "ne", "type", "size"].map((what) => `gguf_get_tensor_${what}`);
  return Object.fromEntries(names.map((name) => [name, [
    [call(name, gguf, 1), TENSOR],
    [call(name, gguf, -1n), TENSOR],
    [call(name, lib.gguf_init_empty(), 0), TENSOR],
  ]]));
}

function elements(): Record<string, Case[]> {
  const cases: Record<string, Case[]> = {};
  const wide = lib.ggml_new_tensor_1d(ctx, F64, 4);
  for (const type of ["i32", "f32"]) {
    for (const verb of ["get", "set"]) {
      const value = verb === "set" ? [1] : [], name = `ggml_${verb}_${type}`;
      cases[`${name}_1d`] = [
        [call(`${name}_1d`, wide, 0, ...value), ": fatal error (ggml-cpu/ggml-cpu.c:"],
        [call(`${name}_1d`, nowhere(), 0, ...value), "(tensor): the tensor was not allocated"],
        [call(`${name}_1d`, inContext, 4, ...value), "(i): expected the index of an element, from 0 to 3, got 4"],
        [call(`${name}_1d`, inContext, -1, ...value), "(i): expected"],
      ];
      cases[`${name}_nd`] = [
        [call(`${name}_nd`, wide, 0, 0, 0, 0, ...value), ": fatal error (ggml-cpu/ggml-cpu.c:"],
        [call(`${name}_nd`, inContext, 0, 1, 0, 0, ...value), "(i1): expected the index of a row, of which there is 0 only, got 1"],
        [call(`${name}_nd`, inContext, 0, 0, 0, -1, ...value), "(i3): expected"],
      ];
    }
    const transposed = lib.ggml_transpose(ctx, lib.ggml_new_tensor_2d(ctx, F32, 3, 4));
    cases[`ggml_set_${type}`] = [
      [call(`ggml_set_${type}`, wide, 1), ": fatal error (ggml-cpu/ggml-cpu.c:"],
      [call(`ggml_set_${type}`, nowhere(), 1), "(tensor): the tensor was not allocated"],
      [
        call(`ggml_set_${type}`, transposed, 1),
        "(tensor): expected rows at even distances with their elements side by side, got nb=[12, 4, 48, 48]",
      ],
    ];
    cases[`ggml_new_${type}`] = [
      [call(`ggml_new_${type}`, empty(), 1), ": assertion failed: !ggml_get_no_alloc(ctx)"],
      [call(`ggml_new_${type}`, init({ memSize: 128 }), 1), ": assertion failed: obj_new"],
    ];
  }
  return cases;
}

function transfers(): Record<string, Case[]> {
  const cases: Record<string, Case[]> = {};
  for (const verb of ["set", "get"]) {
    for (
      const [suffix, before, after] of [["", [], []], ["_async", [cpu], []], ["_2d", [], [2, 8, 4]], ["_2d_async", [cpu], [
        2,
        8,
        4,
      ]]] as const
    ) {
      const name = `ggml_backend_tensor_${verb}${suffix}`;
      cases[name] = [
        [call(name, ...before, four, bytes(64), 8, 12, ...after), ": assertion failed: offset + size <= ggml_nbytes(tensor)"],
        [
          call(name, ...before, four, bytes(64), 2n ** 64n - 8n, 16, ...after),
          "(offset): expected to end within the tensor, got an end at byte 1844",
        ],
        [call(name, ...before, inContext, bytes(64), 0, 4, ...after), ': assertion failed: buf != NULL && "tensor buffer not set"'],
        [call(name, ...before, nowhere(), bytes(64), 0, 4, ...after), ": assertion failed: "],
        [call(name, ...before, four, bytes(2), 0, 4, ...after), "(data): expected at least"],
      ];
    }
  }
  return cases;
}

function ofBareBackend(): Record<string, Case[]> {
  const event = new lib.ggml_backend_event(1n), plan = new Pointer(1n), never = new lib.ggml_abort_callback(() => false);
  const message = ": assertion failed: ggml_backend_is_cpu(backend_cpu)";
  return {
    ggml_backend_cpu_set_n_threads: [
      [() => lib.ggml_backend_cpu_set_n_threads(bare, 1), message],
      [() => lib.ggml_backend_cpu_set_n_threads(cpu, 5130), `(n_threads): ${TOO_MANY}`],
    ],
    ggml_backend_cpu_set_threadpool: [[() => lib.ggml_backend_cpu_set_threadpool(bare, null), message]],
    ggml_backend_cpu_set_abort_callback: [[() => lib.ggml_backend_cpu_set_abort_callback(bare, never, null), message]],
    ggml_backend_cpu_set_use_ref: [[() => lib.ggml_backend_cpu_set_use_ref(bare, true), message]],
    ggml_backend_graph_plan_create: [[
      () => lib.ggml_backend_graph_plan_create(bare, sums(1)),
      ": assertion failed: backend->iface.graph_plan_create != NULL",
    ]],
    ggml_backend_graph_plan_compute: [[
      () => lib.ggml_backend_graph_plan_compute(bare, plan),
      "(plan): expected a plan that ggml_backend_graph_plan_create made",
    ]],
    ggml_backend_graph_plan_free: [[
      () => lib.ggml_backend_graph_plan_free(cpu, bytes(64)),
      "(plan): expected a plan that ggml_backend_graph_plan_create made",
    ]],
    ggml_backend_event_record: [[
      () => lib.ggml_backend_event_record(event, bare),
      ": assertion failed: backend->iface.event_record != NULL",
    ]],
    ggml_backend_event_wait: [[() => lib.ggml_backend_event_wait(bare, event), ": assertion failed: backend->iface.event_wait != NULL"]],
    ggml_backend_dev_buffer_from_host_ptr: [
      [
        () => lib.ggml_backend_dev_buffer_from_host_ptr(lib.ggml_backend_get_device(bare), bytes(64), 64, 64),
        ": C used a null pointer",
      ],
    ],
  };
}

/** What C takes for sizes and strides. */
function ofShapes(): Record<string, Case[]> {
  const a = lib.ggml_new_tensor_1d(ctx, F32, 16),
    blocks = lib.ggml_new_tensor_1d(ctx, Q4_0, 64),
    negative = "(ne0): expected at least 0, got -4";
  const wide = "would take more than 2^53 bytes";
  return {
    ggml_new_tensor: [
      [() => lib.ggml_new_tensor(ctx, F32, 2, BigInt64Array.of(-4n, -1n)), "(ne)[0]: expected at least 0, got -4"],
      [() => lib.ggml_new_tensor(ctx, F32, 5, new BigInt64Array(5)), ": assertion failed: n_dims >= 1 && n_dims <= GGML_MAX_DIMS"],
    ],
    ggml_new_tensor_1d: [
      [() => lib.ggml_new_tensor_1d(ctx, F32, -4), negative],
      [() => lib.ggml_new_tensor_1d(ctx, Q4_0, 48), "(ne0): expected a multiple of 32 (the block size of q4_0), got 48"],
    ],
    ggml_new_tensor_2d: [[() => lib.ggml_new_tensor_2d(ctx, F32, 2 ** 40, 2 ** 40), `: f32 ne=[${2 ** 40}, ${2 ** 40}, 1, 1] ${wide}`]],
    ggml_new_tensor_3d: [[() => lib.ggml_new_tensor_3d(ctx, F32, -4, -1, 4), negative]],
    ggml_new_tensor_4d: [[() => lib.ggml_new_tensor_4d(ctx, F32, -4, -1, 4, 1), negative]],
    ggml_reshape: [[
      () => lib.ggml_reshape(ctx, blocks, lib.ggml_new_tensor_2d(ctx, F32, 16, 4)),
      "(b): expected a multiple of 32 (the block size of q4_0), got 16",
    ]],
    ggml_reshape_2d: [
      [() => lib.ggml_reshape_2d(ctx, a, -4, -4), negative],
      [() => lib.ggml_reshape_2d(ctx, blocks, 16, 4), "(ne0): expected a multiple of 32"],
    ],
    ggml_reshape_3d: [[() => lib.ggml_reshape_3d(ctx, a, -4, -4, 1), negative]],
    ggml_reshape_4d: [[() => lib.ggml_reshape_4d(ctx, a, -4, -4, 1, 1), negative]],
    ggml_cont_2d: [[() => lib.ggml_cont_2d(ctx, a, -4, -4), negative]],
    ggml_cont_3d: [[() => lib.ggml_cont_3d(ctx, a, -4, -4, 1), negative]],
    ggml_cont_4d: [[() => lib.ggml_cont_4d(ctx, a, -4, -4, 1, 1), negative]],
    ggml_repeat_4d: [[() => lib.ggml_repeat_4d(ctx, a, -4, -4, 1, 1), negative]],
    ggml_view_1d: [
      [() => lib.ggml_view_1d(ctx, a, -4, 32), negative],
      [
        () => lib.ggml_view_1d(ctx, a, 16, 4),
        ": assertion failed: view_src == NULL || data_size == 0 || data_size + view_offs <= ggml_nbytes(view_src)",
      ],
      [() => lib.ggml_view_1d(ctx, a, 8, 2n ** 64n - 16n), "(offset): expected an offset within a, got 18446744073709551600"],
    ],
    ggml_view_2d: [[() => lib.ggml_view_2d(ctx, a, 2, 4, 24, 0), ": the view would end at byte 80 of 64: "]],
    ggml_view_3d: [[
      () => lib.ggml_view_3d(ctx, lib.ggml_view_1d(ctx, a, 8, 32), 2, 1, 2, 8, 28, 0),
      ": the view would end at byte 68 of 64: ",
    ]],
    ggml_view_4d: [[
      () => lib.ggml_view_4d(ctx, a, 2, 1, 1, 2, 8, 8, 2n ** 60n, 0),
      ": the view would end at byte 1152921504606847000 of 64: ",
    ]],
  };
}

/** The cases, by function. */
export const cases: Record<string, Case[]> = {
  ...ofShapes(),
  ggml_get_next_tensor: [
    [
      () => lib.ggml_get_next_tensor(ctx, new lib.ggml_tensor()),
      "(tensor): expected a tensor of the context, got one that was made by new ggml_tensor",
    ],
    [() => lib.ggml_get_next_tensor(ctx, nowhere()), "(tensor): expected a tensor of the context, got one of another"],
  ],
  ggml_graph_cpy: [[() => lib.ggml_graph_cpy(sums(1), sums(2)), "(dst): expected an empty graph, got one of 2 nodes and 1 leafs"]],
  ggml_cpu_fp32_to_fp32: [[() => lib.ggml_cpu_fp32_to_fp32(floats(4), floats(4), -1), "(arg2): expected at least 0, got -1"]],
  ggml_init: [
    [() => lib.ggml_init(new lib.ggml_init_params({ mem_size: 2 ** 50 })), ": assertion failed: ctx->mem_buffer != NULL"],
    [
      () => lib.ggml_init(Object.assign(new lib.ggml_init_params({ mem_size: 4096 }), { mem_buffer: bytes(512) })),
      "(params): expected mem_size to be at most the 512 bytes of mem_buffer, got 4096",
    ],
  ],
  ggml_graph_node: [
    [() => lib.ggml_graph_node(sums(2), 2), ": assertion failed: i < cgraph->n_nodes"],
    [() => lib.ggml_graph_node(sums(2), -3), ": assertion failed: cgraph->n_nodes + i >= 0"],
  ],
  ggml_graph_dump_dot: [[() => lib.ggml_graph_dump_dot(sums(1), null, "no such folder/graph.dot"), ": assertion failed: fp"]],
  ggml_quantize_chunk: [
    [() => lib.ggml_quantize_chunk(I32, floats(32), bytes(128), 0, 1, 32, null), ": assertion failed: result == nrows * row_size"],
    [
      () => lib.ggml_quantize_chunk(lib.GGML_TYPE_IQ2_XXS, floats(256), bytes(66), 0, 1, 256, null),
      ": assertion failed: imatrix != NULL",
    ],
    [() => lib.ggml_quantize_chunk(Q4_0, floats(31), bytes(18), 0, 1, 31, null), "(n_per_row): expected a multiple of 32"],
    [() => lib.ggml_quantize_chunk(Q4_0, floats(96), bytes(54), 32, 1, 64, null), ": assertion failed: start % n_per_row == 0"],
    [() => lib.ggml_quantize_chunk(Q4_0, floats(32), bytes(18), 0, 1, 0, null), "(n_per_row): expected at least 1, got 0"],
    [() => lib.ggml_quantize_chunk(F32, floats(4), bytes(16), 0, -1, 4, null), "(nrows): expected at least 0, got -1"],
    [() => lib.ggml_quantize_chunk(F32, floats(4), bytes(16), 0, 1, -4, null), "(n_per_row): expected at least 1, got -4"],
    [() => lib.ggml_quantize_chunk(Q4_0, floats(32), bytes(18), -32, 1, 32, null), "(start): expected at least 0, got -32"],
  ],
  ggml_backend_graph_compute: [[() => lib.ggml_backend_graph_compute(cpu, sums(1)), ": node 0 (ADD"]],
  ggml_backend_graph_compute_async: [[() => lib.ggml_backend_graph_compute_async(cpu, sums(1)), ": node 0 (ADD"]],
  ...getters(),
  gguf_get_val_u32: [[call("gguf_get_val_u32", gguf, text), ": assertion failed: type_to_gguf_type<T>::value == type"]],
  gguf_get_key: [
    [() => lib.gguf_get_key(gguf, 4), ": assertion failed: key_id >= 0 && key_id < gguf_get_n_kv(ctx)"],
    [() => lib.gguf_get_key(gguf, -1), ": assertion failed: key_id >= 0 && key_id < gguf_get_n_kv(ctx)"],
  ],
  gguf_get_kv_type: [[() => lib.gguf_get_kv_type(gguf, 4), ": assertion failed: key_id >= 0 && key_id < gguf_get_n_kv(ctx)"]],
  gguf_get_arr_n: [[() => lib.gguf_get_arr_n(gguf, 4), ": assertion failed: key_id >= 0 && key_id < gguf_get_n_kv(ctx)"]],
  gguf_get_arr_type: [
    [() => lib.gguf_get_arr_type(gguf, number), ": assertion failed: ctx->kv[key_id].is_array"],
    [() => lib.gguf_get_arr_type(gguf, 4), ": assertion failed: key_id >= 0 && key_id < gguf_get_n_kv(ctx)"],
  ],
  gguf_get_arr_data: [
    [() => lib.gguf_get_arr_data(gguf, texts), ": assertion failed: ctx->kv[key_id].get_type() != GGUF_TYPE_STRING"],
    [() => lib.gguf_get_arr_data(gguf, 4), ": assertion failed: key_id >= 0 && key_id < gguf_get_n_kv(ctx)"],
  ],
  gguf_get_arr_str: [
    [() => lib.gguf_get_arr_str(gguf, numbers, 0), ": assertion failed: ctx->kv[key_id].get_type() == GGUF_TYPE_STRING"],
    [() => lib.gguf_get_arr_str(gguf, texts, 2), "(i): expected the index of a string, from 0 to 1, got 2"],
    [() => lib.gguf_get_arr_str(gguf, 4, 0), ": assertion failed: key_id >= 0 && key_id < gguf_get_n_kv(ctx)"],
  ],
  gguf_get_val_data: [
    [() => lib.gguf_get_val_data(gguf, text), ": assertion failed: ctx->kv[key_id].get_type() != GGUF_TYPE_STRING"],
    [() => lib.gguf_get_val_data(gguf, numbers), ": assertion failed: ctx->kv[key_id].get_ne() == 1"],
  ],
  ...ofTensors(),
  ...setters(),
  gguf_set_val_u32: [[
    () => lib.gguf_set_val_u32(gguf, "general.alignment", 3),
    ': assertion failed: val > 0 && (val & (val - 1)) == 0 && GGUF_KEY_GENERAL_ALIGNMENT " must be power of 2"',
  ]],
  gguf_set_arr_data: [
    [() => lib.gguf_set_arr_data(gguf, "x", lib.GGUF_TYPE_STRING, bytes(64), 2), "(type): expected a type of numbers, got str"],
    [() => lib.gguf_set_arr_data(gguf, "general.alignment", lib.GGUF_TYPE_UINT8, bytes(4), 4), ": general.alignment must be type u32"],
    [() => lib.gguf_set_arr_data(gguf, "x", lib.GGUF_TYPE_UINT64, bytes(15), 2), "(data): expected at least 16 bytes"],
  ],
  gguf_set_arr_str: [[() => lib.gguf_set_arr_str(gguf, "general.alignment", ["a"], 1), ": general.alignment must be type u32"]],
  gguf_set_kv: [[() => lib.gguf_set_kv(gguf, gguf), "(src): expected another gguf_context, got ctx itself"]],
  gguf_add_tensor: [[() => lib.gguf_add_tensor(gguf, inContext), ": duplicate tensor name: weights"]],
  gguf_set_tensor_data: [
    [() => lib.gguf_set_tensor_data(gguf, "nothing", bytes(16)), ": tensor not found: nothing"],
    [() => lib.gguf_set_tensor_data(gguf, "weights", bytes(15)), "(data): expected at least 16 bytes"],
  ],
  gguf_set_tensor_type: [
    [() => lib.gguf_set_tensor_type(gguf, "nothing", F32), ": tensor not found: nothing"],
    [() => lib.gguf_set_tensor_type(withoutData(), "", Q4_0), ": assertion failed: tensor->ne[0] % blck_size == 0"],
  ],
  gguf_write_to_file: [
    [() => lib.gguf_write_to_file(withoutData(), "/dev/null", false), '(ctx): the tensor "" has no data: call gguf_set_tensor_data'],
    [
      () => lib.gguf_write_to_file(realigned(), "/dev/null", false),
      "(ctx): general.alignment is 64, and C writes tensors at multiples of 32",
    ],
    [
      () => lib.gguf_write_to_file(enlarged(), "/dev/null", false),
      '(ctx): the tensor "blocks" has 256 bytes as f32, and its data 36: call gguf_set_tensor_data',
    ],
    [() => lib.gguf_write_to_file(readAgain(), "/dev/null", false), READ],
  ],
  gguf_write_to_file_ptr: [
    [() => lib.gguf_write_to_file_ptr(withoutData(), lib.ggml_fopen("/dev/null", "wb")!, false), '(ctx): the tensor "" has no data'],
    [
      () => lib.gguf_write_to_file_ptr(realigned(), lib.ggml_fopen("/dev/null", "wb")!, false),
      "(ctx): general.alignment is 64, and C writes tensors at multiples of 32",
    ],
    [() => lib.gguf_write_to_file_ptr(enlarged(), lib.ggml_fopen("/dev/null", "wb")!, false), '(ctx): the tensor "blocks" has 256 bytes'],
    [() => lib.gguf_write_to_file_ptr(readAgain(), lib.ggml_fopen("/dev/null", "wb")!, false), READ],
  ],
  ...gguf_inits(),

  ...transfers(),
  ggml_backend_tensor_memset: [
    [
      () => lib.ggml_backend_tensor_memset(four, 0, 8, 12),
      ': assertion failed: offset + size <= ggml_nbytes(tensor) && "tensor write out of bounds"',
    ],
    [() => lib.ggml_backend_tensor_memset(inContext, 0, 0, 4), ': assertion failed: buf != NULL && "tensor buffer not set"'],
    [
      () => lib.ggml_backend_tensor_memset(four, 0, 2n ** 64n - 8n, 16),
      "(offset): expected to end within the tensor, got an end at byte 1844",
    ],
  ],
  ggml_backend_tensor_copy: [
    [() => lib.ggml_backend_tensor_copy(placeless(), four), "(src): the tensor has a buffer, and no data in it"],
    [
      () => lib.ggml_backend_tensor_copy(four, inBuffer(F32, 5)),
      ': assertion failed: ggml_are_same_layout(src, dst) && "cannot copy tensors with different layouts"',
    ],
    [() => lib.ggml_backend_tensor_copy(inContext, four), ": assertion failed: buffer"],
    [() => lib.ggml_backend_tensor_copy(four, inContext), ': assertion failed: buf != NULL && "tensor buffer not set"'],
  ],
  ggml_backend_tensor_copy_async: [
    [() => lib.ggml_backend_tensor_copy_async(cpu, cpu, placeless(), four), "(src): the tensor has a buffer, and no data in it"],
    [
      () => lib.ggml_backend_tensor_copy_async(cpu, cpu, four, inBuffer(I32, 4)),
      ': assertion failed: ggml_are_same_layout(src, dst) && "cannot copy tensors with different layouts"',
    ],
  ],
  ggml_backend_reg_get: [[() => lib.ggml_backend_reg_get(1000), ": assertion failed: index < ggml_backend_reg_count()"]],
  ggml_backend_dev_get: [[() => lib.ggml_backend_dev_get(1000), ": assertion failed: index < ggml_backend_dev_count()"]],
  ggml_backend_reg_dev_get: [
    [
      () => lib.ggml_backend_reg_dev_get(lib.ggml_backend_cpu_reg(), 1),
      ": assertion failed: index == 0",
    ],
  ],
  ggml_backend_meta_device: [
    [
      () =>
        lib.ggml_backend_meta_device(
          Array(17).fill(lib.ggml_backend_get_device(cpu)),
          17,
          new lib.ggml_backend_meta_get_split_state_t(1n),
          null,
        ),
      ": assertion failed: n_devs <= GGML_BACKEND_META_MAX_DEVICES",
    ],
  ],
  ggml_backend_cpu_buffer_from_ptr: [
    [
      () => lib.ggml_backend_cpu_buffer_from_ptr(lib.ggml_get_mem_buffer(ctx)!.bytes(64).subarray(1), 32),
      ': assertion failed: (uintptr_t)ptr % TENSOR_ALIGNMENT == 0 && "buffer pointer must be aligned"',
    ],
  ],
  ggml_backend_view_init: [
    [() => lib.ggml_backend_view_init(nowhere()), ": assertion failed: tensor->view_src != NULL"],
    [() => lib.ggml_backend_view_init(four), ": assertion failed: tensor->buffer == NULL"],
    [
      () => lib.ggml_backend_view_init(lib.ggml_view_1d(ctx, inContext, 2, 0)),
      ": assertion failed: tensor->view_src->buffer != NULL",
    ],
  ],
  ggml_backend_tensor_alloc: [
    [() => lib.ggml_backend_tensor_alloc(four.buffer!, four, four.data!), ": assertion failed: tensor->buffer == NULL"],
    [
      () => lib.ggml_backend_tensor_alloc(four.buffer!, lib.ggml_view_1d(empty(), nowhere(), 2, 0), four.data!),
      ": assertion failed: tensor->view_src == NULL",
    ],
    [
      () => lib.ggml_backend_tensor_alloc(four.buffer!, nowhere(), new Pointer(four.data!.address - 32n)),
      ": assertion failed: addr >= ggml_backend_buffer_get_base(buffer)",
    ],
    [
      () => lib.ggml_backend_tensor_alloc(four.buffer!, nowhere(), new Pointer(four.data!.address + 1024n)),
      "(addr): expected an address within the buffer's 32 bytes, got one at byte 1024",
    ],
    [
      () => lib.ggml_backend_tensor_alloc(four.buffer!, nowhere(), new Pointer(2n ** 64n - 8n)),
      "(addr): expected an address within the buffer's 32 bytes",
    ],
  ],
  ggml_backend_graph_copy: [
    [
      () => lib.ggml_backend_graph_copy(cpu, sums(1)),
      `(graph): expected tensors in backends' buffers, got ADD "node_0": f32 ne=[4] in no memory`,
    ],
    [
      () => lib.ggml_backend_graph_copy(cpu, graphOf(lib.ggml_sqr(ctx, four))),
      `(graph): expected tensors in backends' buffers, got SQR "node_0": f32 ne=[4] in its context's memory`,
    ],
    [
      () => {
        const own = empty(), squares = lib.ggml_sqr(own, lib.ggml_view_1d(ctx, inContext, 2, 0));
        lib.ggml_backend_alloc_ctx_tensors(own, cpu);
        lib.ggml_backend_graph_copy(cpu, graphOf(squares));
      },
      `(graph): expected tensors in backends' buffers, got VIEW "weights (view)": f32 ne=[2] in its context's memory`,
    ],
  ],
  ggml_backend_compare_graph_backend: [
    [
      () => lib.ggml_backend_compare_graph_backend(cpu, cpu, sums(1), new lib.ggml_backend_eval_callback(() => true), null, null, 0),
      ': node 0 (ADD "node_0": f32 ne=[4]): has no memory: made with noAlloc, and to be allocated first (ggml_backend_alloc_ctx_tensors, ggml_gallocr_alloc_graph)',
    ],
    [() => {
      const graph = graphOf(lib.ggml_sqr(ctx, inContext)), answer = new lib.ggml_backend_eval_callback(() => true);
      lib.ggml_backend_compare_graph_backend(cpu, cpu, graph, answer, null, null, 0);
    }, `(graph): expected tensors in backends' buffers, got SQR "node_0": f32 ne=[4] in its context's memory`],
  ],
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

  ...elements(),
  ...ofBareBackend(),
  ggml_threadpool_new: [
    [() => lib.ggml_threadpool_new(new lib.ggml_threadpool_params({ n_threads: 0 })), `(params): n_threads: expected 1 to ${SOME}, got 0`],
    [
      () => lib.ggml_threadpool_new(new lib.ggml_threadpool_params({ n_threads: -1 })),
      `(params): n_threads: expected 1 to ${SOME}, got -1`,
    ],
  ],
  ggml_graph_plan: [[() => lib.ggml_graph_plan(sums(1), 5130, null), `(n_threads): ${TOO_MANY}`]],
  ggml_graph_compute: [
    [
      () => lib.ggml_graph_compute(graphOf(lib.ggml_add(ctx, inContext, inContext)), new lib.ggml_cplan()),
      ": assertion failed: cplan->n_threads > 0",
    ],
    [
      () => lib.ggml_graph_compute(graphOf(lib.ggml_add(ctx, inContext, inContext)), new lib.ggml_cplan({ n_threads: 1, work_size: 16 })),
      ": assertion failed: cplan->work_size == 0 || cplan->work_data != NULL",
    ],
    [() => lib.ggml_graph_compute(softmax(), new lib.ggml_cplan({ n_threads: 1 })), "(cplan): expected a work_size of at least"],
    [
      () => lib.ggml_graph_compute(softmax(), Object.assign(lib.ggml_graph_plan(softmax(), 1, null), { work_data: bytes(8) })),
      "(cplan): expected work_data of work_size 320, got 8 bytes",
    ],
    [
      () => lib.ggml_graph_compute(softmax(), new lib.ggml_cplan({ n_threads: 5130 })),
      `(cplan): n_threads: ${TOO_MANY}`,
    ],
  ],
  ggml_graph_compute_with_ctx: [
    [() => lib.ggml_graph_compute_with_ctx(ctx, sums(1), 5130), `(n_threads): ${TOO_MANY}`],
    [() => {
      const small = init({ memSize: 64 });
      lib.ggml_graph_compute_with_ctx(small, graphOf(lib.ggml_soft_max(ctx, lib.ggml_new_tensor_1d(ctx, F32, 64))), 1);
    }, ": C used a null pointer: the context's memory may be full: 0 of 64 bytes are used"],
  ],

  ggml_opt_dataset_init: [
    [() => lib.ggml_opt_dataset_init(F32, F32, 0, 0, 8, 2), ": assertion failed: ne_datapoint > 0"],
    [() => lib.ggml_opt_dataset_init(F32, F32, 2, -1, 8, 2), ": assertion failed: ne_label >= 0"],
    [() => lib.ggml_opt_dataset_init(F32, F32, 2, 0, 0, 2), ": assertion failed: ndata > 0"],
    [() => lib.ggml_opt_dataset_init(F32, F32, 2, 0, 8, 0), ": assertion failed: ndata_shard > 0"],
    [() => lib.ggml_opt_dataset_init(Q4_0, F32, 2, 0, 8, 2), "(ne_datapoint): expected a multiple of 32"],
  ],
  ggml_opt_dataset_shuffle: [
    [() => lib.ggml_opt_dataset_shuffle(optimizer(), dataset, 3), ": assertion failed: idata % dataset->ndata_shard == 0"],
    [() => lib.ggml_opt_dataset_shuffle(optimizer(), dataset, 10), ": assertion failed: idata <= dataset->ndata"],
  ],
  ggml_opt_dataset_get_batch: [
    [
      () => lib.ggml_opt_dataset_get_batch(dataset, batch, null, 2),
      ": assertion failed: (ibatch + 1)*shards_per_batch <= int64_t(dataset->permutation.size())",
    ],
    [() => lib.ggml_opt_dataset_get_batch(dataset, batch, null, -1), "(ibatch): expected"],
    [
      () => lib.ggml_opt_dataset_get_batch(dataset, batch, four, 0),
      ": assertion failed: (labels_batch == nullptr) == (dataset->labels == nullptr)",
    ],
    [
      () => lib.ggml_opt_dataset_get_batch(labelled, batch, null, 0),
      ": assertion failed: (labels_batch == nullptr) == (dataset->labels == nullptr)",
    ],
    [
      () => lib.ggml_opt_dataset_get_batch(dataset, inBuffer(I32, 2, 4), null, 0),
      ": assertion failed: data_batch->type == dataset->data->type",
    ],
    [
      () => lib.ggml_opt_dataset_get_batch(dataset, inBuffer(F32, 3), null, 0),
      ": assertion failed: nb_data_batch % dataset->nbs_data == 0",
    ],
    [
      () => lib.ggml_opt_dataset_get_batch(labelled, batch, inBuffer(F32, 1, 3), 0),
      ": assertion failed: nb_labels_batch == shards_per_batch*dataset->nbs_labels",
    ],
    [
      () => lib.ggml_opt_dataset_get_batch(dataset, lib.ggml_new_tensor_2d(ctx, F32, 2, 4), null, 0),
      ': assertion failed: buf != NULL && "tensor buffer not set"',
    ],
    [
      () => lib.ggml_opt_dataset_get_batch(vast(), batch, null, 0),
      "(dataset): there was no memory for its data",
    ],
  ],
  ggml_opt_dataset_get_batch_host: [
    [
      () => lib.ggml_opt_dataset_get_batch_host(dataset, floats(8), 32, null, 2),
      ": assertion failed: (ibatch + 1)*shards_per_batch <= int64_t(dataset->permutation.size())",
    ],
    [
      () => lib.ggml_opt_dataset_get_batch_host(labelled, floats(8), 32, null, 0),
      ": assertion failed: (labels_batch == nullptr) == (dataset->labels == nullptr)",
    ],
    [() => lib.ggml_opt_dataset_get_batch_host(labelled, floats(8), 32, floats(3), 0), "(labels_batch): expected at least 16 bytes"],
    [() => lib.ggml_opt_dataset_get_batch_host(dataset, floats(8), 33, null, 0), "(data_batch): expected at least 33 bytes"],
    [
      () => lib.ggml_opt_dataset_get_batch_host(dataset, floats(9), 33, null, 0),
      ": assertion failed: nb_data_batch % dataset->nbs_data == 0",
    ],
    [
      () => lib.ggml_opt_dataset_get_batch_host(dataset, floats(8), 32, null, 2n ** 62n),
      "(ibatch): expected 0 to 7, got 4611686018427387904",
    ],
    [() => lib.ggml_opt_dataset_get_batch_host(vast(), floats(8), 32, null, 0), "(dataset): there was no memory for its data"],
  ],
  ggml_opt_init: [
    [
      () => optimizer({ build_type: lib.GGML_OPT_BUILD_TYPE_GRAD }),
      ": assertion failed: opt_ctx->build_type_alloc == GGML_OPT_BUILD_TYPE_OPT",
    ],
    [() => lib.ggml_opt_init(optParams({ opt_period: 0 })), ": assertion failed: result->opt_period >= 1"],
    [() => lib.ggml_opt_init(optParams({ inputs: batch })), ": assertion failed: !result->inputs"],
    [() => lib.ggml_opt_init(optParams({ ctx_compute: ctx })), ": assertion failed: result->inputs"],
    [
      () => lib.ggml_opt_init(optParams({ ctx_compute: ctx, inputs: nowhere(), outputs: batch })),
      ': assertion failed: (!opt_ctx->static_graphs || opt_ctx->inputs->data) && "when using static graphs the inputs',
    ],
    [
      () => lib.ggml_opt_init(optParams({ ctx_compute: ctx, inputs: batch, outputs: batch })),
      ': assertion failed: any_params && "no trainable parameters found, did you forget to call ggml_set_param?"',
    ],
    [
      () => lib.ggml_opt_init(optParams({ ctx_compute: ctx, inputs: batch, outputs: lossy() })),
      ': assertion failed: !(node->flags & GGML_TENSOR_FLAG_LOSS) && "support for extra loss terms not implemented"',
    ],
    [() => optimizer({ backend_sched: null }), ": assertion failed: sched"],
    [() => optimizer({ outputs: unrotatable() }), ": node 2 (ROPE: "],
  ],
  ggml_opt_grad_acc: [[() => lib.ggml_opt_grad_acc(dynamic(), four), ": C used a null pointer (the address 0x38): node is f32 ne=[4]"]],
  ggml_opt_result_loss: [[
    () => lib.ggml_opt_result_loss(result, new Float64Array(1), null),
    ": C used a null pointer",
  ]],
  ggml_opt_result_pred: [
    [
      () => lib.ggml_opt_result_pred(predicted(), new Int32Array(3)),
      "(pred): expected at least 4 int32s (the result's ndata), got an Int32Array of 3",
    ],
  ],
  ggml_opt_prepare_alloc: [
    [() => lib.ggml_opt_prepare_alloc(optimizer(), ctx, sums(1), four, four), ": assertion failed: !opt_ctx->static_graphs"],
    [() => {
      const opt = dynamic(), [first, second] = [trainable(), trainable()];
      lib.ggml_opt_prepare_alloc(opt, first.ctx, first.graph, first.inputs, first.outputs);
      lib.ggml_opt_alloc(opt, true);
      lib.ggml_opt_prepare_alloc(opt, second.ctx, second.graph, second.inputs, second.outputs);
    }, "(opt_ctx): a graph is allocated already: call ggml_opt_eval first"],
  ],
  ggml_opt_alloc: [
    [() => {
      const opt = dynamic();
      for (const { ctx, graph, inputs, outputs } of [trainable(0), trainable(5)]) {
        lib.ggml_opt_prepare_alloc(opt, ctx, graph, inputs, outputs);
        lib.ggml_opt_alloc(opt, true);
        lib.ggml_opt_eval(opt, null);
      }
    }, "(opt_ctx): expected a graph of at most 2 nodes, as the first had, got 7"],
    [() => {
      const opt = dynamic(), { graph, inputs } = untrainable();
      lib.ggml_opt_prepare_alloc(opt, init({ memSize: 8 << 20, noAlloc: true }), graph, inputs, inputs);
      lib.ggml_opt_alloc(opt, false);
    }, ': assertion failed: any_params && "no trainable parameters found, did you forget to call ggml_set_param?"'],
    [
      () => lib.ggml_opt_alloc(dynamic(), false),
      ': assertion failed: opt_ctx->ctx_compute && "no compute context set, either use static graphs or set one with',
    ],
    [
      () => lib.ggml_opt_alloc(optimizer({ build_type: lib.GGML_OPT_BUILD_TYPE_FORWARD }), true),
      ": assertion failed: graph",
    ],
    [() => {
      const opt = optimizer();
      lib.ggml_opt_alloc(opt, true);
      lib.ggml_opt_alloc(opt, true);
    }, ": assertion failed: !opt_ctx->eval_ready"],
    [() => {
      const sched = scheduler(4096), opt = optimizer({ backend_sched: sched });
      lib.ggml_opt_alloc(opt, true);
      lib.ggml_opt_eval(opt, null);
      lib.ggml_backend_sched_reset(sched);
      lib.ggml_opt_alloc(opt, true);
    }, "(opt_ctx): its scheduler was reset or given another graph since it allocated its own"],
  ],
  ggml_opt_eval: [
    [() => lib.ggml_opt_eval(optimizer(), null), ": assertion failed: opt_ctx->eval_ready"],
    [
      () => addStep(predicted()),
      ": assertion failed: result->loss_per_datapoint == opt_ctx->loss_per_datapoint",
    ],
    [() => {
      const sched = scheduler(4096), opt = optimizer({ backend_sched: sched });
      lib.ggml_opt_alloc(opt, true);
      lib.ggml_backend_sched_reset(sched);
      lib.ggml_opt_eval(opt, null);
    }, "(opt_ctx): its scheduler was reset or given another graph since ggml_opt_alloc"],
  ],
  ggml_opt_epoch: [
    [
      () => lib.ggml_opt_epoch(dynamic(), dataset, null, null, -1, null, null),
      ': assertion failed: ggml_opt_static_graphs(opt_ctx) && "ggml_opt_epoch requires static graphs"',
    ],
    [() => lib.ggml_opt_epoch(optimizer(), dataset, null, null, 3, null, null), ": assertion failed: idata_split % ndata_batch == 0"],
    [
      () => lib.ggml_opt_epoch(optimizer(), dataset, null, null, 12, null, null),
      ": assertion failed: (ibatch + 1)*shards_per_batch <= int64_t(dataset->permutation.size())",
    ],
    [
      () => lib.ggml_opt_epoch(optimizer(), labelled, null, null, 4, null, null),
      ": assertion failed: (labels_batch == nullptr) == (dataset->labels == nullptr)",
    ],
    [
      () => lib.ggml_opt_epoch(optimizer(), lib.ggml_opt_dataset_init(F32, F32, 3, 0, 8, 2), null, null, 4, null, null),
      ": assertion failed: data->ne[0] == inputs->ne[0]",
    ],
    [() => {
      const sched = scheduler(4096), opt = optimizer({ backend_sched: sched });
      lib.ggml_opt_epoch(opt, dataset, null, null, -1, null, null);
      lib.ggml_backend_sched_alloc_graph((lib.ggml_backend_sched_reset(sched), sched), sums(1));
      lib.ggml_opt_epoch(opt, dataset, null, null, -1, null, null);
    }, "(opt_ctx): its scheduler was reset or given another graph since it allocated its own"],
  ],
  ggml_opt_fit: [
    [() => fit(dataset, 3, 0), ": assertion failed: ndata % nbatch_logical == 0"],
    [() => fit(dataset, 2, 0), ": assertion failed: nbatch_logical % nbatch_physical == 0"],
    [() => fit(dataset, 0, 0), DIVIDED],
    [
      () => fit(dataset, 4, 0, false),
      ': assertion failed: any_params && "no trainable parameters found, did you forget to call ggml_set_param?"',
    ],
    [() => fit(dataset, 4, 1), ": assertion failed: val_split < 1.0f"],
    [() => fit(labelled, 4, 0), ": assertion failed: (labels_batch == nullptr) == (dataset->labels == nullptr)"],
    [() => fit(vast(), 4, 0), "(dataset): there was no memory for its data"],
    [
      () => fit(dataset, 4, 0, true, lib.ggml_new_tensor_2d(ctx, F32, 2, 4)),
      "(inputs): expected a tensor in a backend's buffer, or one without memory, got NONE: f32 ne=[2, 4] in its context's memory",
    ],
  ],
  ggml_opt_epoch_callback_progress_bar: [
    [
      () => lib.ggml_opt_epoch_callback_progress_bar(true, optimizer(), dataset, result, 0, 1, 0),
      DIVIDED,
    ],
    [
      () => lib.ggml_opt_epoch_callback_progress_bar(true, dynamic(), dataset, result, 1, 1, 0),
      ": C used a null pointer (the address 0x18)",
    ],
  ],
};
