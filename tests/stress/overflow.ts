/**
 * A read beyond a tensor, on purpose, after calls that the trap ended: AddressSanitizer must still report it.
 *
 * @module
 */

import { ABI } from "../../ffi/generated/layouts.js";
import { lib } from "@ggml/deno";
import { init } from "@ggml/deno/utils";
import { fence, rebuildFences } from "../fuzz/fences.ts";

rebuildFences();
const ctx = init({ memSize: 1 << 20, noAlloc: true });
const fenced = (type: lib.ggml_type, ...ne: [number, number]) => {
  const tensor = lib.ggml_new_tensor_2d(ctx, type, ...ne);
  fence(tensor, true);
  return tensor;
};

function compute(tensor: lib.ggml_tensor, threads: number): void {
  fence(tensor, true);
  const graph = lib.ggml_new_graph(ctx);
  lib.ggml_build_forward_expand(graph, tensor);
  using work = init({ memSize: 1 << 20 });
  lib.ggml_graph_compute_with_ctx(work, graph, threads);
}

function expectError(f: () => unknown): void {
  let message = "";
  try {
    f();
  } catch (error) {
    message = (error as Error).message;
  }
  console.log(message === "" ? "no error" : `an error${message.includes(": node 0 (") ? " in node 0" : ""}`);
}

const a = fenced(lib.GGML_TYPE_F32, 10, 3), kernel = fenced(lib.GGML_TYPE_F32, 2, 2);
expectError(() => lib.ggml_mul_mat(ctx, a, kernel)); // what a builder asserts
expectError(() => lib.ggml_conv_2d_direct(ctx, kernel, a, 0, 0, 0, 0, 1, 1)); // a division by zero
expectError(() => compute(lib.ggml_sqr(ctx, fenced(lib.GGML_TYPE_I32, 10, 3)), 1)); // what a kernel asserts
expectError(() => compute(lib.ggml_norm(ctx, fenced(lib.GGML_TYPE_I32, 10, 3), 0), 4)); // the same on each thread
const rows = fenced(lib.GGML_TYPE_Q8_1, 32, 2), indices = fenced(lib.GGML_TYPE_I32, 1, 1);
indices.data!.bytes(4).fill(0);
expectError(() => compute(lib.ggml_get_rows(ctx, rows, indices), 1)); // a null pointer in a kernel
const groups = lib.ggml_group_norm(ctx, a, 0, 0);
expectError(() => compute(groups, 2)); // a division by zero in a kernel
const rest = fenced(lib.GGML_TYPE_F32, 10, 8);
rest.data!.bytes(320).fill(0xff); // NaN
expectError(() => compute(lib.ggml_soft_max(ctx, rest), 4)); // what C's own assert finds, on each thread

const longer = lib.ggml_sqr(ctx, a);
fence(longer, true);
compute(longer, 2);
console.log("computed");
for (const tensor of [a, longer]) { // a row more than there is memory for, past this package's own checks
  const rows = tensor.address + BigInt(ABI.records.ggml_tensor.fields.ne + 8);
  new BigInt64Array(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(rows)!, 8))[0] = 4n;
}
compute(longer, 1);
console.log("computed again");
