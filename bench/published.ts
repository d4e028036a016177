/**
 * The package as it is published, and a project that imports it as a user's does: what start-up is measured by.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";
import { writePackage } from "../tools/package.ts";
import type { Tool } from "./peers.ts";

/** Deno's standard library where JSR can't be reached, as in the clone's own configuration. */
const STANDARD = ["assert", "cli", "path"].map((name) => fromFileUrl(new URL(`../links/${name}`, import.meta.url)));

/** The package, made in a folder when it is first asked for. */
export class Published {
  readonly #work: string;
  #project: Promise<Project> | null = null;

  constructor(work: string) {
    this.#work = work;
  }

  /** A program that imports the package. */
  async program(name: string, text: string): Promise<Tool> {
    const project = await (this.#project ??= write(this.#work));
    if ("missing" in project) return project;
    const path = `${project.folder}/${name}`;
    Deno.writeTextFileSync(path, text);
    return this.script(path);
  }

  /** A script that is there, over the package. */
  async script(path: string, ...args: string[]): Promise<Tool> {
    const project = await (this.#project ??= write(this.#work));
    if ("missing" in project) return project;
    return { command: [Deno.execPath(), "run", "--no-lock", "--config", `${project.folder}/deno.json`, "--allow-ffi", path, ...args] };
  }

  /** The package's commands, `lexer/cli.ts` in a clone. */
  async cli(): Promise<Tool> {
    const project = await (this.#project ??= write(this.#work));
    if ("missing" in project) return project;
    return {
      command: [
        Deno.execPath(),
        "run",
        "--no-lock",
        "--config",
        `${project.folder}/deno.json`,
        "-RW",
        `${project.made}/bundle/lexer/cli.js`,
      ],
    };
  }
}

/** The folder of the project, and that of the package. */
type Project = { readonly folder: string; readonly made: string } | { readonly missing: string };

async function write(work: string): Promise<Project> {
  const folder = `${work}/project`, made = `${work}/package`;
  try {
    await writePackage(made);
  } catch (error) {
    return { missing: `the package as it is published: ${(error as Error).message}` };
  }
  Deno.mkdirSync(folder);
  const imports = { "@ggml/deno": "jsr:@ggml/deno", "@ggml/deno/utils": "jsr:@ggml/deno/utils" };
  Deno.writeTextFileSync(`${folder}/deno.json`, JSON.stringify({ imports, links: [made, ...STANDARD] }));
  return { folder, made };
}
