/**
 * CRC-32, the checksum of zip, gzip and PNG.
 *
 * @module
 */

/** The checksum's next state by its last byte; made when it is first needed. */
let table: Uint32Array | null = null;

function makeTable(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let state = byte;
    for (let i = 0; i < 8; i++) state = state & 1 ? 0xedb88320 ^ (state >>> 1) : state >>> 1;
    return state;
  });
}

/**
 * The checksum of bytes.
 *
 * @param before That of the bytes before them.
 */
export function crc32(bytes: Uint8Array, before = 0): number {
  const next = table ??= makeTable();
  let state = ~before;
  for (let i = 0; i < bytes.length; i++) state = next[(state ^ bytes[i]) & 255] ^ (state >>> 8);
  return ~state >>> 0;
}
