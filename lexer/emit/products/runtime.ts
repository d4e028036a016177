/**
 * The runtime of generated modules: the files of `ffi/core/` that they need, as text. `generate` writes them beside a module.
 *
 * They are imported as text, and not read, because this package may lie on a server.
 *
 * @module
 */

import after from "../../../ffi/core/after.ts" with { type: "text" };
import args from "../../../ffi/core/arguments.ts" with { type: "text" };
import at from "../../../ffi/core/at.ts" with { type: "text" };
import bits from "../../../ffi/core/bits.ts" with { type: "text" };
import c_memory from "../../../ffi/core/c_memory.ts" with { type: "text" };
import callback from "../../../ffi/core/callback.ts" with { type: "text" };
import cstring from "../../../ffi/core/cstring.ts" with { type: "text" };
import describe from "../../../ffi/core/describe.ts" with { type: "text" };
import domain from "../../../ffi/core/domain.ts" with { type: "text" };
import elements from "../../../ffi/core/elements.ts" with { type: "text" };
import ending from "../../../ffi/core/ending.ts" with { type: "text" };
import failure from "../../../ffi/core/failure.ts" with { type: "text" };
import fields from "../../../ffi/core/fields.ts" with { type: "text" };
import handle from "../../../ffi/core/handle.ts" with { type: "text" };
import host from "../../../ffi/core/host.ts" with { type: "text" };
import integers from "../../../ffi/core/integers.ts" with { type: "text" };
import known from "../../../ffi/core/known.ts" with { type: "text" };
import lengths from "../../../ffi/core/lengths.ts" with { type: "text" };
import module from "../../../ffi/core/module.ts" with { type: "text" };
import open from "../../../ffi/core/open.ts" with { type: "text" };
import owner from "../../../ffi/core/owner.ts" with { type: "text" };
import pointer from "../../../ffi/core/pointer.ts" with { type: "text" };
import roots from "../../../ffi/core/roots.ts" with { type: "text" };
import slots from "../../../ffi/core/slots.ts" with { type: "text" };
import shown from "../../../ffi/core/shown.ts" with { type: "text" };
import struct from "../../../ffi/core/struct.ts" with { type: "text" };
import text from "../../../ffi/core/text.ts" with { type: "text" };
import transferred from "../../../ffi/core/transferred.ts" with { type: "text" };
import warming from "../../../ffi/core/warming.ts" with { type: "text" };
import weak from "../../../ffi/core/weak.ts" with { type: "text" };

/** The folder beside a module that holds them. Modules in one folder share it, and with it their classes. */
export const FOLDER = "c_runtime";

/** What a module imports. */
export const RUNTIME = `./${FOLDER}/module.ts`;

const SOURCES: Readonly<Record<string, string>> = {
  after,
  arguments: args,
  at,
  bits,
  c_memory,
  callback,
  cstring,
  describe,
  domain,
  elements,
  ending,
  failure,
  fields,
  handle,
  host,
  integers,
  known,
  lengths,
  module,
  open,
  owner,
  pointer,
  roots,
  slots,
  shown,
  struct,
  text,
  transferred,
  warming,
  weak,
};

/** The text of each file, by its path from the module's folder. */
export function runtimeFiles(): ReadonlyMap<string, string> {
  // Unchecked, since a project's own compilerOptions may ask for more than this one's.
  const note = "// A copy of a file of @ggml/deno's ffi/core/, put here by `@ggml/deno/cli generate`. Do not edit.\n" +
    "// @ts-nocheck: it was, where it was written\n\n";
  return new Map(Object.entries(SOURCES).map(([name, text]) => [`${FOLDER}/${name}.ts`, note + text]));
}
