/**
 * Wrong arguments of functions other than those that compute: each is an Error that names the function, and the process goes on.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { lib } from "@ggml/deno";
import { compute, copy, init, view } from "@ggml/deno/utils";
import { checks } from "../ffi/checks/mod.ts";
import { cases } from "./checks/cases.ts";

Deno.test("every check is called by its function", async () => {
  const api = await Deno.readTextFile(new URL("../lexer/api.h", import.meta.url));
  const named = Array.from(api.matchAll(/^#pragma check (\w+)$/gm), ([, name]) => name);
  assertEquals(named.toSorted(), Object.keys(checks).toSorted());
});

/** C says of these that they are right. */
const RIGHT: ReadonlySet<string> = new Set([
  "gguf_set_tensor_data 1", // by then the tensor is of a smaller type
]);

for (const [name, list] of Object.entries(cases)) {
  Deno.test(`${name}: what is wrong is an Error, and the process goes on`, () => {
    list.forEach(([call, wrong], i) => {
      const error = thrownBy(call);
      if (RIGHT.has(`${name} ${i}`)) return;
      assert(error instanceof Error, `${name}${wrong}: nothing was thrown`);
      assert(error.message.startsWith(name), `${name}${wrong}: ${error.message}`);
    });
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
  const a = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 3), squares = lib.ggml_sqr(ctx, a), graph = lib.ggml_new_graph(ctx);
  copy([1, 2, 3], a);
  lib.ggml_build_forward_expand(graph, squares);
  compute(graph);
  assertEquals([...view(squares).data as Float32Array], [1, 4, 9]);
}

Deno.test("dimensions that no tensor can have, and views that end beyond their source", () => {
  using ctx = init();
  const a = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 8);
  const wrong: (() => unknown)[] = [
    () => lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, -1),
    () => lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, 2 ** 40, 2 ** 40), // its bytes are 0, counted in 64 bits
    () => lib.ggml_new_tensor_4d(ctx, lib.GGML_TYPE_F32, 1, -1, -2, 2),
    () => lib.ggml_new_tensor(ctx, lib.GGML_TYPE_F32, 2, BigInt64Array.of(-1n, -1n)),
    () => lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_Q8_0, 100),
    () => lib.ggml_view_2d(ctx, a, 4, 2, 1000, 0),
    () => lib.ggml_view_1d(ctx, a, 4, 2n ** 64n - 8n),
    () => lib.ggml_reshape_2d(ctx, a, -2, -4),
    () => lib.ggml_repeat_4d(ctx, a, -8, -1, 1, 1),
  ];
  for (const call of wrong) assert(thrownBy(call) instanceof RangeError, String(call));
  assertEquals(lib.ggml_view_2d(ctx, a, 2, 2, 16, 8).ne, [2, 2, 1, 1]);
  assertEquals(lib.ggml_view_1d(ctx, lib.ggml_view_1d(ctx, a, 2, 4), 4, 8).ne, [4, 1, 1, 1]); // beyond the view, within what it is of
});
