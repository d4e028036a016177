/**
 * What misuses are made with: graphs, schedulers, a tiny model.
 *
 * @module
 */

import { lib } from "@ggml/deno";
import { init } from "@ggml/deno/utils";
import { loadTinyLlama, type Tokenizer, writeTinyLlama } from "../../tiny_llama.ts";

/** A graph that squares some numbers. */
export interface Squares {
  readonly ctx: lib.ggml_context;
  readonly a: lib.ggml_tensor;
  readonly r: lib.ggml_tensor;
  readonly g: lib.ggml_cgraph;
}

function squares(noAlloc: boolean, n: number): Squares {
  const ctx = init({ memSize: 1 << 20, noAlloc }), a = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, n), r = lib.ggml_sqr(ctx, a);
  const g = lib.ggml_new_graph(ctx);
  lib.ggml_build_forward_expand(g, r);
  return { ctx, a, r, g };
}

/** A graph whose tensors have memory, and one whose tensors have none. */
export const computable = (n = 4): Squares => squares(false, n);
export const unplaced = (n = 4): Squares => squares(true, n);

export const backend = (): lib.ggml_backend => lib.ggml_backend_cpu_init()!;

export function scheduler(of: lib.ggml_backend, size = 64): lib.ggml_backend_sched {
  return lib.ggml_backend_sched_new([of], null, 1, size, false, false);
}

/** For files. */
export const folder: string = Deno.makeTempDirSync();
addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

/** The path of a model's file, which is written when it is first asked for. */
export function pathOf(tokenizer: Tokenizer): string {
  const path = `${folder}/${tokenizer}.gguf`;
  if (!written.has(path)) writeTinyLlama(path, tokenizer);
  written.add(path);
  return path;
}

const written = new Set<string>();

export const model = (tokenizer: Tokenizer = "llama"): lib.llama_model => loadTinyLlama(pathOf(tokenizer));

export const threeTokens = (): lib.llama_batch => lib.llama_batch_get_one(Int32Array.of(1, 2, 3), 3);
