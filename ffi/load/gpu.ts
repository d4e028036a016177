/**
 * Choosing a prebuilt library by the GPU that it is for, and seeing that it finds one.
 *
 * @module
 */

import { loadBackends } from "./backends.ts";
import { describe } from "../core/describe.ts";
import { expectOptions } from "../core/options.ts";
import { type Library, whyNotWith } from "./files.ts";
import { fileNames, type Gpu, GPUS, type Place, platformGpus, platformName, platformPackage } from "./find.ts";
import { fetchPackage, installedPackage, specifierOf } from "./npm.ts";

const COUNT = { parameters: [], result: "usize" } as const;
const DEVICE = { parameters: ["usize"], result: "pointer" } as const;
const TYPE = { parameters: ["pointer"], result: "i32" } as const;

/** `GGML_BACKEND_DEVICE_TYPE_GPU` and `GGML_BACKEND_DEVICE_TYPE_IGPU`. */
const GPU_TYPES: readonly number[] = [1, 2];

/** What a backend's library needs from the system. */
export const NEEDS: Readonly<Record<Gpu, string>> = {
  cuda: "NVIDIA's driver, and the CUDA 13 runtime (libcudart, libcublas)",
  vulkan: "a Vulkan loader and driver (on Debian: apt-get install libvulkan1 mesa-vulkan-drivers)",
  metal: "macOS on Apple silicon",
};

/**
 * Downloads the prebuilt library for a kind of GPU, for `load`, which can't: that takes time, and `load` is no promise. What Deno has
 * in its cache already is not downloaded again.
 *
 * @param options `gpu`: as in `load({ gpu })`.
 * @throws {Error} If there is none for this platform, or it is not to be had.
 * @throws {TypeError} If the options are none, or `gpu` is no kind of GPU.
 *
 * @example
 * ```ts
 * import { download } from "@ggml/deno";
 *
 * await download({ gpu: false }); // then load({ gpu: false })
 * ```
 */
export async function download(options: { gpu: Gpu | false }): Promise<void> {
  expectOptions("download", options, ["gpu"]);
  const { gpu } = options;
  expectKind(gpu, "download({ gpu })");
  const call = `download({ gpu: ${JSON.stringify(gpu)} })`;
  const place = await fetchPackage(platformOf(gpu, call));
  if (!("path" in place)) throw new Error(`${call}: the prebuilt library is not to be had: ${place.reason}`);
}

/** Throws unless `gpu` is a kind of GPU, or false. */
export function expectKind(gpu: unknown, where: string): void {
  if (gpu === false || (GPUS as readonly unknown[]).includes(gpu)) return;
  throw new TypeError(`${where}: expected ${GPUS.map((name) => `"${name}"`).join(", ")} or false, got ${describe(gpu)}`);
}

/**
 * Where the prebuilt library with a kind of GPU is, or the one of the CPU alone.
 *
 * @throws {Error} If there is none for this platform, or it wasn't downloaded.
 */
export function gpuPlace(gpu: Gpu | false, call: string): Place {
  const platform = platformOf(gpu, call);
  const place = installedPackage(platform);
  if (place === null) {
    const argument = JSON.stringify(gpu);
    throw new Error(
      `${call}: the prebuilt library was not downloaded yet: say \`await download({ gpu: ${argument} })\` before, or once in a shell ` +
        `\`deno cache ${specifierOf(platform)}\``,
    );
  }
  return place;
}

/** The package of a kind of GPU for this platform. */
function platformOf(gpu: Gpu | false, call: string): string {
  const platform = platformPackage(gpu || null);
  if (platform !== null) return platform;
  const there = platformGpus().map((name) => `"${name}"`);
  throw new Error(`${call}: there is no such prebuilt library for ${platformName()}, but there is ${[...there, "false"].join(", ")}`);
}

/** Throws if the backend can't be opened, for want of a driver most likely. Nothing stays open then. */
export function expectBackend(folder: string, gpu: Gpu, call: string): void {
  const path = folder + fileNames(`ggml-${gpu}`)[0];
  const reason = whyNotWith(path, fileNames("ggml-base").map((file) => folder + file));
  if (reason !== null) throw new Error(`${call}: the backend can't be opened: ${path}: ${reason}\nIt needs ${NEEDS[gpu]}.`);
}

/** Loads the library's backends, and throws if there is no GPU among their devices. */
export function expectGpu(library: Library, gpu: Gpu, call: string): void {
  loadBackends(library);
  const count = library.symbol("ggml_backend_dev_count", COUNT) as () => bigint;
  const get = library.symbol("ggml_backend_dev_get", DEVICE) as (index: bigint) => Deno.PointerValue;
  const type = library.symbol("ggml_backend_dev_type", TYPE) as (device: Deno.PointerValue) => number;
  for (let i = 0n; i < count(); i++) if (GPU_TYPES.includes(type(get(i)))) return;
  const hint = gpu === "vulkan" ? " A software device is used only if GGML_VK_VISIBLE_DEVICES names it (0 is the first)." : "";
  throw new Error(
    `${call}: the backend finds no device. It needs ${NEEDS[gpu]}.${hint} Until the process ends, load() gives this library.`,
  );
}
