/**
 * Random graphs over a ggml with AddressSanitizer: each tensor lies in a malloc of its own, so that what a kernel reads or writes beyond is reported.
 *
 * They are made as those of `tests/fuzz/compute.ts`, and computed by one, two or four threads.
 *
 * @module
 */

import { catalogue } from "../fuzz/catalogue.ts";
import { fuzz, Workshop } from "../fuzz/children.ts";
import { confirm, reportDeaths } from "../fuzz/report.ts";

/** What was found. */
export interface Computed {
  /** Calls of functions that build a tensor, each with its arguments and the computation of what it built. */
  readonly programs: number;
  /** How many of the programs weren't refused. */
  readonly computations: number;
  /** The different ones: functions, and the types and layouts that they were given. */
  readonly kinds: number;
  readonly reports: number;
  /** Each with the program that led there. */
  readonly text: string;
}

/**
 * Makes and computes graphs.
 *
 * @param environment Of a program over the build: `asan()`.
 * @param functions Those to call; all where there is none.
 */
export async function computeSanitized(
  environment: Readonly<Record<string, string>>,
  count: number,
  seed: number,
  functions: readonly string[] = [],
): Promise<Computed> {
  const all = await catalogue();
  using workshop = new Workshop(environment);
  const found = await fuzz(workshop, {
    catalogue: all,
    calls: count,
    seed,
    functions: functions.length === 0 ? all.builders.map(({ name }) => name) : functions,
    compute: true,
    workers: navigator.hardwareConcurrency,
    patience: Infinity,
  });
  const { calls: programs, graphs, computed: { size: kinds }, deaths } = found;
  return { programs, computations: graphs.computed, kinds, reports: deaths.length, text: reportDeaths(await confirm(workshop, deaths)) };
}
