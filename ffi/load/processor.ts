/**
 * What the processor lacks: a CPU variant that needs it isn't opened, only to say that it can't run here.
 *
 * @module
 */

import { at, type AtAddress } from "../core/at.ts";

/** A bit of an x86-64 variant's score, and where `cpuid` tells of its feature: which of glibc's leaves, which register of EAX to EDX, which bit. */
type Feature = readonly [score: number, leaf: number, register: number, bit: number];

const FEATURES: readonly Feature[] = [
  [1 << 5, 1, 1, 5], // AVX2
  [1 << 6, 6, 0, 4], // AVX-VNNI
  [1 << 7, 1, 1, 16], // AVX-512
  [1 << 8, 1, 2, 1], // its VBMI
  [1 << 9, 6, 0, 5], // its BF16
  [1 << 10, 1, 2, 11], // its VNNI
  [1 << 11, 1, 3, 25], // AMX of 8-bit integers
];

/**
 * The bits of a score that this processor can't earn, as far as that is known: none without a glibc of 2.33 or newer.
 *
 * @param library A library that is linked with the C library.
 */
export function lackedBits(library: string): number {
  const leafAt = Deno.build.arch === "x86_64" && Deno.build.os === "linux" ? findLeafAt(library) : null;
  if (leafAt === null) return 0;
  const lacked = FEATURES.filter(([, leaf, register, bit]) => {
    const registers = new Deno.UnsafePointerView(leafAt(leaf)!);
    return (registers.getUint32(register * 4) >>> bit & 1) === 0;
  });
  return lacked.reduce((bits, [score]) => bits | score, 0);
}

/** glibc's function for a leaf of `cpuid`; null if there is none. */
function findLeafAt(library: string): AtAddress<readonly ["u32"], "pointer"> | null {
  try {
    const { symbols } = Deno.dlopen(library, { __x86_get_cpuid_feature_leaf: { type: "pointer" } });
    return at(BigInt(Deno.UnsafePointer.value(symbols.__x86_get_cpuid_feature_leaf)), ["u32"], "pointer");
  } catch {
    return null;
  }
}
