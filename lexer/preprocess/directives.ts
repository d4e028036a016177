/**
 * Directives, C17 6.10: everything that begins with `#` at the beginning of a line.
 *
 * @module
 */

import { nearest } from "../text/suggest.ts";
import * as K from "../tokens/kinds.ts";
import { contents, textOf } from "../tokens/literals.ts";
import type { Token } from "../tokens/tokenize.ts";
import { close, open, otherwise } from "./conditionals.ts";
import { define, undef } from "./define.ts";
import { include } from "./inclusion.ts";
import { pragmaDirective } from "./pragmas.ts";
import type { Frame, Preprocessor } from "./preprocess.ts";

/** Runs the directive behind `hash`. A pragma that the parser wants comes back as a token. */
export function directive(pp: Preprocessor, hash: Token): Token | null {
  const frame = pp.frame;
  const name = frame.tokenizer.next();
  if (name.kind === K.EOL) return null; // the null directive, 6.10.7
  const made = run(pp, frame, hash, name);
  // Whatever is left of the line. The frame is the one that the directive began in: #include has entered another.
  const tokenizer = frame.tokenizer;
  tokenizer.directive = true;
  while (tokenizer.next().kind !== K.EOL);
  tokenizer.directive = false;
  return made;
}

function run(pp: Preprocessor, frame: Frame, hash: Token, name: Token): Token | null {
  const text = name.text;
  if (frame.guardState === 2 || (frame.guardState === 0 && text !== "ifndef" && text !== "if" && text !== "pragma")) frame.guardState = 3;
  if (name.kind === K.NUMBER) { // a line marker of GNU C's own output
    line(pp, frame, name);
    return null;
  }
  switch (text) {
    case "define":
      define(pp, frame);
      return null;
    case "undef":
      undef(pp, frame, name);
      return null;
    case "include":
    case "include_next":
    case "import":
      include(pp, frame, name);
      return null;
    case "if":
    case "ifdef":
    case "ifndef":
      open(pp, frame, name);
      return null;
    case "elif":
    case "elifdef":
    case "elifndef":
    case "else":
      otherwise(pp, frame, name);
      return null;
    case "endif":
      close(pp, frame, name);
      return null;
    case "line":
      line(pp, frame, null);
      return null;
    case "error":
      pp.error(name, `#error ${frame.tokenizer.restOfLine()}`);
      return null;
    case "warning":
      pp.diagnostics.warning(name, `#warning ${frame.tokenizer.restOfLine()}`);
      return null;
    case "pragma":
      return pragmaDirective(pp, frame, hash);
    case "ident":
    case "sccs":
    case "assert":
    case "unassert":
      return null;
    case "embed":
      pp.error(name, "#embed is not supported: a header that embeds data declares no interface");
      return null;
  }
  const near = nearest(text, DIRECTIVES);
  pp.error(name, `invalid preprocessing directive #${text}${near === null ? "" : `; did you mean #${near}?`}`);
  return null;
}

const DIRECTIVES = [
  "define",
  "undef",
  "include",
  "include_next",
  "import",
  "if",
  "ifdef",
  "ifndef",
  "elif",
  "elifdef",
  "elifndef",
  "else",
  "endif",
  "line",
  "error",
  "warning",
  "pragma",
];

/** `#line`, 6.10.4, and the markers of GNU C's own output. */
function line(pp: Preprocessor, frame: Frame, marker: Token | null): void {
  const tokens: Token[] = [];
  if (marker !== null) tokens.push(marker);
  for (let token = pp.next(); token.kind !== K.EOL; token = pp.next()) tokens.push(token);
  const number = tokens.length > 0 && tokens[0].kind === K.NUMBER && /^[0-9]+$/.test(tokens[0].text) ? Number(tokens[0].text) : -1;
  if (number < 0 || number > 2147483647) {
    pp.error(tokens[0] ?? frame.tokenizer.next(), "#line takes a line number");
    return;
  }
  const current = pp.sources.presumed(frame.tokenizer.base + frame.tokenizer.at);
  let name = current.name;
  if (tokens.length > 1) {
    const text = tokens[1].kind === K.STRING && tokens[1].text.startsWith('"') ? contents(tokens[1].text) : "";
    if (typeof text === "string") {
      pp.error(tokens[1], `"${tokens[1].text}" is not a filename`);
      return;
    }
    name = textOf(text.map((c) => c < 0 ? -1 - c : c));
  }
  const offset = frame.tokenizer.at;
  const physical = frame.file.content.lineAt(offset);
  (frame.file.lines ??= []).push({ offset: offset + 1, delta: number - physical - 1, name });
  if (marker !== null && tokens.slice(2).some((token) => token.text === "3")) frame.file.system = true;
}
