/**
 * Writes what a generated function does for the lifetimes of its arguments and its result: what is kept, made, lent, taken and freed.
 *
 * C's types say none of it. A `…_free` function of one object is known by its name; the rest is in the pragmas of the API file, and what a
 * pragma doesn't say is taken to be the safe way: the result keeps all that went into it. Without an API file nothing is freed but by the user,
 * and nothing becomes unusable but what he freed himself.
 *
 * @module
 */

import type { BoundFunction, BoundParameter } from "../api/api.ts";
import { list } from "../print.ts";
import type { Uses } from "../typescript.ts";

/** The classes of what C frees by a function of its own. */
export type Roots = ReadonlySet<string>;

/** The expression for the owner of a parameter, or of nothing. */
export function ownerOf(parameter: BoundParameter | undefined, uses: Uses): string {
  if (parameter === undefined) return uses.$("STATIC");
  return parameter.nullable ? `${parameter.name}?.owner ?? ${uses.$("STATIC")}` : `${parameter.name}.owner`;
}

/** True for a parameter that is a handle. */
export function isHandle({ crossing }: BoundParameter): boolean {
  return crossing.kind === "handle";
}

/** Memory of no type: what C keeps a pointer to, where it keeps one. Typed arrays of numbers are read during the call. */
export function isMemory({ crossing }: BoundParameter): boolean {
  return crossing.kind === "data" && crossing.width === 0;
}

/** The line by which an owner keeps a parameter. */
export function keepLine(owner: string, { name, crossing }: BoundParameter, uses: Uses): string {
  const isData = crossing.kind === "data" || crossing.kind === "pointers";
  return `    ${uses.$(isData ? "keepData" : "keep")}(${owner}, ${name});`;
}

/** The parameters that a result keeps. */
export function keepable({ parameters, annotation, declaration }: BoundFunction): BoundParameter[] {
  return parameters.filter((parameter, i) => {
    const { kind } = parameter.crossing;
    if (annotation.reads.has(declaration.type.parameters[i].name ?? String(i))) return false;
    return kind === "handle" || kind === "struct" || kind === "callback" || isMemory(parameter) || isHandles(parameter);
  });
}

/** An array of handles. */
function isHandles({ crossing }: BoundParameter): boolean {
  return crossing.kind === "pointers" && crossing.item !== null && crossing.item !== "string";
}

/** What stands before the call. */
export function beforeCall(bound: BoundFunction, api: readonly BoundFunction[], uses: Uses): string[] {
  const { annotation, declaration } = bound;
  const lines: string[] = [];
  for (const given of annotation.takes) {
    const { name } = parameterOf(bound, given);
    lines.push(`    ${uses.$("expectGivable")}(${name}, ${takerOf(bound, given)}, "${declaration.name}(${name})");`);
  }
  for (const [home, graph] of annotation.places) {
    lines.push(willPlace(bound, graph === undefined ? "null" : pathOf(bound, graph), home, api, uses));
  }
  for (const path of annotation.passes) lines.push(`    ${pathOf(bound, path)}.owner.endPassing("replaced by ${declaration.name}");`);
  return lines;
}

/** The line by which an allocator's memory is taken back. The function that makes it forget its graph is the one with its class's `forgets`. */
function willPlace(bound: BoundFunction, graph: string, home: string, api: readonly BoundFunction[], uses: Uses): string {
  const { name, crossing } = parameterOf(bound, home);
  const forgets = api.find(({ annotation, parameters }) => {
    const [first] = parameters;
    return annotation.forgets.size > 0 && first.crossing.kind === "handle" && crossing.kind === "handle" &&
      first.crossing.name === crossing.name;
  });
  return `    ${uses.$("willPlace")}(${graph}, ${name}, ${forgets === undefined ? "null" : uses.bound(forgets.name)});`;
}

/** What stands after the call whether C failed or not: it may have done as much by then. */
export function inAnyCase(bound: BoundFunction, api: readonly BoundFunction[], uses: Uses): string[] {
  const { annotation } = bound;
  const lines: string[] = [];
  for (const [holder, kept] of annotation.keeps) if (kept !== "return") lines.push(keepBetween(bound, holder, kept, api, uses));
  for (const [home, graph] of annotation.places) {
    if (graph !== undefined) lines.push(`    ${uses.$("places")}(${pathOf(bound, graph)}, ${pathOf(bound, home)});`);
  }
  return lines;
}

/** What stands after a call that C didn't fail in, and has nothing to do with its result. */
export function afterCall(bound: BoundFunction, uses: Uses): string[] {
  const { annotation, declaration } = bound;
  const lines: string[] = [];
  if (uses.policy.ownership === "hand" && bound.frees && /_free$/.test(declaration.name)) {
    lines.push(`    ${uses.$("freedByHand")}(${bound.parameters[0].name});`);
  }
  for (const [holder, kept, key] of annotation.sets) {
    const name = key === undefined ? `"${declaration.name}(${kept})"` : `\`${declaration.name}(${kept}) \${${pathOf(bound, key)}}\``;
    lines.push(`    ${uses.$("keepLatest")}(${ownerOf(parameterOf(bound, holder), uses)}, ${name}, ${pathOf(bound, kept)});`);
  }
  for (const given of annotation.takes) lines.push(`    ${uses.$("taken")}(${pathOf(bound, given)}, ${takerOf(bound, given)});`);
  if (annotation.forgets.size > 0) lines.push(`    ${bound.parameters[0].name}.owner.forget("${bound.declaration.name}");`);
  for (const [holder, forget] of annotation.leaves) lines.push(`    ${uses.bound(forget)}(${pathOf(bound, holder)});`);
  for (const [holder, forget] of annotation.displaces) lines.push(`    ${uses.$("forgetThrough")}(${pathOf(bound, holder)}, "${forget}");`);
  return lines;
}

/** The line by which one argument keeps another, or a field of one. */
function keepBetween(bound: BoundFunction, holder: string, kept: string, api: readonly BoundFunction[], uses: Uses): string {
  const { name } = bound.declaration;
  if (holder.includes(".") || kept.includes(".")) {
    return `    ${uses.$("keepBetween")}(${pathOf(bound, holder)}, ${pathOf(bound, kept)});`;
  }
  const owner = ownerOf(parameterOf(bound, holder), uses);
  const undoing = api.find(({ annotation }) => annotation.forgets.has(name));
  if (undoing === undefined) return keepLine(owner, parameterOf(bound, kept), uses);
  const forget = `() => ${uses.bound(undoing.name)}(${pathOf(bound, holder)})`;
  return list(`    ${uses.$("keepUntil")}(`, [owner, `"${undoing.declaration.name}"`, pathOf(bound, kept), forget], ");");
}

/** What is done with a result before it is returned; it is called `$result`. */
export function afterResult(bound: BoundFunction, uses: Uses): string[] {
  const { annotation } = bound;
  const lines: string[] = [];
  for (const [holder, kept] of annotation.keeps) {
    if (kept === "return") lines.push(`    ${uses.$("keep")}(${ownerOf(parameterOf(bound, holder), uses)}, $result);`);
  }
  for (const path of annotation.gives) {
    const type = givenType(bound, path);
    if (type === null) continue;
    const { name } = parameterOf(bound, path.split(".")[0]);
    lines.push(list(`    ${uses.$("given")}(`, [uses.own(type), pathOf(bound, path), `[${name}.owner, $result.owner]`], ");"));
  }
  for (const [holder, forget] of annotation.lends) {
    lines.push(list(`    ${uses.$("lent")}(`, ["$result", pathOf(bound, holder), `"${forget}"`, uses.bound(forget)], ");"));
  }
  return lines;
}

/** The class of what C makes at a field of type `struct x **`. */
function givenType(bound: BoundFunction, path: string): string | null {
  return bound.givenTypes.get(path) ?? null;
}

/** The expression for a result that is a handle. */
export function handleResult(bound: BoundFunction, name: string, roots: Roots, uses: Uses): { before: string[]; value: string } {
  const { annotation } = bound;
  const from = keepable(bound).find(isHandle);
  const type = uses.own(name);
  if (annotation.passing.size > 0 && from !== undefined) return { before: [], value: `new ${type}($, ${from.name}.owner.passing)` };
  if (!roots.has(name)) {
    const before = keepable(bound).filter((parameter) => parameter !== from).map((other) => keepLine(ownerOf(from, uses), other, uses));
    return { before, value: `new ${type}($, ${ownerOf(from, uses)})` };
  }
  if (uses.policy.ownership === "hand") {
    const before = [
      `    const $owner = new ${uses.$("Owner")}($);`,
      ...keepable(bound).map((parameter) => keepLine("$owner", parameter, uses)),
    ];
    return { before, value: `new ${type}($, $owner)` };
  }
  if (annotation.borrows.size > 0) return { before: [], value: `${uses.$("borrowed")}(${type}, $, ${ownerOf(from, uses)})` };
  const [original] = annotation.inherits;
  if (original !== undefined) return { before: [], value: `${uses.$("createdFrom")}(${type}, $, ${pathOf(bound, original)})` };
  const kept = keepable(bound);
  const isNeeded = (parameter: BoundParameter) => isHandle(parameter) || isHandles(parameter);
  const needs = kept.filter(isNeeded), keeps = kept.filter((parameter) => !isNeeded(parameter));
  return { before: [], value: `${uses.$("created")}(${type}, $, ${namesOf(needs)}, ${namesOf(keeps)})` };
}

/** The expression for a pointer: into what it was got from, or to what another function frees that takes what this one took. */
export function pointerResult(bound: BoundFunction, uses: Uses): string {
  const { freedBy, parameters, annotation } = bound;
  const from = keepable(bound).find(isHandle);
  const owner = annotation.passing.size > 0 && from !== undefined ? `${from.name}.owner.passing` : ownerOf(from, uses);
  const plain = `new ${uses.$("Pointer")}($, ${owner})`;
  if (freedBy === null) return plain;
  const args = freedBy.parameters.map((name, i) => i === freedBy.index ? "$pointer" : name);
  const missing = args.some((name) => name !== "$pointer" && !parameters.some((parameter) => parameter.name === name));
  if (missing) return plain;
  const kept = keepable(bound);
  const needs = kept.filter(({ name }) => args.includes(name) || kept.length === 1), keeps = kept.filter((item) => !needs.includes(item));
  const free = `($pointer) => ${uses.bound(freedBy.name)}(${args.join(", ")})`;
  return `${uses.$("createdPointer")}(${uses.$("Pointer")}, $, ${free}, ${namesOf(needs)}, ${namesOf(keeps)})`;
}

/** The lines that end in the return of a struct by value: it may point to what it was made from. */
export function structResult(bound: BoundFunction, name: string, roots: Roots, uses: Uses): string[] {
  const kept = keepable(bound);
  const struct = `new ${uses.own(name)}($)`;
  if (roots.has(name) && bound.annotation.borrows.size === 0) {
    return [`    return ${uses.$("createdStruct")}(${struct}, ${namesOf(kept)});`];
  }
  const memory = bound.parameters.filter(({ crossing }) => crossing.kind === "data" || crossing.kind === "pointers");
  const all = bound.parameters.filter((parameter) => kept.includes(parameter) || memory.includes(parameter));
  if (all.length === 0 || !bound.resultPoints) return [`    return ${struct};`];
  // Not `$struct`: that is the runtime's, which takes a struct that is an argument.
  return [`    const $result = ${struct};`, ...all.map((parameter) => keepLine("$result.owner", parameter, uses)), "    return $result;"];
}

/** The call of a function that frees, with all that goes with it; null for one that frees nothing. */
export function freeingCall(bound: BoundFunction, symbol: string, args: readonly string[], uses: Uses): string | null {
  const { parameters, declaration, annotation, frees, freesStruct } = bound;
  if (uses.policy.ownership === "hand") return null;
  if (frees || freesStruct) {
    const [{ name }] = parameters;
    return list(`    ${uses.$(frees ? "release" : "releaseStruct")}(`, [name, `"${declaration.name}(${name})"`, symbol], ");");
  }
  const [pointer] = annotation.frees;
  if (pointer !== undefined) {
    const freed = parameterOf(bound, pointer[0]);
    const inner = args.map((arg, i) => parameters[i] === freed ? "$pointer" : arg);
    const call = `($pointer) => ${symbol}(${inner.join(", ")})`;
    return list(`    ${uses.$("releasePointer")}(`, [freed.name, `"${declaration.name}(${freed.name})"`, call], ");");
  }
  const [cleared] = annotation.clears;
  if (cleared === undefined) return null;
  const { name } = parameterOf(bound, cleared);
  return list(`    ${uses.$("renew")}(`, [name, `"${declaration.name}(${name})"`, `() => ${symbol}(${name}.address)`], ");");
}

/** True for the parameter that a function frees: it may be unusable, but not freed already. */
export function isFreed(bound: BoundFunction, parameter: BoundParameter, { policy }: Uses): boolean {
  const { frees, freesStruct, annotation, parameters } = bound;
  if (policy.ownership === "hand") return false;
  if (frees || freesStruct) return parameter === parameters[0];
  return annotation.frees.some(([name]) => parameterOf(bound, name) === parameter);
}

/** The parameter that a pragma names. */
function parameterOf({ declaration, parameters }: BoundFunction, name: string): BoundParameter {
  const index = declaration.type.parameters.findIndex((parameter, i) => (parameter.name ?? String(i)) === name);
  return parameters[index];
}

/** The expression for a parameter or for a field of one. */
function pathOf(bound: BoundFunction, path: string): string {
  const [name, field] = path.split(".");
  return field === undefined ? parameterOf(bound, name).name : `${parameterOf(bound, name).name}.${field}`;
}

/** What takes a thing: the first other handle. */
function takerOf(bound: BoundFunction, given: string): string {
  return bound.parameters.find((parameter) => isHandle(parameter) && parameter !== parameterOf(bound, given))!.name;
}

function namesOf(parameters: readonly BoundParameter[]): string {
  return `[${parameters.map(({ name }) => name).join(", ")}]`;
}
