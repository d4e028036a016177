/** A function is called by its address at first, and bound when it is called again and again: nobody notices. */

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { init } from "@ggml/deno/utils";
import { newTensor } from "../context.ts";
import { program } from "../process.ts";
import { graphOf } from "./callbacks.ts";

/** More than are made before a function is bound. */
const CALLS = 300;
/** More than by the address, of a function that others may call meanwhile. */
const NESTED = 7;

/** A program of its own: in this one others have called the functions. */
const COUNTING = `const bound: string[] = [], { dlopen } = Deno;
  Object.assign(Deno, {
    dlopen(path: string, symbols: Record<string, object>) {
      bound.push(...Object.keys(symbols).filter((name) => "parameters" in symbols[name]));
      return dlopen(path, symbols as never);
    },
  });
  const { lib } = await import("@ggml/deno");
  const counts = Array.from({ length: 300 }, () => (lib.ggml_type_size(0), bound.length));
  console.log(counts.indexOf(1), counts.indexOf(2), bound.join(" "));`;

Deno.test("nothing is bound for a function that is called a few times, one symbol for all that are called again, and its own for one that is called often", async () => {
  const { stdout, stderr } = await program(COUNTING, ["--allow-ffi"]);
  assertEquals(stdout.trim(), "3 255 bsearch ggml_type_size", stderr);
});

Deno.test("each kind of parameter and result is the same by the address, by what calls addresses, and by the symbol", () => {
  using ctx = init({ memSize: 4e6 });
  const a = newTensor(ctx, lib.GGML_TYPE_F32, 8, 2, 3),
    positions = newTensor(ctx, lib.GGML_TYPE_I32, 3),
    one = newTensor(ctx, lib.GGML_TYPE_I32, 1);
  const image = newTensor(ctx, lib.GGML_TYPE_F32, 8, 8, 2), kernel = newTensor(ctx, lib.GGML_TYPE_F16, 3, 3, 2);
  const paramsOf = (tensor: lib.ggml_tensor) => tensor.op_params.join();
  const kinds: Record<string, () => unknown> = {
    "i64 beyond 2^32": () => lib.ggml_row_size(lib.GGML_TYPE_F32, 2 ** 33 + 32),
    "i64 as a bigint": () => lib.ggml_row_size(lib.GGML_TYPE_F32, 2n ** 40n),
    "a negative i32": () => lib.ggml_get_i32_1d(lib.ggml_set_i32(one, -5), 0),
    "a negative f32": () => lib.ggml_get_f32_1d(lib.ggml_set_f32(a, -0.1), 0),
    "more integers than registers, and floats": () => {
      const { op_params } = lib.ggml_rope_ext(ctx, a, positions, null, 8, 2, 4096, 1e4, 0.5, -1, 2, 32, 1);
      return [...op_params, ...new Float32Array(op_params.slice().buffer)].join();
    },
    "a bool on the stack": () => paramsOf(lib.ggml_im2col(ctx, kernel, image, 1, 2, 3, 4, 5, 6, true, lib.GGML_TYPE_F16)),
    "no parameters": () => lib.ggml_tensor_overhead(),
    "i32 to u64": () => lib.ggml_type_size(lib.GGML_TYPE_Q5_K),
    "i32 to f64": () => lib.ggml_type_sizef(lib.GGML_TYPE_F16),
    "i32 to bool": () => lib.ggml_is_quantized(lib.GGML_TYPE_Q5_K),
    "i32 to a string": () => lib.ggml_type_name(lib.GGML_TYPE_Q5_K),
    "f32 to u16": () => lib.ggml_fp32_to_fp16(1.5),
    "u16 to f32": () => lib.ggml_fp16_to_fp32(0x3e00),
    "f32 to a struct": () => lib.ggml_fp32_to_bf16(-2).bits,
    "a struct to f32": () => lib.ggml_bf16_to_fp32(lib.ggml_fp32_to_bf16(-2)),
    "buffers, i64": () => {
      const from = Float32Array.of(1, 2), to = new Uint16Array(2);
      lib.ggml_fp32_to_fp16_row(from, to, 2);
      return to.join();
    },
    "a struct to a handle, and a handle": () => {
      using ctx = lib.ggml_init(new lib.ggml_init_params({ mem_size: 1000 }));
      return lib.ggml_get_mem_size(ctx);
    },
    "a bool": () => {
      using ctx = init({ memSize: 1000 });
      lib.ggml_set_no_alloc(ctx, true);
      return lib.ggml_get_no_alloc(ctx);
    },
  };
  for (const [kind, call] of Object.entries(kinds)) {
    const [first, ...rest] = Array.from({ length: CALLS }, call);
    for (const value of rest) assertEquals(value, first, kind);
  }
});

Deno.test("what C fails of is the same Error by the address and by the symbol", () => {
  using ctx = init({ memSize: 1e5 });
  const a = newTensor(ctx, lib.GGML_TYPE_F32, 3), b = newTensor(ctx, lib.GGML_TYPE_F32, 4);
  const messages = Array.from({ length: CALLS }, () => assertThrows(() => lib.ggml_add1_inplace(ctx, a, b), Error).message);
  assertStringIncludes(messages[0], "ggml_is_scalar(b)");
  assertEquals(new Set(messages).size, 1);
});

Deno.test("a function may be called by what it calls itself, whichever call it is", () => {
  using ctx = init({ memSize: 1e6 });
  const inner = newTensor(ctx, lib.GGML_TYPE_F32, 4);
  lib.ggml_set_f32(inner, 3);
  const innerGraph = graphOf(ctx, lib.ggml_sqr(ctx, inner));
  const outer = newTensor(ctx, lib.GGML_TYPE_F32, 4);
  let calls = 0;
  const operator = new lib.ggml_custom1_op_t(() => {
    calls++;
    for (let i = 0; i < NESTED; i++) lib.ggml_graph_compute_with_ctx(ctx, innerGraph, 1);
  });
  const graph = graphOf(ctx, lib.ggml_map_custom1(ctx, outer, operator, 1, null));
  for (let i = 0; i < NESTED; i++) lib.ggml_graph_compute_with_ctx(ctx, graph, 1);
  assertEquals(calls, NESTED);
});
