/**
 * New tensors of a shape and name that a caller gave, or a file: what can't be is an error of the function that he called.
 *
 * @module
 */

import { onBehalf } from "../../ffi/core/on_behalf.ts";
import { encodeText } from "../../ffi/core/text.ts";
import { lib } from "../../ffi/generated/lib.js";
import type { TypeInfo } from "./types.ts";

/**
 * `ggml_new_tensor`.
 *
 * @param shape Row-major: `ne` reversed.
 * @param name Undefined for none.
 * @throws {RangeError} If ggml has no tensors of such a shape, or no such names.
 * @throws {Error} If the context is full.
 */
export function newTensor(
  ctx: lib.ggml_context,
  info: TypeInfo,
  shape: readonly number[],
  name: string | undefined,
  where: string,
): lib.ggml_tensor {
  expectShape(shape, info, where);
  const ne = shape.length === 0 ? [1] : shape.toReversed();
  if (name !== undefined) expectName(name, where);
  const tensor = onBehalf(where, lib.ggml_new_tensor, ctx, info.type, ne.length, BigInt64Array.from(ne, BigInt));
  if (name !== undefined) tensor.name = name;
  return tensor;
}

/** Throws unless a tensor of a type can have a shape. */
export function expectShape(shape: readonly number[], { name, blockSize }: TypeInfo, where: string): void {
  if (shape.length > lib.GGML_MAX_DIMS) {
    throw new RangeError(`${where}: expected at most ${lib.GGML_MAX_DIMS} dimensions, got the shape [${shape.join(", ")}]`);
  }
  const row = shape.at(-1) ?? 1;
  if (row % blockSize !== 0) throw new RangeError(`${where}: a row of ${row} is not a multiple of ${name}'s block of ${blockSize}`);
}

/** Throws unless a tensor can have a name. */
export function expectName(name: string, where: string): void {
  const { length } = encodeText(name, where);
  if (name.includes("\0")) throw new TypeError(`${where}: the name has a NUL, where C would cut it off`);
  if (length >= lib.GGML_MAX_NAME) {
    throw new RangeError(`${where}: the name has ${length} bytes, and ggml's have at most ${lib.GGML_MAX_NAME - 1}`);
  }
}
