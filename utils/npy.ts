/**
 * `readNpy`, `readNpyAll` and `writeNpy`: arrays in numpy's own file format.
 *
 * npm's packages for it (npyjs, numpy-parser) read no 16-bit floats as such, no big-endian and no column-major arrays, trust the header's
 * shape, and write no 16-bit floats; so this is our own. The header's text is `npy_header.ts`'s. The format:
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html. Archives of several arrays (`.npz`) are not read.
 *
 * @module
 */

import { countOf } from "./copying/box.ts";
import { inContext, pathOf } from "./files/path.ts";
import { Replacement } from "./files/replace.ts";
import { corners, rowsOf } from "./printing/corners.ts";
import { type NdArray, ndarray, type TypedArray } from "./ndarray.ts";
import { encodeHeader, type Header, parseHeader } from "./npy_header.ts";
import type { TensorLike } from "./copying/operand.ts";

const MAGIC = [0x93, ...new TextEncoder().encode("NUMPY")];

/** Headers are a line of text; numpy itself reads none above 10,000 bytes unless told to. */
const LONGEST_HEADER = 65_536;

/** How much is read or written by one call. */
const PIECE = 64 * 1024 * 1024;

/**
 * Reads an array from a `.npy` file. Of several in one file it reads the first, as `numpy.load` does; {@linkcode readNpyAll} reads all.
 *
 * @param path The file.
 * @returns The numbers, with the file's shape. What they are follows the file, which TypeScript doesn't know: say `readNpy<Int32Array>(path)`.
 * Booleans are 0 and 1 in a `Uint8Array`. An array in column-major order (`fortran_order`) gets strides that say so.
 * @throws {TypeError} If `path` is none, or names no regular file, or there is no typed array for what is in the file (text, objects, complex numbers, structures).
 * @throws {Error} If it is no `.npy` file, or broken: with the file, the offset, and what is wrong there.
 * @throws {Deno.errors.NotFound} If there is no such file.
 * @throws {Deno.errors.NotCapable} Without `--allow-read`.
 *
 * @example
 * ```ts
 * import { readNpy, writeNpy } from "@ggml/deno/utils";
 *
 * const file = await Deno.makeTempFile({ suffix: ".npy" });
 * writeNpy(file, new Float32Array([1, 2, 3])); // np.load(file) reads it
 * console.log(readNpy(file).shape); // [ 3 ]
 * await Deno.remove(file);
 * ```
 */
export function readNpy<D extends TypedArray = Float32Array>(path: string | URL): NdArray<D> {
  const name = pathOf(path, "readNpy"), quoted = JSON.stringify(name);
  using file = named(`readNpy: can't open ${quoted}`, () => open(name));
  return named(`readNpy: ${quoted}`, () => readArray(file, 0, file.statSync().size).array) as NdArray<TypedArray> as NdArray<D>;
}

/**
 * Reads all arrays of a `.npy` file, into which `numpy.save` was called several times.
 *
 * @param path The file.
 * @returns The arrays in the file's order, each as `readNpy` gives the first.
 * @throws What `readNpy` throws.
 *
 * @example
 * ```ts
 * import { readNpyAll, writeNpy } from "@ggml/deno/utils";
 *
 * const file = await Deno.makeTempFile({ suffix: ".npy" });
 * writeNpy(file, new Float32Array([1, 2, 3]));
 * Deno.writeFileSync(file, Deno.readFileSync(file), { append: true }); // np.save(file, array) again
 * console.log(readNpyAll(file).length); // 2
 * await Deno.remove(file);
 * ```
 */
export function readNpyAll(path: string | URL): NdArray<TypedArray>[] {
  const name = pathOf(path, "readNpyAll"), quoted = JSON.stringify(name);
  using file = named(`readNpyAll: can't open ${quoted}`, () => open(name));
  return named(`readNpyAll: ${quoted}`, () => {
    const arrays: NdArray<TypedArray>[] = [], { size } = file.statSync();
    for (let begin = 0; begin < size || arrays.length === 0;) {
      const { array, end } = readArray(file, begin, size);
      arrays.push(array);
      begin = end;
    }
    return arrays;
  });
}

/**
 * Writes an array to a `.npy` file, which `numpy.load` reads.
 *
 * It is written beside the file and then put in its place: who reads meanwhile sees the old file or the new, never a part, and what fails
 * leaves the old one as it was. That needs `--allow-read` and `--allow-write` for the folder. A symbolic link stays, and what it points to is replaced; the
 * mode stays, too. A named pipe is written to, and waits for its reader.
 *
 * @param path The file, made anew or replaced.
 * @param array A tensor of any layout, in any backend's memory, a part of one (`slice`), an `ndarray`, or a typed array. Numbers are written as they are, but BF16 and
 * quantized types, which numpy hasn't got, as 32-bit floats. The shape is row-major: a tensor's `ne` reversed.
 * @throws {TypeError} If `path` or `array` is none, or names a folder, a socket or a block device, or ggml can't convert the tensor's type.
 * @throws {Error} If a tensor has no memory or was freed, or the file can't be written.
 *
 * @example
 * ```ts
 * import { lib } from "@ggml/deno";
 * import { copy, init, readNpy, writeNpy } from "@ggml/deno/utils";
 *
 * using ctx = init({ memSize: 1024 * 1024 });
 * const a = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_Q8_0, 32, 2);
 * copy(new Float32Array(64).fill(0.5), a);
 *
 * const file = await Deno.makeTempFile({ suffix: ".npy" });
 * writeNpy(file, a);
 * const read = readNpy(file);
 * console.log(read.dtype, read.shape); // float32 [ 2, 32 ]
 * await Deno.remove(file);
 * ```
 */
export function writeNpy(path: string | URL, array: TensorLike): void {
  const name = pathOf(path, "writeNpy");
  const { values, shape } = corners(rowsOf(array, "writeNpy"), Infinity);
  const header = encodeHeader(values, shape);
  const where = `writeNpy: can't write ${JSON.stringify(name)}`;
  using replacement = new Replacement(name, where);
  named(where, () => {
    writeAll(replacement.file, header);
    writeAll(replacement.file, new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength));
  });
  replacement.commitSync();
}

function open(name: string): Deno.FsFile {
  // Asked before it is opened: opening a named pipe waits for who writes to it.
  if (!Deno.statSync(name).isFile) throw new TypeError("it is no regular file");
  return Deno.openSync(name, { read: true });
}

/** Reads the array that begins there; `end` is where it ends. */
function readArray(file: Deno.FsFile, begin: number, size: number): { array: NdArray<TypedArray>; end: number } {
  const { header, end } = readHeader(file, begin, size);
  const { array, width, shape, isBigEndian, isColumnMajor } = header;
  const count = countOf(shape), bytes = count * width;
  // Nothing is allocated for what isn't there.
  if (end + bytes > size || (end + bytes < size && !isMagic(file, end + bytes, size))) {
    throw new Error(
      `at ${end}: ${count} elements of ${width} bytes (shape [${shape.join(", ")}]) are ${bytes} bytes, and ${
        size - end
      } follow the header`,
    );
  }
  const data = readAt(file, end, bytes);
  if (isBigEndian) reverseBytes(data, width);
  const stride = isColumnMajor ? shape.map((_, axis) => countOf(shape.slice(0, axis))) : undefined;
  return { array: ndarray(new array(data.buffer, 0, count), [...shape], stride), end: end + bytes };
}

function isMagic(file: Deno.FsFile, begin: number, size: number): boolean {
  const start = readAt(file, begin, Math.min(MAGIC.length, size - begin));
  return MAGIC.every((byte, i) => start[i] === byte);
}

/** Reads all before the numbers: `end` is where they begin. */
function readHeader(file: Deno.FsFile, begin: number, size: number): { header: Header; end: number } {
  const start = readAt(file, begin, Math.min(12, size - begin));
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
  const text = new TextDecoder(major === 3 ? "utf-8" : "latin1").decode(readAt(file, at, length));
  return { header: parseHeader(text, at), end: at + length };
}

function readAt(file: Deno.FsFile, begin: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  file.seekSync(begin, Deno.SeekMode.Start);
  readAll(file, bytes, begin);
  return bytes;
}

function readAll(file: Deno.FsFile, bytes: Uint8Array, offset: number): void {
  for (let at = 0; at < bytes.length;) {
    const read = file.readSync(bytes.subarray(at, at + PIECE));
    if (read === null) throw new Error(`at ${offset + at}: the file ended while it was read`);
    at += read;
  }
}

function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at, at + PIECE));
}

function reverseBytes(bytes: Uint8Array, width: number): void {
  for (let at = 0; at < bytes.length; at += width) bytes.subarray(at, at + width).reverse();
}

/** What `act` throws with a text before it that says where it happened, and otherwise the same. */
function named<T>(text: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw inContext(error, text);
  }
}
