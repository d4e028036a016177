/**
 * `loadModel`: a language model from a GGUF file, loaded while the event loop goes on.
 *
 * @module
 */

import { ELSEWHERE, Heard } from "../ffi/calls/heard.ts";
import { describe } from "../ffi/core/describe.ts";
import { renamed } from "../ffi/core/on_behalf.ts";
import { lib } from "../ffi/generated/lib.js";
import { type Device, listDevices } from "../utils/computing/device.ts";
import { pathOf } from "../utils/files/path.ts";
import { deliverLog } from "../utils/on_log.ts";
import { extraTypes } from "../utils/weights/repack.ts";
import { expectFunction, expectOptions, expectSignal, expectWhole } from "./expect.ts";
import { keepsState } from "./keeps_state.ts";
import { Model } from "./model.ts";
import { loadTemplates } from "./template.ts";

/** What {@linkcode loadModel} takes besides the path. */
export interface LoadModelOptions {
  /** How many layers lie on GPUs; by default all, where there is a GPU. */
  gpuLayers?: number;
  /** The devices that the layers are shared out among, of those that `devices` of `@ggml/deno/utils` lists; by default all GPUs. */
  devices?: readonly Device[];
  /**
   * False to leave matrices as the file has them. By default those that the CPU multiplies by faster in another order get memory of their own
   * (`CPU_REPACK`, `AMX`), and sums are rounded otherwise there. Where there is AMX, models that keep a state (Mamba), have latent
   * attention (DeepSeek) or several streams (Gemma 3n) always have them as the file does, for C writes their products behind the results there.
   */
  repack?: boolean;
  /** True to load the vocabulary alone: for `tokenize` and `detokenize`. */
  vocabOnly?: boolean;
  /** Cancels. */
  signal?: AbortSignal;
  /** Called now and then with the part that is loaded, from 0 to 1. */
  onProgress?: (fraction: number) => void;
}

const OPTIONS = ["gpuLayers", "devices", "repack", "vocabOnly", "signal", "onProgress"];

/**
 * Loads a language model.
 *
 * The weights are mapped into memory, not copied, where they stay on the CPU. The file must not change while the model lives.
 *
 * @param path A GGUF file of an architecture that libllama knows; of one in several files, the first (`…-00001-of-00003.gguf`).
 * @param options `gpuLayers`, `devices`, `repack`, `vocabOnly`; `signal` cancels, `onProgress(fraction)` hears how far it is.
 * In C: `llama_model_load_from_file` and `struct llama_model_params`.
 * @returns The model. It is freed when nobody can reach it any more, or at once at the end of a `using` block.
 * @throws {Error} If it is no model, one of an unknown architecture, or cut short: the message has what C's log says. The signal's reason;
 * what `onProgress` threw. All as a rejection.
 * @throws {TypeError} If an option has the wrong type, or there is none of that name; if the path is a folder's, a pipe's or a device's.
 *
 * @example
 * ```ts
 * import { loadModel } from "@ggml/deno/models";
 *
 * using model = await loadModel("examples/models/moby.gguf", { onProgress: (part) => console.error(`${Math.round(100 * part)} %`) });
 * console.log(model.info.layers, model.info.parameters); // 6 1272192
 * ```
 */
export async function loadModel(path: string | URL, options: LoadModelOptions = {}): Promise<Model> {
  const name = pathOf(path, "loadModel");
  if (name === "" || name.includes("\0") || !name.isWellFormed()) throw new TypeError(`loadModel: expected a path, got ${describe(name)}`);
  expectLoadable(options);
  expectFile(name);
  const { signal, repack = true, vocabOnly = false } = options;
  signal?.throwIfAborted();
  listDevices(); // which loads the backends
  const load = async (options: LoadModelOptions) => new Model(await loadFile(name, options), name, vocabOnly);
  try {
    let model = await load(options);
    if (repack && !vocabOnly && multipliesBatches(model) && hasAmx()) {
      model[Symbol.dispose]();
      model = await load({ ...options, repack: false });
    }
    if (lib.llama_model_chat_template(model.handle, null) !== null) await loadTemplates(); // so that applyTemplate waits for nothing
    return model;
  } catch (error) {
    throw renamed(error, "llama_model_load_from_file", `loadModel: ${name}`);
  }
}

/** Has C load a file. */
async function loadFile(name: string, options: LoadModelOptions): Promise<lib.llama_model> {
  const heard = new Heard();
  const begin = () => lib.async.llama_model_load_from_file(name, paramsOf(options), { signal: options.signal });
  const handle = await heard.aside(begin).finally(deliverLog);
  if (handle === null) throw new Error(`loadModel: ${name}: ${reasonOf(heard.texts()) || `C couldn't load it, and ${ELSEWHERE}`}`);
  heard.print();
  return handle;
}

/** C waits at a named pipe for who writes to it, and no signal ends that. Without the permission to look it is left to C. */
function expectFile(path: string): void {
  if (Deno.permissions.querySync({ name: "read", path }).state !== "granted") return;
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(path);
  } catch {
    return; // of what isn't there C says more
  }
  if (!info.isFile) throw new TypeError(`loadModel: ${path}: is not a file`);
}

/**
 * Whether a model multiplies by matrices in more than two dimensions: for each sequence, where it keeps a state, for each head of latent attention, for
 * each of Gemma 3n's further streams. With AMX, C writes such products behind their memory.
 */
function multipliesBatches({ handle, metadata }: Model): boolean {
  return keepsState(handle) || metadata["general.architecture"] === "gemma3n" ||
    Object.keys(metadata).some((key) => key.endsWith(".attention.key_length_mla"));
}

function hasAmx(): boolean {
  const cpu = listDevices().find(({ type }) => type === "cpu");
  return cpu !== undefined && extraTypes(cpu.device).some((type) => lib.ggml_backend_buft_name(type) === "AMX");
}

function expectLoadable(options: LoadModelOptions): void {
  expectOptions("loadModel", options, OPTIONS);
  const { gpuLayers, devices, repack = true, vocabOnly = false, signal, onProgress } = options;
  if (gpuLayers !== undefined) expectWhole("loadModel: gpuLayers", gpuLayers, 0);
  for (const [option, value] of Object.entries({ repack, vocabOnly })) {
    if (typeof value !== "boolean") throw new TypeError(`loadModel: ${option} must be a boolean, got ${describe(value)}`);
  }
  if (devices !== undefined && !(Array.isArray(devices) && devices.every((each) => each?.device instanceof lib.ggml_backend_device))) {
    throw new TypeError(`loadModel: devices must be some that devices() lists, got ${describe(devices)}`);
  }
  expectFunction("loadModel: onProgress", onProgress);
  expectSignal("loadModel", signal);
}

function paramsOf({ gpuLayers, devices, repack = true, vocabOnly = false, onProgress }: LoadModelOptions): lib.llama_model_params {
  const params = lib.llama_model_default_params();
  params.vocab_only = vocabOnly;
  params.use_extra_bufts = repack;
  if (gpuLayers !== undefined) params.n_gpu_layers = Math.min(gpuLayers, MOST_LAYERS);
  if (devices !== undefined) params.devices = BigUint64Array.of(...devices.map(({ device }) => device.address), 0n); // which ends the list
  if (onProgress !== undefined) {
    params.progress_callback = new lib.llama_progress_callback((fraction) => {
      onProgress(fraction);
      return true;
    });
  }
  return params;
}

/** More than any model has. */
const MOST_LAYERS = 9999;

/** What the log says, without C's names and what follows from the first. */
function reasonOf(lines: readonly string[]): string {
  const texts = lines.map((line) => line.replace(/^(?:(?:\w+|error loading model): )+/, "").trim())
    .map((text) =>
      text === "failed to read magic" ? `expected a GGUF file, which begins with "GGUF", got one that is empty, or a folder` : text
    );
  return [...new Set(texts)].filter((text) => !/^failed to load model\b/.test(text)).join("; ");
}
