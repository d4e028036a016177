/**
 * A graph as a drawing: a box for each node and leaf, an arrow from each source to what reads it.
 *
 * Nodes whose time was measured are the darker the more of it they took. Views, which compute nothing, are dashed, leafs are round.
 *
 * @module
 */

import { describe } from "../../ffi/core/describe.ts";
import { lib } from "../../ffi/generated/lib.js";
import { type GraphModel, nameOf, placeOf, readGraph, rolesOf, typeAndDimensions } from "./facts.ts";
import { type Arrow, type Box, type DrawOptions, type GraphParts, LIMIT, partsOf } from "./graph_parts.ts";
import { layOut, type Placed, type Point } from "./packages.ts";
import { clip, GREY, INK, type Markup, markup, type Picture, round, text, widthOf } from "./svg.ts";
import { formatCount, formatMs, formatShare, graphTitle, named } from "./text.ts";

/** The longest line of a box, in letters. */
const LETTERS = 32;

const PAD = 9, LINE = 16, HEADER = 20;

/** What stands in a box. */
interface Card {
  readonly box: Box;
  readonly id: string;
  readonly width: number;
  readonly height: number;
  readonly lines: readonly string[];
  /** The time, at the right of the first line. */
  readonly time: string;
  /** The share of the longest time, from 0 to 1; null where none was measured. */
  readonly heat: number | null;
  readonly title: string;
}

/**
 * Draws a graph.
 *
 * @throws {RangeError} If the part isn't one of the graph, or has more nodes than can be drawn.
 */
export async function graphPicture(graph: lib.ggml_cgraph, part: DrawOptions, where: string): Promise<Picture> {
  const model = readGraph(graph);
  expectPart(model.nodes.length, part, where);
  const parts = partsOf(model, part);
  const most = model.times?.reduce((a, b) => Math.max(a, b), 0) ?? 0;
  const cards = parts.boxes.map((box) => cardOf(box, model, most));
  return compose(model, parts, cards, await named(where, () => layOut(cards, parts.arrows)), part);
}

function expectPart(count: number, part: DrawOptions, where: string): void {
  const { from = 0, to = count } = part, isAsked = part.from !== undefined || part.to !== undefined;
  for (const [name, value] of Object.entries({ from, to })) {
    if (!Number.isInteger(value)) throw new TypeError(`${where}: ${name} must be the index of a node, got ${describe(value)}`);
  }
  if (from < 0 || to > count || (from >= to && count > 0)) {
    throw new RangeError(`${where}: { from: ${from}, to: ${to} } is no part of a graph of ${formatCount(count, "node")}`);
  }
  if (isAsked && to - from > LIMIT) throw new RangeError(`${where}: at most ${LIMIT} nodes can be drawn at once, not ${to - from}`);
}

function compose(model: GraphModel, { arrows, note }: GraphParts, cards: readonly Card[], placed: Placed, part: DrawOptions): Picture {
  const title = graphTitle(model) +
    (part.from === undefined && part.to === undefined ? "" : `; drawn: ${part.from ?? 0} to ${(part.to ?? model.nodes.length) - 1}`);
  const top = note === "" ? HEADER + 6 : 2 * HEADER;
  const width = Math.max(placed.width + 2, widthOf(title, 12, true), widthOf(note, 11));
  const left = (width - placed.width) / 2;
  const body = markup`${text(0, 13, title, { bold: true })}${
    note === "" ? null : text(0, 30, note, { size: 11, opacity: 0.75 })
  }<g transform="translate(${round(left)} ${top})">${arrows.map((arrow, i) => drawArrow(arrow, placed.curves[i]))}${
    cards.map((card) => drawCard(card, placed.centres.get(card.id)!))
  }</g>`;
  return { width, height: placed.height + top + 2, title, body };
}

function cardOf(box: Box, model: GraphModel, most: number): Card {
  const lines = linesOf(box, model).map((line) => clip(line, LETTERS));
  const ms = timeOf(box, model);
  const time = ms === null || ms === 0 ? "" : `${formatMs(ms)} · ${formatShare(ms / model.total)}`;
  const widths = lines.map((line, i) => widthOf(line, i === 0 ? 12 : 11, i === 0));
  if (time !== "") widths[0] += 10 + widthOf(time, 11);
  const heat = ms === null || box.kind === "folded" ? null : most === 0 ? 0 : ms / most;
  const width = Math.round(Math.max(60, ...widths) + 2 * PAD);
  return { box, id: box.id, width, height: lines.length * LINE + 10, lines, time, heat, title: titleOf(box, model, time) };
}

function linesOf(box: Box, model: GraphModel): string[] {
  if (box.kind === "folded") {
    const { count, period } = box.repeat;
    const nodes = formatCount((count - 1) * period, "node");
    return [`${count - 1} more of these parts`, `${nodes}, ${formatCount(leafsOf(box, model), "leaf")}`];
  }
  const { tensor } = box;
  const roles = rolesOf(tensor);
  const name = `${tensor.name}${roles.length === 0 ? "" : `${tensor.name === "" ? "" : " "}(${roles.join(", ")})`}`;
  if (box.kind === "leaf") return [name, typeAndDimensions(tensor)].filter((line) => line !== "");
  return [lib.ggml_op_desc(tensor), name, typeAndDimensions(tensor)].filter((line) => line !== "");
}

function nodesOf({ repeat: { start, period, count } }: Box & { kind: "folded" }): number[] {
  return Array.from({ length: (count - 1) * period }, (_, i) => start + period + i);
}

/** The leafs that nothing but the folded nodes reads. */
function leafsOf(box: Box & { kind: "folded" }, { sources, indices }: GraphModel): number {
  const folded = nodesOf(box), inside = new Set(folded);
  const others = new Set(sources.flatMap((each, i) => inside.has(i) ? [] : each.map(({ address }) => address)));
  const leafs = folded.flatMap((i) => sources[i]).filter(({ address }) => !indices.has(address) && !others.has(address));
  return new Set(leafs.map(({ address }) => address)).size;
}

function timeOf(box: Box, { times }: GraphModel): number | null {
  if (times === null) return null;
  if (box.kind === "folded") return nodesOf(box).reduce((sum, i) => sum + times[i], 0);
  return "index" in box ? times[box.index] : null;
}

/** What is shown when the pointer rests on a box. */
function titleOf(box: Box, model: GraphModel, time: string): string {
  if (box.kind === "folded") {
    const nodes = nodesOf(box);
    return [`nodes ${nodes[0]} to ${nodes.at(-1)}`, time].filter((line) => line !== "").join("\n");
  }
  const { tensor } = box;
  const index = model.indices.get(tensor.address);
  return [
    index === undefined ? "leaf" : `node ${index}: ${lib.ggml_op_desc(tensor)}`,
    tensor.name,
    `${typeAndDimensions(tensor)} nb=[${tensor.nb.join(", ")}]`,
    index === undefined ? "" : `of ${model.sources[index].map(nameOf).join(", ") || "nothing"}`,
    `memory: ${placeOf(tensor)}`,
    time,
  ].filter((line) => line !== "").join("\n");
}

const FILLS = { node: "#e7f0fb", view: "none", leaf: "#f6edd3", outside: "#f0f0f0", folded: "#ececf4" } as const;
const STROKES = { node: "#5a7ba6", view: GREY, leaf: "#a58a3c", outside: GREY, folded: "#6a6a8a" } as const;

/** From the colour of no time to that of the longest. */
function heatFill(heat: number): string {
  const cold = [255, 250, 240], hot = [244, 124, 60];
  return `rgb(${cold.map((c, i) => Math.round(c + (hot[i] - c) * heat)).join(",")})`;
}

function drawCard(card: Card, [x, y]: Point): Markup {
  const { box: { kind }, width, height, lines, time, heat } = card;
  const left = round(x - width / 2), top = round(y - height / 2);
  // What isn't filled stands on the ground of the page.
  const ink = kind === "view" ? {} : { fill: INK };
  const fill = heat === null || kind === "view" ? FILLS[kind] : heatFill(heat);
  const radius = kind === "leaf" ? Math.min(height / 2, 16) : 4;
  const dash = kind === "view" ? markup` stroke-dasharray="5 3"` : kind === "outside" ? markup` stroke-dasharray="1 3"` : null;
  const rect = (dx: number, dy: number) =>
    markup`<rect x="${round(left + dx)}" y="${round(top + dy)}" width="${width}" height="${height}" rx="${radius}" fill="${fill}" stroke="${
      STROKES[kind]
    }"${dash}/>`;
  const under = kind === "folded" ? [rect(6, 6), rect(3, 3)] : null;
  const inside = lines.map((line, i) => text(left + PAD, top + 17 + i * LINE, line, { size: i === 0 ? 12 : 11, bold: i === 0, ...ink }));
  const clock = time === "" ? null : text(left + width - PAD, top + 17, time, { size: 11, anchor: "end", fill: INK });
  return markup`<g class="${kind}"><title>${card.title}</title>${under}${rect(0, 0)}${inside}${clock}</g>`;
}

function drawArrow({ isView }: Arrow, { points: [start, ...rest], tip }: Placed["curves"][number]): Markup {
  const pieces: string[] = [];
  for (let i = 0; i + 2 < rest.length; i += 3) pieces.push(`C${rest.slice(i, i + 3).map(([x, y]) => `${round(x)},${round(y)}`).join(" ")}`);
  const end = rest.at(-1) ?? start;
  const dash = isView ? markup` stroke-dasharray="5 3"` : null;
  return markup`<g class="${isView ? "view-edge" : "edge"}"><path d="M${round(start[0])},${round(start[1])}${
    pieces.join("")
  }" fill="none" stroke="${GREY}"${dash}/>${head(end, tip)}</g>`;
}

/** The head of an arrow: from the end of its line to its tip. */
function head([x, y]: Point, [tipX, tipY]: Point): Markup {
  const length = Math.hypot(tipX - x, tipY - y) || 1;
  const [dx, dy] = [-(tipY - y) / length * 3, (tipX - x) / length * 3];
  const corners = [[tipX, tipY], [x + dx, y + dy], [x - dx, y - dy]];
  return markup`<polygon points="${corners.map((corner) => corner.map(round).join(",")).join(" ")}" fill="${GREY}"/>`;
}
