// A labelled slider with its value in words: the browser's own range input, so keyboard, touch and screen readers work.

import { type CSSProperties, useId } from 'react';
import css from './controls.module.css';

export interface KnobProps {
  label: string;
  /** One sentence: what turning it does. */
  hint?: string;
  value: number;
  min: number;
  max: number;
  step?: number;
  format: (value: number) => string;
  onChange: (value: number) => void;
  disabled?: boolean;
  testId?: string;
}

export function Knob({ label, hint, value, min, max, step = 1, format, onChange, disabled, testId }: KnobProps) {
  const id = useId();
  const filled = max > min ? ((value - min) / (max - min)) * 100 : 0;
  return (
    <div className={css.knob} title={hint} data-testid={testId}>
      <label htmlFor={id}>{label}</label>
      <output htmlFor={id}>{format(value)}</output>
      <input
        id={id}
        type="range"
        min={min}
        max={max}
        step={step}
        value={value}
        disabled={disabled}
        aria-valuetext={format(value)}
        style={{ '--filled': `${filled}%` } as CSSProperties}
        onChange={(event) => onChange(event.target.valueAsNumber)}
      />
    </div>
  );
}
