/**
 * Guards of GGUF files: keys and tensors by index and by name, and what may be stored under them.
 *
 * By hand: it is C++ (gguf.cpp), which asserts the index, and that the type asked for is the one that is held.
 *
 * @module
 */

import type { lib as generated } from "../lib.js";
import { ensure, indexOf, type Int, type Lib, multiple, peek, same, show, type Tensor } from "./checks.ts";

type Gguf = generated.gguf_context;

function named(name: string, key: string): void {
  ensure(key !== "", () => `${name}(key): expected a name, got the string ""`);
}

/** A key that may hold anything: the one of the alignment is a u32. */
function reserved(lib: Lib, name: string, key: string): void {
  named(name, key);
  ensure(key !== lib.GGUF_KEY_GENERAL_ALIGNMENT, () => `${name}(key): ${JSON.stringify(key)} must be a u32: use gguf_set_val_u32`);
}

function keyOf(lib: Lib, name: string, ctx: Gguf, id: Int): void {
  indexOf(`${name}(key_id)`, id, lib.gguf_get_n_kv(ctx), "key");
}

/** What a key holds: the type of its elements, and how many there are; null for what is no array. */
function contents(lib: Lib, ctx: Gguf, id: Int): { type: generated.gguf_type; n: number | null } {
  const type = lib.gguf_get_kv_type(ctx, id);
  if (type !== lib.GGUF_TYPE_ARRAY) return { type, n: null };
  return { type: lib.gguf_get_arr_type(ctx, id), n: lib.gguf_get_arr_n(ctx, id) };
}

/** Says what a key holds and what was wanted of it. */
function wrongValue(lib: Lib, name: string, ctx: Gguf, id: Int, wanted: string): Error {
  const { type, n } = contents(lib, ctx, id);
  const held = lib.gguf_type_name(type);
  return new TypeError(
    `${name}(key_id): ${JSON.stringify(lib.gguf_get_key(ctx, id))} is ${
      n === null ? `a ${held}` : `an array of ${n} ${held}`
    }, not ${wanted}`,
  );
}

/** A key that holds one value of a type. An array of one element will do. */
function valueOf(lib: Lib, name: string, ctx: Gguf, id: Int, type: generated.gguf_type): void {
  keyOf(lib, name, ctx, id);
  const held = contents(lib, ctx, id);
  if (held.type !== type || (held.n ?? 1) !== 1) throw wrongValue(lib, name, ctx, id, `a ${lib.gguf_type_name(type)}`);
}

function tensorIdOf(lib: Lib, name: string, ctx: Gguf, id: Int): void {
  indexOf(`${name}(tensor_id)`, id, lib.gguf_get_n_tensors(ctx), "tensor");
}

/** The index of a tensor that must be there. */
function namedTensor(lib: Lib, where: string, ctx: Gguf, name: string): number {
  const id = lib.gguf_find_tensor(ctx, name);
  ensure(id >= 0, () => `${where}: there is no tensor ${JSON.stringify(name)}`);
  return id;
}

/** Every tensor must have data when a whole file is written. */
function writable(lib: Lib, name: string, ctx: Gguf, only_meta: boolean): void {
  const n = lib.gguf_get_n_tensors(ctx);
  if (only_meta || n === 0) return;
  // struct gguf_context: uint32_t version; std::vector<gguf_kv> kv; std::vector<gguf_tensor_info> info; …
  const view = peek(ctx), first = view.getBigUint64(32), size = lib.ggml_tensor.size + 8;
  if (view.getUint32(0) !== lib.gguf_get_version(ctx) || view.getBigUint64(40) - first !== BigInt(n * size)) return;
  for (let i = 0; i < n; i++) {
    const tensor = new lib.ggml_tensor(first + BigInt(i * size), ctx.owner);
    const say = (what: string) => () =>
      `${name}(ctx): ${what}: ${show(lib, tensor)}; call gguf_set_tensor_data, or write only the metadata`;
    ensure(tensor.buffer !== null || tensor.data !== null, say("a tensor has no data"));
    ensure(lib.ggml_is_contiguous(tensor), say("a tensor isn't contiguous"));
  }
}

/** Of gguf.h. */
export const gguf = {
  gguf_get_key(lib: Lib, ctx: Gguf, id: Int) {
    keyOf(lib, "gguf_get_key", ctx, id);
  },
  gguf_get_kv_type(lib: Lib, ctx: Gguf, id: Int) {
    keyOf(lib, "gguf_get_kv_type", ctx, id);
  },
  gguf_get_arr_n(lib: Lib, ctx: Gguf, id: Int) {
    keyOf(lib, "gguf_get_arr_n", ctx, id);
  },
  gguf_get_arr_type(lib: Lib, ctx: Gguf, id: Int) {
    keyOf(lib, "gguf_get_arr_type", ctx, id);
    if (lib.gguf_get_kv_type(ctx, id) !== lib.GGUF_TYPE_ARRAY) throw wrongValue(lib, "gguf_get_arr_type", ctx, id, "an array");
  },
  gguf_get_arr_data(lib: Lib, ctx: Gguf, id: Int) {
    keyOf(lib, "gguf_get_arr_data", ctx, id);
    if (contents(lib, ctx, id).type === lib.GGUF_TYPE_STRING) throw wrongValue(lib, "gguf_get_arr_data", ctx, id, "an array of numbers");
  },
  gguf_get_arr_str(lib: Lib, ctx: Gguf, id: Int, i: Int) {
    keyOf(lib, "gguf_get_arr_str", ctx, id);
    const { type, n } = contents(lib, ctx, id);
    if (type !== lib.GGUF_TYPE_STRING) throw wrongValue(lib, "gguf_get_arr_str", ctx, id, "an array of strings");
    indexOf("gguf_get_arr_str(i)", i, n ?? 1, "string");
  },
  gguf_get_val_u8(lib: Lib, ctx: Gguf, id: Int) {
    valueOf(lib, "gguf_get_val_u8", ctx, id, lib.GGUF_TYPE_UINT8);
  },
  gguf_get_val_i8(lib: Lib, ctx: Gguf, id: Int) {
    valueOf(lib, "gguf_get_val_i8", ctx, id, lib.GGUF_TYPE_INT8);
  },
  gguf_get_val_u16(lib: Lib, ctx: Gguf, id: Int) {
    valueOf(lib, "gguf_get_val_u16", ctx, id, lib.GGUF_TYPE_UINT16);
  },
  gguf_get_val_i16(lib: Lib, ctx: Gguf, id: Int) {
    valueOf(lib, "gguf_get_val_i16", ctx, id, lib.GGUF_TYPE_INT16);
  },
  gguf_get_val_u32(lib: Lib, ctx: Gguf, id: Int) {
    valueOf(lib, "gguf_get_val_u32", ctx, id, lib.GGUF_TYPE_UINT32);
  },
  gguf_get_val_i32(lib: Lib, ctx: Gguf, id: Int) {
    valueOf(lib, "gguf_get_val_i32", ctx, id, lib.GGUF_TYPE_INT32);
  },
  gguf_get_val_f32(lib: Lib, ctx: Gguf, id: Int) {
    valueOf(lib, "gguf_get_val_f32", ctx, id, lib.GGUF_TYPE_FLOAT32);
  },
  gguf_get_val_u64(lib: Lib, ctx: Gguf, id: Int) {
    valueOf(lib, "gguf_get_val_u64", ctx, id, lib.GGUF_TYPE_UINT64);
  },
  gguf_get_val_i64(lib: Lib, ctx: Gguf, id: Int) {
    valueOf(lib, "gguf_get_val_i64", ctx, id, lib.GGUF_TYPE_INT64);
  },
  gguf_get_val_f64(lib: Lib, ctx: Gguf, id: Int) {
    valueOf(lib, "gguf_get_val_f64", ctx, id, lib.GGUF_TYPE_FLOAT64);
  },
  gguf_get_val_bool(lib: Lib, ctx: Gguf, id: Int) {
    valueOf(lib, "gguf_get_val_bool", ctx, id, lib.GGUF_TYPE_BOOL);
  },
  gguf_get_val_str(lib: Lib, ctx: Gguf, id: Int) {
    valueOf(lib, "gguf_get_val_str", ctx, id, lib.GGUF_TYPE_STRING);
  },
  gguf_get_val_data(lib: Lib, ctx: Gguf, id: Int) {
    keyOf(lib, "gguf_get_val_data", ctx, id);
    const { type, n } = contents(lib, ctx, id);
    if (type === lib.GGUF_TYPE_STRING || (n ?? 1) !== 1) throw wrongValue(lib, "gguf_get_val_data", ctx, id, "one number");
  },
  gguf_get_tensor_offset(lib: Lib, ctx: Gguf, id: Int) {
    tensorIdOf(lib, "gguf_get_tensor_offset", ctx, id);
  },
  gguf_get_tensor_name(lib: Lib, ctx: Gguf, id: Int) {
    tensorIdOf(lib, "gguf_get_tensor_name", ctx, id);
  },
  gguf_get_tensor_ne(lib: Lib, ctx: Gguf, id: Int) {
    tensorIdOf(lib, "gguf_get_tensor_ne", ctx, id);
  },
  gguf_get_tensor_type(lib: Lib, ctx: Gguf, id: Int) {
    tensorIdOf(lib, "gguf_get_tensor_type", ctx, id);
  },
  gguf_get_tensor_size(lib: Lib, ctx: Gguf, id: Int) {
    tensorIdOf(lib, "gguf_get_tensor_size", ctx, id);
  },
  gguf_set_val_u8(lib: Lib, _ctx: Gguf, key: string) {
    reserved(lib, "gguf_set_val_u8", key);
  },
  gguf_set_val_i8(lib: Lib, _ctx: Gguf, key: string) {
    reserved(lib, "gguf_set_val_i8", key);
  },
  gguf_set_val_u16(lib: Lib, _ctx: Gguf, key: string) {
    reserved(lib, "gguf_set_val_u16", key);
  },
  gguf_set_val_i16(lib: Lib, _ctx: Gguf, key: string) {
    reserved(lib, "gguf_set_val_i16", key);
  },
  gguf_set_val_u32(lib: Lib, _ctx: Gguf, key: string, val: number) {
    named("gguf_set_val_u32", key);
    if (key !== lib.GGUF_KEY_GENERAL_ALIGNMENT || (val > 0 && (val & (val - 1)) === 0)) return;
    throw new RangeError(`gguf_set_val_u32(val): ${JSON.stringify(key)} must be a power of two, got ${val}`);
  },
  gguf_set_val_i32(lib: Lib, _ctx: Gguf, key: string) {
    reserved(lib, "gguf_set_val_i32", key);
  },
  gguf_set_val_f32(lib: Lib, _ctx: Gguf, key: string) {
    reserved(lib, "gguf_set_val_f32", key);
  },
  gguf_set_val_u64(lib: Lib, _ctx: Gguf, key: string) {
    reserved(lib, "gguf_set_val_u64", key);
  },
  gguf_set_val_i64(lib: Lib, _ctx: Gguf, key: string) {
    reserved(lib, "gguf_set_val_i64", key);
  },
  gguf_set_val_f64(lib: Lib, _ctx: Gguf, key: string) {
    reserved(lib, "gguf_set_val_f64", key);
  },
  gguf_set_val_bool(lib: Lib, _ctx: Gguf, key: string) {
    reserved(lib, "gguf_set_val_bool", key);
  },
  gguf_set_val_str(lib: Lib, _ctx: Gguf, key: string) {
    reserved(lib, "gguf_set_val_str", key);
  },
  gguf_set_arr_str(lib: Lib, _ctx: Gguf, key: string) {
    reserved(lib, "gguf_set_arr_str", key);
  },
  gguf_set_arr_data(lib: Lib, _ctx: Gguf, key: string, type: generated.gguf_type) {
    reserved(lib, "gguf_set_arr_data", key);
    const plain = type !== lib.GGUF_TYPE_STRING && type !== lib.GGUF_TYPE_ARRAY;
    ensure(
      plain,
      () => `gguf_set_arr_data(type): expected a type of numbers, got ${lib.gguf_type_name(type)}: use gguf_set_arr_str for strings`,
    );
  },
  gguf_set_kv(_lib: Lib, ctx: Gguf, src: Gguf) {
    ensure(!same(ctx, src), () => "gguf_set_kv(src): expected another gguf_context, got ctx itself");
  },
  gguf_add_tensor(lib: Lib, ctx: Gguf, tensor: Tensor) {
    const found = lib.gguf_find_tensor(ctx, tensor.name) >= 0;
    ensure(!found, () => `gguf_add_tensor(tensor): there is a tensor ${JSON.stringify(tensor.name)} already; call ggml_set_name`);
  },
  gguf_set_tensor_type(lib: Lib, ctx: Gguf, name: string, type: generated.ggml_type) {
    const id = namedTensor(lib, "gguf_set_tensor_type(name)", ctx, name);
    const [ne0] = new BigInt64Array(lib.gguf_get_tensor_ne(ctx, id).bytes(8).buffer);
    const what = `the block size of ${lib.ggml_type_name(type)}; row length of ${JSON.stringify(name)}`;
    multiple("gguf_set_tensor_type(type)", ne0, lib.ggml_blck_size(type), what);
  },
  gguf_set_tensor_data(lib: Lib, ctx: Gguf, name: string) {
    namedTensor(lib, "gguf_set_tensor_data(name)", ctx, name);
  },
  gguf_write_to_file(lib: Lib, ctx: Gguf, _file: unknown, only_meta: boolean) {
    writable(lib, "gguf_write_to_file", ctx, only_meta);
  },
  gguf_write_to_file_ptr(lib: Lib, ctx: Gguf, _file: unknown, only_meta: boolean) {
    writable(lib, "gguf_write_to_file_ptr", ctx, only_meta);
  },
};
