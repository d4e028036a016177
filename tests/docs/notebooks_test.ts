/** The notebooks, from top to bottom, on Deno's kernel: they show what is committed. It needs Jupyter's client for Python. */

import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { decode } from "fast-png";
import { adopt, assertSameOutputs } from "./notebooks/compare.ts";
import { execute, installKernel, missing, python } from "./notebooks/jupyter.ts";
import { type Cell, FOLDER, type Notebook, notebookNames, readNotebook, textOf, tidy } from "./notebooks/notebook.ts";
import { chromium, PICTURE, python as nbconvert, screenshot } from "./notebooks/screenshot.ts";
import { deno } from "../process.ts";

const ROOT = new URL("../../", import.meta.url);
const ignore = python === null;
if (ignore) console.warn(`notebooks_test.ts: skipped what executes notebooks, for ${missing}`);

const kernel = ignore ? "" : await installKernel();
Deno.test.afterAll(async () => {
  if (!ignore) await Deno.remove(kernel, { recursive: true });
});

const names = await notebookNames();

/** The text of the cells with code. */
function codeOf({ cells }: Notebook): string[] {
  return cells.filter(({ cell_type }) => cell_type === "code").map(({ source }) => textOf(source));
}

/** A notebook of these cells. */
function notebookOf(...sources: string[]): Notebook {
  const cells = sources.map((source, i): Cell => ({
    cell_type: "code",
    execution_count: null,
    id: `cell-${i}`,
    metadata: { tags: source.startsWith("// fails") ? ["raises-exception"] : [] },
    outputs: [],
    source,
  }));
  const kernelspec = { display_name: "Deno", language: "typescript", name: "deno" };
  return { cells, metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 };
}

async function executed(...sources: string[]): Promise<Notebook> {
  return tidy(await execute(notebookOf(...sources), FOLDER, kernel));
}

Deno.test("there are five notebooks", () => {
  assertEquals(names, ["graph.ipynb", "models.ipynb", "quantization.ipynb", "quickstart.ipynb", "train.ipynb"]);
});

for (const name of names) {
  Deno.test({
    name: `${name} shows what is committed`,
    ignore,
    fn: async () => {
      const committed = await readNotebook(name);
      assertSameOutputs(tidy(await execute(committed, FOLDER, kernel)), committed);
    },
  });

  Deno.test(`${name} is committed as it was executed, in order, and tells nothing of the machine`, async () => {
    const { cells } = await readNotebook(name);
    const counts = cells.filter(({ cell_type }) => cell_type === "code").map(({ execution_count }) => execution_count);
    assertEquals(counts, counts.map((_, i) => i + 1));
    const text = JSON.stringify(cells.map(({ outputs }) => outputs ?? [])).replace(/iVBOR[\w+/=]+/g, "a picture");
    for (const place of ["file://", ROOT.pathname, " 0x"]) assert(!text.includes(place), `${place} is in ${name}`);
  });
}

// `deno fmt --check` itself finds fault with every cell that doesn't end in an empty line, and so is kept from them.
Deno.test("the notebooks are sound and well-formed TypeScript", async () => {
  const folder = await Deno.makeTempDir();
  const entry = (path: string) => `"${new URL(path, ROOT)}"`;
  try {
    for (const name of names) {
      const text = `${codeOf(await readNotebook(name)).join("\n")}\n`;
      await Deno.writeTextFile(`${folder}/${name}.ts`, text);
      // A program elsewhere knows the package by its path alone.
      const local = text.replace(/"@ggml\/deno(\/\w+)?"/g, (_, folder = "") => entry(`.${folder}/mod.ts`));
      await Deno.writeTextFile(`${folder}/local_${name}.ts`, local);
    }
    const config = `--config=${new URL("deno.json", ROOT).pathname}`;
    const formed = await deno(["fmt", "--check", config, ...names.map((name) => `${folder}/${name}.ts`)]);
    assertEquals(formed.code, 0, formed.stderr);
    const sound = await deno(["check", "--quiet", config, ...names.map((name) => `${folder}/local_${name}.ts`)]);
    assertEquals(sound.code, 0, sound.stderr);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

const noCamera = chromium === null || nbconvert === null;
if (noCamera) console.warn("notebooks_test.ts: skipped the README's picture: apt-get install chromium python3-nbconvert");

Deno.test({
  name: "the README's picture of a notebook is as large as one taken now, and neither is blank",
  ignore: noCamera,
  fn: async () => {
    const path = await Deno.makeTempFile({ suffix: ".png" });
    try {
      await screenshot(path);
      const [taken, committed] = await Promise.all([path, PICTURE].map(async (file) => decode(await Deno.readFile(file))));
      assertEquals([taken.width, taken.height], [committed.width, committed.height]);
      for (const { data } of [taken, committed]) assert(new Set(data).size > 200);
    } finally {
      await Deno.remove(path);
    }
  },
});

Deno.test("the quickstart begins with the README's first example", async () => {
  const readme = await Deno.readTextFile(new URL("README.md", ROOT));
  const [, example] = readme.match(/```ts\n([^]*?)```/)!;
  const [imports, rest] = codeOf(await readNotebook("quickstart.ipynb"));
  assertEquals(`${imports.replace(/^\/\/.*\n/gm, "")}\n\n${rest}\n`, example);
});

Deno.test({
  name: "a wrong shape, a failed assertion and a freed tensor are errors in their cells, and the kernel goes on",
  ignore,
  fn: async () => {
    const { cells } = await executed(
      `import { lib } from "@ggml/deno";
import { compute, init, view } from "@ggml/deno/utils";
const ctx = init(), a = lib.ggml_set_f32(lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4), 3);`,
      `// fails: a wrong shape
lib.ggml_mul_mat(ctx, a, lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 5));`,
      `// fails: an assertion of the operation itself
const wrong = lib.ggml_sqr(ctx, lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_I32, 4)), graph = lib.ggml_new_graph(ctx);
lib.ggml_build_forward_expand(graph, wrong);
compute(graph);`,
      `// fails: memory that is gone
const other = init(), b = lib.ggml_new_tensor_1d(other, lib.GGML_TYPE_F32, 4);
lib.ggml_free(other);
lib.ggml_add(ctx, a, b);`,
      `const right = lib.ggml_new_graph(ctx), square = lib.ggml_sqr(ctx, a);
lib.ggml_build_forward_expand(right, square);
compute(right);
[...view(square).data].join();`,
    );
    const errors = cells.slice(1, 4).map(({ outputs }) => outputs!.map(({ output_type, evalue }) => `${output_type}: ${evalue}`).join());
    assertStringIncludes(errors[0], "error: ggml_mul_mat: assertion failed: ggml_can_mul_mat(a, b)");
    assertMatch(errors[1], /^error: .*node 0 \(SQR .*fatal error/);
    assertMatch(errors[2], /^error: ggml_add\(b\): .* was freed/);
    assertEquals(textOf(cells[4].outputs![0].data!["text/plain"] as string), `"9,9,9,9"`);
  },
});

Deno.test({
  name: "a cell that ends with a tensor, graph or context shows it as HTML and as text",
  ignore,
  fn: async () => {
    const { cells } = await executed(
      `import { lib } from "@ggml/deno";
import { init } from "@ggml/deno/utils";
const ctx = init(), a = lib.ggml_set_f32(lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, 4, 3), 1), graph = lib.ggml_new_graph(ctx);
lib.ggml_build_forward_expand(graph, lib.ggml_relu(ctx, a));`,
      "a",
      "graph",
      "ctx",
    );
    const shown = cells.slice(1).map(({ outputs }) => outputs!.map(({ data }) => data!));
    assertEquals(shown.map((each) => each.map((data) => Object.keys(data).sort())), Array(3).fill([["text/html", "text/plain"]]));
    const [[tensor], [graph], [context]] = shown.map((each) => each.map((data) => textOf(data["text/html"] as string)));
    assertStringIncludes(tensor, "data:image/png");
    assertStringIncludes(graph, ">RELU<");
    assertStringIncludes(context, "free");
  },
});

Deno.test({
  name: "a display is updated in place",
  ignore,
  fn: async () => {
    const show = (text: string, update: boolean) =>
      `await Deno.jupyter.display({ "text/html": "${text}" }, { raw: true, display_id: "one", update: ${update} });`;
    const { cells } = await executed(`${show("first", false)}\n${show("second", true)}`, show("third", true));
    assertEquals(cells.map(({ outputs }) => outputs!.map(({ data }) => data)), [[{ "text/html": ["third"] }], []]);
  },
});

Deno.test({
  name: "a cell that fails without being tagged fails the execution",
  ignore,
  fn: async () => {
    await assertRejects(() => executed("1;", `throw new Error("not tagged");`), Error, "not tagged");
  },
});

Deno.test("outputs that differ are told from those that don't", async () => {
  const committed = await readNotebook("train.ipynb"), text = JSON.stringify(committed);
  const changed = (from: string | RegExp, to: string): Notebook => {
    assertMatch(text, new RegExp(from));
    return JSON.parse(text.replace(from, to));
  };
  assertSameOutputs(committed, committed);
  assertThrows(() => assertSameOutputs(changed(/0 is read as 0/, "0 is read as 8"), committed), Error, "are other than the committed ones");
  assertThrows(() => assertSameOutputs(changed(/iVBORw0KGgo[\w+\\/=]+/, ""), committed), Error);
  assertEquals(adopt("0.1235 (trap.ts:7:8) #0a0b0c", "0.1234 (trap.ts:1:2) #0a0b0f"), "0.1234 (trap.ts:1:2) #0a0b0f");
  const prose = (text: string) => `<p style="white-space:pre-wrap;max-width:44em">${text}</p>`;
  assertEquals(adopt(prose("The whale swam 3 days"), prose("The whale sank")), prose("The whale sank"));
  assertEquals(adopt(prose("A whale sank"), prose("The whale sank")), prose("A whale sank"));
  for (const [actual, expected] of [["0.125", "0.123"], ["8", "7"], ["#ff0000", "#0000ff"], ["a.ts:1:2", "b.ts:1:2"]]) {
    assertEquals(adopt(actual, expected), actual);
  }
});
