/**
 * What two releases have otherwise.
 *
 * @module
 */

import type { RecordSurface, Surface } from "./surface.ts";

/** From one release to another. */
export interface Difference {
  /** Functions that only the other has. */
  readonly added: readonly string[];
  /** Functions that only the first has. */
  readonly gone: readonly string[];
  /** Functions of both that take or give something else, and what. */
  readonly changed: ReadonlyMap<string, Changed>;
}

/** What a function of the same name has otherwise. */
export interface Changed {
  readonly what: string;
  /** True if all of it is that structs have more fields behind those that they had. */
  readonly grew: boolean;
}

/** Compares two surfaces. */
export function compare(from: Surface, to: Surface): Difference {
  const changed = new Map<string, Changed>();
  for (const name of from.functions.keys()) {
    const change = to.functions.has(name) ? changeOf(name, from, to) : null;
    if (change !== null) changed.set(name, change);
  }
  return {
    added: [...to.functions.keys()].filter((name) => !from.functions.has(name)),
    gone: [...from.functions.keys()].filter((name) => !to.functions.has(name)),
    changed,
  };
}

function changeOf(name: string, from: Surface, to: Surface): Changed | null {
  const before = from.functions.get(name)!, after = to.functions.get(name)!;
  if (before.signature !== after.signature) return { what: "other arguments", grew: false };
  const records = before.records.filter((record) => to.records.has(record) && from.records.has(record));
  const kinds = records.map((record) => [record, compareRecords(from.records.get(record)!, to.records.get(record)!)] as const);
  const moved = kinds.filter(([, kind]) => kind === "moved"), grew = kinds.filter(([, kind]) => kind === "grew");
  if (moved.length > 0) return { what: moved.map(([record]) => `another ${record}`).join(" and "), grew: false };
  return grew.length > 0 ? { what: grew.map(([record]) => `another ${record}`).join(" and "), grew: true } : null;
}

/** Whether a struct is as it was, has more fields behind, or has others. */
function compareRecords(from: RecordSurface, to: RecordSurface): "same" | "grew" | "moved" {
  const kept = [...from.fields].every(([field, text]) => to.fields.get(field) === text);
  if (!kept || to.size < from.size) return "moved";
  return to.size === from.size && to.fields.size === from.fields.size ? "same" : "grew";
}

/** The values of enums that two releases number otherwise, those that only count the others left out. */
export function renumbered(from: Surface, to: Surface): string[] {
  return [...from.enums].flatMap(([type, constants]) =>
    [...constants].flatMap(([name, value]) => {
      const now = to.enums.get(type)?.get(name);
      return now === undefined || now === value || name.endsWith("_COUNT") ? [] : [`${type}: ${name} was ${value} and is ${now}`];
    })
  );
}
