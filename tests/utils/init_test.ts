/** init(): the context's memory, its end, and what happens to what outlives it. */

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { computeAsync, copy, init, type NdArray, view } from "@ggml/deno/utils";
import { program } from "../process.ts";

Deno.test("a context's memory is as large as asked, 16 MiB by default, or one's own", () => {
  using a = init({ memSize: 4096 });
  assertEquals(lib.ggml_get_mem_size(a), 4096);
  using b = init();
  assertEquals(lib.ggml_get_mem_size(b), 16 * 1024 * 1024);
  const memBuffer = new ArrayBuffer(8192);
  using c = init({ memBuffer });
  const t = lib.ggml_new_tensor_1d(c, lib.GGML_TYPE_F32, 4);
  copy(new Float32Array([1, 2, 3, 4]), t);
  assert(view(t).data.buffer === memBuffer);
  using d = init({ memSize: 4096, noAlloc: true });
  assertEquals(lib.ggml_new_tensor_1d(d, lib.GGML_TYPE_F32, 4).data, null);
});

Deno.test("wrong options are refused", () => {
  const transferred = new ArrayBuffer(1024);
  transferred.transfer();
  const cases: [unknown, typeof TypeError | typeof RangeError, string][] = [
    [{ memSize: -1 }, RangeError, "init: memSize must be a positive whole number of bytes, got -1"],
    [{ memSize: 1.5 }, RangeError, "got 1.5"],
    [{ memSize: 0 }, RangeError, "got 0"],
    [{ memSize: NaN }, RangeError, "got NaN"],
    [{ memSize: 2 ** 52 }, RangeError, "init: no memory for memSize 4503599627370496"],
    [{ memSize: 2 ** 60 }, RangeError, "init: no memory for memSize 1152921504606847000"],
    [{ memSize: "1" }, TypeError, `got the string "1"`],
    [{ memSize: 1024, memBuffer: new ArrayBuffer(1024) }, TypeError, "not both"],
    [{ memBuffer: [1] }, TypeError, "init: memBuffer must be an ArrayBuffer or a Uint8Array"],
    [{ memBuffer: new Uint8Array(1024).subarray(1) }, RangeError, "multiple of 16"],
    [{ memBuffer: new SharedArrayBuffer(1024) }, TypeError, "got a SharedArrayBuffer"],
    [{ memBuffer: new Uint8Array(new SharedArrayBuffer(1024)) }, TypeError, "got a Uint8Array of 1024 in shared memory"],
    [{ memBuffer: new ArrayBuffer(1024, { maxByteLength: 2048 }) }, TypeError, "init: memBuffer must not be resizable"],
    [{ memBuffer: transferred }, TypeError, "init: memBuffer was transferred elsewhere"],
    [{ memBuffer: new Uint8Array(0) }, RangeError, "init: memBuffer is empty"],
    [{ memSize: 1024, noAlloc: 1 }, TypeError, "init: noAlloc must be a boolean, got the number 1"],
    [null, TypeError, "init: expected { memSize, memBuffer, noAlloc }, got null"],
  ];
  for (const [options, type, message] of cases) assertThrows(() => init(options as never), type, message);
});

Deno.test("a context over the memory of another ends its use, unless something computes with that", async () => {
  const memBuffer = new ArrayBuffer(1 << 18), first = init({ memBuffer });
  const a = lib.ggml_set_f32(lib.ggml_new_tensor_2d(first, lib.GGML_TYPE_F32, 64, 64), 1), graph = lib.ggml_new_graph(first);
  lib.ggml_build_forward_expand(graph, lib.ggml_sqr(first, a));
  const computed = computeAsync(graph), part = new Uint8Array(memBuffer, 1 << 17);
  assertThrows(
    () => init({ memBuffer: part }),
    Error,
    "init: the ggml_context that works in mem_buffer can't end now: computeAsync is using it",
  );
  await computed;
  using second = init({ memBuffer: part }), beside = init({ memBuffer: new Uint8Array(memBuffer, 0, 1 << 17) });
  const error = assertThrows(() => a.ne, Error, "its ggml_context was left without its memory: another ggml_context was made there");
  assertMatch((error.cause as Error).stack!, /init_test/);
  assertEquals([second, beside].map((ctx) => lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4).ne[0]), [4, 4]);
  first[Symbol.dispose]();
});

Deno.test("using frees at once, twice is harmless, and what was freed says so", () => {
  let t: lib.ggml_tensor, numbers: NdArray, kept: lib.ggml_context;
  {
    using ctx = init({ memSize: 4096 });
    kept = ctx;
    t = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4);
    copy(new Float32Array([1, 2, 3, 4]), t);
    numbers = view(t);
  }
  assertThrows(() => lib.ggml_new_tensor_1d(kept, lib.GGML_TYPE_F32, 4), Error, "ggml_new_tensor_1d(ctx): this ggml_context was freed");
  assertThrows(() => lib.ggml_nelements(t), Error, "ggml_nelements(tensor): the owner of this ggml_tensor was freed");
  assertThrows(() => t.ne, Error, "freed");
  assertThrows(() => view(t), Error, "freed");
  assertThrows(() => copy(new Float32Array(4), t), Error, "freed");
  assertThrows(() => t.pointer, Error, "freed");
  kept[Symbol.dispose]();
  assertThrows(() => lib.ggml_free(kept), Error, "freed"); // C's own name for it is as strict as C
  assertEquals([...numbers.data], [1, 2, 3, 4]); // a view holds the memory itself
});

Deno.test("ggml_free ends what init began", () => {
  const ctx = init({ memSize: 4096 });
  lib.ggml_free(ctx);
  assertThrows(() => lib.ggml_used_mem(ctx), Error, "freed");
  ctx[Symbol.dispose]();
});

Deno.test("contexts that nobody holds are collected, with their memory, and views outlive them", async () => {
  const { code, stdout, stderr } = await program(
    `import { lib } from "@ggml/deno";
    import { copy, init, view } from "@ggml/deno/utils";
    function make(i: number) {
      const ctx = init({ memSize: 8 << 20 });
      const t = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 1 << 20);
      copy(new Float32Array(1 << 20).fill(i), t);
      return view(t);
    }
    let last;
    for (let i = 0; i < 800; i++) {
      last = make(i);
      if (i % 10 === 9) await new Promise((resolve) => setTimeout(resolve));
    }
    console.log(last!.get(12345), Deno.memoryUsage().rss < 3e9 ? "bounded" : Deno.memoryUsage().rss);`,
  );
  assertEquals(code, 0, stderr);
  assertEquals(stdout.trim(), "799 bounded"); // of 6.7e9 bytes
});

Deno.test("a tensor keeps the contexts alive that it was made from", async () => {
  const { code, stdout, stderr } = await program(
    `import { lib } from "@ggml/deno";
    import { copy, init, view } from "@ggml/deno/utils";
    function weights() {
      const t = lib.ggml_new_tensor_1d(init({ memSize: 1 << 20 }), lib.GGML_TYPE_F32, 4);
      copy(new Float32Array([1, 2, 3, 4]), t);
      return t;
    }
    function sum() {
      const ctx = init({ memSize: 1 << 20 });
      return [ctx, lib.ggml_add(ctx, weights(), weights())] as const;
    }
    const [ctx, result] = sum();
    for (let i = 0; i < 20; i++) {
      init({ memSize: 1 << 20 });
      (globalThis as any).gc();
      await new Promise((resolve) => setTimeout(resolve));
    }
    const graph = lib.ggml_new_graph(ctx);
    lib.ggml_build_forward_expand(graph, result);
    lib.ggml_graph_compute_with_ctx(ctx, graph, 1);
    console.log(view(result).data.join());`,
    ["--allow-ffi", "--v8-flags=--expose-gc"],
  );
  assertEquals(code, 0, stderr);
  assertEquals(stdout.trim(), "2,4,6,8");
});

Deno.test("memory that C keeps a pointer to is kept", async () => {
  const path = await Deno.makeTempFile({ suffix: ".gguf" });
  try {
    const { code, stderr } = await program(
      `import { lib } from "@ggml/deno";
      import { init } from "@ggml/deno/utils";
      const n = 1 << 20;
      const gguf = lib.gguf_init_empty();
      {
        const t = lib.ggml_new_tensor_1d(init({ noAlloc: true }), lib.GGML_TYPE_F32, n);
        t.name = "t";
        lib.gguf_add_tensor(gguf, t);
        lib.gguf_set_tensor_data(gguf, "t", new Float32Array(n).fill(1.5));
      }
      for (let i = 0; i < 20; i++) {
        new Float32Array(n).fill(i);
        (globalThis as any).gc();
        await new Promise((resolve) => setTimeout(resolve));
      }
      lib.gguf_write_to_file(gguf, ${JSON.stringify(path)}, false);`,
      ["--allow-ffi", "--v8-flags=--expose-gc"],
    );
    assertEquals(code, 0, stderr);
    const written = (await Deno.readFile(path)).slice(-(4 << 20));
    assertEquals(new Set(new Float32Array(written.buffer)), new Set([1.5]));
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("a tensor in a backend's memory is read and written", () => {
  using ctx = init({ memSize: 4096, noAlloc: true });
  using cpu = lib.ggml_backend_cpu_init()!;
  const t = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4);
  using buffer = lib.ggml_backend_alloc_ctx_tensors(ctx, cpu)!;
  assertEquals(lib.ggml_backend_buffer_is_host(buffer), true);
  copy(new Float32Array([1, 2, 3, 4]), t);
  assertEquals([...view(t).data], [1, 2, 3, 4]);
});

/** The resident memory in MiB after a context of 512 MiB that was written came and went. */
function residentAfter(use: (ctx: lib.ggml_context, tensor: lib.ggml_tensor) => void): number {
  const before = Deno.memoryUsage().rss;
  {
    using ctx = init({ memSize: 1 << 29 });
    const tensor = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 1 << 26);
    lib.ggml_set_f32(tensor, 1);
    use(ctx, tensor);
  }
  return (Deno.memoryUsage().rss - before) / 2 ** 20;
}

Deno.test("using gives a context's memory back at once, unless a view of it was handed out", () => {
  assert(residentAfter(() => {}) < 50);
  assert(residentAfter((ctx) => lib.ggml_reset(ctx)) < 50);
  let numbers: Float32Array = new Float32Array(0);
  assert(residentAfter((_, tensor) => numbers = view(tensor).data) > 200);
  assertEquals(numbers[numbers.length - 1], 1);
});

Deno.test("memory that nobody wrote is not resident", () => {
  const before = Deno.memoryUsage().rss;
  using _ctx = init({ memSize: 1 << 30 });
  assert((Deno.memoryUsage().rss - before) / 2 ** 20 < 50);
});

Deno.test("C keeps memory whose buffer was transferred elsewhere, and so does who has it now", () => {
  let clone: ArrayBuffer;
  {
    using ctx = init({ memSize: 4096 });
    const tensor = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4);
    const buffer = view(tensor).data.buffer as ArrayBuffer;
    clone = structuredClone(buffer, { transfer: [buffer] });
    assertEquals(lib.ggml_nelements(tensor), 4);
    assertThrows(() => tensor.ne, TypeError, "detached");
  }
  new Uint8Array(clone).fill(1);
  for (let i = 0; i < 100; i++) init({ memSize: 4096 }).owner.memory?.free();
  assert(new Uint8Array(clone).every((byte) => byte === 1));
});

Deno.test("a library that may not be loaded, or isn't there, is no lack of memory", async () => {
  const text = `import { init } from "@ggml/deno/utils"; init({ memSize: 4096 });`;
  const refused = await program(text, []);
  assertMatch(refused.stderr, /NotCapable: Requires ffi access .* --allow-ffi/);
  const lost = await program(text, ["--allow-ffi", "--allow-env=GGML_LIBRARY"], { GGML_LIBRARY: "no/such/folder" });
  assertMatch(lost.stderr, /no ggml library at .*no\/such\/folder/);
  for (const { stderr } of [refused, lost]) assert(!stderr.includes("no memory"), stderr);
});
