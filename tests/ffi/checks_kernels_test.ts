/**
 * Rows, sizes and indices that the CPU's kernels neither check nor survive: each is refused by name, and what is right beside it is computed.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { lib } from "@ggml/deno";
import { copy, init, ndarray } from "@ggml/deno/utils";
import { check, compute, Maker, numbersOf, refusal, type Tensor } from "./checks/kernel_cases.ts";

const {
  GGML_TYPE_F32: F32,
  GGML_TYPE_F16: F16,
  GGML_TYPE_I32: I32,
  GGML_TYPE_Q8_0: Q8_0,
  GGML_TYPE_Q4_K: Q4_K,
  GGML_TYPE_IQ2_XXS: IQ2_XXS,
  GGML_OP_POOL_MAX: MAX,
  GGML_OP_POOL_AVG: AVG,
} = lib;

Deno.test("rows that don't lie at one stride", () => {
  const uneven = "to lie at one stride";
  check([
    [(t, ctx) => lib.ggml_argsort(ctx, t.gapped(4, 3, 2), 0), uneven, (t, ctx) => lib.ggml_argsort(ctx, t.f32(4, 3, 2), 0)],
    [(t, ctx) => lib.ggml_clamp(ctx, t.gapped(4, 3, 2), 0, 1), uneven, (t, ctx) => lib.ggml_clamp(ctx, t.padded(4, 3, 2), 0, 1)],
    [
      (t, ctx) => lib.ggml_cross_entropy_loss(ctx, t.gapped(4, 3, 2), t.f32(4, 3, 2)),
      uneven,
      (t, ctx) => lib.ggml_cross_entropy_loss(ctx, t.padded(4, 3), t.f32(4, 3)),
    ],
    [
      (t, ctx) => lib.ggml_cross_entropy_loss_back(ctx, t.f32(1), t.loose(4, 3), t.f32(4, 1, 3)),
      uneven,
      (t, ctx) => lib.ggml_cross_entropy_loss_back(ctx, t.f32(1), t.f32(4, 1, 3), t.f32(4, 1, 3)),
    ],
    [
      (t, ctx) => lib.ggml_leaky_relu(ctx, t.gapped(4, 3, 2), 1, false),
      uneven,
      (t, ctx) => lib.ggml_leaky_relu(ctx, t.gapped(4, 3, 1), 1, false),
    ],
    [
      (t, ctx) => lib.ggml_pool_1d(ctx, t.gapped(4, 3, 2), AVG, 2, 2, 0),
      uneven,
      (t, ctx) => lib.ggml_pool_1d(ctx, t.f32(4, 3, 2), AVG, 2, 2, 0),
    ],
    [
      (t, ctx) => lib.ggml_silu_back(ctx, t.f32(4, 3, 2), t.gapped(4, 3, 2)),
      uneven,
      (t, ctx) => lib.ggml_silu_back(ctx, t.f32(4, 3, 2), t.padded(4, 3, 2)),
    ],
    [
      (t, ctx) => lib.ggml_soft_max_ext_back(ctx, t.f32(4, 1, 3), t.loose(4, 3), 1, 0),
      uneven,
      (t, ctx) => lib.ggml_soft_max_ext_back(ctx, t.f32(4, 1, 3), t.f32(4, 1, 3), 1, 0),
    ],
    [(t, ctx) => lib.ggml_top_k(ctx, t.gapped(4, 3, 2), 2), uneven, (t, ctx) => lib.ggml_top_k(ctx, t.padded(4, 3, 2), 2)],
    [
      (t, ctx) => lib.ggml_diag_mask_inf_inplace(ctx, lib.ggml_permute(ctx, t.f32(4, 3, 2, 3), 0, 1, 3, 2), 1),
      "C takes its matrices to lie at one stride",
      (t, ctx) => lib.ggml_diag_mask_inf_inplace(ctx, t.gapped(4, 3, 2), 1),
    ],
    [
      (t, ctx) => lib.ggml_pool_2d(ctx, lib.ggml_permute(ctx, t.f32(4, 4, 2, 3), 0, 1, 3, 2), AVG, 2, 2, 2, 2, 0, 0),
      "C takes its planes to lie one after the other",
      (t, ctx) => lib.ggml_pool_2d(ctx, t.gapped(4, 3, 2, 3), AVG, 2, 2, 2, 2, 0, 0),
    ],
    [
      (t, ctx) => lib.ggml_opt_step_sgd(ctx, t.parameter(4, 3), t.padded(4, 3), t.f32(2)),
      "C reads it at the strides of src[0]",
      (t, ctx) => lib.ggml_opt_step_sgd(ctx, t.parameter(4, 3), t.f32(4, 3), t.f32(2)),
    ],
    [
      (t, ctx) => lib.ggml_opt_step_adamw(ctx, t.parameter(4, 3), t.f32(4, 3), t.f32(4, 3), t.padded(4, 3), t.f32(7)),
      "src[3]: C reads it at the strides of src[0]",
      (t, ctx) => lib.ggml_opt_step_adamw(ctx, t.parameter(4, 3), t.f32(4, 3), t.f32(4, 3), t.f32(4, 3), t.f32(7)),
    ],
    [
      (t, ctx) => lib.ggml_count_equal(ctx, t.new(I32, 4, 3, 2), t.new(I32, 4, 3, 2)),
      "C counts rows that there are not",
      (t, ctx) => lib.ggml_count_equal(ctx, t.new(I32, 4, 3, 3), t.new(I32, 4, 3, 3)),
    ],
  ]);
});

Deno.test("blocks that are copied", () => {
  const blocks = (t: Maker) => t.new(Q8_0, 64, 3);
  check([
    [
      (t, ctx) => lib.ggml_cont(ctx, lib.ggml_transpose(ctx, blocks(t))),
      "it reaches from byte 0 to byte ",
      (t, ctx) => lib.ggml_cont(ctx, lib.ggml_permute(ctx, t.new(Q8_0, 64, 3, 2), 0, 2, 1, 3)),
    ],
    [
      (t, ctx) => lib.ggml_cont_2d(ctx, lib.ggml_permute(ctx, t.new(Q8_0, 64, 3, 2), 0, 2, 1, 3), 64, 6),
      "C copies a block for each element",
      (t, ctx) => lib.ggml_cont_2d(ctx, blocks(t), 96, 2),
    ],
    [
      (t, ctx) => lib.ggml_cast(ctx, lib.ggml_transpose(ctx, blocks(t)), F32),
      "it reaches from byte 0 to byte ",
      (t, ctx) => lib.ggml_cast(ctx, lib.ggml_permute(ctx, t.new(Q8_0, 64, 3, 2), 0, 2, 1, 3), F32),
    ],
    [
      (t, ctx) => lib.ggml_cpy(ctx, t.f32(64), t.new(Q8_0, 32, 2)),
      "C has memory for rows of 32, and src[0] has rows of 64",
      (t, ctx) => lib.ggml_cpy(ctx, t.f32(32, 2), t.new(Q8_0, 64)),
    ],
    [
      (t, ctx) => lib.ggml_add(ctx, t.new(IQ2_XXS, 256), t.f32(256)),
      "C can't convert to iq2_xxs",
      (t, ctx) => lib.ggml_add(ctx, t.new(Q4_K, 256), t.f32(256)),
    ],
  ]);
});

Deno.test("rows, heads, tokens and windows that there are not", () => {
  const F16s = (t: Maker, ...ne: [number, number?, number?]) => t.new(F16, ...ne);
  check([
    [
      (t, ctx) => lib.ggml_set_1d(ctx, t.f32(12), t.f32(4), 36),
      "src[1] would end at byte 52 of 48",
      (t, ctx) => lib.ggml_set_1d(ctx, t.f32(12), t.f32(4), 32),
    ],
    [
      (t, ctx) => lib.ggml_acc(ctx, t.f32(12), t.f32(2, 2), 16, 0, 0, 26),
      "src[1] would end at byte 50 of 48",
      (t, ctx) => lib.ggml_acc(ctx, t.f32(12), t.f32(2, 2), 16, 0, 0, 24),
    ],
    [
      (t, ctx) => lib.ggml_flash_attn_ext(ctx, t.f32(8, 2), t.f32(8, 3), t.f32(8, 2), null, 1, 0, 0),
      "v has 2 rows, and k 3",
      (t, ctx) => lib.ggml_flash_attn_ext(ctx, t.f32(8, 2), t.f32(8, 3), t.f32(8, 4), null, 1, 0, 0),
    ],
    [
      (t, ctx) => lib.ggml_flash_attn_ext(ctx, t.f32(8, 2), t.f32(8, 3), t.f32(8, 3), F16s(t, 3, 1), 1, 0, 0),
      "the mask has 1 rows, and q 2",
      (t, ctx) => lib.ggml_flash_attn_ext(ctx, t.f32(8, 2), t.f32(8, 3), t.f32(8, 3), F16s(t, 3, 2), 1, 0, 0),
    ],
    [
      (t, ctx) => lib.ggml_flash_attn_ext(ctx, t.f32(8, 2), t.f32(8, 3), t.f32(8, 3), F16s(t, 2, 2), 1, 0, 0),
      "the mask has rows of 2, and k 3 rows",
      (t, ctx) => lib.ggml_flash_attn_ext(ctx, t.f32(8, 2), t.f32(8, 3), t.f32(8, 3), F16s(t, 4, 4), 1, 0, 0),
    ],
    [
      (t, ctx) => lib.ggml_flash_attn_ext(ctx, t.f32(8, 1, 3), t.f32(8, 3, 3), t.f32(8, 3, 2), null, 1, 0, 0),
      "q.ne[2] is no multiple of v.ne[2]",
      (t, ctx) => lib.ggml_flash_attn_ext(ctx, t.f32(8, 1, 4), t.f32(8, 3, 4), t.f32(8, 3, 2), null, 1, 0, 0),
    ],
    [
      (t, ctx) => delta(t, ctx, [1, 2, 2, 1]),
      "g has fewer heads, tokens or sequences than v",
      (t, ctx) => delta(t, ctx, [1, 2, 3, 1]),
    ],
    [
      (t, ctx) => lib.ggml_gated_linear_attn(ctx, t.f32(4, 1, 3), t.f32(4, 1, 3), t.f32(4, 1, 3), t.f32(4, 1, 3), t.f32(16, 2), 1),
      "3 tokens can't be shared out among 2 sequences",
      (t, ctx) => lib.ggml_gated_linear_attn(ctx, t.f32(4, 1, 4), t.f32(4, 1, 4), t.f32(4, 1, 4), t.f32(4, 1, 4), t.f32(16, 2), 1),
    ],
    [
      (t, ctx) => lib.ggml_rwkv_wkv6(ctx, t.f32(4), t.f32(4), t.f32(4), t.f32(3), t.f32(4), t.f32(16)),
      "tf has 3 elements, and C reads 4",
      (t, ctx) => lib.ggml_rwkv_wkv6(ctx, t.f32(4), t.f32(4), t.f32(4), t.f32(4), t.f32(4), t.f32(16)),
    ],
    [
      (t, ctx) =>
        lib.ggml_rwkv_wkv7(
          ctx,
          t.f32(64),
          t.f32(64, 1, 2),
          t.f32(64, 1, 2),
          t.f32(64, 1, 2),
          t.f32(64, 1, 2),
          t.f32(64, 1, 2),
          t.f32(4096),
        ),
      "r has 64 elements, and C reads 128",
      (t, ctx) =>
        lib.ggml_rwkv_wkv7(
          ctx,
          t.f32(64, 1, 2),
          t.f32(64, 1, 2),
          t.f32(64, 1, 2),
          t.f32(64, 1, 2),
          t.f32(64, 1, 2),
          t.f32(64, 1, 2),
          t.f32(4096),
        ),
    ],
    [
      (t, ctx) => lib.ggml_get_rows_back(ctx, t.f32(4, 2), t.new(I32, 3), t.f32(4, 5)),
      "src[1] has 3 indices, and src[0] 2 rows",
      (t, ctx) => lib.ggml_get_rows_back(ctx, t.f32(4, 3), t.new(I32, 2), t.f32(4, 5)),
    ],
    [
      (t, ctx) => lib.ggml_get_rows_back(ctx, t.f32(4, 3), t.sparse(I32, 3), t.f32(4, 5)),
      "C reads the indices as if they lay side by side",
      (t, ctx) => lib.ggml_get_rows_back(ctx, t.padded(4, 3), t.new(I32, 3), t.f32(4, 5)),
    ],
    [
      (t, ctx) => lib.ggml_im2col_back(ctx, t.f32(4, 4, 4), t.f32(3, 3), new BigInt64Array([8n, 8n, 1n, 1n]), 1, 1, 0, 0, 1, 1, true),
      "its shape needs 144 gradients, and src[0] has 64",
      (t, ctx) => lib.ggml_im2col_back(ctx, t.f32(9, 6, 6), t.f32(3, 3), new BigInt64Array([8n, 8n, 1n, 1n]), 1, 1, 0, 0, 1, 1, true),
    ],
    [
      (t, ctx) => lib.ggml_pool_2d_back(ctx, t.f32(2, 2), t.f32(4, 4, 2), MAX, 2, 2, 2, 2, 0, 0),
      "src[0] has 1 planes, and the result 2",
      (t, ctx) => lib.ggml_pool_2d_back(ctx, t.f32(2, 2, 2), t.f32(4, 4, 2), MAX, 2, 2, 2, 2, 0, 0),
    ],
    [
      (t, ctx) => lib.ggml_win_unpart(ctx, t.f32(2, 2, 2, 3), 4, 4, 2),
      "src[0] has 3 windows, and the result 4",
      (t, ctx) => lib.ggml_win_unpart(ctx, t.f32(2, 3, 3, 4), 5, 4, 3),
    ],
    [
      (t, ctx) => lib.ggml_win_unpart(ctx, t.f32(2, 1, 2, 9), 4, 4, 2),
      "src[0] has windows of 1 × 2, and w is 2",
      (t, ctx) => lib.ggml_win_unpart(ctx, t.f32(2, 2, 2, 9), 3, 3, 2),
    ],
    [
      (t, ctx) => lib.ggml_win_unpart(ctx, t.f32(2, 2, 2, 4), 4, 4, 0),
      "w is 0",
      (t, ctx) => lib.ggml_win_unpart(ctx, t.f32(2, 1, 1, 4), 2, 2, 1),
    ],
    [
      (t, ctx) => lib.ggml_conv_transpose_1d(ctx, t.f32(9, 2, 3), t.f32(3, 3), -1, 0, 1),
      "the stride is -1",
      (t, ctx) => lib.ggml_conv_transpose_1d(ctx, t.padded(9, 2, 3), t.f32(3, 3), 1, 0, 1),
    ],
    [
      (t, ctx) => lib.ggml_conv_transpose_2d_p0(ctx, t.f32(9, 9, 2, 3), t.f32(3, 3, 3), -1),
      "the stride is -1",
      (t, ctx) => lib.ggml_conv_transpose_2d_p0(ctx, t.f32(9, 9, 2, 3), t.f32(3, 3, 3), 2),
    ],
    [
      (t, ctx) => lib.ggml_pad_ext_circular(ctx, t.f32(4, 3), 5, 0, 0, 0, 0, 0, 0, 0),
      "it pads dimension 0, of 4, by 5 before",
      (t, ctx) => lib.ggml_pad_ext_circular(ctx, t.f32(4, 3), 4, 9, 0, 0, 0, 0, 0, 0),
    ],
    [
      (t, ctx) => lib.ggml_rope(ctx, t.f32(33, 1, 2), t.new(I32, 2), 32, 0),
      "its rows have 33 elements, and C takes pairs",
      (t, ctx) => lib.ggml_rope(ctx, t.f32(34, 1, 2), t.new(I32, 2), 32, 0),
    ],
    [
      (t, ctx) => lib.ggml_rope(ctx, t.f32(32, 1, 2), t.new(I32, 2), 0, 0),
      "n_dims is 0",
      (t, ctx) => lib.ggml_rope(ctx, t.f32(32, 1, 2), t.new(I32, 2), 2, 0),
    ],
    [
      (t, ctx) => lib.ggml_rope_ext(ctx, t.f32(16, 1, 3), t.new(I32, 3), alone(2), 4, 0, 0, 1e4, 1, 0, 1, 32, 1),
      "src[2] has 2 factors, and C reads 8",
      (t, ctx) => lib.ggml_rope_ext(ctx, t.f32(16, 1, 3), t.new(I32, 3), alone(8), 4, 0, 0, 1e4, 1, 0, 1, 32, 1),
    ],
    [
      (t, ctx) => hadamard(lib.ggml_mul_mat(ctx, t.f32(8, 4), t.f32(8, 2))),
      "src[0] is said to be a Hadamard matrix",
      (t, ctx) => hadamard(lib.ggml_mul_mat(ctx, t.f32(8, 8), t.f32(8, 2))),
    ],
  ]);
});

function delta(t: Maker, ctx: lib.ggml_context, g: [number, number, number, number]): Tensor {
  const heads = () => t.f32(4, 2, 3, 1);
  return lib.ggml_gated_delta_net(ctx, heads(), heads(), heads(), t.f32(...g), t.f32(1, 2, 3, 1), t.f32(4, 4, 2, 1), 1);
}

/** Numbers in a context that has room for nothing else. */
function alone(n: number): Tensor {
  return lib.ggml_new_tensor_1d(init({ memSize: lib.ggml_tensor_overhead() + Math.ceil(n / 4) * 16 }), F32, n);
}

function hadamard(tensor: Tensor): Tensor {
  lib.ggml_mul_mat_set_hint(tensor, lib.GGML_HINT_SRC0_IS_HADAMARD);
  return tensor;
}

Deno.test("sources without elements, and negative dimensions", () => {
  const none = "has no elements, and the result has some";
  check([
    [
      (t, ctx) => lib.ggml_upscale_ext(ctx, t.f32(4, 4, 0), 8, 8, 1, 1, 0),
      none,
      (t, ctx) => lib.ggml_upscale_ext(ctx, t.f32(4, 4), 8, 8, 1, 1, 0),
    ],
    [(t, ctx) => lib.ggml_timestep_embedding(ctx, t.f32(2, 0), 4, 8), none, (t, ctx) => lib.ggml_timestep_embedding(ctx, t.f32(2), 4, 8)],
    [
      (t, ctx) => lib.ggml_conv_2d_direct(ctx, t.f32(2, 2, 0), t.f32(4, 4, 0), 1, 1, 0, 0, 1, 1),
      none,
      (t, ctx) => lib.ggml_conv_2d_direct(ctx, t.f32(2, 2), t.f32(4, 4), 1, 1, 0, 0, 1, 1),
    ],
    [
      (t, ctx) => lib.ggml_conv_2d_direct(ctx, t.f32(7, 7, 7, 7), t.f32(7, 7, 7, 7), 2, 2, 2, 8, 7, 7),
      "its dimensions are negative or too large",
      (t, ctx) => lib.ggml_conv_2d_direct(ctx, t.f32(7, 7, 7, 7), t.f32(7, 7, 7, 7), 1, 1, 0, 0, 1, 1),
    ],
  ]);
});

Deno.test("what sources without elements give", () => {
  using ctx = init({ memSize: 1 << 20 });
  const t = new Maker(ctx), none = t.f32(0, 2);
  const cases: [Tensor, number[]][] = [
    [lib.ggml_sum(ctx, none), [0]],
    [lib.ggml_sum_rows(ctx, none), [0, 0]],
    [lib.ggml_mul_mat(ctx, t.padded(0, 2), t.padded(0, 2)), [0, 0, 0, 0]],
    [lib.ggml_concat(ctx, none, t.ramp(2, 2), 0), [-3, -2, -1, 0]],
    [lib.ggml_pad(ctx, none, 2, 0, 0, 0), [0, 0, 0, 0]],
    [lib.ggml_set_1d(ctx, t.ramp(2), t.f32(0), 0), [-3, -2]],
    [lib.ggml_flash_attn_ext(ctx, t.f32(2, 1), t.f32(2, 0), t.f32(2, 0), null, 1, 0, 0), [0, 0]],
  ];
  for (const [tensor, numbers] of cases) {
    tensor.data!.bytes(lib.ggml_nbytes(tensor)).fill(1);
    compute(t, tensor);
    assertEquals(numbersOf(tensor), numbers, lib.ggml_op_name(tensor.op));
  }
});

Deno.test("indices that C doesn't look at", () => {
  using ctx = init({ memSize: 1 << 20 });
  const t = new Maker(ctx), experts = (count: number) => t.f32(4, 2, count), tokens = t.f32(4, 1, 3);
  const of = (count: number, ids: Tensor) => refusal(t, lib.ggml_mul_mat_id(ctx, experts(count), tokens, ids));
  const scores = t.f32(5, 3), best = lib.ggml_argsort_top_k(ctx, scores, 2);
  copy(ndarray(Float32Array.from({ length: 15 }, (_, i) => i), [3, 5]), scores);
  assertEquals(of(5, best), "");
  assert(of(4, best).includes("index 4"), of(4, best));
  const held = t.new(I32, 2, 3);
  assertEquals(of(4, held), "");
  copy(ndarray(new Int32Array([0, 0, 0, 4, 0, 0]), [3, 2]), held);
  assert(of(4, held).includes("index 4"), of(4, held));
  const numbers = t.f32(2, 3), computed = lib.ggml_cast(ctx, numbers, I32);
  copy(ndarray(new Float32Array([0, 1, 2, 3, 0, 0]), [3, 2]), numbers);
  assertEquals(of(4, computed), "");
  copy(ndarray(new Float32Array([0, 0, 0, 4, 0, 0]), [3, 2]), numbers);
  assert(of(4, computed).includes("index 4"), of(4, computed));
});
