/**
 * What the tests of callbacks compute with: operators in TypeScript, and each way to compute.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { lib } from "@ggml/deno";
import { compute, computeAsync, init } from "@ggml/deno/utils";
import { newTensor } from "../context.ts";
import { program } from "../process.ts";

export const CORES = navigator.hardwareConcurrency;

export const LENGTH = 64;

export function floats(tensor: lib.ggml_tensor | null): Float32Array {
  const bytes = tensor!.data!.bytes(lib.ggml_nbytes(tensor!));
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

export function graphOf(ctx: lib.ggml_context, result: lib.ggml_tensor): lib.ggml_cgraph {
  const graph = lib.ggml_new_graph_custom(ctx, 32, false);
  lib.ggml_build_forward_expand(graph, result);
  return graph;
}

/** Every way to put an operator into a graph: each result is the sum of its sources, computed by `work`. */
export function operators(
  ctx: lib.ggml_context,
  work: (dst: lib.ggml_tensor, sources: lib.ggml_tensor[], ith: number, nth: number) => void,
) {
  const [a, b, c] = [1, 10, 100].map((value) => lib.ggml_set_f32(newTensor(ctx, lib.GGML_TYPE_F32, LENGTH), value));
  const one = new lib.ggml_custom1_op_t((dst, a, ith, nth) => work(dst!, [a!], ith, nth));
  const two = new lib.ggml_custom2_op_t((dst, a, b, ith, nth) => work(dst!, [a!, b!], ith, nth));
  const three = new lib.ggml_custom3_op_t((dst, a, b, c, ith, nth) => work(dst!, [a!, b!, c!], ith, nth));
  const any = new lib.ggml_custom_op_t((dst, ith, nth) => work(dst!, dst!.src.filter((source) => source !== null), ith, nth));
  const all = lib.GGML_N_TASKS_MAX;
  return [
    [lib.ggml_map_custom1(ctx, a, one, all, null), 1],
    [lib.ggml_map_custom1_inplace(ctx, lib.ggml_dup(ctx, a), one, all, null), 1],
    [lib.ggml_map_custom2(ctx, a, b, two, all, null), 11],
    [lib.ggml_map_custom2_inplace(ctx, lib.ggml_dup(ctx, a), b, two, all, null), 11],
    [lib.ggml_map_custom3(ctx, a, b, c, three, all, null), 111],
    [lib.ggml_map_custom3_inplace(ctx, lib.ggml_dup(ctx, a), b, c, three, all, null), 111],
    [lib.ggml_custom_4d(ctx, lib.GGML_TYPE_F32, LENGTH, 1, 1, 1, [a, b, c], 3, any, all, null), 111],
    [lib.ggml_custom_inplace(ctx, lib.ggml_dup(ctx, a), [b, c], 2, any, all, null), 111],
  ] as [lib.ggml_tensor, number][];
}

/** The part of the sum that is thread `ith`'s. */
export function sum(dst: lib.ggml_tensor, sources: lib.ggml_tensor[], ith: number, nth: number): void {
  const to = floats(dst), from = sources.map(floats);
  for (let i = ith; i < LENGTH; i += nth) to[i] = from.reduce((sum, values) => sum + values[i], 0);
}

/** Every way to compute a graph. */
export function computers(ctx: lib.ggml_context, cpu: lib.ggml_backend, sched: lib.ggml_backend_sched) {
  const plan = (graph: lib.ggml_cgraph, threads: number) => {
    const plan = lib.ggml_graph_plan(graph, threads, null);
    plan.work_data = new Uint8Array(plan.work_size + 1) as never;
    return plan;
  };
  const set = (threads: number) => lib.ggml_backend_cpu_set_n_threads(cpu, threads);
  return {
    ggml_graph_compute_with_ctx: (graph, threads) => lib.ggml_graph_compute_with_ctx(ctx, graph, threads),
    ggml_graph_compute: (graph, threads) => lib.ggml_graph_compute(graph, plan(graph, threads)),
    ggml_backend_graph_compute: (graph, threads) => (set(threads), lib.ggml_backend_graph_compute(cpu, graph)),
    ggml_backend_graph_compute_async: (graph, threads) => (set(threads), lib.ggml_backend_graph_compute_async(cpu, graph)),
    ggml_backend_graph_plan_compute(graph, threads) {
      set(threads);
      const plan = lib.ggml_backend_graph_plan_create(cpu, graph)!;
      try {
        return lib.ggml_backend_graph_plan_compute(cpu, plan);
      } finally {
        lib.ggml_backend_graph_plan_free(cpu, plan);
      }
    },
    ggml_backend_sched_graph_compute(graph, threads) {
      set(threads);
      lib.ggml_backend_sched_reset(sched);
      return lib.ggml_backend_sched_graph_compute(sched, graph);
    },
    compute: (graph, threads) => compute(graph, { threads }),
    "compute on a backend": (graph, threads) => compute(graph, { threads, backend: cpu }),
    computeAsync: (graph, threads) => computeAsync(graph, { threads }),
    "computeAsync with progress": (graph, threads) => computeAsync(graph, { threads, onProgress() {} }),
    async "computeAsync on a scheduler"(graph, threads) {
      lib.ggml_backend_sched_reset(sched);
      await computeAsync(graph, { threads, backend: sched });
    },
    "every thread at once": async (graph, threads) => { // computeAsync finds that such a graph wants one thread
      const { library } = await import("../../ffi/load/library.ts");
      const nonblocking = { parameters: ["u64", "u64", "i32"], result: "i32", nonblocking: true } as const;
      const compute = library().symbol("ggml_graph_compute_with_ctx", nonblocking) as (...args: unknown[]) => Promise<number>;
      assertEquals(await compute(ctx.address, graph.address, threads), 0);
    },
  } as Record<string, (graph: lib.ggml_cgraph, threads: number) => unknown>;
}

export function withBackend(test: (ctx: lib.ggml_context, cpu: lib.ggml_backend, sched: lib.ggml_backend_sched) => Promise<void>) {
  return async () => {
    using ctx = init();
    const cpu = lib.ggml_backend_cpu_init()!;
    const sched = lib.ggml_backend_sched_new([cpu], null, 1, 256, false, true);
    await test(ctx, cpu, sched);
    lib.ggml_backend_sched_free(sched);
    lib.ggml_backend_free(cpu);
  };
}

/** Runs a program that may collect garbage. */
export async function collecting(text: string) {
  return await program(
    `
    import { lib, load } from "@ggml/deno";
    import { compute, computeAsync, init } from "@ggml/deno/utils";
    const collect = async () => {
      for (let i = 0; i < 4; i++) { globalThis.gc(); await new Promise((resolve) => setTimeout(resolve, 0)); }
    };
    const LENGTH = 4;
    ${text}
  `,
    ["--allow-ffi", "--allow-env=GGML_LIBRARY", "--v8-flags=--expose-gc", "--no-check"],
  );
}
