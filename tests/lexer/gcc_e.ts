/**
 * Our preprocessor's output beside `gcc -E`'s, token for token.
 *
 * @module
 */

import { Diagnostics } from "../../lexer/text/diagnostics.ts";
import * as K from "../../lexer/tokens/kinds.ts";
import { type ParseOptions, preprocess } from "../../lexer/mod.ts";
import { Sources } from "../../lexer/text/source.ts";
import { Identifiers, Tokenizer } from "../../lexer/tokens/tokenize.ts";
import { gcc } from "./judge.ts";

/** Spellings of the tokens of a text. */
export function spellings(text: string): string[] {
  const tokenizer = new Tokenizer(text, 0, new Identifiers(), new Diagnostics(new Sources()));
  const out: string[] = [];
  for (let token = tokenizer.next(); token.kind !== K.EOF; token = tokenizer.next()) out.push(token.text);
  return out;
}

/** The first difference between our tokens and gcc's, in words; null where there is none. */
export function compareWithGcc(headers: readonly string[], options: ParseOptions = {}): { difference: string | null; tokens: number } {
  const folder = Deno.makeTempDirSync();
  try {
    const file = `${folder}/main.c`;
    Deno.writeTextFileSync(file, headers.map((header) => `#include "${header}"\n`).join(""));
    const flags = [
      ...(options.include ?? []).map((path) => `-I${path}`),
      ...Object.entries(options.defines ?? {}).map(([name, value]) => `-D${name}=${value}`),
    ];
    const { ok, out, err } = gcc(["-std=gnu17", "-E", "-P", ...flags, file]);
    if (!ok) return { difference: err, tokens: 0 };
    const ours = preprocess([file], { standard: true, target: "x86_64-linux", ...options });
    const a = spellings(ours.text);
    const b = spellings(out);
    for (let i = 0; i < Math.max(a.length, b.length); i++) {
      if (a[i] === b[i]) continue;
      const context = (list: string[]): string => list.slice(Math.max(0, i - 8), i + 8).join(" ");
      return { difference: `token ${i}: ours\n  ${context(a)}\ngcc's\n  ${context(b)}`, tokens: a.length };
    }
    return { difference: null, tokens: a.length };
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

if (import.meta.main) {
  const include = Deno.args.filter((arg) => arg.startsWith("-I")).map((arg) => arg.slice(2));
  const { difference, tokens } = compareWithGcc(Deno.args.filter((arg) => !arg.startsWith("-")), { include });
  console.log(difference ?? `${tokens} tokens, the same`);
  Deno.exit(difference === null ? 0 : 1);
}
