/**
 * Numbers to and from a device whose memory is not the host's.
 *
 * What is on the device is compared with the same copy between tensors in a context's memory.
 */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { copy, copyAsync, init, ndarray, slice, view } from "@ggml/deno/utils";
import { bytesOf, bytesThere, newTensor, sameBytes, TYPES, wave } from "../context.ts";
import { device } from "./find.ts";
import { Random } from "../random.ts";

/** Runs a test with a context whose tensors are on the device, once `allocate` was called, and one whose tensors are not. */
async function onDevice(
  test: (there: lib.ggml_context, here: lib.ggml_context, allocate: () => void) => void | Promise<void>,
): Promise<void> {
  const backend = lib.ggml_backend_dev_init(device, null)!;
  using there = init({ noAlloc: true });
  using here = init({ memSize: 256 * 1024 * 1024 });
  let buffer: lib.ggml_backend_buffer | null = null;
  await test(there, here, () => buffer = lib.ggml_backend_alloc_ctx_tensors(there, backend));
  if (buffer !== null) lib.ggml_backend_buffer_free(buffer);
  lib.ggml_backend_free(backend);
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test(name, fn);
}

test("every type goes to the device and back, converted", () =>
  onDevice((there, here, allocate) => {
    const types = TYPES.filter((type) => type === lib.GGML_TYPE_F32 || lib.ggml_get_type_traits(type).to_float !== null);
    const tensors = types.map((type) => newTensor(there, type, 512, 3));
    allocate();
    const imatrix = new Float32Array(512).fill(1);
    for (const tensor of tensors) {
      const name = lib.ggml_type_name(tensor.type)!;
      const expected = newTensor(here, tensor.type, 512, 3);
      copy(wave(512 * 3), expected, { imatrix });
      copy(wave(512 * 3), tensor, { imatrix });
      sameBytes(bytesThere(tensor), bytesOf(expected), name);
      const back = new Float32Array(512 * 3), wanted = new Float32Array(512 * 3);
      copy(tensor, back);
      copy(expected, wanted);
      assertEquals(back, wanted, name);
      assertEquals(view(tensor, { allowCopy: true }).shape, [3, 512]);
    }
  }));

test("a view says why it can't be one", () =>
  onDevice((there, _here, allocate) => {
    const t = newTensor(there, lib.GGML_TYPE_F32, 4);
    allocate();
    copy([1, 2, 3, 4], t);
    assertThrows(() => view(t), Error, "is in a device's memory that the CPU can't address: pass { allowCopy: true } for a copy");
    assertEquals([...view(t, { allowCopy: true }).data], [1, 2, 3, 4]);
    assertEquals([...view(slice(t, [1, 3]), { allowCopy: true }).data], [2, 3]);
  }));

test("300 random layouts: transposed, permuted, padded, slices, on either side, now and later", () =>
  onDevice(async (there, here, allocate) => {
    const whole = [newTensor(there, lib.GGML_TYPE_F32, 7, 6, 5, 4), newTensor(there, lib.GGML_TYPE_F16, 7, 6, 5, 4)];
    const orders = [[0, 1, 2, 3], [1, 0, 2, 3], [2, 0, 1, 3], [3, 2, 1, 0]];
    const permuted = whole.flatMap((tensor) =>
      orders.map((order) => lib.ggml_permute(there, tensor, order[0], order[1], order[2], order[3]))
    );
    allocate();
    const random = new Random(8);
    const plain = whole.map(({ type }) => newTensor(here, type, 7, 6, 5, 4));
    const twins = plain.flatMap((tensor) => orders.map((order) => lib.ggml_permute(here, tensor, order[0], order[1], order[2], order[3])));
    for (let i = 0; i < 300; i++) {
      whole.forEach((tensor, k) => [tensor, plain[k]].forEach((t) => copy(wave(840), t)));
      const which = random.below(permuted.length);
      const { ne } = permuted[which];
      const ranges = ne.toReversed().map((n): [number, number, number] => {
        const begin = random.below(n), step = 1 + random.below(2);
        return random.percent(20) ? [n - 1, -n - 1, -step] : [begin, begin + 1 + random.below(n - begin), step];
      });
      const part = slice(permuted[which], ...ranges), twin = slice(twins[which], ...ranges);
      const copyNow = random.percent(50) ? copy : copyAsync;
      const out = ndarray(new Float32Array(part.shape.reduce((a, b) => a * b)), part.shape);
      await copyNow(part, out);
      assertEquals(out.data, view(twin, { allowCopy: out }).data.slice(), `${i}: read [${part.shape}] of ${orders[which % 4]}`);
      const numbers = ndarray(wave(out.size + 3).subarray(3), part.shape);
      await copyNow(numbers, part);
      copy(numbers, twin);
      whole.forEach((tensor, k) =>
        sameBytes(bytesThere(tensor), bytesOf(plain[k]), `${i}: written [${part.shape}] of ${orders[which % 4]}`)
      );
    }
  }));

test("from tensor to tensor: on one device, between devices, and by way of floats", () =>
  onDevice(async (there, here, allocate) => {
    const a = newTensor(there, lib.GGML_TYPE_F32, 256, 4), b = newTensor(there, lib.GGML_TYPE_F32, 256, 4);
    const q = newTensor(there, lib.GGML_TYPE_Q4_K, 256, 4), across = newTensor(there, lib.GGML_TYPE_F32, 4, 256);
    allocate();
    const cpu = lib.ggml_backend_cpu_init()!;
    using onCpu = init({ noAlloc: true });
    const c = newTensor(onCpu, lib.GGML_TYPE_F32, 256, 4);
    const buffer = lib.ggml_backend_alloc_ctx_tensors(onCpu, cpu)!;
    const expected = newTensor(here, lib.GGML_TYPE_Q4_K, 256, 4);
    copy(wave(1024), expected);
    for (const run of [copy, copyAsync]) {
      await run(wave(1024), a);
      await run(a, b);
      sameBytes(bytesThere(b), new Uint8Array(wave(1024).buffer), "device to device");
      await run(b, c);
      assertEquals([...view(c).data], [...wave(1024)]);
      await run(c, q);
      sameBytes(bytesThere(q), bytesOf(expected), "CPU backend to device, quantized");
      await run(a, lib.ggml_transpose(there, across));
      assertEquals(view(across, { allowCopy: true }).get(7, 2), wave(1024)[2 * 256 + 7]);
      await run(q, a);
      assertEquals(view(a, { allowCopy: true }).data, view(expected, { allowCopy: true }).data);
    }
    lib.ggml_backend_buffer_free(buffer);
    lib.ggml_backend_free(cpu);
  }));

test("more than one piece: 40 MiB, whole, transposed and as columns", () =>
  onDevice(async (there, here, allocate) => {
    const rows = 2560, columns = 4096;
    const t = newTensor(there, lib.GGML_TYPE_F32, columns, rows);
    const column = lib.ggml_view_2d(there, t, 5, rows, t.nb[1], 32), transposed = lib.ggml_transpose(there, t);
    allocate();
    const numbers = wave(rows * columns), plain = newTensor(here, lib.GGML_TYPE_F32, columns, rows);
    for (const run of [copy, copyAsync]) {
      await run(ndarray(numbers, [columns, rows]), transposed);
      copy(ndarray(numbers, [columns, rows]), lib.ggml_transpose(here, plain));
      sameBytes(bytesThere(t), bytesOf(plain), "transposed");
      await run(numbers, t);
      sameBytes(bytesThere(t), new Uint8Array(numbers.buffer), "whole");
      const halves = ndarray(new Float16Array(rows * 5), [rows, 5]);
      await run(column, halves);
      assertEquals(halves.get(2000, 3), Math.f16round(numbers[2000 * columns + 8 + 3]));
      await run(ndarray(new Float32Array(rows * 5).fill(7), [rows, 5]), column);
      numbers.forEach((_, i) => i % columns >= 8 && i % columns < 13 ? numbers[i] = 7 : 0);
      sameBytes(bytesThere(t), new Uint8Array(numbers.buffer), "columns");
      copy(wave(rows * columns), numbers);
    }
  }));

test("a transposed quantized tensor", () =>
  onDevice(async (there, here, allocate) => {
    const q = newTensor(there, lib.GGML_TYPE_Q4_0, 64, 512), twin = newTensor(here, lib.GGML_TYPE_Q4_0, 64, 512);
    const across = lib.ggml_transpose(there, q);
    allocate();
    const numbers = ndarray(wave(64 * 512), [64, 512]);
    for (const run of [copy, copyAsync]) {
      await run(numbers, across);
      copy(numbers, lib.ggml_transpose(here, twin));
      sameBytes(bytesThere(q), bytesOf(twin), "written");
      const out = new Float32Array(64 * 512);
      await run(across, out);
      assertEquals(out, view(lib.ggml_transpose(here, twin), { allowCopy: true }).data);
    }
  }));

test("through the backend's queue", () =>
  onDevice(async (there, _here, allocate) => {
    const t = newTensor(there, lib.GGML_TYPE_F16, 64, 64), part = lib.ggml_view_2d(there, t, 20, 50, t.nb[1], 8);
    allocate();
    const backend = lib.ggml_backend_dev_init(device, null)!, cpu = lib.ggml_backend_cpu_init()!;
    const numbers = ndarray(wave(1000), [50, 20]), back = ndarray(new Float16Array(1000), [50, 20]);
    await Promise.all([copyAsync(new Float32Array(4096), t, { backend }), copyAsync(numbers, part, { backend })]);
    await copyAsync(part, back, { backend });
    assertEquals(back.data, Float16Array.from(wave(1000)));
    await assertRejects(() => copyAsync(numbers, part, { backend: cpu }), Error, "is not in the memory of the backend CPU");
    await assertRejects(
      () => copyAsync(numbers, part, { backend: 1 as never }),
      TypeError,
      "backend must be a ggml_backend, got the number 1",
    );
    lib.ggml_backend_free(cpu);
    lib.ggml_backend_free(backend);
    await assertRejects(() => copyAsync(numbers, part, { backend }), Error, "was freed");
  }));
