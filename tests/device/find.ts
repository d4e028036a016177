/**
 * The device of these tests: one whose memory is not the host's.
 *
 * `../ffi/vulkan_test.ts` runs them on Mesa's software Vulkan device. By hand: GGML_LIBRARY=<folder of a library with a GPU's backend>
 * GGML_VK_VISIBLE_DEVICES=0 deno test -A tests/device/*.ts
 *
 * @module
 */

import type { lib } from "@ggml/deno";
import { devices } from "@ggml/deno/utils";

/** The device. */
export const device: lib.ggml_backend_device = findDevice();

function findDevice(): lib.ggml_backend_device {
  const found = devices().find(({ host }) => !host);
  if (found === undefined) {
    throw new Error("this library has no device with memory of its own: run vulkan_test.ts, which names one that has");
  }
  return found.device;
}
