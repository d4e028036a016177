/**
 * Gives graphs, contexts, devices, backends and tensors the methods by which Deno's notebooks and terminals show them.
 *
 * Importing this module does that: `ffi/` knows nothing of pictures. What draws them is loaded when the first one is. How tensors look in a
 * terminal is said elsewhere.
 *
 * @module
 */

import type { Handle } from "../../ffi/core/handle.ts";
import { lib } from "../../ffi/generated/lib.js";
import { backendText, contextText, deviceText, graphText, plain } from "./text.ts";

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

function inspects<H extends Handle>(prototype: H, text: (handle: H) => string): void {
  define(prototype, CUSTOM, function (this: H, _inspect: unknown, place?: Place): string {
    try {
      const full = text(this);
      return (place?.currentDepth ?? 0) > 0 ? full.split("\n", 1)[0] : full;
    } catch {
      return plain(this);
    }
  });
}

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
