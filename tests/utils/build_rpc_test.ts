/** `deno task build:rpc`: which compilers it takes, and what it says where there is none. */

import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { buildRpc, compilersOf, refuse } from "../../tools/build_rpc.ts";
import { program } from "../process.ts";
import { start } from "./rpc_server.ts";

Deno.test("CXX names a compiler and its options; otherwise Linux's usual ones are tried", () => {
  assertEquals(compilersOf(undefined), ["g++", "c++", "clang++"]);
  assertEquals(compilersOf(" "), compilersOf(undefined));
  assertEquals(compilersOf("ccache clang++ -stdlib=libstdc++\n"), ["ccache clang++ -stdlib=libstdc++"]);
});

Deno.test("systems other than Linux are told what they lack", () => {
  refuse("linux");
  assertThrows(() => refuse("darwin"), Error, "this is darwin, which lacks a linker that has --wrap, and GNU's C++ library");
  assertThrows(() => refuse("windows"), Error, "this is windows, which lacks POSIX threads and sockets");
});

Deno.test("without a compiler, and with one that fails, the Error says which", { ignore: Deno.build.os !== "linux" }, async () => {
  const folder = await Deno.makeTempDir();
  try {
    await assertRejects(() => buildRpc(folder, ["no-compiler", "none++ -O3"]), Error, "no-compiler, none++ -O3 aren't there");
    await assertRejects(
      () => buildRpc(folder, ["no-compiler"]),
      Error,
      "no-compiler isn't there (on Debian: apt-get install g++; CXX names",
    );
    await assertRejects(() => buildRpc(folder, ["no-compiler", "false --really"]), Error, "false --really -O2");
    assertEquals([...Deno.readDirSync(folder)], []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("what clang++ builds keeps a client alive whose server is killed", { ignore: Deno.build.os !== "linux" }, async () => {
  const folder = await Deno.makeTempDir();
  try {
    const library = await buildRpc(folder, ["clang++"]).catch((error) => {
      if (!/isn't there/.test(error.message)) throw error;
      return null;
    });
    if (library === null) return console.warn("SKIPPED: the RPC backend built by clang++, which isn't there");
    await using server = await start(library);
    const path = JSON.stringify(library);
    const ended = await program(
      `import { lib } from "@ggml/deno"; import { rpc } from "@ggml/deno/utils";
      const [remote] = rpc.connect("${server.endpoint}", { library: ${path} });
      const backend = lib.ggml_backend_dev_init(remote.device, null)!, buffer = lib.ggml_backend_alloc_buffer(backend, 4096)!;
      console.log(remote.name, lib.ggml_backend_buffer_get_size(buffer));
      Deno.kill(${server.pid}, "SIGKILL");
      for (let i = 0; i < 1000; i++) { // the kernel may still have to tell it
        try { lib.ggml_backend_alloc_buffer(backend, 4096); } catch (error) { console.log((error as Error).message); break; }
      }
      console.log("alive");`,
      ["--allow-ffi", "--allow-run"],
    );
    assertEquals(ended.code, 0, ended.stderr);
    assertStringIncludes(ended.stdout, "RPC0 4096\n");
    assertStringIncludes(ended.stdout, `the connection to the RPC server at ${server.endpoint} is lost`);
    assertStringIncludes(ended.stdout, "\nalive\n");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
