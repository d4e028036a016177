/** Writers of files: links, modes, pipes, devices, full disks and writes that were killed. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { lib } from "@ggml/deno";
import { init, save, writeGguf, writeNpy, writeNpz } from "@ggml/deno/utils";
import { program } from "../process.ts";

const isUnix = Deno.build.os !== "windows";

/** Each writer of one file, as its ending and a call. */
const WRITERS: readonly (readonly [ending: string, write: (path: string) => Promise<void>])[] = [
  // deno-lint-ignore require-await
  [".npy", async (path) => writeNpy(path, new Float32Array([1, 2, 3]))],
  [".gguf", (path) => writeGguf(path, { tensors: { t: new Float32Array([1, 2, 3]) } })],
  [".npz", (path) => writeNpz(path, { t: new Float32Array([1, 2, 3]) })],
  [".svg", async (path) => {
    using ctx = init();
    await save(lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4), path);
  }],
];

/** Runs a test for each writer in a folder of its own, with the bytes that it writes. */
function each(name: string, test: (folder: string, ending: string, write: (path: string) => Promise<void>) => Promise<void>): void {
  for (const [ending, write] of WRITERS) {
    Deno.test({
      name: `${ending}: ${name}`,
      ignore: !isUnix,
      fn: async () => {
        const folder = Deno.realPathSync(Deno.makeTempDirSync());
        try {
          await test(folder, ending, write);
        } finally {
          Deno.removeSync(folder, { recursive: true });
        }
      },
    });
  }
}

const namesIn = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
const modeOf = (path: string) => Deno.statSync(path).mode! & 0o7777;

each(
  "a symbolic link stays and its target is replaced, also through links to links and to what isn't there",
  async (folder, ending, write) => {
    const [file, link, second, missing] = ["file", "link", "second", "missing"].map((name) => `${folder}/${name}${ending}`);
    Deno.writeTextFileSync(file, "old");
    Deno.symlinkSync(file, link);
    Deno.symlinkSync(`link${ending}`, second);
    await write(second);
    assert(Deno.lstatSync(link).isSymlink && Deno.lstatSync(second).isSymlink && Deno.lstatSync(file).isFile);
    assert(Deno.statSync(file).size > 3);

    Deno.mkdirSync(`${folder}/in`);
    Deno.symlinkSync(`in/new${ending}`, missing);
    await write(missing);
    assert(Deno.lstatSync(missing).isSymlink);
    assertEquals(namesIn(`${folder}/in`), [`new${ending}`]);

    const loop = `${folder}/loop${ending}`;
    Deno.symlinkSync(loop, loop);
    await assertRejects(() => write(loop), Error, "loop");
    assertEquals(namesIn(folder).length, 6);
  },
);

each("the mode is kept, and a read-only file stays as it is", async (folder, ending, write) => {
  const path = `${folder}/file${ending}`;
  for (const mode of [0o600, 0o640, 0o755]) {
    Deno.writeTextFileSync(path, "old");
    Deno.chmodSync(path, mode);
    await write(path);
    assertEquals(modeOf(path), mode);
  }
  assert(Deno.statSync(path).size > 3);
  Deno.chmodSync(path, 0o444);
  const isRoot = Deno.statSync(path).uid === 0; // who may write to it all the same
  if (!isRoot) await assertRejects(() => write(path), Deno.errors.PermissionDenied);
});

each("a named pipe and a device of characters are written to", async (folder, ending, write) => {
  const pipe = `${folder}/pipe${ending}`, link = `${folder}/null${ending}`, file = `${folder}/file${ending}`;
  await write(file);
  assert((await new Deno.Command("mkfifo", { args: [pipe] }).output()).success);
  const reader = new Deno.Command("cat", { args: [pipe], stdout: "piped" }).spawn();
  await write(pipe);
  assertEquals((await reader.output()).stdout.length, Deno.statSync(file).size);
  assert(Deno.lstatSync(pipe).isFifo);
  Deno.symlinkSync("/dev/null", link);
  await write(link);
  assert(Deno.statSync("/dev/null").isCharDevice && Deno.lstatSync(link).isSymlink);
});

each("a folder and a socket are refused", async (folder, ending, write) => {
  const taken = `${folder}/folder${ending}`, socket = `${folder}/socket${ending}`;
  Deno.mkdirSync(taken);
  using _listener = Deno.listen({ transport: "unix", path: socket });
  await assertRejects(() => write(taken), TypeError, "it is a folder");
  await assertRejects(() => write(socket), TypeError, "it is a socket");
  assertEquals(namesIn(folder), [`folder${ending}`, `socket${ending}`]);
});

each("what a killed write left is removed by the next one; what somebody writes is not", async (folder, ending, write) => {
  const path = `${folder}/file${ending}`, names = [0, 1].map((i) => `${path}.ggml-${i}.tmp`);
  for (const name of names) Deno.writeTextFileSync(name, "a part");
  Deno.writeTextFileSync(`${path}.tmp`, "a user's own");
  await write(path);
  assertEquals(namesIn(folder), [`file${ending}`, `file${ending}.tmp`]);

  using busy = Deno.openSync(names[0], { write: true, createNew: true });
  busy.lockSync(true);
  await write(path);
  assertEquals(namesIn(folder), [`file${ending}`, `file${ending}.ggml-0.tmp`, `file${ending}.tmp`]);
});

Deno.test({
  name: "a full disk is an error, and the old file stays",
  ignore: !isUnix,
  fn: async () => {
    const folder = Deno.makeTempDirSync();
    const paths = [".npy", ".gguf", ".html"].map((ending) => `${folder}/file${ending}`);
    try {
      for (const path of paths) Deno.writeTextFileSync(path, "old");
      // No file of this process may be larger than 8 KiB; a disk that is full fails in the same call.
      const source = `
        import { lib } from "@ggml/deno";
        import { init, save, writeGguf, writeNpy } from "@ggml/deno/utils";
        const numbers = new Float32Array(100_000);
        const ctx = init();
        for (let i = 0; i < 200; i++) lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4);
        const [npy, gguf, html] = ${JSON.stringify(paths)};
        const writers = [async () => writeNpy(npy, numbers), () => writeGguf(gguf, { tensors: { numbers } }), () => save(ctx, html)];
        for (const write of writers) await write().then(() => console.log("written"), (error) => console.log(error.message));`;
      const { stdout } = await program(source, ["--allow-all"], {}, 'trap "" XFSZ; ulimit -f 8');
      assertMatch(stdout, /^writeNpy: can't write .*large.*\nwriteGguf: .*large.*\nsave: can't write .*large.*\n$/i);
      assertEquals(paths.map((path) => Deno.readTextFileSync(path)), ["old", "old", "old"]);
      assertEquals(namesIn(folder).length, 3);
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
});

Deno.test("with permissions for the file and not for its folder, it says which is missing, and nothing is left", async () => {
  const folder = Deno.realPathSync(Deno.makeTempDirSync()), path = `${folder}/a.npy`;
  try {
    const source = `
      import { writeNpy } from "@ggml/deno/utils";
      try { writeNpy(${JSON.stringify(path)}, new Float32Array(1)); } catch (error) { console.log(error.name, error.message); }`;
    for (const [read, write] of [[path, folder], [folder, path], [path, path]]) {
      const { stdout } = await program(source, ["--allow-ffi", `--allow-read=${read}`, `--allow-write=${write}`]);
      assertMatch(stdout, /^NotCapable writeNpy: can't write .*: permission is missing: Requires (read|write) access to ".*tmp"/);
      assertEquals(namesIn(folder), []);
    }
    const { stdout } = await program(source, ["--allow-ffi", `--allow-read=${folder}`, `--allow-write=${folder}`]);
    assertEquals([stdout, namesIn(folder)], ["", ["a.npy"]]);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("many writes of one file at a time: each is whole, and nothing is left", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const path = `${folder}/file.gguf`;
    await Promise.all(Array.from({ length: 20 }, (_, i) => writeGguf(path, { tensors: { t: new Float32Array(1000).fill(i) } })));
    assertEquals(namesIn(folder), ["file.gguf"]);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
