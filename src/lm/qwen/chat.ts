/** Qwen3's chat format (ChatML): what its tokenizer's template writes for plain messages, without tools. */

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/** Tokens that a tokenizer must have for this format. */
export const CHAT_TOKENS = ['<|im_start|>', '<|im_end|>'] as const;

/**
 * Text up to the point where the assistant begins to write. Without `think` the thought is given as empty, which makes the
 * model answer at once.
 */
export function chatPrompt(messages: readonly ChatMessage[], think = false): string {
  const said = messages.map(({ role, content }) => `<|im_start|>${role}\n${content}<|im_end|>\n`);
  return `${said.join('')}<|im_start|>assistant\n${think ? '' : '<think>\n\n</think>\n\n'}`;
}
