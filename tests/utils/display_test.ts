/** What notebooks, terminals and files show of tensors, contexts, devices and backends. */

import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { decode } from "fast-png";
import { lib } from "@ggml/deno";
import { copy, init, ndarray, save, toHtml, toSvg } from "@ggml/deno/utils";
import { newTensor, wave } from "../context.ts";
import { deno, program } from "../process.ts";
import { byClass, byName, type Element, parseXml } from "./xml.ts";

const { GGML_TYPE_F32: F32 } = lib;
const DISPLAY = Symbol.for("Jupyter.display");

/** What Deno's kernel does with a value. */
async function bundle(value: unknown): Promise<Record<string, string>> {
  const result = await (value as Record<symbol, () => unknown>)[DISPLAY]();
  return result as Record<string, string>;
}

function cpu(): lib.ggml_backend_device {
  return lib.ggml_backend_reg_dev_get(lib.ggml_backend_cpu_reg(), 0)!;
}

/** The cells of a tensor's table, by their labels. */
function cells(html: Element): Record<string, string> {
  return Object.fromEntries(byName(html, "tr").map((row) => [byName(row, "th")[0].text, byName(row, "td")[0].text]));
}

/** The images of a picture, decoded: the colour at a row and a column. */
function images(svg: Element) {
  return byName(svg, "image").map(({ attributes: { href } }) => {
    const { width, height, data } = decode(Uint8Array.fromBase64(href.replace("data:image/png;base64,", "")));
    return {
      width,
      height,
      at: (row: number, column: number) => [...data.slice((row * width + column) * 4, (row * width + column) * 4 + 3)],
    };
  });
}

Deno.test("a notebook gets HTML and text of each kind of object", async () => {
  using ctx = init();
  using backend = lib.ggml_backend_cpu_init()!;
  const tensor = lib.ggml_set_f32(newTensor(ctx, F32, 4, 2), 1);
  const graph = lib.ggml_new_graph(ctx);
  lib.ggml_build_forward_expand(graph, lib.ggml_sqr(ctx, tensor));
  for (const value of [tensor, graph, ctx, cpu(), backend]) {
    const shown = await bundle(value);
    assertEquals(Object.keys(shown).sort(), ["text/html", "text/plain"]);
    assertEquals(byName(parseXml(shown["text/html"]), "svg").length, 1, value.constructor.name);
    assertEquals(shown["text/plain"], Deno.inspect(value));
    assertEquals(await bundle(value), shown);
    assertEquals(shown["text/html"], await toHtml(value));
    assertEquals(await bundle(Object.getPrototypeOf(value)), { "text/plain": `${value.constructor.name} {}` });
  }
});

Deno.test("a tensor's table says what it is, in which order its dimensions are, and where its numbers lie", async () => {
  using ctx = init();
  const a = newTensor(ctx, F32, 3, 2), b = newTensor(ctx, F32, 3, 2);
  a.name = "<b>a</b>";
  lib.ggml_set_output(a);
  assertEquals(cells(parseXml(await toHtml(lib.ggml_set_f32(a, 1)))), {
    type: "f32",
    "shape (row-major)": "[2, 3]",
    "ne (fastest first)": "[3, 2, 1, 1]",
    "nb (bytes, fastest first)": "[4, 12, 24, 24]",
    size: "24 B",
    memory: "the context's memory",
    operation: "none",
    "set as": "output",
  });
  const part = cells(parseXml(await toHtml(lib.ggml_view_1d(ctx, a, 3, 12))));
  assertEquals([part.memory, part.view], [
    "the context's memory, as a view of <b>a</b>, from byte 12 on",
    "VIEW of <b>a</b> (f32 ne=[3, 2])",
  ]);
  b.name = "b";
  assertEquals(cells(parseXml(await toHtml(lib.ggml_add(ctx, a, b)))).operation, "ADD of <b>a</b> (f32 ne=[3, 2]), b (f32 ne=[3, 2])");
  assertEquals(cells(parseXml(await toHtml(newTensor(ctx, F32, 1))))["shape (row-major)"], "[1]");
});

Deno.test("a heat map has a dot for each number, row by row, and a scale from the least to the greatest", async () => {
  using ctx = init();
  const a = newTensor(ctx, F32, 3, 2);
  copy([[0, 4, 8], [NaN, Infinity, -Infinity]], a);
  const svg = parseXml(await toSvg(a)), [image] = images(svg);
  assertEquals([image.width, image.height], [3, 2]);
  assertEquals([image.at(0, 0), image.at(0, 1), image.at(0, 2)], [[68, 1, 84], [33, 144, 141], [253, 231, 37]]); // viridis
  assertEquals([image.at(1, 0), image.at(1, 1), image.at(1, 2)], [[255, 0, 255], [0, 230, 60], [0, 0, 0]]);
  for (const text of ["all 6 numbers; min 0, max 8", "NaN: 1", "+∞: 1", "−∞: 1"]) assertStringIncludes(svg.text, text);
  copy([[-1, 0, 3], [0, 0, 0]], a);
  const [signed] = images(parseXml(await toSvg(a)));
  assertEquals([signed.at(0, 1), signed.at(0, 2)], [[247, 247, 247], [178, 24, 43]]); // 0 is white, whatever the range
  copy([[5, 5, 5], [5, 5, 5]], a);
  assertStringIncludes(parseXml(await toSvg(a)).text, "min 5, max 5");
  copy([[NaN, NaN, NaN], [NaN, NaN, NaN]], a);
  assertStringIncludes(parseXml(await toSvg(a)).text, "NaN: 6");
});

Deno.test("transposed, integer, half and quantized tensors are shown as their numbers", async () => {
  using ctx = init();
  const a = newTensor(ctx, F32, 3, 2);
  copy([[0, 1, 2], [3, 4, 8]], a);
  const [plain] = images(parseXml(await toSvg(a))), [turned] = images(parseXml(await toSvg(lib.ggml_transpose(ctx, a))));
  assertEquals([turned.width, turned.height], [2, 3]);
  for (const [row, column] of [[0, 2], [1, 0], [1, 1]]) assertEquals(turned.at(column, row), plain.at(row, column));
  for (const type of [lib.GGML_TYPE_F16, lib.GGML_TYPE_BF16, lib.GGML_TYPE_I32, lib.GGML_TYPE_I64]) {
    const b = newTensor(ctx, type, 3, 2);
    if (type === lib.GGML_TYPE_I64) copy(ndarray(new BigInt64Array([0n, 1n, 2n, 3n, 4n, 8n]), [2, 3]), b);
    else copy([[0, 1, 2], [3, 4, 8]], b);
    const [image] = images(parseXml(await toSvg(b)));
    for (let i = 0; i < 6; i++) assertEquals(image.at(Math.floor(i / 3), i % 3), plain.at(Math.floor(i / 3), i % 3), String(type));
  }
  const q = newTensor(ctx, lib.GGML_TYPE_Q8_0, 32, 2);
  copy(Float32Array.from({ length: 64 }, (_, i) => i < 32 ? 0 : 127), q);
  const [image] = images(parseXml(await toSvg(q)));
  assertEquals([image.at(0, 31), image.at(1, 0)], [[68, 1, 84], [253, 231, 37]]);
  const [turnedBlocks] = images(parseXml(await toSvg(lib.ggml_transpose(ctx, q))));
  assertEquals([turnedBlocks.width, turnedBlocks.height], [2, 32]);
  assertEquals([turnedBlocks.at(31, 0), turnedBlocks.at(0, 1)], [[68, 1, 84], [253, 231, 37]]);
});

Deno.test("of a large tensor some numbers are shown, and how many is said", async () => {
  using ctx = init({ memSize: 64 * 1024 * 1024 });
  const a = newTensor(ctx, F32, 1000, 500), long = newTensor(ctx, lib.GGML_TYPE_Q8_0, 65536, 32);
  copy(Float32Array.from({ length: 500_000 }, (_, i) => Math.floor(i / 1000)), a);
  copy(wave(65536 * 32), long);
  const svg = parseXml(await toSvg(a)), [image] = images(svg);
  assertEquals([image.width, image.height], [256, 128]);
  assertStringIncludes(svg.text, "32,768 of 500,000 numbers, evenly spaced");
  assertEquals(image.at(0, 0), [68, 1, 84]);
  assertEquals(image.at(127, 0), [253, 231, 37]); // the last row that is shown has the greatest number that is
  const [part] = images(parseXml(await toSvg(long)));
  assertEquals([part.width, part.height], [48, 16]);
});

Deno.test("of more than two dimensions there are several pictures, of one there is a line", async () => {
  using ctx = init();
  const a = newTensor(ctx, F32, 4, 3, 2, 2);
  copy(Float32Array.from({ length: 48 }, (_, i) => i), a);
  const svg = parseXml(await toSvg(a)), shown = images(svg);
  assertEquals(shown.map(({ width, height }) => [width, height]), Array(4).fill([4, 3]));
  assertEquals([shown[0].at(0, 0), shown[3].at(2, 3)], [[68, 1, 84], [253, 231, 37]]);
  for (const index of ["[0, 0]", "[0, 1]", "[1, 0]", "[1, 1]"]) assertStringIncludes(svg.text, index);
  const many = parseXml(await toSvg(lib.ggml_set_f32(newTensor(ctx, F32, 2, 2, 100), 1)));
  assertEquals(images(many).length, 12);
  const v = newTensor(ctx, F32, 6);
  copy([1, 2, NaN, 2, 3, Infinity], v);
  const line = parseXml(await toSvg(v));
  assertEquals(byName(line, "polyline").map(({ attributes: { points } }) => points.split(" ").length), [2, 2]);
  assertEquals(byName(line, "circle").length, 2);
  assertStringIncludes(line.text, "all 6 numbers; min 1, max 3");
  assertStringIncludes(parseXml(await toSvg(lib.ggml_set_f32(newTensor(ctx, F32, 1), 2))).text, "all 1 number; min 2, max 2");
  for (const ne of [[0], [0, 3], [3, 0], [2, 0, 2]]) {
    assertStringIncludes(parseXml(await toSvg(newTensor(ctx, F32, ...ne))).text, "no numbers");
  }
});

Deno.test("a context's bar is as wide as its memory, and names the largest tensors", async () => {
  using ctx = init({ memSize: 1024 * 1024 });
  for (let i = 0; i < 14; i++) newTensor(ctx, F32, 1024 * (i + 1)).name = `<t${i}>`;
  lib.ggml_new_graph(ctx);
  const svg = parseXml(await toSvg(ctx));
  const parts = byName(svg, "rect").filter((rect) => byName(rect, "title").length > 0);
  assertEquals(parts.length, 12); // ten tensors, the other four, and the graph
  assertStringIncludes(parts[0].text, "<t13> f32 ne=[14336]");
  const total = parts.reduce((sum, { attributes }) => sum + Number(attributes.width), 0);
  assert(Math.abs(total - 560 * lib.ggml_used_mem(ctx) / lib.ggml_get_mem_size(ctx)) < 0.1, String(total));
  for (const text of ["4 other tensors", "graphs and other objects", "free", "1 MiB"]) assertStringIncludes(svg.text, text);
  using empty = init({ noAlloc: true });
  newTensor(empty, F32, 1024);
  assertStringIncludes(parseXml(await toSvg(empty)).text, "made with noAlloc");
  using backend = lib.ggml_backend_cpu_init()!;
  using _buffer = lib.ggml_backend_alloc_ctx_tensors(empty, backend)!;
  assertStringIncludes(parseXml(await toSvg(empty)).text, "4 KiB of data in buffers of backends");
});

Deno.test("a device's card says what it is, its memory, and what it can", async () => {
  const svg = parseXml(await toSvg(cpu()));
  assertMatch(svg.text, /ggml_backend_device CPU/);
  assertMatch(svg.text, /[\d.]+ GiB of [\d.]+ GiB free/);
  for (const text of ["description", "buffer from host ptr", lib.ggml_backend_dev_description(cpu()).trim()]) {
    assertStringIncludes(svg.text, text);
  }
  if (Deno.build.arch === "x86_64") assertEquals(svg.text.includes("AVX2"), lib.ggml_cpu_has_avx2() === 1);
  using backend = lib.ggml_backend_cpu_init()!;
  assertStringIncludes(parseXml(await toSvg(backend)).text, "ggml_backend CPU on device CPU");
});

Deno.test("graphs, contexts, devices and backends say what they are in a terminal", () => {
  using ctx = init({ memSize: 1024 * 1024 });
  using backend = lib.ggml_backend_cpu_init()!;
  let x = newTensor(ctx, F32, 2);
  x.name = "x";
  for (let i = 0; i < 25; i++) x = lib.ggml_sqr(ctx, x);
  const graph = lib.ggml_new_graph(ctx);
  lib.ggml_build_forward_expand(graph, x);
  const lines = Deno.inspect(graph).split("\n");
  assertEquals(lines.length, 22);
  assertEquals(lines[0], "ggml_cgraph: 25 nodes, 1 leaf");
  assertEquals(lines[1], '   0  SQR  f32 ne=[2]  "node_0" of "x"');
  assertEquals(lines.at(-1), "  … and 5 more nodes");
  assertMatch(Deno.inspect(ctx), /^ggml_context: \[█+░+\] [\d.]+ KiB of 1 MiB used \(\d+%\), [\d.]+ KiB free, 26 tensors$/);
  assertMatch(Deno.inspect(cpu()), /^ggml_backend_device CPU \(CPU\): .+, [\d.]+ GiB of [\d.]+ GiB free/);
  assertMatch(Deno.inspect(backend), /^ggml_backend CPU on device CPU \(CPU\): /);
  assertEquals(Deno.inspect([graph]), "[ ggml_cgraph: 25 nodes, 1 leaf ]");
  for (const { prototype } of [lib.ggml_cgraph, lib.ggml_context, lib.ggml_backend, lib.ggml_backend_device]) {
    assertStringIncludes(Deno.inspect(prototype), "{}");
  }
});

Deno.test("what was freed, or has no memory, says so, and is never an exception in a notebook or terminal", async () => {
  const ctx = init(), backend = lib.ggml_backend_cpu_init()!;
  const tensor = newTensor(ctx, F32, 2), graph = lib.ggml_new_graph(ctx);
  using empty = init({ noAlloc: true });
  const none = newTensor(empty, F32, 2, 2), strange = newTensor(empty, lib.GGML_TYPE_Q4_0, 32);
  strange.ne = [31, 1, 1, 1];
  assertStringIncludes((await bundle(strange))["text/html"], "a row of 31 is not a multiple of q4_0");
  for (const type of [lib.GGML_TYPE_Q8_1, lib.GGML_TYPE_I8]) await bundle(newTensor(empty, type, 32, 2));
  assertStringIncludes((await bundle(none))["text/html"], "has no memory yet");
  assertMatch((await assertRejects(() => toSvg(none), Error)).message, /^toSvg: tensor .* has no memory yet/);
  const buffer = lib.ggml_backend_alloc_ctx_tensors(empty, backend)!;
  assertStringIncludes((await bundle(none))["text/html"], "all 4 numbers");
  assertStringIncludes((await bundle(newTensor(ctx, lib.GGML_TYPE_Q8_1, 32)))["text/html"], "ggml has no conversion from q8_1");
  lib.ggml_backend_buffer_free(buffer);
  assertMatch((await bundle(none))["text/html"], /was freed/);
  lib.ggml_free(ctx);
  lib.ggml_backend_free(backend);
  for (const value of [ctx, tensor, graph, backend]) {
    const shown = await bundle(value);
    assertStringIncludes(shown["text/html"], "was freed");
    assertStringIncludes(shown["text/plain"], "freed");
    assertStringIncludes(Deno.inspect(value), "freed");
    assertMatch((await assertRejects(() => toSvg(value), Error)).message, /^toSvg: .*freed/);
    assertMatch((await assertRejects(() => save(value, "x.svg"), Error)).message, /^save: .*freed/);
  }
});

Deno.test("save() writes .svg, .html and, of a tensor, .png", async () => {
  const folder = await Deno.makeTempDir();
  try {
    using ctx = init();
    const a = newTensor(ctx, F32, 3, 2);
    copy([[0, 4, 8], [1, 2, 3]], a);
    for (const value of [a, ctx, cpu()]) {
      await save(value, `${folder}/a.svg`);
      assertEquals(await Deno.readTextFile(`${folder}/a.svg`), await toSvg(value));
      await save(value, new URL(`file://${folder}/a.HTML`));
      const page = await Deno.readTextFile(`${folder}/a.HTML`);
      assertStringIncludes(page, await toHtml(value));
      parseXml(page.replace("<!DOCTYPE html>", ""));
    }
    await save(a, `${folder}/a.png`);
    const { width, height, data } = decode(await Deno.readFile(`${folder}/a.png`));
    assertEquals([width, height], [72, 48]);
    assertEquals([[...data.slice(0, 3)], [...data.slice(71 * 4, 71 * 4 + 3)]], [[68, 1, 84], [253, 231, 37]]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("save(), toSvg() and toHtml() say what is wrong", async () => {
  using ctx = init();
  const a = newTensor(ctx, F32, 2);
  for (
    const [call, message] of [
      [() => save(ctx, "x.jpg"), 'save: "x.jpg" must end in .svg, .html, .png'],
      [() => save(ctx, ""), 'save: "" must end in .svg, .html, .png'],
      [() => save(ctx, 1 as never), "save: expected a path, got the number 1"],
      [() => save(ctx, new URL("https://x/a.svg")), "save: expected a path or a file: URL, got https://x/a.svg"],
      [() => save(ctx, new URL("file:///%ff.svg")), "save: expected a URL whose escapes are UTF-8, got file:///%ff.svg"],
      [() => save(ctx, "x.png"), "save: a ggml_context can't be written as .png: use .svg or .html"],
      [() => save(null as never, "x.svg"), "save: expected a tensor, graph, context, device or backend, got null"],
      [() => toSvg({} as never), "toSvg: expected a tensor, graph, context, device or backend, got"],
      [() => toHtml(undefined as never), "toHtml: expected a tensor, graph, context, device or backend, got undefined"],
      [() => toSvg(a, { from: 1 }), "toSvg: { from, to } are nodes of a graph, and this is a ggml_tensor"],
      [() => toHtml(a, { to: 1 }), "toHtml: { from, to } are nodes of a graph, and this is a ggml_tensor"],
      [() => save(a, "x.png", 1 as never), "save: expected { from, to }, got the number 1"],
    ] as const
  ) assertStringIncludes((await assertRejects(call, TypeError)).message, message);
  await assertRejects(() => save(a, "no/such/folder.png"), Deno.errors.NotFound, `save: can't write "no/such/folder.png": `);
});

Deno.test("the example draws a network into a file, and says so", async () => {
  const folder = await Deno.makeTempDir(), path = `${folder}/graph.svg`;
  try {
    const { code, stdout, stderr } = await deno([
      "run",
      "--no-prompt",
      "--allow-ffi",
      `--allow-read=${folder}`,
      `--allow-write=${folder}`,
      "examples/show_graph.ts",
      path,
    ]);
    assertEquals(code, 0, stderr);
    assertMatch(stdout, /^MUL_MAT +node_0 +[\d.]+ ms, \d+%\n(.+\n){5}drew 6 nodes into /);
    const svg = parseXml(await Deno.readTextFile(path));
    assertEquals([byClass(svg, "node").length, byClass(svg, "leaf").length, byClass(svg, "edge").length], [6, 5, 10]);
    assertStringIncludes(svg.text, "computed in ");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("pictures need --allow-ffi and no more, files --allow-read and --allow-write", async () => {
  const { code, stdout, stderr } = await program(`
    import { lib } from "@ggml/deno";
    import { init, save, toHtml, toSvg } from "@ggml/deno/utils";
    using ctx = init();
    const a = lib.ggml_set_f32(lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, 4, 4), 1);
    const graph = lib.ggml_new_graph(ctx);
    lib.ggml_build_forward_expand(graph, lib.ggml_sqr(ctx, a));
    for (const value of [a, graph, ctx]) console.log((await toSvg(value)).length > 500, (await toHtml(value)).length > 500);
    await save(graph, "graph.svg").catch((error) => console.log(error.name, error.message));
  `);
  assertEquals(code, 0, stderr);
  assertMatch(
    stdout,
    /^(true true\n){3}NotCapable save: can't write "graph.svg": permission is missing: Requires read access to "graph.svg"/,
  );
});
