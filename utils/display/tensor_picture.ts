/**
 * A tensor as a picture: a vector as a line, a matrix as a heat map, and of more dimensions several, side by side; and as a table: everything about it but
 * its numbers.
 *
 * @module
 */

import { lib } from "../../ffi/generated/lib.js";
import { type Colour, css, INFINITE, NAN, NEGATIVE_INFINITE, type Scale, scaleFor } from "./colours.ts";
import { isView, nameOf, placeOf, rolesOf, typeAndDimensions, typeName } from "./facts.ts";
import { Dots } from "./packages.ts";
import { type Limits, type Sample, sampleOf, type Tile } from "./sample.ts";
import { type Content, type Drawn, GREY, type Markup, markup, type Picture, round, text, widthOf } from "./svg.ts";
import { formatBytes, formatCount, formatNumber } from "./text.ts";

/** The most dots of a heat map, of each of several, and of a line. */
const ONE: Limits = { side: 256, tiles: 1 }, SEVERAL: Limits = { side: 48, tiles: 12 };
const LINE: Limits = { side: 512, tiles: 1 };

/** How many pixels a heat map is wide or high at most, one of several, and one dot of either. */
const WIDE = 384, NARROW = 120, DOT = 24;

/** How many of several stand side by side. */
const IN_A_ROW = 4;

const HEADER = 22, LEFT = 8;

/** Reads as many of a tensor's numbers as its picture shows. */
function numbersFor(tensor: lib.ggml_tensor): Sample {
  const rank = tensor.ne.findLastIndex((n) => n !== 1) + 1;
  return sampleOf(tensor, rank > 2 ? SEVERAL : rank < 2 ? LINE : ONE);
}

/**
 * Draws a tensor.
 *
 * @throws {Error} If it has no numbers that can be read.
 */
export async function tensorPicture(tensor: lib.ggml_tensor): Promise<Picture> {
  const sample = numbersFor(tensor);
  const scale = scaleFor(sample.tiles.map(({ values }) => values));
  const title = `${nameOf(tensor)} ${typeAndDimensions(tensor)}`;
  const drawn = sample.total === 0 ? nothing() : isLine(sample) ? linePlot(sample, scale) : await heatMaps(sample, scale);
  const below = drawn.height + HEADER;
  const legend = legendOf(sample, scale);
  const body = markup`${text(0, 13, title, { bold: true })}<g transform="translate(0 ${HEADER})">${drawn.body}</g>${
    text(0, below + 14, legend.text, { size: 11, opacity: 0.75 })
  }<g transform="translate(0 ${below + 22})">${legend.marks}</g>`;
  const width = Math.max(drawn.width, widthOf(title, 12, true), widthOf(legend.text, 11));
  return { width, height: below + 22 + legend.height, title, body };
}

function nothing(): Drawn {
  return { width: 0, height: 0, body: markup`` };
}

function isLine({ shape }: Sample): boolean {
  return shape.length === 2 && shape[0] === 1;
}

/** The size of a dot, in pixels. */
function dotOf({ tiles }: Sample): number {
  const [{ rows, columns }] = tiles;
  const most = tiles.length === 1 ? WIDE : NARROW;
  return Math.max(1, Math.min(DOT, Math.floor(most / Math.max(rows.length, columns.length))));
}

async function heatMaps(sample: Sample, scale: Scale): Promise<Drawn> {
  const { tiles, shape } = sample, [{ rows, columns }] = tiles;
  const dot = dotOf(sample), isSeveral = shape.length > 2;
  const width = columns.length * dot, height = rows.length * dot;
  const above = isSeveral ? 16 : 0, below = 16, gap = 12, margin = LEFT + widthOf(String(shape.at(-2)! - 1), 10);
  const step = Math.max(width, 48) + gap, inRow = Math.min(IN_A_ROW, tiles.length);
  const maps = await Promise.all(tiles.map(async (tile, i) => {
    const x = margin + i % inRow * step, y = Math.floor(i / inRow) * (above + height + below);
    const isFirst = i % inRow === 0;
    return markup`<g transform="translate(${round(x)} ${y})">${
      isSeveral ? text(0, 12, `[${tile.index.join(", ")}]`, { size: 11 }) : null
    }<g transform="translate(0 ${above})">${await image(tile, scale, dot)}${isFirst ? rowLabels(shape.at(-2)!, height) : null}${
      columnLabels(shape.at(-1)!, width, height)
    }</g></g>`;
  }));
  const lines = Math.ceil(tiles.length / inRow);
  const bar = colourBar(scale, Math.max(48, Math.min(160, lines * (above + height))));
  const right = margin + inRow * step;
  return {
    width: right + bar.width,
    height: Math.max(lines * (above + height + below), bar.height),
    body: markup`${maps}<g transform="translate(${round(right)} ${above})">${bar.body}</g>`,
  };
}

async function image({ rows, columns, values }: Tile, scale: Scale, dot: number): Promise<Markup> {
  const dots = new Dots(columns.length, rows.length);
  values.forEach((x, i) => dots.fill(i % columns.length, Math.floor(i / columns.length), 1, scale.colour(x)));
  const data = (await dots.encode()).toBase64();
  const [width, height] = [columns.length * dot, rows.length * dot];
  return markup`<image width="${width}" height="${height}" preserveAspectRatio="none" style="image-rendering:pixelated" href="data:image/png;base64,${data}"/><rect x="-0.5" y="-0.5" width="${
    width + 1
  }" height="${height + 1}" fill="none" stroke="${GREY}"/>`;
}

function rowLabels(rows: number, height: number): Markup {
  const small = { size: 10, anchor: "end", opacity: 0.75 } as const;
  return markup`${text(-4, 9, "0", small)}${rows > 1 && height >= 22 ? text(-4, height - 1, String(rows - 1), small) : null}`;
}

function columnLabels(columns: number, width: number, y: number): Markup {
  const small = { size: 10, opacity: 0.75 } as const, last = String(columns - 1);
  const fits = columns > 1 && width > widthOf(last, 10) + 12;
  return markup`${text(0, y + 11, "0", small)}${fits ? text(width, y + 11, last, { ...small, anchor: "end" }) : null}`;
}

/** The colours from the greatest number down to the least. */
function colourBar(scale: Scale, height: number): Drawn {
  if (Number.isNaN(scale.min)) return nothing();
  const steps = 32, each = height / steps, wide = 12;
  const at = (i: number) => scale.high - (scale.high - scale.low) * (i + 0.5) / steps;
  const cells = Array.from(
    { length: steps },
    (_, i) => markup`<rect y="${round(i * each)}" width="${wide}" height="${round(each + 0.3)}" fill="${css(scale.colour(at(i)))}"/>`,
  );
  const labels = [formatNumber(scale.high), formatNumber(scale.low)];
  const ends = scale.high === scale.low ? [text(wide + 4, height / 2 + 4, labels[0], { size: 11 })] : [
    text(wide + 4, 9, labels[0], { size: 11 }),
    text(wide + 4, height, labels[1], { size: 11 }),
  ];
  return { width: wide + 6 + Math.max(...labels.map((label) => widthOf(label, 11))), height, body: markup`${cells}${ends}` };
}

/** Under the picture: how much of the tensor it is, its range, and the colours of what isn't finite. */
function legendOf({ isAll, count, total }: Sample, { min, max, nan, infinite, negativeInfinite }: Scale) {
  const all = formatCount(total, "number");
  const what = isAll ? `all ${all}` : `${count.toLocaleString("en-US")} of ${all}, evenly spaced`;
  const range = Number.isNaN(min) ? "" : `; min ${formatNumber(min)}, max ${formatNumber(max)}`;
  const marks = ([["NaN", nan, NAN], ["+∞", infinite, INFINITE], ["−∞", negativeInfinite, NEGATIVE_INFINITE]] as [string, number, Colour][])
    .filter(([, found]) => found > 0)
    .map(([name, found, colour], i) =>
      markup`<rect x="${i * 100 + 0.5}" y="2.5" width="10" height="10" fill="${css(colour)}" stroke="${GREY}"/>${
        text(i * 100 + 16, 12, `${name}: ${found}`, { size: 11 })
      }`
    );
  return { text: total === 0 ? "no numbers" : `${what}${range}`, marks: markup`${marks}`, height: marks.length === 0 ? 0 : 16 };
}

/** A tensor's heat map as a file, without words: a dot a number, magnified. */
export async function tensorPng(tensor: lib.ggml_tensor): Promise<Uint8Array<ArrayBuffer>> {
  const sample = numbersFor(tensor), { tiles } = sample;
  if (sample.total === 0) throw new Error("the tensor has no elements");
  const scale = scaleFor(tiles.map(({ values }) => values));
  const [{ rows, columns }] = tiles, dot = dotOf(sample), gap = 4, inRow = Math.min(IN_A_ROW, tiles.length);
  const stepX = columns.length * dot + gap, stepY = rows.length * dot + gap;
  const dots = new Dots(inRow * stepX - gap, Math.ceil(tiles.length / inRow) * stepY - gap);
  tiles.forEach(({ values }, tile) => {
    const [left, top] = [tile % inRow * stepX, Math.floor(tile / inRow) * stepY];
    values.forEach((x, i) => dots.fill(left + i % columns.length * dot, top + Math.floor(i / columns.length) * dot, dot, scale.colour(x)));
  });
  return await dots.encode();
}

/** The frame of a line, in pixels, and its colour. */
const WIDTH = 400, HEIGHT = 110, BLUE = "#2f81f7";

/** Draws a vector. What isn't finite is a dot at the bottom or, the positive kind, at the top, and interrupts the line. */
function linePlot({ tiles: [{ values, columns }], shape }: Sample, { min, max }: Scale): Drawn {
  const labels = Number.isNaN(min) ? ["", ""] : [formatNumber(max), formatNumber(min)];
  const left = 8 + Math.max(...labels.map((label) => widthOf(label, 11)));
  const last = shape.at(-1)! - 1;
  const x = (i: number) => round(left + (last === 0 ? WIDTH / 2 : columns[i] / last * WIDTH));
  const y = (value: number) => round(max === min ? HEIGHT / 2 : 4 + (max / 2 - value / 2) / (max / 2 - min / 2) * (HEIGHT - 8));
  const zero = min < 0 && max > 0 ? markup`<path d="M${left},${y(0)}h${WIDTH}" stroke="${GREY}" stroke-dasharray="2 3"/>` : null;
  const odd = [...values].flatMap((value, i) => Number.isFinite(value) ? [] : [{ value, i }]).map(({ value, i }) => {
    const [colour, at] = Number.isNaN(value) ? [NAN, HEIGHT - 4] : value > 0 ? [INFINITE, 4] : [NEGATIVE_INFINITE, HEIGHT - 4];
    return markup`<circle cx="${x(i)}" cy="${at}" r="3" fill="${css(colour)}"/>`;
  });
  const small = { size: 10, opacity: 0.75 } as const;
  return {
    width: left + WIDTH + 4,
    height: HEIGHT + 16,
    body: markup`<rect x="${left}" y="0.5" width="${WIDTH}" height="${HEIGHT - 1}" fill="none" stroke="${GREY}"/>${zero}${
      linesOf(values, x, y)
    }${odd}${text(left - 4, 10, labels[0], { size: 11, anchor: "end" })}${
      min === max ? null : text(left - 4, HEIGHT - 1, labels[1], { size: 11, anchor: "end" })
    }${text(left, HEIGHT + 12, "0", small)}${last > 0 ? text(left + WIDTH, HEIGHT + 12, String(last), { ...small, anchor: "end" }) : null}`,
  };
}

/** A line for each run of finite numbers; a run of one is a dot. */
function linesOf(values: Float64Array, x: (i: number) => number, y: (value: number) => number) {
  const runs: string[][] = [[]];
  values.forEach((value, i) => Number.isFinite(value) ? runs.at(-1)!.push(`${x(i)},${y(value)}`) : runs.push([]));
  return runs.filter((run) => run.length > 0).map((run) => {
    if (run.length > 1) return markup`<polyline points="${run.join(" ")}" fill="none" stroke="${BLUE}" stroke-width="1.5"/>`;
    const [cx, cy] = run[0].split(",");
    return markup`<circle cx="${cx}" cy="${cy}" r="2.5" fill="${BLUE}"/>`;
  });
}

export function tensorTable(tensor: lib.ggml_tensor): Markup {
  return table(`ggml_tensor${tensor.name === "" ? "" : ` ${tensor.name}`}`, rowsOf(tensor));
}

function rowsOf(tensor: lib.ggml_tensor): [label: string, value: string][] {
  const { ne, nb, type, view_offs: offset } = tensor;
  const shape = [...ne].reverse(), rank = ne.findLastIndex((n) => n !== 1) + 1;
  const rows: [string, string][] = [
    ["type", typeName(type)],
    ["shape (row-major)", `[${shape.slice(Math.min(shape.length - rank, shape.length - 1)).join(", ")}]`],
    ["ne (fastest first)", `[${ne.join(", ")}]`],
    ["nb (bytes, fastest first)", `[${nb.join(", ")}]`],
    ["size", formatBytes(lib.ggml_nbytes(tensor))],
    ["memory", `${placeOf(tensor)}${tensor.view_src === null || offset === 0 ? "" : `, from byte ${offset} on`}`],
    [isView(tensor) ? "view" : "operation", operationOf(tensor)],
  ];
  const roles = rolesOf(tensor);
  return roles.length === 0 ? rows : [...rows, ["set as", roles.join(", ")]];
}

function operationOf(tensor: lib.ggml_tensor): string {
  if (tensor.op === lib.GGML_OP_NONE) return "none";
  const sources = tensor.src.filter((source) => source !== null);
  return `${lib.ggml_op_desc(tensor)} of ${
    sources.map((source) => `${nameOf(source)} (${typeAndDimensions(source)})`).join(", ") || "nothing"
  }`;
}

/** A table of labels and values. */
function table(title: string, rows: readonly (readonly [label: string, value: Content])[]): Markup {
  const cell = "text-align:left;vertical-align:top;padding:2px 12px 2px 0";
  return markup`<table style="border-collapse:collapse;font-size:12px;margin:0 0 8px"><caption style="text-align:left;font-weight:600;padding:0 0 4px">${title}</caption><tbody>${
    rows.map(([label, value]) =>
      markup`<tr><th scope="row" style="${cell};font-weight:normal;opacity:0.7">${label}</th><td style="${cell}">${value}</td></tr>`
    )
  }</tbody></table>`;
}
