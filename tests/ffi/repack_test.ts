/** Buffers of CPU_REPACK and AMX, which take whole tensors and give none back: whatever else is asked of them is an Error that says so. */

import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { compute, computeAsync, copy, copyAsync, devices, init, print, toSvg, view, writeGguf } from "@ggml/deno/utils";
import { graphOf } from "../context.ts";

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
