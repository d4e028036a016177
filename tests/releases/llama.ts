/**
 * Which llama.cpp a version of npm's package holds.
 *
 * @module
 */

import { platformPackage } from "../../ffi/load/find.ts";
import { RELEASES } from "../../ffi/load/releases.ts";
import { npmPackage } from "../npm_package.ts";

/** What the libraries of a version say of their build. */
export async function llamaRelease(version: string): Promise<string> {
  const known = RELEASES.find((release) => release.package === version);
  if (known !== undefined) return known.llama;
  const platform = platformPackage(null) ?? "linux-x64", name = `@node-llama-cpp/${platform}`;
  const folder = await npmPackage(name, version);
  if (folder === null) throw new Error(`${name}@${version} can't be had from npm's registry`);
  const { buildOptions } = JSON.parse(await Deno.readTextFile(`${folder}/bins/${platform}/_nlcBuildMetadata.json`));
  return buildOptions.llamaCpp.release;
}
