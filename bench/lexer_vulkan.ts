/**
 * A large header, as a whole process, beside `clang -fsyntax-only` and `gcc -fsyntax-only` where they are.
 *
 *     deno run -A bench/lexer_vulkan.ts [HEADER…]
 *
 * @module
 */

const headers = Deno.args.length > 0 ? Deno.args : ["/usr/include/vulkan/vulkan.h"];
const cli = new URL("../lexer/cli.ts", import.meta.url).href;
const empty = Deno.makeTempFileSync({ suffix: ".ts" });

async function wall(command: string, args: string[]): Promise<number | null> {
  const list: number[] = [];
  for (let i = 0; i < 11; i++) {
    const start = performance.now();
    try {
      const { success } = await new Deno.Command(command, { args, stdout: "null", stderr: "null" }).output();
      if (!success) return null;
    } catch {
      return null;
    }
    list.push(performance.now() - start);
  }
  return list.toSorted((a, b) => a - b)[list.length >> 1];
}

const bare = await wall(Deno.execPath(), ["run", "--no-config", empty]) ?? 0;
const ours = await wall(Deno.execPath(), ["run", "-RW", cli, "dump", ...headers]);
console.log(`dump: ${ours?.toFixed(0)} ms, less Deno's start ${((ours ?? 0) - bare).toFixed(0)} ms`);
for (const compiler of ["clang", "gcc"]) {
  const theirs = await wall(compiler, ["-fsyntax-only", "-x", "c", "-w", ...headers]);
  if (theirs !== null) {
    console.log(`${compiler} -fsyntax-only: ${theirs.toFixed(0)} ms (ours is ${(((ours ?? 0) - bare) / theirs).toFixed(1)} ×)`);
  }
}
Deno.removeSync(empty);
