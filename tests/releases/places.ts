/**
 * Where the project keeps what a release decides: all that these tools read and write is named here.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";

/** The checkout that this file is in, with a separator at its end. */
export const ROOT = fromFileUrl(new URL("../../", import.meta.url));

/** From there. */
export const PLACES = {
  /** The release whose libraries are the default. */
  find: "ffi/load/find.ts",
  /** The package whose headers are. */
  release: "lexer/ggml/release.ts",
  /** What changed from release to release. */
  history: "ffi/load/releases.ts",
  api: "lexer/ggml/api.h",
  regenerate: "lexer/ggml/regenerate.ts",
  readme: "README.md",
  lock: "deno.lock",
  config: "deno.json",
  /** What needs llama.h, as `exports` names it. */
  models: "./models/",
  page: "docs/releases.md",
} as const;
