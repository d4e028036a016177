/**
 * Grammars as values, and as the text that `llama_sampler_init_grammar` reads (GBNF).
 *
 * @module
 */

/** The right side of a rule. */
export type Expr =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "chars"; readonly ranges: Ranges }
  | { readonly kind: "sequence"; readonly items: readonly Expr[] }
  | { readonly kind: "choice"; readonly options: readonly Expr[] }
  | { readonly kind: "times"; readonly item: Expr; readonly min: number; readonly max: number }
  | { readonly kind: "rule"; readonly name: string };

/** Code points: pairs of first and last, ascending, apart from each other. */
export type Ranges = readonly (readonly [first: number, last: number])[];

/** Exactly this text. */
export function text(text: string): Expr {
  return { kind: "text", text };
}

/** One character out of a set. */
export function chars(ranges: Ranges): Expr {
  return { kind: "chars", ranges };
}

/** Expressions one after the other; what is empty is left out, and texts that meet become one. */
export function sequence(...items: readonly Expr[]): Expr {
  const flat: Expr[] = [];
  for (const item of items.flatMap((item) => item.kind === "sequence" ? item.items : isEmpty(item) ? [] : [item])) {
    const before = flat.at(-1);
    if (item.kind === "text" && before?.kind === "text") flat[flat.length - 1] = text(before.text + item.text);
    else flat.push(item);
  }
  return flat.length === 1 ? flat[0] : { kind: "sequence", items: flat };
}

/** One of several expressions. */
export function choice(...options: readonly Expr[]): Expr {
  return options.length === 1 ? options[0] : { kind: "choice", options };
}

/** An expression `min` to `max` times in a row. A bound that no answer reaches, such as 2^31 - 1, is none. */
export function times(item: Expr, min: number, max: number = Infinity): Expr {
  if (max === 0 || isEmpty(item)) return text("");
  return min === 1 && max === 1 ? item : { kind: "times", item, min, max: max - min > UNREACHED ? Infinity : max };
}

/** What is between the bounds takes text in the grammar, a part for each thousand. */
const UNREACHED = 1_000_000;

/** What another rule says. */
export function rule(name: string): Expr {
  return { kind: "rule", name };
}

function isEmpty(expr: Expr): boolean {
  return expr.kind === "text" && expr.text === "" || expr.kind === "sequence" && expr.items.length === 0;
}

/** llama.cpp refuses repetitions above 2,000, each of which it writes out: longer ones are made of blocks. */
const BLOCK = 1000;

/** The rules of a grammar, by their names. */
export class Grammar {
  readonly #rules = new Map<string, Expr | null>();
  /** The number that the last rule of a name got. */
  readonly #numbers = new Map<string, number>();

  /** A name that no rule has yet, near to the one that is wished. Its rule is defined later. */
  reserve(wish: string): string {
    const plain = wish.replaceAll(/[^a-zA-Z0-9]+/g, "-").replaceAll(/^-|-$/g, "") || "rule";
    let name = plain, number = this.#numbers.get(plain) ?? 1;
    while (this.#rules.has(name)) name = `${plain}-${++number}`;
    this.#numbers.set(plain, number);
    this.#rules.set(name, null);
    return name;
  }

  /** Says what a reserved name stands for. */
  define(name: string, expr: Expr): void {
    this.#rules.set(name, expr);
  }

  /** A rule that several places share: made when it is first wanted. */
  shared(name: string, make: () => Expr): Expr {
    if (!this.#rules.has(name)) {
      this.#rules.set(name, null);
      this.#rules.set(name, make());
    }
    return rule(name);
  }

  /** GBNF: a rule a line, the root first. */
  toString(): string {
    const lines: string[] = [];
    for (const [name, expr] of this.#rules) lines.push(`${name} ::= ${print(expr!, false)}\n`);
    return lines.join("");
  }
}

function print(expr: Expr, inside: boolean): string {
  switch (expr.kind) {
    case "text":
      return printText(expr.text);
    case "chars":
      return printChars(expr.ranges);
    case "rule":
      return expr.name;
    case "sequence":
      return parenthesized(
        expr.items.length === 0 ? '""' : expr.items.map((item) => print(item, true)).join(" "),
        inside,
        expr.items.length,
      );
    case "choice":
      return parenthesized(expr.options.map((option) => print(option, option.kind === "choice")).join(" | "), inside, expr.options.length);
    case "times":
      return printTimes(expr.item, expr.min, expr.max);
  }
}

function parenthesized(text: string, inside: boolean, parts: number): string {
  return inside && parts > 1 ? `(${text})` : text;
}

function printTimes(item: Expr, min: number, max: number): string {
  const one = item.kind === "times" || item.kind === "text" && [...item.text].length > 1 ? `(${print(item, false)})` : print(item, true);
  if (max === Infinity) return min === 0 ? `${one}*` : min === 1 ? `${one}+` : `${exactly(one, min)} ${one}*`;
  if (min === 0 && max === 1) return `${one}?`;
  if (max <= BLOCK) return min === max ? `${one}{${min}}` : `${one}{${min},${max}}`;
  return `(${[exactly(one, min), atMost(one, max - min)].filter((part) => part !== "").join(" ")})`;
}

function exactly(one: string, count: number): string {
  const blocks = Math.floor(count / BLOCK), rest = count % BLOCK, block = `(${one}{${BLOCK}})`;
  const parts = [blocks > BLOCK ? exactly(block, blocks) : blocks > 0 ? `${block}{${blocks}}` : "", rest > 0 ? `${one}{${rest}}` : ""];
  return parts.filter((part) => part !== "").join(" ");
}

function atMost(one: string, count: number): string {
  if (count === 0) return "";
  if (count <= BLOCK) return `${one}{0,${count}}`;
  return `(${one}{0,${BLOCK - 1}} | ${one}{${BLOCK}} ${atMost(one, count - BLOCK)})`;
}

function printText(text: string): string {
  const escaped = text.replaceAll(/["\\\p{Cc}]/gu, (c) => c === '"' || c === "\\" ? `\\${c}` : c === "\n" ? "\\n" : hex(c.codePointAt(0)!));
  return `"${escaped}"`;
}

/** What means nothing but itself between square brackets. */
const READABLE = /^[ !"#-,.-Z_a-~]$/;

function printChars(ranges: Ranges): string {
  const one = (code: number) => READABLE.test(String.fromCodePoint(code)) ? String.fromCodePoint(code) : hex(code);
  return `[${ranges.map(([first, last]) => first === last ? one(first) : `${one(first)}-${one(last)}`).join("")}]`;
}

function hex(code: number): string {
  const digits = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${digits.padStart(2, "0")}`;
  return code <= 0xffff ? `\\u${digits.padStart(4, "0")}` : `\\U${digits.padStart(8, "0")}`;
}
