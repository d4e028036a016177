/**
 * Judges guards: makes calls that a guard refused once more, without guards. Those that C accepts were refused without need.
 *
 * A guard may well refuse what C accepts, where C reads what isn't there; whether one does is for a person to say.
 *
 * @module
 */

import { conditionOf, type Found, type Workshop } from "./children.ts";
import { replay } from "./report.ts";
import { print, type Step } from "./steps.ts";

/** A call that C would not survive. */
const FATAL: readonly Step[] = [
  { init: { memSize: 8192, noAlloc: false } },
  { call: "ggml_new_tensor_1d", args: [{ ref: 0 }, { name: "GGML_TYPE_F32" }, 3] },
  { call: "ggml_new_tensor_1d", args: [{ ref: 0 }, { name: "GGML_TYPE_F32" }, 4] },
  { call: "ggml_mul_mat", args: [{ ref: 0 }, { ref: 1 }, { ref: 2 }] },
];

/** What C says of refused calls, in words. */
export async function judge(workshop: Workshop, refusals: Found["refusals"]): Promise<string> {
  const why = await whyNot(workshop);
  if (why !== null) return `SKIPPED judging the guards: ${why}`;
  const accepted = new Map<string, { count: number; message: string; steps: readonly Step[] }>();
  let died = 0;
  await replay(workshop, refusals.map(({ steps }) => steps), false, (i, ended) => {
    if (ended === "died") died++;
    if (ended !== "passed") return;
    const { message, steps } = refusals[i];
    const known = accepted.get(conditionOf(message));
    if (known === undefined) accepted.set(conditionOf(message), { count: 1, message, steps });
    else known.count++;
  });
  const lines = [...accepted.values()].map(({ count, message, steps }) =>
    `C accepts what a guard refused (${count} such): ${message}\n${print(steps).replace(/^/gm, "  ")}\n`
  );
  lines.push(`${refusals.length} refused calls judged: C dies of ${died}, ${accepted.size} conditions refuse what it accepts`);
  return lines.join("\n");
}

/** Why guards can't be judged; null if they can: with them a fatal call throws, without them it kills. */
async function whyNot(workshop: Workshop): Promise<string | null> {
  let withGuards = "", without = "";
  await replay(workshop, [FATAL], true, (_, ended) => withGuards = typeof ended === "string" ? ended : "threw");
  await replay(workshop, [FATAL], false, (_, ended) => without = typeof ended === "string" ? ended : "threw");
  if (withGuards !== "threw") return "there are no guards";
  return without === "died" ? null : "load({ guards: false }) doesn't turn them off";
}
