/**
 * The machine that measures, in words.
 *
 * @module
 */

import { cpus } from "node:os";
import type { Peers } from "./peers.ts";
import type { Machine } from "./results.ts";

/** Describes the machine; nothing in it says where files are. */
export function describeMachine({ library, version, versions }: Peers): Machine {
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: cpus()[0]?.model.trim() || "unknown CPU",
    cores: navigator.hardwareConcurrency,
    gibibytes: Math.round(Deno.systemMemoryInfo().total / 2 ** 30),
    os: Deno.build.os,
    arch: Deno.build.arch,
    load: Deno.loadavg()[0],
    deno: Deno.version.deno,
    ggml: version,
    library: library.replace(/^.*[/\\]/, ""),
    peers: versions,
  };
}
