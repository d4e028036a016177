/**
 * Fences: memory for tensors of which each ends, or begins, where a page does that nobody may read or write. A kernel that reads or writes one
 * number too many ends the process at once, instead of reading its neighbour's.
 *
 * Over a ggml with AddressSanitizer the fences are the sanitizer's, on both sides of everything.
 *
 * @module
 */

import { lib } from "@ggml/deno";
import { Pointer } from "@ggml/deno/ffi";
import { freeAll, hasSanitizer, malloc } from "./mallocs.ts";

const C = { linux: "libc.so.6", darwin: "libSystem.B.dylib" }[Deno.build.os as string];
const PAGE = 16_384; // the largest of any system
const SIZE = 2 ** 32;
/** Where a buffer may begin. */
const ALIGNMENT = 32n;
const NONE = 0, READ_AND_WRITE = 3;
const PRIVATE = 2,
  FIXED = 0x10,
  ANONYMOUS = Deno.build.os === "darwin" ? 0x1000 : 0x20,
  NO_RESERVE = Deno.build.os === "linux" ? 0x4000 : 0;

/** True where there can be fences. */
export const hasFences: boolean = C !== undefined;

const symbols = C === undefined ? null : Deno.dlopen(C, {
  mmap: { parameters: ["u64", "u64", "i32", "i32", "i32", "i64"], result: "u64" },
  mprotect: { parameters: ["u64", "u64", "i32"], result: "i32" },
}).symbols;

let base = 0n;
let used = 0;
let count = 0;

/** Takes all memory back, and puts fences everywhere. */
export function rebuildFences(): void {
  if (hasSanitizer) return freeAll();
  const flags = PRIVATE | ANONYMOUS | NO_RESERVE | (base === 0n ? 0 : FIXED);
  base = symbols!.mmap(base, BigInt(SIZE), NONE, flags, -1, 0n);
  if (base === -1n || base === 2n ** 64n - 1n) throw new Error("no memory can be reserved for fences");
  used = PAGE;
  count = 0;
}

/** Memory of so many bytes between two fences: it ends at the second one, or begins at the first. */
export function fenced(bytes: number): Pointer {
  return field(bytes).memory;
}

/** A tensor's memory, and the whole pages around it. */
interface Field {
  readonly begin: Pointer;
  readonly size: number;
  readonly memory: Pointer;
}

function field(bytes: number): Field {
  if (hasSanitizer) {
    const memory = malloc(bytes), before = memory % ALIGNMENT;
    return { begin: pointer(memory - before), size: bytes + Number(before), memory: pointer(memory) };
  }
  const size = Math.ceil(Math.max(bytes, 1) / PAGE) * PAGE;
  if (used + size + PAGE > SIZE) throw new Error("there is no memory left between the fences");
  const begin = base + BigInt(used);
  if (symbols!.mprotect(begin, BigInt(size), READ_AND_WRITE) !== 0) throw new Error("memory between fences can't be used");
  used += size + PAGE;
  return { begin: pointer(begin), size, memory: pointer(count++ % 4 === 0 ? begin : begin + BigInt(size - bytes)) };
}

/** Gives memory to a tensor, and to all that it is made of, where there is none. */
export function fence(tensor: lib.ggml_tensor, withResults: boolean): void {
  if (tensor.data !== null) return;
  const { view_src, src } = tensor;
  for (const source of [view_src, ...src]) if (source !== null) fence(source, withResults);
  if (view_src !== null) {
    if (view_src.data !== null) lib.ggml_backend_view_init(tensor);
  } else if (withResults || tensor.op === lib.GGML_OP_NONE) place(tensor);
}

/** Each tensor is in a buffer of its own, that ends where its memory does. */
function place(tensor: lib.ggml_tensor): void {
  const { begin, size, memory } = field(lib.ggml_nbytes(tensor));
  const buffer = lib.ggml_backend_cpu_buffer_from_ptr(begin, size);
  lib.ggml_backend_tensor_alloc(buffer, tensor, memory);
}

function pointer(address: bigint): Pointer {
  return Pointer.from(address)!;
}
