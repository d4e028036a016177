/**
 * What a caller's own code changes in the middle of a call: the getters of options, of an array's items and of an `ndarray`, and iterables. Each is
 * read once, before anything is looked at; what it freed is refused then.
 */

import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { copy, init, ndarray, toArray } from "@ggml/deno/utils";
import { program } from "../process.ts";

const FREED = / was freed/;

Deno.test("a getter that frees what the call is about: compute, computeAsync, lib.async and arrays of handles", async () => {
  const text = `
    import { lib } from "@ggml/deno";
    import { compute, computeAsync, init } from "@ggml/deno/utils";

    const SIDE = 256;
    const make = () => {
      const ctx = init({ memSize: 1 << 24 }), graph = lib.ggml_new_graph(ctx), cpu = lib.ggml_backend_cpu_init();
      const a = lib.ggml_set_f32(lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, SIDE, SIDE), 1);
      lib.ggml_build_forward_expand(graph, lib.ggml_mul_mat(ctx, a, a));
      return { ctx, graph, cpu };
    };
    /** Options that act when they are read for the nth time. */
    const acting = (n, act) => {
      let reads = 0;
      return new Proxy({}, { get: () => void (++reads === n && act()), ownKeys: () => [] });
    };
    const calls = {
      compute: ({ graph }, options) => compute(graph, options),
      computeAsync: ({ graph }, options) => computeAsync(graph, options),
      graphOf: ({ cpu, graph }, options) => lib.async.ggml_backend_graph_compute(cpu, graph, options),
    };
    for (const [name, call] of Object.entries(calls)) {
      for (let n = 1; n < 8; n++) {
        const made = make();
        const message = await (async () => call(made, acting(n, () => lib.ggml_free(made.ctx))))().then(() => "computed", (error) => error.message);
        if (message !== "computed" && !/ was freed/.test(message)) console.log(name, n, message);
      }
    }
    const one = make().cpu, two = make().cpu;
    const backends = Object.defineProperty([one, two], 1, { get: () => one.owner.freed || lib.ggml_backend_free(one), enumerable: true });
    try {
      lib.ggml_backend_sched_new(backends, null, 2, 64, false, false);
    } catch (error) {
      console.log(error.message);
    }
    console.log("alive");`;
  const { stdout, stderr } = await program(text, ["--allow-ffi", "--no-check"]);
  assertEquals(stdout, "ggml_backend_sched_new(backends)[0]: this ggml_backend was freed by ggml_backend_free\nalive\n", stderr);
});

Deno.test("an iterable that frees or shrinks the destination of its numbers", () => {
  const ctx = init(), a = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F16, 64);
  function* freeing(): Generator<number> {
    for (let i = 0; i < 64; i++) {
      if (i === 1) lib.ggml_free(ctx);
      yield i;
    }
  }
  assertMatch(assertThrows(() => copy(freeing(), a), Error).message, FREED);
  const memory = new ArrayBuffer(64, { maxByteLength: 128 });
  function* shrinking(): Generator<number> {
    for (let i = 0; i < 16; i++) {
      if (i === 1) memory.resize(16);
      yield i;
    }
  }
  const error = assertThrows(() => copy(shrinking(), new Float32Array(memory)), RangeError);
  assertMatch(error.message, /^copy: the shapes of Float32Array of 16 and Float32Array of (16|4) differ|shrank$/);
});

Deno.test("options and the strides of an array are read once", () => {
  using ctx = init();
  const a = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F16, 64), memory = new ArrayBuffer(256, { maxByteLength: 512 });
  let reads = 0;
  const options = {
    get allowRequantize() {
      if (++reads > 1) memory.resize(16);
      return true;
    },
  };
  copy(new Float32Array(memory).fill(3), a, options);
  assertEquals([toArray(a)[63], reads], [3, 1]);
  let offsets = 0;
  const array = Object.create(ndarray(new Float32Array(64).fill(5)), { offset: { get: () => ++offsets > 2 ? 1 << 20 : 0 } });
  assertThrows(() => copy(array, lib.ggml_set_f32(a, 0)), RangeError, "reaches past its data of 64");
});
