/** Integers arrive as they are, or not at all: every kind of array, every type of tensor, the integers around each power of two. */

import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { copy, copyAsync, init, ndarray, quantize, slice, tensor, toArray, writeGguf } from "@ggml/deno/utils";

const ARRAYS = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Int32Array, Uint32Array, BigInt64Array, BigUint64Array];

/** What each type has: integers of so many bits, or with so many significant bits and up to a largest. */
const TYPES = {
  I8: { bits: 8 },
  I16: { bits: 16 },
  I32: { bits: 32 },
  I64: { bits: 64 },
  F16: { significant: 11, most: 65504n },
  BF16: { significant: 8, most: 1n << 65n },
  F32: { significant: 24, most: 1n << 65n },
  F64: { significant: 53, most: 1n << 65n },
} as const;

function hasValue(type: keyof typeof TYPES, value: bigint): boolean {
  const has = TYPES[type];
  if ("bits" in has) return BigInt.asIntN(has.bits, value) === value;
  let magnitude = value < 0n ? -value : value;
  if (magnitude > has.most) return false;
  while (magnitude > 0n && magnitude % 2n === 0n) magnitude /= 2n;
  return magnitude.toString(2).length <= has.significant;
}

/** The integers around each power of two that an array can hold, and 0. */
function integersOf(array: typeof ARRAYS[number]): bigint[] {
  const bits = array.BYTES_PER_ELEMENT * 8, signed = !array.name.includes("Uint");
  const least = signed ? -(1n << BigInt(bits - 1)) : 0n, most = (1n << BigInt(signed ? bits - 1 : bits)) - 1n;
  const found = new Set([0n]);
  for (let power = 0n; power <= 64n; power++) {
    for (const near of [-3n, -1n, 0n, 1n, 3n]) for (const sign of [1n, -1n]) found.add(sign * ((1n << power) + near));
  }
  return [...found].filter((value) => value >= least && value <= most);
}

function arrayOf(array: typeof ARRAYS[number], values: readonly bigint[]): Int32Array {
  return (array as unknown as Int32ArrayConstructor).from((array.name.startsWith("Big") ? values : values.map(Number)) as number[]);
}

for (const array of ARRAYS) {
  Deno.test(`integers of a ${array.name} are values of the tensor's type, or a RangeError names the first that isn't`, () => {
    using ctx = init({ memSize: 1 << 20 });
    let refused = 0;
    for (const type of Object.keys(TYPES) as (keyof typeof TYPES)[]) {
      const t = lib.ggml_new_tensor_1d(ctx, lib[`GGML_TYPE_${type}`], 2);
      for (const value of integersOf(array)) {
        const numbers = arrayOf(array, [1n, value]);
        if (hasValue(type, value)) {
          copy(numbers, t);
          assertEquals([...toArray<Float64Array>(t)].map(BigInt), [1n, value], type);
        } else {
          refused++;
          const message = `copy: source: ${value} at [1] is no value of ${type.toLowerCase()}`;
          assertEquals(assertThrows(() => copy(numbers, t), RangeError).message, message);
          assertEquals(assertThrows(() => copy(ndarray(numbers, [2]), t), RangeError).message, message);
        }
      }
    }
    assert(refused > 0 || array === Int8Array, "nothing was refused");
  });
}

Deno.test("a Uint16Array is a BF16 tensor's bits, integers for a tensor of integers, and nothing else in silence", async () => {
  using ctx = init({ memSize: 1 << 20 });
  const bits = Uint16Array.of(0x3f80, 0xc000), tokens = Uint16Array.of(1, 40_000);
  const of = (type: lib.ggml_type) => lib.ggml_new_tensor_1d(ctx, type, 2);
  assertEquals(toArray(tensor(ctx, bits, { type: lib.GGML_TYPE_BF16 })), Float32Array.of(1, -2));
  const out = new Uint16Array(2);
  copy(tensor(ctx, [1, -2], { type: lib.GGML_TYPE_BF16 }), out);
  assertEquals(out, bits);

  for (const type of [lib.GGML_TYPE_I32, lib.GGML_TYPE_I64]) {
    const t = of(type);
    copy(tokens, t);
    assertEquals([...toArray<Int32Array>(t)].map(Number), [1, 40_000]);
    assertEquals(toArray(tensor(ctx, ndarray(tokens, [2]), { type })), toArray(t));
  }
  assertStringIncludes(assertThrows(() => copy(tokens, of(lib.GGML_TYPE_I16)), RangeError).message, "40000 at [1] is no value of i16");

  const told = "a Uint16Array is the bits of a BF16 tensor alone: for integers take a Uint32Array, for numbers a Float32Array";
  for (const type of [lib.GGML_TYPE_F32, lib.GGML_TYPE_F16, lib.GGML_TYPE_F64]) {
    for (const array of [tokens, ndarray(tokens, [2])]) {
      assertStringIncludes(assertThrows(() => copy(array, of(type)), TypeError).message, told);
      assertStringIncludes(assertThrows(() => copy(of(type), array), TypeError).message, told);
      assertStringIncludes(assertThrows(() => tensor(ctx, array, { type }), TypeError).message, told);
      assertStringIncludes(assertThrows(() => quantize(array, type), TypeError).message, told);
      assertStringIncludes((await assertRejects(() => copyAsync(array, of(type)), TypeError)).message, told);
    }
  }
  const may = "a Uint16Array may be integers or the bits of BF16";
  assertStringIncludes(assertThrows(() => tensor(ctx, tokens), TypeError).message, may);
  const path = await Deno.makeTempFile({ suffix: ".gguf" });
  try {
    assertStringIncludes((await assertRejects(() => writeGguf(path, { tensors: { tokens } }), TypeError)).message, may);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("what is quantized is rounded, whatever the integers", () => {
  using ctx = init({ memSize: 1 << 20 });
  for (const type of [lib.GGML_TYPE_Q8_0, lib.GGML_TYPE_Q4_0]) {
    for (const array of [Int32Array, Uint32Array, BigInt64Array]) {
      const numbers = arrayOf(array, Array.from({ length: 32 }, (_, i) => (1n << 24n) + BigInt(i) + 1n));
      const t = tensor(ctx, numbers, { type }), floats = tensor(ctx, Float32Array.from(numbers, Number), { type });
      assertEquals(toArray(t), toArray(floats), `${array.name} ${type}`);
      if (array === Int32Array) assertEquals(quantize(numbers, type), quantize(Float32Array.from(numbers), type));
    }
  }
});

Deno.test("nothing rounds integers on another way either", async () => {
  using ctx = init({ memSize: 1 << 20 });
  const t = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, 2, 2), odd = 2 ** 24 + 1;
  const integers = Int32Array.of(0, 1, 2, odd), before = toArray(copied([[5, 6], [7, 8]], t));
  const refused: [() => void, string][] = [
    [() => copy(integers, t), "16777217 at [3] is no value of f32"],
    [() => copy(ndarray(integers, [2, 2]), t), "16777217 at [1, 1] is no value of f32"],
    [() => copy(ndarray(integers, [2], [2], 1), slice(t, 0)), "16777217 at [1] is no value of f32"],
    [() => copy(integers, new Float32Array(4)), "16777217 at [3] is no value of f32"],
    [() => copy(integers, ndarray(new Float32Array(4), [2, 2])), "16777217 at [3] is no value of f32"],
    [() => copy([[0n, 1n], [2n, BigInt(odd)]], t), "16777217 at [1, 1] is no value of f32"],
    [() => copy([integers.subarray(0, 2), integers.subarray(2)], t), "16777217 at [1, 1] is no value of f32"],
    [() => tensor(ctx, integers, { type: lib.GGML_TYPE_F32 }), "16777217 at [3] is no value of f32"],
    [() => tensor(ctx, [257n], { type: lib.GGML_TYPE_BF16 }), "257 at [0] is no value of bf16"],
    [() => quantize(integers, lib.GGML_TYPE_F32), "quantize: 16777217 at [3] is no value of f32"],
  ];
  for (const [wrong, message] of refused) assertStringIncludes(assertThrows(wrong, RangeError).message, message);
  await assertRejects(() => copyAsync(integers, t), RangeError, "copyAsync: source: 16777217 at [3] is no value of f32");
  assertEquals(toArray(t), before); // nothing was written
});

Deno.test("numbers that are no integers of an array are rounded, and so is what ggml converts between tensors", () => {
  using ctx = init({ memSize: 1 << 20 });
  const t = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 2), odd = 2 ** 24 + 1;
  assertEquals([...toArray(copied([0.1, odd], t))], [Math.fround(0.1), 2 ** 24]);
  assertEquals([...toArray(copied(Float64Array.of(0.1, odd), t))], [Math.fround(0.1), 2 ** 24]);
  assertEquals([...toArray(copied(tensor(ctx, Int32Array.of(1, odd)), t))], [1, 2 ** 24]);
  // Those of an array that the given part doesn't have are none of its business.
  assertEquals([...toArray(copied(ndarray(Int32Array.of(odd, 3, 4), [2], [1], 1), t))], [3, 4]);
});

function copied(from: Parameters<typeof copy>[0], to: lib.ggml_tensor): lib.ggml_tensor {
  copy(from, to);
  return to;
}
