// What every chart is drawn with: themes, logarithmic axes, room for labels, and a specification filled in.
import { widthOf } from './text.mjs';
import { tickText } from './format.mjs';

const labelHeight = 14;     // pixels

export const themes = {
  light: {
    paper: '#ffffff', ink: '#1b1f24', soft: '#57606a', grid: '#e6e9ed', muted: '#c6ccd4', missing: '#ededed',
    ramp: ['#eaf3fb', '#08306b'], inkOnDarkEnd: '#ffffff',
  },
  dark: {
    paper: '#14181d', ink: '#e8ebef', soft: '#a3adb8', grid: '#2a313a', muted: '#48515c', missing: '#252b32',
    ramp: ['#1c2b3a', '#a8d4ff'], inkOnDarkEnd: '#0b1117',
  },
};

export function config(theme) {
  const font = 'system-ui, "DejaVu Sans", "Liberation Sans", Arial, sans-serif';
  return {
    font, background: theme.paper, padding: 6,
    view: { stroke: null },
    axis: {
      labelColor: theme.ink, titleColor: theme.soft, gridColor: theme.grid, domainColor: theme.muted,
      tickColor: theme.muted, labelFontSize: 11, titleFontSize: 11, titleFontWeight: 'normal', titlePadding: 8,
    },
    header: { labelColor: theme.ink, labelFontSize: 12 },
    legend: { labelColor: theme.ink, labelFontSize: 11 },
    title: {
      anchor: 'start', frame: 'group', color: theme.ink, subtitleColor: theme.soft,
      fontSize: 14, subtitleFontSize: 11, subtitlePadding: 4, offset: 12,
    },
  };
}

/** A logarithmic axis over the values: its domain, and ticks at 1, 2, 5 where there is room. */
export function logAxis(values, unit, pixels, spacing, pad = 0.04) {
  const low = Math.min(...values.map(Math.log10));
  const high = Math.max(...values.map(Math.log10));
  const room = Math.max((high - low) * pad, 0.02);
  const domain = [10 ** (low - room), 10 ** (high + room)];
  const within = steps => {
    const ticks = [];
    for (let decade = Math.floor(low - room); decade <= high + room; ++decade)
      for (const step of steps) {
        const tick = Number((step * 10 ** decade).toPrecision(3));
        if (tick >= domain[0] && tick <= domain[1]) ticks.push(tick);
      }
    return ticks;
  };
  const candidates = [[1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9], [1, 1.5, 2, 3, 4, 5, 7], [1, 2, 5], [1, 3], [1]];
  let ticks = candidates.map(within).find(some => closest(some, domain, pixels) >= spacing) ?? within([1]);
  for (let every = 2; closest(ticks, domain, pixels) < spacing && every < 20; ++every)
    ticks = within([1]).filter(tick => Math.round(Math.log10(tick)) % every === 0);
  return { low: domain[0], high: domain[1], ticks, labels: ticks.map(tick => tickText(tick, unit)) };
}

function closest(ticks, [low, high], pixels) {
  const scale = pixels / Math.log(high / low);
  let least = Infinity;
  for (let i = 1; i < ticks.length; ++i)
    least = Math.min(least, Math.log(ticks[i] / ticks[i - 1]) * scale);
  return least;
}

/** Moves labels, {y} in pixels, apart from each other within the height. */
export function spread(labels, height, step = labelHeight) {
  const sorted = [...labels].sort((a, b) => a.y - b.y);
  let top = 0;
  for (const label of sorted) {
    label.y = Math.max(label.y, top);
    top = label.y + step;
  }
  let bottom = height;
  for (const label of sorted.reverse()) {
    label.y = Math.min(label.y, bottom);
    bottom = label.y - step;
  }
}

export function fill(spec, params, datasets, changes = {}) {
  const copy = structuredClone(spec);
  delete copy.description;
  copy.params = copy.params.map(param => param.name in params ? { ...param, value: params[param.name] } : param);
  return { ...copy, ...changes, datasets };
}

export function axisParams(name, axis) {
  return {
    [`${name}_low`]: axis.low, [`${name}_high`]: axis.high,
    [`${name}_ticks`]: axis.ticks, [`${name}_labels`]: axis.labels,
  };
}

export function widthOfLabels(labels) { return Math.max(0, ...labels.map(label => widthOf(label, 11))); }
export function clip(text, length = 30) { return text.length > length ? `${text.slice(0, length - 1)}…` : text; }

/** A text of so many pixels at most. */
export function clipTo(text, pixels) {
  if (widthOf(text, 11) <= pixels) return text;
  let length = text.length - 1;
  while (length > 1 && widthOf(`${text.slice(0, length)}…`, 11) > pixels) --length;
  return `${text.slice(0, length)}…`;
}

/** The width of what is left for the drawing area beside axis labels and the labels at line ends. */
export function inner(width, left, right, least = 180) { return Math.max(least, Math.floor(width - left - right - 24)); }
