/**
 * Directives, C17 6.10: everything that begins with `#` at the beginning of a line.
 *
 * @module
 */

import { condition, type ConditionSource } from "./condition.ts";
import { outermost } from "../text/diagnostics.ts";
import { hasAttribute, hasBuiltin, hasFeature } from "./has.ts";
import * as K from "../tokens/kinds.ts";
import { contents, textOf } from "../tokens/literals.ts";
import { closing, Macro, spell, VA_OPT } from "./macro.ts";
import type { Frame, Preprocessor } from "./preprocess.ts";
import type { Found } from "../text/search.ts";
import { nearest } from "../text/suggest.ts";
import { BOL, type Identifier, Token } from "../tokens/tokenize.ts";

/** How deep `#include` may nest, as in gcc. */
const MAX_INCLUDE_DEPTH = 200;

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

// Macros, 6.10.3

function macroName(pp: Preprocessor, frame: Frame, what: string): Token | null {
  const token = frame.tokenizer.next();
  if (token.id === null) {
    pp.error(token, token.kind === K.EOL ? `no macro name given in #${what} directive` : "macro names must be identifiers");
    return null;
  }
  if (token.text === "defined" || (token.text === "__VA_OPT__" && what !== "ifdef" && what !== "ifndef")) {
    pp.error(token, `"${token.text}" cannot be used as a macro name`);
    return null;
  }
  return token;
}

/** A `__VA_OPT__` within the parentheses of another. */
function nestedOptional(body: readonly Token[], slots: Int16Array | null): Token | null {
  if (slots === null) return null;
  let end = -1;
  for (let i = 0; i < body.length; i++) {
    if (slots[i] !== VA_OPT) continue;
    if (i < end) return body[i];
    end = closing(body, i + 1, body.length);
  }
  return null;
}

function define(pp: Preprocessor, frame: Frame): void {
  const token = macroName(pp, frame, "define");
  if (token === null) return;
  const name = token.id!;
  const tokenizer = frame.tokenizer;
  let next = tokenizer.next();
  let parameters: Identifier[] | null = null;
  let variadic = false;
  if (next.kind === K.LPAREN && next.flags === 0) { // no space before it
    const list = parameterList(pp, frame, name);
    if (list === null) return;
    parameters = list.parameters;
    variadic = list.variadic;
    next = tokenizer.next();
  }
  const body: Token[] = [];
  for (; next.kind !== K.EOL; next = tokenizer.next()) body.push(next);
  let slots: Int16Array | null = null;
  let operators = false;
  if (parameters !== null) {
    for (let i = 0; i < parameters.length; i++) parameters[i].parameter = i;
    slots = new Int16Array(body.length);
    for (let i = 0; i < body.length; i++) {
      const id = body[i].id;
      slots[i] = id === null ? -1 : id.parameter >= 0 ? id.parameter : variadic && id.text === "__VA_OPT__" ? VA_OPT : -1;
    }
    for (const id of parameters) id.parameter = -1;
  }
  for (let i = 0; i < body.length; i++) {
    const t = body[i];
    if (t.kind === K.HASHHASH) {
      operators = true;
      if (i === 0 || i === body.length - 1) {
        pp.error(t, "'##' cannot appear at either end of a macro expansion");
        return;
      }
    } else if (t.kind === K.HASH && slots !== null && !(i + 1 < body.length && slots[i + 1] !== -1)) {
      pp.error(t, "'#' is not followed by a macro parameter");
      return;
    } else if (t.id !== null && t.text === "__VA_OPT__" && variadic && !(i + 1 < body.length && body[i + 1].kind === K.LPAREN)) {
      pp.error(t, "__VA_OPT__ must be followed by an open parenthesis");
      return;
    }
  }
  const nested = nestedOptional(body, slots);
  if (nested !== null) {
    pp.error(nested, "__VA_OPT__ may not appear in a __VA_OPT__"); // C23 6.10.5.2p2
    return;
  }
  const macro = new Macro(name, parameters, variadic, body, token.position, slots, operators);
  const old = name.macro;
  if (old !== null && !old.same(macro)) {
    if (old.builtIn !== null) pp.diagnostics.warning(token, `redefining builtin macro "${name.text}"`);
    else if (!frame.file.system) {
      pp.diagnostics.warning(token, `"${name.text}" redefined`, [{ at: old.position, message: "this is the previous definition" }]);
    }
  }
  name.macro = macro;
  if (!frame.file.system) pp.macros.push(macro);
}

function parameterList(pp: Preprocessor, frame: Frame, name: Identifier): { parameters: Identifier[]; variadic: boolean } | null {
  const tokenizer = frame.tokenizer;
  const parameters: Identifier[] = [];
  let token = tokenizer.next();
  if (token.kind === K.RPAREN) return { parameters, variadic: false };
  for (;;) {
    if (token.kind === K.ELLIPSIS) {
      parameters.push(pp.names.intern("__VA_ARGS__"));
      token = tokenizer.next();
      if (token.kind === K.RPAREN) return { parameters, variadic: true };
      break;
    }
    if (token.id === null) {
      pp.error(
        token,
        token.kind === K.EOL ? `missing ')' in the parameter list of "${name.text}"` : `expected a parameter name, got "${token.text}"`,
      );
      return null;
    }
    if (token.text === "__VA_ARGS__") {
      pp.error(token, "__VA_ARGS__ can only appear in the expansion of a C99 variadic macro");
      return null;
    }
    if (parameters.includes(token.id)) {
      pp.error(token, `duplicate macro parameter "${token.text}"`);
      return null;
    }
    parameters.push(token.id);
    token = tokenizer.next();
    if (token.kind === K.RPAREN) return { parameters, variadic: false };
    if (token.kind === K.ELLIPSIS) { // GNU: name...
      token = tokenizer.next();
      if (token.kind === K.RPAREN) return { parameters, variadic: true };
      break;
    }
    if (token.kind !== K.COMMA) break;
    token = tokenizer.next();
  }
  pp.error(token, `expected ',' or ')' in the parameter list of "${name.text}"`);
  return null;
}

function undef(pp: Preprocessor, frame: Frame, directive: Token): void {
  const token = macroName(pp, frame, "undef");
  if (token === null) return;
  if (token.id!.macro?.builtIn) pp.diagnostics.warning(token, `undefining "${token.text}"`);
  token.id!.macro = null;
  extra(pp, frame, directive);
}

/** Warns of tokens behind a directive that takes no more. */
function extra(pp: Preprocessor, frame: Frame, directive: Token): void {
  const token = frame.tokenizer.next();
  if (token.kind !== K.EOL && !frame.file.system) pp.diagnostics.warning(token, `extra tokens at end of #${directive.text} directive`);
}

// Conditionals, 6.10.1

function open(pp: Preprocessor, frame: Frame, directive: Token): void {
  let truth = false;
  let guard: Identifier | null = null;
  if (directive.text === "if") {
    truth = evaluate(pp, directive);
    guard = negatedDefined(frame, directive);
  } else {
    const name = macroName(pp, frame, directive.text);
    if (name !== null) {
      truth = (name.id!.macro !== null) === (directive.text === "ifdef");
      if (directive.text === "ifndef") guard = name.id!;
      extra(pp, frame, directive);
    }
  }
  if (frame.guardState === 0) {
    if (guard !== null && frame.conditionals.length === 0) {
      frame.guard = guard;
      frame.guardState = 1;
    } else frame.guardState = 3;
  }
  frame.conditionals.push({ at: directive, taken: truth, otherwise: false });
  if (!truth) skip(pp, frame);
}

/** The X of `#if !defined(X)`, read off the text of the line that was just evaluated. */
function negatedDefined(frame: Frame, directive: Token): Identifier | null {
  if (frame.guardState !== 0) return null;
  const tokenizer = frame.tokenizer;
  const end = tokenizer.at;
  tokenizer.at = directive.position - tokenizer.base + directive.text.length;
  const tokens: Token[] = [];
  for (let token = tokenizer.next(); token.kind !== K.EOL && tokens.length < 7; token = tokenizer.next()) tokens.push(token);
  tokenizer.at = end;
  const spelled = tokens.map((token) => token.id !== null && token.text !== "defined" ? "X" : token.text).join(" ");
  if (spelled !== "! defined ( X )" && spelled !== "! defined X") return null;
  return tokens.find((token) => token.id !== null && token.text !== "defined")!.id;
}

function otherwise(pp: Preprocessor, frame: Frame, directive: Token): void {
  const top = frame.conditionals.at(-1);
  if (top === undefined) {
    pp.error(directive, `#${directive.text} without #if`);
    return;
  }
  if (frame.conditionals.length === 1) frame.guardState = 3;
  if (branch(pp, frame, directive)) return;
  skip(pp, frame);
}

/** One of `#elif`, `#elifdef`, `#elifndef`, `#else`: whether its group is to be read. */
function branch(pp: Preprocessor, frame: Frame, directive: Token): boolean {
  const top = frame.conditionals.at(-1)!;
  const last = directive.text === "else";
  if (top.otherwise) {
    pp.diagnostics.error(directive, `#${directive.text} after #else`, [{ at: top.at.position, message: "the conditional began here" }]);
    return false;
  }
  if (last) top.otherwise = true;
  if (top.taken) return false; // its condition is not even looked at, C17 6.10.1p6
  let truth = last;
  if (directive.text === "elif") truth = evaluate(pp, directive);
  else if (!last) {
    const name = macroName(pp, frame, directive.text);
    truth = name !== null && (name.id!.macro !== null) === (directive.text === "elifdef");
  } else extra(pp, frame, directive);
  if (truth) top.taken = true;
  return truth;
}

function close(pp: Preprocessor, frame: Frame, directive: Token): void {
  if (frame.conditionals.pop() === undefined) {
    pp.error(directive, "#endif without #if");
    return;
  }
  if (frame.conditionals.length === 0 && frame.guardState === 1) frame.guardState = 2;
}

/** Skips groups up to the one that is to be read, or behind the `#endif`. */
function skip(pp: Preprocessor, frame: Frame): void {
  const tokenizer = frame.tokenizer;
  let depth = 0;
  while (tokenizer.skipToDirective()) {
    tokenizer.directive = true;
    const name = tokenizer.next();
    switch (name.text) {
      case "if":
      case "ifdef":
      case "ifndef":
        depth++;
        break;
      case "endif":
        if (depth-- === 0) {
          close(pp, frame, name);
          return;
        }
        break;
      case "else":
      case "elif":
      case "elifdef":
      case "elifndef":
        if (depth === 0) {
          if (frame.conditionals.length === 1) frame.guardState = 3;
          if (branch(pp, frame, name)) return;
        }
    }
  }
  tokenizer.directive = true; // at the end of the file; the caller reads the EOL
}

function evaluate(pp: Preprocessor, directive: Token): boolean {
  const source: ConditionSource = {
    next: () => pp.next(),
    raw: () => pp.raw(),
    operator: (name) => operator(pp, name),
    error: (at, message) => pp.error(at.kind === K.EOL ? directive : at, message),
  };
  return condition(source, directive, pp.facts) ?? false;
}

/** `__has_include` and its like. */
function operator(pp: Preprocessor, name: Token): number | null {
  const builtIn = name.id!.macro?.builtIn;
  if (builtIn === undefined || builtIn === null || !builtIn.startsWith("__has_")) return null;
  const paren = pp.raw();
  if (paren.kind !== K.LPAREN) {
    pp.error(name, `missing '(' after "${name.text}"`);
    pp.unread(paren);
    return 0;
  }
  if (builtIn === "__has_include" || builtIn === "__has_include_next") {
    const wanted = headerName(pp, pp.frame, name, K.RPAREN);
    if (wanted === null) return 0;
    const found = find(pp, pp.frame, wanted, builtIn === "__has_include_next") !== null;
    const close = pp.raw();
    if (close.kind !== K.RPAREN) {
      pp.error(close, `missing ')' after "${name.text}" operand`);
      pp.unread(close);
    }
    if (!found && pp.frame.file.main) pp.absent.push({ at: name, name: wanted.text.slice(1, -1) });
    return found ? 1 : 0;
  }
  const operand: Token[] = [];
  let depth = 0;
  for (;;) {
    // Attributes are named by their spelling; the rest may come from a macro.
    const token = pp.raw();
    if (token.kind === K.EOL || token.kind === K.EOF) {
      pp.error(name, `missing ')' after "${name.text}" operand`);
      pp.unread(token);
      return 0;
    }
    if (token.kind === K.LPAREN) depth++;
    if (token.kind === K.RPAREN && depth-- === 0) break;
    operand.push(token);
  }
  const text = operand.map((token) => token.text).join("");
  switch (builtIn) {
    case "__has_attribute":
    case "__has_c_attribute":
    case "__has_cpp_attribute":
      return hasAttribute(builtIn, text);
    case "__has_builtin":
      return hasBuiltin(text) ? 1 : 0;
    case "__has_feature":
    case "__has_extension":
      return hasFeature(text) ? 1 : 0;
    default:
      return 0;
  }
}

// Inclusion, 6.10.2

/** A header name, direct or made by macros, with its quotes or angles. `end` closes it in `__has_include`. */
function headerName(pp: Preprocessor, frame: Frame, directive: Token, end: number): Token | null {
  const direct = pp.buffered ? null : frame.tokenizer.headerName();
  if (direct !== null) return direct;
  const first = pp.next();
  if (first.kind === K.STRING && first.text.startsWith('"')) return first;
  if (first.kind === K.LESS) {
    let text = "<";
    for (;;) {
      const token = pp.next();
      if (token.kind === K.EOL || token.kind === K.EOF) {
        pp.error(directive, "missing terminating > character");
        pp.unread(token);
        return null;
      }
      if (token.kind === K.GREATER) break;
      text += (token.flags !== 0 && text.length > 1 ? " " : "") + token.text;
    }
    return new Token(K.STRING, text + ">", null, 0, first.position, null, first.expansion);
  }
  if (first.kind === K.EOL || first.kind === end) pp.unread(first);
  pp.error(first.kind === K.EOL ? directive : first, `#${directive.text.replace("__has_", "")} expects "FILENAME" or <FILENAME>`);
  return null;
}

function find(pp: Preprocessor, frame: Frame, name: Token, next: boolean): Found | null {
  return pp.search.find(name.text.slice(1, -1), name.text.startsWith('"'), frame.file, next && !frame.file.main);
}

function include(pp: Preprocessor, frame: Frame, directive: Token): void {
  const name = headerName(pp, frame, directive, K.EOL);
  if (name === null) return;
  const wanted = name.text.slice(1, -1);
  if (wanted === "") {
    pp.error(name, `empty filename in #${directive.text}`);
    return;
  }
  const found = find(pp, frame, name, directive.text === "include_next");
  if (found === null) {
    const near = nearest(wanted, pp.search.known(wanted, frame.file.path));
    const looked = pp.search.paths;
    pp.error(
      name,
      `'${wanted}' file not found${near === null ? "" : `; did you mean '${near}'?`} (looked ${
        name.text.startsWith('"') ? "beside the including file" + (looked.length > 0 ? ", " : "") : looked.length > 0 ? "in " : "nowhere"
      }${looked.join(", ")})${pp.search.failure(wanted)}`,
    );
    return;
  }
  const { file } = found;
  if (directive.text === "import") file.once = true;
  if (file.once && file.included) return;
  if (file.guard !== null && file.guard.macro !== null) return;
  if (pp.frames.length > MAX_INCLUDE_DEPTH) {
    pp.halt(name, `#include nested deeper than ${MAX_INCLUDE_DEPTH} levels`);
  }
  file.included = true;
  pp.enter(pp.sources.enter(file.path, wanted, file.content, name.position, found.system, false, found.folder), file);
}

// #line, 6.10.4

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

// Pragmas, 6.10.6

function pragmaDirective(pp: Preprocessor, frame: Frame, hash: Token): Token | null {
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
      if (what === "system_header") pp.frame.file.system = !pp.frame.file.main || pp.frame.file.system;
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
