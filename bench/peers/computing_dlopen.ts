// What ../ours/computing.ts does, by hand on Deno.dlopen: deno run --allow-ffi bench/peers/computing_dlopen.ts LIBRARY add|sums|product

import { measure, median, report } from "../rounds.ts";

const [path, what] = Deno.args;
const { symbols: ggml } = Deno.dlopen(path, {
  ggml_init: { parameters: [{ struct: ["u64", "pointer", "bool"] }], result: "pointer" },
  ggml_reset: { parameters: ["pointer"], result: "void" },
  ggml_new_tensor_1d: { parameters: ["pointer", "i32", "i64"], result: "pointer" },
  ggml_new_tensor_2d: { parameters: ["pointer", "i32", "i64", "i64"], result: "pointer" },
  ggml_set_f32: { parameters: ["pointer", "f32"], result: "pointer" },
  ggml_get_f32_1d: { parameters: ["pointer", "i32"], result: "f32" },
  ggml_nelements: { parameters: ["pointer"], result: "i64" },
  ggml_add: { parameters: ["pointer", "pointer", "pointer"], result: "pointer" },
  ggml_mul_mat: { parameters: ["pointer", "pointer", "pointer"], result: "pointer" },
  ggml_new_graph_custom: { parameters: ["pointer", "usize", "bool"], result: "pointer" },
  ggml_build_forward_expand: { parameters: ["pointer", "pointer"], result: "void" },
  ggml_graph_compute_with_ctx: { parameters: ["pointer", "pointer", "i32"], result: "i32" },
});

const F32 = 0, ADDS = 1000, SUMS = 1000, SIDE = 512n, ROUNDS = 31;

function init(size: bigint, noAlloc: boolean): Deno.PointerValue {
  return ggml.ggml_init(new Uint8Array(new BigUint64Array([size, 0n, noAlloc ? 1n : 0n]).buffer));
}

function add(): void {
  const weights = init(1n << 20n, true), ctx = init(1n << 20n, true);
  const a = ggml.ggml_new_tensor_1d(weights, F32, 64n), b = ggml.ggml_new_tensor_1d(weights, F32, 64n);
  const loop = (turns: number) => {
    let last = a;
    for (let i = 0; i < turns; i++) {
      if (i % ADDS === 0) ggml.ggml_reset(ctx);
      last = ggml.ggml_add(ctx, a, b);
    }
    return ggml.ggml_nelements(last);
  };
  measure(loop, 100 * ADDS, "64");
}

function sums(ctx: Deno.PointerValue): Deno.PointerValue {
  let sum = ggml.ggml_set_f32(ggml.ggml_new_tensor_1d(ctx, F32, 64n), 0);
  const one = ggml.ggml_set_f32(ggml.ggml_new_tensor_1d(ctx, F32, 64n), 1);
  for (let i = 0; i < SUMS; i++) sum = ggml.ggml_add(ctx, sum, one);
  return sum;
}

function product(ctx: Deno.PointerValue): Deno.PointerValue {
  const a = ggml.ggml_set_f32(ggml.ggml_new_tensor_2d(ctx, F32, SIDE, SIDE), 1);
  const b = ggml.ggml_set_f32(ggml.ggml_new_tensor_2d(ctx, F32, SIDE, SIDE), 2);
  return ggml.ggml_mul_mat(ctx, a, b);
}

function compute(make: (ctx: Deno.PointerValue) => Deno.PointerValue, threads: number, repeats: number): void {
  const ctx = init(64n << 20n, false), result = make(ctx);
  const graph = ggml.ggml_new_graph_custom(ctx, 2048n, false);
  ggml.ggml_build_forward_expand(graph, result);
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    for (let i = 0; i < repeats; i++) ggml.ggml_graph_compute_with_ctx(ctx, graph, threads);
    times.push((performance.now() - start) * 1e6 / repeats);
  }
  report(median(times), ggml.ggml_get_f32_1d(result, 0).toFixed(0));
}

if (what === "add") add();
else if (what === "sums") compute(sums, 1, 20);
else compute(product, navigator.hardwareConcurrency, 3);
