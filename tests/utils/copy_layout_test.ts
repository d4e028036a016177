/**
 * copy() between layouts of every kind, compared with a copy that goes element by element, and with ggml's own.
 *
 * The reference here knows nothing of boxes or pieces: it reads each element where its index says, converts all of them by one call of the C
 * routine for one row after the other, and writes each where its index says, in row-major order.
 */

import { assert, assertEquals } from "@std/assert";
import { lib } from "@ggml/deno";
import { Pointer } from "@ggml/deno/ffi";
import { copy, init, type NdArray, ndarray, type TypedArray } from "@ggml/deno/utils";
import { bytesOf, compute, TYPES } from "../context.ts";
import { Random } from "../random.ts";

const COPIES = 20_000;

type ArrayClass = new (buffer: ArrayBuffer, byteOffset?: number, length?: number) => TypedArray;
const ARRAYS: [lib.ggml_type, ArrayClass][] = [
  [lib.GGML_TYPE_F32, Float32Array],
  [lib.GGML_TYPE_F16, Float16Array],
  [lib.GGML_TYPE_BF16, Uint16Array],
  [lib.GGML_TYPE_F64, Float64Array],
  [lib.GGML_TYPE_I8, Int8Array],
  [lib.GGML_TYPE_I16, Int16Array],
  [lib.GGML_TYPE_I32, Int32Array],
  [lib.GGML_TYPE_I64, BigInt64Array],
];
const INTEGERS: ReadonlySet<number> = new Set([lib.GGML_TYPE_I8, lib.GGML_TYPE_I16, lib.GGML_TYPE_I32, lib.GGML_TYPE_I64]);

/** The types that convert both ways without an importance matrix. */
const REAL = TYPES.filter((type) => {
  const { to_float, is_quantized } = lib.ggml_get_type_traits(type);
  return type === lib.GGML_TYPE_F32 || type === lib.GGML_TYPE_F64 ||
    to_float !== null && !(is_quantized && lib.ggml_quantize_requires_imatrix(type));
});

/** One side: where the elements are in `bytes`, in row-major order of the shape. */
interface Side {
  readonly value: lib.ggml_tensor | NdArray<TypedArray>;
  readonly type: lib.ggml_type;
  /** The memory that the elements are in, and more. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly offset: number;
  /** Bytes, row-major; the last is from block to block. */
  readonly strides: number[];
}

/** Bytes of each type to fill tensors with: floats that quantize well, integers of any bits. */
const NOISE = 1 << 16, noises = new Map<lib.ggml_type, Uint8Array>();

function noiseOf(type: lib.ggml_type): Uint8Array {
  const random = new Random(type);
  const floats = Float32Array.from({ length: NOISE }, () => (random.below(2001) - 1000) / 100);
  if (type === lib.GGML_TYPE_F32) return new Uint8Array(floats.buffer);
  if (type === lib.GGML_TYPE_F64) return new Uint8Array(Float64Array.from(floats).buffer);
  const bytes = new Uint8Array(lib.ggml_row_size(type, NOISE));
  if (INTEGERS.has(type)) return bytes.map(() => random.below(256));
  lib.ggml_quantize_chunk(type, floats, bytes, 0, 1, NOISE, null);
  return bytes;
}

function fill(random: Random, bytes: Uint8Array, type: lib.ggml_type): void {
  let noise = noises.get(type);
  if (noise === undefined) noises.set(type, noise = noiseOf(type));
  const unit = lib.ggml_type_size(type);
  const skip = random.below((noise.length - bytes.length) / unit) * unit;
  bytes.set(noise.subarray(skip, skip + bytes.length));
}

/** Strides in units for a shape: dense, padded, permuted, broadcast. `writable`: no two elements in one place. */
function strides(random: Random, units: readonly number[], writable: boolean, permutable: boolean): number[] {
  const order = units.map((_, i) => i).reverse();
  if (permutable && random.percent(50)) order.sort(() => random.below(3) - 1);
  const result = units.map(() => 0);
  let next = 1;
  for (const i of order) {
    result[i] = next;
    next *= units[i];
    if (random.percent(20) && (permutable || i !== units.length - 1)) next += random.below(3);
    if (!writable && random.percent(10) && (permutable || i !== units.length - 1)) result[i] = 0;
  }
  return result;
}

/** How many units there are from the first to the last. */
function reach(units: readonly number[], steps: readonly number[]): number {
  return units.reduce((sum, n, i) => sum + Math.max(0, n - 1) * steps[i], 1);
}

/** @param other The other side's type: BF16's bits in an array go to and from BF16 alone. */
function makeSide(
  random: Random,
  ctx: lib.ggml_context,
  type: lib.ggml_type,
  other: lib.ggml_type,
  shape: number[],
  writable: boolean,
  within?: (length: number) => lib.ggml_tensor,
): Side {
  const { blck_size, type_size } = lib.ggml_get_type_traits(type);
  const units = shape.map((n, i) => i === shape.length - 1 ? n / blck_size : n);
  const steps = strides(random, units, writable, blck_size === 1);
  const array = type === lib.GGML_TYPE_BF16 && other !== type ? undefined : ARRAYS.find(([known]) => known === type)?.[1];
  if (array !== undefined && within === undefined && random.percent(50)) return arraySide(random, array, type, type_size, shape, steps);
  const room = reach(units, steps);
  const tensor = lib.ggml_new_tensor_1d(ctx, type, (room + 4) * blck_size);
  const skip = within === undefined ? 0 : random.below(3) * 64;
  const memory = within === undefined ? tensor : within(skip + room * type_size);
  const bytes = bytesOf(memory) as Uint8Array<ArrayBuffer>;
  if (within === undefined) fill(random, bytes, type);
  else tensor.data = new Pointer(memory.data!.address + BigInt(skip), memory.owner);
  const ne = shape.toReversed(), nb = steps.map((step) => step * type_size).reverse();
  while (ne.length < 4) {
    nb.push(ne.at(-1)! * nb.at(-1)!);
    ne.push(1);
  }
  tensor.ne = ne as [number, number, number, number];
  tensor.nb = nb as [number, number, number, number];
  return { value: tensor, type, bytes, offset: skip, strides: steps.map((step) => step * type_size) };
}

/** An ndarray, some of whose dimensions go backwards. */
function arraySide(random: Random, array: ArrayClass, type: lib.ggml_type, width: number, shape: number[], steps: number[]): Side {
  const signed = steps.map((step) => random.percent(20) ? -step : step);
  const room = reach(shape, steps);
  const offset = reach(shape, steps.map((step, i) => signed[i] < 0 ? step : 0)) - 1 + random.below(4);
  const bytes = new Uint8Array((room + 4) * width);
  fill(random, bytes, type);
  const value = ndarray(new array(bytes.buffer), shape, signed, offset);
  return { value, type, bytes, offset: offset * width, strides: signed.map((step) => step * width) };
}

/** Calls `act` with each index, row-major. */
function* indices(shape: readonly number[]): Generator<number[]> {
  const index = shape.map(() => 0);
  if (shape.some((n) => n === 0)) return;
  while (true) {
    yield index;
    let i = shape.length - 1;
    while (i >= 0 && ++index[i] === shape[i]) index[i--] = 0;
    if (i < 0) return;
  }
}

/** The places of all units, row-major. */
function places({ offset, strides }: Side, units: readonly number[]): number[] {
  return Array.from(indices(units), (index) => index.reduce((at, n, i) => at + n * strides[i], offset));
}

/** All elements of the source, as the destination's bytes one after the other. */
function converted(source: Side, to: lib.ggml_type, shape: number[]): Uint8Array {
  const { blck_size, type_size, to_float } = lib.ggml_get_type_traits(source.type);
  const count = shape.reduce((a, b) => a * b, 1);
  const packed = new Uint8Array(count / blck_size * type_size);
  places(source, unitsOf(shape, blck_size)).forEach((at, i) => packed.set(source.bytes.subarray(at, at + type_size), i * type_size));
  if (source.type === to) return packed;
  const floats = new Float32Array(count);
  if (source.type === lib.GGML_TYPE_F32) floats.set(new Float32Array(packed.buffer));
  else if (source.type === lib.GGML_TYPE_F64) floats.set(new Float64Array(packed.buffer));
  else to_float!.call(packed, floats, count);
  if (to === lib.GGML_TYPE_F32) return new Uint8Array(floats.buffer);
  if (to === lib.GGML_TYPE_F64) return new Uint8Array(Float64Array.from(floats).buffer);
  const result = new Uint8Array(lib.ggml_row_size(to, count));
  const rowLength = shape.at(-1)!;
  if (count > 0) lib.ggml_quantize_chunk(to, floats, result, 0, count / rowLength, rowLength, null);
  return result;
}

function unitsOf(shape: readonly number[], blockSize: number): number[] {
  return shape.map((n, i) => i === shape.length - 1 ? n / blockSize : n);
}

function randomShape(random: Random, block: number): number[] {
  const rank = 1 + random.below(4);
  const shape = Array.from({ length: rank }, () => random.percent(3) ? 0 : 1 + random.below(block > 32 ? 3 : 6));
  if (block === 1 && random.percent(10)) shape[rank - 1] = 1 + random.below(70);
  shape[rank - 1] *= block;
  if (shape[0] === 1 && rank > 1) shape[0] = 2; // ggml keeps no leading 1
  return shape;
}

function describeSide({ value, type, strides, offset }: Side): string {
  const kind = value instanceof lib.ggml_tensor ? "tensor" : value.data.constructor.name;
  return `${kind} of ${lib.ggml_type_name(type)}, strides [${strides}] from ${offset}`;
}

Deno.test(`${COPIES} random copies are as element by element`, () => {
  const random = new Random(5);
  using ctx = init({ memSize: 8 * 1024 * 1024 });
  const seen = new Set<string>();
  for (let i = 0; i < COPIES; i++) {
    lib.ggml_reset(ctx);
    const from = random.percent(25) ? random.pick([...INTEGERS]) as lib.ggml_type : random.pick(REAL);
    const to = INTEGERS.has(from) ? from : random.percent(20) ? from : random.pick(REAL);
    const block = Math.max(lib.ggml_blck_size(from), lib.ggml_blck_size(to));
    const shape = randomShape(random, block);
    const source = makeSide(random, ctx, from, to, shape, false);
    const inside = source.value instanceof lib.ggml_tensor && random.percent(15) ? over(ctx, source) : undefined;
    // Elements that are written twice: the last one in row-major order stays.
    const twice = random.percent(8) && block === 1;
    const destination = makeSide(random, ctx, to, from, shape, !twice, inside);
    const what = `${i}: [${shape}] from ${describeSide(source)} to ${describeSide(destination)}`;
    const result = converted(source, to, shape);
    const expected = destination.bytes.slice();
    const { blck_size, type_size } = lib.ggml_get_type_traits(to);
    places(destination, unitsOf(shape, blck_size)).forEach((at, i) =>
      expected.set(result.subarray(i * type_size, (i + 1) * type_size), at)
    );
    try {
      copy(source.value, destination.value);
    } catch (error) {
      throw new Error(what, { cause: error });
    }
    if (destination.bytes.toHex() !== expected.toHex()) assertEquals(destination.bytes.toHex(), expected.toHex(), what);
    seen.add(`${from}>${to}`);
  }
  assert(seen.size > REAL.length ** 2 * 0.95, `${seen.size} pairs of types`);
});

/** A tensor that has the source's memory, moved into it, and more: the destination overlaps it there. */
function over(ctx: lib.ggml_context, { value, bytes }: Side): (length: number) => lib.ggml_tensor {
  return (length) => {
    const whole = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_I8, Math.max(length, bytes.length));
    bytesOf(whole).set(bytes);
    (value as lib.ggml_tensor).data = whole.data;
    return whole;
  };
}

/** What ggml's CPU backend copies between, besides equal types. */
const CPY: readonly [lib.ggml_type, lib.ggml_type][] = [
  [lib.GGML_TYPE_F32, lib.GGML_TYPE_F32],
  [lib.GGML_TYPE_F32, lib.GGML_TYPE_F16],
  [lib.GGML_TYPE_F32, lib.GGML_TYPE_BF16],
  [lib.GGML_TYPE_F32, lib.GGML_TYPE_I32],
  [lib.GGML_TYPE_F16, lib.GGML_TYPE_F16],
  [lib.GGML_TYPE_F16, lib.GGML_TYPE_F32],
  [lib.GGML_TYPE_BF16, lib.GGML_TYPE_F32],
  [lib.GGML_TYPE_I32, lib.GGML_TYPE_F32],
  [lib.GGML_TYPE_F32, lib.GGML_TYPE_Q4_1],
  [lib.GGML_TYPE_F32, lib.GGML_TYPE_Q5_0],
  [lib.GGML_TYPE_Q4_1, lib.GGML_TYPE_F32],
  [lib.GGML_TYPE_Q8_0, lib.GGML_TYPE_F32],
];

Deno.test("1000 random copies are as ggml_cpy's", () => {
  const random = new Random(6);
  using ctx = init({ memSize: 8 * 1024 * 1024 });
  for (let i = 0; i < 1000; i++) {
    lib.ggml_reset(ctx);
    const [from, to] = random.pick(CPY);
    const block = Math.max(lib.ggml_blck_size(from), lib.ggml_blck_size(to));
    const shape = randomShape(random, block).map((n) => n === 0 ? block : n);
    const plain = [from, to].every((type) => lib.ggml_blck_size(type) === 1); // it hasn't got the others permuted
    const a = strided(random, ctx, from, shape, plain, true), b = strided(random, ctx, to, shape, plain, plain);
    const mine = bytesOf(b.whole).slice();
    copy(a.part, b.part);
    const copied = bytesOf(b.whole).slice();
    bytesOf(b.whole).set(mine);
    compute(ctx, lib.ggml_cpy(ctx, a.part, b.part));
    assertEquals(
      copied.toHex(),
      bytesOf(b.whole).toHex(),
      `${i}: [${shape}] from ${lib.ggml_type_name(from)} to ${lib.ggml_type_name(to)}`,
    );
  }
});

/** A tensor made by ggml's own functions: a part of a larger one, and permuted. */
function strided(
  random: Random,
  ctx: lib.ggml_context,
  type: lib.ggml_type,
  shape: number[],
  permuted: boolean,
  padded: boolean,
): { whole: lib.ggml_tensor; part: lib.ggml_tensor } {
  const ne = [...shape].reverse();
  while (ne.length < 4) ne.push(1);
  const order = permuted && random.percent(50) ? random.pick([[1, 0, 2, 3], [0, 2, 1, 3], [2, 0, 1, 3], [3, 2, 1, 0]]) : [0, 1, 2, 3];
  const inner = order.map((_, i) => ne[order[i]]);
  const room = inner.map((n, i) => i === 0 || !padded ? n : n + random.below(2));
  const whole = lib.ggml_new_tensor_4d(ctx, type, room[0], room[1], room[2], room[3]);
  fill(random, bytesOf(whole), type);
  const { nb } = whole;
  const view = lib.ggml_view_4d(ctx, whole, inner[0], inner[1], inner[2], inner[3], nb[1], nb[2], nb[3], 0);
  return { whole, part: lib.ggml_permute(ctx, view, order[0], order[1], order[2], order[3]) };
}
