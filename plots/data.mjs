// What the charts and the page have in common: cells, series, panels, ranks and verdicts, made of the
// document "ipcbench-charts/1" (README.md). Nothing here knows a scenario or a measure by its name.
import { countText, intervalText, parseAmount, sizeText, tickText, valueText } from './format.mjs';

// Okabe and Ito's colours, which most people can tell apart, without black and yellow: one each is
// invisible on dark or light paper. A shape belongs to each colour's first, second … use.
const colors = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9'];
const shapes = ['circle', 'square', 'triangle-up', 'diamond', 'cross', 'triangle-down',
  'triangle-right', 'triangle-left',
  'M0,-1L.28,-.28L1,0L.28,.28L0,1L-.28,.28L-1,0L-.28,-.28Z',  // a star, and a cross that stands askew
  'M-.9,-.6L-.6,-.9L0,-.3L.6,-.9L.9,-.6L.3,0L.9,.6L.6,.9L0,.3L-.6,.9L-.9,.6L-.3,0Z'];

/** The axis of a cell that says at which rate messages were offered, if there is one. */
export const rateAxis = 'rate';

export class Data {
  constructor(document) {
    if (document.schema !== 'ipcbench-charts/1')
      throw new Error(`charts' data of schema '${document.schema}'; expected 'ipcbench-charts/1'`);
    Object.assign(this, document);
    // A history has a cell for each series, so that the filters work on it.
    if (this.history)
      this.cells = this.history.series.map(series => ({
        file: 0, family: '', ...cellOfKey(series.key),
        ok: 1, suspect: 0, failed: 0, skipped: 0, reason: '', marks: '', measures: {}, percentiles: {},
      }));
    this.cells.forEach((cell, index) => {
      cell.index = index;
      const { [rateAxis]: rate, ...axes } = cell.axes;
      cell.series = seriesText({ ...cell, axes });
      cell.label = seriesText({ ...cell, axes: rate === undefined ? axes : { ...axes, [rateAxis]: rate } });
      cell.isRoofline = cell.family === 'roofline';
      cell.isMeasured = cell.ok + cell.suspect > 0;
      cell.rate = cell.axes[rateAxis] === undefined ? null : parseAmount(cell.axes[rateAxis]);
    });
    // A series keeps its colour and shape in every chart, whatever is filtered.
    this.looks = new Map();
    for (const { series } of this.cells) {
      if (!this.looks.has(series)) {
        const i = this.looks.size;
        this.looks.set(series, {
          color: colors[i % colors.length],
          shape: shapes[Math.floor(i / colors.length) % shapes.length],
        });
      }
    }
    for (const { series, label } of this.cells) this.looks.set(label, this.looks.get(series));
  }

  /** A cell's [median, low, high, repeats] of its scenario's main measure, or null. */
  main(cell) { return cell.measures[this.scenarios[cell.scenario].main] ?? null; }
  tail(cell) { return cell.measures[this.scenarios[cell.scenario].tail] ?? null; }
  measure(name) { return this.measures[name] ?? { label: name, unit: '', better: 'lower' }; }
  mainMeasure(scenario) { return this.measure(this.scenarios[scenario].main); }

  text(name, values) {
    return values ? valueText(values[0], this.measure(name).unit) : '–';
  }

  /** How bad a value is: of what is better when it is higher, the reciprocal. */
  cost(cell) {
    const main = this.main(cell);
    if (!main || !(main[0] > 0)) return Infinity;
    return this.mainMeasure(cell.scenario).better === 'higher' ? 1 / main[0] : main[0];
  }

  /** The cells of the best cost that is no roofline's, and what each one's is beside it. */
  best(cells) {
    return Math.min(...cells.filter(cell => !cell.isRoofline).map(cell => this.cost(cell)), Infinity);
  }

  /** Why there is no value, or what is to be kept in mind of it. */
  note(cell) {
    if (!cell.isMeasured) return `${cell.failed > 0 ? 'failed' : 'skipped'}: ${cell.reason}`;
    if (!this.main(cell) && this.scenarios[cell.scenario].main)
      return `too few samples for the ${this.mainMeasure(cell.scenario).label}; raise --min-time or -r`;
    return [...cell.marks].map(mark => this.legend.find(line => line.startsWith(mark))?.slice(3))
      .filter(Boolean).join('; ');
  }

  /** The conditions of a panel, for a subtitle. */
  conditions({ file, size, placement, rate }) {
    const { machine, processors, kernel, repeats } = this.files[file];
    return [
      size === undefined || size === null ? '' : sizeText(size),
      placement ?? '',
      rate ? `at ${tickText(rate, '/s')}` : '',
      repeats ? countText(Number(repeats), 'repeat') : '',
      machine ? `${machine}${processors ? `, ${processors} CPUs` : ''}` : '',
      kernel ? `Linux ${kernel}` : '',
    ].filter(Boolean).join(', ');
  }

  provenance({ file }) {
    if (file === undefined) return [];
    const { identity_digest, started, version, commit, name, command } = this.files[file];
    return [
      [name, `machine ${identity_digest}`, started, `ipcbench ${version} (${commit})`].join(' · '),
      command,
    ];
  }
}

/** "pipe wait:poll" */
export function seriesText({ transport, axes }) {
  return [transport, ...Object.entries(axes).map(([axis, value]) => `${axis}:${value}`)].join(' ');
}

/** "flood/pipe/size:64/place:same-core/wait:poll" as a cell has it. */
export function cellOfKey(key) {
  const [scenario, transport, ...words] = key.split('/');
  const pairs = Object.fromEntries(words.map(word => [word.split(':')[0], word.slice(word.indexOf(':') + 1)]));
  const { size, place, ...axes } = pairs;
  return { scenario, transport, size: size === undefined ? null : Number(size), placement: place ?? '', axes };
}

/**
 * The cells by the values of some of their fields: [{file, …, cells}], by file, scenario, placement,
 * size and rate, else in their first order.
 */
export function panelsBy(cells, fields) {
  const panels = new Map();
  for (const cell of cells) {
    const key = JSON.stringify(fields.map(field => cell[field]));
    if (!panels.has(key))
      panels.set(key, { ...Object.fromEntries(fields.map(field => [field, cell[field]])), cells: [] });
    panels.get(key).cells.push(cell);
  }
  const scenarios = unique(cells.map(cell => cell.scenario));
  const keys = [
    panel => panel.file ?? 0, panel => scenarios.indexOf(panel.scenario), panel => panel.placement ?? '',
    panel => panel.size ?? -1, panel => panel.rate ?? -1,
  ];
  return [...panels.values()].sort((a, b) => {
    for (const key of keys) if (key(a) !== key(b)) return key(a) < key(b) ? -1 : 1;
    return 0;
  });
}

export function unique(values) { return [...new Set(values)]; }

/**
 * Up to `most` series that a chart of many shows in colour: the best of each family, then the best
 * of the others; `ranked` is [{series, family}], the best first.
 */
export function highlights(ranked, most) {
  const series = unique(ranked.map(one => one.series));
  if (series.length <= most + 2) return new Set(series);
  const chosen = new Set();
  const families = new Set();
  for (const one of ranked)
    if (!families.has(one.family) && chosen.size < most) {
      families.add(one.family);
      chosen.add(one.series);
    }
  for (const one of series) if (chosen.size < most) chosen.add(one);
  return chosen;
}

/**
 * For each scenario, size and placement: the best, what can't be told apart from it, and what comes
 * next. Two are told apart where their intervals don't overlap.
 */
export function verdicts(data, cells) {
  const fields = ['file', 'scenario', 'size', 'placement', 'rate'];
  return panelsBy(cells, fields).flatMap(panel => {
    const ranked = panel.cells.filter(cell => !cell.isRoofline && data.cost(cell) < Infinity)
      .sort((a, b) => data.cost(a) - data.cost(b));
    if (ranked.length === 0) return [];
    const [best, ...others] = ranked;
    const [, low, high, count] = data.main(best);
    const overlaps = cell => {
      const [, otherLow, otherHigh, otherCount] = data.main(cell);
      return count > 1 && otherCount > 1 && otherLow <= high && low <= otherHigh;
    };
    const next = others.find(cell => !overlaps(cell));
    const measure = data.mainMeasure(panel.scenario);
    return [{
      ...panel, measure, best,
      value: valueText(data.main(best)[0], measure.unit),
      interval: intervalText(data.main(best)),
      ties: others.filter(overlaps),
      next, times: next ? data.cost(next) / data.cost(best) : null,
      compared: ranked.length,
      repeats: count,
    }];
  });
}
