/**
 * One maker for each kind of object that C frees by a function of its own, for the tests of lifetimes.
 *
 * @module
 */

import { lib } from "@ggml/deno";
import type { Handle } from "@ggml/deno/ffi";
import { init } from "@ggml/deno/utils";
import { loadTinyLlama, tinyContext } from "./tiny_llama.ts";

/** How to make an object, and to see that it is there. */
export interface Kind {
  make(): Handle & { [Symbol.dispose](): void };
  /** Calls C with it: it must throw, not crash, after it was freed. */
  use(handle: Handle): unknown;
  free(handle: Handle): void;
}

/** A backend on the CPU. */
export function cpu(): lib.ggml_backend {
  return lib.ggml_backend_cpu_init()!;
}

/** A scheduler of one backend. */
export function newSched(backend: lib.ggml_backend): lib.ggml_backend_sched {
  return lib.ggml_backend_sched_new([backend], [lib.ggml_backend_cpu_buffer_type()], 1, 64, false, false);
}

/** A context without memory for data, a tensor in it, and its sum with itself as a graph. */
export function graphOf(ctx: lib.ggml_context): { a: lib.ggml_tensor; sum: lib.ggml_tensor; graph: lib.ggml_cgraph } {
  const a = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4);
  lib.ggml_set_input(a);
  const sum = lib.ggml_add(ctx, a, a);
  const graph = lib.ggml_new_graph_custom(ctx, 16, false);
  lib.ggml_build_forward_expand(graph, sum);
  return { a, sum, graph };
}

function kind<H extends Handle & { [Symbol.dispose](): void }>(
  make: () => H,
  use: (handle: H) => unknown,
  free: (handle: H) => void,
): Kind {
  return { make, use: (handle) => use(handle as H), free: (handle) => free(handle as H) };
}

/** The kinds of ggml itself. */
export const KINDS: Readonly<Record<string, Kind>> = {
  ggml_context: kind(() => lib.ggml_init(new lib.ggml_init_params({ mem_size: 65536 })), lib.ggml_used_mem, lib.ggml_free),
  "ggml_context of init": kind(() => init({ memSize: 65536 }), lib.ggml_used_mem, lib.ggml_free),
  gguf_context: kind(lib.gguf_init_empty, lib.gguf_get_n_kv, lib.gguf_free),
  ggml_backend: kind(cpu, lib.ggml_backend_name, lib.ggml_backend_free),
  ggml_backend_buffer: kind(
    () => lib.ggml_backend_alloc_buffer(cpu(), 65536)!,
    lib.ggml_backend_buffer_get_size,
    lib.ggml_backend_buffer_free,
  ),
  ggml_gallocr: kind(
    () => lib.ggml_gallocr_new(lib.ggml_backend_cpu_buffer_type()),
    (handle) => lib.ggml_gallocr_get_buffer_size(handle, 0),
    lib.ggml_gallocr_free,
  ),
  ggml_backend_sched: kind(() => newSched(cpu()), lib.ggml_backend_sched_get_n_backends, lib.ggml_backend_sched_free),
  ggml_threadpool: kind(
    () => lib.ggml_threadpool_new(lib.ggml_threadpool_params_default(1)),
    lib.ggml_threadpool_pause,
    lib.ggml_threadpool_free,
  ),
  ggml_opt_dataset: kind(
    () => lib.ggml_opt_dataset_init(lib.GGML_TYPE_F32, lib.GGML_TYPE_F32, 4, 1, 8, 1),
    lib.ggml_opt_dataset_ndata,
    lib.ggml_opt_dataset_free,
  ),
  ggml_opt_result: kind(lib.ggml_opt_result_init, lib.ggml_opt_result_reset, lib.ggml_opt_result_free),
  ggml_opt_context: kind(
    () => lib.ggml_opt_init(lib.ggml_opt_default_params(newSched(cpu()), lib.GGML_OPT_LOSS_TYPE_SUM)),
    lib.ggml_opt_static_graphs,
    lib.ggml_opt_free,
  ),
  llama_sampler: kind(lib.llama_sampler_init_greedy, lib.llama_sampler_name, lib.llama_sampler_free),
  llama_batch: kind(() => lib.llama_batch_init(8, 0, 1), (batch) => batch.n_tokens, lib.llama_batch_free),
  "a graph's plan": kind(
    () => lib.ggml_backend_graph_plan_create(planBackend(), graphOf(init({ memSize: 65536 })).graph)!,
    (plan) => lib.ggml_backend_graph_plan_compute(planBackend(), plan),
    (plan) => lib.ggml_backend_graph_plan_free(planBackend(), plan),
  ),
  "a graph's copy": kind(
    () => lib.ggml_backend_graph_copy(cpu(), allocated()),
    (copy) => copy.graph,
    lib.ggml_backend_graph_copy_free,
  ),
};

/** The kinds of libllama that need a model, which is at `path`. */
export function llamaKinds(path: string): Readonly<Record<string, Kind>> {
  return {
    llama_model: kind(() => loadTinyLlama(path), lib.llama_model_n_embd, lib.llama_model_free),
    llama_context: kind(() => tinyContext(loadTinyLlama(path)), lib.llama_n_ctx, lib.llama_free),
    "llama_sampler of a vocabulary": kind(
      () => lib.llama_sampler_init_infill(lib.llama_model_get_vocab(loadTinyLlama(path))),
      lib.llama_sampler_name,
      lib.llama_sampler_free,
    ),
  };
}

let backend: lib.ggml_backend | null = null;

function planBackend(): lib.ggml_backend {
  return backend ??= cpu();
}

/** A graph whose tensors have memory in a buffer of their own. */
function allocated(): lib.ggml_cgraph {
  const ctx = init({ memSize: 65536, noAlloc: true });
  const { graph } = graphOf(ctx);
  lib.ggml_backend_alloc_ctx_tensors(ctx, planBackend());
  return graph;
}
