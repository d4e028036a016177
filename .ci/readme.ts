/**
 * README, and the pages that it sends to, as a new user tries them: top to bottom, each command word for word and each example with the
 * permissions that README says, in a clone of the last commit, with an empty home and no variables. A failure prints what was printed; the exit status is then 1.
 *
 *     deno run --allow-all .ci/readme.ts
 *
 * What can't be tried as it stands is in `SPECIAL`, and why. An entry there that no page has any more is a failure too.
 *
 * @module
 */

import { fromFileUrl, join } from "@std/path";
import { existsSync } from "node:fs";

/** What is tried, in this order. */
const PAGES = ["README.md", "docs/numbers.md", "docs/computing.md", "docs/libraries.md", "docs/releases.md", "CONTRIBUTING.md"];

const ROOT = fromFileUrl(new URL("../", import.meta.url));
/** A command that has not ended by then never does. */
const PATIENCE = 300;

/** The machine of a new user. */
interface User {
  readonly folder: string;
  readonly clone: string;
  readonly home: string;
  /** Where commands are typed. */
  readonly cwd: string;
  readonly env: Record<string, string>;
}

interface Special {
  /** Why it isn't run here; null if it is after all. */
  readonly skip?: (user: User) => string | null | Promise<string | null>;
  /** Makes what the command takes for granted. */
  readonly before?: (user: User) => void | Promise<void>;
  /** Where and with which variables it runs, if not as the others. */
  readonly as?: (user: User) => User;
  /** The address that a server prints. It is stopped when it has answered there. */
  readonly server?: RegExp;
  /** The seconds after which it is stopped, and has passed if it is still at it. */
  readonly enough?: number;
  /** What it prints when something outside can't be reached, and how to say so. */
  readonly excuse?: readonly [RegExp, string];
}

const unpublished = [
  /JSR package (not found|manifest)|jsr:@ggml\/deno was not found/,
  "JSR can't be reached, or hasn't got @ggml/deno yet",
] as const;
const tested = { skip: () => "`deno task test` is what CI runs before this" };

/** Random trials, of which CI's tests make fewer to the end. */
const minute = { enough: 60 };

const SPECIAL: Record<string, Special> = {
  "deno task test": tested,
  "npx -y deno task test": tested,
  "npx -y deno task demo": { skip: (user) => works("npx --version", user, "there is no npx"), as: withoutDeno },
  "deno add jsr:@ggml/deno": { as: elsewhere, excuse: unpublished },
  "jupyter lab examples/notebooks": {
    skip: (user) => works("jupyter lab --version", user, "there is no JupyterLab"),
    before: ({ home }) => write(join(home, ".jupyter/jupyter_server_config.json"), '{ "ServerApp": { "allow_root": true } }'),
    server: /http:\S+\?token=\w+/,
  },
  "deno run --allow-ffi --allow-env --allow-read jsr:@ggml/deno/doctor": {
    as: elsewhere, // in the clone, jsr:@ggml/deno is the clone
    excuse: unpublished,
  },
  "deno compile --allow-ffi --allow-env=GGML_LIBRARY --output app app.ts": {
    before: ({ clone }) => write(join(clone, "app.ts"), STEPS.find(({ kind }) => kind === "ts")!.text),
    excuse: [/dl\.deno\.land|denort/, "it downloads its runtime from dl.deno.land, which can't be reached"],
  },
  "GGML_LIBRARY=path/to/libraries ./app": {
    skip: ({ clone }) => existsSync(join(clone, "app")) ? null : "there is no ./app: see `deno compile`",
    before: async (user) => link(await libraries(user), join(user.clone, "path/to/libraries")),
  },
  "deno task releases latest": { skip: () => "CI runs it for three releases before this" },
  "deno task build:rpc": { skip: (user) => works("g++ --version", user, "there is no g++") },
  "INCLUDE=path/to/llama.cpp deno task regenerate": {
    before: ({ clone }) => link(headers(clone), join(clone, "path/to/llama.cpp")),
  },
  "deno fmt --check && deno lint && deno check": { skip: () => "CI runs them before this" },
  ".ci/run": { skip: () => "this is a part of it" },
  "deno task pin latest": { skip: () => "tests/releases/releases_test.ts pins a copy" },
  "deno task fuzz": minute,
  "deno task fuzz:abort": minute,
  "deno task fuzz:compute": minute,
  "deno task fuzz:kernels": minute,
  "deno task fuzz:train": minute,
  "deno task fuzz:sched": minute,
  "deno task fuzz:llama": minute,
  "deno task fuzz:llama --files": minute,
  "deno task fuzz:gguf": minute,
  "deno task asan": { skip: () => "tests/ffi/asan_test.ts makes the same build, and runs 300 programs over it" },
};

/** A command or an example, in the page's order. */
interface Step {
  readonly page: string;
  readonly kind: "sh" | "ts";
  readonly line: number;
  readonly text: string;
}

/** The commands and examples of a page. */
function stepsOf(page: string, markdown: string): Step[] {
  return [...markdown.matchAll(/^```(\w*).*\n([^]*?)^```/gm)].flatMap(({ 1: kind, 2: text, index }): Step[] => {
    const line = markdown.slice(0, index).split("\n").length;
    if (kind === "sh") return commandsOf(text).map((command) => ({ page, kind, line, text: command }));
    if (kind === "ts") return [{ page, kind, line, text }];
    if (kind === "text") return [];
    throw new Error(`${page}:${line}: a block of \`${kind}\`: write sh for commands, ts for examples, or text`);
  });
}

/** The commands of a block, without comments; one that goes on in the next line is one. */
function commandsOf(block: string): string[] {
  const lines = block.replaceAll("\\\n", "").split("\n");
  return lines.map((line) => line.replace(/(^|\s+)#.*$/, "").trim()).filter((line) => line !== "");
}

interface Outcome {
  readonly status: "PASSED" | "SKIPPED" | "FAILED";
  /** Why it was skipped or stopped, or what a failure printed. */
  readonly text?: string;
}

async function attempt({ kind, text }: Step, user: User): Promise<Outcome> {
  if (kind === "ts") {
    const ended = await run(example(text, user), user);
    if (!ended.success && ended.output.includes("deno task build:rpc")) return { status: "SKIPPED", text: "see `deno task build:rpc`" };
    return judge(ended);
  }
  const special = SPECIAL[text] ?? {};
  const { skip, before, as, excuse } = special;
  const reason = await skip?.(user) ?? null;
  if (reason !== null) return { status: "SKIPPED", text: reason };
  await before?.(user);
  const ended = await run(text, as?.(user) ?? user, special);
  if (!ended.success && excuse?.[0].test(ended.output)) return { status: "SKIPPED", text: excuse[1] };
  return judge(ended);
}

function judge({ success, stopped, output }: Ended): Outcome {
  if (!success) return { status: "FAILED", text: output };
  return { status: "PASSED", text: stopped ? "stopped, with nothing wrong so far" : undefined };
}

/** The command that runs an example. */
function example(text: string, { clone }: User): string {
  write(join(clone, "example.ts"), text);
  const files = text.includes("Deno.makeTempFile") ? " --allow-read --allow-write" : "";
  return `deno run --no-prompt --allow-ffi${files} example.ts`;
}

interface Ended {
  readonly success: boolean;
  readonly stopped: boolean;
  readonly output: string;
}

/** Runs a command as the user, to its end or until it has shown enough. */
async function run(command: string, { cwd, env }: User, { server, enough }: Special = {}): Promise<Ended> {
  const child = new Deno.Command("bash", {
    args: ["-c", command],
    cwd,
    env,
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    detached: true, // a group of its own, so that all of it can be ended
  }).spawn();
  let output = "", seenEnough = false, ended = false;
  const stop = () => ended || Deno.kill(-child.pid, "SIGTERM");
  const timer = setTimeout(() => {
    seenEnough = enough !== undefined;
    output += `\nstopped after ${enough ?? PATIENCE} seconds\n`;
    stop();
  }, (enough ?? PATIENCE) * 1000);
  const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      output += text;
      if (seenEnough || server === undefined) continue;
      seenEnough = await answers(server.exec(output)?.[0]);
      if (seenEnough) stop();
    }
  };
  const reading = Promise.all([read(child.stdout), read(child.stderr)]);
  const { success } = await child.status;
  ended = true;
  await reading;
  clearTimeout(timer);
  return { success: success || seenEnough, stopped: !success && seenEnough, output };
}

async function answers(address: string | undefined): Promise<boolean> {
  if (address === undefined) return false;
  const response = await fetch(address).catch(() => null);
  await response?.body?.cancel();
  return response?.ok === true;
}

/** A new user: a clone, an empty home, and this Deno on the path. */
async function newUser(folder: string): Promise<User> {
  const clone = join(folder, "clone"), home = join(folder, "home");
  Deno.mkdirSync(home);
  const { success, stderr } = await new Deno.Command("git", { args: ["clone", "--quiet", ROOT, clone] }).output();
  if (!success) throw new Error(`git clone ${ROOT}: ${new TextDecoder().decode(stderr)}`);
  link(Deno.execPath(), join(folder, "bin/deno"));
  // How the machine reaches the network is no setting of a user's.
  const network = /proxy$|cert|ca_?bundle|cainfo|^(npm_config_registry|jsr_url)$/i;
  const env = Object.fromEntries(Object.entries(Deno.env.toObject()).filter(([name]) => network.test(name)));
  const path = `${join(folder, "bin")}:${Deno.env.get("PATH")}`;
  return { folder, clone, home, cwd: clone, env: { ...env, PATH: path, HOME: home, NO_COLOR: "1" } };
}

/** The user who has Node and no Deno: another home, and links to what is beside Deno where something is. */
function withoutDeno(user: User): User {
  const home = join(user.folder, "home-without-deno");
  Deno.mkdirSync(home);
  const folders = user.env.PATH.split(":").map((folder, i) => {
    if (!existsSync(join(folder, "deno"))) return folder;
    const others = join(user.folder, `without-deno-${i}`);
    for (const { name } of Deno.readDirSync(folder)) if (name !== "deno") link(join(folder, name), join(others, name));
    return others;
  });
  return { ...user, home, env: { ...user.env, HOME: home, PATH: folders.join(":") } };
}

/** The user in a project of their own. */
function elsewhere(user: User): User {
  const cwd = join(user.folder, "project");
  Deno.mkdirSync(cwd, { recursive: true });
  return { ...user, cwd };
}

async function works(command: string, user: User, otherwise: string): Promise<string | null> {
  return (await run(command, user)).success ? null : otherwise;
}

/** The folder with the libraries, as README says it is found. */
async function libraries(user: User): Promise<string> {
  write(join(user.clone, "example.ts"), 'import { load } from "@ggml/deno";\nconsole.log(load().path);\n');
  const { success, output } = await run("deno run --quiet --allow-ffi example.ts", user);
  if (!success) throw new Error(output);
  return output.trim();
}

/** The tree that `deno task regenerate` has downloaded. */
function headers(clone: string): string {
  const cache = join(clone, ".cache");
  const tree = [...Deno.readDirSync(cache)].find(({ name }) => name.startsWith("llama.cpp-"));
  if (tree === undefined) throw new Error(`${cache} has no tree of llama.cpp's`);
  return join(cache, tree.name);
}

function link(to: string, path: string): void {
  Deno.mkdirSync(join(path, ".."), { recursive: true });
  Deno.symlinkSync(to, path);
}

function write(path: string, text: string): void {
  Deno.mkdirSync(join(path, ".."), { recursive: true });
  Deno.writeTextFileSync(path, text);
}

/** What the pages name and there isn't: tasks in their text, and commands of the table above. */
function stale(markdown: string, tasks: Record<string, unknown>): string[] {
  const named = new Set([...markdown.matchAll(/\bdeno task ([\w:]+)/g)].map(([, name]) => name));
  const commands = new Set(STEPS.map(({ text }) => text));
  return [
    ...[...named].filter((name) => !(name in tasks)).map((name) => `a page names \`deno task ${name}\`, and deno.json has no such task`),
    ...Object.keys(SPECIAL).filter((command) => !commands.has(command)).map((command) => `no page has this any more: ${command}`),
  ];
}

const folder = await Deno.makeTempDir({ prefix: "readme-" });
const user = await newUser(folder);
const texts = PAGES.map((page) => Deno.readTextFileSync(join(user.clone, page)));
/** Each command once: what one page says after another isn't tried again. */
const STEPS = PAGES.flatMap((page, i) => stepsOf(page, texts[i])).filter(({ kind, text }, i, all) =>
  kind === "ts" || all.findIndex((other) => other.text === text) === i
);
try {
  for (const complaint of stale(texts.join("\n"), JSON.parse(await Deno.readTextFile(join(user.clone, "deno.json"))).tasks)) {
    Deno.exitCode = 1;
    console.log(`FAILED   ${complaint}`);
  }
  for (const step of STEPS) {
    const start = performance.now();
    const { status, text } = await attempt(step, user).catch((error): Outcome => ({ status: "FAILED", text: String(error) }));
    const seconds = ((performance.now() - start) / 1000).toFixed(1).padStart(6);
    const name = step.kind === "sh" ? step.text : `the example at ${step.page}:${step.line}`;
    console.log(`${status.padEnd(7)} ${seconds} s  ${name}${status === "FAILED" || text === undefined ? "" : `: ${text}`}`);
    if (status !== "FAILED") continue;
    Deno.exitCode = 1;
    console.log(text);
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
