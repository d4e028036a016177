/** Computing on other machines: servers in processes of their own on loopback, some of which are killed. */

import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { load } from "@ggml/deno";
import { rpc } from "@ggml/deno/utils";
import { program } from "../process.ts";
import { rpcBuild } from "../rpc.ts";
import { NAME } from "../../tools/build_rpc.ts";
import { start as startWith, type Started } from "./rpc_server.ts";

const build = await rpcBuild();
const library = `${build}${NAME}`;
const IGNORE = { ignore: build === null };

/** A server in a process of its own. */
function start(options?: { port: number; cache?: string }): Promise<Started> {
  return startWith(library, options);
}

/** What a client's program begins with: a product of two matrices on a device. */
const CLIENT = `import { lib, load } from "@ggml/deno";
  import { compute, computeAsync, copy, devices, init, rpc, view } from "@ggml/deno/utils";
  const library = ${JSON.stringify(library)};
  const tell = (message) => { console.log("?" + message); return new Promise((resolve) => Deno.stdin.read(new Uint8Array(9)).then(resolve)); };
  function product({ device }) {
    const backend = lib.ggml_backend_dev_init(device, null), ctx = init({ noAlloc: true });
    const a = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, 64, 64), b = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, 64, 64);
    const result = lib.ggml_mul_mat(ctx, a, b), graph = lib.ggml_new_graph(ctx);
    lib.ggml_build_forward_expand(graph, result);
    const buffer = lib.ggml_backend_alloc_ctx_tensors(ctx, backend);
    copy(new Float32Array(64 * 64).fill(1), a);
    copy(new Float32Array(64 * 64).fill(2), b);
    return { backend, ctx, a, result, graph, buffer, number: () => (compute(graph, { backend }), view(result, { allowCopy: true }).get(3, 4)) };
  }
  const failure = async (run) => { try { await run(); return "no error" } catch (error) { return error.message } };
`;

/** Runs a client beside this test, which is told each line that the client prints, and lets it go on where it `tell`s something. */
async function client(text: string, args: readonly string[], hear: (line: string) => Promise<void> | void): Promise<void> {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  const at = (path: string) => JSON.stringify(new URL(`../../${path}`, import.meta.url).href);
  await Deno.writeTextFile(
    file,
    (CLIENT + text).replaceAll('"@ggml/deno/utils"', at("utils/mod.ts")).replaceAll('"@ggml/deno"', at("mod.ts")),
  );
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-check", "--v8-flags=--expose-gc", "--allow-ffi"],
      ...[`--config=${new URL("../../deno.json", import.meta.url).pathname}`, file, ...args],
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(process.stderr).text(), writer = process.stdin.getWriter();
  const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  try {
    let rest = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const lines = (rest + part.value).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        await hear(line.replace(/^\?/, ""));
        if (line.startsWith("?")) await writer.write(new Uint8Array(1));
      }
    }
    const { code } = await process.status;
    assertEquals(code, 0, await stderr);
  } finally {
    await writer.close().catch(() => {});
    await Deno.remove(file);
  }
}

Deno.test("wrong endpoints and options are refused", async () => {
  for (const wrong of ["nonsense", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "a b:5", ":5", 5, null]) {
    assertThrows(() => rpc.connect(wrong as never), TypeError, "rpc.connect: expected host:port");
  }
  assertThrows(() => rpc.connect("127.0.0.1:5", { library: 5 } as never), TypeError, "rpc.connect({ library }): expected the path");
  for (const timeout of [0, -1, NaN, "5", 2 ** 31]) {
    assertThrows(() => rpc.connect("127.0.0.1:5", { timeout } as never), TypeError, "rpc.connect({ timeout }): expected milliseconds");
  }
  const refused = [
    [null, "rpc.serve: expected { host, port, devices, threads, cache, library }, got null"],
    [{ port: -1 }, "rpc.serve({ port }): expected a port"],
    [{ port: "5" }, "rpc.serve({ port }): expected a port"],
    [{ host: "example.org" }, "rpc.serve: host must be an IPv4 address"],
    [{ host: "1.2.3.256" }, "rpc.serve: host must be an IPv4 address"],
    [{ threads: 0 }, "rpc.serve({ threads }): expected a number of threads"],
    [{ cache: "" }, "rpc.serve({ cache }): expected a path"],
    [{ backlog: 5 }, "rpc.serve: there is no option backlog"],
  ] as const;
  for (const [options, message] of refused) await assertRejects(() => rpc.serve(options as never), TypeError, message);
});

Deno.test("without the backend, the Error says how to get it and what was tried", async () => {
  const folder = await Deno.makeTempDir();
  try {
    for (const { name } of Deno.readDirSync(load().path)) await Deno.symlink(load().path + name, `${folder}/${name}`);
    const { stdout } = await program(`import { lib, load } from "@ggml/deno"; import { rpc } from "@ggml/deno/utils";
      load({ path: ${JSON.stringify(folder)} });
      try { lib.ggml_backend_rpc_reg() } catch (error) { console.log(error.message) }
      try { rpc.connect("127.0.0.1:5") } catch (error) { console.log(error.message) }
      try { await rpc.serve({ library: "/nowhere/libggml-rpc.so" }) } catch (error) { console.log(error.message) }`);
    assertStringIncludes(stdout, `ggml_backend_rpc_reg is not in the loaded library`);
    assertStringIncludes(stdout, "rpc.connect: the loaded library has no RPC backend");
    assertStringIncludes(stdout, "`deno task build:rpc` in a clone of this repository builds it");
    for (const path of [`${folder}/${NAME}`, `${folder}/rpc/${NAME}`, "/nowhere/libggml-rpc.so"]) {
      assertStringIncludes(stdout, `\n  ${path}: `);
    }
    if (build === null) return;
    await Deno.mkdir(`${folder}/rpc`); // as `deno task build:rpc` makes it
    await Deno.copyFile(library, `${folder}/rpc/${NAME}`);
    const found = await program(`import { lib, load } from "@ggml/deno"; import { rpc } from "@ggml/deno/utils";
      load({ path: ${JSON.stringify(folder)} });
      console.log(lib.ggml_backend_reg_name(lib.ggml_backend_rpc_reg()), load().files.at(-1));
      await using server = await rpc.serve({ port: 0 });
      console.log(server.devices.length);`);
    assertEquals(found.stdout, `RPC ${folder}/rpc/${NAME}\n1\n`, found.stderr);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("serve listens on loopback and a free port, ends when it is closed, and can be started again", IGNORE, async () => {
  const text = `import { rpc } from "@ggml/deno/utils";
    const options = { port: 0, library: ${JSON.stringify(library)} };
    const server = await rpc.serve(options);
    console.log(server.host, server.port > 0, server.devices.map(({ name }) => name).join());
    try { await rpc.serve(options) } catch (error) { console.log(error.message) }
    await server.close();
    console.log(await server.finished);
    { await using again = await rpc.serve({ ...options, port: server.port }); console.log(again.port === server.port); }
    console.log("end");`;
  const { stdout, stderr, code } = await program(text);
  const [first, second, ...rest] = stdout.split("\n");
  assertEquals([code, first], [0, "127.0.0.1 true CPU"], stderr);
  assertMatch(second, /^rpc\.serve: this process serves already, on 127\.0\.0\.1:\d+: close that first$/);
  assertEquals(rest, ["undefined", "true", "end", ""]);
});

Deno.test("serve on a port that is in use is an Error", IGNORE, async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const text = `import { rpc } from "@ggml/deno/utils";
    try { await rpc.serve({ port: ${listener.addr.port}, library: ${
    JSON.stringify(library)
  } }) } catch (error) { console.log(error.message) }`;
  assertStringIncludes((await program(text)).stdout, `rpc.serve: can't listen on 127.0.0.1:${listener.addr.port}`);
});

Deno.test("a server's devices are among devices(), and compute", IGNORE, async () => {
  await using server = await start();
  const said: string[] = [];
  await client(
    `const [remote, ...others] = rpc.connect(Deno.args[0], { library });
    console.log(remote.name, remote.backend, remote.description, remote.host, remote.memory.total > 0, others.length);
    console.log(devices().map(({ name }) => name).join(), rpc.connect(Deno.args[0])[0].name);
    console.log(product(remote).number());`,
    [server.endpoint],
    (line) => void said.push(line),
  );
  assertEquals(said, [`RPC0 RPC ${server.endpoint} false true 0`, "CPU,RPC0 RPC0", "128"]);
});

Deno.test("a server that was never there, that isn't one, and that has another client are Errors", IGNORE, async () => {
  using closing = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const closed = (async () => {
    for await (const connection of closing) connection.close();
  })();
  await using server = await start();
  const said: string[] = [];
  await client(
    `const [remote] = rpc.connect(Deno.args[0], { library }), kept = product(remote);
    console.log(await failure(() => rpc.connect("127.0.0.1:1")));
    console.log(await failure(() => rpc.connect(Deno.args[1])));
    await tell("now"); console.log(kept.number());`,
    [server.endpoint, `127.0.0.1:${closing.addr.port}`],
    async (line) => {
      said.push(line);
      if (line !== "now") return;
      const start = performance.now();
      await client(
        `console.log(await failure(() => rpc.connect(Deno.args[0], { library })))`,
        [server.endpoint],
        (line) => void said.push(line),
      );
      assert(performance.now() - start > 9000, "it waits ten seconds");
    },
  );
  closing.close();
  await closed;
  assertMatch(said[0], /^rpc\.connect: no RPC server of this release answers at 127\.0\.0\.1:1, .*: Failed to connect/);
  assertMatch(said[1], /^rpc\.connect: no RPC server of this release answers at .*: Remote RPC server crashed/);
  assertEquals(said[2], "now");
  assertMatch(said[3], /^rpc\.connect: .* or it has a client already/);
  assertEquals(said.slice(4), ["128"]);
});

Deno.test(
  "a server that is killed is an Error for whoever waits, in every kind of call, and the client goes on with others",
  IGNORE,
  async () => {
    await using one = await start();
    await using two = await start();
    const calls = ["compute", "computeAsync", "copy", "view", "free"];
    const said: string[] = [];
    await client(
      `const [first] = rpc.connect(Deno.args[0], { library }), [second] = rpc.connect(Deno.args[1]);
    const lost = product(first), other = product(second);
    const forgotten = (() => product(first).number())();
    console.log(lost.number() + other.number() + forgotten);
    await tell("kill");
    console.log("compute", await failure(() => compute(lost.graph, { backend: lost.backend })));
    console.log("computeAsync", await failure(() => computeAsync(lost.graph, { backend: lost.backend })));
    console.log("copy", await failure(() => copy(new Float32Array(64 * 64), lost.a)));
    console.log("view", await failure(() => view(lost.result, { allowCopy: true })));
    console.log("free", await failure(() => lib.ggml_backend_buffer_free(lost.buffer)));
    lib.ggml_backend_free(lost.backend);
    for (let i = 0; i < 5; i++) { gc(); await new Promise((resolve) => setTimeout(resolve, 20)); }
    console.log(other.number(), await failure(() => rpc.connect(Deno.args[0])), devices().length);
    await tell("again");
    console.log(product(rpc.connect(Deno.args[0])[0]).number());`,
      [one.endpoint, two.endpoint],
      async (line) => {
        if (line === "kill") return await one.kill();
        if (line === "again") return void (restarted = await start({ port: Number(one.endpoint.split(":")[1]) }));
        said.push(line);
      },
    );
    await restarted?.kill();
    assertEquals(said[0], "384");
    calls.forEach((call, i) => assertMatch(said[i + 1], new RegExp(`^${call} .*the connection to the RPC server at .*is lost`)));
    assertMatch(said[6], /^128 rpc\.connect: no RPC server of this release answers at .* 3$/);
    assertEquals(said.slice(7), ["128"]);
  },
);

let restarted: Started | undefined;

Deno.test("a server that is killed while it computes for a call that waits is an Error of that call", IGNORE, async () => {
  await using server = await start();
  const said: string[] = [];
  await client(
    `const [remote] = rpc.connect(Deno.args[0], { library }), backend = lib.ggml_backend_dev_init(remote.device, null);
    const ctx = init({ noAlloc: true }), a = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, 2048, 2048);
    let b = a;
    for (let i = 0; i < 100; i++) b = lib.ggml_mul_mat(ctx, a, b);
    const graph = lib.ggml_new_graph(ctx);
    lib.ggml_build_forward_expand(graph, b);
    lib.ggml_backend_alloc_ctx_tensors(ctx, backend);
    compute(graph, { backend }); // returns when the server knows what to do
    const begin = performance.now();
    console.log("computing");
    const message = await failure(() => view(b, { allowCopy: true }));
    console.log(message, performance.now() - begin > 300);`,
    [server.endpoint],
    (line) => {
      if (line === "computing") setTimeout(server.kill, 500);
      said.push(line);
    },
  );
  assertMatch(said[1], /^view: the connection to the RPC server at .* is lost.* true$/);
});

/** Stands before a server and counts what clients send. */
function counting(endpoint: string): { readonly endpoint: string; readonly sent: number; close(): void } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 }), [hostname, port] = endpoint.split(":");
  let sent = 0;
  (async () => {
    for await (const client of listener) {
      const server = await Deno.connect({ hostname, port: Number(port) });
      const count = new TransformStream<Uint8Array, Uint8Array>({
        transform: (part, controller) => {
          sent += part.length;
          controller.enqueue(part);
        },
      });
      client.readable.pipeThrough(count).pipeTo(server.writable).catch(() => {}); // one of them has ended
      server.readable.pipeTo(client.writable).catch(() => {});
    }
  })();
  return {
    endpoint: `127.0.0.1:${(listener.addr as Deno.NetAddr).port}`,
    get sent() {
      return sent;
    },
    close: () => listener.close(),
  };
}

Deno.test("a server that hangs is an Error for whoever waits, after its timeout, and is there again when it goes on", IGNORE, async () => {
  await using one = await start();
  await using two = await start();
  const said: string[] = [];
  await client(
    `const [first] = rpc.connect(Deno.args[0], { library, timeout: 1500 }), [second] = rpc.connect(Deno.args[1], { timeout: 60_000 });
    const lost = product(first), other = product(second);
    console.log(lost.number() + other.number());
    await tell("stop");
    const start = performance.now();
    console.log(await failure(() => lost.number()));
    const waited = performance.now() - start;
    console.log(waited > 1400 && waited < 30_000 ? "its timeout" : waited);
    console.log(await failure(() => copy(new Float32Array(64 * 64), lost.a)));
    console.log(other.number());
    await tell("go on");
    console.log(product(rpc.connect(Deno.args[0], { timeout: 1500 })[0]).number());`,
    [one.endpoint, two.endpoint],
    (line) => {
      said.push(line);
      if (line === "stop") Deno.kill(one.pid, "SIGSTOP");
      if (line === "go on") Deno.kill(one.pid, "SIGCONT");
    },
  );
  assertEquals(said.filter((line) => !line.includes("RPC server")), ["256", "stop", "its timeout", "128", "go on", "128"]);
  const silent = `the RPC server at ${one.endpoint} has not answered for 1500 ms`;
  for (const line of said.filter((line) => line.includes("RPC server"))) assertStringIncludes(line, silent);
});

Deno.test("weights that a server has in its cache aren't sent again", IGNORE, async () => {
  const cache = await Deno.makeTempDir(), sent: number[] = [], said: string[] = [];
  try {
    await using server = await start({ port: 0, cache: `${cache}/weights` });
    for (let i = 0; i < 2; i++) {
      const proxy = counting(server.endpoint);
      await client(
        `const [remote] = rpc.connect(Deno.args[0], { library }), backend = lib.ggml_backend_dev_init(remote.device, null);
        const ctx = init({ noAlloc: true }), a = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 3 << 20);
        const buffer = lib.ggml_backend_alloc_ctx_tensors(ctx, backend);
        lib.ggml_backend_buffer_set_usage(buffer, lib.GGML_BACKEND_BUFFER_USAGE_WEIGHTS);
        copy(Float32Array.from({ length: 3 << 20 }, (_, i) => i), a);
        console.log(view(a, { allowCopy: true }).get(1 << 20));`,
        [proxy.endpoint],
        (line) => void said.push(line),
      );
      sent.push(proxy.sent);
      proxy.close();
    }
    assertEquals(said, [String(1 << 20), String(1 << 20)]);
    assert(sent[0] > 12 << 20 && sent[1] < 1 << 16, `${sent} bytes were sent`);
    const files = Array.from(Deno.readDirSync(`${cache}/weights`), ({ name }) => name);
    assertEquals(files.length, 1);
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
});

/** Loads a model, and says its first tokens. */
const SPEAK = `function speak(path, remote) {
    const params = lib.llama_model_default_params();
    params.devices = BigUint64Array.of(...remote.map(({ device }) => device.address), 0n);
    params.n_gpu_layers = remote.length === 0 ? 0 : 99;
    const model = lib.llama_model_load_from_file(path, params);
    const ctx = lib.llama_init_from_model(model, Object.assign(lib.llama_context_default_params(), { n_ctx: 64, n_threads: 1, n_threads_batch: 1 }));
    const said = [1, 2, 3];
    return { said, ctx, model, next() {
      const tokens = Int32Array.from(said.length === 3 ? said : said.slice(-1));
      if (lib.llama_decode(ctx, lib.llama_batch_get_one(tokens, tokens.length)) !== 0) throw new Error("llama_decode failed");
      const logits = lib.llama_get_logits_ith(ctx, -1), at = new Float32Array(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(logits.address), 256));
      said.push(at.indexOf(Math.max(...at)));
    } };
  }`;

Deno.test("a server of two that is killed at any moment of a prompt in pieces is an Error at once", IGNORE, async () => {
  const { writeTinyLlama } = await import("../tiny_llama.ts");
  const path = await Deno.makeTempFile({ suffix: ".gguf" });
  writeTinyLlama(path, "no_vocab", 4);
  try {
    for (let round = 0; round < 4; round++) {
      await using one = await start();
      await using two = await start();
      const killed = round % 2 === 0 ? one : two, said: string[] = [];
      await client(
        `devices();
        const params = lib.llama_model_default_params(), fields = { n_ctx: 64, n_threads: 1, n_batch: 32, n_ubatch: 4 };
        const remote = [...rpc.connect(Deno.args[0], { library }), ...rpc.connect(Deno.args[1])];
        params.devices = BigUint64Array.of(...remote.map(({ device }) => device.address), 0n);
        params.n_gpu_layers = 99;
        const model = lib.llama_model_load_from_file(Deno.args[2], params);
        const ctx = lib.llama_init_from_model(model, Object.assign(lib.llama_context_default_params(), fields));
        const prompt = Int32Array.from({ length: 32 }, (_, i) => i), memory = lib.llama_get_memory(ctx);
        console.log("prompt after prompt");
        console.log(await failure(() => {
          for (;;) {
            lib.llama_memory_clear(memory, true);
            if (lib.llama_decode(ctx, lib.llama_batch_get_one(prompt, 32)) !== 0) throw new Error("llama_decode failed");
            lib.llama_get_logits_ith(ctx, -1);
          }
        }));
        console.log("alive", await failure(() => lib.llama_free(ctx)), await failure(() => lib.llama_model_free(model)));`,
        [one.endpoint, two.endpoint, path],
        (line) => {
          if (line === "prompt after prompt") setTimeout(killed.kill, 40 * round);
          said.push(line);
        },
      );
      assertStringIncludes(said[1], `the connection to the RPC server at ${killed.endpoint} is lost`);
      assertMatch(said[2], /^alive llama_free: .* is lost .* llama_model_free: .* is lost/);
    }
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("a model split over two servers says the same tokens, and one that is killed in the middle is an Error", IGNORE, async () => {
  const { writeTinyLlama } = await import("../tiny_llama.ts");
  const path = await Deno.makeTempFile({ suffix: ".gguf" });
  writeTinyLlama(path, "no_vocab", 4);
  await using one = await start();
  await using two = await start();
  const said: string[] = [];
  try {
    await client(
      `${SPEAK}
      devices(); // loads the backends
      const here = speak(Deno.args[2], []), there = speak(Deno.args[2], [...rpc.connect(Deno.args[0], { library }), ...rpc.connect(Deno.args[1])]);
      for (let i = 0; i < 20; i++) { here.next(); there.next(); }
      console.log(here.said.join());
      console.log(there.said.join());
      console.log(devices().filter(({ backend }) => backend === "RPC").length);
      await tell("kill");
      console.log(await failure(() => there.next()));
      here.next();
      console.log("alive", here.said.length);`,
      [one.endpoint, two.endpoint, path],
      async (line) => line === "kill" ? await two.kill() : void said.push(line),
    );
  } finally {
    await Deno.remove(path);
  }
  assertEquals(said[0].split(",").length, 23);
  assertEquals(said[1], said[0]);
  assertEquals(said[2], "2");
  assertStringIncludes(said[3], `the connection to the RPC server at ${two.endpoint} is lost`);
  assertEquals(said.slice(4), ["alive 24"]);
});
