/**
 * What the pragmas of lexer/ggml/api.h say of a function, in words: who frees what, and what has to live how long.
 *
 * @module
 */

import type { Api, BoundFunction } from "../../lexer/emit/api/api.ts";

/** Sentences in Markdown. */
export function factsOf(bound: BoundFunction, api: Api): string[] {
  const { annotation, parameters, declaration, frees, freesStruct } = bound;
  const facts: string[] = [];
  const say = (items: Iterable<string>, sentence: (item: string) => string) => {
    for (const item of items) facts.push(sentence(code(item)));
  };
  if (frees || freesStruct) facts.push(`Frees ${code(parameters[0].name)}: it can't be used afterwards, nor what was made of it.`);
  for (const [freed] of annotation.frees) facts.push(`Frees ${code(freed)}: it can't be used afterwards.`);
  const free = annotation.borrows.size === 0 ? freeing(bound, api) : null;
  if (free !== null) {
    facts.push(
      `What it returns is yours to free: with \`using\`, by {@link ${free}}, or by the garbage collector when nothing can reach it.`,
    );
  }
  say(annotation.borrows, () => "What it returns is freed by somebody else.");
  say(annotation.passing, () => "What it returns is valid until the next call that makes it anew.");
  say(annotation.takes, (x) => `After the call ${x} belongs to what took it, and is freed with it.`);
  say(annotation.clears, (x) => `Clears the memory of ${x}: what was made in it is gone, ${x} itself is not.`);
  for (const [holder, kept] of annotation.keeps) {
    facts.push(`${code(holder)} keeps ${kept === "return" ? "what is returned" : code(kept)} alive.`);
  }
  for (const [holder, kept] of annotation.sets) {
    facts.push(`${code(holder)} keeps ${code(kept)} alive, in place of what an earlier call gave it.`);
  }
  for (const [from, graph] of annotation.places) {
    if (graph !== undefined) facts.push(`Gives the tensors of ${code(graph)} memory of ${code(from)}.`);
  }
  for (const [name, { expression }] of annotation.lengths) {
    facts.push(`C uses \`${expression}\` elements of ${code(name)} (bytes of a \`void *\`): fewer are a RangeError.`);
  }
  if (annotation.calls) facts.push("It may run callbacks before it returns: what they throw is thrown here.");
  if (declaration.type.variadic) facts.push("Variadic in C; here the text is taken already formatted.");
  return facts;
}

/** The function that frees what a function returns, if that is the caller's. */
function freeing({ result }: BoundFunction, { records }: Api): string | null {
  if (result.kind !== "handle" && result.kind !== "struct") return null;
  return records.find(({ name }) => name === result.name)?.free ?? null;
}

function code(text: string): string {
  return `\`${text}\``;
}
