/**
 * `#if` and what belongs to it, C17 6.10.1.
 *
 * @module
 */

import * as K from "../tokens/kinds.ts";
import type { Identifier, Token } from "../tokens/tokenize.ts";
import { condition, type ConditionSource } from "./condition.ts";
import { hasAttribute, hasBuiltin, hasFeature } from "./has.ts";
import { find, headerName } from "./inclusion.ts";
import { extra, macroName } from "./operand.ts";
import type { Frame, Preprocessor } from "./preprocess.ts";

/** `#if`, `#ifdef`, `#ifndef`. */
export function open(pp: Preprocessor, frame: Frame, directive: Token): void {
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

/** `#elif`, `#elifdef`, `#elifndef`, `#else` behind a group that was read. */
export function otherwise(pp: Preprocessor, frame: Frame, directive: Token): void {
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

/** `#endif`. */
export function close(pp: Preprocessor, frame: Frame, directive: Token): void {
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
  if (builtIn === "__has_include" || builtIn === "__has_include_next") return hasInclude(pp, name, builtIn === "__has_include_next");
  const text = operandOf(pp, name);
  if (text === null) return 0;
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

/** Whether there is the header that stands between the parentheses of `__has_include`, or `next` along the search path. */
function hasInclude(pp: Preprocessor, name: Token, next: boolean): number {
  const wanted = headerName(pp, pp.frame, name, K.RPAREN);
  if (wanted === null) return 0;
  const found = find(pp, pp.frame, wanted, next) !== null;
  const close = pp.raw();
  if (close.kind !== K.RPAREN) {
    pp.error(close, `missing ')' after "${name.text}" operand`);
    pp.unread(close);
  }
  if (!found && pp.frame.file.main) pp.absent.push({ at: name, name: wanted.text.slice(1, -1) });
  return found ? 1 : 0;
}

/** What stands up to the closing parenthesis, as it is spelled; null, and an error reported, where there is none. */
function operandOf(pp: Preprocessor, name: Token): string | null {
  let text = "", depth = 0;
  for (;;) {
    // Attributes are named by their spelling; the rest may come from a macro.
    const token = pp.raw();
    if (token.kind === K.EOL || token.kind === K.EOF) {
      pp.error(name, `missing ')' after "${name.text}" operand`);
      pp.unread(token);
      return null;
    }
    if (token.kind === K.LPAREN) depth++;
    if (token.kind === K.RPAREN && depth-- === 0) return text;
    text += token.text;
  }
}
