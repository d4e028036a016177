/**
 * Compute fuzzing: builds random graphs with success, computes them on the CPU, and says which computations ended the process.
 *
 *     deno task fuzz:compute [--json FILE] [COUNT [SEED [FUNCTION…]]]
 *
 * COUNT functions are called (60,000 by default, for some 50,000 graphs). Every accepted result is computed, by one, two or four threads and in
 * each of the ways that there are (`WAYS` in steps.ts). The exit status is 1 if a process died, or hung.
 *
 * @module
 */

import { expectKnown, readCommandLine } from "../command_line.ts";
import { catalogue } from "./catalogue.ts";
import { type Death, type Found, fuzz, Workshop } from "./children.ts";
import { confirm, type Deaths, reportDeaths } from "./report.ts";

const isComputing = ({ steps }: Death) => steps.length > 0 && "compute" in steps[steps.length - 1];

/** What dies of what, by function: kinds that died with C's message, and kinds that passed. */
interface Verdict {
  readonly name: string;
  readonly died: { readonly message: string; readonly kinds: readonly string[]; readonly program: Deaths }[];
  readonly passed: readonly string[];
}

function verdicts(groups: readonly Deaths[], deaths: readonly Death[], { computed }: Found): Verdict[] {
  const names = [...new Set(groups.map(({ name }) => name))].sort();
  const of = (name: string) => (kind: string) => kind.startsWith(`${name}(`);
  return names.map((name) => ({
    name,
    died: groups.filter((one) => one.name === name).map((program) => ({
      message: program.message,
      kinds: [...new Set(deaths.filter(({ message }) => message === program.message).map(kindOf).filter(of(name)))].sort(),
      program,
    })),
    passed: [...computed.keys()].filter(of(name)).sort(),
  }));
}

function kindOf({ steps }: Death): string {
  const last = steps[steps.length - 1];
  return "compute" in last ? last.kind : "";
}

function reportVerdict({ name, died, passed }: Verdict): string {
  const short = (kind: string) => kind.slice(name.length);
  const lines = died.map(({ message, kinds }) => `  died: ${message}\n    of ${kinds.map(short).join(" ")}`);
  return `${name}\n${lines.join("\n")}\n  passed: ${passed.length === 0 ? "none" : passed.map(short).join(" ")}\n`;
}

const USAGE = "fuzz:compute [--json FILE] [COUNT [SEED [FUNCTION…]]]";

if (import.meta.main) {
  const { numbers: [calls, seed], names: functions, options } = readCommandLine(USAGE, [60_000, 1], { json: { type: "string" } });
  const all = await catalogue(), names = all.builders.map(({ name }) => name);
  expectKnown(USAGE, functions, names);
  using workshop = new Workshop();
  const start = performance.now();
  const found = await fuzz(workshop, {
    catalogue: all,
    calls,
    seed,
    functions: functions.length === 0 ? names : functions,
    compute: true,
    workers: navigator.hardwareConcurrency,
    patience: Infinity,
  });
  const computing = found.deaths.filter(isComputing), others = found.deaths.filter((death) => !isComputing(death));
  const groups = await confirm(workshop, computing);
  const judged = verdicts(groups, computing, found);
  console.log(reportDeaths(groups));
  console.log(judged.map(reportVerdict).join("\n"));
  console.log(reportDeaths(await confirm(workshop, others)));
  const { calls: made, graphs, computed } = found, seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(
    `${made} calls in ${seconds} s: ${graphs.computed} graphs of ${computed.size} kinds were computed, ${graphs.refused} were Errors, ` +
      `${computing.length} of ${found.deadly.size} kinds killed the process, and ${others.length} other calls did`,
  );
  if (options.json) Deno.writeTextFileSync(options.json, JSON.stringify(judged, null, 2));
  Deno.exitCode = found.deaths.length > 0 ? 1 : 0;
}
