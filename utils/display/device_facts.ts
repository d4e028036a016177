/**
 * What a backend's device says of itself.
 *
 * @module
 */

import { lib } from "../../ffi/generated/lib.js";
import { formatBytes } from "./units.ts";

/** A device. */
export interface DeviceFacts {
  readonly name: string;
  readonly description: string;
  /** `CPU`, `GPU`, … */
  readonly type: string;
  /** Bytes. Both are 0 where the device doesn't say. */
  readonly memory: { readonly free: number; readonly total: number };
  /** Its address on the bus; null where it has none. */
  readonly id: string | null;
  /** The library that it belongs to. */
  readonly backend: string;
  /** What it can: `async`, `events`, … */
  readonly capabilities: readonly string[];
  /** What the library was built for or found, such as the processor's instructions: name and value. */
  readonly features: readonly (readonly [name: string, value: string])[];
}

/** Asks a device. */
export function readDevice(device: lib.ggml_backend_device): DeviceFacts {
  const props = new lib.ggml_backend_dev_props();
  lib.ggml_backend_dev_get_props(device, props);
  const { caps, memory_free: free, memory_total: total } = props;
  const reg = lib.ggml_backend_dev_backend_reg(device);
  return {
    name: lib.ggml_backend_dev_name(device),
    description: lib.ggml_backend_dev_description(device).trim(),
    type: typeOf(props.type),
    memory: { free, total },
    id: props.device_id,
    backend: reg === null ? "" : lib.ggml_backend_reg_name(reg),
    capabilities: CAPABILITIES.filter((name) => (caps as unknown as Record<string, unknown>)[name] === true).map((name) =>
      name.replaceAll("_", " ")
    ),
    features: reg === null ? [] : featuresOf(reg),
  };
}

const CAPABILITIES = ["async", "host_buffer", "buffer_from_host_ptr", "events", "mmap_support"] as const;

function typeOf(type: number): string {
  const prefix = "GGML_BACKEND_DEVICE_TYPE_";
  const found = Object.keys(lib).find((name) => name.startsWith(prefix) && lib[name as keyof typeof lib] === type);
  return found?.slice(prefix.length) ?? `type ${type}`;
}

/** What `ggml_backend_get_features` of a backend's library says; nothing if it hasn't got that function. */
function featuresOf(reg: lib.ggml_backend_reg): [string, string][] {
  const found = lib.ggml_backend_reg_get_proc_address(reg, "ggml_backend_get_features");
  if (found === null) return [];
  const getFeatures = new Deno.UnsafeFnPointer(Deno.UnsafePointer.create(found.address)!, { parameters: ["pointer"], result: "pointer" });
  const first = lib.ggml_backend_feature.from(getFeatures.call(reg.pointer));
  const features: [string, string][] = [];
  for (let i = 0; first !== null; i++) {
    const { name, value } = first.at(i);
    if (name === null) break;
    features.push([name, value ?? ""]);
  }
  return features;
}

/** A device's memory in words. */
export function memoryText({ memory: { free, total } }: DeviceFacts): string {
  return total === 0 ? "memory unknown" : `${formatBytes(free)} of ${formatBytes(total)} free`;
}

/** A device in two lines. */
export function deviceText(device: lib.ggml_backend_device, title = "ggml_backend_device"): string {
  const facts = readDevice(device);
  const { name, description, type, features } = facts;
  const on = features.map(([feature, value]) => value === "1" ? feature : `${feature}=${value}`).join(" ");
  return `${title} ${name} (${type}): ${description}, ${memoryText(facts)}${on === "" ? "" : `\n  ${on}`}`;
}

/** A backend in two lines. */
export function backendText(backend: lib.ggml_backend): string {
  const name = lib.ggml_backend_name(backend);
  return deviceText(lib.ggml_backend_get_device(backend), `ggml_backend ${name} on device`);
}
