/**
 * The pinned release: the headers and sources that the committed bindings are generated from, and how to get them, and those of others.
 *
 * They come out of the npm package whose prebuilt libraries are the default (`npm:node-llama-cpp` carries llama.cpp's sources as a git
 * bundle), so library and headers can't differ. The archive is checked against its known hash, unpacked once and kept in a folder that git ignores.
 *
 * @module
 */

/** The version of the package, and its hash as npm's registry gives it. `deno task pin` writes both. */
export const PINNED = {
  version: "3.22.1",
  integrity: "sha512-bltIipuWmc123H7tMIgDGKSsSrhmhlQYeVUC48XTjVW7XGJJiJJyCdlTMzQ/LiWoPkGDpcL4FviDpgw7qfTiDw==",
} as const;

/** A version of the package. */
export interface Package {
  readonly version: string;
  readonly integrity: string;
}

const NAME = "node-llama-cpp", BUNDLE = "package/llama/gitRelease.bundle";

/**
 * What is kept of the tree: the headers; for tests ggml's sources, to build it with AddressSanitizer, and the vocabularies, which are GGUF files, with
 * texts and their tokens.
 */
const KEPT = ["LICENSE", "include", "ggml", "models/*.gguf", "models/*.inp", "models/*.out"];

/** A file that only a whole copy has. */
const PROOF = "models/ggml-vocab-llama-spm.gguf.out";

/** The folder that keeps them, beside this package's own. */
const CACHE = new URL("../../.cache/", import.meta.url);

/**
 * The folder of the pinned release's llama.cpp tree; downloads it (35 MB) if it isn't there yet.
 *
 * @throws {Error} If it can't be had: no network, another hash, no `git` or `tar`.
 */
export async function pinnedTree(): Promise<string> {
  return await treeOf(PINNED);
}

/**
 * The folder of the llama.cpp tree that another version of the package carries; downloaded as the pinned one is.
 *
 * @throws {Error} If it can't be had, or the registry has no such version.
 */
export async function releaseTree(version: string): Promise<string> {
  if (version === PINNED.version) return await pinnedTree();
  const folder = folderOf(version);
  return exists(folder + PROOF) ? folder : await treeOf(await packageOf(version));
}

/** A version of the package, or of another one, as the registry describes it: `latest` is the newest. */
export async function packageOf(version: string, name: string = NAME): Promise<Package> {
  const url = `${registry()}/${name}/${version}`;
  const response = await fetch(url).catch((cause) => {
    throw new Error(`can't reach ${url} (${cause.message})`, { cause });
  });
  const { version: exact, dist } = response.ok ? await response.json() : await response.body?.cancel() ?? {};
  if (dist === undefined) throw new Error(`${url}: ${response.status} ${response.statusText}`);
  return { version: exact, integrity: dist.integrity };
}

function folderOf(version: string): string {
  return pathOf(new URL(`llama.cpp-${version}/`, CACHE));
}

function registry(): string {
  return (Deno.env.get("NPM_CONFIG_REGISTRY") ?? "https://registry.npmjs.org").replace(/\/$/, "");
}

async function treeOf(which: Package): Promise<string> {
  const folder = folderOf(which.version);
  if (exists(folder + PROOF)) return folder;
  const archive = await download(which);
  await unpack(archive, folder);
  return folder;
}

async function download({ version, integrity: expected }: Package): Promise<Uint8Array<ArrayBuffer>> {
  const url = `${registry()}/${NAME}/-/${NAME}-${version}.tgz`;
  console.error(`Downloading the headers of ${version === PINNED.version ? "the pinned release" : NAME + " " + version}: ${url}`);
  const response = await fetch(url).catch((cause) => {
    throw new Error(`can't reach ${url} (${cause.message}); name a tree that you have: INCLUDE=<llama.cpp or ggml tree>`, { cause });
  });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`);
  const archive = new Uint8Array(await response.arrayBuffer());
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-512", archive));
  const integrity = `sha512-${hash.toBase64()}`;
  if (integrity !== expected) throw new Error(`${url}: expected ${expected}, got ${integrity}`);
  return archive;
}

/** Takes the tree out of the bundle in the archive. It appears in its place at once and whole, or not at all. */
async function unpack(archive: Uint8Array<ArrayBuffer>, folder: string): Promise<void> {
  await Deno.mkdir(pathOf(CACHE), { recursive: true });
  const work = await Deno.makeTempDir({ dir: pathOf(CACHE) });
  try {
    await Deno.writeFile(`${work}/package.tgz`, archive);
    await run("tar", ["-xzf", "package.tgz", BUNDLE], work);
    await run("git", ["clone", "--quiet", "--no-checkout", BUNDLE, "clone"], work);
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
  const what = `unpacking the headers of a release: ${command} ${args.join(" ")}`;
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

/** The path of a `file:` URL. */
export function pathOf(url: URL): string {
  const path = decodeURIComponent(url.pathname);
  return Deno.build.os === "windows" ? path.slice(1) : path;
}
