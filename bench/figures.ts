/**
 * What is measured, against whom, and what is to be reached.
 *
 * @module
 */

import { contender, deno, EMPTY, emptyScript, everyone, FROM_CLONE } from "./contenders.ts";
import { llamaFigures } from "./llama.ts";
import type { Figure, Target } from "./measure.ts";
import { ggmlHeaders, parsing } from "./parsing.ts";
import { type HeaderTree, peer, type Peers } from "./peers.ts";
import { Published } from "./published.ts";

const DEMO = "examples/add_quant.ts";
const CORES = navigator.hardwareConcurrency;

/** The figures of `deno task bench`. `work` is a folder to write into. */
export function figures(peers: Peers, work: string, headers: HeaderTree): Figure[] {
  const published = new Published(work);
  return [
    imported(published, work),
    demo(published, peers),
    call("type_size", "call ggml_type_size(0)", peers),
    call("nelements", "call ggml_nelements(t)", peers),
    field("type", "read t.type", peers),
    field("ne", "read t.ne[0]", peers),
    computing("build-add", "add", "call ggml_add(ctx, a, b), which builds a tensor", "ns", peers, { limit: 2.2, of: "Deno.dlopen" }),
    caught(),
    graph("warm", "a decoder's graph, built again", 0.9, 7, peers),
    firstGraph(published, peers),
    computing("compute-sums", "sums", "compute 1,000 additions of 64 floats", "ms", peers, { limit: 1.2, of: "C" }, ASYNC),
    computing("compute-product", "product", `compute a product of 512 × 512, ${CORES} threads`, "ms", peers, null, ASYNC),
    // 16 Mi elements: 67.1 MB of floats, so 1 ms is 67.1 GB/s of the floats' side.
    copied("f32-f32", "copy 16 Mi: F32 → F32", 1 / 0.9, peers),
    copied("f32-f16", "copy 16 Mi: F32 → F16", 1 / 0.9, peers),
    copied("f16-f32", "copy 16 Mi: F16 → F32", 1 / 0.9, peers),
    copied("q4_K-f32", "copy 16 Mi: Q4_K → F32", 1 / 0.9, peers),
    quantized(peers),
    copied("transposed", "copy 4096 × 4096, transposed (C: ggml_cont)", 2, peers),
    { ...copied("small", "1,000 copies of 64 floats", 0.5, peers), target: { limit: 0.5 } },
    regenerate("regenerate", "deno task regenerate, all headers", headers, ["--out", `${work}/ours`], peers),
    regenerate("regenerate-check", "deno task regenerate --check", headers, ["--check"], null),
    ...parsing(ggmlHeaders(headers), peers, published, work),
    ...llamaFigures(peers, work),
  ];
}

/** What a program pays for before its first line. */
function imported(published: Published, work: string): Figure {
  const text = ["@ggml/deno", "@ggml/deno/utils"].map((name) => `import "${name}";\n`).join("");
  return {
    id: "import",
    title: "import lib and the utilities, a whole process",
    unit: "ms",
    how: "process",
    runs: 21,
    target: { limit: 12, beyond: EMPTY },
    contenders: async () => [
      contender("ours", await published.program("import.ts", text)),
      contender(FROM_CLONE, deno("bench/ours/import.ts")),
      emptyScript(work),
    ],
  };
}

function demo(published: Published, peers: Peers): Figure {
  return {
    id: "demo",
    title: "the demo's whole process",
    unit: "ms",
    how: "process",
    runs: 21,
    target: { limit: 2, of: "Deno.dlopen" },
    expected: ["1.03125", "9900", "104.125"], // of a, b and the sum
    contenders: async () => [
      contender("ours", await published.program("demo.ts", Deno.readTextFileSync(DEMO))),
      contender(FROM_CLONE, deno(DEMO)),
      contender("Deno.dlopen", deno(peer("demo_dlopen.ts"), peers.library)),
      contender("C", await peers.c("demo.c")),
      contender("cffi", peers.python("demo.py", "cffi", true)),
      contender("ctypes", peers.python("demo.py", "ctypes", true)),
    ],
  };
}

function inside(
  id: string,
  title: string,
  unit: "ns" | "ms",
  runs: number,
  target: Target | null,
  contenders: Figure["contenders"],
): Figure {
  return { id, title, unit, how: "inside", runs, target, contenders };
}

function call(what: string, title: string, peers: Peers): Figure {
  const programs = { ours: "calls.ts", dlopen: "calls_dlopen.ts", c: "calls.c", python: "calls.py" };
  return inside(`call-${what}`, title, "ns", 7, { limit: 1.5, of: "Deno.dlopen" }, () => everyone(programs, peers, [what]));
}

function field(what: string, title: string, peers: Peers): Figure {
  const programs = { ours: "fields.ts", dlopen: "fields_dlopen.ts", c: "calls.c", python: "calls.py" };
  return inside(`field-${what}`, title, "ns", 7, { limit: 5 }, () => everyone(programs, peers, [what]));
}

function graph(what: string, title: string, limit: number, runs: number, peers: Peers): Figure {
  const programs = { ours: "graph.ts", dlopen: "decoder_dlopen.ts", c: "decoder.c", python: "calls.py" };
  return inside(`graph-${what}`, title, "ms", runs, { limit, of: "Deno.dlopen" }, () => everyone(programs, peers, [what]));
}

/** What is called first costs more where modules are not compiled when they are loaded, as those of a clone. */
function firstGraph(published: Published, peers: Peers): Figure {
  const figure = graph("first", "a decoder's graph, first in its process", 5, 15, peers);
  const contenders = async () => {
    const [clone, ...others] = await figure.contenders();
    return [contender("ours", await published.script("bench/ours/graph.ts", "first")), { ...clone, name: FROM_CLONE }, ...others];
  };
  return { ...figure, contenders };
}

/** What `computeAsync` adds to `compute`. */
const ASYNC = { "ours, computeAsync": "async" };

function computing(
  id: string,
  what: string,
  title: string,
  unit: "ns" | "ms",
  peers: Peers,
  target: Target | null,
  variants: Record<string, string> = {},
): Figure {
  const programs = { ours: "computing.ts", dlopen: "computing_dlopen.ts", c: "computing.c", python: "calls.py" };
  return inside(id, title, unit, 7, target, () => everyone(programs, peers, [what], variants));
}

/** Nobody else survives a wrong product. */
function caught(): Figure {
  return inside(
    "caught",
    "1,000 wrong products, each an Error",
    "ms",
    7,
    { limit: 20 },
    () => Promise.resolve([contender("ours", deno("bench/ours/computing.ts"), "caught")]),
  );
}

function copied(what: string, title: string, limit: number, peers: Peers): Figure {
  const programs = { ours: "copies.ts", dlopen: "copies_dlopen.ts", c: "copies.c", python: "copies.py", numpy: true };
  return inside(`copy-${what}`, title, "ms", 5, { limit, of: "C" }, () => everyone(programs, peers, [what]));
}

/** Ours takes all cores; the others one, but for one in C, which says what all cores of this machine are worth. */
function quantized(peers: Peers): Figure {
  const figure = copied("f32-q4_K", `copyAsync 16 Mi: F32 → Q4_K, ${CORES} cores (others: one)`, 1 / 0.9 / CORES, peers);
  const contenders = async () => [
    ...await figure.contenders(),
    contender(`C, ${CORES} threads`, await peers.c("copies.c"), "f32-q4_K", "threads"),
  ];
  return { ...figure, contenders };
}

/** cffi is the only other one that makes bindings. */
function regenerate(id: string, title: string, headers: HeaderTree, args: readonly string[], peers: Peers | null): Figure {
  const ours = "missing" in headers ? headers : { command: [Deno.execPath(), "task", "regenerate", "--include", headers.tree, ...args] };
  return {
    id,
    title,
    unit: "ms",
    how: "process",
    runs: 11,
    target: { limit: 200 },
    expected: ["functions"],
    contenders: () => Promise.resolve([contender("ours", ours), ...(peers === null ? [] : [contender("cffi", peers.regenerate)])]),
  };
}
