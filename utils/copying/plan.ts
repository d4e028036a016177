/**
 * Plans: what a copy is to do, after everything that can be wrong with it was looked at.
 *
 * @module
 */

import { describe } from "../../ffi/core/describe.ts";
import { expectOptions } from "../../ffi/core/options.ts";
import { lib } from "../../ffi/generated/lib.js";
import { type Box, boxOf } from "./box.ts";
import { type Conversion, isPlain } from "./convert.ts";
import type { CopyOptions } from "../copy.ts";
import { fromNested, isNested, type NestedNumbers } from "./nested.ts";
import { integersFor } from "./integers.ts";
import { layoutIn, type Operand, operand, type TensorLike } from "./operand.ts";
import { isNdArray } from "../arrays/ndarray.ts";
import { plainArray } from "../arrays/plain.ts";
import { type TypeInfo, typeInfo } from "./types.ts";

/** A copy that can be done. */
export interface Plan {
  readonly source: Operand;
  readonly destination: Operand;
  /** The elements on both sides. */
  readonly box: Box;
  readonly conversion: Conversion;
}

/**
 * Looks at both sides of a copy and at the options.
 *
 * @param where The function that the caller called, for errors.
 */
export function plan(where: string, from: TensorLike | NestedNumbers, to: TensorLike, options: CopyOptions): Plan {
  const before = operand(to, `${where}: destination`);
  const source = sourceOf(`${where}: source`, from, before.type, before.count);
  // An iterable is the caller's code, which may have freed the destination.
  const destination = isNested(from) ? operand(to, `${where}: destination`) : before;
  return planOf(where, withType(where, source, destination), withType(where, destination, source), options);
}

/** Throws unless these are options of `copy`, or others that are known. Gives what they are now. */
export function expectCopying<T extends CopyOptions>(where: string, options: T, ...others: readonly string[]): T {
  const given = expectOptions(where, options, ["allowRequantize", "imatrix", ...others]);
  const { allowRequantize } = given;
  if (allowRequantize !== undefined && typeof allowRequantize !== "boolean") {
    throw new TypeError(`${where}: allowRequantize must be a boolean, got ${describe(allowRequantize)}`);
  }
  return { ...given, imatrix: expectImatrix(where, given.imatrix) };
}

/** Throws unless it may be an importance matrix, or is none. */
export function expectImatrix(where: string, imatrix: unknown): Float32Array | undefined {
  if (imatrix === undefined) return undefined;
  if (imatrix instanceof Float32Array) return plainArray(imatrix);
  throw new TypeError(`${where}: imatrix must be a Float32Array as long as a row, got ${describe(imatrix)}`);
}

/** The plan of a copy between two sides that were looked at. */
export function planOf(where: string, source: Operand, destination: Operand, options: CopyOptions): Plan {
  const shape = commonShape(where, source, destination);
  const read = stripped(layoutIn(source, shape)), written = stripped(layoutIn(destination, shape));
  const conversion = { from: source.type!, to: destination.type!, imatrix: null, where };
  const box = boxOf(read, written);
  if (isPlain(box.axes, conversion)) return { source, destination, box, conversion };
  const rowLength = written.shape[written.blockAxis] ?? 1;
  const imatrix = checkConversion(where, source, destination, rowLength, options);
  return { source, destination, box, conversion: { ...conversion, imatrix } };
}

/**
 * What is read, as an operand.
 *
 * @param type The type that nested arrays are for; null for floats.
 * @param most How many numbers there may be in an iterable; `Infinity` if nothing says.
 */
export function sourceOf(role: string, from: TensorLike | NestedNumbers, type: TypeInfo | null, most: number): Operand {
  if (!isNested(from) || isNdArray(from)) {
    return operand(type === null ? from as TensorLike : integersFor(from as TensorLike, type, role), role, "nested arrays of numbers");
  }
  const numbers = fromNested(from, type ?? typeInfo(lib.GGML_TYPE_F32), most, role);
  // Numbers in one array are as a typed array: they fit any shape.
  return operand(numbers.shape.length === 1 ? numbers.data : numbers, role);
}

/** A Uint8Array as the bytes of the quantized tensor on the other side. */
function withType(where: string, operand: Operand, other: Operand): Operand {
  if (operand.type !== null) return operand;
  const { type, count } = other;
  const length = operand.count;
  if (type === null || !type.isQuantized) {
    throw new TypeError(`${where}: ${operand.describe()}: no tensor type has its elements (${other.describe()})`);
  }
  const expected = count / type.blockSize * type.typeSize;
  if (length !== expected) {
    throw new RangeError(`${where}: ${operand.describe()} doesn't hold the ${expected} bytes of ${other.describe()}`);
  }
  return { ...operand, type, count };
}

/** The shape of both sides, row-major. */
function commonShape(where: string, source: Operand, destination: Operand): readonly number[] {
  const { shape: a } = source, { shape: b } = destination;
  const equal = a === null || b === null ? source.count === destination.count : sameShape(a, b);
  if (equal) return b ?? a ?? [source.count];
  throw new RangeError(
    `${where}: the shapes of ${source.describe()} and ${destination.describe()} differ (ne is fastest first, an ndarray's shape fastest last)`,
  );
}

/** Dimensions of 1 in front say nothing: ggml doesn't keep them. */
function sameShape(a: readonly number[], b: readonly number[]): boolean {
  const skipA = leadingOnes(a), skipB = leadingOnes(b);
  if (a.length - skipA !== b.length - skipB) return false;
  for (let i = skipA; i < a.length; i++) if (a[i] !== b[i - skipA + skipB]) return false;
  return true;
}

function leadingOnes(shape: readonly number[]): number {
  let ones = 0;
  while (ones < shape.length && shape[ones] === 1) ones++;
  return ones;
}

type Stripped = ReturnType<typeof layoutIn>;

/** A layout without leading dimensions of 1. */
function stripped(layout: Stripped): Stripped {
  const ones = leadingOnes(layout.shape);
  if (ones === 0) return layout;
  const { shape, strides, blockAxis } = layout;
  return { ...layout, shape: shape.slice(ones), strides: strides.slice(ones), blockAxis: blockAxis - ones };
}

/** Throws unless the types convert. The result is the importance matrix to use. */
function checkConversion(
  where: string,
  source: Operand,
  destination: Operand,
  rowLength: number,
  options: CopyOptions,
): Float32Array<ArrayBuffer> | null {
  const { allowRequantize = true, imatrix } = options;
  const from = source.type!, to = destination.type!;
  const sides = () => `from ${source.describe()} to ${destination.describe()}`;
  if (source.isBits || destination.isBits) {
    const instead = "for integers take a Uint32Array, for numbers a Float32Array";
    throw new TypeError(`${where}: no conversion ${sides()}: a Uint16Array is the bits of a BF16 tensor alone: ${instead}`);
  }
  if (!converts(from, to)) throw new TypeError(`${where}: no conversion ${sides()}`);
  if (!allowRequantize && from.isQuantized && to.isQuantized && from !== to) {
    throw new Error(`${where}: requantizing ${sides()} is not allowed (allowRequantize: false)`);
  }
  if (imatrix !== undefined && imatrix.length !== rowLength) {
    throw new RangeError(`${where}: imatrix must be as long as a row, ${rowLength}, and is ${imatrix.length} long (${sides()})`);
  }
  if (imatrix === undefined && to.mayNeedImatrix && lib.ggml_quantize_requires_imatrix(to.type)) {
    throw new Error(`${where}: ${to.name} can't be quantized without an importance matrix, { imatrix } (${sides()})`);
  }
  return to.isQuantized && imatrix !== undefined ? new Float32Array(imatrix) : null;
}

/** True if ggml has routines for it. Of I32 it has those to and from F32. */
function converts(from: TypeInfo, to: TypeInfo): boolean {
  if (from.toFloat === null || to.fromFloat === null) return false;
  const other = from.type === lib.GGML_TYPE_I32 ? to : to.type === lib.GGML_TYPE_I32 ? from : null;
  return other === null || other.type === lib.GGML_TYPE_F32;
}
