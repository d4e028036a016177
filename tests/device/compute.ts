/** Computing on a device whose memory is not the host's. */

import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { compute, computeAsync, copy, init, timings, toHtml, view } from "@ggml/deno/utils";
import { newTensor } from "../context.ts";
import { device } from "./find.ts";

const SIZE = 128, STEPS = 20;

/** `STEPS` products with a matrix of `1 / SIZE`, which leave one as it is. */
function products(ctx: lib.ggml_context) {
  const matrix = newTensor(ctx, lib.GGML_TYPE_F32, SIZE, SIZE);
  let result = matrix;
  for (let i = 0; i < STEPS; i++) result = lib.ggml_mul_mat(ctx, matrix, result);
  const graph = lib.ggml_new_graph(ctx);
  lib.ggml_build_forward_expand(graph, result);
  return { matrix, graph, result };
}

const values = new Float32Array(SIZE * SIZE).fill(1 / SIZE);

function read(tensor: lib.ggml_tensor): number[] {
  const out = new Float32Array(SIZE * SIZE);
  lib.ggml_backend_tensor_get(tensor, out, 0, out.byteLength);
  lib.ggml_backend_tensor_set(tensor, new Float32Array(SIZE * SIZE), 0, out.byteLength);
  return [out[0] * SIZE, out[SIZE * SIZE - 1] * SIZE];
}

Deno.test({
  name: "a device computes, now and later, reports, and is cancelled",
  async fn() {
    const backend = lib.ggml_backend_dev_init(device, null)!;
    using plain = init();
    const there = products(plain);
    assertStringIncludes(assertThrows(() => compute(there.graph, { backend }), Error).message, "is in the memory of a context");
    assertThrows(() => lib.ggml_backend_graph_compute(backend, there.graph), Error, "is in the memory of a context");
    using ctx = init({ noAlloc: true });
    const { matrix, graph, result } = products(ctx);
    const buffer = lib.ggml_backend_alloc_ctx_tensors(ctx, backend)!;
    assertStringIncludes(assertThrows(() => compute(graph), Error).message, "is in a buffer that the CPU backend can't reach");
    lib.ggml_backend_tensor_set(matrix, values, 0, values.byteLength);
    compute(graph, { backend });
    assertEquals(read(result), [1, 1]);
    await computeAsync(graph, { backend });
    assertEquals(read(result), [1, 1]);
    const heard: number[] = [];
    await computeAsync(graph, { backend, onProgress: (done) => heard.push(done) });
    assertEquals(read(result), [1, 1]);
    assert(heard.length > 1 && heard.at(-1) === STEPS, String(heard));
    const controller = new AbortController();
    const cancelled = computeAsync(graph, { backend, signal: controller.signal, onProgress: () => controller.abort() });
    await assertRejects(() => cancelled, DOMException);
    assertEquals(read(result), [0, 0]);
    lib.ggml_backend_buffer_free(buffer);
    lib.ggml_backend_free(backend);
  },
});

Deno.test({
  name: "a scheduler shares a graph out between a device and an operator in TypeScript on the CPU",
  async fn() {
    const backends = [lib.ggml_backend_dev_init(device, null)!, lib.ggml_backend_cpu_init()!];
    const sched = lib.ggml_backend_sched_new(backends, null, 2, 256, false, true);
    using ctx = init({ noAlloc: true });
    const input = newTensor(ctx, lib.GGML_TYPE_F32, SIZE, SIZE);
    const half = new lib.ggml_custom1_op_t((dst, a, ith, nth) => {
      const from = new Float32Array(a!.data!.bytes(4 * SIZE * SIZE).buffer),
        to = new Float32Array(dst!.data!.bytes(4 * SIZE * SIZE).buffer);
      for (let i = ith; i < to.length; i += nth) to[i] = from[i] / 2;
    });
    const middle = lib.ggml_map_custom1(ctx, lib.ggml_mul_mat(ctx, input, input), half, lib.GGML_N_TASKS_MAX, null);
    const result = lib.ggml_mul_mat(ctx, middle, middle);
    lib.ggml_set_input(input);
    lib.ggml_set_output(result);
    const graph = lib.ggml_new_graph(ctx);
    lib.ggml_build_forward_expand(graph, result);
    assert(lib.ggml_backend_sched_alloc_graph(sched, graph));
    for (const run of [compute, computeAsync]) {
      lib.ggml_backend_tensor_set(input, values, 0, values.byteLength);
      await run(graph, { backend: sched });
      assertEquals(read(result), [0.25, 0.25]);
    }
    lib.ggml_backend_sched_free(sched);
    backends.forEach((backend) => lib.ggml_backend_free(backend));
  },
});

Deno.test({
  name: "a device's nodes are timed with the same results, and its tensors are shown",
  async fn() {
    using backend = lib.ggml_backend_dev_init(device, null)!;
    using ctx = init({ noAlloc: true });
    const { matrix, graph, result } = products(ctx);
    using _buffer = lib.ggml_backend_alloc_ctx_tensors(ctx, backend)!;
    const numbers = Float32Array.from(values, (x, i) => x * Math.sin(i));
    copy(numbers, matrix);
    compute(graph, { backend });
    const expected = view(result, { allowCopy: true }).data;
    for (const run of [compute, computeAsync]) {
      copy(numbers, matrix);
      await run(graph, { backend, timing: true });
      assertEquals(view(result, { allowCopy: true }).data, expected);
      assertEquals(timings(graph).map(({ op, ms }) => [op, ms > 0]), Array(STEPS).fill(["MUL_MAT", true]));
    }
    const html = await toHtml(matrix);
    assertStringIncludes(html, `buffer ${lib.ggml_backend_dev_name(device)}`);
    assertStringIncludes(html, "all 16,384 numbers");
    assertStringIncludes(await toHtml(device), lib.ggml_backend_dev_description(device).trim().replaceAll("&", "&amp;"));
    assertStringIncludes(await toHtml(graph), "computed in ");
  },
});
