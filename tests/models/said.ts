/**
 * What a model says wherever its layers are.
 *
 * @module
 */

import { lib } from "@ggml/deno";
import { loadModel, type LoadModelOptions } from "@ggml/deno/models";
import { onLog } from "@ggml/deno/utils";

/** What one run of a model gives. */
export interface Said {
  /** The likeliest tokens after the prompt. */
  readonly tokens: number[];
  /** After each token of the prompt, the logits of the next. */
  readonly logits: Float32Array<ArrayBuffer>[];
  /** What the log says of where the layers are: `offloaded 7/7 layers to GPU`. */
  readonly offloaded: string;
}

/** Loads a model and lets it go on with a prompt. */
export async function sayWith(path: string, options: LoadModelOptions, prompt: string, maxTokens: number): Promise<Said> {
  const lines: string[] = [];
  using _heard = onLog((_, text) => void lines.push(text));
  using model = await loadModel(path, options);
  const tokens: number[] = [], ids = model.tokenize(prompt);
  {
    using session = model.session({ context: 64, threads: 1 });
    for await (const { token } of session.generate(ids, { temperature: 0, maxTokens })) tokens.push(token);
  }
  const offloaded = lines.map((line) => /offloaded (\d+\/\d+) layers/.exec(line)?.[1]).find((part) => part !== undefined) ?? "none";
  return { tokens, logits: logitsAfter(model.handle, ids), offloaded };
}

function logitsAfter(model: lib.llama_model, ids: Int32Array<ArrayBuffer>): Float32Array<ArrayBuffer>[] {
  const params = Object.assign(lib.llama_context_default_params(), { n_ctx: 64, n_threads: 1, n_threads_batch: 1 });
  using ctx = lib.llama_init_from_model(model, params)!;
  const count = lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(model)!);
  return Array.from(ids, (id) => {
    if (lib.llama_decode(ctx, lib.llama_batch_get_one(Int32Array.of(id), 1)) !== 0) throw new Error("llama_decode failed");
    const { address } = lib.llama_get_logits_ith(ctx, -1) as { address: bigint };
    return new Float32Array(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(address)!, 4 * count).slice(0));
  });
}

/** The largest difference of two vectors' numbers. */
export function difference(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
}
