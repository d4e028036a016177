/**
 * Memory that is transferred elsewhere. Of JavaScript's, that C points to: whatever would use it is refused, and says which it was. Of C's: it is
 * never freed, or whoever has it would read what C puts there next.
 */

import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { lib } from "@ggml/deno";
import { compute, computeAsync, copy, init, view } from "@ggml/deno/utils";
import { graphOf } from "../context.ts";
import { program } from "../process.ts";

/** Has nobody here have the memory any more. */
function transfer({ buffer }: { readonly buffer: ArrayBuffer }): void {
  structuredClone(buffer, { transfer: [buffer] });
}

/** Memory that begins at a multiple of 32 bytes, as buffers must. */
function aligned(byteLength: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(byteLength + 32), address = BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)));
  return bytes.subarray(Number(32n - address % 32n)).subarray(0, byteLength);
}

const LOST = /was left without its memory: the Uint8Array of \d+ bytes (?:given as|that it was made of).* was transferred elsewhere$/;

function assertLost(...uses: (() => unknown)[]): void {
  for (const use of uses) assertEquals(LOST.test(assertThrows(use, Error).message), true, use.toString());
}

Deno.test("a context whose memBuffer was transferred, and what points into it", async () => {
  const memory = new Uint8Array(1 << 16), ctx = init({ memBuffer: memory });
  using other = init();
  const a = lib.ggml_set_f32(lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4), 1), b = lib.ggml_sqr(other, a), graph = graphOf(other, b);
  compute(graph);
  transfer(memory);
  assertLost(
    () => lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4),
    () => a.ne,
    () => a.address && lib.ggml_nbytes(a),
    () => view(a),
    () => copy(new Float32Array(4), a),
    () => copy(a, new Float32Array(4)),
    () => compute(graph),
    () => lib.ggml_graph_compute_with_ctx(other, graph, 1),
    () => lib.ggml_sqr(other, a),
  );
  const error = await computeAsync(graph).then(() => null, (error) => error);
  assertEquals(LOST.test(error?.message), true, String(error));
  lib.ggml_free(ctx);
});

Deno.test("a buffer over memory that was transferred, and tensors in it", () => {
  const memory = aligned(1 << 16), buffer = lib.ggml_backend_cpu_buffer_from_ptr(memory as never, memory.length);
  using ctx = init({ noAlloc: true });
  const a = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4);
  lib.ggml_backend_tensor_alloc(buffer, a, lib.ggml_backend_buffer_get_base(buffer)! as never);
  copy(Float32Array.of(1, 2, 3, 4), a);
  transfer(memory);
  assertLost(
    () => lib.ggml_backend_buffer_clear(buffer, 0),
    () => copy(new Float32Array(4), a),
    () => view(a),
    () => lib.ggml_backend_tensor_set(a, new Float32Array(4), 0, 16),
  );
  lib.ggml_backend_buffer_free(buffer);
});

Deno.test("a plan whose work_data was transferred; another one computes", () => {
  using ctx = init();
  const a = lib.ggml_set_f32(lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, 64, 64), 1);
  const graph = graphOf(ctx, lib.ggml_mul_mat(ctx, lib.ggml_cast(ctx, a, lib.GGML_TYPE_F16), a));
  const plan = lib.ggml_graph_plan(graph, 1, null), first = new Uint8Array(plan.work_size), second = new Uint8Array(plan.work_size);
  plan.work_data = first as never;
  plan.work_data = second as never;
  transfer(first); // which the plan doesn't point to any more
  assertEquals(lib.ggml_graph_compute(graph, plan), lib.GGML_STATUS_SUCCESS);
  transfer(second);
  assertLost(() => lib.ggml_graph_compute(graph, plan));
  compute(graph);
});

Deno.test("what was copied, and what is C's own, may be transferred", () => {
  using ctx = init();
  const numbers = Float32Array.of(1, 2, 3, 4), a = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, 4);
  copy(numbers, a);
  transfer(numbers);
  assertEquals([...view(lib.ggml_dup_tensor(ctx, a)).data].length, 4);
});

/** Makes something whose memory the next of its size would get; `free` frees it. */
interface Made {
  /** Its memory, all of it 7, moved elsewhere. */
  readonly elsewhere: Float32Array<ArrayBuffer>;
  readonly free: () => void;
}

/** Floats that were moved elsewhere, where they begin in their buffer. */
function moved(array: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  const { byteOffset, length } = array.fill(7);
  return new Float32Array(structuredClone(array.buffer, { transfer: [array.buffer] }), byteOffset, length);
}

const N = 100_000;

function buffered(value: number | null): Made {
  using backend = lib.ggml_backend_cpu_init()!;
  const ctx = init({ noAlloc: true }), t = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, N);
  const buffer = lib.ggml_backend_alloc_ctx_tensors(ctx, backend)!;
  if (value !== null) lib.ggml_set_f32(t, value);
  const elsewhere = value === null ? moved(view(t).data as Float32Array<ArrayBuffer>) : new Float32Array();
  return { elsewhere, free: () => lib.ggml_backend_buffer_free(buffer) };
}

function inContext(value: number | null): Made {
  const ctx = init({ memSize: 4 * N + 1024 }), t = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, N);
  if (value !== null) lib.ggml_set_f32(t, value);
  const elsewhere = value === null ? moved(view(t).data as Float32Array<ArrayBuffer>) : new Float32Array();
  return { elsewhere, free: () => lib.ggml_free(ctx) };
}

function pointed(value: number | null): Made {
  const ctx = lib.gguf_init_empty(), numbers = new Float32Array(N).fill(value ?? 0);
  lib.gguf_set_arr_data(ctx, "numbers", lib.GGUF_TYPE_FLOAT32, numbers, N);
  const bytes = lib.gguf_get_arr_data(ctx, 0)!.bytes(4 * N);
  const elsewhere = value === null ? moved(new Float32Array(bytes.buffer, bytes.byteOffset, N)) : new Float32Array();
  return { elsewhere, free: () => lib.gguf_free(ctx) };
}

for (const make of [buffered, inContext, pointed]) {
  Deno.test(`C's memory that was transferred stays when its owner is freed: ${make.name}`, () => {
    const { elsewhere, free } = make(null);
    free();
    const others = [1, 2, 3].map((value) => make(value));
    assertEquals(elsewhere.every((x) => x === 7), true);
    for (const { free } of others) free();
  });
}

Deno.test("what C would free or write anew in a later call is refused once it was transferred elsewhere: an array of a file", async () => {
  using file = lib.gguf_init_empty();
  lib.gguf_set_arr_data(file, "numbers", lib.GGUF_TYPE_FLOAT32, Float32Array.of(1, 2), 2);
  transfer(lib.gguf_get_arr_data(file, 0)!.bytes(8));
  const message = /^what lies in this gguf_context can't be replaced by gguf_\w+ now: an array over its memory was transferred elsewhere/;
  assertThrows(() => lib.gguf_remove_key(file, "numbers"), Error, "can't be replaced by gguf_remove_key");
  assertMatch((await assertRejects(() => lib.async.gguf_set_val_u8(file, "other", 1), Error)).message, message);
  assertEquals(lib.gguf_get_n_kv(file), 1);
});

Deno.test("what C would free or write anew in a later call is refused once it was transferred elsewhere: an allocator's memory", () => {
  using cpu = lib.ggml_backend_cpu_init()!;
  using allocator = lib.ggml_gallocr_new(lib.ggml_backend_cpu_buffer_type()!)!;
  using sched = lib.ggml_backend_sched_new([cpu], null, 1, 64, false, false)!;
  const homes: [string, (graph: lib.ggml_cgraph) => unknown, () => void][] = [
    ["ggml_gallocr", (graph) => lib.ggml_gallocr_alloc_graph(allocator, graph), () => lib.ggml_gallocr_free(allocator)],
    ["ggml_backend_sched", (graph) => lib.ggml_backend_sched_alloc_graph(sched, graph), () => lib.ggml_backend_sched_free(sched)],
  ];
  for (const [type, place, free] of homes) {
    const placed = (count: number) => {
      const ctx = init({ noAlloc: true }), sum = lib.ggml_scale(ctx, lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, count), 2);
      place(graphOf(ctx, sum));
      return sum;
    };
    const elsewhere = moved(view(placed(N)).data as Float32Array<ArrayBuffer>);
    assertThrows(() => placed(10 * N), Error, `this ${type} can't place tensors anew`);
    free();
    for (const value of [1, 2, 3]) buffered(value);
    assertEquals(elsewhere.subarray(0, N).every((x) => x === 7), true, type);
  }
});

Deno.test("C's memory that was transferred stays when its owner and the array that showed it were collected", async () => {
  const text = `
    import { lib } from "@ggml/deno";
    import { init, tensor, view } from "@ggml/deno/utils";

    const N = 100_000;
    const collect = async () => {
      for (let i = 0; i < 5; i++) {
        gc();
        await new Promise((resolve) => setTimeout(resolve));
      }
    };
    const inContext = () => view(tensor(init({ memSize: 4 * N + 1024 }), new Float32Array(N))).data;
    const buffered = () => {
      const ctx = init({ noAlloc: true }), t = lib.ggml_new_tensor_1d(ctx, lib.GGML_TYPE_F32, N);
      lib.ggml_backend_alloc_ctx_tensors(ctx, lib.ggml_backend_cpu_init());
      return view(t).data;
    };
    for (const make of [inContext, buffered]) {
      let array = make().fill(7);
      await collect(); // the context
      const { byteOffset } = array, elsewhere = structuredClone(array.buffer, { transfer: [array.buffer] });
      array = null;
      await collect(); // the array
      const others = Array.from({ length: 20 }, () => make().fill(3));
      console.log(make.name, others.length, new Float32Array(elsewhere, byteOffset, N).every((x) => x === 7));
    }`;
  const { stdout, stderr } = await program(text, ["--allow-ffi", "--no-check", "--v8-flags=--expose-gc"]);
  assertEquals(stdout, "inContext 20 true\nbuffered 20 true\n", stderr);
});

Deno.test("memory that shrank is as much as gone: C would go on where it was", () => {
  const memory = () => {
    const buffer = new ArrayBuffer(1 << 16, { maxByteLength: 1 << 17 });
    return { bytes: new Uint8Array(buffer), ints: new Int32Array(buffer), resize: (length: number) => buffer.resize(length) };
  };
  const shrank = (use: () => unknown) => assertEquals(/ of 65536 bytes .* shrank$/.test(assertThrows(use, Error).message), true, `${use}`);
  const of = memory(), buffer = lib.ggml_backend_cpu_buffer_from_ptr(of.bytes as never, 1 << 16);
  of.resize(1 << 17); // what C has stays where it is
  lib.ggml_backend_buffer_clear(buffer, 7);
  assertEquals(of.bytes[65535], 7);
  of.resize(100);
  shrank(() => lib.ggml_backend_buffer_clear(buffer, 0));

  const token = memory(), seq_id = memory(), batch = new lib.llama_batch({ n_tokens: 1, token: token.ints });
  token.resize(0);
  shrank(() => batch.token);
  const listed = new lib.llama_batch({ n_tokens: 2, seq_id: [new Int32Array(1), seq_id.ints, new Int32Array(1)] });
  assertEquals(listed.n_tokens, 2);
  seq_id.resize(4);
  shrank(() => listed.n_tokens);

  using ctx = init();
  const a = lib.ggml_set_f32(lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F16, 64, 64), 1), graph = graphOf(ctx, lib.ggml_sqr(ctx, a));
  const work = memory(), plan = lib.ggml_graph_plan(graph, 1, null);
  plan.work_data = work.bytes as never;
  work.resize(0);
  shrank(() => lib.ggml_graph_compute(graph, plan));
});

Deno.test("each array of a list is looked at", () => {
  const lists = [new Int32Array(1000), new Int32Array(1000)], batch = new lib.llama_batch({ n_tokens: 2, seq_id: lists });
  transfer(lists[0]);
  const error = assertThrows(() => batch.n_tokens, Error);
  assertEquals(
    /the Int32Array of 4000 bytes given as llama_batch.seq_id was transferred elsewhere$/.test(error.message),
    true,
    error.message,
  );
  const other = new lib.llama_batch({ n_tokens: 2, seq_id: [lists[1]] });
  other.seq_id = null;
  transfer(lists[1]);
  assertEquals(other.n_tokens, 2);
});
