/**
 * Arrays out of bytes in the format of `.npy`, wherever these are: in a file of their own, or in an archive.
 *
 * @module
 */

import { countOf } from "../copying/box.ts";
import type { Input } from "../files/input.ts";
import { type NdArray, ndarray, type TypedArray } from "../arrays/ndarray.ts";
import { type Header, MAGIC, parseHeader } from "./header.ts";

/** Headers are a line of text; numpy itself reads none above 10,000 bytes unless told to. */
const LONGEST_HEADER = 65_536;

/** Reads the array that begins there; `end` is where it ends. */
export function readArray(input: Input, begin: number): { array: NdArray<TypedArray>; end: number } {
  const { header, end } = readHeader(input, begin), { size } = input;
  const { array, width, shape, isBigEndian, isColumnMajor } = header;
  const count = countOf(shape), bytes = count * width;
  // Nothing is allocated for what isn't there.
  if (end + bytes > size || (end + bytes < size && !isMagic(input, end + bytes))) {
    throw new Error(
      `at ${end}: ${count} elements of ${width} bytes (shape [${shape.join(", ")}]) are ${bytes} bytes, and ${
        size - end
      } follow the header`,
    );
  }
  const data = input.read(end, bytes);
  if (isBigEndian) reverseBytes(data, width);
  const stride = isColumnMajor ? shape.map((_, axis) => countOf(shape.slice(0, axis))) : undefined;
  return { array: ndarray(new array(data.buffer, 0, count), [...shape], stride), end: end + bytes };
}

function isMagic(input: Input, begin: number): boolean {
  const start = input.read(begin, Math.min(MAGIC.length, input.size - begin));
  return MAGIC.every((byte, i) => start[i] === byte);
}

/** Reads all before the numbers: `end` is where they begin. */
function readHeader(input: Input, begin: number): { header: Header; end: number } {
  const { size } = input;
  const start = input.read(begin, Math.min(12, size - begin));
  if (start.length < 10 || MAGIC.some((byte, i) => start[i] !== byte)) {
    throw new Error(`at ${begin}: no .npy file: it must begin with "\\x93NUMPY"`);
  }
  const [major, minor] = start.subarray(6, 8);
  if (major < 1 || major > 3 || minor !== 0) {
    throw new Error(`at ${begin + 6}: version ${major}.${minor} of the format is unknown; 1.0 to 3.0 are read`);
  }
  const head = major === 1 ? 10 : 12, at = begin + head;
  if (start.length < head) throw new Error(`at ${begin + start.length}: the file ends before the header`);
  const view = new DataView(start.buffer);
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > LONGEST_HEADER) {
    throw new Error(`at ${begin + 8}: a header of ${length} bytes; there is no reason for more than ${LONGEST_HEADER}`);
  }
  if (at + length > size) throw new Error(`at ${begin + 8}: the header has ${length} bytes, and ${size - at} follow`);
  const text = new TextDecoder(major === 3 ? "utf-8" : "latin1").decode(input.read(at, length));
  return { header: parseHeader(text, at), end: at + length };
}

function reverseBytes(bytes: Uint8Array, width: number): void {
  for (let at = 0; at < bytes.length; at += width) bytes.subarray(at, at + width).reverse();
}
