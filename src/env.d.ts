// Types of what the build adds: Vite's own client types and linked shader modules (scripts/wesl-plugin.ts).

/// <reference types="vite/client" />

declare module '*.wgsl?link' {
  /** The linked WGSL text for these conditions; a condition that is left out is false. */
  export default function link(conditions?: { software?: boolean; f16?: boolean; subgroups?: boolean }): string;
}

/** The text of a template of kernels (scripts/wesl-plugin.ts), without the lines that are only comment. */
declare module '*.wgsl?template' {
  export default function text(): string;
}

/** Which build this is (scripts/build-plugin.ts). */
declare module 'virtual:build' {
  export const version: string;
  /** Null outside of a checkout. */
  export const commit: string | null;
  export const jaxVersion: string;
}
