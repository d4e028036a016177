/**
 * The picture of the reference that README.md shows.
 *
 * @module
 */

import { join, toFileUrl } from "@std/path";
import { launch } from "./browser.ts";

/** Takes a picture of the page of `ggml_init`, which shows nothing that is the header author's own text. */
export async function screenshot(out: string, file: string): Promise<void> {
  const browser = await launch();
  try {
    const page = await browser.newPage();
    await page.setViewport({ width: 1200, height: 860 });
    await page.goto(toFileUrl(join(out, "functions/_ggml_deno.lib.ggml_init.html")).href);
    await page.waitForSelector(".site-menu .current");
    await Deno.writeFile(file, await page.screenshot());
  } finally {
    await browser.close();
  }
}
