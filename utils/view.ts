/**
 * `view`: a tensor's numbers as an n-dimensional array.
 *
 * @module
 */

import { lib } from "../ffi/lib.js";
import { describe } from "../ffi/describe.ts";
import { copy } from "./copy.ts";
import { isNdArray, type NdArray, ndarray, type TypedArray } from "./ndarray.ts";
import { describeTensor, shapeOf, tensorBytes } from "./operand.ts";
import { typeInfo } from "./types.ts";

/** What {@linkcode view} takes besides the tensor. */
export interface ViewOptions<A = boolean> {
  /**
   * What to do with a tensor whose type no typed array holds: false (the default) throws, true gives a new array of 32-bit floats, and a typed
   * array or `ndarray` is filled (whatever the tensor's type) and returned.
   */
  allowCopy?: A;
}

/**
 * A tensor's numbers, filled into an array of yours.
 *
 * @param tensor The tensor, of any type that converts to the array's.
 * @param options `allowCopy`: the array.
 * @returns The same array.
 */
export function view<A extends TypedArray | NdArray<TypedArray>>(tensor: lib.ggml_tensor, options: ViewOptions<A>): A;
/**
 * A tensor's numbers as an `ndarray`, without a copy where there can be one.
 *
 * The array's shape is the tensor's `ne` reversed (`ndarray` is row-major), its strides follow `nb`: a transposed or permuted tensor is a view
 * too. F16 is a `Float16Array`, I64 a `BigInt64Array`; BF16, which JavaScript has no array for, is its bits in a `Uint16Array`, and with
 * `allowCopy` its values as 32-bit floats.
 *
 * A view of a tensor in a context's memory stays readable for as long as you hold it, whatever happens to the context.
 *
 * @param tensor The tensor.
 * @param options `allowCopy`: true to dequantize into a new array.
 * @returns The numbers. What the array holds follows the tensor's type, which TypeScript doesn't know: say `view<Int32Array>(t)`.
 * @throws {TypeError} If it is no tensor.
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
export function view<D extends TypedArray = Float32Array>(tensor: lib.ggml_tensor, options?: ViewOptions): NdArray<D>;
export function view(
  tensor: lib.ggml_tensor,
  options: ViewOptions<boolean | TypedArray | NdArray<TypedArray>> = {},
): TypedArray | NdArray<TypedArray> {
  if (typeof options !== "object" || options === null) throw new TypeError(`view: expected { allowCopy }, got ${describe(options)}`);
  const { allowCopy = false } = options;
  if (!(tensor instanceof lib.ggml_tensor)) throw new TypeError(`view: expected a tensor, got ${describe(tensor)}`);
  if (typeof allowCopy !== "boolean") {
    if (!isNdArray(allowCopy) && !ArrayBuffer.isView(allowCopy)) {
      throw new TypeError(`view: allowCopy must be a boolean, a typed array or an ndarray, got ${describe(allowCopy)}`);
    }
    copy(tensor, allowCopy);
    return allowCopy;
  }
  const { array, isQuantized, name, toFloat } = typeInfo(tensor.type);
  const needsCopy = array === null || (allowCopy && array === Uint16Array);
  if (!needsCopy) return viewOf(tensor, array);
  if (!allowCopy) {
    throw new Error(
      `view: ${describeTensor(tensor)} is ${isQuantized ? "quantized" : "of a type without an array"}: pass { allowCopy: true } for a copy`,
    );
  }
  if (toFloat === null) throw new Error(`view: ggml has no conversion from ${name} to f32 (${describeTensor(tensor)})`);
  const shape = shapeOf(tensor);
  const copied = ndarray(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);
  copy(tensor, copied);
  return copied as NdArray<TypedArray>;
}

/** The tensor's own memory with its own strides. */
function viewOf(
  tensor: lib.ggml_tensor,
  array: new (buffer: ArrayBuffer, byteOffset: number, length: number) => TypedArray,
): NdArray<TypedArray> {
  const { typeSize } = typeInfo(tensor.type);
  const bytes = tensorBytes(tensor, "view");
  const shape = shapeOf(tensor);
  const stride = tensor.nb.slice(0, shape.length).reverse();
  if (stride.some((step) => step % typeSize !== 0)) {
    throw new Error(
      `view: ${describeTensor(tensor)}: strides of nb=[${tensor.nb.join(", ")}] bytes are no multiples of its elements of ${typeSize}`,
    );
  }
  const data = new array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.byteLength / typeSize));
  return ndarray(data, shape, stride.map((step) => step / typeSize));
}
