// State of one sequence in diffusion decoding, words of a row of `state`: written by the host once, then by kernels only.
// TypeScript twin: src/methods/learn2pd/loop-ops.ts.
const WORDS: u32 = 16u;
// First canvas index that is not left padding.
const FIRST: u32 = 0u;
// Tokens from index 0 on that still count; end-of-text prediction lowers it.
const LENGTH: u32 = 1u;
// The block being decoded: BLOCK..END-1.
const BLOCK: u32 = 2u;
const END: u32 = 3u;
// Passes over this block so far, and its masks when it began.
const STEP: u32 = 4u;
const MASKED: u32 = 5u;
// Network passes in all, and how many of them fed everything.
const PASSES: u32 = 6u;
const FULL: u32 = 7u;
// What comes next: 0 = nothing, the sequence is done; 1 = a pass over everything; 2 = a pass over the cache.
const NEXT: u32 = 8u;
const EOT_AT: u32 = 9u;
// Tokens finalised by the policy, by the top-n rule alone; tokens cut off; oracle tokens written without a match.
const BY_POLICY: u32 = 10u;
const BY_TOP: u32 = 11u;
const CUT: u32 = 12u;
const GUARDED: u32 = 13u;
const SEED: u32 = 14u;

// Words of `settings`, the same for all sequences.
const POLICY: u32 = 0u;
const THRESHOLD: u32 = 1u;
const EOTP: u32 = 2u;
const CACHE: u32 = 3u;
const REFRESH: u32 = 4u;
const STEPS: u32 = 5u;
const SUPPRESS: u32 = 6u;
const TRACE: u32 = 7u;

const EOT: u32 = 0u;
const MASK: u32 = 1u;
const NONE: u32 = 0xffffffffu;
