// State of one sequence in resident decoding, words of a row of `state`; written by the host once, then by kernels only.
const WORDS: u32 = 8u;
// Index of the token that the next step feeds to the model.
const CURSOR: u32 = 0u;
// No token is written at this index or later.
const LIMIT: u32 = 1u;
// 0 = running, 1 = a stop token came, 2 = the limit was reached.
const DONE: u32 = 2u;
const SEED: u32 = 3u;
// Tokens of the prompt whose keys and values are in the cache.
const FILLED: u32 = 4u;
