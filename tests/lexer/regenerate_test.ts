/** deno task regenerate: following a header that changed, by one command. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { symbols } from "../../ffi/generated/symbols.ts";
import { headers } from "./headers.ts";
import { deno, type Ended } from "../process.ts";

/** The functions that the committed bindings have. */
const BOUND = Object.keys(symbols).length;

/** How many of them have such names. */
function boundIn(prefix: string): number {
  return Object.keys(symbols).filter((name) => name.startsWith(prefix)).length;
}

async function regenerate(args: string[], env: Record<string, string> = {}): Promise<Ended> {
  return await deno(["run", "-A", "--quiet", "lexer/ggml/regenerate.ts", ...args], env);
}

/** A copy of the headers, changed, and a folder to write to. */
async function withTree(test: (tree: string, out: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const tree = `${folder}/llama.cpp`;
    const from = await headers();
    for (const part of ["ggml/include", "include"]) {
      await Deno.mkdir(`${tree}/${part}`, { recursive: true });
      for (const { name } of Deno.readDirSync(`${from}/${part}`)) await Deno.copyFile(`${from}/${part}/${name}`, `${tree}/${part}/${name}`);
    }
    await Deno.copyFile(`${from}/ggml/CMakeLists.txt`, `${tree}/ggml/CMakeLists.txt`);
    await test(tree, `${folder}/bindings`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function edit(path: string, change: (text: string) => string): Promise<void> {
  const text = await Deno.readTextFile(path), changed = change(text);
  assert(changed !== text, "the edit changes nothing");
  await Deno.writeTextFile(path, changed);
}

Deno.test("the committed bindings are what the pinned headers give, whoever names them", async () => {
  const { code, stdout, stderr } = await regenerate(["--check"]);
  assertEquals(code, 0, stderr);
  assertMatch(stdout, new RegExp(`^Up to date: ${BOUND} functions, \\d+ structs, \\d+ enums, \\d+ constants, \\d+ callback types$`, "m"));
  assertStringIncludes(stdout, `llama.h ${boundIn("llama_")}`);
  assertStringIncludes(stdout, "macros, as functions: GGML_PAD");
  assertMatch(stdout, /ggml\.h:\d+: GGML_ASSERT: function-like macro/);
  assert(!stdout.includes("Pragmas for what these headers don't declare"), stdout);
  const tree = await headers();
  assertEquals((await regenerate(["--check"], { INCLUDE: tree })).code, 0);
  assertEquals((await regenerate(["--check", "--include", tree, "--api", "lexer/ggml/api.h", "--out", "ffi/generated"])).code, 0);
});

Deno.test("a changed header changes the bindings, and --check shows how", () =>
  withTree(async (tree, out) => {
    const ggml = `${tree}/ggml/include/ggml.h`;
    await edit(ggml, (text) =>
      text
        .replace(
          "GGML_API size_t  ggml_nbytes",
          "GGML_API double ggml_brand_new(struct ggml_tensor * t, const char * why, int64_t n);\nGGML_API size_t  ggml_nbytes",
        )
        .replace("int32_t flags;", "int32_t flags; double weight;")
        .replace("GGML_TYPE_COUNT   =", "GGML_TYPE_Q9_Z = 77,\n        GGML_TYPE_COUNT   ="));
    const check = await regenerate(["--check", "--include", tree]);
    assertEquals(check.code, 1);
    assertStringIncludes(check.stderr, "+  ggml_brand_new(t, why, n) {");
    assertStringIncludes(check.stderr, "+  GGML_TYPE_Q9_Z: 77,");
    const { code, stdout, stderr } = await regenerate(["--include", tree, "--out", out]);
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, `${BOUND + 1} functions`);
    const structs = await Deno.readTextFile(`${out}/structs.d.ts`);
    assertStringIncludes(structs, "get weight(): number;");
    assertMatch(
      await Deno.readTextFile(`${out}/functions.d.ts`),
      /ggml_brand_new\(t: ggml_tensor, why: string, n: number \| bigint\): number;/,
    );
    assertEquals((await deno(["check", "--quiet", `${out}/lib.js`, `${out}/symbols.ts`])).code, 0);
    assertEquals((await deno(["fmt", "--check", "--quiet", "--config=deno.json", out])).code, 0);
    assertEquals((await regenerate(["--check", "--include", tree, "--out", out])).code, 0);
    // Bindings of other headers refuse the library that they are not for.
    const use = `import { lib } from "${out}/lib.js"; try { lib.ggml_type_size(0) } catch (error) { console.log(error.message) }`;
    await Deno.writeTextFile(`${out}/use.ts`, use);
    const used = await deno(["run", "--quiet", "--allow-ffi", "--allow-read", `--config=${Deno.cwd()}/deno.json`, `${out}/use.ts`]);
    assertStringIncludes(used.stdout, "ggml_tensor has 336 bytes there and 344 here", used.stderr);
  }));

Deno.test("API names what to bind", () =>
  withTree(async (tree, out) => {
    const api = `${tree}/mine.h`;
    await Deno.writeTextFile(
      api,
      '#include "gguf.h"\n#pragma nullable gguf_find_key(nothing)\n#pragma nullable gguf_new_in_9_9(return)\n#pragma omp parallel\n' +
        "#pragma keeps gguf_add_tensor(ctx)\n#pragma takes gguf_add_tensor(return)\n#pragma gives gguf_init_from_file(params.nothing)\n" +
        "#pragma takes gguf_free(ctx, gguf_new_in_9_9)\n",
    );
    const { code, stdout, stderr } = await regenerate(["--out", out], { INCLUDE: tree, API: api });
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, `gguf.h ${boundIn("gguf_")}`);
    assert(!stdout.includes("llama.h"), stdout);
    assertStringIncludes(stdout, `${api}:2: #pragma nullable gguf_find_key(nothing): gguf_find_key has no parameter nothing`);
    assertStringIncludes(stdout, `${api}:4: #pragma omp parallel: not a pragma of this generator: expected nullable, keeps,`);
    assertStringIncludes(stdout, `${api}:5: #pragma keeps gguf_add_tensor(ctx): expected two parameters`);
    assertStringIncludes(stdout, `${api}:6: #pragma takes gguf_add_tensor(return): gguf_add_tensor has no parameter return`);
    assertStringIncludes(stdout, `${api}:7: #pragma gives gguf_init_from_file(params.nothing): gguf_init_from_file has no parameter`);
    const elsewhere = stdout.slice(stdout.indexOf("Pragmas for what these headers don't declare: 2:"));
    assertStringIncludes(elsewhere, `${api}:3: #pragma nullable gguf_new_in_9_9(return): these headers don't declare gguf_new_in_9_9`);
    assertStringIncludes(elsewhere, `${api}:8: #pragma takes gguf_free(ctx, gguf_new_in_9_9): these headers don't declare gguf_new_in_9_9`);
  }));

Deno.test("pragmas say lengths and checks, single bits are flags; a pragma that can't be used is listed with its line", () =>
  withTree(async (tree, out) => {
    const api = `${tree}/mine.h`;
    const lines = [
      '#include "gguf.h"',
      "#pragma length gguf_set_arr_data(data: (n + 1) * 8 / 2 - 1)",
      "#pragma length gguf_init_from_buffer(data: data && size > 3 ? size : 0)",
      "#pragma check gguf_get_key",
      "#pragma length gguf_get_meta_data(data: nothing)",
      "#pragma length gguf_get_meta_data(ctx: 1)",
      "#pragma length gguf_get_meta_data(data)",
      "#pragma length gguf_get_arr_n(ctx: gguf_nope(ctx))",
      "#pragma check gguf_get_key(key_id)",
      "#pragma nullable gguf_init_params(nothing)",
      "#pragma length gguf_set_arr_str(data: n +)",
    ];
    await Deno.writeTextFile(api, lines.join("\n") + "\n");
    const flags = "enum gguf_bit { GGUF_BIT_A = 1, GGUF_BIT_B = 4, GGUF_BIT_ALL = 5 }; void gguf_set_bits(enum gguf_bit bits);\n";
    await edit(`${tree}/ggml/include/gguf.h`, (text) => text.replace("GGML_API", `${flags}GGML_API`));
    const { code, stdout, stderr } = await regenerate(["--out", out], { INCLUDE: tree, API: api });
    assertEquals(code, 0, stderr);
    for (
      const [line, reason] of [
        [5, "nothing: there is no parameter nothing"],
        [6, "ctx is no pointer to memory"],
        [7, "expected a parameter, a colon and its number of elements"],
        [8, "ctx is no pointer to memory"],
        [9, "not a pragma of this generator"],
        [10, "gguf_init_params has no field nothing"],
        [11, "n +: it ends too early"],
      ] as const
    ) assertStringIncludes(stdout, `${api}:${line}: ${lines[line - 1]}: ${reason}`);
    const functions = await Deno.readTextFile(`${out}/functions.js`);
    assertStringIncludes(functions, "$checks.gguf_get_key(functions, ctx, key_id);");
    assertStringIncludes(functions, 'const $0 = $enumerator(type, $domains.gguf_type, "gguf_type_name(type)");');
    assertStringIncludes(functions, 'const $0 = $uint32(bits, "gguf_set_bits(bits)");');
    assertStringIncludes(functions, '$atLeast(data, Math.trunc((Number($4) + 1) * 8 / 2) - 1, 1, "bytes", "(n + 1) * 8 / 2 - 1",');
    assertStringIncludes(functions, '$atLeast(data, data && Number($1) > 3 ? Number($1) : 0, 1, "bytes", "size",');
    assertMatch(await Deno.readTextFile(`${out}/enums.d.ts`), /or'ed.*\nexport type gguf_bit = number;/);
    assertEquals((await deno(["check", "--quiet", `${out}/lib.js`])).code, 0);
    assertEquals((await deno(["fmt", "--check", "--quiet", "--config=deno.json", out])).code, 0);
  }));

Deno.test("an older tree that lacks headers is bound as far as it goes", () =>
  withTree(async (tree, out) => {
    for (const name of ["include/llama.h", "ggml/include/ggml-webgpu.h"]) await Deno.remove(`${tree}/${name}`);
    const { code, stdout, stderr } = await regenerate(["--include", tree, "--out", out]);
    assertEquals(code, 0, stderr);
    assertMatch(stdout, /api\.h:\d+: llama\.h: no such header in this tree/);
    assertMatch(stdout, /api\.h:\d+: ggml-webgpu\.h: no such header in this tree/);
    const ggml = await regenerate(["--include", `${tree}/ggml`, "--out", out]); // a ggml tree: include/ at its top
    assertMatch(ggml.stdout, /functions: ggml\.h \d+, /, ggml.stderr);
  }));

Deno.test("what can't be bound is listed with its reason, and the rest is bound", () =>
  withTree(async (tree, out) => {
    await edit(`${tree}/ggml/include/gguf.h`, (text) =>
      text.replace(
        "GGML_API struct gguf_context * gguf_init_empty(void);",
        `GGML_API struct gguf_context * gguf_init_empty(void);
        union gguf_either { int i; float f; };
        GGML_API void gguf_by_value(union gguf_either e);
        GGML_API long double gguf_wide(void);
        static inline int gguf_inline(void) { return 1; }`,
      ));
    const { code, stdout, stderr } = await regenerate(["--include", tree, "--out", out]);
    assertEquals(code, 0, stderr);
    assertMatch(stdout, /gguf\.h:\d+: gguf_by_value: gguf_either by value: Deno's FFI can't describe its layout/);
    assertMatch(stdout, /gguf\.h:\d+: gguf_wide: long double can't be passed/);
    assertMatch(stdout, /gguf\.h:\d+: gguf_inline: an inline function has no symbol/);
    assertStringIncludes(stdout, `gguf.h ${boundIn("gguf_")}`);
  }));

Deno.test("a broken header is an error with its place, and nothing is written", () =>
  withTree(async (tree, out) => {
    await edit(`${tree}/ggml/include/ggml.h`, (text) => text.replace("GGML_API size_t  ggml_nbytes", "GGML_API sise_t  ggml_nbytes"));
    const { code, stderr } = await regenerate(["--include", tree, "--out", out]);
    assertEquals(code, 1);
    assertMatch(stderr, /ggml\.h:\d+:\d+: error: .*sise_t/);
    assertStringIncludes(stderr, "size_t"); // did you mean
    assertStringIncludes(stderr, "nothing was written");
    assertEquals(await Deno.stat(out).then(() => true, () => false), false);
  }));

Deno.test("a missing tree, API file or argument is an error that names it", async () => {
  const cases: [string[], number, string][] = [
    [["--include", "/nowhere"], 1, "no such folder: /nowhere"],
    [["--api", "/nowhere/api.h"], 1, "/nowhere/api.h"],
    [["--includes", "x"], 2, "unknown argument: --includes"],
    [["extra"], 2, "unknown argument: extra"],
    [["--include", ""], 2, "--include wants a path"],
    [["--api"], 2, "--api wants a path"],
    [["--out"], 2, "--out wants a path"],
    [["--include", "lexer/emit"], 1, "ggml.h"],
  ];
  for (const [args, status, message] of cases) {
    const { code, stderr } = await regenerate([...args, "--check"]);
    assertEquals(code, status, args.join(" "));
    assertStringIncludes(stderr, message);
  }
  assertStringIncludes((await regenerate(["--help"])).stdout, "--include TREE");
});
