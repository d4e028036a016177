/**
 * Copies of several pieces, which go through memory that the device reads and writes by itself: the same numbers as by C's own calls.
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { lib } from "@ggml/deno";
import { copy, copyAsync, devices, init, slice, toArray } from "@ggml/deno/utils";
import { pinnedFor } from "../../utils/copying/pinned.ts";
import { bytesThere, newTensor, sameBytes } from "../context.ts";
import { device } from "./find.ts";

/** 48 MiB of F32: three pieces. */
const ROWS = 3072, COLUMNS = 4096;

const backend = lib.ggml_backend_dev_init(device, null)!;

function allocated(...types: lib.ggml_type[]): lib.ggml_tensor[] {
  const ctx = init({ noAlloc: true }), tensors = types.map((type) => newTensor(ctx, type, COLUMNS, ROWS));
  assert(lib.ggml_backend_alloc_ctx_tensors(ctx, backend) !== null);
  return tensors;
}

const numbers = Float32Array.from({ length: ROWS * COLUMNS }, (_, i) => (i * 7919) % 65521 / 65521 - 0.5);

const ways = {
  copy: (from: unknown, to: unknown) => Promise.resolve(copy(from as never, to as never)),
  copyAsync: (from: unknown, to: unknown) => copyAsync(from as never, to as never),
} as const;

for (const [name, way] of Object.entries(ways)) {
  Deno.test(`${name} goes through pinned memory in both directions, converted or not`, async () => {
    for (const type of [lib.GGML_TYPE_F32, lib.GGML_TYPE_F16, lib.GGML_TYPE_Q8_0]) {
      const [there] = allocated(type), here = newTensor(init({ memSize: 128 << 20 }), type, COLUMNS, ROWS);
      const props = new lib.ggml_backend_dev_props();
      lib.ggml_backend_dev_get_props(device, props);
      assertEquals(pinnedFor(there) !== null, props.caps.async && props.caps.host_buffer);
      await way(numbers, there);
      copy(numbers, here);
      const expected = new Uint8Array(lib.ggml_nbytes(here));
      expected.set(new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(here.data!.address)!, expected.length)));
      sameBytes(bytesThere(there), expected, lib.ggml_type_name(type)!);
      const back = new Float32Array(numbers.length), wanted = new Float32Array(numbers.length);
      await way(there, back);
      copy(here, wanted);
      sameBytes(new Uint8Array(back.buffer), new Uint8Array(wanted.buffer), `${lib.ggml_type_name(type)} and back`);
    }
  });

  Deno.test(`${name} goes through pinned memory where elements are scattered`, async () => {
    const [there] = allocated(lib.GGML_TYPE_F32);
    await way(new Float32Array(numbers.length), there);
    const part = numbers.subarray(0, ROWS * COLUMNS / 4);
    await way(part, slice(there, [0, ROWS], [1, COLUMNS, 4])); // of each row, every fourth from the second on
    const wanted = new Float32Array(numbers.length);
    for (let i = 0; i < part.length; i++) wanted[4 * i + 1] = part[i];
    sameBytes(bytesThere(there), new Uint8Array(wanted.buffer), "written");
    const back = new Float32Array(part.length);
    await way(slice(there, [0, ROWS], [1, COLUMNS, 4]), back);
    assert(back.every((value, i) => value === part[i]), "read");
  });
}

Deno.test("copies at the same time, now and later, don't disturb each other", async () => {
  const [a, b] = allocated(lib.GGML_TYPE_F32, lib.GGML_TYPE_F32), half = numbers.map((value) => value / 2);
  const later = copyAsync(numbers, a);
  await new Promise((resolve) => setTimeout(resolve, 5));
  copy(half, b);
  await later;
  sameBytes(bytesThere(a), new Uint8Array(numbers.buffer), "later");
  sameBytes(bytesThere(b), new Uint8Array(half.buffer), "now");
});

Deno.test("a copy that is cancelled leaves the memory to others", async () => {
  const [a] = allocated(lib.GGML_TYPE_F32), controller = new AbortController();
  const onProgress = () => controller.abort();
  await assertRejects(() => copyAsync(numbers, a, { signal: controller.signal, onProgress }), DOMException);
  assert(pinnedFor(a)?.busy !== true);
  copy(numbers, a);
  sameBytes(bytesThere(a), new Uint8Array(numbers.buffer), "after that");
});

Deno.test("more memory than the device has is an Error or a null, and the device goes on", () => {
  const { memory } = devices().find(({ host }) => !host)!, type = lib.ggml_backend_dev_buffer_type(device);
  let got: unknown = null;
  try {
    got = lib.ggml_backend_buft_alloc_buffer(type, memory.total * 64 + 2 ** 44);
  } catch (error) {
    assert(error instanceof Error);
  }
  assertEquals(got, null);
  const [a] = allocated(lib.GGML_TYPE_F32);
  copy(numbers, a);
  assertEquals(toArray(slice(a, 0, [0, 3])), numbers.slice(0, 3));
});
