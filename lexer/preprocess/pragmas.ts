/**
 * `#pragma`, C17 6.10.6.
 *
 * @module
 */

import { outermost } from "../text/diagnostics.ts";
import * as K from "../tokens/kinds.ts";
import { contents, textOf } from "../tokens/literals.ts";
import { BOL, Token } from "../tokens/tokenize.ts";
import { spell } from "./macro.ts";
import type { Frame, Preprocessor } from "./preprocess.ts";

/** Reads the line of a pragma and acts on it. */
export function pragmaDirective(pp: Preprocessor, frame: Frame, hash: Token): Token | null {
  const tokens: Token[] = [];
  for (let token = frame.tokenizer.next(); token.kind !== K.EOL; token = frame.tokenizer.next()) tokens.push(token);
  if (frame.guardState === 0 && !(tokens.length === 1 && tokens[0].text === "once")) frame.guardState = 3;
  return pragma(pp, hash, tokens);
}

/** Acts on a pragma; one that the parser or the model wants comes back as a token. */
export function pragma(pp: Preprocessor, at: Token, tokens: Token[]): Token | null {
  const word = tokens.length > 0 ? tokens[0].text : "";
  let line: readonly Token[] = tokens;
  switch (word) {
    case "once":
      if (pp.frame.cached !== null) pp.frame.cached.once = true;
      return null;
    case "push_macro":
    case "pop_macro":
      macroStack(pp, tokens);
      break;
    case "pack":
    case "ms_struct":
      line = pp.expandAlone(tokens);
      break;
    case "GCC":
    case "clang": {
      const what = tokens.length > 1 ? tokens[1].text : "";
      if (what === "system_header") pp.frame.file.system ||= !pp.frame.file.main && pp.search.own === undefined;
      else if (what === "poison") { for (const token of tokens.slice(2)) if (token.id !== null) token.id.poisoned = true; }
      break;
    }
  }
  const token = new Token(K.PRAGMA, "#pragma " + spell(tokens, false), null, BOL, outermost(at), null, null);
  pp.pragmas.set(token, { at, tokens: line });
  return token;
}

/** `#pragma push_macro("NAME")` and `pop_macro`. */
function macroStack(pp: Preprocessor, tokens: readonly Token[]): void {
  const literal = tokens.find((token) => token.kind === K.STRING);
  const points = literal === undefined ? "" : contents(literal.text);
  if (typeof points === "string") {
    pp.error(tokens[0], `#pragma ${tokens[0].text} takes a macro's name in parentheses and quotes`);
    return;
  }
  const id = pp.names.intern(textOf(points.filter((c) => c >= 0)));
  let stack = pp.saved.get(id);
  if (stack === undefined) pp.saved.set(id, stack = []);
  if (tokens[0].text === "push_macro") stack.push(id.macro);
  else if (stack.length > 0) id.macro = stack.pop()!;
}

/** Tokens without the `_Pragma ( … )` among them: what a deprecated constant's macro has before its value. */
export function withoutPragmas(tokens: readonly Token[]): Token[] {
  const out: Token[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const builtIn = tokens[i].id?.macro?.builtIn;
    const close = builtIn === "_Pragma" || builtIn === "__pragma" ? closing(tokens, i + 1) : -1;
    if (close < 0) out.push(tokens[i]);
    else i = close;
  }
  return out;
}

/** Where the parenthesis at a place is closed; -1 where there is none, or it isn't. */
function closing(tokens: readonly Token[], open: number): number {
  if (tokens[open]?.kind !== K.LPAREN) return -1;
  let depth = 0;
  for (let i = open; i < tokens.length; i++) {
    if (tokens[i].kind === K.LPAREN) depth++;
    else if (tokens[i].kind === K.RPAREN && --depth === 0) return i;
  }
  return -1;
}
