/**
 * `readNpy` and `writeNpy`: arrays in numpy's own file format, one array a file.
 *
 * npm's packages for it (npyjs, numpy-parser) read no 16-bit floats as such, no big-endian and no column-major arrays, trust the header's
 * shape, and write no 16-bit floats; so this is our own. The header's text is `npy_header.ts`'s. The format:
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html. Archives of several arrays (`.npz`) are not read.
 *
 * @module
 */

import { countOf } from "./copying/box.ts";
import { type DimsOption, withDims } from "./copying/dims.ts";
import { describe } from "../ffi/describe.ts";
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
 * Reads an array from a `.npy` file.
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
  return named(`readNpy: ${quoted}`, () => readArray(file)) as NdArray<TypedArray> as NdArray<D>;
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
 * @param options `dims`: how many dimensions the file's shape has.
 * @throws {RangeError} If the array has more dimensions than `dims`.
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
export function writeNpy(path: string | URL, array: TensorLike, options: DimsOption = {}): void {
  const name = pathOf(path, "writeNpy");
  if (typeof options !== "object" || options === null) throw new TypeError(`writeNpy: expected { dims }, got ${describe(options)}`);
  const { values, shape } = corners(rowsOf(withDims(array, options.dims, "writeNpy"), "writeNpy"), Infinity);
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

function readArray(file: Deno.FsFile): NdArray<TypedArray> {
  const { size } = file.statSync();
  const { header, end } = readHeader(file, size);
  const { array, width, shape, isBigEndian, isColumnMajor } = header;
  const count = countOf(shape), bytes = count * width;
  // Nothing is allocated for what isn't there.
  if (end + bytes !== size) {
    throw new Error(
      `at ${end}: ${count} elements of ${width} bytes (shape [${shape.join(", ")}]) are ${bytes} bytes, and ${
        size - end
      } follow the header`,
    );
  }
  const data = new Uint8Array(bytes);
  readAll(file, data, end);
  if (isBigEndian) reverseBytes(data, width);
  const stride = isColumnMajor ? shape.map((_, axis) => countOf(shape.slice(0, axis))) : undefined;
  return ndarray(new array(data.buffer, 0, count), [...shape], stride);
}

/** Reads all before the numbers: `end` is where they begin. */
function readHeader(file: Deno.FsFile, size: number): { header: Header; end: number } {
  const start = new Uint8Array(Math.min(12, size));
  readAll(file, start, 0);
  if (start.length < 10 || MAGIC.some((byte, i) => start[i] !== byte)) {
    throw new Error('at 0: no .npy file: it must begin with "\\x93NUMPY"');
  }
  const [major, minor] = start.subarray(6, 8);
  if (major < 1 || major > 3 || minor !== 0) {
    throw new Error(`at 6: version ${major}.${minor} of the format is unknown; 1.0 to 3.0 are read`);
  }
  const begin = major === 1 ? 10 : 12;
  if (start.length < begin) throw new Error(`at ${start.length}: the file ends before the header`);
  const view = new DataView(start.buffer);
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > LONGEST_HEADER) throw new Error(`at 8: a header of ${length} bytes; there is no reason for more than ${LONGEST_HEADER}`);
  if (begin + length > size) throw new Error(`at 8: the header has ${length} bytes, and ${size - begin} follow`);
  const text = new Uint8Array(length);
  file.seekSync(begin, Deno.SeekMode.Start);
  readAll(file, text, begin);
  return { header: parseHeader(new TextDecoder(major === 3 ? "utf-8" : "latin1").decode(text), begin), end: begin + length };
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
