// What the charts compute, on data with known answers. Run by ctest: node --test.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Data, highlights, panelsBy, verdicts } from '../data.mjs';
import { charts, knee, paretoFront } from '../charts.mjs';
import { logAxis, spread } from '../frame.mjs';
import { intervalText, parseAmount, sizeText, tickText, timesText, valueText } from '../format.mjs';
import { widthOf } from '../text.mjs';

const cell = (transport, median, [low, high] = [median, median], more = {}) => ({
  file: 0, scenario: 'ping_pong', family: 'pipe', transport, size: 64, placement: 'none', axes: {}, ok: 6, suspect: 0, failed: 0,
  skipped: 0, reason: '', marks: '', percentiles: {}, measures: { round_trip_p50_ns: [median, low, high, 6], ...more.measures }, ...more.fields,
});
const dataOf = cells => new Data({
  schema: 'ipcbench-charts/1', files: [{ name: 'a.json', machine: 'M', processors: '2', kernel: '6', repeats: '6' }],
  scenarios: { ping_pong: { main: 'round_trip_p50_ns', tail: null }, flood: { main: 'messages_per_s', tail: null } },
  measures: {
    round_trip_p50_ns: { label: 'round trip p50', unit: 'ns', better: 'lower' }, messages_per_s: { label: 'messages', unit: '/s', better: 'higher' },
    cpu_ns_per_message: { label: 'CPU per message', unit: 'ns', better: 'lower' },
  },
  legend: ['s  noise'], cells, runs: [],
});

test('numbers read as in the tables', () => {
  assert.equal(valueText(4312, 'ns'), '4.31 µs');
  assert.equal(valueText(999.6, 'ns'), '1.00 µs');
  assert.equal(valueText(48_100_000, '/s'), '48.1 M/s');
  assert.equal(valueText(null, 'ns'), '–');
  assert.equal(sizeText(4096), '4 KiB');
  assert.equal(sizeText(65527), '65527 B');
  assert.equal(tickText(2000, 'ns'), '2 µs');
  assert.equal(timesText(1.04), '1.0');
  assert.equal(timesText(38.4), '38');
  assert.equal(timesText(1234), '1.2k');
  assert.equal(timesText(0.02), '0.02');
  assert.equal(intervalText([100, 98, 102, 6]), '±2 %');
  assert.equal(intervalText([100, 100, 100, 1]), '');
  assert.equal(parseAmount('1.5M'), 1.5e6);
  assert.equal(parseAmount('none'), null);
});

test('an axis covers its values and its ticks keep their distance', () => {
  for (const values of [[1, 1e9], [100, 130], [5, 5], [270, 60_000], [0.001, 2]])
    for (const pixels of [100, 400, 1000]) {
      const axis = logAxis(values, 'ns', pixels, 24);
      assert.ok(axis.low < Math.min(...values) && axis.high > Math.max(...values));
      assert.equal(axis.ticks.length, axis.labels.length);
      const at = axis.ticks.map(tick => Math.log(tick / axis.low) / Math.log(axis.high / axis.low) * pixels);
      at.forEach((place, i) => { if (i > 0) assert.ok(place - at[i - 1] >= 23.9, `${values} on ${pixels}: ${axis.labels}`); });
    }
  assert.deepEqual(logAxis([1, 100], 'ns', 400, 24).ticks.filter(tick => [1, 10, 100].includes(tick)), [1, 10, 100]);
});

test('labels are spread apart within the height', () => {
  const labels = [300, 299, 300, 5, 1, 301].map(y => ({ y }));
  spread(labels, 300, 14);
  const sorted = labels.map(label => label.y).sort((a, b) => a - b);
  sorted.forEach((y, i) => { if (i > 0) assert.ok(y - sorted[i - 1] >= 14); });
  assert.ok(sorted[0] >= 0 && sorted.at(-1) <= 300);
});

test('the Pareto front holds what nothing beats in both', () => {
  const points = [[1, 5], [2, 3], [2, 4], [3, 3], [4, 1], [5, 2]].map(([x, y]) => ({ x, y }));
  assert.deepEqual(paretoFront(points, false).map(({ x, y }) => [x, y]), [[1, 5], [2, 3], [4, 1]]);
  assert.deepEqual(paretoFront(points, true).map(({ x, y }) => [x, y]), [[1, 5]]);
});

test('the knee is the last rate before the tail grows', () => {
  const points = [[1, 10], [2, 11], [4, 49], [8, 51], [16, 500]].map(([x, y]) => ({ x, y }));
  assert.equal(knee(points).x, 4);
  assert.equal(knee(points.slice(0, 3)), null);
});

test('of many series the best of each family is coloured', () => {
  const ranked = Array.from({ length: 40 }, (_, i) => ({ series: `s${i}`, family: i < 20 ? 'a' : i < 30 ? 'b' : 'c' }));
  assert.deepEqual([...highlights(ranked, 8)], ['s0', 's20', 's30', 's1', 's2', 's3', 's4', 's5']);
  assert.equal(highlights(ranked.slice(0, 9), 8).size, 9, 'of few, all');
});

test('what overlaps with the best is not told apart from it', () => {
  const data = dataOf([
    cell('roof', 1, [1, 1], { fields: { family: 'roofline' } }),
    cell('best', 100, [95, 105]), cell('near', 104, [99, 110]), cell('far', 200, [190, 210]), cell('none', 0, [0, 0], { fields: { ok: 0, measures: {}, skipped: 1, reason: 'too large' } }),
  ]);
  const [verdict] = verdicts(data, data.cells);
  assert.equal(verdict.best.transport, 'best');
  assert.deepEqual(verdict.ties.map(one => one.transport), ['near']);
  assert.equal(verdict.next.transport, 'far');
  assert.equal(verdict.times, 2);
  assert.equal(data.note(data.cells[4]), 'skipped: too large');
});

test('a rate is better when it is higher', () => {
  const rate = (transport, value) => cell(transport, 1, [1, 1], { fields: { scenario: 'flood', measures: { messages_per_s: [value, value, value, 6] } } });
  const data = dataOf([rate('slow', 10), rate('fast', 40)]);
  const [panel] = charts.find(chart => chart.name === 'heat_map').draw(data, data.cells);
  assert.deepEqual(panel.rows.map(row => [row.label, row.times, row.rank]), [['slow', '4.0', 1], ['fast', '1.0', 0]]);
});

test('a series keeps its colour and shape whatever is filtered', () => {
  const data = dataOf(Array.from({ length: 60 }, (_, i) => cell(`t${i}`, 100 + i)));
  const looks = new Set([...data.looks.values()].map(({ color, shape }) => color + shape));
  assert.equal(looks.size, 60, 'sixty can be told apart');
});

test('load: p50 and p99 over the rates, the knee marked', () => {
  const at = (rate, p50, p99) => cell('pipe', p50, [p50, p50], { fields: { axes: { rate } }, measures: { round_trip_p99_ns: [p99, p99, p99, 6] } });
  const data = dataOf([at('1k', 10, 20), at('10k', 11, 25), at('100k', 30, 900)]);
  data.scenarios.ping_pong.tail = 'round_trip_p99_ns';
  const [panel] = charts.find(chart => chart.name === 'load').draw(data, data.cells);
  assert.equal(panel.rows.length, 6);
  const spec = panel.spec({ width: 800, theme: { muted: '#000', ink: '#000', paper: '#fff', soft: '#000', grid: '#000' } });
  assert.deepEqual(spec.datasets.knees.map(one => one.rate), ['10 k/s']);
});

const theme = { muted: '#000', ink: '#000', paper: '#fff', soft: '#000', grid: '#000', missing: '#eee', ramp: ['#fff', '#000'], inkOnDarkEnd: '#fff' };

test('a heat map of many rows stands in blocks where there is room', () => {
  const data = dataOf(Array.from({ length: 100 }, (_, i) => cell(`transport_${i}`, 100 + i)));
  const [panel] = charts.find(chart => chart.name === 'heat_map').draw(data, data.cells);
  const [wide, narrow] = [1180, 240].map(width => panel.spec({ width, theme }));
  assert.equal(wide.hconcat.length, 3);
  assert.equal(narrow.hconcat.length, 1);
  assert.deepEqual([0, 1, 2].map(block => wide.datasets.cells.filter(row => row.block === block).length), [34, 34, 32]);
});

test('rates have panels of their own', () => {
  const at = rate => cell('pipe', 10, [10, 10], { fields: { axes: { rate }, percentiles: { round_trip: [[2, 10], [10, 12], [100, 20]] } } });
  const data = dataOf([at('1k'), at('10k')]);
  const panels = charts.find(chart => chart.name === 'percentiles').draw(data, data.cells);
  assert.deepEqual(panels.map(panel => [panel.rate, panel.rows[0].series]), [[1000, 'pipe'], [10000, 'pipe']]);
});

test('a forest has what the comparison says, the largest changes first', () => {
  const change = (i, ratio, verdict) => ({ key: `ping_pong/t${i}/size:64/place:none`, measure: 'round_trip_p50_ns', base: 100, new: 100 * ratio,
    ratio, low: ratio * 0.99, high: ratio * 1.01, verdict, note: '' });
  const data = dataOf([]);
  data.files.push(data.files[0]);
  data.changes = { margin: 0.03, method: 'm', cells: [
    ...Array.from({ length: 80 }, (_, i) => change(i, 1, 'same')), change(90, 1.5, 'regressed'), change(91, 0.5, 'improved'),
    { ...change(92, 1, 'broken'), ratio: null, low: null, high: null },
  ] };
  const [panel] = charts.find(chart => chart.name === 'forest').draw(data, data.cells);
  assert.match(panel.subtitle, /^64 B none; 1 regressed, 1 improved, 80 same, 1 broken; the 60 that changed most/);
  assert.equal(panel.rows.length, 83);
  const { changes } = panel.spec({ width: 900, theme }).datasets;
  assert.equal(changes.length, 60);
  assert.deepEqual([changes[0].label, changes[0].verdict_text, changes.find(row => row.verdict === 'improved').label], ['t90', '1.50 regressed', 't91']);
});

test('a history has a row for each cell, the last change first', () => {
  const series = (name, changes) => ({ key: `ping_pong/${name}/size:64/place:none/wait:poll`, scenario: 'ping_pong', measure: 'round_trip_p50_ns', changes,
    points: [[0, 100, 99, 101], [1, 100, null, null], [2, 150, 149, 151]] });
  const files = ['a', 'b', 'c'].map((name, i) => ({ name, started: `2026-11-0${i + 1}`, commit: name, identity_digest: i < 2 ? 'x' : 'y' }));
  const document = { ...dataOf([]), history: { files, method: 'm', series: [
    series('quiet', []), series('early', [{ at: 1, before: 100, after: 125, verdict: 'regressed' }]), series('late', [{ at: 2, before: 100, after: 150, verdict: 'regressed' }]),
  ] } };
  const data = new Data(document);
  const panels = charts.find(chart => chart.name === 'history').draw(data, data.cells);
  assert.deepEqual(panels.map(panel => panel.rows.length), [2, 3]);
  assert.deepEqual(panels[0].rows.map(row => row.key), ['ping_pong late wait:poll 64 B none', 'ping_pong early wait:poll 64 B none']);
  assert.match(panels[0].rows[0].changes, /regressed \+50 %/);
  const { datasets } = panels[1].spec({ width: 900, theme });
  assert.equal(datasets.points.length, 9);
  assert.deepEqual(datasets.others.map(one => one.x), [1.5], 'another machine');
  assert.deepEqual(datasets.changes.map(one => one.x), [1.5, 0.5]);
});

test('panels come by file, scenario, placement and size', () => {
  const cells = [['b', 4096], ['a', 64], ['b', 64], ['a', 4096]].map(([placement, size]) => ({ file: 0, scenario: 's', placement, size }));
  assert.deepEqual(panelsBy(cells, ['placement', 'size']).map(({ placement, size }) => placement + size), ['a64', 'a4096', 'b64', 'b4096']);
});

test('wider text is wider', () => {
  assert.ok(widthOf('mmm', 11) > widthOf('iii', 11));
  assert.ok(Math.abs(widthOf('shm_posix.yield', 11) - 88) < 12, 'about what DejaVu Sans takes');
});
