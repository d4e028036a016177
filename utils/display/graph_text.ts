/**
 * A graph in a terminal: how many nodes there are, and the first of them.
 *
 * @module
 */

import { quote } from "../../ffi/core/describe.ts";
import { lib } from "../../ffi/generated/lib.js";
import { nameOf, typeAndDimensions } from "./facts.ts";
import { type GraphModel, readGraph } from "./graph_model.ts";
import { formatCount, formatMs, formatShare } from "./units.ts";

/** How many nodes are listed. */
const LISTED = 20;

/** How many letters of a name are shown. */
const LETTERS = 24;

/** A graph in one line. */
export function graphTitle({ nodes, leafs, times, total }: GraphModel): string {
  const time = times === null ? "" : `, computed in ${formatMs(total)}`;
  return `ggml_cgraph: ${formatCount(nodes.length, "node")}, ${formatCount(leafs.length, "leaf")}${time}`;
}

/** A graph and its first nodes. */
export function graphText(graph: lib.ggml_cgraph): string {
  const model = readGraph(graph);
  const rows = model.nodes.slice(0, LISTED).map((node, i) => [
    String(i),
    lib.ggml_op_desc(node),
    typeAndDimensions(node),
    `${shortName(node)}${sourcesText(model.sources[i])}`,
    model.times === null ? "" : `${formatMs(model.times[i])} (${formatShare(model.total === 0 ? 0 : model.times[i] / model.total)})`,
  ]);
  const more = model.nodes.length - rows.length;
  return [graphTitle(model), ...table(rows), ...(more > 0 ? [`  … and ${formatCount(more, "more node")}`] : [])].join("\n");
}

/** A name in quotes, without the end of a long one. */
function shortName(tensor: lib.ggml_tensor): string {
  const letters = [...nameOf(tensor)];
  return quote(letters.length > LETTERS ? `${letters.slice(0, LETTERS - 1).join("")}…` : letters.join(""));
}

function sourcesText(sources: readonly lib.ggml_tensor[]): string {
  return sources.length === 0 ? "" : ` of ${sources.map(shortName).join(", ")}`;
}

/** Columns under each other, the first to the right. */
function table(rows: readonly string[][]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column].length))) ?? [];
  return rows.map((row) => `  ${row.map((cell, i) => i === 0 ? cell.padStart(widths[i]) : cell.padEnd(widths[i])).join("  ")}`.trimEnd());
}
