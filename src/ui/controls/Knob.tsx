// A labelled slider with its value in words. Keyboard, touch and mouse come from Base UI.

import { Slider } from '@base-ui/react/slider';
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
  return (
    <Slider.Root
      className={css.knob}
      value={value}
      min={min}
      max={Math.max(max, min + step)}
      step={step}
      disabled={disabled}
      onValueChange={onChange}
      data-testid={testId}
      title={hint}
    >
      <Slider.Label className={css.label}>{label}</Slider.Label>
      <output className={css.value}>{format(value)}</output>
      <Slider.Control className={css.control}>
        <Slider.Track className={css.track}>
          <Slider.Indicator className={css.fill} />
          <Slider.Thumb className={css.thumb} getAriaValueText={(_, now) => format(now)} />
        </Slider.Track>
      </Slider.Control>
    </Slider.Root>
  );
}
