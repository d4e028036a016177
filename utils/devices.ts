/**
 * What there is to compute on.
 *
 * @module
 */

import { lib } from "../ffi/generated/lib.js";
import { library } from "../ffi/load/library.ts";
import { loadBackends } from "../ffi/load/backends.ts";

/** A device that ggml can compute on. */
export interface Device {
  /** ggml's name of it, such as `"CPU"` or `"Vulkan0"`. */
  readonly name: string;
  /** The maker's name of it. */
  readonly description: string;
  /** A GPU with memory of its own, one that shares the host's (`"igpu"`), the CPU, what helps that (`"accel"`), or several as one (`"meta"`). */
  readonly type: "cpu" | "gpu" | "igpu" | "accel" | "meta";
  /** In bytes, as far as the driver tells; 0 where it doesn't. */
  readonly memory: { readonly free: number; readonly total: number };
  /** The name of its backend in ggml's registry, such as `"CPU"`, `"Vulkan"` or `"CUDA"`. */
  readonly backend: string;
  /** Whether its tensors lie in memory that the CPU can read: then they can be viewed. */
  readonly host: boolean;
  /** What `lib.ggml_backend_dev_init` takes. */
  readonly device: lib.ggml_backend_device;
}

const TYPES: readonly Device["type"][] = ["cpu", "gpu", "igpu", "accel", "meta"]; // enum ggml_backend_dev_type

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
  if (lib.ggml_backend_reg_count() === 0) loadBackends(library());
  return Array.from({ length: lib.ggml_backend_dev_count() }, (_, i) => describe(lib.ggml_backend_dev_get(i)));
}

function describe(device: lib.ggml_backend_device): Device {
  const { name, description, type, memory_free, memory_total } = propsOf(device);
  const reg = lib.ggml_backend_dev_backend_reg(device);
  return {
    name: name ?? "",
    description: description ?? "",
    type: TYPES[type],
    memory: { free: memory_free, total: memory_total },
    backend: reg === null ? "" : lib.ggml_backend_reg_name(reg),
    host: lib.ggml_backend_buft_is_host(lib.ggml_backend_dev_buffer_type(device)),
    device,
  };
}

function propsOf(device: lib.ggml_backend_device): lib.ggml_backend_dev_props {
  const props = new lib.ggml_backend_dev_props();
  lib.ggml_backend_dev_get_props(device, props);
  return props;
}
