/**
 * Expressions, C17 6.5: tokens to trees. What they are worth is for evaluate.ts.
 *
 * Headers hold expressions in array lengths, enum values, bit-fields, alignments, assertions, `typeof`, and in macros. Bodies of functions are
 * skipped, and what initializers have in their braces but for how many they are.
 *
 * @module
 */

import { controlType, evaluate, isConstant } from "./evaluate.ts";
import { braced } from "./initializer.ts";
import { type Int, wrap } from "../tokens/integer.ts";
import * as K from "../tokens/kinds.ts";
import { characterValue, contents, type Encoding, encodingOf, floatLiteral, integerLiteral, units } from "../tokens/literals.ts";
import type { BasicName, CType } from "../model/model.ts";
import { describe, type Entity, type Parser } from "./parser.ts";
import { startsType, typeName } from "./specifiers.ts";
import type { Token } from "../tokens/tokenize.ts";
import { basic, compatible } from "../model/types.ts";

/** An expression. */
export type Node =
  | { readonly kind: "int"; readonly at: Token; readonly value: Int; readonly type: CType }
  | { readonly kind: "float"; readonly at: Token; readonly value: number; readonly type: CType }
  | { readonly kind: "string"; readonly at: Token; readonly units: readonly number[]; readonly encoding: Encoding; readonly element: CType }
  | { readonly kind: "name"; readonly at: Token; readonly symbol: Entity | null }
  | { readonly kind: "unary"; readonly at: Token; readonly operator: number; readonly operand: Node }
  | { readonly kind: "binary"; readonly at: Token; readonly operator: number; readonly left: Node; readonly right: Node }
  | { readonly kind: "conditional"; readonly at: Token; readonly test: Node; readonly yes: Node | null; readonly no: Node }
  | { readonly kind: "assign"; readonly at: Token; readonly operator: string; readonly left: Node; readonly right: Node }
  | { readonly kind: "postfix"; readonly at: Token; readonly operator: string; readonly operand: Node } // x++, x--
  | { readonly kind: "cast"; readonly at: Token; readonly type: CType; readonly operand: Node }
  | { readonly kind: "size"; readonly at: Token; readonly type: CType | null; readonly operand: Node | null; readonly align: boolean }
  | { readonly kind: "offset"; readonly at: Token; readonly type: CType; readonly path: Node }
  | { readonly kind: "member"; readonly at: Token; readonly object: Node; readonly arrow: boolean; readonly name: string }
  | { readonly kind: "index"; readonly at: Token; readonly object: Node; readonly index: Node }
  | { readonly kind: "call"; readonly at: Token; readonly callee: Node; readonly args: readonly Node[] }
  /** A compound literal, or the base of an offset. */
  | { readonly kind: "object"; readonly at: Token; readonly type: CType }
  | { readonly kind: "opaque"; readonly at: Token; readonly type: CType | null; readonly reason: string };

/** Strength of `?:` and of assignment, below every binary operator. */
const COMMA = 0;
const CONDITIONAL = 1;

/** Reads an expression. `least` 1 leaves a comma to the caller. */
export function expression(p: Parser, least = COMMA): Node {
  if (p.operators >= 0) return inner(p, least);
  p.operators = 0;
  try {
    return inner(p, least);
  } finally {
    p.operators = -1;
  }
}

function inner(p: Parser, least: number): Node {
  p.enter();
  let node = conditional(p);
  while (least === COMMA && p.token.kind === K.COMMA) {
    const at = p.token;
    p.chain();
    p.advance();
    node = { kind: "binary", at, operator: K.COMMA, left: node, right: conditional(p) };
  }
  p.depth--;
  return node;
}

function conditional(p: Parser): Node {
  const test = binary(p, 1);
  const at = p.token;
  if (at.kind === K.QUESTION) {
    p.advance();
    const yes = p.token.kind === K.COLON ? null : expression(p);
    p.expect(K.COLON, ":", "in a conditional expression");
    p.enter();
    const no = conditional(p);
    p.depth--;
    return { kind: "conditional", at, test, yes, no };
  }
  if (at.kind === K.ASSIGN || at.kind === K.COMPOUND_ASSIGN) {
    p.advance();
    p.enter();
    const right = conditional(p);
    p.depth--;
    return { kind: "assign", at, operator: at.text, left: test, right };
  }
  return test;
}

function binary(p: Parser, least: number): Node {
  let left = unary(p);
  for (;;) {
    const at = p.token;
    const strength = K.PRECEDENCE[at.kind];
    if (strength === 0 || strength < least) return left;
    p.chain();
    p.advance();
    left = { kind: "binary", at, operator: at.kind, left, right: binary(p, strength + 1) };
  }
}

function unary(p: Parser): Node {
  const at = p.token;
  switch (at.kind) {
    case K.PLUS:
    case K.MINUS:
    case K.TILDE:
    case K.NOT:
    case K.AMP:
    case K.STAR:
    case K.INCREMENT:
    case K.DECREMENT: {
      p.advance();
      p.enter();
      const operand = unary(p);
      p.depth--;
      return { kind: "unary", at, operator: at.kind, operand };
    }
    case K.LPAREN:
      return parenthesized(p);
    case K.ANDAND:
      p.advance();
      p.advance();
      return { kind: "opaque", at, type: null, reason: "it takes a label's address" };
  }
  switch (p.keyword) {
    case K.KW_SIZEOF:
    case K.KW_ALIGNOF:
      return size(p, p.keyword === K.KW_ALIGNOF);
    case K.KW_EXTENSION:
      while (p.keyword === K.KW_EXTENSION) p.advance();
      return unary(p);
    case K.KW_REAL_IMAG:
      p.advance();
      p.enter();
      unary(p);
      p.depth--;
      return { kind: "opaque", at, type: null, reason: "a part of a complex number" };
  }
  return postfix(p, primary(p));
}

/** `sizeof` and `_Alignof`, C17 6.5.3.4, of a type or an expression. */
function size(p: Parser, align: boolean): Node {
  const at = p.token;
  p.advance();
  p.enter();
  let node: Node;
  if (p.token.kind === K.LPAREN && isTypeAhead(p)) {
    p.advance();
    const type = typeName(p);
    p.expect(K.RPAREN, ")", "after a type name");
    // `sizeof (T){…}` is a compound literal.
    if (p.token.kind === K.LBRACE) node = { kind: "size", at, type: null, operand: postfix(p, compound(p, at, type)), align };
    else node = { kind: "size", at, type, operand: null, align };
  } else node = { kind: "size", at, type: null, operand: unary(p), align };
  p.depth--;
  return node;
}

/** Whether the parenthesis here opens a type name. */
function isTypeAhead(p: Parser): boolean {
  const next = p.peek();
  const id = next.id;
  if (id === null) return false;
  if (id.keyword !== 0) {
    return id.keyword <= K.QUALIFIER_LAST || id.keyword === K.KW_EXTENSION && isDeclarationWord(p.peek(2)) || id.keyword === K.KW_ATTRIBUTE;
  }
  const symbol = id.symbol as Entity | null;
  return symbol !== null && symbol.kind === "typedef";
}

function isDeclarationWord(token: Token): boolean {
  return token.id !== null && token.id.keyword !== 0 && token.id.keyword <= K.QUALIFIER_LAST;
}

function parenthesized(p: Parser): Node {
  const at = p.token;
  if (isTypeAhead(p)) {
    p.advance();
    const type = typeName(p);
    p.expect(K.RPAREN, ")", "after a type name");
    if (p.token.kind === K.LBRACE) return postfix(p, compound(p, at, type));
    p.enter();
    const operand = unary(p);
    p.depth--;
    return { kind: "cast", at, type, operand };
  }
  if (p.peek().kind === K.LBRACE) {
    p.skipBalanced();
    return { kind: "opaque", at, type: null, reason: "it is a statement expression" };
  }
  p.advance();
  const node = expression(p);
  p.expect(K.RPAREN, ")", "in an expression");
  return postfix(p, node);
}

/** The braces of a compound literal, C17 6.5.2.5. */
function compound(p: Parser, at: Token, type: CType): Node {
  return { kind: "object", at, type: braced(p, type) };
}

function postfix(p: Parser, node: Node): Node {
  for (;; p.chain()) {
    const at = p.token;
    switch (at.kind) {
      case K.LBRACKET: {
        p.advance();
        const index = expression(p);
        p.expect(K.RBRACKET, "]", "after an index");
        node = { kind: "index", at, object: node, index };
        continue;
      }
      case K.DOT:
      case K.ARROW: {
        p.advance();
        const name = p.token;
        if (name.id === null) p.fail(`expected the name of a member, got ${describe(name)}`);
        p.advance();
        node = { kind: "member", at, object: node, arrow: at.kind === K.ARROW, name: name.text };
        continue;
      }
      case K.LPAREN: {
        p.advance();
        const args: Node[] = [];
        while (p.token.kind !== K.RPAREN) {
          if (startsType(p)) { // a macro-like builtin that takes a type
            const start = p.token;
            args.push({ kind: "opaque", at: start, type: typeName(p), reason: "it is a type" });
          } else args.push(expression(p, CONDITIONAL));
          if (!p.accept(K.COMMA)) break;
        }
        p.expect(K.RPAREN, ")", "after the arguments of a call");
        node = { kind: "call", at, callee: node, args };
        continue;
      }
      case K.INCREMENT:
      case K.DECREMENT:
        p.advance();
        node = { kind: "postfix", at, operator: at.text, operand: node };
        continue;
    }
    return node;
  }
}

function primary(p: Parser): Node {
  const at = p.token;
  switch (at.kind) {
    case K.NUMBER:
      p.advance();
      return number(p, at);
    case K.CHARACTER:
      p.advance();
      return character(p, at);
    case K.STRING:
      return string(p);
    case K.IDENTIFIER:
      break;
    default:
      p.fail(`expected an expression, got ${describe(at)}`);
  }
  switch (p.keyword) {
    case K.KW_NONE:
      p.advance();
      return { kind: "name", at, symbol: at.id!.symbol as Entity | null };
    case K.KW_TRUE:
    case K.KW_FALSE: {
      const value = p.keyword === K.KW_TRUE ? 1 : 0;
      p.advance();
      return { kind: "int", at, value, type: basic("_Bool") };
    }
    case K.KW_NULLPTR:
      p.advance();
      return { kind: "opaque", at, type: basic("nullptr_t"), reason: "it is a pointer" };
    case K.KW_GENERIC:
      return generic(p);
    case K.KW_OFFSETOF:
      return offset(p);
    case K.KW_TYPES_COMPATIBLE:
      return typesCompatible(p);
    case K.KW_CHOOSE_EXPR:
      return choice(p);
    case K.KW_CONSTANT_P:
      return constantP(p);
    case K.KW_VA_ARG:
      return vaArg(p);
  }
  return p.fail(`expected an expression, got ${describe(at)}`);
}

/** GNU C's `__builtin_types_compatible_p(type, type)`. */
function typesCompatible(p: Parser): Node {
  const at = p.token;
  p.advance();
  p.expect(K.LPAREN, "(", "after __builtin_types_compatible_p");
  const a = typeName(p);
  p.expect(K.COMMA, ",", "between two types");
  const b = typeName(p);
  p.expect(K.RPAREN, ")", "after two types");
  return { kind: "int", at, value: compatible(a, b) ? 1 : 0, type: basic("int") };
}

/** GNU C's `__builtin_choose_expr(constant, yes, no)`. */
function choice(p: Parser): Node {
  p.advance();
  p.expect(K.LPAREN, "(", "after __builtin_choose_expr");
  const test = expression(p, CONDITIONAL);
  p.expect(K.COMMA, ",", "in __builtin_choose_expr");
  const yes = expression(p, CONDITIONAL);
  p.expect(K.COMMA, ",", "in __builtin_choose_expr");
  const no = expression(p, CONDITIONAL);
  p.expect(K.RPAREN, ")", "after __builtin_choose_expr");
  return isTrue(p, test) ? yes : no;
}

/** GNU C's `__builtin_constant_p(expression)`. */
function constantP(p: Parser): Node {
  const at = p.token;
  p.advance();
  p.expect(K.LPAREN, "(", "after __builtin_constant_p");
  const operand = expression(p);
  p.expect(K.RPAREN, ")", "after __builtin_constant_p");
  return { kind: "int", at, value: isConstant(p, operand) ? 1 : 0, type: basic("int") };
}

/** `__builtin_va_arg(list, type)`. */
function vaArg(p: Parser): Node {
  const at = p.token;
  p.advance();
  p.expect(K.LPAREN, "(", "after __builtin_va_arg");
  expression(p, CONDITIONAL);
  p.expect(K.COMMA, ",", "in __builtin_va_arg");
  const type = typeName(p);
  p.expect(K.RPAREN, ")", "after __builtin_va_arg");
  return { kind: "opaque", at, type, reason: "it reads an argument" };
}

/** Whether the first operand of `__builtin_choose_expr` chooses the second. */
function isTrue(p: Parser, node: Node): boolean {
  const value = evaluate(p, node);
  if (typeof value === "string") p.fail(`the choice of __builtin_choose_expr is not a constant: ${value}`, node.at);
  return value.kind === "string" || value.value !== 0;
}

/** `_Generic`, C17 6.5.1.1: the branch is chosen while parsing, since types are known here. */
function generic(p: Parser): Node {
  const at = p.token;
  p.advance();
  p.expect(K.LPAREN, "(", "after _Generic");
  const control = startsType(p) ? typeName(p) : controlType(p, expression(p, CONDITIONAL));
  let chosen: Node | null = null;
  let fallback: Node | null = null;
  while (p.accept(K.COMMA)) {
    if (p.token.text === "default") {
      p.advance();
      p.expect(K.COLON, ":", "after default");
      fallback = expression(p, CONDITIONAL);
    } else {
      const type = typeName(p);
      p.expect(K.COLON, ":", "after a type in _Generic");
      const node = expression(p, CONDITIONAL);
      if (chosen === null && compatible(control, type)) chosen = node;
    }
  }
  p.expect(K.RPAREN, ")", "after _Generic");
  const node = chosen ?? fallback;
  if (node === null) p.fail("no association of this _Generic has the type of its operand", at);
  return node;
}

/** `__builtin_offsetof(type, member.path[index])`. */
function offset(p: Parser): Node {
  const at = p.token;
  p.advance();
  p.expect(K.LPAREN, "(", "after offsetof");
  const type = typeName(p);
  p.expect(K.COMMA, ",", "in offsetof");
  let path: Node = { kind: "object", at, type };
  const name = p.token;
  if (name.id === null) p.fail(`expected the name of a member, got ${describe(name)}`);
  p.advance();
  path = postfix(p, { kind: "member", at: name, object: path, arrow: false, name: name.text });
  p.expect(K.RPAREN, ")", "after offsetof");
  return { kind: "offset", at, type, path };
}

const FLOAT_SUFFIX: Record<string, BasicName> = {
  "": "double",
  f: "float",
  l: "long double",
  f16: "_Float16",
  bf16: "__bf16",
  f32: "_Float32",
  f64: "_Float64",
  f128: "_Float128",
  q: "_Float128",
  w: "_Float64x",
  f32x: "_Float32x",
  f64x: "_Float64x",
};

function number(p: Parser, at: Token): Node {
  const literal = integerLiteral(at.text);
  if (literal === null) {
    const float = floatLiteral(at.text);
    if (float === null) p.fail(`'${at.text}' is not a number`, at);
    if (float.imaginary) return { kind: "opaque", at, type: basic("_Complex double"), reason: "it is a complex number" };
    const name = FLOAT_SUFFIX[float.suffix];
    if (name === undefined) return { kind: "opaque", at, type: null, reason: "it is a decimal floating constant" };
    const value = name === "float" || name === "_Float32" ? Math.fround(float.value) : float.value;
    return { kind: "float", at, value, type: basic(name) };
  }
  let { value } = literal;
  if (literal.bitInt) {
    let width = 1;
    while (value >= 2n ** BigInt(width)) width++;
    const signed = !literal.unsigned;
    return { kind: "int", at, value, type: { kind: "bitint", width: signed ? Math.max(2, width + 1) : width, signed } };
  }
  const type = literalType(p, literal.bits > 0 ? sized(literal.bits, literal.unsigned) : null, literal, value);
  if (type === null) {
    p.diagnostics.warning(at, "integer constant is too large for its type");
    value = wrap(value, 64, false);
    return { kind: "int", at, value, type: basic(p.target.sizes.long[0] === 8 ? "unsigned long" : "unsigned long long") };
  }
  return { kind: "int", at, value, type };
}

function sized(bits: number, unsigned: boolean): BasicName {
  const names: Record<number, readonly [BasicName, BasicName]> = {
    8: ["signed char", "unsigned char"],
    16: ["short", "unsigned short"],
    32: ["int", "unsigned int"],
    64: ["long long", "unsigned long long"],
  };
  return names[bits][unsigned ? 1 : 0];
}

/** The first type of the list of C17 6.4.4.1p5 that holds the value. */
function literalType(
  p: Parser,
  given: BasicName | null,
  literal: { decimal: boolean; unsigned: boolean; longs: number },
  value: Int,
): CType | null {
  if (given !== null) return basic(given);
  const { decimal, unsigned, longs } = literal;
  const long = p.target.sizes.long[0] * 8;
  const fits = (bits: number, signed: boolean): boolean => {
    if (bits === 32) return value <= (signed ? 0x7fffffff : 0xffffffff);
    return value <= (signed ? 0x7fffffffffffffffn : 0xffffffffffffffffn);
  };
  if (longs === 0) {
    if (!unsigned && fits(32, true)) return basic("int");
    if ((unsigned || !decimal) && fits(32, false)) return basic("unsigned int");
  }
  if (longs <= 1) {
    if (!unsigned && fits(long, true)) return basic("long");
    if ((unsigned || !decimal) && fits(long, false)) return basic("unsigned long");
  }
  if (!unsigned && fits(64, true)) return basic("long long");
  if ((unsigned || !decimal) && fits(64, false)) return basic("unsigned long long");
  return null;
}

function character(p: Parser, at: Token): Node {
  const wide = p.target.sizes[p.target.wcharType];
  const value = characterValue(at.text, p.target.charSigned, wide[0] * 8, !p.target.wcharType.startsWith("unsigned"));
  if (typeof value === "string") p.fail(value, at);
  const encoding = encodingOf(at.text);
  const name: BasicName = encoding === "L"
    ? p.target.wcharType
    : encoding === "u"
    ? "unsigned short"
    : encoding === "U"
    ? "unsigned int"
    : encoding === "u8" && p.c23
    ? "unsigned char"
    : "int";
  return { kind: "int", at, value, type: basic(name) };
}

/** How many characters a string may have: each takes some dozen bytes while it is read. */
const MAX_STRING = 2 ** 22;

/** Adjacent string literals, joined (C17 6.4.5p5). */
function string(p: Parser): Node {
  const at = p.token;
  let encoding: Encoding = "";
  const points: number[] = [];
  while (p.token.kind === K.STRING) {
    if (points.length + p.token.text.length > MAX_STRING) p.fail(`a string of more than ${MAX_STRING} characters is too long`);
    const more = contents(p.token.text);
    if (typeof more === "string") p.fail(more);
    const own = encodingOf(p.token.text);
    if (own !== "") encoding = own;
    for (const point of more) points.push(point);
    p.advance();
  }
  const name: BasicName = encoding === "L"
    ? p.target.wcharType
    : encoding === "u"
    ? "unsigned short"
    : encoding === "U"
    ? "unsigned int"
    : "char";
  const bits = p.target.sizes[name][0] * 8;
  return { kind: "string", at, units: units(points, bits), encoding, element: basic(name) };
}
