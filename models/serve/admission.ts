/**
 * How many answers may be computed or wait at once.
 *
 * @module
 */

import { ApiError } from "./error.ts";

/** Lets so many in. */
export class Admission {
  readonly limit: number;
  #inside = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Lets some in, and gives what lets them out; status 429 where there is no room for them now, and 400 where there never is. */
  enter(count: number): () => void {
    if (count > this.limit) {
      throw new ApiError(400, `the request asks for ${count} answers, and this server has room for ${this.limit}`, {
        code: "too_many_answers",
      });
    }
    if (this.#inside + count > this.limit) {
      throw new ApiError(429, `the server is busy: ${this.#inside} answers are computed or wait, and no more than ${this.limit} may`, {
        type: "rate_limit_error",
        code: "queue_full",
        headers: { "retry-after": "1" },
      });
    }
    this.#inside += count;
    let left = false;
    return () => {
      if (!left) this.#inside -= count;
      left = true;
    };
  }
}
