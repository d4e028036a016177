/**
 * A session as bytes: the tokens in its cache, and C's keys and values of them.
 *
 * The bytes begin with `GGMLDENO`, a version, a checksum of what follows, and what tells the model; they are little-endian, as C's state is on
 * all machines that ggml runs on. C's state may change from one release of libllama to the next: it says itself what it doesn't know.
 *
 * @module
 */

import { Heard } from "../ffi/calls/heard.ts";
import { describe } from "../ffi/core/describe.ts";
import { lib } from "../ffi/generated/lib.js";
import { crc32 } from "../utils/files/crc32.ts";
import type { Context } from "./context.ts";
import type { ModelInfo } from "./model.ts";
import type { Sequence } from "./sequence.ts";

const MAGIC = "GGMLDENO", VERSION = 2;

const encoder = new TextEncoder(), decoder = new TextDecoder();

/** What tells whether a state is a model's own. */
function fingerprint({ architecture, parameters, layers, embedding, vocabulary }: ModelInfo): string {
  return JSON.stringify({ architecture, parameters, layers, embedding, vocabulary });
}

/** The state of a sequence. In C: `llama_state_seq_get_data`. */
export function saveSequence({ handle }: Context, sequence: Sequence, info: ModelInfo): Uint8Array<ArrayBuffer> {
  const model = encoder.encode(fingerprint(info)), { tokens } = sequence;
  const begin = HEADER + model.length + 4 * tokens.length, size = lib.llama_state_seq_get_size(handle, sequence.id);
  const bytes = new Uint8Array(begin + size), view = new DataView(bytes.buffer);
  bytes.set(encoder.encode(MAGIC));
  [VERSION, 0, model.length, tokens.length].forEach((value, i) => view.setUint32(8 + 4 * i, value, true));
  bytes.set(model, HEADER);
  tokens.forEach((token, i) => view.setInt32(HEADER + model.length + 4 * i, token, true));
  const written = lib.llama_state_seq_get_data(handle, bytes.subarray(begin), size, sequence.id);
  if (written !== size && tokens.length > 0) throw new Error(`Session.save: C wrote ${written} of ${size} bytes of its state`);
  view.setUint32(CHECKSUM, crc32(bytes.subarray(CHECKED)), true);
  return bytes;
}

/** The bytes before the model's text: the magic, the version, the checksum, how long the text is, and how many tokens there are. */
const HEADER = 8 + 4 * 4;

/** Where the checksum is, and where what it is of begins: keys and values that changed would only be other numbers to C. */
const CHECKSUM = 12, CHECKED = 16;

/** What {@linkcode saveSequence} wrote, put into a sequence. In C: `llama_state_seq_set_data`. */
export function restoreSequence({ handle, size }: Context, sequence: Sequence, info: ModelInfo, bytes: Uint8Array): void {
  const { tokens, state } = parse(bytes, info);
  if (tokens.length > size) {
    throw new RangeError(`Session.restore: expected at most ${size} tokens, for which there is room, got ${tokens.length}`);
  }
  sequence.clear();
  if (tokens.length === 0) return;
  const heard = new Heard();
  let read = 0;
  try {
    read = heard.during(() => lib.llama_state_seq_set_data(handle, state, state.length, sequence.id));
  } catch (error) {
    sequence.clear();
    heard.print();
    throw new Error(`Session.restore: C doesn't take this state: ${(error as Error).message}`, { cause: error });
  }
  if (read !== state.length) {
    sequence.clear();
    throw new Error(`Session.restore: C doesn't take this state for one of such a context: ${heard.why()}`);
  }
  heard.print();
  sequence.tokens = [...tokens];
}

/** Takes the bytes apart. */
function parse(bytes: Uint8Array, info: ModelInfo): { tokens: Int32Array; state: Uint8Array<ArrayBuffer> } {
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`Session.restore: expected a Uint8Array, got ${describe(bytes)}`);
  const copy = bytes.slice(), view = new DataView(copy.buffer);
  if (copy.length < HEADER || decoder.decode(copy.subarray(0, 8)) !== MAGIC) {
    throw new TypeError("Session.restore: expected what Session.save gave, got other bytes");
  }
  const [version, checksum, length, count] = [8, CHECKSUM, 16, 20].map((at) => view.getUint32(at, true)),
    begin = HEADER + length + 4 * count;
  if (version !== VERSION) throw new TypeError(`Session.restore: expected a state of version ${VERSION}, got one of version ${version}`);
  if (begin > copy.length) {
    throw new TypeError(`Session.restore: the state is cut short: expected more than ${begin} bytes, got ${copy.length}`);
  }
  if (crc32(copy.subarray(CHECKED)) !== checksum) throw new Error("Session.restore: the state is damaged: its checksum is another one");
  const model = decoder.decode(copy.subarray(HEADER, HEADER + length));
  if (model !== fingerprint(info)) throw new Error(`Session.restore: expected a state of ${fingerprint(info)}, got one of ${model}`);
  const tokens = Int32Array.from({ length: count }, (_, i) => view.getInt32(HEADER + length + 4 * i, true));
  const wrong = tokens.find((token) => token < 0 || token >= info.vocabulary);
  if (wrong !== undefined) throw new RangeError(`Session.restore: expected tokens from 0 to ${info.vocabulary - 1}, got ${wrong}`);
  return { tokens, state: copy.subarray(begin) };
}
