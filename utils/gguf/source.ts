/**
 * The file under a `readGguf` or `readSafetensors`: opened once, read anywhere, closed by hand or by the garbage collector.
 *
 * @module
 */

import { inContext, named } from "../files/path.ts";

/** Files whose `Source` nobody can reach any more. */
const abandoned = new FinalizationRegistry<Deno.FsFile>((file) => file.close());

/** The files that tensors are read from, by their maps of those. */
const sources = new WeakMap<ReadonlyMap<string, unknown>, Source>();

/** Notes which file tensors are in. */
export function noteSource(tensors: ReadonlyMap<string, unknown>, source: Source): void {
  sources.set(tensors, source);
}

/** The file that tensors are in, if we opened it. */
export function sourceOf(tensors: ReadonlyMap<string, unknown>): Source | null {
  return sources.get(tensors) ?? null;
}

/** Bytes that one call reads at most. */
const MOST = 16 * 1024 * 1024;

/** An open file. */
export class Source {
  readonly path: string;
  /** The function that opened it, for errors. */
  readonly where: string;
  /** Its size in bytes when it was opened. */
  readonly size: number;
  /** Which file it is, and how it was: another one has taken its path where that tells another. */
  readonly #state: string;
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
    const info = this.#file.statSync();
    this.size = info.size;
    this.#state = stateOf(info);
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

  /**
   * Throws where its path leads to another file by now, or it was written to: who opens it again would find other bytes.
   *
   * @param where The function, for errors.
   * @throws {Error} So, and if nothing is there any more, of Deno's own class.
   */
  expectUnchanged(where: string): void {
    const now = named(`${where}: ${this.path}`, () => Deno.statSync(this.path));
    if (stateOf(now) !== this.#state) {
      throw new Error(`${where}: ${this.path} was replaced or written to since it was opened: open it again`);
    }
  }

  /** Closes it; twice is harmless. */
  close(): void {
    abandoned.unregister(this);
    this.#file?.close();
    this.#file = null;
  }
}

function stateOf({ dev, ino, size, mtime }: Deno.FileInfo): string {
  return `${dev} ${ino} ${size} ${mtime?.getTime()}`;
}
