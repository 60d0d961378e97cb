// Decodes that a view wants of the present problem, asked for while it is open.

import { useEffect } from 'react';
import type { SpecChoice } from './protocol.ts';
import type { PanelSession } from './session.ts';
import { usePanel } from './store.ts';
import { specKey } from './view.ts';

export function useNeeds(session: PanelSession, specs: readonly SpecChoice[]): void {
  const problem = usePanel((s) => s.problem);
  const canvas = usePanel((s) => s.canvas);
  const version = usePanel((s) => s.version);
  const keys = specs.map(specKey).join('|');
  // biome-ignore lint/correctness/useExhaustiveDependencies: equal keys are equal specs
  useEffect(() => {
    for (const spec of specs) session.need(spec);
  }, [session, problem, canvas, version, keys]);
}
