/**
 * Replaces a file by a new one at once: whoever looks, and whenever the power fails, finds the old one or the new one, whole.
 *
 * @module
 */

import { inContext } from "../files/path.ts";

/**
 * Writes a file beside the one of that name, and puts it in its place.
 *
 * @param path The file. A symbolic link stays, and what it points to is replaced.
 * @param where The function and file, for errors.
 * @param write Writes the contents. If it throws, nothing has changed.
 */
export async function replaceFile(path: string, where: string, write: (file: Deno.FsFile) => Promise<void>): Promise<void> {
  const target = await Deno.realPath(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return path; // nothing is there yet
    throw inContext(error, where); // renaming needs to read, too: better now than when all is written
  });
  const temporary = `${target}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  let file: Deno.FsFile;
  try {
    file = await Deno.open(temporary, { write: true, createNew: true });
  } catch (error) {
    throw inContext(error, `${where}: can't write beside it`);
  }
  try {
    try {
      await write(file);
      await file.sync();
    } finally {
      file.close();
    }
    await Deno.rename(temporary, target).catch((error) => {
      throw inContext(error, where);
    });
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}
