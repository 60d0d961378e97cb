// A seed, taken over when it is a whole number; anything else goes back to the one before.

import css from './controls.module.css';

interface SeedFieldProps {
  label: string;
  value: number;
  onChange: (seed: number) => void;
  testId?: string;
}

export function SeedField({ label, value, onChange, testId }: SeedFieldProps) {
  return (
    <label className={css.seed}>
      {label}{' '}
      <input
        type="text"
        inputMode="numeric"
        size={5}
        key={value}
        defaultValue={value}
        data-testid={testId}
        onBlur={({ target }) => {
          if (/^\d{1,9}$/.test(target.value)) onChange(Number(target.value));
          else target.value = String(value);
        }}
        onKeyDown={(event) => event.key === 'Enter' && event.currentTarget.blur()}
      />
    </label>
  );
}
