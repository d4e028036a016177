/** Wrong arguments: every kind of wrong value, for every parameter of every function and every field of every struct. */

import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { init } from "@ggml/deno/utils";
import { symbols } from "../../ffi/generated/symbols.ts";
import { deno } from "../process.ts";
import { plan } from "./wrong/plan.ts";

Deno.test("every wrong value for every parameter and field is a TypeError or RangeError that names it", async () => {
  const { code, stdout, stderr } = await deno(["run", "--quiet", "--allow-all", "tests/ffi/wrong/arguments.ts"]);
  const lines = stdout.trimEnd().split("\n");
  assertEquals(lines.slice(0, -1), [], stderr);
  assertMatch(lines.at(-1)!, new RegExp(`^${Object.keys(symbols).length} functions, \\d+ structs, \\d{5} calls$`));
  assertEquals(code, 0, stderr);
});

Deno.test("for all memory that a function takes it is said how long it must be, but for what C never looks into", async () => {
  const headers = ["ggml.h", "ggml-alloc.h", "ggml-backend.h", "ggml-cpu.h", "ggml-opt.h", "gguf.h", "llama.h"];
  const unsaid = (await plan()).functions.filter(({ header }) => headers.includes(header)).flatMap(({ name, parameters }) =>
    parameters.filter(({ type, length }) => (type.kind === "data" || type.kind === "pointers") && !length).map((
      parameter,
    ) => [name, parameter.name])
  );
  // Given back to callbacks, or to the function that it came from.
  const opaque = /^(userdata|user_data|get_split_state_ud|set_tensor_data_ud|abort_callback_data|plan|file)$/;
  assertEquals(unsaid.filter(([, parameter]) => !opaque.test(parameter)).map(([name, parameter]) => `${name}(${parameter})`), [
    // The checks by hand say how long these must be.
    "ggml_gallocr_reserve_n_size(leaf_buffer_ids)",
    "ggml_gallocr_reserve_n_size(sizes)",
    "ggml_gallocr_reserve_n(leaf_buffer_ids)",
    "ggml_backend_tensor_alloc(addr)", // an address within a buffer
    "ggml_opt_dataset_get_batch_host(labels_batch)",
    "ggml_opt_result_pred(pred)",
    "llama_set_state_data(src)", // deprecated: what it reads says itself how much there is
    "llama_sampler_init(ctx)", // a sampler's own
  ]);
});

const functions = lib as unknown as Record<string, (...args: unknown[]) => unknown>;

Deno.test("a value that an enum doesn't have is refused with those that it has", () => {
  using ctx = init({ memSize: 4096 });
  const t = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4);
  const cases: [() => unknown, typeof TypeError | typeof RangeError, string][] = [
    [
      () => functions.ggml_argsort(ctx, t, 2),
      RangeError,
      "ggml_argsort(order): expected a ggml_sort_order, got the number 2; there are GGML_SORT_ORDER_ASC (0), GGML_SORT_ORDER_DESC (1)",
    ],
    [
      () => functions.ggml_type_size(4),
      RangeError,
      "ggml_type_size(type): expected a ggml_type, got the number 4; the nearest: GGML_TYPE_Q4_1 (3), GGML_TYPE_Q5_0 (6)",
    ],
    [() => functions.ggml_type_size("q5_K"), TypeError, 'got the string "q5_K"; did you mean lib.GGML_TYPE_Q5_K?'],
    [() => functions.ggml_type_size(lib.GGML_TYPE_COUNT), RangeError, "got the number 43; the nearest: GGML_TYPE_Q2_0 (42)"],
    [() => functions.ggml_type_size(NaN), RangeError, "got the number NaN; such as lib.GGML_TYPE_F32"],
    [() => t.type = 99 as lib.ggml_type, RangeError, "ggml_tensor.type: expected a ggml_type, got the number 99"],
    [
      () => new lib.llama_model_quantize_params({ output_tensor_type: 44 as lib.ggml_type }),
      RangeError,
      "llama_model_quantize_params.output_tensor_type",
    ],
  ];
  for (const [call, type, message] of cases) assertThrows(call, type, message);
});

Deno.test("values of an enum are taken: the first, the last, negative ones, and its count where that means none", () => {
  assertEquals(lib.ggml_type_name(lib.GGML_TYPE_F32), "f32");
  assertEquals(lib.ggml_type_name(lib.GGML_TYPE_Q2_0), "q2_0");
  assertEquals(lib.ggml_status_to_string(lib.GGML_STATUS_ALLOC_FAILED), "GGML status: error (failed to allocate memory)");
  const { output_tensor_type } = new lib.llama_model_quantize_params({ output_tensor_type: lib.GGML_TYPE_COUNT });
  assertEquals(output_tensor_type, lib.GGML_TYPE_COUNT);
});

Deno.test("what a callback returns and is given as an enum is checked as a parameter is", () => {
  const log = new lib.ggml_log_callback(() => {});
  const call = log.call as unknown as (...args: unknown[]) => void;
  assertThrows(() => call(77, "text", null), RangeError, "ggml_log_callback(0): expected a ggml_log_level, got the number 77");
});

Deno.test("memory that is too short is refused with how much is needed", () => {
  using ctx = init({ memSize: 1 << 16 });
  const t = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4);
  const { GGML_TYPE_F32: F32, GGML_TYPE_Q8_0: Q8_0 } = lib;
  const floats = (n: number) => new Float32Array(n), bytes = (n: number) => new Uint8Array(n);
  const cases: [() => unknown, string][] = [
    [
      () => lib.ggml_quantize_chunk(Q8_0, floats(256), bytes(1000), 0, 2, 256, null),
      "ggml_quantize_chunk(src): expected at least 512 floats (start + nrows * n_per_row), got a Float32Array of 256",
    ],
    [
      () => lib.ggml_quantize_chunk(Q8_0, floats(512), bytes(543), 0, 2, 256, null),
      "ggml_quantize_chunk(dst): expected at least 544 bytes ((start + nrows * n_per_row) / ggml_blck_size(type) * ggml_type_size(type)), got a Uint8Array of 543",
    ],
    [() => lib.ggml_quantize_chunk(Q8_0, floats(512), bytes(544), 256, 2, 256, null), "(src): expected at least 768 floats"],
    [
      () => lib.ggml_quantize_chunk(Q8_0, floats(512), bytes(544), 0, 2, 256, floats(255)),
      "(imatrix): expected at least 256 floats (n_per_row)",
    ],
    [() => lib.ggml_fp16_to_fp32_row(new Uint16Array(3), floats(4), 4n), "ggml_fp16_to_fp32_row(arg0): expected at least 4 uint16s (arg2)"],
    [() => lib.ggml_cpu_fp32_to_fp16(floats(4), new Float16Array(3), 4), "ggml_cpu_fp32_to_fp16(arg1): expected at least 4 uint16s (arg2)"],
    [() => lib.ggml_new_tensor(ctx, F32, 3, new BigInt64Array([1n, 2n])), "ggml_new_tensor(ne): expected at least 3 int64s (n_dims)"],
    [() => lib.ggml_rope_yarn_corr_dims(1, 1, 1, 1, 1, floats(1)), "ggml_rope_yarn_corr_dims(dims): expected at least 2 floats, got"],
    [
      () => lib.ggml_guid_matches(bytes(16), bytes(15)),
      "ggml_guid_matches(guid_b): expected at least 16 bytes, got a Uint8Array of 15",
    ],
    [
      () => lib.ggml_unravel_index(t, 1, new BigInt64Array(0), null, null, null),
      "ggml_unravel_index(i0): expected at least one int64, got",
    ],
    [
      () => lib.ggml_custom_inplace(ctx, t, [], 1, new lib.ggml_custom_op_t(1n), 1, null),
      "ggml_custom_inplace(args): expected at least one pointer",
    ],
    [
      () => lib.gguf_set_arr_str(lib.gguf_init_empty(), "k", ["a"], 2),
      "gguf_set_arr_str(data): expected at least 2 pointers (n), got an array of 1",
    ],
    [
      () => lib.gguf_get_meta_data(lib.gguf_init_empty(), bytes(23)),
      "gguf_get_meta_data(data): expected at least 32 bytes (gguf_get_meta_size(ctx))",
    ],
    [
      () => lib.gguf_init_from_buffer(new ArrayBuffer(3), 4, new lib.gguf_init_params()),
      "gguf_init_from_buffer(data): expected at least 4 bytes (size), got an ArrayBuffer of 3 bytes",
    ],
    [() => lib.llama_split_path(bytes(4), 5, "model", 0, 1), "llama_split_path(split_path): expected at least 5 bytes (maxlen)"],
    [
      () => lib.llama_chat_apply_template(null, new lib.llama_chat_message({ role: "user", content: "hi" }), 2, true, null, 0),
      "llama_chat_apply_template(chat): expected at least 2 structs (n_msg), got a llama_chat_message",
    ],
  ];
  for (const [call, message] of cases) assertThrows(call, RangeError, message, message);
  // Null stands for no memory at all: it will do for none.
  assertThrows(
    () => lib.llama_chat_builtin_templates(null, 1),
    TypeError,
    "llama_chat_builtin_templates(output): expected at least one pointer (len), got null",
  );
  assertEquals(typeof lib.llama_chat_builtin_templates(null, 0), "number");
});

Deno.test("memory that is long enough is taken, and a pointer as it is", () => {
  using ctx = init({ memSize: 1 << 16 });
  const t = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 512), q = new Uint8Array(544);
  assertEquals(lib.ggml_quantize_chunk(lib.GGML_TYPE_Q8_0, t.data!, q, 0, 2, 256, null), 544);
  assertEquals(lib.ggml_quantize_chunk(lib.GGML_TYPE_Q8_0, new Float32Array(512), q, 0, 2n, 256n, new Float32Array(256)), 544);
  const halves = new Float16Array(2);
  lib.ggml_fp32_to_fp16_row(new Float32Array([1, 2]), halves, 2);
  assertEquals([...halves], [1, 2]);
});

Deno.test("an array of handles holds live handles of its class, and null only where C takes it", () => {
  using ctx = init({ memSize: 1 << 16 });
  const t = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4), op = new lib.ggml_custom_op_t(1n);
  assertThrows(
    () => functions.ggml_custom_inplace(ctx, t, [t, ctx], 2, op, 1, null),
    TypeError,
    "ggml_custom_inplace(args)[1]: expected a ggml_tensor, got a",
  );
  assertThrows(
    () => functions.ggml_custom_inplace(ctx, t, [null], 1, op, 1, null),
    TypeError,
    "ggml_custom_inplace(args)[0]: expected a ggml_tensor, got null",
  );
  const freed = init({ memSize: 4096 });
  const gone = lib.ggml_new_tensor_1d(freed, lib.GGML_TYPE_F32, 4);
  freed[Symbol.dispose]();
  assertThrows(() => functions.ggml_custom_inplace(ctx, t, [gone], 1, op, 1, null), Error, "was freed");
});

Deno.test("an array field takes numbers of its type and no others", () => {
  using ctx = init({ memSize: 4096 });
  const t = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4);
  t.op_params = Array.from({ length: 16 }, (_, i) => -i);
  assertEquals([...t.op_params.slice(0, 3)], [0, -1, -2]);
  const params = (last: unknown) => () => t.op_params = [...Array(15).fill(0), last] as number[];
  assertThrows(params(1.5), RangeError, "ggml_tensor.op_params[15]: expected an int32, got the number 1.5");
  assertThrows(params(2 ** 31), RangeError, "ggml_tensor.op_params[15]: expected an int32, got the number 2147483648");
  assertThrows(params("1"), TypeError, 'ggml_tensor.op_params[15]: expected an int32, got the string "1"');
  assertThrows(() => t.op_params = 1 as never, TypeError, "ggml_tensor.op_params: expected an array, got the number 1");
  assertThrows(() => t.ne = [1, 2, 3], RangeError, "ggml_tensor.ne: expected 4 elements, got an array of 3");
});

Deno.test("a handle is made of an address, a Deno pointer or null, and of nothing else", () => {
  const from = (value: unknown) => lib.ggml_tensor.from(value as bigint);
  assertEquals([from(null), from(0n), from(2n ** 64n - 1n)?.address], [null, null, 2n ** 64n - 1n]);
  assertEquals(from(Deno.UnsafePointer.create(16n))?.address, 16n);
  for (const address of [-1n, 2n ** 64n]) {
    assertThrows(() => from(address), RangeError, `ggml_tensor.from: expected an address of 64 bits, got`);
  }
  for (const value of [5, undefined, "0x10", {}, from(16n)]) {
    assertThrows(() => from(value), TypeError, "ggml_tensor.from: expected an address, which is a bigint, a Deno pointer or null, got");
  }
});

Deno.test("a class that sets a handle's fields itself sets what the others have, in their order", () => {
  const fields = (handle: { owner: unknown }) => [Object.keys(handle), { ...handle }];
  for (const owner of [undefined, null] as unknown as undefined[]) {
    assertEquals(fields(new lib.ggml_tensor(8n, owner)), fields(new lib.ggml_type_traits(8n)));
  }
  assertEquals(Object.keys(new lib.ggml_tensor({ type: lib.GGML_TYPE_F16 })), Object.keys(new lib.ggml_init_params({ mem_size: 1 })));
});
