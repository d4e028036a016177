/** Typed arrays of classes of the user's own: whatever their constructors take and whatever they call a length, their elements are what counts. */

import { assertEquals, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import {
  copy,
  formatTensor,
  init,
  ndarray,
  quantize,
  readGguf,
  readNpy,
  readNpz,
  tensor,
  toArray,
  view,
  writeGguf,
  writeNpy,
  writeNpz,
} from "@ggml/deno/utils";
import { withFolder } from "../folder.ts";

/** A vector, which has a length of another kind. */
class Vector extends Float32Array {
  override get length(): number {
    return Math.hypot(this[0], this[1]);
  }
}

/** Two numbers a pair, made from how many there are. */
class Pairs extends Float32Array {
  constructor(count: number) {
    super(2 * count);
  }
}

const vector = new Vector([3, 4]), pairs = new Pairs(2);
pairs.set([1, 2, 3, 4]);

Deno.test("subclasses of typed arrays are copied element by element, and not by what they call their length", () => {
  using ctx = init();
  for (const type of [lib.GGML_TYPE_F32, lib.GGML_TYPE_F16, lib.GGML_TYPE_BF16]) {
    const two = lib.ggml_new_tensor_1d(ctx, type, 2), five = lib.ggml_new_tensor_1d(ctx, type, 5);
    copy(vector, two);
    assertEquals([...toArray(two)], [3, 4]);
    assertEquals([...view(two, { allowCopy: new Vector(2) })], [3, 4]);
    assertThrows(() => copy(vector, five), RangeError, "copy: the shapes of Vector of 2 and ");
    assertThrows(() => copy(five, new Vector([3, 4])), RangeError, "Vector of 2 differ");
  }
  assertEquals([...toArray(tensor(ctx, vector))], [3, 4]);
  assertEquals([...quantize(vector, lib.GGML_TYPE_F16)], [...new Uint8Array(new Float16Array([3, 4]).buffer)]);
  class Levels extends Uint8Array {
    override get length(): number {
      return 3;
    }
  }
  copy(new Levels([7, 8]), lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 2));
});

Deno.test("C reads as many bytes as there are, whatever an array says", () => {
  using ctx = init();
  class Large extends Float32Array {
    override get byteLength(): number {
      return 1 << 24;
    }
  }
  class LargeView extends DataView<ArrayBuffer> {
    override get byteLength(): number {
      return 1 << 24;
    }
  }
  const own = Object.defineProperty(new Float32Array(32), "byteLength", { value: 1 << 24 }), to = new Uint8Array(34 * 1000);
  for (const memory of [new Large(32), new LargeView(new ArrayBuffer(128)), own]) {
    const call = () => lib.ggml_quantize_chunk(lib.GGML_TYPE_Q8_0, memory as Float32Array<ArrayBuffer>, to, 0, 1000, 32, null);
    assertThrows(call, RangeError, "ggml_quantize_chunk(src): expected at least 32000 floats");
  }
  const long = Object.defineProperty(new Float32Array(4), "length", { value: 1 << 20 });
  assertThrows(() => copy(long, lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F16, 1 << 20)), RangeError, "Float32Array of 4");
});

Deno.test("subclasses of typed arrays are printed, copied out and written whatever their constructors take", () =>
  withFolder(async (folder) => {
    assertEquals(formatTensor(pairs), "[1. 2. 3. 4.]");
    const array = toArray(ndarray(pairs, [2, 2], [1, 2]));
    assertEquals([array.constructor, [...array]], [Float32Array, [1, 3, 2, 4]]);
    writeNpy(`${folder}/a.npy`, pairs);
    assertEquals([...readNpy(`${folder}/a.npy`).data], [1, 2, 3, 4]);
    await writeNpz(`${folder}/a.npz`, { pairs, vector });
    assertEquals([...(await readNpz(`${folder}/a.npz`)).values()].map(({ data }) => [...data]), [[1, 2, 3, 4], [3, 4]]);
    await writeGguf(`${folder}/a.gguf`, { metadata: { pairs, vector }, tensors: new Map([["vector", vector], ["pairs", pairs]]) });
    using file = readGguf(`${folder}/a.gguf`);
    assertEquals([...file.tensors.values()].map((tensor) => [...tensor.numbers().data]), [[3, 4], [1, 2, 3, 4]]);
    assertEquals(["pairs", "vector"].map((key) => [...file.metadata.get(key)!.value as Float32Array]), [[1, 2, 3, 4], [3, 4]]);
  }));
