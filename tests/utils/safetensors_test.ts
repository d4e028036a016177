/** Safetensors files: every type, what is refused and why, and tensors into contexts and GGUF files. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { copy, init, readGguf, readSafetensors, type TypedArray, view, writeGguf } from "@ggml/deno/utils";

/** A file of a header, given as text or as what it says, and the tensors' bytes. */
function build(header: unknown, data: Uint8Array = new Uint8Array(0)): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const length = new Uint8Array(BigUint64Array.of(BigInt(text.length)).buffer);
  const file = new Uint8Array(length.length + text.length + data.length);
  [length, text, data].reduce((at, part) => (file.set(part, at), at + part.length), 0);
  return file;
}

function withFile<T>(bytes: Uint8Array, test: (path: string) => T): T {
  const path = Deno.makeTempFileSync({ suffix: ".safetensors" });
  Deno.writeFileSync(path, bytes);
  try {
    return test(path);
  } finally {
    Deno.removeSync(path);
  }
}

const bytesOf = (array: TypedArray) => new Uint8Array(array.buffer as ArrayBuffer, array.byteOffset, array.byteLength);

Deno.test("safetensors: numbers of every type that JavaScript has an array for, in any order of the header", () => {
  const arrays: Record<string, TypedArray> = {
    F64: new Float64Array([1, -2]),
    F32: new Float32Array([1, -2]),
    F16: new Float16Array([1, -2]),
    BF16: new Uint16Array([0x3f80, 0xc000]),
    I64: new BigInt64Array([1n, -2n]),
    I32: new Int32Array([1, -2]),
    I16: new Int16Array([1, -2]),
    I8: new Int8Array([1, -2]),
    U64: new BigUint64Array([1n, 2n ** 63n]),
    U32: new Uint32Array([1, 2 ** 31]),
    U16: new Uint16Array([1, 2 ** 15]),
    U8: new Uint8Array([1, 255]),
    BOOL: new Uint8Array([1, 0]),
  };
  const header: Record<string, unknown> = {}, data: number[] = [];
  for (const [dtype, array] of Object.entries(arrays)) {
    header[dtype] = { dtype, shape: [2, 1], data_offsets: [data.length, data.length + array.byteLength] };
    data.push(...bytesOf(array));
  }
  header.F8 = { dtype: "F8_E4M3", shape: [3], data_offsets: [data.length, data.length + 3] };
  data.push(1, 2, 3);
  const reversed = { __metadata__: { format: "pt" }, ...Object.fromEntries(Object.entries(header).reverse()) };
  withFile(build(reversed, new Uint8Array(data)), (path) => {
    using file = readSafetensors(path);
    assertEquals([...file.metadata], [["format", "pt"]]);
    assertEquals([...file.tensors.keys()], Object.keys(header).reverse());
    const f8 = file.tensors.get("F8")!;
    assertEquals(Deno.inspect(f8), `SafetensorsTensor "F8" F8_E4M3 [3], 3 bytes from byte ${f8.offset} on`);
    assertEquals(Deno.inspect(Object.getPrototypeOf(f8)), "SafetensorsTensor {}");
    for (const [dtype, array] of Object.entries(arrays)) {
      const tensor = file.tensors.get(dtype)!, numbers = tensor.numbers<TypedArray>();
      assertEquals([tensor.dtype, tensor.shape, tensor.ne, tensor.byteLength], [dtype, [2, 1], [1, 2], array.byteLength]);
      assertEquals(numbers.shape, [2, 1]);
      assertEquals([...numbers.data], dtype === "BF16" ? [1, -2] : [...array] as never, dtype);
      assertEquals(tensor.bytes(), bytesOf(array));
    }
    const eight = file.tensors.get("F8")!;
    assertEquals([eight.type, [...eight.bytes(1)], [...eight.pieces(2)].length], [null, [2, 3], 2]);
    assertThrows(() => eight.numbers(), TypeError, "no typed array holds F8_E4M3");
    assertThrows(() => eight.bytes(0, 4), RangeError, "there is no part from 0 to 4 of 3 bytes");
    using ctx = init();
    assertThrows(() => eight.load(null as never), TypeError, "ggml has no type F8_E4M3");
    assertThrows(() => eight.load(ctx), TypeError, "ggml has no type F8_E4M3");
    assertThrows(() => eight.loadInto(lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_I8, 3)), TypeError, "ggml has no type F8_E4M3");
    file.close();
    assertThrows(() => eight.bytes(), Error, "was closed");
  });
});

Deno.test("safetensors: tensors are loaded, and written to GGUF files as they are", async () => {
  const numbers = Float32Array.from({ length: 6 }, (_, i) => i / 2);
  const path = Deno.makeTempFileSync(), gguf = Deno.makeTempFileSync();
  try {
    const header = {
      weight: { dtype: "F32", shape: [2, 3], data_offsets: [0, 24] },
      scalar: { dtype: "I32", shape: [], data_offsets: [24, 28] },
      none: { dtype: "F32", shape: [0, 2], data_offsets: [28, 28] },
      five: { dtype: "I8", shape: [1, 1, 1, 1, 2], data_offsets: [28, 30] },
      eight: { dtype: "F8_E4M3", shape: [2], data_offsets: [30, 32] },
    };
    Deno.writeFileSync(path, build(header, new Uint8Array([...bytesOf(numbers), 7, 0, 0, 0, 1, 2, 3, 4])));
    using file = readSafetensors(path);
    using ctx = init();
    const weight = file.tensors.get("weight")!, tensor = weight.load(ctx);
    assertEquals([tensor.name, tensor.ne], ["weight", [3, 2, 1, 1]]);
    assertEquals([...view(tensor).data], [...numbers]);
    copy(new Float32Array(6), tensor);
    weight.loadInto(tensor);
    assertEquals([...view(tensor).data], [...numbers]);
    assertEquals(view<Int32Array>(file.tensors.get("scalar")!.load(ctx)).data[0], 7);
    assertEquals(file.tensors.get("none")!.numbers().data.length, 0);
    assertEquals(file.tensors.get("five")!.numbers().shape.length, 5);
    assertThrows(() => file.tensors.get("five")!.load(ctx), RangeError, "expected at most 4 dimensions");
    assertThrows(() => weight.load(null as never), TypeError, "expected a ggml_context, got null");
    await assertRejects(
      () => writeGguf(gguf, { tensors: [file.tensors.get("eight")!] }),
      TypeError,
      '"eight": ggml has no type F8_E4M3: give an Int32Array of its numbers, or { type, ne, data } with its bytes',
    );
    await writeGguf(gguf, { tensors: file.tensors.values().filter(({ type, ne }) => type !== null && ne.length < 5) });
    using written = readGguf(gguf);
    assertEquals([...written.tensors.get("weight")!.numbers().data], [...numbers]);
  } finally {
    Deno.removeSync(path);
    Deno.removeSync(gguf);
  }
});

Deno.test("safetensors: a broken file is an error that says what is wrong", () => {
  const one = { dtype: "F32", shape: [1], data_offsets: [0, 4] }, four = new Uint8Array(4);
  const cases: [Uint8Array, RegExp][] = [
    [new Uint8Array(0), /no safetensors file: it has 0 bytes/],
    [new Uint8Array([9, 0, 0, 0, 0, 0, 0, 0, 123]), /a header of 9 bytes, and 1 follow/],
    [new Uint8Array(8).fill(255), /a header of 18446744073709551615 bytes, and 0 follow/],
    [build("{"), /the header is no JSON: /],
    [build("[]"), /the header is no JSON object/],
    [build("\xff").subarray(0, 9), /a header of 2 bytes/],
    [new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0, 0xff]), /the header is no UTF-8/],
    [build({ __metadata__: { a: 1 } }), /__metadata__: "a" is no string/],
    [build({ __metadata__: "a" }), /__metadata__ is no JSON object/],
    [build({ a: null }), /tensor "a": expected \{ dtype, shape, data_offsets \}, got null/],
    [build({ a: { ...one, dtype: "Q4" } }, four), /tensor "a": its dtype is the string "Q4"; there are F4, /],
    [build({ a: { ...one, dtype: 1 } }, four), /its dtype is the number 1/],
    [build({ a: { ...one, shape: [-1] } }, four), /its shape is no list/],
    [build({ a: { ...one, shape: [1.5] } }, four), /its shape is no list/],
    [build({ a: { ...one, shape: 1 } }, four), /its shape is no list/],
    [
      build({ a: { ...one, shape: [2 ** 40, 2 ** 40] } }, four),
      /has 38685626227668133590597632 bits, and its data_offsets are 4 bytes apart/,
    ],
    [build({ a: { ...one, data_offsets: [4, 0] } }, four), /its data_offsets are -4 bytes apart/],
    [build({ a: { ...one, data_offsets: [0] } }, four), /no two whole numbers/],
    [build({ a: { ...one, data_offsets: [4, 8] } }, new Uint8Array(8)), /tensor "a": it begins at byte \d+, and the one before it ends at/],
    [build({ a: one, b: one }, four), /tensor "b": it begins at byte/],
    [build({ a: one }, new Uint8Array(3)), /the tensors end at byte \d+, and the file has/],
    [build({ a: one }, new Uint8Array(5)), /the tensors end at byte \d+, and the file has/],
    [
      build(
        '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
        new Uint8Array(8),
      ),
      /begins/,
    ],
  ];
  for (const [bytes, message] of cases) {
    withFile(bytes, (path) => {
      const error = assertThrows(() => readSafetensors(path), Error);
      assert(error.message.startsWith(`readSafetensors: ${path}: `) && message.test(error.message), error.message);
    });
  }
  withFile(build('{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', new Uint8Array(1)), (path) => {
    using file = readSafetensors(path);
    assertEquals([...file.tensors.keys()], ["__proto__"]);
  });
  assertThrows(() => readSafetensors("/no/such/file"), Deno.errors.NotFound, "readSafetensors: /no/such/file: ");
  assertThrows(() => readSafetensors(Deno.cwd()), TypeError, "is not a file");
  assertThrows(() => readSafetensors(undefined as never), TypeError, "readSafetensors: expected a path, got undefined");
});

Deno.test("safetensors: a header of more values than V8 has room for is an error, and one that only looks like it is none", () => {
  const many = `{"__metadata__": {${'"\\u0061":"",'.repeat(2 ** 21)}"b": ""}}`; // ten million keys end the process
  withFile(build(many), (path) => assertThrows(() => readSafetensors(path), Error, "the header has more than 2097152 values"));
  const text = '\\",[{'.repeat(2 ** 20) + "\\\\";
  withFile(build(`{"__metadata__": {"text": "${text}"}}`), (path) => {
    using file = readSafetensors(path);
    assertEquals(file.metadata.get("text")?.length, 4 * 2 ** 20 + 1);
  });
});

Deno.test("safetensors: what a header says reaches no terminal as it is", () => {
  for (const header of ['{"a\x9b": 1}', '{"a": \x9b}', '{"a": {"dtype": "F\\u001b32", "shape": [], "data_offsets": [0, 0]}}']) {
    const { message } = withFile(build(header), (path) => assertThrows(() => readSafetensors(path), Error));
    assert(!/\p{Cc}/u.test(message) && /\\u00(9b|1b)/.test(message), JSON.stringify(message));
  }
});
