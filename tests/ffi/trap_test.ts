/**
 * The trap: what C fails of is an Error of the call that led there, whichever way it was called, and the process goes on.
 *
 * What only a fuzzer finds is looked for in `fuzz/`; here is what the Errors say, and from where C can be called.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { compute, computeAsync, copy, init, view } from "@ggml/deno/utils";
import { callAddressAside } from "../../ffi/calls/aside.ts";
import { library } from "../../ffi/load/library.ts";
import { graphOf, newTensor, withContext } from "../context.ts";
import { inWorker, program } from "../process.ts";

const { GGML_TYPE_F32: F32, GGML_TYPE_F16: F16, GGML_TYPE_I32: I32 } = lib;

/** A failure's place in C's sources; the line is the release's business. */
const PLACE = /\(([\w./-]+):\d+\)/g;

/** The message of the Error that `action` throws, without line numbers. */
function message(action: () => unknown): string {
  return assertThrows(action, Error).message.replace(PLACE, "($1)");
}

/** Computes something and looks whether it is right. */
function assertWorks(): void {
  withContext((ctx) => {
    const a = newTensor(ctx, F32, 3);
    copy([1, 2, 3], a);
    const graph = graphOf(ctx, lib.ggml_sqr(ctx, a));
    compute(graph);
    assertEquals([...view(lib.ggml_graph_node(graph, 0)).data as Float32Array], [1, 4, 9]);
  });
}

Deno.test("an assertion is an Error with the function, C's condition and place, and each tensor", () => {
  withContext((ctx) => {
    const a = newTensor(ctx, F32, 64, 32), b = newTensor(ctx, F32, 65, 8);
    assertEquals(
      message(() => lib.ggml_mul_mat(ctx, a, b)),
      "ggml_mul_mat: assertion failed: ggml_can_mul_mat(a, b) (ggml.c): a is f32 ne=[64, 32], b is f32 ne=[65, 8]",
    );
    assertEquals(
      message(() => lib.ggml_permute(ctx, a, 0, 0, 1, 2)),
      "ggml_permute: assertion failed: axis0 != axis1 (ggml.c): a is f32 ne=[64, 32]",
    );
    const kernel = newTensor(ctx, F32, 3, 3, 3, 4), image = newTensor(ctx, F32, 10, 10, 2, 1);
    assertEquals(
      message(() => lib.ggml_conv_2d(ctx, kernel, image, 1, 1, 0, 0, 1, 1)),
      "ggml_conv_2d: assertion failed: a->ne[2] == b->ne[2] (ggml.c): a is f32 ne=[3, 3, 3, 4], b is f32 ne=[10, 10, 2]",
    );
    assertEquals(
      message(() => lib.gguf_get_key(lib.gguf_init_empty(), 7)).replace(/:.*:/, ":"),
      "gguf_get_key: key_id >= 0 && key_id < gguf_get_n_kv(ctx) (gguf.cpp)",
    );
  });
  assertWorks();
});

Deno.test("the stack of the Error begins at the function that was called", () => {
  withContext((ctx) => {
    const error = assertThrows(() => lib.ggml_add(ctx, newTensor(ctx, F32, 2), newTensor(ctx, F32, 3)), Error);
    assertMatch(error.stack!.split("\n")[1], /at .*ggml_add .*functions\.js/);
  });
});

Deno.test("a division by zero in C is an Error", () => {
  if (Deno.build.arch !== "x86_64") return console.warn("SKIPPED: this processor divides by zero without a word");
  withContext((ctx) => {
    const kernel = newTensor(ctx, F32, 3, 3, 2, 4), image = newTensor(ctx, F32, 10, 10, 2, 1);
    assertStringIncludes(
      message(() => lib.ggml_conv_2d(ctx, kernel, image, 0, 1, 0, 0, 1, 1)),
      "ggml_conv_2d: C divided by zero: a is f32 ne=[3, 3, 2, 4]",
    );
  });
  assertWorks();
});

Deno.test("a null pointer that C uses is an Error", () => {
  using ctx = init({ noAlloc: true });
  const wrong = newTensor(ctx, F32, 4);
  assertMatch(message(() => lib.ggml_set_f32(wrong, 1)), /^ggml_set_f32/);
  assertThrows(() => compute(graphOf(ctx, lib.ggml_sqr(ctx, wrong))), Error, "has no memory");
  assertWorks();
});

Deno.test("operations too deep for C's recursion are an Error", () => {
  withContext((ctx) => {
    const graph = lib.ggml_new_graph_custom(ctx, 400_000, false);
    let sum = newTensor(ctx, F32, 1);
    for (let i = 0; i < 300_000; i++) sum = lib.ggml_add_inplace(ctx, sum, sum);
    assertMatch(
      message(() => lib.ggml_build_forward_expand(graph, sum)),
      /^ggml_build_forward_expand: C called itself so often that its stack is full/,
    );
  }, 256 * 1024 * 1024);
  assertWorks();
});

Deno.test("a context that is full says how much of it is used", () => {
  withContext((ctx) => {
    newTensor(ctx, F32, 1);
    const used = lib.ggml_used_mem(ctx);
    assertEquals(
      message(() => lib.ggml_new_tensor_1d(ctx, F32, 4096)),
      `ggml_new_tensor_1d: assertion failed: obj_new (ggml.c): the context's memory is full: ${used} of 4096 bytes are used`,
    );
    assertThrows(
      () => lib.ggml_new_graph(ctx),
      Error,
      `C used a null pointer: the context's memory may be full: ${lib.ggml_used_mem(ctx)} of 4096 bytes are used, and a graph takes ` +
        `${lib.ggml_graph_overhead()}: ggml_new_graph_custom makes smaller ones`,
    );
    const kernel = newTensor(ctx, F16, 3, 3, 2, 4), image = newTensor(ctx, F32, 10, 10, 2, 1);
    assertThrows(() => lib.ggml_conv_2d(ctx, kernel, image, 1, 1, 0, 0, 1, 1), Error, "the context's memory is full");
  }, 4096);
  assertWorks();
});

Deno.test("an operation that C can't derive is named", () => {
  const derive = (operation: (ctx: lib.ggml_context, a: lib.ggml_tensor) => lib.ggml_tensor) => {
    using ctx = init();
    const a = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4), loss = lib.ggml_sum(ctx, operation(ctx, lib.ggml_relu(ctx, a)));
    const graph = lib.ggml_new_graph_custom(ctx, 64, true);
    lib.ggml_set_param(a);
    lib.ggml_set_loss(loss);
    lib.ggml_build_forward_expand(graph, loss);
    return assertThrows(() => lib.ggml_build_backward_expand(ctx, graph, null), Error).message;
  };
  assertMatch(
    derive((ctx, a) => lib.ggml_pad(ctx, a, 1, 0, 0, 0)),
    /^ggml_build_backward_expand: ggml_compute_backward: unsupported ggml op for backward pass: PAD \(ggml\.c:\d+\)$/,
  );
  assertMatch(
    derive(lib.ggml_elu),
    /^ggml_build_backward_expand: fatal error .*: C has no gradient of a unary operation in cgraph, which has RELU, ELU$/,
  );
});

Deno.test("a kernel's failure names the node, and the graph is stopped there", () => {
  for (const threads of [1, 2]) {
    withContext((ctx) => {
      const squares = lib.ggml_sqr(ctx, lib.ggml_set_name(newTensor(ctx, I32, 64), "whole"));
      const graph = graphOf(ctx, lib.ggml_sqrt(ctx, lib.ggml_set_name(squares, "squares")));
      assertEquals(
        message(() => lib.ggml_graph_compute_with_ctx(ctx, graph, threads)),
        'ggml_graph_compute_with_ctx: node 0 (SQR "squares": i32 ne=[64]): fatal error (ggml-cpu/unary-ops.cpp); src[0] is i32 ne=[64]',
      );
    });
    assertWorks();
  }
});

Deno.test("the node's number is right, far into a graph", () => {
  withContext((ctx) => {
    let a = newTensor(ctx, F32, 8);
    for (let i = 0; i < 100; i++) a = lib.ggml_add(ctx, a, a);
    const rows = lib.ggml_set_i32(newTensor(ctx, I32, 2), 5);
    const graph = graphOf(ctx, lib.ggml_get_rows(ctx, lib.ggml_reshape_2d(ctx, a, 4, 2), rows));
    for (const run of [() => compute(graph), () => lib.ggml_graph_compute_with_ctx(ctx, graph, 2)]) {
      assertMatch(
        message(run),
        /node 101 \(GET_ROWS .*: f32 ne=\[4, 2\]\): assertion failed: i01 >= 0 && i01 < ne01 \(ggml-cpu\/ops\.cpp\)/,
      );
    }
    lib.ggml_set_i32(rows, 1);
    compute(graph);
  });
});

Deno.test("it works in calls that V8 has compiled, and costs what is not wrong nothing", () => {
  withContext((ctx) => {
    const a = newTensor(ctx, F32, 4), b = newTensor(ctx, F32, 3);
    let errors = 0;
    for (let i = 0; i < 20_000; i++) {
      try {
        lib.ggml_add(ctx, a, b);
      } catch (error) {
        errors++;
        assert((error as Error).message.includes("ggml_can_repeat(b, a)"));
      }
    }
    assertEquals(errors, 20_000);
    assertEquals(lib.ggml_nelements(lib.ggml_add(ctx, a, a)), 4);
  });
});

Deno.test("nested: an operator in TypeScript calls C, which fails; the computation fails with that Error", () => {
  withContext((ctx) => {
    const a = newTensor(ctx, F32, 4), b = newTensor(ctx, F32, 3);
    let caught = 0;
    const careful = new lib.ggml_custom1_op_t(() => {
      assertThrows(() => lib.ggml_add(ctx, a, b), Error, "ggml_can_repeat");
      caught++;
    });
    const graph = graphOf(ctx, lib.ggml_map_custom1(ctx, a, careful, 1, null));
    for (let i = 0; i < 1000; i++) compute(graph);
    assertEquals(caught, 1000);
    const careless = new lib.ggml_custom1_op_t(() => void lib.ggml_add(ctx, a, b));
    const failing = graphOf(ctx, lib.ggml_map_custom1(ctx, a, careless, 1, null));
    assertThrows(() => compute(failing), Error, "ggml_add: assertion failed");
    compute(graph);
  }, 64 << 20);
  assertWorks();
});

Deno.test("computeAsync rejects with its own failure, however many run", async () => {
  using ctx = init({ memSize: 256 << 20 });
  const graphs = Array.from({ length: 100 }, (_, i) => {
    const table = lib.ggml_set_f32(newTensor(ctx, F32, 64, 64), i);
    const rows = lib.ggml_set_i32(newTensor(ctx, I32, 3), i % 2 === 0 ? 1 : 1000 + i);
    const big = lib.ggml_mul_mat(ctx, table, table);
    return { i, graph: graphOf(ctx, lib.ggml_set_name(lib.ggml_get_rows(ctx, big, rows), `rows ${i}`)) };
  });
  await Promise.all(graphs.map(async ({ i, graph }) => {
    if (i % 2 === 0) return await computeAsync(graph, { threads: 2 });
    const error = await assertRejects(() => computeAsync(graph, { threads: 2 }), Error);
    assertStringIncludes(error.message, `computeAsync: node 1 (GET_ROWS "rows ${i}": `);
  }));
  graphs.forEach(({ i, graph }) => i % 2 === 0 && assertEquals(view(lib.ggml_graph_node(graph, 1)).get(0, 0), 64 * i * i));
});

Deno.test("in Workers, several at once", async () => {
  const text = `
    import { lib } from "${new URL("../../mod.ts", import.meta.url)}";
    import { init } from "${new URL("../../utils/mod.ts", import.meta.url)}";
    const ctx = init(), a = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4), b = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 3);
    let errors = 0;
    for (let i = 0; i < 5000; i++) try { lib.ggml_add(ctx, a, b); } catch { errors++; }
    postMessage(errors);`;
  assertEquals(await Promise.all(Array.from({ length: 4 }, () => inWorker(text))), [5000, 5000, 5000, 5000]);
  assertWorks();
});

Deno.test({
  name: "the stack for signals has room for a handler on each thread that calls C, whatever of the processor's state a signal leaves there",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const { symbols } = Deno.dlopen("libc.so.6", { getauxval: { parameters: ["u64"], result: "u64" } });
    const least = Number(symbols.getauxval(51n /* AT_MINSIGSTKSZ */)) + 0x1000;
    const address = library().address("sigaltstack")!, stack = new BigUint64Array(3); // stack_t
    const pointer = Deno.UnsafePointer.create(address) as Deno.PointerObject<never>;
    new Deno.UnsafeFnPointer(pointer, { parameters: ["u64", "buffer"], result: "i32" }).call(0n, stack);
    assert(Number(stack[2]) >= least, `${stack[2]} bytes on the thread of the tests`);
    const where = BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(stack)));
    await Promise.all(Array.from({ length: 8 }, () => callAddressAside(address, "test", [0n, where])));
    assert(Number(stack[2]) >= least, `${stack[2]} bytes on a thread that Deno lends`);
    const text = `
      import { lib } from "${new URL("../../mod.ts", import.meta.url)}";
      lib.ggml_type_size(0);
      const stack = new BigUint64Array(3);
      const { symbols } = Deno.dlopen("libc.so.6", { sigaltstack: { parameters: ["u64", "buffer"], result: "i32" } });
      symbols.sigaltstack(0n, stack);
      postMessage(Number(stack[2]));`;
    for (const bytes of await Promise.all([1, 2, 3].map(() => inWorker(text)))) {
      assert(bytes as number >= least, `${bytes} in a Worker`);
    }
  },
});

Deno.test("a fault that isn't C's goes where it went before: WebAssembly's own trap, and the end of the process", async () => {
  // (module (memory 1) (func (export "f") (result i32) (i32.load (i32.const 1000000))))
  const bytes = Uint8Array.fromHex("0061736d010000000105016000017f030201000503010001070501016600000a0b01090041c0843d2802000b");
  const { instance } = await WebAssembly.instantiate(bytes);
  const f = instance.exports.f as () => number;
  assertWorks();
  for (let i = 0; i < 3; i++) assertThrows(f, WebAssembly.RuntimeError, "out of bounds");
  if (Deno.build.os === "windows") return;
  const { code, stdout } = await program(`
    import { load } from "@ggml/deno";
    const { symbols } = Deno.dlopen(load().files[0], {
      raise: { parameters: ["i32"], result: "i32" }, memset: { parameters: ["u64", "i32", "u64"], result: "pointer" },
    });
    symbols.raise(11); // Deno itself survives one that is only sent
    console.log("alive");
    symbols.memset(0n, 0, 8n);`);
  assertEquals([code, stdout], [128 + 11, "alive\n"]);
});

Deno.test("a view beyond its source, indices of a wrong type and the like are Errors", () => {
  withContext((ctx) => {
    const a = newTensor(ctx, F32, 8);
    assertThrows(() => lib.ggml_view_1d(ctx, a, 8, 4), Error, "data_size + view_offs <= ggml_nbytes(view_src)");
    assertEquals(lib.ggml_view_1d(ctx, a, 7, 4).ne, [7, 1, 1, 1]);
    assertThrows(() => lib.ggml_get_rows(ctx, a, newTensor(ctx, F32, 3)), Error, "b->type == GGML_TYPE_I32");
    assertThrows(() => lib.ggml_get_unary_op(a), Error, "tensor->op == GGML_OP_UNARY");
  });
});
