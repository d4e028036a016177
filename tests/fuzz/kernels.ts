/**
 * Kernel fuzzing: computes random operations, and again with a source of another type or layout, or on more threads, in child processes, and says
 * where the results differ.
 *
 *     deno task fuzz:kernels [COUNT [SEED [FUNCTION…]]]
 *
 * COUNT comparisons are made (20,000 by default). The exit status is 1 if two results differ, or a process died.
 *
 * @module
 */

import { expectKnown, readCommandLine } from "../command_line.ts";
import { catalogue } from "./catalogue.ts";
import { compareAll, type Compared, Workshop } from "./children.ts";
import { print } from "./steps.ts";

/** What was found, a case of each function, argument and variant. */
export function reportDifferences({ differences }: Compared): string {
  const kinds = new Map(differences.map((one) => [`${one.name}(${one.argument}): ${one.variant}`, one]));
  return [...kinds].sort().map(([kind, { spec, expected, got }]) => `${kind}: expected ${expected}, got ${got}\n  ${JSON.stringify(spec)}`)
    .join("\n");
}

if (import.meta.main) {
  const usage = "fuzz:kernels [COUNT [SEED [FUNCTION…]]]";
  const { numbers: [count, seed], names: functions } = readCommandLine(usage, [20_000, 1]);
  const all = await catalogue();
  expectKnown(usage, functions, all.builders.map(({ name }) => name));
  using workshop = new Workshop();
  const start = performance.now();
  const found = await compareAll(workshop, all, functions, count, seed);
  const seconds = (performance.now() - start) / 1000;
  console.log(reportDifferences(found));
  for (const { message, steps } of found.deaths) console.log(`a process died: ${message}\n${print(steps)}`);
  const never = all.builders.map(({ name }) => name).filter((name) =>
    !found.functions.has(name) && (functions.length === 0 || functions.includes(name))
  );
  if (never.length > 0) console.log(`never compared: ${never.join(", ")}`);
  console.log([...found.variants].sort((a, b) => b[1] - a[1]).map(([variant, count]) => `${count} ${variant}`).join(", "));
  console.log(
    `${found.compared} comparisons of ${found.functions.size} functions in ${seconds.toFixed(1)} s: ${found.differences.length} differ, ` +
      `${found.deaths.length} killed the process`,
  );
  Deno.exitCode = found.differences.length > 0 || found.deaths.length > 0 ? 1 : 0;
}
