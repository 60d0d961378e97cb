// A threshold: it follows the pointer, and takes effect when it is let go.

import { useEffect, useState } from 'react';
import { Knob } from '../../../ui/controls/Knob.tsx';

export interface ShareKnobProps {
  label: string;
  value: number;
  onCommit: (value: number) => void;
  /** Every value on the way. */
  onDraft?: (value: number) => void;
  testId?: string;
}

export function ShareKnob({ label, value, onCommit, onDraft, testId }: ShareKnobProps) {
  const [draft, setDraft] = useState(value);
  useEffect(() => setDraft(value), [value]);
  return (
    <Knob
      label={label}
      value={draft}
      min={0}
      max={1}
      step={0.01}
      format={(x) => x.toFixed(2)}
      onChange={(x) => {
        setDraft(x);
        onDraft?.(x);
      }}
      onCommit={onCommit}
      testId={testId}
    />
  );
}
