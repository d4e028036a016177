/**
 * `GgufError`: what is wrong with a GGUF file, and where in it.
 *
 * @module
 */

/**
 * A malformed GGUF file.
 *
 * @example
 * ```ts
 * import { GgufError, readGguf } from "@ggml/deno/utils";
 *
 * const path = Deno.makeTempFileSync();
 * Deno.writeTextFileSync(path, "GGUF, or is it?");
 * try {
 *   readGguf(path);
 * } catch (error) {
 *   if (error instanceof GgufError) console.log(error.offset, error.field); // 4 version
 * } finally {
 *   Deno.removeSync(path);
 * }
 * ```
 */
export class GgufError extends Error {
  /** `GgufError`. */
  override readonly name = "GgufError";

  /**
   * An error in a file.
   *
   * @param path The file.
   * @param offset Where in the file that begins which is wrong, in bytes.
   * @param field What it is, such as `value of "general.name"`.
   * @param problem What is wrong with it.
   * @param options A `cause`; `where`, the function that reads it, by default `readGguf`.
   */
  constructor(
    readonly path: string,
    readonly offset: number,
    readonly field: string,
    problem: string,
    options: ErrorOptions & { where?: string } = {},
  ) {
    super(`${options.where ?? "readGguf"}: ${path}: at byte ${offset}: ${field}: ${problem}`, options);
  }
}
