// A labelled slider with its value in words: the browser's own range input, so keyboard, touch and screen readers work.

import { type CSSProperties, useEffect, useId, useRef } from 'react';
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
  /** When it is let go, or after each key: for what is too costly to follow the pointer. */
  onCommit?: (value: number) => void;
  disabled?: boolean;
  /** Of the range input, so that a script can fill it and read its value. */
  testId?: string;
}

export function Knob({
  label,
  hint,
  value,
  min,
  max,
  step = 1,
  format,
  onChange,
  onCommit,
  disabled,
  testId,
}: KnobProps) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  // React's onChange is the browser's input event; letting go is its change event.
  useEffect(() => {
    const element = input.current;
    if (!element || !onCommit) return;
    const changed = (): void => onCommit(element.valueAsNumber);
    element.addEventListener('change', changed);
    return () => element.removeEventListener('change', changed);
  }, [onCommit]);
  const filled = max > min ? ((value - min) / (max - min)) * 100 : 0;
  return (
    <div className={css.knob} title={hint}>
      <label htmlFor={id}>{label}</label>
      <output htmlFor={id}>{format(value)}</output>
      <input
        ref={input}
        id={id}
        type="range"
        min={min}
        max={max}
        step={step}
        value={value}
        disabled={disabled}
        aria-valuetext={format(value)}
        data-testid={testId}
        style={{ '--filled': `${filled}%` } as CSSProperties}
        onChange={(event) => onChange(event.target.valueAsNumber)}
      />
    </div>
  );
}
