/**
 * A queue for something that there is only so much of: the machine's cores, a backend that computes one graph at a time.
 *
 * First come, first served, so a large demand isn't passed by small ones for ever.
 *
 * @module
 */

interface Waiting {
  readonly amount: number;
  readonly start: () => void;
}

/** Hands out at most `capacity` of something at a time. */
export class Queue {
  /** How much is handed out. */
  inUse = 0;
  readonly #capacity: () => number;
  readonly #waiting: Waiting[] = [];

  /** @param capacity How much there is. */
  constructor(capacity: () => number) {
    this.#capacity = capacity;
  }

  /** How much there is. */
  get capacity(): number {
    return this.#capacity();
  }

  get #free(): number {
    return this.capacity - this.inUse;
  }

  /** True if nothing is handed out and nobody waits. */
  get idle(): boolean {
    return this.inUse === 0 && this.#waiting.length === 0;
  }

  /**
   * Waits for its turn.
   *
   * @param amount How much is wanted, at most `capacity`.
   * @param signal Ends the wait: then its reason is thrown.
   * @returns Gives it back.
   */
  async acquire(amount: number, signal: AbortSignal | undefined): Promise<() => void> {
    signal?.throwIfAborted();
    if (this.#waiting.length > 0 || amount > this.#free) await this.#turn(amount, signal);
    else this.inUse += amount;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.inUse -= amount;
      this.#next();
    };
  }

  #turn(amount: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(signal!.reason);
        this.#next(); // it may have been in the way
      };
      const waiting = {
        amount,
        start: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      signal?.addEventListener("abort", onAbort);
      this.#waiting.push(waiting);
    });
  }

  #next(): void {
    while (this.#waiting.length > 0 && this.#waiting[0].amount <= this.#free) {
      const { amount, start } = this.#waiting.shift()!;
      this.inUse += amount;
      start();
    }
  }
}

/** The backends in use, and who waits for them: one does one thing at a time. */
const backendQueues: Map<bigint, Queue> = new Map();

/** The queue of a backend. */
export function queueOf({ address }: { readonly address: bigint }): Queue {
  for (const [other, queue] of backendQueues) if (queue.idle) backendQueues.delete(other);
  let queue = backendQueues.get(address);
  if (queue === undefined) backendQueues.set(address, queue = new Queue(() => 1));
  return queue;
}
