/**
 * What is bound, as the writers see it: each function, struct, enum, variable and callback, with how its values cross.
 *
 * @module
 */

import type {
  ConstantDeclaration,
  CType,
  EnumDeclaration,
  EnumValue,
  FunctionDeclaration,
  FunctionType,
  MacroFunction,
  Origin,
  RecordDeclaration,
  Skipped,
  SynonymDeclaration,
  TypedefDeclaration,
  VariableDeclaration,
} from "../../model/model.ts";
import type { Annotation } from "./annotations.ts";
import type { Crossing, Crossings } from "./crossing.ts";
import type { Length } from "./lengths.ts";

/** A function and how each of its values crosses. */
export interface BoundFunction {
  readonly declaration: FunctionDeclaration;
  /** The exported name: C's, unless TypeScript can't have it. */
  readonly name: string;
  readonly parameters: readonly BoundParameter[];
  readonly result: Crossing;
  readonly resultNullable: boolean;
  /** True for one that frees what its only parameter stands for. */
  readonly frees: boolean;
  /** The memory whose length is checked. */
  readonly lengths: readonly Length[];
  /** True where a check written by hand comes before the call. */
  readonly checked: boolean;
  /** True for one that takes a struct by value and frees what that holds. */
  readonly freesStruct: boolean;
  /** True if what it returns is a struct that may point to something. */
  readonly resultPoints: boolean;
  /** What the pragmas say of it. */
  readonly annotation: Annotation;
  /** The function that frees the pointer that this one returns, its parameters' names, and the index of the pointer among them. */
  readonly freedBy: { readonly name: string; readonly parameters: readonly string[]; readonly index: number } | null;
  /** The classes of what C makes at the fields that a pragma names, by `parameter.field`. */
  readonly givenTypes: ReadonlyMap<string, string>;
}

export interface BoundParameter {
  /** A name that TypeScript allows and nothing else in the function has. */
  readonly name: string;
  readonly crossing: Crossing;
  readonly nullable: boolean;
  /** Of an array of pointers: whether one of them may be null. */
  readonly nullableItems: boolean;
  /** Of an enum: whether it may be the number of the enum's values. */
  readonly count: boolean;
  /** True for the format of a variadic function: its text is printed as it is. */
  readonly format: boolean;
}

/** A struct or union class. */
export interface BoundRecord {
  readonly declaration: RecordDeclaration;
  readonly name: string;
  /** The fields, those of anonymous members among them; empty for an opaque struct. */
  readonly fields: readonly BoundField[];
  /** The function that frees one. */
  readonly free: string | null;
}

/** A field, at its offset in the outermost record. */
export interface BoundField {
  readonly name: string;
  readonly type: CType;
  readonly offset: number;
  /** How it crosses or, for an array, how an element does. */
  readonly crossing: Crossing;
  /** An array's number of elements, all dimensions in one; null for what is no array. */
  readonly length: number | null;
  /** Of an enum: whether it may be the number of the enum's values. */
  readonly count: boolean;
  /** Of a bit-field: its first bit, counted from the lowest of the record, and how many it has. */
  readonly bits: Bits | null;
}

/** Where a bit-field lies. */
export interface Bits {
  readonly first: number;
  readonly width: number;
}

/** A variable of the library. */
export interface BoundVariable {
  readonly declaration: VariableDeclaration;
  /** The name of its property. */
  readonly name: string;
  /** How its value crosses or, for an array, how an element does. */
  readonly crossing: Crossing;
  /** An array's number of elements, all dimensions in one; null for what is no array. */
  readonly length: number | null;
  /** In bytes; null where C doesn't say how much lies there. Then `crossing` is that of a pointer to it. */
  readonly size: number | null;
  /** True where C mustn't write it. */
  readonly constant: boolean;
}

export interface BoundEnum {
  readonly declaration: EnumDeclaration;
  /** The exported type's name, null where the enum has none. */
  readonly name: string | null;
  /** True where the type is any number: values are or'ed, or too wide. */
  readonly flags: boolean;
  /** The last enumerator if it isn't a value but the number of them: it is called `…_COUNT` and is one more than any other. */
  readonly count: EnumValue | null;
}

/** A function-pointer type. */
export interface BoundCallback {
  readonly name: string;
  readonly origin: Origin;
  readonly type: FunctionType;
  readonly parameters: readonly BoundParameter[];
  readonly result: Crossing;
}

/** A typedef that is only another name. */
export interface BoundAlias {
  readonly declaration: TypedefDeclaration;
  readonly name: string;
}

/** A macro that is another name of a bound function. */
export interface BoundSynonym {
  readonly declaration: SynonymDeclaration;
  readonly name: string;
  /** The exported name of the function. */
  readonly of: string;
}

/** Everything that is bound. */
export interface Api {
  readonly functions: readonly BoundFunction[];
  /** Empty unless they are asked for; then they are among `skipped`. */
  readonly variables: readonly BoundVariable[];
  readonly records: readonly BoundRecord[];
  readonly enums: readonly BoundEnum[];
  readonly constants: readonly ConstantDeclaration[];
  /** Function-like macros that are functions here. */
  readonly macros: readonly MacroFunction[];
  /** Other names of bound functions, where they are asked for. */
  readonly synonyms: readonly BoundSynonym[];
  readonly callbacks: readonly BoundCallback[];
  readonly aliases: readonly BoundAlias[];
  readonly skipped: readonly Skipped[];
  /** Pragmas about what the headers don't declare. */
  readonly elsewhere: readonly Skipped[];
  readonly crossings: Crossings;
}
