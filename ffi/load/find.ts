/**
 * Where ggml's library is looked for, and under which file names.
 *
 * In this order: the path that `load` was given, the environment variable `GGML_LIBRARY`, the prebuilt package of the pinned release.
 * Nothing here opens a library, and nothing needs a permission: what isn't granted is done without.
 *
 * @module
 */

/** The release that the bindings were generated from and whose prebuilt libraries are the default. */
export const RELEASE = { package: "3.22.1", llama: "v0.5.0", ggml: "0.25.1" } as const;

/** A place to look, and who named it. */
export interface Place {
  readonly path: string;
  readonly source: "load({ path })" | "GGML_LIBRARY" | "npm";
}

/** Why there is no place of some kind. */
export interface Missing {
  readonly source: Place["source"];
  readonly reason: string;
}

const { os, arch } = Deno.build;

/** A kind of GPU that there are prebuilt libraries for. */
export type Gpu = "cuda" | "vulkan" | "metal";

/** All of them. */
export const GPUS: readonly Gpu[] = ["cuda", "vulkan", "metal"];

/** The prebuilt packages of each platform, by Node's name for it: for the CPU alone, and for each kind of GPU. On Apple silicon one does both. */
const PACKAGES: Readonly<Record<string, Partial<Record<Gpu | "cpu", string>>>> = {
  "linux-x64": { cpu: "linux-x64", cuda: "linux-x64-cuda", vulkan: "linux-x64-vulkan" },
  "linux-arm64": { cpu: "linux-arm64" },
  "mac-arm64": { cpu: "mac-arm64-metal", metal: "mac-arm64-metal" },
  "mac-x64": { cpu: "mac-x64" },
  "win-x64": { cpu: "win-x64", cuda: "win-x64-cuda", vulkan: "win-x64-vulkan" },
  "win-arm64": { cpu: "win-arm64" },
};

/** Node's name of this platform, such as `linux-x64`. */
export function platformName(): string {
  const system = { linux: "linux", android: "linux", darwin: "mac", windows: "win" }[os as string] ?? os;
  return `${system}-${{ x86_64: "x64", aarch64: "arm64" }[arch as string] ?? arch}`;
}

/** A platform's package with a kind of GPU, or of the CPU alone, by default of this one; null where there is none. */
export function platformPackage(gpu: Gpu | null, platform: string = platformName()): string | null {
  return PACKAGES[platform]?.[gpu ?? "cpu"] ?? null;
}

/** The kinds of GPU that there are packages for on this platform. */
export function platformGpus(platform: string = platformName()): Gpu[] {
  return GPUS.filter((gpu) => platformPackage(gpu, platform) !== null);
}

/** The value of `GGML_LIBRARY`, null where it is unset or may not be read. */
export function libraryVariable(): string | null {
  const permission = { name: "env", variable: "GGML_LIBRARY" } as const;
  if (Deno.permissions.querySync(permission).state !== "granted") return null;
  return plainPath(Deno.env.get("GGML_LIBRARY") ?? "") || null;
}

/** The folder of the prebuilt libraries in an installed package, from the URL of any file in it. */
export function packageFolder(url: string, platform: string): string {
  const name = `/@node-llama-cpp/${platform}/`;
  let root = url.slice(0, url.lastIndexOf(name) + name.length);
  // Deno's cache has a folder a version, a node_modules folder has not.
  if (url.startsWith(`${RELEASE.package}/`, root.length)) root += `${RELEASE.package}/`;
  return pathOf(`${root}bins/${platform}/`);
}

/** A `file:` URL as a path of this system. */
function pathOf(url: string): string {
  const path = decodeURIComponent(url.slice("file://".length)); // a URL's own parser takes half a millisecond to get ready
  return os === "windows" ? path.slice(1).replaceAll("/", "\\") : path;
}

/** A path, which may be a `file:` URL as `import.meta.resolve` gives them. */
export function plainPath(path: string): string {
  if (!path.startsWith("file:///")) return path;
  try {
    return pathOf(path);
  } catch {
    return path; // whose escapes are no UTF-8: it isn't there, and the error for that names it as it was given
  }
}

/** The folder part of a path with its separator; "" if it has none. */
export function folderOf(path: string): string {
  const end = Math.max(path.lastIndexOf("/"), os === "windows" ? path.lastIndexOf("\\") : -1);
  return path.slice(0, end + 1);
}

/** True for what looks like a library's file name. */
export function isLibraryFile(path: string): boolean {
  return /\.(so|dylib|dll)(\.[\d.]+)?$/.test(path);
}

/** A path as places have it: a file as it is, a folder with a separator at its end, whoever named it. */
export function settled(path: string): string {
  const separator = os === "windows" ? "\\" : "/";
  return isLibraryFile(path) || path.endsWith("/") || path.endsWith(separator) ? path : path + separator;
}

/** Whose file names: a platform, by Node's name for it, and a release of llama.cpp's. */
interface Naming {
  readonly platform?: string;
  readonly llama?: string;
}

/**
 * The file names that a library of ggml's may have on a system, by default on this one, likeliest first. `name` is CMake's: `ggml-base`. The
 * prebuilt packages have the release, and before it the kind of GPU, in the names of those that other programs might bring along too.
 */
export function fileNames(name: string, { platform = platformName(), llama = RELEASE.llama }: Naming = {}): string[] {
  const [system] = platform.split("-");
  const prefix = system === "win" ? "" : "lib";
  const extensions = system === "win" ? [".dll"] : system === "mac" ? [".dylib", ".so"] : [".so"];
  const marks = ["", `.${llama}`];
  if (name === "ggml" || name === "llama") marks.push(...platformGpus(platform).map((gpu) => `.${gpu}.${llama}`));
  return extensions.flatMap((extension) => marks.map((mark) => `${prefix}${name}${mark}${extension}`));
}

/**
 * The CPU variants that ggml's build makes (`GGML_CPU_ALL_VARIANTS`), each with the score that it gives itself on a processor that can run it: one
 * bit a feature, so a later one here always beats an earlier one.
 */
export const CPU_VARIANTS: Readonly<Record<string, readonly (readonly [name: string, score: number])[]>> = {
  x86_64: [
    ["x64", 1],
    ["sse42", 5],
    ["sandybridge", 21],
    ["ivybridge", 23],
    ["piledriver", 24],
    ["haswell", 64],
    ["alderlake", 128],
    ["skylakex", 192],
    ["cannonlake", 448],
    ["cascadelake", 1216],
    ["icelake", 1472],
    ["cooperlake", 1728],
    ["zen4", 1984],
    ["sapphirerapids", 4032],
  ],
  aarch64: [
    ["armv8.0_1", 1],
    ["armv8.2_1", 3],
    ["armv8.2_2", 7],
    ["armv8.2_3", 15],
    ["armv8.6_1", 31],
    ["armv8.6_2", 63],
    ["armv9.2_1", 95],
    ["armv9.2_2", 127],
    ["apple_m1", 3],
    ["apple_m2_m3", 19],
    ["apple_m4", 83],
  ],
};
