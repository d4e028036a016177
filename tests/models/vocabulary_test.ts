/**
 * Text to tokens and back, with the vocabularies of llama.cpp's own tests.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { loadModel } from "@ggml/deno/models";
import { onLog } from "@ggml/deno/utils";
import { pinnedTree } from "../../lexer/ggml/release.ts";
import { tinyModel } from "./models.ts";

const quiet = onLog(() => {}); // C warns of what old vocabularies lack
addEventListener("unload", () => quiet[Symbol.dispose]());

const tree = await pinnedTree().catch((error) => {
  console.warn(`SKIPPED: llama.cpp's vocabularies can't be had here: ${error.message}`);
  return null;
});
const folder = tree === null ? null : `${tree.replace(/\/$/, "")}/models`;

const names = folder === null
  ? []
  : [...Deno.readDirSync(folder)].flatMap(({ name }) => name.endsWith(".gguf.out") ? [name.slice(0, -4)] : []);

/** The texts of a vocabulary, and the tokens that each is to have. */
async function casesOf(name: string): Promise<[string, number[]][]> {
  const [inputs, outputs] = await Promise.all([".inp", ".out"].map((end) => Deno.readTextFile(`${folder}/${name}${end}`)));
  const texts = inputs.split("\n__ggml_vocab_test__\n"), lines = outputs.trimEnd().split("\n");
  if (texts.length !== lines.length) texts.pop(); // what follows the last mark
  assertEquals(texts.length, lines.length, name);
  return texts.map((text, i) => [text, lines[i].trim() === "" ? [] : lines[i].trim().split(/\s+/).map(Number)]);
}

let count = 0;

for (const name of names) {
  Deno.test(`${name}: the texts of llama.cpp's tests have their tokens, and these are the text again`, async () => {
    using model = await loadModel(`${folder}/${name}`, { vocabOnly: true });
    const isLossless = model.metadata["tokenizer.ggml.model"] !== "bert"; // which has no capitals, accents and spaces
    for (const [text, tokens] of await casesOf(name)) {
      assertEquals([...model.tokenize(text, { special: false })], tokens, JSON.stringify(text));
      if (isLossless && tokens.length > 0) {
        const back = model.detokenize(tokens), withoutSpaces = (text: string) => text.replaceAll(" ", ""); // some have none before "?"
        assertEquals(withoutSpaces(back), withoutSpaces(text));
      }
      count++;
    }
  });
}

Deno.test({ name: "these were 694 texts", ignore: folder === null, fn: () => assertEquals([names.length, count], [15, 694]) });

Deno.test({
  name: "the name of a control token in a text is a text, unless that is asked for",
  ignore: folder === null,
  fn: async () => {
    using model = await loadModel(`${folder}/ggml-vocab-llama-spm.gguf`, { vocabOnly: true });
    assert(!model.tokenize("the</s>").includes(2));
    assertEquals(model.tokenize("the</s>", { parseSpecial: true }).at(-1), 2);
  },
});

Deno.test("control tokens are read in a text where it is asked for, and written where it is asked for", async () => {
  using model = await tinyModel();
  const { eos, bos } = model.vocabulary.special;
  assertEquals([bos, eos], [1, 2]);
  assertEquals(model.tokenize("the</s>", { parseSpecial: true }).at(-1), 2);
  assertEquals(model.tokenize("the")[0], 1);
  assert(!model.tokenize("the", { special: false }).includes(1));
  assertEquals(model.detokenize([1, 2]), "");
  assertEquals(model.detokenize([1, 2], { special: true }), "<s></s>");
  assertEquals([...model.tokenize("", { special: false })], []);
  assertEquals(model.detokenize([]), "");
  assertThrows(() => model.tokenize(5 as never), TypeError, "tokenize: expected a text, got the number 5");
  assertThrows(() => model.tokenize("a", { specials: true } as never), TypeError, "tokenize: there is no option specials");
});
