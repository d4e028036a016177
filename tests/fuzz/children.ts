/**
 * Keeps child processes at work, and says of what they died.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";
import type { Callables, Catalogue } from "./catalogue.ts";
import type { CompareReport, ObjectsOrder, Order, WalkReport } from "./child.ts";
import type { Difference } from "./differ.ts";
import type { Step } from "./steps.ts";

/** A child that says nothing for so long, in milliseconds, hangs. */
const PATIENCE = 20_000;

const CHILD = fromFileUrl(new URL("child.ts", import.meta.url));
const CONFIG = fromFileUrl(new URL("../../deno.json", import.meta.url));

/** A death: the steps that led to it, the last of which killed. */
export interface Death {
  readonly steps: readonly Step[];
  /** What C said, as `file.c:12: GGML_ASSERT(…) failed`, or the signal. */
  readonly message: string;
  /** What AddressSanitizer reports; nothing where it was something else. */
  readonly report: string;
}

/** A folder for what parent and children tell each other, and the environment that children run in. */
export class Workshop {
  readonly environment: Readonly<Record<string, string>>;
  readonly root: string = Deno.makeTempDirSync({ prefix: "ggml-fuzz-" });
  #count = 0;

  constructor(environment: Readonly<Record<string, string>> = {}) {
    this.environment = environment;
  }

  /** A path that nothing has yet. */
  path(name: string): string {
    return `${this.root}/${this.#count++}-${name}`;
  }

  /** A new folder in it. */
  folder(): string {
    const path = this.path("files");
    Deno.mkdirSync(path);
    return path;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.root, { recursive: true });
  }
}

/**
 * Runs one child until it ends.
 *
 * @param line Called with each line that it tells.
 * @returns Its death; null if it came to its end.
 */
export async function child(workshop: Workshop, order: Order, line: (report: unknown) => void): Promise<Death | null> {
  const file = workshop.path("order.json");
  Deno.writeTextFileSync(file, JSON.stringify(order));
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--no-check", "-A", `--config=${CONFIG}`, CHILD, file],
    cwd: workshop.root, // random file names, such as a graph's dump, lead there
    env: { NO_COLOR: "1", GGML_NO_BACKTRACE: "1", ...workshop.environment },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let hangs = false;
  const kill = () => {
    hangs = true;
    process.kill("SIGKILL");
  };
  let watch = setTimeout(kill, PATIENCE);
  const stderr = tail(process.stderr);
  for await (const text of lines(process.stdout)) {
    clearTimeout(watch);
    watch = setTimeout(kill, PATIENCE);
    line(JSON.parse(text));
  }
  const status = await process.status;
  clearTimeout(watch);
  Deno.removeSync(file);
  if (status.success) return null;
  const message = hangs ? `no answer for ${PATIENCE / 1000} s` : cause(await stderr, status);
  return { steps: readLog(order.log), message, report: sanitizerReport(await stderr) };
}

async function* lines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
}

/** The end of what a process writes to stderr: a million warnings are no reason to keep them. */
async function tail(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let text = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) text = (text + part).slice(-8000);
  return text;
}

/** What C said before it died, without the folders of the machine that it was built on. */
function cause(stderr: string, { signal, code }: Deno.CommandStatus): string {
  const said = stderr.split("\n").findLast((text) =>
    /^error: |\.(c|cpp|h|hpp|inc):\d+: |AddressSanitizer|Check failed|fatal error/i.test(text)
  );
  const how = signal ?? `exit code ${code}`;
  if (said !== undefined) return said.replace(/^.*?([\w-]+\.(?:c|cpp|h|hpp|inc):\d+: )/, "$1").replace(/\/\S*\/ggml\/src\//, "").trim();
  const last = signal === null ? stderr.trim().split("\n").findLast((text) => text !== "") : undefined;
  return last === undefined ? how : `${how}: ${last}`;
}

/** Where memory was read or written, and where it was allocated. */
function sanitizerReport(stderr: string): string {
  const [, text = ""] = /^==\d+==ERROR: (AddressSanitizer: [^]*?)\n(?:SUMMARY|Shadow bytes)/m.exec(stderr) ?? [];
  return text.replace(/\/\S*\/ggml\/src\//g, "").trim();
}

/** The steps in a log; the last one is cut off where the process died while it wrote. There is no log where it didn't come to begin one. */
function readLog(path: string): Step[] {
  let log = "";
  try {
    log = Deno.readTextFileSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return log.split("\n").flatMap((text) => {
    try {
      return [JSON.parse(text) as Step];
    } catch {
      return [];
    }
  });
}

/** What a fuzz shall do. */
export interface Plan {
  readonly catalogue: Catalogue;
  readonly calls: number;
  readonly seed: number;
  readonly functions: readonly string[];
  readonly compute: boolean;
  /** Processes at once. */
  readonly workers: number;
  /** A function that killed so many processes is not called any more. */
  readonly patience: number;
  /** Called now and then. */
  readonly progress?: (found: Found) => void;
}

/** What a fuzz found. */
export interface Found {
  calls: number;
  steps: number;
  readonly deaths: Death[];
  readonly passed: Map<string, number>;
  readonly refused: Map<string, number>;
  /** Kinds of computations that passed. */
  readonly computed: Set<string>;
  /** How many graphs were computed, and how many were Errors. */
  readonly graphs: { computed: number; refused: number };
  /** How many processes each kind of computation killed. */
  readonly deadly: Map<string, number>;
  readonly complaints: WalkReport["complaints"];
  /** Functions that were given up on. */
  readonly givenUp: Set<string>;
}

/** Walks until the calls are made, with a new process for each that dies. */
export async function fuzz(workshop: Workshop, plan: Plan): Promise<Found> {
  const found = nothing(), share = Math.ceil(plan.calls / plan.workers);
  await Promise.all(Array.from({ length: plan.workers }, (_, i) => work(workshop, plan, found, share, plan.seed + i * 1_000_003)));
  return found;
}

function nothing(): Found {
  return {
    calls: 0,
    steps: 0,
    deaths: [],
    passed: new Map(),
    refused: new Map(),
    computed: new Set(),
    graphs: { computed: 0, refused: 0 },
    deadly: new Map(),
    complaints: [],
    givenUp: new Set(),
  };
}

/** What a fuzz over objects shall do. */
export interface ObjectsPlan {
  readonly world: ObjectsOrder["world"];
  readonly callables: Callables;
  readonly calls: number;
  readonly seed: number;
  readonly functions: readonly string[];
  /** Processes at once. */
  readonly workers: number;
}

/** Walks over objects until the calls are made, with a new process for each that dies. */
export async function fuzzObjects(workshop: Workshop, plan: ObjectsPlan): Promise<Found> {
  const found = nothing(), share = Math.ceil(plan.calls / plan.workers);
  const { world, callables, functions } = plan;
  await Promise.all(Array.from({ length: plan.workers }, async (_, i) => {
    const log = workshop.path("log"), folder = workshop.folder();
    for (let made = 0, seed = plan.seed + i * 1_000_003; made < share && found.deaths.length < MOST_DEATHS; seed++) {
      const order: Order = { kind: "objects", world, callables, seed, calls: share - made, functions, log, folder };
      const death = await child(workshop, order, (line) => {
        made += (line as WalkReport).calls;
        add(found, line as WalkReport);
      });
      if (death !== null) made += addDeath(found, death);
    }
  }));
  return found;
}

/** What comparing found. */
export interface Compared {
  compared: number;
  /** How many computations of each variant were compared. */
  readonly variants: Map<string, number>;
  /** The functions whose results were computed at least once. */
  readonly functions: Set<string>;
  readonly differences: Difference[];
  readonly deaths: Death[];
}

/** Compares computations, with a new process for each that dies. */
export async function compareAll(
  workshop: Workshop,
  catalogue: Catalogue,
  functions: readonly string[],
  count: number,
  seed: number,
): Promise<Compared> {
  const found: Compared = { compared: 0, variants: new Map(), functions: new Set(), differences: [], deaths: [] };
  const workers = navigator.hardwareConcurrency, share = Math.ceil(count / workers);
  await Promise.all(Array.from({ length: workers }, async (_, i) => {
    const log = workshop.path("log");
    for (let made = 0, next = seed + i * 1_000_003; made < share; next++) {
      const order: Order = { kind: "compare", catalogue, seed: next, count: share - made, functions, log };
      const death = await child(workshop, order, (line) => {
        const { name, compared, found: differences } = line as CompareReport;
        for (const [variant, count] of Object.entries(compared)) {
          made += count;
          found.compared += count;
          found.variants.set(variant, (found.variants.get(variant) ?? 0) + count);
        }
        found.functions.add(name);
        found.differences.push(...differences.slice(0, 10_000 - found.differences.length));
      });
      if (death !== null) found.deaths.push(death);
      if (found.deaths.length > MOST_DEATHS) return;
    }
  }));
  return found;
}

/** After so many deaths there is no use in going on. */
const MOST_DEATHS = 100;

/** One worker's share. */
async function work(workshop: Workshop, plan: Plan, found: Found, share: number, seed: number): Promise<void> {
  const log = workshop.path("log"), memory = workshop.path("memory");
  const { catalogue, compute } = plan;
  for (let made = 0; made < share; seed++) {
    const functions = plan.functions.filter((name) => !found.givenUp.has(name));
    if (functions.length === 0) return;
    const deadly = [...found.deadly].filter(([, count]) => count >= DEADLY).map(([kind]) => kind);
    const order: Order = { kind: "walk", catalogue, seed, calls: share - made, functions, compute, deadly, log, memory };
    const death = await child(workshop, order, (line) => {
      made += (line as WalkReport).calls;
      add(found, line as WalkReport);
    });
    if (death !== null) {
      if (death.steps.length === 0) throw new Error(`a process died before it called anything: ${death.message}`);
      made += addDeath(found, death);
      const last = death.steps.at(-1);
      if (last !== undefined && "compute" in last) found.deadly.set(last.kind, (found.deadly.get(last.kind) ?? 0) + 1);
      const name = culprit(death);
      if (found.deaths.filter((other) => culprit(other) === name).length >= plan.patience) found.givenUp.add(name);
    }
    plan.progress?.(found);
  }
  countRemembered(found, memory);
}

/** Notes a death. Gives the calls of the walk that didn't come to its end. */
function addDeath(found: Found, death: Death): number {
  const calls = death.steps.filter((step) => "call" in step && step.aim).length;
  found.calls += calls;
  found.steps += death.steps.length;
  found.deaths.push(death);
  return calls;
}

/** Walks that didn't end told nothing of the calls that passed before: what is remembered says which functions did. */
function countRemembered({ passed }: Found, memory: string): void {
  const counts = new Map<string, number>();
  for (const line of Deno.readTextFileSync(memory).split("\n")) {
    if (line === "") continue;
    const [name] = JSON.parse(line);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  for (const [name, count] of counts) if (!passed.has(name)) passed.set(name, count);
}

/** The function whose call, or whose result's computation, killed the process. */
export function culprit({ steps }: Death): string {
  let last = steps[steps.length - 1];
  if (last === undefined) return "(start)";
  if ("compute" in last) last = steps[last.compute];
  return "call" in last ? last.call : Object.keys(last)[0];
}

function add(found: Found, report: WalkReport): void {
  found.calls += report.calls;
  found.steps += report.steps;
  for (const [name, count] of Object.entries(report.passed)) found.passed.set(name, (found.passed.get(name) ?? 0) + count);
  for (const [name, count] of Object.entries(report.refused)) found.refused.set(name, (found.refused.get(name) ?? 0) + count);
  report.computed.forEach((kind) => found.computed.add(kind));
  found.graphs.computed += report.graphs.computed;
  found.graphs.refused += report.graphs.refused;
  found.complaints.push(...report.complaints.slice(0, 1000 - found.complaints.length));
}

/** A kind of computation that killed so many processes is not done any more. */
const DEADLY = 2;
/** The function and the condition of a message: what stands before the tensors. */
export function conditionOf(message: string): string {
  return /^(.*?assertion failed: .*?)(: \w+ is |$)/.exec(message)?.[1] ?? message;
}
