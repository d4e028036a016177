/**
 * Attributes: GNU's `__attribute__`, C23's `[[…]]`, Microsoft's `__declspec`, `_Alignas` and `__asm__` labels.
 *
 * Only what changes a layout, a symbol or what the model says is kept; the rest is read and dropped, as attributes may be (C23 6.7.13).
 *
 * @module
 */

import { constantInt } from "./evaluate.ts";
import { expression } from "./expression.ts";
import * as K from "../tokens/kinds.ts";
import { contents, units } from "../tokens/literals.ts";
import { alignOf, MAX_SIZE } from "../model/layout.ts";
import type { BasicName, CType, FormatAttribute } from "../model/model.ts";
import { describe, type Parser } from "./parser.ts";
import { nestedTypeName, startsType } from "./specifiers.ts";
import type { Token } from "../tokens/tokenize.ts";
import { bare, basic, isInteger, resolve } from "../model/types.ts";

/** What attributes said. */
export class Attributes {
  packed = false;
  /** The largest alignment asked for, in bytes; 0 for none. */
  align = 0;
  deprecated: string | null = null;
  noreturn = false;
  /** `const`: the function's result depends on its arguments only. */
  pure = false;
  format: FormatAttribute | null = null;
  /** Bytes of a vector; 0 for none. */
  vector = 0;
  mode: string | null = null;
  /** The symbol that an `__asm__` label names. */
  label: string | null = null;
  convention: string | null = null;
  gnuInline = false;
  /** Microsoft's layout by `ms_struct`, or gcc's by `gcc_struct`. */
  microsoft: boolean | null = null;

  /** Adds what another list said. */
  add(other: Attributes): void {
    this.packed ||= other.packed;
    this.align = Math.max(this.align, other.align);
    this.deprecated ??= other.deprecated;
    this.noreturn ||= other.noreturn;
    this.pure ||= other.pure;
    this.format ??= other.format;
    this.vector ||= other.vector;
    this.mode ??= other.mode;
    this.label ??= other.label;
    this.convention ??= other.convention;
    this.gnuInline ||= other.gnuInline;
    this.microsoft ??= other.microsoft;
  }
}

/** True where the current token begins an attribute of any of the forms. */
export function startsAttribute(p: Parser): boolean {
  const keyword = p.keyword;
  return keyword === K.KW_ATTRIBUTE || keyword === K.KW_DECLSPEC || keyword === K.KW_ASM ||
    (p.token.kind === K.LBRACKET && p.peek().kind === K.LBRACKET);
}

/** Reads all attributes that stand here. */
export function attributes(p: Parser, into: Attributes): void {
  for (;;) {
    switch (p.keyword) {
      case K.KW_ATTRIBUTE:
        p.advance();
        p.expect(K.LPAREN, "(", "after __attribute__");
        p.expect(K.LPAREN, "(", "after __attribute__(");
        list(p, into, K.RPAREN, ")");
        p.expect(K.RPAREN, ")", "after attribute list");
        p.expect(K.RPAREN, ")", "after attribute list");
        continue;
      case K.KW_DECLSPEC:
        p.advance();
        p.expect(K.LPAREN, "(", "after __declspec");
        list(p, into, K.RPAREN);
        p.expect(K.RPAREN, ")", "after __declspec list");
        continue;
      case K.KW_ASM:
        label(p, into);
        continue;
    }
    if (p.token.kind === K.LBRACKET && p.peek().kind === K.LBRACKET) {
      p.advance();
      p.advance();
      list(p, into, K.RBRACKET, "]");
      p.expect(K.RBRACKET, "]", "after attribute list");
      p.expect(K.RBRACKET, "]", "after attribute list");
      continue;
    }
    return;
  }
}

/** `__asm__("symbol")`. */
function label(p: Parser, into: Attributes): void {
  p.advance();
  while (p.keyword === K.KW_VOLATILE) p.advance();
  p.expect(K.LPAREN, "(", "after asm");
  const text = stringsHere(p);
  if (text === null) p.fail("expected a string in an asm label");
  while (p.token.kind !== K.RPAREN && p.token.kind !== K.EOF) p.advance(); // operands, in a file-scope asm of a strange header
  p.expect(K.RPAREN, ")", "after asm label");
  into.label = text;
}

/** Adjacent string literals, as one text; null where there is none. */
export function stringsHere(p: Parser): string | null {
  if (p.token.kind !== K.STRING) return null;
  const bytes: number[] = [];
  while (p.token.kind === K.STRING) {
    const points = contents(p.token.text);
    if (typeof points === "string") p.diagnostics.error(p.token, points);
    else for (const unit of units(points, 8)) bytes.push(unit);
    p.advance();
  }
  return new TextDecoder().decode(new Uint8Array(bytes));
}

/** Attributes up to their end, with commas between them where `close` says how that is spelled: `__declspec` has spaces. */
function list(p: Parser, into: Attributes, end: number, close = ""): void {
  while (p.token.kind !== end) {
    if (p.token.kind === K.EOF) p.fail("attribute list is never closed");
    if (p.accept(K.COMMA)) continue;
    if (p.token.id === null) {
      if (p.token.kind === K.SEMICOLON || p.token.kind === K.LBRACE) p.fail("attribute list is never closed");
      if (close !== "") p.fail(`expected an attribute, ',' or '${close}', got ${describe(p.token)}`);
      if (p.token.kind === K.LPAREN) p.skipBalanced();
      else p.advance();
      continue;
    }
    const name = p.token;
    p.advance();
    if (p.token.kind === K.COLONCOLON || (p.token.kind === K.COLON && end === K.RBRACKET)) { // gnu::packed
      while (p.accept(K.COLON) || p.accept(K.COLONCOLON));
      const scope = name.text;
      const inner = p.token;
      p.advance();
      if (scope === "gnu" || scope === "__gnu__" || scope === "clang" || scope === "_Clang") attribute(p, inner, into);
      else if (p.token.kind === K.LPAREN) p.skipBalanced();
      continue;
    }
    attribute(p, name, into);
    if (close !== "" && p.token.id !== null) {
      p.fail(`expected ',' or '${close}' after the attribute '${name.text}', got ${describe(p.token)}`);
    }
  }
}

function attribute(p: Parser, token: Token, into: Attributes): void {
  const name = /^__(.+)__$/.exec(token.text)?.[1] ?? token.text, isOpen = p.token.kind === K.LPAREN;
  if (isOpen && ARGUMENTS.has(name)) return ARGUMENTS.get(name)!(p, into);
  MARKS.get(name)?.(into, p);
  if (CONVENTIONS.has(name)) into.convention = name;
  if (isOpen) p.skipBalanced();
}

/** What a word says that has no arguments, or none that are kept. */
const MARKS: ReadonlyMap<string, (into: Attributes, p: Parser) => void> = new Map<string, (into: Attributes, p: Parser) => void>([
  ["packed", (into) => into.packed = true],
  ["aligned", (into, p) => into.align = Math.max(into.align, p.target.maxAlign)],
  ["align", (into, p) => into.align = Math.max(into.align, p.target.maxAlign)],
  ["deprecated", (into) => into.deprecated ??= ""],
  ["unavailable", (into) => into.deprecated ??= "unavailable"],
  ["noreturn", (into) => into.noreturn = true],
  ["_Noreturn", (into) => into.noreturn = true],
  ["const", (into) => into.pure = true],
  ["gnu_inline", (into) => into.gnuInline = true],
  ["ms_struct", (into) => into.microsoft = true],
  ["gcc_struct", (into) => into.microsoft = false],
]);

/** What reads a word's arguments, from the parenthesis to behind the other one. */
const ARGUMENTS: ReadonlyMap<string, (p: Parser, into: Attributes) => void> = new Map([
  ["aligned", alignedArgument],
  ["align", alignedArgument],
  ["deprecated", deprecatedArgument],
  ["format", formatArguments],
  ["vector_size", vectorArgument],
  ["mode", modeArgument],
]);

const CONVENTIONS: ReadonlySet<string> = new Set(["stdcall", "fastcall", "thiscall", "vectorcall", "ms_abi", "sysv_abi", "regcall"]);

function alignedArgument(p: Parser, into: Attributes): void {
  const at = p.token;
  p.advance();
  if (p.accept(K.RPAREN)) return MARKS.get("aligned")!(into, p);
  const align = startsType(p) ? alignOf(nestedTypeName(p), p.target) : constantInt(p, expression(p), "an alignment");
  p.expect(K.RPAREN, ")", "after an alignment");
  if (align !== null) into.align = Math.max(into.align, alignment(p, at, align));
}

function deprecatedArgument(p: Parser, into: Attributes): void {
  p.advance();
  into.deprecated = stringsHere(p) ?? "";
  while (p.token.kind !== K.RPAREN && p.token.kind !== K.EOF) p.advance();
  p.expect(K.RPAREN, ")", "after a message");
}

/** `format(printf, 1, 2)`: whose format it is, and which parameters are that and its first argument. */
function formatArguments(p: Parser, into: Attributes): void {
  const [archetype, format, first] = [1, 3, 5].map((i) => p.peek(i).text);
  if (/^[0-9]+$/.test(format) && /^[0-9]+$/.test(first)) {
    into.format = { archetype: archetype.replace(/^__|__$/g, "").replace(/^gnu_/, ""), format: Number(format), first: Number(first) };
  }
  p.skipBalanced();
}

function vectorArgument(p: Parser, into: Attributes): void {
  p.advance();
  const at = p.token, bytes = constantInt(p, expression(p), "a vector's size");
  p.expect(K.RPAREN, ")", "after a vector's size");
  if (bytes !== null && (bytes < 1 || bytes > MAX_SIZE)) p.diagnostics.error(at, `a vector of ${bytes} bytes`);
  else if (bytes !== null) into.vector = Number(bytes);
}

function modeArgument(p: Parser, into: Attributes): void {
  const mode = p.peek().text.replace(/^__|__$/g, ""), { element, float } = modeParts(mode);
  if (float !== undefined || INTEGER_MODES.has(element)) into.mode = mode;
  else p.diagnostics.error(p.peek(), `unknown machine mode '${mode}'`);
  p.skipBalanced();
}

/** A valid alignment in bytes, or 0 after an error. */
export function alignment(p: Parser, at: Token, value: number | bigint): number {
  const align = Number(value);
  if (align === 0) return 0;
  if (align < 0 || align > 2 ** 28 || (align & (align - 1)) !== 0) {
    p.diagnostics.error(at, `requested alignment ${value} is not a positive power of 2`);
    return 0;
  }
  return align;
}

/** gcc's machine modes of integers. One of 64 bits is a `long`, where that has them. */
const INTEGER_MODES: ReadonlyMap<string, BasicName> = new Map<string, BasicName>([
  ["QI", "signed char"],
  ["byte", "signed char"],
  ["HI", "short"],
  ["SI", "int"],
  ...["DI", "word", "pointer", "unwind_word"].map((mode) => [mode, "long"] as const),
  ["TI", "__int128"],
]);

/** Those of floating types, by their first letter: `SF`, and of complex ones `SC`. */
const FLOAT_MODES: ReadonlyMap<string, BasicName> = new Map<string, BasicName>([
  ["H", "_Float16"],
  ["S", "float"],
  ["D", "double"],
  ["X", "long double"],
  ["T", "_Float128"],
]);

/** A mode, a vector's in parts: `V4SF` is four times `SF`. */
function modeParts(mode: string): { count: number; element: string; float: BasicName | undefined } {
  const [, count, element] = /^(?:V(\d+))?(\w+)$/.exec(mode) ?? [];
  const [, letter, kind] = /^([HSDXT])([FC])$/.exec(element) ?? [];
  const float = FLOAT_MODES.get(letter);
  return { count: Number(count ?? 0), element, float: kind === "C" ? `_Complex ${float}` as BasicName : float };
}

/** The type that a mode makes of another one: which sign it has, that one says. */
function modeType(p: Parser, type: CType, mode: string): CType {
  const { count, element, float } = modeParts(mode);
  const integer = INTEGER_MODES.get(element), t = bare(type);
  let name = float;
  if (integer !== undefined && isInteger(t) && t.kind === "basic") {
    const unsigned = t.name.startsWith("unsigned") || t.name === "_Bool";
    name = `${unsigned ? "unsigned " : ""}${unsigned ? integer.replace("signed ", "") : integer}` as BasicName;
    if (integer === "long" && p.target.sizes.long[0] < 8) name = `${name} long` as BasicName;
  }
  if (name === undefined) return type;
  return count === 0 ? basic(name) : { kind: "vector", of: basic(name), bytes: count * p.target.sizes[name][0] };
}

/** The type that `mode` and `vector_size` make of the specifiers' type. */
export function attributedType(p: Parser, type: CType, attributes: Attributes): CType {
  if (attributes.mode !== null) type = modeType(p, type, attributes.mode);
  if (attributes.vector > 0) type = vectorOf(type, attributes.vector);
  if (attributes.noreturn || attributes.pure) type = functionAttributes(type, attributes);
  return type;
}

/** `noreturn` and `const` on a pointer to a function are the function type's. */
export function functionAttributes(type: CType, { noreturn, pure }: Attributes): CType {
  const pointer = resolve(type);
  const to = pointer.kind === "pointer" ? resolve(pointer.to) : null;
  if (to === null || to.kind !== "function") return type;
  return { ...pointer, to: { ...to, ...(noreturn ? { noreturn } : {}), ...(pure ? { pure } : {}) } } as CType;
}

/** A vector of the innermost element: `vector_size` on a declarator reaches through pointers, arrays and functions. */
function vectorOf(type: CType, bytes: number): CType {
  switch (type.kind) {
    case "pointer":
      return { ...type, to: vectorOf(type.to, bytes) };
    case "array":
      return { ...type, of: vectorOf(type.of, bytes) };
    case "function":
      return { ...type, result: vectorOf(type.result, bytes) };
    default:
      return { kind: "vector", of: type, bytes };
  }
}
