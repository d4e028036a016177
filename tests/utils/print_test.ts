/** What console.log, `print` and `formatTensor` show of tensors and arrays. That numbers look as numpy's do is print_numpy_test.ts's. */

import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { copy, formatTensor, init, ndarray, print, slice, view } from "@ggml/deno/utils";
import { newTensor, ramp, wave, withContext } from "../context.ts";
import { program } from "../process.ts";

const text = (value: unknown) => Deno.inspect(value);

Deno.test("inspect: name, type, dimensions, and numbers in rows", () => {
  withContext((ctx) => {
    const a = newTensor(ctx, lib.GGML_TYPE_F32, 3, 2);
    copy(new Float32Array([0.1, 1, 2, 3, 4, -5.5]), a);
    assertEquals(text(a), "ggml_tensor f32 ne=[3, 2]:\n[[ 0.1  1.   2. ]\n [ 3.   4.  -5.5]]");
    lib.ggml_set_name(a, 'w "1"\n');
    assertEquals(text(a).split("\n")[0], 'ggml_tensor "w \\"1\\"\\n" f32 ne=[3, 2]:');
    assertEquals(text(lib.ggml_set_f32(newTensor(ctx, lib.GGML_TYPE_BF16, 2), 0.1)), "ggml_tensor bf16 ne=[2]: [0.10009766 0.10009766]");
    assertEquals(text(lib.ggml_set_i32(newTensor(ctx, lib.GGML_TYPE_I32, 1), -7)), "ggml_tensor i32 ne=[1]: [-7]");
    assertEquals(text(newTensor(ctx, lib.GGML_TYPE_F32, 0, 3)), "ggml_tensor f32 ne=[0, 3]: []");
  });
});

Deno.test("inspect: one line inside of objects and arrays", () => {
  withContext((ctx) => {
    const vector = newTensor(ctx, lib.GGML_TYPE_F32, 1000), matrix = newTensor(ctx, lib.GGML_TYPE_F32, 4, 4);
    copy(ramp(Float32Array, [1000]), vector);
    assertEquals(
      text({ vector, matrices: [matrix, matrix] }),
      `{
  vector: ggml_tensor f32 ne=[1000]: [  0.   1.   2. ... 997. 998. 999.],
  matrices: [ ggml_tensor f32 ne=[4, 4], ggml_tensor f32 ne=[4, 4] ]
}`,
    );
  });
});

Deno.test("inspect: of many numbers the first and last of each dimension, and no others are read", () => {
  withContext((ctx) => {
    const a = newTensor(ctx, lib.GGML_TYPE_F32, 1000, 1000, 2);
    copy(ramp(Float32Array, [2, 1000, 1000]), a);
    const shown = text(a);
    assertEquals(shown.match(/\.\.\./g)!.length, 2 * 7);
    assertMatch(shown, /^ggml_tensor f32 ne=\[1000, 1000, 2\]:\n\[\[\[0\.000e\+00 1\.000e\+00 2\.000e\+00 \.\.\. 9\.970e\+02/);
  }, 16 * 1024 * 1024);
  // A quadrillion elements, all in one place: whoever looked at more than the ends would look for weeks.
  withContext((ctx) => {
    const a = newTensor(ctx, lib.GGML_TYPE_F32, 8);
    copy(ramp(Float32Array, [8]), a);
    const huge = lib.ggml_view_2d(ctx, a, 4, 2, 16, 0);
    huge.ne = [4, 250_000_000_000_000, 1, 1];
    huge.nb = [4, 0, 0, 0];
    assertEquals(text(huge).match(/0\. 1\. 2\. 3\./g)!.length, 6);
  });
});

Deno.test("inspect: quantized tensors, whichever way they lie", () => {
  withContext((ctx) => {
    for (const type of [lib.GGML_TYPE_Q4_0, lib.GGML_TYPE_Q5_K, lib.GGML_TYPE_Q8_0]) {
      const a = newTensor(ctx, type, 512, 12);
      copy(wave(512 * 12), a);
      const { data } = view(a, { allowCopy: true });
      const rows = ndarray(data, [12, 512]);
      assertEquals(formatTensor(a), formatTensor(rows));
      assertEquals(formatTensor(lib.ggml_transpose(ctx, a), { threshold: 9 }), formatTensor(rows.transpose(1, 0), { threshold: 9 }));
      assertEquals(formatTensor(lib.ggml_transpose(ctx, a)), formatTensor(rows.transpose(1, 0)));
      const part = lib.ggml_view_2d(ctx, a, 256, 3, a.nb[1], a.nb[1] * 2);
      assertEquals(formatTensor(part), formatTensor(rows.lo(2, 0).hi(3, 256)));
      const many = newTensor(ctx, type, 256, 300);
      copy(wave(256 * 300), many);
      const columns = ndarray(view(many, { allowCopy: true }).data, [300, 256]).transpose(1, 0);
      assertEquals(formatTensor(lib.ggml_transpose(ctx, many)), formatTensor(columns));
      assertEquals(text(a).split("\n").slice(1).join("\n"), formatTensor(rows, { threshold: 1000 }));
    }
  });
});

Deno.test("inspect: permuted tensors, rows of every other element, and a reversed ndarray", () => {
  withContext((ctx) => {
    for (
      const [type, array] of [[lib.GGML_TYPE_F32, Float32Array], [lib.GGML_TYPE_F16, Float16Array], [
        lib.GGML_TYPE_I64,
        BigInt64Array,
      ]] as const
    ) {
      const a = newTensor(ctx, type, 5, 4, 3, 2);
      const numbers = ramp<Float32Array>(array as never, [2, 3, 4, 5]);
      copy(numbers as never, a);
      const permuted = lib.ggml_permute(ctx, a, 2, 0, 3, 1);
      assertEquals(formatTensor(permuted), formatTensor(view(permuted)));
      assertEquals(permuted.ne.length, 4);
      const odd = lib.ggml_view_1d(ctx, a, 3, 0);
      odd.nb = [2 * a.nb[0], 0, 0, 0];
      assertEquals(formatTensor(odd), "[0. 2. 4.]".replaceAll(".", type === lib.GGML_TYPE_I64 ? "" : "."));
    }
  });
  withContext((ctx) => {
    for (const type of [lib.GGML_TYPE_F32, lib.GGML_TYPE_Q8_0]) {
      const a = newTensor(ctx, type, 64, 5);
      copy(wave(320), a);
      const rows = ndarray(view(a, { allowCopy: true }).data, [5, 64]);
      assertEquals(formatTensor(slice(a, [null, null, -2], [32, 64])), formatTensor(rows.lo(0, 32).step(-2, 1)));
      assertEquals(formatTensor(slice(a, 3)), formatTensor(rows.pick(3, null)));
    }
    const one = lib.ggml_set_f32(newTensor(ctx, lib.GGML_TYPE_F32, 2), 7);
    assertEquals(formatTensor(slice(one, 1)), "7.");
  });
  assertEquals(formatTensor(ndarray(new Float32Array([1, 2, 3]), [3], [-1], 2)), "[3. 2. 1.]");
  assertEquals(formatTensor(ndarray(new Int8Array([7]), [])), "7");
  assertEquals(formatTensor(new Uint8Array([1, 20])), "[ 1 20]");
});

Deno.test("inspect: it never throws, and says what is wrong", () => {
  using ctx = init();
  const noMemory = init({ noAlloc: true });
  const a = newTensor(noMemory, lib.GGML_TYPE_F32, 1_000_000, 1000);
  assertEquals(text(a), "ggml_tensor f32 ne=[1000000, 1000]: no memory yet");
  assertEquals(text(newTensor(ctx, lib.GGML_TYPE_Q8_1, 32)), "ggml_tensor q8_1 ne=[32]: ggml has no conversion from q8_1 to f32");
  noMemory[Symbol.dispose]();
  assertMatch(text(a), /^ggml_tensor \{ 0x[0-9a-f]+, freed \}$/);
  assertMatch(text([a]), /^\[ ggml_tensor \{ 0x[0-9a-f]+, freed \} \]$/);
  const strange = newTensor(ctx, lib.GGML_TYPE_Q4_0, 32);
  strange.ne = [31, 1, 1, 1];
  assertStringIncludes(text(strange), "a row of 31 is not a multiple of q4_0's block of 32");
  assertEquals(text(lib.ggml_tensor.prototype), "ggml_tensor {}");
  assertMatch(text(lib.ggml_get_mem_buffer(ctx)), /^Pointer \{ 0x[0-9a-f]+ \}$/); // other handles stay as they are
});

Deno.test("inspect: a tensor whose backend buffer was freed is not read", () => {
  const ctx = init({ noAlloc: true });
  const a = newTensor(ctx, lib.GGML_TYPE_F32, 4);
  const backend = lib.ggml_backend_cpu_init()!;
  const buffer = lib.ggml_backend_alloc_ctx_tensors(ctx, backend)!;
  assertEquals(text(lib.ggml_set_f32(a, 2)), "ggml_tensor f32 ne=[4]: [2. 2. 2. 2.]");
  lib.ggml_backend_buffer_free(buffer);
  assertMatch(text(a), /freed/);
  lib.ggml_backend_free(backend);
});

Deno.test("print: the whole, however long, with --allow-ffi alone", async () => {
  const { code, stdout, stderr } = await program(`
    import { lib } from "@ggml/deno";
    import { init, print } from "@ggml/deno/utils";
    using ctx = init();
    const a = lib.ggml_set_f32(lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, 2, 2000), 0.1);
    console.log(a);
    print(a);
  `);
  assertEquals(code, 0, stderr);
  const lines = stdout.trimEnd().split("\n");
  assertEquals(lines.slice(0, 3), ["ggml_tensor f32 ne=[2, 2000]:", "[[0.1 0.1]", " [0.1 0.1]"]);
  assertEquals(lines[4], " ...");
  assertEquals(lines.length, 1 + 7 + 2000);
});

Deno.test("print and formatTensor: wrong arguments", () => {
  const a = new Float32Array(3);
  // deno-lint-ignore no-explicit-any
  const bad = (value: any, options?: any) => assertThrows(() => formatTensor(value, options), Error).toString();
  assertEquals(bad(null), "TypeError: formatTensor: expected a tensor, a slice, an ndarray or a typed array, got null");
  assertEquals(
    assertThrows(() => print([1] as never), TypeError).message,
    "print: expected a tensor, a slice, an ndarray or a typed array, got an array of 1",
  );
  assertMatch(bad(new DataView(new ArrayBuffer(8))), /^TypeError: formatTensor: expected a tensor/);
  assertEquals(bad(a, 5), "TypeError: formatTensor: expected { threshold, edgeItems, precision, lineWidth, dims }, got the number 5");
  assertEquals(bad(a, { precision: 1.5 }), "RangeError: formatTensor: precision must be a whole number from 0 to 17, got 1.5");
  assertEquals(bad(a, { edgeItems: 0 }), "RangeError: formatTensor: edgeItems must be a whole number from 1, got 0");
  assertEquals(bad(a, { threshold: "9" }), 'TypeError: formatTensor: threshold must be a number, got the string "9"');
  assertEquals(
    bad({ data: a, shape: [4], stride: [1], offset: 0 }),
    "RangeError: formatTensor: an ndarray of shape [4] reaches past its data of 3",
  );
  assertEquals(
    bad({ data: a, shape: [-3], stride: [1], offset: 0 }),
    "RangeError: formatTensor: an ndarray of shape [-3]: its shape, strides and offset must be whole numbers, and a stride for each dimension",
  );
  assertEquals(
    bad({ data: a, shape: [4], stride: [1], offset: 0 }, { dims: 2 }),
    "RangeError: formatTensor: an ndarray of shape [4] reaches past its data of 3",
  );
  const endless = { data: a, shape: [2 ** 40], stride: [0], offset: 0 };
  assertEquals(
    bad(endless),
    "RangeError: formatTensor: 1099511627776 numbers are too many for one text, of 16777216 at most: give a threshold",
  );
  assertEquals(formatTensor(endless as never, { threshold: 6, edgeItems: 1 }), "[0. ... 0.]");
  const gone = ndarray(new Float32Array(3));
  gone.data.buffer.transfer();
  assertEquals(bad(gone), "TypeError: formatTensor: an ndarray of shape [3]: its memory was transferred elsewhere, or shrank");
  assertEquals(bad(gone.data), "TypeError: formatTensor: an ndarray of shape [0]: its memory was transferred elsewhere, or shrank");
  const freed = init({ memSize: 4096 }), tensor = newTensor(freed, lib.GGML_TYPE_F32, 3);
  freed[Symbol.dispose]();
  assertMatch(bad(tensor), /^Error: formatTensor: the owner of this ggml_tensor was freed/);
  using ctx = init({ noAlloc: true });
  assertMatch(bad(newTensor(ctx, lib.GGML_TYPE_F32, 3)), /^Error: formatTensor: tensor of f32, ne=\[3, 1, 1, 1\] has no memory yet/);
  assertMatch(bad(newTensor(ctx, lib.GGML_TYPE_Q8_1, 32)), /^TypeError: formatTensor: ggml has no conversion from q8_1 to f32/);
});

Deno.test("a name has nothing in it that a terminal would obey", () =>
  withContext((ctx) => {
    const a = newTensor(ctx, lib.GGML_TYPE_F32, 2), b = lib.ggml_sqr(ctx, a), graph = lib.ggml_new_graph(ctx);
    a.name = "\x1b[31m\x9b31m\x7f";
    lib.ggml_build_forward_expand(graph, b);
    assertStringIncludes(text(a), String.raw`ggml_tensor "\u001b[31m\u009b31m\u007f" f32 ne=[2]`);
    const failed = assertThrows(() => copy(new Float32Array(3), a), RangeError).message;
    for (const shown of [text(a), text(graph), failed]) assert(!/[\p{Cc}]/u.test(shown.replaceAll("\n", "")), JSON.stringify(shown));
  }));
