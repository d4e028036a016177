/**
 * `tensor`: a new tensor from numbers.
 *
 * @module
 */

import { describe } from "../ffi/core/describe.ts";
import { expectOptions } from "../ffi/core/options.ts";
import { freedError } from "../ffi/core/handle.ts";
import { lib } from "../ffi/generated/lib.js";
import { denseLayout } from "./copying/box.ts";
import { isNested, type NestedNumbers } from "./copying/nested.ts";
import { expectShape, newTensor } from "./copying/new_tensor.ts";
import { operand } from "./copying/operand.ts";
import { expectImatrix, planOf, sourceOf } from "./copying/plan.ts";
import { rememberRank } from "./copying/rank.ts";
import { transfer } from "./copying/transfer.ts";
import { expectType, typeOfArray } from "./copying/types.ts";
import { isNdArray, type NdArray, type TypedArray } from "./arrays/ndarray.ts";

/** What {@linkcode tensor} takes besides the numbers. */
export interface TensorOptions {
  /** The type to convert to; by default the array's own, and F32 for nested arrays. */
  type?: lib.ggml_type;
  /** The tensor's name, of at most 63 bytes. */
  name?: string;
  /** The importance of each column, for types that are quantized by it, as `copy` takes it. */
  imatrix?: Float32Array;
}

/**
 * Makes a tensor of an array's shape and copies its numbers into it, converted if need be.
 *
 * @param ctx The context that it is made in, which has room for it.
 * @param array A typed array, which gives one dimension; nested arrays such as `[[1, 2], [3, 4]]`; or an `ndarray`. The shape is row-major: `ne` is
 * its reverse. How many dimensions it has is remembered: `view(tensor(ctx, [[1, 2]])).shape` is `[1, 2]`.
 * @param options `type`, `name`, `imatrix`.
 * @returns The tensor. In C: `ggml_new_tensor`, and the conversions of `copy`.
 * @throws {TypeError} If an argument is of the wrong type, no tensor type has the array's elements, or they don't convert to `type`.
 * @throws {RangeError} If there are more than four dimensions, rows aren't whole blocks of `type`, an integer isn't a value of it, or the name is too
 * long.
 * @throws {Error} If the context is full, was freed, or was made with `noAlloc`: its tensors have no memory yet.
 *
 * @example
 * ```ts
 * import { lib } from "@ggml/deno";
 * import { init, print, tensor } from "@ggml/deno/utils";
 *
 * using ctx = init();
 * const a = tensor(ctx, [[1, 2], [3, 4]], { type: lib.GGML_TYPE_F16, name: "a" });
 * print(a);
 * // [[1. 2.]
 * //  [3. 4.]]
 * ```
 */
export function tensor(
  ctx: lib.ggml_context,
  array: TypedArray | NdArray<TypedArray> | NestedNumbers,
  options: TensorOptions = {},
): lib.ggml_tensor {
  const where = "tensor";
  if (!(ctx instanceof lib.ggml_context)) throw new TypeError(`${where}: expected a ggml_context, got ${describe(ctx)}`);
  if (ctx.owner.freed) throw freedError(ctx, where);
  const { type, name, imatrix: given } = expectOptions(where, options, ["type", "name", "imatrix"]);
  if (name !== undefined && typeof name !== "string") throw new TypeError(`${where}: name must be a string, got ${describe(name)}`);
  const imatrix = expectImatrix(where, given);
  expectArray(array, where);
  const info = expectType(where, type === undefined ? ownType(array, where) : type), source = sourceOf(where, array, info, Infinity);
  if (source.type === null) {
    throw new TypeError(`${where}: ${source.describe()}: these are bytes, not numbers: give a Float32Array of them`);
  }
  if (lib.ggml_get_no_alloc(ctx)) {
    throw new Error(`${where}: the context was made with noAlloc: its tensors have no memory to copy to before a backend gives them some`);
  }
  // Whatever can be wrong is looked at before there is a tensor: a context takes none back.
  const shape = source.shape ?? [source.count];
  expectShape(shape, info, where);
  const destination = { ...source, type: info, shape, layout: denseLayout(shape, info), describe: () => `a tensor of ${info.name}` };
  const plan = planOf(where, source, destination, { imatrix });
  const made = newTensor(ctx, info, shape, name, where);
  transfer({ ...plan, destination: operand(made, where) });
  rememberRank(made, shape.length);
  return made;
}

function expectArray(array: unknown, where: string): void {
  if (isNdArray(array) || isNested(array) || (ArrayBuffer.isView(array) && "length" in array)) return;
  throw new TypeError(`${where}: expected a typed array, an ndarray or nested arrays of numbers, got ${describe(array)}`);
}

/** The tensor type that has an array's elements; 32-bit floats for nested arrays. */
function ownType(array: TypedArray | NdArray<TypedArray> | NestedNumbers, where: string): lib.ggml_type {
  if (isNested(array) && !isNdArray(array)) return lib.GGML_TYPE_F32;
  const data = isNdArray(array) ? array.data : array as TypedArray, type = typeOfArray(data);
  if (type === null) throw new TypeError(`${where}: no tensor type has the elements of a ${data.constructor.name}: say { type }`);
  if (data instanceof Uint16Array) throw new TypeError(`${where}: a Uint16Array may be integers or the bits of BF16: say { type }`);
  return type;
}
