// Numbers as people read them; the same texts as `ipcbench table` prints.

const scales = {
  'ns': [[1, 'ns'], [1e3, 'µs'], [1e6, 'ms'], [1e9, 's']],
  '/s': [[1, '/s'], [1e3, 'k/s'], [1e6, 'M/s'], [1e9, 'G/s']],
  'B/s': [[1, 'B/s'], [1e3, 'kB/s'], [1e6, 'MB/s'], [1e9, 'GB/s']],
};

/** Three significant digits without an exponent: 4.31, 43.1, 431, 4310. */
export function threeDigits(value) {
  const size = Math.abs(value);
  return value.toFixed(size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
}

/** "4.31 µs", "812 /s", "64.0 kB/s", "0.97"; "–" for what isn't there. */
export function valueText(value, unit) {
  if (value === null || value === undefined) return '–';
  if (unit === 'B') return sizeText(Math.round(value));
  const steps = scales[unit];
  if (!steps) return threeDigits(value);
  const [factor, name] = steps.findLast(([at]) => Math.abs(value) >= at * 0.9995) ?? steps[0];
  return `${threeDigits(value / factor)} ${name}`;
}

/** A round number for an axis: "5 µs", "200 k/s", "0.5". */
export function tickText(value, unit) {
  if (unit === 'B') return sizeText(value);
  const [factor, name] = (scales[unit] ?? [[1, '']]).findLast(([at]) => value >= at * 0.9995)
    ?? scales[unit]?.[0] ?? [1, ''];
  return `${Number((value / factor).toPrecision(3))} ${name}`.trim();
}

/** Binary units where they are exact: "64 B", "4 KiB", "1 MiB". */
export function sizeText(bytes) {
  if (bytes === null) return 'no payload';
  if (bytes >= 1 << 20 && bytes % (1 << 20) === 0) return `${bytes / (1 << 20)} MiB`;
  if (bytes >= 1 << 10 && bytes % (1 << 10) === 0) return `${bytes / (1 << 10)} KiB`;
  return `${bytes} B`;
}

/** "1.0", "38", "1.2k": how many times. */
export function timesText(ratio) {
  if (ratio >= 9995) return `${Math.round(ratio / 1000)}k`;
  if (ratio >= 999.5) return `${(ratio / 1000).toFixed(1)}k`;
  return ratio < 9.95 ? (ratio < 0.095 ? ratio.toFixed(2) : ratio.toFixed(1)) : ratio.toFixed(0);
}

/** Half of the interval as a part of the median: "±2 %"; "" where there is no interval. */
export function intervalText([median, low, high, count]) {
  if (!(count > 1) || !median) return '';
  const percent = (high - low) / 2 / median * 100;
  return `±${percent < 0.95 ? percent.toFixed(1) : percent.toFixed(0)} %`;
}

/** "200k", "1.5M", "100": a rate as it was asked for, as a number; null for what is none. */
export function parseAmount(text) {
  const match = /^([0-9.]+)([kMG]?)/.exec(text ?? '');
  return match ? Number(match[1]) * { '': 1, k: 1e3, M: 1e6, G: 1e9 }[match[2]] : null;
}

/** Plural by an s: "1 repeat", "6 repeats". */
export function countText(count, noun) {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
