/**
 * Chromium without a window, to look at the reference as a reader does.
 *
 * @module
 */

import puppeteer, { type Browser } from "puppeteer-core";
import { findChromium, NAMES } from "./chromium.ts";

/**
 * Starts Chromium. Close it at the end.
 *
 * @throws {Error} If there is none.
 */
export async function launch(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === null) throw new Error(`no Chromium: none of ${NAMES.join(", ")} is in PATH`);
  try {
    return await puppeteer.launch({ executablePath });
  } catch {
    // Its sandbox doesn't work for root, nor in most containers. These pages are our own.
    return await puppeteer.launch({ executablePath, args: ["--no-sandbox"] });
  }
}
