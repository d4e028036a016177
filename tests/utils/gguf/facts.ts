/**
 * What the tests of GGUF files share.
 *
 * @module
 */

import { type GgufFile, readGguf } from "@ggml/deno/utils";
import type { Facts } from "./c_reader.ts";

/** What `readGguf` says of a file, in the form that it is compared in. */
function factsOf({ version, alignment, metadata, tensors }: GgufFile): Facts {
  return {
    version,
    alignment,
    metadata: new Map(metadata),
    tensors: Array.from(tensors.values(), ({ name, type, ne, offset, byteLength }) => {
      return { name, type, ne: [...ne, 1, 1, 1, 1].slice(0, 4), offset, byteLength };
    }),
  };
}

/** What `readGguf` says of the file there. */
export function readFacts(path: string): Facts {
  using file = readGguf(path);
  return factsOf(file);
}
