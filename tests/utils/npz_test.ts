/** Archives of numpy's: what numpy wrote is read, what we wrote numpy reads, and a broken one is an error that says where. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { lib } from "@ggml/deno";
import { copy, init, ndarray, readNpz, writeNpz } from "@ggml/deno/utils";
import { FileInput } from "../../utils/files/input.ts";
import { entriesOf, unpack, ZipWriter } from "../../utils/files/zip.ts";
import { python, runNumpy } from "./numpy.ts";
import { withFolder } from "../folder.ts";

Deno.test("npz: tensors, ndarrays and typed arrays come back as they were", () =>
  withFolder(async (folder) => {
    using ctx = init();
    const tensor = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F16, 3, 2), path = `${folder}/a.npz`;
    copy([1, 2, 3, 4, 5, 6], tensor);
    const across = ndarray(new Int32Array([1, 2, 3, 4]), [2, 2], [1, 2]);
    await writeNpz(path, { tensor, across, "größe/量": new BigInt64Array([1n]), none: new Uint8Array(0) });
    const read = await readNpz(path);
    assertEquals([...read.keys()], ["tensor", "across", "größe/量", "none"]);
    assertEquals([read.get("tensor")!.dtype, read.get("tensor")!.shape], ["float16", [2, 3]]);
    assertEquals([...read.get("across")!.data], [1, 3, 2, 4] as never);
    assertEquals(read.get("none")!.shape, [0]);
    await writeNpz(path, new Map());
    assertEquals((await readNpz(path)).size, 0);
    assertEquals([...Deno.readDirSync(folder)].length, 1);
  }));

Deno.test("npz: numpy reads ours, and we read numpy's, compressed or not", { ignore: python === null }, () =>
  withFolder(async (folder) => {
    const script = `
for line in sys.stdin: pass
a, b, c = np.arange(6000, dtype=">f4").reshape(2, 3000), np.asfortranarray(np.arange(6, dtype="i8").reshape(2, 3)), np.array(True)
np.savez(sys.argv[1] + "/plain.npz", a=a, b=b, c=c)
np.savez_compressed(sys.argv[1] + "/packed.npz", a=a, b=b, c=c)
np.savez(sys.argv[1] + "/unnamed.npz", a, b)
ours = np.load(sys.argv[1] + "/ours.npz")
print(json.dumps([[name, ours[name].dtype.str, ours[name].tolist()] for name in ours.files]))
`;
    await writeNpz(`${folder}/ours.npz`, { x: ndarray(new Float32Array([1, 2, 3, 4, 5, 6]), [3, 2]), "über": new Uint16Array([7]) });
    assertEquals(await runNumpy(script, [], folder), [[["x", "<f4", [[1, 2], [3, 4], [5, 6]]], ["über", "<u2", [7]]]]);
    for (const name of ["plain", "packed"]) {
      const read = await readNpz(`${folder}/${name}.npz`);
      assertEquals(Array.from(read, ([key, { dtype, shape }]) => [key, dtype, shape]), [
        ["a", "float32", [2, 3000]],
        ["b", "bigint64", [2, 3]],
        ["c", "uint8", []],
      ]);
      assertEquals([read.get("a")!.get(1, 2999), read.get("b")!.get(1, 0)], [5999, 3n]);
    }
    assertEquals([...(await readNpz(`${folder}/unnamed.npz`)).keys()], ["arr_0", "arr_1"]);
  }));

Deno.test(
  "npz: numbers of 64 bits, as numpy writes them for large files, are read",
  { ignore: python === null },
  () =>
    withFolder(async (folder) => {
      // numpy's limits lowered: from 100 bytes and 3 files on, Python writes what it writes from 4 GiB and 65,535 files on.
      const script = `
import zipfile
for line in sys.stdin: pass
zipfile.ZIP64_LIMIT, zipfile.ZIP_FILECOUNT_LIMIT = 100, 2
for save, name in (np.savez, "plain"), (np.savez_compressed, "packed"):
  save(sys.argv[1] + "/" + name + ".npz", a=np.arange(1000), b=np.arange(3.0), c=np.arange(5, dtype="u1"))
print(open(sys.argv[1] + "/plain.npz", "rb").read().count(b"PK\\x06\\x06"))
`;
      assertEquals(await runNumpy(script, [], folder), [1]); // it has the larger end of a directory
      for (const name of ["plain", "packed"]) {
        const read = await readNpz(`${folder}/${name}.npz`);
        assertEquals(Array.from(read, ([key, { shape }]) => [key, shape]), [["a", [1000]], ["b", [3]], ["c", [5]]]);
        assertEquals([read.get("a")!.get(999), read.get("b")!.get(2), read.get("c")!.get(4)] as unknown[], [999n, 2, 4]);
      }
    }),
);

Deno.test("npz: 66,000 arrays are written and read", () =>
  withFolder(async (folder) => {
    const count = 66_000, path = `${folder}/many.npz`;
    await writeNpz(path, new Map(Array.from({ length: count }, (_, i) => [`${i}`, Float32Array.of(i)])));
    const read = await readNpz(path);
    assertEquals([read.size, read.get("0")!.get(0), read.get(`${count - 1}`)!.get(0)], [count, 0, count - 1]);
    if (python === null) return;
    const script = `
for line in sys.stdin: pass
many = np.load(sys.argv[1])
print(json.dumps([len(many.files), many["65999"].tolist()]))
`;
    assertEquals(await runNumpy(script, [], path), [[count, [65999]]]);
  }));

Deno.test("npz: sizes and places in 64 bits are read by Python and by us", () =>
  withFolder(async (folder) => {
    const path = `${folder}/large.zip`, parts: Uint8Array[] = [];
    // From 100 bytes on instead of 4 GiB: the first entry's sizes, the second's place, both of the third, and the directory's.
    const zip = new ZipWriter((bytes) => parts.push(bytes.slice()), 100);
    const contents = [200, 10, 300].map((length, i) => new Uint8Array(length).fill(i + 1));
    contents.forEach((bytes, i) => zip.add(`${i}.npy`, [bytes.subarray(0, 5), bytes.subarray(5)]));
    zip.end();
    Deno.writeFileSync(path, new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer()));
    using file = new FileInput(path);
    const entries = entriesOf(file);
    assertEquals(entries.map(({ name, size }) => [name, size]), [["0.npy", 200], ["1.npy", 10], ["2.npy", 300]]);
    for (const [i, entry] of entries.entries()) assertEquals(await unpack(file, entry), contents[i]);
    if (python === null) return;
    const script = `
import zipfile
for line in sys.stdin: pass
large = zipfile.ZipFile(sys.argv[1])
print(json.dumps([large.testzip(), [[i.filename, i.file_size, i.extract_version, len(large.read(i))] for i in large.infolist()]]))
`;
    const rows = [["0.npy", 200, 45, 200], ["1.npy", 10, 45, 10], ["2.npy", 300, 45, 300]];
    assertEquals(await runNumpy(script, [], path), [[null, rows]]);
  }));

Deno.test("npz: every byte changed and every length cut is an error or harmless", () =>
  withFolder(async (folder) => {
    const path = `${folder}/a.npz`, broken = `${folder}/b.npz`;
    await writeNpz(path, { a: new Float32Array([1, 2, 3]) });
    const bytes = Deno.readFileSync(path);
    let refused = 0;
    for (let i = 0; i < bytes.length; i++) {
      const changed = bytes.slice();
      changed[i] ^= 0xff;
      for (const file of [changed, bytes.subarray(0, i)]) {
        Deno.writeFileSync(broken, file);
        await readNpz(broken).then(() => {}, (error) => {
          assert(error instanceof Error && error.message.startsWith("readNpz: "), `${i}: ${error}`);
          refused++;
        });
      }
    }
    assert(refused > bytes.length * 1.7, `${refused} of ${2 * bytes.length}`);
    Deno.writeFileSync(broken, bytes.map((byte, i) => i === 170 ? byte ^ 1 : byte)); // in the numbers
    await assertRejects(() => readNpz(broken), Error, '"a.npy" is damaged: its checksum is another one');
  }));

Deno.test("npz: wrong arguments, files and names", () =>
  withFolder(async (folder) => {
    const path = `${folder}/a.npz`, array = new Float32Array(1);
    await assertRejects(() => readNpz(`${folder}/none`), Deno.errors.NotFound, "readNpz: can't open ");
    await assertRejects(() => readNpz(folder), TypeError, "it is no regular file");
    await assertRejects(() => readNpz(null as never), TypeError, "readNpz: expected a path, got null");
    Deno.writeTextFileSync(path, "no archive at all, but long enough to be one");
    await assertRejects(() => readNpz(path), Error, "no .npz file");
    for (const wrong of [null, undefined, 1, "a", [array], array]) {
      await assertRejects(() => writeNpz(path, wrong as never), TypeError, "writeNpz: expected arrays by name");
    }
    for (const name of ["", "a\0b", "\ud800"]) {
      await assertRejects(() => writeNpz(path, new Map([[name, array]])), TypeError, "can't be a name");
    }
    await assertRejects(
      () => writeNpz(path, { ["ü".repeat(32766)]: array }),
      RangeError,
      "of at most 65535 bytes with .npy, got one of 65536",
    );
    await assertRejects(() => writeNpz(path, { a: 1 as never }), TypeError, 'writeNpz: "a": expected');
    const { freed } = (() => {
      using ctx = init();
      return { freed: lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 1) };
    })();
    await assertRejects(() => writeNpz(path, { freed }), Error, "freed");
    assertEquals(Deno.readTextFileSync(path).slice(0, 10), "no archive");
    assertEquals([...Deno.readDirSync(folder)].length, 1);
  }));

Deno.test("npz: a directory of other entries than the archive has is an Error, and no array is left out", () =>
  withFolder(async (folder) => {
    const path = `${folder}/a.npz`;
    await writeNpz(path, { a: new Float32Array(3), b: new Int32Array(5) });
    const bytes = Deno.readFileSync(path),
      wrong = async (at: number, value: number) => {
        Deno.writeFileSync(path, bytes.with(at, value));
        return (await assertRejects(() => readNpz(path), Error)).message;
      };
    const directory = new DataView(bytes.buffer).getUint32(bytes.length - 6, true);
    for (const count of [0, 1]) {
      assert((await wrong(bytes.length - 12, count)).endsWith(`the directory goes on behind the last of ${count} entries`));
    }
    assert((await wrong(directory + 46, 0x63)).endsWith('"c.npy" is called "a.npy" there'));
  }));
