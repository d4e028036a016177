/**
 * Guards of computing: what the CPU's kernels would abort on, or die of, is an error before the first of them runs.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { copy, init, view } from "@ggml/deno/utils";
import { newTensor, withContext } from "./context.ts";
import { program } from "./process.ts";

const { GGML_TYPE_F32: F32, GGML_TYPE_F16: F16, GGML_TYPE_I32: I32, GGML_TYPE_I8: I8, GGML_TYPE_Q8_1: Q8_1 } = lib;

function graphOf(ctx: lib.ggml_context, ...results: lib.ggml_tensor[]): lib.ggml_cgraph {
  const graph = lib.ggml_new_graph(ctx);
  for (const result of results) lib.ggml_build_forward_expand(graph, result);
  return graph;
}

/** What computing a tensor on one thread throws; "" for nothing. */
function refusal(ctx: lib.ggml_context, result: lib.ggml_tensor): string {
  try {
    lib.ggml_graph_compute_with_ctx(ctx, graphOf(ctx, result), 1);
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

/** Asserts that computing is refused, by a message that begins with the node and holds `part`. */
function refuses(ctx: lib.ggml_context, result: lib.ggml_tensor, part: string): void {
  const message = refusal(ctx, result);
  assert(message.startsWith("ggml_graph_compute_with_ctx: node ") && message.includes(part), `${part} is not in: ${message || "nothing"}`);
}

Deno.test("an operation that has no kernel for its types names the node, the types and the kernel", () => {
  withContext((ctx) => {
    const a = newTensor(ctx, I32, 64, 32);
    assertEquals(
      refusal(ctx, lib.ggml_sqr(ctx, a)),
      'ggml_graph_compute_with_ctx: node 0 (SQR "node_0": i32 ne=[64, 32]): assertion failed in unary_op: fatal error; src[0] is i32 ne=[64, 32]',
    );
    refuses(ctx, lib.ggml_add(ctx, a, a), "assertion failed in ggml_compute_forward_add");
    refuses(ctx, lib.ggml_soft_max(ctx, a), "assertion failed in ggml_compute_forward_soft_max");
    refuses(ctx, lib.ggml_norm(ctx, newTensor(ctx, F16, 4), 1e-5), "assertion failed in ggml_compute_forward_norm");
    assertEquals(refusal(ctx, lib.ggml_sqr(ctx, newTensor(ctx, F32, 64))), "");
  });
});

Deno.test("shapes and strides that a kernel asserts are looked at", () => {
  withContext((ctx) => {
    const transposed = lib.ggml_transpose(ctx, newTensor(ctx, F32, 4, 3));
    refuses(ctx, lib.ggml_add(ctx, transposed, transposed), "nb00 == sizeof(float)");
    refuses(ctx, lib.ggml_mul_mat(ctx, newTensor(ctx, F32, 3, 4), transposed), "nb10 == ggml_type_size(src1->type)");
    assertEquals(refusal(ctx, lib.ggml_cont(ctx, transposed)), "");
  });
});

Deno.test("what a kernel would crash on without asserting it is refused", () => {
  withContext((ctx) => {
    const a = newTensor(ctx, F32, 4, 3, 2), none = newTensor(ctx, F32, 0, 3);
    refuses(ctx, lib.ggml_mul_mat(ctx, newTensor(ctx, I32, 4), newTensor(ctx, F32, 4)), "ggml has no vec_dot for i32");
    refuses(ctx, lib.ggml_get_rows(ctx, newTensor(ctx, Q8_1, 32, 2), newTensor(ctx, I32, 1)), "");
    refuses(ctx, lib.ggml_set_rows(ctx, newTensor(ctx, I8, 4, 3), newTensor(ctx, F32, 4, 1), newTensor(ctx, I32, 1)), "from_float for i8");
    refuses(ctx, lib.ggml_group_norm(ctx, a, 0, 1e-5), "n_groups is 0");
    refuses(ctx, lib.ggml_rope(ctx, a, newTensor(ctx, I32, 2), 0, 0), "n_dims is 0");
    refuses(ctx, lib.ggml_pad_circular(ctx, none, 1, 0, 0, 0), "src[0] is empty");
    refuses(ctx, lib.ggml_xielu(ctx, newTensor(ctx, I32, 4), 1, 1, 1, 1), "there is no xielu of i32");
    const kernel = newTensor(ctx, I32, 3, 3, 1, 2), image = newTensor(ctx, F32, 8, 8, 2, 1);
    refuses(ctx, lib.ggml_conv_2d_dw_direct(ctx, kernel, image, 1, 1, 0, 0, 1, 1), "the kernel must be f32 or f16");
    const heads = (n: number) => newTensor(ctx, F32, 4, 1, n);
    refuses(ctx, lib.ggml_flash_attn_ext(ctx, heads(1), heads(1), heads(2), null, 1, 0, 0), "q.ne[2] is no multiple of v.ne[2]");
    assertEquals(refusal(ctx, lib.ggml_sum(ctx, none)), "");
  });
});

Deno.test("what a kernel would read or write beyond its tensors is refused", () => {
  withContext((ctx) => {
    const a = newTensor(ctx, F32, 4, 3), f16 = newTensor(ctx, F16, 4, 3);
    assertEquals(refusal(ctx, lib.ggml_set_1d(ctx, a, newTensor(ctx, F32, 4), 32)), "");
    refuses(ctx, lib.ggml_set_1d(ctx, a, newTensor(ctx, F32, 4), 36), "src[1] would end at byte 52 of 48");
    refuses(ctx, lib.ggml_acc(ctx, a, newTensor(ctx, F32, 2, 2), 16, 0, 0, 26), "src[1] would end at byte 50 of 48");
    refuses(
      ctx,
      lib.ggml_clamp(ctx, lib.ggml_permute(ctx, newTensor(ctx, F32, 2, 3, 4), 0, 2, 1, 3), 0, 1),
      "must lie one after the other",
    );
    lib.ggml_set_param(a);
    refuses(ctx, lib.ggml_opt_step_sgd(ctx, a, f16, newTensor(ctx, F32, 2)), "src[1] is f16, and must be f32");
    const ne = new BigInt64Array([8n, 8n, 1n, 1n]), kernel = newTensor(ctx, F32, 3, 3);
    refuses(ctx, lib.ggml_im2col_back(ctx, newTensor(ctx, F32, 4, 4, 4), kernel, ne, 1, 1, 0, 0, 1, 1, true), "needs 144 gradients");
    const narrow = newTensor(ctx, F32, 8, 1, 1), state = newTensor(ctx, F32, 64);
    refuses(ctx, lib.ggml_rwkv_wkv7(ctx, narrow, narrow, narrow, narrow, narrow, narrow, state), "the size of a head, is no multiple of");
  });
});

Deno.test("parameters that a kernel divides by, or knows no kernel for, are refused", () => {
  withContext((ctx) => {
    const a = newTensor(ctx, F32, 64, 3, 2), positions = newTensor(ctx, I32, 2);
    const strided = lib.ggml_permute(ctx, newTensor(ctx, F32, 2, 3, 4), 0, 2, 1, 3);
    refuses(ctx, lib.ggml_rope(ctx, a, positions, 4, 4), "there is no mode 4");
    assertEquals(refusal(ctx, lib.ggml_rope(ctx, a, positions, 4, lib.GGML_ROPE_TYPE_NEOX)), "");
    refuses(ctx, lib.ggml_win_unpart(ctx, a, 1, 1, 0), "w is 0");
    assertEquals(refusal(ctx, lib.ggml_diag_mask_inf_inplace(ctx, strided, 1)), "");
    const batches = lib.ggml_permute(ctx, newTensor(ctx, F32, 8, 5, 5), 0, 1, 3, 2);
    refuses(ctx, lib.ggml_diag_mask_inf_inplace(ctx, batches, 1), "must lie one after the other");
    refuses(ctx, lib.ggml_xielu(ctx, strided, 1, 1, 1, 1), "its rows must lie one after the other");
    refuses(
      ctx,
      lib.ggml_conv_transpose_2d_p0(ctx, newTensor(ctx, I32, 2, 2, 1, 1), newTensor(ctx, F32, 4, 4), 1),
      "the kernel must be f32 or f16",
    );
    const kernel = newTensor(ctx, F32, 3, 3, 1, 2), image = lib.ggml_transpose(ctx, newTensor(ctx, F32, 8, 8, 2, 1));
    refuses(ctx, lib.ggml_conv_2d_dw_direct(ctx, kernel, image, 1, 1, 0, 0, 1, 1), "the data must be contiguous");
    const grads = newTensor(ctx, F32, 9, 36), ne = () => new BigInt64Array([8n, 8n, 1n, 1n]);
    refuses(ctx, lib.ggml_im2col_back(ctx, grads, newTensor(ctx, F32, 3, 3), ne(), 0, 1, 0, 0, 1, 1, true), "a stride is 0");
  });
});

Deno.test("recurrent kernels get floats, as many as they read, and tokens that the sequences share", () => {
  withContext((ctx) => {
    const tokens = (type: lib.ggml_type, ...ne: number[]) => newTensor(ctx, type, ...ne);
    const k = tokens(F32, 64, 1, 3), state = tokens(F32, 64 * 64, 2), f16 = tokens(F16, 64, 1, 3);
    refuses(ctx, lib.ggml_gated_linear_attn(ctx, k, k, k, k, state, 1), "3 tokens can't be shared out among 2 sequences");
    refuses(ctx, lib.ggml_gated_linear_attn(ctx, k, k, k, f16, tokens(F32, 64 * 64), 1), "src[3] is f16, and must be f32");
    refuses(ctx, lib.ggml_rwkv_wkv6(ctx, k, k, k, tokens(F32, 32), k, tokens(F32, 64 * 64)), "tf has fewer elements");
    refuses(ctx, lib.ggml_rwkv_wkv7(ctx, tokens(F32, 64), k, k, k, k, k, tokens(F32, 64 * 64)), "r has fewer elements");
    assertEquals(refusal(ctx, lib.ggml_rwkv_wkv7(ctx, k, k, k, k, k, k, tokens(F32, 64 * 64))), "");
  });
});

Deno.test("what is sorted counts up to its last index", () => {
  withContext((ctx) => {
    const sorted = lib.ggml_argsort(ctx, newTensor(ctx, F32, 4), lib.GGML_SORT_ORDER_ASC);
    assertEquals(refusal(ctx, lib.ggml_get_rows(ctx, newTensor(ctx, F32, 2, 4), sorted)), "");
    assert(refusal(ctx, lib.ggml_get_rows(ctx, newTensor(ctx, F32, 2, 3), sorted)).includes("counts up to 3, and"));
  });
});

Deno.test("indices are looked at each time, also in a graph that was found good", () => {
  withContext((ctx) => {
    const rows = newTensor(ctx, F32, 4, 3), indices = newTensor(ctx, I32, 2), picked = lib.ggml_get_rows(ctx, rows, indices);
    copy(Float32Array.from({ length: 12 }, (_, i) => i), rows);
    const graph = graphOf(ctx, picked);
    copy(new Int32Array([2, 0]), indices);
    for (let i = 0; i < 2; i++) lib.ggml_graph_compute_with_ctx(ctx, graph, 1);
    assertEquals(Array.from(view(picked).data), [8, 9, 10, 11, 0, 1, 2, 3]);
    for (const wrong of [3, -1]) {
      copy(new Int32Array([0, wrong]), indices);
      assertThrows(
        () => lib.ggml_graph_compute_with_ctx(ctx, graph, 1),
        RangeError,
        `index ${wrong} at [1, 0, 0, 0] of NONE "leaf_1": i32 ne=[2] is out of range: NONE "leaf_0": f32 ne=[4, 3] has 3 of them`,
      );
    }
    copy(new Int32Array([1, 1]), indices);
    lib.ggml_graph_compute_with_ctx(ctx, graph, 1);
    refuses(ctx, lib.ggml_set_rows(ctx, newTensor(ctx, F32, 4, 1), newTensor(ctx, F32, 4, 2), indices), "index 1 at [0, 0, 0, 0]");
    refuses(
      ctx,
      lib.ggml_add_id(ctx, newTensor(ctx, F32, 4, 2, 1), newTensor(ctx, F32, 4, 1), lib.ggml_reshape_2d(ctx, indices, 2, 1)),
      "",
    );
    const experts = newTensor(ctx, F32, 4, 2, 1);
    refuses(ctx, lib.ggml_mul_mat_id(ctx, experts, newTensor(ctx, F32, 4, 2, 1), lib.ggml_reshape_2d(ctx, indices, 2, 1)), "has 1 of them");
  });
});

Deno.test("a graph is looked at again when its nodes, their types or their memory changed", () => {
  withContext((ctx) => {
    const a = newTensor(ctx, F32, 4), square = lib.ggml_sqr(ctx, a), graph = graphOf(ctx, square);
    lib.ggml_graph_compute_with_ctx(ctx, graph, 1);
    lib.ggml_build_forward_expand(graph, lib.ggml_sqr(ctx, newTensor(ctx, I32, 4)));
    assertThrows(() => lib.ggml_graph_compute_with_ctx(ctx, graph, 1), Error, "unary_op");
  });
});

Deno.test("tensors without memory are named", () => {
  using ctx = init({ memSize: 1 << 20, noAlloc: true }), work = init({ memSize: 1 << 20 });
  const a = newTensor(ctx, F32, 4);
  lib.ggml_set_name(a, "weights");
  assertThrows(
    () => lib.ggml_graph_compute_with_ctx(work, graphOf(ctx, lib.ggml_sqr(ctx, a)), 1),
    Error,
    'node 0 (SQR "node_0": f32 ne=[4]): it has no memory',
  );
});

Deno.test("a backend refuses what it can't compute, by lib's own function", () => {
  using backend = lib.ggml_backend_cpu_init()!, ctx = init({ memSize: 1 << 20 });
  assertThrows(
    () => lib.ggml_backend_graph_compute(backend, graphOf(ctx, lib.ggml_sqr(ctx, newTensor(ctx, I32, 4)))),
    Error,
    "ggml_backend_graph_compute: node 0 (SQR",
  );
});

Deno.test("without guards C aborts on the same graph", async () => {
  const { code, stderr } = await program(`
    import { lib, load } from "@ggml/deno";
    import { init } from "@ggml/deno/utils";
    load({ guards: false });
    const ctx = init(), graph = lib.ggml_new_graph(ctx);
    lib.ggml_build_forward_expand(graph, lib.ggml_sqr(ctx, lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_I32, 4)));
    lib.ggml_graph_compute_with_ctx(ctx, graph, 1);
  `);
  assert(code !== 0 && stderr.includes("unsupported types"), stderr);
});
