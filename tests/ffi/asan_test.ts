/** AddressSanitizer over ggml itself: C reads and writes nothing that was freed, and nothing beyond a tensor. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { asan, run, whyNot } from "../stress/asan.ts";
import { computeSanitized } from "../stress/computing.ts";

const why = await whyNot();
if (why !== null) console.warn(`SKIPPED AddressSanitizer: ${why}`);

Deno.test({
  name: "300 random programs over ggml with AddressSanitizer: no report, where a use of freed memory made on purpose is reported",
  ignore: why !== null,
  fn: async () => {
    const environment = await asan();
    const proof = await run(environment, "use_after_free.ts");
    assertEquals(proof.stdout, "10 elements\n");
    assertStringIncludes(proof.stderr, "AddressSanitizer: heap-use-after-free");
    assertStringIncludes(proof.stderr, "in ggml_nelements");
    const { code, stdout, stderr } = await run(environment, "programs.ts", ["300", "1"]);
    assertEquals(stderr.includes("AddressSanitizer"), false, stderr);
    assertEquals([code, stdout], [0, "300 programs read right\n"], stderr);
  },
});

Deno.test({
  name: "the calls with wrong arguments over ggml with AddressSanitizer: each is an Error, and none is reported",
  ignore: why !== null,
  fn: async () => {
    const { code, stdout, stderr } = await run(await asan(), "wrong_calls.ts");
    assertEquals(stderr.includes("AddressSanitizer:"), false, stderr);
    assertEquals(code, 0, stderr);
    assertMatch(stdout, /^[3-9]\d\d calls are Errors\n$/);
  },
});

Deno.test({
  name:
    "2,000 random graphs over ggml with AddressSanitizer: no report, where a read beyond a tensor, after calls that the trap ended, is reported",
  ignore: why !== null,
  fn: async () => {
    const environment = await asan();
    const proof = await run(environment, "overflow.ts");
    assertEquals(proof.stdout, `${"an error\n".repeat(2)}${"an error in node 0\n".repeat(5)}computed\n`);
    assertStringIncludes(proof.stderr, "AddressSanitizer: heap-buffer-overflow");
    assertStringIncludes(proof.stderr, "in ggml_compute_forward_sqr");
    const { programs, computations, text } = await computeSanitized(environment, 2000, 2026);
    assertEquals(text, "");
    assert(programs >= 2000 && computations > programs / 2, `only ${computations} of ${programs} computed`);
  },
});
