// Types of what the build adds: Vite's own client types and linked shader modules (scripts/wesl-plugin.ts).

/// <reference types="vite/client" />

declare module '*.wgsl?link' {
  /** The linked WGSL text for these conditions; a condition that is left out is false. */
  export default function link(conditions?: {
    software?: boolean;
    f16?: boolean;
    subgroups?: boolean;
    bf16?: boolean;
  }): string;
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

/** The package has these types, but where no resolver looks for them. */
declare module 'comlink/dist/esm/node-adapter.mjs' {
  import type { MessagePort, Worker } from 'node:worker_threads';
  import type { Endpoint } from 'comlink';
  export default function nodeEndpoint(port: MessagePort | Worker): Endpoint;
}

/** file: URL of the bundle of a module that a thread of Node starts with (scripts/thread-plugin.ts). */
declare module '*.ts?thread' {
  const url: string;
  export default url;
}
