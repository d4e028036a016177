/**
 * Where a library keeps the fields of a tensor, found out by its own functions over a tensor that it made itself.
 *
 * Nothing is asked of made-up memory: what a function asserts of a tensor (and more do with every release) holds for one of C's own.
 *
 * @module
 */

import type { Library } from "./files.ts";

/** A field, and where the library keeps it. */
export interface Found {
  readonly field: string;
  readonly offset: number;
}

/** A pointer, in this file. */
type Address = bigint;

/** Sizes that are nowhere else in a new tensor. */
const SIZES = [2n, 3n, 5n, 7n] as const;
/** More than such a tensor, its data and what ggml puts before them take. */
const ROOM = 1n << 16n;
const F32 = 0;

/** The offsets that the library tells, in the order of the fields; none where it lacks the functions to make a tensor. */
export function probeTensor(library: Library, size: number): Found[] {
  const init = symbol<(params: Uint8Array) => Address>(library, "ggml_init", [{ struct: ["usize", "pointer", "bool"] }], "u64");
  const free = symbol<(ctx: Address) => void>(library, "ggml_free", ["u64"], "void");
  const make = symbol<(ctx: Address, type: number, ...ne: bigint[]) => Address>(
    library,
    "ggml_new_tensor_4d",
    ["u64", "i32", "i64", "i64", "i64", "i64"],
    "u64",
  );
  if (init === null || free === null || make === null) return [];
  const params = new BigUint64Array([ROOM, 0n, 0n]); // mem_size, mem_buffer, no_alloc
  const ctx = init(new Uint8Array(params.buffer));
  if (ctx === 0n) return [];
  try {
    const tensor = make(ctx, F32, ...SIZES);
    return tensor === 0n ? [] : fieldsOf(library, tensor, size);
  } finally {
    free(ctx);
  }
}

function fieldsOf(library: Library, tensor: Address, size: number): Found[] {
  const view = new DataView(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(tensor)!, size));
  const call = (name: string, result: Deno.NativeResultType) => symbol<(tensor: Address) => Address>(library, name, ["u64"], result);
  const words = Array.from({ length: Math.floor(size / 8) }, (_, i) => view.getBigUint64(8 * i, true));
  const found = [{ field: "ne", offset: 8 * words.findIndex((_, i) => SIZES.every((ne, k) => words[i + k] === ne)) }];
  const mark = call("ggml_set_param", "void") ?? call("ggml_set_input", "void");
  if (mark !== null) {
    const before = new Uint8Array(view.buffer).slice();
    mark(tensor); // sets a bit of the flags
    found.push({ field: "flags", offset: before.findIndex((byte, i) => byte !== view.getUint8(i)) });
  }
  const data = call("ggml_get_data", "u64")?.(tensor);
  if (data !== undefined) found.push({ field: "data", offset: 8 * words.indexOf(data) });
  const name = call("ggml_get_name", "u64")?.(tensor);
  if (name !== undefined) found.push({ field: "name", offset: Number(name - tensor) });
  return found.filter(({ offset }) => offset >= 0);
}

function symbol<F>(library: Library, name: string, parameters: readonly Deno.NativeType[], result: Deno.NativeResultType): F | null {
  return (library.findOnce(name, parameters, result) as F | undefined) ?? null;
}
