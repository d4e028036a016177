/**
 * Bytes to be read anywhere: of a file, or in memory.
 *
 * @module
 */

/** How much is read by one call. */
const PIECE = 64 * 1024 * 1024;

/** Bytes that can be read anywhere. */
export interface Input {
  /** How many bytes there are. */
  readonly size: number;
  /** The `length` bytes from `begin` on, in memory of their own. They must be there. */
  read(begin: number, length: number): Uint8Array<ArrayBuffer>;
}

/** An open file. */
export class FileInput implements Input, Disposable {
  readonly size: number;
  readonly #file: Deno.FsFile;

  /**
   * @param path The file.
   * @throws {TypeError} If it is a folder, a pipe or a device.
   * @throws {Error} If it isn't there or may not be read: of Deno's own class.
   */
  constructor(path: string) {
    // Asked before it is opened: opening a named pipe waits for who writes to it.
    if (!Deno.statSync(path).isFile) throw new TypeError("it is no regular file");
    this.#file = Deno.openSync(path, { read: true });
    this.size = this.#file.statSync().size;
  }

  read(begin: number, length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    this.#file.seekSync(begin, Deno.SeekMode.Start);
    for (let at = 0; at < length;) {
      const count = this.#file.readSync(bytes.subarray(at, at + PIECE));
      if (count === null) throw new Error(`at ${begin + at}: the file ended while it was read`);
      at += count;
    }
    return bytes;
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** Bytes in memory. */
export function inputOf(bytes: Uint8Array<ArrayBuffer>): Input {
  return { size: bytes.length, read: (begin, length) => bytes.slice(begin, begin + length) };
}
