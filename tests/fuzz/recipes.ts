/**
 * Recipes: objects and files that no single call of C's gives, by name, so that a step can name them.
 *
 * Whatever a recipe makes is right in itself, but for what its name says. Wrong ones come of fields that are set afterwards.
 *
 * @module
 */

import { lib, load } from "@ggml/deno";
import { copy, init } from "@ggml/deno/utils";
import { type Tokenizer, writeTinyAdapter, writeTinyLlama } from "../tiny_llama.ts";
import { Owner } from "../../ffi/core/owner.ts";
import { generator } from "../random.ts";
import { mutant } from "./mutants.ts";

// Files

let folder = "";

/** Sets the folder for the files. */
export function useFolder(path: string): void {
  folder = path;
}

/** Writes a file when it is first asked for. Those that aren't here don't exist. */
const FILES: Readonly<Record<string, (path: string) => void>> = {
  "model": (path) => writeTinyLlama(path),
  "model-llama": (path) => writeTinyLlama(path, "llama"),
  "model-gpt2": (path) => writeTinyLlama(path, "gpt2"),
  "adapter": writeTinyAdapter,
  "garbage": (path) => Deno.writeFileSync(path, Uint8Array.from({ length: 4096 }, (_, i) => i * 37)),
  "empty": (path) => Deno.writeFileSync(path, new Uint8Array()),
  "cut": (path) => Deno.writeFileSync(path, Deno.readFileSync(pathOf("model-llama")).subarray(0, 3000)),
  "folder": (path) => Deno.mkdirSync(path, { recursive: true }),
};

/** The path of a file by its name. */
export function pathOf(name: string): string {
  const path = `${folder}/${name}`;
  if (!written.has(name) && Object.hasOwn(FILES, name)) {
    written.add(name);
    FILES[name](path);
  }
  return path;
}

const written = new Set<string>();

// Callbacks

/** What a callback does, where that isn't nothing. */
export const behaviours: Readonly<Record<string, (...args: never[]) => unknown>> = {
  yes: () => true,
  no: () => false,
  throws: () => {
    throw new Error("the callback throws");
  },
  defaults: () => lib.ggml_opt_get_default_optimizer_params(null),
  zeros: () => new lib.ggml_opt_optimizer_params(),
  numbers: () => {
    const params = lib.ggml_opt_get_default_optimizer_params(null);
    params.adamw.alpha = 0.1;
    params.adamw.beta1 = 2;
    return params;
  },
  first: (_smpl: lib.llama_sampler, candidates: lib.llama_token_data_array) => void (candidates.selected = 0),
  beyond: (_smpl: lib.llama_sampler, candidates: lib.llama_token_data_array) => void (candidates.selected = 1_000_000),
  name: () => "a sampler in TypeScript",
  zero: () => 0,
  fails: () => void lib.ggml_get_unary_op(lib.ggml_new_tensor_1d(init({ memSize: 4096 }), lib.GGML_TYPE_F32, 1)),
};

// Objects

const { GGML_TYPE_F32: F32, GGML_TYPE_I32: I32 } = lib;

/** A struct with fields, given as name, value, name, value … */
function assign<S extends object>(struct: S, fields: readonly unknown[]): S {
  for (let i = 0; i < fields.length; i += 2) (struct as Record<string, unknown>)[fields[i] as string] = fields[i + 1];
  return struct;
}

/** Numbers that a pattern repeats. */
function fill(tensor: lib.ggml_tensor, seed: number): void {
  const next = generator(seed);
  copy(Float32Array.from({ length: lib.ggml_nelements(tensor) }, () => next(2000) / 1000 - 1), tensor);
}

/** Structs one after the other, in memory that knows how many they are. */
function array<S extends object>(
  type: (new (address: bigint, owner?: Owner) => S) & { readonly size: number },
  count: number,
): S {
  const bytes = new Uint8Array(type.size * Math.max(1, count));
  const address = BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)));
  const owner = new Owner(address);
  owner.arena = new DataView(bytes.buffer);
  owner.base = address;
  return new type(address, owner);
}

let registered = false;

/** Loads the CPU's kernels where libllama looks for them. */
function register(): void {
  if (!registered) lib.ggml_backend_load_all_from_path(load().path);
  registered = true;
}

/** The recipes. */
// deno-lint-ignore no-explicit-any
export const recipes: Readonly<Record<string, (...args: any[]) => unknown>> = {
  // ggml

  context: (memSize: number, noAlloc: boolean) => init({ memSize, noAlloc }),

  /** A backend of the CPU. */
  cpu(threads: number): lib.ggml_backend {
    const backend = lib.ggml_backend_cpu_init()!;
    lib.ggml_backend_cpu_set_n_threads(backend, threads);
    return backend;
  },

  scheduler: (backend: lib.ggml_backend, size: number, parallel: boolean) =>
    lib.ggml_backend_sched_new([backend], null, 1, size, parallel, true),

  /** Puts all tensors of a context into a buffer. */
  place: (ctx: lib.ggml_context, backend: lib.ggml_backend) => lib.ggml_backend_alloc_ctx_tensors(ctx, backend),

  tensor(ctx: lib.ggml_context, type: number, columns: number, rows: number): lib.ggml_tensor {
    const tensor = lib.ggml_new_tensor_2d(ctx, type as lib.ggml_type, columns, rows);
    if (tensor.data !== null && type === F32) fill(tensor, columns * rows);
    return tensor;
  },

  /** Some layers over a tensor. Each bit of `shape` decides what one of them is. */
  layers(ctx: lib.ggml_context, input: lib.ggml_tensor, depth: number, shape: number): lib.ggml_tensor {
    let result = input;
    for (let i = 0; i < depth; i++) {
      switch ((shape >> (2 * i)) & 3) {
        case 0:
          result = lib.ggml_sqr(ctx, result);
          break;
        case 1:
          result = lib.ggml_add(ctx, result, input);
          break;
        case 2:
          result = lib.ggml_view_tensor(ctx, result);
          break;
        default:
          result = lib.ggml_mul_mat(ctx, input, lib.ggml_scale(ctx, input, 0.5));
          input = result;
      }
    }
    return result;
  },

  graph(ctx: lib.ggml_context, result: lib.ggml_tensor, size: number): lib.ggml_cgraph {
    const graph = lib.ggml_new_graph_custom(ctx, size, true);
    lib.ggml_build_forward_expand(graph, result);
    return graph;
  },

  bytes: (length: number) => new Uint8Array(length),

  /** A struct by the name of its class, with fields. */
  struct: (name: string, ...fields: unknown[]) => assign(new (lib as unknown as Record<string, new () => object>)[name](), fields),

  poolParams: (threads: number, poll: number, paused: boolean) =>
    assign(lib.ggml_threadpool_params_default(threads), ["poll", poll, "paused", paused]),

  // Training

  /** Data points of so many numbers, each with labels. */
  dataset(columns: number, labels: number, count: number, shard: number): lib.ggml_opt_dataset {
    const dataset = lib.ggml_opt_dataset_init(F32, F32, columns, labels, count, shard);
    fill(lib.ggml_opt_dataset_data(dataset), 1);
    if (labels > 0) fill(lib.ggml_opt_dataset_labels(dataset)!, 2);
    return dataset;
  },

  /** The inputs of a model, and what its parameters make of them: `{ inputs, outputs }`. The context that holds those is kept without memory. */
  model(ctx: lib.ggml_context, compute: lib.ggml_context, columns: number, labels: number, batch: number, parameters: boolean) {
    const inputs = lib.ggml_set_name(lib.ggml_new_tensor_2d(ctx, F32, columns, batch), "inputs");
    const weights = lib.ggml_set_name(lib.ggml_new_tensor_2d(ctx, F32, columns, labels), "weights");
    if (parameters) lib.ggml_set_param(weights);
    return { inputs, outputs: lib.ggml_mul_mat(compute, weights, inputs), weights };
  },

  inputsOf: ({ inputs }: { inputs: lib.ggml_tensor }) => inputs,
  outputsOf: ({ outputs }: { outputs: lib.ggml_tensor }) => outputs,
  weightsOf({ weights }: { weights: lib.ggml_tensor }): lib.ggml_tensor {
    if (weights.data !== null) fill(weights, 3);
    return weights;
  },

  optParams: (scheduler: lib.ggml_backend_sched, loss: number, ...fields: unknown[]) =>
    assign(lib.ggml_opt_default_params(scheduler, loss as lib.ggml_opt_loss_type), fields),

  // libllama

  modelParams: (...fields: unknown[]) => assign(lib.llama_model_default_params(), ["n_gpu_layers", 0, ...fields]),

  /** A model: of a file that is mapped, so that its weights can't be written, or that is read. */
  llama(tokenizer: Tokenizer, isMapped = true): lib.llama_model {
    register();
    const params = lib.llama_model_default_params();
    params.n_gpu_layers = 0;
    params.load_mode = isMapped ? lib.LLAMA_LOAD_MODE_MMAP : lib.LLAMA_LOAD_MODE_NONE;
    return lib.llama_model_load_from_file(pathOf(tokenizer === "no_vocab" ? "model" : `model-${tokenizer}`), params)!;
  },

  contextParams: (...fields: unknown[]) =>
    assign(lib.llama_context_default_params(), ["n_ctx", 64, "n_batch", 32, "n_threads", 1, "n_threads_batch", 1, ...fields]),

  /** A batch with room for `room` tokens, of which `count` are there: of one sequence, from a position on. */
  batch(room: number, embd: number, sequences: number, count: number, token: number, position: number, sequence: number) {
    const batch = lib.llama_batch_init(room, embd, sequences);
    batch.n_tokens = count;
    const words = (field: "token" | "pos" | "n_seq_id") => new Int32Array(batch[field]!.bytes(4 * room).buffer, 0, room);
    if (batch.token !== null) words("token").set(Array.from({ length: room }, (_, i) => (token + i) % 64));
    if (batch.embd !== null) new Float32Array(batch.embd.bytes(4 * room * embd).buffer, 0, room * embd).fill(0.1);
    words("pos").set(Array.from({ length: room }, (_, i) => position + i));
    words("n_seq_id").fill(1);
    const lists = new BigUint64Array(batch.seq_id!.bytes(8 * room).buffer, 0, room);
    for (const list of lists) new Int32Array(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(list)!, 4))[0] = sequence;
    batch.logits!.bytes(room).fill(0).fill(1, Math.max(0, count - 1), Math.max(0, count));
    return batch;
  },

  /** A batch over arrays of JavaScript's own. */
  batchOf: (...fields: unknown[]) => assign(new lib.llama_batch(), fields),

  /** Writes a number into an array that a struct points to, where it has room for it. */
  poke(struct: lib.llama_batch, field: "token" | "pos" | "n_seq_id" | "logits", index: number, value: number): void {
    const width = field === "logits" ? 1 : 4, bytes = struct[field]!.bytes(width * (index + 1));
    if (width === 1) new Int8Array(bytes.buffer)[index] = value;
    else new Int32Array(bytes.buffer)[index] = value;
  },

  /** Writes a number into the sequences of a batch's token. */
  pokeSequence(struct: lib.llama_batch, index: number, value: number): void {
    const lists = new BigUint64Array(struct.seq_id!.bytes(8 * (index + 1)).buffer);
    new Int32Array(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(lists[index])!, 4))[0] = value;
  },

  /** The tokens' chances, for samplers. */
  candidates(count: number, room: number): lib.llama_token_data_array {
    const data = array(lib.llama_token_data, room);
    for (let i = 0; i < room; i++) assign(data.at(i), ["id", i, "logit", Math.sin(i), "p", 0]);
    return new lib.llama_token_data_array({ data, size: count, selected: -1, sorted: false });
  },

  samplerInterface: (...fields: unknown[]) => assign(new lib.llama_sampler_i(), fields),

  chain(...samplers: lib.llama_sampler[]): lib.llama_sampler {
    const chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params());
    for (const sampler of samplers) lib.llama_sampler_chain_add(chain, sampler);
    return chain;
  },

  logitBias(count: number, token: number): lib.llama_logit_bias {
    const biases = array(lib.llama_logit_bias, count);
    for (let i = 0; i < count; i++) assign(biases.at(i), ["token", token + i, "bias", i]);
    return biases;
  },

  message(role: string, content: string): lib.llama_chat_message {
    const message = array(lib.llama_chat_message, 1);
    return assign(message, ["role", role, "content", content]);
  },

  /** A context's state, or one of its sequences', with some bytes changed and made longer or shorter. */
  state(ctx: lib.llama_context, sequence: number | null, longer: number, changes: number, seed: number): Uint8Array<ArrayBuffer> {
    const size = sequence === null ? lib.llama_state_get_size(ctx) : lib.llama_state_seq_get_size(ctx, sequence);
    const bytes = new Uint8Array(size);
    if (sequence === null) lib.llama_state_get_data(ctx, bytes, size);
    else lib.llama_state_seq_get_data(ctx, bytes, size, sequence);
    const next = generator(seed), result = new Uint8Array(Math.max(0, size + longer));
    result.set(bytes.subarray(0, result.length));
    for (let i = 0; i < changes && result.length > 0; i++) result[next(Math.min(result.length, 200))] = next(256);
    return result;
  },

  /** A saved state in a file, with some bytes changed. */
  stateFile(ctx: lib.llama_context, sequence: number | null, name: string, changes: number, seed: number): void {
    const path = `${folder}/${name}`;
    if (sequence === null) lib.llama_state_save_file(ctx, path, new Int32Array([1, 2, 3]), 3);
    else lib.llama_state_seq_save_file(ctx, path, sequence, new Int32Array([1, 2, 3]), 3);
    const bytes = Deno.readFileSync(path), next = generator(seed);
    for (let i = 0; i < changes && bytes.length > 0; i++) bytes[next(Math.min(bytes.length, 200))] = next(256);
    Deno.writeFileSync(path, bytes);
  },

  llamaOptParams: (...fields: unknown[]) => assign(new lib.llama_opt_params(), fields),

  /** Texts of tokens, as a model is trained with. */
  texts(length: number, labels: number, count: number, token: number): lib.ggml_opt_dataset {
    const dataset = lib.ggml_opt_dataset_init(I32, I32, length, labels, count, 1);
    for (const tensor of [lib.ggml_opt_dataset_data(dataset), lib.ggml_opt_dataset_labels(dataset)]) {
      if (tensor !== null) new Int32Array(tensor.data!.bytes(lib.ggml_nbytes(tensor)).buffer).fill(token);
    }
    return dataset;
  },

  quantizeParams: (...fields: unknown[]) => assign(lib.llama_model_quantize_default_params(), ["nthread", 1, ...fields]),

  threadpool: (threads: number) => lib.ggml_threadpool_new(lib.ggml_threadpool_params_default(threads)),

  /** Writes a mutant of a file. */
  mutant(name: string, seed: number): void {
    Deno.writeFileSync(`${folder}/mutant`, mutant(Deno.readFileSync(pathOf(name)), seed));
  },

  /** What a model's file says, without its numbers. */
  metadata: (tokenizer: Tokenizer) => {
    const params = new lib.gguf_init_params({ no_alloc: true });
    return lib.gguf_init_from_file(pathOf(tokenizer === "no_vocab" ? "model" : `model-${tokenizer}`), params);
  },
};
