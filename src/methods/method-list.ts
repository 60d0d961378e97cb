// The ten methods as the page and the command line list them; what is read of one only: method-papers.ts. Figures live with each method.

export interface MethodEntry {
  id: string;
  number: number;
  title: string;
  /** It has code: at least the command line runs it. */
  started: boolean;
  /** It has a page of its own; others show what is planned. */
  page: boolean;
}

export const METHODS: readonly MethodEntry[] = [
  { id: 'dreamer4', number: 1, title: 'Dreamer 4', started: true, page: true },
  { id: 'dsa', number: 2, title: 'Sparse attention', started: true, page: true },
  { id: 'rlhi', number: 3, title: 'Learning from conversations', started: false, page: false },
  { id: 'salt', number: 4, title: 'Frozen-teacher video learning', started: true, page: false },
  { id: 'bbon', number: 5, title: 'Behavior Best-of-N', started: false, page: false },
  { id: 'deepsearch', number: 6, title: 'Search inside training', started: false, page: false },
  { id: 'learn2pd', number: 7, title: 'Learned parallel decoding', started: true, page: true },
  { id: 'rsd', number: 8, title: 'Reverse speculative decoding', started: false, page: false },
  { id: 'tumix', number: 9, title: 'Tool-use mixture', started: false, page: false },
  { id: 'promptcot', number: 10, title: 'Problem synthesis', started: false, page: false },
];
