/** What nobody can reach is freed by the garbage collector, of every kind, and what somebody can is not. */

import { assertEquals, assertMatch } from "@std/assert";
import { writeTinyLlama } from "../tiny_llama.ts";
import { deno, program } from "../process.ts";

const GC = ["--allow-ffi", "--allow-read", "--allow-env", "--v8-flags=--expose-gc"];
const FOLDER = new URL("../", import.meta.url).href;

/** Makes and drops many of each kind, and prints those that were not freed, or after which memory had grown. */
const STRESS = `
  const gc = (globalThis as any).gc as () => void;
  const turn = () => new Promise((resolve) => setTimeout(resolve));
  async function stress(name: string, kind: any, count: number, batch: number) {
    let freed = 0;
    const prototype = Object.getPrototypeOf(kind.make());
    const dispose = prototype[Symbol.dispose];
    prototype[Symbol.dispose] = function () { freed++; dispose.call(this); };
    const make = () => void kind.make();
    const some = async (n: number) => {
      for (let i = 0; i < n; i++) {
        make();
        if (i % batch === batch - 1) { gc(); await turn(); }
      }
      for (let i = 0; i < 5; i++) { gc(); await turn(); }
    };
    await some(count / 2); // what malloc keeps for the next time is no leak
    const before = Deno.memoryUsage().rss;
    await some(count);
    const grown = Math.round((Deno.memoryUsage().rss - before) / 2 ** 20);
    prototype[Symbol.dispose] = dispose;
    if (prototype.constructor.name !== "Pointer" && freed < count * 1.5) console.log(name, "freed", freed);
    if (grown > 24) console.log(name, "grew by", grown, "MiB");
  }`;

Deno.test("2,000 of each kind, made and dropped, are freed, and memory stays bounded", async () => {
  const { code, stdout, stderr } = await program(
    `import { KINDS } from "${FOLDER}kinds.ts";
    ${STRESS}
    for (const [name, kind] of Object.entries(KINDS)) await stress(name, kind, 2000, 100);
    console.log("done");`,
    GC,
  );
  assertEquals(code, 0, stderr);
  assertEquals(stdout.trim(), "done");
});

Deno.test("100 models with contexts and samplers, dropped in one go, are freed in order, and memory stays bounded", async () => {
  const path = await Deno.makeTempFile({ suffix: ".gguf" });
  try {
    writeTinyLlama(path);
    const { code, stdout, stderr } = await program(
      `import { llamaKinds } from "${FOLDER}kinds.ts";
      ${STRESS}
      for (const [name, kind] of Object.entries(llamaKinds(${JSON.stringify(path)}))) await stress(name, kind, 100, 10);
      console.log("done");`,
      GC,
    );
    assertEquals(code, 0, stderr);
    assertEquals(stdout.trim(), "done");
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("handles, views and what C points to keep things alive", async () => {
  const { code, stdout, stderr } = await program(
    `import { lib } from "@ggml/deno";
    import { copy, init, view } from "@ggml/deno/utils";
    import { cpu, graphOf, newSched } from "${FOLDER}kinds.ts";
    const collect = async () => {
      for (let i = 0; i < 10; i++) {
        (globalThis as any).gc();
        await new Promise((resolve) => setTimeout(resolve));
        init({ memSize: 65536 });
      }
    };
    // Only the tensor is held: its context, the scheduler with its memory, and the scheduler's backend are what it needs.
    function computed() {
      const ctx = init({ memSize: 65536, noAlloc: true }), sched = newSched(cpu());
      const { a, sum, graph } = graphOf(ctx);
      lib.ggml_backend_sched_alloc_graph(sched, graph);
      copy(new Float32Array([1, 2, 3, 4]), a);
      lib.ggml_backend_sched_graph_compute(sched, graph);
      return sum;
    }
    const sum = computed();
    await collect();
    console.log(view(sum).data.join());
    // Only the view is held, of memory of a buffer.
    function shown() {
      const ctx = init({ memSize: 65536, noAlloc: true });
      const t = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4);
      lib.ggml_backend_alloc_ctx_tensors(ctx, cpu());
      copy(new Float32Array([5, 6, 7, 8]), t);
      return view(t).data;
    }
    const numbers = shown();
    await collect();
    console.log(numbers.join());
    // Only the chain is held.
    function chained() {
      const chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params());
      lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_greedy());
      return chain;
    }
    const chain = chained();
    await collect();
    console.log(lib.llama_sampler_name(lib.llama_sampler_chain_get(chain, 0)!));
    // Only a sampler that a chain took is held.
    const taken = lib.llama_sampler_chain_get(chained(), 0)!;
    await collect();
    console.log(lib.llama_sampler_name(taken));
    // A hold, and nothing else.
    let held: bigint;
    (() => { const gguf = lib.gguf_init_empty(); gguf.owner.hold("a call"); held = gguf.address; })();
    await collect();
    console.log(lib.gguf_get_n_kv(lib.gguf_context.from(held!)!));
    // A borrowed one is not freed.
    const { borrow } = await import("@ggml/deno/utils");
    (() => { held = borrow(lib.gguf_init_empty()).address; })();
    await collect();
    lib.gguf_free(lib.gguf_context.from(held!));`,
    GC,
  );
  assertEquals(code, 0, stderr);
  assertEquals(stdout.trim().split("\n"), ["2,4,6,8", "5,6,7,8", "greedy", "greedy", "0"]);
});

Deno.test("a long-lived context doesn't grow by those that came and went", async () => {
  const { code, stdout, stderr } = await program(
    `import { lib } from "@ggml/deno";
    import { init } from "@ggml/deno/utils";
    const gc = (globalThis as any).gc as () => void;
    const weights = init({ memSize: 65536 });
    const w = lib.ggml_new_tensor_1d(weights, lib.GGML_TYPE_F32, 4);
    const use = () => void lib.ggml_add(init({ memSize: 4096 }), lib.ggml_view_tensor(init({ memSize: 4096 }), w), w);
    async function many(n: number) {
      for (let i = 0; i < n; i++) {
        use();
        if (i % 100 === 99) { gc(); await new Promise((resolve) => setTimeout(resolve)); }
      }
      return Deno.memoryUsage().heapUsed;
    }
    await many(2000);
    const before = await many(2000), after = await many(10000);
    console.log(after - before < 1e6 ? "bounded" : after - before, lib.ggml_nelements(w));`,
    GC,
  );
  assertEquals(code, 0, stderr);
  assertEquals(stdout.trim(), "bounded 4");
});

Deno.test("100 random programs of making, relating, freeing, dropping and using end well", async () => {
  const args = [
    "run",
    "--quiet",
    "--allow-ffi",
    "--allow-read",
    "--allow-env",
    "--v8-flags=--expose-gc",
    `${FOLDER}ffi/lifetime_random.ts`,
  ];
  const { code, stdout, stderr } = await deno([...args, "100", "1"], { MALLOC_PERTURB_: "165", GGML_NO_BACKTRACE: "1", TRACE: "seeds" });
  assertEquals(code, 0, stderr.split("\n").slice(-5).join("\n"));
  assertMatch(stdout, /^[5-9]\d{3} done, [5-9]\d{3} threw$/m); // half of it is mistakes, half isn't
});
