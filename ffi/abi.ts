/**
 * The check that a library is the one that the bindings describe.
 *
 * ggml keeps no stable ABI: a struct that grew, or an enum that was renumbered, would be a wrong result or a segfault at some later call.
 * So, when a library is loaded, its own answers are compared with the headers', and where they differ its accessors are run over a made-up
 * tensor to find out which fields moved.
 *
 * @module
 */

import { addressOf } from "./handle.ts";
import type { Library } from "./files.ts";

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
  // A release has one layout and one numbering, but for what its build chose (GGML_MAX_NAME), and that shows in the size.
  if (version !== null && version === abi.release && size === tensor.size) return;
  const moved = movedFields(library, tensor, size);
  if (moved.length > 0 || size !== tensor.size) {
    const sizes = size === tensor.size
      ? `ggml_tensor has ${size} bytes, but not the same fields`
      : `ggml_tensor has ${size} bytes there and ${tensor.size} here`;
    throw mismatch(library, version, abi, `${sizes}; what moved is among ${moved.join(" and among ")}`);
  }
  checkTypes(library, version, abi);
}

function checkTypes(library: Library, version: string | null, abi: Abi): void {
  const known = version === null ? TYPES_BEFORE_VERSION : TYPES_WITH_VERSION;
  const name = library.find("ggml_type_name", { parameters: ["i32"], result: "pointer" }) as (type: number) => Deno.PointerValue;
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
      `${
        release === null ? "" : `(ggml ${release})`
      }: ${what}.\nLoad a library of that release, or regenerate the bindings from the headers ` +
      `that this library was built from: INCLUDE=<its source tree> deno task regenerate`,
  );
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
  for (const { field, offset } of probeFields(library)) {
    const expected = tensor.fields[field];
    mark(names.indexOf(field), offset - expected, `: ${field} is at ${offset}, not at ${expected}`);
  }
  mark(names.length, size - tensor.size, "");
  return moved;
}

/** Runs the library's accessors over a tensor in which every 8 bytes hold their own offset, and so learns where each accessor reads. */
function probeFields(library: Library): { field: string; offset: number }[] {
  const bytes = new Uint8Array(2048);
  const words = new BigUint64Array(bytes.buffer);
  const found: { field: string; offset: number }[] = [];
  const probe = (field: string, name: string, result: "i64" | "u64" | "void", locate: (result: bigint) => number) => {
    const accessor = library.find(name, { parameters: ["buffer"], result }) as ((tensor: Uint8Array) => bigint) | undefined;
    if (accessor === undefined) return;
    words.forEach((_, i) => words[i] = BigInt(8 * i));
    const offset = locate(accessor(bytes) ?? 0n);
    if (offset > 0) found.push({ field, offset });
  };
  const isProduct = (product: bigint) => (_: bigint, i: number) =>
    product === BigInt(8 * i) * BigInt(8 * i + 8) * BigInt(8 * i + 16) * BigInt(8 * i + 24);
  probe("ne", "ggml_nelements", "i64", (product) => 8 * words.findIndex(isProduct(product)));
  probe("flags", "ggml_set_input", "void", () => { // sets the lowest bit of the flags
    const i = words.findIndex((word, i) => word !== BigInt(8 * i));
    return 8 * i + (i >= 0 && (words[i] & 0xffffffffn) === BigInt(8 * i) ? 4 : 0);
  });
  probe("data", "ggml_get_data", "u64", Number);
  probe("name", "ggml_get_name", "u64", (address) => Number(address - addressOf(bytes)));
  return found;
}
