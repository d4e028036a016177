/**
 * `deno task doctor`: says what was found, tried and chosen, whether it works, and what to do where it doesn't.
 *
 *     deno run --allow-ffi --allow-env --allow-read jsr:@ggml/deno/doctor [--json] [--path PATH | --gpu cuda|vulkan|metal]
 *
 * Its exit code is 0 if ggml can be used, 1 if not. It asks for no permission: what isn't granted it says. Each part is printed before the
 * next begins, so that a library which ends the process leaves what led there. Only what runs in any Deno is imported at once.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { format, type Section } from "./finding.ts";
import { environmentSection, mayCall, permissionSection, runtimeSection } from "./runtime.ts";

/** What to look at. */
interface Options {
  readonly path?: string;
  readonly gpu?: "cuda" | "vulkan" | "metal";
}

const USAGE = "usage: doctor [--json] [--path PATH | --gpu cuda|vulkan|metal]";

/** Looks at one thing after the other, and stops where the next would need what isn't there. */
async function* examine(options: Options): AsyncGenerator<Section> {
  const runtime = runtimeSection();
  yield runtime;
  yield permissionSection();
  yield environmentSection();
  if (isBad(runtime) || !mayCall()) return;
  const { loadLibrary, variantSection } = await import("./library.ts");
  const { section, info } = loadLibrary(options);
  yield section;
  if (info === null) return;
  yield variantSection(info);
  const { deviceSection, selfTestSection } = await import("./devices.ts");
  yield selfTestSection();
  yield deviceSection();
}

function isBad({ findings }: Section): boolean {
  return findings.some(({ status }) => status === "problem");
}

/** Examines and prints; returns the exit code. */
async function examineAndPrint(options: Options, json: boolean): Promise<number> {
  const sections: Section[] = [];
  for await (const section of examine(options)) {
    sections.push(section);
    if (!json) console.log(`${format(section)}\n`);
  }
  const usable = !sections.some(isBad);
  if (json) console.log(JSON.stringify({ usable, sections }, null, 2));
  else console.log(usable ? "ggml can be used." : "ggml can't be used: see what is marked BAD.");
  return usable ? 0 : 1;
}

/**
 * Runs the command line.
 *
 * @returns The exit code: 0 if ggml can be used or that was all to say, 1 if not, 2 for a wrong command line.
 */
async function main(args: string[]): Promise<number> {
  try {
    const options = {
      help: { type: "boolean", short: "h" },
      json: { type: "boolean" },
      path: { type: "string" },
      gpu: { type: "string" },
    } as const;
    const { values: { help = false, json = false, path, gpu } } = parseArgs({ args, options });
    if (help) {
      console.log(USAGE);
      return 0;
    }
    return await examineAndPrint({ path, gpu: gpu as Options["gpu"] }, json);
  } catch (error) {
    if (!(error instanceof TypeError) || !("code" in error)) throw error;
    console.error(`${error.message}\n${USAGE}`);
    return 2;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
