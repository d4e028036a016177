/**
 * Notebooks executed by a real Jupyter client on the Deno kernel, which is installed in a folder of its own: nobody's Jupyter is changed.
 *
 * @module
 */

import { findPython } from "../../python.ts";
import type { Notebook } from "./notebook.ts";

const NEEDED = "apt-get install python3-nbclient, or pip install nbclient";

/** A Python that has a Jupyter client; null where there is none. */
export const python = await findPython("nbclient", "nbformat");

/** What to say where there is none. */
export const missing = `no Python has a Jupyter client: ${NEEDED}`;

/** Makes this Deno a kernel; gives the folder, to be removed after use, by which Jupyter finds it. */
export async function installKernel(): Promise<string> {
  const folder = await Deno.makeTempDir();
  // Where `deno jupyter --install` looks for the user's Jupyter on Linux; there is no option for it.
  const env = { XDG_DATA_HOME: folder };
  const { success, stderr } = await new Deno.Command(Deno.execPath(), { args: ["jupyter", "--install"], env, stdout: "null" }).output();
  if (!success) throw new Error(`deno jupyter --install: ${new TextDecoder().decode(stderr)}`);
  return folder;
}

/**
 * Executes every cell of a notebook.
 *
 * @param notebook The notebook; its outputs are not looked at.
 * @param folder The folder in which the kernel starts: that of the notebook.
 * @param kernel What {@linkcode installKernel} gave.
 * @returns The notebook with its new outputs.
 * @throws If a cell fails that isn't tagged `raises-exception`, or the kernel dies.
 */
export async function execute(notebook: Notebook, folder: URL, kernel: string): Promise<Notebook> {
  const process = new Deno.Command(python!, {
    args: [new URL("execute.py", import.meta.url).pathname, folder.pathname],
    env: { GGML_LIBRARY: "", NO_COLOR: "1", JUPYTER_PATH: `${kernel}/jupyter` },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const written = new Blob([JSON.stringify(notebook)]).stream().pipeTo(process.stdin);
  const { success, stdout, stderr } = await process.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  await written;
  return JSON.parse(new TextDecoder().decode(stdout));
}
