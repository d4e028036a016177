/**
 * External declarations, C17 6.9: the token list of a translation unit to what it declares.
 *
 * Bodies of functions are skipped by their braces, and of initializers all but constants' values and the lengths that they give. Redeclarations are merged and checked.
 * On an error the parser goes on at the next declaration.
 *
 * @module
 */

import { attributedType, Attributes, attributes, stringsHere } from "./attributes.ts";
import { declarator, type Declared } from "./declarator.ts";
import { convert } from "./conversions.ts";
import { evaluate } from "./evaluate.ts";
import { expression } from "./expression.ts";
import { braced } from "./initializer.ts";
import * as K from "../tokens/kinds.ts";
import { sizeOf } from "../model/layout.ts";
import type { FunctionDeclaration, FunctionType, TypedefDeclaration, VariableDeclaration } from "../model/model.ts";
import { type Constant, declare, describe, type Entity, FAILURE, type Parser } from "./parser.ts";
import { CONSTEXPR, EXTERN, type Specifiers, specifiers, STATIC, TYPEDEF } from "./specifiers.ts";
import { BOL, type Token } from "../tokens/tokenize.ts";
import * as T from "../model/types.ts";
import type { Mutable } from "../model/types.ts";

/** Reads the whole translation unit. */
export function translationUnit(p: Parser): void {
  let linkage = 0; // open braces of extern "C" { … }
  while (p.token.kind !== K.EOF) {
    const start = p.at;
    try {
      if (p.token.kind === K.RBRACE) {
        if (linkage === 0) p.diagnostics.error(p.token, "'}' without '{'");
        else linkage--;
        p.advance();
      } else if (p.keyword === K.KW_EXTERN && p.peek().kind === K.STRING) { // C++, under __cplusplus
        p.advance();
        p.advance();
        if (p.accept(K.LBRACE)) linkage++;
      } else externalDeclaration(p);
    } catch (error) {
      if (error !== FAILURE) throw error;
      p.depth = 0;
      recover(p, start, linkage > 0);
    }
  }
  if (linkage > 0) p.diagnostics.error(p.token, "expected '}' at the end of extern \"C\", got the end of the file");
}

/** To the beginning of the next declaration: behind a `;`, or behind a `}` that ends a line's declaration. */
function recover(p: Parser, start: number, inLinkage: boolean): void {
  if (p.at === start) {
    if (p.token.kind === K.LBRACE || p.token.kind === K.LPAREN) p.trySkipBalanced();
    else p.advance();
  }
  for (;;) {
    switch (p.token.kind) {
      case K.EOF:
        return;
      case K.SEMICOLON:
        p.advance();
        return;
      case K.RBRACE:
        if (inLinkage) return;
        p.advance();
        break;
      case K.LBRACE:
        p.trySkipBalanced();
        if ((p.token.flags & BOL) !== 0 && p.token.kind !== K.SEMICOLON) return;
        break;
      case K.LPAREN:
        p.trySkipBalanced();
        break;
      default: {
        // A line that begins with a word that only a declaration begins with.
        const keyword = p.keyword;
        const begins = keyword === K.KW_TYPEDEF || keyword === K.KW_EXTERN || keyword === K.KW_STATIC;
        if (begins && p.at > start + 1 && (p.token.flags & BOL) !== 0) return;
        p.advance();
      }
    }
  }
}

function externalDeclaration(p: Parser): void {
  if (p.accept(K.SEMICOLON)) return;
  switch (p.keyword) {
    case K.KW_STATIC_ASSERT:
      staticAssert(p);
      return;
    case K.KW_ASM: // file-scope assembly
      attributes(p, new Attributes());
      if (p.token.kind === K.SEMICOLON) p.advance();
      return;
  }
  const base = specifiers(p);
  if (p.accept(K.SEMICOLON)) return; // struct s { … };
  for (;;) {
    const made = declarator(p, base.type, "named");
    made.attributes.add(base.attributes);
    const type = attributedType(p, made.type, base.attributes);
    const declared: Declared = type === made.type ? made : { ...made, type };
    const t = (base.storage & TYPEDEF) !== 0 ? null : T.resolve(declared.type);
    if (t === null) typedef(p, declared);
    else if (t.kind === "function") {
      if (functionDeclaration(p, base, declared, t)) return; // it had a body
    } else variable(p, base, declared);
    if (p.accept(K.COMMA)) {
      attributes(p, base.attributes);
      continue;
    }
    if (p.token.kind === K.SEMICOLON) break;
    p.diagnostics.error(p.token, `expected ';' after the declaration of '${declared.name!.text}', got ${describe(p.token)}`);
    // `int f(int) MACRO\n int g(…);`: the next line begins a declaration.
    if ((p.token.flags & BOL) !== 0 && p.token.kind !== K.LBRACE) return;
    throw FAILURE;
  }
  p.advance();
}

/** `_Static_assert`, C17 6.7.10: a false one is an error. */
export function staticAssert(p: Parser): void {
  const at = p.token;
  p.advance();
  p.expect(K.LPAREN, "(", "after _Static_assert");
  const node = expression(p, 1);
  let message = "";
  if (p.accept(K.COMMA)) message = stringsHere(p) ?? "";
  p.expect(K.RPAREN, ")", "after _Static_assert");
  if (p.token.kind === K.SEMICOLON) p.advance();
  else p.diagnostics.error(p.token, `expected ';' after _Static_assert, got ${describe(p.token)}`);
  const value = evaluate(p, node);
  if (typeof value === "string") p.diagnostics.error(node.at, `the expression of a static assertion is not a constant: ${value}`);
  else if (value.kind !== "string" && value.value === 0) {
    p.diagnostics.error(at, `static assertion failed${message === "" ? "" : `: ${message}`}`);
  }
}

function typedef(p: Parser, declared: Declared): void {
  const name = declared.name!;
  const id = name.id!;
  const { type, attributes: attrs } = declared;
  const old = id.symbol as Entity | null;
  if (old !== null && old.kind === "typedef") {
    // C11 allows a repeated typedef of the same type.
    if (!T.compatible(old.declaration.type, type)) {
      p.diagnostics.error(
        name,
        `typedef redefinition of '${name.text}' with another type ('${T.printType(type)}' vs '${T.printType(old.declaration.type)}')`,
        [
          { at: old.position, message: "previously defined here" },
        ],
      );
    }
    return;
  }
  const declaration: Mutable<TypedefDeclaration> = { ...p.origin(name), name: name.text, type };
  if (attrs.align > 0) declaration.align = attrs.align;
  if (declared.plain && T.qualifiersOf(type) === 0) {
    // The typedef that names a tagless record or enum.
    if (type.kind === "record" && type.record.name === null && type.record.alias === null) {
      (type.record as { alias: string }).alias = name.text;
    } else if (type.kind === "enum" && type.enum.name === null && type.enum.alias === null) {
      (type.enum as { alias: string }).alias = name.text;
    }
  }
  p.typedefs.push(declaration);
  declare(p, name, { kind: "typedef", declaration, type: T.typedefType(declaration), position: name.position });
  if (p.token.kind === K.ASSIGN) p.fail(`typedef '${name.text}' is initialized`);
}

/** A function's declaration, or definition: true where it had a body. */
function functionDeclaration(p: Parser, base: Specifiers, declared: Declared, type: FunctionType): boolean {
  const name = declared.name!;
  const id = name.id!;
  const { attributes: attrs } = declared;
  attributes(p, attrs);
  let body = false;
  if (p.token.kind === K.LBRACE) body = true;
  else if (!type.prototype && p.token.kind !== K.SEMICOLON && p.token.kind !== K.COMMA && p.token.kind !== K.ASSIGN) {
    // The parameter declarations of an old-style definition.
    body = oldStyle(p);
  }
  const inline = (body && !(attrs.gnuInline && (base.storage & EXTERN) !== 0)) || (base.storage & STATIC) !== 0;
  const old = id.symbol as Entity | null;
  if (old !== null && old.kind === "function") redeclared(p, old, name, type, declared, inline, body);
  else {
    const declaration: Mutable<FunctionDeclaration> = {
      ...p.origin(name),
      name: name.text,
      symbol: attrs.label ?? name.text,
      type,
      inline,
    };
    if (attrs.deprecated !== null) declaration.deprecated = attrs.deprecated;
    if (attrs.noreturn) declaration.noreturn = true;
    if (attrs.format !== null) declaration.format = attrs.format;
    if (old !== null) declare(p, name, { kind: "function", declaration, defined: body, position: name.position }); // reports
    else {
      p.functions.push(declaration);
      const width = bitIntOf(type);
      if (width !== null) p.skip(name.text, name, `_BitInt(${width}) can't be passed by a foreign-function interface`);
      id.symbol = { kind: "function", declaration, defined: body, position: name.position } as Entity;
    }
  }
  if (!body) return false;
  p.skipBalanced();
  p.accept(K.SEMICOLON);
  return true;
}

/** The width of a `_BitInt` that a function takes or returns by value; null where there is none. */
function bitIntOf(type: FunctionType): number | null {
  for (const { type: t } of [{ type: type.result }, ...type.parameters]) {
    const resolved = T.resolve(t);
    if (resolved.kind === "bitint") return resolved.width;
  }
  return null;
}

function oldStyle(p: Parser): boolean {
  for (let i = 0; i < 200 && p.token.kind !== K.LBRACE; i++) {
    const base = specifiers(p);
    do declarator(p, base.type, "named"); while (p.accept(K.COMMA));
    p.expect(K.SEMICOLON, ";", "after a parameter's declaration");
  }
  return p.token.kind === K.LBRACE;
}

/** Merges a redeclaration into the first: the composite type of C17 6.2.7p3, and what the attributes add. */
function redeclared(
  p: Parser,
  old: Entity & { kind: "function" },
  name: Token,
  type: FunctionType,
  declared: Declared,
  inline: boolean,
  body: boolean,
): void {
  const { declaration } = old;
  const note = [{ at: old.position, message: `previous declaration of '${name.text}'` }];
  if (body && old.defined) p.diagnostics.error(name, `redefinition of '${name.text}'`, note);
  if (!T.compatible(declaration.type, type)) {
    p.diagnostics.error(name, `conflicting types for '${name.text}': '${T.printType(type)}', was '${T.printType(declaration.type)}'`, note);
    return;
  }
  const { attributes: attrs } = declared;
  if (!declaration.type.prototype && type.prototype) declaration.type = type;
  else if (type.prototype && declaration.type.parameters.some((parameter) => parameter.name === null)) {
    const parameters = declaration.type.parameters.map((parameter, i) =>
      parameter.name === null ? type.parameters[i] ?? parameter : parameter
    );
    declaration.type = { ...declaration.type, parameters };
  }
  if (attrs.label !== null) declaration.symbol = attrs.label;
  if (inline) declaration.inline = true;
  if (body) old.defined = true;
  if (attrs.deprecated !== null) declaration.deprecated ??= attrs.deprecated;
  if (attrs.noreturn) declaration.noreturn = true;
  if (attrs.format !== null) declaration.format ??= attrs.format;
}

function variable(p: Parser, base: Specifiers, declared: Declared): void {
  const name = declared.name!;
  const id = name.id!;
  let { type } = declared;
  const { attributes: attrs } = declared;
  let value: Constant | null = null, reason = "a static variable has no symbol";
  if (p.token.kind === K.ASSIGN) {
    p.advance();
    if (p.token.kind === K.LBRACE) type = braced(p, type);
    else {
      const node = expression(p, 1);
      const t = T.resolve(type);
      if (T.isArithmetic(t) && (t.const === true || (base.storage & CONSTEXPR) !== 0)) {
        const result = evaluate(p, node);
        if (typeof result === "string") reason = result;
        else if (result.kind !== "string") {
          const made = convert(p, result, T.unqualified(type));
          if (made.kind !== "string") value = { kind: made.kind, type: made.type, value: made.value };
        }
      } else if (t.kind === "array" && t.length === null && node.kind === "string") type = { ...t, length: node.units.length + 1 };
    }
  }
  if (T.isVoid(type) && (base.storage & EXTERN) === 0) p.fail(`variable '${name.text}' is void`, name);
  const old = id.symbol as Entity | null;
  if (old !== null && old.kind === "variable") {
    if (!T.compatible(old.declaration.type, type)) {
      p.diagnostics.error(
        name,
        `conflicting types for '${name.text}': '${T.printType(type)}', was '${T.printType(old.declaration.type)}'`,
        [
          { at: old.position, message: `previous declaration of '${name.text}'` },
        ],
      );
      return;
    }
    if (sizeOf(old.declaration.type, p.target) === null) old.declaration.type = type;
    if (value !== null) old.value = value;
    return;
  }
  const declaration: VariableDeclaration = { ...p.origin(name), name: name.text, symbol: attrs.label ?? name.text, type };
  const made = { kind: "variable", declaration, value, position: name.position } as const;
  declare(p, name, made);
  if ((base.storage & (STATIC | CONSTEXPR)) !== 0) p.statics.push({ at: name, variable: made, reason });
  else p.variables.push(declaration);
}
