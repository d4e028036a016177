/** Memory of JavaScript's that C points to, and that is transferred elsewhere: whatever would use it is refused, and says which it was. */

import { assertEquals, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { compute, computeAsync, copy, init, view } from "@ggml/deno/utils";
import { graphOf } from "../context.ts";

/** Has nobody here have the memory any more. */
function transfer({ buffer }: { readonly buffer: ArrayBuffer }): void {
  structuredClone(buffer, { transfer: [buffer] });
}

/** Memory that begins at a multiple of 32 bytes, as buffers must. */
function aligned(byteLength: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(byteLength + 32), address = BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)));
  return bytes.subarray(Number(32n - address % 32n)).subarray(0, byteLength);
}

const LOST = /was left without its memory: the Uint8Array of \d+ bytes (?:given as|that it was made of).* was transferred elsewhere$/;

function assertLost(...uses: (() => unknown)[]): void {
  for (const use of uses) assertEquals(LOST.test(assertThrows(use, Error).message), true, use.toString());
}

Deno.test("a context whose memBuffer was transferred, and what points into it", async () => {
  const memory = new Uint8Array(1 << 16), ctx = init({ memBuffer: memory });
  using other = init();
  const a = lib.ggml_set_f32(lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4), 1), b = lib.ggml_sqr(other, a), graph = graphOf(other, b);
  compute(graph);
  transfer(memory);
  assertLost(
    () => lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4),
    () => a.ne,
    () => a.address && lib.ggml_nbytes(a),
    () => view(a),
    () => copy(new Float32Array(4), a),
    () => copy(a, new Float32Array(4)),
    () => compute(graph),
    () => lib.ggml_graph_compute_with_ctx(other, graph, 1),
    () => lib.ggml_sqr(other, a),
  );
  const error = await computeAsync(graph).then(() => null, (error) => error);
  assertEquals(LOST.test(error?.message), true, String(error));
  lib.ggml_free(ctx);
});

Deno.test("a buffer over memory that was transferred, and tensors in it", () => {
  const memory = aligned(1 << 16), buffer = lib.ggml_backend_cpu_buffer_from_ptr(memory as never, memory.length);
  using ctx = init({ noAlloc: true });
  const a = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4);
  lib.ggml_backend_tensor_alloc(buffer, a, lib.ggml_backend_buffer_get_base(buffer)! as never);
  copy(Float32Array.of(1, 2, 3, 4), a);
  transfer(memory);
  assertLost(
    () => lib.ggml_backend_buffer_clear(buffer, 0),
    () => copy(new Float32Array(4), a),
    () => view(a),
    () => lib.ggml_backend_tensor_set(a, new Float32Array(4), 0, 16),
  );
  lib.ggml_backend_buffer_free(buffer);
});

Deno.test("a plan whose work_data was transferred; another one computes", () => {
  using ctx = init();
  const a = lib.ggml_set_f32(lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, 64, 64), 1);
  const graph = graphOf(ctx, lib.ggml_mul_mat(ctx, lib.ggml_cast(ctx, a, lib.GGML_TYPE_F16), a));
  const plan = lib.ggml_graph_plan(graph, 1, null), first = new Uint8Array(plan.work_size), second = new Uint8Array(plan.work_size);
  plan.work_data = first as never;
  plan.work_data = second as never;
  transfer(first); // which the plan doesn't point to any more
  assertEquals(lib.ggml_graph_compute(graph, plan), lib.GGML_STATUS_SUCCESS);
  transfer(second);
  assertLost(() => lib.ggml_graph_compute(graph, plan));
  compute(graph);
});

Deno.test("what was copied, and what is C's own, may be transferred", () => {
  using ctx = init();
  const numbers = Float32Array.of(1, 2, 3, 4), a = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4);
  copy(numbers, a);
  transfer(numbers);
  assertEquals([...view(lib.ggml_dup_tensor(ctx, a)).data].length, 4);
});
