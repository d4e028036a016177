/** quantize(), dequantize(), quantizationError(): bit for bit what ggml's own routines give. */

import { Buffer } from "node:buffer";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { copy, dequantize, ndarray, quantizationError, quantize } from "@ggml/deno/utils";
import { newTensor, TYPES, wave, withContext } from "../context.ts";

/** The types that ggml quantizes to, and those that it can read. */
const FLOATING = TYPES.filter((type) => type === lib.GGML_TYPE_F32 || lib.ggml_get_type_traits(type).to_float !== null);

function chunk(type: lib.ggml_type, numbers: Float32Array, rowLength: number, imatrix: Float32Array | null): Uint8Array {
  const expected = new Uint8Array(lib.ggml_row_size(type, rowLength) * numbers.length / rowLength);
  lib.ggml_quantize_chunk(type, numbers, expected, 0, numbers.length / rowLength, rowLength, imatrix);
  return expected;
}

function same(a: ArrayLike<number>, b: ArrayLike<number>, what: string): void {
  assertEquals(a.length, b.length, what);
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) assertEquals([i, a[i]], [i, b[i]], what);
}

Deno.test("every type, from one block to a few thousand, with and without an importance matrix, in one row and in several", () => {
  for (const type of FLOATING) {
    const name = lib.ggml_type_name(type)!, block = lib.ggml_blck_size(type);
    const needs = lib.ggml_quantize_requires_imatrix(type);
    for (const [rowLength, rows] of [[block, 1], [block, 3], [3 * block, 5], [4096, 4]]) {
      const numbers = wave(rowLength * rows), imatrix = wave(rowLength).map((x) => x * x + 0.01);
      for (const weights of needs ? [imatrix] : [null, imatrix]) {
        const expected = chunk(type, numbers, rowLength, weights), what = `${name} ${rowLength} × ${rows}`;
        const bytes = quantize(numbers, type, weights === null ? { rowLength } : { imatrix: weights });
        same(bytes, expected, what);
        same(quantize(ndarray(numbers, [rows, rowLength]), type, weights === null ? {} : { imatrix: weights }), expected, what);
        const floats = new Float32Array(numbers.length);
        if (type === lib.GGML_TYPE_F32) floats.set(numbers);
        else lib.ggml_get_type_traits(type).to_float!.call(bytes, floats, numbers.length);
        same(dequantize(bytes, type), floats, what);
      }
    }
  }
});

Deno.test("16 Mi elements are as one call of C's", () => {
  const numbers = wave(1 << 24);
  for (const type of [lib.GGML_TYPE_F16, lib.GGML_TYPE_BF16, lib.GGML_TYPE_Q8_0]) {
    const expected = type === lib.GGML_TYPE_F16 ? new Uint8Array(2 << 24) : chunk(type, numbers, 1 << 24, null);
    if (type === lib.GGML_TYPE_F16) lib.ggml_fp32_to_fp16_row(numbers, new Uint16Array(expected.buffer), numbers.length);
    const bytes = quantize(numbers, type);
    assert(Buffer.compare(bytes, expected) === 0, lib.ggml_type_name(type)!);
    const floats = new Float32Array(numbers.length);
    lib.ggml_get_type_traits(type).to_float!.call(bytes, floats, floats.length);
    assert(Buffer.compare(new Uint8Array(dequantize(bytes, type).buffer), new Uint8Array(floats.buffer)) === 0, lib.ggml_type_name(type)!);
  }
});

Deno.test("all halves, and floats of every exponent, are converted as C does", () => {
  const halves = Uint16Array.from({ length: 65536 }, (_, i) => i), floats = new Float32Array(65536);
  lib.ggml_fp16_to_fp32_row(halves, floats, 65536);
  same(dequantize(new Uint8Array(halves.buffer), lib.GGML_TYPE_F16), floats, "f16");
  const bits = Uint32Array.from({ length: 1 << 20 }, (_, i) => Math.imul(i, 4093)), every = new Float32Array(bits.buffer);
  const usual = every.filter((x) => !Number.isNaN(x));
  const expected = new Uint16Array(usual.length);
  lib.ggml_fp32_to_fp16_row(usual, expected, usual.length);
  same(new Uint16Array(quantize(usual, lib.GGML_TYPE_F16).buffer), expected, "f32 → f16");
  assert(quantize(new Float32Array([NaN]), lib.GGML_TYPE_F16)[1] >= 0x7e);
});

Deno.test("what is read may be a tensor, strided, halves, or nested arrays", () =>
  withContext((ctx) => {
    const numbers = wave(64 * 32), type = lib.GGML_TYPE_Q4_0;
    const t = newTensor(ctx, lib.GGML_TYPE_F32, 64, 32);
    copy(numbers, t);
    const across = Float32Array.from({ length: 2048 }, (_, i) => numbers[(i % 32) * 64 + Math.floor(i / 32)]);
    same(quantize(lib.ggml_transpose(ctx, t), type), chunk(type, across, 32, null), "transposed");
    same(quantize(ndarray(numbers, [32, 64]).transpose(1, 0), type), chunk(type, across, 32, null), "transposed ndarray");
    same(quantize(Float16Array.from(numbers), type), chunk(type, numbers.map(Math.f16round), 64, null), "halves");
    same(
      quantize([[...numbers.subarray(0, 64)], [...numbers.subarray(64, 128)]], type),
      chunk(type, numbers.subarray(0, 128), 64, null),
      "nested",
    );
    same(quantize([], type), [], "nothing");
    same(dequantize(new Uint8Array(0), type), [], "nothing");
  }));

Deno.test("wrong arguments", () => {
  const numbers = wave(256), { GGML_TYPE_Q4_K: Q4_K, GGML_TYPE_IQ2_XXS: IQ2_XXS, GGML_TYPE_Q8_0: Q8_0 } = lib;
  assertThrows(
    () => quantize(numbers.subarray(1), Q4_K),
    RangeError,
    "a row of 255 (Float32Array of 255) is not a multiple of q4_K's block of 256",
  );
  assertThrows(() => quantize(numbers, Q8_0, { rowLength: 100 }), RangeError, "256 numbers don't divide into rows of 100");
  for (const rowLength of [0, -1, 1.5]) assertThrows(() => quantize(numbers, Q8_0, { rowLength }), RangeError, "rowLength must be");
  assertThrows(() => quantize(numbers, IQ2_XXS), Error, "iq2_xxs can't be quantized without an importance matrix, { imatrix }");
  assertThrows(() => quantize(numbers, IQ2_XXS, { imatrix: [1] as never }), TypeError, "quantize: imatrix must be a Float32Array");
  assertThrows(
    () => quantize(numbers, IQ2_XXS, { imatrix: new Float32Array(256).fill(1), rowLength: 512 }),
    RangeError,
    "don't divide into rows of 512",
  );
  assertThrows(() => quantize(numbers, lib.GGML_TYPE_I8), TypeError, "no conversion");
  assertThrows(() => quantize(numbers, 9999 as never), RangeError, "quantize: there is no tensor type 9999");
  assertThrows(
    () => quantize(numbers, "q4_0" as never),
    TypeError,
    `expected a tensor type such as lib.GGML_TYPE_Q4_K, got the string "q4_0"`,
  );
  assertThrows(() => quantize(null as never, Q8_0), TypeError, "quantize: expected a tensor");
  assertThrows(() => quantize(numbers, Q8_0, null as never), TypeError, "expected { imatrix, rowLength }");
  assertThrows(() => dequantize(new Uint8Array(35), Q8_0), RangeError, "35 bytes are no multiple of 34, a block of q8_0");
  assertThrows(() => dequantize([1] as never, Q8_0), TypeError, "dequantize: expected a Uint8Array");
  assertThrows(() => dequantize(new Uint8Array(4), lib.GGML_TYPE_I8), TypeError, "ggml has no conversion from i8 to f32");
});

Deno.test("bytes are no numbers, and what was transferred elsewhere is not empty", () => {
  const { GGML_TYPE_Q8_0: Q8_0 } = lib, gone = new Uint8Array(34);
  gone.buffer.transfer();
  assertThrows(() => dequantize(gone, Q8_0), TypeError, "dequantize: its memory was transferred elsewhere, or shrank");
  assertThrows(() => quantize(new Uint8Array(32), Q8_0), TypeError, "quantize: Uint8Array of 32: these are bytes, not numbers");
  assertThrows(() => quantizationError(new Uint8Array(32), Q8_0), TypeError, "quantizationError: Uint8Array of 32: these are bytes");
  const huge = { data: new Float32Array(1), shape: [2 ** 40], stride: [0], offset: 0 };
  assertThrows(() => quantize(huge as never, Q8_0), RangeError, "quantize: no memory for");
});

Deno.test("quantizationError's errors begin with its name, and it takes what quantize takes", () => {
  const numbers = wave(256), { GGML_TYPE_Q8_0: Q8_0 } = lib;
  assertThrows(
    () => quantizationError(numbers, Q8_0, null as never),
    TypeError,
    "quantizationError: expected { imatrix, rowLength }, got null",
  );
  assertThrows(() => quantizationError([], 9999 as never), RangeError, "quantizationError: there is no tensor type 9999");
  for (const rowLength of [0, null, 32n, Symbol("s")]) {
    const options = { rowLength } as never;
    assertThrows(
      () => quantizationError(numbers, Q8_0, options),
      RangeError,
      "quantizationError: rowLength must be a positive whole number",
    );
  }
  assertThrows(() => quantizationError(numbers, Q8_0, { imatrix: [1] as never }), TypeError, "quantizationError: imatrix must be");
  assertThrows(() => quantizationError(numbers.subarray(1), Q8_0), RangeError, "quantizationError: a row of 255");
  const once = numbers.values();
  assertEquals(quantizationError(once, Q8_0), quantizationError(numbers, Q8_0));
  const integers = numbers.map((x) => Math.round(20 * x)), expected = quantizationError(integers, Q8_0);
  for (const array of [Int8Array.from(integers), Int32Array.from(integers), BigInt64Array.from([...integers].map(BigInt))]) {
    assertEquals(quantizationError(array, Q8_0), expected, array.constructor.name);
  }
});

Deno.test("quantizationError is what one computes from the two", () => {
  const numbers = wave(1 << 18);
  for (const type of [lib.GGML_TYPE_Q2_K, lib.GGML_TYPE_Q8_0, lib.GGML_TYPE_F16, lib.GGML_TYPE_F32]) {
    const bytes = quantize(numbers, type), back = dequantize(bytes, type);
    const differences = numbers.map((x, i) => Math.abs(x - back[i]));
    const { rmse, max, bitsPerWeight } = quantizationError(numbers, type, { rowLength: 4096 });
    const expected = Math.sqrt(differences.reduce((sum, x) => sum + x * x, 0) / numbers.length);
    assert(Math.abs(rmse - expected) <= expected * 1e-4, `${rmse} and ${expected}`);
    assert(
      Math.abs(max - Math.max(...Array.from({ length: 64 }, (_, i) => Math.max(...differences.subarray(i * 4096, i * 4096 + 4096))))) <
        1e-6,
    );
    assertEquals(bitsPerWeight, bytes.length * 8 / numbers.length);
  }
  assertEquals(quantizationError([], lib.GGML_TYPE_Q8_0), { rmse: 0, max: 0, bitsPerWeight: 0 });
  const { rmse, max } = quantizationError(Float32Array.of(NaN, 1, 2, 3), lib.GGML_TYPE_F16);
  assertEquals([rmse, max], [NaN, NaN]);
});
