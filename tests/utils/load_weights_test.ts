/** loadWeights: mapped, copied and repacked tensors hold the same numbers, and nothing outlives its owner or is left behind by an error. */

import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { compute, computeAsync, copy, init, loadWeights, ndarray, quantize, readGguf, readSafetensors } from "@ggml/deno/utils";
import { tensor, toArray, view, type Weights, writeGguf } from "@ggml/deno/utils";
import { wave } from "../context.ts";
import { Folder } from "../folder.ts";
import { program } from "../process.ts";

const { GGML_TYPE_F16, GGML_TYPE_I32, GGML_TYPE_Q4_0, GGML_TYPE_Q8_0 } = lib;

/** Where the system maps files. */
const maps = Deno.build.os !== "windows";

const COLUMNS = 256, ROWS = 64;

/** A file of matrices of several types, a vector, a scalar and a tensor without elements. */
async function writeModel(path: string): Promise<void> {
  const numbers = wave(COLUMNS * ROWS);
  const matrix = (type: lib.ggml_type) => ({ type, ne: [COLUMNS, ROWS], data: quantize(numbers, type, { rowLength: COLUMNS }) });
  await writeGguf(path, {
    tensors: {
      "token_embd.weight": matrix(GGML_TYPE_Q4_0),
      "norm.weight": wave(COLUMNS),
      "up.weight": matrix(GGML_TYPE_Q4_0),
      "down.weight": matrix(GGML_TYPE_Q8_0),
      "half.weight": { type: GGML_TYPE_F16, ne: [3], data: new Uint8Array(new Float16Array([1, 2, 3]).buffer) },
      "one": { type: GGML_TYPE_I32, ne: [], data: new Uint8Array([7, 0, 0, 0]) },
      "none": { type: GGML_TYPE_I32, ne: [0], data: new Uint8Array(0) },
    },
  });
}

/** Which buffers there are, and how many bytes of the file are in each. */
function kindsOf({ buffers }: Weights): [string, number][] {
  return buffers.map(({ kind, byteLength }) => [kind, byteLength]);
}

/** Throws unless the tensors hold what the file does. */
function expectSame({ tensors }: Weights, path: string): void {
  using file = readGguf(path);
  for (const [name, { type, ne, byteLength, ...entry }] of file.tensors) {
    const there = tensors.get(name)!;
    assertEquals([there.name, there.type, lib.ggml_nbytes(there)], [name, type, byteLength]);
    assertEquals([...there.ne], [...ne, 1, 1, 1, 1].slice(0, 4), entry.typeName);
    if (byteLength > 0) assertEquals(there.data!.bytes(byteLength), file.tensors.get(name)!.bytes(), name);
  }
}

/** x times a matrix. */
function multiply(matrix: lib.ggml_tensor, x: Float32Array): Float32Array {
  using ctx = init();
  const product = lib.ggml_mul_mat(ctx, matrix, tensor(ctx, x)), graph = lib.ggml_new_graph(ctx);
  lib.ggml_build_forward_expand(graph, product);
  compute(graph);
  return toArray(product);
}

Deno.test("loadWeights: mapped, copied, from an open file, with a backend: the same bytes each time", async () => {
  using folder = new Folder();
  const path = folder.file();
  await writeModel(path);
  using file = readGguf(path);
  using backend = lib.ggml_backend_cpu_init()!;
  const total = file.tensors.values().reduce((sum, { byteLength }) => sum + byteLength, 0);
  const ways: [string | URL | typeof file, object, [string, number][]][] = [
    [path, {}, maps ? [["mapped", total], ["copied", 0]] : [["copied", total]]],
    [new URL(`file://${path}`), { map: false }, [["copied", total]]],
    [file, { backend }, maps ? [["mapped", total], ["copied", 0]] : [["copied", total]]],
    [{ path, tensors: file.tensors } as never, { map: false, backend }, [["copied", total]]],
  ];
  for (const [from, options, kinds] of ways) {
    using weights = await loadWeights(from, options);
    assertEquals([...weights.tensors.keys()], [...file.tensors.keys()]);
    assertEquals(kindsOf(weights), kinds);
    expectSame(weights, path);
  }
  assertEquals(file.tensors.get("one")!.numbers<Int32Array>().data[0], 7); // the caller's file is still open
});

Deno.test("loadWeights: what is selected is loaded, and an alias is the same tensor", async () => {
  using folder = new Folder();
  const path = folder.file();
  await writeModel(path);
  using weights = await loadWeights(path, { select: (name) => name !== "one", alias: { "output.weight": "token_embd.weight" } });
  assertEquals(weights.tensors.has("one"), false);
  assert(weights.tensors.get("output.weight") === weights.tensors.get("token_embd.weight"));
  await assertRejects(() => loadWeights(path, { alias: { b: "c" } }), Error, 'alias "b": there is no tensor "c"');
  await assertRejects(() => loadWeights(path, { alias: { one: "none" } }), Error, 'alias "one": there is a tensor of that name already');
});

Deno.test("loadWeights: repacked weights multiply as plain ones do, and an alias of another kind has its own memory", async () => {
  using folder = new Folder();
  const path = folder.file();
  await writeModel(path);
  const options = { repack: (name: string) => /^(up|output)/.test(name), alias: { "output.weight": "token_embd.weight" } };
  using plain = await loadWeights(path), repacked = await loadWeights(path, options);
  const found = repacked.buffers.find(({ kind }) => kind === "repacked");
  if (found === undefined) {
    console.warn("SKIPPED loadWeights repacked: this processor has no buffers of its own for q4_0");
    return;
  }
  const bytes = plain.tensors.get("up.weight")!.nb[1] * ROWS;
  assertEquals(found.byteLength, 2 * bytes);
  const [embedding, output, up] = ["token_embd", "output", "up"].map((name) => repacked.tensors.get(`${name}.weight`)!);
  assertEquals([up.buffer!.equals(found.buffer), output.buffer!.equals(found.buffer), embedding.buffer!.equals(found.buffer)], [
    true,
    true,
    false,
  ]);
  const x = wave(COLUMNS), expected = multiply(plain.tensors.get("up.weight")!, x);
  for (const matrix of [up, output, embedding]) {
    const got = multiply(matrix, x), largest = Math.max(...expected.map(Math.abs));
    assert(got.every((value, i) => Math.abs(value - expected[i]) <= 1e-5 * largest), `${got.slice(0, 4)} for ${expected.slice(0, 4)}`);
  }
  assertThrows(() => view(up, { allowCopy: true }), Error, "takes whole tensors that it has kernels for, and gives none back");
  using ctx = init();
  const graph = lib.ggml_new_graph(ctx);
  lib.ggml_build_forward_expand(graph, lib.ggml_get_rows(ctx, up, tensor(ctx, Int32Array.of(1))));
  assertThrows(() => compute(graph), Error, "is not supported by the CPU backend");
});

Deno.test("loadWeights: tensors of a safetensors file, and of a format that the caller knows, aligned or not", async () => {
  using folder = new Folder();
  for (const padding of [0, 1, 8, 24]) {
    const path = folder.file();
    const header = `{"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"b":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[16,17]}}`;
    const text = new TextEncoder().encode(header.padEnd(120 + padding)); // the data begins at byte 128 + padding
    const head = new Uint8Array(BigUint64Array.of(BigInt(text.length)).buffer), data = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
    Deno.writeFileSync(path, new Uint8Array([...head, ...text, ...data, 1]));
    await assertRejects(() => loadWeights(path), TypeError, 'tensor "b": ggml hasn\'t got its type');
    using file = readSafetensors(path);
    for (
      const from of [path, file, {
        path,
        tensors: new Map([["a", { type: 0 as lib.ggml_type, ne: [2, 2], offset: 128 + padding, byteLength: 16 }]]),
      }]
    ) {
      using weights = await loadWeights(from, { select: (name) => name === "a" });
      assertEquals(weights.buffers.map(({ kind }) => kind), [maps && padding === 0 ? "mapped" : "copied"]);
      assertEquals(view(weights.tensors.get("a")!).data, Float32Array.of(1, 2, 3, 4));
    }
  }
});

Deno.test("loadWeights: writing to a tensor doesn't change the file that it is mapped from", async () => {
  using folder = new Folder();
  const path = folder.file();
  await writeModel(path);
  const before = Deno.readFileSync(path);
  using weights = await loadWeights(path);
  copy(new Float32Array(COLUMNS).fill(1), weights.tensors.get("norm.weight")!);
  assertEquals(toArray(weights.tensors.get("norm.weight")!), new Float32Array(COLUMNS).fill(1));
  assertEquals(Deno.readFileSync(path), before);
});

Deno.test("loadWeights: progress rises to the end, the event loop turns, and an abort in between is what it rejects with", async () => {
  using folder = new Folder();
  const path = folder.file(), size = 64 * 2 ** 20;
  await writeGguf(path, { tensors: { a: new Float32Array(size / 4), b: new Float32Array(3) } });
  const seen: [number, number][] = [];
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  using _ = await loadWeights(path, { map: false, onProgress: (done, total) => seen.push([done, total]) });
  clearInterval(timer);
  assert(seen.length > 10 && turns > 0, `${seen.length} reports, ${turns} turns`);
  assertEquals(seen.at(-1), [size + 12, size + 12]);
  assert(seen.every(([done, total], i) => total === size + 12 && (i === 0 || done > seen[i - 1][0])));
  const mapped: [number, number][] = [];
  using _mapped = await loadWeights(path, { onProgress: (done, total) => mapped.push([done, total]) });
  assertEquals(mapped.at(-1), [size + 12, size + 12]);

  const stop = new AbortController(), reason = new Error("enough");
  const loading = loadWeights(path, { map: false, signal: stop.signal, onProgress: (done) => done > size / 2 && stop.abort(reason) });
  assertEquals(await assertRejects(() => loading), reason);
  await assertRejects(() => loadWeights(path, { signal: AbortSignal.abort() }), DOMException, "aborted");
  const thrower = () => {
    throw new Error("mine");
  };
  await assertRejects(() => loadWeights(path, { map: false, onProgress: thrower }), Error, "mine");
});

Deno.test("loadWeights: what is no model's file, or none that fits, is an Error that says why", async () => {
  using folder = new Folder();
  const path = folder.file();
  await writeModel(path);
  const bytes = Deno.readFileSync(path), fails = (file: unknown, options?: unknown) => () => loadWeights(file as string, options as object);
  await assertRejects(fails(`${folder.path}/nothing`), Deno.errors.NotFound, "loadWeights: ");
  await assertRejects(fails(folder.path), TypeError, "is not a file");
  await assertRejects(fails(folder.write(new Uint8Array(0))), Error, "got one that is empty");
  await assertRejects(
    fails(folder.write(new TextEncoder().encode("PK\x03\x04, a zip"))),
    Error,
    'got one that begins with "PK\\u0003\\u0004"',
  );
  const short = await assertRejects(fails(folder.write(bytes.slice(0, bytes.length - 20_000))), Error);
  assertStringIncludes(short.message, "reach beyond the end of the file");
  assertEquals(short.name, "GgufError");
  await assertRejects(fails(folder.write(bytes.slice(0, 20))), Error, "loadWeights: ");
  await assertRejects(fails(5), TypeError, "expected a path, or an open file as { path, tensors }, got the number 5");
  const known = (entry: object) => ({ path, tensors: new Map([["a", { type: 0, ne: [4], offset: 0, byteLength: 16, ...entry }]]) });
  await assertRejects(fails(known({ byteLength: 15 })), RangeError, 'tensor "a": f32 of ne=[4] has 16 bytes, and the file 15');
  await assertRejects(fails(known({ offset: 1e9 })), RangeError, "reach beyond the end of the file");
  await assertRejects(fails(known({ offset: -1 })), RangeError, "expected a whole number of bytes as offset, got the number -1");
  await assertRejects(fails(known({ ne: [1, 1, 1, 1, 1] })), RangeError, "expected at most 4 dimensions, got the shape [1, 1, 1, 1, 1]");
  await assertRejects(fails({ path, tensors: new Map([["a", null]]) }), TypeError, "expected { type, ne, offset, byteLength }, got null");
  await assertRejects(fails(known({ ne: [4, NaN] })), TypeError, "expected an array of whole numbers as ne, got [");
  await assertRejects(fails({ path, tensors: new Map([["n".repeat(64), known({}).tensors.get("a")]]) }), RangeError, "nnnn");

  await assertRejects(fails(path, null), TypeError, "expected { backend, map, repack, … }, got null");
  for (const name of ["map", "repack", "select", "alias", "signal", "onProgress", "backend"]) {
    await assertRejects(fails(path, { [name]: 5 }), TypeError, `loadWeights: ${name} must be`);
  }
  const backend = lib.ggml_backend_cpu_init()!;
  backend[Symbol.dispose]();
  await assertRejects(fails(path, { backend }), Error, "loadWeights: this ggml_backend was freed");
});

Deno.test("loadWeights: what was disposed of can't be used, nor what points to it; what is in use can't be disposed of", async () => {
  using folder = new Folder();
  const path = folder.file();
  await writeModel(path);
  for (const map of [true, false]) {
    const weights = await loadWeights(path, { map }), norm = weights.tensors.get("norm.weight")!;
    using ctx = init();
    const graph = lib.ggml_new_graph(ctx), sum = lib.ggml_add(ctx, tensor(ctx, wave(COLUMNS)), norm), { data } = view(norm);
    lib.ggml_build_forward_expand(graph, sum);
    const computing = computeAsync(graph);
    assertThrows(() => weights[Symbol.dispose](), Error, "computeAsync is using it");
    await computing;
    assertEquals(toArray(sum)[5], wave(COLUMNS)[5] * 2);
    weights[Symbol.dispose]();
    weights[Symbol.dispose]();
    assertEquals(data.length, 0);
    assertThrows(() => view(norm), Error, "was freed");
    assertThrows(() => compute(graph), Error, "was freed");
    assertThrows(() => lib.ggml_backend_buffer_get_size(weights.buffers[0].buffer), Error, "was freed");
  }
});

/** Loads a file, drops all but one tensor, then that, too; says each time whether the file is mapped still. */
const COLLECT = `import { lib } from "@ggml/deno";
  import { loadWeights, toArray } from "@ggml/deno/utils";
  const [path] = [Deno.env.get("MODEL")];
  const isMapped = () => Deno.readTextFileSync("/proc/self/maps").includes(path);
  const collect = async () => { for (let i = 0; i < 10; i++) { gc(); await new Promise((resolve) => setTimeout(resolve, 5)); } };
  const answers = [];
  let tensor = (await loadWeights(path)).tensors.get("norm.weight");
  await collect();
  answers.push(isMapped(), toArray(tensor)[0]);
  let numbers = tensor.data.bytes(4);
  tensor = null;
  await collect();
  answers.push(isMapped(), new Float32Array(numbers.buffer)[0]);
  await (async () => { using weights = await loadWeights(path); answers.push(isMapped()); })();
  const failed = await loadWeights(path, { onProgress() { throw new Error("mine"); } }).catch((error) => error.message);
  answers.push(failed);
  console.log(JSON.stringify(answers));
  numbers = null;
  await (async () => { await loadWeights(path); })();
  await collect();
  console.log(isMapped());`;

Deno.test({
  name: "loadWeights: the file stays mapped for as long as one tensor or its memory can be reached, and no longer",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using folder = new Folder();
    const path = folder.file();
    await writeModel(path);
    const permissions = ["--allow-all", "--v8-flags=--expose-gc"]; // all, for /proc is read by nobody else
    const { code, stdout, stderr } = await program(COLLECT, permissions, { MODEL: path });
    assertEquals([code, stderr], [0, ""]);
    const [kept, left] = stdout.trim().split("\n");
    assertEquals(JSON.parse(kept), [true, wave(1)[0], true, wave(1)[0], true, "mine"]);
    assertEquals(left, "false");
  },
});

Deno.test("loadWeights: a file that may not be read is not mapped either", async () => {
  using folder = new Folder();
  const path = folder.file();
  await writeModel(path);
  const text = `import { loadWeights } from "@ggml/deno/utils";
    const { name, message } = await loadWeights(${JSON.stringify(path)}).catch((error) => error);
    console.log(name, message.includes("permission is missing"));`;
  const { stdout, stderr } = await program(text, ["--allow-ffi"]);
  assertEquals([stdout, stderr], ["NotCapable true\n", ""]);
});

Deno.test("loadWeights: a matrix with more rows than a buffer may have bytes is an Error, and nothing stays behind", async () => {
  using folder = new Folder();
  const path = folder.write(new Uint8Array(64)),
    tensors = new Map([["a", { type: lib.GGML_TYPE_F32, ne: [2 ** 50], offset: 0, byteLength: 2 ** 52 }]]);
  await assertRejects(() => loadWeights({ path, tensors }, { map: false }), RangeError, "reach beyond the end of the file, 64");
  using weights = await loadWeights({
    path,
    tensors: new Map([["a", { type: lib.GGML_TYPE_F32, ne: [4, 4], offset: 0, byteLength: 64 }]]),
  });
  assertEquals(view(weights.tensors.get("a")!).shape, ndarray(new Float32Array(16), [4, 4]).shape);
});

Deno.test("loadWeights: a file that was replaced, written to or removed since it was opened is an Error, not other numbers", async () => {
  using folder = new Folder();
  const path = folder.file(), write = (t: number[]) => writeGguf(path, { tensors: { t: Float32Array.from(t) } });
  const safetensors = folder.write(safetensorsOf([1, 2]));
  for (const map of [true, false]) {
    await write([1, 2, 3]);
    using file = readGguf(path), other = readSafetensors(safetensors);
    using same = await loadWeights(file, { map });
    assertEquals([...toArray(same.tensors.get("t")!)], [1, 2, 3]);
    await write([4, 5, 6]);
    await assertRejects(() => loadWeights(file, { map }), Error, `${path} was replaced or written to since it was opened`);
    await assertRejects(() => loadWeights({ path, tensors: file.tensors }, { map }), Error, "was replaced or written to");
    assertEquals([...file.tensors.get("t")!.numbers().data], [1, 2, 3]);
    Deno.writeFileSync(safetensors, safetensorsOf([3, 4]));
    Deno.utimeSync(safetensors, 1, map ? 1 : 2); // a later one than before, however fast this is
    await assertRejects(() => loadWeights(other, { map }), Error, "was replaced or written to");
    Deno.removeSync(path);
    await assertRejects(() => loadWeights(file, { map }), Deno.errors.NotFound);
  }
});

/** A safetensors file of one tensor. */
function safetensorsOf(numbers: number[]): Uint8Array {
  const header = `{"t":{"dtype":"F32","shape":[${numbers.length}],"data_offsets":[0,${4 * numbers.length}]}}`;
  const length = new Uint8Array(BigUint64Array.of(BigInt(header.length)).buffer), data = new Uint8Array(Float32Array.from(numbers).buffer);
  return new Uint8Array([...length, ...new TextEncoder().encode(header), ...data]);
}
