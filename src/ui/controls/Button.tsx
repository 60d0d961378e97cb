// A button of this page: icon, words or both. Without words it needs a label.

import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import css from './controls.module.css';

export interface ButtonProps {
  icon?: LucideIcon;
  children?: ReactNode;
  label?: string;
  hint?: string;
  onClick: () => void;
  disabled?: boolean;
  pressed?: boolean;
  kind?: 'plain' | 'strong' | 'dream';
  testId?: string;
}

export function Button({
  icon: Icon,
  children,
  label,
  hint,
  onClick,
  disabled,
  pressed,
  kind = 'plain',
  testId,
}: ButtonProps) {
  return (
    <button
      type="button"
      className={css.button}
      data-kind={kind}
      aria-label={label}
      aria-pressed={pressed}
      title={hint ?? label}
      disabled={disabled}
      onClick={onClick}
      data-testid={testId}
    >
      {Icon && <Icon size={17} aria-hidden="true" />}
      {children && <span>{children}</span>}
    </button>
  );
}
