/**
 * PNG images, by npm's `fast-png`.
 *
 * @module
 */

import type { Colour } from "./colours.ts";
import { load } from "./package.ts";

/** What is used of the package. */
interface FastPng {
  encode(image: { width: number; height: number; data: Uint8Array; channels: 4; depth: 8 }): Uint8Array;
}

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
    const { encode } = await load<FastPng>("fast-png@8.0.0", "heat maps are made");
    return new Uint8Array(encode({ width: this.width, height: this.height, data: this.#data, channels: 4, depth: 8 }));
  }
}
