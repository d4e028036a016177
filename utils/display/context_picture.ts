/**
 * A context as a bar: who has how much of its memory, and what is free.
 *
 * @module
 */

import type { lib } from "../../ffi/generated/lib.js";
import { type ContextMemory, readContext, typeAndDimensions } from "./facts.ts";
import { clip, GREY, type Markup, markup, type Picture, round, text, widthOf } from "./svg.ts";
import { formatBytes, formatCount, formatShare } from "./text.ts";

const WIDTH = 560, BAR = 26, LINE = 18;

/** How many tensors have a part of their own. */
const NAMED = 10;

/** Colours that most people can tell apart, by Paul Tol ("light"), and on from the first again, paler. */
const COLOURS = ["#77aadd", "#ee8866", "#eedd88", "#ffaabb", "#99ddff", "#44bb99", "#bbcc33", "#aaaa00", "#cc99bb", "#c2a878"] as const;
const OTHERS = "#9aa4b0", REST = "#6e7781";

interface Part {
  readonly name: string;
  readonly detail: string;
  readonly bytes: number;
  readonly fill: string;
}

/** Draws a context's memory. */
export function contextPicture(ctx: lib.ggml_context): Picture {
  const memory = readContext(ctx), { size, used } = memory;
  const parts = partsOf(memory);
  const title = `ggml_context: ${formatBytes(used)} of ${formatBytes(size)} used (${formatShare(used / size)}), ${
    formatBytes(size - used)
  } free`;
  const legend = [...parts, { name: "free", detail: "", bytes: size - used, fill: "none" }];
  const note = noteOf(memory);
  const top = note === "" ? 24 : 42;
  const body = markup`${text(0, 13, title, { bold: true })}${
    note === "" ? null : text(0, 30, note, { size: 11, opacity: 0.75 })
  }<g transform="translate(0 ${top})">${bar(parts, size)}${legend.map((part, i) => line(part, BAR + 22 + i * LINE, size))}</g>`;
  const width = Math.max(WIDTH + 2, widthOf(title, 12, true), widthOf(note, 11));
  return { width, height: top + BAR + 14 + legend.length * LINE, title, body };
}

function noteOf({ noAlloc, elsewhere }: ContextMemory): string {
  const notes = [
    noAlloc ? "made with noAlloc: here is what ggml keeps about the tensors" : "",
    elsewhere > 0 ? `${formatBytes(elsewhere)} of data in buffers of backends` : "",
  ];
  return notes.filter((note) => note !== "").join("; ");
}

/** The largest tensors, the others together, and what is no tensor. */
function partsOf({ tensors, rest }: ContextMemory): Part[] {
  const sorted = tensors.toSorted((a, b) => b.bytes - a.bytes);
  const named = sorted.slice(0, NAMED), others = sorted.slice(NAMED);
  const parts = named.map(({ tensor, bytes }, i): Part => ({
    name: clip(tensor.name || "(no name)", 36),
    detail: typeAndDimensions(tensor),
    bytes,
    fill: COLOURS[i],
  }));
  if (others.length > 0) {
    parts.push({
      name: formatCount(others.length, "other tensor"),
      detail: "",
      bytes: others.reduce((sum, { bytes }) => sum + bytes, 0),
      fill: OTHERS,
    });
  }
  if (rest > 0) parts.push({ name: "graphs and other objects", detail: "", bytes: rest, fill: REST });
  return parts;
}

function bar(parts: readonly Part[], size: number): Markup {
  let at = 0;
  const pieces = parts.map(({ name, detail, bytes, fill }) => {
    const x = at / size * WIDTH, width = bytes / size * WIDTH;
    at += bytes;
    return markup`<rect x="${round(x)}" y="0" width="${round(width)}" height="${BAR}" fill="${fill}"><title>${`${name} ${detail} ${
      formatBytes(bytes)
    }`}</title></rect>`;
  });
  return markup`${pieces}<rect x="0.5" y="0.5" width="${WIDTH}" height="${BAR - 1}" fill="none" stroke="${GREY}"/>`;
}

function line({ name, detail, bytes, fill }: Part, y: number, size: number): Markup {
  return markup`<g><rect x="0.5" y="${y - 10.5}" width="11" height="11" fill="${fill}" stroke="${GREY}"/>${text(18, y, name)}${
    text(290, y, detail, { size: 11, opacity: 0.75 })
  }${text(WIDTH - 60, y, formatBytes(bytes), { anchor: "end" })}${
    text(WIDTH, y, formatShare(bytes / size), { anchor: "end", opacity: 0.75 })
  }</g>`;
}
