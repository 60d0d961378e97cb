// How tokens are drawn.

import type { Sampling } from '../../lm/sampler.ts';
import { Knob } from '../controls/Knob.tsx';
import { SeedField } from '../controls/SeedField.tsx';
import css from './language-model.module.css';
import type { LmSession } from './session.ts';
import { useLm } from './store.ts';

const words = ({ temperature, topP, topK }: Sampling): string =>
  temperature === 0
    ? 'always the likeliest token'
    : `temperature ${temperature}, top-p ${topP}, top-k ${topK === 0 ? 'off' : topK}`;

export function Settings({ session }: { session: LmSession }) {
  const request = useLm((s) => s.request);
  const positions = useLm((s) => s.facts?.positions ?? 1);
  const most = Math.min(1024, positions - 1);
  return (
    <details className={css.settings}>
      <summary>
        Sampling <span className={css.quiet}>{words(request)}</span>
      </summary>
      <div>
        <Knob
          label="Temperature"
          hint="0 always takes the likeliest token"
          value={request.temperature}
          min={0}
          max={2}
          step={0.05}
          format={(v) => (v === 0 ? 'greedy' : v.toFixed(2))}
          onChange={(v) => session.change({ temperature: Number(v.toFixed(2)) })}
          testId="temperature"
        />
        <Knob
          label="Top-p"
          hint="The smallest set of tokens that holds this share"
          value={request.topP}
          min={0.05}
          max={1}
          step={0.05}
          format={(v) => (v === 1 ? 'all' : v.toFixed(2))}
          onChange={(v) => session.change({ topP: Number(v.toFixed(2)) })}
        />
        <Knob
          label="Top-k"
          hint="So many of the likeliest tokens"
          value={request.topK}
          min={0}
          max={100}
          format={(v) => (v === 0 ? 'all' : String(v))}
          onChange={(topK) => session.change({ topK })}
        />
        <Knob
          label="Length"
          hint="Most tokens that are written"
          value={Math.min(request.maxNew, most)}
          min={Math.min(8, most)}
          max={most}
          step={1}
          format={(v) => `${v} tokens`}
          onChange={(maxNew) => session.change({ maxNew })}
          testId="length"
        />
        <SeedField label="Seed" value={request.seed} onChange={(seed) => session.change({ seed })} testId="seed" />
      </div>
    </details>
  );
}
