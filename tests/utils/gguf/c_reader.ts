/**
 * What ggml's own reader says of a GGUF file, in the form of `readGguf`, to compare the two.
 *
 * @module
 */

import { lib } from "@ggml/deno";
import type { GgufValue } from "@ggml/deno/utils";

/** A tensor as both readers describe it: `ne` as ggml has it, always four. */
export interface TensorFacts {
  readonly name: string;
  readonly type: number;
  readonly ne: readonly number[];
  readonly offset: number;
  readonly byteLength: number;
}

/** What a file has in it. */
export interface Facts {
  readonly version: number;
  readonly alignment: number;
  readonly metadata: Map<string, GgufValue>;
  readonly tensors: TensorFacts[];
}

/** Reads a file by `gguf_init_from_file`; null if that refuses it. */
export function readByC(path: string): Facts | null {
  using ctx = openByC(path);
  if (ctx === null) return null;
  const keys = Array.from({ length: lib.gguf_get_n_kv(ctx) }, (_, id) => id);
  return {
    version: lib.gguf_get_version(ctx),
    alignment: lib.gguf_get_alignment(ctx),
    metadata: new Map(keys.map((id) => [lib.gguf_get_key(ctx, id), valueOf(ctx, id)])),
    tensors: tensorsOf(ctx),
  };
}

/** The file as C has it, without the tensors' data. */
export function openByC(path: string): lib.gguf_context | null {
  return lib.gguf_init_from_file(path, new lib.gguf_init_params({ no_alloc: true }));
}

/** The tensors of a file. */
export function tensorsOf(ctx: lib.gguf_context): TensorFacts[] {
  const start = lib.gguf_get_data_offset(ctx);
  return Array.from({ length: lib.gguf_get_n_tensors(ctx) }, (_, id) => ({
    name: lib.gguf_get_tensor_name(ctx, id),
    type: lib.gguf_get_tensor_type(ctx, id),
    ne: Array.from(new BigInt64Array(lib.gguf_get_tensor_ne(ctx, id).bytes(32).slice().buffer), Number),
    offset: start + lib.gguf_get_tensor_offset(ctx, id),
    byteLength: lib.gguf_get_tensor_size(ctx, id),
  }));
}

const ARRAYS = {
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  u64: BigUint64Array,
  i64: BigInt64Array,
  f32: Float32Array,
  f64: Float64Array,
};

function valueOf(ctx: lib.gguf_context, id: number): GgufValue {
  const type = lib.gguf_get_kv_type(ctx, id);
  if (type === lib.GGUF_TYPE_ARRAY) return arrayOf(ctx, id);
  const name = lib.gguf_type_name(type) as keyof typeof ARRAYS | "bool" | "str";
  return { type: name, value: scalarOf(ctx, id, name) } as GgufValue;
}

function scalarOf(ctx: lib.gguf_context, id: number, name: keyof typeof ARRAYS | "bool" | "str"): unknown {
  try {
    return lib[`gguf_get_val_${name}`](ctx, id);
  } catch (error) {
    if (error instanceof RangeError && typeof error.cause === "bigint") return error.cause; // beyond 2^53
    throw error;
  }
}

function arrayOf(ctx: lib.gguf_context, id: number): GgufValue {
  const name = lib.gguf_type_name(lib.gguf_get_arr_type(ctx, id)) as keyof typeof ARRAYS | "bool" | "str";
  const length = lib.gguf_get_arr_n(ctx, id);
  if (name === "str") {
    return { type: "str[]", value: Array.from({ length }, (_, i) => lib.gguf_get_arr_str(ctx, id, i)) };
  }
  const width = name === "bool" ? 1 : ARRAYS[name].BYTES_PER_ELEMENT;
  const bytes = length === 0 ? new Uint8Array() : lib.gguf_get_arr_data(ctx, id)!.bytes(length * width).slice();
  if (name === "bool") return { type: "bool[]", value: Array.from(bytes, Boolean) };
  return { type: `${name}[]`, value: new ARRAYS[name](bytes.buffer) } as GgufValue;
}
