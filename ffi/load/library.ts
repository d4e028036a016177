/**
 * The loaded library: which one it is, and that there is one in a process.
 *
 * @module
 */

import { type Abi, checkAbi, checkLlama } from "./abi.ts";
import { exitOnAbort, noDebugger } from "../native/abort.ts";
import { describe } from "../core/describe.ts";
import { beforeNumbers, numbersKnown } from "../core/domain.ts";
import { type Gate, provide } from "../core/host.ts";
import { Library } from "./files.ts";
import { type Gpu, libraryVariable, type Missing, type Place, plainPath, settled } from "./find.ts";
import { expectBackend, expectGpu, expectKind, gpuPlace } from "./gpu.ts";
import { differenceOf } from "./history.ts";
import { openGate } from "../native/gates.ts";
import { ABI } from "../generated/layouts.js";
import { quieten } from "../native/log.ts";
import { expectOptions } from "../core/options.ts";
import { traceFrees } from "../core/owner.ts";
import { setTrap } from "../native/trap.ts";

/** What {@linkcode load} loaded. */
export interface LibraryInfo {
  /** The path that was asked for: a file, or a folder of them, which ends with a separator. */
  readonly path: string;
  /** Who named it. */
  readonly source: "load({ path })" | "GGML_LIBRARY" | "npm";
  /** What the library says of itself; null where it is too old to say. */
  readonly version: string | null;
  /** The files in use so far, in the order in which symbols are looked for. */
  readonly files: readonly string[];
  /** The CPU variant that was chosen by score, null where there was none to choose. */
  readonly cpu: { readonly variant: string; readonly score: number } | null;
}

/** What {@linkcode load} takes. */
export interface LoadOptions {
  /** A library file, or a folder that holds a build's libraries; a path or a `file:` URL. Without it, what `GGML_LIBRARY` names or the prebuilt package. */
  path?: string | URL;
  /**
   * The prebuilt library with that kind of GPU, or with `false` the one for the CPU alone, whatever `GGML_LIBRARY` says. It must have been
   * downloaded, by {@linkcode download} or by an earlier run. Its backends are loaded, so that `devices` of `@ggml/deno/utils` lists the GPU.
   */
  gpu?: "cuda" | "vulkan" | "metal" | false;
  /**
   * True to have the error for the use of a freed object say where it was freed: its `cause` has the stack of the free. Noting them costs
   * microseconds a free. It can be turned on and off at any time.
   */
  debug?: boolean;
  /**
   * What happens when C aborts, which it does where it finds a mistake that nothing here found before: `"exit"` prints C's message, the
   * JavaScript stack that led there and how to report it, calls the `unload` listeners, and ends the process with {@linkcode EXIT_ABORT}.
   * For servers: a supervisor sees a code instead of a crash, and no core is dumped. By default the process ends as C ends it, with SIGABRT.
   *
   * What aborts on another thread than this one, or outside ggml's own checks (a C++ exception, the C library), ends it with the same code;
   * then there is no stack to show, and the `unload` listeners are not called.
   */
  onAbort?: "exit";
}

const named = libraryVariable();
let fallback: Place | Missing | null = null;

/** True if `GGML_LIBRARY` names a library. */
export function isNamed(): boolean {
  return named !== null;
}

/** Has the library be looked for in a place, or be missing for a reason, where nobody names another: `default_place.ts` does. */
export function fallBackOn(place: Place | Missing): void {
  fallback = place;
}

let current: Library | null = null;
const abis: Abi[] = [];
/** The layouts that the loaded library's llama agrees with. */
const fitting: Set<Abi> = new Set();

/** The loaded library; loads it if this is the first call. */
export function library(): Library {
  return current ??= open(defaultPlace());
}

/** What C is given in place of a function of Deno's whose parameters are single words. Closing it closes that, too. */
export function gateTo(
  callback: { readonly pointer: Deno.PointerObject; readonly definition: Deno.UnsafeCallbackDefinition; close(): void },
): Gate {
  const target = BigInt(Deno.UnsafePointer.value(callback.pointer));
  const gate = openGate(library(), target, {
    parameters: callback.definition.parameters.length,
    resultBytes: 0,
    answer: 0n,
    tellsCall: false,
  });
  const close = () => {
    gate?.close();
    callback.close();
  };
  return { address: gate?.address ?? target, close };
}

provide({
  symbol: (name, definition) => library().symbol(name, definition) as never,
  address: (name) => library().address(name),
  isLoaded: () => current !== null,
  gate: (target, shape) => openGate(library(), target, shape),
});

/**
 * Loads ggml's library. Without it, the first call of any function loads the default one.
 *
 * @param options `path`: a library file, or a folder that holds a build's libraries. `gpu`: the prebuilt library with that kind of GPU, or
 * `false` for the CPU alone. `debug`: errors say where a thing was freed. `onAbort: "exit"`: how the process ends if C aborts all the same. All but the path
 * and the GPU may also be said later.
 * @returns What was loaded.
 * @throws {Error} If nothing there is ggml (each path tried is listed with the reason), if its structs have another layout than the
 * bindings', if another library is already loaded (one process holds one), if there is no prebuilt library with that GPU or it wasn't
 * downloaded, if its driver is missing or finds no device, or if `onAbort` can't be had on this system.
 * @throws {TypeError} If an option has the wrong type, or `path` and `gpu` are both given.
 *
 * @example
 * ```ts
 * import { load } from "@ggml/deno";
 *
 * console.log(load().source); // npm
 * ```
 *
 * @example On a GPU, or where there is none on the CPU
 * ```ts no-run
 * import { download, load } from "@ggml/deno";
 *
 * try {
 *   await download({ gpu: "vulkan" });
 *   load({ gpu: "vulkan" });
 * } catch (error) {
 *   console.warn(error); // no driver, no device, no package for this platform: the message says which
 *   load();
 * }
 * ```
 *
 * @example In a server, end with a code of one's own where C would abort
 * ```ts no-run
 * import { load } from "@ggml/deno";
 *
 * load({ onAbort: "exit" });
 * ```
 */
export function load(options: LoadOptions = {}): LibraryInfo {
  expectLoading(options);
  const { path, gpu, debug, onAbort } = options;
  if (debug !== undefined) traceFrees(debug);
  if (path !== undefined) choose({ path: plainPath(String(path)), source: "load({ path })" }, `load({ path: ${JSON.stringify(path)} })`);
  if (gpu !== undefined) chooseGpu(gpu);
  const { place, version, files, cpu } = library();
  if (onAbort === "exit") exitOnAbort(library());
  return { ...place, version, files, cpu };
}

function expectLoading(options: LoadOptions): void {
  const wrong = (what: string, expected: string, value: unknown) =>
    new TypeError(`load${what}: expected ${expected}, got ${describe(value)}`);
  expectOptions("load", options, ["path", "gpu", "debug", "onAbort"]);
  const { path, gpu, debug, onAbort } = options;
  if (path !== undefined && (typeof path !== "string" && !(path instanceof URL) || path === "")) {
    throw wrong("({ path })", "the path of a file or folder", path);
  }
  if (gpu !== undefined) expectKind(gpu, "load({ gpu })");
  if (path !== undefined && gpu !== undefined) {
    throw new TypeError("load({ path, gpu }): the path says which library, and gpu which prebuilt one: give one of them");
  }
  if (debug !== undefined && typeof debug !== "boolean") throw wrong("({ debug })", "a boolean", debug);
  if (onAbort !== undefined && onAbort !== "exit") throw wrong("({ onAbort })", '"exit"', onAbort);
}

/** Opens the library at a place, unless it is the loaded one. */
function choose(place: Place, call: string): void {
  if (current !== null && current.place.path !== settled(place.path)) {
    throw new Error(`${call}: ggml is already loaded, from ${current.place.path}; call load before any other function`);
  }
  current ??= open(place);
}

function chooseGpu(gpu: Gpu | false): void {
  const call = `load({ gpu: ${JSON.stringify(gpu)} })`;
  const place = gpuPlace(gpu, call);
  if (current === null && gpu !== false) expectBackend(place.path, gpu, call); // before its library is the one for good
  choose(place, call);
  if (gpu !== false) expectGpu(current!, gpu, call);
}

/** Has every library that is loaded checked against `abi`. */
export function expectAbi(abi: Abi): void {
  abis.push(abi);
  if (current !== null) checkAbi(current, abi);
}

/** Has the loaded library's llama checked against `abi`, once. */
export function expectLlama(abi: Abi): void {
  if (fitting.has(abi)) return;
  checkLlama(library(), abi);
  fitting.add(abi);
}

/** True if the loaded library has a function, and as the bindings know it. */
export function has(name: string): boolean {
  const { version } = library();
  return library().address(name) !== null && differenceOf(name, ABI.release, version) === null;
}

beforeNumbers(() => library());

/** What was opened and doesn't fit the bindings: its files stay in the process, and the system would link another library with them. */
let refused: Library | null = null;

function open(place: Place): Library {
  if (refused !== null && refused.place.path !== settled(place.path)) {
    throw new Error(
      `load: no other library can be opened in this process: ${
        refused.files[0]
      } was, and doesn't fit; its files stay, and others of the same names ` +
        `would be linked with them. Name the library that fits in the first call of load`,
    );
  }
  const opened = new Library(place);
  try {
    for (const abi of abis) checkAbi(opened, abi);
  } catch (error) {
    refused = opened;
    throw error;
  }
  numbersKnown();
  noDebugger(opened);
  quieten(opened);
  setTrap(opened);
  return opened;
}

function defaultPlace(): Place {
  if (named !== null) return { path: named, source: "GGML_LIBRARY" };
  if (fallback !== null && "path" in fallback) return fallback;
  throw new Error(
    `no ggml library: load({ path }) was not called, GGML_LIBRARY is not set or may not be read (--allow-env=GGML_LIBRARY), and the ` +
      `prebuilt package is not to be had: ${fallback?.reason ?? "nobody looked for it"}`,
  );
}
