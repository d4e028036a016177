/**
 * Makes and drops objects of one kind in a loop that lets the event loop turn, and says how much memory was resident, and how many threads
 * there were, at most.
 *
 *     deno run -A --v8-flags=--expose-gc tests/stress/leaks.ts KIND COUNT
 *
 * @module
 */

import { lib } from "@ggml/deno";
import { init } from "@ggml/deno/utils";

declare const gc: () => void;

const MEMORY = 256 * 1024, LARGE = 64 * 1024 * 1024;
const backend = lib.ggml_backend_cpu_init()!;

/** What is made: each of about `MEMORY` bytes, every page of them in use. */
const MAKERS: Readonly<Record<string, () => unknown>> = {
  context() {
    const ctx = init({ memSize: MEMORY });
    lib.ggml_set_i32(lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_I8, MEMORY - 1024), 1);
  },
  buffer() {
    const buffer = lib.ggml_backend_buft_alloc_buffer(lib.ggml_backend_cpu_buffer_type(), MEMORY)!;
    lib.ggml_backend_buffer_clear(buffer, 1);
  },
  "buffer of tensors"() {
    const ctx = init({ memSize: 1024, noAlloc: true });
    lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_I8, MEMORY);
    lib.ggml_backend_buffer_clear(lib.ggml_backend_alloc_ctx_tensors_from_buft(ctx, lib.ggml_backend_cpu_buffer_type())!, 1);
  },
  "large context"() {
    lib.ggml_set_i32(lib.ggml_new_tensor_1d(init({ memSize: LARGE }), lib.GGML_TYPE_I8, LARGE - 1024), 1);
  },
  "large context of ggml_init"() {
    const ctx = lib.ggml_init(new lib.ggml_init_params({ mem_size: LARGE }));
    lib.ggml_set_i32(lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_I8, LARGE - 1024), 1);
  },
  "large buffer"() {
    lib.ggml_backend_buffer_clear(lib.ggml_backend_buft_alloc_buffer(lib.ggml_backend_cpu_buffer_type(), LARGE)!, 1);
  },
  allocator() {
    const { ctx, graph } = graphOf(MEMORY);
    const allocator = lib.ggml_gallocr_new(lib.ggml_backend_cpu_buffer_type());
    lib.ggml_gallocr_alloc_graph(allocator, graph);
    lib.ggml_set_zero(lib.ggml_get_first_tensor(ctx)!);
  },
  gguf() {
    lib.gguf_set_val_str(lib.gguf_init_empty(), "key", "x".repeat(MEMORY));
  },
  scheduler() {
    lib.ggml_backend_sched_new([lib.ggml_backend_cpu_init()!], null, 1, 2048, false, false);
  },
  "refused copy"() {
    const { graph } = graphOf(MEMORY);
    refused(() => lib.ggml_backend_graph_copy(backend, graph), /expected tensors in backends' buffers/);
  },
  threadpool() {
    lib.ggml_threadpool_new(lib.ggml_threadpool_params_default(2));
  },
};

/** Makes a call that must fail, and say why. */
function refused(call: () => unknown, says: RegExp): void {
  try {
    call();
  } catch (error) {
    if (says.test((error as Error).message)) return;
    throw error;
  }
  throw new Error("it was not refused");
}

function graphOf(bytes: number) {
  const ctx = init({ memSize: 16 * 1024, noAlloc: true });
  const sum = lib.ggml_add(
    ctx,
    lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, bytes / 4),
    lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 1),
  );
  const graph = lib.ggml_new_graph_custom(ctx, 16, false);
  lib.ggml_build_forward_expand(graph, sum);
  return { ctx, graph };
}

/** Where the system doesn't say so readily, 0. */
function threads(): number {
  if (Deno.build.os !== "linux") return 0;
  return Number(/^Threads:\s+(\d+)/m.exec(Deno.readTextFileSync("/proc/self/status"))?.[1]);
}

if (import.meta.main) {
  const [kind, count] = Deno.args;
  MAKERS[kind](); // what is loaded once
  const before = { rss: Deno.memoryUsage().rss, threads: threads() };
  let megabytes = 0, mostThreads = 0;
  for (let i = 0; i < Number(count); i++) {
    MAKERS[kind]();
    const isLarge = kind.startsWith("large");
    if (i % 20 !== 0 && !isLarge) continue;
    // V8 sees what a context or a large buffer weighs, and collects by itself. What else C allocates it doesn't see.
    if (kind !== "context" && !isLarge) gc();
    await new Promise((resolve) => setTimeout(resolve));
    megabytes = Math.max(megabytes, (Deno.memoryUsage().rss - before.rss) / 2 ** 20);
    mostThreads = Math.max(mostThreads, threads() - before.threads);
  }
  console.log(JSON.stringify({ megabytes: Math.round(megabytes), threads: mostThreads }));
}
