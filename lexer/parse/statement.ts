/**
 * Statements, C17 6.8: the bodies of functions, for whoever wants to know what a function does before it does it.
 *
 * Headers need none of this: a body is skipped unless `Parser.bodies` is there. A statement that can't be read is reported and stands in the body
 * as unread; nothing is checked but what is needed to read on (no `return` of a wrong type, no jump to a missing label).
 *
 * @module
 */

import { Attributes, attributes, startsAttribute } from "./attributes.ts";
import { declarator } from "./declarator.ts";
import { controlType } from "./evaluate.ts";
import { expression, initializer, type InitializerList, type Node } from "./expression.ts";
import * as K from "../tokens/kinds.ts";
import type { CType, FunctionType } from "../model/model.ts";
import { staticAssert } from "./parse.ts";
import { describe, type Entity, FAILURE, type Parser } from "./parser.ts";
import { specifiers, startsDeclaration, STATIC } from "./specifiers.ts";
import type { Identifier, Token } from "../tokens/tokenize.ts";
import * as T from "../model/types.ts";

/** A local variable with what it is set to. */
export interface Local {
  readonly name: string;
  readonly type: CType;
  /** True for a variable that keeps its value between calls. */
  readonly static: boolean;
  readonly value: Node | InitializerList | null;
}

export type Statement =
  | { readonly kind: "block"; readonly at: Token; readonly body: readonly Statement[] }
  | { readonly kind: "declare"; readonly at: Token; readonly locals: readonly Local[] }
  | { readonly kind: "expression"; readonly at: Token; readonly value: Node }
  | { readonly kind: "if"; readonly at: Token; readonly test: Node; readonly yes: Statement; readonly no: Statement | null }
  | {
    readonly kind: "for";
    readonly at: Token;
    readonly first: Statement | null;
    readonly test: Node | null;
    readonly step: Node | null;
    readonly body: Statement;
  }
  | { readonly kind: "while"; readonly at: Token; readonly test: Node; readonly body: Statement }
  | { readonly kind: "do"; readonly at: Token; readonly test: Node; readonly body: Statement }
  | { readonly kind: "switch"; readonly at: Token; readonly value: Node; readonly body: Statement }
  /** A label of a switch; `value` is null for `default`. */
  | { readonly kind: "case"; readonly at: Token; readonly value: Node | null }
  | { readonly kind: "break"; readonly at: Token }
  | { readonly kind: "continue"; readonly at: Token }
  | { readonly kind: "return"; readonly at: Token; readonly value: Node | null }
  | { readonly kind: "label"; readonly at: Token }
  | { readonly kind: "goto"; readonly at: Token }
  /** What could not be read, with an error. */
  | { readonly kind: "unread"; readonly at: Token };

/** A function's body with the types of its parameters. */
export interface FunctionBody {
  readonly name: string;
  readonly at: Token;
  readonly type: FunctionType;
  readonly body: Statement & { readonly kind: "block" };
}

/** The names that a block hides, to be given back at its end. */
type Scope = { readonly id: Identifier; readonly old: Entity | null }[];

/** Reads the body at the current token into `p.bodies`. */
export function functionBody(p: Parser, name: Token, type: FunctionType): void {
  const scope: Scope = [];
  const { depth } = p;
  try {
    for (const parameter of type.parameters) {
      if (parameter.name !== null) hide(p, scope, p.preprocessor.names.intern(parameter.name), parameter.type, name);
    }
    p.bodies!.set(name.text, { name: name.text, at: name, type, body: block(p) });
  } finally {
    p.depth = depth;
    reveal(scope);
  }
}

/** From somewhere in a statement to behind its `;`, or to the brace that ends the block around it. */
function leaveStatement(p: Parser): void {
  for (;;) {
    switch (p.token.kind) {
      case K.EOF:
      case K.RBRACE:
        return;
      case K.SEMICOLON:
        p.advance();
        return;
      case K.LBRACE:
        if (!p.trySkipBalanced() || p.token.kind !== K.SEMICOLON) return;
        break;
      case K.LPAREN:
        if (!p.trySkipBalanced()) return;
        break;
      default:
        p.advance();
    }
  }
}

/** Gives a name a meaning up to the end of the scope. */
function hide(p: Parser, scope: Scope, id: Identifier, type: CType, at: Token): void {
  scope.push({ id, old: id.symbol as Entity | null });
  const declaration = { ...p.origin(at), name: id.text, symbol: id.text, type };
  id.symbol = { kind: "variable", declaration, value: null, position: at.position } as Entity;
}

function reveal(scope: Scope): void {
  for (let i = scope.length - 1; i >= 0; i--) scope[i].id.symbol = scope[i].old;
}

function block(p: Parser): Statement & { readonly kind: "block" } {
  const at = p.token;
  const scope: Scope = [];
  const body: Statement[] = [];
  p.expect(K.LBRACE, "{", "before a block");
  p.enter();
  const { depth } = p;
  try {
    while (p.token.kind !== K.RBRACE) {
      if (p.token.kind === K.EOF) p.fail("'{' is never closed", at);
      const start = p.token;
      try {
        statement(p, scope, body);
      } catch (error) {
        if (error !== FAILURE) throw error;
        p.depth = depth;
        leaveStatement(p);
        body.push({ kind: "unread", at: start });
      }
    }
    p.advance();
  } finally {
    reveal(scope);
  }
  p.depth--;
  return { kind: "block", at, body };
}

/** Reads one statement, labels before it included, into `into`. */
function statement(p: Parser, scope: Scope, into: Statement[]): void {
  const at = p.token;
  if (at.kind === K.LBRACE) {
    into.push(block(p));
    return;
  }
  if (p.accept(K.SEMICOLON)) return;
  if (startsAttribute(p)) attributes(p, new Attributes()); // [[fallthrough]]
  if (p.keyword === K.KW_STATEMENT) return control(p, at, into);
  if (p.keyword === K.KW_STATIC_ASSERT) return staticAssert(p);
  if (p.keyword === K.KW_ASM) p.fail("an assembly statement is not read");
  if (at.id !== null && at.id.keyword === 0 && p.peek().kind === K.COLON) {
    p.advance();
    p.advance();
    into.push({ kind: "label", at });
    return;
  }
  if (startsDeclaration(p)) {
    into.push(localDeclaration(p, scope));
    return;
  }
  into.push({ kind: "expression", at, value: expression(p) });
  p.expect(K.SEMICOLON, ";", "after an expression");
}

/** The one statement that a control statement holds, in a scope of its own. */
function inner(p: Parser): Statement {
  const at = p.token;
  if (at.kind === K.LBRACE) return block(p);
  const scope: Scope = [];
  const body: Statement[] = [];
  p.enter();
  try {
    statement(p, scope, body);
  } finally {
    reveal(scope);
  }
  p.depth--;
  return body.length === 1 ? body[0] : { kind: "block", at, body };
}

function control(p: Parser, at: Token, into: Statement[]): void {
  const word = at.text;
  p.advance();
  switch (word) {
    case "if": {
      const test = parenthesized(p);
      const yes = inner(p);
      let no: Statement | null = null;
      if (p.token.text === "else" && p.keyword === K.KW_STATEMENT) {
        p.advance();
        no = inner(p);
      }
      into.push({ kind: "if", at, test, yes, no });
      return;
    }
    case "for":
      into.push(forStatement(p, at));
      return;
    case "while":
      into.push({ kind: "while", at, test: parenthesized(p), body: inner(p) });
      return;
    case "do": {
      const body = inner(p);
      if (p.token.text !== "while") p.fail("expected 'while' after the body of 'do'");
      p.advance();
      const test = parenthesized(p);
      p.expect(K.SEMICOLON, ";", "after 'do … while (…)'");
      into.push({ kind: "do", at, test, body });
      return;
    }
    case "switch":
      into.push({ kind: "switch", at, value: parenthesized(p), body: inner(p) });
      return;
    case "case":
    case "default": {
      const value = word === "case" ? expression(p) : null;
      p.expect(K.COLON, ":", `after '${word}'`);
      into.push({ kind: "case", at, value });
      return;
    }
    case "break":
    case "continue":
      p.expect(K.SEMICOLON, ";", `after '${word}'`);
      into.push({ kind: word, at });
      return;
    case "goto":
      p.advance();
      p.expect(K.SEMICOLON, ";", "after 'goto'");
      into.push({ kind: "goto", at });
      return;
    case "return": {
      const value = p.token.kind === K.SEMICOLON ? null : expression(p);
      p.expect(K.SEMICOLON, ";", "after 'return'");
      into.push({ kind: "return", at, value });
      return;
    }
  }

  p.fail(`'${word}' without its beginning`, at);
}

function parenthesized(p: Parser): Node {
  p.expect(K.LPAREN, "(", "before a condition");
  const node = expression(p);
  p.expect(K.RPAREN, ")", "after a condition");
  return node;
}

function forStatement(p: Parser, at: Token): Statement {
  const scope: Scope = [];
  p.expect(K.LPAREN, "(", "after 'for'");
  try {
    let first: Statement | null = null;
    if (startsDeclaration(p)) first = localDeclaration(p, scope);
    else if (!p.accept(K.SEMICOLON)) {
      first = { kind: "expression", at: p.token, value: expression(p) };
      p.expect(K.SEMICOLON, ";", "in 'for'");
    }
    const test = p.token.kind === K.SEMICOLON ? null : expression(p);
    p.expect(K.SEMICOLON, ";", "in 'for'");
    const step = p.token.kind === K.RPAREN ? null : expression(p);
    p.expect(K.RPAREN, ")", "after 'for (…'");
    return { kind: "for", at, first, test, step, body: inner(p) };
  } finally {
    reveal(scope);
  }
}

/** GNU C's `__auto_type x = …`, which C23 and C++ spell `auto`. */
function deduced(p: Parser, scope: Scope): Statement {
  const at = p.token;
  p.advance();
  const name = p.token;
  if (name.id === null) p.fail(`expected a name, got ${describe(name)}`);
  p.advance();
  p.expect(K.ASSIGN, "=", "after a name whose type it tells");
  const value = expression(p, 1);
  const type = T.unqualified(controlType(p, value));
  hide(p, scope, name.id, type, name);
  p.expect(K.SEMICOLON, ";", "after a declaration");
  return { kind: "declare", at, locals: [{ name: name.text, type, static: false, value }] };
}

function localDeclaration(p: Parser, scope: Scope): Statement {
  const at = p.token;
  if (p.keyword === K.KW_AUTO_TYPE) return deduced(p, scope);
  const base = specifiers(p);
  const locals: Local[] = [];
  while (p.token.kind !== K.SEMICOLON) {
    const { name, type } = declarator(p, base.type, "named");
    hide(p, scope, name!.id!, type, name!);
    const value = p.accept(K.ASSIGN) ? initializer(p) : null;
    const complete = completed(type, value);
    if (complete !== type) hide(p, scope, name!.id!, complete, name!);
    locals.push({ name: name!.text, type: complete, static: (base.storage & STATIC) !== 0, value });
    if (!p.accept(K.COMMA)) break;
  }
  p.expect(K.SEMICOLON, ";", "after a declaration");
  return { kind: "declare", at, locals };
}

/** An array without a length has its initializer's (C17 6.7.9p22). */
function completed(type: CType, value: Node | InitializerList | null): CType {
  const t = T.resolve(type);
  if (t.kind !== "array" || t.length !== null || value === null) return type;
  if ("items" in value) return value.items.some(({ index }) => index !== null) ? type : { ...t, length: value.items.length };
  return value.kind === "string" ? { ...t, length: value.units.length + 1 } : type;
}
