/**
 * `save`: a picture in a file.
 *
 * @module
 */

import { lib } from "../ffi/generated/lib.js";
import { pathOf } from "./files/path.ts";
import { Replacement, writeAllAsync } from "./files/replace.ts";
import type { DrawOptions } from "./display/graph_parts.ts";
import type { Drawable } from "./display/render.ts";

/** What can be written, by the end of the file's name. */
const KINDS = [".svg", ".html", ".png"] as const;

/**
 * Draws a tensor, graph, context, device or backend into a file. It is written beside the file and takes its place when it is
 * complete: on a full disk the old one stays. It needs `--allow-read` and `--allow-write` for the folder.
 *
 * @param value What to draw.
 * @param path The file, which is replaced if it exists. `.svg`: what `toSvg` gives. `.html`: a page with what `toHtml` gives. `.png`: of a
 * tensor, its heat map without words, a dot a number, magnified.
 * @param options `from` and `to`: the part of a graph.
 * @throws What `toSvg` throws.
 * @throws {TypeError} If the path is none or a folder's, its ending is another, or it is `.png` and this no tensor.
 * @throws {Deno.errors.NotCapable} Without the permission to read and write there; what else Deno says of the file.
 *
 * @example
 * ```ts
 * import { lib } from "@ggml/deno";
 * import { init, save } from "@ggml/deno/utils";
 *
 * using ctx = init();
 * const path = await Deno.makeTempFile({ suffix: ".svg" });
 * await save(ctx, path);
 * console.log((await Deno.readTextFile(path)).includes("free")); // true
 * await Deno.remove(path);
 * ```
 */
export async function save(value: Drawable, path: string | URL, options: DrawOptions = {}): Promise<void> {
  const name = pathOf(path, "save");
  const kind = KINDS.find((ending) => name.toLowerCase().endsWith(ending));
  if (kind === undefined) throw new TypeError(`save: ${JSON.stringify(name)} must end in ${KINDS.join(", ")}`);
  const { expectDrawable, htmlOf, pictureOf } = await import("./display/render.ts");
  expectDrawable(value, options, "save");
  if (kind === ".png") {
    if (!(value instanceof lib.ggml_tensor)) {
      throw new TypeError(`save: a ${value.constructor.name} can't be written as .png: use .svg or .html`);
    }
    const { named } = await import("./display/text.ts");
    const { tensorPng } = await import("./display/tensor_picture.ts");
    return await write(name, await named("save", () => tensorPng(value)));
  }
  const { file, page } = await import("./display/svg.ts");
  const text = kind === ".svg"
    ? file(await pictureOf(value, options, "save"))
    : page(await htmlOf(value, options, "save"), value.constructor.name);
  await write(name, new TextEncoder().encode(text));
}

async function write(name: string, bytes: Uint8Array): Promise<void> {
  const where = `save: can't write ${JSON.stringify(name)}`;
  using replacement = new Replacement(name, where);
  await writeAllAsync(replacement.file, bytes, where);
  await replacement.commit();
}
