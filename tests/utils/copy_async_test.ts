/** copyAsync(): the same bits as copy(), on several threads, with the event loop free. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { copy, copyAsync, init, ndarray, quantize, view } from "@ggml/deno/utils";
import { bytesOf, newTensor, wave } from "../context.ts";

const ROWS = 200, COLUMNS = 1024;

Deno.test("it gives the bits that ggml_quantize_chunk gives for the whole, whatever the number of threads", async () => {
  using ctx = init();
  const numbers = wave(ROWS * COLUMNS), imatrix = wave(COLUMNS).map(Math.abs);
  for (const type of [lib.GGML_TYPE_Q4_K, lib.GGML_TYPE_Q8_0, lib.GGML_TYPE_F16, lib.GGML_TYPE_IQ3_S]) {
    for (const weights of [undefined, imatrix]) {
      const expected = new Uint8Array(lib.ggml_row_size(type, COLUMNS) * ROWS);
      lib.ggml_quantize_chunk(type, numbers, expected, 0, ROWS, COLUMNS, weights ?? null);
      for (const threads of [1, 2]) {
        using part = init({ memSize: 1 << 20 });
        const t = newTensor(part, type, COLUMNS, ROWS);
        await copyAsync(numbers, t, weights === undefined ? { threads } : { threads, imatrix: weights });
        assert(bytesOf(t).every((byte, i) => byte === expected[i]), `${lib.ggml_type_name(type)}, ${threads} threads`);
      }
    }
  }
  assert(ctx.address !== 0n);
});

Deno.test("every kind of copy is as copy's", async () => {
  using ctx = init({ memSize: 64 * 1024 * 1024 });
  const numbers = wave(ROWS * COLUMNS);
  const q = newTensor(ctx, lib.GGML_TYPE_Q4_K, COLUMNS, ROWS), single = newTensor(ctx, lib.GGML_TYPE_F32, COLUMNS, ROWS);
  const double = newTensor(ctx, lib.GGML_TYPE_F64, COLUMNS, ROWS), other = newTensor(ctx, lib.GGML_TYPE_Q5_0, ROWS - 8, COLUMNS);
  copy(numbers, q);
  copy(numbers, single);
  const part = lib.ggml_view_2d(ctx, single, COLUMNS, ROWS - 8, single.nb[1], 0);
  const cases = [
    [q, single],
    [q, double],
    [double, q],
    [lib.ggml_transpose(ctx, part), other], // gathered
    [q, ndarray(new Float32Array(numbers.length), [COLUMNS, ROWS]).transpose(1, 0)], // scattered
    [single, ndarray(new Float32Array(numbers.length), [COLUMNS, ROWS]).transpose(1, 0)], // moved
    [numbers, new Float16Array(numbers.length)],
    [numbers, numbers.subarray(0)],
  ] as const;
  for (const [from, to] of cases) {
    const memory = to instanceof lib.ggml_tensor ? bytesOf(to) : new Uint8Array(("data" in to ? to.data : to).buffer as ArrayBuffer);
    copy(from, to as never);
    const expected = memory.slice();
    memory.fill(0);
    copy(numbers, single);
    copy(numbers, q);
    copy(numbers, double);
    if (from === numbers) copy(wave(numbers.length), numbers);
    await copyAsync(from, to as never);
    assert(memory.every((byte, i) => byte === expected[i]), String(from));
  }
  // Overlapping: as if through a copy.
  copy(numbers, single);
  await copyAsync(single, new Float16Array(single.data!.bytes(numbers.length * 2).buffer as ArrayBuffer));
  const halves = new Float16Array(single.data!.bytes(numbers.length * 2).buffer as ArrayBuffer);
  assert(halves.every((half, i) => half === Math.f16round(numbers[i])));
});

Deno.test("the event loop turns meanwhile, progress is heard, and a signal ends it", async () => {
  using ctx = init({ memSize: 64 * 1024 * 1024 });
  const numbers = wave(1 << 20), t = newTensor(ctx, lib.GGML_TYPE_Q4_K, COLUMNS, 1024);
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const heard: number[] = [];
  await copyAsync(numbers, t, { onProgress: (done, total) => heard.push(done / total) });
  clearInterval(timer);
  assert(ticks > 3, `${ticks} ticks`);
  assert(heard.length > 3 && heard.at(-1) === 1 && heard.every((done, i) => done >= (heard[i - 1] ?? 0)), String(heard));
  const controller = new AbortController();
  const cancelled = copyAsync(numbers, t, { signal: controller.signal, onProgress: () => controller.abort() });
  await assertRejects(() => cancelled, DOMException, "aborted");
  await assertRejects(() => copyAsync(numbers, t, { signal: AbortSignal.abort(new Error("before")) }), Error, "before");
  const thrown = copyAsync(numbers, t, {
    onProgress: () => {
      throw new Error("mine");
    },
  });
  await assertRejects(() => thrown, Error, "mine");
  copy(numbers, t);
});

Deno.test("what is being copied can't be freed, and a transferred array is an error, not a crash", async () => {
  const ctx = init({ memSize: 8 * 1024 * 1024 });
  const numbers = wave(1 << 20), t = newTensor(ctx, lib.GGML_TYPE_Q4_K, COLUMNS, 1024);
  const done = copyAsync(numbers, t);
  assertThrows(() => lib.ggml_free(ctx), Error, "copyAsync is using it");
  await done;
  const target = new Float32Array(1 << 20);
  const moved = copyAsync(t, target);
  const elsewhere = target.buffer.transfer();
  await assertRejects(() => moved, Error, "transferred elsewhere");
  assertEquals(elsewhere.byteLength, 4 << 20);
  const source = wave(1 << 20);
  const read = copyAsync(source, t);
  source.buffer.transfer();
  await assertRejects(() => read, Error, "source's memory was transferred elsewhere");
  for (const type of [lib.GGML_TYPE_F32, lib.GGML_TYPE_Q6_K]) {
    const memory = new ArrayBuffer(32 << 20, { maxByteLength: 32 << 20 }), numbers = new Float32Array(memory);
    using large = init({ memSize: 33 << 20 });
    const shrinking = copyAsync(numbers, newTensor(large, type, numbers.length));
    memory.resize(16);
    await assertRejects(() => shrinking, Error, "source's memory was transferred elsewhere meanwhile, or shrank");
  }
  lib.ggml_free(ctx);
});

Deno.test("wrong options and data are refused, and nothing is left held", async () => {
  using ctx = init();
  const t = newTensor(ctx, lib.GGML_TYPE_F32, 4), numbers = new Float32Array(4);
  for (const threads of [0, -1, 1.5, NaN]) await assertRejects(() => copyAsync(numbers, t, { threads }), RangeError, "threads must be");
  await assertRejects(() => copyAsync(numbers, t, { threads: "2" as never }), TypeError, "threads must be");
  await assertRejects(() => copyAsync(numbers, t, { signal: {} as never }), TypeError, "signal must be");
  await assertRejects(() => copyAsync(numbers, t, { onProgress: 1 as never }), TypeError, "onProgress must be");
  await assertRejects(
    () => copyAsync(numbers, t, null as never),
    TypeError,
    "copyAsync: expected { allowRequantize, imatrix, threads, signal, onProgress, backend }, got null",
  );
  await assertRejects(
    () => copyAsync(numbers, t, { allowRequantize: 1 as never }),
    TypeError,
    "copyAsync: allowRequantize must be a boolean",
  );
  await assertRejects(() => copyAsync(new Float32Array(5), t), RangeError, "copyAsync: the shapes");
  const grid = newTensor(ctx, lib.GGML_TYPE_IQ3_S, 256);
  await assertRejects(() => copyAsync(new Float32Array(256).fill(NaN), grid), RangeError, "got NaN");
  await copyAsync([1, 2, 3, 4], t);
  assertEquals([...view(t).data], [1, 2, 3, 4]);
  await copyAsync([], newTensor(ctx, lib.GGML_TYPE_F32, 0));
});

Deno.test("many at once", async () => {
  using ctx = init({ memSize: 32 * 1024 * 1024 });
  const numbers = wave(1 << 16);
  const expected = quantize(numbers, lib.GGML_TYPE_Q6_K);
  const tensors = Array.from({ length: 20 }, () => newTensor(ctx, lib.GGML_TYPE_Q6_K, 1 << 16));
  await Promise.all(tensors.map((t) => copyAsync(numbers, t)));
  for (const t of tensors) assert(bytesOf(t).every((byte, i) => byte === expected[i]));
});
