/**
 * Systems that lack something: an old C library, another one, a file system that may not be written to or run from, no /tmp, one core. Each
 * works, or says what is missing.
 *
 * File systems are changed in a mount namespace of the child process; where there may be none, those tests say so.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { load } from "@ggml/deno";
import { needsOf } from "../../ffi/load/needs.ts";
import { type Ended, program } from "../process.ts";

const LINUX = { ignore: Deno.build.os !== "linux" };

const COMPUTE = `import { lib } from "@ggml/deno";
  import { compute, computeAsync, init, tensor, view } from "@ggml/deno/utils";
  using ctx = init();
  const graph = lib.ggml_new_graph(ctx), squares = lib.ggml_sqr(ctx, tensor(ctx, Float32Array.of(1, 2, 3)));
  lib.ggml_build_forward_expand(graph, squares);
  compute(graph);
  await computeAsync(graph);
  console.log(view(squares).data.join(), navigator.hardwareConcurrency);`;

function loading(path: string): string {
  return `import { load } from "@ggml/deno"; try { load({ path: ${JSON.stringify(path)} }) } catch (error) { console.log(error.message) }`;
}

/** Calls `test` with copies of the default library's files in which `from` is `to`, which is as long. */
async function changed(from: RegExp, to: string, test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const { name } of Deno.readDirSync(load().path)) {
      if (!name.endsWith(".so")) continue;
      const bytes = await Deno.readFile(load().path + name), text = new TextDecoder("latin1").decode(bytes); // a character a byte
      for (const { index } of text.matchAll(from)) bytes.set(new TextEncoder().encode(to), index);
      await Deno.writeFile(`${folder}/${name}`, bytes);
    }
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test(
  "a C library that is too old is said, with what is needed",
  LINUX,
  () =>
    changed(/GLIBC_2\.(34|29)/g, "GLIBC_2.99", async (folder) => {
      const { stdout } = await program(loading(folder));
      assertStringIncludes(stdout, "version `GLIBC_2.99' not found");
      assertStringIncludes(stdout, "\nThe prebuilt libraries need glibc 2.34 or newer, and this system's is older. Or build ggml");
    }),
);

Deno.test("a C++ library that is missing is said", LINUX, () =>
  changed(/libstdc\+\+\.so\.6/g, "libstdc++.so.x", async (folder) => {
    const { stdout } = await program(loading(folder));
    assertStringIncludes(stdout, "\nThe C++ library is missing (on Debian: apt-get install libstdc++6).");
  }));

Deno.test(
  "a library for another processor is said to be one, where it may be looked at",
  LINUX,
  () =>
    changed(/(?<=^\x7fELF[^]{14})[^]{2}/g, "\x28\0", async (folder) => {
      const seen = await program(loading(folder), ["--allow-ffi", "--allow-read"]);
      assertStringIncludes(seen.stdout, `/libggml-base.so: it is for another processor: arm, and this program is for ${Deno.build.arch}\n`);
      const unseen = await program(loading(folder));
      assertStringIncludes(unseen.stdout, "/libggml-base.so: cannot open shared object file: No such file or directory\n");
      assertStringIncludes(
        unseen.stdout,
        "\nLinux says so of a library for another processor, too: with --allow-read this error says if it is one.",
      );
      const none = await program(loading(`${folder}/none`), ["--allow-ffi", "--allow-read"]);
      assert(!none.stdout.includes("processor"), none.stdout);
    }),
);

Deno.test("what musl and Windows say of a library is understood, and what says enough is not explained", () => {
  // As musl 1.2.3 said it of the prebuilt library, without libstdc++ and with Debian's.
  const musl = [
    "Error loading shared library libstdc++.so.6: No such file or directory (needed by /bins/libggml-base.so)",
    "Error relocating /usr/lib/x86_64-linux-gnu/libgcc_s.so.1: __cpu_indicator_init: symbol not found",
  ];
  for (const reason of musl) assertStringIncludes(needsOf([reason]).join(), "This system's C library is musl");
  assertEquals(needsOf(musl).length, 1);
  assertStringIncludes(needsOf(["The specified module could not be found. (os error 126)"]).join(), "VCRUNTIME140.dll");
  assertEquals(needsOf(["cannot open shared object file: No such file or directory", "invalid ELF header"]), []);
});

Deno.test("with one core everything is computed by one thread", LINUX, async () => {
  const { stdout, stderr, code } = await program(COMPUTE, ["--allow-ffi"], {}, "taskset -p -c 0 $$ >/dev/null || exit 77");
  if (code === 77) return console.warn("SKIPPED: there is no taskset");
  assertEquals([code, stdout], [0, "1,4,9 1\n"], stderr);
});

Deno.test("a cache that can't be written, and has no library, is an Error that says so", async () => {
  const { stdout } = await program(
    `import { lib } from "@ggml/deno"; try { lib.ggml_type_name(0) } catch (error) { console.log(error.message) }`,
    ["--allow-ffi"],
    { DENO_DIR: "/proc/nowhere" },
  );
  assertStringIncludes(stdout, "no ggml library: load({ path }) was not called");
  assertStringIncludes(stdout, "/proc/nowhere");
});

/** Runs a program where file systems are as a shell makes them; null where that can't be done. */
async function where(mounts: string, text: string, permissions: readonly string[] = ["--allow-ffi"]): Promise<Ended | null> {
  // The program is a file in /tmp, which may be another one for it.
  const ended = await program(
    text,
    permissions,
    {},
    `unshare -m true 2>/dev/null || exit 77
    if [ -z "$APART" ]; then APART=1 exec unshare -m sh -c ${quoted(`${mounts}; exec "$0" "$@"`)} "$0" "$@"; fi`,
  );
  if (ended.code !== 77) return ended;
  console.warn("SKIPPED: this user may have no mount namespace");
  return null;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

Deno.test("with every file system read-only it computes, and a write is an Error that names the file", LINUX, async () => {
  const readOnly = `for at in / /tmp "$HOME" "$PWD"; do mount --bind "$at" "$at" && mount -o remount,bind,ro "$at" || exit 77; done`;
  const write = `import { writeGguf } from "@ggml/deno/utils";
    try { await writeGguf("/tmp/it.gguf", { metadata: {}, tensors: {} }) } catch (error) { console.log(error.message) }`;
  const ended = await where(readOnly, `${write}\n${COMPUTE}`, ["--allow-ffi", "--allow-read", "--allow-write"]);
  if (ended === null) return;
  assertEquals(ended.code, 0, ended.stderr);
  assert(/\/tmp\/.*(Read-only|read-only)/.test(ended.stdout), ended.stdout);
  assertStringIncludes(ended.stdout, "1,4,9");
});

Deno.test("without a /tmp it computes", LINUX, async () => {
  const needed = [Deno.cwd(), Deno.execPath(), Deno.env.get("HOME"), Deno.env.get("DENO_DIR")];
  if (needed.some((path) => path?.startsWith("/tmp/"))) return console.warn("SKIPPED: the project, or what Deno downloaded, is in /tmp");
  // A root of all folders but /tmp. The program is elsewhere then.
  const without = `root=/mnt; mount -t tmpfs tmpfs $root || exit 77
    for at in /*; do
      case $at in /tmp|/mnt) continue ;; esac
      if [ -L $at ]; then cp -P $at $root$at; elif [ -d $at ]; then mkdir $root$at; mount --rbind $at $root$at; fi
    done
    for last; do :; done
    mkdir $root/programs && cp "$last" $root/programs/it.ts
    [ ! -e $root/tmp ] && exec chroot $root "$0" run --no-prompt --quiet --config="$PWD/deno.json" --allow-ffi /programs/it.ts || exit 77`;
  const ended = await where(without, COMPUTE);
  if (ended === null) return;
  assertEquals(ended.code, 0, ended.stderr);
  assertStringIncludes(ended.stdout, "1,4,9");
});

Deno.test("a library on a file system that nothing may be run from is an Error that says so", LINUX, async () => {
  const noexec = `mount -t tmpfs -o noexec tmpfs /mnt && cp ${load().path}*.so /mnt/ || exit 77`;
  const ended = await where(noexec, loading("/mnt"));
  if (ended === null) return;
  assertStringIncludes(ended.stdout, "\nThe file system that it lies on is mounted with noexec", ended.stderr);
});
