/** Files of numpy's: what numpy wrote is read, what we wrote numpy reads, and a broken file is an error that says where. */

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { copy, init, type NdArray, ndarray, readNpy, readNpyAll, type TypedArray, view, writeNpy } from "@ggml/deno/utils";
import { newTensor, ramp, wave, withContext } from "../context.ts";
import { python, runNumpy } from "./numpy.ts";
import { withFolder } from "../folder.ts";
import { program } from "../process.ts";

/** The elements in row-major order. */
function elements({ data, shape, stride, offset }: NdArray<TypedArray>): (number | bigint)[] {
  const visit = (axis: number, at: number): (number | bigint)[] =>
    axis === shape.length ? [data[at]] : Array.from({ length: shape[axis] }, (_, i) => visit(axis + 1, at + i * stride[axis])).flat();
  return visit(0, offset);
}

function roundTrip(array: Parameters<typeof writeNpy>[1]): NdArray<TypedArray> {
  let read!: NdArray<TypedArray>;
  withFolder((folder) => {
    writeNpy(`${folder}/a.npy`, array);
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["a.npy"]);
    read = readNpy<TypedArray>(`${folder}/a.npy`) as NdArray<TypedArray>;
  });
  return read;
}

Deno.test("npy: every kind of typed array and shape comes back as it was", () => {
  const arrays = [Int8Array, Int16Array, Int32Array, BigInt64Array, Uint8Array, Uint16Array, Uint32Array, BigUint64Array, Float16Array];
  for (const array of [...arrays, Float32Array, Float64Array] as (new (length: number) => TypedArray)[]) {
    const data = new array(6);
    for (let i = 0; i < 6; i++) data[i] = typeof data[0] === "bigint" ? BigInt(i * 7) as never : i * 7;
    for (const shape of [[6], [2, 3], [3, 1, 2, 1], [6, 1]]) {
      const read = roundTrip(ndarray(data, shape));
      assertEquals([read.shape, read.data], [shape, data]);
      assertEquals(read.data.constructor, array);
    }
  }
  assertEquals(roundTrip(ndarray(new Float32Array([7]), [])).shape, []);
  assertEquals(roundTrip(new Float32Array(0)).shape, [0]);
  assertEquals(roundTrip(ndarray(new Float32Array(0), [3, 0, 2])).shape, [3, 0, 2]);
  const transposed = ndarray(new Float32Array([1, 2, 3, 4, 5, 6]), [2, 3]).transpose(1, 0);
  assertEquals([...roundTrip(transposed).data], [1, 4, 2, 5, 3, 6]);
});

Deno.test("npy: tensors of any type and layout", () => {
  withContext((ctx) => {
    const a = newTensor(ctx, lib.GGML_TYPE_F32, 4, 3, 2);
    copy(ramp(Float32Array, [2, 3, 4]), a);
    assertEquals([...roundTrip(a).shape], [2, 3, 4]);
    const permuted = lib.ggml_permute(ctx, a, 1, 2, 0, 3);
    assertEquals(roundTrip(permuted).shape, view(permuted).shape);
    assertEquals([...roundTrip(permuted).data], elements(view<Float32Array>(permuted) as NdArray<TypedArray>));
    for (const type of [lib.GGML_TYPE_BF16, lib.GGML_TYPE_Q4_K, lib.GGML_TYPE_Q8_0]) {
      const q = newTensor(ctx, type, 256, 3);
      copy(wave(768), q);
      const read = roundTrip(q);
      assertEquals([read.shape, read.data], [[3, 256], view(q, { allowCopy: true }).data]);
    }
    const half = newTensor(ctx, lib.GGML_TYPE_F16, 3);
    copy(new Float32Array([0.1, -2, Infinity]), half);
    assertEquals(roundTrip(half).data, new Float16Array([0.1, -2, Infinity]));
  });
});

const DTYPES = ["<f2", "<f4", "<f8", ">f2", ">f4", ">f8", "<i2", ">i4", "<i8", ">i8", "|i1", "|u1", ">u2", "<u4", "<u8", "|b1"];

Deno.test({ name: "npy: what numpy wrote is read", ignore: python === null }, async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const cases = DTYPES.flatMap((dtype) =>
      [[5], [], [2, 3], [0, 4], [2, 3, 4, 1]].flatMap((shape) =>
        [[1, 0], [2, 0], [3, 0]].flatMap((version) => ["C", "F"].map((order) => ({ dtype, shape, version, order })))
      )
    ).map((c, i) => ({ ...c, file: `${folder}/${i}.npy` }));
    const wanted = await runNumpy(
      `
for line in sys.stdin:
    c = json.loads(line)
    n = int(np.prod(c["shape"]))
    a = (np.arange(n) * 37 - 5 * (c["dtype"][1] in "fi")).astype(c["dtype"]).reshape(c["shape"])
    with open(c["file"], "wb") as file:
        np.lib.format.write_array(file, np.asarray(a, order=c["order"]), version=tuple(c["version"]))
    print(json.dumps([str(x) for x in a.astype(np.float64).flatten().tolist()]))
`,
      cases,
    );
    cases.forEach(({ dtype, shape, file, order }, i) => {
      const read = readNpy<TypedArray>(file) as NdArray<TypedArray>;
      assertEquals(read.shape, shape);
      assertEquals(elements(read).map(Number), (wanted[i] as string[]).map(Number), `${dtype} [${shape}] ${order}`);
    });
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test({ name: "npy: what we wrote numpy reads", ignore: python === null }, async () => {
  const folder = Deno.makeTempDirSync();
  try {
    using ctx = init();
    const q = newTensor(ctx, lib.GGML_TYPE_Q8_0, 32, 2);
    copy(wave(64), q);
    const arrays: (TypedArray | NdArray<TypedArray> | lib.ggml_tensor)[] = [
      new Float16Array([0.1, NaN, -Infinity]),
      ndarray(new Float32Array([0.1, 2, 3, 4, 5, 6]), [3, 2]).transpose(1, 0) as NdArray<TypedArray>,
      new Float64Array([Math.PI]),
      new BigInt64Array([-(2n ** 63n)]),
      new Uint8Array([255]),
      ndarray(new Int16Array([-3]), []) as NdArray<TypedArray>,
      new BigUint64Array([2n ** 64n - 1n]),
      q,
    ];
    arrays.forEach((array, i) => writeNpy(`${folder}/${i}.npy`, array));
    const read = await runNumpy(
      `
for line in sys.stdin:
    a = np.load(json.loads(line))
    with open(json.loads(line), "rb") as file: np.load(file); assert file.read() == b""
    print(json.dumps([a.dtype.str, list(a.shape), base64.b64encode(np.ascontiguousarray(a).tobytes()).decode()]))
`,
      arrays.map((_, i) => `${folder}/${i}.npy`),
    );
    const bytes = (array: TypedArray) => new Uint8Array(array.buffer as ArrayBuffer).toBase64();
    assertEquals(read, [
      ["<f2", [3], bytes(arrays[0] as TypedArray)],
      ["<f4", [2, 3], bytes(new Float32Array([0.1, 3, 5, 2, 4, 6]))],
      ["<f8", [1], bytes(arrays[2] as TypedArray)],
      ["<i8", [1], bytes(arrays[3] as TypedArray)],
      ["|u1", [1], bytes(arrays[4] as TypedArray)],
      ["<i2", [], bytes(new Int16Array([-3]))],
      ["<u8", [1], bytes(arrays[6] as TypedArray)],
      ["<f4", [2, 32], bytes(view(q, { allowCopy: true }).data)],
    ]);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

/** A file of version `major` with a header and so many bytes of data. */
function file(header: string, data: number, { major = 1, claimed = header.length } = {}): Uint8Array {
  const length = major === 1 ? [claimed & 255, claimed >> 8] : [...new Uint8Array(new Uint32Array([claimed]).buffer)];
  return new Uint8Array([
    0x93,
    ...new TextEncoder().encode("NUMPY"),
    major,
    0,
    ...length,
    ...new TextEncoder().encode(header),
    ...new Uint8Array(data),
  ]);
}

const dictionary = (descr: string, shape: string, order = "False") =>
  `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }\n`;

Deno.test("npy: hostile and broken files are errors that name file, offset and what is wrong", () => {
  withFolder((folder) => {
    const path = `${folder}/x.npy`;
    const bad = (bytes: Uint8Array, message: RegExp, type = Error) => {
      Deno.writeFileSync(path, bytes);
      const error = assertThrows(() => readNpy(path), type);
      assertMatch(error.message, message);
      assert(error.message.startsWith(`readNpy: ${JSON.stringify(path)}: at `), error.message);
    };
    bad(new Uint8Array(0), /at 0: no \.npy file/);
    bad(new TextEncoder().encode("PK\x03\x04 an archive"), /at 0: no \.npy file/);
    bad(file("", 0).subarray(0, 9), /at 0: no \.npy file/);
    bad(file("", 0, { major: 4 }), /at 6: version 4\.0 of the format is unknown/);
    bad(file("", 0, { major: 2 }).subarray(0, 11), /at 11: the file ends before the header/);
    bad(file("{}", 0, { claimed: 900 }), /at 8: the header has 900 bytes, and 2 follow/);
    bad(file("{}", 0, { major: 2, claimed: 2 ** 32 - 1 }), /at 8: a header of 4294967295 bytes/);
    bad(file(dictionary("'<f4'", "(4,)"), 12), /at 68: 4 elements of 4 bytes \(shape \[4\]\) are 16 bytes, and 12 follow/);
    bad(file(dictionary("'<f4'", "(4,)"), 20), /are 16 bytes, and 20 follow/);
    bad(file(dictionary("'<f8'", "(9007199254740991, 9007199254740991)"), 8), /shape \[9007199254740991, 9007199254740991\]/);
    bad(file(dictionary("'<f8'", "(99999999999999999999,)"), 8), /at \d+: .*expected a number below 2\^53, not 100000000000000000000/);
    bad(file(dictionary("'<f8'", "(-1,)"), 8), /expected a whole number that isn't negative, found "-1,\)/);
    bad(file(dictionary("'<f8'", "(1.5,)"), 8), /expected ',', found "\.5,\)/);
    bad(file(dictionary("'<f8'", "(3)"), 24), /expected ',', found "\)/);
    bad(file(dictionary("'<f8'", `(${"1,".repeat(65)})`), 8), /65 dimensions; there are at most 64/);
    bad(file(dictionary("'<f8'", "3"), 24), /expected a string, found "3, \}/);
    bad(file(dictionary("'<f8'", "'3'"), 24), /'shape' is no tuple/);
    bad(file(dictionary("'<f8'", "(1,)", "'no'"), 8), /'fortran_order' is neither True nor False/);
    bad(file(dictionary("True", "(1,)"), 8), /'descr' is no string/);
    bad(file("{'descr': '<f4', 'shape': (1,)}", 4), /'fortran_order' is neither/);
    bad(file("{'descr': '<f4', 'descr': '<f8'}", 4), /one entry 'descr', and this is the second/);
    bad(file("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': True}", 4), /unknown entry 'more'/);
    bad(file("{'descr': __import__('os').system('true')}", 4), /expected a string, found "__import__/);
    bad(file("{'descr': '<f4' 'shape'", 4), /expected ',' or '\}'/);
    bad(file(`${"{".repeat(60000)}`, 4), /expected a string, found "\{\{/);
    bad(file(dictionary("'<f4'", "(1,)") + "x", 4), /expected the end of the header, found "x"/);
    for (const descr of ["'<c8'", "'|O'", "'<U5'", "'|V2'", "'<f16'", "'<M8[ns]'", "''"]) {
      bad(file(dictionary(descr, "(1,)"), 8), /elements of type '.*', which no typed array holds/, TypeError);
    }
    bad(file(dictionary("[('a', '<f4')]", "(1,)"), 8), /elements of type \[\('a', '<f4'\)\], which no typed array holds/, TypeError);
    bad(file(dictionary("('<f4', (2,))", "(1,)"), 8), /elements of type \('<f4', \(2,\)\), which no typed array holds/, TypeError);
    for (const descr of ["'g'", "'<float32'", "'Float32'", "'a'", "'4f'", "'f4,f4'", "'constructor'", "''"]) {
      bad(file(dictionary(descr, "(1,)"), 8), /elements of type '.*', which no typed array holds/, TypeError);
    }
  });
});

Deno.test("npy: every name of a simple type, u'' keys and several arrays in a file are read as numpy reads them", {
  ignore: python === null,
}, async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const letters = [..."efdbhilqpBHILQP?"],
      words = "bool float16 half float32 single float64 float double int8 byte uint8 ubyte int16 short uint16"
        .split(" ").concat("ushort int32 intc uint32 uintc int64 int longlong intp uint64 uint ulonglong uintp".split(" "));
    const coded = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"];
    const names = [...words, ...[...letters, ...coded].flatMap((name) => ["", "<", ">", "=", "|"].map((order) => order + name))];
    const script = `
for i, name in enumerate(json.loads(sys.stdin.readline())):
    dtype = np.lib.format.descr_to_dtype(name)
    with open(f"{sys.argv[1]}/{i}.npy", "wb") as file:
        text = f"{{u'descr': '{name}', u'fortran_order': False, u'shape': (3L,), }}".replace("3L", "3").ljust(117) + "\\n"
        file.write(b"\\x93NUMPY\\x01\\x00" + len(text).to_bytes(2, "little") + text.encode() + np.array([1, 0, 1]).astype(dtype).tobytes())
        np.save(file, np.arange(4, dtype="<f4").reshape(2, 2))
    loaded = np.load(f"{sys.argv[1]}/{i}.npy")
    print(json.dumps([loaded.dtype.newbyteorder("<").str[1:], loaded.astype(float).tolist()]))
`;
    const expected = await runNumpy(script, [names], folder) as [string, number[]][];
    assertEquals(expected.length, names.length);
    const kinds = { float: "f", int: "i", uint: "u", bigint: "i", biguint: "u" };
    names.forEach((name, i) => {
      const path = `${folder}/${i}.npy`, read = readNpy<TypedArray>(path), [kind, numbers] = expected[i];
      assertEquals(elements(read as NdArray<TypedArray>).map(Number), numbers, name);
      const [, word, bits] = /^([a-z]+)(\d+)$/.exec(read.dtype)!;
      assertEquals(`${kinds[word as keyof typeof kinds]}${Number(bits) / 8}`, kind === "b1" ? "u1" : kind, name);
      assertEquals(readNpyAll(path).map(({ shape }) => shape), [[3], [2, 2]]);
    });
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("npy: a missing file, a folder, a wrong path, a wrong array", () => {
  withFolder((folder) => {
    const missing = assertThrows(() => readNpy(`${folder}/none.npy`), Deno.errors.NotFound);
    assertMatch(missing.message, /^readNpy: can't open ".*none\.npy": /);
    assertMatch(assertThrows(() => readNpy(folder), TypeError).message, /^readNpy: can't open ".*": it is no regular file$/);
    assertMatch(
      assertThrows(() => writeNpy(new URL("file:///%ff.npy"), new Float32Array(1)), TypeError).message,
      /^writeNpy: expected a URL whose escapes are UTF-8, got file:\/\/\/%ff.npy$/,
    );
    if (Deno.build.os !== "windows") {
      new Deno.Command("mkfifo", { args: [`${folder}/pipe.npy`] }).outputSync();
      assertMatch(assertThrows(() => readNpy(`${folder}/pipe.npy`), TypeError).message, /it is no regular file$/); // and didn't wait
      Deno.removeSync(`${folder}/pipe.npy`);
    }
    assertEquals(assertThrows(() => readNpy(3 as never), TypeError).message, "readNpy: expected a path, got the number 3");
    assertMatch(
      assertThrows(() => writeNpy(`${folder}/no/a.npy`, new Float32Array(1)), Deno.errors.NotFound).message,
      /^writeNpy: can't write /,
    );
    assertMatch(
      assertThrows(() => writeNpy(`${folder}/a.npy`, [1] as never), TypeError).message,
      /^writeNpy: expected a tensor, a slice, an ndarray/,
    );
    const endless = { data: new Float32Array(1), shape: [2 ** 40], stride: [0], offset: 0 };
    assertMatch(
      assertThrows(() => writeNpy(`${folder}/a.npy`, endless as never), RangeError).message,
      /^writeNpy: no memory for \d+ bytes$/,
    );
    Deno.mkdirSync(`${folder}/taken/in`, { recursive: true });
    assertThrows(() => writeNpy(`${folder}/taken`, new Float32Array(1)), Error);
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["taken"]);
  });
});

Deno.test("npy: without permission it says which, and nothing is left behind", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const { stdout } = await program(
      `
      import { readNpy, writeNpy } from "@ggml/deno/utils";
      for (const act of [() => readNpy("${folder}/a.npy"), () => writeNpy("${folder}/a.npy", new Float32Array(1))]) {
        try { act(); } catch (error) { console.log((error as Error).name, (error as Error).message); }
      }`,
      ["--allow-ffi"],
    );
    assertMatch(stdout, /^NotCapable readNpy: can't open .*--allow-read.*\nNotCapable writeNpy: can't write .*--allow-read/);
    assertEquals([...Deno.readDirSync(folder)], []);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("npy: what a header says reaches no terminal as it is", () =>
  withFolder((folder) => {
    const path = `${folder}/a.npy`;
    for (
      const text of [
        "{'descr': '<f4\x1b[31m', }",
        "{'\x1bkey': '<f4', }",
        "{'descr': [('\x1b', '<f4')], }",
        "{'\x1b': 'f4', '\x1b': 'f4'}",
        "\x1b",
      ]
    ) {
      const header = `${text.includes("descr'") ? text.replace(" }", " 'fortran_order': False, 'shape': (1,), }") : text}`;
      Deno.writeFileSync(
        path,
        new Uint8Array([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, header.length, 0, ...new TextEncoder().encode(header)]),
      );
      const { message } = assertThrows(() => readNpy(path), Error);
      assertMatch(message, /\\u001b/);
      assert(!/\p{Cc}/u.test(message), JSON.stringify(message));
    }
  }));
