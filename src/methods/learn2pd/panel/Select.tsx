// One of many: the browser's own list, with a name for screen readers.

import css from './theatre.module.css';

export interface SelectProps<T extends string> {
  label: string;
  value: T;
  options: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
  strong?: boolean;
  testId?: string;
}

export function Select<T extends string>({ label, value, options, onChange, strong, testId }: SelectProps<T>) {
  return (
    <select
      className={css.select}
      data-strong={strong}
      aria-label={label}
      value={value}
      data-testid={testId}
      onChange={(event) => onChange(event.target.value as T)}
    >
      {options.map(([option, words]) => (
        <option key={option} value={option}>
          {words}
        </option>
      ))}
    </select>
  );
}
