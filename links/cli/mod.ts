/**
 * Stands in for `jsr:@std/cli` where JSR can't be reached: `parseArgs` with the options that this project uses, by Node's `util.parseArgs`. A
 * user of the published package gets the real one.
 *
 * @module
 */

import { parseArgs as nodeParseArgs } from "node:util";

export interface ParseOptions {
  boolean?: readonly string[];
  string?: readonly string[];
  collect?: readonly string[];
  alias?: Record<string, string>;
  default?: Record<string, unknown>;
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

// deno-lint-ignore no-explicit-any
export type Args = Record<string, any> & { _: (string | number)[] };

export function parseArgs(args: readonly string[], options: ParseOptions = {}): Args {
  const { boolean = [], string = [], collect = [], alias = {}, default: defaults = {}, unknown } = options;
  const short = (name: string) => Object.entries(alias).flatMap(([from, to]) => to === name ? [from] : from === name ? [to] : []);
  const config: Record<string, { type: "boolean" | "string"; multiple?: boolean; short?: string }> = {};
  for (const name of boolean) config[name] = { type: "boolean" };
  for (const name of string) config[name] = { type: "string", multiple: collect.includes(name) };
  for (const name of Object.keys(config)) {
    const letter = short(name).find((other) => other.length === 1);
    if (letter !== undefined && name.length > 1) config[name].short = letter;
  }
  const { values, positionals, tokens } = nodeParseArgs({
    args: [...args],
    options: config,
    allowPositionals: true,
    strict: false,
    allowNegative: true,
    tokens: true,
  });
  const parsed: Args = { _: positionals, ...defaults };
  for (const name of boolean) parsed[name] ??= false;
  for (const name of collect) parsed[name] ??= [];
  for (const token of tokens) {
    if (token.kind !== "option" || token.name in config || token.name.replace(/^no-/, "") in config) continue;
    unknown?.(token.rawName, token.name, token.value);
  }
  return Object.assign(parsed, values);
}
