/**
 * What is measured, against whom, and what is to be reached.
 *
 * @module
 */

import type { Contender, Figure } from "./measure.ts";
import { type Headers, peer, type Peers, type Tool } from "./peers.ts";

/** The figures of `deno task bench`. `work` is a folder to write into. */
export async function figures(peers: Peers, work: string, headers: Headers): Promise<Figure[]> {
  const decoder = await peers.c("decoder.c"), copies = await peers.c("copies.c");
  const cores = navigator.hardwareConcurrency;
  return [
    {
      id: "demo",
      title: "the demo's whole process",
      unit: "ms",
      how: "process",
      runs: 21,
      target: { limit: 1.3, of: "Deno.dlopen" },
      expected: ["1.03125", "9900", "104.125"], // of a, b and the sum
      contenders: [
        contender("ours", deno("examples/add_quant.ts")),
        contender("Deno.dlopen", deno(peer("demo_dlopen.ts"), peers.library)),
        contender("cffi", peers.numpy("demo_cffi.py")),
      ],
    },
    call("type_size", "lib.ggml_type_size(0)", peers),
    call("nelements", "lib.ggml_nelements(t)", peers),
    field("type", "t.type", peers),
    field("ne", "t.ne[0]", peers),
    graph("warm", "a decoder's graph, built again", 0.2, 7, decoder, peers),
    graph("first", "a decoder's graph, first in its process", 2.5, 15, decoder, peers),
    // 16 Mi elements: 67.1 MB of floats, so 1 ms is 67.1 GB/s of the floats' side.
    copied("f32-f32", "copy 16 Mi: F32 → F32", 1 / 0.9, copies, peers),
    copied("f32-f16", "copy 16 Mi: F32 → F16", 1 / 0.9, copies, peers),
    copied("f16-f32", "copy 16 Mi: F16 → F32", 1 / 0.9, copies, peers),
    copied("q4_K-f32", "copy 16 Mi: Q4_K → F32", 1 / 0.9, copies, peers),
    copied("f32-q4_K", `copyAsync 16 Mi: F32 → Q4_K, ${cores} cores (C: one)`, 1 / 0.9 / cores, copies, peers),
    copied("transposed", "copy 4096 × 4096, transposed (C: ggml_cont)", 2, copies, null),
    { ...copied("small", "1,000 copies of 64 floats", 0.5, copies, peers), target: { limit: 0.5 } },
    {
      id: "regenerate",
      title: "deno task regenerate, all headers",
      unit: "ms",
      how: "process",
      runs: 11,
      target: { limit: 150 },
      expected: ["functions"],
      contenders: [
        contender("ours", regenerate(headers, "--out", `${work}/ours`)),
        contender("cffi", peers.regenerate),
      ],
    },
    {
      id: "regenerate-check",
      title: "deno task regenerate --check",
      unit: "ms",
      how: "process",
      runs: 11,
      target: { limit: 150 },
      expected: ["functions"],
      contenders: [contender("ours", regenerate(headers, "--check"))],
    },
  ];
}

function call(what: string, title: string, peers: Peers): Figure {
  return {
    id: `call-${what}`,
    title,
    unit: "ns",
    how: "inside",
    runs: 7,
    target: { limit: 1.5, of: "Deno.dlopen" },
    contenders: [
      contender("ours", deno("bench/ours/calls.ts", what)),
      contender("Deno.dlopen", deno(peer("calls_dlopen.ts"), peers.library, what)),
      ...pythons(what, peers),
    ],
  };
}

function field(what: string, title: string, peers: Peers): Figure {
  return {
    id: `field-${what}`,
    title,
    unit: "ns",
    how: "inside",
    runs: 7,
    target: { limit: 5 },
    contenders: [contender("ours", deno("bench/ours/fields.ts", what)), ...pythons(what, peers)],
  };
}

function copied(what: string, title: string, limit: number, c: Tool, peers: Peers | null): Figure {
  return {
    id: `copy-${what}`,
    title,
    unit: "ms",
    how: "inside",
    runs: 5,
    target: { limit, of: "C" },
    contenders: [
      contender("ours", deno("bench/ours/copies.ts", what)),
      contender("C", c, what),
      ...(peers === null ? [] : [contender("cffi", peers.numpy("copies_cffi.py"), what)]),
    ],
  };
}

function graph(what: string, title: string, limit: number, runs: number, c: Tool, peers: Peers): Figure {
  return {
    id: `graph-${what}`,
    title,
    unit: "ms",
    how: "inside",
    runs,
    target: { limit },
    contenders: [
      contender("ours", deno("bench/ours/graph.ts", what)),
      contender("ours, no guards", deno("bench/ours/graph.ts", what, "no-guards")),
      contender("C", c, what),
      ...pythons(what, peers),
    ],
  };
}

/** What runs in Python. */
function pythons(what: string, peers: Peers): Contender[] {
  return [contender("cffi", peers.cffi("with_cffi.py"), what), contender("ctypes", peers.ctypes("with_ctypes.py"), what)];
}

function deno(script: string, ...args: string[]): Tool {
  return { command: [Deno.execPath(), "run", "--allow-ffi", script, ...args] };
}

function regenerate(headers: Headers, ...args: string[]): Tool {
  if ("missing" in headers) return headers;
  return { command: [Deno.execPath(), "task", "regenerate", "--include", headers.tree, ...args] };
}

function contender(name: string, tool: Tool, ...args: string[]): Contender {
  if ("missing" in tool) return { name, command: null, missing: tool.missing };
  return { name, command: [...tool.command, ...args] };
}
