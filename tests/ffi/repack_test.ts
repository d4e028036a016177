/** Buffers of CPU_REPACK and AMX, which take whole tensors and give none back: whatever else is asked of them is an Error that says so. */

import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { compute, copy, copyAsync, devices, init, ndarray, print, tensor, toArray, toSvg, view, writeGguf } from "@ggml/deno/utils";
import { bytesOf, graphOf, newTensor, wave } from "../context.ts";
import { program } from "../process.ts";

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
  const why = `is in a buffer of ${kind}, which takes whole tensors that it has kernels for, and gives none back`;

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
    const part = new Uint8Array(lib.ggml_nbytes(row)), own = `a buffer of ${kind} has quantized weights in an order of its own`;
    const writes = [
      () => copy(new Float32Array(256), row),
      () => lib.ggml_backend_tensor_set(row, part, 0, part.length),
      () => lib.ggml_backend_tensor_set_2d(row, part, 0, part.length, 1, part.length, part.length),
      () => lib.ggml_backend_tensor_memset(row, 0, 0, part.length),
      () => lib.ggml_backend_tensor_memset(weights, 0, 0, 18),
      () => lib.ggml_set_zero(weights),
      () => lib.ggml_set_zero(lib.ggml_view_tensor(ctx, weights)),
    ];
    for (const write of writes) assertStringIncludes(assertThrows(write, Error).message, own);
    assertStringIncludes(assertThrows(() => copy(row, new Float32Array(256)), Error).message, why);
    // AMX takes numbers that it doesn't multiply by as they are.
    const write = () => copy(new Float32Array(64 * 64), floats), writeAsync = () => copyAsync(new Float32Array(64 * 64), floats);
    if (kind === "AMX") write(), await writeAsync();
    else for (const each of [write, writeAsync]) assertStringIncludes((await assertRejects(async () => await each(), Error)).message, why);
    assertStringIncludes(Deno.inspect(weights), why); // what console.log shows never throws
    assertStringIncludes((await assertRejects(() => toSvg(weights), Error)).message, kind);
  });

  Deno.test(`${kind}: what weights are multiplied by has the same product as with plain ones, or is an Error`, () => {
    using ctx = init({ noAlloc: true }), plainCtx = init();
    const weights = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_Q4_0, 256, 64);
    using _buffer = lib.ggml_backend_alloc_ctx_tensors_from_buft(ctx, type)!;
    const plain = tensor(plainCtx, ndarray(wave(256 * 64), [64, 256]), { type: lib.GGML_TYPE_Q4_0 }), x = tensor(plainCtx, wave(2400));
    copy(plain, weights);
    const multiply = (matrix: lib.ggml_tensor, by: lib.ggml_tensor) => {
      const graph = lib.ggml_new_graph(plainCtx), product = lib.ggml_mul_mat(plainCtx, matrix, by);
      lib.ggml_build_forward_expand(graph, product);
      compute(graph);
      return toArray(product);
    };
    const rows = (count: number) => lib.ggml_view_2d(plainCtx, x, 256, count, 1024, 0);
    for (const count of [1, 2, 4, 9]) {
      const got = multiply(weights, rows(count)), expected = multiply(plain, rows(count)), largest = Math.max(...expected.map(Math.abs));
      assertEquals(got.findIndex((value, i) => Math.abs(value - expected[i]) > 1e-5 * largest), -1, `${count} columns`);
    }
    const refuses = (matrix: lib.ggml_tensor, by: lib.ggml_tensor, why: string) => {
      multiply(plain, by);
      assertStringIncludes(assertThrows(() => multiply(matrix, by), Error).message, why);
    };
    const apart = lib.ggml_view_2d(plainCtx, x, 256, 4, 1200, 0), planes = lib.ggml_view_3d(plainCtx, x, 256, 2, 2, 1024, 2048, 0);
    refuses(weights, apart, kind === "AMX" ? "is not supported by the CPU backend" : "C reads its rows as if they lay one after the other");
    if (kind === "AMX") refuses(weights, planes, "C computes one matrix only where the weights are in a buffer of AMX");
    else assertEquals(multiply(weights, planes).length, 256);
    const order = `is a view of weights that a buffer of ${kind} has laid out anew`;
    refuses(lib.ggml_view_2d(plainCtx, weights, 256, 32, weights.nb[1], 32 * weights.nb[1]), rows(1), order);
    refuses(lib.ggml_view_tensor(plainCtx, weights), rows(1), order);
    const graph = lib.ggml_new_graph(plainCtx);
    lib.ggml_build_forward_expand(graph, lib.ggml_cont(plainCtx, lib.ggml_view_tensor(plainCtx, weights)));
    assertStringIncludes(assertThrows(() => compute(graph), Error).message, order);
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

/** Multiplies by AMX on this thread and on others, and has C use a null pointer on each of them; says how often that was an Error. */
const FAIL = `import { lib } from "@ggml/deno";
  import { compute, computeAsync, copy, copyAsync, init, loadWeights, ndarray, tensor, writeGguf } from "@ggml/deno/utils";
  const path = await Deno.makeTempFile(), numbers = Float32Array.from({ length: 256 * 64 }, (_, i) => Math.sin(i));
  using ctx = init();
  await writeGguf(path, { tensors: { weights: tensor(ctx, ndarray(numbers, [64, 256]), { type: lib.GGML_TYPE_Q4_0 }) } });
  using loaded = await loadWeights(path, { repack: true });
  await Deno.remove(path);
  const weights = loaded.tensors.get("weights"), count = 6;
  const graphs = Array.from({ length: 1 + count }, () => {
    const graph = lib.ggml_new_graph(ctx);
    lib.ggml_build_forward_expand(graph, lib.ggml_mul_mat(ctx, weights, tensor(ctx, ndarray(numbers.slice(0, 1024), [4, 256]))));
    return graph;
  });
  let errors = 0;
  for (let round = 0; round < 3; round++) {
    compute(graphs[0]);
    try { copy(weights, new Float32Array(256 * 64)); } catch (error) { errors += error.message.includes("null pointer") ? 1 : 0; }
    await Promise.all(graphs.slice(1).map((graph) => computeAsync(graph)));
    const copies = await Promise.allSettled(graphs.map(() => copyAsync(weights, new Float32Array(256 * 64))));
    errors += copies.filter(({ reason }) => reason?.message.includes("null pointer")).length;
  }
  console.log(loaded.buffers.some(({ kind }) => kind === "repacked"), errors);`;

Deno.test("a failure of C's is an Error after AMX has multiplied, too, whose registers the stack for signals has to hold", async () => {
  const { code, stdout, stderr } = await program(FAIL, ["--allow-ffi", "--allow-read", "--allow-write"]);
  assertEquals([code, stdout.trim() === "false 0" || stdout.trim() === "true 24", stderr], [0, true, ""], stdout);
});

const amx = types.find((type) => lib.ggml_backend_buft_name(type) === "AMX"),
  repack = types.find((type) => lib.ggml_backend_buft_name(type) === "CPU_REPACK");

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
    const weights = twice(kind, lib.GGML_TYPE_Q4_0, 256, 64), text = `is a view of weights that a buffer of ${name} has laid out anew`;
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
