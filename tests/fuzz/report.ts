/**
 * What a fuzz found, in words.
 *
 * @module
 */

import { child, conditionOf, culprit, type Death, type Found, type Workshop } from "./children.ts";
import { print, slice, sliceObjects, type Step } from "./steps.ts";

/** Deaths of one function with one message. */
export interface Deaths {
  readonly name: string;
  readonly message: string;
  count: number;
  /** The shortest program that ends so. */
  steps: readonly Step[];
  /** Whether that program alone, run again, died too. */
  confirmed: boolean;
  /** What AddressSanitizer reported. */
  readonly report: string;
}

/** Deaths by function and message, the most frequent first, each with the shortest program that leads there. */
export function group(
  deaths: readonly Death[],
  programOf: (steps: readonly Step[]) => readonly Step[] = (steps) => slice(steps, smallContexts(steps)),
): Deaths[] {
  const groups = new Map<string, Deaths>();
  for (const death of deaths) {
    const name = culprit(death);
    const steps = programOf(death.steps);
    const key = `${name} ${death.message}`;
    const known = groups.get(key);
    if (known === undefined) {
      groups.set(key, { name, message: death.message, count: 1, steps, confirmed: false, report: death.report });
      continue;
    }
    known.count++;
    if (steps.length < known.steps.length) known.steps = steps;
  }
  return [...groups.values()].sort((a, b) => b.count - a.count);
}

/** Contexts so small that they may have been full. */
function smallContexts(steps: readonly Step[]): ReadonlySet<number> {
  return new Set(steps.flatMap((step, i) => "init" in step && step.init.memSize < 8192 ? [i] : []));
}

/** Groups the deaths, and runs each one's program again, alone. */
export async function confirm(workshop: Workshop, deaths: readonly Death[]): Promise<Deaths[]> {
  const groups = group(deaths);
  await replay(workshop, groups.map(({ steps }) => steps), (i, ended) => {
    groups[i].confirmed = ended === "died";
  });
  return groups;
}

/** Groups the deaths of walks over objects, and leaves out of each one's program what it dies without. */
export async function reduce(workshop: Workshop, deaths: readonly Death[]): Promise<Deaths[]> {
  const groups = group(deaths, sliceObjects);
  for (const one of groups) {
    const dies = async (steps: readonly Step[]) => {
      let died = false;
      await replay(workshop, [steps], (_, how) => died = how === "died");
      return died;
    };
    one.confirmed = await dies(one.steps);
    if (one.confirmed) one.steps = sliceObjects(await withoutNeedless(one.steps, dies));
  }
  return groups;
}

/** Tries to skip steps, many at once and then fewer. The last is what kills. */
async function withoutNeedless(steps: readonly Step[], dies: (steps: readonly Step[]) => Promise<boolean>): Promise<readonly Step[]> {
  let rest = steps;
  for (let size = steps.length >> 1; size >= 1; size >>= 1) {
    for (let i = 0; i < steps.length - 1; i += size) {
      const skips = (_: Step, at: number) => at >= i && at < i + size && at < steps.length - 1;
      if (rest.every((step, at) => !skips(step, at) || "skip" in step)) continue;
      const fewer = rest.map((step, at): Step => skips(step, at) ? { skip: true } : step);
      if (await dies(fewer)) rest = fewer;
    }
  }
  return rest;
}

/** How a program ended: with a result, an exception's message, or the process. */
export type Ended = "died" | "passed" | { readonly message: string };

/** Runs programs in child processes. */
export async function replay(
  workshop: Workshop,
  programs: readonly (readonly Step[])[],
  ended: (program: number, how: Ended) => void,
): Promise<void> {
  const log = workshop.path("log"), folder = workshop.folder();
  for (let from = 0; from < programs.length; from++) {
    const death = await child(workshop, { kind: "replay", programs, from, log, folder }, (line) => {
      const { program, message } = line as { program: number; message: string | null };
      ended(program, message === null ? "passed" : { message });
      from = program + 1;
    });
    if (death === null) return;
    ended(from, "died");
  }
}

/** The deaths, each with a program. */
export function reportDeaths(deaths: readonly Deaths[]): string {
  return deaths.map(({ name, message, count, steps, confirmed, report }) =>
    `${name}: ${count} ${count === 1 ? "process" : "processes"} died: ${message}${confirmed ? "" : " (not when run again alone)"}\n` +
    `${print(steps)}\n${report}`.trimEnd().replace(/^/gm, "  ") + "\n"
  ).join("\n");
}

/** The rest: how many calls passed, which messages are wrong, which functions never succeeded. */
export function reportRest(found: Found, names: readonly string[], seconds: number): { text: string; bad: boolean } {
  const total = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((a, b) => a + b, 0);
  const never = names.filter((name) => !found.passed.has(name) && !NEVER.has(name));
  const lines = complaintLines(found);
  lines.push(
    `${found.calls} calls of ${names.length} functions in ${seconds.toFixed(1)} s (and ${
      found.steps - found.calls
    } to make their arguments): ` +
      `${total(found.passed)} passed, ${total(found.refused)} threw, ${found.deaths.length} killed the process`,
  );
  const dead = new Map<string, number>();
  for (const death of found.deaths) dead.set(culprit(death), (dead.get(culprit(death)) ?? 0) + 1);
  if (dead.size > 0) lines.push(`died of: ${[...dead].sort((a, b) => b[1] - a[1]).map(([name, count]) => `${name} ${count}`).join(", ")}`);
  if (found.givenUp.size > 0) lines.push(`given up on after too many deaths: ${[...found.givenUp].join(", ")}`);
  if (never.length > 0) lines.push(`never succeeded: ${never.join(", ")}`);
  return { text: lines.join("\n"), bad: found.complaints.length > 0 || never.length > 0 };
}

/** Functions that no arguments satisfy, with the reason. */
const NEVER: ReadonlyMap<string, string> = new Map([
  ["ggml_flash_attn_back", "its first statement is GGML_ABORT: not adapted to ggml_flash_attn_ext"],
]);

/** Wrong messages, one of each kind. */
function complaintLines({ complaints }: Found): string[] {
  const kinds = new Map<string, { count: number; complaint: string; steps: readonly Step[] }>();
  for (const { complaint, steps } of complaints) {
    const key = conditionOf(complaint.replace(/-?\d+/g, "0"));
    const known = kinds.get(key);
    if (known === undefined) kinds.set(key, { count: 1, complaint, steps });
    else known.count++;
  }
  return [...kinds.values()].map(({ count, complaint, steps }) =>
    `${count} messages: ${complaint}\n${print(steps).replace(/^/gm, "  ")}\n`
  );
}
