/**
 * The contenders of a figure: the same work by each of those that are compared, each a program of its own.
 *
 * @module
 */

import type { Contender } from "./measure.ts";
import { peer, type Peers, type Tool } from "./peers.ts";

/** A contender that runs a tool, or says how to get it. */
export function contender(name: string, tool: Tool, ...args: string[]): Contender {
  if ("missing" in tool) return { name, command: null, missing: tool.missing };
  return { name, command: [...tool.command, ...args] };
}

/** A script that Deno runs with the least that it needs. */
export function deno(script: string, ...args: string[]): Tool {
  return { command: [Deno.execPath(), "run", "--allow-ffi", script, ...args] };
}

/** What takes the least that a process of Deno's can. */
export const EMPTY = "an empty script";

/** The empty script, in a folder to write into. */
export function emptyScript(work: string): Contender {
  const path = `${work}/empty.ts`;
  Deno.writeTextFileSync(path, "");
  return contender(EMPTY, { command: [Deno.execPath(), "run", "--no-config", path] });
}

/** The same work by the sources of this clone, where ours is the package as it is published. */
export const FROM_CLONE = "ours, a clone's sources";

/** Which programs do a figure's work, by their names under `ours/` and `peers/`. Each takes `args`. */
export interface Programs {
  readonly ours: string;
  readonly dlopen: string;
  readonly c: string;
  /** A Python script, for cffi and for ctypes. */
  readonly python: string;
  /** Whether that wants numpy. */
  readonly numpy?: boolean;
}

/** All five; `variants` are ours with one argument more. */
export async function everyone(
  { ours, dlopen, c, python, numpy = false }: Programs,
  peers: Peers,
  args: readonly string[],
  variants: Readonly<Record<string, string>> = {},
): Promise<Contender[]> {
  return [
    contender("ours", deno(`bench/ours/${ours}`, ...args)),
    ...Object.entries(variants).map(([name, variant]) => contender(name, deno(`bench/ours/${ours}`, ...args, variant))),
    contender("Deno.dlopen", deno(peer(dlopen), peers.library, ...args)),
    contender("C", await peers.c(c), ...args),
    contender("cffi", peers.python(python, "cffi", numpy), ...args),
    contender("ctypes", peers.python(python, "ctypes", numpy), ...args),
  ];
}
