// Replays of the runs that the store holds, made once for each state of a run.

import { useMemo } from 'react';
import type { SpecChoice } from './protocol.ts';
import { type Replay, replayOf } from './replay.ts';
import { type Run, usePanel } from './store.ts';
import { specKey } from './view.ts';

export const STATIC: SpecChoice = { policy: { kind: 'static', perStep: 1 }, eotp: 'off', cache: 'none' };
export const ORACLE: SpecChoice = { policy: { kind: 'egp' }, eotp: 'off', cache: 'none' };

export function useRun(spec: SpecChoice): Run | undefined {
  const key = specKey(spec);
  return usePanel((s) => s.runs.get(key));
}

/** The recorded decode, compared with the static text as soon as that is known; null before the first pass. */
export function useReplay(spec: SpecChoice): Replay | null {
  const run = useRun(spec);
  const y = useRun(STATIC)?.decoded?.tokens ?? null;
  const canvas = usePanel((s) => s.canvas);
  const prompt = usePanel((s) => s.opened?.model.config.prompt ?? 0);
  return useMemo(() => {
    if (!run || run.trace.length === 0) return null;
    return replayOf(run.trace, prompt, canvas, run.decoded?.tokens.length ?? null, y);
  }, [run, y, canvas, prompt]);
}

/** Text of a token as it stands in a picture: E for the end, as in the strip above the theatre. */
export function useTokenName(): (id: number) => string {
  const tokens = usePanel((s) => s.opened?.model.tokens);
  return useMemo(() => (id: number) => (tokens?.[id] === '<eot>' ? 'E' : (tokens?.[id] ?? String(id))), [tokens]);
}
