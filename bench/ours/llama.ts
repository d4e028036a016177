/**
 * Computes a prompt of 128 tokens and the 64 likeliest that follow: `llama.ts port|libllama prompt|token THREADS MODEL`.
 *
 * Prints how long the prompt takes, or each token that follows, and which tokens they are. With one thread it counts processor time.
 *
 * @module
 */

import { lib, load } from "@ggml/deno";
import { Llama, openModel, sampler } from "../../examples/llama2.ts";
import { median, report } from "../rounds.ts";
import { clock } from "./clock.ts";

const [way, what, threads, path] = Deno.args;
const now = clock(threads);
const TEXT = "Once upon a time, in a small village by the sea, there lived";
const PROMPT = 128, TOKENS = 64, ROUNDS = 3, CONTEXT = 1024;

/** Computes tokens at a position and gives the likeliest that follows. */
type Next = (tokens: readonly number[], position: number) => number;

async function port(): Promise<Next> {
  const model = await Llama.load(openModel(path), { threads: Number(threads), context: CONTEXT });
  const likeliest = sampler(0, 1, 0);
  return (tokens, position) => likeliest(model.forward(tokens, position));
}

function libllama(): Next {
  lib.ggml_backend_load_all_from_path(load().path);
  const model = lib.llama_model_load_from_file(path, Object.assign(lib.llama_model_default_params(), { n_gpu_layers: 0 }))!;
  const params = { n_ctx: CONTEXT, n_batch: 512, n_threads: Number(threads), n_threads_batch: Number(threads) };
  const ctx = lib.llama_init_from_model(model, Object.assign(lib.llama_context_default_params(), params))!;
  const memory = lib.llama_get_memory(ctx), greedy = lib.llama_sampler_init_greedy();
  return (tokens, position) => {
    if (position === 0) lib.llama_memory_clear(memory, true);
    if (lib.llama_decode(ctx, lib.llama_batch_get_one(Int32Array.from(tokens), tokens.length)) !== 0) throw new Error("can't decode");
    return lib.llama_sampler_sample(greedy, ctx, -1);
  };
}

/** One round: how long the prompt took and how long a token, and the tokens. */
function compute(next: Next, prompt: readonly number[]): { prompt: number; token: number; tokens: number[] } {
  const start = now(), tokens = [next(prompt, 0)], first = now();
  for (let i = 0; i < TOKENS; i++) tokens.push(next(tokens.slice(-1), PROMPT + i));
  return { prompt: first - start, token: (now() - first) / TOKENS, tokens };
}

const ids = openModel(path).tokenizer.encode(TEXT), prompt = Array.from({ length: PROMPT }, (_, i) => ids[i % ids.length]);
const next = way === "port" ? await port() : libllama();
compute(next, prompt); // warms up
const rounds = Array.from({ length: ROUNDS }, () => compute(next, prompt));
report(median(rounds.map((round) => round[what as "prompt" | "token"])) * 1e6, rounds[0].tokens.join(" "));
