/**
 * A file's bytes in memory without reading them: POSIX's `mmap`. The system reads a page when it is touched first, and may drop it again.
 *
 * The mapping is private: who writes to it changes his own copy of a page, never the file. Windows has no `mmap`; there nothing is mapped.
 *
 * @module
 */

import { at } from "../../ffi/core/at.ts";
import { Pointer } from "../../ffi/core/pointer.ts";
import { takeOver } from "../../ffi/core/roots.ts";
import { library } from "../../ffi/load/library.ts";

/** `O_RDONLY`, `PROT_READ | PROT_WRITE`, `MAP_PRIVATE`, `SEEK_END` and `MADV_WILLNEED`: the same on Linux and macOS. */
const READ_ONLY = 0, READ_WRITE = 3, PRIVATE = 2, FROM_END = 2, WILL_NEED = 3;

/** What `mmap` returns when it fails. */
const FAILED = 2n ** 64n - 1n;

/** A mapped file. */
export interface Mapping {
  /** Its first byte. The mapping ends when it is disposed of, or when nobody can reach it any more. */
  readonly pointer: Pointer;
  /** Its size in bytes. */
  readonly size: number;
}

/** POSIX's functions, found through the library that is loaded already: it depends on the C library, whatever that is called. */
function bind() {
  const addresses = ["open", "lseek", "mmap", "madvise", "close", "munmap"].map((name) => library().address(name));
  if (Deno.build.os === "windows" || addresses.includes(null)) return null;
  const [open, lseek, mmap, madvise, close, munmap] = addresses as bigint[];
  return {
    open: at(open, ["buffer", "i32"], "i32"),
    lseek: at(lseek, ["i32", "i64", "i32"], "i64"),
    mmap: at(mmap, ["u64", "u64", "i32", "i32", "i32", "i64"], "u64"),
    madvise: at(madvise, ["u64", "u64", "i32"], "i32"),
    close: at(close, ["i32"], "i32"),
    munmap: at(munmap, ["u64", "u64"], "i32"),
  };
}

/**
 * Maps a whole file.
 *
 * @param path The file, which Deno was asked for already: C doesn't know of Deno's permissions.
 * @returns Null if the system doesn't do it: whoever asks copies then.
 */
export function mapFile(path: string): Mapping | null {
  const posix = bind();
  if (posix === null) return null;
  const file = posix.open(new TextEncoder().encode(`${path}\0`), READ_ONLY);
  if (file < 0) return null;
  try {
    const size = posix.lseek(file, 0n, FROM_END);
    if (size <= 0n) return null;
    const address = posix.mmap(0n, size, READ_WRITE, PRIVATE, file, 0n);
    if (BigInt.asUintN(64, address) === FAILED) return null;
    posix.madvise(address, size, WILL_NEED); // a hint: it may fail
    const pointer = new Pointer(address);
    takeOver(pointer, (address) => void posix.munmap(address, size));
    return { pointer, size: Number(size) };
  } finally {
    posix.close(file);
  }
}
