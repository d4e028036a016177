/**
 * `toSvg`: a picture as the text of an SVG file.
 *
 * @module
 */

import type { DrawOptions } from "./display/graph_parts.ts";
import type { Drawable } from "./display/render.ts";

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
  const { pictureOf } = await import("./display/render.ts");
  const { file } = await import("./display/svg.ts");
  return file(await pictureOf(value, options, "toSvg"));
}
