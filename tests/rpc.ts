/**
 * A split build with the backend ggml-rpc, which the prebuilt packages lack: built from the pinned sources, beside links to the package's libraries.
 *
 * @module
 */

import { load } from "@ggml/deno";
import { RELEASE } from "../ffi/load/find.ts";
import { pinnedTree } from "../lexer/ggml/release.ts";

const CACHE = new URL("../.cache/", import.meta.url);

/** The folder with the libraries; null where they can't be built. */
export async function rpcBuild(): Promise<string | null> {
  if (Deno.build.os !== "linux") return null;
  const folder = decodeURIComponent(new URL(`rpc-${RELEASE.package}/`, CACHE).pathname), library = `${folder}libggml-rpc.so`;
  await Deno.mkdir(folder, { recursive: true });
  for (const { name } of Deno.readDirSync(load().path)) {
    await Deno.symlink(load().path + name, folder + name).catch(() => {}); // it is there
  }
  if (await Deno.stat(library).then(() => true, () => false)) return folder;
  const ggml = `${(await pinnedTree()).replace(/\/$/, "")}/ggml`, work = `${folder}${crypto.randomUUID()}.so`;
  const flags = ["-O1", "-std=c++17", "-fPIC", "-shared", ...["DL", "SHARED", "BUILD"].map((name) => `-DGGML_BACKEND_${name}`)];
  const sources = ["ggml-rpc.cpp", "transport.cpp"].map((name) => `${ggml}/src/ggml-rpc/${name}`);
  const args = [...flags, "-DGGML_SHARED", `-I${ggml}/include`, `-I${ggml}/src`, ...sources, "-o", work, `-L${folder}`, "-lggml-base"];
  const { success } = await new Deno.Command("g++", { args: [...args, "-Wl,-rpath,$ORIGIN"], stdin: "null" }).output()
    .catch(() => ({ success: false }));
  if (success) await Deno.rename(work, library);
  return success ? folder : null;
}
