/** A model in several files, as llama.cpp's gguf-split writes them: the first is named, and the others are found beside it. */

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { loadModel, type Model } from "@ggml/deno/models";
import { onLog, readGguf, writeGguf } from "@ggml/deno/utils";
import { folder, GREEDY, read, tinyPath } from "./models.ts";

const quiet = onLog(() => {});
addEventListener("unload", () => quiet[Symbol.dispose]());

/** Writes a model's tensors into so many files; gives their paths. */
async function split(path: string, count: number): Promise<string[]> {
  using file = readGguf(path);
  const names = [...file.tensors.keys()], numbered = (i: number) => String(i).padStart(5, "0");
  const paths = Array.from({ length: count }, (_, i) => `${folder}/parts-${numbered(i + 1)}-of-${numbered(count)}.gguf`);
  for (const [i, path] of paths.entries()) {
    const numbers = {
      "split.no": { type: "u16", value: i },
      "split.count": { type: "u16", value: count },
      "split.tensors.count": { type: "i32", value: names.length },
    } as const;
    const mine = names.filter((_, at) => at % count === i);
    await writeGguf(path, {
      metadata: new Map([...i === 0 ? file.metadata : [], ...Object.entries(numbers)]),
      tensors: new Map(mine.map((name) => [name, file.tensors.get(name)!])),
    });
  }
  return paths;
}

async function tokensOf(model: Model): Promise<number[]> {
  using session = model.session({ context: 64, threads: 1 });
  return (await read(session.generate("the thing", { ...GREEDY, maxTokens: 20 }))).tokens;
}

Deno.test("loadModel: of a model in three files the first is enough, and one that is missing is named", async () => {
  using whole = await loadModel(tinyPath());
  const paths = await split(tinyPath(), 3);
  {
    using model = await loadModel(paths[0]);
    assertEquals([model.info.parameters, await tokensOf(model)], [whole.info.parameters, await tokensOf(whole)]);
  }
  Deno.removeSync(paths[2]);
  const { message } = await assertRejects(() => loadModel(paths[0]), Error);
  assertMatch(message, /^loadModel: .*parts-00001-of-00003\.gguf: .*parts-00003-of-00003\.gguf/);
});
