/** The examples with GGUF files, as a user runs them. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { lib } from "@ggml/deno";
import { readGguf, writeGguf } from "@ggml/deno/utils";
import { Folder } from "../folder.ts";
import { deno, type Ended } from "../process.ts";
import { loadTinyLlama, writeTinyLlama } from "../tiny_llama.ts";

function example(name: string, ...args: string[]): Promise<Ended> {
  return deno(["run", "--no-prompt", "--quiet", "--allow-ffi", "--allow-read", "--allow-write", `examples/${name}.ts`, ...args]);
}

Deno.test("gguf_inspect shows a file's metadata, tensors and sizes", async () => {
  using folder = new Folder();
  const path = folder.file();
  writeTinyLlama(path);
  const { code, stdout, stderr } = await example("gguf_inspect", path);
  assertEquals(code, 0, stderr);
  assertStringIncludes(stdout, `${path}: GGUF version 3, 11 keys, 12 tensors, data aligned to 32 bytes`);
  assertMatch(stdout, /^general.architecture +str +"llama"$/m);
  assertMatch(stdout, /^llama.attention.layer_norm_rms_epsilon +f32 +0.00001$/m);
  assertMatch(stdout, /^blk.0.ffn_gate.weight +f32 +\[32, 64\] +8.0 KiB +\d+$/m);
  assertMatch(stdout, /^total +12 +14432 +56.4 KiB +32.00$/m);
});

Deno.test("gguf_inspect shortens arrays and text, and says what is wrong", async () => {
  using folder = new Folder();
  const path = folder.file(), broken = folder.write(new Uint8Array(8));
  await writeGguf(path, { metadata: { "a.text": "x".repeat(100), "a.list": Array.from({ length: 1000 }, (_, i) => i) } });
  const { stdout } = await example("gguf_inspect", path);
  assertMatch(stdout, /^a.text +str +"x{60}…"$/m);
  assertMatch(stdout, /^a.list +u32\[1000\] +\[0, 1, 2, 3, 4, 5, … 994 more\]$/m);
  const { code, stderr } = await example("gguf_inspect", broken);
  assertEquals(code, 1);
  assertEquals(stderr, `readGguf: ${broken}: at byte 0: magic: expected "GGUF", got "\\u0000\\u0000\\u0000\\u0000"\n`);
});

Deno.test("gguf_inspect gives the terminal no commands that a file has in its names", async () => {
  using folder = new Folder();
  const path = folder.file();
  const clear = "\x1b[2J\x9b2J\x07";
  await writeGguf(path, { metadata: { [`key${clear}`]: `text${clear}` }, tensors: { [`tensor${clear}`]: new Float32Array(4) } });
  const { code, stdout, stderr } = await example("gguf_inspect", path);
  assertEquals(code, 0, stderr);
  // deno-lint-ignore no-control-regex
  assertEquals(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/.test(stdout), false);
  assertStringIncludes(stdout, "tensor\\u001b[2J\\u009b2J\\u0007");
});

Deno.test("the examples run out of the box, on a file that they make", async () => {
  const inspected = await example("gguf_inspect");
  assertEquals(inspected.code, 0, inspected.stderr);
  assertMatch(inspected.stdout, /^usage: gguf_inspect.ts FILE[^]*^total +21 +1361152 +5.2 MiB +32.00$/m);
  const quantized = await example("gguf_quantize");
  assertEquals(quantized.code, 0, quantized.stderr);
  assertMatch(quantized.stdout, /^usage: gguf_quantize.ts IN OUT TYPE[^]*^16 of 21 tensors are q8_0 now$/m);
});

Deno.test("gguf_quantize converts what can be, keeps the rest and says so, and llama.cpp loads the result", async () => {
  using folder = new Folder();
  const path = folder.file("f32.gguf"), small = folder.file("q8_0.gguf"), half = folder.file("f16.gguf");
  writeTinyLlama(path);
  const { code, stdout, stderr } = await example("gguf_quantize", path, small, "Q8_0");
  assertEquals([code, stderr], [0, ""]);
  assertStringIncludes(stdout, "9 of 12 tensors are q8_0 now");
  assertMatch(stdout, /^ {2}output_norm.weight +f32 {2}has one dimension$/m);
  using before = readGguf(path), after = readGguf(small);
  assertEquals([...after.tensors.keys()], [...before.tensors.keys()]);
  assertEquals(after.metadata.get("general.file_type"), { type: "u32", value: lib.LLAMA_FTYPE_MOSTLY_Q8_0 });
  const floats = before.tensors.get("blk.0.ffn_down.weight")!.numbers().data, tensor = after.tensors.get("blk.0.ffn_down.weight")!;
  const expected = new Uint8Array(tensor.byteLength);
  lib.ggml_quantize_chunk(lib.GGML_TYPE_Q8_0, floats, expected, 0, 32, 64, null);
  assertEquals(tensor.bytes(), expected);
  {
    using model = loadTinyLlama(small);
    assertEquals(lib.llama_model_n_embd(model), 32);
  }
  assertStringIncludes((await example("gguf_quantize", small, half, "f16")).stdout, "9 of 12 tensors are f16 now");
  using halves = readGguf(half);
  const back = halves.tensors.get("blk.0.ffn_down.weight")!.numbers<Float16Array>().data;
  assert(back.every((value, i) => Math.abs(value - floats[i]) < 0.01));
  const { stdout: none } = await example("gguf_quantize", path, half, "q4_K");
  assertMatch(none, /^ {2}token_embd.weight +f32 {2}rows of 32 are no multiple of 256$/m);
  assertStringIncludes(none, "0 of 12 tensors are q4_K now");
});

Deno.test("gguf_quantize refuses what ggml can't do, and leaves no file", async () => {
  using folder = new Folder();
  const path = folder.file(), out = folder.file("out.gguf");
  writeTinyLlama(path);
  const failure = async (...args: string[]) => {
    const { code, stderr } = await example("gguf_quantize", ...args);
    assertEquals(code, 1);
    return stderr;
  };
  assertMatch(await failure(path, out, "iq2_xxs"), /^iq2_xxs needs an importance matrix: --imatrix FILE/);
  assertMatch(await failure(path, out, "i32"), /^weights can't be i32/);
  assertMatch(await failure(path, out, "q9"), /^there is no type q9; there are f32, f16, q4_0/);
  assertMatch(await failure(path, out), /^usage: /);
  assertMatch(await failure(`${path}.none`, out, "f16"), /No such file/);
  assertEquals([...Deno.readDirSync(folder.path)].length, 1);
});

Deno.test("gguf_quantize takes an importance matrix", async () => {
  using folder = new Folder();
  const path = folder.file(), imatrix = folder.file("imatrix.gguf"), out = folder.file("out.gguf");
  const weights = Float32Array.from({ length: 512 * 4 }, (_, i) => Math.sin(i * i));
  const sums = Float32Array.from({ length: 512 }, (_, i) => 4 * (1 + i % 7));
  const type = lib.GGML_TYPE_F32, data = new Uint8Array(weights.buffer);
  await writeGguf(path, { tensors: { "a.weight": { type, ne: [512, 2, 2], data }, "b.weight": { type, ne: [512, 4], data } } });
  const counts = { type, ne: [1, 2], data: new Uint8Array(new Float32Array([4, 0]).buffer) };
  await writeGguf(imatrix, {
    tensors: {
      "a.weight.in_sum2": { type, ne: [512, 2], data: [sums, sums].map((row) => new Uint8Array(row.buffer)) },
      "a.weight.counts": counts,
    },
  });
  const { stdout, stderr } = await example("gguf_quantize", path, out, "iq2_xxs", "--imatrix", imatrix);
  assertStringIncludes(stdout, "1 of 2 tensors are iq2_xxs now", stderr);
  assertMatch(stdout, /^ {2}b.weight {2}f32 {2}has no importance$/m);
  const expected = new Uint8Array(4 * 2 * 66), half = expected.length / 2;
  const quantize = (from: number, importance: Float32Array) => {
    const rows = weights.slice(from * 1024, (from + 1) * 1024);
    lib.ggml_quantize_chunk(lib.GGML_TYPE_IQ2_XXS, rows, expected.subarray(from * half, (from + 1) * half), 0, 2, 512, importance);
  };
  quantize(0, sums.map((sum) => sum / 4));
  quantize(1, new Float32Array(512).fill(1)); // of what was never used nothing is known
  using file = readGguf(out);
  assertEquals(file.tensors.get("a.weight")!.bytes(), expected);
});
