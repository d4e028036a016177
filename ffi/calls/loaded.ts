/**
 * The backends' libraries that C was told to load by a path: their functions are found from then on.
 *
 * @module
 */

import { after } from "../core/after.ts";
import { library } from "../load/library.ts";
import type { Wrappers } from "./watch.ts";

/** What is put around the function that loads one. */
export const wrappers: Wrappers = {
  ggml_backend_load: (symbol) => (path: Uint8Array<ArrayBuffer>) => {
    const name = new TextDecoder().decode(path.subarray(0, path.indexOf(0)));
    return after(symbol(path), (registry: bigint) => {
      if (registry !== 0n) library().alsoIn(name);
      return registry;
    });
  },
};
