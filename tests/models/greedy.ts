/**
 * `greedy.c`, a C program over the library that is used here: which tokens follow a text, and the logits that they were chosen by.
 *
 * @module
 */

import { load } from "@ggml/deno";
import { pinnedTree } from "../../lexer/ggml/release.ts";

/** What a C program has of a text. */
export interface Greedy {
  /** The text's tokens. */
  readonly prompt: number[];
  /** The likeliest ones behind it. */
  readonly tokens: number[];
  /** Of each of these, what it was chosen by: a row of the vocabulary's size. */
  readonly logits: Float32Array<ArrayBuffer>;
}

/** Asks the program for so many tokens behind a text, computed by so many threads. */
export type AskC = (model: string, text: string, threads: number, count: number) => Promise<Greedy>;

let built: Promise<AskC | null> | null = null;

/** The program, built once; null, and a message, where it can't be. */
export function greedyProgram(): Promise<AskC | null> {
  return built ??= build();
}

async function build(): Promise<AskC | null> {
  const folder = await Deno.makeTempDir(),
    program = `${folder}/greedy`,
    libraries = load().path,
    tree = await pinnedTree().catch(() => null);
  addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
  const files = [...Deno.readDirSync(libraries)].map(({ name }) => name).filter((name) => LIBRARY.test(name));
  const include = ["include", "ggml/include"].map((each) => `-I${tree}${each}`);
  const link = [...files.map((name) => `${libraries}${name}`), `-Wl,-rpath,${libraries}`];
  const args = ["-O2", ...include, "tests/models/greedy.c", "-o", program, ...link], cwd = new URL("../../", import.meta.url);
  const { success } = await new Deno.Command("gcc", { args, cwd, stderr: "null" }).output().catch(() => ({ success: false }));
  if (success) return (...asked) => ask(program, `${folder}/logits`, ...asked);
  console.warn("SKIPPED: no C program can be built here, so a model's tokens and logits are compared with those of plain calls alone");
  return null;
}

const LIBRARY = /^lib(llama|ggml|ggml-base)(\.v[\d.]+)?\.so$/;

async function ask(program: string, file: string, model: string, text: string, threads: number, count: number): Promise<Greedy> {
  const args = [load().path, model, `${threads}`, `${count}`, text, file];
  const { success, stdout } = await new Deno.Command(program, { args, stderr: "inherit" }).output();
  if (!success) throw new Error(`greedy ${args.join(" ")}: it failed`);
  const [prompt, tokens] = new TextDecoder().decode(stdout).split("\n").map((line) => line.split(" ").map(Number));
  return { prompt, tokens, logits: new Float32Array((await Deno.readFile(file)).buffer) };
}
