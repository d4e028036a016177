/**
 * The headers for other people's tools: the front end's model as text that cffi's `cdef` reads, and as the JSON that `peers/ggml_ctypes.py` reads.
 *
 * So those peers need no C compiler. `regenerate`'s peer does it cffi's own way.
 *
 * @module
 */

import { dump, type Model, parse, printType, type RecordDeclaration } from "@ggml/deno/lexer";

/** Both forms of ggml's declarations. */
export interface Declarations {
  readonly cdef: string;
  readonly json: string;
}

/** Reads `ggml.h` and `ggml-cpu.h` of a llama.cpp tree. */
export function readDeclarations(tree: string): Declarations {
  const include = [`${tree}/ggml/include`, `${tree}/include`];
  const { model } = parse(["ggml.h", "ggml-cpu.h"].map((name) => `${include[0]}/${name}`), { include, target: "x86_64-linux" });
  return { cdef: cdef(model, tree), json: JSON.stringify(dump(model)) };
}

/** The tree's own declarations, the records that have no tag first; cffi knows the standard types by itself. */
function cdef(model: Model, tree: string): string {
  const ours = ({ file }: { file: string }) => file.startsWith(tree);
  const records = model.records.filter(ours);
  const tagged = records.filter(({ name }) => name !== null);
  const typedefs = model.typedefs.filter(ours).map(({ name, type }) => ({ name, text: printType(type, name) }));
  return [
    ...model.enums.filter(ours).map(({ name, values }) => {
      return `enum ${name ?? ""} { ${values.map(({ name, value }) => `${name} = ${value}`).join(", ")} };`;
    }),
    ...tagged.map(({ kind, name }) => `${kind} ${name};`),
    ...records.filter(({ name, alias }) => name === null && alias !== null).map((record) => `typedef ${body(record)} ${record.alias};`),
    ...typedefs.filter(({ name, text }) => text !== `${name} ${name}`).map(({ text }) => `typedef ${text};`),
    ...tagged.filter(({ size }) => size !== null).map((record) => `${body(record)};`),
    ...model.functions.filter(ours).map(({ name, type }) => `${printType(type, name)};`),
  ].join("\n");
}

function body({ kind, name, fields }: RecordDeclaration): string {
  return `${kind} ${name ?? ""} { ${fields.map(({ name, type }) => `${printType(type, name ?? "")};`).join(" ")} }`;
}
