/**
 * Has what programs call when they start be compiled when it is loaded.
 *
 * V8 compiles a function when it is first called, and that in each process anew: of a module Deno caches what was compiled when the module was
 * loaded. For the first example those are 500 functions and a seventh of its process. V8 compiles a function with its module if the function
 * stands in parentheses, as one does that is called at once. Which functions are worth it, V8's own log of a few programs says.
 *
 * A class's methods can't stand in parentheses: they are compiled when they are called, as before.
 *
 * @module
 */

import { type Node, parse, type Program } from "acorn";
import { ancestor } from "acorn-walk";
import MagicString from "magic-string";
import { toFileUrl } from "@std/path";

/**
 * Rewrites modules.
 *
 * @param files The paths of the modules.
 * @param programs What imports and runs them: each the arguments of `deno run`.
 * @throws {Error} If a program fails, or V8 logs nothing of the modules.
 */
export async function compileEarly(files: readonly string[], programs: readonly (readonly string[])[]): Promise<void> {
  const ends = new Map<string, Set<number>>();
  for (const program of programs) addCalled(await logOf(program), ends);
  const called = files.filter((file) => ends.has(toFileUrl(file).href));
  if (called.length === 0) throw new Error(`V8's log names none of the functions in ${files.join(", ")}`);
  for (const file of called) await Deno.writeTextFile(file, rewritten(await Deno.readTextFile(file), ends.get(toFileUrl(file).href)!));
}

/** What V8 logs of the functions that a program calls. */
async function logOf(program: readonly string[]): Promise<string> {
  const log = await Deno.makeTempFile();
  try {
    const flags = `--v8-flags=--log-function-events,--no-logfile-per-isolate,--logfile=${log}`;
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", flags, ...program],
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "null",
    }).output();
    if (!success) throw new Error(`deno run ${program.join(" ")}: ${new TextDecoder().decode(stderr).trim()}`);
    return await Deno.readTextFile(log);
  } finally {
    await Deno.remove(log);
  }
}

/** Adds, for each module's URL, where the functions end that were compiled because they were called. */
function addCalled(log: string, ends: Map<string, Set<number>>): void {
  const events = log.split("\n").map((line) => line.split(","));
  const urls = new Map(events.filter(([event]) => event === "script-details").map(([, script, url]) => [script, url]));
  for (const [event, kind, script, , end] of events) {
    const url = urls.get(script);
    if (event !== "function" || kind !== "parse-function" || url === undefined) continue;
    ends.set(url, (ends.get(url) ?? new Set()).add(Number(end)));
  }
}

/** A module's text, with the functions in parentheses that end there. */
function rewritten(text: string, ends: ReadonlySet<number>): string {
  const program = parse(text, { ecmaVersion: "latest", sourceType: "module" }), result = new MagicString(text);
  const top = endOfImports(program);
  ancestor(program, {
    FunctionDeclaration(node, _state, ancestors) {
      if (!ends.has(node.end) || ancestors.at(-2)?.type !== "Program" || node.id === null) return;
      // A declaration is there before the module's first line runs, and so must the variable be that stands for it.
      result.appendRight(node.start, `\nvar ${node.id.name} = (`).appendLeft(node.end, ");");
      if (node.start > top) result.move(node.start, node.end, top);
    },
    FunctionExpression(node, _state, ancestors) {
      const parent = ancestors.at(-2);
      if (
        !ends.has(node.end) || !isMethodOfObject(parent) || node.async || node.generator || needsMethod(text.slice(node.start, node.end))
      ) return;
      result.appendRight(node.start, ": (").appendRight(node.body.start, "=> ").appendLeft(node.end, ")");
    },
    ArrowFunctionExpression(node) {
      if (ends.has(node.end)) result.appendRight(node.start, "(").appendLeft(node.end, ")");
    },
  });
  return result.toString();
}

/** Where a module's imports end. */
function endOfImports(program: Program): number {
  return program.body.findLast(({ type }) => type === "ImportDeclaration")?.end ?? 0;
}

/** True for `name() {}` in an object: no getter, and no name that is computed. */
function isMethodOfObject(node: Node | undefined): boolean {
  if (node?.type !== "Property") return false;
  const { method, computed } = node as Node & { method: boolean; computed: boolean };
  return method && !computed;
}

/** True for a method's text that says something that an arrow function can't. */
function needsMethod(text: string): boolean {
  return /\b(this|super|arguments|new\.target)\b/.test(text);
}
