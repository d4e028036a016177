/**
 * How many dimensions are meant: a batch of one, indices too many and too few, and the numbers of what isn't contiguous.
 *
 * @module
 */

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { copy, formatTensor, init, type NdArray, ndarray, readNpy, slice, tensor, toArray, view, writeNpy } from "@ggml/deno/utils";

const {
  GGML_TYPE_F32: F32,
  GGML_TYPE_F16: F16,
  GGML_TYPE_BF16: BF16,
  GGML_TYPE_I32: I32,
  GGML_TYPE_I64: I64,
  GGML_TYPE_Q8_0: Q8_0,
  GGML_TYPE_IQ2_XXS: IQ2_XXS,
} = lib;

Deno.test("a batch of one is read as one of two", () => {
  using ctx = init();
  for (const rows of [1, 2]) {
    const t = lib.ggml_new_tensor_2d(ctx, F32, 4, rows);
    copy(Float32Array.from({ length: 4 * rows }, (_, i) => 10 * i), t);
    const numbers = view(t, { dims: 2 });
    assertEquals(numbers.shape, [rows, 4]);
    assertEquals([0, 1, 2, 3].map((column) => numbers.get(0, column)), [0, 10, 20, 30]);
    numbers.set(0, 3, 7);
    assertEquals(lib.ggml_get_f32_1d(t, 3), 7);
  }
});

Deno.test("an index too many or too few is an Error, whatever made the array", () => {
  using ctx = init();
  const t = tensor(ctx, [0, 10, 20, 30]), cube = ndarray(new Float32Array(24), [2, 3, 4]);
  assertThrows(() => view(t).get(0, 1), RangeError, "ndarray.get: expected 1 indices for the shape [4], got 2");
  assertThrows(() => view(t).set(0, 1, 5), RangeError, "ndarray.set: expected 1 indices for the shape [4], got 2");
  assertThrows(() => view(t).index(), RangeError, "got 0");
  for (const array of [cube, cube.transpose(2, 1, 0), cube.lo(1), cube.hi(1, 1, 1), cube.step(1, 2)]) {
    assertThrows(() => array.get(0, 0), RangeError, "expected 3 indices");
    assertThrows(() => array.set(0, 0, 1), RangeError, "got 2");
    array.set(0, 0, 0, 5);
    assertEquals(array.get(0, 0, 0), 5);
  }
  const picked: NdArray = cube.pick(1, null, null);
  assertThrows(() => picked.get(0, 0, 0), RangeError, "expected 2 indices for the shape [3, 4], got 3");
  assertEquals(picked.pick(0, null).get(1), 0);
  assertThrows(() => picked.pick(0, null).get(), RangeError, "got 0");
});

Deno.test("an index outside of an array is an Error, and not an element of another row", () => {
  const array = ndarray(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]),
    there = (index: string, shape = "2, 3") => `no element [${index}] in an array of shape [${shape}]`;
  assertEquals([array.get(1, 0), array.get(1, 2), array.index(1, 2)], [4, 6, 5]);
  assertThrows(() => array.get(0, 3), RangeError, `ndarray.get: there is ${there("0, 3")}`);
  assertThrows(() => array.get(-1, 0), RangeError, there("-1, 0"));
  assertThrows(() => array.get(0.5, 0), RangeError, there("0.5, 0"));
  assertThrows(() => array.get(NaN, 0), RangeError, there("NaN, 0"));
  assertThrows(() => array.get("1" as never, 0), RangeError, there('the string "1", 0'));
  assertThrows(() => array.set(2, 0, 9), RangeError, `ndarray.set: there is ${there("2, 0")}`);
  assertThrows(() => array.transpose(1, 0).get(0, 2), RangeError, there("0, 2", "3, 2"));
  assertThrows(() => array.pick(1, null).get(3), RangeError, there("3", "3"));
  assertEquals(array.data, Float32Array.of(1, 2, 3, 4, 5, 6));
});

Deno.test("dims of view, print, writeNpy and slice", async () => {
  using ctx = init();
  const row = lib.ggml_new_tensor_2d(ctx, F32, 3, 1);
  copy([1, 2, 3], row);
  assertEquals(view(row).shape, [3]);
  const shapes: [number, number[]][] = [[1, [3]], [2, [1, 3]], [3, [1, 1, 3]], [4, [1, 1, 1, 3]]];
  for (const [dims, shape] of shapes) {
    assertEquals(view(row, { dims }).shape, shape);
    assertEquals(view(row, { dims, allowCopy: true }).shape, shape);
    assertEquals([...toArray(view(row, { dims }))], [1, 2, 3]);
    assertEquals(formatTensor(row, { dims }), "[".repeat(dims) + "1. 2. 3." + "]".repeat(dims));
    const file = await Deno.makeTempFile();
    writeNpy(file, row, { dims });
    assertEquals(readNpy(file).shape, shape);
    await Deno.remove(file);
  }
  assertEquals(slice(row, 0, [1, 3]).shape, [2]);
  assertEquals([...toArray(slice(row, 0, 0, null, [1, 3]))], [2, 3]);
  assertThrows(() => slice(row, 1, null), RangeError, "there is no index 1");
  assertThrows(() => slice(row, 0, 0, 0, 0, 0), RangeError, "5 ranges");
  assertEquals(formatTensor(new Float32Array([1, 2]), { dims: 2 }), "[[1. 2.]]");
  assertEquals(formatTensor(slice(row, [0, 2]), { dims: 2 }), "[[1. 2.]]");
  assertEquals(formatTensor(ndarray(new Float32Array([1, 2]), [1, 2]), { dims: 1 }), "[1. 2.]");
  const blocks = lib.ggml_new_tensor_2d(ctx, Q8_0, 32, 1);
  copy(new Float32Array(32).fill(2), blocks);
  assertEquals(view(blocks, { dims: 2, allowCopy: true }).shape, [1, 32]);

  const matrix = lib.ggml_new_tensor_2d(ctx, F32, 3, 2);
  assertThrows(() => view(matrix, { dims: 1 }), RangeError, "view: dims: expected at least 2 for the shape [2, 3], got 1");
  assertThrows(() => view(row, { dims: 5 }), RangeError, "view: dims must be a whole number from 1 to 4, got 5");
  assertThrows(() => view(row, { dims: 1.5 }), RangeError, "got 1.5");
  assertThrows(() => view(row, { dims: "2" as never }), TypeError, 'view: dims must be a number, got the string "2"');
  assertThrows(() => writeNpy("x.npy", row, 2 as never), TypeError, "writeNpy: expected { dims }, got the number 2");
});

Deno.test("a tensor that was made from an array has as many dimensions as that had", () => {
  using ctx = init();
  assertEquals(view(tensor(ctx, [[1, 2, 3]])).shape, [1, 3]);
  assertEquals(view(tensor(ctx, [[[1], [2]]])).shape, [1, 2, 1]);
  assertEquals(view(tensor(ctx, ndarray(new Float32Array(4), [1, 1, 4]))).shape, [1, 1, 4]);
  assertEquals(view(tensor(ctx, ndarray(new Float32Array(4), [1, 1, 4])), { dims: 2 }).shape, [1, 4]);
  assertEquals(formatTensor(tensor(ctx, [[1, 2]])), "[[1. 2.]]");
  assertEquals(slice(tensor(ctx, [[1, 2]]), 0).shape, [2]);
  const reused = init(), first = tensor(reused, [[1, 2, 3]]);
  lib.ggml_reset(reused);
  const second = lib.ggml_new_tensor_1d(reused, F32, 5);
  assertEquals(second.address, first.address); // what lay there is forgotten
  assertEquals(view(second).shape, [5]);
});

Deno.test("toArray: the numbers, flat and row-major, of whatever has some", () => {
  using ctx = init();
  const a = tensor(ctx, [[1, 2, 3], [4, 5, 6]]);
  assertEquals(toArray(a), new Float32Array([1, 2, 3, 4, 5, 6]));
  assertEquals(toArray(lib.ggml_transpose(ctx, a)), new Float32Array([1, 4, 2, 5, 3, 6]));
  assertEquals(toArray(slice(a, null, 1)), new Float32Array([2, 5])); // where view(…).data is 5 numbers long
  assertEquals(toArray(slice(a, 0)), new Float32Array([1, 2, 3]));
  assertEquals(toArray(lib.ggml_view_2d(ctx, a, 2, 2, a.nb[1], 4)), new Float32Array([2, 3, 5, 6]));
  assertEquals(toArray(view(a).transpose(1, 0)), new Float32Array([1, 4, 2, 5, 3, 6]));
  assertEquals(toArray<Uint8Array>(ndarray(new Uint8Array([1, 2, 3, 4]), [2], [2])), new Uint8Array([1, 3]));
  assertEquals(toArray<Int32Array>(tensor(ctx, new Int32Array([1, -2]))), new Int32Array([1, -2]));
  assertEquals(toArray<BigInt64Array>(tensor(ctx, [1, 2], { type: I64 })), new BigInt64Array([1n, 2n]));
  assertEquals(toArray<Float16Array>(tensor(ctx, [0.5], { type: F16 })), new Float16Array([0.5]));
  assertEquals(toArray(tensor(ctx, [0.5], { type: BF16 })), new Float32Array([0.5]));
  assertEquals(toArray(tensor(ctx, new Float32Array(32).fill(127), { type: Q8_0 })), new Float32Array(32).fill(127));
  assertEquals(toArray(lib.ggml_new_tensor_1d(ctx, F32, 0)), new Float32Array(0));
  const flat = ndarray(new Float32Array([1, 2]));
  toArray(flat)[0] = 9;
  assertEquals(flat.get(0), 1);
  const copied = toArray(a);
  copied[0] = 9;
  assertEquals(lib.ggml_get_f32_1d(a, 0), 1);
});

Deno.test("toArray of what has no numbers is an Error", () => {
  const gone = init(), freed = lib.ggml_new_tensor_1d(gone, F32, 2), empty = init({ noAlloc: true });
  gone[Symbol.dispose]();
  assertThrows(() => toArray(null as never), TypeError, "toArray: expected a tensor, a slice or an ndarray, got null");
  assertThrows(() => toArray([1] as never), TypeError, "got an array of 1");
  assertThrows(() => toArray(new Float32Array(1) as never), TypeError, "got a Float32Array of 1");
  assertThrows(() => toArray(freed), Error, "was freed");
  assertThrows(() => toArray(lib.ggml_new_tensor_1d(empty, F32, 2)), Error, "has no memory yet");
});

Deno.test("tensor: from typed arrays, nested arrays and ndarrays, with its shape, type and name", () => {
  using ctx = init();
  const a = tensor(ctx, [[1, 2], [3, 4]], { type: F16, name: "a" });
  assertEquals([a.type, a.ne, a.name], [F16, [2, 2, 1, 1], "a"]);
  assertEquals([...toArray<Float16Array>(a)], [1, 2, 3, 4]);
  assertEquals(tensor(ctx, new Int32Array(3)).type, I32);
  assertEquals(tensor(ctx, new Int32Array([1, 2]), { type: F32 }).type, F32);
  assertEquals(tensor(ctx, ndarray(new Float32Array([1, 2, 3, 4, 5, 6]), [3, 2], [1, 3])).ne, [2, 3, 1, 1]);
  assertEquals([...toArray(tensor(ctx, ndarray(new Float32Array([1, 2, 3, 4, 5, 6]), [3, 2], [1, 3])))], [1, 4, 2, 5, 3, 6]);
  assertEquals(tensor(ctx, ndarray(new Float32Array([5]), [])).ne, [1, 1, 1, 1]);
  assertEquals(tensor(ctx, new Set([1, 2])).ne, [2, 1, 1, 1]);
  assertEquals(tensor(ctx, []).ne, [0, 1, 1, 1]);
});

Deno.test("tensor: what can't be is an Error that says what was expected, and nothing is made", () => {
  using ctx = init();
  const empty = init({ noAlloc: true }), gone = init(), used = () => lib.ggml_used_mem(ctx);
  gone[Symbol.dispose]();
  const before = used();
  const wrong: [() => unknown, typeof Error, string][] = [
    [() => tensor(null as never, [1]), TypeError, "tensor: expected a ggml_context, got null"],
    [() => tensor(gone, [1]), Error, "was freed"],
    [() => tensor(empty, [1]), Error, "tensor: the context was made with noAlloc"],
    [
      () => tensor(ctx, [1], { type: "q8_0" as never }),
      TypeError,
      `tensor: expected a tensor type such as lib.GGML_TYPE_Q4_K, got the string "q8_0"`,
    ],
    [() => tensor(ctx, 5 as never), TypeError, "tensor: expected a typed array, an ndarray or nested arrays of numbers, got the number 5"],
    [() => tensor(ctx, "12" as never), TypeError, 'got the string "12"'],
    [() => tensor(ctx, ["a"] as never), TypeError, `tensor: expected a number or an array of numbers at [0], got the string "a"`],
    [() => tensor(ctx, [[1, 2], [3, null as never]]), TypeError, "tensor: expected a number at [1, 1], got null"],
    [() => tensor(ctx, [[1, 2], 3]), TypeError, "tensor: expected an array of numbers at [1], got the number 3"],
    [() => tensor(ctx, [1, [2]]), TypeError, "tensor: expected a number at [1], got an array of 1"],
    [() => tensor(ctx, [new DataView(new ArrayBuffer(4)) as never]), TypeError, "at [0], got a DataView of 4 bytes"],
    [() => tensor(ctx, [[1, 2], [3]]), RangeError, "tensor: row 1 has 1 numbers, where row 0 has 2"],
    [() => tensor(ctx, [[[1], [2]], [[3], [4, 5]]]), RangeError, "tensor: row [1, 1] has 2 numbers, where row [0, 0] has 1"],
    [() => tensor(ctx, [[[1], [2]], [[3]]]), RangeError, "tensor: row 1 has 1 rows, where row 0 has 2"],
    [() => tensor(ctx, [[[[[1]]]]]), RangeError, "tensor: expected at most 4 dimensions, got the shape [1, 1, 1, 1, 1]"],
    [() => tensor(ctx, new Uint8Array(4)), TypeError, "no tensor type has the elements of a Uint8Array"],
    [() => tensor(ctx, [1], null as never), TypeError, "tensor: expected { type, name, imatrix }, got null"],
    [() => tensor(ctx, [1], { name: 5 as never }), TypeError, "tensor: name must be a string, got the number 5"],
    [() => tensor(ctx, [1.5], { type: I32 }), TypeError, "expected whole numbers for i32, got 1.5 at [0]"],
    [() => tensor(ctx, [[1], [2n ** 31n]], { type: I32 }), RangeError, "tensor: 2147483648 at [1, 0] is no value of i32"],
    [() => tensor(ctx, [1, 2], { type: Q8_0 }), RangeError, "tensor: a row of 2 is not a multiple of q8_0's block of 32"],
    [() => tensor(ctx, new Uint8Array(34), { type: Q8_0 }), TypeError, "tensor: Uint8Array of 34: these are bytes, not numbers"],
    [
      () => tensor(ctx, { ...ndarray(new Float32Array(4), [2, 2]), shape: [5, 2] } as never),
      RangeError,
      "tensor: ndarray (Float32Array) of shape [5, 2] reaches past its data",
    ],
    [() => tensor(ctx, new Float64Array(1), { type: I32 }), TypeError, "tensor: no conversion from Float64Array of 1 to a tensor of i32"],
    [() => tensor(ctx, new Float32Array(256), { type: IQ2_XXS }), Error, "tensor: iq2_xxs can't be quantized without an importance matrix"],
    [
      () => tensor(ctx, [1], { imatrix: 1 as never }),
      TypeError,
      "tensor: imatrix must be a Float32Array as long as a row, got the number 1",
    ],
    [() => tensor(ctx, [1], { name: "a\0b" }), TypeError, "tensor: the name has a NUL"],
    [() => tensor(ctx, [1], { name: "é".repeat(32) }), RangeError, "tensor: the name has 64 bytes, and ggml's have at most 63"],
  ];
  for (const [make, kind, says] of wrong) assertStringIncludes(assertThrows(make, kind).message, says);
  assertEquals(used(), before);
});
