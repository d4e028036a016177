/**
 * Guards: what ggml asserts, thrown as errors before C aborts. The fuzzer looks for those that are missing; here is what they say.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { lib, load } from "@ggml/deno";
import { init } from "@ggml/deno/utils";
import { compute, newTensor, withContext } from "./context.ts";
import { program } from "./process.ts";

const { GGML_TYPE_F32: F32, GGML_TYPE_F16: F16, GGML_TYPE_I32: I32, GGML_TYPE_Q4_K: Q4_K } = lib;

/** The message of the Error that `action` throws. */
function message(action: () => unknown): string {
  return assertThrows(action, Error).message;
}

Deno.test("a guard names the function, the condition, the arguments and the reason", () => {
  withContext((ctx) => {
    const a = newTensor(ctx, F32, 64, 32), b = newTensor(ctx, F32, 65, 8);
    assertEquals(
      message(() => lib.ggml_mul_mat(ctx, a, b)),
      "ggml_mul_mat: assertion failed: ggml_can_mul_mat(a, b): a is f32 ne=[64, 32], b is f32 ne=[65, 8] (ne[0] differ: 64 and 65)",
    );
    assertEquals(
      message(() => lib.ggml_reshape_2d(ctx, a, 3, 4)),
      "ggml_reshape_2d: assertion failed: ggml_nelements(a) == ne0*ne1: a is f32 ne=[64, 32], ne0 is 3, ne1 is 4",
    );
    assertEquals(
      message(() => lib.ggml_permute(ctx, a, 0, 0, 1, 2)),
      "ggml_permute: assertion failed: axis0 != axis1: axis0 is 0, axis1 is 0; a is f32 ne=[64, 32]",
    );
  });
});

Deno.test("an assertion inside another function that is called on the way names that one too", () => {
  withContext((ctx) => {
    const kernel = newTensor(ctx, F32, 3, 3, 3, 4), image = newTensor(ctx, F32, 10, 10, 2, 1);
    assertEquals(
      message(() => lib.ggml_conv_2d(ctx, kernel, image, 1, 1, 0, 0, 1, 1)),
      "ggml_conv_2d: assertion failed in ggml_im2col: a->ne[2] == b->ne[2]: a is f32 ne=[3, 3, 3, 4], b is f32 ne=[10, 10, 2]",
    );
  });
});

Deno.test("a division by zero, which would be a signal, is an error", () => {
  withContext((ctx) => {
    const kernel = newTensor(ctx, F32, 3, 3, 2, 4), image = newTensor(ctx, F32, 10, 10, 2, 1);
    assertEquals(message(() => lib.ggml_conv_2d(ctx, kernel, image, 0, 1, 0, 0, 1, 1)), "ggml_conv_2d: it would divide 7 by zero");
  });
});

Deno.test("tensors that C would make and not survive are refused", () => {
  withContext((ctx) => {
    const a = newTensor(ctx, F32, 8);
    assert(message(() => lib.ggml_new_tensor_1d(ctx, F32, -1)).includes("no dimension is negative: ne is [-1, 1, 1, 1]"));
    assert(message(() => lib.ggml_new_tensor_1d(ctx, Q4_K, 100)).includes("ne[0] % ggml_blck_size(type) == 0"));
    assert(message(() => lib.ggml_new_tensor_2d(ctx, F32, 2 ** 40, 2 ** 40)).includes("the size fits into 2^53 bytes"));
    assert(message(() => lib.ggml_new_tensor(ctx, F32, 5, new BigInt64Array(5).fill(1n))).includes("n_dims <= GGML_MAX_DIMS"));
    assert(message(() => lib.ggml_view_1d(ctx, a, 8, 4)).includes("data_size + view_offs <= ggml_nbytes(view_src)"));
    assertEquals(lib.ggml_view_1d(ctx, a, 7, 4).ne, [7, 1, 1, 1]);
  });
});

Deno.test("a context that is full says how many bytes are needed and free", () => {
  withContext((ctx) => {
    const overhead = lib.ggml_tensor_overhead();
    const free = 4096 - lib.ggml_used_mem(ctx);
    assertEquals(
      message(() => lib.ggml_new_tensor_1d(ctx, F32, 4096)),
      `ggml_new_tensor_1d: the context's memory is full: ${overhead + 16384} bytes are needed, ${free} of 4096 are free`,
    );
    assert(message(() => lib.ggml_new_graph(ctx)).startsWith("ggml_new_graph: the context's memory is full"));
    assert(message(() => lib.ggml_new_buffer(ctx, 5000)).startsWith("ggml_new_buffer: the context's memory is full: 5040 bytes"));
    while (4096 - lib.ggml_used_mem(ctx) >= overhead + 16) newTensor(ctx, F32, 1); // to the last byte
    assertThrows(() => newTensor(ctx, F32, 1), Error, "is full");
  }, 4096);
});

Deno.test("the room for all that a call makes is asked for at once", () => {
  withContext((ctx) => {
    const kernel = newTensor(ctx, F16, 3, 3, 2, 4), image = newTensor(ctx, F32, 10, 10, 2, 1);
    const before = lib.ggml_used_mem(ctx);
    assertThrows(() => lib.ggml_conv_2d(ctx, kernel, image, 1, 1, 0, 0, 1, 1), Error, "is full");
    assertEquals(lib.ggml_used_mem(ctx), before);
  }, 4096);
});

Deno.test("what holds after a call is what the guard foresaw: sizes, and the memory that is used", () => {
  withContext((ctx) => {
    const a = newTensor(ctx, F32, 64, 32), b = newTensor(ctx, F32, 64, 8);
    assertEquals(lib.ggml_mul_mat(ctx, a, b).ne, [32, 8, 1, 1]);
    assertEquals(lib.ggml_conv_2d(ctx, newTensor(ctx, F16, 3, 3, 2, 4), newTensor(ctx, F32, 10, 10, 2, 1), 1, 1, 0, 0, 1, 1).ne, [
      8,
      8,
      4,
      1,
    ]);
  });
});

Deno.test("a graph that is full is an error, however its tensors are counted", () => {
  withContext((ctx) => {
    const graph = lib.ggml_new_graph_custom(ctx, 4, false);
    let sum = newTensor(ctx, F32, 1);
    for (let i = 0; i < 5; i++) sum = lib.ggml_add(ctx, sum, sum);
    assertEquals(
      message(() => lib.ggml_build_forward_expand(graph, sum)),
      "ggml_build_forward_expand: assertion failed in ggml_build_forward: cgraph->n_nodes < cgraph->size: size is 4, n_nodes is 5; " +
        "tensor is f32 ne=[1]",
    );
    lib.ggml_build_forward_expand(graph, sum.src[0]!);
    assertEquals(lib.ggml_graph_n_nodes(graph), 4);
    assertThrows(() => lib.ggml_graph_add_node(graph, sum), Error, "cgraph->size > cgraph->n_nodes");
    const leafs = lib.ggml_new_graph_custom(ctx, 2, false);
    for (let i = 0; i < 2; i++) lib.ggml_build_forward_expand(leafs, newTensor(ctx, F32, 1));
    assertThrows(() => lib.ggml_build_forward_expand(leafs, newTensor(ctx, F32, 1)), Error, "cgraph->n_leafs < cgraph->size");
  });
});

Deno.test("operations too deep for C's recursion are an error", () => {
  withContext((ctx) => {
    const graph = lib.ggml_new_graph_custom(ctx, 200_000, false);
    let sum = newTensor(ctx, F32, 1);
    for (let i = 0; i < 100_000; i++) sum = lib.ggml_add_inplace(ctx, sum, sum);
    assertThrows(() => lib.ggml_build_forward_expand(graph, sum), Error, "above its farthest source");
  }, 128 * 1024 * 1024);
});

Deno.test("the backward pass is guarded: no gradients, no parameter, no loss, operations without a derivative", () => {
  withContext((ctx) => {
    const x = newTensor(ctx, F32, 4),
      graphOf = (t: lib.ggml_tensor, grads: boolean) => {
        const graph = lib.ggml_new_graph_custom(ctx, 64, grads);
        lib.ggml_build_forward_expand(graph, t);
        return graph;
      };
    const loss = lib.ggml_sum(ctx, lib.ggml_sqr(ctx, x));
    assertThrows(() => lib.ggml_build_backward_expand(ctx, graphOf(loss, false), null), Error, "cgraph->grads");
    assertThrows(() => lib.ggml_build_backward_expand(ctx, graphOf(loss, true), null), Error, "did you forget to call ggml_set_param?");
    lib.ggml_set_param(x);
    assertThrows(() => lib.ggml_build_backward_expand(ctx, graphOf(loss, true), null), Error, "did you forget to call ggml_set_loss?");
    lib.ggml_set_loss(loss);
    const graph = graphOf(loss, true);
    lib.ggml_build_backward_expand(ctx, graph, null);
    lib.ggml_graph_reset(graph);
    const hard = lib.ggml_sum(ctx, lib.ggml_sqr(ctx, lib.ggml_cumsum(ctx, x)));
    lib.ggml_set_loss(hard);
    assertThrows(() => lib.ggml_build_backward_expand(ctx, graphOf(hard, true), null), Error, "unsupported ggml op for backward pass");
    assertThrows(() => lib.ggml_graph_reset(graphOf(hard, false)), Error, "cgraph->grads != NULL");
  });
});

Deno.test("ids of the wrong type, positions of the wrong length and the like are errors", () => {
  withContext((ctx) => {
    const a = newTensor(ctx, F32, 8, 4), ids = newTensor(ctx, I32, 3), floats = newTensor(ctx, F32, 3);
    assertThrows(() => lib.ggml_get_rows(ctx, a, floats), Error, "b->type == GGML_TYPE_I32");
    assertThrows(() => lib.ggml_rope(ctx, a, ids, 8, 0), Error, "a->ne[2] == b->ne[0]");
    assertThrows(() => lib.ggml_get_unary_op(a), Error, "tensor->op == GGML_OP_UNARY");
    const rows = lib.ggml_get_rows(ctx, a, ids);
    compute(ctx, rows);
  });
});

Deno.test("load({ guards: false }) turns them off", async () => {
  assertThrows(() => load({ guards: 1 as never }), TypeError, "load({ guards }): expected a boolean, got the number 1");
  const { code, stderr } = await program(`
    import { lib, load } from "@ggml/deno";
    import { init } from "@ggml/deno/utils";
    load({ guards: false });
    const ctx = init();
    lib.ggml_add(ctx, lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 2), lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 3));
  `);
  assert(code !== 0 && stderr.includes("GGML_ASSERT(ggml_can_repeat(b, a)) failed"), stderr);
});

Deno.test("a guard that throws changes nothing", () => {
  using ctx = init({ memSize: 1024 * 1024 });
  const a = newTensor(ctx, F32, 2), before = lib.ggml_used_mem(ctx);
  for (let i = 0; i < 100; i++) assertThrows(() => lib.ggml_add(ctx, a, lib.ggml_view_1d(ctx, a, 3, 0)), Error);
  assertEquals(lib.ggml_used_mem(ctx), before);
});
