// Tells whether another tab of this page is playing too: each tab asks for one named lock; who has to wait is the second.

export function onlyTab(signal: AbortSignal, onOther: (other: boolean) => void): void {
  if (!navigator.locks) return;
  const forever = () => new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  navigator.locks
    .request('tenfold-play', { ifAvailable: true }, async (lock) => {
      if (lock) await forever();
      return lock !== null;
    })
    .then((held) => {
      if (held || signal.aborted) return;
      onOther(true);
      return navigator.locks.request('tenfold-play', { signal }, () => {
        onOther(false);
        return forever();
      });
    })
    // Aborted while waiting: the page is being left.
    .catch(() => undefined);
}
