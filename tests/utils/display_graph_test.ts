/** Pictures of graphs: boxes, arrows, labels, times. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { lib } from "@ggml/deno";
import { compute, init, timings, toHtml, toSvg } from "@ggml/deno/utils";
import { newTensor } from "../context.ts";
import { byClass, byName, type Element, parseXml } from "./xml.ts";

const F32 = lib.GGML_TYPE_F32;

function graphOf(ctx: lib.ggml_context, ...results: lib.ggml_tensor[]): lib.ggml_cgraph {
  const graph = lib.ggml_new_graph_custom(ctx, 16384, false);
  for (const result of results) lib.ggml_build_forward_expand(graph, result);
  return graph;
}

/** relu(w · x + b), transposed. */
function layer(ctx: lib.ggml_context) {
  const w = newTensor(ctx, lib.GGML_TYPE_Q8_0, 64, 16), x = newTensor(ctx, F32, 64, 3), b = newTensor(ctx, F32, 16);
  [w.name, x.name, b.name] = ["weights", "input", "bias"];
  lib.ggml_set_input(x);
  const result = lib.ggml_transpose(ctx, lib.ggml_relu(ctx, lib.ggml_add(ctx, lib.ggml_mul_mat(ctx, w, x), b)));
  result.name = "result";
  return { graph: graphOf(ctx, result), tensors: [w, x, b] };
}

/** The lines of text of each box of a class. */
function labels(svg: Element, kind: string): string[][] {
  return byClass(svg, kind).map((box) => byName(box, "text").map(({ text }) => text));
}

/** Where the box of a class and title lies. */
function boxOf(svg: Element, kind: string, title: string) {
  const found = byClass(svg, kind).find((box) => byName(box, "title")[0].text.split("\n").includes(title));
  assert(found !== undefined, title);
  const { x, y, width, height } = byName(found, "rect").at(-1)!.attributes;
  return { left: +x, top: +y, right: +x + +width, bottom: +y + +height };
}

Deno.test("a graph's picture has a box for each node and leaf, and an arrow for each source", async () => {
  using ctx = init();
  const svg = parseXml(await toSvg(layer(ctx).graph));
  assertEquals(svg.name, "svg");
  assertEquals(labels(svg, "node"), [
    ["MUL_MAT", "node_0", "f32 ne=[16, 3]"],
    ["ADD", "node_1", "f32 ne=[16, 3]"],
    ["RELU", "node_2", "f32 ne=[16, 3]"],
  ]);
  assertEquals(labels(svg, "view"), [["TRANSPOSE", "result", "f32 ne=[3, 16]"]]);
  assertEquals(labels(svg, "leaf").sort(), [["bias", "f32 ne=[16]"], ["input (input)", "f32 ne=[64, 3]"], [
    "weights",
    "q8_0 ne=[64, 16]",
  ]]);
  assertEquals([byClass(svg, "edge").length, byClass(svg, "view-edge").length], [5, 1]);
  assertStringIncludes(svg.text, "ggml_cgraph: 4 nodes, 3 leafs");
});

Deno.test("views and the arrows to them are dashed, and nothing else is", async () => {
  using ctx = init();
  const svg = parseXml(await toSvg(layer(ctx).graph));
  const dashed = (kind: string, name: string) =>
    byClass(svg, kind).flatMap((each) => byName(each, name)).map(({ attributes }) => "stroke-dasharray" in attributes);
  assertEquals(new Set(dashed("view", "rect")), new Set([true]));
  assertEquals(new Set(dashed("view-edge", "path")), new Set([true]));
  for (const [kind, name] of [["node", "rect"], ["leaf", "rect"], ["edge", "path"]]) {
    assertEquals(new Set(dashed(kind, name)), new Set([false]), kind);
  }
});

Deno.test("arrows go from a source to what reads it", async () => {
  using ctx = init();
  const svg = parseXml(await toSvg(layer(ctx).graph));
  const from = boxOf(svg, "node", "node 1: ADD"), to = boxOf(svg, "node", "node 2: RELU");
  assert(from.bottom < to.top);
  const tips = byClass(svg, "edge").map((edge) => {
    const [x, y] = byName(edge, "path")[0].attributes.d.match(/-?[\d.]+/g)!.map(Number);
    const [tipX, tipY] = byName(edge, "polygon")[0].attributes.points.split(/[ ,]/).map(Number);
    return { x, y, tipX, tipY };
  });
  const near = (a: number, b: number) => Math.abs(a - b) < 3;
  const found = tips.filter(({ x, y, tipX, tipY }) =>
    near(y, from.bottom) && x >= from.left && x <= from.right && near(tipY, to.top) && tipX >= to.left && tipX <= to.right
  );
  assertEquals(found.length, 1);
});

Deno.test("names are escaped, whatever they hold, and the same graph gives the same picture", async () => {
  using ctx = init();
  const { graph, tensors: [w, x] } = layer(ctx);
  w.name = `<script>"&'</script>`;
  x.name = "a\u0001\u001b[31m\ufffeb";
  const xml = await toSvg(graph);
  const svg = parseXml(xml);
  assertEquals(byName(svg, "script"), []);
  const leafs = labels(svg, "leaf").map(([name]) => name);
  assert(leafs.includes(`<script>"&'</script>`), leafs.join());
  assert(leafs.includes("a\ufffd\ufffd[31m\ufffdb (input)"), leafs.join());
  assertEquals(await toSvg(graph), xml);
  parseXml(await toHtml(graph));
});

Deno.test("after a computation with timing, boxes say how long they took, in a colour of their own", async () => {
  using ctx = init();
  const a = lib.ggml_set_f32(newTensor(ctx, F32, 256, 256), 1);
  const graph = graphOf(ctx, lib.ggml_relu(ctx, lib.ggml_mul_mat(ctx, a, a)));
  const fills = (svg: Element) => byClass(svg, "node").map((box) => byName(box, "rect")[0].attributes.fill);
  const before = fills(parseXml(await toSvg(graph)));
  assertEquals(before[0], before[1]);
  compute(graph, { timing: true });
  const svg = parseXml(await toSvg(graph)), [slow, quick] = timings(graph);
  const after = fills(svg);
  assert(after[0] !== after[1] && !after.includes(before[0]), String(after));
  const texts = labels(svg, "node").map((lines) => lines.at(-1)!);
  assertEquals(texts.map((text) => /^[\d.]+ (µs|ms|s) · (<1|\d+)%$/.test(text)), [true, true], String(texts));
  assertStringIncludes(svg.text, "computed in ");
  assertEquals(after[slow.ms > quick.ms ? 0 : 1], "rgb(244,124,60)"); // the slowest
});

Deno.test("of equal parts that follow each other one is drawn, and the others are counted", async () => {
  using ctx = init();
  let x = newTensor(ctx, F32, 8);
  x.name = "input";
  const mask = newTensor(ctx, F32, 8);
  for (let i = 0; i < 50; i++) x = lib.ggml_relu(ctx, lib.ggml_add(ctx, lib.ggml_mul(ctx, x, newTensor(ctx, F32, 8)), mask));
  const graph = graphOf(ctx, lib.ggml_soft_max(ctx, x));
  const svg = parseXml(await toSvg(graph));
  assertEquals(labels(svg, "node").map(([op]) => op), ["MUL", "ADD", "RELU", "SOFT_MAX"]);
  assertEquals(labels(svg, "folded"), [["49 more of these parts", "147 nodes, 49 leafs"]]);
  assertStringIncludes(svg.text, "50 equal parts of 3 nodes follow each other: the first is drawn");
  compute(graph, { timing: true });
  assertEquals(labels(parseXml(await toSvg(graph)), "folded")[0].length, 3); // and their time together
});

Deno.test("a part of a graph is drawn with what it reads from outside", async () => {
  using ctx = init();
  const svg = parseXml(await toSvg(layer(ctx).graph, { from: 1, to: 2 }));
  assertEquals(labels(svg, "node"), [["ADD", "node_1", "f32 ne=[16, 3]"]]);
  assertEquals(labels(svg, "outside"), [["MUL_MAT", "node_0", "f32 ne=[16, 3]"]]);
  assertEquals(labels(svg, "leaf"), [["bias", "f32 ne=[16]"]]);
});

Deno.test("a large graph that doesn't repeat itself is drawn up to a point, and says so", async () => {
  using ctx = init({ memSize: 64 * 1024 * 1024 });
  let x = newTensor(ctx, F32, 4), seed = 1;
  for (let i = 0; i < 4000; i++) {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    x = seed / 2 ** 31 < 0.5 ? lib.ggml_sqr(ctx, x) : lib.ggml_neg(ctx, x);
  }
  const graph = graphOf(ctx, x);
  const svg = parseXml(await toSvg(graph));
  const drawn = byClass(svg, "node").length;
  assert(drawn >= 100 && drawn <= 300, String(drawn));
  assertStringIncludes(svg.text, "to 3999 are not drawn");
  const error = await assertRejects(() => toSvg(graph, { from: 0, to: 3001 }), RangeError);
  assertEquals(error.message, "toSvg: at most 3000 nodes can be drawn at once, not 3001");
});

Deno.test("an empty graph is drawn, wrong parts are errors", async () => {
  using ctx = init();
  assertStringIncludes(await toSvg(lib.ggml_new_graph(ctx)), "ggml_cgraph: 0 nodes");
  const { graph } = layer(ctx);
  for (
    const [part, kind, message] of [
      [{ from: 3, to: 2 }, RangeError, "{ from: 3, to: 2 } is no part of a graph of 4 nodes"],
      [{ to: 5 }, RangeError, "{ from: 0, to: 5 } is no part of a graph of 4 nodes"],
      [{ from: -1 }, RangeError, "is no part of a graph of 4 nodes"],
      [{ from: 0.5 }, TypeError, "from must be the index of a node, got the number 0.5"],
      [{ to: "2" }, TypeError, 'to must be the index of a node, got the string "2"'],
      [null, TypeError, "expected { from, to }, got null"],
    ] as const
  ) {
    assertStringIncludes((await assertRejects(() => toSvg(graph, part as never), kind)).message, message);
    assertStringIncludes((await assertRejects(() => toHtml(graph, part as never), kind)).message, message);
  }
});
