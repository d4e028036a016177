/**
 * Preprocessed tokens as text: what `cc -E -P` prints, line by line, with single spaces where there was white space.
 *
 * @module
 */

import { EOF } from "../tokens/kinds.ts";
import { type ParseOptions, TokenStream } from "../parse/stream.ts";
import type { Diagnostic } from "../text/diagnostics.ts";
import { BOL, mustSeparate, SPACE, type Token } from "../tokens/tokenize.ts";

/**
 * Preprocesses headers as one translation unit.
 *
 * @param files The headers' paths, as one file that includes each of them.
 * @param options Where headers are looked for, macros, the target; as `parse` takes them.
 * @returns The text, and the diagnostics.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { preprocess } from "@ggml/deno/lexer";
 *
 * const read = (path: string) => path === "a.h" ? "#define TWICE(x) x, x\nint TWICE(a);\n" : undefined;
 * assertEquals(preprocess(["a.h"], { read }).text, "int a, a;\n");
 * ```
 */
export function preprocess(files: readonly string[], options: ParseOptions = {}): { text: string; diagnostics: readonly Diagnostic[] } {
  const stream = new TokenStream(files, options);
  const tokens: Token[] = [];
  for (let token = stream.next(); token.kind !== EOF; token = stream.next()) tokens.push(token);
  return { text: print(tokens), diagnostics: stream.diagnostics.list };
}

/** Prints tokens. */
function print(tokens: readonly Token[]): string {
  let out = "";
  let last: Token | null = null;
  for (const token of tokens) {
    if (last !== null) {
      if ((token.flags & BOL) !== 0 || last.text.startsWith("#pragma")) out += "\n";
      else if ((token.flags & SPACE) !== 0 || mustSeparate(last, token)) out += " ";
    }
    out += token.text;
    last = token;
  }
  return last === null ? "" : out + "\n";
}
