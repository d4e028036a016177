/**
 * What a notebook is given: the same thing as text and as HTML, of which it shows what it can.
 *
 * It never fails: what was freed, or can't be read, says so.
 *
 * @module
 */

import type { Handle } from "../../ffi/core/handle.ts";
import { markup } from "./markup.ts";
import { withoutName } from "./named.ts";
import { type Drawable, htmlOf } from "./render.ts";

/** The MIME bundle of a handle. */
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
