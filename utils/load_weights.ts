/**
 * `loadWeights`: the tensors of a model's file in the memory of a backend.
 *
 * What it stands on is in `weights/`: a plan of the tensors, their places (in the mapped file, in a processor's own order, or in memory of
 * the device), and what reads the rest. A model's architecture is not known here: what is computed with the tensors is the caller's.
 *
 * @module
 */

import { describe, quote } from "../ffi/core/describe.ts";
import { expectOptions } from "../ffi/core/options.ts";
import { freedError } from "../ffi/core/handle.ts";
import { lib } from "../ffi/generated/lib.js";
import { devices } from "./devices.ts";
import { pathOf } from "./files/path.ts";
import { Source, sourceOf } from "./gguf/source.ts";
import { init } from "./init.ts";
import { openGguf } from "./read_gguf.ts";
import { openSafetensors } from "./read_safetensors.ts";
import { Filler } from "./weights/fill.ts";
import type { WeightsFile } from "./weights/file.ts";
import { type Home, place, type Placed, type Placement, type WeightsBuffer } from "./weights/place.ts";
import { makeTensors, planWeights, type Weight, type Wishes } from "./weights/plan.ts";
import { Repacker } from "./weights/repack.ts";

/** What {@linkcode loadWeights} takes besides the file. */
export interface LoadWeightsOptions {
  /** The backend that shall compute with the tensors. By default the CPU. */
  backend?: lib.ggml_backend;
  /** Whether tensors may stay in the file, mapped into memory, where the system and the device can do that; true by default. */
  map?: boolean;
  /**
   * Whether matrices are rearranged for the processor's fastest kernels, where it has such (`CPU_REPACK`, `AMX`); a function says which by name.
   * Say it only of those that nothing but `ggml_mul_mat` takes, as its first source: `compute` refuses anything else. They can't be
   * read back. False by default.
   */
  repack?: boolean | ((name: string) => boolean);
  /** Which tensors are loaded, by name; all by default. */
  select?: (name: string) => boolean;
  /**
   * Further names of tensors, each with the name in the file: `{ "output.weight": "token_embd.weight" }` for a model that looks rows up in
   * the same matrix as it multiplies by at the end. An alias is the same tensor, unless `repack` says another thing of it.
   */
  alias?: Readonly<Record<string, string>>;
  /** Cancels the loading. */
  signal?: AbortSignal;
  /** Called from time to time, and at the end, with the number of bytes that are there and the number of all. */
  onProgress?: (done: number, total: number) => void;
}

/** The tensors of a file in memory. They stay for as long as this object, or any of them, can be reached, or until it is disposed of. */
export interface Weights extends Disposable {
  /** The tensors by name, aliases among them. They belong to one context. */
  readonly tensors: ReadonlyMap<string, lib.ggml_tensor>;
  /** The buffers that they are in. */
  readonly buffers: readonly WeightsBuffer[];
  /**
   * Frees the tensors and their memory; twice is harmless. Whatever was computed from them, and points to them, can't be used any more.
   *
   * @throws {Error} If an asynchronous call is using them; nothing is freed then.
   */
  [Symbol.dispose](): void;
}

/**
 * Loads the tensors of a GGUF or safetensors file into memory that a backend computes with, without reading what need not be read.
 *
 * A tensor stays in the file, which is mapped into memory (`mmap`, `ggml_backend_dev_buffer_from_host_ptr`), where the device takes that
 * and the data is aligned as it wants: then the system reads a page when it is needed, and programs share it. The file must not be changed
 * meanwhile: if another program cuts it short, the system ends this one. Writing to such a tensor doesn't change the file. What shall be
 * repacked goes into the processor's own buffers (`ggml_backend_dev_get_extra_bufts`). All else is read a few megabytes at a time, with the
 * event loop turning in between. Windows maps nothing.
 *
 * @param file The file, or an open one of `readGguf` or `readSafetensors`, or `{ path, tensors }` for a format that you know yourself:
 * where in the file each tensor lies. Needs `--allow-read` for it.
 * @param options `backend`, `map`, `repack`, `select`, `alias`; `signal`; `onProgress(done, total)` in bytes.
 * @returns The tensors, and what memory they are in.
 * @throws {TypeError} If an argument is none, or ggml hasn't got the type of a tensor.
 * @throws {RangeError} If there is no memory for them, or the file's bytes don't fit a tensor's type and shape.
 * @throws {GgufError} If a GGUF file is malformed or cut short.
 * @throws {Error} If it is no such file, is missing or may not be read (of Deno's own class), was changed since it was opened, or the backend was freed; the signal's reason
 * (by default an `AbortError`). All as a rejection, after which nothing is left in memory.
 *
 * @example
 * ```ts
 * import { lib } from "@ggml/deno";
 * import { compute, init, loadWeights, ndarray, tensor, view, writeGguf } from "@ggml/deno/utils";
 *
 * const path = await Deno.makeTempFile({ suffix: ".gguf" });
 * await writeGguf(path, { tensors: { "up.weight": ndarray(Float32Array.of(1, 2, 3, 4), [2, 2]) } }); // ne is [2, 2]
 *
 * using weights = await loadWeights(path);
 * using ctx = init();
 * const up = weights.tensors.get("up.weight")!;
 * const product = lib.ggml_mul_mat(ctx, up, tensor(ctx, [10, 1]));
 * const graph = lib.ggml_new_graph(ctx);
 * lib.ggml_build_forward_expand(graph, product);
 * compute(graph);
 * console.log(view(product).data); // Float32Array(2) [ 12, 34 ]
 * await Deno.remove(path);
 * ```
 */
export async function loadWeights(file: string | URL | WeightsFile, options: LoadWeightsOptions = {}): Promise<Weights> {
  const { map, signal, onProgress, wishes } = expectLoading(options);
  const home = homeOf(options.backend);
  signal?.throwIfAborted();
  const opened = openWeights(file);
  try {
    const repacker = options.repack ? new Repacker(home.device) : null;
    const { weights, same } = planWeights(opened, repacker, wishes, WHERE);
    const source = new Source(opened.path, WHERE);
    try {
      sourceOf(opened.tensors)?.expectUnchanged(WHERE); // its tensors are where they were in that one
      return await load(weights, same, source, { home, map, signal, onProgress });
    } finally {
      source.close();
    }
  } finally {
    opened.close();
  }
}

const WHERE = "loadWeights";

/** How long the number is that a safetensors file begins with, and the byte behind it, `{`. */
const PREFIX = 8, BRACE = 0x7b;

/** What the caller gave, opened if it is a path: `close` closes only what was opened here. */
function openWeights(file: string | URL | WeightsFile): WeightsFile & { close(): void } {
  if (typeof file === "string" || file instanceof URL) return openPath(pathOf(file, WHERE));
  if (typeof file !== "object" || file === null || typeof file.path !== "string" || !(file.tensors instanceof Map)) {
    throw new TypeError(`${WHERE}: expected a path, or an open file as { path, tensors }, got ${describe(file)}`);
  }
  return { path: file.path, tensors: file.tensors, close: () => {} };
}

function openPath(path: string): WeightsFile & { close(): void } {
  const first = firstBytes(path);
  const magic = new TextDecoder("latin1").decode(first.subarray(0, lib.GGUF_MAGIC.length));
  if (magic === lib.GGUF_MAGIC) return openGguf(path, WHERE);
  if (first[PREFIX] === BRACE) return openSafetensors(path, WHERE);
  const got = first.length === 0 ? "is empty" : `begins with ${quote(magic)}`;
  throw new Error(`${WHERE}: ${path}: expected a GGUF file, which begins with "GGUF", or a safetensors file, got one that ${got}`);
}

function firstBytes(path: string): Uint8Array<ArrayBuffer> {
  const source = new Source(path, WHERE);
  try {
    const bytes = new Uint8Array(Math.min(source.size, PREFIX + 1));
    source.readInto(bytes, 0, WHERE);
    return bytes;
  } finally {
    source.close();
  }
}

/** What is settled before anything is loaded. */
interface Manner {
  readonly home: Home;
  readonly map: boolean;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: LoadWeightsOptions["onProgress"];
}

async function load(weights: readonly Weight[], same: ReadonlyMap<string, string>, source: Source, manner: Manner): Promise<Weights> {
  const ctx = init({ memSize: (weights.length + 1) * lib.ggml_tensor_overhead(), noAlloc: true });
  const placement: Placement = { buffers: [], mapping: null, unread: [] };
  const free = () => {
    ctx[Symbol.dispose]();
    for (const { buffer } of placement.buffers) buffer[Symbol.dispose]();
    placement.mapping?.pointer[Symbol.dispose]();
  };
  try {
    const made = makeTensors(ctx, weights, source, WHERE);
    const all = weights.map((weight, i): Placed => ({ weight, tensor: made[i] }));
    place(all, source, manner.home, manner.map, placement, WHERE);
    await read(all, placement.unread, source, manner);
    const tensors = new Map(all.map(({ weight, tensor }) => [weight.name, tensor]));
    for (const [name, original] of same) tensors.set(name, tensors.get(original)!);
    return { tensors, buffers: placement.buffers, [Symbol.dispose]: free };
  } catch (error) {
    free();
    throw error;
  }
}

/** Reads what isn't there yet, and tells how far it is. */
async function read(all: readonly Placed[], unread: readonly Placed[], source: Source, { signal, onProgress }: Manner): Promise<void> {
  const bytes = (placed: readonly Placed[]) => placed.reduce((sum, { weight }) => sum + weight.byteLength, 0);
  const total = bytes(all);
  let done = total - bytes(unread);
  const filler = new Filler(source, signal, (count) => onProgress?.(done += count, total), WHERE);
  for (const placed of unread) await filler.fill(placed);
  signal?.throwIfAborted();
  if (bytes(unread) === 0) onProgress?.(total, total);
}

function homeOf(backend: lib.ggml_backend | undefined): Home {
  if (backend === undefined) {
    const cpu = devices().find(({ type }) => type === "cpu");
    if (cpu === undefined) throw new Error(`${WHERE}: there is no CPU among the devices: give a backend`);
    return { device: cpu.device, type: lib.ggml_backend_dev_buffer_type(cpu.device) };
  }
  if (!(backend instanceof lib.ggml_backend)) throw new TypeError(`${WHERE}: backend must be a ggml_backend, got ${describe(backend)}`);
  if (backend.owner.freed) throw freedError(backend, WHERE);
  return { device: lib.ggml_backend_get_device(backend), type: lib.ggml_backend_get_default_buffer_type(backend) };
}

function expectLoading(options: LoadWeightsOptions): Omit<Manner, "home"> & { wishes: Wishes } {
  expectOptions(WHERE, options, ["backend", "map", "repack", "select", "alias", "signal", "onProgress"]);
  const { map = true, repack = false, select = () => true, alias = {}, signal, onProgress } = options;
  const expect = (name: string, value: unknown, what: string, isRight: boolean) => {
    if (!isRight) throw new TypeError(`${WHERE}: ${name} must be ${what}, got ${describe(value)}`);
  };
  expect("map", map, "a boolean", typeof map === "boolean");
  expect("repack", repack, "a boolean or a function", typeof repack === "boolean" || typeof repack === "function");
  expect("select", select, "a function", typeof select === "function");
  expect(
    "alias",
    alias,
    "an object of names",
    typeof alias === "object" && alias !== null && Object.values(alias).every((name) => typeof name === "string"),
  );
  expect("signal", signal, "an AbortSignal", signal === undefined || signal instanceof AbortSignal);
  expect("onProgress", onProgress, "a function", onProgress === undefined || typeof onProgress === "function");
  const wishes = { select, alias, repack: typeof repack === "function" ? repack : () => repack };
  return { map, signal, onProgress, wishes };
}
