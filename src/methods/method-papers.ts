// Each method in one sentence, and its paper. A module of its own: the first page to open shows names only.

export interface MethodPaper {
  line: string;
  /** What the page of this method will show, in the words of its signature view. */
  view: string;
  arxiv: string;
  paper: string;
}

/** By id of method-list.ts. */
export const METHOD_PAPERS: Readonly<Record<string, MethodPaper>> = {
  dreamer4: {
    line: 'A world model learned from recordings, playable in real time; an agent trained inside it.',
    view: 'The dream beside the truth.',
    arxiv: '2509.24527',
    paper: 'Training Agents Inside of Scalable World Models',
  },
  dsa: {
    line: 'A small indexer chooses which past tokens a long-context model attends to.',
    view: 'The token inspector: what each query selects, and what it costs.',
    arxiv: '2512.02556',
    paper: 'DeepSeek-V3.2 and DeepSeek Sparse Attention',
  },
  rlhi: {
    line: 'A user’s corrections and history become preference pairs for training.',
    view: 'The conversation that teaches.',
    arxiv: '2509.25137',
    paper: 'The Era of Real-World Human Interaction: RL from User Conversations',
  },
  salt: {
    line: 'A pixel-trained teacher is frozen; a student predicts its latents of masked video.',
    view: 'The masked clip, as teacher and student see it.',
    arxiv: '2509.24317',
    paper: 'Rethinking JEPA: Compute-Efficient Video SSL with Frozen Teachers',
  },
  bbon: {
    line: 'Many complete computer-use runs; a judge reads what each one did and picks one.',
    view: 'The wall of parallel desktops.',
    arxiv: '2510.02250',
    paper: 'The Unreasonable Effectiveness of Scaling Agents for Computer Use',
  },
  deepsearch: {
    line: 'Monte Carlo tree search moved from inference into the reinforcement-learning loop.',
    view: 'The growing tree.',
    arxiv: '2509.25454',
    paper: 'DeepSearch: Overcome the Bottleneck of RLVR via Monte Carlo Tree Search',
  },
  learn2pd: {
    line: 'A tiny filter learns which tokens of a diffusion language model are already final.',
    view: 'The decode theatre.',
    arxiv: '2509.25188',
    paper: 'Learning to Parallel: Accelerating Diffusion LLMs via Learnable Parallel Decoding',
  },
  rsd: {
    line: 'A teacher proposes each token; the small student approves it or writes its own.',
    view: 'The accept and reject ribbon.',
    arxiv: '2509.22230',
    paper: 'In Their Own Words: Reasoning Traces Tailored for Small Models',
  },
  tumix: {
    line: 'Agents with different tools answer in parallel and read each other between rounds.',
    view: 'The round board.',
    arxiv: '2510.01279',
    paper: 'TUMIX: Multi-Agent Test-Time Scaling with Tool-Use Mixture',
  },
  promptcot: {
    line: 'Concepts become rationales become problems; an EM loop makes them harder.',
    view: 'The EM loop, problem by problem.',
    arxiv: '2509.19894',
    paper: 'PromptCoT 2.0: Scaling Prompt Synthesis for LLM Reasoning',
  },
};
