/** The kernel that opens and closes indirect dispatches. */
import { openGate } from '../ops/gate.ts';
import { casesOf, type KernelEntry, single, type Trial, words } from './entry.ts';

type Dims = { count: number; stride: number; words: number; open: number };

const trial = ({ count, stride, words: size, open }: Dims): Trial => {
  const flags = new Uint32Array(count * stride);
  if (open) flags[(count - 1) * stride + 1] = 7;
  // A seven elsewhere opens nothing.
  flags[0] = 7;
  const table = Uint32Array.from({ length: size }, (_, i) => i + 1);
  return {
    inputs: {
      flags: words([flags.length], flags),
      table: words([size], table),
      args: words([size], new Uint32Array(size).fill(9)),
    },
    writes: ['args'],
    build: (t) => {
      openGate(t.flags, t.table, t.args, { count, stride, offset: 1, wanted: 7 });
      return {};
    },
    want: () => ({ args: { words: open ? table : new Uint32Array(size) } }),
  };
};

export const GATE: readonly KernelEntry[] = [
  {
    name: 'gate',
    family: 'control',
    about: 'Opens or closes the indirect dispatches of a program by flags on the device.',
    label: 'gate',
    bindings: 'flags table arguments',
    uniform: 'count u32, stride u32, offset u32, wanted u32, words u32',
    dispatch: 'One workgroup.',
    flops: '0',
    bytes: '8*words + 4*count',
    variants: single('ops/gate.wgsl', 'gate'),
    cases: casesOf(
      [
        { count: 1, stride: 4, words: 3, open: 1 },
        { count: 5, stride: 16, words: 90, open: 1 },
        { count: 5, stride: 16, words: 90, open: 0 },
      ],
      trial,
    ),
    bench: casesOf([{ count: 64, stride: 16, words: 300, open: 1 }], trial)[0],
  },
];
