/**
 * Executes the notebooks anew and writes their outputs: `deno task notebooks [NAME…]`.
 *
 * @module
 */

import { expectKnown, readCommandLine } from "../../command_line.ts";
import { execute, installKernel, missing, python } from "./jupyter.ts";
import { FOLDER, notebookNames, readNotebook, tidy, writeNotebook } from "./notebook.ts";

const USAGE = "notebooks [NAME…]";

const all = await notebookNames(), { names } = readCommandLine(USAGE, []);
expectKnown(USAGE, names, all);
if (python === null) throw new Error(missing);
const kernel = await installKernel();
try {
  for (const name of names.length > 0 ? names : all) {
    await writeNotebook(name, tidy(await execute(await readNotebook(name), FOLDER, kernel)));
    console.log(name);
  }
} finally {
  await Deno.remove(kernel, { recursive: true });
}
