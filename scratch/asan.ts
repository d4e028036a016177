import { asan } from "../tests/stress/asan.ts";
import { catalogue } from "../tests/fuzz/catalogue.ts";
import { fuzz, Workshop } from "../tests/fuzz/children.ts";
import { confirm, reportDeaths } from "../tests/fuzz/report.ts";
const [count = "2000", seed = "1", ...functions] = Deno.args;
const environment = await asan();
const all = await catalogue();
using workshop = new Workshop(environment);
const start = performance.now();
const found = await fuzz(workshop, {
  catalogue: all, calls: Number(count), seed: Number(seed),
  functions: functions.length === 0 ? all.builders.map(({ name }) => name) : functions,
  compute: true, workers: 2, patience: Infinity,
});
console.log(reportDeaths(await confirm(workshop, found.deaths)));
console.log(`${found.calls} calls, ${found.computations} computations, ${found.steps} steps, ${found.computed.size} kinds computed, ${found.deaths.length} deaths in ${((performance.now() - start) / 1000).toFixed(1)} s`);
