/**
 * Wrong arguments of functions other than those that compute: each is an Error that names the function, and the process goes on.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { compute, copy, init, view } from "@ggml/deno/utils";
import { idle } from "../../ffi/calls/checks/idle.ts";
import { checks } from "../../ffi/calls/checks/mod.ts";
import { library } from "../../ffi/load/library.ts";
import { cases } from "./checks/cases.ts";
import { DIVIDED } from "./checks/objects.ts";

const { GGML_TYPE_F32: F32, GGML_TYPE_F16: F16, GGML_TYPE_Q4_0: Q4_0 } = lib;

Deno.test("every check is called by its function", async () => {
  const api = await Deno.readTextFile(new URL("../../lexer/ggml/api.h", import.meta.url));
  const named = Array.from(api.matchAll(/^#pragma check (\w+)$/gm), ([, name]) => name);
  assertEquals(named.toSorted(), Object.keys(checks).toSorted());
});

/** Functions whose check has no case: it notes what another one needs to know. */
const NOTES: ReadonlySet<string> = new Set([
  ...Object.keys(idle), // `in_use_test.ts` has theirs, and of the next
  "ggml_gallocr_alloc_graph",
  "ggml_gallocr_reserve",
  "ggml_backend_sched_alloc_graph",
  "ggml_backend_sched_reserve",
  "ggml_backend_sched_reserve_size",
  "ggml_mul_mat_set_hint",
  "gguf_add_tensor",
  "gguf_set_tensor_data",
]);

Deno.test("every check has a case that it refuses, and says where", () => {
  const refused = Object.entries(cases).filter(([, list]) => list.some(([, says]) => says.startsWith("(") || says.startsWith(": node ")));
  const names = new Set(refused.map(([name]) => name));
  // Those that say it of all that was passed.
  for (const name of ["ggml_new_tensor_2d", "ggml_view_2d", "ggml_view_3d", "ggml_view_4d"]) names.add(name);
  const unrefused = Object.keys(checks).filter((name) => !names.has(name) && !NOTES.has(name));
  assertEquals(unrefused.filter((name) => !name.startsWith("llama_")), []); // libllama's need a model
});

for (const [name, list] of Object.entries(cases)) {
  Deno.test(`${name}: what is wrong is an Error, and the process goes on`, () => {
    for (const [call, says] of list) {
      if (says.startsWith(DIVIDED) && Deno.build.arch !== "x86_64") continue; // this processor divides by zero without a word
      const error = thrownBy(call);
      assert(error instanceof Error, `${name}${says}: nothing was thrown`);
      assert(error.message.startsWith(name + says), `${name}${says}: ${error.message}`);
    }
    assertWorks();
  });
}

function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
}

function assertWorks(): void {
  using ctx = init();
  const a = lib.ggml_new_tensor_1d(ctx, F32, 3), squares = lib.ggml_sqr(ctx, a), graph = lib.ggml_new_graph(ctx);
  copy([1, 2, 3], a);
  lib.ggml_build_forward_expand(graph, squares);
  compute(graph);
  assertEquals([...view(squares).data as Float32Array], [1, 4, 9]);
}

Deno.test("shapes and views that are as they should be", () => {
  using ctx = init();
  const a = lib.ggml_new_tensor_1d(ctx, F32, 8), blocks = lib.ggml_new_tensor_2d(ctx, Q4_0, 64, 2);
  assertEquals(lib.ggml_new_tensor(ctx, Q4_0, 2, BigInt64Array.of(32n, 0n)).ne, [32, 0, 1, 1]);
  assertEquals(lib.ggml_view_2d(ctx, a, 2, 2, 16, 8).ne, [2, 2, 1, 1]);
  assertEquals(lib.ggml_view_2d(ctx, a, 4, 2, 0, 0).ne, [4, 2, 1, 1]); // the same row twice
  assertEquals(lib.ggml_view_2d(ctx, a, 2, 0, 1000, 0).ne, [2, 0, 1, 1]);
  assertEquals(lib.ggml_view_1d(ctx, lib.ggml_view_1d(ctx, a, 2, 4), 4, 8).ne, [4, 1, 1, 1]); // beyond the view, within what it is of
  assertEquals(lib.ggml_view_2d(ctx, blocks, 32, 2, 36, 18).ne, [32, 2, 1, 1]);
  assertEquals(lib.ggml_reshape_2d(ctx, blocks, 32, 4).ne, [32, 4, 1, 1]);
});

Deno.test("elements of views, of empty tensors and in buffers", () => {
  using ctx = init(), own = init({ noAlloc: true }), cpu = lib.ggml_backend_cpu_init()!;
  const a = lib.ggml_new_tensor_2d(ctx, F32, 3, 4), inBuffer = lib.ggml_new_tensor_1d(own, F16, 4);
  using _buffer = lib.ggml_backend_alloc_ctx_tensors(own, cpu)!;
  for (let i = 0; i < 12; i++) lib.ggml_set_f32_1d(a, i, i);
  const transposed = lib.ggml_transpose(ctx, a), corner = lib.ggml_view_2d(ctx, a, 2, 2, 12, 16);
  assertEquals([lib.ggml_get_f32_1d(transposed, 1), lib.ggml_get_f32_nd(corner, 1, 1, 0, 0)], [3, 8]);
  lib.ggml_set_f32(corner, 0.5);
  lib.ggml_set_f32(inBuffer, 0.5);
  assertEquals([lib.ggml_get_f32_1d(a, 5), lib.ggml_get_f32_1d(a, 6), lib.ggml_get_f32_1d(inBuffer, 3)], [0.5, 6, 0.5]);
  lib.ggml_set_f32(lib.ggml_new_tensor_2d(ctx, F32, 0, 4), 1);
  assertThrows(() => lib.ggml_get_f32_1d(lib.ggml_new_tensor_1d(own, F32, 2 ** 20), 500_000), Error, "the tensor was not allocated");
  const rows = lib.ggml_permute(ctx, lib.ggml_new_tensor_2d(ctx, F32, 2, 100), 0, 2, 1, 3);
  assertThrows(() => lib.ggml_set_f32(rows, 1), Error, "expected rows at even distances");
});

Deno.test("the functions of types are told no more numbers than there is memory for", () => {
  const { to_float, from_float_ref } = lib.ggml_get_type_traits(Q4_0), { vec_dot } = lib.ggml_get_type_traits_cpu(F32);
  const numbers = Float32Array.from({ length: 32 }, (_, i) => i - 16),
    block = new Uint8Array(18),
    again = new Float32Array(32),
    dot = new Float32Array(1);
  from_float_ref!.call(numbers, block, 32);
  to_float!.call(block, again, 32n);
  vec_dot!.call(32, dot, 0, numbers, 0, numbers, 0, 1);
  assertEquals([again[0], dot[0]], [-16, numbers.reduce((sum, x) => sum + x * x, 0)]);
  const wrong: [() => void, string][] = [
    [() => to_float!.call(block, again, 64), "ggml_to_float_t(0): expected at least 36 bytes (a row of q4_0), got a Uint8Array of 18"],
    [() => to_float!.call(new Uint8Array(36), again, 64), "ggml_to_float_t(1): expected at least 64 floats (k)"],
    [() => to_float!.call(block, again, 40), "ggml_to_float_t(2): expected a multiple of 32"],
    [() => to_float!.call(block, again, -32), "ggml_to_float_t(2): expected at least 0, got -32"],
    [() => to_float!.call(null, again, 32), "ggml_to_float_t(0): expected at least 18 bytes (a row of q4_0), got null"],
    [() => from_float_ref!.call(numbers, block, 64), "ggml_from_float_t(0): expected at least 64 floats (k)"],
    [() => from_float_ref!.call(new Float32Array(64), block, 64), "ggml_from_float_t(1): expected at least 36 bytes (a row of q4_0)"],
    [
      () => vec_dot!.call(64, dot, 0, numbers, 0, new Float32Array(64), 0, 1),
      "ggml_vec_dot_t(3): expected at least 256 bytes (a row of f32)",
    ],
    [() => vec_dot!.call(32, dot.subarray(1), 0, numbers, 0, numbers, 0, 1), "ggml_vec_dot_t(1): expected at least one float (results)"],
  ];
  for (const [call, says] of wrong) assertStringIncludes(assertThrows(call, Error).message, says);
});

Deno.test("C's failure in a function that is called by a pointer is that call's Error", () => {
  const get = library().symbol("ggml_get_unary_op", { type: "pointer" } as never) as Deno.PointerObject;
  using ctx = init();
  const reader = lib.ggml_abort_callback.from(get)!; // which takes a pointer
  assertThrows(
    () => reader.call(lib.ggml_new_tensor_1d(ctx, F32, 1)),
    Error,
    "ggml_abort_callback: assertion failed: tensor->op == GGML_OP_UNARY",
  );
  assertWorks();
});

Deno.test("a plan of a backend: of a graph as it was, computed by what made it", () => {
  using ctx = init(), cpu = lib.ggml_backend_cpu_init()!;
  const a = lib.ggml_new_tensor_1d(ctx, F32, 3), graph = lib.ggml_new_graph(ctx);
  copy([1, 2, 3], a);
  lib.ggml_build_forward_expand(graph, lib.ggml_sqr(ctx, a));
  const plan = lib.ggml_backend_graph_plan_create(cpu, graph)!;
  assertEquals(lib.ggml_backend_graph_plan_compute(cpu, plan), lib.GGML_STATUS_SUCCESS);
  assertEquals([...view(lib.ggml_graph_node(graph, 0)).data as Float32Array], [1, 4, 9]);
  assertThrows(() => lib.ggml_backend_graph_plan_compute(cpu, graph), Error, "expected a plan that ggml_backend_graph_plan_create made");
  lib.ggml_build_forward_expand(graph, lib.ggml_soft_max(ctx, a));
  assertThrows(() => lib.ggml_backend_graph_plan_compute(cpu, plan), Error, "its graph has other nodes than when the plan was made");
  lib.ggml_backend_graph_plan_free(cpu, plan);
  assertThrows(() => lib.ggml_backend_graph_plan_compute(cpu, plan), Error, "this Pointer was freed by ggml_backend_graph_plan_free");
});

Deno.test("a threadpool of fewer threads than are to compute", () => {
  using ctx = init(), cpu = lib.ggml_backend_cpu_init()!;
  using pool = lib.ggml_threadpool_new(lib.ggml_threadpool_params_default(1));
  const a = lib.ggml_new_tensor_2d(ctx, F32, 64, 64), graph = lib.ggml_new_graph(ctx), product = lib.ggml_mul_mat(ctx, a, a);
  lib.ggml_set_f32(a, 1);
  lib.ggml_build_forward_expand(graph, product);
  lib.ggml_backend_cpu_set_n_threads(cpu, 2);
  lib.ggml_backend_cpu_set_threadpool(cpu, pool);
  if (library().address("omp_get_num_threads") === null) {
    console.warn("SKIPPED: this ggml has no OpenMP, and computes with the threads that there are");
    lib.ggml_backend_graph_compute(cpu, graph);
    assertEquals(view(product).get(0, 0), 64);
    return;
  }
  assertThrows(
    () => lib.ggml_backend_graph_compute(cpu, graph),
    RangeError,
    "expected at most as many threads as the threadpool has, 1, got 2",
  );
});

Deno.test("a tensor of more bytes than C counts is an Error: it would have memory for a few of them", () => {
  using ctx = init({ memSize: 1 << 16, noAlloc: true });
  const a = lib.ggml_new_tensor_2d(ctx, F32, 2, 2), most = 2 ** 31 - 1;
  const made: (() => lib.ggml_tensor)[] = [
    () => lib.ggml_interpolate(ctx, a, 1010828228, 4562284561, 1, 1, 0), // 2^62 + 4 numbers, 16 bytes
    () => lib.ggml_upscale(ctx, a, 2 ** 30, 0),
    () => lib.ggml_upscale_ext(ctx, a, most, most, 1, 1, 0),
    () => lib.ggml_pad(ctx, a, most - 1, most - 1, 0, 0), // 2^62 numbers
    () => lib.ggml_arange(ctx, 0, 1e30, 1),
  ];
  for (const make of made) assertThrows(make, RangeError, "the result would be f32 ne=[");
  for (let t: lib.ggml_tensor | null = a; t !== null; t = lib.ggml_get_next_tensor(ctx, t)) assert(lib.ggml_nelements(t) <= 4);
  assertEquals(lib.ggml_pad(ctx, a, 2, 0, 0, 0).ne, [4, 2, 1, 1]);
});
