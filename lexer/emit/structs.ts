/**
 * Writes `structs.ts`: a class for each struct and union.
 *
 * A struct whose fields the headers show has getters and setters at their laid-out offsets; one that they only name is an opaque handle.
 *
 * @module
 */

import type { CType } from "../model.ts";
import { resolve } from "../types.ts";
import type { Api, BoundField, BoundRecord } from "./api.ts";
import { nativeFields } from "./native.ts";
import { doc, importNames, list, Printer } from "./print.ts";
import { declaration, place } from "./prototype.ts";
import { isPointer, parameterType, resultType, Uses } from "./typescript.ts";

const TYPES = new Set(["Data", "Init", "Pointers"]);

/** The text of `structs.ts`. */
export function emitStructs(api: Api, banner: string, runtime: string): string {
  const uses = new Uses();
  const body = new Printer();
  const frees: string[] = [];
  for (const record of api.records) {
    emitClass(record, uses, body);
    if (record.free !== null) frees.push(record.free);
  }
  emitAliases(api, uses, body);
  const own = new Set(api.records.map(({ name }) => name));
  const callbacks = new Set(api.callbacks.map(({ name }) => name));
  const printer = new Printer();
  printer.line(banner);
  printer.gap();
  const used = [...uses.values, ...[...uses.types].filter((name) => !uses.values.has(name)).map((name) => `type ${name}`)];
  const bare = (name: string) => name.replace("type ", "");
  const fromCallbacks = used.filter((name) => callbacks.has(bare(name)));
  if (fromCallbacks.length > 0) printer.line(importNames(fromCallbacks, "./callbacks.ts"));
  const fromEnums = used.map(bare).filter((name) => !callbacks.has(name) && !own.has(name));
  if (fromEnums.length > 0) printer.line(importNames(fromEnums, "./enums.ts", true));
  if (frees.length > 0) printer.line(importNames(frees, "./functions.ts"));
  printer.line(importNames([...uses.runtime].map((name) => `${TYPES.has(name) ? "type " : ""}${name} as $${name}`), runtime));
  return printer.toString() + "\n" + body.toString();
}

function emitClass(record: BoundRecord, uses: Uses, printer: Printer): void {
  const { declaration: record_, name, fields, free } = record;
  const opaque = record_.size === null;
  const tag = record_.name === null ? `${record_.kind} ${name}` : `${record_.kind} ${record_.name}`;
  printer.gap();
  printer.line(doc("", `\`${tag}\` (${place(record_)}), ${opaque ? "opaque" : `${record_.size} bytes`}.`));
  printer.line(`export class ${name} extends ${uses.$(opaque ? "Handle" : "Struct")} {`);
  printer.line(`  declare readonly $struct: "${name}";`);
  if (!opaque) {
    printer.line(`  static readonly size: number = ${record_.size};`);
    const native = nativeFields(record_);
    if (native !== null) printer.line(list("  static readonly native: readonly Deno.NativeType[] = [", native, "];"));
    printer.gap();
    printer.line(`  constructor(init?: ${uses.$("Init")}<${name}>, owner?: ${uses.$("Owner")}) {`, "    super(init, owner);", "  }");
  }
  for (const field of fields) {
    printer.gap();
    emitField(field, name, uses, printer);
  }
  if (free !== null) {
    printer.gap();
    printer.line(doc("  ", `Frees it, by \`${free}\`; does nothing if it was freed already.`));
    printer.line("  [Symbol.dispose](): void {", `    ${uses.$("dispose")}(this, ${free});`, "  }");
  }
  printer.line("}");
}

/** A getter and a setter. Their text is chosen here, so that nothing is left to decide when they run. */
function emitField(field: BoundField, record: string, uses: Uses, printer: Printer): void {
  const { name, type } = field;
  const where = `"${record}.${name}"`;
  const accessor = field.length === null ? scalar(field, where, uses) : array(field, field.length, where, uses);
  printer.line(doc("  ", `\`${declaration(name, type)}\``));
  printer.line(`  get ${name}(): ${accessor.type} {`, ...accessor.get.map((line) => `    ${line}`), "  }");
  if (accessor.set !== null) printer.line(`  set ${name}(value: ${accessor.input}) {`, ...accessor.set.map((line) => `    ${line}`), "  }");
}

interface Accessor {
  type: string;
  input: string;
  get: string[];
  set: string[] | null;
}

function scalar(field: BoundField, where: string, uses: Uses): Accessor {
  const { crossing, offset } = field;
  const type = resultType(crossing, isPointer(crossing), uses);
  const input = isPointer(crossing) && crossing.kind !== "string"
    ? `${crossing.kind === "handle" || crossing.kind === "callback" ? uses.type(crossing.name) : uses.$("Data")} | null`
    : parameterType({ crossing, nullable: isPointer(crossing) }, uses);
  const memory = `${uses.$("memory")}(this)`;
  const read = (getter: string, little: boolean) => `${memory}.get${getter}(this.$offset + ${offset}${little ? ", true" : ""})`;
  const write = (setter: string, value: string, little: boolean) =>
    `${memory}.set${setter}(this.$offset + ${offset}, ${value}${little ? ", true" : ""});`;
  switch (crossing.kind) {
    case "bool":
      return {
        type,
        input,
        get: [`return ${read("Uint8", false)} !== 0;`],
        set: [write("Uint8", `${uses.$("bool")}(value, ${where}) ? 1 : 0`, false)],
      };
    case "float":
      return {
        type,
        input,
        get: [`return ${read(`Float${crossing.bits}`, true)};`],
        set: [write(`Float${crossing.bits}`, `${uses.$("float")}(value, ${where})`, true)],
      };
    case "int": {
      const { bits, signed } = crossing;
      if (bits === 64) {
        const reader = uses.$(signed ? "readInt64" : "readUint64"), check = uses.$(signed ? "int64" : "uint64");
        return {
          type,
          input,
          get: [`return ${reader}(${memory}, this.$offset + ${offset});`],
          set: [write(`Big${signed ? "Int" : "Uint"}64`, `${check}(value, ${where})`, true)],
        };
      }
      const accessor = `${signed ? "Int" : "Uint"}${bits}`;
      const check = bits === 32
        ? `${uses.$(signed ? "int32" : "uint32")}(value, ${where})`
        : `${uses.$(signed ? "small" : "smallUnsigned")}(value, ${bits}, ${where})`;
      const cast = crossing.name === null ? "" : ` as ${type}`;
      return { type, input, get: [`return ${read(accessor, bits > 8)}${cast};`], set: [write(accessor, check, bits > 8)] };
    }
    case "string":
      return {
        type,
        input,
        get: [`return ${uses.$("getString")}(this, ${offset});`],
        set: [`${uses.$("setString")}(this, ${offset}, value, ${where});`],
      };
    case "struct":
      return {
        type,
        input,
        get: [`return new ${uses.value(crossing.name)}(this.address + ${offset}n, this.owner);`],
        set: [`${uses.$("setStruct")}(this, ${offset}, value, ${crossing.name}, ${where});`],
      };
    default: {
      const wrapper = crossing.kind === "handle" || crossing.kind === "callback" ? uses.value(crossing.name) : uses.$("Pointer");
      return {
        type,
        input,
        get: [`return ${uses.$("getHandle")}(this, ${offset}, ${wrapper});`],
        set: [`${uses.$("setPointer")}(this, ${offset}, value, ${where});`],
      };
    }
  }
}

function array(field: BoundField, length: number, where: string, uses: Uses): Accessor {
  const { crossing, offset } = field;
  if (crossing.kind === "struct") {
    const name = uses.value(crossing.name);
    return {
      type: `readonly ${name}[]`,
      input: "",
      get: [`return ${uses.$("getStructs")}(this, ${offset}, ${length}, ${name});`],
      set: null,
    };
  }
  if (isPointer(crossing)) {
    const wrapper = crossing.kind === "handle" || crossing.kind === "callback" ? uses.value(crossing.name) : uses.$("Pointer");
    return {
      type: `readonly (${wrapper} | null)[]`,
      input: `readonly (${wrapper} | null)[]`,
      get: [`return ${uses.$("getHandles")}(this, ${offset}, ${length}, ${wrapper});`],
      set: [`${uses.$("setPointers")}(this, ${offset}, ${length}, value, ${where});`],
    };
  }
  if (isText(field.type)) {
    return {
      type: "string",
      input: "string",
      get: [`return ${uses.$("getText")}(this, ${offset}, ${length});`],
      set: [`${uses.$("setText")}(this, ${offset}, ${length}, value, ${where});`],
    };
  }
  if (crossing.kind === "int" && crossing.bits === 64) return integers64(offset, length, crossing.signed, where, uses);
  const typed = crossing.kind === "float"
    ? `Float${crossing.bits}Array`
    : crossing.kind === "int"
    ? `${crossing.signed ? "Int" : "Uint"}${crossing.bits}Array`
    : "Uint8Array";
  return {
    type: typed,
    input: "ArrayLike<number>",
    get: [`return ${uses.$("getArray")}(this, ${offset}, ${length}, ${typed});`],
    set: [
      `${uses.$("expectLength")}(value, ${length}, ${where});`,
      `${uses.$("getArray")}(this, ${offset}, ${length}, ${typed}).set(value);`,
    ],
  };
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
  const set = [
    `${uses.$("expectLength")}(value, ${length}, ${where});`,
    `const view = ${uses.$("memory")}(this), offset = this.$offset + ${offset};`,
    `for (let i = 0; i < ${length}; i++) view.setBig${signed ? "Int" : "Uint"}64(offset + 8 * i, ${check}(value[i], ${where}), true);`,
  ];
  const head = `const view = ${uses.$("memory")}(this), offset = this.$offset + ${offset};`;
  const get = length <= 8
    ? [
      head,
      list("return [", Array.from({ length }, (_, i) => `${reader}(view, offset${i === 0 ? "" : ` + ${8 * i}`})`), "];").replaceAll(
        "\n",
        "\n    ",
      ),
    ]
    : [head, `return Array.from({ length: ${length} }, (_, i) => ${reader}(view, offset + 8 * i));`];
  return { type: "readonly number[]", input: "readonly (number | bigint)[]", get, set };
}

function emitAliases({ aliases, crossings }: Api, uses: Uses, printer: Printer): void {
  for (const { name, declaration: typedef } of aliases) {
    let type: string;
    try {
      type = resultType(crossings.of(typedef.type, { name, origin: typedef }), false, uses);
    } catch {
      continue; // what can't cross has no name either
    }
    if (type === name || type === "void") continue;
    printer.gap();
    printer.line(doc("", `\`typedef ${declaration(name, typedef.type)}\` (${place(typedef)}).`));
    printer.line(`export type ${name} = ${type};`);
  }
}
