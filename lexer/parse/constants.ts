/**
 * Constants: the object-like macros whose whole expansion is a constant expression, and the values of `static const` and `constexpr`.
 *
 * A macro that doesn't look like an expression (a keyword, an attribute, a list of parameters) is silently none. One that does, and has no
 * value, is listed with the reason.
 *
 * @module
 */

import { outermost } from "../text/diagnostics.ts";
import type { Value } from "./conversions.ts";
import { evaluate } from "./evaluate.ts";
import { expression } from "./expression.ts";
import * as K from "../tokens/kinds.ts";
import type { Macro } from "../preprocess/macro.ts";
import type { ConstantDeclaration, Origin, Skipped, SynonymDeclaration } from "../model/model.ts";
import { type Entity, FAILURE, listSource, Parser } from "./parser.ts";
import { withoutPragmas } from "../preprocess/pragmas.ts";
import { Halt, type Preprocessor } from "../preprocess/preprocess.ts";
import { isTypeStart } from "./specifiers.ts";
import { Token } from "../tokens/tokenize.ts";

/** An expansion longer than this is no constant. */
const MAX_CONSTANT_TOKENS = 20_000;
/** Tokens that the expansions of all constants together may give. */
const MAX_ALL_CONSTANT_TOKENS = 1_000_000;

/** Evaluates every macro of the headers that are not system headers, in the order of their definition. */
export function constants(p: Parser, skipped: Skipped[], synonyms: SynonymDeclaration[]): ConstantDeclaration[] {
  const pp = p.preprocessor;
  const out: (ConstantDeclaration & { position: number })[] = [];
  for (const { at, variable: { value, declaration: { name } }, reason } of p.statics) {
    const made = value === null ? reason : declaration(name, value as Value, p.origin(at));
    if (typeof made === "string") skipped.push({ name, reason: made, ...p.origin(at) });
    else out.push({ ...made, position: outermost(at) });
  }
  const seen = new Set<Macro>(), valueOf = aliased((macro) => macroValue(p, pp, macro));
  pp.limits = { burst: MAX_CONSTANT_TOKENS, total: MAX_ALL_CONSTANT_TOKENS };
  for (const macro of pp.macros) {
    if (macro.name.macro !== macro || seen.has(macro)) continue; // undefined or redefined since
    seen.add(macro);
    if (macro.parameters === null && macro.body.length === 0) continue;
    const origin = originOf(p, macro);
    if (macro.parameters !== null) {
      skipped.push({ name: macro.name.text, reason: "function-like macro", ...origin });
      continue;
    }
    const result = valueOf(macro);
    if (result === null) continue;
    if (typeof result !== "string" && result.kind === "function") synonyms.push({ ...origin, name: macro.name.text, of: result.name });
    const made = typeof result === "string"
      ? result
      : result.kind === "function"
      ? `it is another name for the function '${result.name}'`
      : declaration(macro.name.text, result, origin);
    if (typeof made === "string") skipped.push({ name: macro.name.text, reason: made, ...origin });
    else out.push({ ...made, position: macro.position });
  }
  out.sort((a, b) => a.position - b.position);
  return out.map(({ position: _, ...constant }) => constant);
}

/** Where a macro is defined. */
export function originOf(p: Parser, macro: Macro): Origin {
  const { file, line, column } = p.sources.place(macro.position);
  return { file: file.path, header: file.header, line, column, system: file.system };
}

type Result = Value | FunctionName | string | null;

/** What a macro stands for that is another name of a function. */
interface FunctionName {
  readonly kind: "function";
  readonly name: string;
}

/** Gives a macro that is only another name of one the value of that, so that a long chain of such names isn't expanded for each of them. */
function aliased(evaluate: (macro: Macro) => Result): (macro: Macro) => Result {
  const known = new Map<Macro, Result>(), ends = new Map<Macro, Macro>();
  return (macro) => {
    const end = endOf(macro, ends);
    if (!known.has(end)) known.set(end, evaluate(end));
    return known.get(end)!;
  };
}

/** The last of a chain of macros each of which is another name of the next; the first one itself if they name each other in a circle. */
function endOf(first: Macro, ends: Map<Macro, Macro>): Macro {
  const passed = new Set<Macro>();
  let macro = first;
  for (let next: Macro | null = macro; next !== null && !passed.has(next); next = aliasOf(macro)) {
    macro = ends.get(next) ?? next;
    passed.add(next);
  }
  const end = passed.has(aliasOf(macro) as Macro) ? first : macro;
  for (const each of passed) ends.set(each, end);
  return end;
}

/** The macro of which another one is only another name. */
function aliasOf({ parameters, body }: Macro): Macro | null {
  const named = parameters === null && body.length === 1 ? body[0].id?.macro ?? null : null;
  return named !== null && named.parameters === null && named.builtIn === null ? named : null;
}

/** A macro's value; null where it is no expression, and a reason where it is one without a value. */
function macroValue(p: Parser, pp: Preprocessor, macro: Macro): Result {
  const { diagnostics } = p;
  const { body } = macro;
  // The commonest forms need no expansion to be seen through.
  if (body.length === 1 && body[0].id !== null && body[0].id.macro === null && body[0].id.keyword !== 0) return null;
  diagnostics.muted++;
  try {
    const { positional } = pp;
    const tokens = body.length === 1 && (body[0].id === null || body[0].id.macro === null)
      ? body
      : withoutPragmas(pp.expandAlone([use(macro)]));
    if (tokens.length === 0) return null;
    if (!looksLikeExpression(tokens)) return null;
    if (pp.positional > positional) return "its value depends on where it stands";
    const sub = new Parser(listSource(tokens), pp, p.target, p.c23);
    const node = expression(sub);
    if (sub.token.kind !== K.EOF) return null;
    if (node.kind === "name") {
      const symbol = node.symbol as Entity | null;
      if (symbol === null) return `it names '${node.at.text}', which is not declared`;
      if (node.at.text === macro.name.text) return null; // `#define RED RED`: for who asks whether there is a RED
      if (symbol.kind === "function") return { kind: "function", name: node.at.text };
      if (symbol.kind === "variable" && symbol.value === null) return `it is another name for the variable '${node.at.text}'`;
    }
    return evaluate(sub, node);
  } catch (error) {
    if (error === FAILURE) return null;
    if (error instanceof Halt) return "its expansion is too long";
    throw error;
  } finally {
    diagnostics.muted--;
  }
}

/** The macro's name, as it would stand in a program. */
function use(macro: Macro): Token {
  return new Token(K.IDENTIFIER, macro.name.text, macro.name, 0, macro.position, null, null);
}

/** Rules out what can't be an expression by its first token. */
function looksLikeExpression(tokens: readonly Token[]): boolean {
  const first = tokens[0];
  switch (first.kind) {
    case K.NUMBER:
    case K.CHARACTER:
    case K.STRING:
    case K.LPAREN:
    case K.PLUS:
    case K.MINUS:
    case K.TILDE:
    case K.NOT:
    case K.AMP:
    case K.STAR:
      return true;
    case K.IDENTIFIER: {
      const keyword = first.id!.keyword;
      if (keyword === 0) return !isTypeStart(first);
      return keyword >= K.KW_SIZEOF && keyword !== K.KW_STATEMENT || keyword === K.KW_EXTENSION;
    }
  }
  return false;
}

function declaration(name: string, value: Value, origin: Origin): ConstantDeclaration | string {
  if (value.kind === "int" && (value.value > 0xffffffffffffffffn || value.value < -0x8000000000000000n)) {
    return "its value needs more than 64 bits";
  }
  if (value.kind === "int") return { ...origin, name, kind: "int", type: value.type, value: BigInt(value.value) };
  if (value.kind === "float") {
    if (!Number.isFinite(value.value)) return "its value is not a finite double";
    return { ...origin, name, kind: "float", type: value.type, value: value.value };
  }
  const text = value.wide ? fromUnits(value.units) : new TextDecoder().decode(new Uint8Array(value.units));
  return { ...origin, name, kind: "string", type: value.type, value: text };
}

function fromUnits(units: readonly number[]): string {
  let out = "";
  for (const unit of units) out += unit > 0xffff && unit <= 0x10ffff ? String.fromCodePoint(unit) : String.fromCharCode(unit);
  return out;
}
