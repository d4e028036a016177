/** One set of bindings with the libraries of other releases: what agrees works, what doesn't says so by name. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { differenceOf, isTooOld, namesMissingIn, OLDEST } from "../../ffi/load/history.ts";
import { ABI } from "../../ffi/generated/layouts.js";
import { RELEASES } from "../../ffi/load/releases.ts";
import { releaseTree } from "../../lexer/ggml/release.ts";
import { npmPackage } from "../npm_package.ts";
import { deno, type Ended, program } from "../process.ts";

/** The oldest package whose ggml is of a release. */
function packageOf(ggml: string): string {
  return RELEASES.find((release) => release.ggml === ggml)!.package;
}

/** The libraries of a package of npm's; null, and a message, where they can't be had. */
async function libraries(version: string): Promise<string | null> {
  const folder = Deno.build.target === "x86_64-unknown-linux-gnu" ? await npmPackage("@node-llama-cpp/linux-x64", version) : null;
  if (folder === null) console.warn(`SKIPPED: the libraries of ${version} (a package for x86-64 Linux, from npm)`);
  return folder === null ? null : `${folder}/bins/linux-x64/`;
}

/** Runs a program over the libraries of a release of ggml's. What it tells about are the messages of what it `tries`. */
async function over(ggml: string, text: string): Promise<Ended | null> {
  const path = await libraries(packageOf(ggml));
  if (path === null) return null;
  return await program(
    `import { lib, load } from "@ggml/deno";
    import { compute, copy, init, tensor, timings, view } from "@ggml/deno/utils";
    load({ path: ${JSON.stringify(path)} });
    const tries = (f: () => unknown) => { try { console.log("works:", f()); } catch (error) { console.log((error as Error).message); } };
    const computed = (ctx: lib.ggml_context, ...results: lib.ggml_tensor[]) => {
      const graph = lib.ggml_new_graph(ctx);
      for (const result of results) lib.ggml_build_forward_expand(graph, result);
      compute(graph);
      return graph;
    };
    ${text}`,
    ["--allow-ffi", "--allow-read"],
  );
}

function assertSays(ended: Ended | null, ...parts: string[]): void {
  if (ended === null) return;
  assertEquals(ended.code, 0, ended.stderr);
  for (const part of parts) assertStringIncludes(ended.stdout, part);
}

const VERSIONS = [...new Set(RELEASES.map(({ ggml }) => ggml))];
/** The oldest, those on both sides of a change of what everybody uses, and the one before the bindings'. */
const TRIED = [OLDEST, "0.9.7", "0.17.0", "0.23.0"].filter((version) => VERSIONS.includes(version) && version !== ABI.release);

Deno.test("the first example, a product, and slices compute the same with every release from the oldest on", async () => {
  const text = `using ctx = init();
    const a = tensor(ctx, Float32Array.from({ length: 256 }, (_, i) => i), { type: lib.GGML_TYPE_Q5_K });
    const b = tensor(ctx, Float32Array.from({ length: 256 }, (_, i) => i * 100));
    const product = lib.ggml_mul_mat(ctx, b, b), soft = lib.ggml_soft_max(ctx, b), sum = lib.ggml_add(ctx, a, b);
    const graph = computed(ctx, sum, product, soft, lib.ggml_gelu_erf(ctx, b));
    console.log(view(sum, { allowCopy: true }).get(3), view(product).get(0).toPrecision(4), view(soft).get(255));
    console.log(sum.op === lib.GGML_OP_ADD, soft.op === lib.GGML_OP_SOFT_MAX, lib.ggml_op_name(soft.op), lib.ggml_op_desc(product));
    compute(graph, { timing: true });
    console.log(timings(graph).map(({ op }) => op).join(" "));`;
  for (const version of TRIED) {
    assertSays(
      await over(version, text),
      "312.375 5.560e+10 1\n",
      "true true SOFT_MAX MUL_MAT",
      "ADD MUL_MAT SOFT_MAX GELU_ERF",
    );
  }
});

Deno.test("a function that the library lacks, or that takes other arguments there, says so when it is called", async () => {
  const text = `using ctx = init();
    const a = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4);
    tries(() => lib.ggml_cumsum(ctx, a));
    tries(() => lib.ggml_ssm_scan(ctx, a, a, a, a, a, a, a, 1));
    tries(() => lib.ggml_sqr(ctx, a).op === lib.GGML_OP_SQR);`;
  const ended = await over(OLDEST, text);
  assertSays(ended, `ggml_cumsum is not in the loaded library, ggml ${OLDEST} (the bindings are of ${ABI.release})`, "works: true");
  assertSays(ended, `ggml_ssm_scan has other arguments in ggml ${OLDEST}, the loaded library, than in ${ABI.release}`);
  assertSays(ended, "that changed between 0.19.0 and 0.23.0. Load a library of ggml");
});

Deno.test("a struct by value that has other fields there is refused with the function that passes it; llama's other functions work", async () => {
  const text = `tries(() => lib.llama_model_default_params());
    tries(() => lib.llama_model_load_from_file("/nowhere", new lib.llama_model_params()));
    tries(() => lib.llama_sampler_init_penalties(1, 2, 3, 4, 5));
    tries(() => lib.llama_max_parallel_sequences() > 0);
    tries(() => lib.llama_context_default_params().n_ctx);`;
  const ended = await over("0.19.0", text);
  assertSays(ended, "llama_model_default_params has another llama_model_params in ggml 0.19.0, the loaded library");
  assertSays(ended, "llama_model_load_from_file has another llama_model_params", "works: true", "works: 512");
  const older = await over("0.17.0", text);
  assertSays(older, "llama_sampler_init_penalties has other arguments in ggml 0.17.0", "llama_context_default_params has another");
  const newer = await over("0.23.0", text);
  assertSays(newer, "works: llama_model_params", "works: true"); // its structs are the same
});

Deno.test("a struct that has fewer fields there works, but for those", async () => {
  const text = `using ctx = init();
    const a = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4), graph = lib.ggml_new_graph(ctx);
    lib.ggml_build_forward_expand(graph, lib.ggml_sqr(ctx, lib.ggml_set_f32(a, 3)));
    const plan = lib.ggml_graph_plan(graph, 1, null);
    tries(() => [plan.n_threads, plan.use_ref]);
    tries(() => plan.use_ref = true);
    tries(() => lib.ggml_graph_compute(graph, plan));
    tries(() => lib.ggml_get_f32_1d(lib.ggml_graph_node(graph, 0), 3));`;
  const ended = await over(OLDEST, text);
  assertSays(ended, "works: [ 1, false ]", `ggml_cplan.use_ref is not in the loaded library, ggml ${OLDEST}`, "works: 9");
});

Deno.test("a value of an enum that the library lacks is refused by name, one that it numbers otherwise means the same", async () => {
  const text = `using ctx = init();
    const a = lib.ggml_set_f32(lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4), -1.5);
    tries(() => lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_NVFP4, 64));
    tries(() => lib.ggml_op_name(lib.GGML_OP_CUMSUM));
    tries(() => lib.ggml_unary(ctx, a, lib.GGML_UNARY_OP_TRUNC));
    tries(() => lib.ggml_op_name(lib.GGML_OP_ROPE));
    tries(() => lib.ggml_unary_op_name(lib.GGML_UNARY_OP_XIELU));
    const erf = lib.ggml_unary(ctx, a, lib.GGML_UNARY_OP_GELU_ERF);
    tries(() => [erf.op === lib.GGML_OP_UNARY, lib.ggml_get_unary_op(erf) === lib.GGML_UNARY_OP_GELU_ERF]);
    computed(ctx, erf);
    tries(() => view(erf).get(0).toFixed(4));
    const none = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 1);
    tries(() => (none.op = lib.GGML_OP_ROPE, lib.ggml_op_desc(none)));
    tries(() => none.op = lib.GGML_OP_TOP_K);`;
  const ended = await over(OLDEST, text);
  const who = `is not in the loaded library, ggml ${OLDEST}`;
  assertSays(ended, `ggml_new_tensor_1d(type): GGML_TYPE_NVFP4 ${who}`, `ggml_op_name(op): GGML_OP_CUMSUM ${who}`);
  assertSays(
    ended,
    `ggml_unary(op): GGML_UNARY_OP_TRUNC ${who}`,
    "works: ROPE\nworks: XIELU\nworks: [ true, true ]\nworks: -0.1002\nworks: ROPE\n",
  );
  assertSays(ended, `ggml_tensor.op: GGML_OP_TOP_K ${who}`);
});

Deno.test("what is checked of an operation is checked where it has another number", async () => {
  const text = `using ctx = init();
    const rows = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, 4, 2), to = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, 4, 3);
    const indices = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_I32, 2);
    copy(new Int32Array([0, 7]), indices);
    const back = lib.ggml_get_rows_back(ctx, rows, indices, to), graph = lib.ggml_new_graph(ctx);
    lib.ggml_build_forward_expand(graph, back);
    tries(() => lib.ggml_graph_compute_with_ctx(ctx, graph, 1));
    const map = lib.ggml_map_custom1(ctx, rows, new lib.ggml_custom1_op_t(() => console.log("called")), 2, null);
    const other = lib.ggml_new_graph(ctx);
    lib.ggml_build_forward_expand(other, map);
    tries(() => lib.ggml_graph_compute_with_ctx(ctx, other, 2));`; // a callback from another thread would never be answered
  assertSays(await over(OLDEST, text), "index 7 at [1, 0, 0, 0]", "is out of range", "called\nworks: 0");
});

Deno.test("bindings of an older release say by name what a newer library has otherwise, and the rest works", async () => {
  const path = await libraries(RELEASES.at(-1)!.package);
  const tree = await releaseTree(packageOf("0.19.0")).catch(() => null);
  if (path === null || tree === null) return console.warn("SKIPPED: bindings of another release (from npm)");
  const out = await Deno.makeTempDir();
  try {
    const made = await deno(["run", "-A", "--quiet", "lexer/ggml/regenerate.ts", "--include", tree, "--out", out]);
    assertEquals(made.code, 0, made.stderr);
    const text = `import { lib } from "${out}/lib.js"; import { load } from "@ggml/deno"; load({ path: ${JSON.stringify(path)} });
      const tries = (f: () => unknown) => { try { console.log("works:", f()); } catch (error) { console.log((error as Error).message); } };
      const ctx = lib.ggml_init(new lib.ggml_init_params({ mem_size: 1e6 })), a = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4);
      tries(() => lib.ggml_ssm_scan(ctx, a, a, a, a, a, a, a));
      tries(() => lib.llama_model_default_params());
      tries(() => lib.ggml_op_name(lib.ggml_sqr(ctx, a).op));
      tries(() => lib.llama_context_default_params().n_ctx);`;
    const ended = await program(text, ["--allow-ffi", "--allow-read"]);
    assertSays(ended, `ggml_ssm_scan has other arguments in ggml ${RELEASES.at(-1)!.ggml}, the loaded library, than in 0.19.0`);
    assertSays(ended, "llama_model_default_params has another llama_model_params", "works: SQR", "works: 512");
  } finally {
    await Deno.remove(out, { recursive: true });
  }
});

Deno.test("of a library between two releases that were looked at, what changed between them is refused", () => {
  assert(differenceOf("ggml_ssm_scan", "0.25.1", "0.21.0")?.includes("changed between 0.19.0 and 0.23.0"));
  assertEquals(differenceOf("ggml_ssm_scan", "0.25.1", "0.23.5"), null);
  assertEquals(differenceOf("ggml_ssm_scan", "0.17.0", "0.19.0"), null);
  assertEquals(differenceOf("ggml_ssm_scan", "0.25.1", "99.0.0"), null);
  assertEquals(differenceOf("ggml_add", "0.25.1", OLDEST), null);
  assertEquals(differenceOf("ggml_graph_plan", "0.25.1", OLDEST), null); // a field more here
  assert(differenceOf("ggml_graph_plan", OLDEST, "0.25.1")?.includes("another ggml_cplan")); // C would write it behind the struct
  assertEquals([OLDEST, "0.0.1", "0.9.3", null, "0.25.1-dirty"].map(isTooOld), [false, true, true, true, false]);
  assert(namesMissingIn(OLDEST).has("GGML_TYPE_NVFP4") && !namesMissingIn("0.25.1").has("GGML_TYPE_NVFP4"));
});
