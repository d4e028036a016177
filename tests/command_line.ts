/**
 * The command lines of the tasks that try things at random: `[OPTION…] [COUNT [SEED [NAME…]]]`. A wrong one tries nothing, and must not look like success.
 *
 * @module
 */

import { parseArgs } from "node:util";

/** A task's own options: whether each has a value. */
type Options = Readonly<Record<string, { readonly type: "string" | "boolean"; readonly short?: string }>>;

/** What a command line says. */
export interface CommandLine<O extends Options> {
  readonly numbers: readonly number[];
  /** What comes behind the numbers. */
  readonly names: readonly string[];
  readonly options: { readonly [name in keyof O]?: O[name]["type"] extends "string" ? string : boolean };
}

/**
 * Reads a command line. With --help, or if it is wrong, the process ends here.
 *
 * @param usage The task and what it takes, such as `fuzz:gguf [COUNT [SEED]]`.
 * @param usual The numbers where none are given.
 */
export function readCommandLine<const O extends Options>(
  usage: string,
  usual: readonly number[],
  options: O = {} as O,
  args: readonly string[] = Deno.args,
): CommandLine<O> {
  try {
    const all: Options = { ...options, help: { type: "boolean", short: "h" } };
    const { values: { help, ...values }, positionals } = parseArgs({ args: [...args], options: all, allowPositionals: true });
    if (help !== true) {
      const numbers = usual.map((number, i) => i < positionals.length ? wholeNumber(positionals[i]) : number);
      return { numbers, names: positionals.slice(usual.length), options: values as CommandLine<O>["options"] };
    }
  } catch (error) {
    refuse(usage, (error as Error).message);
  }
  console.log(`usage: deno task ${usage}`);
  Deno.exit(0);
}

/** Ends the process: its command line is wrong. */
export function refuse(usage: string, problem: string): never {
  console.error(`${problem}\nusage: deno task ${usage}`);
  Deno.exit(2);
}

/** Refuses names that nothing has. */
export function expectKnown(usage: string, names: readonly string[], known: readonly string[]): void {
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) refuse(usage, `there is no ${unknown.join(", ")} to be tried`);
}

function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new Error(`expected a whole number, got '${text}'`);
  return Number(text);
}
