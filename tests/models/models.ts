/**
 * What the tests of `@ggml/deno/models` share.
 *
 * @module
 */

import { lib } from "@ggml/deno";
import { type Ended, loadModel, type Model, type Piece } from "@ggml/deno/models";
import { copy, init } from "@ggml/deno/utils";
import { smollm2 } from "../smollm2.ts";
import { generator } from "../random.ts";
import { describeTinyLlama, type Tokenizer } from "../tiny_llama.ts";

/** A folder that is removed when the tests are over. */
export const folder = Deno.makeTempDirSync();
addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

/** The path of a model of a few kilobytes with random weights, so that no two tokens are equally likely. */
export function tinyPath(tokenizer: Tokenizer = "llama", template: string | null = null): string {
  const path = `${folder}/tiny_${tokenizer}${template === null ? "" : "_chat"}.gguf`;
  using ctx = init({ memSize: 1 << 20 });
  using gguf = describeTinyLlama(ctx, tokenizer);
  if (template !== null) lib.gguf_set_val_str(gguf, "tokenizer.chat_template", template);
  const below = generator(1);
  for (let tensor = lib.ggml_get_first_tensor(ctx); tensor !== null; tensor = lib.ggml_get_next_tensor(ctx, tensor)) {
    copy(Float32Array.from({ length: lib.ggml_nelements(tensor) }, () => below(1000) / 1000 - 0.5), tensor);
  }
  if (!lib.gguf_write_to_file(gguf, path, false)) throw new Error(`can't write ${path}`);
  return path;
}

/** Such a model. What ends its texts is token 2. */
export function tinyModel(): Promise<Model> {
  return loadModel(tinyPath());
}

/** The real model's path, or null. */
export const realPath: string | null = await smollm2();

let real: Promise<Model> | null = null;

/** The real model, loaded once. */
export function realModel(): Promise<Model> {
  return real ??= loadModel(realPath!);
}

/** The likeliest token each time, and no end before `maxTokens`. */
export const GREEDY = { temperature: 0, logitBias: { 2: -Infinity } } as const;

/** All pieces, and how it ended. */
export async function read(
  pieces: AsyncGenerator<Piece, Ended, void>,
): Promise<{ tokens: number[]; texts: string[]; text: string; ended: Ended }> {
  const tokens: number[] = [], texts: string[] = [];
  for (;;) {
    const next = await pieces.next();
    if (next.done) return { tokens, texts, text: texts.join(""), ended: next.value };
    tokens.push(next.value.token);
    texts.push(next.value.text);
  }
}
