// The ten methods as the page and the command line list them: name, one sentence, paper. Figures live with each method.

export interface MethodEntry {
  id: string;
  number: number;
  title: string;
  line: string;
  /** What the page of this method will show, in the words of its signature view. */
  view: string;
  arxiv: string;
  paper: string;
  started: boolean;
}

export const METHODS: readonly MethodEntry[] = [
  {
    id: 'dreamer4',
    number: 1,
    title: 'Dreamer 4',
    line: 'A world model learned from recordings, playable in real time; an agent trained inside it.',
    view: 'The dream beside the truth.',
    arxiv: '2509.24527',
    paper: 'Training Agents Inside of Scalable World Models',
    started: true,
  },
  {
    id: 'dsa',
    number: 2,
    title: 'Sparse attention',
    line: 'A small indexer chooses which past tokens a long-context model attends to.',
    view: 'The token inspector: what each query selects, and what it costs.',
    arxiv: '2512.02556',
    paper: 'DeepSeek-V3.2 and DeepSeek Sparse Attention',
    started: true,
  },
  {
    id: 'rlhi',
    number: 3,
    title: 'Learning from conversations',
    line: 'A user’s corrections and history become preference pairs for training.',
    view: 'The conversation that teaches.',
    arxiv: '2509.25137',
    paper: 'The Era of Real-World Human Interaction: RL from User Conversations',
    started: false,
  },
  {
    id: 'salt',
    number: 4,
    title: 'Frozen-teacher video learning',
    line: 'A pixel-trained teacher is frozen; a student predicts its latents of masked video.',
    view: 'The masked clip, as teacher and student see it.',
    arxiv: '2509.24317',
    paper: 'Rethinking JEPA: Compute-Efficient Video SSL with Frozen Teachers',
    started: false,
  },
  {
    id: 'bbon',
    number: 5,
    title: 'Behavior Best-of-N',
    line: 'Many complete computer-use runs; a judge reads what each one did and picks one.',
    view: 'The wall of parallel desktops.',
    arxiv: '2510.02250',
    paper: 'The Unreasonable Effectiveness of Scaling Agents for Computer Use',
    started: false,
  },
  {
    id: 'deepsearch',
    number: 6,
    title: 'Search inside training',
    line: 'Monte Carlo tree search moved from inference into the reinforcement-learning loop.',
    view: 'The growing tree.',
    arxiv: '2509.25454',
    paper: 'DeepSearch: Overcome the Bottleneck of RLVR via Monte Carlo Tree Search',
    started: false,
  },
  {
    id: 'learn2pd',
    number: 7,
    title: 'Learned parallel decoding',
    line: 'A tiny filter learns which tokens of a diffusion language model are already final.',
    view: 'The decode theatre.',
    arxiv: '2509.25188',
    paper: 'Learning to Parallel: Accelerating Diffusion LLMs via Learnable Parallel Decoding',
    started: true,
  },
  {
    id: 'rsd',
    number: 8,
    title: 'Reverse speculative decoding',
    line: 'A teacher proposes each token; the small student approves it or writes its own.',
    view: 'The accept and reject ribbon.',
    arxiv: '2509.22230',
    paper: 'In Their Own Words: Reasoning Traces Tailored for Small Models',
    started: false,
  },
  {
    id: 'tumix',
    number: 9,
    title: 'Tool-use mixture',
    line: 'Agents with different tools answer in parallel and read each other between rounds.',
    view: 'The round board.',
    arxiv: '2510.01279',
    paper: 'TUMIX: Multi-Agent Test-Time Scaling with Tool-Use Mixture',
    started: false,
  },
  {
    id: 'promptcot',
    number: 10,
    title: 'Problem synthesis',
    line: 'Concepts become rationales become problems; an EM loop makes them harder.',
    view: 'The EM loop, problem by problem.',
    arxiv: '2509.19894',
    paper: 'PromptCoT 2.0: Scaling Prompt Synthesis for LLM Reasoning',
    started: false,
  },
];
