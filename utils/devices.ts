/**
 * `devices`: what there is to compute on.
 *
 * @module
 */

import { type Device, listDevices } from "./computing/device.ts";

/**
 * Lists the devices of the loaded library's backends, in the order of ggml's registry, and loads the backends first if none is.
 *
 * They are those in the library's folder, and the one that `GGML_BACKEND_PATH` names if this program may read that variable
 * (`--allow-env=GGML_BACKEND_PATH`); the current folder is never searched. The C functions behind it are `ggml_backend_load_all_from_path`, `ggml_backend_dev_get` and `ggml_backend_dev_get_props`.
 *
 * @returns A device each. The memory that is free is that of now.
 * @throws {Error} If no library can be loaded, or it has no registry (a single file of a split build).
 *
 * @example Use a GPU if there is one
 * ```ts
 * import { lib } from "@ggml/deno";
 * import { devices } from "@ggml/deno/utils";
 *
 * const best = devices().find(({ type }) => type === "gpu") ?? devices().find(({ type }) => type === "cpu")!;
 * using backend = lib.ggml_backend_dev_init(best.device, null)!;
 * console.log(lib.ggml_backend_name(backend), best.memory.total > 0); // CPU true
 * ```
 */
export function devices(): Device[] {
  return listDevices();
}
