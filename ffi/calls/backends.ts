/**
 * The functions that load backends without being told a file: they don't look in the current folder.
 *
 * @module
 */

import { loadBackends, withoutVariable } from "../load/backends.ts";
import { library } from "../load/library.ts";
import type { Wrappers } from "./watch.ts";

/** What is put around the functions that load backends. */
export const wrappers: Wrappers = {
  ggml_backend_load_all: () => () => loadBackends(library()),
  ggml_backend_load_all_from_path: (symbol) => (folder: Uint8Array | null) => {
    if (folder === null) return loadBackends(library());
    if (folder[0] === 0) throw new TypeError('ggml_backend_load_all_from_path(dir_path): expected a folder, got the string ""');
    return withoutVariable(library(), () => symbol(folder));
  },
};
