/**
 * The file under a `readGguf`: opened once, read anywhere, closed by hand or by the garbage collector.
 *
 * @module
 */

import { describe } from "../../ffi/describe.ts";

/** Files whose `Source` nobody can reach any more. */
const abandoned = new FinalizationRegistry<Deno.FsFile>((file) => file.close());

/** Bytes that one call reads at most. */
const MOST = 16 * 1024 * 1024;

/** An open file. */
export class Source {
  readonly path: string;
  /** Its size in bytes when it was opened. */
  readonly size: number;
  #file: Deno.FsFile | null;

  /**
   * @param path The file.
   * @throws {Error} If it isn't there, isn't a file, or may not be read: of Deno's own class, with the path in front.
   */
  constructor(path: string) {
    this.path = path;
    try {
      // Asked before it is opened: opening a named pipe waits for who writes to it.
      const { isFile } = Deno.statSync(path);
      if (!isFile) throw new TypeError("is not a file");
      this.#file = Deno.openSync(path, { read: true });
    } catch (error) {
      throw inContext(error, `readGguf: ${path}`);
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

/**
 * A path as the system takes it.
 *
 * @param where The function, for the error.
 * @throws {TypeError} If it is no path, and no `file:` URL.
 */
export function pathOf(path: string | URL, where: string): string {
  if (typeof path === "string") return path;
  if (!(path instanceof URL)) throw new TypeError(`${where}: expected a path, got ${describe(path)}`);
  if (path.protocol !== "file:") throw new TypeError(`${where}: expected a path or a file: URL, got ${path.href}`);
  const name = decodeURIComponent(path.pathname);
  return Deno.build.os === "windows" ? name.slice(1) : name;
}

/** An error of the same class that says what was being done. */
export function inContext(error: unknown, context: string): Error {
  const { message, constructor } = error as Error;
  const hint = error instanceof Deno.errors.NotCapable ? `${context}: permission is missing: ${message}` : `${context}: ${message}`;
  return new (constructor as ErrorConstructor)(hint, { cause: error });
}
