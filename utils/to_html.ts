/**
 * `toHtml`: a picture, and of a tensor a table too, as HTML.
 *
 * @module
 */

import type { DrawOptions } from "./display/graph_parts.ts";
import type { Drawable } from "./display/render.ts";

/**
 * What a notebook shows of a tensor, graph, context, device or backend.
 *
 * @param value What to show.
 * @param options `from` and `to`: the part of a graph.
 * @returns An element to put into a page: its text has the colour of the page's. A tensor's table says its type, dimensions, memory and operation;
 * where its numbers can't be read it says why there is no picture.
 * @throws What `toSvg` throws, but for tensors without numbers.
 *
 * @example
 * ```ts
 * import { lib } from "@ggml/deno";
 * import { init, toHtml } from "@ggml/deno/utils";
 *
 * using ctx = init();
 * const a = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_Q4_K, 256, 4);
 * a.name = "weights";
 * console.log((await toHtml(a)).includes("weights")); // true
 * ```
 */
export async function toHtml(value: Drawable, options: DrawOptions = {}): Promise<string> {
  const { htmlOf } = await import("./display/render.ts");
  return String(await htmlOf(value, options, "toHtml"));
}
