/** Arrays as text: what `formatTensor` writes is what numpy writes, character by character. */

import { assert, assertEquals } from "@std/assert";
import { formatTensor, ndarray, type PrintOptions, type TypedArray } from "@ggml/deno/utils";
import { python, runNumpy } from "./numpy.ts";
import { Random } from "../random.ts";

/** numpy 2.3 changed at which size numbers get exponents; "2.2" is how it prints them like the versions before. */
const SCRIPT = `
legacy = {"legacy": "2.2"} if tuple(map(int, np.__version__.split(".")[:2])) >= (2, 3) else {}
np.set_printoptions(**legacy)
for line in sys.stdin:
    case = json.loads(line)
    array = np.frombuffer(base64.b64decode(case["bytes"]), dtype=case["dtype"]).reshape(case["shape"])
    print(json.dumps(np.array2string(array, **case["options"])))
`;

const TYPES: ReadonlyMap<string, new (length: number) => TypedArray> = new Map<string, new (length: number) => TypedArray>([
  ["<f2", Float16Array],
  ["<f4", Float32Array],
  ["<f8", Float64Array],
  ["<i4", Int32Array],
  ["<i8", BigInt64Array],
  ["|i1", Int8Array],
  ["<u2", Uint16Array],
]);

interface Case {
  readonly data: TypedArray;
  readonly shape: readonly number[];
  readonly options: PrintOptions;
}

async function compare(cases: readonly Case[]) {
  const wanted = await runNumpy(SCRIPT, cases.map(forNumpy));
  assertEquals(wanted.length, cases.length);
  cases.forEach(({ data, shape, options }, i) => {
    const got = formatTensor(ndarray(data, shape), { threshold: 1000, ...options });
    if (got !== wanted[i]) {
      assertEquals(got, wanted[i], `${data.constructor.name} ${shape} ${JSON.stringify(options)} ${data.slice(0, 20)}`);
    }
  });
}

function forNumpy({ data, shape, options }: Case) {
  const dtype = TYPES.entries().find(([, constructor]) => data instanceof constructor)![0];
  const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength).toBase64();
  const { threshold = 1000, edgeItems = 3, precision = 8, lineWidth = 75 } = options;
  return { dtype, shape, bytes, options: { threshold, edgeitems: edgeItems, precision, max_line_width: lineWidth } };
}

const alone = (data: TypedArray): Case => ({ data, shape: [data.length], options: {} });

Deno.test({ name: "print: every 16-bit float as numpy prints it", ignore: python === null }, async () => {
  const all = new Float16Array(Uint16Array.from({ length: 65536 }, (_, i) => i).buffer);
  await compare(Array.from(all, (_, i) => alone(all.slice(i, i + 1))));
});

Deno.test({ name: "print: powers of two, where neighbours are not equally far", ignore: python === null }, async () => {
  const cases: Case[] = [];
  for (let exponent = -149; exponent < 128; exponent++) {
    for (const x of [1, -1, 1 + 2 ** -23, 1 - 2 ** -24, 1.5]) {
      cases.push(alone(new Float32Array([x * 2 ** exponent])), alone(new Float32Array([x * 2 ** exponent, 3 * 2 ** exponent])));
    }
  }
  for (let exponent = -1074; exponent < 1024; exponent += 3) {
    for (const x of [1, 1 + 2 ** -52, 1.25]) {
      cases.push(alone(new Float64Array([x * 2 ** exponent])), alone(new Float64Array([x * 2 ** exponent, 1 / 3])));
    }
  }
  await compare(cases);
});

/** Numbers of every size, of one size, whole ones, halves of the last place, and those that are none. */
function fill(data: TypedArray, random: Random): void {
  const unit = () => random.below(2 ** 32) / 2 ** 32;
  const middle = (unit() - 0.5) * 12, spread = unit() * unit() * 16, denominator = 2 ** random.below(20);
  const kind = random.below(6);
  for (let i = 0; i < data.length; i++) {
    let x = (unit() - 0.5) * 10 ** (middle + (unit() - 0.5) * spread);
    if (kind === 1) x = Math.round(x * 100);
    if (kind === 2) x = Math.round(x * denominator) / denominator;
    if (kind === 3 && random.percent(20)) x = random.pick([0, -0, NaN, Infinity, -Infinity, 1, 0.5]);
    if (kind === 4) x = Math.round(x * 10) / 10;
    if (kind === 5) x = unit() < 0.5 ? NaN : -Infinity;
    data[i] = data instanceof BigInt64Array ? BigInt(Math.round(Number.isFinite(x) ? x * 1e6 : 0)) as never : x;
  }
}

Deno.test({ name: "print: 10,000 random arrays of zero to four dimensions", ignore: python === null }, async () => {
  const random = new Random(1);
  const cases = Array.from({ length: 10_000 }, (): Case => {
    const shape = Array.from({ length: random.below(5) }, () => random.below(random.percent(10) ? 30 : 6));
    const data = new (random.pick([...TYPES.values()]))(Math.min(shape.reduce((a, b) => a * b, 1), 4000));
    fill(data, random);
    const options: PrintOptions = {};
    if (random.percent(30)) options.threshold = random.below(30);
    if (random.percent(30)) options.edgeItems = 1 + random.below(4);
    if (random.percent(30)) options.lineWidth = 10 + random.below(100);
    if (random.percent(20)) options.precision = random.below(12);
    return shape.reduce((a, b) => a * b, 1) === data.length ? { data, shape, options } : { data, shape: [data.length], options };
  });
  assert(cases.some(({ shape }) => shape.length === 0) && cases.some(({ shape }) => shape.length === 4));
  await compare(cases);
});
