// Light or dark: the system's choice until the visitor makes one. index.html applies a stored choice before the first paint.

export type Theme = 'light' | 'dark';
const KEY = 'tenfold.theme';

export function shownTheme(): Theme {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === 'light' || chosen === 'dark') return chosen;
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

export const nextTheme = (theme: Theme): Theme => (theme === 'dark' ? 'light' : 'dark');

export function setTheme(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Storage is blocked or full: the choice holds for this visit.
  }
}
