/**
 * A flag that C reads between two nodes of a graph, to stop when it is set. No TypeScript runs for it.
 *
 * ggml asks a plan's `abort_callback` after each node. Here that is a C function which is there already: `ggml_get_no_alloc`, a
 * `bool (*)(struct ggml_context *)` that only reads what `ggml_set_no_alloc` wrote; and its argument is a small context of our own.
 *
 * @module
 */

import { lib } from "../../ffi/generated/lib.js";
import { library } from "../../ffi/load/library.ts";
import { contextOf } from "./context.ts";

/** Bytes of the context, which nothing is made in. */
const CONTEXT_BYTES = 256;

/** The C function, for a plan's `abort_callback`. */
let reader: lib.ggml_abort_callback | null = null;

/** The flag by which one computation is stopped. */
export class Cancel {
  readonly #context: lib.ggml_context = contextOf(CONTEXT_BYTES);

  /** Has a plan look at the flag. The plan keeps it alive. */
  watch(plan: lib.ggml_cplan): void {
    plan.abort_callback = this.callback;
    plan.abort_callback_data = this.#context;
  }

  /** What C calls, for whatever else asks a `ggml_abort_callback`. Nothing here names llama's functions: a tree of ggml's alone has none. */
  get callback(): lib.ggml_abort_callback {
    return reader ??= findReader();
  }

  /** What C calls the function with. */
  get data(): lib.ggml_context {
    return this.#context;
  }

  /** Lets what watches the flag go on. */
  clear(): void {
    lib.ggml_set_no_alloc(this.#context, false);
  }

  /** Stops what watches the flag after the node that it is at. */
  set(): void {
    lib.ggml_set_no_alloc(this.#context, true);
  }

  /** Frees it. Nothing may watch it any more. */
  [Symbol.dispose](): void {
    lib.ggml_free(this.#context);
  }
}

/** The address of the C function, tried out by calling it as ggml will. */
function findReader(): lib.ggml_abort_callback {
  const pointer = library().symbol("ggml_get_no_alloc", { type: "pointer" } as never) as Deno.PointerObject;
  const found = lib.ggml_abort_callback.from(pointer)!;
  const context = contextOf(CONTEXT_BYTES);
  const answers = [false, true, false].map((flag) => {
    lib.ggml_set_no_alloc(context, flag);
    return found.call(context);
  });
  lib.ggml_free(context);
  if (answers.join() !== "false,true,false") {
    throw new Error("computeAsync: this ggml's ggml_get_no_alloc is no flag that a compute can be cancelled by");
  }
  return found;
}
