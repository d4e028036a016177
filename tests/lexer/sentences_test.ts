/** What an editor shows of a function besides its prototype: there is a sentence for each that a newcomer meets, and it is shown. */

import { assert, assertEquals } from "@std/assert";
import { SENTENCES } from "../../lexer/ggml/sentences.ts";
import { lib } from "@ggml/deno";

/** The files that newcomers read. */
function* pages(folder: string, suffix: RegExp): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory && !["build", "images", "models", "reference"].includes(name)) yield* pages(`${folder}/${name}`, suffix);
    else if (suffix.test(name)) yield `${folder}/${name}`;
  }
}

Deno.test("every function that the examples, the guide and the notebooks name has a sentence", () => {
  const files = ["README.md", ...pages("examples", /\.(ts|ipynb)$/), ...pages("docs", /\.md$/)];
  const used = new Set(
    files.flatMap((file) => [...Deno.readTextFileSync(file).matchAll(/\b(?:ggml|gguf|llama)_\w+/g)].map(([name]) => name)),
  );
  assert(used.size > 90);
  const functions = [...used].filter((name) =>
    typeof lib[name as keyof typeof lib] === "function" && !/^class\b/.test(String(lib[name as keyof typeof lib]))
  );
  assertEquals(functions.filter((name) => !Object.hasOwn(SENTENCES, name)).sort(), []);
});

Deno.test("each sentence is one, of a function that is bound, and stands in the declarations", async () => {
  const declarations = await Deno.readTextFile("ffi/generated/functions.d.ts");
  for (const [name, sentence] of Object.entries(SENTENCES)) {
    assertEquals(typeof lib[name as keyof typeof lib], "function", name);
    assert(/^[A-Z`−].*\.$/.test(sentence), sentence);
    const comment = new RegExp(`\\/\\*\\*\\n((?: \\*.*\\n)+) \\*\\/\\nexport declare function ${name}\\(`).exec(declarations);
    assert(comment?.[1].includes(sentence), `${name}: deno task regenerate`);
  }
});

Deno.test("whatever has no sentence says where the reference is, as the others do", async () => {
  const declarations = await Deno.readTextFile("ffi/generated/functions.d.ts");
  const comments = [...declarations.matchAll(/\/\*\*((?:(?!\*\/)[^])*)\*\/\nexport declare function (\w+)\(/g)];
  const functions = comments.filter(([, , name]) => /^[a-z]/.test(name)); // a macro is shown whole
  assert(functions.length > 900);
  assertEquals(
    functions.filter(([, comment]) => !/\(\w+(?:-\w+)*\.h:\d+; reference: `deno task docs`\)/.test(comment)).map(([, , name]) => name),
    [],
  );
});
