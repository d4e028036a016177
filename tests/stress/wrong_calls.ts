/**
 * Makes every call of `../ffi/checks/cases.ts`, so that AddressSanitizer sees what C reads and writes before it fails, and what is looked at before it.
 *
 * @module
 */

import { cases } from "../ffi/checks/cases.ts";

let count = 0;
for (const [name, list] of Object.entries(cases)) {
  for (const [call, says] of list) {
    try {
      call();
      console.log(`${name}${says}: nothing was thrown`);
    } catch {
      count++;
    }
  }
}
(globalThis as unknown as { gc(): void }).gc();
console.log(`${count} calls are Errors`);
