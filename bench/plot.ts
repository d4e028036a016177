/**
 * Results as a drawing: each contender's time as a multiple of ours, bars on a logarithmic scale that all figures share. A bar to the left is
 * faster than ours, one to the right slower; the thin line through its end is the spread. Plain SVG without scripts, in the reader's colours.
 *
 * @module
 */

import type { Measured, Result } from "./measure.ts";
import { describe, type Results, short, time } from "./results.ts";

const WIDTH = 960, NAMES = 170, RIGHT = 158, BAR = 12, ROW = 17, TITLE = 22, GAP = 14, TOP = 118, BOTTOM = 34;
/** Where bars may be. */
const LEFT = NAMES + 10, SPAN = WIDTH - RIGHT - LEFT;

const STYLE = `
  .sheet { fill: #ffffff } text { fill: #1f2328; font: 12px system-ui, "Segoe UI", "DejaVu Sans", sans-serif }
  .head { font-size: 17px; font-weight: 600 } .title { font-weight: 600 } .faint { fill: #59636e }
  .end { text-anchor: end } .middle { text-anchor: middle } .grid { stroke: #d1d9e0 } .one { stroke: #59636e } .spread { stroke: #1f2328 }
  .ours { fill: #0b66d6 } .variant { fill: #7fb2f0 } .dlopen { fill: #2b8a5b } .c { fill: #6e7781 } .cffi { fill: #c2571a } .ctypes { fill: #8a5cc2 } .other { fill: #a39060 }
  @media (prefers-color-scheme: dark) {
    .sheet { fill: #0d1117 } text { fill: #e6edf3 } .faint { fill: #9198a1 } .grid { stroke: #2a313b } .one { stroke: #9198a1 } .spread { stroke: #e6edf3 }
    .ours { fill: #4f9cf9 } .variant { fill: #24568f } .dlopen { fill: #3fb27f } .c { fill: #8b949e } .cffi { fill: #e8844a } .ctypes { fill: #ab85e0 } .other { fill: #8a7a4e }
  }`;

const CLASSES: Record<string, string> = { ours: "ours", "Deno.dlopen": "dlopen", C: "c", cffi: "cffi", ctypes: "ctypes" };

/** Draws results. */
export function plot({ machine, figures }: Results): string {
  const drawn = figures.filter(({ results }) => results[0].median !== null);
  const scale = scaleOf(drawn);
  const body: string[] = [];
  let y = TOP;
  for (const figure of drawn) {
    body.push(...figureLines(figure, y, scale));
    y += TITLE + ROW * figure.results.length + GAP;
  }
  const height = y + BOTTOM;
  return [
    "<!-- deno-fmt-ignore-file -->",
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>Time as a multiple of ours</title>`,
    `<style>${STYLE}\n</style>`,
    `<rect class="sheet" width="${WIDTH}" height="${height}"/>`,
    text(10, 28, "Time as a multiple of ours", "head"),
    ...describe(machine).map((line, i) => text(10, 48 + 16 * i, line, "faint")),
    text(scale(1) - 8, TOP - 34, "← faster than ours", "faint end"),
    text(scale(1) + 8, TOP - 34, "slower than ours →", "faint"),
    ...grid(scale, TOP - 12, y - GAP / 2),
    ...body,
    "</svg>",
    "",
  ].join("\n");
}

/** A figure's title, and a row for each contender. */
function figureLines(figure: Measured, top: number, scale: Scale): string[] {
  return [
    text(10, top + 14, figure.title, "title"),
    ...figure.results.flatMap((result, i) => contenderLines(result, figure, top + TITLE + ROW * i, scale)),
  ];
}

function contenderLines(result: Result, { unit }: Measured, top: number, scale: Scale): string[] {
  const { median, min, max, timesOurs } = result, base = top + BAR - 2;
  const name = text(NAMES, base, result.name, "end");
  if (median === null || min === null || max === null || timesOurs === null) {
    return [name, text(scale(1) + 6, base, result.problem ?? "–", "faint")];
  }
  const place = (amount: number) => fixed(scale(timesOurs * amount / median));
  return [
    name,
    bar(classOf(result.name), scale(timesOurs), scale(1), top, `${result.name}: ${time(result, unit)}, ${short(min)} – ${short(max)}`),
    `<path class="spread" d="M${place(min)} ${top + BAR / 2}H${place(max)}"/>`,
    text(WIDTH - 70, base, time(result, unit), "end"),
    text(WIDTH - 10, base, timesOurs === 1 ? "" : `${Number(timesOurs.toPrecision(2))} ×`, "end"),
  ];
}

/** Ours has no length, being what all are compared with; a mark shows it. */
function bar(classes: string, end: number, one: number, top: number, title: string): string {
  const width = Math.max(Math.abs(end - one), 4), x = end < one ? one - width : end > one ? one : one - 2;
  return `<rect class="${classes}" x="${fixed(x)}" y="${top}" width="${fixed(width)}" height="${BAR}" rx="2"><title>${
    escape(title)
  }</title></rect>`;
}

/** From a multiple of ours to a place on the sheet. */
type Scale = ((ratio: number) => number) & { readonly ticks: readonly number[] };

/** Wide enough for all, from a power of ten to a power of ten, with some room. */
function scaleOf(figures: readonly Measured[]): Scale {
  const ratios = figures.flatMap(({ results }) =>
    results.flatMap(({ median, min, max, timesOurs }) =>
      median === null || min === null || max === null || timesOurs === null ? [] : [timesOurs * min / median, timesOurs * max / median]
    )
  );
  const low = Math.log10(Math.min(0.5, ...ratios)), high = Math.log10(Math.max(2, ...ratios));
  const place = (ratio: number) => LEFT + SPAN * (Math.log10(ratio) - low) / (high - low);
  const ticks: number[] = [];
  for (let power = Math.floor(low); power <= high; power++) ticks.push(...[1, 2, 5].map((digit) => digit * 10 ** power));
  const wide = high - low > 3 ? ticks.filter((tick) => Number.isInteger(Math.log10(tick))) : ticks;
  return Object.assign(place, { ticks: wide.filter((tick) => Math.log10(tick) >= low && Math.log10(tick) <= high) });
}

function grid(scale: Scale, top: number, bottom: number): string[] {
  return scale.ticks.flatMap((tick) => {
    const x = fixed(scale(tick)), label = tick === 1 ? "ours" : `${short(tick)} ×`;
    return [
      `<path class="${tick === 1 ? "one" : "grid"}" d="M${x} ${top}V${bottom}"/>`,
      text(Number(x), top - 5, label, "faint middle"),
      text(Number(x), bottom + 16, label, "faint middle"),
    ];
  });
}

function classOf(name: string): string {
  return CLASSES[name] ?? (name.startsWith("ours") ? "variant" : "other");
}

function text(x: number, y: number, content: string, classes: string): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" class="${classes}">${escape(content)}</text>`;
}

function fixed(number: number): string {
  return String(Number(number.toFixed(1)));
}

/** Text for XML: it may hold anything but what XML has no way to write. */
function escape(content: string): string {
  const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  // deno-lint-ignore no-control-regex
  return content.toWellFormed().replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, "\ufffd").replace(
    /[&<>"']/g,
    (character) => entities[character],
  );
}
