/**
 * Which processor a library's file is for, where it may be read. Linux says of one for another processor that there is no such file.
 *
 * @module
 */

const { os, arch } = Deno.build;

/** What glibc says of such a file, and of one that isn't there. */
const NOT_THERE = /^cannot open shared object file: No such file or directory$/;

/** ELF's numbers for processors, of those that ggml is built for. */
const MACHINES: Readonly<Record<number, string>> = {
  3: "i386",
  8: "mips",
  21: "ppc64",
  22: "s390x",
  40: "arm",
  62: "x86_64",
  183: "aarch64",
  243: "riscv",
  258: "loongarch",
};

/** A reason why a file can't be opened, in other words where it is there and for another processor. */
export function withMachine(path: string, reason: string): string {
  if (os !== "linux" || !path.includes("/") || !NOT_THERE.test(reason)) return reason;
  const machine = mayRead(path) ? machineOf(path) : null;
  if (machine === null || MACHINES[machine] === arch) return reason;
  return `it is for another processor: ${MACHINES[machine] ?? `ELF's number ${machine}`}, and this program is for ${arch}`;
}

/** A line for files that may not be looked at and may be there, none where they may be. */
export function whetherThere(tried: readonly { readonly path: string; readonly reason: string }[]): string[] {
  const isUnknown = os === "linux" && tried.length > 0 &&
    tried.every(({ path, reason }) => path.includes("/") && NOT_THERE.test(reason) && !mayRead(path));
  return isUnknown ? ["Linux says so of a library for another processor, too: with --allow-read this error says if it is one."] : [];
}

function mayRead(path: string): boolean {
  return Deno.permissions.querySync({ name: "read", path }).state === "granted";
}

/** The number of the processor that an ELF file is for; null for another file. */
function machineOf(path: string): number | null {
  try {
    using file = Deno.openSync(path);
    const head = new Uint8Array(20);
    const isElf = file.readSync(head) === head.length && head[0] === 0x7f && String.fromCharCode(...head.subarray(1, 4)) === "ELF";
    return isElf ? new DataView(head.buffer).getUint16(18, head[5] !== 2) : null;
  } catch {
    return null; // it isn't there
  }
}
