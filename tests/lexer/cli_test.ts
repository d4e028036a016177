import { assertEquals } from "@std/assert";

const CLI = new URL("../../lexer/cli.ts", import.meta.url).href;

async function run(args: string[], files: Record<string, string>): Promise<{ code: number; out: string; err: string }> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(files)) {
      if (name.includes("/")) await Deno.mkdir(`${folder}/${name.slice(0, name.lastIndexOf("/"))}`, { recursive: true });
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-lock", "-RW", CLI, ...args],
      cwd: folder,
      env: { NO_COLOR: "1" },
    }).output();
    const decoder = new TextDecoder();
    return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("dump prints JSON, with -I, -isystem, -D and --target", async () => {
  const { code, out, err } = await run(
    ["dump", "a.h", "-I", "inc", "-isystem", "sys", "-DN=3", "--target", "aarch64-macos"],
    {
      "a.h": "#include <b.h>\n#include <c.h>\nint f(T a[N]);\n#define M N\n",
      "inc/b.h": "typedef int T;\n",
      "sys/c.h": "#define HIDDEN 1\n",
    },
  );
  assertEquals([code, err], [0, ""]);
  const dump = JSON.parse(out);
  assertEquals(dump.target, "aarch64-macos");
  assertEquals(dump.functions[0].parameters, [{ name: "a", type: "T *" }]);
  assertEquals(dump.constants, [{ name: "M", kind: "int", value: 3 }]);
});

Deno.test("a reader that closes stdout ends dump without an error", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const names = Array.from({ length: 20_000 }, (_, i) => `int function_${i}(void);`);
    await Deno.writeTextFile(`${folder}/a.h`, names.join("\n") + "\n");
    const args = ["run", "--no-lock", "-RW", CLI, "dump", `${folder}/a.h`];
    const child = new Deno.Command(Deno.execPath(), { args, stdout: "piped", stderr: "piped", env: { NO_COLOR: "1" } }).spawn();
    const reader = child.stdout.getReader();
    assertEquals((await reader.read()).done, false);
    await reader.cancel();
    assertEquals(await child.stderr.text(), "");
    assertEquals((await child.status).code, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("errors go to stderr, with status 1 and nothing on stdout", async () => {
  const { code, out, err } = await run(["dump", "a.h"], { "a.h": "int f(nope);\n" });
  assertEquals([code, out], [1, ""]);
  assertEquals(err.split("\n")[0], "a.h:1:7: error: unknown type name 'nope'");
});

Deno.test("preprocess prints what cc -E -P would", async () => {
  const { code, out } = await run(["preprocess", "a.h", "-D", "X"], { "a.h": "#ifdef X\n#define F(x) x + x\nint a = F(1);\n#endif\n" });
  assertEquals([code, out], [0, "int a = 1 + 1;\n"]);
});

Deno.test("a wrong command line is told, with status 2", async () => {
  assertEquals((await run(["dmp"], {})).err.split("\n")[0], "unknown command 'dmp'; did you mean 'dump'?");
  assertEquals((await run(["dump", "a.h", "--target", "vax"], {})).code, 2);
  assertEquals((await run(["dump"], {})).err, "no header given\n");
});

Deno.test("--help says what each command takes, with status 0", async () => {
  for (const args of [["--help"], ["-h"], ["dump", "--help"], ["preprocess", "a.h", "-h"], ["generate", "--help"]]) {
    const { code, out, err } = await run(args, {});
    assertEquals([code, err], [0, ""]);
    for (const option of ["-I", "-isystem", "-include", "-D", "-U", "--target", "--no-standard"]) {
      assertEquals(out.includes(option), true, option);
    }
  }
  for (const name of ["toString", "constructor", "__proto__"]) {
    const { code, err } = await run([name], {});
    assertEquals([code, err.split("\n")[0]], [2, `unknown command '${name}'`]);
  }
});

Deno.test("--target takes the names that compilers and Deno have for it", async () => {
  for (
    const [name, target] of [["x86_64-unknown-linux-gnu", "x86_64-linux"], ["arm64-apple-darwin", "aarch64-macos"], [
      "x86_64-pc-windows-msvc",
      "x86_64-windows",
    ]]
  ) {
    const { out, err } = await run(["dump", "a.h", "--target", name], { "a.h": "long f(void);\n" });
    assertEquals(JSON.parse(out).target, target, err);
  }
});

Deno.test("a misspelt header is told the nearest one that is there", async () => {
  const { code, err } = await run(["dump", "a.h", "-I", "inc"], {
    "a.h": '#include "bb/shape.h"\n#include <wdth.h>\n',
    "bb/shapes.h": "",
    "inc/width.h": "",
  });
  assertEquals(code, 1);
  assertEquals(err.match(/did you mean '[^']*'/g), ["did you mean 'bb/shapes.h'", "did you mean 'width.h'"]);
});
