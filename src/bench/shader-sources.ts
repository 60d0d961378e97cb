/** The shader sources as they are in shaders/, by path below it. One chunk, fetched when somebody reads or edits a kernel. */
const found = import.meta.glob<string>('../../shaders/**/*.wgsl', { query: '?raw', import: 'default', eager: true });

export const SHADER_SOURCES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(found).map(([path, text]) => [path.slice(path.indexOf('shaders/') + 'shaders/'.length), text]),
);
