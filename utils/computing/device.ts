/**
 * Devices: what there is to compute on, described.
 *
 * @module
 */

import { lib } from "../../ffi/generated/lib.js";
import { loadBackends } from "../../ffi/load/backends.ts";
import { library } from "../../ffi/load/library.ts";

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

/** The devices of the loaded library's backends, which are loaded if none is. */
export function listDevices(): Device[] {
  if (lib.ggml_backend_reg_count() === 0) loadBackends(library());
  return Array.from({ length: lib.ggml_backend_dev_count() }, (_, i) => describeDevice(lib.ggml_backend_dev_get(i)));
}

/** A device as `devices` lists it. Of a remote one whose server has gone there is the name alone. */
export function describeDevice(device: lib.ggml_backend_device): Device {
  const reg = lib.ggml_backend_dev_backend_reg(device);
  const known = {
    name: lib.ggml_backend_dev_name(device),
    description: lib.ggml_backend_dev_description(device),
    type: TYPES[lib.ggml_backend_dev_type(device)],
    backend: reg === null ? "" : lib.ggml_backend_reg_name(reg),
    device,
  };
  try {
    const { memory_free: free, memory_total: total } = propsOf(device);
    return { ...known, memory: { free, total }, host: lib.ggml_backend_buft_is_host(lib.ggml_backend_dev_buffer_type(device)) };
  } catch (error) {
    if (known.backend !== "RPC") throw error;
    return { ...known, memory: { free: 0, total: 0 }, host: false };
  }
}

function propsOf(device: lib.ggml_backend_device): lib.ggml_backend_dev_props {
  const props = new lib.ggml_backend_dev_props();
  lib.ggml_backend_dev_get_props(device, props);
  return props;
}
