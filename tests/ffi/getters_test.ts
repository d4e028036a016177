/**
 * Getters, of options and in arrays, run while a function looks at its arguments. What they free is not used: C would read freed memory. Each in
 * a process of its own, which that would end.
 */

import { assertEquals } from "@std/assert";
import { program } from "../process.ts";

const COMMON = `
  import { lib } from "@ggml/deno";
  import { compute, computeAsync, init, tensor } from "@ggml/deno/utils";

  const graphIn = (ctx) => {
    const graph = lib.ggml_new_graph(ctx);
    lib.ggml_build_forward_expand(graph, lib.ggml_sqr(ctx, tensor(ctx, Float32Array.of(1, 2))));
    return graph;
  };
  const after = (value, free) => Object.defineProperty([value], 0, { get: () => (free(), value) });
`;

const CASES: Record<string, [program: string, message: string]> = {
  "an option of compute frees the graph": [
    `const ctx = init(), graph = graphIn(ctx);
    compute(graph, { get threads() { lib.ggml_free(ctx); } });`,
    "compute: the owner of this ggml_cgraph was freed: its ggml_context was freed by ggml_free",
  ],
  "an option of compute frees the graph when it is read again": [
    `const ctx = init(), graph = graphIn(ctx);
    let reads = 0;
    compute(graph, { get backend() { if (++reads > 1) lib.ggml_free(ctx); } });
    throw new Error(String(reads));`,
    "1",
  ],
  "an option of computeAsync frees the graph": [
    `const ctx = init(), graph = graphIn(ctx);
    await computeAsync(graph, { get signal() { lib.ggml_free(ctx); } });`,
    "computeAsync: the owner of this ggml_cgraph was freed: its ggml_context was freed by ggml_free",
  ],
  "an option of an asynchronous call frees the backend": [
    `const graph = graphIn(init()), cpu = lib.ggml_backend_cpu_init();
    await lib.async.ggml_backend_graph_compute(cpu, graph);
    await lib.async.ggml_backend_graph_compute(cpu, graph, { get signal() { lib.ggml_backend_free(cpu); } });`,
    "ggml_backend_graph_compute(backend): this ggml_backend was freed by ggml_backend_free",
  ],
  "an array of strings frees what an earlier argument stands for": [
    `const file = lib.gguf_init_empty();
    lib.gguf_set_arr_str(file, "key", after("text", () => lib.gguf_free(file)), 1);`,
    "gguf_set_arr_str(ctx): this gguf_context was freed by gguf_free",
  ],
  "an array of strings gives an earlier argument to an asynchronous call": [
    `const file = lib.gguf_init_empty();
    await lib.async.gguf_get_n_kv(file);
    lib.gguf_set_arr_str(file, "key", after("text", () => lib.async.gguf_set_val_u8(file, "other", 1)), 1);`,
    "gguf_set_arr_str(ctx): this gguf_context can't be used now: lib.async.gguf_set_val_u8 is using its gguf_context, and has not settled",
  ],
  "an array of handles frees one that was looked at": [
    `const first = lib.ggml_backend_cpu_init(), second = lib.ggml_backend_cpu_init();
    const both = Object.defineProperty([first, second], 1, { get: () => (lib.ggml_backend_free(first), second) });
    lib.ggml_backend_sched_new(both, null, 2, 64, false, false);`,
    "ggml_backend_sched_new(backends)[0]: this ggml_backend was freed by ggml_backend_free",
  ],
};

for (const [name, [text, message]] of Object.entries(CASES)) {
  Deno.test(`a getter that frees: ${name}`, async () => {
    const caught = `${COMMON}\ntry {\n${text}\n} catch (error) {\n  console.log(error.message);\n}`;
    const { code, stdout, stderr } = await program(caught, ["--allow-ffi", "--no-check"]);
    assertEquals({ code, stdout }, { code: 0, stdout: `${message}\n` }, stderr);
  });
}
