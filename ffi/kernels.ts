/**
 * The script `kernels.txt`, compiled function by function: a graph comes to few of its 450 functions, and V8 takes 5 ms to read them all.
 *
 * The script is made of lines `const NAME = …;` and then of functions, each of which begins a line. What a function calls is compiled when
 * it is first called.
 *
 * @module
 */

import * as guard from "./guard.ts";

// deno-lint-ignore no-explicit-any -- whatever the script's functions take and return
type Compiled = (...args: any[]) => any;

/** What guards call, under the names that the script calls it by. */
const helpers: ReadonlyMap<string, Compiled> = new Map(
  Object.entries(guard).flatMap(([name, value]) => typeof value === "function" ? [[`$${name}`, value as Compiled]] : []),
);

/** The functions of a script. */
export class Kernels {
  readonly #constants: ReadonlyMap<string, string>;
  readonly #functions: ReadonlyMap<string, string>;
  readonly #compiled: Map<string, Compiled> = new Map();

  /** Reads a script, but compiles nothing yet. */
  constructor(source: string) {
    const [head, ...functions] = source.split("\nfunction ");
    this.#constants = new Map(head.split("\n").flatMap((line) => line.startsWith("const ") ? [[line.split(" ", 2)[1], line]] : []));
    this.#functions = new Map(functions.map((text) => [text.slice(0, text.indexOf("(")), text]));
  }

  /** Calls a function. */
  call(name: string, ...args: unknown[]): unknown {
    return this.#get(name)(...args);
  }

  #get(name: string): Compiled {
    let compiled = this.#compiled.get(name);
    if (compiled === undefined) this.#compiled.set(name, compiled = this.#compile(this.#functions.get(name)!));
    return compiled;
  }

  #compile(text: string): Compiled {
    const constants: string[] = [], others = new Map<string, Compiled>();
    for (const name of new Set(text.match(/[\w$]+/g))) {
      const helper = helpers.get(name), constant = this.#constants.get(name);
      if (helper !== undefined) others.set(name, helper);
      else if (constant !== undefined) constants.push(constant);
      else if (this.#functions.has(name)) others.set(name, (...args) => this.#get(name)(...args));
    }
    return new Function(...others.keys(), `"use strict"; ${constants.join("")} return function ${text}`)(...others.values());
  }
}
