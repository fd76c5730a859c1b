// What changed: between two results files, as `ipcbench compare` judges it, and over many, as
// `ipcbench history` does. README.md has the form of both.
import { widthOf } from './text.mjs';
import { countText, sizeText, valueText } from './format.mjs';
import { cellOfKey, panelsBy, seriesText, unique } from './data.mjs';
import { axisParams, clip, clipTo, config, fill, inner, logAxis, widthOfLabels } from './frame.mjs';
import forestSpec from './specs/forest.vl.json' with { type: 'json' };
import historySpec from './specs/history.vl.json' with { type: 'json' };

const verdictLooks = {
  regressed: ['#D55E00', 'triangle-up'], improved: ['#009E73', 'triangle-down'], same: ['#7c8a99', 'circle'], inconclusive: ['#56B4E9', 'diamond'],
};

/** "+12 %", "−3.1 %": by how much one level is above another. */
function changeText(before, after) {
  const percent = (after / before - 1) * 100;
  return `${percent < 0 ? '−' : '+'}${Math.abs(percent).toFixed(Math.abs(percent) < 9.95 ? 1 : 0)} %`;
}

const mostChanges = 60;     // in one panel; its table has them all
const verdictOrder = ['regressed', 'improved', 'inconclusive'];

/** What `ipcbench compare` has found. */
export function forest(data, cells) {
  const { changes } = data;
  if (!changes) return [];
  const changed = changes.cells.map(cell => {
    const parts = cell.key ? cellOfKey(cell.key) : cell;
    return { ...cell, ...parts, label: cell.label ?? seriesText(parts) };
  });
  const name = cell => JSON.stringify([cell.scenario, cell.label, cell.size, cell.placement]);
  const [known, shown] = [data.cells, cells].map(some => new Set(some.map(name)));
  const isShown = cell => shown.has(name(cell)) || !known.has(name(cell));
  return panelsBy(changed.filter(isShown), ['scenario', 'measure']).map(panel => {
    const measure = data.measure(panel.measure);
    // What all have in common stands once, in the subtitle.
    const isCommon = field => unique(panel.cells.map(cell => cell[field])).length === 1;
    const place = (cell, isShown) => [
      cell.size !== null && isShown('size') ? sizeText(cell.size) : '', isShown('placement') ? cell.placement : '',
    ].filter(Boolean).join(' ');
    const rows = panel.cells.map(cell => {
      const [color, shape] = verdictLooks[cell.verdict] ?? verdictLooks.same;
      const label = `${cell.label} ${place(cell, field => !isCommon(field))}`.trim();
      const times = cell.ratio === null ? '–' : cell.ratio.toFixed(2);
      const words = `${cell.ratio === null ? '' : `${times} `}${cell.verdict}`;
      return {
        label, color, shape, times, ratio: cell.ratio, low: cell.low, high: cell.high, verdict: cell.verdict,
        base: valueText(cell.base, measure.unit), new: valueText(cell.new, measure.unit), verdict_text: words,
        note: clip(cell.note || 'none', 160), aria: `${label}: ${words}`,
        merit: [verdictOrder.indexOf(cell.verdict) + 1 || 9, cell.ratio > 0 ? -Math.abs(Math.log(cell.ratio)) : 0],
      };
    });
    const chosen = [...rows].sort((a, b) => a.merit[0] - b.merit[0] || a.merit[1] - b.merit[1]).slice(0, mostChanges)
      .sort((a, b) => (b.ratio ?? 0) - (a.ratio ?? 0));
    // Two cells may have one label: a row each.
    const labels = new Map();
    const drawnRows = chosen.map((row, rank) => {
      labels.set(row.label, (labels.get(row.label) ?? 0) + 1);
      return { ...row, rank, label: clip(row.label, 60) + ' '.repeat(labels.get(row.label) - 1) };
    });
    const counts = unique([...verdictOrder, 'same', ...rows.map(row => row.verdict)])
      .map(verdict => [rows.filter(row => row.verdict === verdict).length, verdict]).filter(([count]) => count > 0);
    return {
      file: 1, ...panel, title: `${panel.scenario}: what changed from ${data.files[0].name} to ${data.files[1].name}${panel.measure ? ` (${measure.label})` : ', without a number'}`,
      subtitle: [
        place(panel.cells[0], isCommon), counts.map(([count, verdict]) => `${count} ${verdict}`).join(', '),
        rows.length > mostChanges ? `the ${mostChanges} that changed most; the table below has all` : '',
        `grey: less than ${Number((changes.margin * 100).toPrecision(2))} %`, clip(changes.method ?? '', 200),
      ].filter(Boolean).join('; '),
      rows, columns: [['label', 'cell'], ['base', 'base'], ['new', 'new'], ['times', 'times worse'], ['verdict', 'verdict'], ['note', 'note']],
      spec: ({ width, theme }) => {
        const names = Math.min(330, width * 0.42, widthOfLabels(drawnRows.map(row => row.label)));
        const drawn = inner(width, names + 10, widthOfLabels(drawnRows.map(row => row.verdict_text)) + 12, 100);
        const values = drawnRows.flatMap(row => [row.low, row.high, row.ratio]).filter(value => value > 0);
        const x = logAxis([...values, 0.9, 1.1].map(value => Math.min(1e4, Math.max(1e-4, value))), '', drawn, 40);
        const { layer, ...rest } = structuredClone(forestSpec);
        rest.encoding.y.axis.labelLimit = names + 10;
        return fill({ ...rest, layer }, { ...axisParams('x', x), ink: theme.ink, muted: theme.muted, margin: changes.margin, paper_margin: theme.missing },
          { changes: drawnRows }, { width: drawn, config: config(theme) });
      },
    };
  });
}

const rowHeight = 58;       // of a history: a line of text, and the values below it
const headHeight = 18;
const mostHistories = 40;   // in one panel

/** Each cell over many results files, with the points of change that `ipcbench history` found. */
export function history(data, cells) {
  if (!data.history) return [];
  const { files, method } = data.history;
  const others = files.map((file, x) => ({ x: x - 0.5, text: `another machine or build: ${file.identity_digest}` }))
    .filter((_, i) => i > 0 && files[i].identity_digest !== files[i - 1].identity_digest);
  const rows = cells.map(cell => {
    const one = data.history.series[cell.index];
    const measure = data.measure(one.measure);
    const text = value => valueText(value, measure.unit);
    const label = [cell.label, cell.size === null ? '' : sizeText(cell.size), cell.placement].filter(Boolean).join(' ');
    const [, last] = one.points.at(-1) ?? [0, null];
    const latest = one.changes.at(-1);
    const changes = one.changes.map(change => ({
      ...change, change: changeText(change.before, change.after), levels: `${text(change.before)} → ${text(change.after)}`,
      started: files[change.at]?.started ?? '', commit: files[change.at]?.commit ?? '', file: files[change.at]?.name ?? '',
    }));
    return {
      cell, one, label, measure, changes, text, latest,
      columns: {
        key: `${cell.scenario} ${label}`, measure: measure.label, files: one.points.length, last: text(last),
        changes: changes.map(change => `${change.started.slice(0, 10)} ${change.commit.slice(0, 9)} ${change.verdict} ${change.change}`).join('; ') || 'none',
      },
    };
  }).filter(row => row.one.points.length > 0);
  const size = row => row.latest ? Math.abs(Math.log(row.latest.after / row.latest.before)) : 0;
  const byChange = (a, b) => (b.latest?.at ?? -1) - (a.latest?.at ?? -1) || size(b) - size(a);
  const panel = (own, fields, title) => ({
    ...fields, title,
    subtitle: [
      `${countText(files.length, 'file')}${files.length ? `, ${files[0].started.slice(0, 10)} to ${files.at(-1).started.slice(0, 10)}` : ''}`,
      own.length > mostHistories ? `the ${mostHistories} that changed last; the table below has all` : '',
      others.length ? 'dashed: another machine or build' : '', clip(method ?? '', 200),
    ].filter(Boolean).join('; '),
    rows: own.map(row => row.columns),
    columns: [['key', 'cell'], ['measure', 'measure'], ['files', 'files'], ['last', 'last'], ['changes', 'points of change']],
    spec: ({ width, theme }) => historyPanel(own.slice(0, mostHistories), { files, others, width, theme, isMixed: !fields.scenario }),
  });
  const changed = rows.filter(row => row.latest).sort(byChange);
  return [
    ...(changed.length ? [panel(changed, { name: 'what changed' }, 'What changed, the last change first')] : []),
    ...panelsBy(rows.map(row => ({ ...row, scenario: row.cell.scenario, measureName: row.one.measure, size: row.cell.size, placement: row.cell.placement })),
      ['scenario', 'measureName', 'size', 'placement']).map(({ cells: own, measureName, ...fields }) =>
      panel(own.sort(byChange), { ...fields, measure: measureName }, `${fields.scenario}: ${data.measure(measureName).label} over time`)),
  ];
}

function historyPanel(rows, { files, others, width, theme, isMixed }) {
  const drawn = inner(width, 8, 8);
  const datasets = { rows: [], points: [], levels: [], changes: [], others };
  rows.forEach((row, index) => {
    const { one, measure, text } = row;
    const top = index * rowHeight;
    const values = one.points.map(([, value]) => value).filter(value => value > 0);
    const base = one.changes[0]?.before ?? [...values].sort((a, b) => a - b)[values.length >> 1];
    // A row's scale takes in its values, and at least ±5 %, so that noise doesn't look like news.
    const reach = Math.max(Math.log(1.05), ...values.map(value => Math.abs(Math.log(value / base))));
    const half = (rowHeight - headHeight) / 2 - 4;
    const y = value => top + headHeight + half + 2 - Math.max(-1, Math.min(1, Math.log(value / base) / reach)) * half;
    const latest = row.changes.at(-1);
    const last = row.text(one.points.at(-1)[1]);
    const said = latest ? `${latest.verdict} ${latest.change}` : '';
    const verdict = said && drawn < 500 ? said : [last, said].filter(Boolean).join(', ');
    const name = isMixed ? `${row.cell.scenario} ${row.label}` : row.cell.label;
    datasets.rows.push({ head: top + headHeight / 2 + 2, bottom: top + rowHeight, name: clipTo(name, drawn - widthOf(verdict, 11) - 24), verdict });
    for (const [at, value, low, high] of one.points)
      if (value > 0)
        datasets.points.push({
          row: index, x: at, y: y(value), low_y: low > 0 ? y(low) : null, high_y: low > 0 ? y(high) : null, label: `${row.cell.scenario} ${row.label}`,
          value: text(value), interval: low > 0 ? `${text(low)} to ${text(high)}` : '–',
          started: files[at]?.started ?? '', commit: files[at]?.commit ?? '', file: files[at]?.name ?? '',
        });
    row.changes.forEach((change, i) => {
      const [color, shape] = verdictLooks[change.verdict] ?? verdictLooks.same;
      const next = row.changes[i + 1]?.at ?? one.points.at(-1)[0] + 1;
      datasets.changes.push({ ...change, x: change.at - 0.5, top: top + headHeight + 1, bottom: top + rowHeight - 3, color, shape, label: row.label,
        aria: `${row.label}: ${change.verdict} ${change.change}, ${measure.label} ${change.levels}, from ${change.file}` });
      if (i === 0) datasets.levels.push({ x: one.points[0][0], x2: change.at - 0.5, y: y(change.before), color: verdictLooks.same[0] });
      datasets.levels.push({ x: change.at - 0.5, x2: next - 0.5, y: y(change.after), color });
    });
  });
  const every = Math.max(1, Math.ceil(80 * files.length / drawn));
  const ticks = files.map((_, i) => i).filter(i => i % every === 0);
  return fill(historySpec, {
    x_low: -0.5, x_high: files.length - 0.5, x_ticks: ticks, x_labels: ticks.map(i => files[i].started.slice(0, 10)),
    muted: theme.muted, grid: theme.grid, soft: theme.soft, ink: theme.ink,
  }, datasets, { width: drawn, height: rows.length * rowHeight, config: config(theme) });
}
