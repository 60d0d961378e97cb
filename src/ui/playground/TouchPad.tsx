// Keys under the thumbs, for screens without a keyboard. Looking, using and attacking happen on the picture itself.

import {
  ArrowDown,
  ArrowLeft,
  ArrowRight,
  ArrowUp,
  Backpack,
  ChevronsDown,
  ChevronsUp,
  Hand,
  Pickaxe,
} from 'lucide-react';
import type { ComponentType } from 'react';
import { KEY } from '../../world/actions.ts';
import type { ActionSampler } from './action-sampler.ts';
import css from './touch-pad.module.css';

interface PadKey {
  area: string;
  label: string;
  bit: number;
  icon: ComponentType<{ size?: number; 'aria-hidden'?: boolean | 'true' }>;
}

const KEYS: readonly PadKey[] = [
  { area: 'up', label: 'Forward', bit: KEY.forward, icon: ArrowUp },
  { area: 'left', label: 'Left', bit: KEY.left, icon: ArrowLeft },
  { area: 'right', label: 'Right', bit: KEY.right, icon: ArrowRight },
  { area: 'down', label: 'Back', bit: KEY.back, icon: ArrowDown },
  { area: 'attack', label: 'Attack', bit: KEY.attack, icon: Pickaxe },
  { area: 'use', label: 'Use', bit: KEY.use, icon: Hand },
  { area: 'jump', label: 'Jump', bit: KEY.jump, icon: ChevronsUp },
  { area: 'sneak', label: 'Sneak', bit: KEY.sneak, icon: ChevronsDown },
  { area: 'bag', label: 'Inventory', bit: KEY.inventory, icon: Backpack },
];

export function TouchPad({ sampler, takeOver }: { sampler: ActionSampler; takeOver: () => void }) {
  return (
    <fieldset className={css.pad} aria-label="On-screen keys">
      {KEYS.map(({ area, label, bit, icon: Icon }) => (
        <button
          key={area}
          type="button"
          aria-label={label}
          style={{ gridArea: area }}
          onPointerDown={(event) => {
            event.currentTarget.setPointerCapture(event.pointerId);
            takeOver();
            sampler.press(`touch ${area}`, bit, event.timeStamp);
          }}
          onPointerUp={() => sampler.release(`touch ${area}`)}
          onPointerCancel={() => sampler.release(`touch ${area}`)}
          onContextMenu={(event) => event.preventDefault()}
        >
          <Icon size={22} aria-hidden="true" />
        </button>
      ))}
    </fieldset>
  );
}
