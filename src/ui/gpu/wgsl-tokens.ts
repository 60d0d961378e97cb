// WGSL text cut into coloured pieces. Good enough to read by; not a parser.

export type TokenKind = 'comment' | 'attribute' | 'keyword' | 'type' | 'number' | 'builtin' | 'plain';

export interface Token {
  kind: TokenKind;
  text: string;
}

const KEYWORDS =
  'alias|break|case|const|const_assert|continue|continuing|default|diagnostic|discard|else|enable|false|fn|for|if|import|let|loop|override|package|private|read|read_write|requires|return|storage|struct|switch|true|uniform|var|while|workgroup|write';
const TYPES = 'array|atomic|bool|f16|f32|i32|mat[234]x[234][fh]?|ptr|sampler|texture_\\w+|u32|vec[234][fhiu]?';
const BUILTINS =
  'abs|all|any|atomic\\w+|bitcast|ceil|clamp|cos|cross|distance|dot|dot4I8Packed|exp|exp2|floor|fma|fract|inverseSqrt|length|log|log2|max|min|mix|normalize|pack\\w+|pow|round|select|sign|sin|smoothstep|sqrt|step|storageBarrier|subgroup\\w+|tanh|transpose|trunc|unpack\\w+|workgroupBarrier|workgroupUniformLoad';

const PATTERN = new RegExp(
  [
    '(?<comment>//[^\\n]*|/\\*[\\s\\S]*?\\*/)',
    '(?<attribute>@\\w+)',
    `(?<keyword>\\b(?:${KEYWORDS})\\b)`,
    `(?<type>\\b(?:${TYPES})\\b)`,
    `(?<builtin>\\b(?:${BUILTINS})(?=\\s*[(<]))`,
    '(?<number>\\b(?:0x[\\da-f.]+(?:p[+-]?\\d+)?|\\d[\\d.]*(?:e[+-]?\\d+)?)[fhiu]?\\b)',
  ].join('|'),
  'gi',
);

export function tokenise(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (const match of text.matchAll(PATTERN)) {
    if (match.index > at) tokens.push({ kind: 'plain', text: text.slice(at, match.index) });
    const kind = Object.entries(match.groups ?? {}).find(([, value]) => value !== undefined)?.[0];
    tokens.push({ kind: (kind ?? 'plain') as TokenKind, text: match[0] });
    at = match.index + match[0].length;
  }
  if (at < text.length) tokens.push({ kind: 'plain', text: text.slice(at) });
  return tokens;
}
