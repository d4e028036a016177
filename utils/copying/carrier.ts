/**
 * Carriers: what carries an asynchronous copy out.
 *
 * A copy is cut into pieces of a few dozen milliseconds. Lanes take one piece after the other: gather it on the thread that JavaScript runs
 * on, have C convert it on a thread that Deno lends for the call, and scatter the results. C reads and writes no memory of a
 * typed array meanwhile, which the caller may transfer elsewhere at any time, but a lane's own. Bytes that no conversion touches are moved a
 * few megabytes at a time.
 *
 * @module
 */

import { cBytes } from "../../ffi/core/c_memory.ts";
import { addressOf } from "../../ffi/core/handle.ts";
import type { lib } from "../../ffi/generated/lib.js";
import { callAddressAside, callAside } from "../../ffi/calls/aside.ts";
import { type Box, merge, overlapsItself, pieces, sortBy } from "./box.ts";
import { type Conversion, isFloats, isPlain, order, prepare, type Prepared, unitsOf } from "./convert.ts";
import { isWholeCopy, type Stage, stage, stagePieces } from "./device.ts";
import { unpermuted } from "./layout.ts";
import { lengthOf, move } from "./move.ts";
import type { Operand } from "./operand.ts";
import type { Pinned } from "./pinned.ts";
import type { Plan } from "./plan.ts";
import { pinnedOf } from "./streamed.ts";
import { streamLater } from "./streamed_async.ts";
import { queueOf } from "../computing/queue.ts";
import { cores } from "../computing/task.ts";
import { separate } from "./on_host.ts";
import { type Bytes, expectFloats, type FromFloat, type ToFloat } from "./types.ts";

/** How long a piece should take, and how long JavaScript may run without a break, in milliseconds. */
const PIECE = 24, BREATH = 8;

/** Elements of the piece that is timed; of the least and the largest piece; of one that is moved as it is. */
const PROBE = 4096, LEAST = 4096, MOST = 1 << 20, MOVED = 1 << 20;

/** A copy that is worth fewer milliseconds is done at once. */
const WORTH = 3;

/** Pieces that each thread gets at least, so that all end at about the same time. */
const SHARE = 8;

/**
 * As many lanes as threads; more, if the threads are to be on all cores.
 *
 * Linux likes to wake a thread on the core of the one that woke it, so two lanes on two cores often share one: measured, 1.5 times the speed of
 * one thread. When more threads are ready to run than there are cores, no core stays idle: measured, 1.9 times.
 */
function lanesFor(threads: number): number {
  return threads === cores.capacity && threads > 1 ? threads + 6 : threads;
}

type Progress = ((done: number, total: number) => void) | undefined;

/** Carries out a plan. */
export async function carry(
  plan: Plan,
  threads: number,
  backend: lib.ggml_backend | null,
  signal: AbortSignal | undefined,
  onProgress: Progress,
): Promise<void> {
  const releases: (() => void)[] = [];
  try {
    if (backend !== null) releases.push(await queueOf(backend).acquire(1, signal));
    releases.push(await cores.acquire(threads, signal));
    await new Carrier(plan, threads, backend, signal, onProgress).run();
  } finally {
    for (const release of releases.reverse()) release();
  }
}

/** Memory of one piece at a time: C's own, for C may convert on when this isolate has ended. */
class Lane {
  readonly #kept: Map<string, Bytes> = new Map();

  scratch = (use: string, length: number): Bytes => {
    let bytes = this.#kept.get(use);
    if (bytes === undefined || bytes.length < length) this.#kept.set(use, bytes = cBytes(length));
    return bytes.subarray(0, length);
  };
}

/** Memory that C may use while JavaScript runs, or that it may not. */
interface Memory {
  readonly bytes: Bytes;
  readonly pinned: boolean;
}

class Carrier {
  readonly #plan: Plan;
  readonly #threads: number;
  readonly #lanes: readonly Lane[];
  readonly #backend: lib.ggml_backend | null;
  readonly #signal: AbortSignal | undefined;
  readonly #onProgress: Progress;
  #done = 0;
  #rested = performance.now();

  constructor(plan: Plan, threads: number, backend: lib.ggml_backend | null, signal: AbortSignal | undefined, onProgress: Progress) {
    this.#plan = plan;
    this.#threads = threads;
    this.#lanes = Array.from({ length: lanesFor(threads) }, () => new Lane());
    this.#backend = backend;
    this.#signal = signal;
    this.#onProgress = onProgress;
  }

  async run(): Promise<void> {
    const { source, destination, box } = this.#plan;
    if (source.count > 0) {
      if (source.bytes !== null && destination.bytes !== null) {
        await this.#onHost(memoryOf(source), memoryOf(destination), box);
      } else if (isWholeCopy(this.#plan)) {
        const tensors = { source: source.tensor!, destination: destination.tensor! };
        await callAside("ggml_backend_tensor_copy", "copyAsync", [tensors.source.address, tensors.destination.address], tensors);
      } else {
        const pinned = this.#backend === null ? pinnedOf(this.#plan) : null;
        if (pinned !== null) await this.#streamed(pinned);
        else for (const piece of stagePieces(this.#plan)) await this.#staged(piece);
      }
    }
    if (this.#done < source.count || source.count === 0) this.#report(source.count - this.#done);
  }

  /** All of it, through memory that the device reads and writes by itself. */
  async #streamed(pinned: Pinned): Promise<void> {
    const { source, destination } = this.#plan;
    const convert = (bytes: Bytes, box: Box) => {
      const stage: Memory = { bytes, pinned: true };
      return source.bytes === null ? this.#onHost(stage, memoryOf(destination), box) : this.#onHost(memoryOf(source), stage, box);
    };
    await streamLater(this.#plan, pinned, convert, () => this.#signal?.throwIfAborted());
  }

  /** A piece that is on a device on one side or both. */
  async #staged(piece: Box): Promise<void> {
    const { source, destination, conversion } = this.#plan;
    let box = piece, from: Memory, to: Memory;
    if (source.bytes === null) {
      const read = stage("from", box, conversion.from.typeSize);
      await this.#carry("get", read, source.tensor!);
      [from, box] = [{ bytes: read.bytes, pinned: true }, read.box];
    } else from = memoryOf(source);
    if (destination.bytes !== null) return await this.#onHost(from, to = memoryOf(destination), box);
    const written = stage("to", box, conversion.to.typeSize);
    if (written.hasMore) await this.#carry("get", written, destination.tensor!);
    [to, box] = [{ bytes: written.bytes, pinned: true }, written.box];
    await this.#onHost(from, to, box);
    await this.#carry("set", written, destination.tensor!);
  }

  /** Reads or writes what a stage stands for. */
  async #carry(which: "get" | "set", { bytes, calls }: Stage, part: lib.ggml_tensor): Promise<void> {
    const base = addressOf(bytes), tensor = unpermuted(part);
    for (const { at, offset, size, copies, stride } of calls) {
      this.#signal?.throwIfAborted();
      const numbers = [offset, size, copies, stride, size].map(BigInt);
      const args = [tensor.address, base + BigInt(at), ...numbers];
      if (this.#backend === null) await callAside(`ggml_backend_tensor_${which}_2d`, "copyAsync", args, { tensor });
      else await callAside(`ggml_backend_tensor_${which}_2d_async`, "copyAsync", [this.#backend.address, ...args], { tensor });
    }
    if (this.#backend !== null) await callAside("ggml_backend_synchronize", "copyAsync", [this.#backend.address]);
    bytes.at(0); // it lived until here
  }

  async #onHost(source: Memory, to: Memory, wanted: Box): Promise<void> {
    const { conversion } = this.#plan;
    expectThere(source, to);
    const { from: bytes, box } = separate(source.bytes, to.bytes, wanted, conversion);
    const from = bytes === source.bytes ? source : { bytes, pinned: false };
    if (isPlain(box.axes, conversion)) await this.#move(from.bytes, to.bytes, unitsOf(box));
    else await this.#convert(from, to, order(box, conversion));
  }

  async #move(from: Bytes, to: Bytes, box: Box): Promise<void> {
    const { typeSize, blockSize } = this.#plan.conversion.to;
    const sorted = overlapsItself(box.axes, typeSize) ? box : merge(sortBy("to", box));
    for (const piece of pieces(sorted, MOVED / typeSize * 4)) {
      this.#signal?.throwIfAborted();
      expectThere({ bytes: from }, { bytes: to });
      move(from, to, piece, typeSize);
      this.#report(lengthOf(piece.axes, blockSize));
      await this.#breathe();
    }
  }

  async #convert(from: Memory, to: Memory, box: Box): Promise<void> {
    const { conversion } = this.#plan;
    const whole = conversion.imatrix !== null;
    const [probe] = pieces(box, PROBE, whole);
    const count = lengthOf(probe.axes, 1);
    await this.#piece(this.#lanes[0], from, to, probe, conversion); // makes ggml's tables, if there are any
    const start = performance.now();
    await this.#piece(this.#lanes[0], from, to, probe, conversion);
    const each = (performance.now() - start) / count;
    const total = lengthOf(box.axes, 1);
    const most = Math.max(Math.min(PIECE / each, total / (SHARE * this.#threads), MOST), LEAST);
    const queue = pieces(box, each * total < WORTH ? Infinity : most, whole);
    let failed = false;
    await allSettled(this.#lanes.map(async (lane) => {
      try {
        for (const piece of queue) {
          if (failed) return;
          this.#signal?.throwIfAborted();
          await this.#piece(lane, from, to, piece, conversion);
          this.#report(lengthOf(piece.axes, 1));
          await this.#breathe();
        }
      } catch (error) {
        failed = true;
        throw error;
      }
    }));
  }

  /** Gathers a piece, has C convert it, and scatters the results. */
  async #piece(lane: Lane, from: Memory, to: Memory, piece: Box, conversion: Conversion): Promise<void> {
    expectThere(from, to);
    const prepared = prepare(from.bytes, to.bytes, piece, conversion, lane.scratch);
    let { source, target } = prepared;
    if (!from.pinned && source.buffer === from.bytes.buffer) {
      source = lane.scratch("source", source.length);
      source.set(prepared.source);
    }
    if (!to.pinned && target.buffer === to.bytes.buffer) target = lane.scratch("target", target.length);
    await runLater({ ...prepared, source, target }, lane);
    expectThere(from, to);
    if (target !== prepared.target) prepared.target.set(target);
    prepared.finish();
  }

  #report(count: number): void {
    const total = this.#plan.source.count;
    this.#done = Math.min(total, this.#done + count);
    this.#onProgress?.(this.#done, total);
  }

  /** Lets the event loop turn, if it hasn't for a while. */
  async #breathe(): Promise<void> {
    if (performance.now() - this.#rested < BREATH) return;
    await new Promise((resolve) => setTimeout(resolve));
    this.#rested = performance.now();
  }
}

function memoryOf({ bytes, tensor }: Operand): Memory {
  return { bytes: bytes!, pinned: tensor !== null };
}

/** Throws if one side is gone, or shrank: then it has no bytes any more. */
function expectThere(from: Pick<Memory, "bytes">, to: Pick<Memory, "bytes">): void {
  if (from.bytes.length === 0) throw new Error("copyAsync: the source's memory was transferred elsewhere meanwhile, or shrank");
  if (to.bytes.length === 0) throw new Error("copyAsync: the destination's memory was transferred elsewhere meanwhile, or shrank");
}

/** Waits for all, and then throws what the first to fail threw. */
async function allSettled(promises: Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(promises)) if (result.status === "rejected") throw result.reason;
}

/** What `run` of `convert.ts` does, with C on another thread. */
async function runLater({ source, target, rows, rowLength, from, to, imatrix }: Prepared, lane: Lane): Promise<void> {
  const count = rows * rowLength;
  if (isFloats(to)) return await toFloatLater(from.toFloat!, source, target, count);
  if (isFloats(from)) return await fromFloatLater(to.fromFloat!, to.type, source, target, rows, rowLength, weightsIn(lane, imatrix));
  const floats = lane.scratch("floats", count * 4);
  await toFloatLater(from.toFloat!, source, floats, count);
  await fromFloatLater(to.fromFloat!, to.type, floats, target, rows, rowLength, weightsIn(lane, imatrix));
}

function weightsIn(lane: Lane, imatrix: Float32Array | null): Float32Array<ArrayBuffer> | null {
  if (imatrix === null) return null;
  const { buffer } = lane.scratch("imatrix", imatrix.byteLength), weights = new Float32Array(buffer, 0, imatrix.length);
  weights.set(imatrix);
  return weights;
}

async function toFloatLater(toFloat: ToFloat, from: Bytes, to: Bytes, count: number): Promise<void> {
  if (toFloat.address === null) return toFloat(from, to, count);
  await callAddressAside(toFloat.address, "copyAsync", [addressOf(from), addressOf(to), BigInt(count)]);
}

async function fromFloatLater(
  fromFloat: FromFloat,
  type: lib.ggml_type,
  from: Bytes,
  to: Bytes,
  rows: number,
  rowLength: number,
  imatrix: Float32Array<ArrayBuffer> | null,
): Promise<void> {
  if (fromFloat.isChunk) {
    expectFloats(type, from, rows * rowLength, imatrix, "copyAsync");
    const weights = imatrix === null ? 0n : addressOf(imatrix);
    const args = [BigInt(type), addressOf(from), addressOf(to), 0n, BigInt(rows), BigInt(rowLength), weights];
    await callAside("ggml_quantize_chunk", "copyAsync", args);
  } else if (fromFloat.address === null) fromFloat(from, to, rows, rowLength, imatrix, "copyAsync");
  else await callAddressAside(fromFloat.address, "copyAsync", [addressOf(from), addressOf(to), BigInt(rows * rowLength)]);
}
