/**
 * Declaration specifiers, C17 6.7: storage classes, qualifiers, and the types that words and `typeof` make. Records and enums have
 * files of their own.
 *
 * @module
 */

import { alignment, attributedType, Attributes, attributes } from "./attributes.ts";
import { declarator } from "./declarator.ts";
import { enumeration } from "./enums.ts";
import { constantInt, typeOf } from "./evaluate.ts";
import { expression } from "./expression.ts";
import { headerOf } from "../preprocess/include/mod.ts";
import * as K from "../tokens/kinds.ts";
import { alignOf } from "../model/layout.ts";
import type { BasicName, CType } from "../model/model.ts";
import { describe, type Entity, type Parser } from "./parser.ts";
import { record } from "./records.ts";
import type { Token } from "../tokens/tokenize.ts";
import * as T from "../model/types.ts";

/** Storage classes and function specifiers as bits. */
export const TYPEDEF = 1;
export const EXTERN = 2;
export const STATIC = 4;
const INLINE = 8;
const OTHER_STORAGE = 16;
export const CONSTEXPR = 32;
/** Of which one declaration has one. */
const LINKAGE = TYPEDEF | EXTERN | STATIC;

/** What declaration specifiers say. */
export interface Specifiers {
  readonly type: CType;
  readonly storage: number;
  readonly attributes: Attributes;
  /** A struct, union or enum was declared or defined here. */
  readonly declares: boolean;
  readonly at: Token;
}

/** True where the current token can begin a type. */
export function startsType(p: Parser): boolean {
  return isTypeStart(p.token);
}

/** True where a token can begin a type, as far as itself tells. */
export function isTypeStart(token: Token): boolean {
  const id = token.id;
  if (id === null) return false;
  if (id.keyword !== 0) return id.keyword <= K.QUALIFIER_LAST || id.keyword === K.KW_EXTENSION || id.keyword === K.KW_ATTRIBUTE;
  const symbol = id.symbol as Entity | null;
  return symbol !== null && symbol.kind === "typedef";
}

/** True where the current token can begin a declaration. */
export function startsDeclaration(p: Parser): boolean {
  const keyword = p.keyword;
  return keyword !== 0 ? keyword <= K.SPECIFIER_LAST : startsType(p);
}

// The words of a basic type, counted: C17 6.7.2p2 lists the sets.
const W_LONG = 1;
const W_LONG_LONG = 2 * W_LONG;
const W_SHORT = 4;
const W_SIGNED = 8;
const W_UNSIGNED = 16;
const W_INT = 32;
const W_CHAR = 64;
const W_DOUBLE = 128;
const W_COMPLEX = 256;
const W_OTHER = 512;
const ANY_LONG = W_LONG | W_LONG_LONG;

/** A number for each of some keywords; 0 for the others. */
function table(...entries: readonly (readonly [keyword: number, value: number])[]): Uint16Array {
  const values = new Uint16Array(256);
  for (const [keyword, value] of entries) values[keyword] = value;
  return values;
}

const QUALIFIERS = table(
  [K.KW_CONST, T.CONST],
  [K.KW_VOLATILE, T.VOLATILE],
  [K.KW_RESTRICT, T.RESTRICT],
  [K.KW_NULLABLE, T.NULLABLE],
  [K.KW_NONNULL, T.NONNULL],
);

const STORAGE = table(
  [K.KW_EXTERN, EXTERN],
  [K.KW_TYPEDEF, TYPEDEF],
  [K.KW_STATIC, STATIC],
  [K.KW_INLINE, INLINE],
  [K.KW_CONSTEXPR, CONSTEXPR],
  [K.KW_AUTO, OTHER_STORAGE],
  [K.KW_REGISTER, OTHER_STORAGE],
  [K.KW_THREAD_LOCAL, OTHER_STORAGE],
);

/** Words that may stand once; and those that say no more when they stand again. */
const COUNTED = table(
  [K.KW_CHAR, W_CHAR],
  [K.KW_SHORT, W_SHORT],
  [K.KW_INT, W_INT],
  [K.KW_DOUBLE, W_DOUBLE],
  [K.KW_INT16, W_SHORT],
  [K.KW_INT32, W_INT],
  [K.KW_INT64, W_LONG_LONG],
);
const REPEATABLE = table([K.KW_SIGNED, W_SIGNED], [K.KW_UNSIGNED, W_UNSIGNED], [K.KW_COMPLEX, W_COMPLEX]);

/** The types that are a word of their own; null for one that is spelled as its name is. */
const NAMED: ReadonlyMap<number, BasicName | null> = new Map<number, BasicName | null>([
  [K.KW_VOID, "void"],
  [K.KW_FLOAT, "float"],
  [K.KW_BOOL, "_Bool"],
  [K.KW_INT128, "__int128"],
  [K.KW_FLOAT128, "_Float128"],
  [K.KW_VA_LIST, "__builtin_va_list"],
  ...[K.KW_FLOAT16, K.KW_BF16, K.KW_FLOAT32, K.KW_FLOAT64, K.KW_FLOAT32X, K.KW_FLOAT64X].map((keyword) => [keyword, null] as const),
]);

/** Keywords that say nothing about a type. */
const SILENT = table([K.KW_EXTENSION, 1], [K.KW_NULL_UNSPECIFIED, 1], [K.KW_IGNORED_QUALIFIER, 1]);

/** What was read of some specifiers so far. */
class Reading {
  readonly attributes = new Attributes();
  storage = 0;
  qualifiers = 0;
  type: CType | null = null;
  words = 0;
  /** The last of the words. */
  word: Token | null = null;
  other: BasicName | null = null;
  declares = false;

  /** True if nothing named a type yet. */
  get isOpen(): boolean {
    return this.type === null && this.words === 0;
  }
}

/** Reads declaration specifiers; fails where there are none. */
export function specifiers(p: Parser): Specifiers {
  const at = p.token, reading = new Reading(), attrs = reading.attributes;
  while (specifier(p, reading));
  let type = typeRead(p, reading, at);
  if (attrs.mode !== null || (attrs.vector > 0 && !reading.declares)) {
    type = attributedType(p, type, attrs);
    attrs.mode = null;
    attrs.vector = 0;
  }
  const { storage, qualifiers, declares } = reading;
  return { type: T.qualify(type, qualifiers), storage, attributes: attrs, declares, at };
}

/** Reads one specifier; false where none stands. */
function specifier(p: Parser, reading: Reading): boolean {
  const { token } = p, { id } = token;
  if (id === null) {
    if (token.kind !== K.LBRACKET || p.peek().kind !== K.LBRACKET) return false;
    attributes(p, reading.attributes);
    return true;
  }
  const { keyword } = id, { type, words } = reading;
  if ((type?.kind === "record" || type?.kind === "enum") && isTypeWord(keyword)) return false; // where a name belongs, as the declarator says
  if (keyword === K.KW_NONE) {
    const symbol = reading.isOpen ? id.symbol as Entity | null : null;
    if (symbol?.kind !== "typedef") return false;
    reading.type = symbol.type;
  } else if (!isWord(p, reading, keyword, token)) return construct(p, reading, keyword);
  if (reading.words !== words) reading.word = token;
  p.advance();
  return true;
}

/** True for a word that makes up a type with others. */
function isTypeWord(keyword: number): boolean {
  return COUNTED[keyword] !== 0 || REPEATABLE[keyword] !== 0 || NAMED.has(keyword) || keyword === K.KW_LONG || keyword === K.KW_INT8;
}

/** Notes a specifier that is one word; false for any other. */
function isWord(p: Parser, reading: Reading, keyword: number, token: Token): boolean {
  if (QUALIFIERS[keyword] !== 0) reading.qualifiers |= QUALIFIERS[keyword];
  else if (STORAGE[keyword] !== 0) {
    if ((STORAGE[keyword] & LINKAGE) !== 0 && (reading.storage & LINKAGE) !== 0) {
      p.fail(`'${token.text}' stands behind another storage class`);
    }
    reading.storage |= STORAGE[keyword];
  } else if (COUNTED[keyword] !== 0) {
    if ((reading.words & COUNTED[keyword]) !== 0) p.fail(`'${token.text}' stands twice in one type`);
    reading.words |= COUNTED[keyword];
  } else if (REPEATABLE[keyword] !== 0) reading.words |= REPEATABLE[keyword];
  else if (NAMED.has(keyword)) {
    reading.other = NAMED.get(keyword) ?? (token.text === "__float80" ? "_Float64x" : token.text) as BasicName;
    reading.words += W_OTHER;
  } else if (SILENT[keyword] === 0) return isPeculiarWord(p, reading, keyword, token);
  return true;
}

/** Notes a word that isn't just a bit more. */
function isPeculiarWord(p: Parser, reading: Reading, keyword: number, token: Token): boolean {
  switch (keyword) {
    case K.KW_LONG:
      if ((reading.words & ANY_LONG) === W_LONG_LONG) p.fail("'long long long' is too long");
      reading.words += W_LONG;
      return true;
    case K.KW_INT8: // Microsoft's, which is signed though `char` alone needn't be
      reading.words += W_CHAR;
      if ((reading.words & W_UNSIGNED) === 0) reading.words |= W_SIGNED;
      return true;
    case K.KW_NORETURN:
      reading.attributes.noreturn = true;
      return true;
    case K.KW_CONVENTION:
      reading.attributes.convention = token.text.replace(/^_+/, "");
      return true;
    case K.KW_DECIMAL:
    case K.KW_IMAGINARY:
      return p.fail(`${token.text} is not supported`);
    case K.KW_ATOMIC:
      if (p.peek().kind === K.LPAREN) return false;
      reading.qualifiers |= T.ATOMIC;
      return true;
    default:
      return false;
  }
}

/** Reads a specifier of several tokens; false where none stands. */
function construct(p: Parser, reading: Reading, keyword: number): boolean {
  switch (keyword) {
    case K.KW_ATOMIC:
      reading.type = atomicType(p);
      return true;
    case K.KW_BITINT:
      reading.type = bitInt(p);
      return true;
    case K.KW_TYPEOF:
    case K.KW_TYPEOF_UNQUAL:
      reading.type = typeofType(p, keyword === K.KW_TYPEOF_UNQUAL);
      return true;
    case K.KW_ALIGNAS:
      alignAs(p, reading.attributes);
      return true;
    case K.KW_ATTRIBUTE:
    case K.KW_DECLSPEC:
      attributes(p, reading.attributes);
      return true;
    case K.KW_STRUCT:
    case K.KW_UNION:
    case K.KW_ENUM:
      if (!reading.isOpen) return false;
      reading.type = keyword === K.KW_ENUM ? enumeration(p) : record(p, reading.attributes);
      reading.declares = true;
      return true;
    default:
      return false;
  }
}

/** `_Atomic(type)`. */
function atomicType(p: Parser): CType {
  p.advance();
  p.advance();
  const type = T.qualify(nestedTypeName(p), T.ATOMIC);
  p.expect(K.RPAREN, ")", "after _Atomic(type");
  return type;
}

/** The widest `_BitInt`, as in gcc. */
const MAX_BITS = 65535;

/** `_BitInt(width)`. */
function bitInt(p: Parser): CType {
  p.advance();
  p.expect(K.LPAREN, "(", "after _BitInt");
  const at = p.token, width = constantInt(p, expression(p), "the width of a _BitInt") ?? 1;
  p.expect(K.RPAREN, ")", "after the width of a _BitInt");
  if (width < 1 || width > MAX_BITS) p.fail(`the width of a _BitInt is 1 to ${MAX_BITS}, got ${width}`, at);
  return { kind: "bitint", width: Number(width), signed: true };
}

/** `typeof(type)`, `typeof(expression)`. */
function typeofType(p: Parser, isUnqualified: boolean): CType {
  p.advance();
  p.expect(K.LPAREN, "(", "after typeof");
  p.enter();
  const type = startsType(p) ? typeName(p) : typeOf(p, expression(p));
  p.depth--;
  p.expect(K.RPAREN, ")", "after typeof(…");
  return isUnqualified ? T.unqualified(T.resolve(type)) : type;
}

/** `_Alignas(type)`, `_Alignas(expression)`. */
function alignAs(p: Parser, attrs: Attributes): void {
  const start = p.token;
  p.advance();
  p.expect(K.LPAREN, "(", "after _Alignas");
  const align = startsType(p) ? alignOf(nestedTypeName(p), p.target) : constantInt(p, expression(p), "an alignment");
  p.expect(K.RPAREN, ")", "after _Alignas(…");
  if (align !== null) attrs.align = Math.max(attrs.align, alignment(p, start, align));
}

/** The type that was named, or C89's `int` where none was. */
function typeRead(p: Parser, { type, words, word, other, storage, qualifiers }: Reading, at: Token): CType {
  if (type !== null) {
    if (words === 0) return type;
    if (type.kind === "bitint" && (words === W_UNSIGNED || words === W_SIGNED)) return { ...type, signed: words === W_SIGNED };
    p.fail(`'${word!.text}' can't be combined with another type`, word!);
  }
  if (words !== 0) return basicType(p, words, other, at);
  const { token } = p;
  if (token.id !== null && token.id.keyword === K.KW_NONE) return implicitInt(p, token, storage, qualifiers);
  if (storage === 0 && qualifiers === 0) p.fail(`expected a type, got ${describe(token)}`);
  return assumedInt(p, at);
}

/** The type where an unknown name stands in its place. An unknown type, or a macro, is far more likely than C89's implicit `int`. */
function implicitInt(p: Parser, name: Token, storage: number, qualifiers: number): CType {
  const next = p.peek();
  if (next.kind === K.LPAREN) { // `f(…);`
    if (storage === 0 && qualifiers === 0) {
      p.fail(`expected a declaration, got '${name.text}': is it a macro that is not defined?${hint(p, name.text)}`);
    }
    return assumedInt(p, name);
  }
  // `foo bar` or `foo *`: an unknown type; `extern foo;`: a missing one.
  if (next.id !== null || next.kind === K.STAR || next.kind === K.RPAREN || next.kind === K.COMMA || storage === 0) {
    p.fail(`unknown type name '${name.text}'${hint(p, name.text)}`);
  }
  return assumedInt(p, name);
}

/** What an unknown name may be. */
function hint(p: Parser, name: string): string {
  const header = headerOf(name);
  if (header !== null) return `; <${header}> declares it, which nothing before this includes`;
  if (K.C23_KEYWORDS.some(([, word]) => word === name)) return "; it is a keyword of C23, which -D __STDC_VERSION__=202311L asks for";
  return p.suggest(name, (symbol) => symbol.kind === "typedef");
}

function assumedInt(p: Parser, at: Token): CType {
  p.diagnostics.warning(at, "type specifier missing, 'int' is assumed");
  return T.basic("int");
}

/** The type that a multiset of words names. */
function basicType(p: Parser, words: number, other: BasicName | null, at: Token): CType {
  if (other !== null) {
    if (words === W_OTHER) return T.basic(other);
    if (other === "__int128" && (words === (W_OTHER | W_SIGNED) || words === (W_OTHER | W_UNSIGNED))) {
      return T.basic(words & W_UNSIGNED ? "unsigned __int128" : "__int128");
    }
    if (words === (W_OTHER | W_COMPLEX) && (other === "float" || other.startsWith("_Float"))) {
      return T.basic(`_Complex ${other}` as BasicName);
    }
    p.fail(`'${other}' can't be combined with these other words`, at);
  }
  switch (words) {
    case W_CHAR:
      return T.basic("char");
    case W_CHAR | W_SIGNED:
      return T.basic("signed char");
    case W_CHAR | W_UNSIGNED:
      return T.basic("unsigned char");
    case W_SHORT:
    case W_SHORT | W_INT:
    case W_SHORT | W_SIGNED:
    case W_SHORT | W_SIGNED | W_INT:
      return T.basic("short");
    case W_SHORT | W_UNSIGNED:
    case W_SHORT | W_UNSIGNED | W_INT:
      return T.basic("unsigned short");
    case W_INT:
    case W_SIGNED:
    case W_SIGNED | W_INT:
      return T.basic("int");
    case W_UNSIGNED:
    case W_UNSIGNED | W_INT:
      return T.basic("unsigned int");
    case W_LONG:
    case W_LONG | W_INT:
    case W_LONG | W_SIGNED:
    case W_LONG | W_SIGNED | W_INT:
      return T.basic("long");
    case W_LONG | W_UNSIGNED:
    case W_LONG | W_UNSIGNED | W_INT:
      return T.basic("unsigned long");
    case W_LONG_LONG:
    case W_LONG_LONG | W_INT:
    case W_LONG_LONG | W_SIGNED:
    case W_LONG_LONG | W_SIGNED | W_INT:
      return T.basic("long long");
    case W_LONG_LONG | W_UNSIGNED:
    case W_LONG_LONG | W_UNSIGNED | W_INT:
      return T.basic("unsigned long long");
    case W_DOUBLE:
      return T.basic("double");
    case W_LONG | W_DOUBLE:
      return T.basic("long double");
    case W_COMPLEX:
    case W_COMPLEX | W_DOUBLE:
      return T.basic("_Complex double");
    case W_COMPLEX | W_LONG | W_DOUBLE:
      return T.basic("_Complex long double");
  }
  if ((words & W_COMPLEX) !== 0) {
    const part = basicType(p, words & ~W_COMPLEX, null, at);
    if (part.kind === "basic") return T.basic(`_Complex ${part.name}` as BasicName);
  }
  return p.fail("these words don't make a type together", at);
}

/** A type name, C17 6.7.7: specifiers and an abstract declarator. */
export function typeName(p: Parser): CType {
  const { type, attributes: attrs } = specifiers(p);
  const made = declarator(p, type, "abstract");
  return attributedType(p, made.type, attrs);
}

/** A type name inside of specifiers, which may hold another one and so on. */
export function nestedTypeName(p: Parser): CType {
  p.enter();
  const type = typeName(p);
  p.depth--;
  return type;
}
