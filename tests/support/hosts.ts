// Names under which the browser tests reach their servers.

export const LOCAL_HOST = '127.0.0.1';

/** Resolves to this machine in the tests' browser, but is no secure context over plain http. */
export const INSECURE_HOST = 'tenfold.test';
