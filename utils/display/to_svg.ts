/**
 * `toSvg`: a picture as the text of an SVG file.
 *
 * @module
 */

import { describe } from "../../ffi/core/describe.ts";
import { expectKnown } from "../../ffi/core/options.ts";
import type { Part } from "./graph_parts.ts";
import type { Drawable } from "./render.ts";

/** What {@linkcode toSvg}, {@linkcode toHtml} and {@linkcode save} take besides what is drawn. */
export interface DrawOptions {
  /** Of a graph: the index of the first node to draw. */
  from?: number;
  /** Of a graph: the index after that of the last node to draw. */
  to?: number;
}

export type { Drawable };

/**
 * Draws a tensor, graph, context, device or backend.
 *
 * A vector is a line, a matrix a heat map; of more dimensions there are several. Of a large tensor some numbers are read, evenly spaced: how many
 * is said. A graph has a box for each node and leaf; after `compute(graph, { timing: true })` their colour says how long they took. Of equal parts
 * that follow each other in a large graph one is drawn. A context is a bar of who has its memory.
 *
 * @param value What to draw.
 * @param options `from` and `to`: the part of a graph.
 * @returns SVG, readable on light and on dark ground.
 * @throws {TypeError} If it is nothing that can be drawn, or an option is of the wrong type.
 * @throws {RangeError} If there is no such part, or it has more than 3,000 nodes.
 * @throws {Error} If it was freed, or a tensor has no numbers that can be read.
 *
 * @example
 * ```ts
 * import { lib } from "@ggml/deno";
 * import { init, toSvg } from "@ggml/deno/utils";
 *
 * using ctx = init();
 * const a = lib.ggml_set_f32(lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, 8, 4), 1);
 * console.log((await toSvg(a)).includes("<svg")); // true
 * ```
 */
export async function toSvg(value: Drawable, options: DrawOptions = {}): Promise<string> {
  const part = expectPart(options, "toSvg");
  const { pictureOf } = await import("./render.ts");
  const { file } = await import("./svg.ts");
  return file(await pictureOf(value, part, "toSvg"));
}

/** Throws unless these are options. */
export function expectPart(options: DrawOptions, where: string): Part {
  if (typeof options !== "object" || options === null) throw new TypeError(`${where}: expected { from, to }, got ${describe(options)}`);
  expectKnown(where, options, ["from", "to"]);
  return { ...(options.from !== undefined && { from: options.from }), ...(options.to !== undefined && { to: options.to }) };
}
