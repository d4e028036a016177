/**
 * What is wrong with a request, as OpenAI's API says it.
 *
 * @module
 */

/** An Error with an HTTP status, which a client gets as JSON. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** The HTTP status. */
  readonly status: number;
  /** Which kind it is of: `"invalid_request_error"`, `"rate_limit_error"`, `"server_error"`. */
  readonly type: string;
  /** A name of this very error; null for none. */
  readonly code: string | null;
  /** The field that it is about; null for none. */
  readonly param: string | null;
  /** Headers that belong to it. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    message: string,
    { type = "invalid_request_error", code = null, param = null, headers = {} }: {
      type?: string;
      code?: string | null;
      param?: string | null;
      headers?: Readonly<Record<string, string>>;
    } = {},
  ) {
    super(message);
    this.status = status;
    this.type = type;
    this.code = code;
    this.param = param;
    this.headers = headers;
  }

  /** The body of the response. */
  toJSON(): { error: { message: string; type: string; param: string | null; code: string | null } } {
    const { message, type, param, code } = this;
    return { error: { message, type, param, code } };
  }

  toResponse(): Response {
    return Response.json(this, { status: this.status, headers: this.headers });
  }
}

/** A field that isn't as it has to be. */
export function wrongField(param: string, message: string): ApiError {
  return new ApiError(400, `${param}: ${message}`, { param, code: "invalid_value" });
}

/** What something gives; where it fails, the field is wrong that it reads. */
export async function orWrong<T>(param: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw new ApiError(400, (error as Error).message, { param, code: "invalid_value" });
  }
}

/** Whatever was thrown, as an ApiError: what the caller of a model did wrong is the client's, all else the server's. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof RangeError || error instanceof SyntaxError) return new ApiError(400, message);
  if (/ was freed$/.test(message)) return new ApiError(503, message, { type: "server_error", code: "unavailable" });
  return new ApiError(500, message, { type: "server_error" });
}
