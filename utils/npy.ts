/**
 * `readNpy`, `readNpyAll` and `writeNpy`: arrays in numpy's own file format.
 *
 * npm's packages for it (npyjs, numpy-parser) read no 16-bit floats as such, no big-endian and no column-major arrays, trust the header's
 * shape, and write no 16-bit floats; so this is our own. The header's text is `npy/header.ts`'s. The format:
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html. Archives are `npz.ts`'s.
 *
 * @module
 */

import { quote } from "../ffi/core/describe.ts";
import { expectOptions } from "../ffi/core/options.ts";
import { type DimsOption, withDims } from "./copying/dims.ts";
import { FileInput } from "./files/input.ts";
import { named, pathOf } from "./files/path.ts";
import { Replacement, writeAll } from "./files/replace.ts";
import { corners, rowsOf } from "./printing/corners.ts";
import type { NdArray, TypedArray } from "./arrays/ndarray.ts";
import { readArray } from "./npy/array.ts";
import { encodeHeader } from "./npy/header.ts";
import type { TensorLike } from "./copying/operand.ts";

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
export function readNpy<D extends TypedArray = Float32Array>(path: string | URL): NoInfer<NdArray<D>> {
  const name = pathOf(path, "readNpy"), quoted = quote(name);
  using file = named(`readNpy: can't open ${quoted}`, () => new FileInput(name));
  return named(`readNpy: ${quoted}`, () => readArray(file, 0).array) as NdArray<TypedArray> as NdArray<D>;
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
  const name = pathOf(path, "readNpyAll"), quoted = quote(name);
  using file = named(`readNpyAll: can't open ${quoted}`, () => new FileInput(name));
  return named(`readNpyAll: ${quoted}`, () => {
    const arrays: NdArray<TypedArray>[] = [];
    for (let begin = 0; begin < file.size || arrays.length === 0;) {
      const { array, end } = readArray(file, begin);
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
  const { dims } = expectOptions("writeNpy", options, ["dims"]);
  const { values, shape } = corners(rowsOf(withDims(array, dims, "writeNpy"), "writeNpy"), Infinity);
  const header = encodeHeader(values, shape);
  const where = `writeNpy: can't write ${quote(name)}`;
  using replacement = new Replacement(name, where);
  named(where, () => {
    writeAll(replacement.file, header);
    writeAll(replacement.file, new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength));
  });
  replacement.commitSync();
}
