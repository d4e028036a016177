/**
 * The README's picture of a notebook: some of its cells, converted by nbconvert and photographed by Chromium.
 *
 * `deno run --allow-all tests/docs/notebooks/screenshot.ts` writes it anew.
 *
 * @module
 */

import { findChromium } from "../../../docs/build/chromium.ts";
import { findPython } from "../../python.ts";
import { readNotebook } from "./notebook.ts";

/** Where the picture is. */
export const PICTURE = new URL("../../../docs/images/notebook.png", import.meta.url);

const NOTEBOOK = "graph.ipynb", CELLS = ["network", "compute", "wrong"], SIZE = "1120,1736";

/** The programs that it takes. */
export const chromium = findChromium();
export const python = await findPython("nbconvert");

/** Photographs the cells as they are committed. */
export async function screenshot(path: string): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const { cells, ...notebook } = await readNotebook(NOTEBOOK);
    const chosen = cells.filter(({ id }) => CELLS.includes(id as string));
    await Deno.writeTextFile(`${folder}/page.ipynb`, JSON.stringify({ ...notebook, cells: chosen }));
    await run(python!, ["-m", "nbconvert", "--to", "html", `${folder}/page.ipynb`]);
    await run(chromium!, [
      ...["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", `--user-data-dir=${folder}/profile`],
      ...[`--window-size=${SIZE}`, `--screenshot=${path}`, `file://${folder}/page.html`],
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function run(program: string, args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args, stdout: "null", stderr: "piped" }).output();
  if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
}

if (import.meta.main) {
  if (python === null || chromium === null) throw new Error("it takes Chromium and nbconvert: apt-get install chromium python3-nbconvert");
  await screenshot(PICTURE.pathname);
}
