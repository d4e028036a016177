/**
 * Replaces a file by a new one at once: whoever looks, and whenever the power fails or the disk is full, finds the old one or the new one, whole.
 *
 * The new one is written beside the old one, under a name that ends in `.tmp`, and is locked meanwhile. A write that was killed leaves such a
 * file, which nobody has locked: the next write to the same file removes it.
 *
 * @module
 */

import { inContext, named } from "./path.ts";

/** Links that lead to links are followed so often, as Linux does. */
const MOST_LINKS = 40;

/** How many writes to one file there may be at a time. */
const MOST_WRITERS = 1000;

/** A file that is written, and takes its place by `commit`. Without it, nothing has changed. */
export class Replacement implements Disposable {
  /** The file that is written to. */
  readonly file: Deno.FsFile;
  readonly #where: string;
  readonly #target: string;
  /** Null if it is no regular file: a pipe or a device is written to as it is. */
  readonly #temporary: string | null;
  #isDone = false;

  /**
   * @param path The file. A symbolic link stays, and what it points to is replaced; mode and owner stay, too. A named pipe or a device of
   * characters, such as a terminal, is written to.
   * @param where The function and file, for errors.
   * @throws {TypeError} If it is a folder, a socket or a block device.
   * @throws {Error} If it can't be written: of Deno's own class.
   */
  constructor(path: string, where: string) {
    this.#where = where;
    const old = named(where, () => statOf(path));
    if (old !== null && !old.isFile) {
      this.#target = path;
      this.#temporary = null;
      this.file = named(where, () => Deno.openSync(path, { write: true }));
      return;
    }
    const target = this.#target = named(where, () => targetOf(path));
    const mode = old?.mode ?? null;
    // Nobody else reads in it what the old file doesn't show them.
    const created = named(`${where}: can't write beside it`, () => createBeside(target, mode === null ? undefined : 0o600));
    this.file = created.file;
    this.#temporary = created.path;
    if (old !== null && mode !== null) {
      try {
        likeOld(created.path, old, mode);
      } catch (error) {
        this[Symbol.dispose]();
        throw inContext(error, where);
      }
    }
  }

  /** Puts what was written in its place, once it is on the disk. */
  async commit(): Promise<void> {
    try {
      if (this.#temporary !== null) await this.file.syncData();
    } catch (error) {
      throw inContext(error, this.#where);
    }
    this.#rename();
  }

  /** {@linkcode commit}, done before it returns. */
  commitSync(): void {
    if (this.#temporary !== null) named(this.#where, () => this.file.syncDataSync());
    this.#rename();
  }

  /** While it is locked still, or another write took it for abandoned. */
  #rename(): void {
    const temporary = this.#temporary;
    if (temporary !== null) named(this.#where, () => Deno.renameSync(temporary, this.#target));
    this.#isDone = true;
  }

  /** Closes it, and removes what isn't in its place. */
  [Symbol.dispose](): void {
    const temporary = this.#temporary;
    if (!this.#isDone && temporary !== null) ignoring(() => Deno.removeSync(temporary));
    this.file.close();
  }
}

/** How much is written by one call. */
const PIECE = 64 * 1024 * 1024;

/** Writes all bytes. */
export function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at, at + PIECE));
}

/** Writes all bytes without waiting for the disk; an error says by `context` what was to be done. */
export async function writeAllAsync(file: Deno.FsFile, bytes: Uint8Array, context: string): Promise<void> {
  try {
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  } catch (error) {
    throw inContext(error, context);
  }
}

/** What is there, if it may be written; null for nothing. */
function statOf(path: string): Deno.FileInfo | null {
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  if (info.isDirectory) throw new TypeError("it is a folder");
  if (info.isSocket) throw new TypeError("it is a socket");
  if (info.isBlockDevice) throw new TypeError("it is a block device");
  // A file that is read-only isn't replaced, either.
  if (info.isFile) Deno.openSync(path, { write: true }).close();
  return info;
}

/** The path behind symbolic links, also of links to what isn't there yet. */
function targetOf(path: string, links = MOST_LINKS): string {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const link = linkAt(path);
  if (link === null) return path;
  if (links === 0) throw new Error(`more than ${MOST_LINKS} symbolic links lead to each other`);
  const isAbsolute = /^([/\\]|[a-z]:)/i.test(link);
  return targetOf(isAbsolute ? link : path.replace(Deno.build.os === "windows" ? /[^/\\]*$/ : /[^/]*$/, "") + link, links - 1);
}

function linkAt(path: string): string | null {
  try {
    return Deno.lstatSync(path).isSymlink ? Deno.readLinkSync(path) : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Makes a file beside another one and locks it. What killed writes left is removed. */
function createBeside(target: string, mode: number | undefined): { path: string; file: Deno.FsFile } {
  for (let i = 0; i < MOST_WRITERS; i++) {
    const path = besideOf(target, i);
    removeAbandoned(path);
    const file = createLocked(path, mode);
    if (file === null) continue;
    while (removeAbandoned(besideOf(target, ++i)));
    return { path, file };
  }
  throw new Error(`there are ${MOST_WRITERS} files ${besideOf(target, 0)} and on already`);
}

function besideOf(target: string, i: number): string {
  return `${target}.ggml-${i}.tmp`;
}

/** A new file that is locked; null if another one is there. */
function createLocked(path: string, mode: number | undefined): Deno.FsFile | null {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path, { write: true, createNew: true, mode });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return null;
    throw error;
  }
  try {
    // Before it was locked, another write may have taken it for abandoned.
    if (lock(file) !== false && isThere(path)) return file;
  } catch (error) {
    ignoring(() => Deno.removeSync(path));
    file.close();
    throw error;
  }
  file.close();
  return null;
}

/** Removes what a killed write left; false if there is nothing, or it is being written. */
function removeAbandoned(path: string): boolean {
  try {
    if (!Deno.lstatSync(path).isFile) return false;
    using file = Deno.openSync(path, { read: true });
    if (!lock(file)) return false;
    Deno.removeSync(path);
    return true;
  } catch {
    return false; // it is gone, or isn't ours
  }
}

/** True if it is locked now, false if somebody else has locked it, null if the file system has no locks. */
function lock(file: Deno.FsFile): boolean | null {
  try {
    return file.tryLockSync(true);
  } catch {
    return null;
  }
}

function isThere(path: string): boolean {
  try {
    return Deno.lstatSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error; // without the permission to read, it isn't known
  }
}

/** Gives a new file the old one's owner, where that may be done, and its mode. */
function likeOld(path: string, old: Deno.FileInfo, mode: number): void {
  if (Deno.build.os === "windows") return;
  const { uid, gid } = Deno.statSync(path);
  if (uid !== old.uid || gid !== old.gid) ignoring(() => Deno.chownSync(path, old.uid, old.gid));
  Deno.chmodSync(path, mode & 0o7777);
}

function ignoring(act: () => void): void {
  try {
    act();
  } catch {
    // what matters was said already
  }
}
