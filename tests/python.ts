/**
 * A Python to compare with, or to be a client of notebooks.
 *
 * @module
 */

/** Debian's own interpreter last: what is first on the path may be another one, without Debian's packages. */
const NAMES = ["python3", "python", "/usr/bin/python3"];

/** The first Python that has the modules; null where there is none. */
export async function findPython(...modules: readonly string[]): Promise<string | null> {
  for (const name of NAMES) {
    if (await runs(name, "-c", `import ${modules.join(", ")}`)) return name;
  }
  return null;
}

async function runs(program: string, ...args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args, stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false; // there is no such program
  }
}
