// The address of a view lives in the hash: `#/path?query`. wouter's own hash hook keeps the query inside the path,
// so routes with a query would not match; this one splits them.

import { useSyncExternalStore } from 'react';

export interface HashAddress {
  path: string;
  query: string;
}

/** `#/dsa?seed=3` -> `{ path: '/dsa', query: 'seed=3' }`; anything that is no hash route is `/`. */
export function parseHash(hash: string): HashAddress {
  const text = hash.replace(/^#/, '');
  const at = text.indexOf('?');
  const path = at < 0 ? text : text.slice(0, at);
  return { path: path.startsWith('/') ? path : '/', query: at < 0 ? '' : text.slice(at + 1) };
}

export function formatHash(path: string, query = ''): string {
  return `#${path}${query ? `?${query}` : ''}`;
}

/** Changes the query of the present view without adding a step to the browser's history. */
export function replaceQuery(query: string): void {
  const { path } = parseHash(location.hash);
  history.replaceState(history.state, '', formatHash(path, query));
}

function subscribe(listener: () => void): () => void {
  window.addEventListener('hashchange', listener);
  return () => window.removeEventListener('hashchange', listener);
}

const currentPath = () => parseHash(location.hash).path;

function navigate(to: string, options?: { replace?: boolean }): void {
  const hash = to.startsWith('#') ? to : formatHash(to);
  if (options?.replace) {
    history.replaceState(history.state, '', hash);
    window.dispatchEvent(new HashChangeEvent('hashchange'));
  } else {
    location.hash = hash;
  }
}

/** Location hook for wouter's `<Router hook>`. */
export function useHashPath(): [string, typeof navigate] {
  return [useSyncExternalStore(subscribe, currentPath), navigate];
}

useHashPath.hrefs = (href: string) => formatHash(href);
