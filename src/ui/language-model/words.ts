// Numbers of this page in words.

/** Decimal, as disks and downloads count. */
export function bytes(n: number): string {
  if (n >= 1e9) return `${(n / 1e9).toFixed(2)} GB`;
  return n >= 1e6 ? `${(n / 1e6).toFixed(0)} MB` : `${(n / 1e3).toFixed(0)} kB`;
}

export function count(n: number): string {
  if (n >= 1e9) return `${(n / 1e9).toFixed(2)} B`;
  return n >= 1e6 ? `${(n / 1e6).toFixed(0)} M` : `${(n / 1e3).toFixed(0)} K`;
}
