/**
 * Where Chromium is, for pictures and for what only a browser can tell of them.
 *
 * @module
 */

/** Chromium's programs by the names that they have. */
export const NAMES: readonly string[] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** The path of the Chromium that is installed here; null where there is none. */
export function findChromium(): string | null {
  const folders = (Deno.env.get("PATH") ?? "").split(Deno.build.os === "windows" ? ";" : ":");
  const paths = NAMES.flatMap((name) => folders.map((folder) => `${folder}/${name}`));
  return paths.find(isFile) ?? null;
}

/** True if there is such a file. */
export function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
