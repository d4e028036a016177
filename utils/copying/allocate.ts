/**
 * Memory whose size a caller gave, directly or as a shape.
 *
 * @module
 */

/**
 * New memory of that many bytes.
 *
 * @param where The function, for the error.
 * @throws {RangeError} If there isn't so much.
 */
export function allocate(length: number, where: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw new RangeError(`${where}: no memory for ${length} bytes`, { cause });
  }
}
