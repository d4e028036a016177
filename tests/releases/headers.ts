/**
 * What the headers of a release and `api.h` have to say of each other.
 *
 * @module
 */

import type { Api, BoundFunction } from "../../lexer/emit/api/api.ts";
import { selectApi } from "../../lexer/emit/api/select.ts";
import { isPointer } from "../../lexer/emit/api/crossing.ts";
import type { Tree } from "../../lexer/ggml/tree.ts";

/** What is left to do in `api.h`. */
export interface HeaderFacts {
  /** Functions that are bound. */
  readonly bound: number;
  /** Pragmas that say nothing here, and why. */
  readonly stale: readonly string[];
  /** Pointers of which no pragma says a word. */
  readonly unspoken: readonly string[];
  /** What can't be bound, and why, but for macros and headers that aren't there. */
  readonly skipped: readonly string[];
}

/**
 * Looks at a tree.
 *
 * @param llama Whether it has llama.h: without, nothing is said of the pragmas about that.
 * @param known Functions that were looked at in an earlier release: of these only memory whose length nobody said is listed.
 */
export function lookAt({ model }: Tree, known: ReadonlyMap<string, unknown>, llama: boolean): HeaderFacts {
  const api = selectApi(model);
  const pragmas = api.skipped.filter(({ name }) => name.startsWith("#pragma"));
  const others = api.skipped.filter(({ name, reason }) =>
    !name.startsWith("#pragma") && !reason.includes("macro") && !reason.startsWith("no such header")
  );
  return {
    bound: api.functions.length,
    stale: [...api.elsewhere, ...pragmas].filter(({ name }) => llama || !/^#pragma \w+ llama_/.test(name)).map(({ name, reason }) =>
      `${name}: ${reason}`
    ),
    unspoken: unspokenOf(api, known),
    skipped: others.map(({ name, reason }) => `${name}: ${reason}`),
  };
}

function unspokenOf({ functions }: Api, known: ReadonlyMap<string, unknown>): string[] {
  return functions.flatMap((bound) => {
    const mentioned = mentionedIn(bound), isNew = !known.has(bound.declaration.name);
    const parameters = bound.declaration.type.parameters.flatMap(({ name }, i) => {
      const { crossing, nullable } = bound.parameters[i], own = name ?? String(i);
      if (mentioned.has(own) || nullable || bound.lengths.some(({ parameter }) => parameter === i)) return [];
      if (crossing.kind === "data" || crossing.kind === "pointers") return isNew ? [`${own}: how long it is`] : [];
      return isNew && isPointer(crossing) && !COMMON.has(printed(bound, i)) ? [`${own}: whether it may be null, and is kept`] : [];
    });
    const result = isNew && isPointer(bound.result) && !mentioned.has("return") && !isTensor(bound)
      ? ["return: null, and whose it is"]
      : [];
    return [...parameters, ...result].map((what) => `${bound.declaration.name}(${what})`);
  });
}

/** What takes these takes no null and keeps nothing, unless a pragma says so: a tensor's sources, the context that it is made in. */
const COMMON: ReadonlySet<string> = new Set(["ggml_context", "ggml_tensor"]);

function printed({ parameters }: BoundFunction, i: number): string {
  const { crossing } = parameters[i];
  return crossing.kind === "handle" ? crossing.name : crossing.kind === "string" ? "ggml_tensor" : "";
}

function isTensor({ result }: BoundFunction): boolean {
  return result.kind === "handle" && result.name === "ggml_tensor" || result.kind === "string";
}

/** The names that the pragmas of a function mention. */
function mentionedIn({ annotation }: BoundFunction): ReadonlySet<string> {
  const names = new Set<string>();
  for (const said of Object.values(annotation)) {
    if (said instanceof Set || Array.isArray(said)) {
      for (const item of [...said].flat()) names.add(String(item).replace("[]", "").split(".")[0]);
    } else if (said instanceof Map) { for (const name of said.keys()) names.add(String(name)); }
  }
  return names;
}
