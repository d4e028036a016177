/**
 * Writes the structs: a class for each, and for each union. Of ggml's bindings that is `structs.js` and `structs.d.ts`.
 *
 * A struct whose fields the headers show has getters and setters at their laid-out offsets; one that they only name is an opaque handle.
 *
 * @module
 */

import type { RecordDeclaration } from "../../model/model.ts";
import { resolve } from "../../model/types.ts";
import type { Api, BoundAlias, BoundField, BoundRecord } from "../api/api.ts";
import { Unbindable } from "../api/crossing.ts";
import { nativeFields } from "../api/native.ts";
import { declaration } from "../api/prototype.ts";
import { CODE, freeOf, type Parts, type Policy, rootsOf, TYPES } from "../policy.ts";
import { braces, doc, fileText, list, Printer } from "../print.ts";
import { resultType, Uses } from "../typescript.ts";
import { type Accessor, accessorOf, type Arrayable } from "./fields.ts";

/** What the documentation says of the member by which TypeScript tells two classes apart. */
export const NOMINAL = "Its C name: TypeScript tells classes of the same fields apart by it. It has no value.";

/**
 * The member that says what a class is called: a bundler may call it otherwise, and checks and messages ask for this. As a field it would cost every
 * call that checks a handle a factor of five: V8 no longer knows the class then.
 */
export function ownName(name: string, types: boolean): string {
  return [`  static ${types ? "override get name(): string" : "get name()"} {`, `    return "${name}";`, "  }"].join("\n");
}

/** At multiples of how many bytes all memory begins that JavaScript or malloc gives. */
const ALLOCATED = 16;

/** What the documentation says of the member that has the types of the setters. */
const SETTABLE = "What fields can be set to where that is not what they give: a new struct is given that as well. It has no value.";

/** The text of `structs.js`. */
export function emitStructs(api: Api, banner: string, runtime: string, policy: Policy): string {
  const uses = new Uses(policy);
  const body = new Printer();
  writeStructs(api, CODE, uses, body);
  body.gap();
  body.line(braces("export const $structs = {", api.records.map(({ name }) => name), "};"));
  return fileText([`// @ts-self-types="./structs.d.ts"`, banner], uses.imports(api, "structs", runtime, false), body);
}

/** The text of `structs.d.ts`. */
export function declareStructs(api: Api, banner: string, runtime: string, policy: Policy): string {
  const uses = new Uses(policy);
  const body = new Printer();
  writeStructs(api, TYPES, uses, body);
  writeAliases(api, uses, body);
  return fileText([banner], uses.imports(api, "structs", runtime, true), body);
}

/** Writes every class, or what a declaration file says of it. */
export function writeStructs(api: Api, parts: Parts, uses: Uses, printer: Printer): void {
  const classes: Classes = {
    often: oftenMade(api),
    shown: uses.policy.guarded ? shownStructs(api) : new Set(),
    roots: rootsOf(api.records, uses.policy),
    arrays: arrayable(api),
    className: (record) => api.crossings.className(record),
  };
  for (const record of api.records) writeClass(record, parts, classes, uses, printer);
}

/** The structs that C makes and shows: what is known of them ends when a field is set. */
function shownStructs({ functions }: Api): ReadonlySet<string> {
  return new Set(functions.flatMap(({ result }) => result.kind === "handle" ? [result.name] : []));
}

const elements = new WeakMap<Api, ReadonlySet<string>>();

/** The structs whose fields the headers show, and of which C makes none: those that TypeScript can make arrays of. */
export function elementsOf(api: Api): ReadonlySet<string> {
  let names = elements.get(api);
  if (names === undefined) {
    const shown = shownStructs(api);
    names = new Set(api.records.flatMap(({ name, declaration: { size } }) => size === null || shown.has(name) ? [] : [name]));
    elements.set(api, names); // each function asks
  }
  return names;
}

/** What fields and variables can be set to arrays of. */
export function arrayable(api: Api): Arrayable {
  return { elements: elementsOf(api), items: new Set(api.records.flatMap(({ name, free }) => free === null ? [name] : [])) };
}

/** How many functions return a struct whose handles are made as fast as possible. */
const OFTEN = 10;

function oftenMade({ functions }: Api): ReadonlySet<string> {
  const counts = new Map<string, number>();
  for (const { result } of functions) if (result.kind === "handle") counts.set(result.name, (counts.get(result.name) ?? 0) + 1);
  return new Set([...counts].filter(([, count]) => count >= OFTEN).map(([name]) => name));
}

/** What is known of all the classes together. */
interface Classes {
  readonly often: ReadonlySet<string>;
  readonly shown: ReadonlySet<string>;
  readonly roots: ReadonlySet<string>;
  readonly arrays: Arrayable;
  className(record: RecordDeclaration): string | null;
}

function writeClass(record: BoundRecord, parts: Parts, classes: Classes, uses: Uses, printer: Printer): void {
  const { declaration: { kind, name: tag, size }, declaration, name, fields } = record;
  const { code, types } = parts, opaque = size === null, free = freeOf(record, uses.policy);
  const title = `${kind} ${tag ?? name}`;
  if (uses.isModule && !opaque) writeInit(record, classes, uses, printer);
  printer.gap();
  if (types) printer.line(doc("", `\`${title}\` (${uses.policy.place(declaration)}), ${opaque ? "opaque" : `${size} bytes`}.`));
  printer.line(`export ${code ? "" : "declare "}class ${name} extends ${uses.$(opaque ? "Handle" : "Struct")} {`);
  if (types) printer.line(doc("  ", NOMINAL), `  declare readonly $struct: "${name}";`);
  if (code) printer.line(ownName(name, types));
  if (!opaque) writeLayout(record, title, parts, classes, uses, printer);
  if (!opaque && !types && classes.often.has(name)) writeConstructor(uses, printer);
  if (!code) declareSettable(record, classes, uses, printer);
  for (const field of fields) writeField(field, record, parts, classes, uses, printer);
  if (free !== null) {
    const lines = code ? [" {", `    ${disposal(free, uses)}`, "  }"] : [";"];
    if (types) printer.line(doc("  ", `Frees it, by \`${free}\`; does nothing if it was freed already.`));
    printer.line(...withHead(`  [Symbol.dispose]()${types ? ": void" : ""}`, lines));
  }
  printer.line("}");
}

/** The call that frees what a handle stands for, once. */
function disposal(free: string, uses: Uses): string {
  const f = uses.bound(uses.own(free));
  return uses.policy.ownership === "hand" ? `if (!this.owner.freed) ${f}(this);` : `${uses.$("dispose")}(this, ${f});`;
}

/** The first of some lines with what comes before it. */
function withHead(head: string, [first, ...rest]: readonly string[]): string[] {
  return [head + first, ...rest];
}

/** What a new struct of a module's can be given: setters take more than getters give. */
function writeInit(record: BoundRecord, classes: Classes, uses: Uses, printer: Printer): void {
  const settable = record.fields.flatMap((field) => {
    const { set, input } = fieldAccessor(field, record, classes, new Uses(uses.policy));
    return set === null ? [] : [`  ${field.name}?: ${input(uses)};`];
  });
  printer.gap();
  printer.line(doc("", `What a new \`${record.name}\` can be given; what isn't given is zero.`));
  if (settable.length === 0) printer.line(`export type $${record.name}_fields = Record<never, never>;`);
  else printer.line(`export interface $${record.name}_fields {`, ...settable, "}");
}

/**
 * Declares what the setters take where the getters give something else: TypeScript's types of types know of getters alone, so that those of a
 * class couldn't say what `new` can be given.
 */
function declareSettable(record: BoundRecord, classes: Classes, uses: Uses, printer: Printer): void {
  const settable = record.fields.flatMap((field) => {
    const { set, type, input } = fieldAccessor(field, record, classes, new Uses(uses.policy));
    const given = set === null ? "never" : input(uses);
    return given === type(uses) ? [] : [`    readonly ${field.name}: ${given};`];
  });
  if (settable.length > 0) printer.line(doc("  ", SETTABLE), "  declare readonly $set: {", ...settable, "  };");
}

/** The size, the layout as Deno takes it, the constructor. */
function writeLayout(
  { declaration, name }: BoundRecord,
  title: string,
  { code, types }: Parts,
  { className }: Classes,
  uses: Uses,
  printer: Printer,
): void {
  const type = types ? ": readonly Deno.NativeType[]" : "";
  if (types) printer.line(doc("  ", `\`sizeof(${title})\`, in bytes.`));
  printer.line(`  static ${types ? "readonly " : ""}size${code ? ` = ${declaration.size}` : ": number"};`);
  if (declaration.align !== null && declaration.align > ALLOCATED) {
    if (types) printer.line(doc("  ", `\`_Alignof(${title})\`, in bytes: new ones begin at a multiple of it.`));
    printer.line(`  static ${types ? "readonly " : ""}align${code ? ` = ${declaration.align}` : ": number"};`);
  }
  // In a module by the names of the classes, since C nests structs as deep as it likes; and those classes may come later.
  const inner = (record: RecordDeclaration) => uses.isModule && className(record) !== null ? `${className(record)}.native` : null;
  const native = nativeFields(declaration, uses.policy.target, inner);
  if (native !== null) {
    if (types) printer.line(doc("  ", "Its layout, as `Deno.dlopen` takes a struct by value."));
    if (!code) printer.line(`  static readonly native${type};`);
    else if (uses.isModule) printer.line(`  static get native()${type} {`, list("    return [", native, "];"), "  }");
    else printer.line(list("  static native = [", native, "];"));
  }
  if (!types) return;
  printer.line(doc("  ", "Makes a new one from fields or bytes; with an address, a handle of one that exists, which `owner` keeps valid."));
  if (!code) printer.line(`  constructor(init?: ${uses.$("Init")}<${name}>, owner?: ${uses.$("Owner")});`);
  else {
    const init = `init: $${name}_fields | Uint8Array<ArrayBuffer> | bigint = {}`;
    printer.line(list("  constructor(", [init, `owner?: ${uses.$("Owner")}`], ") {"), "    super(init, owner);", "  }");
  }
}

/** A constructor that sets the fields of a handle itself: `UNSET` of the runtime says why. */
function writeConstructor(uses: Uses, printer: Printer): void {
  printer.line(
    "  constructor(init, owner) {",
    `    if (typeof init !== "bigint") {`,
    "      super(init);",
    "      return;",
    "    }",
    `    super(init, ${uses.$("UNSET")});`,
    "    this.address = init;",
    `    this.owner = (owner ?? ${uses.$("STATIC")}).at(init);`,
    "    this.$view = null;",
    "    this.$offset = 0;",
    `    this.$name = "";`,
    "  }",
  );
}

function fieldAccessor(field: BoundField, { name }: BoundRecord, { arrays, roots }: Classes, uses: Uses): Accessor {
  return accessorOf(field, { self: "this", where: `"${name}.${field.name}"`, arrays, roots }, uses);
}

function writeField(field: BoundField, record: BoundRecord, { code, types }: Parts, classes: Classes, uses: Uses, printer: Printer): void {
  const { get, set, shares, isText, type, input } = fieldAccessor(field, record, classes, code ? uses : new Uses(uses.policy));
  const isShown = classes.shown.has(record.name);
  const body = (lines: readonly string[]) => code ? [" {", ...lines.map((line) => `    ${line}`), "  }"] : [";"];
  const width = field.bits === null ? "" : ` : ${field.bits.width}`;
  if (types) printer.line(doc("  ", `\`${declaration(field.name, field.type)}${width}\``));
  const getting = code && isShown && shares ? [`${uses.$("exposed")}(this);`, ...get] : get;
  printer.line(...withHead(`  get ${field.name}()${types ? `: ${type(uses)}` : ""}`, body(getting)));
  if (set === null) return;
  // `deno doc` takes a setter in a declaration file for a function without a result type, which TypeScript forbids it to have.
  if (!code) printer.line(doc("  ", "@ignore"));
  const setting = code && isShown && !isText ? [`${uses.$("changed")}(this);`, ...set] : set;
  printer.line(...withHead(`  set ${field.name}(value${types ? `: ${input(uses)}` : ""})`, body(setting)));
}

/** Writes the names that C gives to other types. In a module, one for a struct is a name for its class too. */
export function writeAliases({ aliases, crossings }: Api, uses: Uses, printer: Printer): void {
  for (const { name, declaration: typedef } of aliases) {
    const type = aliased(name, typedef, crossings, uses);
    if (type === null || type === name || type === "void") continue;
    const what = doc("", `\`typedef ${declaration(typedef.name, typedef.type)}\` (${uses.policy.place(typedef)}).`);
    printer.gap();
    printer.line(what, `export type ${name} = ${type};`);
    const target = resolve(typedef.type);
    if (uses.isModule && target.kind === "record" && crossings.className(target.record) !== null) {
      printer.gap();
      printer.line(what, `export const ${name} = ${type};`);
    }
  }
}

function aliased(name: string, typedef: BoundAlias["declaration"], crossings: Api["crossings"], uses: Uses): string | null {
  const target = resolve(typedef.type);
  const struct = target.kind === "record" ? crossings.className(target.record) : null;
  if (uses.isModule && struct !== null) return struct;
  try {
    return resultType(crossings.of(typedef.type, { name, origin: typedef }), false, uses);
  } catch (error) {
    if (error instanceof Unbindable) return null; // what can't cross needs no name
    throw error;
  }
}
