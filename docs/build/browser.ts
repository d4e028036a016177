/**
 * Chromium without a window, to look at the reference as a reader does.
 *
 * @module
 */

import puppeteer, { type Browser } from "puppeteer-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** The path of the Chromium that is installed here; null where there is none. */
export function chromium(): string | null {
  const folders = (Deno.env.get("PATH") ?? "").split(Deno.build.os === "windows" ? ";" : ":");
  const paths = NAMES.flatMap((name) => folders.map((folder) => `${folder}/${name}`));
  return paths.find(isFile) ?? null;
}

/**
 * Starts Chromium. Close it at the end.
 *
 * @throws {Error} If there is none.
 */
export async function launch(): Promise<Browser> {
  const executablePath = chromium();
  if (executablePath === null) throw new Error(`no Chromium: none of ${NAMES.join(", ")} is in PATH`);
  try {
    return await puppeteer.launch({ executablePath });
  } catch {
    // Its sandbox doesn't work for root, nor in most containers. These pages are our own.
    return await puppeteer.launch({ executablePath, args: ["--no-sandbox"] });
  }
}

/** True if there is such a file. */
export function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
