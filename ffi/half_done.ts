/** @module */
import type { Handle } from "./handle.ts";
export function spoilChanged(_name: string, _args: Readonly<Record<string, unknown>>, _error: Error): void {}
export type { Handle };
