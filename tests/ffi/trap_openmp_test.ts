/**
 * The trap in a ggml whose threads are OpenMP's, as those are that one builds oneself: the library in PyPI's `pywhispercpp`. Between the loop over a
 * graph's nodes and `ggml_graph_compute` are OpenMP's own functions there, and who asks inside of its loops has no other thread to ask.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { deno, program } from "../process.ts";
import { whisperLibraries } from "../whisper.ts";

const WHAT = "the trap in a ggml with OpenMP";
const HERE = Deno.build.os === "linux" && Deno.build.arch === "x86_64";

const TESTS: readonly (readonly string[])[] = [
  ["tests/ffi/trap_test.ts", "tests/ffi/trap_training_test.ts"],
  ["tests/ffi/checks_test.ts", "--filter", "threadpool"],
];

Deno.test("with OpenMP: all that the trap is tested by, and threads that a threadpool hasn't got", { ignore: !HERE }, async () => {
  const folder = await whisperLibraries(WHAT);
  if (folder === null) return;
  for (const tests of TESTS) {
    const { code, stdout } = await deno(["test", "-A", ...tests], { GGML_LIBRARY: `${folder}/libggml.so` });
    assertEquals(code, 0, stdout);
    assert(!stdout.includes("SKIPPED"), stdout);
  }
});

Deno.test("with OpenMP: 1,500 random calls, computed", { ignore: !HERE }, async () => {
  const folder = await whisperLibraries(WHAT);
  if (folder === null) return;
  const env = { GGML_LIBRARY: `${folder}/libggml.so`, OMP_WAIT_POLICY: "passive" };
  const { code, stdout } = await deno(["run", "-A", "tests/fuzz/compute.ts", "1500"], env);
  assertEquals(code, 0, stdout);
  assertStringIncludes(stdout, "0 of 0 kinds killed the process");
});

/** A kernel that fails in the second of three nodes is the first thing that is computed, on OpenMP's threads. */
const FIRST = `
  import { lib, load } from "@ggml/deno";
  import { compute, computeAsync, init } from "@ggml/deno/utils";

  load({ path: Deno.args[0] });
  const [library, threads, aside] = Deno.args, ctx = init();
  const a = lib.ggml_set_i32(lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_I32, 4096), 1);
  const b = lib.ggml_set_f32(lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4096), 3);
  const graphOf = (...results) => {
    const graph = lib.ggml_new_graph(ctx);
    for (const result of results) lib.ggml_build_forward_expand(graph, result);
    return graph;
  };
  const wrong = graphOf(lib.ggml_sqr(ctx, b), lib.ggml_sqr(ctx, a), lib.ggml_neg(ctx, b)), right = graphOf(lib.ggml_sqr(ctx, b));
  const options = { threads: Number(threads) };
  for (let i = 0; i < 50; i++) {
    try {
      if (aside) await computeAsync(wrong, options);
      else compute(wrong, options);
    } catch (error) {
      if (i === 0) console.log(error.message);
    }
    compute(right, options);
    if (lib.ggml_get_f32_1d(lib.ggml_graph_node(right, 0), 4095) !== 9) throw new Error("wrong");
  }
`;

for (const threads of [1, 2, 4]) {
  for (const aside of ["", "aside"]) {
    Deno.test(`with OpenMP: the first kernel that fails, ${threads} threads ${aside}`, { ignore: !HERE }, async () => {
      const folder = await whisperLibraries(WHAT);
      if (folder === null) return;
      const script = FIRST.replaceAll("Deno.args", JSON.stringify([`${folder}/libggml.so`, threads, aside]));
      const { code, stdout, stderr } = await program(script, ["--allow-ffi", "--allow-read"]);
      assertEquals(code, 0, stderr);
      assertStringIncludes(stdout, 'node 1 (SQR "node_1": i32 ne=[4096]): fatal error (ggml-cpu/unary-ops.cpp');
    });
  }
}
