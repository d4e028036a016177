/** onLog() and the default logger: lines, order, threads, and what is left when it ends. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { lib, load } from "@ggml/deno";
import { init, type LogLevel, onLog } from "@ggml/deno/utils";
import { program } from "../process.ts";

const DEBUG = lib.GGML_LOG_LEVEL_DEBUG, INFO = lib.GGML_LOG_LEVEL_INFO, WARN = lib.GGML_LOG_LEVEL_WARN, ERROR = lib.GGML_LOG_LEVEL_ERROR;
const CONT = lib.GGML_LOG_LEVEL_CONT, NONE = lib.GGML_LOG_LEVEL_NONE;

/** ggml's own logging function, on this thread and on another. */
const SYMBOLS = `
const file = load().files[0], parameters = ["i32", "buffer"];
const here = Deno.dlopen(file, { ggml_log_internal: { parameters, result: "void" } }).symbols.ggml_log_internal;
const there = Deno.dlopen(file, { ggml_log_internal: { parameters, result: "void", nonblocking: true } }).symbols.ggml_log_internal;
const say = (level, text) => here(level, new TextEncoder().encode(text + "\\0"));
const sayElsewhere = (level, text) => there(level, new TextEncoder().encode(text + "\\0"));
`;
const START = `import { lib, load } from "@ggml/deno"; import { init, onLog } from "@ggml/deno/utils"; ${SYMBOLS}`;

const parameters = ["i32", "buffer"] as const;
const file = load().files[0];
const here = Deno.dlopen(file, { ggml_log_internal: { parameters, result: "void" } }).symbols.ggml_log_internal;
const there = Deno.dlopen(file, { ggml_log_internal: { parameters, result: "void", nonblocking: true } }).symbols.ggml_log_internal;

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text + "\0");
}

function say(level: number, text: string): void {
  here(level, bytes(text));
}

/** Listens while `test` runs, and gives what was heard. */
async function heard(test: () => void | Promise<void>): Promise<[LogLevel, string][]> {
  const lines: [LogLevel, string][] = [];
  {
    using _ = onLog((level, text) => lines.push([level, text]));
    await test();
  }
  return lines;
}

Deno.test("progress that one thread tells continues no error of another's, and what details an error does", async () => {
  const lines = await heard(() => {
    say(4, "an error:\n"), say(5, "  its detail\n"), say(5, "."), say(5, "..\n"), say(2, "loading "), say(5, "."), say(5, ".\n");
  });
  assertEquals(lines, [["error", "an error:"], ["error", "  its detail"], ["info", "..."], ["info", "loading .."]]);
});

Deno.test("by default warnings and errors are printed, with what continues them, and nothing else", async () => {
  const { code, stdout, stderr } = await program(`${START}
    say(2, "information\\n"); say(5, "more information\\n"); say(1, "debugging\\n"); say(0, "nothing\\n");
    say(3, "a warning, "); say(5, "continued\\n"); say(4, "an error\\n"); say(2, "information\\n");
    lib.gguf_init_from_file("no such file", new lib.gguf_init_params());
    await sayElsewhere(3, "elsewhere\\n"); await sayElsewhere(2, "information\\n");`);
  assertEquals([code, stdout], [0, ""]);
  const lines = stderr.trimEnd().split("\n");
  assertEquals(lines.length, 4, stderr);
  assertEquals([lines[0], lines[1], lines[3]], ["a warning, continued", "an error", "elsewhere"]);
  assertStringIncludes(lines[2], "failed to open GGUF file 'no such file'");
});

Deno.test("llama's messages go the same way", async () => {
  const load = `lib.llama_log_get; lib.llama_model_load_from_file("no such model", lib.llama_model_default_params());`;
  const quiet = await program(`${START} ${load}`);
  assertEquals([quiet.code, quiet.stdout], [0, ""]);
  assertStringIncludes(quiet.stderr, "llama");
  const first = await program(`${START} ${load} using _ = onLog((level, text) => console.log(level, text)); ${load}`);
  const before = await program(`${START} using _ = onLog((level, text) => console.log(level, text)); ${load}`);
  assertEquals(first.stderr, quiet.stderr);
  assertEquals(before.stderr, "");
  for (const { stdout } of [first, before]) assertStringIncludes(stdout, `error ${quiet.stderr.split("\n")[0]}`);
});

Deno.test("each line comes once, with its level, after the call that logged it", async () => {
  const lines: string[] = [];
  using _ = onLog((level, text) => lines.push(`${level}: ${text}`));
  assertEquals(lib.gguf_init_from_file("no such file", new lib.gguf_init_params()), null);
  say(WARN, "two\nlines\n");
  assertEquals(lines, []);
  await null;
  assertEquals(lines.length, 3);
  assertStringIncludes(lines[0], "error: gguf_init_from_file: failed to open GGUF file 'no such file'");
  assertEquals(lines.slice(1), ["warn: two", "warn: lines"]);
});

Deno.test("messages are joined to lines and split into them", async () => {
  const lines = await heard(() => {
    say(INFO, "loading ");
    for (let i = 0; i < 3; i++) say(CONT, ".");
    say(CONT, "\n");
    say(INFO, "\n\n");
    say(WARN, "no end");
    say(DEBUG, "of another level\nand");
    say(DEBUG, " of the same\r\n");
    say(NONE, "of none\n");
    say(ERROR, "€".repeat(1000) + "\n");
    here(ERROR, new Uint8Array([0x61, 0xff, 0x62, 0x0a, 0]));
    say(INFO, "");
    say(INFO, "at the end");
  });
  assertEquals(lines, [
    ["info", "loading ..."],
    ["warn", "no end"],
    ["debug", "of another level"],
    ["debug", "and of the same"],
    ["info", "of none"],
    ["error", "€".repeat(1000)],
    ["error", "a\ufffdb"],
    ["info", "at the end"],
  ]);
});

/** Runs a C function of one pointer on a thread of its own, and blocks this one until it ends. */
function runOnThread(name: string, argument: bigint): void {
  const c = Deno.dlopen(file, {
    [name]: { type: "pointer" },
    pthread_create: { parameters: ["buffer", "pointer", "pointer", "u64"], result: "i32" },
    pthread_join: { parameters: ["u64", "pointer"], result: "i32" },
  });
  const thread = new BigUint64Array(1);
  const { pthread_create, pthread_join } = c.symbols as {
    pthread_create: (...args: unknown[]) => number;
    pthread_join: (...args: unknown[]) => number;
  };
  assertEquals(pthread_create(thread, null, c.symbols[name], argument), 0);
  assertEquals(pthread_join(thread[0], null), 0);
}

Deno.test("a call that waits for a thread that logs doesn't deadlock", { ignore: Deno.build.os === "windows" }, async () => {
  using ctx = init({ memSize: 4096 });
  lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4);
  const lines = await heard(() => {
    runOnThread("ggml_print_objects", ctx.address);
    say(INFO, "after it\n");
  });
  assertStringIncludes(lines[0][1], "ggml_print_objects: objects in context");
  assertEquals(lines.at(-1), ["info", "after it"]);
});

Deno.test("another thread is heard while this one is blocked, and after that", async () => {
  const lines = await heard(async () => {
    const calls = [there(WARN, bytes("one\n")), there(WARN, bytes("two\n"))];
    const until = performance.now() + 20;
    while (performance.now() < until); // the event loop doesn't turn
    say(INFO, "here\n");
    await Promise.all(calls);
  });
  assertEquals(lines.map(([, text]) => text).sort(), ["here", "one", "two"]);
});

Deno.test("another thread wakes the listener without help of this one", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  using _ = onLog((level, text) => resolve(`${level}: ${text}`));
  const call = there(WARN, bytes("hello\n"));
  const keepAlive = setTimeout(() => resolve("nothing came"), 10_000);
  assertEquals(await promise, "warn: hello");
  clearTimeout(keepAlive);
  await call;
});

Deno.test("none of thousands of messages is lost, whole and in each thread's order", async () => {
  const each = 3000;
  const lines = await heard(async () => {
    const threads = ["a", "b", "c"].map(async (name) => {
      for (let i = 0; i < each; i++) await there(INFO, bytes(`${name} ${i}\n`));
    });
    for (let i = 0; i < each; i++) {
      say(INFO, `here ${i}\n`);
      if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    }
    await Promise.all(threads);
  });
  assertEquals(lines.length, 4 * each);
  for (const name of ["a", "b", "c", "here"]) {
    const own = lines.flatMap(([, text]) => text.startsWith(`${name} `) ? [Number(text.slice(name.length + 1))] : []);
    assertEquals(own, Array.from({ length: each }, (_, i) => i));
  }
});

Deno.test("an exception in the listener becomes an error event, and the next line comes", async () => {
  const errors: unknown[] = [], lines: string[] = [];
  const onError = (event: ErrorEvent) => {
    event.preventDefault();
    errors.push(event.error.message);
  };
  addEventListener("error", onError);
  try {
    using _ = onLog((_, text) => {
      lines.push(text);
      throw new Error(`not ${text}`);
    });
    say(INFO, "one\ntwo\n");
    await null;
    say(INFO, "three\n");
  } finally {
    removeEventListener("error", onError);
  }
  assertEquals(lines, ["one", "two", "three"]);
  assertEquals(errors, ["not one", "not two", "not three"]);
});

Deno.test("where nobody handles it, the exception is printed and the program goes on", async () => {
  const { code, stdout, stderr } = await program(`${START}
    onLog((level, text) => { if (text === "one") throw new Error("of mine"); console.log(text); });
    say(2, "one\\n"); say(2, "two\\n"); await null; console.log("goes on");`);
  assertEquals([code, stdout], [0, "two\ngoes on\n"]);
  assertStringIncludes(stderr, "Uncaught (in the listener of onLog) Error: of mine");
});

Deno.test("the listener may call what logs: that comes later, without end or recursion", async () => {
  const texts: string[] = [];
  let depth = 0, deepest = 0;
  using log = onLog((_, text) => {
    deepest = Math.max(deepest, ++depth);
    texts.push(text);
    if (texts.length < 5) say(INFO, `${texts.length}\n`);
    depth--;
  });
  say(INFO, "0\n");
  await null;
  assertEquals(texts, ["0"]); // the event loop gets its turns in between
  while (texts.length < 5) await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(texts, ["0", "1", "2", "3", "4"]);
  assertEquals(deepest, 1);
  log[Symbol.dispose]();
});

Deno.test("the last listener wins, and only its own subscription ends it", async () => {
  const heardBy: string[] = [];
  const first = onLog((_, text) => heardBy.push(`first ${text}`));
  say(INFO, "a\n");
  const second = onLog((_, text) => heardBy.push(`second ${text}`)); // what waited goes to the first
  say(INFO, "b\n");
  first[Symbol.dispose]();
  say(INFO, "c\n");
  await null;
  second[Symbol.dispose]();
  say(INFO, "not printed\n");
  second[Symbol.dispose]();
  await null;
  assertEquals(heardBy, ["first a", "second b", "second c"]);
  onLog(() => heardBy.push("third"));
  onLog(null)[Symbol.dispose]();
  say(INFO, "not printed\n");
  await null;
  assertEquals(heardBy.length, 3);
});

Deno.test("wrong listeners are refused", () => {
  for (const wrong of [undefined, 1, {}, "console.log"]) {
    assertThrows(() => onLog(wrong as never), TypeError, "onLog: expected a function or null, got ");
  }
});

Deno.test("a listener doesn't keep the process alive, and nothing is lost when it ends", async () => {
  const ends = {
    "": 0,
    "Deno.exit(2);": 2,
    "throw new Error();": 1,
    "setTimeout(() => { throw new Error(); });": 1,
    "Promise.reject();": 1,
  };
  for (const [end, expected] of Object.entries(ends)) {
    const { code, stdout } = await program(`${START}
      onLog((level, text) => console.log(level, text));
      await sayElsewhere(3, "elsewhere\\n"); say(2, "here\\n"); say(2, "without an end"); ${end}`);
    assertEquals([code, stdout], [expected, "warn elsewhere\ninfo here\ninfo without an end\n"], end);
  }
});

Deno.test("what C logs while the process exits is harmless", { ignore: Deno.build.os === "windows" }, async () => {
  for (const end of ["", "throw new Error();", "setTimeout(() => { throw new Error(); });", "Promise.reject();"]) {
    const { code, stdout, stderr } = await program(`${START}
      const { symbols } = Deno.dlopen(file, {
        __cxa_atexit: { parameters: ["pointer", "u64", "u64"], result: "i32" }, ggml_print_objects: { type: "pointer" },
      });
      const ctx = lib.ggml_init(new lib.ggml_init_params({ mem_size: 4096 })); // its memory is C's
      globalThis.kept = ctx; // or it may be collected before the process exits
      onLog((level, text) => console.log(level, text));
      symbols.__cxa_atexit(symbols.ggml_print_objects, ctx.address, 0n);
      ${end}`);
    assertEquals([code, stdout], [end === "" ? 0 : 1, ""], stderr);
  }
});

Deno.test("after the subscription, warnings are printed again", async () => {
  const { stdout, stderr } = await program(`${START}
    { using _ = onLog((level, text) => console.log(level, text)); say(3, "heard\\n"); }
    say(3, "printed\\n"); say(2, "neither\\n");`);
  assertEquals([stdout, stderr], ["warn heard\n", "printed\n"]);
});

Deno.test("a logger of one's own stays, whoever else loads the library", async () => {
  const { code, stdout, stderr } = await program(
    `${START}
    const own = new lib.ggml_log_callback((level, text) => console.log("own", level, text.trimEnd()));
    lib.ggml_log_set(own, null);
    say(2, "one\\n");
    const url = "data:text/javascript," + encodeURIComponent('import { lib } from "${new URL("../../mod.ts", import.meta.url)}";' +
      'lib.ggml_version(); postMessage(0)');
    const worker = new Worker(url, { type: "module" });
    await new Promise((resolve) => worker.onmessage = resolve);
    worker.terminate();
    say(2, "two\\n");
    lib.ggml_log_set(null, null);`,
    ["--allow-ffi", "--allow-import", "--allow-read"],
  );
  assertEquals([code, stdout], [0, "own 2 one\nown 2 two\n"], stderr);
});

Deno.test("a Worker can't give C a function for the whole process: C would call it when the Worker is gone", async () => {
  const worker = `import { lib } from "${new URL("../../mod.ts", import.meta.url)}";
    const messages = [];
    const tried = (f) => { try { f(); messages.push("no error"); } catch (error) { messages.push(error.message); } };
    const log = new lib.ggml_log_callback(() => {});
    tried(() => lib.ggml_log_set(log, null));
    tried(() => lib.llama_log_set(log, null));
    tried(() => lib.ggml_set_abort_callback(new lib.ggml_abort_callback_t(() => {})));
    tried(() => lib.ggml_log_set(null, null));
    postMessage(messages);`;
  const { code, stdout, stderr } = await program(
    `${START}
    const worker = new Worker("data:text/javascript," + encodeURIComponent(${JSON.stringify(worker)}), { type: "module" });
    const messages = await new Promise((resolve) => worker.onmessage = ({ data }) => resolve(data));
    worker.terminate();
    say(3, "still alive\\n");
    console.log(messages.join("\\n"));`,
    ["--allow-ffi", "--allow-import", "--allow-read"],
  );
  const gone = "C would call the function of a Worker even after that is terminated: ";
  assertEquals([code, stdout.trimEnd().split("\n")], [0, [
    `ggml_log_set: ${gone}listen with onLog of @ggml/deno/utils, or set it on the main thread`,
    `llama_log_set: ${gone}listen with onLog of @ggml/deno/utils, or set it on the main thread`,
    `ggml_set_abort_callback: ${gone}set it on the main thread`,
    "no error",
  ]], stderr);
  assertStringIncludes(stderr, "still alive");
});

Deno.test("a Worker that listened may be terminated while C logs", async () => {
  const { code, stdout, stderr } = await program(
    `${START}
    const text = \`
      import { lib, load } from "${new URL("../../mod.ts", import.meta.url)}"; import { onLog } from "${new URL(
      "../../utils/mod.ts",
      import.meta.url,
    )}";
      \${${JSON.stringify(SYMBOLS)}}
      onLog((level, text) => postMessage(text));
      say(2, "of the worker\\\\n");\`;
    const worker = new Worker("data:text/javascript," + encodeURIComponent(text), { type: "module" });
    const texts = [];
    await new Promise((resolve) => worker.onmessage = ({ data }) => { texts.push(data); resolve(); });
    say(2, "of the main thread\\n");
    await new Promise((resolve) => worker.onmessage = ({ data }) => { texts.push(data); resolve(); });
    worker.terminate();
    for (let i = 0; i < 1000; i++) say(2, "to nobody\\n");
    console.log(texts.join(", "));
    { using _ = onLog((level, text) => { if (text !== "to nobody") console.log(text); }); say(2, "here again\\n"); }`,
    [
      "--allow-ffi",
      "--allow-import",
      "--allow-read",
    ],
  );
  assertEquals([code, stdout], [0, "of the worker, of the main thread\nhere again\n"], stderr);
});

Deno.test("after a Worker that listened was terminated, errors are printed and nothing piles up", async () => {
  const worker = `import { lib } from "${new URL("../../mod.ts", import.meta.url)}";
    import { onLog } from "${new URL("../../utils/mod.ts", import.meta.url)}";
    onLog(() => {});
    lib.ggml_version();
    postMessage(0);`;
  const { code, stdout, stderr } = await program(
    `${START}
    const worker = new Worker("data:text/javascript," + encodeURIComponent(${JSON.stringify(worker)}), { type: "module" });
    await new Promise((resolve) => worker.onmessage = resolve);
    worker.terminate();
    await new Promise((resolve) => setTimeout(resolve, 1000)); // it isn't told when the thread has ended
    say(4, "an error\\n");
    const before = Deno.memoryUsage().rss, text = new TextEncoder().encode("information ".repeat(20) + "\\n\\0");
    for (let i = 0; i < 200_000; i++) here(2, text);
    console.log(Deno.memoryUsage().rss - before < 20e6);
    { using _ = onLog((level, text) => console.log(level, text)); say(4, "heard\\n"); }
    say(3, "printed\\n");`,
    ["--allow-ffi", "--allow-import", "--allow-read"],
  );
  assertEquals([code, stdout, stderr], [0, "true\nerror heard\n", "an error\nprinted\n"]);
});

Deno.test("a Worker that began under another's logger, and heard a call, listens as any other", async () => {
  const url = (name: string) => JSON.stringify(new URL(`../../${name}`, import.meta.url));
  const worker = `import { lib } from ${url("mod.ts")};
    import { onLog } from ${url("utils/mod.ts")};
    import { Heard } from ${url("ffi/calls/heard.ts")};
    lib.ggml_tensor_overhead(); // loads the library
    new Heard().during(() => {});
    onmessage = () => {
      const lines = [];
      const listener = onLog((_, text) => lines.push(text));
      lib.gguf_init_from_file("no such file", new lib.gguf_init_params());
      listener[Symbol.dispose]();
      postMessage(lines.length);
    };
    postMessage("ready");`;
  const { code, stdout, stderr } = await program(
    `${START}
    lib.ggml_log_set(new lib.ggml_log_callback(() => {}), null);
    const worker = new Worker("data:text/javascript," + encodeURIComponent(${JSON.stringify(worker)}), { type: "module" });
    const answer = () => new Promise((resolve) => worker.onmessage = ({ data }) => resolve(data));
    await answer();
    onLog(() => {})[Symbol.dispose]();
    worker.postMessage(null);
    console.log(await answer());
    worker.terminate();`,
    ["--allow-ffi", "--allow-import", "--allow-read"],
  );
  assertEquals([code, stdout, stderr], [0, "1\n", ""]);
});

Deno.test("a Worker that ends without a word, in which alone ggml was loaded", async () => {
  // The listener keeps it from hearing that it is to end, yet not for ever: Deno 2.9 itself never ends, with or without ggml, where a Worker
  // was terminated in a loop without an end.
  const worker = `import { lib } from "${new URL("../../mod.ts", import.meta.url)}";
    import { onLog } from "${new URL("../../utils/mod.ts", import.meta.url)}";
    onLog(() => { for (const end = Date.now() + 500; Date.now() < end;); });
    lib.gguf_init_from_file("no such file", new lib.gguf_init_params());
    postMessage(0);`;
  for (let i = 0; i < 5; i++) {
    const { code, stdout, stderr } = await program(
      `const worker = new Worker("data:text/javascript," + encodeURIComponent(${JSON.stringify(worker)}), { type: "module" });
      await new Promise((resolve) => worker.onmessage = resolve);
      worker.terminate();
      await new Promise((resolve) => setTimeout(resolve, 1000));
      console.log("alive");`,
      ["--allow-ffi", "--allow-import", "--allow-read"],
    );
    assertEquals([code, stdout], [0, "alive\n"], stderr);
  }
});

Deno.test("what C prints gives the terminal no commands that a file or a caller has in its text", async () => {
  const { code, stderr } = await program(`${START}
    say(3, "clear \\x1b[2J \\x9b2J \\x07 \\x7f é\\tend\\r\\n");
    lib.gguf_init_from_file("no\\x1b[2Jfile", new lib.gguf_init_params());
    here(4, new Uint8Array([0x61, 0xff, 0x1b, 0x0a, 0]));`);
  assertEquals(code, 0);
  const lines = stderr.split("\n");
  assertEquals(lines[0], "clear ?[2J ??2J ? ? é\tend\r");
  assertStringIncludes(lines[1], "'no?[2Jfile'");
  assertEquals(lines[2], "a\ufffd?");
});

Deno.test("a library without llama has logs, too", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const base = load().path +
      (Deno.build.os === "windows" ? "ggml-base.dll" : `libggml-base.${Deno.build.os === "darwin" ? "dylib" : "so"}`);
    const alone = `${folder}/${base.slice(load().path.length)}`;
    await Deno.copyFile(base, alone);
    const { code, stdout, stderr } = await program(`import { lib, load } from "@ggml/deno"; import { onLog } from "@ggml/deno/utils";
      load({ path: ${JSON.stringify(alone)} });
      lib.gguf_init_from_file("first", new lib.gguf_init_params());
      using _ = onLog((level, text) => console.log(level, text));
      try { lib.llama_print_system_info(); } catch (error) { console.log(error.message.slice(0, 43)); }
      lib.gguf_init_from_file("second", new lib.gguf_init_params());`);
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, "'first'");
    assertStringIncludes(stdout, "llama_print_system_info is not in the loade");
    assertStringIncludes(stdout, "error gguf_init_from_file: failed to open GGUF file 'second'");
    assert(!stderr.includes("second"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
