/**
 * Notebooks as files: what is in them, and how they are read and written.
 *
 * @module
 */

const ROOT = new URL("../../../", import.meta.url);

/** The folder of the notebooks. */
export const FOLDER = new URL("examples/notebooks/", ROOT);

/** Text as a notebook's file has it: in one string or line by line. */
export type Text = string | readonly string[];

/** What a cell printed, showed or threw. */
export interface Output {
  readonly output_type: string;
  /** Of a stream: `stdout` or `stderr`. */
  readonly name?: string;
  readonly text?: Text;
  /** By media type. */
  readonly data?: Readonly<Record<string, unknown>>;
  readonly traceback?: readonly string[];
  readonly [key: string]: unknown;
}

export interface Cell {
  readonly cell_type: string;
  readonly source: Text;
  readonly outputs?: readonly Output[];
  readonly [key: string]: unknown;
}

/** A notebook, in version 4 of the format. */
export interface Notebook {
  readonly cells: readonly Cell[];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
}

/** The names of the notebooks, in order. */
export async function notebookNames(): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(FOLDER));
  return entries.map(({ name }) => name).filter((name) => name.endsWith(".ipynb")).sort();
}

/** Reads a notebook of the folder. */
export async function readNotebook(name: string): Promise<Notebook> {
  return JSON.parse(await Deno.readTextFile(new URL(name, FOLDER)));
}

export async function writeNotebook(name: string, notebook: Notebook): Promise<void> {
  await Deno.writeTextFile(new URL(name, FOLDER), `${JSON.stringify(notebook, null, 1)}\n`);
}

/** Text in one string. */
export function textOf(text: Text): string {
  return typeof text === "string" ? text : text.join("");
}

/** The notebook as it is committed: without what differs between two machines that compute the same. */
export function tidy(notebook: Notebook): Notebook {
  const root = new RegExp(RegExp.escape(ROOT.href), "g");
  const { kernelspec } = notebook.metadata;
  const cells = notebook.cells.map((cell) => cell.outputs === undefined ? cell : { ...cell, outputs: joinStreams(cell.outputs) });
  return JSON.parse(JSON.stringify({ ...notebook, cells, metadata: { kernelspec, language_info: LANGUAGE } }).replace(root, "…/"));
}

/** What Jupyter needs to know to colour the cells; the kernel adds its version. */
const LANGUAGE = { codemirror_mode: "typescript", file_extension: ".ts", mimetype: "text/x.typescript", name: "typescript" };

/** Streams come in as many pieces as they were sent in. */
function joinStreams(outputs: readonly Output[]): Output[] {
  const joined: Output[] = [];
  for (const output of outputs) {
    const last = joined.at(-1);
    if (output.output_type !== "stream" || last?.output_type !== "stream" || last.name !== output.name) joined.push(output);
    else joined[joined.length - 1] = { ...last, text: linesOf(textOf(last.text!) + textOf(output.text!)) };
  }
  return joined;
}

/** Text line by line, as Jupyter writes it. */
function linesOf(text: string): string[] {
  return text.split(/(?<=\n)/);
}
