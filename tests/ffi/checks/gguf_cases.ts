/** Wrong calls of gguf.h. */

import { lib } from "@ggml/deno";
import { bytes, call, type Case, ctx, inContext, nowhere } from "./objects.ts";

const { GGML_TYPE_F32: F32, GGML_TYPE_Q4_0: Q4_0 } = lib;

/** A file's metadata with one value of each kind. */
const gguf = lib.gguf_init_empty();

lib.gguf_set_val_u32(gguf, "number", 1);

lib.gguf_set_val_str(gguf, "text", "a");

lib.gguf_set_arr_data(gguf, "numbers", lib.GGUF_TYPE_UINT32, new Uint32Array([1, 2]), 2);

lib.gguf_set_arr_str(gguf, "texts", ["a", "b"], 2);

const [number, text, numbers, texts] = [0, 1, 2, 3];

lib.gguf_add_tensor(gguf, inContext);

/** A file's metadata with a tensor that has no data. */
function withoutData(): lib.gguf_context {
  const file = lib.gguf_init_empty();
  lib.gguf_add_tensor(file, nowhere());
  return file;
}

/** A file's metadata that says that its tensors lie elsewhere than they will. */
function realigned(): lib.gguf_context {
  const file = lib.gguf_init_empty();
  lib.gguf_add_tensor(file, inContext);
  lib.gguf_set_val_u32(file, "general.alignment", 64);
  return file;
}

/** A file's metadata with a tensor that was said to be of another type since. */
function enlarged(): lib.gguf_context {
  const file = lib.gguf_init_empty();
  lib.gguf_add_tensor(file, lib.ggml_set_name(lib.ggml_new_tensor_1d(ctx, Q4_0, 64), "blocks"));
  lib.gguf_set_tensor_type(file, "blocks", F32);
  return file;
}

/** A file's metadata that was read, with a tensor that was given data since. */
function readAgain(): lib.gguf_context {
  const meta = bytes(lib.gguf_get_meta_size(gguf));
  lib.gguf_get_meta_data(gguf, meta);
  const file = lib.gguf_init_from_buffer(meta, meta.length, new lib.gguf_init_params({ no_alloc: true }))!;
  lib.gguf_set_tensor_data(file, "weights", bytes(16));
  return file;
}
const READ = '(ctx): the tensor "weights" was read from a file, and C would write what is anywhere, which is its fault';

/** What C asserts of an index. */
const KEY = ": assertion failed: key_id >= 0 && key_id < gguf_get_n_kv(ctx)";

const TENSOR = ": assertion failed: tensor_id >= 0 && tensor_id < gguf_get_n_tensors(ctx)";

function getters(): Record<string, Case[]> {
  const kinds = ["u8", "i8", "u16", "i16", "i32", "f32", "u64", "i64", "f64", "bool", "str"];
  return Object.fromEntries(kinds.map((kind) => {
    const name = `gguf_get_val_${kind}`;
    return [name, [
      [call(name, gguf, number), ": assertion failed: type_to_gguf_type<T>::value == type"],
      [call(name, gguf, numbers), ": assertion failed: ctx->kv[key_id].get_ne() == 1"],
      [call(name, gguf, 4), KEY],
    ]];
  }));
}

function setters(): Record<string, Case[]> {
  const values: [string, unknown][] = [["u8", 1], ["i8", 1], ["u16", 1], ["i16", 1], ["i32", 1], ["f32", 1], ["u64", 1], ["i64", 1], [
    "f64",
    1,
  ]];
  return Object.fromEntries([...values, ["bool", true], ["str", "1"]].map(([kind, value]) => {
    const name = `gguf_set_val_${kind}`;
    return [name, [
      [call(name, gguf, "general.alignment", value), ": general.alignment must be type u32"],
      [call(name, gguf, "", value), ": assertion failed: !key.empty()"],
    ]];
  }));
}

/** C writes a pointer to where the parameters say. */
function gguf_inits(): Record<string, Case[]> {
  const params = Object.assign(new lib.gguf_init_params({ no_alloc: true }), { ctx: bytes(7) }),
    message = "(params): expected a ctx with room for a pointer, got 7 bytes";
  const read = new lib.gguf_reader_callback_t(() => 0);
  return {
    gguf_init_from_file: [[() => lib.gguf_init_from_file("no such file", params), message]],
    gguf_init_from_file_ptr: [[() => lib.gguf_init_from_file_ptr(null, params), message]],
    gguf_init_from_buffer: [[() => lib.gguf_init_from_buffer(bytes(24), 24, params), message]],
    gguf_init_from_callback: [[() => lib.gguf_init_from_callback(read, null, 24, 24, params), message]],
  };
}

function ofTensors(): Record<string, Case[]> {
  const names = ["offset", "name", "ne", "type", "size"].map((what) => `gguf_get_tensor_${what}`);
  return Object.fromEntries(names.map((name) => [name, [
    [call(name, gguf, 1), TENSOR],
    [call(name, gguf, -1n), TENSOR],
    [call(name, lib.gguf_init_empty(), 0), TENSOR],
  ]]));
}

/** The cases, by function. */
export const cases: Record<string, Case[]> = {
  ...getters(),
  gguf_get_val_u32: [[call("gguf_get_val_u32", gguf, text), ": assertion failed: type_to_gguf_type<T>::value == type"]],
  gguf_get_key: [
    [() => lib.gguf_get_key(gguf, 4), ": assertion failed: key_id >= 0 && key_id < gguf_get_n_kv(ctx)"],
    [() => lib.gguf_get_key(gguf, -1), ": assertion failed: key_id >= 0 && key_id < gguf_get_n_kv(ctx)"],
  ],
  gguf_get_kv_type: [[() => lib.gguf_get_kv_type(gguf, 4), ": assertion failed: key_id >= 0 && key_id < gguf_get_n_kv(ctx)"]],
  gguf_get_arr_n: [[() => lib.gguf_get_arr_n(gguf, 4), ": assertion failed: key_id >= 0 && key_id < gguf_get_n_kv(ctx)"]],
  gguf_get_arr_type: [
    [() => lib.gguf_get_arr_type(gguf, number), ": assertion failed: ctx->kv[key_id].is_array"],
    [() => lib.gguf_get_arr_type(gguf, 4), ": assertion failed: key_id >= 0 && key_id < gguf_get_n_kv(ctx)"],
  ],
  gguf_get_arr_data: [
    [() => lib.gguf_get_arr_data(gguf, texts), ": assertion failed: ctx->kv[key_id].get_type() != GGUF_TYPE_STRING"],
    [() => lib.gguf_get_arr_data(gguf, 4), ": assertion failed: key_id >= 0 && key_id < gguf_get_n_kv(ctx)"],
  ],
  gguf_get_arr_str: [
    [() => lib.gguf_get_arr_str(gguf, numbers, 0), ": assertion failed: ctx->kv[key_id].get_type() == GGUF_TYPE_STRING"],
    [() => lib.gguf_get_arr_str(gguf, texts, 2), "(i): expected the index of a string, from 0 to 1, got 2"],
    [() => lib.gguf_get_arr_str(gguf, 4, 0), ": assertion failed: key_id >= 0 && key_id < gguf_get_n_kv(ctx)"],
  ],
  gguf_get_val_data: [
    [() => lib.gguf_get_val_data(gguf, text), ": assertion failed: ctx->kv[key_id].get_type() != GGUF_TYPE_STRING"],
    [() => lib.gguf_get_val_data(gguf, numbers), ": assertion failed: ctx->kv[key_id].get_ne() == 1"],
  ],
  ...ofTensors(),
  ...setters(),
  gguf_set_val_u32: [[
    () => lib.gguf_set_val_u32(gguf, "general.alignment", 3),
    ': assertion failed: val > 0 && (val & (val - 1)) == 0 && GGUF_KEY_GENERAL_ALIGNMENT " must be power of 2"',
  ]],
  gguf_set_arr_data: [
    [() => lib.gguf_set_arr_data(gguf, "x", lib.GGUF_TYPE_STRING, bytes(64), 2), "(type): expected a type of numbers, got str"],
    [() => lib.gguf_set_arr_data(gguf, "general.alignment", lib.GGUF_TYPE_UINT8, bytes(4), 4), ": general.alignment must be type u32"],
    [() => lib.gguf_set_arr_data(gguf, "x", lib.GGUF_TYPE_UINT64, bytes(15), 2), "(data): expected at least 16 bytes"],
  ],
  gguf_set_arr_str: [[() => lib.gguf_set_arr_str(gguf, "general.alignment", ["a"], 1), ": general.alignment must be type u32"]],
  gguf_set_kv: [[() => lib.gguf_set_kv(gguf, gguf), "(src): expected another gguf_context, got ctx itself"]],
  gguf_add_tensor: [[() => lib.gguf_add_tensor(gguf, inContext), ": duplicate tensor name: weights"]],
  gguf_set_tensor_data: [
    [() => lib.gguf_set_tensor_data(gguf, "nothing", bytes(16)), ": tensor not found: nothing"],
    [() => lib.gguf_set_tensor_data(gguf, "weights", bytes(15)), "(data): expected at least 16 bytes"],
  ],
  gguf_set_tensor_type: [
    [() => lib.gguf_set_tensor_type(gguf, "nothing", F32), ": tensor not found: nothing"],
    [() => lib.gguf_set_tensor_type(withoutData(), "", Q4_0), ": assertion failed: tensor->ne[0] % blck_size == 0"],
  ],
  gguf_write_to_file: [
    [() => lib.gguf_write_to_file(withoutData(), "/dev/null", false), '(ctx): the tensor "" has no data: call gguf_set_tensor_data'],
    [
      () => lib.gguf_write_to_file(realigned(), "/dev/null", false),
      "(ctx): general.alignment is 64, and C writes tensors at multiples of 32",
    ],
    [
      () => lib.gguf_write_to_file(enlarged(), "/dev/null", false),
      '(ctx): the tensor "blocks" has 256 bytes as f32, and its data 36: call gguf_set_tensor_data',
    ],
    [() => lib.gguf_write_to_file(readAgain(), "/dev/null", false), READ],
  ],
  gguf_write_to_file_ptr: [
    [() => lib.gguf_write_to_file_ptr(withoutData(), lib.ggml_fopen("/dev/null", "wb")!, false), '(ctx): the tensor "" has no data'],
    [
      () => lib.gguf_write_to_file_ptr(realigned(), lib.ggml_fopen("/dev/null", "wb")!, false),
      "(ctx): general.alignment is 64, and C writes tensors at multiples of 32",
    ],
    [() => lib.gguf_write_to_file_ptr(enlarged(), lib.ggml_fopen("/dev/null", "wb")!, false), '(ctx): the tensor "blocks" has 256 bytes'],
    [() => lib.gguf_write_to_file_ptr(readAgain(), lib.ggml_fopen("/dev/null", "wb")!, false), READ],
  ],
  ...gguf_inits(),
};
