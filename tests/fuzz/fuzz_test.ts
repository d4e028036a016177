/** The fuzz of tensor builders: that it finds what it is meant to find. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { lib } from "@ggml/deno";
import { catalogue, type Parameter } from "./catalogue.ts";
import { Workshop } from "./children.ts";
import { complaint } from "./messages.ts";
import { type Ended, replay } from "./report.ts";
import { print, slice, type Step } from "./steps.ts";
import { newTensor, withContext } from "../context.ts";

const CONTEXT: Step = { init: { memSize: 8192, noAlloc: false } };
const tensor = (ne: number): Step => ({ call: "ggml_new_tensor_1d", args: [{ ref: 0 }, { name: "GGML_TYPE_F32" }, ne] });

Deno.test("the builders are read from the headers: all that take a context and return a tensor, and nothing else", async () => {
  const names = (await catalogue()).builders.map(({ name }) => name);
  assert(names.length > 230, `${names.length}`);
  for (const name of ["ggml_new_tensor", "ggml_mul_mat", "ggml_ssm_scan", "ggml_map_custom3"]) assert(names.includes(name), name);
  for (const name of ["ggml_get_tensor", "ggml_set_name", "ggml_new_graph"]) assert(!names.includes(name), name);
});

Deno.test("a program that kills its process is told from one that throws and one that passes, and the next ones still run", async () => {
  using workshop = new Workshop();
  const kills: Step[] = [{ call: "ggml_guid_matches", args: [{ nowhere: "123456789012345" }, { nowhere: "123456789012345" }] }];
  const throws: Step[] = [CONTEXT, { call: "ggml_dup", args: [{ ref: 0 }, null] }];
  const passes: Step[] = [CONTEXT, tensor(3)];
  const ended: Ended[] = [];
  await replay(workshop, [passes, kills, throws, kills, passes], (i, how) => ended[i] = how);
  assertEquals(ended, [
    "passed",
    "died",
    { message: "ggml_dup(a): expected a ggml_tensor, got null" },
    "died",
    "passed",
  ]);
});

Deno.test("a call is printed with the steps that its arguments need and no others", () => {
  const steps: Step[] = [
    CONTEXT,
    tensor(1),
    tensor(2),
    CONTEXT,
    { call: "ggml_set_param", args: [{ ref: 2 }] },
    { call: "ggml_scale", args: [{ ref: 0 }, { ref: 2 }, { text: "NaN" }] },
  ];
  assertEquals(
    print(slice(steps)),
    [
      "const ctx0 = init({ memSize: 8192 });",
      "const t1 = lib.ggml_new_tensor_1d(ctx0, lib.GGML_TYPE_F32, 2);",
      "lib.ggml_set_param(t1);",
      "lib.ggml_scale(ctx0, t1, NaN);",
    ].join("\n"),
  );
});

Deno.test("a message must name the function and its parameter and, of a failed assertion, show the tensors", () =>
  withContext((ctx) => {
    const a = newTensor(ctx, lib.GGML_TYPE_F32, 64, 32);
    const parameters = [{ name: "ctx" }, { name: "a" }, { name: "b" }] as Parameter[];
    const complaintOf = (message: string) =>
      complaint("ggml_add", parameters, [{ ref: 0 }, { ref: 1 }, { ref: 1 }], [ctx, a], new Error(message));
    assertEquals(complaintOf("ggml_add(a): expected a ggml_tensor, got null"), null);
    assertEquals(complaintOf("ggml_add: assertion failed: ggml_can_repeat(b, a): a is f32 ne=[64, 32, 1, 1]"), null);
    assertEquals(complaintOf("ggml_add: assertion failed: ggml_can_repeat(b, a): a is f32 ne=[64, 32], b is f32 ne=[64, 32]"), null);
    assertStringIncludes(complaintOf("ggml_add: assertion failed: ggml_can_repeat(b, a)")!, "shows none of its tensors");
    assertStringIncludes(complaintOf("ggml_add(x): expected a number")!, "names no parameter of its own");
    assertStringIncludes(complaintOf("ggml_add_inplace: no")!, "doesn't begin with the function's name");
    assertStringIncludes(complaintOf("expected a ggml_tensor")!, "doesn't begin with the function's name");
  }));
