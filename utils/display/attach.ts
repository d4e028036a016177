/**
 * Gives graphs, contexts, devices, backends and tensors the methods by which Deno's notebooks and terminals show them.
 *
 * Importing this module does that, in place of the method that every handle inherits: `ffi/` knows nothing of numbers and pictures. What draws
 * is loaded when the first picture is. To look never throws, whatever became of a handle.
 *
 * @module
 */

import type { Handle } from "../../ffi/core/handle.ts";
import { lib } from "../../ffi/generated/lib.js";
import { backendText, contextText, deviceText, graphText, plain, tensorText } from "./text.ts";

const CUSTOM = Symbol.for("Deno.customInspect"), DISPLAY = Symbol.for("Jupyter.display");

/** What Deno says of where the text will stand. */
interface Place {
  /** In how many objects and arrays. */
  readonly currentDepth?: number;
}

/** Adds a method to a class of handles. */
function define(prototype: Handle, name: symbol, value: (this: never, ...args: never[]) => unknown): void {
  Object.defineProperty(prototype, name, { value, configurable: true, writable: true });
}

/** Has handles show themselves by a text, of which nested ones show the first line. */
function inspects<H extends Handle>(prototype: H, text: (handle: H, isNested: boolean) => string): void {
  define(prototype, CUSTOM, function (this: H, _inspect: unknown, place?: Place): string {
    try {
      const isNested = (place?.currentDepth ?? 0) > 0, full = text(this, isNested);
      return isNested ? full.split("\n", 1)[0] : full;
    } catch {
      return plain(this);
    }
  });
}

inspects(lib.ggml_tensor.prototype, tensorText);
inspects(lib.ggml_cgraph.prototype, graphText);
inspects(lib.ggml_context.prototype, contextText);
inspects(lib.ggml_backend_device.prototype, (device) => deviceText(device));
inspects(lib.ggml_backend.prototype, backendText);

for (const { prototype } of [lib.ggml_tensor, lib.ggml_cgraph, lib.ggml_context, lib.ggml_backend_device, lib.ggml_backend]) {
  define(prototype, DISPLAY, async function (this: Handle): Promise<Record<string, string>> {
    const { bundleOf } = await import("./render.ts");
    return await bundleOf(this);
  });
}
