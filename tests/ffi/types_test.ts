/** Types as an editor and a compiler see them: what must not compile doesn't, and what one hovers over says what C says. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { connect } from "../docs/lsp.ts";
import { deno } from "../process.ts";

const RIGHT = new URL("types/right.ts", import.meta.url);
const WRONG = new URL("types/wrong.ts", import.meta.url);
const EXPECT = /^ *\/\/ @ts-expect-error .*$/gm;

Deno.test("new structs take what their fields can be set to", async () => {
  const { code, stderr } = await deno(["check", "--quiet", RIGHT.pathname]);
  assertEquals(code, 0, stderr);
});

Deno.test("what must not compile doesn't", async () => {
  const { code, stderr } = await deno(["check", "--quiet", WRONG.pathname]);
  assertEquals(code, 0, stderr);
});

Deno.test("and each of those lines is an error by itself", async () => {
  const text = await Deno.readTextFile(WRONG);
  const expected = text.split("\n").flatMap((line, i) => line.match(EXPECT) ? [i + 2] : []);
  assert(expected.length > 30);
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    const alone = text.replace('"@ggml/deno"', `"${new URL("../../mod.ts", import.meta.url)}"`)
      .replace('"@ggml/deno/utils"', `"${new URL("../../utils/mod.ts", import.meta.url)}"`);
    await Deno.writeTextFile(file, alone.replace(EXPECT, "// not expected"));
    const { code, stderr } = await deno(["check", "--quiet", file]);
    assertEquals(code, 1);
    const found = [...stderr.matchAll(/^ {4}at file:(\S+):(\d+):\d+$/gm)].filter(([, path]) => path.endsWith(file)).map(([, , line]) =>
      Number(line)
    );
    assertEquals([...new Set(found)].sort((a, b) => a - b), expected, stderr);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("an array of numbers where a typed array is wanted isn't said to be no array of bigints", async () => {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(
      file,
      `import { lib } from "${new URL("../../mod.ts", import.meta.url)}";
      import { copy, init, ndarray, print, tensor, writeNpy } from "${new URL("../../utils/mod.ts", import.meta.url)}";
      const a = lib.ggml_new_tensor_1d(init(), lib.GGML_TYPE_F32, 2);
      copy([1, "2"], a);
      copy(a, [1, 2]);
      ndarray([1, 2], [2]);
      print([1, 2]);
      tensor(init(), [["1"]]);
      writeNpy("a.npy", [1, 2]);`,
    );
    const { code, stderr } = await deno(["check", "--quiet", file]);
    assertEquals(code, 1);
    assertEquals(stderr.match(/^TS\d+/gm)?.length, 6, stderr);
    assert(!/bigint|BigU?int64Array/i.test(stderr), stderr);
    assertStringIncludes(stderr, "Type 'string' is not assignable to type 'number'");
  } finally {
    await Deno.remove(file);
  }
});

/** What to hover over, and what to read then. */
const HOVERS: readonly (readonly [name: string, ...parts: string[]])[] = [
  [
    "ggml_mul_mat",
    "struct ggml_tensor *ggml_mul_mat(struct ggml_context *ctx, struct ggml_tensor *a, struct ggml_tensor *b)",
    "ctx: ",
    "a: ",
    "b: ",
  ],
  ["ggml_new_tensor_2d", "int64_t ne0, int64_t ne1", "ne0: number | bigint, ne1: number | bigint"],
  ["ggml_type_size", "size_t ggml_type_size(enum ggml_type type)", "type: "],
  ["ggml_init_params", "struct ggml_init_params"],
  ["GGML_TYPE_Q5_K", "enum ggml_type", "13"],
  [
    "async.llama_decode",
    "int32_t llama_decode(struct llama_context *ctx, struct llama_batch batch)",
    "ctx: ",
    "batch: ",
    "options?: ",
    "Promise<number>",
  ],
  ["bigint.gguf_get_val_u64", "uint64_t gguf_get_val_u64(const struct gguf_context *ctx, int64_t key_id)", "ctx: ", "key_id: ", "bigint"],
  ["async.ggml_type_name", "const char *ggml_type_name(enum ggml_type type)", "(type: ", "Promise<string>"],
];

Deno.test("hovering over a function shows its C prototype and the names of its parameters", async () => {
  const text = `import { lib } from "@ggml/deno";\n${HOVERS.map(([name]) => `lib.${name};`).join("\n")}\n`;
  await using server = await connect(new URL("../../", import.meta.url));
  const uri = new URL("hover.ts", import.meta.url).href; // open in the editor, and not on the disk
  await server.notify("textDocument/didOpen", { textDocument: { uri, languageId: "typescript", version: 1, text } });
  for (const [i, [name, ...parts]] of HOVERS.entries()) {
    const character = 4 + name.lastIndexOf(".") + 3; // in the last part of `lib.name`
    const hover = await server.request("textDocument/hover", { textDocument: { uri }, position: { line: i + 1, character } });
    const shown = JSON.stringify(hover);
    for (const part of parts) assertStringIncludes(shown, part, `${name}: ${shown}`);
  }
});
