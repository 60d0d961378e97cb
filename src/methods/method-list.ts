// The ten methods as the page and the command line list them; what is read of one only: method-papers.ts. Figures live with each method.

export interface MethodEntry {
  id: string;
  number: number;
  title: string;
  started: boolean;
}

export const METHODS: readonly MethodEntry[] = [
  { id: 'dreamer4', number: 1, title: 'Dreamer 4', started: true },
  { id: 'dsa', number: 2, title: 'Sparse attention', started: true },
  { id: 'rlhi', number: 3, title: 'Learning from conversations', started: false },
  { id: 'salt', number: 4, title: 'Frozen-teacher video learning', started: false },
  { id: 'bbon', number: 5, title: 'Behavior Best-of-N', started: false },
  { id: 'deepsearch', number: 6, title: 'Search inside training', started: false },
  { id: 'learn2pd', number: 7, title: 'Learned parallel decoding', started: true },
  { id: 'rsd', number: 8, title: 'Reverse speculative decoding', started: false },
  { id: 'tumix', number: 9, title: 'Tool-use mixture', started: false },
  { id: 'promptcot', number: 10, title: 'Problem synthesis', started: false },
];
