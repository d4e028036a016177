/** slice(): parts of tensors, as NumPy would cut them. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { copy, init, ndarray, type Range, slice, view } from "@ggml/deno/utils";
import { bytesOf, newTensor, ramp, wave, withContext } from "../context.ts";
import { Random } from "../random.ts";

/** What Python's `range(n)[begin:end:step]` has. */
function python(n: number, [begin, end, step = 1]: readonly [number | null, (number | null)?, number?]): number[] {
  const indices = Array.from({ length: n }, (_, i) => i);
  const at = (i: number) => i < 0 ? i + n : i;
  if (step > 0) {
    const first = begin === null ? 0 : Math.max(0, at(begin)), last = end === null || end === undefined ? n : at(end);
    return indices.filter((i) => i >= first && i < last && (i - first) % step === 0);
  }
  const first = begin === null ? n - 1 : Math.min(n - 1, at(begin)), last = end === null || end === undefined ? -1 : Math.max(-1, at(end));
  return indices.toReversed().filter((i) => i <= first && i > last && (first - i) % -step === 0);
}

Deno.test("1000 random slices are as Python's, for reading and for writing", () =>
  withContext((ctx) => {
    const random = new Random(3);
    const shape = [4, 5, 6];
    const t = newTensor(ctx, lib.GGML_TYPE_F32, 6, 5, 4);
    for (let i = 0; i < 1000; i++) {
      copy(ramp(Float32Array, shape), t);
      const index = (n: number) => random.percent(20) ? null : random.below(3 * n) - n - 1;
      const ranges = shape.slice(0, 1 + random.below(3)).map((n): Range => {
        if (random.percent(20)) return random.below(2 * n) - n;
        if (random.percent(10)) return null;
        return [index(n), index(n), random.percent(50) ? 1 : random.pick([-3, -2, -1, 2, 3])];
      });
      const kept = shape.map((n, d): number[] => {
        const range = ranges[d] ?? null;
        return range === null ? python(n, [null]) : typeof range === "number" ? [range < 0 ? range + n : range] : python(n, range);
      });
      const wanted = kept[0].flatMap((a) => kept[1].flatMap((b) => kept[2].map((c) => (a * 5 + b) * 6 + c)));
      const part = slice(t, ...ranges), what = JSON.stringify(ranges);
      assertEquals(part.shape, kept.filter((_, d) => typeof ranges[d] !== "number").map(({ length }) => length), what);
      const out = new Float32Array(wanted.length);
      copy(part, out);
      assertEquals([...out], wanted, what);
      copy(out.map((x) => -x - 1), part);
      const all = [...view(t).data];
      assertEquals(all, all.map((_, at) => wanted.includes(at) ? -at - 1 : at), what);
    }
  }));

Deno.test("a view of a slice is the tensor's memory, and a slice of a slice is one", () =>
  withContext((ctx) => {
    const t = newTensor(ctx, lib.GGML_TYPE_F32, 4, 3);
    copy(ramp(Float32Array, [3, 4]), t);
    const part = slice(slice(t, [1, 3]), null, [0, 4, 2]);
    const numbers = view(part);
    assertEquals([numbers.shape, numbers.get(0, 1), numbers.get(1, 1)], [[2, 2], 6, 10]);
    numbers.set(1, 1, 99);
    assertEquals(view(t).get(2, 2), 99);
    assertEquals(view(slice(t, 2, 2)).get(), 99); // no dimension is left
    assertEquals(view(slice(t, [0, 0])).size, 0);
    assertStringIncludes(Deno.inspect(part), "TensorSlice { [2, 2] of tensor of f32, ne=[4, 3, 1, 1] }");
    const backwards = view(slice(t, null, [null, null, -1]));
    assertEquals([backwards.get(0, 0), backwards.get(0, 3)], [3, 0]);
    copy(slice(t, 0), slice(t, 1)); // from row to row
    assertEquals([...view(slice(t, 1)).data].slice(0, 4), [0, 1, 2, 3]);
  }));

Deno.test("a quantized tensor is cut between blocks", () =>
  withContext((ctx) => {
    const t = newTensor(ctx, lib.GGML_TYPE_Q8_0, 96, 4), whole = newTensor(ctx, lib.GGML_TYPE_Q8_0, 96, 4);
    copy(wave(384), t);
    copy(wave(384), whole);
    const all = view(t, { allowCopy: true }), part = view(slice(t, [1, 4, 2], [32, 96]), { allowCopy: true });
    assertEquals(part.shape, [2, 64]);
    for (const [row, column] of [[0, 0], [1, 63]]) assertEquals(part.get(row, column), all.get(1 + 2 * row, 32 + column));
    copy(ndarray(new Float32Array(64), [1, 64]), slice(t, [2, 3], [0, 64]));
    const row = lib.ggml_row_size(lib.GGML_TYPE_Q8_0, 96), part2 = lib.ggml_row_size(lib.GGML_TYPE_Q8_0, 64);
    const expected = bytesOf(whole).slice();
    expected.fill(0, 2 * row, 2 * row + part2);
    assertEquals(bytesOf(t), expected);
    assertThrows(() => slice(t, 0, [0, 33]), RangeError, "doesn't begin and end between blocks of 32");
    assertThrows(() => slice(t, 0, [0, 64, 2]), RangeError, "with a step of 1");
    assertThrows(() => slice(t, 0, 5), RangeError, "an index cuts a block of 32");
    assertEquals(slice(t, 0).shape, [96]);
  }));

Deno.test("what is no slice is refused, with the dimension and the tensor", () =>
  withContext((ctx) => {
    const t = newTensor(ctx, lib.GGML_TYPE_F32, 4, 3);
    t.name = "a";
    const wrong: [unknown[], ErrorConstructor, string][] = [
      [[1, null, null], RangeError, "slice: dimension 0 (of 1)"],
      [[null, null, null, null, null], RangeError, "5 ranges for the 2 dimensions [3, 4]"],
      [[3], RangeError, `slice: dimension 0 (of 3) of tensor "a" of f32, ne=[4, 3, 1, 1]: there is no index 3`],
      [[-4], RangeError, "there is no index -4"],
      [[1.5], TypeError, "expected a whole number, got the number 1.5"],
      [["1"], TypeError, "expected an index"],
      [[[0, "2"]], TypeError, 'expected whole numbers, got the string "2"'],
      [[[Symbol("s"), 2]], TypeError, "expected whole numbers, got Symbol(s)"],
      [[[0, 2, 0]], RangeError, "a step of 0"],
      [[[0, 1, 2, 3]], TypeError, "expected an index"],
    ];
    for (const [ranges, error, message] of wrong) assertThrows(() => slice(t, ...ranges as Range[]), error, message);
    assertThrows(() => slice(new Float32Array(4) as never), TypeError, "slice: expected a tensor, got a Float32Array");
    assertThrows(() => copy([1, 2, 3], slice(t, 0)), RangeError, "slice of shape [4] of tensor");
    const gone = init({ memSize: 4096 });
    const freed = newTensor(gone, lib.GGML_TYPE_F32, 4), part = slice(freed, [0, 2]);
    lib.ggml_free(gone);
    assertThrows(() => slice(freed), Error, "slice: the owner of this ggml_tensor was freed");
    assertThrows(() => slice(part), Error, "slice: the owner of this ggml_tensor was freed");
    assertThrows(() => copy([1, 2], part), Error, "freed");
    assertThrows(() => view(part), Error, "freed");
    assert(Deno.inspect(part).length > 0);
  }));
