/**
 * What is said in words: numbers with their units, errors, and tensors, graphs, contexts and devices as a terminal shows them.
 *
 * To look is cheap and harmless: no more of a tensor is read than is shown.
 *
 * @module
 */

import { quote } from "../../ffi/core/describe.ts";
import { Handle } from "../../ffi/core/handle.ts";
import { lib } from "../../ffi/generated/lib.js";
import { typeInfo } from "../copying/types.ts";
import { type ArrayFormat, formatArray } from "../printing/format_array.ts";
import { type DeviceFacts, dimensionsOf, type GraphModel, nameOf, readDevice, readGraph, typeAndDimensions } from "./facts.ts";

/** What any handle shows: its address, and whether it was freed. */
export function plain(handle: Handle): string {
  return Handle.prototype.toString.call(handle);
}

/** numpy's own defaults. */
const NUMPY: ArrayFormat = { threshold: 1000, edgeItems: 3, precision: 8, lineWidth: 75 };

/** What fits in a line with others, inside an object or an array. */
const SHORT: ArrayFormat = { threshold: 6, edgeItems: 3, precision: 4, lineWidth: Infinity };

/** A tensor: name, type, dimensions, and the first and last numbers. */
export function tensorText(tensor: lib.ggml_tensor, isNested: boolean): string {
  const { name } = tensor;
  const title = `ggml_tensor${name === "" ? "" : ` ${quote(name)}`} ${typeAndDimensions(tensor)}`;
  if (isNested && dimensionsOf(tensor).length > 1) return title;
  const numbers = numbersText(tensor, isNested ? SHORT : NUMPY);
  const isLine = !numbers.includes("\n") && (isNested || title.length + numbers.length + 2 <= NUMPY.lineWidth);
  return `${title}:${isLine ? " " : "\n"}${numbers}`;
}

/** The numbers, or why there are none. */
function numbersText(tensor: lib.ggml_tensor, format: ArrayFormat): string {
  try {
    const { array, toFloat, name } = typeInfo(tensor.type);
    if (array === null && toFloat === null) return `ggml has no conversion from ${name} to f32`;
    if (tensor.data === null && !tensor.ne.includes(0)) return "no memory yet";
    return formatArray(tensor, "inspect", format);
  } catch (error) {
    return withoutName((error as Error).message);
  }
}

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

/** How long the bar is, in letters. */
const BAR = 24;

/** A context in one line. */
export function contextText(ctx: lib.ggml_context): string {
  const size = lib.ggml_get_mem_size(ctx), used = lib.ggml_used_mem(ctx);
  const filled = Math.round(BAR * used / size);
  const bar = `[${"█".repeat(filled)}${"░".repeat(BAR - filled)}]`;
  return `ggml_context: ${bar} ${formatBytes(used)} of ${formatBytes(size)} used (${formatShare(used / size)}), ` +
    `${formatBytes(size - used)} free, ${formatCount(countOf(ctx), "tensor")}${lib.ggml_get_no_alloc(ctx) ? " (noAlloc)" : ""}`;
}

function countOf(ctx: lib.ggml_context): number {
  let count = 0;
  for (let tensor = lib.ggml_get_first_tensor(ctx); tensor !== null; tensor = lib.ggml_get_next_tensor(ctx, tensor)) count++;
  return count;
}

/** A device's memory in words. */
export function memoryText({ memory: { free, total } }: DeviceFacts): string {
  return total === 0 ? "memory unknown" : `${formatBytes(free)} of ${formatBytes(total)} free`;
}

/** A device in two lines. */
export function deviceText(device: lib.ggml_backend_device, title = "ggml_backend_device"): string {
  const facts = readDevice(device);
  const { name, description, type, features } = facts;
  const on = features.map(([feature, value]) => value === "1" ? feature : `${feature}=${value}`).join(" ");
  return `${title} ${name} (${type}): ${description}, ${memoryText(facts)}${on === "" ? "" : `\n  ${on}`}`;
}

/** A backend in two lines. */
export function backendText(backend: lib.ggml_backend): string {
  const name = lib.ggml_backend_name(backend);
  return deviceText(lib.ggml_backend_get_device(backend), `ggml_backend ${name} on device`);
}

const SIZES = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** A number of bytes: `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  let size = bytes, unit = 0;
  while (size >= 1024 && unit < SIZES.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${short(size)} ${SIZES[unit]}`;
}

/** Milliseconds: `1.5 ms`, `12 µs`, `3.4 s`. */
export function formatMs(ms: number): string {
  if (ms >= 1000) return `${short(ms / 1000)} s`;
  return ms >= 1 || ms === 0 ? `${short(ms)} ms` : `${short(ms * 1000)} µs`;
}

/** A share from 0 to 1: `45%`. */
export function formatShare(share: number): string {
  const percent = share * 100;
  return percent > 0 && percent < 1 ? "<1%" : `${Math.round(percent)}%`;
}

/** A count and what is counted: `1 node`, `1,028 nodes`. */
export function formatCount(count: number, noun: string): string {
  return `${count.toLocaleString("en-US")} ${noun}${count === 1 ? "" : "s"}`;
}

/** Any number, in at most five digits. */
export function formatNumber(x: number): string {
  return String(Number(x.toPrecision(5)));
}

/** Three digits. */
function short(x: number): string {
  return x >= 100 || Number.isInteger(x) ? String(Math.round(x)) : String(Number(x.toPrecision(3)));
}

/** Does something for a function of a name, which its errors begin with. */
export async function named<T>(where: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    throw new Error(`${where}: ${withoutName((cause as Error).message)}`, { cause });
  }
}

/** A message without the name of the function that it is from. */
export function withoutName(message: string): string {
  return message.replace(/^\w+: /, "");
}
