/**
 * What the tests of `lib.async` call C with: a tiny model, graphs that take a while, and what calls fail with.
 *
 * @module
 */

import { assertRejects } from "@std/assert";
import { lib } from "@ggml/deno";
import { copy, init } from "@ggml/deno/utils";
import { loadTinyLlama, writeTinyLlama } from "../tiny_llama.ts";

const { GGML_TYPE_F32: F32 } = lib;

export const folder = Deno.makeTempDirSync(), path = `${folder}/tiny.gguf`;

addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

writeTinyLlama(path, "llama");

let model: lib.llama_model | null = null;

/** A model with a vocabulary as SentencePiece has it. */
export function theModel(): lib.llama_model {
  return model ??= loadTinyLlama(path);
}

/** What an asynchronous call rejects with. */
export async function failure(call: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => call, Error)).message;
}

const N = 384;

/** A graph of products, which takes a while. */
export function products(ctx: lib.ggml_context, count = 12): lib.ggml_cgraph {
  const a = lib.ggml_new_tensor_2d(ctx, F32, N, N), graph = lib.ggml_new_graph(ctx);
  lib.ggml_set_input(a);
  let product = a;
  for (let i = 0; i < count; i++) product = lib.ggml_mul_mat(ctx, a, product);
  lib.ggml_build_forward_expand(graph, product);
  return graph;
}

/** A graph of squares, and what it is computed of. */
export function squares(ctx: lib.ggml_context) {
  const a = lib.ggml_new_tensor_1d(ctx, F32, 3), graph = lib.ggml_new_graph(ctx), result = lib.ggml_sqr(ctx, a);
  copy([1, 2, 3], a);
  lib.ggml_build_forward_expand(graph, result);
  return { a, graph, result };
}

/** The logits after three tokens. */
export function logitsOf(ctx: lib.llama_context): number[] {
  return [...new Float32Array(lib.llama_get_logits_ith(ctx, -1)!.bytes(4 * 64).slice().buffer)];
}

/** A batch in memory of its own. */
export function batchOf(tokens: readonly number[]): lib.llama_batch {
  return lib.llama_batch_get_one(Int32Array.from(tokens), tokens.length);
}

/** What is trained: an output of one weight that is to become 3. */
export function training() {
  const fixed = init({ noAlloc: true }), ctx = init({ noAlloc: true }), cpu = lib.ggml_backend_cpu_init()!;
  lib.ggml_backend_cpu_set_n_threads(cpu, 1);
  const sched = lib.ggml_backend_sched_new([cpu], null, 1, 2048, false, true);
  const dataset = lib.ggml_opt_dataset_init(F32, F32, 1, 1, 8, 1);
  lib.ggml_set_f32(lib.ggml_opt_dataset_data(dataset), 1);
  lib.ggml_set_f32(lib.ggml_opt_dataset_labels(dataset)!, 3);
  const weight = lib.ggml_new_tensor_2d(fixed, F32, 1, 1), inputs = lib.ggml_new_tensor_2d(fixed, F32, 1, 4);
  lib.ggml_set_param(weight);
  const buffer = lib.ggml_backend_alloc_ctx_tensors(fixed, cpu)!;
  lib.ggml_set_f32(weight, 1);
  const outputs = lib.ggml_mul_mat(ctx, weight, inputs);
  lib.ggml_set_input(inputs);
  lib.ggml_set_output(outputs);
  const epochs = (optimizer: lib.ggml_opt_get_optimizer_params) =>
    [
      ...[sched, ctx, inputs, outputs, dataset, lib.GGML_OPT_LOSS_TYPE_MEAN_SQUARED_ERROR, lib.GGML_OPT_OPTIMIZER_TYPE_ADAMW],
      ...[optimizer, 3, 4, 0, true],
    ] as unknown as Parameters<typeof lib.ggml_opt_fit>;
  const optimizer = () => {
    const params = lib.ggml_opt_default_params(sched, lib.GGML_OPT_LOSS_TYPE_MEAN_SQUARED_ERROR);
    Object.assign(params, { ctx_compute: ctx, inputs, outputs });
    return lib.ggml_opt_init(params);
  };
  return { fixed, ctx, cpu, sched, dataset, buffer, weight, epochs, optimizer };
}

/** Steps of a size that is decided in TypeScript. */
export function stepsOf(alpha: number, asked: () => void = () => {}): lib.ggml_opt_get_optimizer_params {
  return new lib.ggml_opt_get_optimizer_params(() => {
    asked();
    const params = lib.ggml_opt_get_default_optimizer_params(null as never);
    params.adamw.alpha = alpha;
    return params;
  });
}
