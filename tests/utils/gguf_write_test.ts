/** writeGguf: what it writes is what C's reader, Python's and ours read; what it can't write it doesn't begin. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import fc from "fast-check";
import { lib, load } from "@ggml/deno";
import { copy, type GgufContents, type GgufValue, init, ndarray, readGguf, writeGguf } from "@ggml/deno/utils";
import { fromFileUrl } from "@std/path";
import { pinnedTree } from "../../lexer/ggml/release.ts";
import { metadata, tensors } from "./gguf/arbitrary.ts";
import { readByC } from "./gguf/c_reader.ts";
import { Folder } from "../folder.ts";
import { readFacts } from "./gguf/facts.ts";
import { program } from "../process.ts";
import { loadTinyLlama, writeTinyLlama } from "../tiny_llama.ts";

const F32 = lib.GGML_TYPE_F32;

Deno.test("the type of a value follows from it, or is said", async () => {
  using folder = new Folder();
  const path = folder.file();
  const cases: Record<string, [unknown, string, unknown]> = {
    text: ["ünï\0code", "str", "ünï\0code"],
    yes: [true, "bool", true],
    zero: [0, "u32", 0],
    "the last u32": [2 ** 32 - 1, "u32", 2 ** 32 - 1],
    "the first u64": [2 ** 32, "u64", 2 ** 32],
    negative: [-1, "i32", -1],
    "the last i32": [-(2 ** 31), "i32", -(2 ** 31)],
    "the first i64": [-(2 ** 31) - 1, "i64", -(2 ** 31) - 1],
    half: [0.5, "f32", 0.5],
    infinite: [Infinity, "f32", Infinity],
    big: [2n ** 64n - 1n, "u64", 2n ** 64n - 1n],
    "small bigint": [7n, "u64", 7],
    "negative bigint": [-(2n ** 63n), "i64", -(2n ** 63n)],
    "u32s": [[1, 2], "u32[]", new Uint32Array([1, 2])],
    "i32s": [[1, -2], "i32[]", new Int32Array([1, -2])],
    "i64s": [[2 ** 31, -2], "i64[]", new BigInt64Array([2n ** 31n, -2n])],
    "f32s": [[1, 2.5], "f32[]", new Float32Array([1, 2.5])],
    "u64s": [[1n], "u64[]", new BigUint64Array([1n])],
    texts: [["a", ""], "str[]", ["a", ""]],
    bools: [[true, false], "bool[]", [true, false]],
    bytes: [new Uint8Array([1, 255]), "u8[]", new Uint8Array([1, 255])],
    "part of an array": [new Int16Array([1, 2, 3]).subarray(1), "i16[]", new Int16Array([2, 3])],
    doubles: [new Float64Array([0.1]), "f64[]", new Float64Array([0.1])],
    said: [{ type: "f32", value: 10000 }, "f32", 10000],
    "said double": [{ type: "f64", value: 0.1 }, "f64", 0.1],
    "said u8": [{ type: "u8", value: 255n }, "u8", 255],
    "said empty": [{ type: "str[]", value: [] }, "str[]", []],
    "said i64s": [{ type: "i64[]", value: [1, -2n] }, "i64[]", new BigInt64Array([1n, -2n])],
    "said u16s": [{ type: "u16[]", value: new Uint8Array([1, 2]) }, "u16[]", new Uint16Array([1, 2])],
  };
  const given = Object.fromEntries(Object.entries(cases).map(([key, [value]]) => [key, value]));
  await writeGguf(path, { metadata: given as GgufContents["metadata"] });
  using file = readGguf(path);
  assertEquals([...file.metadata], Object.entries(cases).map(([key, [, type, value]]) => [key, { type, value }] as [string, GgufValue]));
});

Deno.test("a value, key, name, shape or piece of data that can't be is an error that says which, and no file is made", async () => {
  using folder = new Folder();
  using ctx = init();
  const path = folder.file();
  const empty = init({ noAlloc: true });
  const transposed = lib.ggml_transpose(ctx, lib.ggml_new_tensor_2d(ctx, F32, 2, 3));
  const key = (value: unknown) => ({ metadata: { k: value } });
  const tensor = (value: unknown) => ({ tensors: { t: value } });
  const gone = new Float32Array(4), dead = init({ memSize: 4096 }), freed = lib.ggml_new_tensor_1d(dead, F32, 4);
  gone.buffer.transfer();
  dead[Symbol.dispose]();
  const data = (ne: unknown, length: number, type: unknown = F32) => tensor({ type, ne, data: new Uint8Array(length) });
  const wrong: [unknown, typeof Error, RegExp][] = [
    [null, TypeError, /expected { metadata, tensors }, got null/],
    [Promise.resolve({}), TypeError, /expected { metadata, tensors }, got a Promise/],
    [[], TypeError, /expected { metadata, tensors }, got an array of 0/],
    [{ metadata: Promise.resolve({}) }, TypeError, /metadata: expected a Map or an object, got a Promise/],
    [{ tensors: new DataView(new ArrayBuffer(4)) }, TypeError, /tensors: expected a Map or an object, got a DataView/],
    [key(gone), TypeError, /metadata "k": its memory was transferred elsewhere, or shrank/],
    [key({ type: "f64[]", value: gone }), TypeError, /metadata "k": its memory was transferred elsewhere, or shrank/],
    [{ metadata: 5 }, TypeError, /metadata: expected a Map or an object, got the number 5/],
    [{ version: 1 }, RangeError, /expected version 2 or 3, got the number 1/],
    [{ metadata: { "": 1 } }, TypeError, /metadata: a key is empty/],
    [{ metadata: new Map([[5, 1]]) }, TypeError, /expected a string as key, got the number 5/],
    [key(null), TypeError, /metadata "k": expected a string, .* got null/],
    [key(undefined), TypeError, /metadata "k": expected a string, .* got undefined/],
    [key({}), TypeError, /metadata "k": expected a string, .* got a plain object/],
    [key([[1]]), TypeError, /metadata "k": expected a string, .* got an array of 1/],
    [key([]), TypeError, /metadata "k": an empty array has no type/],
    [key([1, "a"]), TypeError, /must be of one type, got number and string/],
    [key([1, 2n]), TypeError, /must be of one type, got number and bigint/],
    [key(2 ** 60), RangeError, /1152921504606847000 is beyond 2\^53/],
    [key(2n ** 64n), RangeError, /18446744073709551616 is out of the range of u64/],
    [key(1e300 + 0.5), RangeError, /1e\+300 is beyond 2\^53/],
    [key({ type: "f32", value: 1e300 }), RangeError, /1e\+300 is out of the range of f32/],
    [key({ type: "u8", value: 256 }), RangeError, /metadata "k": 256 is out of the range of u8/],
    [key({ type: "i8[]", value: [0, -129] }), RangeError, /metadata "k"\[1\]: -129 is out of the range of i8/],
    [key({ type: "u32", value: 1.5 }), TypeError, /expected a whole number for u32, got the number 1.5/],
    [key({ type: "u32", value: "1" }), TypeError, /expected a whole number for u32, got the string "1"/],
    [key({ type: "str", value: 1 }), TypeError, /expected a string for str, got the number 1/],
    [key({ type: "bool", value: 1 }), TypeError, /expected a boolean for bool, got the number 1/],
    [key({ type: "f64", value: 1n }), TypeError, /expected a number for f64, got the bigint 1n/],
    [key({ type: "u128", value: 1 }), TypeError, /there is no GGUF type "u128"; there are u8, i8/],
    [key({ type: 4, value: 1 }), TypeError, /expected a type such as "u32" or "u32\[\]", got the number 4/],
    [key({ type: "u32[]", value: 1 }), TypeError, /expected an array for u32\[\], got the number 1/],
    [key("\ud800"), TypeError, /metadata "k": the string has a lone surrogate, U\+D800/],
    [{ metadata: { "general.alignment": 24 } }, RangeError, /"general.alignment" must be a u32 that is a power of 2, got 24 \(u32\)/],
    [{ metadata: { "general.alignment": "32" } }, RangeError, /must be a u32 that is a power of 2, got 32 \(str\)/],
    [{ tensors: null }, TypeError, /tensors: expected a Map or an object, got null/],
    [{ tensors: 5 }, TypeError, /tensors: expected a Map or an object, got the number 5/],
    [{ tensors: [new Float32Array(1)] }, TypeError, /a tensor has no name: a Float32Array of 1/],
    [{ tensors: { ["x".repeat(64)]: new Float32Array(1) } }, RangeError, /the name has 64 bytes, and ggml's have at most 63/],
    [{ tensors: { ["ü".repeat(32)]: new Float32Array(1) } }, RangeError, /the name has 64 bytes/],
    [{ tensors: { "a\0": new Float32Array(1) } }, TypeError, /the name has a NUL/],
    [{ tensors: [1, 2].map(() => ({ name: "t", type: F32, ne: [0], data: new Uint8Array() })) }, TypeError, /there are two tensors "t"/],
    [tensor(null), TypeError, /tensor "t": expected a tensor, an ndarray, a typed array or { type, ne, data }, got null/],
    [
      tensor(new BigUint64Array(1)),
      TypeError,
      /tensor "t": no tensor type has the elements of a BigUint64Array of 1: give an Int32Array of its numbers, or \{ type, ne, data \}/,
    ],
    [tensor(ndarray(new Float32Array(6), [2, 3]).transpose(1, 0)), Error, /the ndarray is not contiguous/],
    [tensor({ data: new Float32Array(5), shape: [2, 3], stride: [3, 1], offset: 0 }), RangeError, /reaches past its data of 5/],
    [tensor(ndarray(new Float32Array(1), [1, 1, 1, 1, 1])), RangeError, /has more than 4 dimensions/],
    [tensor(transposed), Error, /tensor "t": it is not contiguous \(ne=\[3, 2\], nb=/],
    [tensor(lib.ggml_new_tensor_1d(empty, F32, 4)), Error, /tensor "t": it has no memory yet/],
    [data([3], 8), RangeError, /expected 12 bytes for its type and shape, got 8/],
    [data([-1], 8), RangeError, /ne must be whole numbers, 0 or more, and ne\[0\] is the number -1/],
    [data([4, Symbol("s")], 8), RangeError, /and ne\[1\] is Symbol\(s\)/],
    [data([undefined], 8), RangeError, /and ne\[0\] is undefined/],
    [data([2], 8, Symbol("s")), TypeError, /tensor "t": expected a tensor type such as lib.GGML_TYPE_Q4_K, got Symbol\(s\)/],
    [tensor(gone), TypeError, /tensor "t": a Float32Array of 0: its memory was transferred elsewhere, or shrank/],
    [tensor({ data: new Float32Array(4), shape: [2], stride: [1], offset: -1 }), RangeError, /the ndarray of shape \[2\] reaches past/],
    [tensor(freed), Error, /tensor "t": the owner of this ggml_tensor was freed/],
    [data(3, 8), TypeError, /expected ne, the dimensions, fastest first, got the number 3/],
    [data([2 ** 50, 2 ** 50], 8), RangeError, /is too large/],
    [data([33], 8, lib.GGML_TYPE_Q8_0), RangeError, /its rows of 33 are no multiple of q8_0's block of 32/],
    [data([32], 8, 1000), RangeError, /tensor "t": there is no tensor type 1000/],
    [tensor({ type: F32, ne: [2], data: [new Uint8Array(4)] }), RangeError, /expected 8 bytes for its type and shape, got 4/],
    [tensor({ type: F32, ne: [2], data: [new Uint8Array(4), new Uint8Array(5)] }), RangeError, /expected 8 bytes .*, got 9 or more/],
    [tensor({ type: F32, ne: [2], data: ["no"] }), TypeError, /expected a Uint8Array as a piece of its data, got the string "no"/],
    [tensor({ type: F32, ne: [2], data: 5 }), TypeError, /expected bytes or pieces of bytes as data, got the number 5/],
  ];
  for (const [contents, type, message] of wrong) {
    const error = await assertRejects(() => writeGguf(path, contents as GgufContents), type);
    assertMatch(error.message, message);
    assert(error.message.startsWith(`writeGguf: ${path}: `), error.message);
  }
  await assertRejects(() => writeGguf(null as never, {}), TypeError, "writeGguf: expected a path, got null");
  assertEquals([...Deno.readDirSync(folder.path)], []);
});

Deno.test("a file is replaced when the new one is whole, and stays as it was when that fails", async () => {
  using folder = new Folder();
  const path = folder.file("model.gguf"), link = folder.file("link.gguf");
  await writeGguf(path, { metadata: { a: 1 } });
  const before = Deno.readFileSync(path);
  async function* breaking() {
    yield new Uint8Array(4);
    assertEquals([...Deno.readDirSync(folder.path)].length, 2); // the new one is beside it
    await Promise.resolve();
    throw new Error("the source broke");
  }
  await assertRejects(() => writeGguf(path, { tensors: { t: { type: F32, ne: [2], data: breaking } } }), Error, "the source broke");
  assertEquals(Deno.readFileSync(path), before);
  const ctx = init(), t = lib.ggml_new_tensor_1d(ctx, F32, 2);
  const freeing = writeGguf(path, { tensors: { t } });
  ctx[Symbol.dispose]();
  await assertRejects(() => freeing, Error, 'model.gguf: tensor "t": the owner of this ggml_tensor was freed');
  assertEquals(Deno.readFileSync(path), before);
  assertEquals([...Deno.readDirSync(folder.path)].length, 1);
  // A file may be written over while it is read.
  using file = readGguf(path);
  await assertRejects(
    () => writeGguf(path, { ...file, tensor: {} } as never),
    TypeError,
    "there is no option tensor; there are metadata, ",
  );
  await writeGguf(path, { metadata: new Map([...file.metadata, ["b", { type: "u8", value: 2 }]]) });
  assertEquals([...readFacts(path).metadata.keys()], ["a", "b"]);
  Deno.symlinkSync(path, link);
  await writeGguf(link, { metadata: { c: 3 } });
  assert(Deno.lstatSync(link).isSymlink);
  assertEquals([...readFacts(path).metadata.keys()], ["c"]);
  await assertRejects(() => writeGguf(`${folder.path}/none/x.gguf`, {}), Deno.errors.NotFound, "can't write beside it");
  await assertRejects(() => writeGguf(folder.path, {}), Error, `writeGguf: ${folder.path}: `);
});

Deno.test("a process that is killed while it writes leaves the old file", async () => {
  using folder = new Folder();
  const path = folder.file();
  await writeGguf(path, { metadata: { a: 1 } });
  const before = Deno.readFileSync(path);
  const { code } = await program(
    `
    import { writeGguf } from "@ggml/deno/utils";
    function* data() {
      yield new Uint8Array(2 ** 20);
      Deno.kill(Deno.pid, "SIGKILL");
    }
    await writeGguf(${JSON.stringify(path)}, { tensors: { t: { type: 0, ne: [2 ** 20], data } } });
  `,
    ["-A"],
  );
  assertEquals(code, 137);
  assertEquals(Deno.readFileSync(path), before);
  assertEquals([...Deno.readDirSync(folder.path)].length, 2); // and a part of the new one
  await writeGguf(path, { metadata: { b: 1 } });
  assertEquals([...Deno.readDirSync(folder.path)].length, 1);
});

Deno.test("without permission it says so before it writes", async () => {
  using folder = new Folder();
  const text = `
    import { writeGguf } from "@ggml/deno/utils";
    await writeGguf(${
    JSON.stringify(folder.path)
  } + "/x.gguf", {}).catch((error) => console.log(error instanceof Deno.errors.NotCapable, error.message));
  `;
  const permissions = ["--allow-ffi", `--allow-read=${folder.path}`];
  assertMatch((await program(text, ["--allow-ffi"])).stdout, /^true writeGguf: .*permission is missing: Requires read access/);
  assertMatch((await program(text, permissions)).stdout, /^true writeGguf: .*permission is missing: Requires write access/);
  assertEquals([...Deno.readDirSync(folder.path)], []);
  assertEquals((await program(text, [...permissions, `--allow-write=${folder.path}`])).stdout, "");
  assertEquals([...Deno.readDirSync(folder.path)].length, 1);
});

Deno.test("tensors of ggml, ndarrays, typed arrays, of other files and in pieces are read back as they were", async () => {
  using folder = new Folder();
  using ctx = init();
  const path = folder.file(), again = folder.file();
  const floats = Float32Array.from({ length: 96 }, (_, i) => Math.sin(i));
  const quantized = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_Q4_0, 32, 3);
  quantized.name = "named";
  copy(floats, quantized);
  using other = init({ noAlloc: true });
  const inBackend = lib.ggml_new_tensor_1d(other, F32, 96);
  using backend = lib.ggml_backend_cpu_init()!;
  using _buffer = lib.ggml_backend_alloc_ctx_tensors(other, backend)!;
  lib.ggml_backend_tensor_set(inBackend, floats, 0, floats.byteLength);
  const bytes = new Uint8Array(floats.buffer);
  async function* slowly() {
    for (let i = 0; i < bytes.length; i += 100) yield await Promise.resolve(bytes.subarray(i, i + 100));
  }
  await writeGguf(path, {
    tensors: {
      a: quantized,
      b: inBackend,
      c: ndarray(floats, [4, 3], [3, 1], 6),
      d: new Int8Array([1, 2, 3]).subarray(1),
      e: { type: F32, ne: [96], data: bytes },
      f: { type: F32, ne: [96], data: slowly },
      g: { type: F32, ne: [96], data: [bytes.subarray(0, 5), bytes.subarray(5)] },
      h: { type: F32, ne: [96, 1], data: () => bytes },
      i: new Float16Array(0),
    },
  });
  assertEquals(readFacts(path), readByC(path));
  using file = readGguf(path);
  const get = (name: string) => file.tensors.get(name)!;
  assertEquals(get("a").bytes(), quantized.data!.bytes(54));
  for (const name of "befgh") assertEquals(get(name).numbers().data, floats, name);
  assertEquals([get("c").ne, get("c").numbers().data], [[3, 4], floats.slice(6, 18)]);
  assertEquals([get("d").typeName, get("d").numbers<Int8Array>().data], ["i8", new Int8Array([2, 3])]);
  assertEquals([get("h").ne, get("i").ne], [[96, 1], [0]]);
  await writeGguf(again, { tensors: [quantized, get("a"), { name: "z", type: F32, ne: [1], data: new Uint8Array(4) }] });
  assertEquals(readFacts(again).tensors.map(({ name }) => name), ["named", "a", "z"]);
  await writeGguf(again, { tensors: file.tensors.values().filter(({ typeName }) => typeName !== "f32") });
  assertEquals(readFacts(again).tensors.map(({ name }) => name), ["a", "d", "i"]);
});

Deno.test("names whose bytes are no UTF-8 go from file to tensor to file as they are", async () => {
  using folder = new Folder();
  using ctx = init();
  const path = folder.file(), again = folder.file();
  const [fe, ff] = ["\udcfe", "\udcff"], cut = lib.ggml_new_tensor_1d(ctx, F32, 1);
  lib.ggml_set_name(cut, "é".repeat(40));
  await writeGguf(path, { tensors: { [fe]: new Float32Array(1), [ff]: new Float32Array(1), [cut.name]: cut } });
  using file = readGguf(path);
  assertEquals([...file.tensors.keys()], ["\udcfe", "\udcff", "é".repeat(31) + "\udcc3"]);
  const tensors = Array.from(file.tensors.values(), (tensor) => tensor.load(ctx));
  assertEquals(tensors.map(({ name }) => name), [...file.tensors.keys()]);
  await writeGguf(again, { tensors });
  assertEquals(Deno.readFileSync(again), Deno.readFileSync(path));
  // C's own reader and writer, too.
  using c = lib.gguf_init_from_file(path, new lib.gguf_init_params({ no_alloc: true }))!;
  assertEquals(lib.gguf_find_tensor(c, "\udcff"), 1);
  assertEquals(lib.gguf_get_tensor_name(c, 2), cut.name);
});

Deno.test("llama.cpp loads a model that was read and written again", async () => {
  using folder = new Folder();
  const path = folder.file(), copied = folder.file();
  writeTinyLlama(path);
  using file = readGguf(path);
  await writeGguf(copied, file);
  assertEquals(Deno.readFileSync(copied), Deno.readFileSync(path)); // C pads the last tensor, too
  using model = loadTinyLlama(copied);
  assertEquals(lib.llama_model_n_embd(model), 32);
});

/** Python's reader drops the type of an empty array. */
function pythonType({ type, value }: GgufValue): string {
  return type.endsWith("[]") && (value as ArrayLike<unknown>).length === 0 ? "empty[]" : type;
}

/** A value as text that Python prints the same. */
function plain({ type, value }: GgufValue): unknown {
  const number = (item: number | bigint) => {
    if (!type.startsWith("f")) return String(item);
    return new Uint8Array(new Float64Array([Number(item)]).buffer).toReversed().toHex();
  };
  const one = (item: unknown) => typeof item === "number" || typeof item === "bigint" ? number(item) : item;
  return typeof value === "object" ? Array.from(value as ArrayLike<unknown>, one) : one(value);
}

/** The Python that has the gguf package, and the block and type sizes that it has for each tensor type; null if none has. */
function python(): { command: string; sizes: Readonly<Record<number, [number, number]>> } | null {
  const script = "import gguf, json; print(json.dumps({int(t): sizes for t, sizes in gguf.GGML_QUANT_SIZES.items()}))";
  for (const command of [fromFileUrl(new URL("../../.cache/python/bin/python3", import.meta.url)), "python3"]) {
    try {
      const { success, stdout } = new Deno.Command(command, { args: ["-c", script], stderr: "null" }).outputSync();
      if (success) return { command, sizes: JSON.parse(new TextDecoder().decode(stdout)) };
    } catch {
      // not there
    }
  }
  console.warn("gguf_write_test.ts: no Python has the gguf package: pip install gguf; what it reads is not compared");
  return null;
}
const PYTHON = python();

/** True if Python can read such a tensor: it knows fewer types than ggml, has another size for Q8_1, and needs elements and dimensions. */
function isKnown({ type, ne, data }: { type: lib.ggml_type; ne: readonly number[]; data: Uint8Array }): boolean {
  const sizes = String([lib.ggml_blck_size(type), lib.ggml_type_size(type)]);
  return String(PYTHON!.sizes[type]) === sizes && data.length > 0 && ne.length > 0;
}

Deno.test("random metadata and tensors: C's reader reads what was written, and so do we, and written again it is the same", async () => {
  using folder = new Folder();
  load();
  const written = folder.file(), again = folder.file();
  await fc.assert(
    fc.asyncProperty(metadata, tensors, async (metadata, tensors) => {
      await writeGguf(written, { metadata, tensors });
      const facts = readFacts(written);
      assertEquals([...facts.metadata], [...metadata]);
      assertEquals(facts, readByC(written));
      using file = readGguf(written);
      for (const [name, { data, ne }] of tensors) {
        assertEquals(file.tensors.get(name)!.bytes(), data);
        assertEquals(file.tensors.get(name)!.ne, ne);
      }
      await writeGguf(again, file);
      assertEquals(Deno.readFileSync(again), Deno.readFileSync(written));
    }),
    { numRuns: 200, seed: 2026 },
  );
});

Deno.test({
  name: "Python's gguf package reads every key and every tensor's bytes the same",
  ignore: PYTHON === null,
  async fn() {
    using folder = new Folder();
    const models = `${await pinnedTree()}models/`;
    const paths = [folder.file(), `${models}ggml-vocab-llama-spm.gguf`, `${models}ggml-vocab-bert-bge.gguf`];
    using vocabulary = readGguf(paths[2]);
    await writeGguf(paths[2] = folder.file(), vocabulary);
    writeTinyLlama(paths[0]);
    const some = fc.sample(fc.tuple(metadata, tensors), { numRuns: 60, seed: 5 });
    for (const [metadata, tensors] of some) {
      const few = new Map([...tensors].filter(([, tensor]) => isKnown(tensor)));
      await writeGguf(paths[paths.push(folder.file()) - 1], { metadata, tensors: few });
    }
    const script = fromFileUrl(new URL("gguf/read.py", import.meta.url));
    const { stdout, stderr, success } = new Deno.Command(PYTHON!.command, { args: [script, ...paths] }).outputSync();
    assert(success, new TextDecoder().decode(stderr));
    const lines = new TextDecoder().decode(stdout).trim().split("\n");
    assertEquals(lines.length, paths.length);
    lines.forEach((line, i) => {
      using file = readGguf(paths[i]);
      const keys = Array.from(file.metadata, ([key, value]) => [key, [pythonType(value), plain(value)]]);
      const tensors = Array.from(file.tensors.values(), (tensor) => {
        const { name, type, ne, offset, byteLength } = tensor;
        return [name, type, ne, offset, byteLength, tensor.bytes().toHex()];
      });
      assertEquals(JSON.parse(line), { keys, tensors });
    });
  },
});
