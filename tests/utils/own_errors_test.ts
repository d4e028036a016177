/** An error of a verb is its own: it doesn't begin with the name of a function that the caller never wrote. */

import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import * as utils from "@ggml/deno/utils";
import { Folder } from "../folder.ts";

const {
  compute,
  computeAsync,
  copy,
  copyAsync,
  init,
  loadWeights,
  ndarray,
  onLog,
  quantizationError,
  quantize,
  readGguf,
  tensor,
  writeGguf,
} = utils;

/** The message of what a call throws, now or later; null for none. */
async function messageOf(call: () => unknown): Promise<string | null> {
  try {
    const result = call();
    if (result instanceof Promise) await result;
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

Deno.test("whatever is wrong with an argument, the error begins with the verb's name", async () => {
  using folder = new Folder();
  using ctx = init();
  const a = tensor(ctx, [[1, 2], [3, 4]]), q = tensor(ctx, [new Float32Array(32)], { type: lib.GGML_TYPE_Q8_0 });
  const graph = lib.ggml_new_graph(ctx), gone = init(), freed = tensor(gone, [1]), detached = new Float32Array(4);
  lib.ggml_build_forward_expand(graph, lib.ggml_sqr(ctx, a));
  lib.ggml_free(gone);
  structuredClone(detached, { transfer: [detached.buffer] });
  const odd: unknown[] = [undefined, null, 5, "a", "a\0", [], [[1, 2], [3]], [1, "x"], [[[[[1]]]]], {}, new Map(), Symbol("s"), () => {}];
  odd.push(new Uint8Array(3), new Uint32Array(3), detached, new DataView(new ArrayBuffer(8)), new Float32Array(new SharedArrayBuffer(8)));
  odd.push(
    { shape: [5, 5], stride: [5, 1], offset: 0, data: new Float32Array(2) },
    { shape: [1.5], stride: [1], offset: 0, data: new Float32Array(2) },
    freed,
    gone,
    a,
    q,
    graph,
  );
  const q8 = lib.GGML_TYPE_Q8_0, svg = `${folder.path}/a.svg`, gguf = `${folder.path}/a.gguf`, npy = `${folder.path}/a.npy`;
  const entry = { type: lib.GGML_TYPE_F32, ne: [4], offset: 0, byteLength: 16 };
  const calls: Record<string, ((odd: never) => unknown)[]> = {
    tensor: [(x) => tensor(x, [1]), (x) => tensor(ctx, x), (x) => tensor(ctx, x, { type: q8 }), (x) => tensor(ctx, [1], { type: x })],
    copy: [(x) => copy(x, a), (x) => copy(a, x), (x) => copy([1], q, x)],
    copyAsync: [(x) => copyAsync(x, a), (x) => copyAsync(a, x), (x) => copyAsync([1], q, x)],
    view: [(x) => utils.view(x), (x) => utils.view(q, { allowCopy: x }), (x) => utils.view(a, { dims: x })],
    toArray: [(x) => utils.toArray(x)],
    slice: [(x) => utils.slice(x, 0), (x) => utils.slice(a, x)],
    formatTensor: [(x) => utils.formatTensor(x), (x) => utils.formatTensor(a, x)],
    compute: [(x) => compute(x), (x) => compute(graph, x), (x) => compute(graph, { backend: x })],
    computeAsync: [(x) => computeAsync(x), (x) => computeAsync(graph, x), (x) => computeAsync(graph, { threads: x })],
    timings: [(x) => utils.timings(x)],
    init: [(x) => init(x), (x) => init({ memSize: x }), (x) => init({ memBuffer: x })],
    ndarray: [(x) => ndarray(x), (x) => ndarray(new Float32Array(4), x), (x) => ndarray(new Float32Array(4), [4], x)],
    quantize: [(x) => quantize(x, q8), (x) => quantize([1], x), (x) => quantize([1], q8, { imatrix: x })],
    quantizationError: [(x) => quantizationError(x, q8), (x) => quantizationError([1], x)],
    dequantize: [(x) => utils.dequantize(x, q8), (x) => utils.dequantize(new Uint8Array(4), x)],
    own: [(x) => utils.own(x)],
    borrow: [(x) => [a, q, graph].includes(x) ? null : utils.borrow(x)],
    onLog: [(x) => onLog(x)[Symbol.dispose]()],
    toSvg: [(x) => utils.toSvg(x), (x) => utils.toSvg(graph, { from: x })],
    toHtml: [(x) => utils.toHtml(x), (x) => utils.toHtml(graph, { to: x })],
    save: [(x) => utils.save(x, svg), (x) => utils.save(a, x)],
    readNpy: [(x) => utils.readNpy(x)],
    readNpz: [(x) => utils.readNpz(x)],
    writeNpy: [(x) => utils.writeNpy(npy, x), (x) => utils.writeNpy(npy, a, { dims: x })],
    writeNpz: [(x) => utils.writeNpz(npy, x), (x) => utils.writeNpz(npy, { a: x })],
    readGguf: [(x) => readGguf(x)],
    readSafetensors: [(x) => utils.readSafetensors(x)],
    writeGguf: [(x) => writeGguf(gguf, x), (x) => writeGguf(gguf, { tensors: { a: x } }), (x) => writeGguf(gguf, { metadata: { a: x } })],
    loadWeights: [
      (x) => loadWeights(x),
      (x) => loadWeights("none.gguf", x),
      (x) => x === freed ? null : loadWeights({ path: "README.md", tensors: new Map([["a", x]]) }),
      (x) => loadWeights({ path: "README.md", tensors: new Map([["a", { ...entry, ne: x }]]) }),
      (x) => loadWeights({ path: "README.md", tensors: new Map([["a", { ...entry, type: x }]]) }),
    ],
    "rpc.connect": [(x) => utils.rpc.connect(x)],
  };
  for (const [name, ways] of Object.entries(calls)) {
    for (const [i, way] of ways.entries()) {
      let failed = 0;
      for (const value of odd) {
        const message = await messageOf(() => way(value as never));
        if (message === null) continue;
        failed++;
        assert(message.startsWith(`${name}: `), `${name}, way ${i}: ${message}`);
      }
      assert(failed > 0, `${name}, way ${i}, takes anything`);
    }
  }
});

Deno.test("what C fails of while it computes is the error of compute, and of computeAsync; an operator's stays as it is", async () => {
  using _silence = onLog(() => {});
  using ctx = init();
  using backend = lib.ggml_backend_cpu_init()!;
  const graphOf = (node: lib.ggml_tensor) => {
    const graph = lib.ggml_new_graph(ctx);
    lib.ggml_build_forward_expand(graph, node);
    return graph;
  };
  const integers = () => graphOf(lib.ggml_sqr(ctx, lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_I32, 64)));
  for (const options of [{}, { backend }, { timing: true }, { backend, timing: true }]) {
    const says = `: node 0 (SQR "node_`;
    const error = assertThrows(() => compute(integers(), options), Error, `compute${says}`);
    assertStringIncludes((error.cause as Error).message, "graph_compute: node 0");
    assertStringIncludes((await assertRejects(() => computeAsync(integers(), options), Error)).message, `computeAsync${says}`);
  }
  for (const thrown of [new RangeError("ggml_add: mine"), null]) {
    const operator = new lib.ggml_custom1_op_t(() => {
      throw thrown;
    });
    const graph = graphOf(lib.ggml_map_custom1(ctx, tensor(ctx, [1]), operator, 1, null));
    let got: unknown = "nothing";
    try {
      compute(graph);
    } catch (error) {
      got = error;
    }
    assertEquals(got, thrown);
  }
});

Deno.test("what a grid can't quantize is the error of the verb that quantizes", async () => {
  using ctx = init();
  const type = lib.GGML_TYPE_IQ2_XXS, numbers = new Float32Array(256).fill(NaN), options = { imatrix: new Float32Array(256).fill(1) };
  const target = () => lib.ggml_new_tensor_1d(ctx, type, 256), says = ": iq2_xxs takes numbers up to ";
  assertThrows(() => quantize(numbers, type, options), RangeError, `quantize${says}`);
  assertThrows(() => quantizationError(numbers, type, options), RangeError, `quantizationError${says}`);
  assertThrows(() => copy(numbers, target(), options), RangeError, `copy${says}`);
  assertThrows(() => tensor(ctx, numbers, { type, ...options }), RangeError, `tensor${says}`);
  await assertRejects(() => copyAsync(numbers, target(), options), RangeError, `copyAsync${says}`);
});

Deno.test("a context that is full is the error of what makes a tensor in it", async () => {
  using _silence = onLog(() => {});
  using folder = new Folder();
  using ctx = init({ memSize: 512 });
  const path = folder.file();
  await writeGguf(path, { tensors: { a: new Float32Array(300) } });
  using file = readGguf(path);
  const says = /: assertion failed: .*: the context's memory is full: 0 of 512 bytes are used$/;
  const messages = [() => tensor(ctx, new Float32Array(300)), () => file.tensors.get("a")!.load(ctx)].map((make) =>
    assertThrows(make, Error).message
  );
  assertEquals(messages.map((message) => message.replace(says, "")), ["tensor", 'load of tensor "a"']);
});

Deno.test("what gives nothing back, as repacked weights, is the error of the verb that reads it", async () => {
  using _silence = onLog(() => {});
  using folder = new Folder();
  const path = folder.file(), npy = `${folder.path}/a.npy`;
  const data = quantize(new Float32Array(64 * 64).fill(1), lib.GGML_TYPE_Q4_0, { rowLength: 64 });
  await writeGguf(path, { tensors: { w: { type: lib.GGML_TYPE_Q4_0, ne: [64, 64], data } } });
  using weights = await loadWeights(path, { repack: true });
  const w = weights.tensors.get("w")!, floats = new Float32Array(64 * 64);
  if (lib.ggml_backend_buffer_is_host(w.buffer!)) return console.warn("SKIPPED repacked weights: this processor has no buffers for them");
  const reads: Record<string, () => unknown> = {
    view: () => utils.view(w, { allowCopy: true }),
    toArray: () => utils.toArray(w),
    formatTensor: () => utils.formatTensor(w),
    copy: () => copy(w, floats),
    copyAsync: () => copyAsync(w, floats),
    quantize: () => quantize(w, lib.GGML_TYPE_Q8_0),
    quantizationError: () => quantizationError(w, lib.GGML_TYPE_Q8_0),
    writeNpy: () => utils.writeNpy(npy, w),
    writeNpz: () => utils.writeNpz(npy, { w }),
    writeGguf: () => writeGguf(`${path}.copy`, { tensors: { w } }),
    toSvg: () => utils.toSvg(w),
  };
  for (const [name, read] of Object.entries(reads)) {
    const message = await messageOf(read);
    assert(message?.startsWith(`${name}: `), `${name}: ${message}`);
    if (name !== "copyAsync") assertStringIncludes(message!, "which takes whole tensors that it has kernels for, and gives none back");
  }
});
