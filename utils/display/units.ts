/**
 * Numbers with their units, short enough for pictures.
 *
 * @module
 */

const SIZES = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** A number of bytes: `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  let size = bytes, unit = 0;
  while (size >= 1024 && unit < SIZES.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${short(size)} ${SIZES[unit]}`;
}

/** Milliseconds: `1.5 ms`, `12 µs`, `3.4 s`. */
export function formatMs(ms: number): string {
  if (ms >= 1000) return `${short(ms / 1000)} s`;
  return ms >= 1 || ms === 0 ? `${short(ms)} ms` : `${short(ms * 1000)} µs`;
}

/** A share from 0 to 1: `45%`. */
export function formatShare(share: number): string {
  const percent = share * 100;
  return percent > 0 && percent < 1 ? "<1%" : `${Math.round(percent)}%`;
}

/** A count and what is counted: `1 node`, `1,028 nodes`. */
export function formatCount(count: number, noun: string): string {
  return `${count.toLocaleString("en-US")} ${noun}${count === 1 ? "" : "s"}`;
}

/** Any number, in at most five digits. */
export function formatNumber(x: number): string {
  return String(Number(x.toPrecision(5)));
}

/** Three digits. */
function short(x: number): string {
  return x >= 100 || Number.isInteger(x) ? String(Math.round(x)) : String(Number(x.toPrecision(3)));
}
