/**
 * Writes `structs.js` and `structs.d.ts`: a class for each struct and union.
 *
 * A struct whose fields the headers show has getters and setters at their laid-out offsets; one that they only name is an opaque handle.
 *
 * @module
 */

import type { CType } from "../../model/model.ts";
import { resolve } from "../../model/types.ts";
import type { Api, BoundField, BoundRecord } from "../api/api.ts";
import { type Crossing, Unbindable } from "../api/crossing.ts";
import { nativeFields } from "../api/native.ts";
import { doc, list, Printer } from "../print.ts";
import { declaration, place } from "../api/prototype.ts";
import { integerToC, isPointer, parameterType, resultType, Uses } from "../typescript.ts";

/** What the documentation says of the member by which TypeScript tells two classes apart. */
export const NOMINAL = "Its C name: TypeScript tells classes of the same fields apart by it. It has no value.";

/** What the documentation says of the member that has the types of the setters. */
export const SETTABLE = "What fields can be set to where that is not what they give: a new struct is given that as well. It has no value.";

/** The text of `structs.js`. */
export function emitStructs(api: Api, banner: string, runtime: string): string {
  const uses = new Uses();
  const body = new Printer();
  const roots = new Set(api.records.filter(({ free }) => free !== null).map(({ name }) => name));
  const shown = shownStructs(api);
  const arrays = arrayable(api);
  for (const record of api.records) emitClass(record, { roots, shown }, arrays, uses, body);
  const printer = new Printer();
  printer.line(`// @ts-self-types="./structs.d.ts"`, banner);
  printer.gap();
  printer.line(...uses.imports(api, "structs", runtime, false));
  return printer.toString() + "\n" + body.toString();
}

/** The text of `structs.d.ts`. */
export function declareStructs(api: Api, banner: string, runtime: string): string {
  const uses = new Uses();
  const body = new Printer();
  const arrays = arrayable(api);
  for (const record of api.records) declareClass(record, arrays, uses, body);
  declareAliases(api, uses, body);
  const printer = new Printer();
  printer.line(banner);
  printer.gap();
  printer.line(...uses.imports(api, "structs", runtime, true));
  return printer.toString() + "\n" + body.toString();
}

/** The structs that C makes and shows: what is known of them ends when a field is set. */
export function shownStructs({ functions }: Api): ReadonlySet<string> {
  return new Set(functions.flatMap(({ result }) => result.kind === "handle" ? [result.name] : []));
}

/** The structs whose fields the headers show, and of which C makes none: those that TypeScript can make arrays of. */
export function elementsOf(api: Api): ReadonlySet<string> {
  const shown = shownStructs(api);
  return new Set(api.records.flatMap(({ declaration: { size }, name }) => size === null || shown.has(name) ? [] : [name]));
}

/** What fields can be set to arrays of. */
interface Arrayable {
  /** Structs, one after the other. */
  readonly elements: ReadonlySet<string>;
  /** Objects, of pointers to which a list can be made: of what is to be freed C rather gives one back there. */
  readonly items: ReadonlySet<string>;
}

function arrayable(api: Api): Arrayable {
  return { elements: elementsOf(api), items: new Set(api.records.flatMap(({ name, free }) => free === null ? [name] : [])) };
}

function emitClass(
  { declaration: record, name, fields, free }: BoundRecord,
  { roots, shown }: { readonly [set in "roots" | "shown"]: ReadonlySet<string> },
  arrays: Arrayable,
  uses: Uses,
  printer: Printer,
): void {
  const opaque = record.size === null;
  printer.gap();
  const head = `export class ${name} extends ${uses.$(opaque ? "Handle" : "Struct")} {`;
  if (opaque && free === null) {
    printer.line(`${head}}`);
    return;
  }
  printer.line(head);
  if (!opaque) {
    printer.line(`  static size = ${record.size};`);
    const native = nativeFields(record);
    if (native !== null) printer.line(list("  static native = [", native, "];"));
  }
  for (const field of fields) {
    const accessor = accessorOf(field, name, arrays, uses, roots);
    const get = shown.has(name) && accessor.shares ? [`${uses.$("exposed")}(this);`, ...accessor.get] : accessor.get;
    printer.line(`  get ${field.name}() {`, ...get.map((line) => `    ${line}`), "  }");
    if (accessor.set === null) continue;
    const set = shown.has(name) && !accessor.isText ? [`${uses.$("changed")}(this);`, ...accessor.set] : accessor.set;
    printer.line(`  set ${field.name}(value) {`, ...set.map((line) => `    ${line}`), "  }");
  }
  if (free !== null) printer.line("  [Symbol.dispose]() {", `    ${uses.$("dispose")}(this, functions.${uses.own(free)});`, "  }");
  printer.line("}");
}

function declareClass(
  { declaration: record, name, fields, free }: BoundRecord,
  arrays: Arrayable,
  uses: Uses,
  printer: Printer,
): void {
  const opaque = record.size === null;
  const tag = `${record.kind} ${record.name ?? name}`;
  printer.gap();
  printer.line(doc("", `\`${tag}\` (${place(record)}), ${opaque ? "opaque" : `${record.size} bytes`}.`));
  printer.line(`export declare class ${name} extends ${uses.$(opaque ? "Handle" : "Struct")} {`);
  printer.line(doc("  ", NOMINAL), `  declare readonly $struct: "${name}";`);
  if (!opaque) {
    printer.line(doc("  ", `\`sizeof(${tag})\`, in bytes.`), "  static readonly size: number;");
    if (nativeFields(record) !== null) {
      printer.line(
        doc("  ", "Its layout, as `Deno.dlopen` takes a struct by value."),
        "  static readonly native: readonly Deno.NativeType[];",
      );
    }
    printer.line(
      doc("  ", "Makes a new one from fields or bytes; with an address, a handle of one that exists, which `owner` keeps valid."),
    );
    printer.line(`  constructor(init?: ${uses.$("Init")}<${name}>, owner?: ${uses.$("Owner")});`);
  }
  declareSettable(fields, name, arrays, uses, printer);
  for (const field of fields) {
    const accessor = accessorOf(field, name, arrays, new Uses());
    printer.line(doc("  ", `\`${declaration(field.name, field.type)}\``));
    printer.line(`  get ${field.name}(): ${accessor.type(uses)};`);
    // `deno doc` takes a setter in a declaration file for a function without a result type, which TypeScript forbids it to have.
    if (accessor.set !== null) printer.line(doc("  ", "@ignore"), `  set ${field.name}(value: ${accessor.input(uses)});`);
  }
  if (free !== null) {
    printer.line(doc("  ", `Frees it, by \`${free}\`; does nothing if it was freed already.`));
    printer.line("  [Symbol.dispose](): void;");
  }
  printer.line("}");
}

/**
 * Declares what the setters take where the getters give something else: TypeScript's types of types know of getters alone, so that those of a
 * class couldn't say what `new` can be given.
 */
function declareSettable(fields: readonly BoundField[], record: string, arrays: Arrayable, uses: Uses, printer: Printer): void {
  const settable = fields.flatMap((field) => {
    const { set, type, input } = accessorOf(field, record, arrays, new Uses());
    const given = set === null ? "never" : input(uses);
    return given === type(uses) ? [] : [`    readonly ${field.name}: ${given};`];
  });
  if (settable.length > 0) printer.line(doc("  ", SETTABLE), "  declare readonly $set: {", ...settable, "  };");
}

/** A getter and a setter: their bodies, chosen here so that nothing is left to decide when they run, and their types. */
interface Accessor {
  readonly get: readonly string[];
  /** Null where the field can't be set as a whole. */
  readonly set: readonly string[] | null;
  /** True if what the getter gives is the field's own memory. */
  readonly shares?: true;
  /** True for a name, or what else is only read by people. */
  readonly isText?: true;
  type(uses: Uses): string;
  input(uses: Uses): string;
}

function accessorOf(
  field: BoundField,
  record: string,
  arrays: Arrayable,
  uses: Uses,
  roots: ReadonlySet<string> = new Set(),
): Accessor {
  const where = `"${record}.${field.name}"`;
  return field.length === null ? scalar(field, where, arrays, uses, roots) : array(field, field.length, where, uses);
}

function scalar(
  { crossing, offset, count }: BoundField,
  where: string,
  arrays: Arrayable,
  uses: Uses,
  roots: ReadonlySet<string>,
): Accessor {
  const isElement = crossing.kind === "handle" && arrays.elements.has(crossing.name);
  const types = {
    type: (uses: Uses) =>
      count ? parameterType({ crossing, nullable: false, count }, uses) : resultType(crossing, isPointer(crossing), uses),
    input: (uses: Uses) =>
      isElement
        ? `${uses.$("Structs")}<${uses.own(crossing.name)}> | null`
        : pointerInput(crossing, arrays, uses) ?? parameterType({ crossing, nullable: isPointer(crossing), count }, uses),
  };
  const memory = () => `${uses.$("memory")}(this)`;
  const read = (type: string, little: boolean) => `${memory()}.get${type}(this.$offset + ${offset}${little ? ", true" : ""})`;
  const write = (type: string, value: string, little: boolean) => {
    const args = [`this.$offset + ${offset}`, value, ...(little ? ["true"] : [])];
    return list(`    ${memory()}.set${type}(`, args, ");").trimStart();
  };
  switch (crossing.kind) {
    case "bool": {
      const set = write("Uint8", `${uses.$("bool")}(value, ${where}) ? 1 : 0`, false);
      return { ...types, get: [`return ${read("Uint8", false)} !== 0;`], set: [set] };
    }
    case "float": {
      const type = `Float${crossing.bits}`;
      return { ...types, get: [`return ${read(type, true)};`], set: [write(type, `${uses.$("float")}(value, ${where})`, true)] };
    }
    case "int": {
      const { bits, signed } = crossing;
      const type = `${bits === 64 ? "Big" : ""}${signed ? "Int" : "Uint"}${bits}`;
      const [check, ...args] = integerToC(crossing, count, "value", where, uses);
      const set = [write(type, `${check}(${args.join(", ")})`, bits > 8)];
      if (bits < 64) return { ...types, get: [`return ${read(type, bits > 8)};`], set };
      return { ...types, get: [`return ${uses.$(signed ? "readInt64" : "readUint64")}(${memory()}, this.$offset + ${offset});`], set };
    }
    case "string":
      return {
        ...types,
        get: [`return ${uses.$("getString")}(this, ${offset});`],
        set: [`${uses.$("setString")}(this, ${offset}, value, ${where});`],
      };
    case "struct":
      return {
        ...types,
        get: [`return new ${uses.own(crossing.name)}(this.address + ${offset}n, this.owner);`],
        set: [`${uses.$("setStruct")}(this, ${offset}, value, ${crossing.name}, ${where});`],
      };
    default:
      return {
        ...types,
        get: [`return ${uses.$(isRoot(crossing, roots) ? "getRoot" : "getHandle")}(this, ${offset}, ${wrapperOf(crossing, uses)});`],
        set: [
          isElement
            ? `${uses.$("setStructs")}(this, ${offset}, value, ${uses.own(crossing.name)}, ${where});`
            : setPointer(crossing, offset, where, arrays, uses),
        ],
      };
  }
}

/** Points a field at an object of its class, at numbers of its width, or at anything. */
function setPointer(crossing: Crossing, offset: number, where: string, arrays: Arrayable, uses: Uses): string {
  const set = (setter: string, ...more: string[]) => `${uses.$(setter)}(${["this", offset, "value", ...more, where].join(", ")});`;
  if (hasClass(crossing)) return set("setHandle", wrapperOf(crossing, uses));
  const item = listItem(crossing, arrays, uses);
  if (item !== null) return set("setList", item);
  const width = crossing.kind === "pointers" ? 8 : crossing.kind === "data" ? crossing.width : 0;
  return width === 0 ? set("setPointer") : set("setNumbers", String(width));
}

function array({ crossing, offset, type }: BoundField, length: number, where: string, uses: Uses): Accessor {
  if (crossing.kind === "struct") {
    const get = [`return ${uses.$("getStructs")}(this, ${offset}, ${length}, ${uses.own(crossing.name)});`];
    return { get, set: null, type: (uses) => `readonly ${uses.own(crossing.name)}[]`, input: () => "never" };
  }
  if (isPointer(crossing)) {
    const types = (uses: Uses) => `readonly (${wrapperOf(crossing, uses)} | null)[]`;
    return {
      get: [`return ${uses.$("getHandles")}(this, ${offset}, ${length}, ${wrapperOf(crossing, uses)});`],
      set: [
        hasClass(crossing)
          ? `${uses.$("setHandles")}(this, ${offset}, ${length}, value, ${wrapperOf(crossing, uses)}, ${where});`
          : `${uses.$("setPointers")}(this, ${offset}, ${length}, value, ${where});`,
      ],
      type: types,
      input: types,
    };
  }
  if (isText(type)) {
    return {
      isText: true,
      get: [`return ${uses.$("getText")}(this, ${offset}, ${length});`],
      set: [`${uses.$("setText")}(this, ${offset}, ${length}, value, ${where});`],
      type: () => "string",
      input: () => "string",
    };
  }
  if (crossing.kind === "int" && crossing.bits === 64) return integers64(offset, length, crossing.signed, where, uses);
  const typed = crossing.kind === "float"
    ? `Float${crossing.bits}Array`
    : crossing.kind === "int"
    ? `${crossing.signed ? "Int" : "Uint"}${crossing.bits}Array`
    : "Uint8Array";
  return {
    shares: true,
    get: [`return ${uses.$("getArray")}(this, ${offset}, ${length}, ${typed});`],
    set: [`${uses.$("setArray")}(this, ${offset}, ${length}, ${typed}, value, ${where});`],
    type: () => typed,
    input: () => "ArrayLike<number>",
  };
}

/** True for a pointer to what has a class of its own. */
function hasClass({ kind }: Crossing): boolean {
  return kind === "handle" || kind === "callback";
}

/** True for a pointer to what C frees by a function of its own. */
function isRoot(crossing: Crossing, roots: ReadonlySet<string>): boolean {
  return crossing.kind === "handle" && roots.has(crossing.name);
}

/** The class of what a pointer field points to. */
function wrapperOf(crossing: Crossing, uses: Uses): string {
  return crossing.kind === "handle" || crossing.kind === "callback" ? uses.own(crossing.name) : uses.$("Pointer");
}

/** The class of what a field of pointers can be set to an array of; null for any other. */
function listItem(crossing: Crossing, { items }: Arrayable, uses: Uses): string | null {
  if (crossing.kind !== "pointers" || crossing.item === "string") return null;
  return crossing.item === null ? crossing.array ?? null : items.has(crossing.item) ? uses.own(crossing.item) : null;
}

/** What a field of pointers can be set to. Null for any other. */
function pointerInput(crossing: Crossing, arrays: Arrayable, uses: Uses): string | null {
  if (crossing.kind !== "pointers") return null;
  const item = listItem(crossing, arrays, uses), memory = `${uses.$("Data")}<BigUint64Array> | null`;
  return item === null ? memory : `readonly ${item}[] | ${memory}`;
}

/** True for `char name[length]`. */
function isText(type: CType): boolean {
  const resolved = resolve(type);
  const element = resolved.kind === "array" ? resolve(resolved.of) : resolved;
  return element.kind === "basic" && element.name === "char";
}

/** A short array is read without a loop: V8 then drops the elements that nobody asks for, and the array itself. */
function integers64(offset: number, length: number, signed: boolean, where: string, uses: Uses): Accessor {
  const reader = uses.$(signed ? "readInt64" : "readUint64"), check = uses.$(signed ? "int64" : "uint64");
  const head = `const view = ${uses.$("memory")}(this), offset = this.$offset + ${offset};`;
  const elements = Array.from({ length }, (_, i) => `${reader}(view, offset${i === 0 ? "" : ` + ${8 * i}`})`);
  const get = length === 4
    ? `return ${uses.$("readFour")}(view, offset, ${reader});`
    : length <= 8
    ? list("    return Object.freeze([", elements, "]);").trimStart()
    : `return Object.freeze(Array.from({ length: ${length} }, (_, i) => ${reader}(view, offset + 8 * i)));`;
  return {
    get: [head, get],
    set: [
      `${uses.$("expectLength")}(value, ${length}, ${where});`,
      head,
      `for (let i = 0; i < ${length}; i++) view.setBig${signed ? "Int" : "Uint"}64(offset + 8 * i, ${check}(value[i], ${where}), true);`,
    ],
    type: () => "readonly number[]",
    input: () => "readonly (number | bigint)[]",
  };
}

function declareAliases({ aliases, crossings }: Api, uses: Uses, printer: Printer): void {
  for (const { name, declaration: typedef } of aliases) {
    let type: string;
    try {
      type = resultType(crossings.of(typedef.type, { name, origin: typedef }), false, uses);
    } catch (error) {
      if (!(error instanceof Unbindable)) throw error;
      continue; // what can't cross needs no name
    }
    if (type === name || type === "void") continue;
    printer.gap();
    printer.line(doc("", `\`typedef ${declaration(name, typedef.type)}\` (${place(typedef)}).`));
    printer.line(`export type ${name} = ${type};`);
  }
}
