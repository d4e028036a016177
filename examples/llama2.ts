// karpathy's llama2.c over ggml: a llama in one file that runs. It reads a GGUF of the architecture "llama", or llama2.c's own .bin with
// its tokenizer.bin beside it (llama2_bin.ts has these two), and goes on with a text:
//
//     deno run --allow-ffi --allow-read examples/llama2.ts MODEL [--prompt TEXT] [--tokens N] [--temperature T] [--top-p P] [--seed N]
//                                                                [--threads N]
//
// The text goes to standard output, the speed to standard error. The transformer is here in full; what isn't is loading weights
// (loadWeights of the utils) and cutting text into a GGUF's tokens, which libllama does. Shapes are ggml's, fastest dimension first.
//
// In reading order: the file, the transformer, sampling, the vocabulary, the program.

import { parseArgs } from "@std/cli";
import { lib } from "@ggml/deno";
import { init, loadWeights, readGguf, view, type Weights, type WeightsFile } from "@ggml/deno/utils";
import { openBin } from "./llama2_bin.ts";

/** What a model's file says of its shape. */
export interface Config {
  readonly layers: number;
  readonly dim: number; // numbers that stand for a token between the layers
  readonly hidden: number; // and inside of a layer's feed-forward network
  readonly heads: number; // of attention
  readonly kvHeads: number; // of them, those with keys and values of their own
  readonly head: number; // numbers of each
  readonly vocab: number; // tokens that there are
  readonly context: number; // tokens that it was trained to see at once
  readonly eps: number; // keeps the norm from dividing by zero
  /** Positions turn pairs of a head's numbers: how many of the numbers, how slowly the last pair, and what positions are multiplied by. */
  readonly rope: { readonly dims: number; readonly base: number; readonly scale: number };
}

/** A model's file: its shape, where its weights are, and its vocabulary. */
export interface ModelFile {
  readonly config: Config;
  readonly weights: WeightsFile;
  readonly tokenizer: Tokenizer;
}

/** Opens a model of either format. */
export function openModel(path: string): ModelFile {
  return path.endsWith(".bin") ? openBin(path) : openGguf(path);
}

function openGguf(path: string): ModelFile {
  using file = readGguf(path);
  const get = (key: string, ...allowed: unknown[]) => {
    const value = file.metadata.get(key)?.value;
    if (allowed.length === 0 || allowed.includes(value)) return value;
    throw new Error(`${path}: expected ${allowed.filter(Boolean).join(" or ")} as ${key}, got ${value}`);
  };
  const number = (key: string, fallback?: number): number => {
    const value = get(`llama.${key}`) ?? fallback;
    if (typeof value === "number") return value;
    throw new Error(`${path}: expected a number as llama.${key}, got ${value}`);
  };
  get("general.architecture", "llama");
  get("llama.rope.scaling.type", "none", "linear", undefined);
  const layers = number("block_count"), dim = number("embedding_length"), hidden = number("feed_forward_length");
  const heads = number("attention.head_count"),
    kvHeads = number("attention.head_count_kv", heads),
    head = number("attention.key_length", dim / heads);
  const vocab = file.tensors.get("token_embd.weight")?.ne[1] ?? 0,
    context = number("context_length"),
    eps = number("attention.layer_norm_rms_epsilon");
  const scale = 1 / number("rope.scaling.factor", 1),
    rope = { dims: number("rope.dimension_count", head), base: number("rope.freq_base", 10000), scale };
  const config = { layers, dim, hidden, heads, kvHeads, head, vocab, context, eps, rope };
  return { config, weights: { path, tensors: file.tensors }, tokenizer: ggufTokenizer(path) };
}

type Tensor = lib.ggml_tensor;

/** The graph that computes `n` tokens which see `shown` rows of the cache. Its inputs are written each time: rebuilding takes longer. */
interface Step {
  readonly graph: lib.ggml_cgraph;
  readonly tokens: Int32Array; // [n]
  readonly positions: Int32Array; // [n]
  readonly rows: BigInt64Array; // [n], where in the cache the tokens' keys and values go
  readonly mask: Float16Array; // [shown, n], 0 for what a token sees and -Infinity for what comes after it
  readonly last: Int32Array; // [1], of which token the logits are wanted
  readonly logits: Float32Array; // [vocab]
}

/** The cache is shown in multiples of so many rows, so that steps have few shapes; tokens of a step; steps that are kept; nodes of one. */
const SHOWN = 256, PIECE = 512, STEPS = 4, NODES = 8192;

/** The tensors that llama2.c's transformer is made of. */
const KNOWN = /^(token_embd|output(_norm)?|rope_freqs|blk\.\d+\.(attn_(norm|q|k|v|output)|ffn_(norm|gate|down|up)))\.weight$/;

/** A llama in memory, and what it has seen. */
export class Llama {
  readonly #keys: readonly Tensor[]; // of each layer [kvHeads * head, context] F16, a row a position
  readonly #values: readonly Tensor[]; // the same
  readonly #steps = new Map<string, Step>(); // by their shape, the latest few

  private constructor(readonly config: Config, readonly context: number, readonly backend: lib.ggml_backend, readonly weights: Weights) {
    const cache = init({ memSize: 2 * config.layers * lib.ggml_tensor_overhead(), noAlloc: true }),
      rows = Math.ceil(context / SHOWN) * SHOWN;
    const remember = () => lib.ggml_new_tensor_2d(cache, lib.GGML_TYPE_F16, config.kvHeads * config.head, rows);
    this.#keys = Array.from({ length: config.layers }, remember);
    this.#values = Array.from({ length: config.layers }, remember);
    const buffer = lib.ggml_backend_alloc_ctx_tensors(cache, backend)!;
    lib.ggml_backend_buffer_clear(buffer, 0); // what is masked is multiplied by 0: it can't be NaN
  }

  /** Loads the weights: mapped, and repacked where the processor has kernels for that, unless the options say no. */
  static async load(
    { config, weights }: Pick<ModelFile, "config" | "weights">,
    { context = config.context, threads = navigator.hardwareConcurrency, map = true, repack = true } = {},
  ): Promise<Llama> {
    const strange = [...weights.tensors.keys()].find((name) => !KNOWN.test(name));
    if (strange !== undefined) throw new Error(`${weights.path}: its tensor ${strange} is none of llama2.c's`);
    const backend = lib.ggml_backend_cpu_init()!;
    lib.ggml_backend_cpu_set_n_threads(backend, threads);
    if (threads > 1) lib.ggml_backend_cpu_set_threadpool(backend, lib.ggml_threadpool_new(lib.ggml_threadpool_params_default(threads)));
    const loaded = await loadWeights(weights, {
      backend,
      map,
      repack: repack && ((name) => name !== "token_embd.weight"), // rows are looked up in it
      alias: weights.tensors.has("output.weight") ? {} : { "output.weight": "token_embd.weight" },
    });
    return new Llama(config, Math.min(context, config.context), backend, loaded);
  }

  /** Computes tokens that stand at a position and after. The logits of what follows the last: good until the next call. [vocab] */
  forward(tokens: readonly number[], position: number): Float32Array {
    const end = position + tokens.length;
    if (end > this.context || tokens.length === 0) throw new Error(`expected 1 to ${this.context} tokens, got ${end}`);
    for (; tokens.length > PIECE; position += PIECE, tokens = tokens.slice(PIECE)) this.#compute(tokens.slice(0, PIECE), position);
    return this.#compute(tokens, position);
  }

  #compute(tokens: readonly number[], position: number): Float32Array {
    const n = tokens.length, shown = Math.ceil((position + n) / SHOWN) * SHOWN, key = `${n} ${shown}`;
    const step = this.#steps.get(key) ?? this.#build(n, shown);
    if (!this.#steps.has(key) && this.#steps.size === STEPS) this.#steps.delete(this.#steps.keys().next().value!);
    this.#steps.set(key, step);
    step.tokens.set(tokens);
    step.last[0] = n - 1;
    for (let i = 0; i < n; i++) {
      const seen = position + i + 1;
      step.positions[i] = position + i;
      step.rows[i] = BigInt(position + i);
      step.mask.subarray(i * shown, (i + 1) * shown).fill(0, 0, seen).fill(-Infinity, seen);
    }
    const status = lib.ggml_backend_graph_compute(this.backend, step.graph);
    if (status !== lib.GGML_STATUS_SUCCESS) throw new Error(`ggml: ${lib.ggml_status_to_string(status)}`);
    return step.logits;
  }

  /** A tensor of the file, which must have that shape. */
  #weight(name: string, ...ne: number[]): Tensor {
    const tensor = this.weights.tensors.get(`${name}.weight`), got = tensor?.ne.slice(0, ne.length).join(", ") ?? "nothing";
    if (tensor !== undefined && got === ne.join(", ")) return tensor;
    throw new Error(`expected a tensor ${name}.weight of ne=[${ne.join(", ")}], got ${got}`);
  }

  /** The transformer. */
  #build(n: number, shown: number): Step {
    const { layers, dim, hidden, heads, kvHeads, head, vocab, context, eps, rope } = this.config;
    const memSize = 64 * (layers + 1) * lib.ggml_tensor_overhead() + lib.ggml_graph_overhead_custom(NODES, false);
    const ctx = init({ memSize, noAlloc: true }), graph = lib.ggml_new_graph_custom(ctx, NODES, false);
    const add = (tensor: Tensor) => lib.ggml_build_forward_expand(graph, tensor);
    const input = (type: lib.ggml_type, ...ne: number[]) => {
      const tensor = lib.ggml_new_tensor(ctx, type, ne.length, BigInt64Array.from(ne, BigInt));
      lib.ggml_set_input(tensor);
      return tensor;
    };
    const tokens = input(lib.GGML_TYPE_I32, n), positions = input(lib.GGML_TYPE_I32, n), rows = input(lib.GGML_TYPE_I64, n); // [n] each
    const last = input(lib.GGML_TYPE_I32, 1), mask = input(lib.GGML_TYPE_F16, shown, n); // [1], [shown, n]
    const factors = this.weights.tensors.has("rope_freqs.weight") ? this.#weight("rope_freqs", rope.dims / 2) : null; // llama 3 has some

    const norm = (x: Tensor, weight: Tensor) => lib.ggml_mul(ctx, lib.ggml_rms_norm(ctx, x, eps), weight);
    const turn = (x: Tensor) => lib.ggml_rope_ext(ctx, x, positions, factors, rope.dims, 0, context, rope.base, rope.scale, 0, 1, 32, 1);
    const split = (x: Tensor, count: number) => lib.ggml_reshape_3d(ctx, x, head, count, n); // [head, count, n]
    // [head, shown, kvHeads]
    const seen = (cache: Tensor) => lib.ggml_view_3d(ctx, cache, head, shown, kvHeads, cache.nb[1], cache.nb[0] * head, 0);

    let x = lib.ggml_get_rows(ctx, this.#weight("token_embd", dim, vocab), tokens); // [dim, n]
    for (let i = 0; i < layers; i++) {
      const weight = (part: string, ...ne: number[]) => this.#weight(`blk.${i}.${part}`, ...ne);

      const a = norm(x, weight("attn_norm", dim)); // [dim, n]
      const q = turn(split(lib.ggml_mul_mat(ctx, weight("attn_q", dim, heads * head), a), heads)); // [head, heads, n]
      const k = turn(split(lib.ggml_mul_mat(ctx, weight("attn_k", dim, kvHeads * head), a), kvHeads)); // [head, kvHeads, n]
      const v = lib.ggml_mul_mat(ctx, weight("attn_v", dim, kvHeads * head), a); // [kvHeads * head, n]
      [q, v, k].forEach(add);
      add(lib.ggml_set_rows(ctx, this.#keys[i], lib.ggml_reshape_2d(ctx, k, kvHeads * head, n), rows)); // before they are seen
      add(lib.ggml_set_rows(ctx, this.#values[i], v, rows));
      const queries = lib.ggml_permute(ctx, q, 0, 2, 1, 3); // [head, n, heads]; heads / kvHeads of them share keys and values
      const keys = seen(this.#keys[i]), values = seen(this.#values[i]);
      const y = lib.ggml_flash_attn_ext(ctx, queries, keys, values, mask, 1 / Math.sqrt(head), 0, 0); // [head, heads, n]
      const joint = lib.ggml_reshape_2d(ctx, y, heads * head, n); // [heads * head, n]
      let attended = lib.ggml_mul_mat(ctx, weight("attn_output", heads * head, dim), joint); // [dim, n]
      if (i === layers - 1) { // from here on only the last token matters
        attended = lib.ggml_get_rows(ctx, attended, last); // [dim, 1]
        x = lib.ggml_get_rows(ctx, x, last); // [dim, 1]
      }
      x = lib.ggml_add(ctx, attended, x); // [dim, n]

      const f = norm(x, weight("ffn_norm", dim)); // [dim, n]
      const up = lib.ggml_mul_mat(ctx, weight("ffn_up", dim, hidden), f); // [hidden, n]
      const gate = lib.ggml_mul_mat(ctx, weight("ffn_gate", dim, hidden), f); // [hidden, n]
      const down = lib.ggml_mul_mat(ctx, weight("ffn_down", hidden, dim), lib.ggml_swiglu_split(ctx, gate, up)); // [dim, n]
      x = lib.ggml_add(ctx, down, x); // [dim, n]
    }
    const logits = lib.ggml_mul_mat(ctx, this.#weight("output", dim, vocab), norm(x, this.#weight("output_norm", dim))); // [vocab, 1]
    lib.ggml_set_output(logits);
    add(logits);
    const allocator = lib.ggml_gallocr_new(lib.ggml_backend_get_default_buffer_type(this.backend)); // the graph keeps it
    if (!lib.ggml_gallocr_alloc_graph(allocator, graph)) throw new Error(`there is no memory to compute ${n} tokens at once`);
    const ints = (tensor: Tensor) => view<Int32Array>(tensor).data, { data } = view(logits);
    const inputs = { tokens: ints(tokens), positions: ints(positions), last: ints(last), rows: view<BigInt64Array>(rows).data };
    return { graph, ...inputs, mask: view<Float16Array>(mask).data, logits: data };
  }
}

/** Chooses the next token by its logits: the likeliest at temperature 0; else by chance, among the likeliest that have `topP` together. */
export function sampler(temperature: number, topP: number, seed: number): (logits: Float32Array) => number {
  const isNucleus = topP > 0 && topP < 1;
  let x = Math.imul(seed, 0x9e3779b1) | 1; // Marsaglia's xorshift
  const random = () => ((x ^= x << 13), (x ^= x >>> 17), (x ^= x << 5), (x >>> 0) / 2 ** 32);
  return (logits) => {
    let best = 0;
    for (let i = 1; i < logits.length; i++) if (logits[i] > logits[best]) best = i; // eight times as fast as reduce
    if (temperature === 0) return best;
    const weights = logits.map((logit) => Math.exp((logit - logits[best]) / temperature)), total = weights.reduce((a, b) => a + b);
    const least = isNucleus ? (1 - topP) / logits.length * total : 0; // all that are below have less than 1 - topP together
    const candidates = [...weights.keys()].filter((i) => weights[i] >= least);
    if (isNucleus) candidates.sort((a, b) => weights[b] - weights[a]);
    let sum = 0, count = 0;
    while (count < candidates.length && !(isNucleus && sum >= topP * total)) sum += weights[candidates[count++]];
    let left = random() * sum;
    return candidates.find((i) => (left -= weights[i]) < 0) ?? best;
  };
}

/** Text as tokens and back. */
export interface Tokenizer {
  /** The tokens of a prompt, with what a text begins with for the model. */
  encode(text: string): number[];
  /** A token's bytes, which may be a part of a character. */
  decode(token: number, previous?: number): Uint8Array;
  /** Whether a text ends with the token. */
  isEnd(token: number): boolean;
}

/** The vocabulary of a GGUF, by libllama, which loads nothing else of the model. */
function ggufTokenizer(path: string): Tokenizer {
  const model = lib.llama_model_load_from_file(path, Object.assign(lib.llama_model_default_params(), { vocab_only: true }));
  if (model === null) throw new Error(`${path}: libllama can't read its vocabulary`);
  const vocab = lib.llama_model_get_vocab(model);
  return {
    encode(text) {
      const { length } = new TextEncoder().encode(text), tokens = new Int32Array(length + 8);
      const count = lib.llama_tokenize(vocab, text, length, tokens, tokens.length, true, true);
      return count > 0 ? [...tokens.subarray(0, count)] : [lib.llama_vocab_bos(vocab)];
    },
    decode(token) {
      const bytes = new Int8Array(256), count = lib.llama_token_to_piece(vocab, token, bytes, bytes.length, 0, false);
      return new Uint8Array(bytes.buffer, 0, Math.max(count, 0));
    },
    isEnd: (token) => lib.llama_vocab_is_eog(vocab, token),
  };
}

/** Goes on with a prompt: yields so many tokens that follow, one by one. */
export function* generate(model: Llama, prompt: readonly number[], count: number, sample: ReturnType<typeof sampler>): Generator<number> {
  let logits = model.forward(prompt, 0);
  for (let position = prompt.length; count-- > 0; position++) {
    const token = sample(logits);
    yield token;
    if (count === 0 || position === model.context) return;
    logits = model.forward([token], position);
  }
}

const USAGE = "usage: llama2.ts MODEL [--prompt TEXT] [--tokens N] [--temperature T] [--top-p P] [--seed N] [--threads N]";

async function main(args: string[]): Promise<void> {
  if (args.includes("--help")) return console.log(USAGE);
  const cores = navigator.hardwareConcurrency;
  const defaults = { prompt: "", tokens: "256", temperature: "1", "top-p": "0.9", seed: `${Date.now()}`, threads: `${cores}` };
  const unknown = (arg: string) => {
    if (arg.startsWith("-")) throw new Error(`there is no ${arg}; ${USAGE}`);
  };
  const string = ["prompt", "tokens", "temperature", "top-p", "seed", "threads", "_"] as const;
  const options = { ...defaults, ...parseArgs(args, { string, unknown }) }, [path, ...others] = options._;
  if (path === undefined || others.length > 0) throw new Error(USAGE);
  const number = (name: keyof typeof defaults, least: number, most: number, what = "whole number"): number => {
    const text = `${options[name]}`, value = Number(text);
    if (value >= least && value <= most && (what === "number" || Number.isInteger(value)) && text !== "") return value;
    throw new Error(`expected --${name} to be a ${what} from ${least} to ${most}, got ${text}`);
  };
  const count = number("tokens", 0, 2 ** 31), threads = number("threads", 1, cores), seed = number("seed", 0, Number.MAX_SAFE_INTEGER);
  const sample = sampler(number("temperature", 0, 100, "number"), number("top-p", 0, 1, "number"), seed);

  const { tokenizer, ...file } = openModel(`${path}`), text = tokenizer.encode(options.prompt), { length } = text;
  if (length > file.config.context) throw new Error(`the prompt has ${length} tokens, and the model sees ${file.config.context} at most`);
  const model = await Llama.load(file, { threads, context: length + count });
  const print = (bytes: Uint8Array) => Deno.stdout.writeSync(bytes);
  text.forEach((token, i) => print(tokenizer.decode(token, text[i - 1])));
  const begin = performance.now();
  let first = begin;
  for (const token of generate(model, text.slice(), count, sample)) {
    if (text.length === length) first = performance.now();
    if (tokenizer.isEnd(token)) break;
    print(tokenizer.decode(token, text.at(-1)));
    text.push(token);
  }
  print(Uint8Array.of(10)); // a newline
  const seconds = (performance.now() - first) / 1000, more = text.length - length - 1;
  console.error(
    `prompt: ${length} tokens in ${(first - begin).toFixed()} ms${more > 0 ? `, then ${(more / seconds).toFixed(1)} tokens/s` : ""}`,
  );
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    console.error((error as Error).message);
    Deno.exit(1);
  }
}
