/**
 * Chronicles from a small grammar, for the character model of dsa.md section 4.1: persons keep name, trade, place and pet, and
 * later sentences call back to them. What such a sentence must say can only be known from where it was told first.
 */
import { Draws } from '../../../lm/tasks/task.ts';

const NAMES = ['Mira', 'Tobin', 'Elsa', 'Joren', 'Wanda', 'Pim', 'Ronja', 'Otto', 'Selma', 'Kuno', 'Lisbet', 'Arvid'];
const TRADES = ['miller', 'smith', 'baker', 'weaver', 'fisher', 'potter', 'tanner', 'carver'];
const PLACES = ['Ostby', 'Fernhill', 'Grauwick', 'Lindau', 'Stonebridge', 'Marsh End', 'Vallo', 'Kettlewood'];
const PETS = ['a grey cat', 'an old goat', 'a lame dog', 'two hens', 'a tame crow', 'a white mule'];
const WEATHER = ['It rained.', 'The wind turned.', 'Snow fell.', 'The sun came out.', 'Night came early.'];
const DEEDS = ['walked to the market', 'mended the fence', 'sang by the fire', 'counted the days', 'lit the lamp'];

interface Person {
  name: string;
  trade: string;
  place: string;
  pet: string;
}

export interface Story {
  text: string;
  /** For every character: it is part of a callback, that is of a fact told before. */
  callbacks: boolean[];
}

/** Endless chronicle number `index`, cut after `length` characters. */
export function story(seed: number, index: number, length: number): Story {
  const draws = new Draws(seed, index);
  const cast = draws.some(NAMES, 4).map(
    (name): Person => ({
      name,
      trade: draws.pick(TRADES),
      place: draws.pick(PLACES),
      pet: draws.pick(PETS),
    }),
  );
  let text = '';
  const callbacks: boolean[] = [];
  const tell = (part: string, callback = false): void => {
    text += part;
    for (let i = 0; i < part.length; i++) callbacks.push(callback);
  };
  let met = 0;
  while (text.length < length) {
    if (met < cast.length && (met === 0 || draws.uniform() < 0.25)) {
      const { name, trade, place, pet } = cast[met++];
      tell(`${name} the ${trade} of ${place} kept ${pet}. `);
      continue;
    }
    const { name, trade, place, pet } = cast[draws.int(0, met - 1)];
    switch (draws.int(0, 4)) {
      case 0:
        tell(`${name} the `);
        tell(trade, true);
        tell(` ${draws.pick(DEEDS)}. `);
        break;
      case 1:
        tell(`${name} went home to `);
        tell(place, true);
        tell('. ');
        break;
      case 2:
        tell(`${name} fed `);
        tell(pet, true);
        tell('. ');
        break;
      case 3:
        tell(`${name} ${draws.pick(DEEDS)}. `);
        break;
      default:
        tell(`${draws.pick(WEATHER)} `);
    }
  }
  return { text: text.slice(0, length), callbacks: callbacks.slice(0, length) };
}
