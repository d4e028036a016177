/**
 * libllama as the judge of what computes a llama by itself: logits and likeliest tokens, with every setting as in a plain C program.
 *
 * @module
 */

import { lib } from "@ggml/deno";
import { loadTinyLlama } from "../tiny_llama.ts";

/** A model of libllama's, and what it has seen. */
export class Reference implements Disposable {
  readonly vocab: lib.llama_vocab;
  readonly #model: lib.llama_model;
  readonly #ctx: lib.llama_context;
  readonly #count: number;

  constructor(path: string, threads: number, context = 1024) {
    this.#model = loadTinyLlama(path);
    const params = Object.assign(lib.llama_context_default_params(), { n_ctx: context, n_threads: threads, n_threads_batch: threads });
    this.#ctx = lib.llama_init_from_model(this.#model, params)!;
    this.vocab = lib.llama_model_get_vocab(this.#model);
    this.#count = lib.llama_vocab_n_tokens(this.vocab);
  }

  tokenize(text: string): number[] {
    const { length } = new TextEncoder().encode(text), ids = new Int32Array(length + 8);
    return [...ids.subarray(0, lib.llama_tokenize(this.vocab, text, length, ids, ids.length, true, true))];
  }

  /** The logits of what follows tokens that stand behind those it has seen. Good until the next call. */
  forward(tokens: readonly number[]): Float32Array {
    const batch = lib.llama_batch_get_one(Int32Array.from(tokens), tokens.length);
    if (lib.llama_decode(this.#ctx, batch) !== 0) throw new Error("libllama can't decode it");
    const { buffer, byteOffset } = lib.llama_get_logits_ith(this.#ctx, -1)!.bytes(4 * this.#count);
    return new Float32Array(buffer, byteOffset, this.#count);
  }

  /** The likeliest tokens behind a prompt, ends of text among them. */
  greedy(prompt: readonly number[], count: number): number[] {
    const tokens: number[] = [];
    for (let next = prompt; tokens.length < count; next = tokens.slice(-1)) tokens.push(likeliest(this.forward(next)));
    return tokens;
  }

  [Symbol.dispose](): void {
    this.#ctx[Symbol.dispose]();
    this.#model[Symbol.dispose]();
  }
}

/** The token with the largest logit, the first of several. */
export function likeliest(logits: Float32Array): number {
  return logits.reduce((best, logit, i) => logit > logits[best] ? i : best, 0);
}
