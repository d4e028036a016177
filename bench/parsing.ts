/**
 * The figures of the C front end: ggml's and llama's headers, and a large one beside what compilers make of it.
 *
 * @module
 */

import { contender, EMPTY, emptyScript, FROM_CLONE } from "./contenders.ts";
import type { Contender, Figure } from "./measure.ts";
import type { HeaderTree, Peers, Tool } from "./peers.ts";
import type { Published } from "./published.ts";

const VULKAN = "/usr/include/vulkan/vulkan.h";

/** Headers as a compiler's command line has them. */
export type Sources = { readonly arguments: readonly string[] } | { readonly missing: string };

/** The public headers of a llama.cpp tree. */
export function ggmlHeaders(headers: HeaderTree): Sources {
  if ("missing" in headers) return headers;
  const include = `${headers.tree}/ggml/include`;
  const names = ["ggml.h", "ggml-alloc.h", "ggml-backend.h", "ggml-cpu.h", "ggml-opt.h", "gguf.h"];
  return { arguments: [...names.map((name) => `${include}/${name}`), `${headers.tree}/include/llama.h`, `-I${include}`] };
}

/** The figures of parsing. `work` is a folder to write into. */
export function parsing(ggml: Sources, peers: Peers, published: Published, work: string): Figure[] {
  const vulkan = exists(VULKAN) ? { arguments: [VULKAN] } : { missing: "Vulkan's headers: apt-get install libvulkan-dev" };
  return [
    {
      id: "parse-warm",
      title: "parse ggml's headers, warm",
      unit: "ms",
      how: "inside",
      runs: 5,
      target: { limit: 15 },
      contenders: () => Promise.resolve([contender("ours", given(ggml, Deno.execPath(), "run", "--allow-read", "bench/ours/parse.ts"))]),
    },
    process("parse-cold", "dump ggml's headers, a cold process", async () => [
      contender("ours", dump(await published.cli(), ggml, "--no-standard")),
      contender(FROM_CLONE, dump(CLI, ggml, "--no-standard")),
      emptyScript(work),
    ], { limit: 60, beyond: EMPTY }),
    process("parse-vulkan", "dump vulkan.h, a cold process", async () => [
      contender("ours", dump(await published.cli(), vulkan)),
      contender(FROM_CLONE, dump(CLI, vulkan)),
      emptyScript(work),
      compiler("clang -ast-dump=json", peers.compiler("clang"), vulkan, "-fsyntax-only", "-Xclang", "-ast-dump=json"),
      compiler("clang -fsyntax-only", peers.compiler("clang"), vulkan, "-fsyntax-only"),
      compiler("gcc -fsyntax-only", peers.compiler("gcc"), vulkan, "-fsyntax-only"),
    ], null),
  ];
}

function process(id: string, title: string, contenders: () => Promise<Contender[]>, target: Figure["target"]): Figure {
  return { id, title, unit: "ms", how: "process", runs: 11, target, contenders };
}

/** The commands in a clone. */
const CLI = { command: [Deno.execPath(), "run", "-RW", "lexer/cli.ts"] };

/** The command that reads headers and prints what they declare. */
function dump(cli: Tool, sources: Sources, ...options: string[]): Tool {
  return "missing" in cli ? cli : given(sources, ...cli.command, "dump", ...options);
}

/** A program with the headers as its last arguments. */
function given(sources: Sources, ...command: string[]): Tool {
  return "missing" in sources ? sources : { command: [...command, ...sources.arguments] };
}

function compiler(name: string, tool: Tool, sources: Sources, ...flags: string[]): Contender {
  return contender(name, "missing" in tool ? tool : given(sources, ...tool.command, ...flags, "-x", "c", "-w"));
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
