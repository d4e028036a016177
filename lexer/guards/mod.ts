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
import { BY_HAND, MAY_FAIL } from "./expressions.ts";
import { type Assertion, Functions } from "./functions.ts";
import type { Symbol } from "../parser.ts";
import type { Source } from "./sources.ts";

export { readSources, type Source } from "./sources.ts";
export type { Assertion };

/** The guards of one set of bindings. */
export interface Guards {
  /** The text of `guards.js`. */
  readonly text: string;
  /** The text of `kernels.txt`: what the CPU's kernels assert of a tensor that they are to compute. */
  readonly kernels: string;
  /** The C names of the functions that have one. */
  readonly names: ReadonlySet<string>;
  /** Every assertion that was looked at. */
  readonly assertions: readonly Assertion[];
  /** Those that are guarded by hand. */
  readonly byHand: readonly Assertion[];
}

/** The fields of tensors that assertions read, directly or by way of another tensor. */
const FIELDS: ReadonlySet<string> = new Set(["type", "ne", "nb", "op", "flags", "view_src", "view_offs", "grads", "grad_accs"]);

/** The kernel that chooses the others by the operation. */
const COMPUTE = "ggml_compute_forward";

/**
 * Writes the guards of an API from the sources that define its functions.
 *
 * @param byHand Functions whose guards are written by hand: they are not translated.
 */
export function writeGuards(api: Api, { parser }: Source, byHand: ReadonlySet<string>, banner: string, runtime: string): Guards {
  const functions = new Functions(parser, FIELDS);
  const guarded = new Map<BoundFunction, readonly string[]>();
  for (const bound of api.functions) {
    const { name } = bound.declaration;
    if (!functions.has(name) || byHand.has(name) || !functions.mayFail(name)) continue;
    if (BY_HAND[name] === undefined) functions.translate(name);
    if (checks(name, functions)) guarded.set(bound, wrapper(bound, functions));
  }
  if (functions.has(COMPUTE)) functions.translate(COMPUTE);
  return {
    text: text(functions, guarded, banner, runtime),
    kernels: kernels(functions, banner),
    names: namesOf(guarded.keys()),
    assertions: functions.assertions,
    byHand: [...Object.keys(BY_HAND), ...INSIDE_BY_HAND, ...byHand].flatMap((name) => functions.assertionsIn(name)),
  };
}

/** Functions that only those call which the runtime does by hand, and whose assertions it checks there. */
const INSIDE_BY_HAND: readonly string[] = ["ggml_new_object", "ggml_visit_parents_graph"];

function namesOf(bound: Iterable<BoundFunction>): ReadonlySet<string> {
  return new Set([...bound].map(({ declaration }) => declaration.name));
}

/** True if a translated function throws, or makes an object, or calls one that does. */
function checks(name: string, functions: Functions): boolean {
  if (MAY_FAIL.has(name)) return true;
  const lines = functions.translated.get(name)?.lines.slice(1) ?? [];
  const fails = (line: string) => line.includes("throw $") || FAILING.some((helper) => line.includes(`$${helper}(`));
  const callees = (line: string) => [...line.matchAll(/\b(\w+)\(/g)].map(([, callee]) => callee);
  return lines.some((line) => fails(line) || callees(line).some((callee) => callee !== name && checks(callee, functions)));
}

/** The helpers that throw. */
const FAILING: readonly string[] = [...MAY_FAIL].map((name) => BY_HAND[name]);

/** The guard of a public function: a method of the object that `functions.js` calls. */
function wrapper({ declaration, parameters }: BoundFunction, functions: Functions): string[] {
  const { name } = declaration;
  const shadows = parameters.map((parameter) => shadow(parameter, functions));
  const tensors = parameters.flatMap((parameter, i) => isHandleOf(parameter, "ggml_tensor") ? [`${parameter.name}: $${i}`] : []);
  const context = parameters.findIndex((parameter) => isHandleOf(parameter, "ggml_context"));
  const locals = shadows.map((value, i) => `$${i} = ${value}`).join(", ");
  if (BY_HAND[name] !== undefined) functions.helpers.add(BY_HAND[name]);
  const call = `${BY_HAND[name] === undefined ? name : `$${BY_HAND[name]}`}(${shadows.map((_, i) => `$${i}`).join(", ")});`;
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
      if (crossing.name === "ggml_cgraph") return by("graph", "ggml_tensor");
      return crossing.name === "ggml_context" ? by("context") : name;
    case "int":
      return crossing.bits === 64 ? `Number(${name})` : name;
    case "float":
      return crossing.bits === 32 ? `Math.fround(${name})` : name;
    case "data":
      return crossing.array === null ? name : by("numbers", crossing.array);
    case "pointers":
      return crossing.item === "ggml_tensor" ? by("tensors", "ggml_tensor") : name;
    default:
      return name;
  }
}

function text(functions: Functions, guarded: ReadonlyMap<BoundFunction, readonly string[]>, banner: string, runtime: string): string {
  const body = new Printer();
  writeFunctions(functions, [...guarded.keys()].map(({ declaration }) => declaration.name), body);
  body.gap();
  body.line("/** What must hold before each function is called. */", "export const guards = {");
  for (const lines of guarded.values()) body.line(...lines);
  body.line("};");
  const written = body.toString();
  const printer = new Printer();
  printer.line(banner);
  printer.line("// deno-fmt-ignore-file", "// deno-lint-ignore-file");
  printer.gap();
  const used = [...functions.helpers, "named"].filter((helper) => written.includes(`$${helper}(`));
  const importHelpers = (names: readonly string[], file: string) =>
    importNames(names.map((helper) => `${helper} as $${helper}`), runtime.replace(/runtime\.ts$/, file));
  printer.line(
    importHelpers(["expectTypes", ...used.filter((helper) => !GRAPHS.includes(helper))], "guard.ts"),
    importHelpers(["expectLayouts", ...used.filter((helper) => GRAPHS.includes(helper))], "guard_graph.ts"),
    'import { ggml_tensor } from "./structs.js";',
  );
  printer.gap();
  writeConstants(functions, written, printer);
  printer.gap();
  printer.line(`$expectTypes(${typeCount(functions)});`, `$expectLayouts(${JSON.stringify(layouts(functions))});`);
  return printer.toString() + "\n" + written;
}

/**
 * A script that is read when something is first computed: as a module it would cost every start 3 ms. Its helpers come from whoever compiles it,
 * function by function: constants first, and each function begins a line.
 */
function kernels(functions: Functions, banner: string): string {
  const body = new Printer();
  if (functions.has(COMPUTE)) writeFunctions(functions, [COMPUTE], body);
  const written = body.toString();
  const printer = new Printer();
  printer.line(banner);
  writeConstants(functions, written, printer);
  const call = functions.has(COMPUTE) ? `return ${COMPUTE}({ ith: 0, nth: 1, use_ref: false }, tensor);` : "";
  return `${printer}\n${written}\nfunction check(tensor) {\n  ${call}\n}\n`;
}

function writeFunctions(functions: Functions, roots: readonly string[], printer: Printer): void {
  const reached = reachable(roots, functions);
  let written = "";
  for (const [name, { lines }] of functions.translated) {
    if (!reached.has(name)) continue;
    printer.gap();
    printer.line(...lines);
    written += lines.join("\n");
  }
  for (const [name, lines] of functions.explained) {
    if (lines.length === 0 || !written.includes(`${name}$why(`)) continue;
    printer.gap();
    printer.line(...lines);
  }
}

function writeConstants({ constants }: Functions, written: string, printer: Printer): void {
  for (const [name, value] of constants) {
    if (new RegExp(`\\b${name}\\b`).test(written)) printer.line(`const ${name} = ${value};`);
  }
}

/** The helpers that look into graphs. */
const GRAPHS: readonly string[] = ["graph", "tensors", "newGraph", "newBuffer", "buildForward", "hashFind", "hashInsert", "bitsetGet"];

/** The private structs that guards look into, and the fields that they read there. */
const PRIVATE: Readonly<Record<string, readonly string[]>> = {
  ggml_cgraph: ["size", "n_nodes", "n_leafs", "nodes", "leafs", "grads", "grad_accs"],
  ggml_context: ["mem_size", "n_objects"],
};

/** The offsets of private structs' fields. */
function layouts({ parser }: Functions): Record<string, Record<string, number>> {
  return Object.fromEntries(
    Object.entries(PRIVATE).map(([name, fields]) => {
      const record = parser.records.find((record) => record.name === name);
      const offsets = fields.map((field) => [field, record?.fields.find(({ name }) => name === field)?.offset ?? -1]);
      return [name, Object.fromEntries(offsets)];
    }),
  );
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
