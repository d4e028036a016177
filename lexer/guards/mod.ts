/**
 * Writes `guards.js`: what ggml asserts of the arguments of each public function, as JavaScript that throws before C aborts.
 *
 * ggml.c is C, and this project reads C: the functions that the API can reach are translated as far as they decide whether to abort
 * (`slice.ts`), so an assertion on an intermediate result of `ggml_conv_2d` is as well guarded as one on its arguments. A guard for each
 * public function turns its arguments into shadows and calls the translation.
 *
 * @module
 */

import type { Api, BoundFunction, BoundParameter } from "../emit/api.ts";
import { importNames, list, Printer } from "../emit/print.ts";
import { type Assertion, Functions } from "./functions.ts";
import type { Symbol } from "../parser.ts";
import type { Source } from "./sources.ts";

export { readSource, type Source } from "./sources.ts";
export type { Assertion };

/** The guards of one set of bindings. */
export interface Guards {
  /** The text of `guards.js`. */
  readonly text: string;
  /** The C names of the functions that have one. */
  readonly names: ReadonlySet<string>;
  /** Every assertion that was looked at. */
  readonly assertions: readonly Assertion[];
}

/** The fields of tensors that assertions read, directly or by way of another tensor. */
const FIELDS: ReadonlySet<string> = new Set(["type", "ne", "nb", "op", "flags", "view_src", "view_offs"]);

/**
 * Writes the guards of an API from the source that defines its functions.
 *
 * @param byHand Functions whose guards are written by hand: they are not translated.
 */
export function writeGuards(api: Api, { parser }: Source, byHand: ReadonlySet<string>, banner: string, runtime: string): Guards {
  const functions = new Functions(parser, FIELDS);
  const guarded = new Map<BoundFunction, readonly string[]>();
  for (const bound of api.functions) {
    const { name } = bound.declaration;
    if (!functions.has(name) || byHand.has(name) || !functions.mayFail(name)) continue;
    functions.translate(name);
    if (checks(name, functions)) guarded.set(bound, wrapper(bound, functions));
  }
  return { text: text(functions, guarded, banner, runtime), names: namesOf(guarded.keys()), assertions: functions.assertions };
}

function namesOf(bound: Iterable<BoundFunction>): ReadonlySet<string> {
  return new Set([...bound].map(({ declaration }) => declaration.name));
}

/** True if a translated function throws, or makes an object, or calls one that does. */
function checks(name: string, functions: Functions): boolean {
  const lines = functions.translated.get(name)?.lines ?? [];
  return lines.slice(1).some((line) =>
    /\bthrow \$|\$newTensor\(/.test(line) ||
    [...line.matchAll(/\b(\w+)\(/g)].some(([, callee]) => callee !== name && checks(callee, functions))
  );
}

/** The guard of a public function: a method of the object that `functions.js` calls. */
function wrapper({ declaration, parameters }: BoundFunction, functions: Functions): string[] {
  const { name } = declaration;
  const shadows = parameters.map((parameter) => shadow(parameter, functions));
  const tensors = parameters.flatMap((parameter, i) => isHandleOf(parameter, "ggml_tensor") ? [`${parameter.name}: $${i}`] : []);
  const context = parameters.findIndex((parameter) => isHandleOf(parameter, "ggml_context"));
  const locals = shadows.map((value, i) => `$${i} = ${value}`).join(", ");
  const call = `${name}(${shadows.map((_, i) => `$${i}`).join(", ")});`;
  return [
    list(`  ${name}(`, parameters.map((parameter) => parameter.name), ") {"),
    ...(shadows.length === 0 ? [] : [`    const ${locals};`]),
    "    try {",
    `      ${call}`,
    ...(context < 0 ? [] : [`      $${context}.expectRoom();`]),
    "    } catch (error) {",
    `      throw $named(error, "${name}", { ${tensors.join(", ")} });`.replace("{  }", "{}"),
    "    }",
    "  },",
  ];
}

function isHandleOf({ crossing }: BoundParameter, name: string): boolean {
  return crossing.kind === "handle" && crossing.name === name;
}

/** What the translation sees of an argument. */
function shadow(parameter: BoundParameter, { helpers }: Functions): string {
  const { name, crossing } = parameter;
  const by = (helper: string, ...more: string[]): string => {
    helpers.add(helper);
    return `$${helper}(${[name, ...more].join(", ")})`;
  };
  switch (crossing.kind) {
    case "handle":
      if (crossing.name === "ggml_tensor") return by("tensor");
      return crossing.name === "ggml_context" ? by("context") : name;
    case "int":
      return crossing.bits === 64 ? `Number(${name})` : name;
    case "float":
      return crossing.bits === 32 ? `Math.fround(${name})` : name;
    case "data":
      return crossing.array === null ? name : by("numbers", crossing.array);
    default:
      return name;
  }
}

function text(functions: Functions, guarded: ReadonlyMap<BoundFunction, readonly string[]>, banner: string, runtime: string): string {
  const reached = reachable([...guarded.keys()].map(({ declaration }) => declaration.name), functions);
  const body = new Printer();
  for (const [name, { lines }] of functions.translated) {
    if (!reached.has(name)) continue;
    body.gap();
    body.line(...lines);
  }
  for (const [name, lines] of functions.explained) {
    if (lines.length === 0 || !body.toString().includes(`${name}$why(`)) continue;
    body.gap();
    body.line(...lines);
  }
  body.gap();
  body.line("/** What must hold before each function is called. */", "export const guards = {");
  for (const lines of guarded.values()) body.line(...lines);
  body.line("};");
  const written = body.toString();
  const printer = new Printer();
  printer.line(banner);
  printer.line("// deno-fmt-ignore-file", "// deno-lint-ignore-file");
  printer.gap();
  const helpers = ["expectTypes", ...[...functions.helpers, "named"].filter((helper) => written.includes(`$${helper}(`))];
  printer.line(importNames(helpers.map((helper) => `${helper} as $${helper}`), runtime.replace(/runtime\.ts$/, "guard.ts")));
  printer.gap();
  for (const [name, value] of functions.constants) {
    if (new RegExp(`\\b${name}\\b`).test(written)) printer.line(`const ${name} = ${value};`);
  }
  printer.gap();
  printer.line(`$expectTypes(${typeCount(functions)});`);
  return printer.toString() + "\n" + written;
}

/** GGML_TYPE_COUNT: there are no types from that number on. */
function typeCount({ parser }: Functions): number {
  const symbol = parser.preprocessor.names.intern("GGML_TYPE_COUNT").symbol as Symbol | null;
  return symbol?.kind === "enumerator" ? Number(symbol.value) : 0;
}

/** The translated functions that some functions call, themselves among them. */
function reachable(names: readonly string[], { translated, explained }: Functions): ReadonlySet<string> {
  const reached = new Set<string>();
  const visit = (name: string): void => {
    const made = translated.get(name);
    if (made === undefined || reached.has(name)) return;
    reached.add(name);
    for (const line of [...made.lines, ...(explained.get(name) ?? [])]) {
      for (const [, callee] of line.matchAll(/\b(\w+?)(?:\$why)?\(/g)) visit(callee);
    }
  };
  names.forEach(visit);
  return reached;
}
