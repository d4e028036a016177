/**
 * The file under a `readGguf` or `readSafetensors`: opened once, read anywhere, closed by hand or by the garbage collector.
 *
 * @module
 */

import { inContext } from "../files/path.ts";

/** Files whose `Source` nobody can reach any more. */
const abandoned = new FinalizationRegistry<Deno.FsFile>((file) => file.close());

/** Bytes that one call reads at most. */
const MOST = 16 * 1024 * 1024;

/** An open file. */
export class Source {
  readonly path: string;
  /** The function that opened it, for errors. */
  readonly where: string;
  /** Its size in bytes when it was opened. */
  readonly size: number;
  #file: Deno.FsFile | null;

  /**
   * @param path The file.
   * @param where The function, for errors.
   * @throws {Error} If it isn't there, isn't a file, or may not be read: of Deno's own class, with the path in front.
   */
  constructor(path: string, where: string) {
    this.path = path;
    this.where = where;
    try {
      // Asked before it is opened: opening a named pipe waits for who writes to it.
      const { isFile } = Deno.statSync(path);
      if (!isFile) throw new TypeError("is not a file");
      this.#file = Deno.openSync(path, { read: true });
    } catch (error) {
      throw inContext(error, `${where}: ${path}`);
    }
    this.size = this.#file.statSync().size;
    abandoned.register(this, this.#file, this);
  }

  /**
   * Fills `target` with the bytes from `offset` on.
   *
   * @param where The function, for errors.
   * @throws {Error} If the file was closed, or is shorter than it was.
   */
  readInto(target: Uint8Array<ArrayBuffer>, offset: number, where: string): void {
    const file = this.#file;
    if (file === null) throw new Error(`${where}: ${this.path} was closed`);
    file.seekSync(offset, Deno.SeekMode.Start);
    for (let done = 0; done < target.length;) {
      const count = file.readSync(target.subarray(done, done + MOST));
      if (count === null) throw new Error(`${where}: ${this.path} became shorter: it ends at byte ${offset + done}`);
      done += count;
    }
  }

  /** Closes it; twice is harmless. */
  close(): void {
    abandoned.unregister(this);
    this.#file?.close();
    this.#file = null;
  }
}
