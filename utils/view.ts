/**
 * `view`: a tensor's numbers as an n-dimensional array.
 *
 * @module
 */

import { show } from "../ffi/core/shown.ts";
import { describe } from "../ffi/core/describe.ts";
import { expectOptions } from "../ffi/core/options.ts";
import { lib } from "../ffi/generated/lib.js";
import { allocate } from "./copying/allocate.ts";
import { countOf } from "./copying/box.ts";
import { type DimsOption, withDims } from "./copying/dims.ts";
import { isNdArray, type NdArray, ndarray, type TypedArray } from "./arrays/ndarray.ts";
import { isOnDevice, type Operand, operand } from "./copying/operand.ts";
import { plan } from "./copying/plan.ts";
import { TensorSlice } from "./copying/tensor_slice.ts";
import { transfer } from "./copying/transfer.ts";
import { type TypedArrayConstructor, typeInfo } from "./copying/types.ts";

/** What {@linkcode view} takes besides the tensor. */
export interface ViewOptions<A = boolean> extends DimsOption {
  /**
   * What to do with a tensor whose type no typed array holds: false (the default) throws, true gives a new array of 32-bit floats, and a typed
   * array or `ndarray` is filled (whatever the tensor's type) and returned.
   */
  allowCopy?: A;
}

/**
 * A tensor's numbers as an `ndarray`, without a copy where there can be one.
 *
 * The array's shape is the tensor's `ne` reversed (`ndarray` is row-major), without the dimensions of 1 in front that ggml adds to make four: say
 * `dims` where a batch may be of one. Its strides follow `nb`: a transposed or permuted tensor is a view
 * too. F16 is a `Float16Array`, I64 a `BigInt64Array`; BF16, which JavaScript has no array for, is its bits in a `Uint16Array`, and with
 * `allowCopy` its values as 32-bit floats.
 *
 * The array's `data` is the memory that the numbers lie in. {@linkcode toArray} gives the numbers of a slice, a transposed or a padded tensor.
 *
 * A view of a tensor in a context's memory stays readable for as long as you hold it, whatever happens to the context.
 *
 * @param tensor The tensor, or a `slice` of one.
 * @param options `dims`: how many dimensions the array has. `allowCopy`: true for a new array where there can be no view: of a quantized tensor, or one in a device's memory.
 * @returns The numbers. What the array holds follows the tensor's type, which TypeScript doesn't know: say `view<Int32Array>(t)`.
 * @throws {TypeError} If it is no tensor.
 * @throws {RangeError} If the tensor has more dimensions than `dims`.
 * @throws {Error} If the tensor's type needs a copy and none is allowed, or the tensor has no memory or was freed.
 *
 * @example
 * ```ts
 * import { lib } from "@ggml/deno";
 * import { copy, init, view } from "@ggml/deno/utils";
 *
 * using ctx = init({ memSize: 1024 * 1024 });
 * const a = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, 3, 2); // 2 rows of 3
 * copy(new Float32Array([1, 2, 3, 4, 5, 6]), a);
 * const numbers = view(a);
 * console.log(numbers.shape, numbers.get(1, 2)); // [ 2, 3 ] 6
 * numbers.set(1, 2, 7); // writes into the tensor
 * ```
 */
export function view<D extends TypedArray = Float32Array>(
  tensor: lib.ggml_tensor | TensorSlice,
  options?: ViewOptions,
): NoInfer<NdArray<D>>;
/**
 * A tensor's numbers, filled into an array of yours.
 *
 * @param tensor The tensor, of any type that converts to the array's.
 * @param options `allowCopy`: the array.
 * @returns The same array.
 */
export function view<A extends TypedArray | NdArray<TypedArray>>(
  tensor: lib.ggml_tensor | TensorSlice,
  options: ViewOptions<A> & { allowCopy: A },
): A;
export function view(
  given: lib.ggml_tensor | TensorSlice,
  options: ViewOptions<boolean | TypedArray | NdArray<TypedArray>> = {},
): TypedArray | NdArray<TypedArray> {
  const { allowCopy = false, dims } = expectOptions("view", options, ["allowCopy", "dims"]);
  const tensor = given instanceof TensorSlice ? given.tensor : given;
  if (!(tensor instanceof lib.ggml_tensor)) throw new TypeError(`view: expected a tensor, got ${describe(tensor)}`);
  const source = withDims(given, dims, "view") as typeof given;
  if (typeof allowCopy !== "boolean") return fill(source, allowCopy);
  const part = operand(source, "view");
  const { array } = typeInfo(tensor.type);
  const obstacle = obstacleTo(part, tensor);
  const isBits = array as unknown === Uint16Array; // BF16
  if (obstacle === null && !(isBits && allowCopy)) return viewOf(part, array!);
  if (!allowCopy) throw new Error(`view: ${part.describe()} ${obstacle}: pass { allowCopy: true } for a copy`);
  return copyOf(source, part, array === null || isBits ? Float32Array : array);
}

/** Why a tensor's own memory can't be viewed; null if it can. */
function obstacleTo({ layout, bytes }: Operand, tensor: lib.ggml_tensor): string | null {
  const { array, isQuantized } = typeInfo(tensor.type);
  if (isQuantized) return "is quantized";
  if (array === null) return "is of a type without an array";
  if (isOnDevice(tensor)) return "is in a device's memory that the CPU can't address";
  const { strides, offset, unit } = layout!;
  if ([...strides, offset, bytes!.byteOffset].every((n) => n % unit === 0)) return null;
  return `lies at no multiples of its elements of ${unit} bytes (nb=[${tensor.nb.join(", ")}])`;
}

/** The memory itself with its own strides. */
function viewOf({ layout, bytes }: Operand, array: TypedArrayConstructor): NdArray<TypedArray> {
  const { shape, strides, offset, unit } = layout!;
  const data = show(new array(bytes!.buffer, bytes!.byteOffset, Math.floor(bytes!.byteLength / unit)));
  return ndarray(data, shape, strides.map((step) => step / unit), offset / unit);
}

/** A new array of the same numbers. */
function copyOf(source: lib.ggml_tensor | TensorSlice, { layout }: Operand, array: TypedArrayConstructor): NdArray<TypedArray> {
  const { shape } = layout!;
  const length = countOf(shape);
  return fill(source, ndarray(new array(allocate(length * array.BYTES_PER_ELEMENT, "view").buffer), shape));
}

function fill<A extends TypedArray | NdArray<TypedArray>>(source: lib.ggml_tensor | TensorSlice, array: A): A {
  if (!isNdArray(array) && !ArrayBuffer.isView(array)) {
    throw new TypeError(`view: allowCopy must be a boolean, a typed array or an ndarray, got ${describe(array)}`);
  }
  transfer(plan("view", source, array, {}));
  return array;
}
