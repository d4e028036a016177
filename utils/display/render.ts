/**
 * Which picture whose is, and what a notebook is given.
 *
 * @module
 */

import { describe } from "../../ffi/core/describe.ts";
import { freedError, type Handle } from "../../ffi/core/handle.ts";
import { expectOptions } from "../../ffi/core/options.ts";
import { lib } from "../../ffi/generated/lib.js";
import { contextPicture } from "./context_picture.ts";
import { backendPicture, devicePicture } from "./device_picture.ts";
import type { DrawOptions } from "./graph_parts.ts";
import { graphPicture } from "./graph_picture.ts";
import { element, type Markup, markup, type Picture } from "./svg.ts";
import { tensorPicture, tensorTable } from "./tensor_picture.ts";
import { named, withoutName } from "./text.ts";

/** What there are pictures of. */
export type Drawable = lib.ggml_tensor | lib.ggml_cgraph | lib.ggml_context | lib.ggml_backend_device | lib.ggml_backend;

/** Throws unless there are pictures of such a thing, it wasn't freed, and these are options. */
export function expectDrawable(value: Drawable, options: DrawOptions, where: string): void {
  expectOptions(where, options, ["from", "to"]);
  const classes = [lib.ggml_tensor, lib.ggml_cgraph, lib.ggml_context, lib.ggml_backend_device, lib.ggml_backend];
  if (!classes.some((each) => value instanceof each)) {
    throw new TypeError(`${where}: expected a tensor, graph, context, device or backend, got ${describe(value)}`);
  }
  if (value.owner.freed) throw freedError(value, where);
}

/** The picture of anything that has one. */
export async function pictureOf(value: Drawable, part: DrawOptions, where: string): Promise<Picture> {
  expectDrawable(value, part, where);
  if (value instanceof lib.ggml_cgraph) return await graphPicture(value, part, where);
  if (part.from !== undefined || part.to !== undefined) {
    throw new TypeError(`${where}: { from, to } are nodes of a graph, and this is a ${value.constructor.name}`);
  }
  if (value instanceof lib.ggml_tensor) return await named(where, () => tensorPicture(value));
  if (value instanceof lib.ggml_context) return contextPicture(value);
  return value instanceof lib.ggml_backend ? backendPicture(value) : devicePicture(value);
}

/** The picture as an element of a page. A tensor's comes with a table, and without numbers says why. */
export async function htmlOf(value: Drawable, part: DrawOptions, where: string): Promise<Markup> {
  expectDrawable(value, part, where);
  if (!(value instanceof lib.ggml_tensor)) return scrolled(element(await pictureOf(value, part, where)));
  const table = tensorTable(value);
  try {
    return markup`<div>${table}${scrolled(element(await pictureOf(value, part, where)))}</div>`;
  } catch (error) {
    if (part.from !== undefined || part.to !== undefined) throw error;
    return markup`<div>${table}<p style="font-size:12px;opacity:0.75">No picture: ${withoutName((error as Error).message)}</p></div>`;
  }
}

/** Large pictures keep their size: one scrolls. */
function scrolled(content: Markup): Markup {
  return markup`<div style="overflow:auto;max-height:800px">${content}</div>`;
}

/** The MIME bundle of a handle: the same thing as text and as HTML, of which a notebook shows what it can. What was freed, or can't be read, says so. */
export async function bundleOf(handle: Handle): Promise<Record<string, string>> {
  // A class's own prototype has no address.
  if (typeof handle.address !== "bigint") return { "text/plain": `${handle.constructor.name} {}` };
  const plain = Deno.inspect(handle);
  try {
    return { "text/html": String(await htmlOf(handle as Drawable, {}, "display")), "text/plain": plain };
  } catch (error) {
    const reason = withoutName((error as Error).message);
    return { "text/html": String(markup`<pre>${plain}\n${reason}</pre>`), "text/plain": `${plain}\n${reason}` };
  }
}
