/**
 * Enums, C17 6.7.2.2, with C23's underlying types.
 *
 * @module
 */

import { Attributes, attributes } from "./attributes.ts";
import { constantInt } from "./evaluate.ts";
import { expression } from "./expression.ts";
import * as I from "../tokens/integer.ts";
import type { Int } from "../tokens/integer.ts";
import * as K from "../tokens/kinds.ts";
import type { BasicType, CType, EnumDeclaration, EnumValue } from "../model/model.ts";
import { declare, describe, type Entity, type Parser, type Tag } from "./parser.ts";
import { isTypeStart, specifiers } from "./specifiers.ts";
import type { Token } from "../tokens/tokenize.ts";
import * as T from "../model/types.ts";
import type { Mutable } from "../model/types.ts";

/** An enum specifier, at its keyword. */
export function enumeration(p: Parser): CType {
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
      p.enter();
      const type = T.bare(specifiers(p).type);
      p.depth--;
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
  const values: { name: string; symbol: Entity & { kind: "enumerator" } }[] = [];
  let next: Int = 0;
  let least: Int = 0;
  let most: Int = 0;
  while (p.token.kind !== K.RBRACE) {
    const name = p.token;
    if (name.id === null || name.id.keyword !== 0) p.fail(`expected the name of an enum constant, got ${describe(name)}`);
    p.advance();
    attributes(p, new Attributes());
    let value: Int = next;
    if (p.token.kind !== K.ASSIGN && next > 0xffffffffffffffffn) p.diagnostics.error(name, "overflow in enumeration values");
    if (p.accept(K.ASSIGN)) value = constantInt(p, expression(p, 1), `the value of '${name.text}'`) ?? next;
    if (p.target.microsoft && underlying === null) value = I.wrap(value, 32, true);
    if (value < least) least = value;
    if (value > most) most = value;
    next = I.add(value, 1);
    // Until the enum is complete a constant has a type that holds it.
    const symbol: Entity & { kind: "enumerator" } = { kind: "enumerator", value, type: holding(p, value), position: name.position };
    declare(p, name, symbol);
    values.push({ name: name.text, symbol });
    if (!p.accept(K.COMMA)) break;
  }
  p.expect(K.RBRACE, "}", "at the end of an enum");
  const after = new Attributes();
  attributes(p, after);
  attrs.add(after);
  declaration.type = underlying ?? enumType(p, least, most, attrs.packed, at);
  declaration.complete = true;
  // GNU C: what fits in an int is an int; the others have the enum's type.
  for (const { symbol } of values) {
    const { value } = symbol;
    symbol.type = underlying !== null ? type : value >= -2147483648 && value <= 2147483647 ? T.basic("int") : declaration.type;
    // Where no type holds all values, the largest ones turn negative.
    if (declaration.type.name === "long") symbol.value = I.wrap(value, 64, true);
  }
  declaration.values = values.map(({ name, symbol }): EnumValue => ({ name, value: BigInt(symbol.value) }));
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
  if (!fits(64)) p.diagnostics.warning(at, "enumeration values exceed range of largest integer");
  return T.basic(unsigned ? "unsigned long" : "long");
}
