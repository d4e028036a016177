/**
 * What walks over the rest of ggml are about: contexts, tensors and their fields, graphs, plans, threadpools, backends, devices and registries, buffers,
 * types of numbers, GGUF files. What builds a tensor is called by `abort.ts`; here a few of those make what the others take.
 *
 * @module
 */

import type { Maker, World } from "./objects.ts";
import type { Value } from "./steps.ts";

const KEYS = [
  "a",
  "number",
  "text",
  "numbers",
  "texts",
  "general.alignment",
  "general.architecture",
  "llama.context_length",
  "",
  "b".repeat(70),
];
/** Keys whose values are one number, by its type. */
const SCALARS: Readonly<Record<string, Value>> = {
  u8: 1,
  i8: -1,
  u16: 2,
  i16: -2,
  i32: -3,
  f32: 0.5,
  u64: { bigint: "4" },
  i64: { bigint: "-4" },
  f64: 0.25,
  bool: true,
};
const NAMES = ["", "a", "weights", "node_0", "leaf_0", "CPU", "token_embd.weight", "n".repeat(100), "%s%n"];
const THREADS: readonly Value[] = [0, 1, 1, 2, 2, 4, -1, 100_000];
const SIZES: readonly Value[] = [0, 1, 8, 16, 64, 100, 4096, 1 << 16, -1, 2 ** 40, { bigint: String(2n ** 62n) }];

/** A context, tensors in it that depend on each other, and a graph of them. */
function makeGraph(maker: Maker, threads: Value = 1): void {
  const { random } = maker, n = random.pick([1, 4, 32]);
  const ctx = maker.make("context", 1 << 20, random.percent(40)), type = random.percent(85) ? 0 : random.pick([1, 2, 8, 26]);
  const input = maker.make("tensor", ctx, type, 32, n);
  maker.call("ggml_view_1d", ctx, input, random.pick([1, 4, 32]), random.pick([0, 4, 64]));
  const result = maker.make("layers", ctx, input, random.below(6), random.below(1 << 12));
  const graph = maker.make("graph", ctx, result, random.pick([1, 8, 2048]));
  if (random.percent(40)) maker.make("place", ctx, maker.one("ggml_backend"));
  if (random.percent(30)) maker.call("ggml_graph_plan", graph, threads, random.percent(50) ? maker.one("ggml_threadpool") : null);
}

/** Sets a field of a plan or a tensor by hand. */
function poke(maker: Maker): void {
  const { random } = maker;
  if (random.percent(40)) {
    const [field, values] = random.pick<readonly [string, readonly Value[]]>([
      ["n_threads", THREADS],
      ["work_size", [0, 1, 64, 2 ** 40]],
      ["work_data", [null, { array: "Uint8Array", items: [1, 2, 3] }]],
      ["threadpool", [null, maker.one("ggml_threadpool")]],
      ["use_ref", [true]],
    ]);
    maker.set(maker.one("ggml_cplan"), field, random.pick(values));
    return;
  }
  const [field, values] = random.pick<readonly [string, readonly Value[]]>([
    ["type", [0, 1, 2, 24, 26]],
    ["op", [0, 1, 2, 29, 40]],
    ["flags", [0, 1, 4, 16, 31]],
    ["data", [null]],
    ["buffer", [null, maker.one("ggml_backend_buffer")]],
    ["view_src", [null, maker.one("ggml_tensor")]],
    ["view_offs", [0, 4, 1 << 20]],
    ["name", ["", "a", "weights"]],
  ]);
  maker.set(maker.one("ggml_tensor"), field, random.pick(values));
}

/** Parameters of the functions that take a struct. */
function makeParams(maker: Maker): void {
  const { random } = maker;
  maker.make(
    "struct",
    "ggml_init_params",
    "mem_size",
    random.pick<Value>([0, 1, 100, 4096, 1 << 20, 2 ** 60]),
    "no_alloc",
    random.percent(50),
  );
  maker.make("struct", "ggml_bf16_t", "bits", random.pick([0, 0x3f80, 0x7fc0, 0xffff]));
  maker.make("struct", "ggml_backend_dev_props");
  maker.make("struct", "gguf_init_params", "no_alloc", random.percent(70));
  maker.make("poolParams", random.pick([1, 2, 2, 0, -1, 100_000]), random.pick([0, 0, 50, 101]), random.percent(20));
}

function makeFile(maker: Maker): void {
  const { random } = maker;
  if (random.percent(50)) maker.make("metadata", random.pick(["no_vocab", "llama"]));
  const file = maker.call("gguf_init_empty");
  if (random.percent(70)) maker.call("gguf_set_val_u32", file, "number", 7);
  if (random.percent(40)) { for (const [type, value] of Object.entries(SCALARS)) maker.call(`gguf_set_val_${type}`, file, type, value); }
  if (random.percent(70)) maker.call("gguf_set_val_str", file, "text", "the thing");
  if (random.percent(70)) maker.call("gguf_set_arr_data", file, "numbers", 5, { array: "Uint8Array", items: new Array(16).fill(1) }, 4);
  if (random.percent(70)) maker.call("gguf_set_arr_str", file, "texts", { list: ["a", "bc"] }, 2);
  if (random.percent(70)) maker.call("gguf_add_tensor", file, maker.one("ggml_tensor"));
}

/** The functions of other worlds, those that build tensors, those of other backends, and what only prints or ends the process. */
const EXCEPT = [
  /^ggml_(backend_sched_|gallocr_|tallocr_|backend_alloc_|backend_tensor_alloc|backend_view_init|backend_graph_copy$|opt_)/,
  /^ggml_backend_(is_)?(blas|cann|cuda|et|hexagon|metal|opencl|openvino|rpc|sycl|virtgpu|vk|webgpu|zdnn|zendnn)(_|$)/,
  /_is_openvino|_meta_device$|^ggml_(abort|set_abort_callback|log_\w+|print_\w+|fopen|numa_init|time_\w+|cycles\w*|cpu_(has|get)_\w+|quantize_init)$/,
  /^ggml_backend_(register|device_register|unload|load_all\w*)$|_ptr$/,
];

/** See the file's beginning. */
export const ggml: Omit<World, "check"> = {
  names: /^(ggml|gguf)_/,
  except: new RegExp(EXCEPT.map(({ source }) => source).join("|")),
  withoutBuilders: true,
  start(maker) {
    const cpu = maker.make("cpu", 2);
    maker.make("cpu", 1);
    maker.make("threadpool", 2);
    maker.call("ggml_backend_alloc_buffer", cpu, 4096);
    const registry = maker.call("ggml_backend_cpu_reg");
    if (maker.random.percent(50)) maker.call("ggml_backend_register", registry);
    maker.call("ggml_backend_get_device", cpu);
    maker.call("ggml_backend_cpu_buffer_type");
    makeParams(maker);
    makeFile(maker);
    maker.make("bytes", maker.random.pick([128, 4096]));
    for (let i = 0; i < 3; i++) makeGraph(maker);
  },
  more: [
    (maker) => makeGraph(maker, maker.random.pick(THREADS)),
    makeFile,
    makeParams,
    poke,
    poke,
    (maker) => maker.make("cpu", maker.random.pick([1, 2])),
    (maker) => maker.make("threadpool", maker.random.pick([1, 2])),
    (maker) => maker.call("ggml_backend_cpu_set_threadpool", maker.one("ggml_backend"), maker.one("ggml_threadpool")),
    (maker) => maker.call("ggml_graph_plan", maker.one("ggml_cgraph"), maker.random.pick(THREADS), maker.one("ggml_threadpool")),
    (maker) => maker.call("ggml_graph_compute_with_ctx", maker.one("ggml_context"), maker.one("ggml_cgraph"), 2),
    (maker) => maker.call("ggml_backend_graph_compute", maker.one("ggml_backend"), maker.one("ggml_cgraph")),
    (maker) => maker.make("struct", "ggml_tensor"),
    (maker) => maker.make("bytes", maker.random.pick([0, 1, 16, 144, 4096])),
  ],
  arguments: {
    "ggml_abort_callback": ({ random }) =>
      random.percent(40) ? null : { callback: "ggml_abort_callback", does: random.pick(["no", "no", "yes", "throws", "fails"]) },
    "ggml_backend_eval_callback": ({ random }) => ({
      callback: "ggml_backend_eval_callback",
      does: random.pick(["yes", "yes", "no", "throws", "fails"]),
    }),
    "gguf_reader_callback_t": ({ random }) =>
      random.percent(20) ? null : { callback: "gguf_reader_callback_t", does: random.pick(["zero", "throws", "fails"]) },
    "(user_data)": () => null,
    "(userdata)": () => null,
    "(abort_callback_data)": () => null,
    "(n_threads)": ({ random }) => random.pick(THREADS),
    "(key)": ({ random }) => random.pick(KEYS),
    "(key_id)": ({ random }) => random.pick([...Array(16).keys(), -1, 100]),
    "(i0)": indexOf,
    "(i1)": indexOf,
    "(i2)": indexOf,
    "(i3)": indexOf,
    "(index)": indexOf,
    "ggml_get_unary_op(tensor)": (maker) => maker.call("ggml_relu", maker.one("ggml_context"), maker.one("ggml_tensor")),
    "ggml_get_glu_op(tensor)": (maker) => maker.call("ggml_geglu", maker.one("ggml_context"), maker.one("ggml_tensor")),
    "ggml_rope_set_offset(a)": roped,
    "(tensor_id)": ({ random }) => random.pick([0, 0, 1, -1, 5, 1000]),
    "(name)": ({ random }) => random.pick(NAMES),
    "(fname)": ({ random }) => ({ path: random.pick(["model", "model-llama", "garbage", "empty", "cut", "missing", "folder", "out"]) }),
    "gguf_write_to_file(fname)": ({ random }) => ({ path: random.pick(["out", "out", "folder", "missing/out"]) }),
    "(filename)": ({ random }) => ({ path: random.pick(["out", "folder", "missing/out"]) }),
    "ggml_backend_load(path)": ({ random }) => ({ path: random.pick(["garbage", "empty", "missing", "folder"]) }),
    "(size)": ({ random }) => random.pick(SIZES),
    "(offset)": ({ random }) => random.pick(SIZES),
    "(n_copies)": ({ random }) => random.pick<Value>([0, 1, 2, 3, 2 ** 40]),
    "ggml_new_graph_custom(size)": ({ random }) =>
      random.pick<Value>([0, 1, 8, 100, 2048, 2 ** 31, 2 ** 40, { bigint: String(2n ** 61n) }]),
    "(data)": dataOf,
    "(ptr)": dataOf,
    "ggml_new_tensor(ne)": ({ random }) => ({
      array: "BigInt64Array",
      items: Array.from({ length: random.below(5) }, () => random.pick([0, 1, 2, 32, 64, -1, 2 ** 40])),
    }),
    "gguf_set_arr_str(data)": ({ random }) => ({
      list: Array.from({ length: random.below(4) }, () => random.pick<Value>(["", "a", "\u2603", null])),
    }),
    "ggml_quantize_chunk(type)": ({ random }) => random.pick([0, 1, 2, 3, 8, 9, 12, 14, 15, 24, 26, 30, 34]), // not those whose tables take seconds
    "ggml_quantize_chunk(src)": ({ random }) => ({ array: "Float32Array", items: new Array(random.pick([0, 32, 256, 512])).fill(0.5) }),
    "ggml_quantize_chunk(dst)": ({ random }) => ({ array: "Uint8Array", items: new Array(random.pick([0, 18, 210, 2048])).fill(0) }),
    "ggml_quantize_chunk(imatrix)": ({ random }) =>
      random.percent(40) ? null : { array: "Float32Array", items: new Array(random.pick([32, 256])).fill(random.pick([0, 1, -1])) },
    "(n_per_row)": ({ random }) => random.pick([0, 1, 32, 256, 512, -256]),
    "(nrows)": ({ random }) => random.pick([0, 1, 2, -1, 1 << 20]),
    "ggml_quantize_chunk(start)": ({ random }) => random.pick([0, 0, 0, 32, 256, -256, 1]),
  },
  numbers: [0, 0, 1, 1, 2, 3, 4, 8, 16, 31, 32, 33, 64, 256, -1, -2, 255, 1000, 65_536, 2 ** 31 - 1, -(2 ** 31)],
};

function indexOf({ random }: Maker): Value {
  return random.pick([0, 0, 0, 0, 0, 0, 1, 31, 32, -1]);
}

/** A tensor that was turned. */
function roped(maker: Maker): Value {
  const ctx = maker.one("ggml_context"), a = maker.call("ggml_new_tensor_2d", ctx, 0, 32, 1);
  return maker.call("ggml_rope", ctx, a, maker.call("ggml_new_tensor_1d", ctx, 26, 1), 32, 0);
}

function dataOf(maker: Maker): Value {
  const { random } = maker, made = maker.one("Uint8Array");
  if (made !== null && random.percent(60)) return made;
  return { array: "Uint8Array", items: new Array(random.pick([0, 1, 4, 16, 64])).fill(random.below(256)) };
}
