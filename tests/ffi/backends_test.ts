/** Backends in libraries of their own beside the ones that every build has: their functions are found. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { load } from "@ggml/deno";
import { RELEASE } from "../../ffi/load/find.ts";
import { npmPackage } from "../npm_package.ts";
import { program } from "../process.ts";
import { rpcBuild } from "../rpc.ts";

const rpc = await rpcBuild();

/** What a program prints, given a library. */
async function says(path: string, text: string): Promise<string> {
  const { stdout, stderr, code } = await program(
    `import { lib, load } from "@ggml/deno"; load({ path: ${JSON.stringify(path)} }); ${text}`,
  );
  assertEquals(code, 0, stderr);
  return stdout;
}

/** Calls `test` with a folder of links to the default library's files: in its own `deno task build:rpc` may have been. */
async function withoutRpc(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const { name, isFile } of Deno.readDirSync(load().path)) if (isFile) await Deno.symlink(load().path + name, `${folder}/${name}`);
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const REG = `console.log(lib.ggml_backend_reg_name(lib.ggml_backend_rpc_reg()));`;

Deno.test({
  name: "a backend's functions are found in its library beside the others",
  ignore: rpc === null,
  async fn() {
    const files = `console.log(load().files.at(-1), typeof lib.ggml_cpu_has_avx());`;
    assertEquals(await says(rpc!, REG + files), `RPC\n${rpc}libggml-rpc.so number\n`);
  },
});

Deno.test({
  name: "and in a library elsewhere that ggml_backend_load was given",
  ignore: rpc === null,
  fn: () =>
    withoutRpc(async (folder) => {
      const library = JSON.stringify(`${rpc}libggml-rpc.so`);
      const text = `try { ${REG} } catch (error) { console.log(error.message) } lib.ggml_backend_load(${library}); ${REG}`;
      const said = await says(folder, text);
      assertStringIncludes(said, `ggml_backend_rpc_reg is not in the loaded library, ggml ${RELEASE.ggml}`);
      assertStringIncludes(said, `/libggml-rpc.so: cannot open shared object file`);
      assertEquals(said.endsWith("\nRPC\n"), true, said);
    }),
});

Deno.test({
  name: "a server that isn't there, or that closes the connection, is an Error, each time",
  ignore: rpc === null,
  async fn() {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const closing = (async () => {
      for await (const connection of listener) connection.close();
    })();
    const said = await says(
      rpc!,
      `for (const endpoint of ["127.0.0.1:1", "nonsense", "127.0.0.1:${listener.addr.port}"]) {
        const room = () => new BigUint64Array(1);
        const calls = [() => lib.ggml_backend_rpc_init(endpoint, 0), () => lib.ggml_backend_rpc_buffer_type(endpoint, 0),
          () => lib.ggml_backend_rpc_get_device_memory(endpoint, 0, room(), room()), () => lib.ggml_backend_rpc_add_server(endpoint)];
        for (const call of [...calls, ...calls]) try { call(); console.log("no error") } catch (error) { console.log(error.message) }
      } ${REG}`,
    );
    listener.close();
    await closing;
    const count = (text: string) => said.split(text).length - 1;
    assertEquals(["Failed to connect to 127.0.0.1:1 (ggml-rpc", "Failed to parse endpoint: nonsense (ggml-rpc", "no error"].map(count), [
      8,
      8,
      0,
    ], said);
    assertEquals(count("Remote RPC server crashed"), 8, said);
    assertEquals(said.endsWith("RPC\n"), true, said);
  },
});

const vulkan = Deno.build.target === "x86_64-unknown-linux-gnu" ? await npmPackage("@node-llama-cpp/linux-x64-vulkan") : null;
if (vulkan === null) console.warn("SKIPPED the backend ggml-vulkan: its package is fetched for x86-64 Linux only");

Deno.test({
  name: "Vulkan's functions have another word in their names than its library",
  ignore: vulkan === null,
  async fn() {
    const text = `try { console.log(lib.ggml_backend_vk_get_device_count() >= 0) } catch (error) { console.log(error.message) }`;
    const said = await says(`${vulkan}/bins/linux-x64-vulkan`, text);
    if (!said.includes("libvulkan.so.1")) return assertEquals(said, "true\n");
    assertStringIncludes(said, "libggml-vulkan.so: libvulkan.so.1: cannot open shared object file"); // no loader: the error says so
  },
});
