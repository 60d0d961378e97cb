/**
 * Runs untrusted JavaScript in QuickJS (WebAssembly): no host objects, no clock, no I/O, limits on steps, memory and
 * stack. Every input gets a realm of its own, so that programs cannot pass anything on. Results are JSON values.
 * Steps inside one built-in call are not counted: verify in workers, whose deadline (pool.ts) ends what hangs there.
 */
import variant from '@jitl/quickjs-wasmfile-release-sync';
import { newQuickJSWASMModuleFromVariant, newVariant, type QuickJSWASMModule } from 'quickjs-emscripten-core';
import type { ProgramRunner } from '../tasks/task.ts';

export interface SandboxLimits {
  /** Interrupt checks before a run is stopped; QuickJS makes one every 10,000 backward jumps and calls. */
  checks: number;
  stackBytes: number;
  /** Characters of a program and of a result. */
  text: number;
}

export const SANDBOX_LIMITS: SandboxLimits = {
  checks: 20,
  stackBytes: 128 << 10,
  text: 10_000,
};

/**
 * The engine's whole memory, in pages of 64 KiB. QuickJS has a memory limit of its own, but its WebAssembly build cannot
 * see the sizes of allocations: with that limit at 4 MB a program took 2 GB.
 */
const FIRST_PAGES = 256;
const MOST_PAGES = 512;

let loading: Promise<QuickJSWASMModule> | null = null;

/** Loads the WebAssembly once per thread. */
export async function openSandbox(limits: SandboxLimits = SANDBOX_LIMITS): Promise<Sandbox> {
  loading ??= newQuickJSWASMModuleFromVariant(
    newVariant(variant, { wasmMemory: new WebAssembly.Memory({ initial: FIRST_PAGES, maximum: MOST_PAGES }) }),
  );
  return new Sandbox(await loading, limits);
}

export class Sandbox implements ProgramRunner {
  private readonly engine: QuickJSWASMModule;
  private readonly limits: SandboxLimits;

  constructor(engine: QuickJSWASMModule, limits: SandboxLimits) {
    this.engine = engine;
    this.limits = limits;
  }

  /** Calls the function that `source` evaluates to with each input. Stops at the first fault. */
  run(source: string, inputs: readonly unknown[]): ReturnType<ProgramRunner['run']> {
    if (source.length > this.limits.text)
      return { ok: false, reason: `the program is longer than ${this.limits.text} characters` };
    const outputs: unknown[] = [];
    for (const input of inputs) {
      const result = this.one(source, JSON.stringify(input));
      if (!result.ok) return result;
      outputs.push(result.value);
    }
    return { ok: true, outputs };
  }

  private one(source: string, input: string): { ok: true; value: unknown } | { ok: false; reason: string } {
    const { checks, stackBytes, text } = this.limits;
    const runtime = this.engine.newRuntime();
    try {
      runtime.setMaxStackSize(stackBytes);
      let left = checks;
      runtime.setInterruptHandler(() => left-- <= 0);
      const context = runtime.newContext();
      try {
        // Strict mode, and the function behind a line break: a comment at its end swallows nothing.
        const result = context.evalCode(`'use strict';JSON.stringify((${source}\n)(${input}))`, 'program.js');
        if (result.error) {
          const error = context.dump(result.error);
          result.error.dispose();
          if (left < 0) return { ok: false, reason: 'it takes too many steps' };
          return { ok: false, reason: describe(error) };
        }
        const json = context.typeof(result.value) === 'string' ? context.getString(result.value) : null;
        result.value.dispose();
        if (json === null) return { ok: false, reason: 'it gives no value' };
        if (json.length > text) return { ok: false, reason: `its result is longer than ${text} characters` };
        return { ok: true, value: JSON.parse(json) };
      } finally {
        context.dispose();
      }
    } catch (error) {
      return { ok: false, reason: `the sandbox stopped: ${error instanceof Error ? error.message : String(error)}` };
    } finally {
      runtime.dispose();
    }
  }
}

function describe(error: unknown): string {
  if (typeof error !== 'object' || error === null) return `it throws ${JSON.stringify(error)?.slice(0, 80)}`;
  const { name, message } = error as { name?: unknown; message?: unknown };
  return `${String(name ?? 'Error')}: ${String(message ?? '')}`.slice(0, 120);
}
