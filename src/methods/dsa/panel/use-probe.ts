// The probe of the row that is looked at. While the device works, only the newest request waits: a slider that is dragged asks
// for where it stops, not for everything it passed.

import type { Remote } from 'comlink';
import { useEffect, useRef, useState } from 'react';
import type { Probe } from '../inspect.ts';
import type { DsaApi, ProbeRequest } from './protocol.ts';

export interface Probed {
  probe: Probe | null;
  /** What `probe` answers. */
  request: ProbeRequest | null;
  problem: string;
  busy: boolean;
}

/** `version` changes when the weights do. */
export function useProbe(api: Remote<DsaApi>, request: ProbeRequest, version: number): Probed {
  const [state, setState] = useState<Omit<Probed, 'busy'>>({ probe: null, request: null, problem: '' });
  const [busy, setBusy] = useState(false);
  const wanted = useRef<ProbeRequest | null>(null);
  const working = useRef(false);
  const { task, index, quant, hadamard, k } = request;
  // biome-ignore lint/correctness/useExhaustiveDependencies: new weights give another probe of the same row
  useEffect(() => {
    wanted.current = { task, index, quant, hadamard, k };
    if (working.current) return;
    working.current = true;
    setBusy(true);
    const work = async (): Promise<void> => {
      while (wanted.current) {
        const asked = wanted.current;
        wanted.current = null;
        const result = await api.probe(asked);
        if (wanted.current) continue;
        setState((before) =>
          result.ok ? { probe: result.value, request: asked, problem: '' } : { ...before, problem: result.reason },
        );
      }
      working.current = false;
      setBusy(false);
    };
    void work();
  }, [api, task, index, quant, hadamard, k, version]);
  return { ...state, busy };
}
