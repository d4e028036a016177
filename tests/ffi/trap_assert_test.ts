/**
 * C's own `assert` and `abort()`, which a ggml that one builds oneself may have: Errors, where it is ggml's libraries that call them. The prebuilt ones
 * have no `assert`, so a library is compiled here whose name says that it is a part of ggml: a backend, which `ggml_backend_load` calls, and kernels.
 *
 * A ggml with all of its asserts is what `asan_test.ts` builds.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { compute, computeAsync, copy, init, view } from "@ggml/deno/utils";
import { newTensor } from "../context.ts";
import { program } from "../process.ts";

const SOURCE = `
#undef NDEBUG
#include <assert.h>
#include <stdlib.h>

static int score;
int ggml_backend_score(void) { assert(score > 0); return score; }

void asserts(void *result, const void *a, int thread, int threads, void *unused) { assert(threads == 0); }
void aborts(void *result, const void *a, int thread, int threads, void *unused) { abort(); }
`;
const REASONS = { asserts: "assertion failed: threads == 0 (asserts.c:9)", aborts: "C called abort()" } as const;

/** A test with that library, and with the same one under a name that isn't one of ggml's. */
function test(name: string, action: (library: string, other: string) => void | Promise<void>): void {
  Deno.test(name, { ignore: Deno.build.os !== "linux" }, async () => {
    const folder = await Deno.makeTempDir();
    const library = `${folder}/libggml-asserts.so`, other = `${folder}/libother.so`, source = `${folder}/asserts.c`;
    try {
      await Deno.writeTextFile(source, SOURCE);
      const { success, stderr } = await new Deno.Command("gcc", { args: ["-shared", "-fPIC", "-o", library, source] }).output();
      assert(success, new TextDecoder().decode(stderr));
      await Deno.copyFile(library, other);
      await action(library, other);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      console.warn("SKIPPED: C's assert and abort() (there is no gcc: apt-get install gcc)");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

/** An operator that is a function of the library's. */
function operator(library: string, name: keyof typeof REASONS): lib.ggml_custom1_op_t {
  const { symbols } = Deno.dlopen(library, { [name]: { type: "pointer" } });
  return lib.ggml_custom1_op_t.from(BigInt(Deno.UnsafePointer.value(symbols[name] as Deno.PointerObject)))!;
}

/** Three nodes, of which the second fails. */
function failing(ctx: lib.ggml_context, operator: lib.ggml_custom1_op_t): lib.ggml_cgraph {
  const a = lib.ggml_set_f32(newTensor(ctx, lib.GGML_TYPE_F32, 4096), 3);
  const graph = lib.ggml_new_graph(ctx);
  lib.ggml_build_forward_expand(
    graph,
    lib.ggml_sqr(ctx, lib.ggml_map_custom1(ctx, lib.ggml_sqr(ctx, a), operator, lib.GGML_N_TASKS_MAX, null)),
  );
  return graph;
}

/** Computes something and looks whether it is right. */
function assertWorks(threads = 1): void {
  using ctx = init();
  const a = newTensor(ctx, lib.GGML_TYPE_F32, 3), graph = lib.ggml_new_graph(ctx);
  copy([1, 2, 3], a);
  lib.ggml_build_forward_expand(graph, lib.ggml_sqr(ctx, a));
  compute(graph, { threads });
  assertEquals([...view(lib.ggml_graph_node(graph, 0)).data as Float32Array], [1, 4, 9]);
}

test("an assert in a call is an Error with C's condition and place", (library) => {
  for (let i = 0; i < 3; i++) {
    const { message } = assertThrows(() => lib.ggml_backend_load(library), Error);
    assertEquals(message, "ggml_backend_load: assertion failed: score > 0 (asserts.c:7)");
  }
  assertWorks();
});

for (const name of ["asserts", "aborts"] as const) {
  test(`a kernel that ${name}, on 1, 2 and 4 threads, is an Error that names the node`, async (library) => {
    using ctx = init();
    const graph = failing(ctx, operator(library, name)), says = `node 1 (MAP_CUSTOM1 "node_1": f32 ne=[4096]): ${REASONS[name]}`;
    for (const threads of [1, 2, 4]) {
      for (let i = 0; i < 3; i++) {
        assertThrows(() => compute(graph, { threads }), Error, `compute: ${says}`);
        assertThrows(() => lib.ggml_graph_compute_with_ctx(ctx, graph, threads), Error, says);
        const error = await assertRejects(() => computeAsync(graph, { threads }), Error);
        assertStringIncludes(error.message, `computeAsync: ${says}`);
        assertWorks(threads);
      }
    }
  });
}

test("nested: an operator in TypeScript calls C, which asserts; the computation fails with that Error", (library) => {
  using ctx = init();
  const graph = failing(ctx, new lib.ggml_custom1_op_t(() => void lib.ggml_backend_load(library)));
  for (let i = 0; i < 100; i++) assertThrows(() => compute(graph, { threads: 1 }), Error, "ggml_backend_load: assertion failed");
  assertWorks();
});

test("in Workers, several at once, while Deno listens for SIGABRT", async (library) => {
  const text = `
    import { lib } from "${new URL("../../mod.ts", import.meta.url)}";
    let errors = 0;
    for (let i = 0; i < 500; i++) try { lib.ggml_backend_load(${JSON.stringify(library)}); } catch { errors++; }
    postMessage(errors);`;
  const { code, stdout } = await program(
    `import { lib } from "@ggml/deno";
    const { promise: heard, resolve } = Promise.withResolvers();
    Deno.addSignalListener("SIGABRT", () => console.log("before"));
    lib.ggml_version();
    Deno.addSignalListener("SIGABRT", () => (console.log("after"), resolve()));
    const counts = await Promise.all(Array.from({ length: 4 }, () => new Promise((resolve) => {
      const worker = new Worker("data:text/javascript," + encodeURIComponent(${JSON.stringify(text)}), { type: "module" });
      worker.onmessage = ({ data }) => (worker.terminate(), resolve(data));
    })));
    console.log(...counts);
    Deno.kill(Deno.pid, "SIGABRT"); // sent: it is the listeners'
    await heard;
    Deno.exit();`,
    ["-A"],
  );
  assertEquals([code, stdout], [0, "500 500 500 500\nbefore\nafter\n"]);
});

const SIGNALLED = 128 + 6;

for (const name of ["asserts", "aborts"] as const) {
  test(`a library that isn't ggml's and ${name} ends the process, in a kernel, too`, async (library, other) => {
    const start = `import { lib } from "@ggml/deno"; import { compute, init } from "@ggml/deno/utils"; const ctx = init();
      const { symbols } = Deno.dlopen(${JSON.stringify(other)}, { ${name}: { parameters: [], result: "void" } });
      const { ${name}: at } = Deno.dlopen(${JSON.stringify(other)}, { ${name}: { type: "pointer" } }).symbols;
      const operator = lib.ggml_custom1_op_t.from(BigInt(Deno.UnsafePointer.value(at))), graph = lib.ggml_new_graph(ctx);
      lib.ggml_build_forward_expand(graph, lib.ggml_map_custom1(ctx, lib.ggml_new_tensor_1d(ctx, 0, 4), operator, 1, null));
      try { lib.ggml_backend_load(${JSON.stringify(library)}); } catch { console.log("alive"); }`;
    for (const fail of [`symbols.${name}();`, "compute(graph, { threads: 1 });"]) {
      const { code, stdout, stderr } = await program(`${start}\n${fail}`, ["-A"]);
      assertEquals([code, stdout], [SIGNALLED, "alive\n"], stderr);
    }
  });
}
