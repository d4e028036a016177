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
  const symbol = id.symbol as Entity | null;
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
        const symbol = id.symbol as Entity | null;
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
        p.enter();
        type = startsType(p) ? typeName(p) : typeOf(p, expression(p));
        p.depth--;
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
      const header = headerOf(name.text);
      const hint = header === null
        ? p.suggest(name.text, (symbol) => symbol.kind === "typedef")
        : `; <${header}> declares it, which nothing before this includes`;
      p.fail(`unknown type name '${name.text}'${hint}`);
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
