/**
 * Structs and unions, C17 6.7.2.1: their members, and their completion in place.
 *
 * @module
 */

import { attributedType, Attributes, attributes } from "./attributes.ts";
import { declarator } from "./declarator.ts";
import { constantInt } from "./evaluate.ts";
import { expression } from "./expression.ts";
import * as K from "../tokens/kinds.ts";
import { layoutRecord, MAX_SIZE, type Member, setDemand, sizeOf } from "../model/layout.ts";
import type { CType, RecordDeclaration } from "../model/model.ts";
import { staticAssert } from "./parse.ts";
import { describe, FAILURE, type Parser, type Tag } from "./parser.ts";
import { type Specifiers, specifiers } from "./specifiers.ts";
import type { Token } from "../tokens/tokenize.ts";
import * as T from "../model/types.ts";
import type { Mutable } from "../model/types.ts";

/** A struct or union specifier, at its keyword. What its attributes say of the declaration around goes to `outer`. */
export function record(p: Parser, outer: Attributes): CType {
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
    if (base.storage !== 0) p.diagnostics.error(base.at, "a member of a struct or union has no storage class");
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
      if (p.token.kind === K.LBRACE || p.token.kind === K.LPAREN) p.trySkipBalanced();
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
    const width = constantInt(p, expression(p, 1), "the width of a bit-field");
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
