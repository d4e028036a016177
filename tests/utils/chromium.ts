/**
 * A browser, for what only a browser can tell of pictures.
 *
 * @module
 */

/** The name of Chromium's program; null where there is none. */
export function findChromium(): string | null {
  return ["chromium", "chromium-browser", "google-chrome"].find((name) => {
    try {
      return new Deno.Command(name, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync().success;
    } catch {
      return false;
    }
  }) ?? null;
}
