// What a command is, and how it speaks: results on standard output, everything else on standard error.

import type { Flags, Parsed } from './args.ts';

export interface Output {
  /** A line for people. With --json it goes to standard error, so that standard output stays one JSON object. */
  line(text: string): void;
  /** A piece of text as it is, where `line` writes: for what is written bit by bit. */
  text(piece: string): void;
  /** Progress and warnings: always standard error. */
  note(text: string): void;
  /** The command's result object: printed as JSON with --json, ignored without it. At most once. */
  result(value: unknown): void;
}

export interface Command<F extends Flags = Flags> {
  /** What follows the command's name, such as `<method> --checkpoint FILE`. */
  usage: string;
  flags: F;
  /** Throws a UsageError for bad arguments (exit code 2) and anything else for a failed run (exit code 1). */
  run(args: Parsed<F>, output: Output): Promise<void>;
}

/** Keeps the flags' types for `run`. */
export function defineCommand<const F extends Flags>(command: Command<F>): Command<F> {
  return command;
}
