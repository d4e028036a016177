/**
 * Where the tests find ggml's headers: in the tree that INCLUDE names, else in that of the pinned release, downloaded once.
 *
 * @module
 */

import { pinnedTree } from "../../lexer/ggml/release.ts";

let tree: Promise<string> | undefined;

/** The folder of a llama.cpp tree. */
export function headers(): Promise<string> {
  return tree ??= Promise.resolve(Deno.env.get("INCLUDE") || pinnedTree());
}
