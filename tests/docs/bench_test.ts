/** The bench: that it runs with and without peers, and that what is committed of it is what was measured. Nothing here looks at how long anything takes. */

import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import type { Measured, Result } from "../../bench/measure.ts";
import { plot } from "../../bench/plot.ts";
import { updateReadme, updateTable } from "../../bench/readme.ts";
import { type Machine, readResults } from "../../bench/results.ts";
import { headers } from "../lexer/headers.ts";
import { deno } from "../process.ts";

const RESULTS = "bench/results.json";

async function bench(args: readonly string[], env: Record<string, string> = {}) {
  return await deno(["run", "-A", "bench/mod.ts", ...args], env);
}

Deno.test("a partial run: text, JSON, and a drawing of it", async () => {
  await headers();
  const folder = await Deno.makeTempDir(), json = `${folder}/part.json`;
  try {
    const { code, stdout, stderr } = await bench(["--runs", "2", "--json", json, "call-type_size"]);
    assertEquals(code, 0, stderr);
    const { machine, figures } = readResults(json);
    assertEquals(figures.map(({ id }) => id), ["call-type_size"]);
    assertEquals(figures[0].results.map(({ name }) => name), ["ours", "Deno.dlopen", "C", "cffi", "ctypes"]);
    for (const { title, results } of figures) {
      assertStringIncludes(stdout, title);
      for (const result of results) expectMeasured(result, results[0].answer, stdout);
    }
    assert(figures[0].ofTarget! > 0);
    assertStringIncludes(stdout, machine.cpu);
    assertEquals(machine.library.includes("/"), false, machine.library);

    const drawn = await bench(["--plot", "--json", json]);
    assertEquals(drawn.code, 0, drawn.stderr);
    const svg = await Deno.readTextFile(`${folder}/part.svg`);
    expectWellFormed(svg);
    for (const { title } of figures) assertStringIncludes(svg, title);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Measured twice with the same answer as ours; or missing, which is said. */
function expectMeasured(
  { name, samples, median, min, max, timesOurs, answer, problem }: Result,
  expected: string | null,
  text: string,
): void {
  if (problem !== null) {
    assertMatch(problem, /^missing: .*(apt-get|pip) install/);
    assertStringIncludes(text, problem);
    return console.warn(`bench_test.ts: not compared with ${name}; ${problem}`);
  }
  assertEquals([samples.length, answer], [2, expected], name);
  assert(0 < min! && min! <= median! && median! <= max! && timesOurs! > 0, name);
}

Deno.test("without any tools: ours and Deno.dlopen are measured, the rest says how to get it, and the results of a full run stay", async () => {
  await headers();
  const before = await Deno.readTextFile(RESULTS), nothing = await Deno.makeTempDir();
  try {
    // On the path is nothing; Debian's Python may be there all the same.
    const { code, stdout, stderr } = await bench(["--runs", "1", "field-type"], { PATH: nothing });
    assertEquals(code, 0, stderr);
    assertMatch(stdout, /read t\.type +ours +[\d.]+ ns/);
    assertMatch(stdout, /Deno\.dlopen +[\d.]+ ns/);
    assertMatch(stdout, /C +–/);
    assertStringIncludes(stdout, "C: missing: gcc: apt-get install gcc libc6-dev");
    assertEquals(await Deno.readTextFile(RESULTS), before);
  } finally {
    await Deno.remove(nothing);
  }
});

Deno.test("the committed results are of every figure, and name no folder", async () => {
  await headers();
  const { code, stderr } = await bench(["no-such-figure"]);
  assertEquals(code, 2);
  const all = /^no figure matches no-such-figure; there are (.*)$/m.exec(stderr)![1].split(", ");
  assertEquals(readResults(RESULTS).figures.map(({ id }) => id), all);
  const named = (await Deno.readTextFile(RESULTS)).match(/"[^"]*\/(root|home|tmp|usr|Users)\/[^"]*"/);
  assertEquals(named, null);
});

Deno.test("the README's table and the drawing are what the committed results say: deno task bench --readme --plot", async () => {
  const results = readResults(RESULTS), readme = await Deno.readTextFile("README.md");
  assert(updateReadme(readme, results) === readme, "README.md is stale: deno task bench --readme");
  const table = await Deno.readTextFile("bench/README.md");
  assert(updateTable(table, results) === table, "bench/README.md is stale: deno task bench --readme");
  assert(await Deno.readTextFile("bench/results.svg") === plot(results), "bench/results.svg is stale: deno task bench --plot");
  expectWellFormed(plot(results));
});

for (
  const [args, message] of [
    [["--fast"], "unknown option --fast"],
    [["--runs", "0"], "--runs wants a whole number from 1 on"],
    [["--runs"], "--runs wants a whole number from 1 on"],
    [["--json"], "--json wants a file"],
    [["--plot", "demo"], "--plot and --readme measure nothing"],
  ] as const
) {
  Deno.test(`deno task bench ${args.join(" ")}: ${message}`, async () => {
    const { code, stderr } = await bench(args);
    assertEquals(code, 2);
    assertStringIncludes(stderr, message);
    assertStringIncludes(stderr, "usage: deno task bench");
  });
}

Deno.test("results that aren't there, or aren't results", async () => {
  assertThrows(() => readResults("no/such.json"), Error, "no results to read");
  for (const text of ["", "[]", "null", `{"machine": {}, "figures": [{}]}`, "<svg/>"]) {
    const file = await Deno.makeTempFile({ suffix: ".json" });
    await Deno.writeTextFile(file, text);
    assertThrows(() => readResults(file), Error, "doesn't hold the bench's results");
    await Deno.remove(file);
  }
  for (const args of [["--plot", "--json", "no/such.json"], ["--json", "no/such.json", "call-type_size"]]) {
    const { code, stderr } = await bench(args);
    assertEquals([code, stderr.trim().split("\n").length], [1, 1], stderr);
    assertStringIncludes(stderr, "No such file");
  }
});

const HOSTILE = `</text><script>alert("1")</script> & ]]> | \`x\` 'y' \0\x1b \ud800`;
const MACHINE: Machine = {
  date: "2026-11-25",
  cpu: HOSTILE,
  cores: 2,
  gibibytes: 8,
  os: "linux",
  arch: "x86_64",
  load: 0,
  deno: "2.9.6",
  ggml: null,
  library: HOSTILE,
  peers: [HOSTILE],
};

function figure(title: string, results: readonly Result[]): Measured {
  return {
    id: title,
    title,
    unit: "ms",
    how: "inside",
    runs: 1,
    target: { limit: 2, of: title },
    value: 3,
    ofTarget: 1.5,
    load: 0,
    results,
  };
}

function result(name: string, time: number | null, problem: string | null = null): Result {
  return { name, samples: time === null ? [] : [time], median: time, min: time, max: time, timesOurs: time, answer: null, problem };
}

Deno.test("whatever a text holds, the drawing is XML and the README's table has its columns", () => {
  const results = {
    machine: MACHINE,
    figures: [
      figure(HOSTILE, [result("ours", 1), result(HOSTILE, 0.001), result("C", null, HOSTILE)]),
      { ...figure("no target", [result("ours", null, HOSTILE), result("C", 1)]), target: null, value: null, ofTarget: null },
    ],
  };
  const svg = plot(results);
  expectWellFormed(svg);
  assertEquals(svg.includes("<script"), false);
  // deno-lint-ignore no-control-regex
  assertEquals(/[\0-\x08\x0b-\x1f\ud800]/.test(svg), false);

  const readme = updateTable(
    "a <!-- bench: written by `deno task bench --readme` from bench/results.json --><!-- bench: end --> z",
    results,
  );
  const rows = readme.split("\n").filter((line) => line.startsWith("|"));
  assertEquals(rows.map((line) => line.match(/(?<!\\)\|/g)!.length), [8, 8, 8, 8]);
  assertEquals(/(?<!\\)<script/.test(readme), false);
  for (const read of [svg, readme]) {
    assert(!read.includes("to reach"), "what is to be reached is for who works on this, and said by deno task bench");
  }
  assert(readme.startsWith("a <!-- bench") && readme.endsWith("<!-- bench: end --> z"));
  assertEquals(updateTable(readme, results), readme);
});

Deno.test("no results to draw: an empty sheet", () => expectWellFormed(plot({ machine: MACHINE, figures: [] })));

Deno.test("a README without the markers is left alone", () => {
  const results = { machine: MACHINE, figures: [] };
  for (const text of ["", "<!-- bench: end -->", "<!-- bench: written by `deno task bench --readme` from bench/results.json -->"]) {
    for (const update of [updateReadme, updateTable]) assertThrows(() => update(text, results), Error, "the page must have");
  }
});

/** Every element is closed in turn, and no ampersand or quote is loose. */
function expectWellFormed(xml: string): void {
  const open: string[] = [];
  const rest = xml.replace(/^<!-- [\w-]+ -->/, "").replace(
    /<(\/?)(\w+)((?: [\w:-]+="[^"<>]*")*)(\/?)>/g,
    (_, closing, name, _attributes, alone) => {
      if (closing === "/") assertEquals(open.pop(), name);
      else if (alone !== "/") open.push(name);
      return "";
    },
  );
  assertEquals(open, []);
  assertEquals(rest.match(/[<>]/), null);
  assertEquals(xml.match(/&(?!(?:amp|lt|gt|quot|#39);)/), null);
}
