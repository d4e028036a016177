/**
 * What changed between ggml's releases, so that one set of bindings can be used with a range of libraries.
 *
 * C has no names for a function's parameters or a struct's fields at run time: that a library lacks a function can be seen, that it takes other
 * arguments can't. So that is written down (`releases.ts`, which `deno task pin` writes from the headers of each release) and looked up by the
 * version that the library says of itself. What is newer than the newest release there is believed to be as that one.
 *
 * @module
 */

import { CHANGED, RELEASES } from "./releases.ts";

/** A change between two releases that were looked at: the last that is as before, the first that is as after, and what changed. */
export type Change = readonly [before: string, after: string, what: string, grew?: true];

/** The oldest release that the bindings work with. */
export const OLDEST: string = RELEASES[0].ggml;

/** What the files of llama.cpp's releases have in their names, newest first. */
export const MARKS: readonly string[] = RELEASES.map(({ llama }) => llama).reverse();

/** A version as numbers; null for what is none. */
function parse(version: string | null): readonly number[] | null {
  const parts = /^(\d+)\.(\d+)\.(\d+)/.exec(version ?? "");
  return parts === null ? null : parts.slice(1).map(Number);
}

/** Whether a version is before (negative), the same (0) or after another. */
function compareVersions(a: string, b: string): number {
  const [first, second] = [parse(a) ?? [], parse(b) ?? []];
  const i = first.findIndex((part, i) => part !== second[i]);
  return i < 0 ? 0 : first[i] - (second[i] ?? 0);
}

/** True for a library older than anything that is known; also for one that doesn't say what it is. */
export function isTooOld(version: string | null): boolean {
  return parse(version) === null || compareVersions(version!, OLDEST) < 0;
}

/** True for a library newer than anything that is known. */
export function isUnknown(version: string | null): boolean {
  return version === null || compareVersions(version, RELEASES.at(-1)!.ggml) > 0;
}

/** True if something that changed is, or may be, otherwise in one of two releases. */
function isBetween([before, after]: Change, a: string, b: string): boolean {
  const [low, high] = compareVersions(a, b) < 0 ? [a, b] : [b, a];
  return compareVersions(high, before) > 0 && compareVersions(low, after) < 0;
}

/**
 * Why a function can't be called with a library of another release, null if it can.
 *
 * @param release The bindings' release.
 * @param version The library's.
 */
export function differenceOf(name: string, release: string | null, version: string | null): string | null {
  if (release === null || version === null || release === version) return null;
  const changes: readonly Change[] = (CHANGED.functions as Record<string, readonly Change[]>)[name] ?? [];
  const older = compareVersions(version, release) < 0;
  // What C sees less of than there is does no harm; fields that it doesn't know are refused when they are set.
  const change = changes.find((change) => isBetween(change, release, version) && !(change[3] && older));
  if (change === undefined) return null;
  const [before, after, what] = change;
  return `${name} has ${what} in ggml ${version}, the loaded library, than in ${release}, which the bindings are of: that changed between ` +
    `${before} and ${after}`;
}

/** The names, of enum constants or of fields (`ggml_cplan.use_ref`), that a release lacks, as far as is known. */
export function namesMissingIn(version: string | null): ReadonlySet<string> {
  if (version === null) return new Set();
  return new Set(Object.entries(CHANGED.since).flatMap(([since, names]) => compareVersions(version, since) < 0 ? names : []));
}
