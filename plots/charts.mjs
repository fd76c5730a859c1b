// The charts: each takes the cells that are shown and gives its panels, and each panel a Vega-Lite
// specification of specs/ with its data, axes and sizes filled in.
import { widthOf } from './text.mjs';
import { intervalText, sizeText, tickText, timesText, valueText } from './format.mjs';
import { highlights, panelsBy, unique } from './data.mjs';
import heatMapSpec from './specs/heat_map.vl.json' with { type: 'json' };
import percentilesSpec from './specs/percentiles.vl.json' with { type: 'json' };
import bySizeSpec from './specs/by_size.vl.json' with { type: 'json' };
import loadSpec from './specs/load.vl.json' with { type: 'json' };
import paretoSpec from './specs/pareto.vl.json' with { type: 'json' };
import placementsSpec from './specs/placements.vl.json' with { type: 'json' };
import forestSpec from './specs/forest.vl.json' with { type: 'json' };
import runOrderSpec from './specs/run_order.vl.json' with { type: 'json' };

const most = 8;             // series that a chart of many shows in colour
const labelHeight = 14;     // pixels
const margin = 0.03;        // of a change: smaller ones count as none
const kneeFactor = 5;       // the knee: the last rate whose p99 is within this of the lowest rate's

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

function config(theme) {
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

function fill(spec, params, datasets, changes = {}) {
  const copy = structuredClone(spec);
  delete copy.description;
  copy.params = copy.params.map(param => param.name in params ? { ...param, value: params[param.name] } : param);
  return { ...copy, ...changes, datasets };
}

function axisParams(name, axis) {
  return {
    [`${name}_low`]: axis.low, [`${name}_high`]: axis.high,
    [`${name}_ticks`]: axis.ticks, [`${name}_labels`]: axis.labels,
  };
}

function widthOfLabels(labels) { return Math.max(0, ...labels.map(label => widthOf(label, 11))); }
function clip(text, length = 30) { return text.length > length ? `${text.slice(0, length - 1)}…` : text; }

/** What lies to the right of its measure's interval. */
function measured(data, cell, values) {
  return [data.text(data.scenarios[cell.scenario].main, values), values ? intervalText(values) : ''].join(' ').trim();
}

function tooltipOf(data, cell) {
  const cpu = cell.measures.cpu_ns_per_message;
  return {
    label: cell.label, series: cell.series,
    where: [cell.size === null ? '' : sizeText(cell.size), cell.placement].filter(Boolean).join(', '),
    value: measured(data, cell, data.main(cell)),
    tail: data.text(data.scenarios[cell.scenario].tail, data.tail(cell)),
    cpu: data.text('cpu_ns_per_message', cpu),
    note: clip(data.note(cell), 120) || 'none',
  };
}

/** "ˢ" beside a number whose cell has a warning. */
function mark(cell) { return cell.suspect > 0 ? 'ˢ' : cell.failed > 0 ? 'ᶠ' : ''; }

function rank(data, cells) {
  return [...cells].filter(cell => data.cost(cell) < Infinity).sort((a, b) => data.cost(a) - data.cost(b));
}

/** The width of what is left for the drawing area beside axis labels and the labels at line ends. */
function inner(width, left, right) { return Math.max(180, Math.floor(width - left - right - 24)); }

/**
 * Lines of many series on two logarithmic axes. `lines` is [{series, line, cell, dash, points: [{x, y,
 * low, high, point, …tooltip}]}], `ranked` the cells in the order of merit.
 */
function lineChart(data, spec, { lines, ranked, x, unit, width, height, theme, ends = () => '', extra = {} }) {
  const lit = highlights(ranked, most);
  const all = lines.flatMap(line => line.points);
  const y = logAxis(all.flatMap(point => [point.y, ...(point.low > 0 ? [point.low, point.high] : [])]), unit, height, 24);
  const texts = new Map();
  for (const line of lines)
    if (lit.has(line.series)) texts.set(line.series, clip(`${line.series}${ends(line)}`));
  const right = widthOfLabels([...texts.values()]) + 16;
  const drawn = inner(width, widthOfLabels(y.labels) + 10, right);
  const xAxis = x(drawn);
  const points = lines.flatMap(line => line.points.map(point => ({
    ...point, series: line.series, line: line.line, dash: line.dash ?? [1, 0], lit: lit.has(line.series),
    note: clip(data.note(line.cell), 120) || 'none', ...data.looks.get(line.series),
  })));
  const scale = height / Math.log(y.high / y.low);
  const labels = [...texts].map(([series, text]) => {
    const own = lines.filter(line => line.series === series);
    const last = own.map(line => line.points.at(-1)).reduce((a, b) => b.x > a.x || (b.x === a.x && b.y > a.y) ? b : a);
    return { series, text, x: last.x, end: last.y, y: Math.log(y.high / last.y) * scale, ...data.looks.get(series) };
  });
  spread(labels, height);
  const endRows = labels.map(label => ({
    text: label.text, color: label.color, shape: label.shape, x: label.x, y: label.end,
    label_y: y.high / Math.exp(label.y / scale),
  }));
  return fill(spec, {
    ...axisParams('x', xAxis), ...axisParams('y', y), muted: theme.muted, ink: theme.ink, label_limit: right + 8,
  }, { points, ends: endRows, ...extra }, { width: drawn, height, config: config(theme) });
}

function sized(lines) { return Math.max(300, Math.min(560, Math.min(lines, most) * 18 + 220)); }

// 1 / (1 - p). The fastest messages are left out: what matters lies to the right.
const firstPercentile = 1.25;
const percentileNames = [[2, 'p50'], [10, 'p90'], [100, 'p99'], [1e3, 'p99.9'], [1e4, 'p99.99'], [1e5, 'p99.999'], [1e6, 'p99.9999']];

function percentileText(x) {
  const known = percentileNames.find(([at]) => at === x);
  return known ? known[1] : `p${Number(((1 - 1 / x) * 100).toPrecision(6))}`;
}

// ---- the charts ------------------------------------------------------------------------------------

function heatMap(data, cells) {
  return panelsBy(cells.filter(cell => data.scenarios[cell.scenario].main), ['file', 'scenario']).map(panel => {
    const measure = data.mainMeasure(panel.scenario);
    const rows = [];
    for (const column of panelsBy(panel.cells, ['placement', 'size', 'rate'])) {
      const best = data.best(column.cells);
      for (const cell of column.cells) {
        const cost = data.cost(cell);
        const ratio = cost < Infinity && best < Infinity ? cost / best : null;
        const tip = tooltipOf(data, cell);
        const missing = cell.isMeasured ? 'few' : cell.failed > 0 ? 'failed' : 'n/a';
        rows.push({
          ...tip, label: cell.isRoofline ? `${cell.series} (roofline)` : cell.series, ratio, shade: ratio ?? 1, is_missing: ratio === null,
          placement: cell.placement, size: cell.rate ?? cell.size ?? 0,
          column: cell.rate !== null ? `${tickText(cell.rate, '/s')}` : cell.size === null ? '' : sizeText(cell.size),
          text: ratio === null ? missing : timesText(ratio) + mark(cell),
          times: ratio === null ? '–' : timesText(ratio),
          aria: `${cell.label}, ${tip.where}: ${ratio === null ? data.note(cell) : `${timesText(ratio)} times the best, ${tip.value}`}`,
          order: cell.isRoofline ? 0 : 1,
        });
      }
    }
    // Rooflines first, then by the geometric mean over the columns; what has no value comes last.
    const ranks = panelsBy(rows, ['label']).map(({ label, cells: own }) => {
      const ratios = own.map(row => row.ratio).filter(ratio => ratio !== null);
      const mean = ratios.length ? ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length : Infinity;
      return { label, mean, order: own[0].order };
    }).sort((a, b) => a.order - b.order || a.mean - b.mean);
    const places = new Map(ranks.map(({ label }, place) => [label, place]));
    for (const row of rows) row.rank = places.get(row.label);
    const headings = panelsBy(rows, ['placement']).map(({ placement, cells: own }) =>
      widthOf(placement, 13) * 1.14 / unique(own.map(row => row.column)).length + 8);
    const step = Math.ceil(Math.max(54, ...headings, ...rows.map(row => widthOf(row.column, 11) + 8)));
    const ratioMax = Math.max(10, ...rows.map(row => row.ratio ?? 1));
    return {
      file: panel.file, scenario: panel.scenario,
      title: `${panel.scenario}: times slower than the best (${measure.label})`,
      subtitle: data.conditions({ file: panel.file }),
      rows, columns: [['label', 'transport'], ['where', 'at'], ['times', '× best'], ['value', measure.label], ['note', 'note']],
      spec: ({ theme }) => fill(heatMapSpec, {
        ratio_max: ratioMax, ramp_low: theme.ramp[0], ramp_high: theme.ramp[1], missing: theme.missing, ink: theme.ink, ink_on_dark_end: theme.inkOnDarkEnd,
      }, { cells: rows }, { config: config(theme), spec: { ...heatMapSpec.spec, width: { step } } }),
    };
  });
}

function percentiles(data, cells) {
  const curves = cells.flatMap(cell => Object.entries(cell.percentiles)
    .map(([stem, points]) => ({ ...cell, stem, points: points.filter(([x, value]) => x >= firstPercentile && value > 0) })))
    .filter(curve => curve.points.length > 1);
  return panelsBy(curves, ['file', 'scenario', 'stem', 'size', 'placement']).map(panel => {
    const lines = panel.cells.map(curve => ({
      series: curve.label, line: curve.label, cell: curve,
      points: curve.points.map(([x, value, low, high]) => ({
        x, y: value, low: low > 0 ? low : null, high: low > 0 ? high : null,
        point: percentileNames.some(([at]) => at === x), percentile: percentileText(x),
        value: valueText(value, 'ns'), interval: low ? `${valueText(low, 'ns')} to ${valueText(high, 'ns')}` : '–',
        aria: `${curve.label}, ${percentileText(x)}: ${valueText(value, 'ns')}`,
      })),
    }));
    const last = Math.max(...lines.map(line => line.points.at(-1).x));
    const axis = () => {
      const shown = percentileNames.filter(([at]) => at <= last * 1.05);
      return { low: firstPercentile, high: Math.max(last, 10) * 1.03, ticks: shown.map(([at]) => at), labels: shown.map(([, name]) => name) };
    };
    const measure = `${panel.stem}_p50_ns`;
    const what = data.measure(measure).label.replace(/ p50$/, '');
    const by = curve => curve.measures[measure]?.[0] ?? Infinity;
    return {
      ...panel, measure: data.scenarios[panel.scenario].main === measure ? undefined : measure,
      title: `${panel.scenario}: percentiles of the ${what}`, subtitle: data.conditions(panel),
      rows: lines.flatMap(line => line.points.filter(point => point.point).map(point => ({ ...point, series: line.series }))),
      columns: [['series', 'transport'], ['percentile', 'percentile'], ['value', what], ['interval', 'interval over repeats']],
      spec: ({ width, theme }) => lineChart(data, percentilesSpec, {
        lines, ranked: [...panel.cells].sort((one, other) => by(one) - by(other)).map(asSeries),
        x: axis, unit: 'ns', width, height: sized(lines.length), theme,
      }),
    };
  });
}

function asSeries(cell) { return { series: cell.label, family: cell.family }; }

/** What is said of a series that doesn't reach the largest size: ", max 8 KiB". */
function limitText(cell) {
  const takes = /it takes (\d+)/.exec(cell.reason);
  return takes ? `, max ${sizeText(Number(takes[1]))}` : '';
}

function bySize(data, cells) {
  return panelsBy(cells.filter(cell => cell.size !== null && cell.rate === null), ['file', 'scenario', 'placement']).flatMap(panel => {
    const sizes = unique(panel.cells.filter(cell => cell.isMeasured).map(cell => cell.size)).sort((a, b) => a - b);
    const { main } = data.scenarios[panel.scenario];
    if (sizes.length < 2 || !main) return [];
    const names = main === 'messages_per_s' ? ['bytes_per_s', main] : [main];
    return names.map(name => {
      const measure = data.measure(name);
      const lines = panelsBy(panel.cells, ['series']).map(({ series, cells: own }) => ({
        series, line: series, cell: own.find(cell => cell.isMeasured) ?? own[0],
        limit: own.filter(cell => !cell.isMeasured).map(limitText).find(Boolean) ?? '',
        points: own.filter(cell => cell.measures[name]?.[0] > 0).sort((a, b) => a.size - b.size).map(cell => {
          const values = cell.measures[name];
          return {
            x: cell.size, y: values[0], low: values[3] > 1 && values[1] > 0 ? values[1] : null, high: values[3] > 1 ? values[2] : null,
            point: true, size: sizeText(cell.size), value: valueText(values[0], measure.unit),
            interval: intervalText(values) || '–', aria: `${series}, ${sizeText(cell.size)}: ${valueText(values[0], measure.unit)}`,
          };
        }),
      })).filter(line => line.points.length > 0);
      const axis = drawn => {
        const scale = drawn / Math.log(sizes.at(-1) / sizes[0]);
        let before = -Infinity;
        const shown = sizes.filter(size => {
          const at = Math.log(size / sizes[0]) * scale;
          if (at - before < 52) return false;
          before = at;
          return true;
        });
        return { low: sizes[0] / 1.15, high: sizes.at(-1) * 1.15, ticks: shown, labels: shown.map(sizeText) };
      };
      return {
        ...panel, measure: name, title: `${panel.scenario}: ${measure.label} by message size`, subtitle: data.conditions(panel),
        rows: lines.flatMap(line => line.points.map(point => ({ ...point, series: line.series }))),
        columns: [['series', 'transport'], ['size', 'size'], ['value', measure.label], ['interval', 'interval']],
        spec: ({ width, theme }) => lineChart(data, bySizeSpec, {
          lines, ranked: rank(data, panel.cells).map(cell => ({ series: cell.series, family: cell.family })),
          x: axis, unit: measure.unit, width, height: sized(lines.length), theme, ends: line => line.limit,
        }),
      };
    });
  });
}

/** The last rate before p99 leaves kneeFactor times its value at the lowest rate; null: none seen. */
export function knee(points) {
  const first = points[0];
  const beyond = points.findIndex(point => point.y > kneeFactor * first.y);
  return beyond > 0 ? points[beyond - 1] : null;
}

function load(data, cells) {
  return panelsBy(cells.filter(cell => cell.rate > 0 && cell.isMeasured), ['file', 'scenario', 'size', 'placement']).flatMap(panel => {
    const rates = unique(panel.cells.map(cell => cell.rate));
    const { main, tail } = data.scenarios[panel.scenario];
    if (rates.length < 2 || !main) return [];
    const { unit, label } = data.measure(main);
    const knees = [];
    const lines = panelsBy(panel.cells, ['series']).flatMap(({ series, cells: own }) => {
      own.sort((a, b) => a.rate - b.rate);
      return [[main, 'p50', [1, 0]], [tail, 'p99', [5, 3]]].filter(([name]) => name).map(([name, quantile, dash]) => {
        const points = own.filter(cell => cell.measures[name]?.[0] > 0).map(cell => {
          const values = cell.measures[name];
          return {
            x: cell.rate, y: values[0], low: values[3] > 1 ? values[1] : null, high: values[3] > 1 ? values[2] : null, point: quantile === 'p50',
            rate: tickText(cell.rate, '/s'), quantile, value: valueText(values[0], unit), interval: intervalText(values) || '–',
            aria: `${series}, ${tickText(cell.rate, '/s')}, ${quantile}: ${valueText(values[0], unit)}`,
          };
        });
        const turn = quantile === 'p99' && points.length > 1 ? knee(points) : null;
        if (turn) knees.push({ ...turn, series, color: data.looks.get(series).color, aria: `${series}: knee at ${turn.rate}` });
        return { series, line: `${series} ${quantile}`, cell: own[0], dash, points };
      });
    }).filter(line => line.points.length > 0);
    const axis = drawn => logAxis(rates, '/s', drawn, 60);
    return [{
      ...panel, title: `${panel.scenario}: ${label.replace(/ p50$/, '')} under offered load, p50 solid, p99 dashed`,
      subtitle: `${data.conditions(panel)}; a circle marks the last rate whose p99 is within ${kneeFactor} × that of the lowest`,
      rows: lines.flatMap(line => line.points.map(point => ({ ...point, series: line.series }))),
      columns: [['series', 'transport'], ['rate', 'offered'], ['quantile', 'percentile'], ['value', 'value'], ['interval', 'interval']],
      spec: ({ width, theme }) => lineChart(data, loadSpec, {
        lines, ranked: rank(data, panel.cells).map(cell => ({ series: cell.series, family: cell.family })),
        x: axis, unit, width, height: sized(lines.length), theme, extra: { knees },
      }),
    }];
  });
}

/** Of points {x, y}, those that no other one beats in both; the smaller x is better. */
export function paretoFront(points, isHigherBetter) {
  const better = (a, b) => isHigherBetter ? a > b : a < b;
  let best = null;
  return [...points].sort((a, b) => a.x - b.x || (isHigherBetter ? b.y - a.y : a.y - b.y)).filter(point => {
    if (best !== null && !better(point.y, best)) return false;
    best = point.y;
    return true;
  });
}

/** Labels beside points where they overlap neither each other nor a point; the first ones first. */
function placeLabels(points, width, height, px, py) {
  const taken = points.map(point => ({ left: px(point) - 5, right: px(point) + 5, top: py(point) - 5, bottom: py(point) + 5 }));
  const labels = [];
  for (const point of points) {
    const text = clip(point.series, 26);
    const wide = widthOf(text, 11);
    const [x, y] = [px(point), py(point)];
    const spots = [
      { align: 'left', dx: 9, dy: 0, left: x + 8 }, { align: 'right', dx: -9, dy: 0, left: x - 8 - wide },
      { align: 'left', dx: 7, dy: -11, left: x + 6 }, { align: 'left', dx: 7, dy: 11, left: x + 6 },
      { align: 'right', dx: -7, dy: -11, left: x - 6 - wide }, { align: 'right', dx: -7, dy: 11, left: x - 6 - wide },
      { align: 'center', dx: 0, dy: -15, left: x - wide / 2 }, { align: 'center', dx: 0, dy: 15, left: x - wide / 2 },
    ];
    const spot = spots.find(({ left, dy }) => {
      const box = { left, right: left + wide, top: y + dy - 6, bottom: y + dy + 6 };
      return box.left >= 0 && box.right <= width && box.top >= 0 && box.bottom <= height &&
        taken.every(other => box.right <= other.left || box.left >= other.right || box.bottom <= other.top || box.top >= other.bottom);
    });
    if (!spot) continue;
    taken.push({ left: spot.left, right: spot.left + wide, top: y + spot.dy - 6, bottom: y + spot.dy + 6 });
    labels.push({ text, x: point.x, y: point.y, align: spot.align, dx: spot.dx, dy: spot.dy, weight: point.front ? 'bold' : 'normal' });
  }
  return labels;
}

function pareto(data, cells) {
  const isDrawn = cell => data.main(cell)?.[0] > 0 && cell.measures.cpu_ns_per_message?.[0] > 0;
  return panelsBy(cells.filter(isDrawn), ['file', 'scenario', 'size', 'placement']).flatMap(panel => {
    const others = panel.cells.filter(cell => !cell.isRoofline);
    if (others.length < 3) return [];
    const { main, tail } = data.scenarios[panel.scenario];
    // The tail where most have one, since spinning buys tails; else what all have.
    const name = tail && others.filter(cell => cell.measures[tail]).length * 2 >= others.length ? tail : main;
    const measure = data.measure(name);
    const points = panel.cells.filter(cell => cell.measures[name]?.[0] > 0).map(cell => ({
      series: cell.label, x: cell.measures.cpu_ns_per_message[0], y: cell.measures[name][0], isRoofline: cell.isRoofline,
      value: valueText(cell.measures[name][0], measure.unit), cpu: valueText(cell.measures.cpu_ns_per_message[0], 'ns'),
      note: clip(data.note(cell), 120) || 'none', ...data.looks.get(cell.series),
    }));
    const front = paretoFront(points.filter(point => !point.isRoofline), measure.better === 'higher');
    for (const point of points) {
      point.front = front.includes(point);
      point.front_text = point.isRoofline ? 'roofline' : point.front ? 'on it' : 'behind it';
      point.aria = `${point.series}: ${point.value} at ${point.cpu} CPU per message, ${point.front_text}`;
    }
    const byMerit = [...points].sort((a, b) => b.front - a.front || (measure.better === 'higher' ? b.y - a.y : a.y - b.y));
    return [{
      ...panel, title: `${panel.scenario}: ${measure.label} against CPU time per message`,
      subtitle: `${data.conditions(panel)}; the dashed line is the Pareto front`,
      rows: byMerit, columns: [['series', 'transport'], ['value', measure.label], ['cpu', 'CPU/message'], ['front_text', 'Pareto front']],
      spec: ({ width, theme }) => {
        const height = 400;
        const y = logAxis(points.map(point => point.y), measure.unit, height, 24, 0.06);
        const drawn = inner(width, widthOfLabels(y.labels) + 10, 10);
        const x = logAxis(points.map(point => point.x), 'ns', drawn, 56, 0.06);
        const px = point => Math.log(point.x / x.low) / Math.log(x.high / x.low) * drawn;
        const py = point => Math.log(y.high / point.y) / Math.log(y.high / y.low) * height;
        return fill(paretoSpec, { ...axisParams('x', x), ...axisParams('y', y), muted: theme.muted, ink: theme.ink }, {
          points, front: front.map((point, order) => ({ x: point.x, y: point.y, order })),
          labels: placeLabels(byMerit, drawn, height, px, py),
        }, { width: drawn, height, config: config(theme) });
      },
    }];
  });
}

function placements(data, cells) {
  return panelsBy(cells.filter(cell => cell.rate === null), ['file', 'scenario', 'size']).flatMap(panel => {
    if (unique(panel.cells.filter(cell => cell.isMeasured).map(cell => cell.placement)).length < 2) return [];
    const measure = data.mainMeasure(panel.scenario);
    const unit = measure.unit;
    const rows = panelsBy(panel.cells, ['series']).flatMap(({ series, cells: own }) => {
      const best = Math.min(...own.map(cell => data.cost(cell)));
      return own.map(cell => {
        const values = data.main(cell);
        const tip = tooltipOf(data, cell);
        const cost = data.cost(cell);
        return {
          ...tip, label: series, placement: cell.placement, best, shade: cost < Infinity ? cost : 1, is_missing: cost === Infinity,
          text: values ? valueText(values[0], unit) + mark(cell) : cell.isMeasured ? 'few' : cell.failed > 0 ? 'failed' : 'n/a',
          times: cost < Infinity ? timesText(cost / best) : '–',
          aria: `${series}, ${cell.placement}: ${values ? tip.value : data.note(cell)}`,
        };
      });
    });
    const order = unique([...rows].sort((a, b) => a.best - b.best).map(row => row.label));
    for (const row of rows) row.rank = order.indexOf(row.label);
    const shades = rows.filter(row => !row.is_missing).map(row => row.shade);
    return [{
      ...panel, title: `${panel.scenario}: ${measure.label} by placement`, subtitle: data.conditions(panel),
      rows, columns: [['label', 'transport'], ['placement', 'placement'], ['value', measure.label], ['times', '× its best placement'], ['note', 'note']],
      spec: ({ theme }) => fill(placementsSpec, {
        value_low: Math.min(...shades), value_high: Math.max(...shades) * 1.001, ramp_low: theme.ramp[0], ramp_high: theme.ramp[1], missing: theme.missing,
        ink: theme.ink, ink_on_dark_end: theme.inkOnDarkEnd,
      }, { cells: rows }, { config: config(theme) }),
    }];
  });
}

const verdictLooks = {
  regressed: ['#D55E00', 'triangle-up'], improved: ['#009E73', 'triangle-down'], same: ['#7c8a99', 'circle'], inconclusive: ['#56B4E9', 'diamond'],
};

/** Two results files beside each other: each cell's quotient, with the widest interval it can have. */
function forest(data, cells) {
  if (data.files.length !== 2) return [];
  const name = cell => [cell.scenario, cell.label, cell.size === null ? '' : sizeText(cell.size), cell.placement].filter(Boolean).join(' ');
  const bases = new Map(cells.filter(cell => cell.file === 0 && data.cost(cell) < Infinity).map(cell => [name(cell), cell]));
  return panelsBy(cells.filter(cell => cell.file === 1 && data.cost(cell) < Infinity && bases.has(name(cell))), ['scenario']).map(panel => {
    const measure = data.mainMeasure(panel.scenario);
    const isHigher = measure.better === 'higher';
    const rows = panel.cells.map(cell => {
      const [base, baseLow, baseHigh] = data.main(bases.get(name(cell)));
      const [value, low, high] = data.main(cell);
      const [ratio, least, greatest] = isHigher ? [base / value, baseLow / high, baseHigh / low] : [value / base, low / baseHigh, high / baseLow];
      const verdict = least > 1 + margin ? 'regressed' : greatest < 1 / (1 + margin) ? 'improved'
        : greatest <= 1 + margin && least >= 1 / (1 + margin) ? 'same' : 'inconclusive';
      const [color, shape] = verdictLooks[verdict];
      return {
        label: name(cell).slice(panel.scenario.length + 1), ratio, low: least, high: greatest, verdict, color, shape,
        base: valueText(base, measure.unit), new: valueText(value, measure.unit), times: ratio.toFixed(2),
        verdict_text: `${ratio.toFixed(2)} ${verdict}`, aria: `${name(cell)}: ${ratio.toFixed(2)}, ${verdict}`,
      };
    }).sort((a, b) => b.ratio - a.ratio);
    rows.forEach((row, place) => { row.rank = place; });
    return {
      file: 1, scenario: panel.scenario, title: `${panel.scenario}: what changed from ${data.files[0].name} to ${data.files[1].name} (${measure.label})`,
      subtitle: `${data.conditions({ file: 1 })}; grey: less than ${margin * 100} %; recorded apart, so drift counts as change`,
      rows, columns: [['label', 'cell'], ['base', 'base'], ['new', 'new'], ['times', 'new ÷ base'], ['verdict', 'verdict']],
      spec: ({ width, theme }) => {
        const drawn = inner(width, Math.min(330, widthOfLabels(rows.map(row => row.label))) + 10, 110);
        const x = logAxis(rows.flatMap(row => [row.low, row.high, 0.9, 1.1]), '', drawn, 40);
        return fill(forestSpec, { ...axisParams('x', x), ink: theme.ink, muted: theme.muted, margin, paper_margin: theme.missing },
          { changes: rows }, { width: drawn, config: config(theme) });
      },
    };
  });
}

function runOrder(data, cells) {
  const shown = new Set(cells.map(cell => cell.index));
  return data.files.flatMap((file, index) => {
    const runs = data.runs.filter(([cell]) => shown.has(cell) && data.cells[cell].file === index);
    if (!runs.some(([, , status]) => status === 'suspect' || status === 'failed')) return [];
    const rows = runs.flatMap(([cellIndex, order, status, value]) => {
      const cell = data.cells[cellIndex];
      const main = data.main(cell);
      const measure = data.mainMeasure(cell.scenario);
      const ratio = !main || !(value > 0) ? null : measure.better === 'higher' ? main[0] / value : value / main[0];
      if (ratio === null && status !== 'failed') return [];
      return [{
        order, status, ratio, key: `${cell.scenario} ${cell.label} ${tooltipOf(data, cell).where}`,
        value: valueText(value, measure.unit), times: ratio === null ? 'failed' : ratio.toFixed(2),
      }];
    });
    const ratios = rows.map(row => row.ratio).filter(ratio => ratio !== null);
    const reach = Math.min(100, Math.max(1.5, ...ratios, ...ratios.map(ratio => 1 / ratio)));
    for (const row of rows) row.y = row.ratio === null ? reach : Math.min(reach, Math.max(1 / reach, row.ratio));
    return [{
      file: index, title: 'Runs in the order of execution, beside their cell’s median',
      subtitle: `${data.conditions({ file: index })}; above 1 is worse`,
      rows, columns: [['order', 'place'], ['key', 'run'], ['status', 'status'], ['value', 'value'], ['times', '× median']],
      spec: ({ width, theme }) => {
        const y = logAxis([1 / reach, reach], '', 240, 24);
        y.labels = y.ticks.map(tick => `${Number(tick.toPrecision(2))} ×`);
        return fill(runOrderSpec, { ...axisParams('y', y), ink: theme.ink, muted: theme.muted }, { runs: rows },
          { width: inner(width, 50, 10), height: 240, config: config(theme) });
      },
    }];
  });
}

/** All charts in the order of the page. `help` says how to read one. */
export const charts = [
  { name: 'heat_map', heading: 'Times slower than the best', draw: heatMap,
    help: '1.0 is the best of its column; darker is slower. Rooflines are not ranked: they are what nothing can beat. ˢ: some repeats were suspect. n/a, failed, few (samples): the read-out says why.' },
  { name: 'percentiles', heading: 'Percentiles', draw: percentiles,
    help: 'To the right is the tail. A line ends where fewer than ten samples lie beyond it. The band is the interval over repeats. Of many transports the best of each family is coloured; point at a grey line to see which one it is.' },
  { name: 'by_size', heading: 'By message size', draw: bySize,
    help: 'Median over the repeats, with its interval as a band. “max” says up to which size a mechanism goes.' },
  { name: 'load', heading: 'Under offered load', draw: load, help: 'Messages are sent at intended times, whatever the answer’s delay.' },
  { name: 'pareto', heading: 'What speed costs', draw: pareto,
    help: 'Left is less CPU time, both ends together. On the dashed front nothing is both faster and cheaper.' },
  { name: 'placements', heading: 'By placement', draw: placements, help: 'The same transport with its ends nearer or farther apart.' },
  { name: 'forest', heading: 'What changed', draw: forest, help: 'Right of the grey margin is worse. The interval is the widest that both medians’ intervals allow.' },
  { name: 'run_order', heading: 'Order of the runs', draw: runOrder, help: 'Shown because some runs were suspect or failed: a slope is drift, a cluster a disturbance.' },
];

/** What tells a chart's panels apart, for choosing among them: "ping_pong, 64 B, cross-core". */
export function panelName(data, panel) {
  return [
    data.files.length > 1 && panel.file !== undefined ? `file ${panel.file + 1}` : '',
    panel.scenario ?? '',
    panel.measure ? data.measure(panel.measure).label : '',
    panel.size === undefined || panel.size === null ? '' : sizeText(panel.size),
    panel.placement ?? '',
  ].filter(Boolean).join(', ') || 'all';
}
