/**
 * Calls with wrong arguments, by the C function that they call: what would end the process in C, or read what isn't there. Each must be an Error;
 * most are C's own assertions, some what is looked at before (`ffi/checks/`).
 *
 * @module
 */

import { lib } from "@ggml/deno";
import { Pointer } from "@ggml/deno/ffi";
import { init } from "@ggml/deno/utils";

/** A call, and what is wrong with it. */
export type Case = readonly [call: () => unknown, message: string];

const { GGML_TYPE_F32: F32, GGML_TYPE_Q4_0: Q4_0, GGML_TYPE_I32: I32, GGML_TYPE_F64: F64 } = lib;
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

/** A file's metadata with one value of each kind. */
const gguf = lib.gguf_init_empty();
lib.gguf_set_val_u32(gguf, "number", 1);
lib.gguf_set_val_str(gguf, "text", "a");
lib.gguf_set_arr_data(gguf, "numbers", lib.GGUF_TYPE_UINT32, new Uint32Array([1, 2]), 2);
lib.gguf_set_arr_str(gguf, "texts", ["a", "b"], 2);
const [number, text, numbers, texts] = [0, 1, 2, 3];
lib.ggml_set_name(inContext, "weights");
lib.gguf_add_tensor(gguf, inContext);
const withoutData = lib.gguf_init_empty();
lib.gguf_add_tensor(withoutData, nowhere());

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

function lossy(): lib.ggml_tensor {
  const loss = lib.ggml_sum(ctx, lib.ggml_new_tensor_1d(ctx, F32, 4));
  lib.ggml_set_loss(loss);
  return loss;
}

const optParams = (fields: object) => Object.assign(lib.ggml_opt_default_params(scheduler(), lib.GGML_OPT_LOSS_TYPE_SUM), fields);
const pars = new lib.ggml_opt_get_optimizer_params((userdata) => lib.ggml_opt_get_default_optimizer_params(userdata));
const batch = inBuffer(F32, 2, 4);
const fit = (data: lib.ggml_opt_dataset, logical: number, split: number, inputs = batch) =>
  lib.ggml_opt_fit(
    scheduler(),
    ctx,
    inputs,
    inputs,
    data,
    lib.GGML_OPT_LOSS_TYPE_SUM,
    lib.GGML_OPT_OPTIMIZER_TYPE_SGD,
    pars,
    1,
    logical,
    split,
    true,
  );

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

function getters(): Record<string, Case[]> {
  const kinds = ["u8", "i8", "u16", "i16", "i32", "f32", "u64", "i64", "f64", "bool", "str"];
  return Object.fromEntries(kinds.map((kind) => {
    const name = `gguf_get_val_${kind}`;
    return [name, [
      [call(name, gguf, number), `(key_id): "number" is a u32, not a ${kind}`],
      [call(name, gguf, numbers), `(key_id): "numbers" is an array of 2 u32, not a ${kind}`],
      [call(name, gguf, 4), "(key_id): expected the index of a key, from 0 to 3, got 4"],
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
      [call(name, gguf, "general.alignment", value), '(key): "general.alignment" must be a u32'],
      [call(name, gguf, "", value), '(key): expected a name, got the string ""'],
    ]];
  }));
}

function ofTensors(): Record<string, Case[]> {
  const names = ["offset", "name", "ne", "type", "size"].map((what) => `gguf_get_tensor_${what}`);
  return Object.fromEntries(names.map((name) => [name, [
    [call(name, gguf, 1), "(tensor_id): expected the index of a tensor, of which there is 0 only, got 1"],
    [call(name, gguf, -1n), "(tensor_id): expected the index of a tensor"],
    [call(name, lib.gguf_init_empty(), 0), "(tensor_id): expected the index of a tensor, of which there is none, got 0"],
  ]]));
}

function elements(): Record<string, Case[]> {
  const cases: Record<string, Case[]> = {};
  const wide = lib.ggml_new_tensor_1d(ctx, F64, 4);
  for (const type of ["i32", "f32"]) {
    for (const verb of ["get", "set"]) {
      const value = verb === "set" ? [1] : [], name = `ggml_${verb}_${type}`;
      cases[`${name}_1d`] = [
        [call(`${name}_1d`, wide, 0, ...value), "(tensor): expected i8, i16, i32, f16, bf16 or f32, got"],
        [call(`${name}_1d`, nowhere(), 0, ...value), "(tensor): the tensor was not allocated"],
        [call(`${name}_1d`, inContext, 4, ...value), "(i): expected the index of an element, from 0 to 3, got 4"],
        [call(`${name}_1d`, inContext, -1, ...value), "(i): expected"],
      ];
      cases[`${name}_nd`] = [
        [call(`${name}_nd`, wide, 0, 0, 0, 0, ...value), "(tensor): expected i8"],
        [call(`${name}_nd`, inContext, 0, 1, 0, 0, ...value), "(i1): expected the index of a row, of which there is 0 only, got 1"],
        [call(`${name}_nd`, inContext, 0, 0, 0, -1, ...value), "(i3): expected"],
      ];
    }
    const transposed = lib.ggml_transpose(ctx, lib.ggml_new_tensor_2d(ctx, F32, 3, 4));
    cases[`ggml_set_${type}`] = [
      [call(`ggml_set_${type}`, wide, 1), "(tensor): expected i8"],
      [call(`ggml_set_${type}`, nowhere(), 1), "(tensor): the tensor was not allocated"],
      [call(`ggml_set_${type}`, transposed, 1), "(tensor): expected elements of a row next to each other, got nb[0]=12"],
    ];
    cases[`ggml_new_${type}`] = [
      [call(`ggml_new_${type}`, empty(), 1), "(ctx): the context was made with no_alloc"],
      [call(`ggml_new_${type}`, init({ memSize: 128 }), 1), "(ctx): not enough memory in the context: 384 bytes are needed, 128 are free"],
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
        [call(name, ...before, four, bytes(64), 8, 12, ...after), "(size): expected to end within the tensor's 16 bytes, got an end at"],
        [call(name, ...before, inContext, bytes(64), 0, 4, ...after), "(tensor): the tensor is in no backend's buffer"],
        [call(name, ...before, nowhere(), bytes(64), 0, 4, ...after), "(tensor): the tensor is in no backend's buffer"],
        [call(name, ...before, four, bytes(2), 0, 4, ...after), "(data): expected at least"],
      ];
    }
  }
  return cases;
}

function ofBareBackend(): Record<string, Case[]> {
  const event = new lib.ggml_backend_event(1n), plan = new Pointer(1n), never = new lib.ggml_abort_callback(() => false);
  const message = "(backend_cpu): expected a CPU backend, got bare";
  return {
    ggml_backend_cpu_set_n_threads: [
      [() => lib.ggml_backend_cpu_set_n_threads(bare, 1), message],
      [() => lib.ggml_backend_cpu_set_n_threads(cpu, 513), "(n_threads): expected at most 512, got 513"],
    ],
    ggml_backend_cpu_set_threadpool: [[() => lib.ggml_backend_cpu_set_threadpool(bare, null), message]],
    ggml_backend_cpu_set_abort_callback: [[() => lib.ggml_backend_cpu_set_abort_callback(bare, never, null), message]],
    ggml_backend_cpu_set_use_ref: [[() => lib.ggml_backend_cpu_set_use_ref(bare, true), message]],
    ggml_backend_graph_plan_create: [[() => lib.ggml_backend_graph_plan_create(bare, sums(1)), "(backend): the backend bare has no plans"]],
    ggml_backend_graph_plan_compute: [[() => lib.ggml_backend_graph_plan_compute(bare, plan), "(backend): the backend bare has no plans"]],
    ggml_backend_event_record: [[() => lib.ggml_backend_event_record(event, bare), "(backend): the backend bare has no events"]],
    ggml_backend_event_wait: [[() => lib.ggml_backend_event_wait(bare, event), "(backend): the backend bare has no events"]],
    ggml_backend_dev_buffer_from_host_ptr: [
      [
        () => lib.ggml_backend_dev_buffer_from_host_ptr(lib.ggml_backend_get_device(bare), bytes(64), 64, 64),
        "(device): bare can't make buffers of host memory",
      ],
    ],
  };
}

/** The cases, by function. */
export const cases: Record<string, Case[]> = {
  ggml_init: [[
    () => lib.ggml_init(new lib.ggml_init_params({ mem_size: 2 ** 50 })),
    "(params): there is no memory for mem_size 1125899906842624",
  ]],
  ggml_graph_node: [
    [() => lib.ggml_graph_node(sums(2), 2), "(i): expected the index of a node, from 0 to 1, got 2"],
    [() => lib.ggml_graph_node(sums(2), -3), "(i): expected the index of a node, from 0 to 1, got -1"],
  ],
  ggml_graph_dump_dot: [[() => lib.ggml_graph_dump_dot(sums(1), null, "no such folder/graph.dot"), "(filename): can't write to"]],
  ggml_quantize_chunk: [
    [() => lib.ggml_quantize_chunk(I32, floats(32), bytes(128), 0, 1, 32, null), "(type): ggml can't quantize to i32"],
    [
      () => lib.ggml_quantize_chunk(lib.GGML_TYPE_IQ2_XXS, floats(256), bytes(66), 0, 1, 256, null),
      "(imatrix): iq2_xxs can't be quantized",
    ],
    [() => lib.ggml_quantize_chunk(Q4_0, floats(31), bytes(18), 0, 1, 31, null), "(n_per_row): expected a multiple of 32"],
    [() => lib.ggml_quantize_chunk(Q4_0, floats(96), bytes(54), 32, 1, 64, null), "(start): expected a multiple of 64 (n_per_row), got 32"],
    [() => lib.ggml_quantize_chunk(Q4_0, floats(32), bytes(18), 0, 1, 0, null), "(n_per_row): expected at least 1, got 0"],
  ],
  ggml_backend_graph_compute: [[() => lib.ggml_backend_graph_compute(cpu, sums(1)), ": node 0 (ADD"]],
  ggml_backend_graph_compute_async: [[() => lib.ggml_backend_graph_compute_async(cpu, sums(1)), ": node 0 (ADD"]],
  ...getters(),
  gguf_get_val_u32: [[call("gguf_get_val_u32", gguf, text), '(key_id): "text" is a str, not a u32']],
  gguf_get_key: [
    [() => lib.gguf_get_key(gguf, 4), "(key_id): expected the index of a key, from 0 to 3, got 4"],
    [() => lib.gguf_get_key(gguf, -1), "(key_id): expected the index of a key, from 0 to 3, got -1"],
  ],
  gguf_get_kv_type: [[() => lib.gguf_get_kv_type(gguf, 4), "(key_id): expected the index of a key"]],
  gguf_get_arr_n: [[() => lib.gguf_get_arr_n(gguf, 4), "(key_id): expected the index of a key"]],
  gguf_get_arr_type: [
    [() => lib.gguf_get_arr_type(gguf, number), '(key_id): "number" is a u32, not an array'],
    [() => lib.gguf_get_arr_type(gguf, 4), "(key_id): expected the index of a key"],
  ],
  gguf_get_arr_data: [
    [() => lib.gguf_get_arr_data(gguf, texts), '(key_id): "texts" is an array of 2 str, not an array of numbers'],
    [() => lib.gguf_get_arr_data(gguf, 4), "(key_id): expected the index of a key"],
  ],
  gguf_get_arr_str: [
    [() => lib.gguf_get_arr_str(gguf, numbers, 0), '(key_id): "numbers" is an array of 2 u32, not an array of strings'],
    [() => lib.gguf_get_arr_str(gguf, texts, 2), "(i): expected the index of a string, from 0 to 1, got 2"],
    [() => lib.gguf_get_arr_str(gguf, 4, 0), "(key_id): expected the index of a key"],
  ],
  gguf_get_val_data: [
    [() => lib.gguf_get_val_data(gguf, text), '(key_id): "text" is a str, not one number'],
    [() => lib.gguf_get_val_data(gguf, numbers), '(key_id): "numbers" is an array of 2 u32, not one number'],
  ],
  ...ofTensors(),
  ...setters(),
  gguf_set_val_u32: [[
    () => lib.gguf_set_val_u32(gguf, "general.alignment", 3),
    '(val): "general.alignment" must be a power of two, got 3',
  ]],
  gguf_set_arr_data: [
    [() => lib.gguf_set_arr_data(gguf, "x", lib.GGUF_TYPE_STRING, bytes(64), 2), "(type): expected a type of numbers, got str"],
    [() => lib.gguf_set_arr_data(gguf, "general.alignment", lib.GGUF_TYPE_UINT8, bytes(4), 4), "(key): "],
    [() => lib.gguf_set_arr_data(gguf, "x", lib.GGUF_TYPE_UINT64, bytes(15), 2), "(data): expected at least 16 bytes"],
  ],
  gguf_set_arr_str: [[() => lib.gguf_set_arr_str(gguf, "general.alignment", ["a"], 1), "(key): "]],
  gguf_set_kv: [[() => lib.gguf_set_kv(gguf, gguf), "(src): expected another gguf_context, got ctx itself"]],
  gguf_add_tensor: [[() => lib.gguf_add_tensor(gguf, inContext), '(tensor): there is a tensor "weights" already']],
  gguf_set_tensor_type: [
    [() => lib.gguf_set_tensor_type(gguf, "nothing", F32), '(name): there is no tensor "nothing"'],
    [() => lib.gguf_set_tensor_type(gguf, "weights", Q4_0), "(type): expected a multiple of 32 (the block size of q4_0"],
  ],
  gguf_set_tensor_data: [
    [() => lib.gguf_set_tensor_data(gguf, "nothing", bytes(16)), '(name): there is no tensor "nothing"'],
    [() => lib.gguf_set_tensor_data(gguf, "weights", bytes(15)), "(data): expected at least 16 bytes"],
  ],
  gguf_write_to_file: [[() => lib.gguf_write_to_file(withoutData, "/dev/null", false), "(ctx): a tensor has no data"]],
  gguf_write_to_file_ptr: [
    [() => lib.gguf_write_to_file_ptr(withoutData, lib.ggml_fopen("/dev/null", "wb")!, false), "(ctx): a tensor has no data"],
  ],

  ...transfers(),
  ggml_backend_tensor_memset: [
    [() => lib.ggml_backend_tensor_memset(four, 0, 8, 12), "(size): expected to end within the tensor's 16 bytes, got an end at 20"],
    [() => lib.ggml_backend_tensor_memset(inContext, 0, 0, 4), "(tensor): the tensor is in no backend's buffer"],
  ],
  ggml_backend_tensor_copy: [
    [() => lib.ggml_backend_tensor_copy(four, inBuffer(F32, 5)), "(dst): expected the same type, shape and strides"],
    [() => lib.ggml_backend_tensor_copy(inContext, four), "(src): the tensor is in no backend's buffer"],
    [() => lib.ggml_backend_tensor_copy(four, inContext), "(dst): the tensor is in no backend's buffer"],
  ],
  ggml_backend_tensor_copy_async: [
    [() => lib.ggml_backend_tensor_copy_async(cpu, cpu, four, inBuffer(I32, 4)), "(dst): expected the same type, shape and strides"],
  ],
  ggml_backend_reg_get: [[() => lib.ggml_backend_reg_get(1000), "(index): expected the index of a registered backend"]],
  ggml_backend_dev_get: [[() => lib.ggml_backend_dev_get(1000), "(index): expected the index of a device"]],
  ggml_backend_reg_dev_get: [
    [
      () => lib.ggml_backend_reg_dev_get(lib.ggml_backend_cpu_reg(), 1),
      "(index): expected the index of a device of the backend, of which there is 0 only",
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
      "(n_devs): expected 1 to 16, got 17",
    ],
  ],
  ggml_backend_cpu_buffer_from_ptr: [
    [
      () => lib.ggml_backend_cpu_buffer_from_ptr(lib.ggml_get_mem_buffer(ctx)!.bytes(64).subarray(1), 32),
      "(ptr): expected memory aligned to 32 bytes",
    ],
  ],
  ggml_backend_view_init: [
    [() => lib.ggml_backend_view_init(nowhere()), "(tensor): the tensor is no view"],
    [() => lib.ggml_backend_view_init(four), "(tensor): the tensor is in a buffer already"],
    [
      () => lib.ggml_backend_view_init(lib.ggml_view_1d(ctx, inContext, 2, 0)),
      '(tensor): the tensor is a view of "weights" (f32 ne=[4, 1, 1, 1]), which is in no',
    ],
  ],
  ggml_backend_tensor_alloc: [
    [() => lib.ggml_backend_tensor_alloc(four.buffer!, four, four.data!), "(tensor): the tensor is allocated already"],
    [
      () => lib.ggml_backend_tensor_alloc(four.buffer!, lib.ggml_view_1d(empty(), nowhere(), 2, 0), four.data!),
      "(tensor): the tensor is a view",
    ],
    [
      () => lib.ggml_backend_tensor_alloc(four.buffer!, nowhere(), new Pointer(four.data!.address - 32n)),
      "(addr): expected 16 bytes within the buffer's",
    ],
    [
      () => lib.ggml_backend_tensor_alloc(four.buffer!, nowhere(), new Pointer(four.data!.address + 1024n)),
      "(addr): expected 16 bytes within the buffer's",
    ],
  ],
  ggml_backend_graph_copy: [[() => lib.ggml_backend_graph_copy(cpu, sums(1)), "(graph): the tensor is in no backend's buffer"]],
  ggml_backend_compare_graph_backend: [
    [
      () => lib.ggml_backend_compare_graph_backend(cpu, cpu, sums(1), new lib.ggml_backend_eval_callback(() => true), null, null, 0),
      "(graph): the tensor is in no backend's buffer",
    ],
  ],
  ggml_backend_sched_new: [
    [() => lib.ggml_backend_sched_new([cpu, bare], null, 2, 64, false, false), "(backends): expected a CPU backend as the last, got bare"],
    [() => lib.ggml_backend_sched_new([], null, 0, 64, false, false), "(n_backends): expected 1 to 16, got 0"],
    [() => lib.ggml_backend_sched_new(Array(17).fill(cpu), null, 17, 64, false, false), "(n_backends): expected 1 to 16, got 17"],
    [() => lib.ggml_backend_sched_new([cpu], null, 1, 2 ** 31, false, false), "(graph_size): expected 0 to 1048576"],
  ],
  ggml_backend_sched_get_backend: [[
    () => lib.ggml_backend_sched_get_backend(scheduler(), 1),
    "(i): expected the index of a backend, of which there is 0 only, got 1",
  ]],
  ggml_backend_sched_get_buffer_type: [
    [
      () => lib.ggml_backend_sched_get_buffer_type(scheduler(), lib.ggml_backend_cpu_init()!),
      "(backend): expected one of the scheduler's 1 backends, got CPU",
    ],
  ],
  ggml_backend_sched_get_buffer_size: [
    [() => lib.ggml_backend_sched_get_buffer_size(scheduler(), lib.ggml_backend_cpu_init()!), "(backend): expected one of the scheduler's"],
  ],
  ggml_backend_sched_set_tensor_backend: [
    [
      () => lib.ggml_backend_sched_set_tensor_backend(scheduler(), four, lib.ggml_backend_cpu_init()!),
      "(backend): expected one of the scheduler's",
    ],
  ],
  ggml_backend_sched_reserve: [[
    () => lib.ggml_backend_sched_reserve(scheduler(1), sums(100)),
    "(measure_graph): the graph has 100 nodes and 1 leafs",
  ]],
  ggml_backend_sched_reserve_size: [
    [() => lib.ggml_backend_sched_reserve_size(scheduler(1), sums(100), new BigUint64Array(1)), "(measure_graph): the graph has 100 nodes"],
  ],
  ggml_backend_sched_alloc_graph: [
    [
      () => lib.ggml_backend_sched_alloc_graph(scheduler(1), sums(100)),
      "(graph): the graph has 100 nodes and 1 leafs, the scheduler was made for",
    ],
    [() => {
      const sched = scheduler(), graph = sums(1);
      lib.ggml_backend_sched_alloc_graph(sched, graph);
      lib.ggml_backend_sched_alloc_graph(sched, graph);
    }, "(graph): the scheduler holds it already: call ggml_backend_sched_reset first"],
  ],
  ggml_backend_sched_graph_compute: [[
    () => lib.ggml_backend_sched_graph_compute(scheduler(1), sums(100)),
    "(graph): the graph has 100 nodes",
  ]],
  ggml_backend_sched_graph_compute_async: [[
    () => lib.ggml_backend_sched_graph_compute_async(scheduler(1), sums(100)),
    "(graph): the graph has 100 nodes",
  ]],

  ggml_tallocr_alloc: [
    [
      () =>
        lib.ggml_tallocr_alloc(lib.ggml_tallocr_new(lib.ggml_backend_alloc_buffer(cpu, 64)!), lib.ggml_new_tensor_1d(empty(), F32, 100)),
      "(tensor): the buffer has ",
    ],
    [() => lib.ggml_tallocr_alloc(new lib.ggml_tallocr(), nowhere()), "(talloc): expected what ggml_tallocr_new made"],
    [
      () => lib.ggml_tallocr_alloc(lib.ggml_tallocr_new(lib.ggml_backend_alloc_buffer(cpu, 64)!), inContext),
      "(tensor): the tensor is allocated already",
    ],
  ],
  ggml_gallocr_new_n: [[() => lib.ggml_gallocr_new_n([], -1), "(n_bufs): expected at least 1, got -1"]],
  ggml_gallocr_reserve_n: [
    [
      () => lib.ggml_gallocr_reserve_n(allocator(), sums(2), new Int32Array([0, 1]), null),
      "(node_buffer_ids)[1]: expected the index of a buffer, of which there is 0 only, got 1",
    ],
    [() => lib.ggml_gallocr_reserve_n(allocator(), sums(2), new Int32Array(2), new Int32Array([-1])), "(leaf_buffer_ids)[0]: expected"],
    [() => lib.ggml_gallocr_reserve_n(allocator(), sums(2), new Int32Array(1), null), "(node_buffer_ids): expected at least 2 int32s"],
    [
      () => lib.ggml_gallocr_reserve_n(allocator(), sums(2), new Int32Array(2), new Int32Array(0)),
      "(leaf_buffer_ids): expected at least one int32",
    ],
  ],
  ggml_gallocr_reserve_n_size: [
    [
      () => lib.ggml_gallocr_reserve_n_size(allocator(), sums(2), new Int32Array([0, -1]), null, new BigUint64Array(1)),
      "(node_buffer_ids)[1]: expected",
    ],
    [
      () => lib.ggml_gallocr_reserve_n_size(allocator(), sums(2), null, null, new BigUint64Array(0)),
      "(sizes): expected at least one uint64",
    ],
  ],
  ggml_gallocr_alloc_graph: [[() => {
    const galloc = allocator(), graph = sums(2);
    lib.ggml_gallocr_reserve_n_size(galloc, graph, null, null, new BigUint64Array(1));
    lib.ggml_gallocr_alloc_graph(galloc, graph);
  }, "(galloc): the graph's buffers were measured and not allocated"]],
  ggml_gallocr_get_buffer_size: [[
    () => lib.ggml_gallocr_get_buffer_size(allocator(), 1),
    "(buffer_id): expected the index of a buffer, of which there is 0 only, got 1",
  ]],
  ggml_backend_alloc_ctx_tensors: [
    [() => lib.ggml_backend_alloc_ctx_tensors(ctx, cpu), "(ctx): expected a context made with no_alloc"],
    [() => {
      const own = empty();
      lib.ggml_view_1d(own, nowhere(), 2, 0);
      lib.ggml_new_tensor_1d(own, F32, 4);
      lib.ggml_backend_alloc_ctx_tensors(own, cpu);
    }, "(ctx): the tensor is a view of a tensor (f32 ne=[4, 1, 1, 1]), which is in no backend's buffer"],
  ],
  ggml_backend_alloc_ctx_tensors_from_buft: [[
    () => lib.ggml_backend_alloc_ctx_tensors_from_buft(ctx, cpuType),
    "(ctx): expected a context made with no_alloc",
  ]],
  ggml_backend_alloc_ctx_tensors_from_buft_size: [
    [() => lib.ggml_backend_alloc_ctx_tensors_from_buft_size(ctx, cpuType), "(ctx): expected a context made with no_alloc"],
  ],

  ...elements(),
  ...ofBareBackend(),
  ggml_threadpool_new: [
    [() => lib.ggml_threadpool_new(new lib.ggml_threadpool_params({ n_threads: 0 })), "(params): n_threads: expected 1 to 512, got 0"],
    [() => lib.ggml_threadpool_new(new lib.ggml_threadpool_params({ n_threads: -1 })), "(params): n_threads: expected 1 to 512, got -1"],
  ],
  ggml_graph_plan: [[() => lib.ggml_graph_plan(sums(1), 513, null), "(n_threads): expected at most 512, got 513"]],
  ggml_graph_compute: [
    [
      () => lib.ggml_graph_compute(graphOf(lib.ggml_add(ctx, inContext, inContext)), new lib.ggml_cplan()),
      "(cplan): n_threads: expected 1 to 512, got 0",
    ],
    [
      () => lib.ggml_graph_compute(graphOf(lib.ggml_add(ctx, inContext, inContext)), new lib.ggml_cplan({ n_threads: 1, work_size: 16 })),
      "(cplan): expected 16 bytes of working memory in work_data, got null",
    ],
  ],
  ggml_graph_compute_with_ctx: [
    [() => lib.ggml_graph_compute_with_ctx(ctx, sums(1), 513), "(n_threads): expected at most 512, got 513"],
    [() => {
      const small = init({ memSize: 64 });
      lib.ggml_graph_compute_with_ctx(small, graphOf(lib.ggml_soft_max(ctx, lib.ggml_new_tensor_1d(ctx, F32, 64))), 1);
    }, "(ctx): not enough memory in the context"],
  ],

  ggml_opt_dataset_init: [
    [() => lib.ggml_opt_dataset_init(F32, F32, 0, 0, 8, 2), "(ne_datapoint): expected at least 1, got 0"],
    [() => lib.ggml_opt_dataset_init(F32, F32, 2, -1, 8, 2), "(ne_label): expected at least 0, got -1"],
    [() => lib.ggml_opt_dataset_init(F32, F32, 2, 0, 0, 2), "(ndata): expected at least 1, got 0"],
    [() => lib.ggml_opt_dataset_init(F32, F32, 2, 0, 8, 0), "(ndata_shard): expected 1 to 8, got 0"],
    [() => lib.ggml_opt_dataset_init(Q4_0, F32, 2, 0, 8, 2), "(ne_datapoint): expected a multiple of 32"],
  ],
  ggml_opt_dataset_shuffle: [
    [() => lib.ggml_opt_dataset_shuffle(optimizer(), dataset, 3), "(idata): expected a multiple of 2 (the data points in a shard), got 3"],
    [() => lib.ggml_opt_dataset_shuffle(optimizer(), dataset, 10), "(idata): expected 0 to 8, got 10"],
  ],
  ggml_opt_dataset_get_batch: [
    [() => lib.ggml_opt_dataset_get_batch(dataset, batch, null, 2), "(ibatch): expected the index of a batch, from 0 to 1, got 2"],
    [() => lib.ggml_opt_dataset_get_batch(dataset, batch, null, -1), "(ibatch): expected"],
    [() => lib.ggml_opt_dataset_get_batch(dataset, batch, four, 0), "(dataset): it has no labels"],
    [() => lib.ggml_opt_dataset_get_batch(labelled, batch, null, 0), "(dataset): it has labels, the batch has none"],
    [() => lib.ggml_opt_dataset_get_batch(dataset, inBuffer(I32, 2, 4), null, 0), "(data_batch): expected f32, as in the data set"],
    [() => lib.ggml_opt_dataset_get_batch(dataset, inBuffer(F32, 3), null, 0), ": the bytes of a batch: expected a multiple of 16"],
    [() => lib.ggml_opt_dataset_get_batch(labelled, batch, inBuffer(F32, 1, 3), 0), "(labels_batch): expected 16 bytes"],
    [
      () => lib.ggml_opt_dataset_get_batch(dataset, lib.ggml_new_tensor_2d(ctx, F32, 2, 4), null, 0),
      "(data_batch): the tensor is in no backend's buffer",
    ],
  ],
  ggml_opt_dataset_get_batch_host: [
    [() => lib.ggml_opt_dataset_get_batch_host(dataset, floats(8), 32, null, 2), "(ibatch): expected the index of a batch"],
    [() => lib.ggml_opt_dataset_get_batch_host(labelled, floats(8), 32, null, 0), "(dataset): it has labels, the batch has none"],
    [() => lib.ggml_opt_dataset_get_batch_host(labelled, floats(8), 32, floats(3), 0), "(labels_batch): expected at least 16 bytes"],
    [() => lib.ggml_opt_dataset_get_batch_host(dataset, floats(8), 33, null, 0), "(data_batch): expected at least 33 bytes"],
    [() => lib.ggml_opt_dataset_get_batch_host(dataset, floats(9), 33, null, 0), ": the bytes of a batch: expected a multiple of 16"],
  ],
  ggml_opt_init: [
    [() => optimizer({ build_type: lib.GGML_OPT_BUILD_TYPE_GRAD }), "(params): build_type: ggml takes forward and opt only"],
    [() => lib.ggml_opt_init(optParams({ opt_period: 0 })), "(params): opt_period: expected at least 1, got 0"],
    [() => lib.ggml_opt_init(optParams({ inputs: batch })), "(params): expected no inputs and outputs without a ctx_compute"],
    [() => lib.ggml_opt_init(optParams({ ctx_compute: ctx })), "(params): expected inputs and outputs with a ctx_compute"],
    [() => lib.ggml_opt_init(optParams({ ctx_compute: ctx, inputs: nowhere(), outputs: batch })), "(params): the inputs are not allocated"],
    [
      () => lib.ggml_opt_init(optParams({ ctx_compute: ctx, inputs: batch, outputs: batch })),
      "(params): no tensor is a parameter: call ggml_set_param",
    ],
    [
      () => lib.ggml_opt_init(optParams({ ctx_compute: ctx, inputs: batch, outputs: lossy() })),
      "(params): the optimizer adds the loss itself",
    ],
    [() => lib.ggml_opt_init(optParams({ backend_sched: null })), "(params): expected a backend_sched, got null"],
  ],
  ggml_opt_grad_acc: [[() => lib.ggml_opt_grad_acc(dynamic(), four), "(opt_ctx): it has no graph for a step backward"]],
  ggml_opt_result_loss: [[
    () => lib.ggml_opt_result_loss(result, new Float64Array(1), null),
    "(unc): expected memory for a double, got null",
  ]],
  ggml_opt_result_pred: [
    [
      () => lib.ggml_opt_result_pred(predicted(), new Int32Array(3)),
      "(pred): expected at least 4 int32s (the result's ndata), got an Int32Array of 3",
    ],
  ],
  ggml_opt_prepare_alloc: [[() => lib.ggml_opt_prepare_alloc(optimizer(), ctx, sums(1), four, four), "(opt_ctx): its graphs are static"]],
  ggml_opt_alloc: [
    [() => {
      const opt = dynamic(), { graph, inputs } = untrainable();
      lib.ggml_opt_prepare_alloc(opt, init({ memSize: 8 << 20, noAlloc: true }), graph, inputs, inputs);
      lib.ggml_opt_alloc(opt, false);
    }, "(opt_ctx): no tensor is a parameter: call ggml_set_param"],
    [() => lib.ggml_opt_alloc(dynamic(), false), "(opt_ctx): there is no graph: call ggml_opt_prepare_alloc first"],
    [
      () => lib.ggml_opt_alloc(optimizer({ build_type: lib.GGML_OPT_BUILD_TYPE_FORWARD }), true),
      "(backward): the optimizer was made with build_type 10",
    ],
    [() => {
      const opt = optimizer();
      lib.ggml_opt_alloc(opt, true);
      lib.ggml_opt_alloc(opt, true);
    }, "(opt_ctx): a graph is allocated already: call ggml_opt_eval first"],
  ],
  ggml_opt_eval: [[() => lib.ggml_opt_eval(optimizer(), null), "(opt_ctx): no graph is allocated: call ggml_opt_alloc first"], [
    () => addStep(predicted()),
    "(result): it holds steps of another optimizer or batch size: call ggml_opt_result_reset first",
  ]],
  ggml_opt_epoch: [
    [() => lib.ggml_opt_epoch(dynamic(), dataset, null, null, -1, null, null), "(opt_ctx): expected static graphs"],
    [() => lib.ggml_opt_epoch(optimizer(), dataset, null, null, 3, null, null), "(idata_split): expected a multiple of 4"],
    [() => lib.ggml_opt_epoch(optimizer(), dataset, null, null, 12, null, null), "(idata_split): expected 0 to 8, got 12"],
    [() => lib.ggml_opt_epoch(optimizer(), labelled, null, null, 4, null, null), "(dataset): it has labels"],
    [
      () => lib.ggml_opt_epoch(optimizer(), lib.ggml_opt_dataset_init(F32, F32, 3, 0, 8, 2), null, null, 4, null, null),
      "(dataset): expected 2 numbers",
    ],
  ],
  ggml_opt_fit: [
    [() => fit(dataset, 3, 0), "(dataset): ndata: expected a multiple of 3"],
    [() => fit(dataset, 2, 0), "(nbatch_logical): expected a multiple of 4"],
    [() => fit(dataset, 0, 0), "(nbatch_logical): expected 1 to 8, got 0"],
    [() => fit(dataset, 4, 0), "(outputs): no tensor is a parameter: call ggml_set_param"],
    [() => fit(dataset, 4, 1), "(val_split): expected at least 0 and less than 1, got 1"],
    [() => fit(labelled, 4, 0), "(dataset): it has labels"],
  ],
  ggml_opt_epoch_callback_progress_bar: [
    [
      () => lib.ggml_opt_epoch_callback_progress_bar(true, optimizer(), dataset, result, 0, 1, 0),
      "(ibatch): expected the number of a batch, from 1, got 0",
    ],
    [() => lib.ggml_opt_epoch_callback_progress_bar(true, dynamic(), dataset, result, 1, 1, 0), "(opt_ctx): it has no inputs yet"],
  ],
};
