/** readGguf: what C's reader reads is read the same, what it refuses is refused, and each error says where. */

import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { lib, load } from "@ggml/deno";
import { type GgufError, init, onLog, readGguf, view, writeGguf } from "@ggml/deno/utils";
import { pinnedTree } from "../../lexer/ggml/release.ts";
import { Builder } from "./gguf/build.ts";
import { readByC } from "./gguf/c_reader.ts";
import { Folder } from "../folder.ts";
import { readFacts } from "./gguf/facts.ts";
import { program } from "../process.ts";
import { writeTinyLlama } from "../tiny_llama.ts";

Deno.test("every key and tensor of llama.cpp's vocabularies is as C's reader has it, and written again each file is the same", async () => {
  using folder = new Folder();
  const models = `${await pinnedTree()}models/`;
  const names = Array.from(Deno.readDirSync(models), ({ name }) => name).filter((name) => name.endsWith(".gguf"));
  assert(names.length >= 19, names.join());
  for (const name of names) {
    const facts = readFacts(models + name);
    assertEquals(facts, readByC(models + name), name);
    const copy = folder.file();
    using file = readGguf(models + name);
    await writeGguf(copy, file);
    assertEquals(Deno.readFileSync(copy), Deno.readFileSync(models + name), name);
  }
});

Deno.test("a model that C wrote is as C's reader has it, and its numbers are those that were written", () => {
  using folder = new Folder();
  const path = folder.file();
  writeTinyLlama(path);
  const facts = readFacts(path);
  assertEquals(facts, readByC(path));
  assertEquals(facts.tensors.length, 12);
  using file = readGguf(new URL(`file://${path}`));
  const tensor = file.tensors.get("blk.0.ffn_gate.weight")!;
  assertEquals([tensor.typeName, tensor.ne, tensor.shape, tensor.byteLength], ["f32", [32, 64], [64, 32], 8192]);
  const ramp = Float32Array.from({ length: 32 * 64 }, (_, i) => (i % 7 - 3) / 10);
  const numbers = tensor.numbers();
  assertEquals([numbers.data, numbers.shape], [ramp, [64, 32]]);
  assertEquals(tensor.bytes(), new Uint8Array(ramp.buffer));
  assertEquals(tensor.bytes(4, 12), new Uint8Array(ramp.buffer, 4, 8));
  assertEquals(Array.from(tensor.pieces(3000), (piece) => piece.slice()).map(({ length }) => length), [3000, 3000, 2192]);
  assertEquals(Deno.inspect(tensor), `GgufTensor "blk.0.ffn_gate.weight" f32 ne=[32, 64], 8192 bytes from byte ${tensor.offset} on`);
  assertEquals(Deno.inspect(Object.getPrototypeOf(tensor)), "GgufTensor {}");
  assertThrows(() => tensor.bytes(Symbol("s") as never), TypeError, "expected a number of bytes, got Symbol(s)");
  assertThrows(() => tensor.bytes(0, null as never), TypeError, "expected a number of bytes, got null");
  assertThrows(() => tensor.bytes(0, 8193), RangeError, "there is no part from 0 to 8193 of 8192 bytes");
  assertThrows(() => [...tensor.pieces(0)], RangeError, "expected a size of 1 byte or more");
});

Deno.test("tensors are loaded into contexts, into memory of backends, and nowhere else", async () => {
  using folder = new Folder();
  const path = folder.file();
  const type = lib.GGML_TYPE_Q8_0, ne = [64, 3];
  const data = Uint8Array.from({ length: 6 * 34 }, (_, i) => i % 34 === 1 ? 60 : i);
  await writeGguf(path, {
    tensors: { q: { type, ne, data }, scalar: { type: lib.GGML_TYPE_I32, ne: [], data: new Uint8Array([7, 0, 0, 0]) } },
  });
  using file = readGguf(path);
  const q = file.tensors.get("q")!;
  using ctx = init();
  const loaded = q.load(ctx);
  assertEquals([loaded.name, loaded.type, [...loaded.ne]], ["q", type, [64, 3, 1, 1]]);
  assertEquals(loaded.data!.bytes(data.length), data);
  assertEquals(view(loaded, { allowCopy: true }).data, q.numbers().data);
  const scalar = file.tensors.get("scalar")!;
  assertEquals([scalar.shape, scalar.numbers<Int32Array>().data], [[], new Int32Array([7])]);
  assertEquals(view<Int32Array>(scalar.load(ctx)).data, new Int32Array([7]));

  using empty = init({ noAlloc: true });
  const later = q.load(empty);
  assertThrows(() => q.loadInto(later), Error, 'loadInto of tensor "q": the tensor has no memory yet');
  using backend = lib.ggml_backend_cpu_init()!;
  using _buffer = lib.ggml_backend_alloc_ctx_tensors(empty, backend)!;
  q.loadInto(later);
  const back = new Uint8Array(data.length);
  lib.ggml_backend_tensor_get(later, back, 0, back.length);
  assertEquals(back, data);

  const other = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, 64, 3);
  assertThrows(() => q.loadInto(other), TypeError, "expected a tensor of q8_0, got one of f32");
  const wide = lib.ggml_new_tensor_2d(ctx, type, 64, 4);
  assertThrows(() => q.loadInto(wide), RangeError, "expected a tensor of ne=[64, 3], fastest first, got ne=[64, 4, 1, 1]");
  assertThrows(() => q.loadInto(null as never), TypeError, "expected a ggml_tensor, got null");
  const dead = init({ memSize: 4096 }), freed = lib.ggml_new_tensor_2d(dead, type, 64, 3);
  dead[Symbol.dispose]();
  assertThrows(() => q.load(dead), Error, 'load of tensor "q": this ggml_context was freed');
  assertThrows(() => q.loadInto(freed), Error, 'loadInto of tensor "q": the owner of this ggml_tensor was freed');
  assertThrows(() => q.load({} as never), TypeError, "expected a ggml_context, got a plain object");
  using small = init({ memSize: 512 });
  assertThrows(() => q.load(small), Error, "memory is full");
});

Deno.test("a tensor can't be read when its file was closed or became shorter; its metadata stays", () => {
  using folder = new Folder();
  const path = folder.file();
  writeTinyLlama(path);
  const shorter = readGguf(path);
  Deno.truncateSync(path, 2048);
  const tensor = shorter.tensors.get("blk.0.ffn_down.weight")!;
  assertThrows(() => tensor.numbers(), Error, "became shorter: it ends at byte");
  shorter.close();
  shorter.close();
  assertThrows(() => tensor.bytes(), Error, `bytes of tensor "blk.0.ffn_down.weight": ${path} was closed`);
  assertEquals(shorter.metadata.get("general.architecture"), { type: "str", value: "llama" });
});

Deno.test("a file that nobody can reach any more is closed", async () => {
  const { stdout, stderr, code } = await program(
    `
    import { readGguf, writeGguf } from "@ggml/deno/utils";
    const path = Deno.makeTempFileSync();
    await writeGguf(path, { tensors: { a: new Float32Array(8) } });
    const open = () => [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => {
      try { return Deno.readLinkSync("/proc/self/fd/" + name) === path; } catch { return false; }
    }).length;
    (() => { for (let i = 0; i < 20; i++) readGguf(path); })();
    const before = open();
    for (let i = 0; i < 50 && open() > 0; i++) { gc(); await new Promise((done) => setTimeout(done, 10)); }
    console.log(before, open());
    Deno.removeSync(path);
  `,
    ["-A", "--v8-flags=--expose-gc"],
  );
  assertEquals(code, 0, stderr);
  if (Deno.build.os === "linux") assertEquals(stdout, "20 0\n");
});

Deno.test("what is no file, not there, or not allowed says so", async () => {
  using folder = new Folder();
  assertThrows(() => readGguf(folder.file("none.gguf")), Deno.errors.NotFound, "none.gguf: ");
  assertThrows(() => readGguf(folder.path), TypeError, `readGguf: ${folder.path}: is not a file`);
  assertThrows(() => readGguf(null as never), TypeError, "readGguf: expected a path, got null");
  assertThrows(() => readGguf(new URL("https://x.gguf/")), TypeError, "readGguf: expected a path or a file: URL, got https://x.gguf/");
  if (Deno.build.os !== "windows") assertThrows(() => readGguf("/dev/zero"), TypeError, "readGguf: /dev/zero: is not a file");
  const path = folder.file();
  writeTinyLlama(path);
  const text = `
    import { readGguf } from "@ggml/deno/utils";
    try { readGguf(${
    JSON.stringify(path)
  }); console.log("read"); } catch (error) { console.log(error instanceof Deno.errors.NotCapable, error.message); }
  `;
  const denied = await program(text);
  assertMatch(denied.stdout, /^true readGguf: .*: permission is missing: Requires read access to .*--allow-read/, denied.stderr);
  assertEquals((await program(text, ["--allow-ffi", `--allow-read=${path}`])).stdout, "read\n");
});

/** A file that is right up to the value of its first key. */
const key = (name = "k") => new Builder().head(0, 1).text(name);
/** A file that is right up to its first tensor. */
const tensors = (count: number | bigint = 1) => new Builder().head(count, 0);
const F32 = lib.GGML_TYPE_F32, Q8_0 = lib.GGML_TYPE_Q8_0;

/** Malformed files: what is wrong, the file, where, and what the error says. */
const MALFORMED: readonly [string, Builder, number, RegExp][] = [
  ["nothing", new Builder(), 0, /magic: 4 bytes are needed, and the file has 0 left/],
  ["magic", new Builder().raw(71, 71, 77, 76).u32(3).u64(0).u64(0), 0, /magic: expected "GGUF", got "GGML"/],
  ["version 0", new Builder().head(0, 0, 0), 4, /version: 0: ggml reads GGUF versions 2 to 3/],
  ["version 1", new Builder().head(0, 0, 1), 4, /version: 1: ggml no longer reads GGUF version 1/],
  ["version 4", new Builder().head(0, 0, 4), 4, /version: 4: ggml reads GGUF versions 2 to 3/],
  ["big-endian", new Builder().head(0, 0, 0x03000000), 4, /version: 0x3000000: the file is big-endian/],
  ["a head cut off", new Builder().raw(71, 71, 85, 70).u32(3).u32(0), 8, /number of tensors: 8 bytes are needed, and the file has 4 left/],
  ["negative tensors", tensors(-1), 8, /number of tensors: -1/],
  ["more tensors than fit", tensors(2n ** 40n), 8, /number of tensors: 1099511627776: the 8 bytes that are left hold 0 at most/],
  ["negative keys", new Builder().head(0, -1), 16, /number of keys: -1/],
  ["more keys than fit", new Builder().head(0, 2n ** 62n), 16, /number of keys/],
  ["an empty key", key("").u32(4).u32(1).zeros(8), 24, /key 0 of 1: it is empty/],
  ["a key twice", new Builder().head(0, 2).text("k").u32(0).raw(1).text("k").u32(0).raw(1), 38, /key 1 of 2: "k" is there already/],
  [
    "a key longer than the file",
    new Builder().head(0, 1).text("k", 1000).zeros(20),
    24,
    /key 0 of 1: a string of 1000 bytes, and the file has 21 left/,
  ],
  [
    "a key longer than ggml reads",
    new Builder().head(0, 1).text("k", 2n ** 63n).zeros(20),
    24,
    /a string of 9223372036854775808 bytes is longer/,
  ],
  ["no value", key().u32(4).zeros(1), 37, /value of "k": 4 bytes are needed, and the file has 1 left/],
  ["a type that is none", key().u32(13).u64(0), 33, /value of "k": there is no GGUF type 13/],
  ["a negative type", key().u32(-1).u64(0), 33, /value of "k": there is no GGUF type -1/],
  ["an array of arrays", key().u32(9).u32(9).u64(0), 37, /value of "k": an array of arrays/],
  ["an array of nothing", key().u32(9).u32(77).u64(0), 37, /value of "k": an array of GGUF type 77/],
  ["an array longer than the file", key().u32(9).u32(4).u64(3).zeros(8), 41, /an array of 3 u32 takes more than the 8 bytes that are left/],
  ["an array longer than ggml reads", key().u32(9).u32(0).u64(2n ** 64n - 1n), 41, /an array of 18446744073709551615 u8 is longer/],
  [
    "strings that don't fit",
    key().u32(9).u32(8).u64(2).text("abc", 100).zeros(30),
    49,
    /value of "k": a string of 100 bytes, and the file has 33/,
  ],
  ["alignment of another type", key("general.alignment").u32(10).u64(32), 61, /value of "general.alignment": it must be a u32, and is u64/],
  ["alignment 0", key("general.alignment").u32(4).u32(0), 57, /value of "general.alignment": 0 is not a power of 2/],
  ["alignment 48", key("general.alignment").u32(4).u32(48), 57, /48 is not a power of 2/],
  ["alignment with a NUL behind", key("general.alignment\0x").u32(4).u32(48), 59, /48 is not a power of 2/],
  [
    "a tensor's name too long",
    tensors().tensor("x".repeat(64), [1], F32, 0).pad().zeros(32),
    24,
    /name of tensor 0 of 1: it has 64 bytes, .* at most 63/,
  ],
  [
    "a tensor twice",
    tensors(2).tensor("t", [1], F32, 0).tensor("t", [1], F32, 32).pad().zeros(64),
    57,
    /name of tensor 1 of 2: "t" is there/,
  ],
  ["a tensor twice, up to a NUL", tensors(2).tensor("t", [1], F32, 0).tensor("t\0x", [1], F32, 32).pad().zeros(64), 57, /"t" is there/],
  ["five dimensions", tensors().tensor("t", [1, 1, 1, 1, 1], F32, 0).pad().zeros(32), 33, /tensor "t": it has 5 dimensions, .* at most 4/],
  ["a negative dimension", tensors().tensor("t", [2, -3], F32, 0).pad().zeros(32), 45, /ne\[1\] of tensor "t": -3 is negative/],
  ["too many elements", tensors().tensor("t", [2 ** 32 + 1, 2 ** 32 + 1], F32, 0).pad().zeros(32), 37, /more elements than can be counted/],
  [
    "elements that C's product loses",
    tensors().tensor("t", [2 ** 32, 2 ** 32], F32, 0).pad().zeros(32),
    37,
    /more elements than can be counted/,
  ],
  [
    "a dimension beyond numbers",
    tensors().tensor("t", [0, 2n ** 60n], F32, 0).pad().zeros(32),
    45,
    /1152921504606846976 is more elements than/,
  ],
  ["half a block", tensors().tensor("t", [33], Q8_0, 0).pad().zeros(64), 45, /its rows of 33 are no multiple of q8_0's block of 32/],
  ["a scalar of a quantized type", tensors().tensor("t", [], Q8_0, 0).pad().zeros(64), 37, /its rows of 1 are no multiple/],
  ["a tensor type that is none", tensors().tensor("t", [1], 1000, 0).pad().zeros(32), 45, /tensor "t": ggml has no tensor type 1000/],
  ["a negative tensor type", tensors().tensor("t", [1], -1, 0).pad().zeros(32), 45, /ggml has no tensor type -1/],
  ["a removed tensor type", tensors().tensor("t", [32], 4, 0).pad().zeros(32), 45, /ggml has no tensor type 4, or not any more/],
  [
    "an offset that is not aligned",
    tensors(2).tensor("t", [1], F32, 0).tensor("u", [1], F32, 4).pad().zeros(64),
    82,
    /offset of tensor "u": expected 32 .*, got 4/,
  ],
  ["a gap", tensors(2).tensor("t", [1], F32, 0).tensor("u", [1], F32, 64).pad().zeros(128), 82, /offset of tensor "u": expected 32/],
  ["data in another's place", tensors(2).tensor("t", [1], F32, 0).tensor("u", [1], F32, 0).pad().zeros(64), 82, /expected 32 .*, got 0/],
  [
    "data beyond the end",
    tensors().tensor("t", [9], F32, 0).pad().zeros(35),
    49,
    /its 36 bytes from 64 on reach beyond the end of the file, 99/,
  ],
  ["no data", tensors().tensor("t", [0], F32, 0), 57, /tensor data: it begins at byte 64 \(aligned to 32\), and the file has 57/],
];

/** What C looks at, or not: then the file is refused here only. */
const NOT_LOOKED_AT = ["elements that C's product loses", "a dimension beyond numbers", "data beyond the end"];

Deno.test("malformed files: the error names the file, the byte and the field, and C's reader refuses them too", () => {
  using folder = new Folder();
  using _quiet = onLog(() => {});
  load();
  for (const [what, builder, offset, message] of MALFORMED) {
    const path = folder.write(builder.result());
    const error = assertThrows(() => readGguf(path).close(), Error) as GgufError;
    assertEquals(error.name, "GgufError", `${what}: ${error.stack}`);
    assertMatch(error.message, message, what);
    assertEquals(error.offset, offset, `${what}: ${error.message}`);
    assertEquals(error.path, path);
    assertStringIncludes(error.message, `readGguf: ${path}: at byte ${offset}: ${error.field}: `);
    // The product that wraps is none that C should be asked about.
    if (!NOT_LOOKED_AT.includes(what)) assertEquals(readByC(path), null, what);
  }
});

Deno.test("huge files that cost nothing to make don't fill the memory", () => {
  using folder = new Folder();
  const array = (kind: number, length: number) => key().u32(9).u32(kind).u64(length);
  const huge: [Builder, RegExp][] = [
    [array(8, 2 ** 27), /at byte 41: value of "k": the file has more than 16777216 strings and booleans in arrays/],
    [array(7, 2 ** 29), /at byte 41: value of "k": the file has more than 16777216 strings and booleans in arrays/],
    [array(0, 2 ** 30), /at byte 49: value of "k": the metadata is larger than 268435456 bytes/],
    [key().u32(8).u64(2 ** 30), /at byte 45: value of "k": the metadata is larger than 268435456 bytes/],
    [new Builder().head(2 ** 19, 0), /at byte 8: number of tensors: 524288: more than 262144 are not read/],
    [new Builder().head(0, 2 ** 21), /at byte 16: number of keys: 2097152: more than 1048576 are not read/],
  ];
  for (const [builder, message] of huge) {
    const path = folder.write(builder.result());
    Deno.truncateSync(path, 2 ** 34); // 16 GiB of nothing
    assertMatch(assertThrows(() => readGguf(path), Error).message, message);
  }
  const path = folder.write(tensors().tensor("t", [2 ** 45], F32, 0).pad().result());
  try {
    Deno.truncateSync(path, 2 ** 48);
  } catch {
    Deno.truncateSync(path, 2 ** 43); // as large as the file system allows
    return void assertThrows(() => readGguf(path), Error, "reach beyond the end of the file");
  }
  using file = readGguf(path);
  assertThrows(() => file.tensors.get("t")!.numbers(), RangeError, `numbers of tensor "t": no memory for ${2 ** 47} bytes`);
  assertThrows(() => file.tensors.get("t")!.bytes(), RangeError, `bytes of tensor "t": no memory for ${2 ** 47} bytes`);
});

Deno.test("odd files that C's reader accepts are read the same", () => {
  using folder = new Folder();
  const odd: Record<string, Builder> = {
    "version 2": new Builder().head(0, 1, 2).text("k").u32(7).raw(2),
    "an empty array": key().u32(9).u32(8).u64(0),
    "a string without UTF-8 errors but odd": key().u32(8).text("\ufeffa\u{10ffff}"),
    "no name": tensors().tensor("", [1], F32, 0).pad().zeros(32),
    "no dimensions": tensors().tensor("t", [], F32, 0).pad().zeros(4),
    "no elements": tensors(2).tensor("t", [0, 5], F32, 0).tensor("u", [2], F32, 0).pad().zeros(8),
    "no padding at the end": tensors().tensor("t", [3, 1, 1], F32, 0).pad().zeros(12),
    "alignment 1": new Builder().head(1, 1).text("general.alignment").u32(4).u32(1).tensor("t", [1], F32, 0).zeros(4),
    "more at the end": key().u32(4).u32(5).zeros(100),
    "a name up to a NUL": tensors().tensor("t\0x", [1], F32, 0).pad().zeros(32),
  };
  for (const [what, builder] of Object.entries(odd)) {
    const path = folder.write(builder.result());
    const facts = readByC(path);
    assert(facts !== null, what);
    assertEquals(readFacts(path), facts, what);
  }
});

Deno.test("bytes that are no UTF-8 are read and written as they are", async () => {
  using folder = new Folder();
  const parts = [[0xff], [0x61, 0xc3], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x98], [0xe2, 0x82, 0xac, 0xe2], [0xc0, 0x80], [
    0xf4,
    0x90,
    0x80,
    0x80,
  ]];
  parts.push(Array.from({ length: 20_000 }, (_, i) => i % 255 + 1));
  const builder = key().u32(9).u32(8).u64(parts.length);
  parts.forEach((part) => builder.text(new Uint8Array(part)));
  const path = folder.write(builder.result()), copy = folder.file();
  using file = readGguf(path);
  const { value } = file.metadata.get("k")!;
  assertEquals((value as string[]).map((text) => text.isWellFormed()), parts.map(() => false));
  assertEquals((value as string[])[1], "a\udcc3");
  assertEquals((value as string[])[5], "€\udce2");
  await writeGguf(copy, file);
  assertEquals(Deno.readFileSync(copy), Deno.readFileSync(path));
});
