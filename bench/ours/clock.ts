/**
 * What language models are timed by.
 *
 * @module
 */

import { cpuUsage } from "node:process";

/** A clock that counts milliseconds: with one thread those of the processor, for the whole process; with more those that pass. */
export function clock(threads: string): () => number {
  if (threads !== "1") return () => performance.now();
  return () => {
    const { user, system } = cpuUsage();
    return (user + system) / 1000;
  };
}
