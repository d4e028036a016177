/**
 * Filling: the bytes of tensors from their file into their memory, a piece at a time, with the event loop turning in between.
 *
 * @module
 */

import { cBytes } from "../../ffi/core/c_memory.ts";
import { addressOf } from "../../ffi/core/handle.ts";
import { lib } from "../../ffi/generated/lib.js";
import { callAside } from "../../ffi/calls/aside.ts";
import type { Source } from "../gguf/source.ts";
import type { Placed } from "./place.ts";

/** Bytes that are read at once, and how long JavaScript may run without a break, in milliseconds. */
const PIECE = 4 * 1024 * 1024, BREATH = 8;

/** Hears how many bytes were read since the last time. */
export type Report = (count: number) => void;

/** Reads tensors' data from a file. */
export class Filler {
  readonly #source: Source;
  readonly #report: Report;
  readonly #where: string;
  readonly #signal: AbortSignal | undefined;
  #rested: number = performance.now();

  constructor(source: Source, signal: AbortSignal | undefined, report: Report, where: string) {
    this.#source = source;
    this.#signal = signal;
    this.#report = report;
    this.#where = where;
  }

  async fill({ weight, tensor }: Placed): Promise<void> {
    if (weight.byteLength === 0) return;
    if (weight.repackedIn !== null) await this.#whole(tensor, weight.offset, weight.byteLength);
    else if (lib.ggml_backend_buffer_is_host(tensor.buffer!)) await this.#direct(tensor, weight.offset, weight.byteLength);
    else await this.#staged(tensor, weight.offset, weight.byteLength);
  }

  /** Straight into memory that the CPU can write. */
  async #direct(tensor: lib.ggml_tensor, offset: number, byteLength: number): Promise<void> {
    const memory = tensor.data!.bytes(byteLength);
    for (let done = 0; done < byteLength; done += PIECE) await this.#read(memory.subarray(done, done + PIECE), offset + done);
  }

  /** By way of memory that the device copies from. */
  async #staged(tensor: lib.ggml_tensor, offset: number, byteLength: number): Promise<void> {
    const memory = cBytes(Math.min(PIECE, byteLength));
    for (let done = 0; done < byteLength; done += PIECE) {
      const piece = memory.subarray(0, byteLength - done);
      await this.#read(piece, offset + done);
      await this.#set(tensor, piece, done);
    }
  }

  /** Writes a tensor's data as a whole: what is rearranged can't be written in parts. It takes C a while, so another thread does it. */
  async #whole(tensor: lib.ggml_tensor, offset: number, byteLength: number): Promise<void> {
    const memory = cBytes(byteLength);
    for (let done = 0; done < byteLength; done += PIECE) await this.#read(memory.subarray(done, done + PIECE), offset + done);
    await this.#set(tensor, memory, 0);
  }

  async #set(tensor: lib.ggml_tensor, bytes: Uint8Array<ArrayBuffer>, offset: number): Promise<void> {
    const args = [tensor.address, addressOf(bytes), BigInt(offset), BigInt(bytes.length)];
    await callAside("ggml_backend_tensor_set", this.#where, args);
    bytes.at(0); // it lived until here
    this.#rested = performance.now();
  }

  async #read(target: Uint8Array<ArrayBuffer>, offset: number): Promise<void> {
    this.#signal?.throwIfAborted();
    this.#source.readInto(target, offset, this.#where);
    this.#report(target.length);
    if (performance.now() - this.#rested < BREATH) return;
    await new Promise((resolve) => setTimeout(resolve));
    this.#rested = performance.now();
  }
}
