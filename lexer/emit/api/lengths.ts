/**
 * Lengths: how many elements of its memory C reads or writes, as JavaScript.
 *
 * What `#pragma length` says is a C expression over the function's parameters: numbers, fields of structs (`t->ne[0]`), calls of functions that
 * are bound too (`ggml_nbytes(t)`), `sizeof(struct)`, arithmetic, comparisons, `?:`. It is computed with doubles, which are exact up to 2^53: no memory is
 * longer. It is no evaluator of C: there are no casts, and `/` is the only operator that truncates.
 *
 * @module
 */

import type { BoundParameter } from "./api.ts";
import { type Crossing, Unbindable } from "./crossing.ts";

/** A check that a parameter's memory is long enough. */
export interface Length {
  /** The parameter's index. */
  readonly parameter: number;
  /** The number of elements, as JavaScript: of a function's 64-bit integers it reads `$i`, the converted argument. */
  readonly count: string;
  /** The number of elements as C writes it, for the error. */
  readonly why: string;
  /** What an element is called, in plural, and its bytes. */
  readonly what: string;
  readonly width: number;
}

/** Binary operators by how tightly they bind. */
const LEVELS: readonly (readonly string[])[] = [["||"], ["&&"], ["==", "!="], ["<", ">", "<=", ">="], ["+", "-"], ["*", "/", "%"]];

/** What an expression may name besides the parameters. */
export interface Known {
  /** The functions that are bound. */
  readonly functions: ReadonlySet<string>;
  /** The bytes of each struct class. */
  readonly sizes: ReadonlyMap<string, number>;
}

/**
 * Compiles the expression of a parameter's length.
 *
 * @throws {Unbindable} If it isn't such an expression.
 */
export function compileLength(expression: string, parameter: number, parameters: readonly BoundParameter[], known: Known): Length {
  const { name, crossing } = parameters[parameter];
  const element = elementOf(crossing, known.sizes);
  if (element === null) throw new Unbindable(`${name} is no pointer to memory`);
  // Of `x ? n : 0`, which says that x may be null, n is of interest.
  const why = /^[^?]+ \? (.+) : 0$/.exec(expression)?.[1] ?? /^[^?]+ \? 0 : ([^:]+)$/.exec(expression)?.[1] ?? expression;
  return { parameter, count: new Compiler(expression, parameters, known).compile(), why, ...element };
}

/** What an element is called, and its bytes; null for what is no memory. */
function elementOf(crossing: Crossing, sizes: ReadonlyMap<string, number>): { what: string; width: number } | null {
  if (crossing.kind === "pointers") return { what: "pointers", width: 8 };
  if (crossing.kind === "string") return { what: "bytes", width: 1 };
  if (crossing.kind === "handle") {
    const width = sizes.get(crossing.name);
    return width === undefined ? null : { what: "structs", width };
  }
  if (crossing.kind !== "data") return null;
  const { array, width } = crossing;
  if (array === null || width === 1) return { what: "bytes", width: 1 };
  if (array.startsWith("Float")) return { what: width === 4 ? "floats" : "doubles", width };
  return { what: `${array.replace(/^Big|Array$/g, "").toLowerCase()}s`, width };
}

class Compiler {
  readonly #text: string;
  readonly #tokens: readonly string[];
  readonly #parameters: readonly BoundParameter[];
  readonly #known: Known;
  #at = 0;

  constructor(text: string, parameters: readonly BoundParameter[], known: Known) {
    this.#text = text;
    this.#tokens = text.match(/\w+|->|[|&]{2}|[=!<>]=|\S/g) ?? [];
    this.#parameters = parameters;
    this.#known = known;
  }

  compile(): string {
    const compiled = this.#conditional();
    if (this.#at < this.#tokens.length) this.#fail(`unexpected ${this.#tokens[this.#at]}`);
    return compiled;
  }

  #conditional(): string {
    const test = this.#binary(0);
    if (!this.#accept("?")) return test;
    const yes = this.#conditional();
    this.#expect(":");
    return `${test} ? ${yes} : ${this.#conditional()}`;
  }

  #binary(level: number): string {
    if (level === LEVELS.length) return this.#postfix();
    let left = this.#binary(level + 1);
    for (let operator = this.#oneOf(LEVELS[level]); operator !== null; operator = this.#oneOf(LEVELS[level])) {
      const right = this.#binary(level + 1);
      if (operator === "/") left = `Math.trunc(${left} / ${right})`;
      else left = `${left} ${operator === "==" || operator === "!=" ? `${operator}=` : operator} ${right}`;
    }
    return left;
  }

  #postfix(): string {
    let value = this.#primary();
    for (;;) {
      if (this.#accept("->") || this.#accept(".")) value = `${value}.${this.#tokens[this.#at++]}`;
      else if (this.#accept("[")) {
        value = `${value}[${this.#conditional()}]`;
        this.#expect("]");
      } else return value;
    }
  }

  #primary(): string {
    const token = this.#tokens[this.#at++] ?? this.#fail("it ends too early");
    if (token === "(") {
      const inner = this.#conditional();
      this.#expect(")");
      return `(${inner})`;
    }
    if (/^\d+$/.test(token)) return token;
    if (!/^[A-Za-z_]/.test(token)) this.#fail(`unexpected ${token}`);
    return this.#accept("(") ? this.#call(token) : this.#parameter(token);
  }

  #call(name: string): string {
    if (name === "sizeof") return this.#sizeOf();
    if (!this.#known.functions.has(name)) this.#fail(`${name} is not bound`);
    const args: string[] = [];
    while (!this.#accept(")")) {
      args.push(this.#conditional());
      this.#accept(",");
    }
    return `functions.${name}(${args.join(", ")})`;
  }

  #sizeOf(): string {
    const name = this.#tokens[this.#at++];
    this.#expect(")");
    return String(this.#known.sizes.get(name) ?? this.#fail(`the size of ${name} is not known`));
  }

  #parameter(name: string): string {
    const i = this.#parameters.findIndex((parameter) => parameter.name === name);
    if (i < 0) return this.#fail(`there is no parameter ${name}`);
    const { crossing } = this.#parameters[i];
    return crossing.kind === "int" && crossing.bits === 64 ? `Number($${i})` : name;
  }

  #oneOf(operators: readonly string[]): string | null {
    const token = this.#tokens[this.#at];
    if (!operators.includes(token)) return null;
    this.#at++;
    return token;
  }

  #accept(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at++;
    return true;
  }

  #expect(token: string): void {
    if (!this.#accept(token)) this.#fail(`expected ${token}`);
  }

  #fail(reason: string): never {
    throw new Unbindable(`${this.#text}: ${reason}`);
  }
}
