/**
 * The guide: what it says is thrown is thrown, with those words; and its links, and README's, lead somewhere.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { dirname, join, resolve } from "@std/path";
import { existsSync } from "node:fs";
import GithubSlugger from "github-slugger";

const PAGES = [...Deno.readDirSync("docs")].filter(({ name }) => name.endsWith(".md")).map(({ name }) => join("docs", name)).sort();
const FILES = ["README.md", "CONTRIBUTING.md", "bench/README.md", ...PAGES];

/** Code, whose brackets are no links. */
const BLOCK = /^```.*?^```/gms;

Deno.test("the guide and README have a page each of what a newcomer asks", () => assert(FILES.length > 5, FILES.join()));

for (const file of FILES) {
  Deno.test(`the links of ${file} lead to files and headings that are there`, () => {
    const text = Deno.readTextFileSync(file).replaceAll(BLOCK, "");
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link).filter((link) => !/^https?:/.test(link));
    assertEquals(links.filter((link) => !leads(file, link)), []);
  });
}

for (const file of ["docs/architecture.md", "CONTRIBUTING.md"]) {
  Deno.test(`the paths and names in ${file} exist`, () => {
    const text = Deno.readTextFileSync(file), code = [...text.replaceAll(BLOCK, "").matchAll(/`([^`]+)`/g)].map(([, code]) => code);
    const paths = code.filter((name) => /^[\w.]+\/[\w./]*$/.test(name) && !PARTS.test(name));
    assertEquals(paths.filter((path) => !existsSync(path)), []);
    const files = new Set(filesUnder(".")), names = code.filter((name) => /^\w+\.(ts|js|c|h)$/.test(name));
    assertEquals(names.filter((name) => !files.has(name)), []);
    const { tasks } = JSON.parse(Deno.readTextFileSync("deno.json"));
    const named = [...text.matchAll(/deno task ([\w:]+)/g)].map(([, name]) => name);
    assertEquals(named.filter((name) => !(name in tasks)), []);
    assert(paths.length + named.length > 5);
  });
}

Deno.test("the tests that .ci/arm64 names exist", () => {
  const paths = Array.from(Deno.readTextFileSync(".ci/arm64").matchAll(/tests\/\w+\/\w+_test\.ts/g), ([path]) => path);
  assertEquals(paths.filter((path) => !existsSync(path)), []);
  assert(paths.length > 5);
});

/** Folders named without the room that they are in. */
const PARTS = /^(core|native|load|calls|emit|ggml|api|bindings|modules)\//;

/** The names of the project's own files. */
function filesUnder(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    if (name.startsWith(".") || name === "node_modules" || name === "reference") return [];
    return isDirectory ? filesUnder(join(folder, name)) : [name];
  });
}

/** True if there is such a file and, in a page, such a heading. */
function leads(from: string, link: string): boolean {
  const [path, anchor] = link.split("#");
  const to = path === "" ? resolve(from) : resolve(dirname(from), path);
  try {
    Deno.statSync(to);
  } catch {
    return false;
  }
  return anchor === undefined || (to.endsWith(".md") && anchors(Deno.readTextFileSync(to)).includes(anchor));
}

/** The anchors that GitHub makes of headings. */
function anchors(text: string): string[] {
  const slugger = new GithubSlugger();
  const headings = text.replaceAll(BLOCK, "").matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, heading]) => slugger.slug(heading.replaceAll(/\[([^\]]*)\]\([^)]*\)|`/g, "$1")));
}

/** A heading that is an error, and the first example below it. */
const ENTRY = /^### `(.*)`\n((?:(?!^##)[^])*?)^```ts\n([^]*?)^```/gm;
const ERRORS = [...Deno.readTextFileSync("docs/errors.md").matchAll(ENTRY)].map(([, message, , code]) => ({ message, code }));

Deno.test("every heading of docs/errors.md is an error with an example", () => {
  const headings = [...Deno.readTextFileSync("docs/errors.md").matchAll(/^### (.*)$/gm)].map(([, heading]) => heading);
  assert(headings.length > 15);
  assertEquals(headings, ERRORS.map(({ message }) => `\`${message}\``));
});

for (const { message, code } of ERRORS) {
  Deno.test(`thrown: ${message}`, async () => {
    const thrown: string[] = [];
    const scope = globalThis as { $throws?: (call: () => unknown) => void };
    scope.$throws = (call) => {
      try {
        call();
      } catch (error) {
        thrown.push((error as Error).message);
      }
    };
    const log = console.log;
    console.log = () => {};
    try {
      const marked = code.replaceAll("assertThrows(", "globalThis.$throws(").replace(/^import .*"@std\/assert";$/m, "");
      await import(`data:application/typescript;charset=utf-8,${encodeURIComponent(`// ${message}\n${marked}`)}`);
    } finally {
      console.log = log;
      delete scope.$throws;
    }
    assertEquals(thrown.length, 1);
    const parts = message.split("…"); // what differs from machine to machine
    const pattern = new RegExp(`^${parts.map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join(".*")}$`, "s");
    if (!pattern.test(thrown[0])) assertEquals(thrown[0], message);
  });
}
