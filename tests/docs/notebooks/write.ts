/**
 * Executes the notebooks anew and writes their outputs: `deno task notebooks [NAME…]`.
 *
 * @module
 */

import { execute, installKernel, missing, python } from "./jupyter.ts";
import { FOLDER, notebookNames, readNotebook, tidy, writeNotebook } from "./notebook.ts";

if (python === null) throw new Error(missing);
const kernel = await installKernel();
try {
  for (const name of Deno.args.length > 0 ? Deno.args : await notebookNames()) {
    await writeNotebook(name, tidy(await execute(await readNotebook(name), FOLDER, kernel)));
    console.log(name);
  }
} finally {
  await Deno.remove(kernel, { recursive: true });
}
