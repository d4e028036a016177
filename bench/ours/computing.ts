// Building a tensor, and computing graphs: deno run --allow-ffi bench/ours/computing.ts add|caught|sums|product [async]

import { lib } from "@ggml/deno";
import { compute, computeAsync, init } from "@ggml/deno/utils";
import { measure, median, report } from "../rounds.ts";

const [what, how] = Deno.args;
const ADDS = 1000, PRODUCTS = 1000, SUMS = 1000, SIDE = 512, ROUNDS = 31;

/** The context is emptied now and then. */
function add(): void {
  const weights = init({ noAlloc: true }), ctx = init({ memSize: 1 << 20, noAlloc: true });
  const a = lib.ggml_new_tensor_1d(weights, lib.GGML_TYPE_F32, 64), b = lib.ggml_new_tensor_1d(weights, lib.GGML_TYPE_F32, 64);
  const loop = (turns: number) => {
    let last = a;
    for (let i = 0; i < turns; i++) {
      if (i % ADDS === 0) lib.ggml_reset(ctx);
      last = lib.ggml_add(ctx, a, b);
    }
    return lib.ggml_nelements(last);
  };
  measure(loop, 100 * ADDS, "64");
}

/** Products of matrices that don't fit. */
function caught(): void {
  const ctx = init();
  const a = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, 64, 32), b = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, 65, 8);
  const times: number[] = [];
  let errors = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    for (let i = 0; i < PRODUCTS; i++) {
      try {
        lib.ggml_mul_mat(ctx, a, b);
      } catch {
        errors++;
      }
    }
    times.push((performance.now() - start) * 1e6);
  }
  report(median(times), String(errors / ROUNDS));
}

function sums(ctx: lib.ggml_context): lib.ggml_tensor {
  let sum = lib.ggml_set_f32(lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 64), 0);
  const one = lib.ggml_set_f32(lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 64), 1);
  for (let i = 0; i < SUMS; i++) sum = lib.ggml_add(ctx, sum, one);
  return sum;
}

function product(ctx: lib.ggml_context): lib.ggml_tensor {
  const a = lib.ggml_set_f32(lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, SIDE, SIDE), 1);
  const b = lib.ggml_set_f32(lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, SIDE, SIDE), 2);
  return lib.ggml_mul_mat(ctx, a, b);
}

async function time(make: (ctx: lib.ggml_context) => lib.ggml_tensor, repeats: number): Promise<void> {
  const ctx = init({ memSize: 64 << 20 }), result = make(ctx);
  const graph = lib.ggml_new_graph_custom(ctx, 2048, false);
  lib.ggml_build_forward_expand(graph, result);
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    for (let i = 0; i < repeats; i++) {
      if (how === "async") await computeAsync(graph);
      else compute(graph);
    }
    times.push((performance.now() - start) * 1e6 / repeats);
  }
  report(median(times), lib.ggml_get_f32_1d(result, 0).toFixed(0));
}

if (what === "add") add();
else if (what === "caught") caught();
else if (what === "sums") await time(sums, 20);
else await time(product, 3);
