/** The generated bindings: that everything is there, can be called, and refuses what C would choke on. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { lib, load } from "@ggml/deno";
import { symbols } from "@ggml/deno/ffi";
import { parse } from "@ggml/deno/lexer";
import { RELEASE } from "../../ffi/load/find.ts";
import { headers } from "../lexer/headers.ts";
import { declarations, headerPaths } from "../lexer/llama.ts";
import { newTensor, withContext } from "../context.ts";

const CORE = ["ggml.h", "ggml-alloc.h", "ggml-backend.h", "ggml-cpu.h", "ggml-opt.h", "gguf.h"];
const functions = lib as unknown as Record<string, (...args: unknown[]) => unknown>;

async function model() {
  const tree = await headers();
  const files: Record<string, string> = { "core.c": [...CORE, "llama.h"].map((name) => `#include "${name}"\n`).join("") };
  const read = (path: string) => {
    if (path in files) return files[path];
    try {
      return Deno.readTextFileSync(path);
    } catch {
      return undefined;
    }
  };
  const { model, diagnostics } = parse(["core.c"], { include: [`${tree}/ggml/include`, `${tree}/include`], read, target: "x86_64-linux" });
  assertEquals(diagnostics, []);
  return model;
}

Deno.test("every function of the six core headers and of llama.h is bound", async () => {
  const declared = (await model()).functions.filter(({ system }) => !system), { all } = await headerPaths();
  assertEquals(declared.filter(({ header }) => CORE.includes(header)).length, declarations(all.slice(0, CORE.length)));
  assertEquals(declared.length, declarations(all));
  for (const { name } of declared) {
    assertEquals(typeof functions[name], "function", name);
    assert(name in symbols, name);
  }
});

Deno.test("every enum value, constant and struct of the headers is in lib, with its value", async () => {
  const { enums, constants, records } = await model();
  const all = lib as unknown as Record<string, unknown>;
  for (const { values, system } of enums) {
    if (!system) {
      for (const { name, value } of values) assertEquals(all[name], Number(value), name);
    }
  }
  const own = constants.filter(({ system }) => !system);
  for (const { name, value } of own) assertEquals(all[name], typeof value === "bigint" ? Number(value) : value, name);
  // 29 definitions in the text, three of them of GGML_MEM_ALIGN in branches of one #if; and GGML_TENSOR_SIZE, a static const.
  assertEquals(own.filter(({ header, name }) => CORE.includes(header) && /^GG(ML|UF)_/.test(name)).length, 29 - 2 + 1);
  for (const { name, system, size } of records) {
    if (system || name === null) continue;
    const bound = all[`${name}_struct`] ?? all[name]; // where a function has the name, the class is called so
    assertEquals(typeof bound, "function", name);
    if (size !== null) assertEquals((bound as { size: number }).size, size, name);
  }
});

Deno.test("a macro that computes is a function", () => {
  assertEquals([0, 1, 16, 17, 2 ** 40 + 1].map((n) => lib.GGML_PAD(n, 16)), [0, 16, 16, 32, 2 ** 40 + 16]);
  assertThrows(() => lib.GGML_PAD(1.5, 16), RangeError, "GGML_PAD(x): expected an int64");
});

Deno.test("lib can't be changed by mistake", () => {
  assertThrows(() => (lib as unknown as Record<string, unknown>).ggml_add = 1, TypeError);
});

Deno.test("the library has every function of its headers, but those that it doesn't build", () => {
  const { path } = load();
  const names = ["ggml-base", "ggml", "llama"];
  const files = [...load().files, ...names.flatMap((name) => [`${path}/lib${name}.so`, `${path}/lib${name}.${RELEASE.llama}.so`])];
  const missing: string[] = [];
  for (const [name, definition] of Object.entries(symbols)) {
    const found = files.some((file) => {
      try {
        Deno.dlopen(file, { [name]: definition as Deno.ForeignFunction });
        return true;
      } catch {
        return false;
      }
    });
    if (!found) missing.push(name);
  }
  const otherBackends =
    /^ggml_backend_(is_)?(blas|cann|cuda|et|hexagon|metal|opencl|openvino|rpc|sycl|virtgpu|vk|webgpu|zdnn|zendnn)|_is_(et|openvino)/;
  assertEquals(missing.filter((name) => !otherBackends.test(name)), ["ggml_threadpool_get_n_threads"]);
});

Deno.test("a function that the library lacks throws, when called, an error that names it, the library and its version", () => {
  const pool = lib.ggml_threadpool.from(1n)!;
  const { message } = assertThrows(() => lib.ggml_threadpool_get_n_threads(pool), Error);
  assertStringIncludes(message, `ggml_threadpool_get_n_threads is not in the loaded library, ggml ${RELEASE.ggml}`);
  assertStringIncludes(message, load().files[0]);
  assertEquals(lib.ggml_type_name(lib.GGML_TYPE_F32), "f32"); // the others work
});

Deno.test("variadic functions take their text already formatted", () =>
  withContext((ctx) => {
    const t = newTensor(ctx, lib.GGML_TYPE_F32, 1);
    lib.ggml_format_name(t, "50% of %s and %d");
    assertEquals(t.name, "50% of %s and %d");
    assertEquals(functions.ggml_abort.length, 3);
  }));

Deno.test("a wrong argument is an error that names the function, the parameter, what it takes and what came", () =>
  withContext((ctx) => {
    const t = newTensor(ctx, lib.GGML_TYPE_F32, 4);
    const cases: [() => unknown, typeof TypeError | typeof RangeError, string][] = [
      [() => functions.ggml_nelements(null), TypeError, "ggml_nelements(tensor): expected a ggml_tensor, got null"],
      [() => functions.ggml_nelements(), TypeError, "ggml_nelements(tensor): expected a ggml_tensor, got undefined"],
      [() => functions.ggml_nelements(ctx), TypeError, "ggml_nelements(tensor): expected a ggml_tensor, got a ggml_context"],
      [() => functions.ggml_nelements("t"), TypeError, `ggml_nelements(tensor): expected a ggml_tensor, got the string "t"`],
      [() => functions.ggml_type_size("0"), TypeError, `ggml_type_size(type): expected a ggml_type, got the string "0"`],
      [() => functions.ggml_type_size(1.5), RangeError, "ggml_type_size(type): expected a ggml_type, got the number 1.5"],
      [() => functions.ggml_type_size(2 ** 32), RangeError, "ggml_type_size(type): expected a ggml_type, got the number 4294967296"],
      [() => functions.ggml_new_tensor_1d(ctx, 0, 1.5), RangeError, "ggml_new_tensor_1d(ne0): expected an int64, got the number 1.5"],
      [
        () => functions.ggml_new_tensor_1d(ctx, 0, 2 ** 53),
        RangeError,
        "got the number 9007199254740992, beyond 2^53, where numbers aren't exact: give a bigint",
      ],
      [
        () => functions.ggml_new_tensor_1d(ctx, 0, 2n ** 63n),
        RangeError,
        "ggml_new_tensor_1d(ne0): expected an int64, got the bigint 9223372036854775808n",
      ],
      [() => functions.ggml_new_tensor_1d(ctx, 0, "4"), TypeError, `ggml_new_tensor_1d(ne0): expected an int64, got the string "4"`],
      [() => functions.ggml_set_name(t, 5), TypeError, "ggml_set_name(name): expected a string, got the number 5"],
      [() => functions.ggml_set_name(t, "a\0b"), TypeError, "ggml_set_name(name): the string has a NUL at index 1"],
      [() => functions.ggml_scale(ctx, t, "2"), TypeError, `ggml_scale(s): expected a number, got the string "2"`],
      [() => functions.ggml_set_no_alloc(ctx, 1), TypeError, "ggml_set_no_alloc(no_alloc): expected a boolean, got the number 1"],
      [() => functions.ggml_init({ mem_size: 1 }), TypeError, "ggml_init(params): expected a ggml_init_params, got a plain object"],
      [() => functions.ggml_fp16_to_fp32_row([1], new Float32Array(1), 1), TypeError, "expected a typed array"],
      [
        () => functions.ggml_fp16_to_fp32_row(new Float64Array(1), new Float32Array(1), 1),
        TypeError,
        "elements of 2 bytes, got a Float64Array of 1",
      ],
      [
        () => functions.ggml_map_custom1(ctx, t, () => {}, 1, null),
        TypeError,
        "ggml_map_custom1(fun): expected a ggml_custom1_op_t, got the function",
      ],
    ];
    for (const [call, type, message] of cases) assertThrows(call, type, message);
  }));

Deno.test("64-bit integers come back as numbers, and none is rounded silently", () => {
  assertEquals(lib.ggml_tensor_overhead(), 368);
  const { cause, message } = assertThrows(() => lib.ggml_backend_buft_get_max_size(lib.ggml_backend_cpu_buffer_type()), RangeError);
  assertEquals(cause, 2n ** 64n - 1n); // SIZE_MAX
  assertStringIncludes(message, "18446744073709551615");
});

Deno.test("strings go in and out as UTF-8, short and long", () =>
  withContext((ctx) => {
    const t = newTensor(ctx, lib.GGML_TYPE_F32, 1);
    for (const name of ["", "q", "größe 量子 🙂", "x".repeat(63)]) {
      lib.ggml_set_name(t, name);
      assertEquals(lib.ggml_get_name(t), name);
      assertEquals(t.name, name);
    }
    assertEquals(lib.ggml_get_tensor(ctx, "y".repeat(1000)), null);
    assert(lib.ggml_get_tensor(ctx, "x".repeat(63))!.equals(t));
  }));

Deno.test("bytes of a string that are no UTF-8 are kept, and what stands for no byte is an error", () =>
  withContext((ctx) => {
    const t = newTensor(ctx, lib.GGML_TYPE_F32, 1), other = newTensor(ctx, lib.GGML_TYPE_F32, 1);
    lib.ggml_set_name(t, "é".repeat(40)); // C cuts it off in the middle of a character
    assertEquals(t.name, "é".repeat(31) + "\udcc3");
    assertEquals(lib.ggml_get_name(t), t.name);
    lib.ggml_set_name(other, t.name);
    assertEquals(other.name, t.name);
    [t.name, other.name] = ["\udcfe", "\udcff"];
    assert(lib.ggml_get_tensor(ctx, "\udcfe")!.equals(t) && lib.ggml_get_tensor(ctx, "\udcff")!.equals(other));
    for (const name of ["\ufffd", "\ufeffBOM", ""]) {
      t.name = name;
      assertEquals([t.name, lib.ggml_get_name(t)], [name, name]);
    }
    for (const act of [() => t.name = "\ud800", () => lib.ggml_set_name(t, "\ud800")]) {
      assertThrows(act, TypeError, "the string has a lone surrogate, U+D800, which UTF-8 can't hold");
    }
  }));

Deno.test("struct fields are read and written, in C's memory and in one's own", () =>
  withContext((ctx) => {
    const a = newTensor(ctx, lib.GGML_TYPE_F32, 3, 2), b = newTensor(ctx, lib.GGML_TYPE_F32, 3, 2);
    const sum = lib.ggml_add(ctx, a, b);
    assertEquals(sum.type, lib.GGML_TYPE_F32);
    assertEquals(sum.op, lib.GGML_OP_ADD);
    assertEquals(sum.ne, [3, 2, 1, 1]);
    assertEquals(sum.nb, [4, 12, 24, 24]);
    assert(sum.src[0]!.equals(a) && sum.src[1]!.equals(b) && sum.src[2] === null);
    assertEquals(sum.view_src, null);
    sum.name = "sum";
    assertEquals(lib.ggml_get_name(sum), "sum");
    assertThrows(() => sum.name = "x".repeat(64), RangeError, "ggml_tensor.name");
    sum.ne = [2, 3, 1, 1];
    assertEquals(lib.ggml_nrows(sum), 3);
    assertThrows(() => sum.ne = [1, 2], RangeError, "ggml_tensor.ne: expected 4 elements");
    sum.op_params[3] = -5;
    assertEquals(sum.op_params[3], -5);
    sum.src = [b, a, null, null, null, null, null, null, null, null];
    assert(sum.src[0]!.equals(b));

    const params = new lib.ggml_init_params({ mem_size: 4096, no_alloc: true });
    assertEquals([params.mem_size, params.mem_buffer, params.no_alloc], [4096, null, true]);
    assertThrows(() => new lib.ggml_init_params({ memSize: 1 } as never), TypeError, `ggml_init_params: it has no field "memSize"`);
    assertThrows(() => params.mem_size = -1, RangeError, "ggml_init_params.mem_size: expected a uint64");
    using other = lib.ggml_init(params);
    assertEquals(lib.ggml_get_no_alloc(other), true);
  }));

Deno.test("a struct takes nothing that C would read past or take for something else", () =>
  withContext((ctx) => {
    const t = newTensor(ctx, lib.GGML_TYPE_F32, 4);
    const cases: [() => unknown, typeof TypeError | typeof RangeError, string][] = [
      [() => new lib.ggml_init_params(new Uint8Array(3)), RangeError, "new ggml_init_params: expected 24 bytes, got 3"],
      [() => new lib.ggml_init_params(null as never), TypeError, "new ggml_init_params: expected its fields, got null"],
      [() => new lib.ggml_init_params(5 as never), TypeError, "expected its fields, got the number 5"],
      [() => t.view_src = ctx as never, TypeError, "ggml_tensor.view_src: expected a ggml_tensor, got a ggml_context"],
      [() => t.src = t.src.map(() => ctx as never), TypeError, "ggml_tensor.src[0]: expected a ggml_tensor, got a ggml_context"],
    ];
    for (const [act, type, message] of cases) assertThrows(act, type, message);
    assertEquals([t.view_src, t.src[0]], [null, null]);
  }));

Deno.test("structs by value come back", () => {
  const bf16 = lib.ggml_fp32_to_bf16(1);
  assertEquals(bf16.bits, 0x3f80);
  assertEquals(lib.ggml_bf16_to_fp32(bf16), 1);
  const params = lib.llama_model_default_params();
  assertEquals(typeof params.n_gpu_layers, "number");
  params.check_tensors = false;
  assertEquals(params.check_tensors, false);
  const context = lib.llama_context_default_params();
  assertEquals(context.n_ctx, 512);
});

Deno.test("libllama's functions are there too", () => {
  lib.ggml_backend_load_all_from_path(load().path);
  assertStringIncludes(lib.llama_print_system_info(), "CPU");
  assertEquals(lib.llama_max_devices() > 0, true);
  assertEquals(lib.llama_model_load_from_file("/nonexistent.gguf", lib.llama_model_default_params()), null);
});

Deno.test("C functions read from structs can be called", () => {
  const traits = lib.ggml_get_type_traits(lib.GGML_TYPE_F16);
  assertEquals([traits.type_name, traits.blck_size, traits.type_size, traits.is_quantized], ["f16", 1, 2, false]);
  const out = new Float32Array(2);
  traits.to_float!.call(new Uint16Array([0x3c00, 0xc000]), out, 2);
  assertEquals([...out], [1, -2]);
  assertThrows(() => (traits.to_float!.call as (x: unknown) => void)(null), TypeError, "expected 3 arguments, got 1");
});

Deno.test("a TypeScript function is a custom operator", () =>
  withContext((ctx) => {
    const a = newTensor(ctx, lib.GGML_TYPE_F32, 4);
    new Float32Array(a.data!.bytes(16).buffer).set([1, 2, 3, 4]);
    const op = new lib.ggml_custom1_op_t((dst, src, ith) => {
      if (ith !== 0) return;
      const from = new Float32Array(src!.data!.bytes(16).buffer), to = new Float32Array(dst!.data!.bytes(16).buffer);
      to.set(from.map((x) => x * x));
    });
    const squared = lib.ggml_map_custom1(ctx, a, op, 1, null);
    const graph = lib.ggml_new_graph(ctx);
    lib.ggml_build_forward_expand(graph, squared);
    assertEquals(lib.ggml_graph_compute_with_ctx(ctx, graph, 1), lib.GGML_STATUS_SUCCESS);
    assertEquals([...new Float32Array(squared.data!.bytes(16).buffer)], [1, 4, 9, 16]);
  }));

Deno.test("arrays of handles and of strings are pointers to pointers", () =>
  withContext((ctx) => {
    const cpu = lib.ggml_backend_cpu_init()!;
    const buft = lib.ggml_backend_cpu_buffer_type();
    const sched = lib.ggml_backend_sched_new([cpu], [buft], 1, 64, false, true);
    assertEquals(lib.ggml_backend_sched_get_n_backends(sched), 1);
    assertEquals(lib.ggml_backend_name(lib.ggml_backend_sched_get_backend(sched, 0)), "CPU");
    lib.ggml_backend_sched_free(sched);
    lib.ggml_backend_free(cpu);
    const gguf = lib.gguf_init_empty();
    lib.gguf_set_arr_str(gguf, "names", ["one", "zwei", "三"], 3);
    const key = lib.gguf_find_key(gguf, "names");
    assertEquals([0, 1, 2].map((i) => lib.gguf_get_arr_str(gguf, key, i)), ["one", "zwei", "三"]);
    lib.gguf_free(gguf);
    assertThrows(
      () => lib.ggml_backend_sched_new([5 as never], [buft], 1, 64, false, true),
      TypeError,
      "ggml_backend_sched_new(backends)[0]",
    );
    assertEquals(newTensor(ctx, lib.GGML_TYPE_F32, 1).ne[0], 1);
  }));
