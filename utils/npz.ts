/**
 * `readNpz` and `writeNpz`: several arrays in one file, each with a name, as `numpy.savez` writes them.
 *
 * @module
 */

import { describe, quote } from "../ffi/core/describe.ts";
import type { TensorLike } from "./copying/operand.ts";
import { FileInput, inputOf } from "./files/input.ts";
import { inContext, named, pathOf } from "./files/path.ts";
import { Replacement, writeAll } from "./files/replace.ts";
import { entriesOf, unpack, ZipWriter } from "./files/zip.ts";
import type { NdArray, TypedArray } from "./arrays/ndarray.ts";
import { readArray } from "./npy/array.ts";
import { encodeHeader } from "./npy/header.ts";
import { corners, rowsOf } from "./printing/corners.ts";

/** How many bytes a name may have. */
const LONGEST = 0xffff;

/**
 * Reads all arrays of a `.npz` file, of `numpy.savez` or `numpy.savez_compressed`.
 *
 * @param path The file. Needs `--allow-read` for it.
 * @returns The arrays by their names, in the file's order, each as `readNpy` gives it.
 * @throws {TypeError} If `path` is none, or names no regular file, or there is no typed array for what an array holds.
 * @throws {Error} If it is no `.npz` file, or broken: with the file, the array, the offset, and what is wrong there.
 * @throws {Deno.errors.NotFound} If there is no such file.
 *
 * @example
 * ```ts
 * import { readNpz, writeNpz } from "@ggml/deno/utils";
 *
 * const file = await Deno.makeTempFile({ suffix: ".npz" });
 * await writeNpz(file, { weights: new Float32Array(6), labels: new Int32Array(2) });
 * for (const [name, { dtype, shape }] of await readNpz(file)) console.log(name, dtype, shape); // weights float32 [ 6 ], labels int32 [ 2 ]
 * await Deno.remove(file);
 * ```
 */
export async function readNpz(path: string | URL): Promise<Map<string, NdArray<TypedArray>>> {
  const name = pathOf(path, "readNpz"), where = `readNpz: ${quote(name)}`;
  using file = named(`readNpz: can't open ${quote(name)}`, () => new FileInput(name));
  const arrays = new Map<string, NdArray<TypedArray>>();
  for (const entry of named(where, () => entriesOf(file))) {
    const place = `${where}: ${quote(entry.name)}`, key = entry.name.replace(/\.npy$/, "");
    if (key === entry.name) throw new Error(`${place}: it is no .npy file`);
    if (arrays.has(key)) throw new Error(`${place}: it is there twice`);
    const bytes = await unpack(file, entry).catch((error) => {
      throw inContext(error, where);
    });
    arrays.set(key, named(place, () => readArray(inputOf(bytes), 0).array));
  }
  return arrays;
}

/**
 * Writes arrays to a `.npz` file, which `numpy.load` reads. They are not compressed. There may be any number, of any size: beyond 65,534 arrays, or
 * 4 GiB, the file has the numbers of 64 bits (zip64) that numpy writes then, too.
 *
 * It takes the old file's place when it is complete, as `writeNpy` does.
 *
 * @param path The file, made anew or replaced. Needs `--allow-read` and `--allow-write` for its folder.
 * @param arrays What `writeNpy` takes, by name.
 * @throws {TypeError} If `path`, a name or an array is none, or ggml can't convert a tensor's type.
 * @throws {RangeError} If a name is longer than the 65,535 bytes that an archive has for one.
 * @throws {Error} If a tensor has no memory or was freed, or the file can't be written.
 *
 * @example
 * ```ts
 * import { lib } from "@ggml/deno";
 * import { copy, init, readNpz, writeNpz } from "@ggml/deno/utils";
 *
 * using ctx = init();
 * const a = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, 2, 1);
 * copy([[1, 2]], a);
 * const file = await Deno.makeTempFile({ suffix: ".npz" });
 * await writeNpz(file, { a }); // np.load(file)["a"] is [[1, 2]]
 * console.log((await readNpz(file)).get("a")!.data); // Float32Array(2) [ 1, 2 ]
 * await Deno.remove(file);
 * ```
 */
export async function writeNpz(
  path: string | URL,
  arrays: ReadonlyMap<string, TensorLike> | Readonly<Record<string, TensorLike>>,
): Promise<void> {
  const name = pathOf(path, "writeNpz"), where = `writeNpz: can't write ${quote(name)}`;
  const entries = entriesIn(arrays);
  using replacement = new Replacement(name, where);
  const zip = new ZipWriter((bytes) => named(where, () => writeAll(replacement.file, bytes)));
  for (const [key, array] of entries) {
    const place = `writeNpz: ${quote(key)}`;
    const { values, shape } = corners(rowsOf(array, place), Infinity);
    const bytes = new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength);
    zip.add(`${key}.npy`, [encodeHeader(values, shape), bytes]);
  }
  zip.end();
  await replacement.commit();
}

function entriesIn(arrays: ReadonlyMap<string, TensorLike> | Readonly<Record<string, TensorLike>>): [string, TensorLike][] {
  const isRecord = typeof arrays === "object" && arrays !== null && [Object.prototype, null].includes(Object.getPrototypeOf(arrays));
  if (!isRecord && !(arrays instanceof Map)) {
    throw new TypeError(`writeNpz: expected arrays by name, such as { weights, labels }, got ${describe(arrays)}`);
  }
  const entries: [string, TensorLike][] = arrays instanceof Map ? [...arrays] : Object.entries(arrays);
  for (const [key] of entries) {
    if (typeof key !== "string") throw new TypeError(`writeNpz: expected a string as name, got ${describe(key)}`);
    if (key === "" || key.includes("\0") || !key.isWellFormed()) throw new TypeError(`writeNpz: ${quote(key)} can't be a name`);
    const bytes = new TextEncoder().encode(`${key}.npy`).length;
    if (bytes > LONGEST) throw new RangeError(`writeNpz: expected a name of at most ${LONGEST} bytes with .npy, got one of ${bytes}`);
  }
  return entries;
}
