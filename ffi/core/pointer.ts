/**
 * Pointers to what has no class.
 *
 * @module
 */

import { cstringAt } from "./cstring.ts";
import { disposePointer } from "./ending.ts";
import { withoutElements } from "./elements.ts";
import { externalBuffer, freedError, Handle } from "./handle.ts";
import { show } from "./shown.ts";

/** A pointer to something that has no class: `void *`, `float *`, `char **`. */
export class Pointer extends Handle {
  /**
   * The bytes that it points to, without a copy.
   *
   * @param byteLength How many bytes to show. C doesn't say; a wrong number reads what isn't yours.
   * @returns A view that keeps the owner alive for as long as it lives itself. If the owner is freed by hand, it is detached: empty.
   */
  bytes(byteLength: number): Uint8Array<ArrayBuffer> {
    if (this.owner.freed) throw freedError(this, "bytes");
    return show(new Uint8Array(externalBuffer(this.address, byteLength, this.owner)));
  }

  /** The text that it points to, up to the NUL. Where there is none it reads what isn't yours. */
  text(): string {
    if (this.owner.freed) throw freedError(this, "text");
    return cstringAt(this.pointer);
  }

  /**
   * Frees what it points to, if C made that for the caller (`ggml_backend_graph_plan_create`) or `own` said how; twice is harmless.
   *
   * @throws {Error} If it points to what is not freed by itself.
   */
  [Symbol.dispose](): void {
    disposePointer(this);
  }
}

withoutElements(
  Pointer,
  (index) =>
    `say so, as in new Int32Array(pointer.bytes(4 * count).buffer)[${index}], or give the struct's field an array of your own and write to that: ` +
    `Int32Array.of(…), or [Int32Array.of(…), …] where there are pointers in it`,
);
