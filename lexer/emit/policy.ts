/**
 * What the two products of the writers want otherwise: ggml's bindings, and the modules of `generate` for any other library.
 *
 * There is one writer for each construct of C. It asks here, and nowhere else, for which of the two it writes.
 *
 * @module
 */

import type { Origin, TargetName } from "../model/model.ts";
import type { BoundFunction, BoundRecord } from "./api/api.ts";

/** The ways of one product. */
export interface Policy {
  /**
   * `split`: JavaScript, which loads fastest, and its types in declaration files; the functions are members of one object. `module`: one file of
   * TypeScript, whose functions are its exports.
   */
  readonly form: "split" | "module";
  /**
   * `pragmas`: what the API file says, and what C frees by a function of its own is freed with its handle. `hand`: no API file says anything, so
   * nothing is freed but by the user, and what is kept is kept for ever.
   */
  readonly ownership: "pragmas" | "hand";
  /** Whether C's failures are caught, and what C may come to know of a struct is noted: `ffi/native/` and `ffi/calls/` do it, for ggml. */
  readonly guarded: boolean;
  /** What it is for. */
  readonly target: TargetName;
  /** Says where something is declared: header and line. */
  place(origin: Origin): string;
  /** True for a function in which C may call functions of TypeScript's, whose exceptions it shall throw. */
  mayCallBack(bound: BoundFunction): boolean;
}

/** The ways of ggml's bindings. */
export const BINDINGS: Policy = {
  form: "split",
  ownership: "pragmas",
  guarded: true,
  target: "x86_64-linux",
  place: ({ header, line }) => `${header}:${line}`,
  mayCallBack: ({ annotation }) => annotation.calls,
};

/** What is written of a declaration: the code, its types, or both at once. */
export interface Parts {
  readonly code: boolean;
  readonly types: boolean;
}

/** A declaration in a file of JavaScript, in the declaration file beside it, in one of TypeScript. */
export const CODE: Parts = { code: true, types: false };
/** See {@linkcode CODE}. */
export const TYPES: Parts = { code: false, types: true };
/** See {@linkcode CODE}. */
export const BOTH: Parts = { code: true, types: true };

/** The function that frees what a class stands for; null if there is none. */
export function freeOf({ declaration, free }: BoundRecord, { ownership }: Policy): string | null {
  if (ownership === "pragmas") return free;
  // A struct whose fields are known may go on living after what it holds was freed.
  return declaration.size === null && free !== null && /_free_*$/.test(free) ? free : null;
}

/** The classes of what C frees by a function of its own. */
export function rootsOf(records: readonly BoundRecord[], policy: Policy): ReadonlySet<string> {
  return new Set(records.filter((record) => freeOf(record, policy) !== null).map(({ name }) => name));
}
