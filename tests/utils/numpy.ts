/**
 * The real numpy, for tests that compare with it.
 *
 * @module
 */

import { findPython } from "../python.ts";

/** A Python that has numpy; null where there is none, which it says. */
export const python = await findPython("numpy");
if (python === null) {
  console.warn(
    `${Deno.mainModule.replace(/.*\//, "")}: skipped what compares with numpy, for no Python has it: apt-get install python3-numpy`,
  );
}

/** Runs a Python script with `np` and `json`, and lines of JSON as its input; gives the values that it printed, a line of JSON each. */
export async function runNumpy(script: string, lines: readonly unknown[], ...args: string[]): Promise<unknown[]> {
  const process = new Deno.Command(python!, {
    args: ["-c", `import sys, json, base64\nimport numpy as np\n${script}`, ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = process.stdin.getWriter();
  const written = writer.write(new TextEncoder().encode(lines.map((line) => `${JSON.stringify(line)}\n`).join(""))).then(() =>
    writer.close()
  );
  const { success, stdout, stderr } = await process.output();
  if (!success) throw new Error(`numpy: ${new TextDecoder().decode(stderr)}`);
  await written;
  return new TextDecoder().decode(stdout).trimEnd().split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}
