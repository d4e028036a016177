/**
 * Declaration specifiers, C17 6.7: storage classes, qualifiers, and the types that words, records, enums and `typeof` make.
 *
 * @module
 */

import { alignment, attributedType, Attributes, attributes } from "./attributes.ts";
import { declarator } from "./declarator.ts";
import { constantInt, typeOf } from "./evaluate.ts";
import { expression } from "./expression.ts";
import * as I from "./integer.ts";
import type { Int } from "./integer.ts";
import * as K from "./kinds.ts";
import { alignOf, layoutRecord, MAX_SIZE, type Member, setDemand, sizeOf } from "./layout.ts";
import type { BasicName, BasicType, CType, EnumDeclaration, EnumValue, RecordDeclaration } from "./model.ts";
import { staticAssert } from "./parse.ts";
import { describe, FAILURE, type Parser, type Symbol, type Tag } from "./parser.ts";
import type { Token } from "./tokenize.ts";
import * as T from "./types.ts";
import type { Mutable } from "./types.ts";

/** Storage classes and function specifiers as bits. */
export const TYPEDEF = 1;
export const EXTERN = 2;
export const STATIC = 4;
export const INLINE = 8;
export const OTHER_STORAGE = 16;
export const CONSTEXPR = 32;

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
  const symbol = id.symbol as Symbol | null;
  return symbol !== null && symbol.kind === "typedef";
}

/** True where the current token can begin a declaration. */
export function startsDeclaration(p: Parser): boolean {
  const keyword = p.keyword;
  return keyword !== 0 ? keyword <= K.SPECIFIER_LAST : startsType(p);
}

// The words of a basic type, counted: C17 6.7.2p2 lists the sets.
const W_LONG = 1; // twice for long long
const W_SHORT = 4;
const W_SIGNED = 8;
const W_UNSIGNED = 16;
const W_INT = 32;
const W_CHAR = 64;
const W_DOUBLE = 128;
const W_COMPLEX = 256;
const W_OTHER = 512;

/** Reads declaration specifiers; fails where there are none. */
export function specifiers(p: Parser): Specifiers {
  const at = p.token;
  const attrs = new Attributes();
  let storage = 0;
  let qualifiers = 0;
  let type: CType | null = null;
  let words = 0;
  let other: BasicName | null = null;
  let declares = false;
  loop: for (;;) {
    const token = p.token;
    const id = token.id;
    if (id === null) {
      if (token.kind === K.LBRACKET && p.peek().kind === K.LBRACKET) {
        attributes(p, attrs);
        continue;
      }
      break;
    }
    switch (id.keyword) {
      case K.KW_NONE: {
        if (type !== null || words !== 0) break loop;
        const symbol = id.symbol as Symbol | null;
        if (symbol === null || symbol.kind !== "typedef") break loop;
        type = symbol.type;
        break;
      }
      case K.KW_CONST:
        qualifiers |= T.CONST;
        break;
      case K.KW_VOLATILE:
        qualifiers |= T.VOLATILE;
        break;
      case K.KW_RESTRICT:
        qualifiers |= T.RESTRICT;
        break;
      case K.KW_NULLABLE:
        qualifiers |= T.NULLABLE;
        break;
      case K.KW_NONNULL:
        qualifiers |= T.NONNULL;
        break;
      case K.KW_EXTERN:
        storage |= EXTERN;
        break;
      case K.KW_TYPEDEF:
        storage |= TYPEDEF;
        break;
      case K.KW_STATIC:
        storage |= STATIC;
        break;
      case K.KW_INLINE:
        storage |= INLINE;
        break;
      case K.KW_CONSTEXPR:
        storage |= CONSTEXPR;
        break;
      case K.KW_AUTO:
      case K.KW_REGISTER:
      case K.KW_THREAD_LOCAL:
        storage |= OTHER_STORAGE;
        break;
      case K.KW_NORETURN:
        attrs.noreturn = true;
        break;
      case K.KW_EXTENSION:
      case K.KW_NULL_UNSPECIFIED:
      case K.KW_IGNORED_QUALIFIER:
        break;
      case K.KW_CONVENTION:
        attrs.convention = token.text.replace(/^_+/, "");
        break;
      case K.KW_VOID:
        other = "void", words += W_OTHER;
        break;
      case K.KW_CHAR:
        words += W_CHAR;
        break;
      case K.KW_SHORT:
        words += W_SHORT;
        break;
      case K.KW_INT:
        words += W_INT;
        break;
      case K.KW_LONG:
        if ((words & 3) === 2) p.fail("'long long long' is too long");
        words += W_LONG;
        break;
      case K.KW_SIGNED:
        words |= W_SIGNED;
        break;
      case K.KW_UNSIGNED:
        words |= W_UNSIGNED;
        break;
      case K.KW_DOUBLE:
        words += W_DOUBLE;
        break;
      case K.KW_COMPLEX:
        words |= W_COMPLEX;
        break;
      case K.KW_FLOAT:
        other = "float", words += W_OTHER;
        break;
      case K.KW_BOOL:
        other = "_Bool", words += W_OTHER;
        break;
      case K.KW_INT128:
        other = "__int128", words += W_OTHER;
        break;
      case K.KW_FLOAT16:
      case K.KW_BF16:
      case K.KW_FLOAT32:
      case K.KW_FLOAT64:
      case K.KW_FLOAT32X:
      case K.KW_FLOAT64X:
        other = (token.text === "__float80" ? "_Float64x" : token.text) as BasicName;
        words += W_OTHER;
        break;
      case K.KW_FLOAT128:
        other = "_Float128", words += W_OTHER;
        break;
      case K.KW_VA_LIST:
        other = "__builtin_va_list", words += W_OTHER;
        break;
      case K.KW_INT8:
        words += W_CHAR;
        if ((words & W_UNSIGNED) === 0) words |= W_SIGNED;
        break;
      case K.KW_INT16:
        words += W_SHORT;
        break;
      case K.KW_INT32:
        words += W_INT;
        break;
      case K.KW_INT64:
        words += W_LONG * 2;
        break;
      case K.KW_DECIMAL:
      case K.KW_IMAGINARY:
        p.fail(`${token.text} is not supported`);
        break;
      case K.KW_ATOMIC:
        if (p.peek().kind === K.LPAREN) {
          p.advance();
          p.advance();
          type = T.qualify(typeName(p), T.ATOMIC);
          p.expect(K.RPAREN, ")", "after _Atomic(type");
          continue;
        }
        qualifiers |= T.ATOMIC;
        break;
      case K.KW_BITINT: {
        p.advance();
        p.expect(K.LPAREN, "(", "after _BitInt");
        const width = constantInt(p, expression(p), "the width of a _BitInt");
        p.expect(K.RPAREN, ")", "after the width of a _BitInt");
        type = { kind: "bitint", width: Math.max(1, Math.min(Number(width ?? 1), 65535)), signed: true };
        continue;
      }
      case K.KW_STRUCT:
      case K.KW_UNION:
        if (type !== null || words !== 0) break loop;
        type = record(p, attrs);
        declares = true;
        continue;
      case K.KW_ENUM:
        if (type !== null || words !== 0) break loop;
        type = enumeration(p);
        declares = true;
        continue;
      case K.KW_TYPEOF:
      case K.KW_TYPEOF_UNQUAL: {
        p.advance();
        p.expect(K.LPAREN, "(", "after typeof");
        type = startsType(p) ? typeName(p) : typeOf(p, expression(p));
        if (id.keyword === K.KW_TYPEOF_UNQUAL) type = T.unqualified(T.resolve(type));
        p.expect(K.RPAREN, ")", "after typeof(…");
        continue;
      }
      case K.KW_ALIGNAS: {
        const start = p.token;
        p.advance();
        p.expect(K.LPAREN, "(", "after _Alignas");
        const align = startsType(p) ? alignOf(typeName(p), p.target) : constantInt(p, expression(p), "an alignment");
        p.expect(K.RPAREN, ")", "after _Alignas(…");
        if (align !== null) attrs.align = Math.max(attrs.align, alignment(p, start, align));
        continue;
      }
      case K.KW_ATTRIBUTE:
      case K.KW_DECLSPEC:
        attributes(p, attrs);
        continue;
      default:
        break loop;
    }
    p.advance();
  }
  if (type !== null) {
    if (words !== 0) {
      if (type.kind === "bitint" && (words === W_UNSIGNED || words === W_SIGNED)) type = { ...type, signed: words === W_SIGNED };
      else p.fail(`'${wordText(words)}' can't be combined with another type`, at);
    }
  } else if (words !== 0) type = basicType(p, words, other, at);
  else if (p.token.id !== null && p.token.id.keyword === 0 && p.peek().kind !== K.LPAREN) {
    const name = p.token;
    const next = p.peek();
    // `foo bar` or `foo *`: an unknown type; `extern foo;`: a missing one.
    if (next.id !== null || next.kind === K.STAR || p.peek().kind === K.RPAREN || p.peek().kind === K.COMMA || storage === 0) {
      p.fail(`unknown type name '${name.text}'${p.suggest(name.text, (symbol) => symbol.kind === "typedef")}`);
    }
    p.diagnostics.warning(name, "type specifier missing, 'int' is assumed");
    type = T.basic("int");
  } else if (p.token.id !== null && p.token.id.keyword === 0) {
    // C89's implicit int: `f(…);`. An unknown macro in use is far more likely.
    const name = p.token;
    if (storage === 0 && qualifiers === 0) {
      p.fail(
        `expected a declaration, got '${name.text}': is it a macro that is not defined?${
          p.suggest(name.text, (symbol) => symbol.kind === "typedef")
        }`,
      );
    }
    p.diagnostics.warning(name, "type specifier missing, 'int' is assumed");
    type = T.basic("int");
  } else if (storage !== 0 || qualifiers !== 0) {
    p.diagnostics.warning(at, "type specifier missing, 'int' is assumed");
    type = T.basic("int");
  } else p.fail(`expected a type, got ${describe(p.token)}`);
  if (attrs.mode !== null || (attrs.vector > 0 && !declares)) {
    type = attributedType(p, type, attrs);
    attrs.mode = null;
    attrs.vector = 0;
  }
  return { type: T.qualify(type, qualifiers), storage, attributes: attrs, declares, at };
}

function wordText(words: number): string {
  return words & W_UNSIGNED ? "unsigned" : words & W_SIGNED ? "signed" : words & W_SHORT ? "short" : words & 3 ? "long" : "a basic type";
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
    case 2:
    case 2 | W_INT:
    case 2 | W_SIGNED:
    case 2 | W_SIGNED | W_INT:
      return T.basic("long long");
    case 2 | W_UNSIGNED:
    case 2 | W_UNSIGNED | W_INT:
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
  return p.fail("these words don't make a type together", at);
}

/** A type name, C17 6.7.7: specifiers and an abstract declarator. */
export function typeName(p: Parser): CType {
  const { type, attributes: attrs } = specifiers(p);
  const made = declarator(p, type, "abstract");
  return attributedType(p, made.type, attrs);
}

// Structs and unions, 6.7.2.1

function record(p: Parser, outer: Attributes): CType {
  const kind = p.keyword === K.KW_UNION ? "union" : "struct";
  const word = p.token;
  p.advance();
  const attrs = new Attributes();
  attributes(p, attrs);
  let tag: Token | null = null;
  if (p.token.id !== null && (p.token.id.keyword === 0 || p.peek().kind === K.LBRACE)) {
    tag = p.token;
    p.advance();
    attributes(p, attrs);
  }
  if (p.token.kind !== K.LBRACE) {
    if (tag === null) p.fail(`expected a tag or '{' after '${kind}', got ${describe(p.token)}`);
    return recordTag(p, kind, tag).type;
  }
  const entry = recordTag(p, kind, tag, word);
  const declaration = entry.declaration;
  if (declaration.size !== null || entry.defining) {
    p.diagnostics.error(tag ?? word, `redefinition of '${kind} ${tag?.text}'`, [{
      at: entry.position,
      message: "previously defined here",
    }]);
    p.skipBalanced();
    attributes(p, new Attributes());
    return entry.type;
  }
  if (tag !== null) Object.assign(declaration, p.origin(tag)); // the definition is the place that a reader wants
  entry.defining = true;
  const members: Member[] = [];
  p.enter();
  p.advance();
  while (p.token.kind !== K.RBRACE) {
    if (p.token.kind === K.EOF) p.fail(`expected '}' at the end of '${kind} ${tag?.text ?? ""}', got the end of the file`);
    memberDeclaration(p, members);
  }
  p.depth--;
  const pack = p.pack;
  const ms = p.msStruct;
  p.advance();
  const after = new Attributes();
  attributes(p, after);
  attrs.add(after);
  entry.defining = false;
  // What stands behind the brace and is no layout belongs to the declaration around.
  if (after.deprecated !== null) outer.deprecated ??= after.deprecated;
  complete(p, declaration, members, attrs, pack, ms, word);
  return entry.type;
}

function complete(
  p: Parser,
  declaration: Mutable<RecordDeclaration>,
  members: readonly Member[],
  attrs: Attributes,
  pack: number,
  ms: boolean,
  at: Token,
): void {
  const rules = { packed: attrs.packed, align: attrs.align, pack, microsoft: attrs.microsoft ?? ms };
  const layout = layoutRecord(declaration.kind, members, rules, p.target);
  if (layout.size > MAX_SIZE) {
    p.diagnostics.error(at, `'${declaration.kind} ${declaration.name ?? ""}' is too large`);
    layout.fields.length = 0;
    declaration.size = 0;
  } else declaration.size = layout.size;
  declaration.align = layout.align;
  setDemand(declaration, layout);
  declaration.fields = layout.fields;
}

/** The record of a tag, declared if it is new. `at` is the keyword, for a record without a tag. */
function recordTag(p: Parser, kind: "struct" | "union", tag: Token | null, at: Token | null = null): Tag & { kind: "record" } {
  const id = tag?.id ?? null;
  const known = id?.tag as Tag | null | undefined;
  if (known !== null && known !== undefined) {
    if (known.kind === "record" && known.declaration.kind === kind) return known;
    p.fail(`'${tag!.text}' is declared as another kind of tag than '${kind}'`, tag!);
  }
  const token = tag ?? at!;
  const declaration: Mutable<RecordDeclaration> = {
    ...p.origin(token),
    kind,
    name: tag?.text ?? null,
    alias: null,
    size: null,
    align: null,
    fields: [],
  };
  const entry: Tag & { kind: "record" } = {
    kind: "record",
    declaration,
    type: { kind: "record", record: declaration },
    defining: false,
    position: token.position,
  };
  if (id !== null) id.tag = entry;
  p.records.push(declaration);
  return entry;
}

function memberDeclaration(p: Parser, members: Member[]): void {
  if (p.accept(K.SEMICOLON)) return;
  if (p.keyword === K.KW_STATIC_ASSERT) {
    staticAssert(p);
    return;
  }
  const start = p.at;
  const depth = p.depth;
  try {
    const base = specifiers(p);
    if (p.token.kind === K.SEMICOLON) {
      const type = T.resolve(base.type);
      // An anonymous member has no tag (C17 6.7.2.1p13); Microsoft's compiler takes one with a tag or typedef name too.
      if (type.kind === "record" && (p.target.microsoft || (base.declares && type.record.name === null))) {
        pushMember(
          p,
          members,
          { name: null, type: base.type, bits: null, align: base.attributes.align, packed: base.attributes.packed },
          base.at,
        );
      }
      p.advance();
      return;
    }
    for (;;) {
      memberDeclarator(p, base, members);
      if (!p.accept(K.COMMA)) break;
      attributes(p, base.attributes);
    }
    if (p.token.kind !== K.SEMICOLON) {
      if (p.token.kind === K.RBRACE) p.diagnostics.warning(p.token, "expected ';' at the end of a member");
      else p.fail(`expected ';' after a member, got ${describe(p.token)}`);
    } else p.advance();
  } catch (error) {
    if (error !== FAILURE || depth > 200) throw error;
    p.depth = depth;
    // To the end of this member.
    if (p.at === start) p.advance();
    for (;;) {
      if (p.token.kind === K.LBRACE || p.token.kind === K.LPAREN) p.skipBalanced();
      else if (p.token.kind === K.RBRACE || p.token.kind === K.EOF) return;
      else if (p.accept(K.SEMICOLON)) return;
      else p.advance();
    }
  }
}

function memberDeclarator(p: Parser, base: Specifiers, members: Member[]): void {
  const at = p.token;
  const attrs = new Attributes();
  attrs.add(base.attributes);
  let name: Token | null = null;
  let type = base.type;
  let bits: number | null = null;
  if (p.token.kind !== K.COLON) {
    const made = declarator(p, base.type, "named");
    name = made.name;
    type = made.type;
    attrs.add(made.attributes);
  }
  if (p.token.kind === K.COLON) {
    p.advance();
    const width = constantInt(p, conditionalHere(p), "the width of a bit-field");
    const t = T.resolve(type);
    const most = t.kind === "basic" && t.name === "_Bool" ? 1 : (sizeOf(type, p.target) ?? 0) * 8;
    if (!T.isInteger(type)) p.diagnostics.error(at, `bit-field '${name?.text ?? ""}' has a type that is no integer`);
    else if (width !== null && (width < 0 || width > most)) {
      p.diagnostics.error(at, `width of bit-field '${name?.text ?? ""}' is not in 0 … ${most}`);
    } else if (width === 0 && name !== null) p.diagnostics.error(at, `bit-field '${name.text}' has no width`);
    else bits = Number(width ?? 0);
    if (bits === null) return;
  }
  attributes(p, attrs);
  type = attributedType(p, type, attrs);
  pushMember(p, members, { name: name?.text ?? null, type, bits, align: attrs.align, packed: attrs.packed }, name ?? at);
}

function conditionalHere(p: Parser) {
  return expression(p, 1);
}

function pushMember(p: Parser, members: Member[], member: Member, at: Token): void {
  const type = T.resolve(member.type);
  if (type.kind === "function") p.fail(`field '${member.name}' is a function`, at);
  if (sizeOf(member.type, p.target) === null || T.isVoid(type)) {
    const flexible = type.kind === "array" && type.length === null && sizeOf(type.of, p.target) !== null;
    if (!flexible) p.fail(`field '${member.name ?? ""}' has the incomplete type '${T.printType(member.type)}'`, at);
  }
  if (member.name !== null && members.length < 4096 && members.some((other) => other.name === member.name)) {
    p.diagnostics.error(at, `duplicate member '${member.name}'`);
    return;
  }
  members.push(member);
}

// Enums, 6.7.2.2

function enumeration(p: Parser): CType {
  const word = p.token;
  p.advance();
  const attrs = new Attributes();
  attributes(p, attrs);
  let tag: Token | null = null;
  if (p.token.id !== null && p.token.id.keyword === 0) {
    tag = p.token;
    p.advance();
    attributes(p, attrs);
  }
  let underlying: BasicType | null = null;
  if (p.token.kind === K.COLON && (p.peek().kind === K.IDENTIFIER)) { // C23: enum tag : type. In a struct it would be a bit-field.
    const next = p.peek();
    if (isTypeStart(next)) {
      p.advance();
      const type = T.bare(specifiers(p).type);
      if (type.kind === "basic" && T.isInteger(type)) underlying = type;
      else p.diagnostics.error(next, "the underlying type of an enum must be an integer type");
    }
  }
  if (p.token.kind !== K.LBRACE) {
    if (tag === null) p.fail(`expected a tag or '{' after 'enum', got ${describe(p.token)}`);
    const entry = enumTag(p, tag, null);
    if (underlying !== null) {
      entry.declaration.type = underlying;
      entry.declaration.complete = true;
    }
    return entry.type;
  }
  const entry = enumTag(p, tag, word);
  const declaration = entry.declaration;
  if (declaration.values.length > 0) {
    p.diagnostics.error(tag ?? word, `redefinition of 'enum ${tag?.text}'`, [{ at: entry.position, message: "previously defined here" }]);
    p.skipBalanced();
    return entry.type;
  }
  if (tag !== null) Object.assign(declaration, p.origin(tag));
  p.advance();
  enumerators(p, declaration, entry.type, attrs, underlying, tag ?? word);
  return entry.type;
}

function enumTag(p: Parser, tag: Token | null, at: Token | null): Tag & { kind: "enum" } {
  const id = tag?.id ?? null;
  const known = id?.tag as Tag | null | undefined;
  if (known !== null && known !== undefined) {
    if (known.kind === "enum") return known;
    p.fail(`'${tag!.text}' is declared as another kind of tag than 'enum'`, tag!);
  }
  const token = tag ?? at!;
  const declaration: Mutable<EnumDeclaration> = {
    ...p.origin(token),
    name: tag?.text ?? null,
    alias: null,
    type: T.basic(p.target.unsignedEnums ? "unsigned int" : "int"),
    values: [],
    complete: false,
  };
  const entry: Tag & { kind: "enum" } = { kind: "enum", declaration, type: { kind: "enum", enum: declaration }, position: token.position };
  if (id !== null) id.tag = entry;
  p.enums.push(declaration);
  return entry;
}

function enumerators(
  p: Parser,
  declaration: Mutable<EnumDeclaration>,
  type: CType,
  attrs: Attributes,
  underlying: BasicType | null,
  at: Token,
): void {
  const values: { name: string; value: Int; symbol: Symbol & { kind: "enumerator" } }[] = [];
  let next: Int = 0;
  let least: Int = 0;
  let most: Int = 0;
  while (p.token.kind !== K.RBRACE) {
    const name = p.token;
    if (name.id === null || name.id.keyword !== 0) p.fail(`expected the name of an enum constant, got ${describe(name)}`);
    p.advance();
    attributes(p, new Attributes());
    let value: Int = next;
    if (p.accept(K.ASSIGN)) value = constantInt(p, expression(p, 1), `the value of '${name.text}'`) ?? next;
    if (p.target.microsoft && underlying === null) value = I.wrap(value, 32, true);
    if (value < least) least = value;
    if (value > most) most = value;
    next = I.add(value, 1);
    // Until the enum is complete a constant has a type that holds it.
    const symbol: Symbol & { kind: "enumerator" } = { kind: "enumerator", value, type: holding(p, value), position: name.position };
    declare(p, name, symbol);
    values.push({ name: name.text, value, symbol });
    if (!p.accept(K.COMMA)) break;
  }
  p.expect(K.RBRACE, "}", "at the end of an enum");
  const after = new Attributes();
  attributes(p, after);
  attrs.add(after);
  declaration.type = underlying ?? enumType(p, least, most, attrs.packed, at);
  declaration.complete = true;
  declaration.values = values.map(({ name, value }): EnumValue => ({ name, value: BigInt(value) }));
  // GNU C: what fits in an int is an int; the others have the enum's type.
  for (const { value, symbol } of values) {
    symbol.type = underlying !== null ? type : value >= -2147483648 && value <= 2147483647 ? T.basic("int") : declaration.type;
  }
}

function holding(p: Parser, value: Int): CType {
  if (value >= -2147483648 && value <= 2147483647) return T.basic("int");
  if (value >= 0 && value <= 4294967295) return T.basic("unsigned int");
  const long = p.target.sizes.long[0] === 8;
  return T.basic(value > 0x7fffffffffffffffn ? (long ? "unsigned long" : "unsigned long long") : long ? "long" : "long long");
}

/** The integer type of an enum, as the target's compiler chooses it (C17 6.7.2.2p4 leaves it open). */
function enumType(p: Parser, least: Int, most: Int, packed: boolean, at: Token): BasicType {
  if (p.target.microsoft) return T.basic("int");
  const unsigned = least >= 0;
  const fits = (bits: number): boolean =>
    unsigned ? most < 2n ** BigInt(bits) : most < 2n ** BigInt(bits - 1) && least >= -(2n ** BigInt(bits - 1));
  if (packed && fits(8)) return T.basic(unsigned ? "unsigned char" : "signed char");
  if (packed && fits(16)) return T.basic(unsigned ? "unsigned short" : "short");
  if (fits(32)) return T.basic(unsigned ? "unsigned int" : "int");
  if (!fits(64)) p.diagnostics.error(at, "enum values exceed the range of the largest integer type");
  return T.basic(unsigned ? "unsigned long" : "long");
}

/** Gives an ordinary identifier its meaning; a different earlier one is an error. */
export function declare(p: Parser, name: Token, symbol: Symbol): void {
  const id = name.id!;
  const old = id.symbol as Symbol | null;
  if (old !== null && old.kind !== "parameter") {
    const what = old.kind === symbol.kind ? `redefinition of '${name.text}'` : `'${name.text}' redeclared as a different kind of symbol`;
    p.diagnostics.error(name, what, [{ at: old.position, message: "previously declared here" }]);
    if (old.kind !== "enumerator" || symbol.kind !== "enumerator") return;
  }
  id.symbol = symbol;
}
