/**
 * Finding headers: the search path of `#include`, C17 6.10.2, and the cache of what was read.
 *
 * @module
 */

import { Content } from "./source.ts";

/** A folder of the search path, or a set of headers held in memory. */
export interface SearchFolder {
  readonly path: string;
  readonly system: boolean;
  /** Our own stand-ins: header name to text. */
  readonly texts?: Readonly<Record<string, string>>;
  /** Headers that aren't looked for here. */
  readonly without?: Readonly<Record<string, string>>;
  /** Finds the folder's path, when it comes to it; null where there is none. */
  readonly locate?: () => string | null;
}

/** What is remembered of a file that was read. */
export class CachedFile {
  /** `#pragma once` was seen. */
  once = false;
  /** The name of the include guard around the whole file, if it has one. */
  guard: { readonly macro: unknown } | null = null;
  included = false;
  constructor(readonly path: string, readonly content: Content) {}
}

/** Who includes a header. */
interface Includer {
  readonly path: string;
  readonly system: boolean;
  readonly folder: number;
}

/** A header that was found. */
export interface Found {
  readonly file: CachedFile;
  readonly system: boolean;
  /** Index of the folder, -1 for the includer's own. */
  readonly folder: number;
}

/**
 * Decides for each file whether it belongs to the API that is read or is a system header.
 *
 * @param path The file.
 * @param includer The file that includes it.
 * @param quoted Whether that spells it in quotes.
 */
export type Ownership = (path: string, includer: string, quoted: boolean) => boolean;

/** The search path and the files read along it. */
export class Search {
  readonly #folders: readonly SearchFolder[];
  readonly #read: (path: string) => string | undefined;
  /** Says which headers are bound, whatever they say of themselves. */
  readonly own: Ownership | undefined;
  readonly #files = new Map<string, CachedFile | null>();
  /** Files that are there and could not be read, with the reason. */
  readonly failures: Map<string, string> = new Map();

  constructor(folders: readonly SearchFolder[], read: (path: string) => string | undefined, own?: Ownership) {
    this.#folders = folders;
    this.#read = read;
    this.own = own;
  }

  /** A file by its path; null where there is none. */
  open(path: string): CachedFile | null {
    let file = this.#files.get(path);
    if (file === undefined) {
      let text: string | undefined;
      try {
        text = this.#read(path);
      } catch (error) {
        this.failures.set(path, error instanceof Error ? error.message : String(error));
      }
      file = text === undefined ? null : new CachedFile(path, new Content(text));
      this.#files.set(path, file);
    }
    return file;
  }

  /**
   * Finds a header.
   *
   * @param name As it was spelled, without quotes or angles.
   * @param quoted Whether to look beside the includer first.
   * @param includer Path of the including file, whether it is a system header, and the index of the folder it was found in.
   * @param after Look only in folders after the includer's (`#include_next`).
   */
  find(name: string, quoted: boolean, includer: Includer, after: boolean): Found | null {
    const found = this.#find(name, quoted, includer, after);
    if (found === null || this.own === undefined) return found;
    return { ...found, system: !this.own(found.file.path, includer.path, quoted) };
  }

  #find(name: string, quoted: boolean, includer: Includer, after: boolean): Found | null {
    if (name.startsWith("/") || /^[A-Za-z]:[\\/]/.test(name)) {
      const file = this.open(name);
      return file === null ? null : { file, system: includer.system, folder: -1 };
    }
    let from = 0;
    if (after) from = includer.folder + 1;
    else if (quoted && !includer.path.startsWith("<")) {
      const file = this.open(directory(includer.path) + name);
      // A header beside a system header is one too. The folder stays the includer's, so that #include_next goes on behind it.
      if (file !== null) return { file, system: includer.system, folder: includer.folder };
    }
    for (let i = from; i < this.#folders.length; i++) {
      const folder = this.#folders[i];
      if (folder.without !== undefined && Object.hasOwn(folder.without, name)) continue;
      const base = folder.locate === undefined ? folder.path : this.#located(folder.locate);
      if (base === null) continue;
      const path = folder.texts === undefined ? join(base, name) : `<${base}>/${name}`;
      let file: CachedFile | null | undefined;
      if (folder.texts === undefined) file = this.open(path);
      else {
        file = this.#files.get(path);
        if (file === undefined) {
          file = Object.hasOwn(folder.texts, name) ? new CachedFile(path, new Content(folder.texts[name])) : null;
          this.#files.set(path, file);
        }
      }
      if (file !== null) return { file, system: folder.system, folder: i };
    }
    return null;
  }

  #place: string | null | undefined;

  /** The one folder that has to be looked for. */
  #located(locate: () => string | null): string | null {
    return this.#place === undefined ? this.#place = locate() : this.#place;
  }

  /** Paths of the folders, for messages. */
  get paths(): string[] {
    return this.#folders.filter((folder) => folder.locate === undefined).map((folder) =>
      folder.texts === undefined ? folder.path : `<${folder.path}>`
    );
  }

  /** Why files of this name could not be read, as an addition to a message; "" where that isn't the matter. */
  failure(name: string): string {
    for (const [path, reason] of this.failures) {
      if (path === name || path.endsWith(`/${name}`)) return `; '${path}' can't be read: ${reason}`;
    }
    return "";
  }

  /** Candidates for "did you mean" in place of `wanted`: files that were read, stand-ins, and what lies where `wanted` was looked for. */
  known(wanted: string, includer: string): string[] {
    const names: string[] = [];
    const inside = directory(wanted);
    const places = [directory(includer)];
    for (const folder of this.#folders) {
      if (folder.texts !== undefined) names.push(...Object.keys(folder.texts));
      else if (folder.locate === undefined) places.push(folder.path);
    }
    for (const place of places) names.push(...list(join(place, inside)).map((name) => inside + name));
    for (const [path, file] of this.#files) if (file !== null) names.push(path.slice(path.lastIndexOf("/") + 1));
    return names;
  }
}

/** What a folder holds, as far as it may be read: this is for a hint. */
function list(folder: string): string[] {
  const path = folder === "" ? "." : folder;
  try {
    // Nobody is to be asked for a permission for the sake of a hint.
    if (Deno.permissions.querySync({ name: "read", path }).state !== "granted") return [];
    return [...Deno.readDirSync(path)].map(({ name }) => name);
  } catch {
    return [];
  }
}

/** The path up to its last separator, "" where it has none. */
export function directory(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}

function join(folder: string, name: string): string {
  if (folder === "" || folder === ".") return name;
  return folder.endsWith("/") || folder.endsWith("\\") ? folder + name : `${folder}/${name}`;
}
