/**
 * Watching: some functions are wrapped where they are bound, to note what C keeps to itself and a check must know.
 *
 * @module
 */

import { wrappers as aborting } from "./aborting.ts";
import { wrappers as backends } from "./backends.ts";
import { wrappers as enlarging } from "./enlarging.ts";
import { wrappers as loaded } from "./loaded.ts";
import { wrappers as numbering } from "../load/numbering.ts";
import { wrappers as plans } from "./plans.ts";
import { wrappers as processCallbacks } from "./process_callbacks.ts";
import { wrappers as schedulers } from "./schedulers.ts";
import { wrappers as told } from "./told.ts";

// deno-lint-ignore no-explicit-any
type Bound = (...args: any[]) => any;

/** What is put around functions, by name: from the bound symbol to the one that is called. */
export type Wrappers = Readonly<Record<string, (symbol: Bound) => Bound>>;

/** A symbol as the generated functions call it. */
export function watched(name: string, symbol: Bound): Bound {
  const wrappers = [aborting, backends, enlarging, loaded, numbering, plans, processCallbacks, schedulers, told].find((wrappers) =>
    Object.hasOwn(wrappers, name)
  );
  return wrappers === undefined ? symbol : wrappers[name](symbol);
}
