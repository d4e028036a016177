/** copy() and view(): the cases of ggml's own Python tests, and what they leave out. */

import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { copy, init, ndarray, quantize, type TypedArray, view } from "@ggml/deno/utils";
import { bytesOf, compute, newTensor, ramp, TYPES, wave, withContext } from "../context.ts";

const SHAPES = [[7], [5, 3], [4, 3, 2], [5, 4, 3, 2]]; // row-major
const NUMBERS = [
  ["i32", lib.GGML_TYPE_I32, Int32Array],
  ["f32", lib.GGML_TYPE_F32, Float32Array],
  ["f16", lib.GGML_TYPE_F16, Float16Array],
] as const;

Deno.test("one I32 and one F32 value is set and read", () =>
  withContext((ctx) => {
    const i = lib.ggml_new_i32(ctx, 42);
    assertEquals(lib.ggml_get_i32_1d(i, 0), 42);
    lib.ggml_set_i32(i, -7);
    assertEquals(view<Int32Array>(i).get(0), -7);
    const f = lib.ggml_new_f32(ctx, 1.5);
    assertEquals(lib.ggml_get_f32_1d(f, 0), 1.5);
    view(f).set(0, 2.25);
    assertEquals(lib.ggml_get_f32_1d(f, 0), 2.25);
  }));

for (const [name, type, array] of NUMBERS) {
  for (const shape of SHAPES) {
    Deno.test(`array → ${name} tensor of shape [${shape}], and back`, () =>
      withContext((ctx) => {
        const numbers = ramp<TypedArray>(array as never, shape);
        const t = newTensor(ctx, type, ...shape.toReversed());
        copy(numbers, t);
        assertEquals(view<TypedArray>(t).shape, shape);
        assertEquals([...view<TypedArray>(t).data], [...numbers.data]);
        const back = ndarray(new array(numbers.size), shape);
        copy(t, back);
        assertEquals([...back.data], [...numbers.data]);
      }));
  }

  Deno.test(`array → ${name} tensor made by ggml_new_tensor with 4 dimensions`, () =>
    withContext((ctx) => {
      const shape = [5, 4, 3, 2];
      const t = lib.ggml_new_tensor(ctx, type, 4, new BigInt64Array([2n, 3n, 4n, 5n]));
      const numbers = ramp<TypedArray>(array as never, shape);
      copy(numbers, t);
      assertEquals(t.ne, [2, 3, 4, 5]);
      for (const index of [[0, 0, 0, 0], [4, 3, 2, 1], [1, 2, 0, 1]]) {
        assertEquals(view<TypedArray>(t).get(...index), numbers.get(...index));
      }
    }));
}

Deno.test("an element's index is row-major: ne reversed", () =>
  withContext((ctx) => {
    const t = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, 3, 2);
    copy(new Float32Array([1, 2, 3, 4, 5, 6]), t);
    assertEquals(view(t).get(1, 2), lib.ggml_get_f32_nd(t, 2, 1, 0, 0));
  }));

for (let dimensions = 1; dimensions <= 4; dimensions++) {
  Deno.test(`mismatching shapes in ${dimensions} dimensions are refused both ways, with both shapes named`, () =>
    withContext((ctx) => {
      const shape = SHAPES[dimensions - 1];
      const t = newTensor(ctx, lib.GGML_TYPE_F32, ...shape.toReversed());
      for (let d = 0; d < dimensions; d++) {
        const other = ramp(Float32Array, shape.map((n, i) => i === d ? n + 1 : n));
        const message = assertThrows(() => copy(other, t), RangeError).message;
        assertStringIncludes(message, `ndarray (Float32Array) of shape [${other.shape.join(", ")}]`);
        assertStringIncludes(message, `tensor of f32, ne=[${t.ne.join(", ")}]`);
        assertThrows(() => copy(t, other), RangeError, "differ");
      }
      if (dimensions > 1) assertThrows(() => copy(ramp(Float32Array, shape.toReversed()), t), RangeError, "differ");
      assertThrows(() => copy(new Float32Array(3), t), RangeError, "Float32Array of 3");
      assertThrows(() => copy(t, new Float32Array(3)), RangeError, "Float32Array of 3");
    }));
}

Deno.test("F16 ↔ F32", () =>
  withContext((ctx) => {
    const values = new Float32Array([0, -0, 1, 0.1, 65504, 1e-7, Infinity, -Infinity]);
    const half = newTensor(ctx, lib.GGML_TYPE_F16, 8), single = newTensor(ctx, lib.GGML_TYPE_F32, 8);
    copy(values, half);
    assertEquals([...view<Float16Array>(half).data], [...values].map((x) => Math.f16round(x)));
    copy(half, single);
    assertEquals([...view(single).data], [...values].map((x) => Math.f16round(x)));
    copy(new Float16Array([1, 2, 3, 4, 5, 6, 7, 8]), single);
    assertEquals([...view(single).data], [1, 2, 3, 4, 5, 6, 7, 8]);
    copy(single, half);
    const back = new Float32Array(8);
    copy(half, back);
    assertEquals([...back], [1, 2, 3, 4, 5, 6, 7, 8]);
  }));

Deno.test("F16 → Q5_K and Q5_K → F16", () =>
  withContext((ctx) => {
    const n = 512;
    const half = newTensor(ctx, lib.GGML_TYPE_F16, n), quantized = newTensor(ctx, lib.GGML_TYPE_Q5_K, n);
    copy(wave(n), half);
    copy(half, quantized);
    const expected = new Uint8Array(lib.ggml_nbytes(quantized));
    const floats = Float32Array.from(view<Float16Array>(half).data);
    lib.ggml_quantize_chunk(lib.GGML_TYPE_Q5_K, floats, expected, 0, 1, n, null);
    assertEquals(bytesOf(quantized).toHex(), expected.toHex());
    const out = new Float16Array(n);
    copy(quantized, out);
    assertEquals([...out], [...view(quantized, { allowCopy: true }).data].map((x) => Math.f16round(x)));
    copy(quantized, half);
    assertEquals([...view<Float16Array>(half).data], [...out]);
  }));

Deno.test("I16 against F32 is refused both ways", () =>
  withContext((ctx) => {
    const short = newTensor(ctx, lib.GGML_TYPE_I16, 4), single = newTensor(ctx, lib.GGML_TYPE_F32, 4);
    for (const [from, to] of [[short, single], [single, short]] as const) {
      const { message } = assertThrows(() => copy(from, to), TypeError, "no conversion");
      assertStringIncludes(message, "tensor of i16, ne=[4, 1, 1, 1]");
      assertStringIncludes(message, "tensor of f32, ne=[4, 1, 1, 1]");
    }
    assertThrows(() => copy(short, new Float32Array(4)), TypeError, "Float32Array of 4");
  }));

Deno.test("a tensor onto itself, and tensor → tensor", () =>
  withContext((ctx) => {
    const a = newTensor(ctx, lib.GGML_TYPE_F32, 3, 2), b = newTensor(ctx, lib.GGML_TYPE_F32, 3, 2);
    copy(new Float32Array([1, 2, 3, 4, 5, 6]), a);
    copy(a, a);
    copy(a, b);
    view(a).set(0, 0, 99);
    assertEquals([...view(b).data], [1, 2, 3, 4, 5, 6]);
  }));

Deno.test("a graph that adds", () =>
  withContext((ctx) => {
    const a = newTensor(ctx, lib.GGML_TYPE_F32, 4), b = newTensor(ctx, lib.GGML_TYPE_F32, 4);
    const sum = lib.ggml_add(ctx, a, b);
    copy(new Float32Array([1, 2, 3, 4]), a);
    copy(new Float32Array([10, 20, 30, 40]), b);
    compute(ctx, sum);
    assertEquals([...view(sum).data], [11, 22, 33, 44]);
  }));

Deno.test("a quantized add is quantize(dequantize(a) + b), bit for bit", () =>
  withContext((ctx) => {
    const n = 1024;
    const a = newTensor(ctx, lib.GGML_TYPE_Q5_K, n), b = newTensor(ctx, lib.GGML_TYPE_F32, n);
    const sum = lib.ggml_add(ctx, a, b);
    copy(wave(n), a);
    copy(Float32Array.from({ length: n }, (_, i) => i % 13), b);
    compute(ctx, sum);
    const floats = view(a, { allowCopy: true }).data.map((x, i) => x + view(b).get(i));
    const expected = newTensor(ctx, lib.GGML_TYPE_Q5_K, n);
    copy(floats, expected);
    assertEquals(bytesOf(sum).toHex(), bytesOf(expected).toHex());
  }));

Deno.test("every type that the library knows converts both ways, or says that it can't", () =>
  withContext((ctx) => {
    const n = 512;
    const numbers = wave(n);
    const converted: string[] = [], refused: string[] = [];
    for (const known of TYPES) {
      const name = lib.ggml_type_name(known)!;
      const t = newTensor(ctx, known, n), back = new Float32Array(n);
      const options = lib.ggml_quantize_requires_imatrix(known) ? { imatrix: new Float32Array(n).fill(1) } : {};
      try {
        copy(numbers, t, options);
        copy(t, back);
      } catch (error) {
        assert(error instanceof TypeError, name);
        assertStringIncludes(error.message, "no conversion");
        refused.push(name);
        continue;
      }
      converted.push(name);
      const expected = new Uint8Array(lib.ggml_nbytes(t));
      if (known === lib.GGML_TYPE_F32) expected.set(new Uint8Array(numbers.buffer));
      else if (known === lib.GGML_TYPE_F64) expected.set(new Uint8Array(Float64Array.from(numbers).buffer));
      else if (known === lib.GGML_TYPE_I32) expected.set(new Uint8Array(Int32Array.from(numbers).buffer));
      else lib.ggml_quantize_chunk(known, numbers, expected, 0, 1, n, options.imatrix ?? null);
      assertEquals(bytesOf(t).toHex(), expected.toHex(), name);
      const error = Math.hypot(...back.map((x, i) => x - numbers[i])) / Math.hypot(...numbers);
      assert(error < (known === lib.GGML_TYPE_I32 ? 1 : 0.6), `${name} is off by ${error}`);
    }
    for (const name of ["f32", "f16", "bf16", "f64", "q4_0", "q8_0", "q5_K", "iq2_xxs", "tq1_0"]) assert(converted.includes(name), name);
    assertEquals(refused.filter((name) => /^i\d+$/.test(name)), ["i8", "i16", "i64"]);
    assertEquals(refused.filter((name) => !/^i\d+$/.test(name)), ["q8_1", "q8_K"]); // ggml's own intermediate types
  }));

Deno.test("I8, I16, I32, I64 and F64 go in and out as they are", () =>
  withContext((ctx) => {
    const cases: [lib.ggml_type, TypedArray][] = [
      [lib.GGML_TYPE_I8, new Int8Array([-128, 127, 0])],
      [lib.GGML_TYPE_I16, new Int16Array([-32768, 32767, 0])],
      [lib.GGML_TYPE_I32, new Int32Array([-(2 ** 31), 2 ** 31 - 1, 0])],
      [lib.GGML_TYPE_I64, new BigInt64Array([-(2n ** 63n), 2n ** 63n - 1n, 0n])],
      [lib.GGML_TYPE_F64, new Float64Array([Math.PI, -0, 1e300])],
    ];
    for (const [type, values] of cases) {
      const t = newTensor(ctx, type, 3);
      copy(values, t);
      assertEquals(view<TypedArray>(t).data, values);
    }
    const double = newTensor(ctx, lib.GGML_TYPE_F64, 3);
    copy(new Float32Array([0.1, 2, 3]), double);
    assertEquals(view<Float64Array>(double).get(0), Math.fround(0.1));
  }));

Deno.test("BF16 is bits in a view and numbers in a copy", () =>
  withContext((ctx) => {
    const t = newTensor(ctx, lib.GGML_TYPE_BF16, 3);
    copy(new Float32Array([1, -2, 3.140625]), t);
    assertEquals([...view<Uint16Array>(t).data], [0x3f80, 0xc000, 0x4049]);
    assertEquals([...view(t, { allowCopy: true }).data], [1, -2, 3.140625]);
    copy(new Uint16Array([0x4000, 0x3f80, 0]), t);
    assertEquals([...view(t, { allowCopy: true }).data], [2, 1, 0]);
  }));

Deno.test("allowRequantize: false refuses two different quantized types and nothing else", () =>
  withContext((ctx) => {
    const a = newTensor(ctx, lib.GGML_TYPE_Q4_0, 256), b = newTensor(ctx, lib.GGML_TYPE_Q8_0, 256);
    copy(wave(256), a, { allowRequantize: false });
    const { message } = assertThrows(() => copy(a, b, { allowRequantize: false }), Error, "allowRequantize");
    assertStringIncludes(message, "q4_0");
    assertStringIncludes(message, "q8_0");
    copy(a, newTensor(ctx, lib.GGML_TYPE_Q4_0, 256), { allowRequantize: false });
    copy(a, b);
    assertEquals(view(b, { allowCopy: true }).size, 256);
  }));

Deno.test("a type that needs an importance matrix says so, and takes one", () =>
  withContext((ctx) => {
    const t = newTensor(ctx, lib.GGML_TYPE_IQ2_XXS, 256, 2);
    t.name = "weights";
    assertThrows(() => copy(wave(512), t), Error, `tensor "weights" of iq2_xxs, ne=[256, 2, 1, 1]`);
    assertThrows(() => copy(wave(512), t, { imatrix: new Float32Array(512) }), RangeError, "256");
    assertThrows(() => copy(wave(512), t, { imatrix: [1, 2] as never }), TypeError, "copy: imatrix must be a Float32Array");
    copy(wave(512), t, { imatrix: new Float32Array(256).fill(1) });
  }));

Deno.test("view of a quantized tensor: throws, copies, or fills an array", () =>
  withContext((ctx) => {
    const t = newTensor(ctx, lib.GGML_TYPE_Q8_0, 32, 2);
    t.name = "q";
    copy(wave(64), t);
    const { message } = assertThrows(() => view(t), Error, "allowCopy: true");
    assertStringIncludes(message, `tensor "q" of q8_0, ne=[32, 2, 1, 1]`);
    const copied = view(t, { allowCopy: true });
    assert(copied.data instanceof Float32Array);
    assertEquals(copied.shape, [2, 32]);
    const filled = new Float32Array(64);
    assert(view(t, { allowCopy: filled }) === filled);
    assertEquals(filled, copied.data);
    const half = ndarray(new Float16Array(64), [2, 32]);
    assert(view(t, { allowCopy: half }) === half);
    assertEquals([...half.data], [...copied.data].map((x) => Math.f16round(x)));
    assertThrows(() => view(t, { allowCopy: new Float32Array(63) }), RangeError, "Float32Array of 63");
    assertThrows(() => view(t, { allowCopy: "yes" as never }), TypeError, `the string "yes"`);
  }));

Deno.test("a view is the tensor's memory, with its strides", () =>
  withContext((ctx) => {
    const a = newTensor(ctx, lib.GGML_TYPE_F32, 3, 2);
    copy(new Float32Array([1, 2, 3, 4, 5, 6]), a);
    view(a).set(1, 0, 40);
    assertEquals(lib.ggml_get_f32_nd(a, 0, 1, 0, 0), 40);
    const transposed = view(lib.ggml_transpose(ctx, a));
    assertEquals(transposed.shape, [3, 2]);
    assertEquals([transposed.get(0, 1), transposed.get(2, 0)], [40, 3]);
    transposed.set(2, 0, 30);
    assertEquals(view(a).get(0, 2), 30);
    const part = view(lib.ggml_view_1d(ctx, a, 2, 4));
    assertEquals([...part.data], [2, 30]);
  }));

Deno.test("what isn't contiguous is copied as it lies, on either side", () =>
  withContext((ctx) => {
    const a = newTensor(ctx, lib.GGML_TYPE_F32, 3, 2);
    const t = lib.ggml_transpose(ctx, a);
    copy(new Float32Array([1, 2, 3, 4, 5, 6]), t); // 3 rows of 2
    assertEquals([...view(a).data], [1, 3, 5, 2, 4, 6]);
    const back = new Float32Array(6);
    copy(t, back);
    assertEquals([...back], [1, 2, 3, 4, 5, 6]);
    copy(ndarray(new Float32Array([1, 2, 3, 4, 5, 6]), [3, 2]).transpose(1, 0), a);
    assertEquals([...view(a).data], [1, 3, 5, 2, 4, 6]);
    copy(ndarray(new Float32Array([1, 2, 3, 4, 5, 6]), [2, 3], [-3, -1], 5), a);
    assertEquals([...view(a).data], [6, 5, 4, 3, 2, 1]);
  }));

Deno.test("an ndarray that reaches past its data is refused, where it is made, and from elsewhere", () =>
  withContext((ctx) => {
    const a = newTensor(ctx, lib.GGML_TYPE_F32, 3, 2);
    const cases: [number, number[], number][] = [[6, [1, 1], 5], [6, [-3, 1], 2], [4, [3, 1], 0]];
    for (const [length, stride, offset] of cases) {
      const data = new Float32Array(length), shape = [2, 3];
      const layout = `shape [2, 3], stride [${stride.join(", ")}] and offset ${offset}`;
      const message = `ndarray: an array of ${layout} reaches past its data of ${length}`;
      assertThrows(() => ndarray(data, shape, stride, offset), RangeError, message);
      assertThrows(() => copy({ data, shape, stride, offset } as never, a), RangeError, `past its data of ${length}`);
    }
    assertThrows(() => ndarray(new Float32Array(4), [2, 3]), RangeError, "past its data of 4");
    assertThrows(() => ndarray(new Float32Array(6), [2, 3]).hi(2, 5), RangeError, "ndarray.hi: an array of shape [2, 5], stride [3, 1]");
    assertThrows(() => ndarray(new Float32Array(6), [2, 3]).pick(2, null), RangeError, "ndarray.pick: an array of shape [3], stride [1]");
    assertThrows(
      () => copy({ data: new Float32Array(6), shape: [2, 3], stride: [0.5, 1], offset: 0 } as never, a),
      RangeError,
      "whole numbers",
    );
    assertEquals(ndarray(new Float32Array(0), [0, 3]).size, 0);
  }));

Deno.test("a transposed quantized tensor is the transposed matrix", () =>
  withContext((ctx) => {
    for (const [columns, rows] of [[256, 64], [256, 256], [512, 3]]) {
      const q = newTensor(ctx, lib.GGML_TYPE_Q4_K, columns, rows), numbers = wave(columns * rows);
      copy(numbers, q);
      const expected = view(q, { allowCopy: true });
      const transposed = view(lib.ggml_transpose(ctx, q), { allowCopy: true });
      assertEquals(transposed.shape, [columns, rows]);
      for (const [i, j] of [[0, 0], [columns - 1, rows - 1], [7, 2]]) assertEquals(transposed.get(i, j), expected.get(j, i));
      const again = newTensor(ctx, lib.GGML_TYPE_Q4_K, columns, rows);
      copy(ndarray(numbers, [rows, columns]).transpose(1, 0), lib.ggml_transpose(ctx, again));
      assertEquals(bytesOf(again).toHex(), bytesOf(q).toHex());
    }
    // Blocks across each other: by way of floats.
    const a = newTensor(ctx, lib.GGML_TYPE_Q8_0, 64, 32), b = newTensor(ctx, lib.GGML_TYPE_Q4_0, 32, 64);
    copy(wave(64 * 32), a);
    copy(lib.ggml_transpose(ctx, a), b);
    const expected = newTensor(ctx, lib.GGML_TYPE_Q4_0, 32, 64);
    copy(ndarray(view(a, { allowCopy: true }).data, [32, 64]).transpose(1, 0), expected);
    assertEquals(bytesOf(b).toHex(), bytesOf(expected).toHex());
  }));

Deno.test("nested arrays and iterables", () =>
  withContext((ctx) => {
    const a = newTensor(ctx, lib.GGML_TYPE_F32, 3, 2);
    copy([[1, 2, 3], [4, 5, 6]], a);
    assertEquals([...view(a).data], [1, 2, 3, 4, 5, 6]);
    copy([6, 5, 4, 3, 2, 1], a);
    assertEquals([...view(a).data], [6, 5, 4, 3, 2, 1]);
    copy([new Float32Array([1, 2, 3]), [7, 8, 9]] as never, a);
    assertEquals([...view(a).data], [1, 2, 3, 7, 8, 9]);
    copy(new Set([10, 20, 30, 40, 50, 60]), a);
    assertEquals([...view(a).data], [10, 20, 30, 40, 50, 60]);
    const ids = newTensor(ctx, lib.GGML_TYPE_I32, 2),
      big = newTensor(ctx, lib.GGML_TYPE_I64, 2),
      bits = newTensor(ctx, lib.GGML_TYPE_BF16, 2);
    copy([1, -2], ids);
    copy([2n ** 62n, -3], big);
    copy([1.5, -2], bits);
    assertEquals([[...view<Int32Array>(ids).data], [...view<BigInt64Array>(big).data]], [[1, -2], [2n ** 62n, -3n]] as never);
    assertEquals([...view(bits, { allowCopy: true }).data], [1.5, -2]);
    const q = newTensor(ctx, lib.GGML_TYPE_Q8_0, 32);
    copy(Array.from({ length: 32 }, () => 1), q);
    assertEquals(view(q, { allowCopy: true }).get(31).toFixed(2), "1.00");
    const refused: [unknown, lib.ggml_tensor, ErrorConstructor, string][] = [
      [[[1, 2], [3]], a, RangeError, "copy: source: row 1 has 1 numbers, where row 0 has 2"],
      [[[1, 2, 3], 4], a, TypeError, "expected an array of numbers at [1], got the number 4"],
      [[1, [2, 3]], a, TypeError, "expected a number at [1], got an array of 2"],
      [[1, "2"], a, TypeError, `got the string "2"`],
      [[1.5, 2], ids, TypeError, "whole numbers for i32, got 1.5 at [0]"],
      [[2 ** 31, 2], ids, RangeError, "2147483648 at [0] is no value of i32"],
      [[[1, 2], [3, 4], [5, 6]], a, RangeError, "differ"],
      [
        (function* () {
          while (true) yield 1;
        })(),
        a,
        RangeError,
        "more items than the 6 elements",
      ],
    ];
    for (const [wrong, tensor, error, message] of refused) assertThrows(() => copy(wrong as never, tensor), error, message);
  }));

Deno.test("F32 ↔ I32 is as ggml_cast's: towards zero", () =>
  withContext((ctx) => {
    const numbers = new Float32Array([1.9, -1.9, 0, 2147483520]), t = newTensor(ctx, lib.GGML_TYPE_I32, 4);
    copy(numbers, t);
    assertEquals([...view<Int32Array>(t).data], [1, -1, 0, 2147483520]);
    const back = newTensor(ctx, lib.GGML_TYPE_F32, 4);
    copy(t, back);
    assertEquals([...view(back).data], [1, -1, 0, 2147483520]);
    assertThrows(() => copy(new Float16Array(4), t), TypeError, "no conversion");
    assertThrows(() => copy(t, newTensor(ctx, lib.GGML_TYPE_Q8_0, 32)), RangeError, "differ");
  }));

Deno.test("arrays of integers go into tensors that have each of their values, and the first that one hasn't is named", () =>
  withContext((ctx) => {
    const arrays = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Int32Array, Uint32Array, BigInt64Array, BigUint64Array];
    const types = ["F32", "F16", "BF16", "F64", "I8", "I16", "I32", "I64"] as const;
    for (const array of arrays) {
      const numbers = [0, 1, 2, 100, 127, 3];
      const data = (array as unknown as Float32ArrayConstructor).from(
        (array.name.startsWith("Big") ? numbers.map(BigInt) : numbers) as number[],
      );
      const across = ndarray(data, [2, 3], [1, 2]); // [[0, 2, 127], [1, 100, 3]]
      for (const type of types) {
        const t = newTensor(ctx, lib[`GGML_TYPE_${type}`], 3, 2);
        copy(data, t);
        assertEquals(Array.from(view<Float32Array>(t, { allowCopy: true }).data, Number), numbers, `${array.name} ${type}`);
        copy(across, t);
        assertEquals(Array.from(view<Float32Array>(t, { allowCopy: true }).data, Number), [0, 2, 127, 1, 100, 3], `${array.name} ${type}`);
      }
    }
    const refused: [TypedArray, (typeof types)[number], string][] = [
      [new BigInt64Array([1n, 2n ** 31n]), "I32", "2147483648 at [1] is no value of i32"],
      [new BigInt64Array([-(2n ** 31n) - 1n, 0n]), "I32", "-2147483649 at [0] is no value of i32"],
      [new BigUint64Array([0n, 2n ** 63n]), "I64", "9223372036854775808 at [1] is no value of i64"],
      [new BigInt64Array([2n ** 24n, 2n ** 24n + 1n]), "F32", "16777217 at [1] is no value of f32"],
      [new BigInt64Array([2n ** 53n + 1n, 0n]), "F64", "9007199254740993 at [0] is no value of f64"],
      [new Uint32Array([0, 65536]), "F16", "65536 at [1] is no value of f16"],
      [new Int32Array([2048, 2049]), "F16", "2049 at [1] is no value of f16"],
      [new Uint8Array([127, 128]), "I8", "128 at [1] is no value of i8"],
      [new Int16Array([-1, 200]), "I8", "200 at [1] is no value of i8"],
    ];
    for (const [array, type, message] of refused) {
      const error = assertThrows(() => copy(array, newTensor(ctx, lib[`GGML_TYPE_${type}`], 2)), RangeError);
      assertStringIncludes(error.message, `copy: source: ${message}`);
    }
    const q = newTensor(ctx, lib.GGML_TYPE_Q8_0, 32, 1);
    copy(ndarray(new Uint8Array(32).fill(127), [32]), q);
    assertEquals(view(q, { allowCopy: true }).get(31), 127);
    const one = newTensor(ctx, lib.GGML_TYPE_F32, 1);
    copy(ndarray(new BigInt64Array([7n, 8n]), [], [], 1), one);
    assertEquals(view(one).get(0), 8);
    const reversed = newTensor(ctx, lib.GGML_TYPE_F32, 3);
    copy(ndarray(new Uint32Array([1, 2, 3]), [3], [-1], 2), reversed);
    assertEquals([...view(reversed).data], [3, 2, 1]);
    const pixels = ndarray(new Uint32Array([1, 2, 3, 70000]), [2, 2]);
    assertThrows(() => copy(pixels, newTensor(ctx, lib.GGML_TYPE_F16, 2, 2)), RangeError, "70000 at [1, 1] is no value of f16");
    assertThrows(() => copy(new Uint32Array(3), newTensor(ctx, lib.GGML_TYPE_F32, 4)), RangeError, "differ");
  }));

Deno.test("a Uint8Array is a quantized tensor's bytes", () =>
  withContext((ctx) => {
    const a = newTensor(ctx, lib.GGML_TYPE_Q5_0, 64, 2), b = newTensor(ctx, lib.GGML_TYPE_Q5_0, 64, 2);
    copy(wave(128), a);
    const bytes = new Uint8Array(lib.ggml_nbytes(a));
    copy(a, bytes);
    assertEquals(bytes, bytesOf(a));
    copy(bytes, b);
    assertEquals(bytesOf(b), bytes);
    assertThrows(() => copy(bytes.subarray(1), b), RangeError, "doesn't hold the 88 bytes");
    assertThrows(() => copy(a, new Uint32Array(128)), TypeError, "no tensor type has the elements of a Uint32Array");
  }));

Deno.test("the grid types refuse what C would abort at", () =>
  withContext((ctx) => {
    const imatrix = new Float32Array(256).fill(1);
    for (const [name, type] of Object.entries(lib).filter(([name]) => /^GGML_TYPE_IQ[123]/.test(name))) {
      const t = newTensor(ctx, type as lib.ggml_type, 256);
      for (const bad of [NaN, Infinity, -Infinity, 3e38, 1e30, 1e20, -1e9]) {
        const numbers = wave(256);
        numbers[37] = bad;
        assertThrows(() => copy(numbers, t, { imatrix }), RangeError, `got ${Math.fround(bad)} at 37`, name);
        try { // C takes some of them, and fails of others
          lib.ggml_quantize_chunk(type as lib.ggml_type, numbers, bytesOf(t), 0, 1, 256, imatrix);
        } catch (error) {
          assertMatch((error as Error).message, /^ggml_quantize_chunk: (assertion failed: |fatal error)/);
        }
      }
      for (const bad of [NaN, -1, Infinity]) {
        assertThrows(() => copy(wave(256), t, { imatrix: imatrix.map((w, i) => i === 5 ? bad : w) }), RangeError, "importance", name);
      }
      copy(wave(256), t, { imatrix });
    }
  }));

Deno.test("a row that is no multiple of the block size is refused, with the tensor, its type and both sizes", () =>
  withContext((ctx) => {
    const t = newTensor(ctx, lib.GGML_TYPE_Q8_0, 32);
    t.name = "odd";
    t.ne = [16, 1, 1, 1];
    const message = `tensor "odd" of q8_0, ne=[16, 1, 1, 1]: a row of 16 is not a multiple of q8_0's block of 32`;
    assertThrows(() => copy(wave(16), t), Error, message);
    assertThrows(() => copy(t, new Float32Array(16)), Error, message);
    assertThrows(() => view(t, { allowCopy: true }), Error, message);
  }));

Deno.test("dimensions of 1 in front mean nothing", () =>
  withContext((ctx) => {
    const t = newTensor(ctx, lib.GGML_TYPE_F32, 4);
    copy(ndarray(new Float32Array([1, 2, 3, 4]), [1, 1, 4]), t);
    assertEquals([...view(t).data], [1, 2, 3, 4]);
    assertThrows(() => copy(ndarray(new Float32Array(4), [4, 1]), t), RangeError);
  }));

Deno.test("what is no array or tensor, has no tensor type, or no memory, is refused by name", () =>
  withContext((ctx) => {
    const t = newTensor(ctx, lib.GGML_TYPE_F32, 4);
    const anything = "copy: source: expected a tensor, a slice, an ndarray, a typed array or nested arrays of numbers, got";
    for (const wrong of [null, undefined, 42, "x", {}, ctx, new DataView(new ArrayBuffer(16)), new ArrayBuffer(16)]) {
      assertThrows(() => copy(wrong as never, t), TypeError, anything);
      assertThrows(() => copy(t, wrong as never), TypeError, "copy: destination: expected");
      assertThrows(() => view(wrong as never), TypeError, "view: expected a tensor, got");
    }
    assertThrows(() => copy(t, new Uint32Array(4)), TypeError, "Uint32Array of 4");
    assertThrows(() => copy(new Float32Array(4), t, null as never), TypeError, "copy: expected { allowRequantize, imatrix }, got null");
    assertThrows(() => view(t, null as never), TypeError, "view: expected { allowCopy, dims }, got null");
    for (const allowRequantize of [null, 0, "no"]) {
      assertThrows(() => copy(t, t, { allowRequantize } as never), TypeError, "copy: allowRequantize must be a boolean, got");
    }
    assertThrows(() => copy(new Float32Array(4), t, { imatrix: 5 as never }), TypeError, "copy: imatrix must be a Float32Array");
    assertThrows(() => copy(t, new Uint8Array(0)), TypeError, "copy: Uint8Array of 0: no tensor type has its elements");
    const gone = new Float32Array(4);
    gone.buffer.transfer();
    assertThrows(() => copy(gone, t), TypeError, "copy: source: Float32Array of 0: its memory was transferred elsewhere, or shrank");
    const memory = new ArrayBuffer(32, { maxByteLength: 32 }), shrunk = new Float32Array(memory, 16);
    memory.resize(8);
    assertThrows(() => copy(t, shrunk), TypeError, "copy: destination: Float32Array of 0: its memory was transferred elsewhere, or shrank");
    assertThrows(() => copy(t, new BigUint64Array(4)), TypeError, "BigUint64Array of 4");
    const lost = new Uint32Array(4);
    lost.buffer.transfer();
    assertThrows(() => copy(lost, t), TypeError, "its memory was transferred elsewhere");
    assertThrows(() => copy(new Float32Array(new SharedArrayBuffer(16)) as never, t), TypeError, "shared memory");
    using empty = init({ memSize: 4096, noAlloc: true });
    const unallocated = newTensor(empty, lib.GGML_TYPE_F32, 4);
    assertThrows(() => copy(new Float32Array(4), unallocated), Error, "no memory yet");
    assertThrows(() => view(unallocated), Error, "no memory yet");
  }));

Deno.test("ndarray says which numbers are none", () => {
  const data = new Float32Array(4);
  const wrong: [unknown[], typeof TypeError | typeof RangeError, string][] = [
    [[null], TypeError, "ndarray: expected a typed array, got null"],
    [[data, null], TypeError, "ndarray: shape must be an array, got null"],
    [[data, 4], TypeError, "ndarray: shape must be an array, got the number 4"],
    [[data, [4], "1"], TypeError, 'ndarray: stride must be an array, got the string "1"'],
    [
      [data, [-4]],
      RangeError,
      "ndarray: expected whole numbers, none negative in the shape, and a stride for each dimension, got shape [the",
    ],
    [[data, [4], [1, 1]], RangeError, "got shape [the number 4], stride [the number 1, the number 1], offset undefined"],
    [[data, [4n]], RangeError, "got shape [the bigint 4n]"],
    [[data, [Symbol("s")]], RangeError, "got shape [Symbol(s)]"],
    [[data, [, 4]], RangeError, "none negative"], // deno-lint-ignore no-sparse-arrays
    [[data, [4], [1], null], RangeError, "offset null"],
    [[data, [4], [1], NaN], RangeError, "offset the number NaN"],
  ];
  for (const [args, type, message] of wrong) assertThrows(() => (ndarray as (...args: unknown[]) => void)(...args), type, message);
  const strange = { data, shape: [Symbol("s")], stride: [1], offset: 0 };
  assertThrows(
    () => copy(strange as never, data),
    TypeError,
    "copy: source: expected a tensor, a slice, an ndarray, a typed array or nested arrays of numbers, got",
  );
  const bytes = { data: new DataView(data.buffer), shape: [4], stride: [1], offset: 0 };
  assertThrows(() => copy(data, bytes as never), TypeError, "copy: destination: expected a tensor");
});

Deno.test("arrays in themselves, and iterables without an end, are refused", () =>
  withContext((ctx) => {
    const t = newTensor(ctx, lib.GGML_TYPE_F32, 4);
    const circle: unknown[] = [];
    circle.push(circle);
    assertThrows(() => copy(circle as never, t), RangeError, "copy: source: arrays in arrays, more than 64 deep");
    assertThrows(() => quantize(circle as never, lib.GGML_TYPE_F32), RangeError, "quantize: arrays in arrays, more than 64 deep");
  }));

Deno.test("zero elements are fine", () =>
  withContext((ctx) => {
    const t = newTensor(ctx, lib.GGML_TYPE_F32, 0);
    copy(new Float32Array(0), t);
    assertEquals(view(t).size, 0);
  }));

Deno.test("ndarray's own ecosystem works on views", async () => {
  const { default: ops } = await import("ndarray-ops");
  withContext((ctx) => {
    const a = newTensor(ctx, lib.GGML_TYPE_F32, 3, 2);
    copy(new Float32Array([1, 2, 3, 4, 5, 6]), a);
    assertEquals(ops.sum(view(a) as never), 21);
    ops.mulseq(view(lib.ggml_transpose(ctx, a)) as never, 2);
    assertEquals([...view(a).data], [2, 4, 6, 8, 10, 12]);
  });
});
