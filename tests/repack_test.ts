/**
 * Buffers of the type CPU_REPACK, which take whole tensors only, keep them in an order of their own, and give nothing back: whatever reads one throws.
 *
 * @module
 */

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { compute, copy, devices, init, ndarray, print, toSvg, view } from "@ggml/deno/utils";

const GIVES_NOTHING = "the tensor's buffer gives no bytes back, as CPU_REPACK";

/** The CPU's type of buffer that repacks; null where there is none. */
function repacking(): lib.ggml_backend_buffer_type | null {
  devices(); // loads what computes on the CPU
  const device = lib.ggml_backend_dev_by_type(lib.GGML_BACKEND_DEVICE_TYPE_CPU)!;
  const extra = lib.ggml_backend_reg_get_proc_address(lib.ggml_backend_dev_backend_reg(device)!, "ggml_backend_dev_get_extra_bufts");
  if (extra === null) return null;
  const definition = { parameters: ["u64"], result: "u64" } as const;
  const types = new Deno.UnsafeFnPointer(Deno.UnsafePointer.create(extra.address) as Deno.PointerObject<typeof definition>, definition);
  const first = new Deno.UnsafePointerView(Deno.UnsafePointer.create(types.call(device.address))!).getBigUint64(0);
  return first === 0n ? null : new lib.ggml_backend_buffer_type(first, device.owner);
}

Deno.test("a tensor that was repacked computes, and whatever reads it throws", async () => {
  const type = repacking();
  if (type === null) return console.warn("SKIPPED: this CPU repacks nothing");
  const ctx = init({ noAlloc: true }), weights = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_Q4_0, 256, 64);
  const buffer = lib.ggml_backend_alloc_ctx_tensors_from_buft(ctx, type)!;
  assertEquals(lib.ggml_backend_buffer_name(buffer), "CPU_REPACK");
  const numbers = ndarray(Float32Array.from({ length: 64 * 256 }, (_, i) => Math.sin(i)), [64, 256]);
  copy(numbers, weights);

  const other = init({ memSize: 4 << 20 }), plain = lib.ggml_new_tensor_2d(other, lib.GGML_TYPE_Q4_0, 256, 64);
  const x = lib.ggml_set_f32(lib.ggml_new_tensor_1d(other, lib.GGML_TYPE_F32, 256), 1), graph = lib.ggml_new_graph(other);
  copy(numbers, plain);
  const [repacked, usual] = [weights, plain].map((matrix) => lib.ggml_mul_mat(other, matrix, x));
  for (const product of [repacked, usual]) lib.ggml_build_forward_expand(graph, product);
  compute(graph);
  const [a, b] = [repacked, usual].map((tensor) => view(tensor).data as Float32Array);
  for (let i = 0; i < 64; i++) assertEquals(Math.abs(a[i] - b[i]) < 1e-3, true, `${i}: ${a[i]} and ${b[i]}`);

  for (
    const read of [
      () => lib.ggml_backend_tensor_get(weights, new Uint8Array(18), 0, 18),
      () => copy(weights, new Float32Array(64 * 256)),
      () => view(weights, { allowCopy: true }),
      () => print(weights),
    ]
  ) assertStringIncludes(assertThrows(read, Error).message, GIVES_NOTHING);
  assertStringIncludes(await toSvg(weights).then(() => "drawn", (error) => error.message), GIVES_NOTHING);
  assertStringIncludes(Deno.inspect(weights), GIVES_NOTHING);
  assertThrows(() => lib.ggml_backend_tensor_set(weights, new Uint8Array(18), 0, 18), Error, "size == ggml_nbytes(tensor)");
});
