/**
 * The process that makes the calls, and may die of one.
 *
 *     deno run -A tests/fuzz/child.ts FILE
 *
 * The file holds an {@linkcode Order}. Each step is in the log before it is done; each walk, and each program, is one line of JSON on stdout.
 *
 * @module
 */

import { Random } from "../random.ts";
import type { Builder, Callables, Catalogue } from "./catalogue.ts";
import { types } from "./shapes.ts";
import type { Difference } from "./differ.ts";
import { type Spec, Specs } from "./specs.ts";
import { run, runCompute, slice, sliceObjects, type Step } from "./steps.ts";
import { useFolder } from "./recipes.ts";
import { type Outcome, type Setting, Walk, type Witness } from "./walk.ts";
import { complaint } from "./messages.ts";

/** What the process shall do. */
export type Order = WalkOrder | ReplayOrder | CompareOrder | ObjectsOrder;

/** To walk until `calls` calls are made. */
export interface WalkOrder {
  readonly kind: "walk";
  readonly catalogue: Catalogue;
  readonly seed: number;
  readonly calls: number;
  /** Names of the functions to call; the others make arguments only. */
  readonly functions: readonly string[];
  readonly compute: boolean;
  /** Kinds of computations that killed a process before. */
  readonly deadly: readonly string[];
  /** Where steps are logged. */
  readonly log: string;
  /** Where arguments that were accepted are kept from one process to the next. */
  readonly memory: string;
}

/** To do programs, from the one of that index on. */
export interface ReplayOrder {
  readonly kind: "replay";
  readonly programs: readonly (readonly Step[])[];
  readonly from: number;
  readonly log: string;
  /** Where files are written. */
  readonly folder?: string;
}

/** To compare computations until `count` are compared. */
export interface CompareOrder {
  readonly kind: "compare";
  readonly catalogue: Catalogue;
  readonly seed: number;
  readonly count: number;
  readonly functions: readonly string[];
  readonly log: string;
}

/** To walk over the objects of a world (`worlds.ts`) until `calls` calls are made. */
export interface ObjectsOrder {
  readonly kind: "objects";
  readonly world: keyof typeof import("./worlds.ts").worlds;
  readonly callables: Callables;
  readonly seed: number;
  readonly calls: number;
  /** Names of the functions to call. */
  readonly functions: readonly string[];
  readonly log: string;
  /** Where files are written. */
  readonly folder: string;
}

/** What some comparisons tell. */
export interface CompareReport {
  readonly name: string;
  readonly compared: Readonly<Record<string, number>>;
  readonly found: readonly Difference[];
}

/** What one walk tells. */
export interface WalkReport {
  calls: number;
  steps: number;
  /** Calls that passed, by function. */
  passed: Record<string, number>;
  refused: Record<string, number>;
  /** Kinds of computations that passed. */
  computed: string[];
  /** How many graphs were computed, and how many were Errors. */
  graphs: { computed: number; refused: number };
  /** Messages that don't say what they should, with the steps that led there. */
  complaints: { complaint: string; steps: Step[] }[];
}

const encoder = new TextEncoder();

/** The steps since the last walk or program began, in a file: it is there after the process is not. */
class Log {
  readonly #file: Deno.FsFile;

  constructor(path: string) {
    this.#file = Deno.openSync(path, { write: true, create: true, truncate: true });
  }

  clear(): void {
    this.#file.truncateSync(0);
    this.#file.seekSync(0, Deno.SeekMode.Start);
  }

  write(step: Step): void {
    this.#file.writeSync(encoder.encode(`${JSON.stringify(step)}\n`));
  }
}

function tell(report: unknown): void {
  Deno.stdout.writeSync(encoder.encode(`${JSON.stringify(report)}\n`));
}

/** Counts and checks. */
class Counter implements Witness {
  readonly #log: Log;
  readonly #specs: Specs;
  readonly #memory: Deno.FsFile;
  readonly #computed: Set<string> = new Set();
  report: WalkReport = emptyReport();

  constructor(order: WalkOrder, log: Log, specs: Specs) {
    this.#log = log;
    this.#specs = specs;
    this.#memory = Deno.openSync(order.memory, { append: true, create: true });
  }

  before(step: Step): void {
    this.report.steps++;
    this.#log.write(step);
  }

  called({ name, parameters }: Builder, steps: readonly Step[], outcome: Outcome, results: readonly unknown[], whole: ReadonlySet<number>) {
    const { report } = this;
    report.calls++;
    const counts = "error" in outcome ? report.refused : report.passed;
    counts[name] = (counts[name] ?? 0) + 1;
    if (!("error" in outcome)) return;
    const call = steps[steps.length - 1] as Extract<Step, { call: string }>;
    const found = complaint(name, parameters, call.args, results, outcome.error);
    if (found !== null) report.complaints.push({ complaint: found, steps: slice(steps, whole) });
  }

  computed(kind: string, outcome: Outcome): void {
    this.report.graphs["error" in outcome ? "refused" : "computed"]++;
    if ("error" in outcome || this.#computed.has(kind)) return;
    this.#computed.add(kind);
    tell({ ...emptyReport(), computed: [kind] }); // at once: the walk may not come to its end
  }

  accepted({ name }: Builder, spec: Spec, computed: boolean): void {
    const line = JSON.stringify([name, spec, computed]);
    if (this.#specs.keep(name, spec, computed)) this.#memory.writeSync(encoder.encode(`${line}\n`));
  }
}

function emptyReport(): WalkReport {
  return { calls: 0, steps: 0, passed: {}, refused: {}, computed: [], graphs: { computed: 0, refused: 0 }, complaints: [] };
}

async function walk(order: WalkOrder): Promise<void> {
  const { catalogue, seed, functions } = order;
  const random = new Random(seed);
  const facts = types(catalogue.enums.ggml_type);
  const specs = new Specs(random, catalogue, facts, 256, order.compute ? 5 : 25);
  const names = new Set(functions);
  recall(order.memory, specs);
  const log = new Log(order.log);
  const witness = new Counter(order, log, specs);
  const builders = catalogue.builders.filter(({ name }) => names.has(name));
  const setting: Setting = {
    random,
    catalogue,
    types: facts,
    specs,
    witness,
    builders,
    compute: order.compute,
    deadly: new Set(order.deadly),
  };
  for (let calls = 0; calls < order.calls; calls += witness.report.calls) {
    log.clear();
    witness.report = emptyReport();
    await new Walk(setting).go();
    tell(witness.report);
  }
}

/** What processes before this one found to be accepted. */
function recall(path: string, specs: Specs): void {
  let text = "";
  try {
    text = Deno.readTextFileSync(path);
  } catch {
    return; // the first process
  }
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const [name, spec, computed] = JSON.parse(line);
    specs.keep(name, spec, computed);
  }
}

async function replay({ programs, from, log: path, folder }: ReplayOrder): Promise<void> {
  const log = new Log(path);
  if (folder !== undefined) useFolder(folder);
  for (let i = from; i < programs.length; i++) {
    log.clear();
    const results: unknown[] = [];
    let message: string | null = null;
    for (const step of programs[i]) {
      log.write(step);
      message = null;
      try {
        results.push("compute" in step ? await runCompute(step, results) : run(step, results));
      } catch (error) {
        message = (error as Error).message;
        results.push(null);
      }
    }
    tell({ program: i, message });
  }
}

async function compare({ catalogue, seed, count, functions, log: path }: CompareOrder): Promise<void> {
  const { differ } = await import("./differ.ts");
  const random = new Random(seed), log = new Log(path);
  const facts = types(catalogue.enums.ggml_type).filter(({ name }) => /_(F32|I32)$/.test(name));
  const names = new Set(functions);
  const builders = catalogue.builders.filter(({ name, parameters }) =>
    (names.size === 0 || names.has(name)) && !parameters.some(({ kind }) => kind === "callback")
  );
  let specs: Specs | null = null;
  for (let compared = 0, calls = 0; compared < count; calls++) {
    if (specs === null || calls % COMPARED === 0) specs = new Specs(random, catalogue, facts, 40, random.pick([5, 20, 60]));
    const builder = random.pick(builders), spec = specs.next(builder);
    log.clear();
    log.write({ call: builder.name, args: [JSON.stringify(spec)] });
    const result = differ(random, builder, spec);
    if (result === null) continue;
    specs.keep(builder.name, spec);
    compared += Object.values(result.compared).reduce((a, b) => a + b, 0);
    tell({ name: builder.name, ...result });
  }
}

/** After so many calls what was found to be accepted is forgotten. */
const COMPARED = 20_000;

/** A call that takes longer hangs, or nearly so. */
const SLOW = 5000;

async function objects({ world, callables, seed, calls, functions, log: path, folder }: ObjectsOrder): Promise<void> {
  const [{ ObjectWalk }, { worlds }, { onLog }] = await Promise.all([
    import("./objects.ts"),
    import("./worlds.ts"),
    import("@ggml/deno/utils"),
  ]);
  onLog(() => {});
  useFolder(folder);
  const random = new Random(seed), log = new Log(path), names = new Set(functions);
  const called = callables.functions.filter(({ name }) => names.has(name));
  for (let made = 0; made < calls;) {
    log.clear();
    const report = emptyReport();
    const complain = (complaint: string, steps: readonly Step[]) => report.complaints.push({ complaint, steps: sliceObjects(steps) });
    new ObjectWalk(worlds[world], callables, called, random, {
      before(step) {
        report.steps++;
        log.write(step);
      },
      called(name, steps, outcome, milliseconds) {
        report.calls++;
        const counts = "error" in outcome ? report.refused : report.passed;
        counts[name] = (counts[name] ?? 0) + 1;
        if (milliseconds > SLOW) complain(`${name} took ${(milliseconds / 1000).toFixed(0)} s`, steps);
      },
      complain,
    }).go();
    made += report.calls;
    tell(report);
    await new Promise((resolve) => setTimeout(resolve)); // finalizers run
  }
}

const order = JSON.parse(Deno.readTextFileSync(Deno.args[0])) as Order;
if (order.kind === "walk") await walk(order);
else if (order.kind === "compare") await compare(order);
else if (order.kind === "objects") await objects(order);
else await replay(order);
