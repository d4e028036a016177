/**
 * What ggml's RPC gives on one machine: the tokens a second of a model on 1, 2 and 4 server processes of one thread, each bound to a core
 * (4 of them on 2 cores: two to a core), beside the same model in the process itself, and the bytes that go over the wire.
 * `docs/scaling.md` has what it printed.
 *
 *     deno run --allow-all bench/scaling.ts
 *
 * The model has the shapes of SmolLM2-135M (30 blocks of 576, Q8_0) with random weights and a vocabulary of 8192: what it says means
 * nothing.
 *
 * @module
 */

import { lib } from "@ggml/deno";
import { copy, devices, init, rpc } from "@ggml/deno/utils";
import { fromFileUrl } from "@std/path";
import { cpus } from "node:os";
import { buildRpc } from "../tools/build_rpc.ts";

const VOCAB = 8192, EMBD = 576, BLOCKS = 30, HEADS = 9, HEADS_KV = 3, FF = 1536;
const PROMPT = 256, UBATCH = 32, TOKENS = 24, ROUNDS = 5;
const CORES = navigator.hardwareConcurrency;

/** How many tokens are read at once, and how many are said after that. */
interface Load {
  readonly prompt: number;
  readonly tokens: number;
}

const LOAD: Load = { prompt: PROMPT, tokens: TOKENS };

/** What one run gives, in tokens a second. */
interface Speeds {
  readonly prompt: number;
  readonly generated: number;
}

function shapes(): Record<string, number[]> {
  const kv = EMBD / HEADS * HEADS_KV;
  const block = { attn_q: [EMBD, EMBD], attn_k: [EMBD, kv], attn_v: [EMBD, kv], attn_output: [EMBD, EMBD] };
  const feedForward = { ffn_gate: [EMBD, FF], ffn_up: [EMBD, FF], ffn_down: [FF, EMBD], attn_norm: [EMBD], ffn_norm: [EMBD] };
  const all: Record<string, number[]> = {
    "token_embd.weight": [EMBD, VOCAB],
    "output_norm.weight": [EMBD],
    "output.weight": [EMBD, VOCAB],
  };
  for (let i = 0; i < BLOCKS; i++) {
    for (const [name, ne] of Object.entries({ ...block, ...feedForward })) all[`blk.${i}.${name}.weight`] = ne;
  }
  return all;
}

function writeModel(path: string): void {
  using ctx = init({ memSize: 256 << 20 });
  using gguf = lib.gguf_init_empty();
  lib.gguf_set_val_str(gguf, "general.architecture", "llama");
  lib.gguf_set_val_str(gguf, "tokenizer.ggml.model", "no_vocab");
  const numbers = {
    ...{ vocab_size: VOCAB, context_length: 2048, embedding_length: EMBD, block_count: BLOCKS, feed_forward_length: FF },
    ...{ "attention.head_count": HEADS, "attention.head_count_kv": HEADS_KV, "rope.dimension_count": EMBD / HEADS },
  };
  for (const [key, value] of Object.entries(numbers)) lib.gguf_set_val_u32(gguf, `llama.${key}`, value);
  lib.gguf_set_val_f32(gguf, "llama.attention.layer_norm_rms_epsilon", 1e-5);
  const random = Float32Array.from({ length: EMBD * VOCAB }, () => Math.random() / 10 - 0.05);
  for (const [name, ne] of Object.entries(shapes())) {
    const type = ne.length === 1 ? lib.GGML_TYPE_F32 : lib.GGML_TYPE_Q8_0, count = ne.reduce((a, b) => a * b);
    const tensor = lib.ggml_new_tensor(ctx, type, ne.length, BigInt64Array.from(ne, BigInt));
    tensor.name = name;
    copy(random.subarray(0, count), tensor);
    lib.gguf_add_tensor(gguf, tensor);
  }
  if (!lib.gguf_write_to_file(gguf, path, false)) throw new Error(`can't write ${path}`);
}

/** What a process is to measure. */
interface Run {
  readonly path: string;
  readonly library: string;
  readonly endpoints: readonly string[];
  readonly load: Load;
}

/** Loads the model onto servers, or with none into this process, and measures. */
function measure({ path, endpoints, library, load }: Run): Speeds[] {
  devices(); // loads the backends
  const remote = endpoints.flatMap((endpoint) => rpc.connect(endpoint, { library }));
  const params = lib.llama_model_default_params();
  params.devices = BigUint64Array.of(...remote.map(({ device }) => device.address), 0n);
  params.n_gpu_layers = remote.length === 0 ? 0 : BLOCKS + 1;
  using model = lib.llama_model_load_from_file(path, params)!;
  const fields = { n_ctx: 512, n_batch: PROMPT, n_ubatch: UBATCH, n_threads: 1, n_threads_batch: 1 };
  using ctx = lib.llama_init_from_model(model, Object.assign(lib.llama_context_default_params(), fields))!;
  return Array.from({ length: ROUNDS + 1 }, () => once(ctx, load)).slice(1); // the first is a rehearsal
}

function once(ctx: lib.llama_context, { prompt, tokens }: Load): Speeds {
  const decode = (tokens: Int32Array<ArrayBuffer>) => {
    if (lib.llama_decode(ctx, lib.llama_batch_get_one(tokens, tokens.length)) !== 0) throw new Error("llama_decode failed");
    lib.llama_synchronize(ctx);
    lib.llama_get_logits_ith(ctx, -1); // waits for the result
  };
  lib.llama_memory_clear(lib.llama_get_memory(ctx)!, true);
  const start = performance.now();
  decode(Int32Array.from({ length: prompt }, (_, i) => (i * 31) % VOCAB));
  const between = performance.now();
  for (let i = 0; i < tokens; i++) decode(Int32Array.of(i * 17 % VOCAB));
  const end = performance.now();
  return { prompt: prompt / (between - start) * 1000, generated: tokens / (end - between) * 1000 };
}

const SELF = fromFileUrl(import.meta.url);

/** This program in a process of its own, on some of the cores. */
function child(cores: readonly number[], args: readonly string[]): Deno.ChildProcess {
  const command = ["-c", cores.join(","), Deno.execPath(), "run", "--quiet", "--allow-all", SELF, ...args];
  return new Deno.Command("taskset", { args: command, stdin: "null", stdout: "piped", stderr: "inherit" }).spawn();
}

/** The first line that a process prints. */
async function firstLine({ stdout }: Deno.ChildProcess): Promise<string> {
  const { value } = await stdout.pipeThrough(new TextDecoderStream()).getReader().read();
  return (value ?? "").trim();
}

/** All of them: who asks servers has little to compute. */
const ALL = Array.from({ length: CORES }, (_, core) => core);

/** Measures in a process of its own, on so many of the cores. */
async function run(cores: readonly number[], what: Run): Promise<Speeds[]> {
  return JSON.parse(await firstLine(child(cores, ["measure", JSON.stringify(what)])));
}

/** Runs the model on so many servers; `through` may stand before each. */
async function onServers(
  count: number,
  files: Pick<Run, "path" | "library">,
  load = LOAD,
  through = (endpoint: string) => endpoint,
): Promise<Speeds[]> {
  const servers = Array.from({ length: count }, (_, i) => child([i % CORES], ["serve", files.library]));
  try {
    const endpoints = (await Promise.all(servers.map(firstLine))).map(through);
    return await run(ALL, { ...files, endpoints, load });
  } finally {
    for (const server of servers) server.kill("SIGKILL");
  }
}

/** Stands before a server and counts the bytes in both directions. */
function counter(counts: { sent: number; received: number }): (endpoint: string) => string {
  return (endpoint) => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 }), [hostname, port] = endpoint.split(":");
    const count = (which: "sent" | "received") =>
      new TransformStream<Uint8Array, Uint8Array>({
        transform: (part, controller) => {
          counts[which] += part.length;
          controller.enqueue(part);
        },
      });
    (async () => {
      for await (const client of listener) {
        const server = await Deno.connect({ hostname, port: Number(port) });
        client.readable.pipeThrough(count("sent")).pipeTo(server.writable).catch(() => {}); // one of them has ended
        server.readable.pipeThrough(count("received")).pipeTo(client.writable).catch(() => {});
      }
    })();
    return `127.0.0.1:${(listener.addr as Deno.NetAddr).port}`;
  };
}

function median(runs: readonly Speeds[], key: keyof Speeds): string {
  const sorted = runs.map((run) => run[key]).sort((a, b) => a - b);
  const [least, middle, most] = [sorted[0], sorted[sorted.length >> 1], sorted.at(-1)!].map((value) => value.toFixed(1));
  return `${middle} (${least} – ${most})`;
}

/** The bytes that go over the wire for each token that is said, and for each of the prompt: the difference of two loads. */
async function bytes(count: number, files: Pick<Run, "path" | "library">): Promise<string> {
  const of = async (load: Load) => {
    const counts = { sent: 0, received: 0 };
    await onServers(count, files, load, counter(counts));
    return counts.sent + counts.received;
  };
  const few = { prompt: UBATCH, tokens: 8 }, runs = ROUNDS + 1;
  const [least, said, read] = [await of(few), await of({ ...few, tokens: 40 }), await of({ ...few, prompt: PROMPT })];
  return `${Math.round((read - least) / runs / (PROMPT - UBATCH))} | ${Math.round((said - least) / runs / 32)}`;
}

async function main(): Promise<void> {
  const folder = await Deno.makeTempDir(), path = `${folder}/model.gguf`;
  try {
    writeModel(path);
    const files = { path, library: await buildRpc(folder) }, here = { ...files, endpoints: [], load: LOAD };
    console.log(`${cpus()[0]?.model}, ${CORES} cores, load ${Deno.loadavg()[0].toFixed(1)}`);
    const rows: [string, () => Promise<Speeds[]>][] = [
      ["this process, on one core", () => run([0], here)],
      ...[1, 2, 4].map((count): [string, () => Promise<Speeds[]>] => [`servers: ${count}`, () => onServers(count, files)]),
    ];
    console.log("| where | prompt, tokens/s | said, tokens/s |\n| --- | --- | --- |");
    for (const [name, measured] of rows) {
      const runs = await measured();
      console.log(`| ${name} | ${median(runs, "prompt")} | ${median(runs, "generated")} |`);
    }
    console.log("| servers | bytes a token of the prompt | bytes a token said |\n| --- | --- | --- |");
    for (const count of [1, 2, 4]) console.log(`| ${count} | ${await bytes(count, files)} |`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const [role, ...args] = Deno.args;
if (role === "serve") {
  const server = await rpc.serve({ port: 0, library: args[0], threads: 1 });
  console.log(server.endpoint);
  await server.finished;
} else if (role === "measure") console.log(JSON.stringify(measure(JSON.parse(args[0]))));
else await main();
