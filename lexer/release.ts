/**
 * The pinned release: the headers and sources that the committed bindings are generated from, and how to get them.
 *
 * They come out of the npm package whose prebuilt libraries are the default (`npm:node-llama-cpp` carries llama.cpp's sources as a git
 * bundle), so library and headers can't differ. The archive is checked against its known hash, unpacked once and kept in a folder that git ignores.
 *
 * @module
 */

/** The package, its version and its hash as npm's registry gives it (`npm view node-llama-cpp@VERSION dist.integrity`). */
const PACKAGE = {
  name: "node-llama-cpp",
  version: "3.22.1",
  integrity: "sha512-bltIipuWmc123H7tMIgDGKSsSrhmhlQYeVUC48XTjVW7XGJJiJJyCdlTMzQ/LiWoPkGDpcL4FviDpgw7qfTiDw==",
  bundle: "package/llama/gitRelease.bundle",
} as const;

/** What is kept of the tree: the headers; for tests ggml's sources, to build it with AddressSanitizer, and the vocabularies, which are GGUF files, with texts and their tokens. */
const KEPT = ["LICENSE", "include", "ggml", "models/*.gguf", "models/*.inp", "models/*.out"];

/** A file that only a whole copy has. */
const PROOF = "models/ggml-vocab-llama-spm.gguf.out";

/** The folder that keeps it, beside this package's own. */
const CACHE = new URL(`../.cache/llama.cpp-${PACKAGE.version}/`, import.meta.url);

/**
 * The folder of the pinned release's llama.cpp tree; downloads it (35 MB) if it isn't there yet.
 *
 * @throws {Error} If it can't be had: no network, another hash, no `git` or `tar`.
 */
export async function pinnedTree(): Promise<string> {
  const folder = pathOf(CACHE);
  if (exists(folder + PROOF)) return folder;
  const archive = await download();
  await unpack(archive, folder);
  return folder;
}

async function download(): Promise<Uint8Array<ArrayBuffer>> {
  const registry = (Deno.env.get("NPM_CONFIG_REGISTRY") ?? "https://registry.npmjs.org").replace(/\/$/, "");
  const url = `${registry}/${PACKAGE.name}/-/${PACKAGE.name}-${PACKAGE.version}.tgz`;
  console.error(`Downloading the headers of the pinned release: ${url}`);
  const response = await fetch(url).catch((cause) => {
    throw new Error(`can't reach ${url} (${cause.message}); name a tree that you have: INCLUDE=<llama.cpp or ggml tree>`, { cause });
  });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`);
  const archive = new Uint8Array(await response.arrayBuffer());
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-512", archive));
  const integrity = `sha512-${hash.toBase64()}`;
  if (integrity !== PACKAGE.integrity) throw new Error(`${url}: expected ${PACKAGE.integrity}, got ${integrity}`);
  return archive;
}

/** Takes the tree out of the bundle in the archive. It appears in its place at once and whole, or not at all. */
async function unpack(archive: Uint8Array<ArrayBuffer>, folder: string): Promise<void> {
  await Deno.mkdir(pathOf(new URL("../.cache/", import.meta.url)), { recursive: true });
  const work = await Deno.makeTempDir({ dir: pathOf(new URL("../.cache/", import.meta.url)) });
  try {
    await Deno.writeFile(`${work}/package.tgz`, archive);
    await run("tar", ["-xzf", "package.tgz", PACKAGE.bundle], work);
    await run("git", ["clone", "--quiet", "--no-checkout", PACKAGE.bundle, "clone"], work);
    await run("git", ["-C", "clone", "checkout", "--quiet", "HEAD", "--", ...KEPT], work);
    await Deno.remove(`${work}/clone/.git`, { recursive: true });
    // One of an earlier version, which kept less, makes room.
    if (!exists(folder + PROOF)) await Deno.remove(folder, { recursive: true }).catch(() => {});
    await Deno.rename(`${work}/clone`, folder).catch((error) => {
      if (!exists(folder + PROOF)) throw error; // else another process was faster
    });
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

async function run(command: string, args: string[], cwd: string): Promise<void> {
  const what = `unpacking the headers of the pinned release: ${command} ${args.join(" ")}`;
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command(command, { args, cwd, stdin: "null" }).output();
  } catch (cause) {
    throw new Error(
      `${what}: can't run ${command}: ${(cause as Error).message}; install it, or name a tree that you have: INCLUDE=<tree>`,
      { cause },
    );
  }
  if (!output.success) throw new Error(`${what} failed: ${new TextDecoder().decode(output.stderr).trim()}`);
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

function pathOf(url: URL): string {
  const path = decodeURIComponent(url.pathname);
  return Deno.build.os === "windows" ? path.slice(1) : path;
}
