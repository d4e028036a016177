/**
 * Object fuzzing, of whichever world: what the tasks for training, schedulers and libllama have in common.
 *
 * @module
 */

import { expectKnown, readCommandLine } from "../command_line.ts";
import { callables } from "./catalogue.ts";
import { type Found, fuzzObjects, Workshop } from "./children.ts";
import { reduce, reportDeaths, reportRest } from "./report.ts";
import type { World } from "./objects.ts";
import { worlds } from "./worlds.ts";

/** What a fuzz found, in words. */
export interface Result {
  readonly found: Found;
  readonly text: string;
  /** True if nothing is wrong. */
  readonly good: boolean;
}

/** Makes so many calls in a world, in child processes. Each death is told with a short program that leads there. */
export async function runWorld(
  name: keyof typeof worlds,
  calls: number,
  seed: number,
  chosen: readonly string[] = [],
  workers: number = navigator.hardwareConcurrency,
): Promise<Result> {
  const all = await callablesOf(name);
  const functions = chosen.length > 0 ? chosen : all.functions.map(({ name }) => name);
  using workshop = new Workshop();
  const start = performance.now();
  const found = await fuzzObjects(workshop, { world: name, callables: all, calls, seed, functions, workers });
  const seconds = (performance.now() - start) / 1000;
  const deaths = await reduce(workshop, found.deaths);
  const { text } = reportRest(found, functions, seconds);
  return { found, text: `${reportDeaths(deaths)}\n${text}`, good: found.deaths.length === 0 && found.complaints.length === 0 };
}

function callablesOf(name: keyof typeof worlds): ReturnType<typeof callables> {
  const { names, except, withoutBuilders = false }: World = worlds[name];
  return callables(names, except, !withoutBuilders);
}

/** Runs a task with its command line. */
export async function main(
  name: keyof typeof worlds,
  usage = `fuzz:${name} [COUNT [SEED [FUNCTION…]]]`,
  args: readonly string[] = Deno.args,
  usual = 20_000,
): Promise<void> {
  const { numbers: [count, seed], names } = readCommandLine(usage, [usual, 1], {}, args);
  if (names.length > 0) expectKnown(usage, names, (await callablesOf(name)).functions.map(({ name }) => name));
  const { text, good } = await runWorld(name, count, seed, names);
  console.log(text);
  Deno.exitCode = good ? 0 : 1;
}
