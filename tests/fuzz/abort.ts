/**
 * Abort fuzzing: calls every function that builds a tensor with random arguments, in child processes, and says which calls ended one.
 *
 *     deno task fuzz:abort [--json FILE] [COUNT [SEED [FUNCTION…]]]
 *
 * COUNT calls are made (200,000 by default); the calls that make their arguments come on top. Each call that should be refused must be
 * refused by an exception which names the function and shows the tensors. The exit status is 1 if a process died or hung, if a
 * message doesn't say what it should, or if a function was never called with success.
 *
 * @module
 */

import { expectKnown, readCommandLine } from "../command_line.ts";
import { catalogue } from "./catalogue.ts";
import { fuzz, Workshop } from "./children.ts";
import { confirm, reportDeaths, reportRest } from "./report.ts";

const USAGE = "fuzz:abort [--json FILE] [COUNT [SEED [FUNCTION…]]]";

if (import.meta.main) {
  const { numbers: [calls, seed], names: functions, options } = readCommandLine(USAGE, [200_000, 1], { json: { type: "string" } });
  const all = await catalogue();
  const names = all.builders.map(({ name }) => name);
  expectKnown(USAGE, functions, names);
  using workshop = new Workshop();
  const start = performance.now();
  const found = await fuzz(workshop, {
    catalogue: all,
    calls,
    seed,
    functions: functions.length === 0 ? names : functions,
    compute: false,
    workers: navigator.hardwareConcurrency,
    patience: 30,
    progress: ({ calls, deaths }) => {
      if (deaths.length > 0 && deaths.length % 100 === 0) console.error(`${calls} calls, ${deaths.length} processes died …`);
    },
  });
  const seconds = (performance.now() - start) / 1000;
  const deaths = await confirm(workshop, found.deaths);
  console.log(reportDeaths(deaths));
  const { text, bad } = reportRest(found, functions.length === 0 ? names : functions, seconds);
  console.log(text);
  if (options.json) Deno.writeTextFileSync(options.json, JSON.stringify({ deaths, never: bad }, null, 2));
  Deno.exitCode = found.deaths.length > 0 || bad ? 1 : 0;
}
