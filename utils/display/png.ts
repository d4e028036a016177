// deno-lint-ignore-file no-import-prefix -- an import map would not reach who imports this file by its path
/**
 * PNG images, by npm's `fast-png`.
 *
 * @module
 */

import type { Colour } from "./colours.ts";

/** Dots of colour; those that are never set are transparent. */
export class Dots {
  readonly #data: Uint8Array;

  constructor(readonly width: number, readonly height: number) {
    this.#data = new Uint8Array(width * height * 4);
  }

  /** Fills a square. */
  fill(x: number, y: number, size: number, [red, green, blue]: Colour): void {
    for (let row = y; row < y + size; row++) {
      for (let column = x; column < x + size; column++) this.#data.set([red, green, blue, 255], (row * this.width + column) * 4);
    }
  }

  /** The image as a file. */
  async encode(): Promise<Uint8Array<ArrayBuffer>> {
    const { encode } = await import("npm:fast-png@8.0.0");
    return new Uint8Array(encode({ width: this.width, height: this.height, data: this.#data, channels: 4, depth: 8 }));
  }
}
