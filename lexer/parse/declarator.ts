/**
 * Declarators, C17 6.7.6: pointers, arrays, functions, and the parentheses that turn them inside out.
 *
 * A declarator is read once, left to right, into a list of layers in the order in which they are to be put around the base type: its
 * pointers, then what stands behind it from right to left, then the layers of the declarator in parentheses. So deep nesting costs linear time.
 *
 * @module
 */

import { attributedType, Attributes, attributes, functionAttributes, startsAttribute } from "./attributes.ts";
import { evaluateInt } from "./evaluate.ts";
import { expression } from "./expression.ts";
import * as K from "../tokens/kinds.ts";
import { MAX_SIZE, sizeOf } from "../model/layout.ts";
import type { CType, FunctionType, Parameter } from "../model/model.ts";
import { describe, type Entity, FAILURE, type Parser } from "./parser.ts";
import { EXTERN, isTypeStart, specifiers, startsDeclaration, STATIC, TYPEDEF } from "./specifiers.ts";
import type { Identifier, Token } from "../tokens/tokenize.ts";
import * as T from "../model/types.ts";

type Layer =
  | { readonly kind: "pointer"; readonly qualifiers: number }
  | {
    readonly kind: "array";
    readonly length: number | null;
    /** The name between the brackets, where that is all: a parameter's length may be another parameter. */
    readonly named: string | null;
    readonly qualifiers: number;
    readonly at: Token;
  }
  | { readonly kind: "function"; readonly parameters: readonly Parameter[]; readonly variadic: boolean; readonly prototype: boolean };

/** A declarator applied to its base type. */
export interface Declared {
  readonly name: Token | null;
  readonly type: CType;
  readonly attributes: Attributes;
  /** No pointer, array or function stands around the base type. */
  readonly plain: boolean;
  /** Qualifiers inside the brackets of an outermost array, which a parameter's pointer gets. */
  readonly arrayQualifiers: number;
  /** What the brackets of an outermost array say of its length. */
  readonly arrayLength: number | string | null;
}

/** "named": must have a name; "abstract": must not; "either": a parameter. */
export type Wanted = "named" | "abstract" | "either";

/** How many pointers, arrays and functions may stand around a type. */
const MAX_LAYERS = 1000;

/** Reads a declarator with its attributes. */
export function declarator(p: Parser, base: CType, wanted: Wanted): Declared {
  const attrs = new Attributes();
  const layers: Layer[] = [];
  const found: { name: Token | null } = { name: null };
  read(p, layers, wanted, found, attrs);
  if (startsAttribute(p)) attributes(p, attrs);
  if (layers.length > MAX_LAYERS) p.fail(`a declarator of more than ${MAX_LAYERS} pointers, arrays and functions`, found.name ?? p.token);
  let type = base;
  for (const layer of layers) type = wrap(p, type, layer, attrs);
  if (wanted === "named" && found.name === null) {
    p.fail(`expected a name${layers.length === 0 ? orSemicolon(base) : ""}, got ${describe(p.token)}`);
  }
  if (attrs.noreturn || attrs.pure) type = functionAttributes(type, attrs);
  if (attrs.mode !== null || attrs.vector > 0) {
    type = attributedType(p, type, attrs);
    attrs.mode = null;
    attrs.vector = 0;
  }
  const last = layers.length > 0 ? layers[layers.length - 1] : null;
  return {
    name: found.name,
    type,
    attributes: attrs,
    plain: layers.length === 0,
    arrayQualifiers: last !== null && last.kind === "array" ? last.qualifiers : 0,
    arrayLength: last !== null && last.kind === "array" ? last.length ?? last.named : null,
  };
}

/** What else may stand behind a struct, a union or an enum: where it is declared, a forgotten ';' is likelier than a forgotten name. */
function orSemicolon(type: CType): string {
  if (type.kind !== "record" && type.kind !== "enum") return "";
  const { kind, name } = type.kind === "record" ? type.record : { kind: "enum", name: type.enum.name };
  return ` or ';' after ${name === null ? `the ${kind}` : `'${kind} ${name}'`}`;
}

function wrap(p: Parser, type: CType, layer: Layer, attrs: Attributes): CType {
  switch (layer.kind) {
    case "pointer":
      return T.qualify(T.pointer(type), layer.qualifiers);
    case "array": {
      const element = T.resolve(type);
      if (element.kind === "function") p.fail("an array of functions", layer.at);
      if (T.isVoid(element)) p.fail("an array of void", layer.at);
      if (element.kind === "record" && element.record.size === null) {
        p.fail(`an array of the incomplete type '${T.printType(type)}'`, layer.at);
      }
      let dimensions = 1;
      for (let inner: CType = element; inner.kind === "array"; inner = T.resolve(inner.of)) {
        if (++dimensions > MAX_LAYERS) p.fail(`an array of more than ${MAX_LAYERS} dimensions`, layer.at);
      }
      if (layer.length !== null && layer.length * (sizeOf(type, p.target) ?? 1) > MAX_SIZE) p.fail("the array is too large", layer.at);
      return { kind: "array", of: type, length: layer.length };
    }
    case "function": {
      const result = T.resolve(type);
      if (result.kind === "function" || result.kind === "array") {
        p.fail(`a function that returns ${result.kind === "array" ? "an array" : "a function"}`);
      }
      const { parameters, variadic, prototype } = layer;
      const made: FunctionType = { kind: "function", result: type, parameters, variadic, prototype };
      if (attrs.convention === null || p.target.arch !== "x86_64" || !/^(ms_abi|sysv_abi|vectorcall)$/.test(attrs.convention)) return made;
      return { ...made, convention: attrs.convention };
    }
  }
}

function read(p: Parser, layers: Layer[], wanted: Wanted, found: { name: Token | null }, attrs: Attributes): void {
  p.enter();
  for (;;) {
    const keyword = p.keyword;
    if (p.token.kind === K.STAR || p.token.kind === K.CARET) {
      p.advance();
      layers.push({ kind: "pointer", qualifiers: qualifierList(p, attrs) });
    } else if (keyword === K.KW_CONVENTION) {
      attrs.convention = p.token.text.replace(/^_+/, "");
      p.advance();
    } else if (keyword === K.KW_EXTENSION || keyword === K.KW_IGNORED_QUALIFIER) p.advance();
    else if (keyword === K.KW_ATTRIBUTE || keyword === K.KW_DECLSPEC) attributes(p, attrs);
    else break;
  }
  let inner: Layer[] | null = null;
  if (p.token.kind === K.LPAREN) {
    if (isNested(p, wanted)) {
      inner = [];
      p.advance();
      read(p, inner, wanted, found, attrs);
      p.expect(K.RPAREN, ")", "after a declarator");
    }
  } else if (wanted !== "abstract" && p.token.id !== null && p.token.id.keyword === 0) {
    found.name = p.token;
    p.advance();
    if (p.token.kind === K.LBRACKET && p.peek().kind === K.LBRACKET) attributes(p, attrs);
  }
  const from = layers.length;
  for (;;) {
    if (p.token.kind === K.LBRACKET && p.peek().kind !== K.LBRACKET) layers.push(array(p));
    else if (p.token.kind === K.LPAREN) layers.push(functionLayer(p));
    else break;
  }
  // What stands behind applies from right to left.
  for (let i = from, j = layers.length - 1; i < j; i++, j--) {
    const swap = layers[i];
    layers[i] = layers[j];
    layers[j] = swap;
  }
  if (inner !== null) { for (const layer of inner) layers.push(layer); }
  p.depth--;
}

/** Whether the parenthesis here holds a declarator, and not the parameters of a function. */
function isNested(p: Parser, wanted: Wanted): boolean {
  if (wanted === "named") return true;
  const next = p.peek();
  switch (next.kind) {
    case K.STAR:
    case K.CARET:
    case K.LPAREN:
    case K.LBRACKET:
      return true;
    case K.RPAREN:
    case K.ELLIPSIS:
      return false;
  }
  const id = next.id;
  if (id === null) return false;
  if (id.keyword === K.KW_CONVENTION || id.keyword === K.KW_ATTRIBUTE) return true;
  // C17 6.7.6.3p11: what can be a typedef name is one.
  return wanted === "either" && id.keyword === 0 && !isTypeStart(next);
}

function qualifierList(p: Parser, attrs: Attributes): number {
  let bits = 0;
  for (;;) {
    switch (p.keyword) {
      case K.KW_CONST:
        bits |= T.CONST;
        break;
      case K.KW_VOLATILE:
        bits |= T.VOLATILE;
        break;
      case K.KW_RESTRICT:
        bits |= T.RESTRICT;
        break;
      case K.KW_ATOMIC:
        bits |= T.ATOMIC;
        break;
      case K.KW_NULLABLE:
        bits |= T.NULLABLE;
        break;
      case K.KW_NONNULL:
        bits |= T.NONNULL;
        break;
      case K.KW_NULL_UNSPECIFIED:
      case K.KW_IGNORED_QUALIFIER:
      case K.KW_EXTENSION:
        break;
      case K.KW_ATTRIBUTE:
        pointerAttributes(p, attrs);
        continue;
      default:
        return bits;
    }
    p.advance();
  }
}

/** Attributes of the pointer itself: only what they say of the function behind it matters. */
function pointerAttributes(p: Parser, into: Attributes): void {
  const attrs = new Attributes();
  attributes(p, attrs);
  into.noreturn ||= attrs.noreturn;
  into.pure ||= attrs.pure;
  into.convention ??= attrs.convention;
}

/** `[…]`, with the `static`, qualifiers and `*` that a parameter's may hold. */
function array(p: Parser): Layer {
  const at = p.token;
  p.advance();
  let qualifiers = 0;
  for (;;) {
    if (p.keyword === K.KW_STATIC) p.advance();
    else {
      const more = qualifierList(p, new Attributes());
      if (more === 0) break;
      qualifiers |= more;
    }
  }
  let length: number | null = null, named: string | null = null;
  if (p.token.kind === K.STAR && p.peek().kind === K.RBRACKET) p.advance();
  else if (p.token.kind !== K.RBRACKET) {
    if (p.token.id !== null && p.peek().kind === K.RBRACKET) named = p.token.text;
    const value = evaluateInt(p, expression(p));
    if (typeof value === "string") {
      // A parameter's size may name other parameters; it is no part of the type.
      if (!inPrototype(p)) p.fail(`the length of an array is not a constant: ${value}`, at);
    } else if (value < 0) p.fail("the length of an array is negative", at);
    else if (value > MAX_SIZE) p.fail("the array is too large", at);
    else length = Number(value);
  }
  p.expect(K.RBRACKET, "]", "after the length of an array");
  return { kind: "array", length, named, qualifiers, at };
}

const prototypes = new WeakMap<Parser, number>();

function inPrototype(p: Parser): boolean {
  return (prototypes.get(p) ?? 0) > 0;
}

/** `( parameters )`. */
function functionLayer(p: Parser): Layer {
  p.enter();
  const open = p.token;
  p.advance();
  const layer = emptyList(p) ?? parameterList(p, open);
  p.depth--;
  return layer;
}

/** `()`, `(void)`, or the names of parameters whose types stand behind; null where there is a list with types. */
function emptyList(p: Parser): Layer | null {
  const none = { kind: "function", parameters: [], variadic: false } as const;
  if (p.accept(K.RPAREN)) return { ...none, prototype: p.c23 };
  if (p.keyword === K.KW_VOID && p.peek().kind === K.RPAREN) {
    p.advance();
    p.advance();
    return { ...none, prototype: true };
  }
  if (p.token.id === null || p.token.id.keyword !== 0 || startsDeclaration(p) || !isIdentifierList(p)) return null;
  while (!p.accept(K.RPAREN)) p.advance();
  return { ...none, prototype: false };
}

/** Parameters with their types, whose names have a scope of their own (C17 6.2.1p4). */
function parameterList(p: Parser, open: Token): Layer {
  const parameters: Parameter[] = [];
  let variadic = false;
  prototypes.set(p, (prototypes.get(p) ?? 0) + 1);
  const scope: { id: Identifier; old: Entity | null }[] = [];
  try {
    for (;;) {
      if (p.token.kind === K.ELLIPSIS) {
        p.advance();
        variadic = true;
        break;
      }
      parameters.push(parameter(p, scope));
      if (!p.accept(K.COMMA)) break;
    }
    // A lone `void` by a typedef's name.
    if (parameters.length === 1 && !variadic && parameters[0].name === null && T.isVoid(parameters[0].type)) parameters.length = 0;
    if (p.token.kind !== K.RPAREN) {
      p.diagnostics.error(p.token, `expected ',' or ')' after a parameter, got ${describe(p.token)}`, [{
        at: open.position,
        message: "to match this '('",
      }]);
      throw FAILURE;
    }
    p.advance();
  } finally {
    for (let i = scope.length - 1; i >= 0; i--) scope[i].id.symbol = scope[i].old;
    prototypes.set(p, prototypes.get(p)! - 1);
  }
  return { kind: "function", parameters, variadic, prototype: true };
}

/** Names and commas up to the parenthesis, in a declaration of the old style (C17 6.7.6.3p3). */
function isIdentifierList(p: Parser): boolean {
  for (let i = 1;; i += 2) {
    const separator = p.peek(i);
    if (separator.kind === K.RPAREN) return p.peek(i + 1).kind !== K.SEMICOLON || i > 1 ? startsOldDeclaration(p.peek(i + 1)) : false;
    if (separator.kind !== K.COMMA || p.peek(i + 1).id === null || i > 200) return false;
  }
}

function startsOldDeclaration(token: Token): boolean {
  return isTypeStart(token) || token.kind === K.LBRACE;
}

function parameter(p: Parser, scope: { id: Identifier; old: Entity | null }[]): Parameter {
  const at = p.token;
  const base = specifiers(p);
  if ((base.storage & (TYPEDEF | EXTERN | STATIC)) !== 0) p.diagnostics.error(base.at, "a parameter has no storage class but register");
  const made = declarator(p, base.type, "either");
  const declared = attributedType(p, made.type, base.attributes);
  const type = adjusted(declared, made.arrayQualifiers);
  const length = made.arrayLength ?? arrayLength(declared);
  if (T.isVoid(type) && made.name !== null) p.fail(`parameter '${made.name.text}' is void`, at);
  if (made.name !== null) {
    // It hides what the name meant, up to the end of the list.
    const id = made.name.id!;
    scope.push({ id, old: id.symbol as Entity | null });
    id.symbol = { kind: "parameter", type, position: made.name.position } as Entity;
  }
  const name = made.name?.text ?? null;
  return length === null ? { name, type } : { name, type, length };
}

/** The length of an array type, which a parameter may have by a typedef's name. */
function arrayLength(type: CType): number | null {
  const resolved = T.resolve(type);
  return resolved.kind === "array" ? resolved.length : null;
}

/** C17 6.7.6.3p7 and p8: arrays and functions are pointers as parameters. */
function adjusted(type: CType, qualifiers: number): CType {
  const t = type.kind === "typedef" ? T.resolve(type) : type;
  if (t.kind === "array") return T.qualify(T.pointer(t.of), qualifiers);
  if (t.kind === "function") return T.pointer(type);
  return type;
}
