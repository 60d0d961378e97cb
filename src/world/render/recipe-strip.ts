/** Icons of the recipe strip. */
import type { State } from '../state.ts';
export function craftableIcons(_s: State): readonly number[] {
  return [];
}
