/**
 * What walks over objects are about: training, schedulers and allocators, libllama.
 *
 * @module
 */

import { lib } from "@ggml/deno";
import { init } from "@ggml/deno/utils";
import { ggml } from "./ggml_world.ts";
import type { Maker, World } from "./objects.ts";
import { recipes } from "./recipes.ts";
import type { Value } from "./steps.ts";

/** Numbers that are wrong nearly everywhere. */
const ODD = [-1, -2, -7, 255, 256, 257, 1000, 65_536, 1_000_000, 2 ** 31 - 1, -(2 ** 31)];

// Schedulers and allocators

/** A context without memory and tensors in it that depend on each other; a graph of them. */
function makeGraph(maker: Maker): void {
  const { random } = maker;
  const ctx = maker.make("context", 1 << 20, random.percent(85)), type = random.percent(90) ? lib.GGML_TYPE_F32 : lib.GGML_TYPE_F16;
  const n = random.pick([1, 2, 8, 32, 300]);
  const input = maker.make("tensor", ctx, type, n, n);
  if (random.percent(30)) maker.call("ggml_set_input", input);
  const result = maker.make("layers", ctx, input, random.below(8), random.below(1 << 16));
  if (random.percent(30)) maker.call("ggml_set_output", result);
  maker.make("graph", ctx, result, random.pick([1, 4, 32, 2048]));
  if (random.percent(20)) maker.make("place", ctx, maker.one("ggml_backend"));
}

const sched: World = {
  names: /^ggml_(backend_sched_|gallocr_|tallocr_|backend_alloc_|backend_tensor_alloc|backend_view_init|backend_graph_copy$)/,
  except: /_free$/,
  start(maker) {
    const { random } = maker;
    const cpu = maker.make("cpu", 1);
    maker.make("cpu", 2);
    maker.make("scheduler", cpu, random.pick([1, 4, 64, 2048]), random.percent(30));
    maker.call("ggml_gallocr_new", maker.call("ggml_backend_cpu_buffer_type"));
    maker.call("ggml_backend_alloc_buffer", cpu, 1 << 16);
    maker.call("ggml_tallocr_new", maker.one("ggml_backend_buffer"));
    for (let i = 0; i < 3; i++) makeGraph(maker);
  },
  more: [
    makeGraph,
    (maker) => maker.make("scheduler", maker.one("ggml_backend"), maker.random.pick([0, 1, 16, 2048]), maker.random.percent(30)),
    (maker) => maker.call("ggml_backend_sched_reset", maker.one("ggml_backend_sched")),
    (maker) => maker.call("ggml_backend_sched_free", maker.one("ggml_backend_sched")),
    (maker) => maker.call("ggml_gallocr_free", maker.one("ggml_gallocr")),
    (maker) => maker.call("ggml_free", maker.one("ggml_context")),
    (maker) => maker.call("ggml_backend_buffer_free", maker.one("ggml_backend_buffer")),
    (maker) => maker.set(maker.one("ggml_tallocr"), "offset", maker.random.pick([0, 1, 1 << 16, 2 ** 52])),
    (maker) => maker.set(maker.one("ggml_tallocr"), "alignment", maker.random.pick([0, 1, 32, 1 << 16])),
  ],
  arguments: {
    "(graph_size)": ({ random }) =>
      random.pick<Value>([0, 1, 4, 64, 2048, { text: "-0" }, 2 ** 31, 2 ** 40, { bigint: String(2n ** 61n) }]),
    "ggml_backend_sched_eval_callback": ({ random }) =>
      random.percent(40) ? null : { callback: "ggml_backend_sched_eval_callback", does: random.pick(["yes", "no", "throws", "fails"]) },
    "(user_data)": () => null,
    "(node_buffer_ids)": ids,
    "(leaf_buffer_ids)": ids,
    "(sizes)": ({ random }) => ({ array: "BigUint64Array", items: Array.from({ length: random.below(4) }, () => 0) }),
    "(addr)": (maker) =>
      maker.random.percent(50) ? maker.one("Uint8Array") : maker.call("ggml_backend_buffer_get_base", maker.one("ggml_backend_buffer")),
  },
  numbers: [0, 1, 2, 3, 4, 16, 17, 64, 2048, ...ODD],
  check: () => computed(),
};

/** Which buffer each node or leaf shall be in. */
function ids({ random }: Maker): Value {
  if (random.percent(40)) return null;
  return {
    array: "Int32Array",
    items: Array.from({ length: random.below(12) }, () => random.pick([0, 0, 0, 0, 1, 2, -1, 1000, 2 ** 31 - 1])),
  };
}

/** What is wrong with a graph that a new scheduler computes. */
function computed(): string | null {
  using backend = lib.ggml_backend_cpu_init()!;
  lib.ggml_backend_cpu_set_n_threads(backend, 2);
  using ctx = init({ memSize: 1 << 20, noAlloc: true });
  const input = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 3);
  lib.ggml_set_input(input);
  const result = lib.ggml_add(ctx, lib.ggml_sqr(ctx, input), input);
  const graph = lib.ggml_new_graph(ctx);
  lib.ggml_build_forward_expand(graph, result);
  using scheduler = lib.ggml_backend_sched_new([backend], null, 1, 64, false, false);
  lib.ggml_backend_sched_alloc_graph(scheduler, graph);
  lib.ggml_backend_tensor_set(input, new Float32Array([1, 2, 3]), 0, 12);
  lib.ggml_backend_sched_graph_compute(scheduler, graph);
  const got = new Float32Array(3);
  lib.ggml_backend_tensor_get(result, got, 0, 12);
  return got.join() === "2,6,12" ? null : `a scheduler computes ${got.join()} and not 2,6,12`;
}

// Training

const LOSSES = [0, 1, 2, 3];

/** A model that can be trained, or nearly so, and an optimizer for it. */
function makeOptimizer(maker: Maker): void {
  const { random } = maker;
  const fixed = maker.make("context", 1 << 16, random.percent(90));
  const compute = maker.make("context", random.pick([1000, 40_000, 1 << 20, 1 << 20, 1 << 20]), random.percent(90));
  const batch = random.pick([1, 2, 4]), labels = random.pick([1, 3]);
  const model = maker.make("model", fixed, compute, 4, labels, batch, random.percent(85));
  if (random.percent(85)) maker.make("place", fixed, maker.one("ggml_backend"));
  maker.make("weightsOf", model);
  const scheduler = maker.one("ggml_backend_sched");
  const inputs = maker.make("inputsOf", model), outputs = maker.make("outputsOf", model);
  const params = maker.make("optParams", scheduler, random.pick(LOSSES), "opt_period", random.pick([1, 1, 2, 0]));
  if (random.percent(60)) {
    for (const [field, value] of [["ctx_compute", compute], ["inputs", inputs], ["outputs", outputs]] as const) {
      maker.set(params, field, value);
    }
  }
  if (random.percent(50)) maker.set(params, "get_opt_pars", rates(maker));
  if (random.percent(30)) maker.set(params, "optimizer", random.pick([0, 1]));
  if (random.percent(20)) maker.set(params, "build_type", random.pick([10, 20, 30]));
  const optimizer = maker.call("ggml_opt_init", params);
  if (random.percent(50)) return;
  maker.call("ggml_opt_prepare_alloc", optimizer, compute, maker.make("graph", compute, outputs, 2048), inputs, outputs);
  maker.call("ggml_opt_alloc", optimizer, random.percent(50));
  maker.call("ggml_opt_eval", optimizer, maker.one("ggml_opt_result"));
}

function rates({ random }: Maker): Value {
  return {
    callback: "ggml_opt_get_optimizer_params",
    does: random.pick(["defaults", "defaults", "defaults", "zeros", "numbers", "throws", "fails"]),
  };
}

function epochCallback({ random }: Maker): Value {
  return random.percent(60) ? null : { callback: "ggml_opt_epoch_callback", does: random.pick(["yes", "throws", "fails"]) };
}

const train: World = {
  names: /^ggml_(opt_(?!step_)|backend_sched_(alloc_graph|reset|graph_compute)$|graph_reset$|build_backward_expand$)/,
  except: /_free$/,
  start(maker) {
    const cpu = maker.make("cpu", 1);
    maker.make("scheduler", cpu, 2048, false);
    maker.make("scheduler", cpu, maker.random.pick([2, 2048]), maker.random.percent(30));
    maker.make("dataset", 4, 1, 8, 1);
    maker.make("dataset", 4, 3, 8, maker.random.pick([1, 2, 4]));
    maker.make("dataset", 4, 0, 8, 2);
    maker.call("ggml_opt_result_init");
    maker.call("ggml_opt_result_init");
    makeOptimizer(maker);
    makeOptimizer(maker);
  },
  more: [
    makeOptimizer,
    makeOptimizer,
    (maker) => maker.call("ggml_opt_eval", maker.one("ggml_opt_context"), maker.one("ggml_opt_result")),
    (maker) => maker.call("ggml_opt_result_reset", maker.one("ggml_opt_result")),
    (maker) => maker.call("ggml_opt_free", maker.one("ggml_opt_context")),
    (maker) => maker.call("ggml_opt_dataset_free", maker.one("ggml_opt_dataset")),
    (maker) => maker.call("ggml_opt_result_free", maker.one("ggml_opt_result")),
    (maker) => maker.call("ggml_backend_sched_free", maker.one("ggml_backend_sched")),
    (maker) => maker.call("ggml_free", maker.one("ggml_context")),
    (maker) => maker.make("scheduler", maker.one("ggml_backend"), 2048, false),
    (maker) =>
      maker.make(
        "dataset",
        maker.random.pick([1, 4]),
        maker.random.pick([0, 1, 3]),
        maker.random.pick([1, 8, 12]),
        maker.random.pick([1, 2, 3, 100]),
      ),
  ],
  arguments: {
    ggml_opt_get_optimizer_params: rates,
    ggml_opt_epoch_callback: epochCallback,
    "(nepoch)": ({ random }) => random.pick([-1, 0, 1, 2]),
    "(nbatch_logical)": ({ random }) => random.pick([0, 1, 2, 4, 8, 3, -4]),
    "(val_split)": ({ random }) => random.pick<Value>([0, 0, 0.25, 0.5, 1, -1, { text: "NaN" }]),
    "(silent)": () => true,
    "ggml_opt_epoch_callback_progress_bar(ibatch)": ({ random }) => random.pick([0, 1, 2]),
    "(ne_datapoint)": size,
    "(ne_label)": size,
    "ggml_opt_dataset_init(ndata)": size,
    "(ndata_shard)": size,
    "(loss)": ({ random }) => doubles(random.below(3)),
    "(unc)": ({ random }) => random.percent(40) ? null : doubles(random.below(3)),
    "(accuracy)": ({ random }) => doubles(random.below(3)),
    "(grad_accs)": (maker) =>
      maker.random.percent(30)
        ? null
        : { list: Array.from({ length: maker.random.below(12) }, () => maker.random.percent(50) ? null : maker.one("ggml_tensor")) },
    "(data_batch)": batchOf,
    "(labels_batch)": batchOf,
    "(userdata)": ({ random }) => random.percent(30) ? null : { array: "Uint8Array", items: new Array(random.pick([0, 28, 100])).fill(1) },
  },
  numbers: [0, 1, 2, 3, 4, 8, 12, 16, 32, ...ODD],
  check: trained,
};

function size({ random }: Maker): Value {
  return random.pick<Value>([0, 1, 2, 4, 8, 3, -1, 2 ** 40, 2 ** 52, { bigint: String(2n ** 62n) }]);
}

function doubles(length: number): Value {
  return { array: "Float64Array", items: new Array(length).fill(0) };
}

/** A tensor for `get_batch`, memory for `get_batch_host`. */
function batchOf(maker: Maker): Value {
  const { random } = maker;
  if (random.percent(20)) return null;
  return random.percent(50)
    ? maker.one("ggml_tensor")
    : { array: "Uint8Array", items: new Array(random.pick([0, 4, 16, 32, 48, 128])).fill(0) };
}

/** What is wrong with a model of one weight that is trained anew: its input is 1 and its output shall be 3. */
function trained(): string | null {
  using backend = lib.ggml_backend_cpu_init()!;
  lib.ggml_backend_cpu_set_n_threads(backend, 1);
  using scheduler = lib.ggml_backend_sched_new([backend], null, 1, 2048, false, false);
  using fixed = init({ memSize: 1 << 16, noAlloc: true });
  using compute = init({ memSize: 1 << 20, noAlloc: true });
  const inputs = lib.ggml_new_tensor_2d(fixed, lib.GGML_TYPE_F32, 1, 1), weight = lib.ggml_new_tensor_2d(fixed, lib.GGML_TYPE_F32, 1, 1);
  lib.ggml_set_param(weight);
  using _buffer = lib.ggml_backend_alloc_ctx_tensors(fixed, backend)!;
  lib.ggml_backend_tensor_set(weight, new Float32Array([0]), 0, 4);
  const outputs = lib.ggml_mul_mat(compute, weight, inputs);
  using dataset = lib.ggml_opt_dataset_init(lib.GGML_TYPE_F32, lib.GGML_TYPE_F32, 1, 1, 8, 1);
  lib.ggml_set_f32(lib.ggml_opt_dataset_data(dataset), 1);
  lib.ggml_set_f32(lib.ggml_opt_dataset_labels(dataset)!, 3);
  const loss = lib.GGML_OPT_LOSS_TYPE_MEAN_SQUARED_ERROR, sgd = lib.GGML_OPT_OPTIMIZER_TYPE_SGD;
  lib.ggml_opt_fit(scheduler, compute, inputs, outputs, dataset, loss, sgd, RATES, 4, 1, 0, true);
  const got = new Float32Array(1);
  lib.ggml_backend_tensor_get(weight, got, 0, 4);
  return Math.abs(got[0] - 3) < 0.05 ? null : `a weight is trained to be ${got[0]} and not 3`;
}

const RATES = new lib.ggml_opt_get_optimizer_params(() => {
  const params = lib.ggml_opt_get_default_optimizer_params(null);
  params.sgd.alpha = 0.2;
  return params;
});

// libllama

const GRAMMARS = [
  'root ::= "a" | "b" root',
  "root ::= [a-z]+",
  "root ::= (",
  "foo ::= [a-z]",
  "",
  "root ::= root",
  'root ::= "a"{1,100}',
  "root ::= [^\\n]* foo\nfoo ::= .",
];

/** A context, with parameters that are mostly good. */
function makeContext(maker: Maker): void {
  const { random } = maker;
  const params = maker.make("contextParams", "n_seq_max", random.pick([1, 1, 4]), "kv_unified", random.percent(30));
  if (random.percent(30)) changeContext(maker, params);
  if (random.percent(30)) maker.set(params, "embeddings", true);
  if (random.percent(20)) maker.set(params, "pooling_type", random.pick([-1, 0, 1, 2, 3, 4]));
  const ctx = maker.call("llama_init_from_model", maker.one("llama_model"), params);
  if (random.percent(70)) maker.call("llama_decode", ctx, maker.make("batch", 16, 0, 1, random.pick([1, 4, 16]), 1, 0, 0));
  maker.call("llama_get_memory", ctx);
}

const CONTEXT_FIELDS: Readonly<Record<string, readonly Value[]>> = {
  n_ctx: [0, 1, 7, 64, 300, 2 ** 31, 2 ** 32 - 1],
  n_batch: [0, 1, 64, 2 ** 31, 2 ** 32 - 1],
  n_ubatch: [0, 1, 7, 64, 2 ** 32 - 1],
  n_seq_max: [0, 1, 2, 64, 256, 257, 2 ** 32 - 1],
  n_rs_seq: [0, 1, 100],
  n_outputs_max: [0, 1, 1000, 2 ** 32 - 1],
  n_outputs_max_per_seq: [0, 1, 2, 1000],
  n_threads: [-1, 0, 1, 2, 100_000],
  n_threads_batch: [-1, 0, 1, 2, 100_000],
  ctx_type: [0, 1],
  rope_scaling_type: [-1, 0, 1, 2, 3],
  attention_type: [-1, 0, 1],
  flash_attn_type: [-1, 0, 1],
  rope_freq_base: [0, -1, { text: "NaN" }, 1e30],
  rope_freq_scale: [0, -1, { text: "NaN" }, 1e-30],
  yarn_orig_ctx: [0, 1, 2 ** 32 - 1],
  type_k: [0, 1, 2, 8, 24, 26, 30],
  type_v: [0, 1, 2, 8, 24, 26, 30],
  swa_full: [true, false],
  n_samplers: [0, 1, 5],
  abort_callback: [{ callback: "ggml_abort_callback", does: "yes" }, { callback: "ggml_abort_callback", does: "no" }],
  cb_eval: [
    { callback: "ggml_backend_sched_eval_callback", does: "yes" },
    { callback: "ggml_backend_sched_eval_callback", does: "throws" },
    { callback: "ggml_backend_sched_eval_callback", does: "fails" },
  ],
};

function changeContext(maker: Maker, params: Value): void {
  const field = maker.random.pick(Object.keys(CONTEXT_FIELDS));
  maker.set(params, field, maker.random.pick(CONTEXT_FIELDS[field]));
}

/** A batch that is right, or nearly so. */
function makeBatch(maker: Maker): void {
  const { random } = maker, room = random.pick([1, 4, 16, 64]), embd = random.percent(15) ? random.pick([8, 32]) : 0;
  const batch = maker.make(
    "batch",
    room,
    embd,
    random.pick([1, 1, 4]),
    random.below(room + 1),
    random.below(64),
    random.pick([0, 0, 1, 16]),
    random.pick([0, 0, 0, 1]),
  );
  const fields = embd > 0 ? ["pos", "n_seq_id", "logits"] : ["token", "pos", "n_seq_id", "logits"];
  while (random.percent(35)) maker.make("poke", batch, random.pick(fields), random.below(room), random.pick([0, 1, 2, 63, 64, -1, ...ODD]));
  if (random.percent(20)) maker.make("pokeSequence", batch, random.below(room), random.pick([0, 1, 3, 255, ...ODD]));
  if (random.percent(20)) maker.set(batch, "n_tokens", random.pick([0, -1, room + 1, 33, 65, 1_000_000, 2 ** 31 - 1]));
  if (random.percent(15)) maker.set(batch, random.pick([...fields, "seq_id"]), null);
}

function makeSampler(maker: Maker): void {
  const { random } = maker;
  const sampler = random.pick<() => Value>([
    () => maker.call("llama_sampler_init_greedy"),
    () => maker.call("llama_sampler_init_dist", 1),
    () => maker.call("llama_sampler_init_top_k", random.pick([-1, 0, 1, 40])),
    () => maker.call("llama_sampler_init_temp", random.pick<Value>([0, 1, -1, { text: "NaN" }])),
    () => maker.call("llama_sampler_init_grammar", maker.one("llama_vocab"), random.pick(GRAMMARS), "root"),
    () => maker.call("llama_sampler_init_penalties", 64, random.pick([-1, 0, 4, 64]), 1.1, 0, 0),
    () => maker.call("llama_sampler_init", maker.make("samplerInterface", ...ownSampler(maker)), null),
  ])();
  if (random.percent(60)) maker.make("chain", sampler, maker.call("llama_sampler_init_dist", 7));
}

/** The functions of a sampler in TypeScript. */
function ownSampler({ random }: Maker): Value[] {
  const fields: Value[] = [];
  const add = (field: string, does: string) => random.percent(70) && fields.push(field, { callback: `llama_sampler_i_${field}`, does });
  add("name", random.pick(["name", "name", "throws"]));
  add("apply", random.pick(["first", "first", "beyond", "throws", "fails"]));
  add("accept", random.pick(["yes", "throws", "fails"]));
  return fields;
}

/** A context in which a model can be trained, texts for it, and an epoch. */
function makeEpoch(maker: Maker): void {
  const { random } = maker, model = maker.one("llama_model");
  const params = maker.make("contextParams", "n_ctx", 256, "n_batch", 64, "n_ubatch", 64, "type_k", 0, "type_v", 0);
  const ctx = maker.call("llama_init_from_model", model, params);
  maker.call("llama_opt_init", ctx, model, maker.make("llamaOptParams", ...optFields(maker)));
  const dataset = maker.make("texts", 256, 256, 2, random.pick([5, 5, 5, 64, -1]));
  if (random.percent(50)) maker.call("llama_opt_epoch", ctx, dataset, maker.call("ggml_opt_result_init"), null, 1, null, null);
}

const llama: World = {
  names: /^llama_/,
  except: /_free$|^llama_(log_|numa_init|backend_|free|time_us|print_system_info|perf_\w+_print)/,
  start(maker) {
    const { random } = maker;
    for (const tokenizer of ["no_vocab", random.pick(["llama", "gpt2"])]) {
      maker.call("llama_model_get_vocab", maker.make("llama", tokenizer, random.percent(80)));
    }
    maker.call("llama_adapter_lora_init", maker.one("llama_model"), { path: "adapter" });
    makeContext(maker);
    makeContext(maker);
    makeBatch(maker);
    makeSampler(maker);
  },
  more: [
    makeContext,
    makeBatch,
    makeBatch,
    makeSampler,
    (maker) =>
      maker.call("llama_decode", maker.one("llama_context"), maker.make("batch", 4, 0, 1, 2, 1, maker.random.pick([0, 1, 4, 16]), 0)),
    (maker) => maker.call("llama_memory_clear", maker.one("llama_memory_i"), true),
    (maker) => maker.call("llama_free", maker.one("llama_context")),
    (maker) => maker.call("llama_sampler_free", maker.one("llama_sampler")),
    (maker) => maker.call("llama_batch_free", maker.one("llama_batch")),
    (maker) => maker.call("llama_adapter_lora_free", maker.one("llama_adapter_lora")),
    (maker) => maker.random.percent(20) && maker.call("llama_model_free", maker.one("llama_model")),
    (maker) => makeState(maker),
    (maker) =>
      maker.make(
        "stateFile",
        maker.one("llama_context"),
        maker.random.pick([null, 0, 1]),
        "state",
        maker.random.below(3),
        maker.random.below(1000),
      ),
    (maker) => changeContext(maker, maker.make("contextParams")),
    (maker) =>
      maker.make(
        "modelParams",
        ...maker.random.pick<Value[]>([[], ["vocab_only", true], ["load_mode", 0], ["check_tensors", true], ["no_alloc", true], [
          "main_gpu",
          7,
        ]]),
      ),
    (maker) => maker.make("candidates", maker.random.pick([0, 1, 10, 64, 65, 1_000_000]), maker.random.pick([0, 10, 64])),
    (maker) => maker.make("llamaOptParams", ...optFields(maker)),
    (maker) =>
      maker.make(
        "texts",
        maker.random.pick([4, 64, 256]),
        maker.random.pick([0, 4, 64, 256, 512]),
        2,
        maker.random.pick([0, 5, -1, 64, 1000]),
      ),
    (maker) => maker.call("ggml_opt_result_init"),
    (maker) => maker.random.percent(10) && makeEpoch(maker),
    (maker) => maker.make("threadpool", maker.random.pick([1, 2])),
    (maker) => maker.make("metadata", maker.random.pick(["no_vocab", "llama", "gpt2"])),
    (maker) =>
      maker.make(
        "quantizeParams",
        ...maker.random.pick<Value[]>([[], ["ftype", 2], ["ftype", 1], ["allow_requantize", true], ["only_copy", true], ["dry_run", true]]),
      ),
    (maker) => maker.make("logitBias", maker.random.below(4), maker.random.pick([0, 60, 1000, -5])),
    (maker) => maker.make("message", maker.random.pick(["user", "system", ""]), maker.random.pick(["hello", "", "{{"])),
  ],
  arguments: {
    "(path_model)": path,
    "(path_lora)": path,
    "(fname_inp)": path,
    "(fname_out)": ({ random }) => ({ path: random.pick(["out", "out", "folder", "missing/out"]) }),
    "llama_model_save_to_file(path_model)": ({ random }) => ({ path: random.pick(["out", "out", "folder", "missing/out"]) }),
    "(path_session)": stateFile,
    "(filepath)": stateFile,
    "(paths)": ({ random }) => ({
      list: Array.from({ length: random.below(3) }, () => ({ path: random.pick(["model", "model-llama", "missing", "garbage"]) })),
    }),
    "(grammar_str)": ({ random }) => random.percent(5) ? null : random.pick(GRAMMARS),
    "(grammar_root)": ({ random }) => random.pick(["root", "root", "foo", ""]),
    "(file)": () => null,
    "(str)": ({ random }) => random.pick(["mmap", "none", "", "a"]),
    "llama_opt_epoch(idata_split)": ({ random }) => random.pick([0, 1, 2, 3, -1]),
    "(tmpl)": ({ random }) => random.pick<Value>([null, "chatml", "llama2", "{{ bos }}", "", "unknown"]),
    "(src)": (maker) => maker.one("Uint8Array") ?? { array: "Uint8Array", items: [1, 2, 3] },
    "(n_threads)": threads,
    "(n_threads_batch)": threads,
    "(tokens)": ({ random }) =>
      random.percent(15) ? null : {
        array: "Int32Array",
        items: Array.from({ length: random.below(40) }, () => random.percent(90) ? random.below(64) : random.pick(ODD)),
      },
    "(min_keep)": ({ random }) => random.pick([0, 1, 10, 2 ** 40]),
    "llama_batch_init(n_tokens)": ({ random }) => random.pick([0, 1, 16, 512, -1]),
    "llama_batch_init(embd)": ({ random }) => random.pick([0, 0, 32, 8, -1]),
    "llama_batch_init(n_seq_max)": ({ random }) => random.pick([0, 1, 4, -1]),
    "(seed)": ({ random }) => random.pick([0, 1, 2 ** 32 - 1]),
    "(penalty_last_n)": ({ random }) => random.pick([-1, 0, 4, 64, -7, 1_000_000]),
    "(dry_penalty_last_n)": ({ random }) => random.pick([-1, 0, 4, 64, -7, 1_000_000]),
    "(seq_breakers)": ({ random }) => ({ list: Array.from({ length: random.below(3) }, () => random.pick<Value>(["\n", "a", "", null])) }),
    "llama_model_init_from_user(set_tensor_data)": ({ random }) => ({
      callback: "llama_model_set_tensor_data_t",
      does: random.pick(["yes", "throws", "fails"]),
    }),
    "llama_model_init_from_user(set_tensor_data_ud)": () => null,
    "(iface)": (maker) => maker.one("llama_sampler_i"),
    "llama_sampler_init(ctx)": () => null,
    "(abort_callback)": ({ random }) =>
      random.percent(60) ? null : { callback: "ggml_abort_callback", does: random.pick(["no", "no", "yes", "throws"]) },
    "(abort_callback_data)": () => null,
    "(user_data)": () => null,
    ggml_opt_epoch_callback: epochCallback,
  },
  numbers: [0, 0, 0, 1, 1, 2, 3, 4, 16, 31, 32, 33, 63, 64, 65, ...ODD],
  check: decoded,
};

function path({ random }: Maker): Value {
  return {
    path: random.pick(["model", "model-llama", "model-gpt2", "adapter", "garbage", "empty", "cut", "missing", "folder", "state", "out"]),
  };
}

function stateFile({ random }: Maker): Value {
  return { path: random.pick(["state", "state", "state", "garbage", "empty", "missing", "folder"]) };
}

function threads({ random }: Maker): Value {
  return random.pick([0, -1, 1, 1, 2, 100_000]);
}

function makeState(maker: Maker): void {
  const { random } = maker;
  maker.make(
    "state",
    maker.one("llama_context"),
    random.pick([null, 0, 1]),
    random.pick([0, 0, 0, -1, -4, -100, 10]),
    random.below(4),
    random.below(1000),
  );
}

function optFields({ random }: Maker): Value[] {
  const fields: Value[] = ["n_ctx_train", random.pick([0, 0, 32, 64, 512, 1_000_000])];
  if (random.percent(80)) fields.push("param_filter", { callback: "llama_opt_param_filter", does: random.pick(["yes", "no", "throws"]) });
  if (random.percent(80)) {
    fields.push("get_opt_pars", {
      callback: "ggml_opt_get_optimizer_params",
      does: random.pick(["defaults", "defaults", "zeros", "throws"]),
    });
  }
  return fields;
}

let reference: string | null = null;

/** What is wrong with what a new context says of three tokens. */
function decoded(): string | null {
  using model = recipes.llama("no_vocab") as lib.llama_model;
  using ctx = lib.llama_init_from_model(model, recipes.contextParams() as lib.llama_context_params)!;
  const status = lib.llama_decode(ctx, lib.llama_batch_get_one(Int32Array.of(1, 2, 3), 3));
  const logits = lib.llama_get_logits_ith(ctx, -1);
  if (status !== 0 || logits === null) return `llama_decode gives ${status} for what is right`;
  const got = [...new Float32Array(logits.bytes(4 * 64).buffer)].map((n) => n.toFixed(4)).join();
  reference ??= got;
  return got === reference ? null : `three tokens give other logits than before: ${got.slice(0, 100)}`;
}

// Files

/** Files of models with something wrong in them: loaded, asked for tokens, and computed with. */
const files: World = {
  names: /^llama_model_load_from_file$/,
  except: /^$/,
  start: (maker) => void maker.make("llama", "no_vocab"),
  more: [],
  arguments: {
    "(path_model)"(maker) {
      maker.make("mutant", maker.random.pick(["model", "model-llama", "model-llama", "model-gpt2"]), maker.random.below(2 ** 30));
      return { path: "mutant" };
    },
    "(params)": (maker) => maker.make("modelParams", "load_mode", maker.random.pick([0, 1]), "check_tensors", maker.random.percent(20)),
  },
  numbers: [],
  after(maker, model) {
    const vocab = maker.call("llama_model_get_vocab", model);
    for (const text of ["the thing", "in it \u2603<s>"]) {
      const room: Value = { array: "Int32Array", items: new Array(64).fill(0) };
      maker.call("llama_tokenize", vocab, text, new TextEncoder().encode(text).length, room, 64, true, true);
    }
    maker.call("llama_token_to_piece", vocab, 7, { array: "Uint8Array", items: new Array(64).fill(0) }, 64, 0, true);
    const ctx = maker.call("llama_init_from_model", model, maker.make("contextParams"));
    maker.call("llama_decode", ctx, maker.call("llama_batch_get_one", { array: "Int32Array", items: [1, 2, 3] }, 3));
    maker.call("llama_get_logits_ith", ctx, -1);
    maker.call("llama_sampler_sample", maker.call("llama_sampler_init_greedy"), ctx, -1);
    maker.call("llama_free", ctx);
    maker.call("llama_model_free", model);
  },
  check: decoded,
};

/** The worlds by name. */
export const worlds = { sched, train, llama, files, ggml: { ...ggml, check: computed } };
