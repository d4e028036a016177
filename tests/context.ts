/**
 * What the tests of tensors share.
 *
 * @module
 */

import { assert } from "@std/assert";
import { lib } from "@ggml/deno";
import { init, type NdArray, ndarray, type TypedArray } from "@ggml/deno/utils";

/** Every type that there is. */
export const TYPES: readonly lib.ggml_type[] = Object.entries(lib).filter(([name]) =>
  name.startsWith("GGML_TYPE_") && name !== "GGML_TYPE_COUNT"
)
  .map(([, type]) => type as lib.ggml_type);

/** Runs `test` with a context that is freed afterwards. */
export function withContext(test: (ctx: lib.ggml_context) => void, memSize = 16 * 1024 * 1024): void {
  using ctx = init({ memSize });
  test(ctx);
}

/** A tensor of one to four dimensions, `ne` fastest first. */
export function newTensor(ctx: lib.ggml_context, type: lib.ggml_type, ...ne: number[]): lib.ggml_tensor {
  switch (ne.length) {
    case 1:
      return lib.ggml_new_tensor_1d(ctx, type, ne[0]);
    case 2:
      return lib.ggml_new_tensor_2d(ctx, type, ne[0], ne[1]);
    case 3:
      return lib.ggml_new_tensor_3d(ctx, type, ne[0], ne[1], ne[2]);
    default:
      return lib.ggml_new_tensor_4d(ctx, type, ne[0], ne[1], ne[2], ne[3]);
  }
}

/** Numbers 0, 1, 2, … as a row-major array. */
export function ramp<D extends TypedArray>(array: new (length: number) => D, shape: number[]): NdArray<D> {
  const data = new array(shape.reduce((a, b) => a * b, 1));
  for (let i = 0; i < data.length; i++) data[i] = data instanceof BigInt64Array ? BigInt(i) as never : i % 2048;
  return ndarray(data, shape);
}

/** A wave: numbers that quantize neither to themselves nor to nothing. */
export function wave(length: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length }, (_, i) => Math.sin(i / 7) * 3 + Math.cos(i / 3));
}

/** The tensor's own bytes. */
export function bytesOf(tensor: lib.ggml_tensor): Uint8Array {
  return tensor.data!.bytes(lib.ggml_nbytes(tensor));
}

/** The bytes of a tensor in any backend's memory, as C reads them. */
export function bytesThere(tensor: lib.ggml_tensor): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(lib.ggml_nbytes(tensor));
  lib.ggml_backend_tensor_get(tensor, bytes, 0, bytes.length);
  return bytes;
}

/** Throws unless two arrays have the same bytes. */
export function sameBytes(a: Uint8Array, b: Uint8Array, what: string): void {
  assert(a.length === b.length && a.every((byte, i) => byte === b[i]), what);
}

/** The graph that ends in some tensors. */
export function graphOf(ctx: lib.ggml_context, ...results: readonly lib.ggml_tensor[]): lib.ggml_cgraph {
  const graph = lib.ggml_new_graph(ctx);
  for (const result of results) lib.ggml_build_forward_expand(graph, result);
  return graph;
}

/** Computes a graph that ends in `result`, on one thread. */
export function compute(ctx: lib.ggml_context, result: lib.ggml_tensor): void {
  const status = lib.ggml_graph_compute_with_ctx(ctx, graphOf(ctx, result), 1);
  if (status !== lib.GGML_STATUS_SUCCESS) throw new Error(`computing failed: ${status}`);
}
