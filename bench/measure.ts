/**
 * Figures and how they are measured: every contender is a program, and they take turns, so that whatever else the machine does meets all alike.
 *
 * @module
 */

import { median, type Report } from "./rounds.ts";

/** A program whose time is compared with others'. */
export interface Contender {
  /** "ours", "Deno.dlopen", "C", "cffi", "ctypes", or another that the figure has. */
  readonly name: string;
  /** The program and its arguments; null where something that it needs isn't there. */
  readonly command: readonly string[] | null;
  /** How to get what it needs, where it isn't there. */
  readonly missing?: string;
}

/**
 * What is to be reached: an amount in the figure's unit, or a multiple of what another contender takes (`of`), or an amount more than another
 * takes (`beyond`).
 */
export interface Target {
  readonly limit: number;
  readonly of?: string;
  readonly beyond?: string;
}

/** What a figure is. */
export interface Facts {
  /** What the command line's filter is compared with. */
  readonly id: string;
  readonly title: string;
  readonly unit: "ns" | "ms";
  /** "process": the whole process is timed. "inside": the program times itself and prints a {@linkcode Report}. */
  readonly how: "process" | "inside";
  /** How often each contender runs. */
  readonly runs: number;
  /** Null where there is nothing but the comparison. */
  readonly target: Target | null;
}

/** Something to measure. */
export interface Figure extends Facts {
  /** Ours is the first. They are made ready when it is their figure's turn. */
  readonly contenders: () => Promise<readonly Contender[]>;
  /** For processes: what their output must contain. Without it the output is thrown away. */
  readonly expected?: readonly string[];
}

/** What a contender's runs gave, in the figure's unit. */
export interface Result {
  readonly name: string;
  /** In the order of the runs; empty for one that didn't run. */
  readonly samples: readonly number[];
  readonly median: number | null;
  readonly min: number | null;
  readonly max: number | null;
  /** Its time as a multiple of ours: the median of the runs' own multiples. */
  readonly timesOurs: number | null;
  /** What came out of its work, where it says. */
  readonly answer: string | null;
  /** Why it didn't run. */
  readonly problem: string | null;
}

/** A figure that was measured. */
export interface Measured extends Facts {
  /** Ours is the first. */
  readonly results: readonly Result[];
  /** Ours, as the target counts it: in the unit, or as a multiple of another's; null where that can't be told. */
  readonly value: number | null;
  /** How much of the target that is: 1 just reaches it. */
  readonly ofTarget: number | null;
  /** Processes that wanted a core in the last minute, ours among them. Beyond the number of cores they took time from each other. */
  readonly load: number;
}

/** What runs give until they are all done. */
interface Running {
  readonly contender: Contender;
  readonly samples: number[];
  answer: string | null;
  problem: string | null;
}

const UNITS = { ns: 1, ms: 1e6 };
/** Text without colours, and Python keeps the modules that it compiled, as it does by default. */
const ENVIRONMENT = { NO_COLOR: "1", PYTHONDONTWRITEBYTECODE: "" };
const decoder = new TextDecoder();

/** Measures a figure. Never throws because of a contender: what failed says so in its result. */
export async function measureFigure(figure: Figure, cwd: string): Promise<Measured> {
  const running = (await figure.contenders()).map((contender): Running => ({
    contender,
    samples: [],
    answer: null,
    problem: contender.command === null ? `missing: ${contender.missing}` : null,
  }));
  for (let run = -1; run < figure.runs; run++) { // the first warms caches and doesn't count
    for (const one of running) {
      if (one.problem !== null) continue;
      const sample = await runOnce(figure, one, cwd);
      if (run >= 0 && sample !== null) one.samples.push(sample);
    }
  }
  compareAnswers(running);
  const ours = running[0].problem === null ? running[0].samples : [];
  const results = running.map((one) => summarize(one, ours));
  const { id, title, unit, how, runs, target } = figure;
  return { id, title, unit, how, runs, target, ...judge(target, running), load: Deno.loadavg()[0], results };
}

/** One run in the figure's unit; null, and a problem noted, if it failed. */
async function runOnce(figure: Figure, one: Running, cwd: string): Promise<number | null> {
  const [program, ...args] = one.contender.command!;
  try {
    const dropped = figure.how === "process" && figure.expected === undefined;
    const command = new Deno.Command(program, { args, cwd, stdin: "null", stdout: dropped ? "null" : "piped", env: ENVIRONMENT });
    const start = performance.now();
    const ended = await command.output();
    const wall = (performance.now() - start) * 1e6;
    if (!ended.success) throw new Error(`exit status ${ended.code}: ${decoder.decode(ended.stderr).trim().split("\n").at(-1)}`);
    const text = dropped ? "" : decoder.decode(ended.stdout);
    if (figure.how === "process") {
      for (const part of figure.expected ?? []) if (!text.includes(part)) throw new Error(`its output has no ${part}`);
      return wall / UNITS[figure.unit];
    }
    const { ns, answer } = JSON.parse(text) as Report;
    one.answer = answer;
    return ns / UNITS[figure.unit];
  } catch (error) {
    one.problem = `failed: ${(error as Error).message}`;
    return null;
  }
}

/** Who got something else than the first did measured something else. */
function compareAnswers(running: readonly Running[]): void {
  const expected = running.find(({ answer }) => answer !== null)?.answer;
  for (const one of running) {
    if (one.answer !== null && one.answer !== expected) one.problem = `failed: expected ${expected}, got ${one.answer}`;
  }
}

function summarize({ contender: { name }, samples, answer, problem }: Running, ours: readonly number[]): Result {
  if (problem !== null || samples.length === 0) {
    return { name, samples: [], median: null, min: null, max: null, timesOurs: null, answer, problem };
  }
  const timesOurs = ours.length === 0 ? null : ratio(samples, ours);
  return { name, samples, median: median(samples), min: Math.min(...samples), max: Math.max(...samples), timesOurs, answer, problem };
}

/** Compares ours, the first, with the target. */
function judge(target: Target | null, running: readonly Running[]): Pick<Measured, "value" | "ofTarget"> {
  const untold = { value: null, ofTarget: null };
  const ours = running[0];
  if (target === null || ours.problem !== null) return untold;
  const { limit, of, beyond } = target;
  const name = of ?? beyond;
  const other = name === undefined ? ours : running.find(({ contender }) => contender.name === name)!;
  if (other.problem !== null) return untold;
  const value = of !== undefined
    ? ratio(ours.samples, other.samples)
    : beyond !== undefined
    ? median(ours.samples.map((sample, i) => sample - other.samples[i]))
    : median(ours.samples);
  return { value, ofTarget: value / limit };
}

/** How many times as long one takes as the other: each run beside the run that it took turns with. */
function ratio(a: readonly number[], b: readonly number[]): number {
  return median(a.map((sample, i) => sample / b[i]));
}
