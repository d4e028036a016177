/**
 * Checks of GGUF files: strings by index, and the memory that a file's tensors are written from.
 *
 * @module
 */

import { quote } from "../../core/describe.ts";
import type { Data } from "../../core/arguments.ts";
import type { lib as generated } from "../../generated/lib.js";
import { bytesOf } from "../../core/lengths.ts";
import type { Owner } from "../../core/owner.ts";
import { bytesBehind } from "./room.ts";
import { expectIndex, type Int, type Lib } from "./say.ts";

type Gguf = generated.gguf_context;
type Params = generated.gguf_init_params;

/** The bytes behind each tensor of a file by its name, as long as they are known; null for no data. A type that is set later needs other ones. */
const memories = new WeakMap<Owner, Map<string, number | null>>();

function memoriesOf({ owner }: Gguf): Map<string, number | null> {
  let known = memories.get(owner);
  if (known === undefined) memories.set(owner, known = new Map());
  return known;
}

/** The names of tensors that were added to what was made from a file. */
const added = new WeakMap<Owner, Set<string>>();

/**
 * Each tensor has data, as long as its type says: C copies so many bytes. It opens the file first: what was in it is gone by the time that it asserts
 * that there is data. Of a tensor that it read from a file C sets no buffer, and then copies from whichever that field happens to name, even where it
 * was told of other data.
 */
function expectMemory(where: string, lib: Lib, ctx: Gguf, only_meta: boolean): void {
  if (only_meta) return;
  const known = memoriesOf(ctx), wasRead = lib.gguf_get_data_offset(ctx) > 0, own = added.get(ctx.owner);
  const count = known.size === 0 && !wasRead ? 0 : lib.gguf_get_n_tensors(ctx);
  for (let id = 0; id < count; id++) {
    const name = lib.gguf_get_tensor_name(ctx, id)!, noted = known.get(name), bytes = noted === undefined ? Infinity : noted;
    if (wasRead && own?.has(name) !== true) {
      throw new Error(
        `${where}(ctx): the tensor ${quote(name)} was read from a file, and C would write what is anywhere, which is its fault: ` +
          "add the tensor to what gguf_init_empty makes",
      );
    }
    if (bytes === null) {
      throw new Error(`${where}(ctx): the tensor ${quote(name)} has no data: call gguf_set_tensor_data`);
    }
    const size = lib.gguf_get_tensor_size(ctx, id);
    if (size <= bytes) continue;
    const type = lib.ggml_type_name(lib.gguf_get_tensor_type(ctx, id));
    throw new Error(
      `${where}(ctx): the tensor ${quote(name)} has ${size} bytes as ${type}, and its data ${bytes}: call gguf_set_tensor_data`,
    );
  }
}

/** C writes tensors at multiples of what it was told when it read the file, whatever the file says since: nobody could read that. */
function expectAlignment(where: string, lib: Lib, ctx: Gguf, only_meta: boolean): void {
  if (only_meta) return;
  for (let id = lib.gguf_get_n_kv(ctx) - 1; id >= 0; id--) {
    if (lib.gguf_get_key(ctx, id) !== lib.GGUF_KEY_GENERAL_ALIGNMENT) continue;
    const said = lib.gguf_get_val_u32(ctx, id), actual = lib.gguf_get_alignment(ctx);
    if (said === actual) return;
    throw new Error(`${where}(ctx): ${lib.GGUF_KEY_GENERAL_ALIGNMENT} is ${said}, and C writes tensors at multiples of ${actual}`);
  }
}

/** C writes an address to where `ctx` of the parameters points. */
function expectRoom(where: string, { ctx, owner }: Params): void {
  const bytes = ctx === null ? Infinity : bytesBehind(owner, ctx.address);
  if (bytes < 8) throw new RangeError(`${where}(params): expected a ctx with room for a pointer, got ${bytes} bytes`);
}

/** Checks of functions of gguf.h. */
export const gguf = {
  gguf_init_from_file(_: unknown, _fname: unknown, params: Params): void {
    expectRoom("gguf_init_from_file", params);
  },
  gguf_init_from_file_ptr(_: unknown, _file: unknown, params: Params): void {
    expectRoom("gguf_init_from_file_ptr", params);
  },
  gguf_init_from_buffer(_: unknown, _data: unknown, _size: unknown, params: Params): void {
    expectRoom("gguf_init_from_buffer", params);
  },
  gguf_init_from_callback(
    _: unknown,
    _callback: unknown,
    _userdata: unknown,
    _max_chunk_read: unknown,
    _max_expected_size: unknown,
    params: Params,
  ): void {
    expectRoom("gguf_init_from_callback", params);
  },
  /** C takes the string there, whether or not there is one. Whether the key holds strings at all it asserts. */
  gguf_get_arr_str(lib: Lib, ctx: Gguf, key_id: Int, i: Int): void {
    if (!(key_id >= 0 && key_id < lib.gguf_get_n_kv(ctx))) return;
    const kind = lib.gguf_get_kv_type(ctx, key_id), type = kind === lib.GGUF_TYPE_ARRAY ? lib.gguf_get_arr_type(ctx, key_id) : kind;
    if (type === lib.GGUF_TYPE_STRING) expectIndex("gguf_get_arr_str(i)", i, lib.gguf_get_arr_n(ctx, key_id), "string");
  },
  /** C divides by the size of an element, which these types have none of; a processor that survives it takes them for arrays of them. */
  gguf_set_arr_data(lib: Lib, _ctx: unknown, _key: unknown, type: generated.gguf_type): void {
    if (type !== lib.GGUF_TYPE_STRING && type !== lib.GGUF_TYPE_ARRAY) return;
    const what = lib.gguf_type_name(type);
    throw new TypeError(`gguf_set_arr_data(type): expected a type of numbers, got ${what}: use gguf_set_arr_str for strings`);
  },
  /** C reads the keys of the one while it changes those of the other. */
  gguf_set_kv(_: unknown, ctx: Gguf, src: Gguf): void {
    if (ctx.address === src.address) throw new Error("gguf_set_kv(src): expected another gguf_context, got ctx itself");
  },
  gguf_add_tensor(lib: Lib, ctx: Gguf, tensor: generated.ggml_tensor): void {
    if (lib.gguf_find_tensor(ctx, tensor.name) >= 0) return; // which C aborts of
    memoriesOf(ctx).set(tensor.name, tensor.data === null ? null : lib.ggml_nbytes(tensor));
    added.set(ctx.owner, (added.get(ctx.owner) ?? new Set()).add(tensor.name));
  },
  gguf_set_tensor_data(_: unknown, ctx: Gguf, name: string, data: Data): void {
    memoriesOf(ctx).set(name, bytesOf(data, 1));
  },
  gguf_write_to_file(lib: Lib, ctx: Gguf, _fname: unknown, only_meta: boolean): void {
    expectAlignment("gguf_write_to_file", lib, ctx, only_meta);
    expectMemory("gguf_write_to_file", lib, ctx, only_meta);
  },
  gguf_write_to_file_ptr(lib: Lib, ctx: Gguf, _file: unknown, only_meta: boolean): void {
    expectAlignment("gguf_write_to_file_ptr", lib, ctx, only_meta);
    expectMemory("gguf_write_to_file_ptr", lib, ctx, only_meta);
  },
};
