/**
 * The events of a run as lines of JSON, over all its parts: one that is resumed goes on with the log and the wall time of
 * what came before. What was done after the last checkpoint is done again, to the same bits, and logged once.
 */
import type { RunEvent } from '../methods/contract.ts';

/** The last line: wall time of all parts, in milliseconds. */
interface Clock {
  kind: 'clock';
  wallMs: number;
}

export class EventLog {
  /** Wall time of the parts before this one, in milliseconds. */
  readonly earlierMs: number;
  /** Last value of every metric, named `<phase>.<metric>`. */
  readonly last: Record<string, number> = {};
  readonly #lines = new Map<string, string>();

  /** `text`: the log of the parts before; lines that are none are left out, such as the last one of a full disk. */
  constructor(text = '') {
    let earlierMs = 0;
    for (const line of text.split('\n')) {
      const entry = parse(line);
      if (entry?.kind === 'clock') earlierMs = entry.wallMs;
      else if (entry) this.add(entry);
    }
    this.earlierMs = earlierMs;
  }

  add(event: RunEvent): void {
    const key = event.kind === 'metrics' ? `${event.phase} ${event.step}` : `log ${this.#lines.size}`;
    this.#lines.set(key, JSON.stringify(event));
    if (event.kind !== 'metrics') return;
    for (const [name, value] of Object.entries(event.values)) this.last[`${event.phase}.${name}`] = value;
  }

  /** The whole log, `wallMs` after this part began. */
  text(wallMs: number): string {
    const clock: Clock = { kind: 'clock', wallMs: this.earlierMs + wallMs };
    return `${[...this.#lines.values(), JSON.stringify(clock)].join('\n')}\n`;
  }
}

function parse(line: string): RunEvent | Clock | null {
  try {
    const entry = JSON.parse(line);
    return ['metrics', 'log', 'clock'].includes(entry?.kind) ? entry : null;
  } catch {
    return null;
  }
}
