/**
 * What a call has C log, warnings and errors, to say why C failed: some of its functions tell only the log.
 *
 * C keeps them for the call in which they were logged (`struct hearing` in native.h), whatever others log at the time, on whatever thread and in
 * whatever isolate. A listener hears them as ever; where there is none, they aren't printed, but by {@linkcode Heard.print}.
 *
 * @module
 */

import { type LogMessage, takeMessages } from "../native/log.ts";
import { slotOfThread, trapCode } from "../native/trap.ts";
import { withHearer } from "./hearer.ts";

/** Beside the level of a message that a listener has, too: `CAPTURED` in native.h. */
const CAPTURED = 0x100;

/** Where `hearing` lies in `struct slot` of trap.c. */
const HEARING = 40n;

/** What a terminal may take for a command. */
// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x1f\x7f-\x9f]/g;

/** Where nothing was heard: a logger of the program's own has it, or, where there is no trap, C printed it. Or C logged nothing. */
export const ELSEWHERE = "C's log may say why";

/** What one call has C log. */
export class Heard {
  #text = "";
  /** What no listener has of it. */
  #unheard = "";

  /** Hears a synchronous call. Where there is no trap nothing is heard. */
  during<T>(call: () => T): T {
    const code = trapCode();
    if (code === null) return call();
    const place = slotOfThread() + HEARING, hearing = words(place);
    hearing[0] = 1n;
    try {
      return call();
    } finally {
      hearing[0] = 0n;
      this.add(takeMessages(code, place + 8n));
    }
  }

  /** Hears a call on another thread: a function of `lib.async`, or one that begins an `Aside`'s call before it returns. */
  aside<T>(begin: () => Promise<T>): Promise<T> {
    return withHearer(this, begin);
  }

  /** Notes messages that were kept. */
  add(messages: readonly LogMessage[]): void {
    for (const { level, text } of messages) {
      this.#text += text;
      if ((level & CAPTURED) === 0) this.#unheard += text;
    }
  }

  /** The lines, once the call has ended. */
  texts(): string[] {
    return linesOf(this.#text);
  }

  /** Why C failed, as far as it logged that, without the names of its functions. */
  why(): string {
    return this.texts().map((line) => line.replace(/^(?:\w+: )+/, "")).join("; ") || ELSEWHERE;
  }

  /** Prints the lines that no listener has, but for some. */
  print(except: RegExp | null = null): void {
    for (const line of linesOf(this.#unheard)) if (except?.test(line) !== true) console.error(line);
  }
}

function linesOf(text: string): string[] {
  return text.split(/\r?\n/).filter((line) => line !== "").map((line) => line.replace(CONTROL, "?"));
}

/** `struct hearing`. */
function words(place: bigint): BigUint64Array<ArrayBuffer> {
  return new BigUint64Array(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(place)!, 16));
}
