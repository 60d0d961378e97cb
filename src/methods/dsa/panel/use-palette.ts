// Colours of the theme as numbers, for canvases; again when the theme changes.

import { useEffect, useState } from 'react';
import type { Palette, Rgb } from './heat.ts';

/** light-dark() is resolved by the browser: a colour is read off an element that has it. */
function rgbOf(name: string): Rgb {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe)
    .color.match(/[\d.]+/g)
    ?.map(Number) ?? [0, 0, 0];
  probe.remove();
  return [found[0], found[1], found[2]];
}

const read = (): Palette => ({ ground: rgbOf('--raised'), ink: rgbOf('--ink'), accent: rgbOf('--accent') });

export function usePalette(): Palette {
  const [palette, setPalette] = useState(read);
  useEffect(() => {
    const again = (): void => setPalette(read());
    const system = matchMedia('(prefers-color-scheme: dark)');
    const chosen = new MutationObserver(again);
    chosen.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    system.addEventListener('change', again);
    return () => {
      chosen.disconnect();
      system.removeEventListener('change', again);
    };
  }, []);
  return palette;
}
