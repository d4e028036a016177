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

import { parseArgs } from "@std/cli/parse-args";
import { catalogue } from "./catalogue.ts";
import { fuzz, Workshop } from "./children.ts";
import { confirm, reportDeaths, reportRest } from "./report.ts";

if (import.meta.main) {
  const options = parseArgs(Deno.args, { string: ["json", "patience"] });
  const [count = "200000", seed = "1", ...functions] = options._.map(String);
  const all = await catalogue();
  const names = all.builders.map(({ name }) => name);
  const unknown = functions.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    console.error(`no such builder: ${unknown.join(", ")}`);
    Deno.exit(2);
  }
  using workshop = new Workshop();
  const start = performance.now();
  const found = await fuzz(workshop, {
    catalogue: all,
    calls: Number(count),
    seed: Number(seed),
    functions: functions.length === 0 ? names : functions,
    compute: false,
    workers: navigator.hardwareConcurrency,
    patience: Number(options.patience ?? 30),
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
