/** What the examples in the documentation say that they print is what they print: `console.log(…); // this`, and then maybe `: why`. */

import { assert, assertEquals } from "@std/assert";

const FILES = ["README.md", ...["docs", "utils", "ffi", "lexer", "models"].flatMap(filesIn)];

function filesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
      const path = `${folder}/${name}`;
      if (isDirectory) return filesIn(path);
      return /\.(ts|md)$/.test(name) ? [path] : [];
    });
  } catch {
    return []; // there is no such folder
  }
}

interface Example {
  readonly where: string;
  readonly code: string;
  /** What each statement that says what it prints is to print, by its number. */
  readonly said: readonly string[];
}

const FENCE = /^( *\* ?)?```(?:ts|typescript)\n(.*?)^(?: *\* ?)?```/gms;
/** The comment begins as a value does, not with prose. */
const STATEMENT = /^console\.log\((.*)\); \/\/ ((?:[-[{\d]|true\b|false\b|[A-Z]\w*Array\b).*)$/;

function examplesIn(path: string): Example[] {
  const text = Deno.readTextFileSync(path);
  return [...text.matchAll(FENCE)].flatMap((match) => {
    const said: string[] = [];
    const code = match[2].split("\n").map((line) => line.replace(/^ *\* ?/, "")).map((line) => {
      const statement = STATEMENT.exec(line);
      if (statement === null) return line;
      said.push(statement[2]);
      return `await globalThis.$printed(${said.length - 1}, ${statement[1]});`;
    }).join("\n");
    return said.length === 0 ? [] : [{ where: `${path}:${text.slice(0, match.index).split("\n").length}`, code, said }];
  });
}

const examples = FILES.flatMap(examplesIn);

Deno.test("there are examples that say what they print", () => assert(examples.length > 20, `${examples.length}`));

for (const { where, code, said } of examples) {
  Deno.test(`the example at ${where} prints what it says`, async () => {
    const printed: string[] = [];
    const scope = globalThis as { $printed?: (index: number, ...values: unknown[]) => void };
    scope.$printed = (index, ...values) => {
      printed[index] = values.map((value) => typeof value === "string" ? value : Deno.inspect(value)).join(" ").replace(/\s+/g, " ");
    };
    const log = console.log;
    console.log = () => {};
    try {
      await import(`data:application/typescript;charset=utf-8,${encodeURIComponent(code)}`);
    } finally {
      console.log = log;
      delete scope.$printed;
    }
    said.forEach((comment, i) => {
      const text = printed[i];
      if (!comment.startsWith(text) || !["", ":", ",", " "].includes(comment.slice(text.length, text.length + 1))) {
        assertEquals(text, comment, where);
      }
    });
  });
}
