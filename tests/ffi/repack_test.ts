/** Buffers of CPU_REPACK and AMX, which take whole tensors and give none back: whatever else is asked of them is an Error that says so. */

import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { compute, computeAsync, copy, copyAsync, devices, init, print, toArray, toSvg, view, writeGguf } from "@ggml/deno/utils";
import { bytesOf, graphOf, newTensor, wave } from "../context.ts";

/** The kinds of buffers that this processor lays weights out anew in. */
function repackTypes(): lib.ggml_backend_buffer_type[] {
  const cpu = devices().find(({ type }) => type === "cpu")?.device;
  if (cpu === undefined) return [];
  const address = lib.ggml_backend_reg_get_proc_address(lib.ggml_backend_dev_backend_reg(cpu)!, "ggml_backend_dev_get_extra_bufts");
  if (address === null) return [];
  const list = new Deno.UnsafeFnPointer(address.pointer as Deno.PointerObject<never>, { parameters: ["pointer"], result: "pointer" })
    .call(cpu.pointer);
  const types: lib.ggml_backend_buffer_type[] = [];
  for (let i = 0; list !== null; i++) {
    const type = lib.ggml_backend_buffer_type.from(new Deno.UnsafePointerView(list).getBigUint64(8 * i));
    if (type === null) break;
    types.push(type);
  }
  return types;
}

const types = repackTypes();
if (types.length === 0) console.warn("SKIPPED buffers like CPU_REPACK: this processor has none");

for (const type of types) {
  const kind = lib.ggml_backend_buft_name(type);
  const why = `is in a buffer of ${kind}, which takes whole tensors of quantized weights and gives none back`;

  Deno.test(`a tensor in a buffer of ${kind} is filled as a whole, and all else is an Error that says why`, async () => {
    const ctx = lib.ggml_init(new lib.ggml_init_params({ mem_size: 1 << 20, no_alloc: true }));
    const weights = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_Q4_0, 256, 64),
      floats = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, 64, 64);
    const row = lib.ggml_view_2d(ctx, weights, 256, 1, weights.nb[1], 5 * weights.nb[1]);
    using _buffer = lib.ggml_backend_alloc_ctx_tensors_from_buft(ctx, type)!;
    copy(new Float32Array(256 * 64).fill(0.5), weights);
    const bytes = new Uint8Array(18);
    const calls = [
      () => copy(weights, new Float32Array(256 * 64)),
      () => print(weights),
      () => view(floats, { allowCopy: true }),
      () => lib.ggml_backend_tensor_get(weights, bytes, 0, 18),
      () => lib.ggml_backend_tensor_set(weights, bytes, 0, 18),
    ];
    for (const call of calls) assertStringIncludes(assertThrows(call, Error).message, why);
    assertStringIncludes((await assertRejects(() => copyAsync(weights, new Float32Array(256 * 64)), Error)).message, why);
    assertStringIncludes(assertThrows(() => copy(new Float32Array(256), row), Error).message, kind === "AMX" ? "rows 16 at a time" : why);
    // AMX takes numbers that it doesn't multiply by as they are.
    const write = () => copy(new Float32Array(64 * 64), floats), writeAsync = () => copyAsync(new Float32Array(64 * 64), floats);
    if (kind === "AMX") write(), await writeAsync();
    else for (const each of [write, writeAsync]) assertStringIncludes((await assertRejects(async () => await each(), Error)).message, why);
    assertStringIncludes(Deno.inspect(weights), why); // what console.log shows never throws
    assertStringIncludes((await assertRejects(() => toSvg(weights), Error)).message, kind);
  });

  Deno.test(`${kind}: a file that C fails to write such a tensor to is said to be half written; writeGguf keeps the old one`, async () => {
    using ctx = init({ noAlloc: true });
    const weights = lib.ggml_set_name(lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_Q4_0, 64, 64), "weights");
    using _buffer = lib.ggml_backend_alloc_ctx_tensors_from_buft(ctx, type)!;
    using gguf = lib.gguf_init_empty()!;
    lib.gguf_set_val_u32(gguf, "key", 1);
    lib.gguf_add_tensor(gguf, weights);
    const folder = Deno.makeTempDirSync(), path = `${folder}/old.gguf`;
    try {
      Deno.writeTextFileSync(path, "old");
      await assertRejects(() => writeGguf(path, { metadata: { key: 1 }, tensors: [weights] }), Error, kind);
      assertEquals([Deno.readTextFileSync(path), [...Deno.readDirSync(folder)].length], ["old", 1]);
      assertThrows(
        () => lib.gguf_write_to_file(gguf, path, false),
        Error,
        "the file has what was written by then, and lost what it had",
      );
      assertEquals(Deno.readTextFileSync(path) === "old", false);
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  });
}

const amx = types.find((type) => lib.ggml_backend_buft_name(type) === "AMX"),
  repack = types.find((type) => lib.ggml_backend_buft_name(type) === "CPU_REPACK");

Deno.test({
  name: "a fault on a thread that has used AMX is an Error: all that the processor keeps for such a thread fills Rust's stack for signals",
  ignore: amx === undefined || repack === undefined,
  fn: async () => {
    using ctx = init();
    using placed = init({ noAlloc: true });
    using wrong = init({ noAlloc: true });
    const weights = lib.ggml_new_tensor_2d(placed, lib.GGML_TYPE_Q4_0, 256, 64),
      bad = lib.ggml_new_tensor_2d(wrong, lib.GGML_TYPE_Q5_1, 32, 8);
    using _weights = lib.ggml_backend_alloc_ctx_tensors_from_buft(placed, amx!)!;
    using _bad = lib.ggml_backend_alloc_ctx_tensors_from_buft(wrong, repack!)!; // which has no layout for it, and no look whether it has
    copy(new Float32Array(256 * 64).fill(0.5), weights);
    const floats = () => lib.ggml_set_f32(lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, 256, 64), 1);
    const graphs = Array.from({ length: 4 }, () => graphOf(ctx, lib.ggml_mul_mat(ctx, weights, floats())));
    const bytes = new Uint8Array(lib.ggml_nbytes(bad));
    compute(graphs[0]);
    assertThrows(() => lib.ggml_backend_tensor_set(bad, bytes, 0, bytes.length), Error, "C used a null pointer");
    for (let i = 0; i < 5; i++) {
      await Promise.all(graphs.map((graph) => computeAsync(graph)));
      const failures = await Promise.allSettled(graphs.map(() => lib.async.ggml_backend_tensor_set(bad, bytes, 0, bytes.length)));
      assertStringIncludes(String(failures.find(({ status }) => status === "rejected")?.["reason" as never]), "C used a null pointer");
    }
    assertEquals(Math.round(view(lib.ggml_graph_node(graphs[3], 0)).get(0, 0)), 128);
  },
});

/** A matrix or several of a type, in a buffer of that kind and as they are, with the same numbers. */
function twice(kind: lib.ggml_backend_buffer_type, type: lib.ggml_type, ...ne: number[]) {
  const placed = init({ noAlloc: true }), ctx = init();
  const anew = newTensor(placed, type, ...ne), plain = newTensor(ctx, type, ...ne);
  const buffer = lib.ggml_backend_alloc_ctx_tensors_from_buft(placed, kind)!;
  copy(wave(lib.ggml_nelements(plain)), plain);
  lib.ggml_backend_tensor_set(anew, bytesOf(plain), 0, lib.ggml_nbytes(plain));
  return { anew, plain, buffer };
}

/** Computes with weights that were laid out anew, and with the same as they are: close, or an Error with that text. */
function assertSame(
  { anew, plain }: ReturnType<typeof twice>,
  operation: (ctx: lib.ggml_context, weights: lib.ggml_tensor) => lib.ggml_tensor,
  error?: string,
): void {
  using ctx = init();
  const [expected, graph] = [plain, anew].map((weights) => graphOf(ctx, operation(ctx, weights)));
  compute(expected);
  if (error !== undefined) return assertStringIncludes(assertThrows(() => compute(graph), Error).message, error);
  compute(graph);
  const [a, b] = [expected, graph].map((graph) => toArray(lib.ggml_graph_node(graph, -1)));
  const most = Math.max(...a.map(Math.abs));
  a.forEach((x, i) => assert(Math.abs(x - b[i]) <= 0.02 * most, `${b[i]} at ${i}, and ${x} with the weights as they are`));
}

/** Numbers to multiply by. */
function floats(ctx: lib.ggml_context, ...ne: number[]): lib.ggml_tensor {
  const tensor = newTensor(ctx, lib.GGML_TYPE_F32, ...ne);
  copy(wave(lib.ggml_nelements(tensor)), tensor);
  return tensor;
}

for (const kind of types) {
  const name = lib.ggml_backend_buft_name(kind);
  Deno.test(`${name}: a view of weights is an Error: C would look for its rows where they were before`, () => {
    const weights = twice(kind, lib.GGML_TYPE_Q4_0, 256, 64), text = `it is a view of weights that a buffer of ${name} has laid out anew`;
    const times = (view: (ctx: lib.ggml_context, weights: lib.ggml_tensor) => lib.ggml_tensor) => {
      return (ctx: lib.ggml_context, weights: lib.ggml_tensor) => {
        const part = view(ctx, weights);
        return lib.ggml_mul_mat(ctx, part, floats(ctx, part.ne[0], 5));
      };
    };
    assertSame(weights, times((_, weights) => weights));
    assertSame(weights, times((ctx, weights) => lib.ggml_view_2d(ctx, weights, 256, 32, weights.nb[1], 32 * weights.nb[1])), text);
    assertSame(weights, times((ctx, weights) => lib.ggml_view_2d(ctx, weights, 128, 64, weights.nb[1], 0)), text);
    assertSame(weights, times((ctx, weights) => lib.ggml_reshape_2d(ctx, weights, 128, 128)), text);
    assertSame(
      weights,
      (ctx, weights) => lib.ggml_get_rows(ctx, lib.ggml_view_tensor(ctx, weights), newTensor(ctx, lib.GGML_TYPE_I32, 1)),
      text,
    );
  });
}

Deno.test({
  name: "AMX: products that its kernel computes in part, or with memory behind the weights, are Errors",
  ignore: amx === undefined,
  fn: () => {
    for (const type of [lib.GGML_TYPE_Q4_0, lib.GGML_TYPE_Q4_1, lib.GGML_TYPE_Q8_0]) {
      const short = twice(amx!, type, 32, 64), long = twice(amx!, type, 64, 64);
      const times = (...ne: number[]) => (ctx: lib.ggml_context, weights: lib.ggml_tensor) =>
        lib.ggml_mul_mat(ctx, weights, floats(ctx, ...ne));
      for (const rows of [1, 2, 31]) assertSame(short, times(32, rows));
      for (const rows of [32, 33, 64]) assertSame(short, times(32, rows), "C computes nothing of 32 rows of 32 numbers");
      for (const rows of [1, 31, 32, 33, 64]) assertSame(long, times(64, rows));
    }
    for (const type of [lib.GGML_TYPE_Q4_0, lib.GGML_TYPE_F16]) {
      const text = "C computes one matrix only";
      assertSame(twice(amx!, type, 256, 64), (ctx, weights) => lib.ggml_mul_mat(ctx, weights, floats(ctx, 256, 5, 2)), text);
      assertSame(twice(amx!, type, 256, 64, 2), (ctx, weights) => lib.ggml_mul_mat(ctx, weights, floats(ctx, 256, 5, 2)), text);
    }
  },
});

Deno.test({
  name: "CPU_REPACK: rows that lie apart, and a matrix that is asked for more often than there are tokens, are Errors",
  ignore: repack === undefined,
  fn: () => {
    const weights = twice(repack!, lib.GGML_TYPE_Q4_0, 256, 64);
    const apart = (rows: number) => (ctx: lib.ggml_context, weights: lib.ggml_tensor) =>
      lib.ggml_mul_mat(ctx, weights, lib.ggml_view_2d(ctx, floats(ctx, 300, rows), 256, rows, 1200, 80));
    for (const rows of [1, 2, 3]) assertSame(weights, apart(rows));
    for (const rows of [4, 5, 8]) assertSame(weights, apart(rows), "src[1]: C reads its rows as if they lay one after the other");
    const experts = twice(repack!, lib.GGML_TYPE_Q4_0, 256, 64, 3);
    const asked = (...ids: number[]) => (ctx: lib.ggml_context, weights: lib.ggml_tensor) => {
      const which = newTensor(ctx, lib.GGML_TYPE_I32, 2, ids.length / 2);
      copy(Int32Array.from(ids), which);
      return lib.ggml_mul_mat_id(ctx, weights, floats(ctx, 256, 1, ids.length / 2), which);
    };
    assertSame(experts, asked(0, 1, 1, 2, 2, 0));
    assertSame(experts, asked(0, 0, 0, 1, 2, 1));
    assertSame(experts, asked(0, 0, 0, 0, 2, 1), "has index 0 more than 3 times");
  },
});
