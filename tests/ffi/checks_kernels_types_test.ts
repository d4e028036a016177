/**
 * What the CPU's kernels take for another type or layout than it has, or compute wrong in silence: each is refused by name, and what is right
 * beside it is computed.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { lib } from "@ggml/deno";
import { init } from "@ggml/deno/utils";
import { type Case, check, compute, Maker, numbersOf, refusal, type Tensor } from "./checks/kernel_cases.ts";

const {
  GGML_TYPE_F32: F32,
  GGML_TYPE_F16: F16,
  GGML_TYPE_BF16: BF16,
  GGML_TYPE_I32: I32,
  GGML_TYPE_Q8_0: Q8_0,
  GGML_TYPE_Q4_K: Q4_K,
  GGML_OP_POOL_MAX: MAX,
  GGML_OP_POOL_AVG: AVG,
} = lib;

Deno.test("sources of another type than the kernel reads", () => {
  const kernel = (t: Maker) => t.f32(2, 2, 1, 1), sizes = new BigInt64Array([4n, 4n, 1n, 1n]);
  check([
    [
      (t, ctx) => lib.ggml_add1(ctx, t.f32(4), t.new(I32, 1)),
      "src[1] is i32, and C reads f32",
      (t, ctx) => lib.ggml_add1(ctx, t.new(F16, 4), t.new(F16, 1)),
    ],
    [
      (t, ctx) => lib.ggml_conv_2d_direct(ctx, kernel(t), t.new(F16, 4, 4), 1, 1, 0, 0, 1, 1),
      "src[1] is f16, and C reads f32",
      (t, ctx) => lib.ggml_conv_2d_direct(ctx, t.new(F16, 2, 2), t.f32(4, 4), 1, 1, 0, 0, 1, 1),
    ],
    [
      (t, ctx) => lib.ggml_conv_2d_dw_direct(ctx, kernel(t), t.new(F16, 4, 4), 1, 1, 0, 0, 1, 1),
      "src[1] is f16, and C reads f32",
      (t, ctx) => lib.ggml_conv_2d_dw_direct(ctx, t.new(F16, 2, 2), t.f32(4, 4), 1, 1, 0, 0, 1, 1),
    ],
    [
      (t, ctx) => lib.ggml_conv_3d_direct(ctx, t.f32(2, 2, 2), t.new(F16, 4, 4, 4), 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1),
      "src[1] is f16, and C reads f32",
      (t, ctx) => lib.ggml_conv_3d_direct(ctx, t.new(F16, 2, 2, 2), t.f32(4, 4, 4), 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1),
    ],
    [
      (t, ctx) => lib.ggml_cross_entropy_loss_back(ctx, t.f32(1), t.f32(4, 2), t.new(F16, 4, 2)),
      "src[2] is f16, and C reads f32",
      (t, ctx) => lib.ggml_cross_entropy_loss_back(ctx, t.f32(1), t.f32(4, 2), t.f32(4, 2)),
    ],
    [
      (t, ctx) => lib.ggml_flash_attn_ext(ctx, t.new(F16, 8, 2), t.f32(8, 3), t.f32(8, 3), null, 1, 0, 0),
      "src[0] is f16, and C reads f32",
      (t, ctx) => lib.ggml_flash_attn_ext(ctx, t.f32(8, 2), t.new(F16, 8, 3), t.new(F16, 8, 3), null, 1, 0, 0),
    ],
    [
      (t, ctx) => lib.ggml_gated_linear_attn(ctx, t.f32(4), t.f32(4), t.f32(4), t.new(I32, 4), t.f32(16), 1),
      "src[3] is i32, and C reads f32",
      (t, ctx) => lib.ggml_gated_linear_attn(ctx, t.f32(4), t.f32(4), t.f32(4), t.f32(4), t.f32(16), 1),
    ],
    [
      (t, ctx) => lib.ggml_rwkv_wkv6(ctx, t.f32(4), t.f32(4), t.f32(4), t.new(I32, 4), t.f32(4), t.f32(16)),
      "src[3] is i32, and C reads f32",
      (t, ctx) => lib.ggml_rwkv_wkv6(ctx, t.f32(4), t.f32(4), t.f32(4), t.f32(4), t.f32(4), t.f32(16)),
    ],
    [
      (t, ctx) => lib.ggml_rwkv_wkv7(ctx, t.f32(64), t.f32(64), t.f32(64), t.f32(64), t.f32(64), t.new(I32, 64), t.f32(4096)),
      "src[5] is i32, and C reads f32",
      (t, ctx) => lib.ggml_rwkv_wkv7(ctx, t.f32(64), t.f32(64), t.f32(64), t.f32(64), t.f32(64), t.f32(64), t.f32(4096)),
    ],
    [
      (t, ctx) => lib.ggml_opt_step_adamw(ctx, t.parameter(4), t.new(I32, 4), t.f32(4), t.f32(4), t.f32(7)),
      "src[1] is i32, and C reads f32",
      (t, ctx) => lib.ggml_opt_step_adamw(ctx, t.parameter(4), t.f32(4), t.f32(4), t.f32(4), t.f32(7)),
    ],
    [
      (t, ctx) => lib.ggml_opt_step_sgd(ctx, t.parameter(4), t.new(F16, 4), t.f32(2)),
      "src[1] is f16, and C reads f32",
      (t, ctx) => lib.ggml_opt_step_sgd(ctx, t.parameter(4), t.f32(4), t.f32(2)),
    ],
    [
      (t, ctx) => lib.ggml_out_prod(ctx, t.new(Q8_0, 32, 2), t.new(I32, 3, 2)),
      "src[1] is i32, and C reads f32",
      (t, ctx) => lib.ggml_out_prod(ctx, t.new(Q8_0, 32, 2), t.f32(3, 2)),
    ],
    [
      (t, ctx) => lib.ggml_pool_2d_back(ctx, t.f32(2, 2), t.new(F16, 4, 4), MAX, 2, 2, 2, 2, 0, 0),
      "src[1] is f16, and C reads f32",
      (t, ctx) => lib.ggml_pool_2d_back(ctx, t.f32(2, 2), t.new(F16, 4, 4), AVG, 2, 2, 2, 2, 0, 0),
    ],
    [
      (t, ctx) => lib.ggml_pool_2d_back(ctx, t.new(F16, 2, 2), t.f32(4, 4), AVG, 2, 2, 2, 2, 0, 0),
      "src[0] is f16, and C reads f32",
      (t, ctx) => lib.ggml_pool_2d_back(ctx, t.f32(2, 2), t.f32(4, 4), MAX, 2, 2, 2, 2, 0, 0),
    ],
    [
      (t, ctx) => lib.ggml_rms_norm_back(ctx, t.f32(4), t.new(I32, 4), 1),
      "src[1] is i32, and C reads f32",
      (t, ctx) => lib.ggml_rms_norm_back(ctx, t.f32(4), t.f32(4), 1),
    ],
    [
      (t, ctx) => lib.ggml_soft_max_ext_back(ctx, t.f32(4), t.new(F16, 4), 1, 0),
      "src[1] is f16, and C reads f32",
      (t, ctx) => lib.ggml_soft_max_ext_back(ctx, t.f32(4), t.f32(4), 1, 0),
    ],
    [
      (t, ctx) => lib.ggml_ssm_conv(ctx, t.f32(6, 3, 2), t.new(I32, 4, 3)),
      "src[1] is i32, and C reads f32",
      (t, ctx) => lib.ggml_ssm_conv(ctx, t.f32(6, 3, 2), t.f32(4, 3)),
    ],
    [
      (t, ctx) => lib.ggml_ssm_scan(ctx, t.f32(4, 3, 2), t.f32(3, 2), t.f32(2), t.new(I32, 1, 2), t.f32(4), t.f32(4), t.new(I32, 1), 1),
      "src[3] is i32, and C reads f32",
      (t, ctx) => lib.ggml_ssm_scan(ctx, t.f32(4, 3, 2), t.f32(3, 2), t.f32(2), t.f32(1, 2), t.f32(4), t.f32(4), t.new(I32, 1), 1),
    ],
    [
      (t, ctx) => lib.ggml_set_1d(ctx, t.f32(4), t.new(I32, 2), 0),
      "src[1] is i32, and C reads f32",
      (t, ctx) => lib.ggml_set_1d(ctx, t.new(I32, 4), t.new(I32, 2), 0),
    ],
    [
      (t, ctx) => lib.ggml_silu_back(ctx, t.f32(4), t.new(F16, 4)),
      "src[1] is f16, and C reads f32",
      (t, ctx) => lib.ggml_silu_back(ctx, t.f32(4), t.f32(4)),
    ],
    [
      (t, ctx) => lib.ggml_pool_1d(ctx, t.new(I32, 4), AVG, 2, 2, 0),
      "must be f32 or f16",
      (t, ctx) => lib.ggml_pool_1d(ctx, t.new(F16, 4), AVG, 2, 2, 0),
    ],
    [
      (t, ctx) => lib.ggml_pool_2d(ctx, t.new(BF16, 4, 4), AVG, 2, 2, 2, 2, 0, 0),
      "must be f32 or f16",
      (t, ctx) => lib.ggml_pool_2d(ctx, t.new(F16, 4, 4), AVG, 2, 2, 2, 2, 0, 0),
    ],
    [
      (t, ctx) => lib.ggml_get_rel_pos(ctx, t.new(BF16, 2, 3), 2, 2),
      "copies its bits into a result of f16",
      (t, ctx) => lib.ggml_get_rel_pos(ctx, t.new(F16, 2, 3), 2, 2),
    ],
    [
      (t, ctx) => lib.ggml_im2col_back(ctx, t.f32(4, 9, 2), t.f32(2, 2), new BigInt64Array([4n, 2n, 2n, 3n]), 1, 1, 0, 0, 1, 1, false),
      "C leaves what is behind the first ne[3] as it was",
      (t, ctx) => lib.ggml_im2col_back(ctx, t.f32(4, 9), t.f32(2, 2), sizes, 1, 1, 0, 0, 1, 1, true),
    ],
  ]);
});

Deno.test("sources of another layout than the kernel reads", () => {
  const side = "as if they lay side by side", dense = "as if they lay one after the other", contiguous = "as if it were contiguous";
  const cases: Case[] = [
    [(t, ctx) => lib.ggml_argmax(ctx, t.transposed(4, 3)), side, (t, ctx) => lib.ggml_argmax(ctx, t.padded(4, 3))],
    [(t, ctx) => lib.ggml_argsort(ctx, t.transposed(4, 3), 0), side, (t, ctx) => lib.ggml_argsort(ctx, t.padded(4, 3, 2), 0)],
    [(t, ctx) => lib.ggml_top_k(ctx, t.transposed(4, 3), 2), side, (t, ctx) => lib.ggml_top_k(ctx, t.padded(4, 3, 2), 2)],
    [
      (t, ctx) => lib.ggml_get_rows(ctx, t.transposed(4, 3), t.new(I32, 2)),
      side,
      (t, ctx) => lib.ggml_get_rows(ctx, t.gapped(4, 3, 2), t.new(I32, 2, 2)),
    ],
    [
      (t, ctx) => lib.ggml_leaky_relu(ctx, t.transposed(4, 3), 1, true),
      side,
      (t, ctx) => lib.ggml_leaky_relu(ctx, t.padded(4, 3, 2), 1, true),
    ],
    [(t, ctx) => lib.ggml_mean(ctx, t.transposed(4, 3)), side, (t, ctx) => lib.ggml_mean(ctx, t.gapped(4, 3, 2))],
    [(t, ctx) => lib.ggml_sum(ctx, t.transposed(4, 3)), side, (t, ctx) => lib.ggml_sum(ctx, t.gapped(4, 3, 2))],
    [
      (t, ctx) => lib.ggml_pool_1d(ctx, t.transposed(4, 3), AVG, 2, 2, 0),
      side,
      (t, ctx) => lib.ggml_pool_1d(ctx, t.padded(4, 3, 2), AVG, 2, 2, 0),
    ],
    [
      (t, ctx) => lib.ggml_pool_2d(ctx, t.transposed(4, 4), AVG, 2, 2, 2, 2, 0, 0),
      side,
      (t, ctx) => lib.ggml_pool_2d(ctx, t.gapped(4, 4, 2), AVG, 2, 2, 2, 2, 0, 0),
    ],
    [
      (t, ctx) => lib.ggml_silu_back(ctx, t.transposed(4, 3), t.f32(4, 3)),
      side,
      (t, ctx) => lib.ggml_silu_back(ctx, t.padded(4, 3), t.f32(4, 3)),
    ],
    [
      (t, ctx) => lib.ggml_rope(ctx, t.f32(4, 1, 3), t.sparse(I32, 3), 4, 0),
      side,
      (t, ctx) => lib.ggml_rope(ctx, t.padded(4, 2, 3), t.new(I32, 3), 4, 0),
    ],
    [
      (t, ctx) => lib.ggml_rope_ext(ctx, t.f32(4, 1, 3), t.new(I32, 3), t.sparse(F32, 2), 4, 0, 0, 1e4, 1, 0, 1, 32, 1),
      side,
      (t, ctx) => lib.ggml_rope_ext(ctx, t.f32(4, 1, 3), t.new(I32, 3), t.f32(2), 4, 0, 0, 1e4, 1, 0, 1, 32, 1),
    ],
    [
      (t, ctx) => withSinks(lib.ggml_soft_max(ctx, t.f32(4, 1, 3)), t.sparse(F32, 3)),
      side,
      (t, ctx) => withSinks(lib.ggml_soft_max(ctx, t.f32(4, 1, 3)), t.f32(3)),
    ],
    [
      (t, ctx) => withSinks(lib.ggml_flash_attn_ext(ctx, t.f32(8, 2, 3), t.f32(8, 3), t.f32(8, 3), null, 1, 0, 0), t.sparse(F32, 3)),
      side,
      (t, ctx) => withSinks(lib.ggml_flash_attn_ext(ctx, t.f32(8, 2, 3), t.f32(8, 3), t.f32(8, 3), null, 1, 0, 0), t.f32(3)),
    ],
    [
      (t, ctx) => lib.ggml_conv_transpose_2d_p0(ctx, t.padded(2, 2, 1, 1), t.f32(3, 3), 1),
      dense,
      (t, ctx) => lib.ggml_conv_transpose_2d_p0(ctx, t.gapped(2, 2, 3, 1), t.padded(3, 3), 1),
    ],
    [
      (t, ctx) => lib.ggml_im2col(ctx, t.f32(2, 2), t.padded(4, 4), 1, 1, 0, 0, 1, 1, true, F32),
      dense,
      (t, ctx) => lib.ggml_im2col(ctx, t.f32(2, 4), t.padded(4, 4), 1, 0, 0, 0, 1, 0, false, F32),
    ],
    [
      (t, ctx) => lib.ggml_ssm_conv(ctx, t.f32(6, 3, 2), t.padded(4, 3)),
      dense,
      (t, ctx) => lib.ggml_ssm_conv(ctx, t.f32(6, 3, 2), t.f32(4, 3)),
    ],
    [
      (t, ctx) => lib.ggml_get_rel_pos(ctx, lib.ggml_view_2d(ctx, t.new(F16, 4, 3), 2, 3, 8, 0), 2, 2),
      dense,
      (t, ctx) => lib.ggml_get_rel_pos(ctx, lib.ggml_view_2d(ctx, t.new(F16, 4, 3), 4, 3, 8, 0), 2, 2),
    ],
    [
      (t, ctx) => lib.ggml_im2col_back(ctx, t.padded(4, 3, 3), t.f32(2, 2), new BigInt64Array([4n, 4n, 1n, 1n]), 1, 1, 0, 0, 1, 1, true),
      contiguous,
      (t, ctx) => lib.ggml_im2col_back(ctx, t.f32(4, 3, 3), t.padded(2, 2), new BigInt64Array([4n, 4n, 1n, 1n]), 1, 1, 0, 0, 1, 1, true),
    ],
    [
      (t, ctx) => lib.ggml_pool_2d_back(ctx, t.padded(2, 2), t.f32(4, 4), MAX, 2, 2, 2, 2, 0, 0),
      contiguous,
      (t, ctx) => lib.ggml_pool_2d_back(ctx, t.f32(2, 2), t.f32(4, 4), MAX, 2, 2, 2, 2, 0, 0),
    ],
    [(t, ctx) => lib.ggml_win_part(ctx, t.padded(2, 4, 4), 2), contiguous, (t, ctx) => lib.ggml_win_part(ctx, t.f32(2, 4, 4), 3)],
    [
      (t, ctx) => lib.ggml_win_unpart(ctx, t.padded(2, 2, 2, 4), 4, 4, 2),
      contiguous,
      (t, ctx) => lib.ggml_win_unpart(ctx, t.f32(2, 2, 2, 4), 4, 4, 2),
    ],
  ];
  check(cases);
});

function withSinks(tensor: Tensor, sinks: Tensor): Tensor {
  if (tensor.op === lib.GGML_OP_SOFT_MAX) lib.ggml_soft_max_add_sinks(tensor, sinks);
  else lib.ggml_flash_attn_ext_add_sinks(tensor, sinks);
  return tensor;
}

Deno.test("depthwise convolutions take kernel and data of one order, and give the same numbers in both", () => {
  using ctx = init({ memSize: 1 << 20 });
  const t = new Maker(ctx);
  /** The same numbers with a pixel's channels side by side. */
  const channelsFirst = (
    tensor: Tensor,
    from: readonly [number, number, number, number],
    back: readonly [number, number, number, number],
  ) => lib.ggml_permute(ctx, lib.ggml_cont(ctx, lib.ggml_permute(ctx, tensor, ...from)), ...back);
  const kernel = t.ramp(2, 2, 1, 3), data = t.ramp(4, 4, 3);
  const kernelCwhn = channelsFirst(kernel, [2, 3, 1, 0], [3, 2, 0, 1]), dataCwhn = channelsFirst(data, [1, 2, 0, 3], [2, 0, 1, 3]);
  const conv = (kernel: Tensor, data: Tensor) => lib.ggml_conv_2d_dw_direct(ctx, kernel, data, 1, 1, 0, 0, 1, 1);
  const plain = conv(kernel, data), first = lib.ggml_cont(ctx, conv(kernelCwhn, dataCwhn));
  compute(t, plain);
  compute(t, first);
  assertEquals(numbersOf(first), numbersOf(plain));
  assert(refusal(t, conv(kernelCwhn, data)).includes("src[0]: C reads it as if it were contiguous"));
  assert(refusal(t, conv(kernel, dataCwhn)).includes("src[0]: C reads it in the order CWHN"));
  assert(refusal(t, conv(kernel, t.padded(4, 4, 3))).includes("src[1]: C reads it as if it were contiguous"));
});

Deno.test("what C computes wrong", () => {
  check([
    [
      (t, ctx) => lib.ggml_add1(ctx, t.new(Q8_0, 32, 2, 1, 2), t.f32(1)),
      "ne[3] matrices over each other",
      (t, ctx) => lib.ggml_add1(ctx, t.new(Q8_0, 32, 2, 2), t.f32(1)),
    ],
    [
      (t, ctx) => lib.ggml_cpy(ctx, t.f32(16, 2), t.new(Q8_0, 32)),
      "no whole blocks of 32",
      (t, ctx) => lib.ggml_cpy(ctx, t.f32(32, 2), t.new(Q8_0, 64)),
    ],
    [
      (t, ctx) => lib.ggml_add_cast(ctx, t.new(Q8_0, 32), t.f32(32), Q4_K),
      "no whole blocks of 256",
      (t, ctx) => lib.ggml_add_cast(ctx, t.new(Q8_0, 256), t.f32(256), Q4_K),
    ],
    [
      (t, ctx) => lib.ggml_group_norm(ctx, t.f32(4, 3, 2), -1, 1),
      "n_groups is -1",
      (t, ctx) => lib.ggml_group_norm(ctx, t.f32(4, 3, 2), 3, 1),
    ],
  ]);
});
