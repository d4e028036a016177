/**
 * The real numpy, for tests that compare with it.
 *
 * @module
 */

/** Debian's own interpreter last: what is first on the path may be another one, without Debian's packages. */
const NAMES = ["python3", "python", "/usr/bin/python3"];

async function findPython(): Promise<string | null> {
  for (const name of NAMES) {
    const found = await new Deno.Command(name, { args: ["-c", "import numpy"], stdout: "null", stderr: "null" }).output().catch(() => null);
    if (found?.success) return name;
  }
  return null;
}

/** A Python that has numpy; null where there is none, which it says. */
export const python = await findPython();
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
