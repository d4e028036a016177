/** The tasks' command lines: a wrong one is refused, so that nothing looks like success which wasn't tried. */

import { assertEquals, assertMatch } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { deno } from "../process.ts";

/** The tasks that take arguments of their own: all but the example, and Deno's. */
const TASKS = Object.keys(config.tasks).filter((name) => !["demo", "test"].includes(name));

/** Those that take a number first. */
const COUNTING = TASKS.filter((name) => /^(fuzz|asan$|stress:)/.test(name));

async function expectRefused(name: string, ...args: string[]) {
  const { code, stderr } = await deno(["task", name, ...args]);
  assertEquals(code, 2, `${name} ${args.join(" ")}: ${stderr}`);
  assertMatch(stderr, new RegExp(`deno task ${name}|usage: ${name}`));
}

for (const name of TASKS) {
  Deno.test(`deno task ${name}: --help says what it takes, another option than its own is refused`, async () => {
    const { code, stdout } = await deno(["task", name, "--help"]);
    assertEquals(code, 0, name);
    assertMatch(stdout, new RegExp(`deno task ${name}|usage: ${name}`));
    await expectRefused(name, "--nonsense");
    if (COUNTING.includes(name)) await expectRefused(name, "1e3");
    if (/FUNCTION/.test(stdout)) await expectRefused(name, "10", "1", "ggml_nonsense");
  });
}
