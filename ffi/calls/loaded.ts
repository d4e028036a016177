/**
 * The backends' libraries that C was told to load by a path: their functions are found from then on.
 *
 * @module
 */

import { library } from "../load/library.ts";
import type { Wrappers } from "./watch.ts";

/** What is put around the function that loads one. */
export const wrappers: Wrappers = {
  ggml_backend_load: (symbol) => (path: Uint8Array<ArrayBuffer>) => {
    const registry: bigint = symbol(path);
    if (registry !== 0n) library().alsoIn(new TextDecoder().decode(path.subarray(0, path.indexOf(0))));
    return registry;
  },
};
