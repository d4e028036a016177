/**
 * A tree of ggml's headers: a llama.cpp tree, a ggml tree or an installed ggml, and what its headers declare.
 *
 * @module
 */

import { parse, type ParseResult } from "../mod.ts";

/** What the headers of a tree declare. */
export interface Tree extends ParseResult {
  /** The ggml release, null where the tree doesn't say. */
  readonly release: string | null;
}

/**
 * Reads the headers of a tree.
 *
 * @param tree The tree, or the folder that holds the headers.
 * @param api The C file that includes those that are wanted.
 * @throws {Error} If there is no such folder.
 */
export function readTree(tree: string, api: string): Tree {
  const result = parse([api], { include: headerFolders(tree), target: "x86_64-linux", read: readHeader, macros: true });
  return { ...result, release: releaseOf(tree) };
}

/** The folders of a llama.cpp tree, a ggml tree or an installed ggml that hold headers. */
function headerFolders(tree: string): string[] {
  const root = tree.replace(/[/\\]+$/, "");
  if (!isFolder(root)) throw new Error(`no such folder: ${tree}`);
  const folders = [`${root}/ggml/include`, `${root}/include`, root].filter(isFolder);
  return folders;
}

/** True for a folder in which ggml's headers are found. */
export function isTree(tree: string): boolean {
  return headerFolders(tree).some((folder) => readHeader(`${folder}/ggml.h`) !== undefined);
}

/** The text of a file, undefined where there is none. ggml-openvino.h includes a C++ header that it doesn't use; in C there is nothing in it. */
export function readHeader(path: string): string | undefined {
  if (path.endsWith("/cstring")) return "";
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return undefined;
  }
}

/** The ggml release of a tree, as its CMakeLists.txt states it; null where there is none. */
function releaseOf(tree: string): string | null {
  for (const path of [`${tree}/ggml/CMakeLists.txt`, `${tree}/CMakeLists.txt`]) {
    const text = readHeader(path);
    if (text === undefined) continue;
    const parts = ["MAJOR", "MINOR", "PATCH"].map((part) => new RegExp(`set\\(GGML_VERSION_${part} +(\\d+)\\)`).exec(text)?.[1]);
    if (parts.every((part) => part !== undefined)) return parts.join(".");
  }
  return null;
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return false;
  }
}
