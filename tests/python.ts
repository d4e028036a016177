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
    const args = ["-c", `import ${modules.join(", ")}`];
    const found = await new Deno.Command(name, { args, stdout: "null", stderr: "null" }).output().catch(() => null);
    if (found?.success) return name;
  }
  return null;
}
