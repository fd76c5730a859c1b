// The charts: each takes the cells that are shown and gives its panels, and each panel a Vega-Lite
// specification of specs/ with its data, axes and sizes filled in.
import { widthOf } from './text.mjs';
import { intervalText, sizeText, tickText, timesText, valueText } from './format.mjs';
import { highlights, panelsBy, unique } from './data.mjs';
import { axisParams, clip, clipTo, config, fill, inner, logAxis, spread, widthOfLabels } from './frame.mjs';
import { forest, history } from './changes.mjs';
import heatMapSpec from './specs/heat_map.vl.json' with { type: 'json' };
import percentilesSpec from './specs/percentiles.vl.json' with { type: 'json' };
import bySizeSpec from './specs/by_size.vl.json' with { type: 'json' };
import loadSpec from './specs/load.vl.json' with { type: 'json' };
import paretoSpec from './specs/pareto.vl.json' with { type: 'json' };
import placementsSpec from './specs/placements.vl.json' with { type: 'json' };
import runOrderSpec from './specs/run_order.vl.json' with { type: 'json' };

const most = 8;             // series that a chart of many shows in colour
const kneeFactor = 5;       // the knee: the last rate whose p99 is within this of the lowest rate's

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

/**
 * Lines of many series on two logarithmic axes. `lines` is [{series, line, cell, dash, points: [{x, y,
 * low, high, point, …tooltip}]}], `ranked` the cells in the order of merit.
 */
function lineChart(data, spec, { lines, ranked, x, unit, width, height, theme, ends = () => '', extra = () => ({}) }) {
  const lit = highlights(ranked, most);
  const reach = line => line.points.flatMap(point => [point.y, ...(lit.has(line.series) && point.low > 0 ? [point.low, point.high] : [])]);
  const y = logAxis(lines.flatMap(reach), unit, height, 24);
  const texts = new Map();
  for (const line of lines)
    if (lit.has(line.series)) texts.set(line.series, clipTo(`${line.series}${ends(line)}`, Math.max(90, Math.min(230, width * 0.32))));
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
    band_opacity: lit.size <= 4 ? 0.18 : 0.08,
  }, { points, ends: endRows, ...extra(lit) }, { width: drawn, height, config: config(theme) });
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
    const ratioMax = Math.max(10, ...rows.map(row => row.ratio ?? 1));
    return {
      file: panel.file, scenario: panel.scenario,
      title: `${panel.scenario}: times slower than the best (${measure.label})`,
      subtitle: data.conditions({ file: panel.file }),
      rows, columns: [['label', 'transport'], ['where', 'at'], ['times', '× best'], ['value', measure.label], ['note', 'note']],
      spec: ({ width, theme }) => {
        const { step, blocks, height } = heatMapShape(rows, ranks.length, width);
        const shown = rows.map(row => ({ ...row, block: Math.floor(row.rank / height) }));
        const { data: source, facet, spacing, spec } = heatMapSpec;
        const block = index => ({
          data: source, transform: [{ filter: `datum.block === ${index}` }], facet, spacing, spec: { ...spec, width: { step } },
        });
        return fill({ params: heatMapSpec.params }, {
          ratio_max: ratioMax, ramp_low: theme.ramp[0], ramp_high: theme.ramp[1], missing: theme.missing, ink: theme.ink, ink_on_dark_end: theme.inkOnDarkEnd,
        }, { cells: shown }, {
          config: config(theme), spacing: 28, hconcat: Array.from({ length: blocks }, (_, index) => block(index)),
        });
      },
    };
  });
}

const blockRows = 36;   // of a heat map: more stand beside them, where there is room

/** A heat map's width of a column, and into how many blocks of how many rows it is cut. */
function heatMapShape(rows, count, width) {
  const placements = panelsBy(rows, ['placement']).map(({ placement, cells }) =>
    ({ heading: widthOf(placement, 12) * 1.14 + 6, columns: unique(cells.map(row => row.column)).length }));
  const columns = placements.reduce((sum, one) => sum + one.columns, 0);
  const names = Math.min(190, Math.max(...rows.map(row => widthOf(row.label, 11)))) + 8;
  const gaps = (placements.length - 1) * 12;
  const least = Math.ceil(Math.max(38, ...placements.map(one => one.heading / one.columns),
    ...rows.map(row => Math.max(widthOf(row.column, 11), widthOf(row.text, 11)) + 6)));
  const room = blocks => (width - 16 - (blocks - 1) * 28) / blocks - names - gaps;
  let blocks = 1;
  while (blocks < Math.ceil(count / blockRows) && room(blocks + 1) >= columns * least) ++blocks;
  const step = Math.max(least, Math.min(64, Math.floor(room(blocks) / columns)));
  return { step, blocks, height: Math.ceil(count / blocks) };
}

function percentiles(data, cells) {
  const curves = cells.flatMap(cell => Object.entries(cell.percentiles)
    .map(([stem, points]) => ({ ...cell, stem, points: points.filter(([x, value]) => x >= firstPercentile && value > 0) })))
    .filter(curve => curve.points.length > 1);
  return panelsBy(curves, ['file', 'scenario', 'stem', 'size', 'placement', 'rate']).map(panel => {
    const lines = panel.cells.map(curve => ({
      series: curve.series, line: curve.series, cell: curve,
      points: curve.points.map(([x, value, low, high]) => ({
        x, y: value, low: low > 0 ? low : null, high: low > 0 ? high : null,
        point: percentileNames.some(([at]) => at === x), percentile: percentileText(x),
        value: valueText(value, 'ns'), interval: low ? `${valueText(low, 'ns')} to ${valueText(high, 'ns')}` : '–',
        aria: `${curve.series}, ${percentileText(x)}: ${valueText(value, 'ns')}`,
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

function asSeries(cell) { return { series: cell.series, family: cell.family }; }

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
          lines, ranked: rank(data, panel.cells).map(asSeries),
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
        lines, ranked: rank(data, panel.cells).map(asSeries),
        x: axis, unit, width, height: sized(lines.length), theme, extra: lit => ({ knees: knees.filter(one => lit.has(one.series)) }),
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

/** Labels beside points where they overlap neither each other nor a point nor the front; the first ones first. */
function placeLabels(points, front, width, height, px, py) {
  const around = (x, y, by) => ({ left: x - by, right: x + by, top: y - by, bottom: y + by });
  const taken = points.map(point => around(px(point), py(point), 5));
  for (let i = 1; i < front.length; ++i) {
    const [[x, y], [toX, toY]] = [front[i - 1], front[i]].map(point => [px(point), py(point)]);
    const steps = Math.ceil(Math.hypot(toX - x, toY - y) / 6);
    for (let step = 1; step < steps; ++step) taken.push(around(x + (toX - x) * step / steps, y + (toY - y) * step / steps, 1));
  }
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
  return panelsBy(cells.filter(isDrawn), ['file', 'scenario', 'size', 'placement', 'rate']).flatMap(panel => {
    const others = panel.cells.filter(cell => !cell.isRoofline);
    if (others.length < 3) return [];
    const { main, tail } = data.scenarios[panel.scenario];
    // The tail where most have one, since spinning buys tails; else what all have.
    const name = tail && others.filter(cell => cell.measures[tail]).length * 2 >= others.length ? tail : main;
    const measure = data.measure(name);
    const points = panel.cells.filter(cell => cell.measures[name]?.[0] > 0).map(cell => ({
      series: cell.series, x: cell.measures.cpu_ns_per_message[0], y: cell.measures[name][0], isRoofline: cell.isRoofline,
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
          labels: placeLabels(byMerit, front, drawn, height, px, py),
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
    help: 'Left is less CPU time, of both ends and of a broker. On the dashed front nothing is both faster and cheaper.' },
  { name: 'placements', heading: 'By placement', draw: placements, help: 'The same transport with its ends nearer or farther apart.' },
  { name: 'forest', heading: 'What changed', draw: forest, help: 'Right of the grey margin is worse; the point is the change, the line its interval.' },
  { name: 'history', heading: 'History', draw: history,
    help: 'A row for each cell, on a scale of its own that spans at least ±5 %; up is a higher value. The coloured lines are the points of change.' },
  { name: 'run_order', heading: 'Order of the runs', draw: runOrder, help: 'Shown because some runs were suspect or failed: a slope is drift, a cluster a disturbance.' },
];

/** The charts of these data: a history has one of its own, and others have all but that. */
export function chartsOf(data) { return charts.filter(({ name }) => (name === 'history') === Boolean(data.history)); }

/** What tells a chart's panels apart, for choosing among them: "ping_pong, 64 B, cross-core". */
export function panelName(data, panel) {
  return [
    data.files.length > 1 && panel.file !== undefined ? `file ${panel.file + 1}` : '',
    panel.name ?? '',
    panel.scenario ?? '',
    panel.measure ? data.measure(panel.measure).label : '',
    panel.size === undefined || panel.size === null ? '' : sizeText(panel.size),
    panel.placement ?? '',
    panel.rate ? `at ${tickText(panel.rate, '/s')}` : '',
  ].filter(Boolean).join(', ') || 'all';
}
