// What the examples print with: sizes, tables and a progress bar.

/** A number of bytes, to be read. */
export function size(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = bytes === 0 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1);
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

/** Text of which a terminal obeys nothing: what a file says may hold its commands. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Rows whose columns are as wide as their widest cell; those that are named are set to the right. */
export function table(cells: readonly (readonly string[])[], right: readonly number[] = []): string {
  const rows = cells.map((row) => row.map(printable));
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => {
    return row.map((cell, i) => right.includes(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i])).join("  ").trimEnd();
  }).join("\n");
}

/** Shows how far something is, where a person looks on. */
export function progress(done: number, total: number, what: string): void {
  if (!Deno.stderr.isTerminal()) return;
  const full = total === 0 ? 1 : done / total, width = 30;
  const bar = "█".repeat(Math.round(full * width)).padEnd(width, "░");
  const line = `\r${bar} ${(full * 100).toFixed(0).padStart(3)}% ${what.slice(0, 40).padEnd(40)}`;
  Deno.stderr.writeSync(new TextEncoder().encode(done < total ? line : `\r${" ".repeat(line.length)}\r`));
}
