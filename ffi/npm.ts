/**
 * The prebuilt libraries, which are npm packages `@node-llama-cpp/<platform>` of the pinned release: where Deno has one, and having it
 * downloaded.
 *
 * There is no permission for that, and none is needed: it is Deno that downloads what a program imports. Each specifier is a template that
 * no tool can read ahead, so only the package of the platform in use is ever downloaded.
 *
 * @module
 */

import { type Missing, packageFolder, type Place, platformPackage, RELEASE } from "./find.ts";

const { resolve } = import.meta;
const source = "npm";

/** The specifier of a platform's package. */
export function specifierOf(platform: string): string {
  return `npm:@node-llama-cpp/${platform}@${RELEASE.package}`;
}

/** The folder of the default package, downloaded if need be, or why there is none. Never throws: the first call does. */
export async function findPackage(): Promise<Place | Missing> {
  const platform = platformPackage(null);
  if (platform === null) return { source, reason: `there is no prebuilt library for ${Deno.build.os} on ${Deno.build.arch}` };
  return installed(platform) ?? afterImport(
    platform,
    // Importing the package is what downloads it. What it then runs wants to read a file, which is of no interest here.
    await import(`npm:@node-llama-cpp/${platform}@${RELEASE.package}`).then(() => "", (error: Error) => error.message),
  );
}

/** The folder of a package that may have to be downloaded, which this thread waits for, or why it isn't to be had. */
export function fetchPackage(platform: string): Place | Missing {
  return installed(platform) ?? afterImport(platform, importElsewhere(specifierOf(platform)));
}

/** The place of a package that Deno has; null if it hasn't, or doesn't know it yet. */
function installed(platform: string): Place | null {
  try {
    const url = resolve(specifierOf(platform));
    return isInstalled(url) ? { source, path: packageFolder(url, platform) } : null;
  } catch {
    return null; // the import says better what is wrong
  }
}

function afterImport(platform: string, reason: string): Place | Missing {
  return installed(platform) ?? { source, reason: `${specifierOf(platform)}: ${reason || "it has no such files"}` };
}

/**
 * True if the URL of a package comes from the package itself, whose `exports` name `dist/index.js`. Where only a lock file tells of the package,
 * Deno guesses. Opening a file would tell too, but a library once opened stays: another one that `load` names would get its parts.
 */
function isInstalled(url: string): boolean {
  return url.startsWith("file:") && url.endsWith("/dist/index.js");
}

/** What the worker runs. It must not fail without a word: nobody would wake the thread that waits. */
const WORKER = `onmessage = async ({ data: { specifier, shared } }) => {
  const words = new Int32Array(shared, 0, 2), bytes = new Uint8Array(shared, 8);
  const tell = (state) => {
    Atomics.store(words, 0, state);
    Atomics.notify(words, 0);
  };
  tell(1);
  const reason = await import(specifier).then(() => "", (error) => String(error?.message ?? error));
  const text = new TextEncoder().encode(reason).subarray(0, bytes.length);
  bytes.set(text);
  words[1] = text.length;
  tell(2);
  close();
};`;

const START_MS = 30_000;

/**
 * Imports a module on another thread while this one waits, since `load` is no promise: what one thread has downloaded, all have.
 *
 * @returns Why it failed; "" if it didn't.
 */
function importElsewhere(specifier: string): string {
  const shared = new SharedArrayBuffer(8192);
  const words = new Int32Array(shared, 0, 2);
  const worker = new Worker(`data:text/javascript,${encodeURIComponent(WORKER)}`, { type: "module" });
  worker.postMessage({ specifier, shared });
  if (Atomics.wait(words, 0, 0, START_MS) === "timed-out") return "no worker could be started to download it";
  Atomics.wait(words, 0, 1);
  return new TextDecoder().decode(new Uint8Array(shared, 8, words[1]).slice());
}
