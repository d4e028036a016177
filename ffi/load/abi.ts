/**
 * The check that a library is the one that the bindings describe.
 *
 * ggml keeps no stable ABI: a struct that grew, or an enum that was renumbered, would be a wrong result or a segfault at some later call.
 * So, when a library is loaded, its own answers are compared with the headers', and its functions are run over a tensor that it
 * made itself to find out whether fields moved (`probe.ts`). llama's answers are asked for when one of its functions is first used.
 *
 * @module
 */

import type { Library } from "./files.ts";
import { platformPackage, RELEASE } from "./find.ts";
import { isTooOld, isUnknown, OLDEST } from "./history.ts";
import { learnNumbers } from "./numbering.ts";
import { probeTensor } from "./probe.ts";

/** What the bindings were generated for. */
export interface Abi {
  /** The ggml release of the headers, null where they didn't say. */
  readonly release: string | null;
  /** Each struct's size and the offsets of its fields, in order. */
  readonly records: Readonly<Record<string, { readonly size: number; readonly fields: Readonly<Record<string, number>> }>>;
  /** Each enum's constants. */
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** `sizeof(struct ggml_object)`, which ggml puts before each tensor (private to ggml.c). */
const OBJECT_SIZE = 32;

/**
 * How far `ggml_type_name`, which checks nothing, may be asked: libraries before `ggml_version` know at least the types up to BF16, those
 * since at least the types up to MXFP4.
 */
const TYPES_BEFORE_VERSION = 31, TYPES_WITH_VERSION = 40;

/**
 * Throws unless `library` has the structs and enums that `abi` describes.
 *
 * @throws {Error} Naming the library, its version, and the fields that moved or the types that were renumbered.
 */
export function checkAbi(library: Library, abi: Abi): void {
  const tensor = abi.records.ggml_tensor;
  if (tensor === undefined) return; // bindings of something else than ggml.h
  const size = library.tensorOverhead - OBJECT_SIZE;
  const { version } = library;
  // Of any other library the version doesn't say enough: builds between two releases have that of one of them.
  if (library.place.source === "npm" && version === abi.release && size === tensor.size) return;
  const range = abi.release !== null && !isTooOld(abi.release);
  if (range && isTooOld(version)) throw mismatch(library, version, abi, `these bindings work with libraries from ggml ${OLDEST} on`);
  const moved = movedFields(library, tensor, size);
  if (moved.length > 0 || size !== tensor.size) {
    const sizes = size === tensor.size
      ? `ggml_tensor has ${size} bytes, but not the same fields`
      : `ggml_tensor has ${size} bytes there and ${tensor.size} here`;
    throw mismatch(library, version, abi, `${sizes}; what moved is among ${moved.join(" and among ")}`);
  }
  checkTypes(library, version, abi);
  learnNumbers(library, abi.enums);
  for (const filled of OF_GGML) checkFilled(library, abi, filled);
}

/**
 * Throws unless the loaded library's llama fills its structs in as `abi` describes, if it is of that release or of one that nobody looked at.
 *
 * llama.h is less stable than ggml.h, and its structs are passed by value. It is looked at when one of its functions is first used: whoever uses ggml
 * alone may have any. What is known to differ in other releases each function says for itself (`history.ts`).
 *
 * @throws {Error} Naming the library, its version, and the release that fits.
 */
export function checkLlama(library: Library, abi: Abi): void {
  if (abi.records.llama_context_params === undefined) return; // bindings of something else than llama.h
  if (library.version !== abi.release && !isUnknown(library.version)) return;
  for (const filled of OF_LLAMA) checkFilled(library, abi, filled);
}

/** What a function of C's fills into fields, all of 4 bytes, of the struct that it returns by value. */
interface Filled {
  readonly type: string;
  readonly name: string;
  readonly parameters: readonly Deno.NativeType[];
  readonly args: readonly (number | bigint)[];
  readonly expected: Readonly<Record<string, number | string>>;
}

const OF_GGML: readonly Filled[] = [
  { type: "ggml_threadpool_params", name: "ggml_threadpool_params_default", parameters: ["i32"], args: [3], expected: { n_threads: 3 } },
  {
    type: "ggml_opt_params",
    name: "ggml_opt_default_params",
    parameters: ["u64", "i32"],
    args: [0n, 1],
    expected: { loss_type: 1, build_type: "GGML_OPT_BUILD_TYPE_OPT", opt_period: 1, optimizer: "GGML_OPT_OPTIMIZER_TYPE_ADAMW" },
  },
];

const OF_LLAMA: readonly Filled[] = [
  {
    type: "llama_model_params",
    name: "llama_model_default_params",
    parameters: [],
    args: [],
    expected: { split_mode: "LLAMA_SPLIT_MODE_LAYER", main_gpu: 0 },
  },
  {
    type: "llama_context_params",
    name: "llama_context_default_params",
    parameters: [],
    args: [],
    expected: {
      n_ctx: 512,
      n_seq_max: 1,
      n_threads: 4,
      n_threads_batch: 4,
      rope_scaling_type: "LLAMA_ROPE_SCALING_TYPE_UNSPECIFIED",
      pooling_type: "LLAMA_POOLING_TYPE_UNSPECIFIED",
      attention_type: "LLAMA_ATTENTION_TYPE_UNSPECIFIED",
      yarn_orig_ctx: 0,
      type_k: "GGML_TYPE_F16",
      type_v: "GGML_TYPE_F16",
    },
  },
  {
    type: "llama_model_quantize_params",
    name: "llama_model_quantize_default_params",
    parameters: [],
    args: [],
    expected: { nthread: 0, output_tensor_type: "GGML_TYPE_COUNT", token_embedding_type: "GGML_TYPE_COUNT" },
  },
];

/** How much larger than it is here a struct may be there. */
const MARGIN = 64;

function checkFilled(library: Library, abi: Abi, { type, name, parameters, args, expected }: Filled): void {
  if (abi.records[type] === undefined) return;
  const { size, fields } = abi.records[type];
  const result = { struct: Array<"u64">(Math.ceil((size + MARGIN) / 8)).fill("u64") };
  const fill = library.findOnce(name, parameters, result) as ((...args: unknown[]) => Uint8Array<ArrayBuffer>) | undefined;
  if (fill === undefined) return;
  const bytes = fill(...args), view = new DataView(bytes.buffer, bytes.byteOffset);
  const refuse = (what: string) => mismatch(library, library.version, abi, `${name} ${what}: its ${type} has other fields`);
  for (const [field, value] of Object.entries(expected)) {
    const number = typeof value === "number" ? value : valueOf(abi, value);
    if (number === undefined || fields[field] === undefined) continue; // bindings of another release
    const actual = view.getInt32(fields[field], true);
    if (actual !== number) throw refuse(`gives ${field} = ${actual}, not ${value}`);
  }
  if (bytes.subarray(size).some((byte) => byte !== 0)) throw refuse(`fills in more than ${size} bytes`);
}

function valueOf({ enums }: Abi, constant: string): number | undefined {
  return Object.values(enums).find((values) => Object.hasOwn(values, constant))?.[constant];
}

function checkTypes(library: Library, version: string | null, abi: Abi): void {
  const known = version === null ? TYPES_BEFORE_VERSION : TYPES_WITH_VERSION;
  const name = library.findOnce("ggml_type_name", ["i32"], "pointer")!;
  for (const [constant, value] of Object.entries(abi.enums.ggml_type ?? {})) {
    if (value >= known || constant === "GGML_TYPE_COUNT") continue;
    const pointer = name(value);
    const actual = pointer === null ? "nothing" : Deno.UnsafePointerView.getCString(pointer);
    const expected = constant.replace("GGML_TYPE_", "").toLowerCase();
    if (actual.toLowerCase() !== expected) {
      throw mismatch(library, version, abi, `type ${value} is ${actual} there and ${expected} (${constant}) here`);
    }
  }
}

function mismatch(library: Library, version: string | null, { release }: Abi, what: string): Error {
  return new Error(
    `${library.files[0]} is ${
      version === null ? "a ggml too old to say its version" : `ggml ${version}`
    } with another ABI than the bindings' ` +
      `${release === null ? "" : `(ggml ${release})`}: ${what}.\nLoad a library of that release${
        packageOf(release)
      }, or regenerate the bindings from the headers ` +
      `that this library was built from: INCLUDE=<its source tree> deno task regenerate`,
  );
}

/** Where a release is to be had, if that is the pinned one. */
function packageOf(release: string | null): string {
  const platform = platformPackage(null);
  if (release !== RELEASE.ggml) return "";
  return ` (llama.cpp ${RELEASE.llama}${platform === null ? "" : `, npm:@node-llama-cpp/${platform}@${RELEASE.package}`})`;
}

/** The fields of `ggml_tensor` among which something grew or shrank: the accessors of the library tell where it keeps some of them. */
function movedFields(library: Library, tensor: Abi["records"][string], size: number): string[] {
  const names = Object.keys(tensor.fields);
  const moved: string[] = [];
  let shift = 0, from = 0;
  const mark = (to: number, newShift: number, where: string) => {
    if (newShift !== shift) {
      const bytes = newShift - shift;
      moved.push(`${names.slice(from, to).join(", ")} (${Math.abs(bytes)} bytes ${bytes > 0 ? "more" : "fewer"} in all${where})`);
    }
    shift = newShift;
    from = to;
  };
  for (const { field, offset } of probeTensor(library, size)) {
    const expected = tensor.fields[field];
    mark(names.indexOf(field), offset - expected, `: ${field} is at ${offset}, not at ${expected}`);
  }
  mark(names.length, size - tensor.size, "");
  return moved;
}
