// The report's page: filters, charts, tables. All text of the results goes in as text, never as HTML.
import { Handler } from 'vega-tooltip';
import { Data, panelsBy, unique, verdicts } from './data.mjs';
import { chartsOf, panelName } from './charts.mjs';
import { themes } from './frame.mjs';
import { countText, intervalText, sizeText, tickText, timesText, valueText } from './format.mjs';
import { view } from './vega.mjs';

const firstRows = 200;      // of a long table; a button shows the rest
const canvasRows = 4000;    // marks from which on a canvas draws faster than SVG

const element = id => document.getElementById(id);

/** make('td', {className: 'number'}, 'text', child…) */
function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  for (const [name, value] of Object.entries(properties))
    if (name.includes('-') || name === 'role') made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function start() {
  const data = new Data(JSON.parse(document.querySelector('.ipcbench-charts').textContent));
  const page = { data, cells: data.cells, theme: 'light', redraw: [] };
  setUpTheme(page);
  element('provenance').append(...data.files.map(file => make('div', {},
    [file.name, data.conditions({ file: data.files.indexOf(file) }), file.started, `ipcbench ${file.version} (${file.commit})`,
      file.is_complete ? '' : 'ended early', file.build_type && file.build_type !== 'Release' ? `a ${file.build_type} build` : '']
      .filter(Boolean).join(' · '))));
  setUpSections(data);
  const sections = chartsOf(data).map(chart => chartSection(page, chart));
  setUpFilters(page);
  showMachine(data);
  showFiles(data);
  element('legend').append(...data.legend.map(line => make('li', {}, line)));
  page.update = () => {
    page.redraw = [];
    if (!data.history) showVerdicts(page);
    for (const section of sections) section.update();
    if (!data.history) showCells(page);
    showSections();
  };
  page.update();
  let width = innerWidth;
  addEventListener('resize', () => {
    if (innerWidth === width) return;
    width = innerWidth;
    clearTimeout(page.resizing);
    page.resizing = setTimeout(() => page.redraw.forEach(draw => draw()), 150);
  });
  document.documentElement.dataset.ready = 'yes';
}

/** What is not of a history is hidden; a comparison stands before everything else. */
function setUpSections({ history, changes }) {
  if (history) document.querySelector('h1').textContent = 'IPC over time';
  if (history) for (const id of ['verdict', 'table', 'machine', 'raw', 'holds']) element(id).hidden = true;
  if (changes) document.querySelector('main').prepend(make('div', { id: 'first' }));
}

// ---- theme -----------------------------------------------------------------------------------------

function setUpTheme(page) {
  const remembered = () => { try { return localStorage.getItem('ipcbench-theme'); } catch { return null; } };
  const preference = matchMedia('(prefers-color-scheme: dark)');
  const apply = () => {
    page.theme = remembered() ?? (preference.matches ? 'dark' : 'light');
    document.documentElement.dataset.theme = page.theme;
    element('theme').setAttribute('aria-pressed', String(page.theme === 'dark'));
    page.redraw.forEach(draw => draw());
  };
  preference.addEventListener('change', apply);
  element('theme').addEventListener('click', () => {
    try { localStorage.setItem('ipcbench-theme', page.theme === 'dark' ? 'light' : 'dark'); } catch { /* a page of a file may have none */ }
    apply();
  });
  apply();
}

// ---- filters ---------------------------------------------------------------------------------------

function setUpFilters(page) {
  const { data } = page;
  const groups = {
    scenario: { values: unique(data.cells.map(cell => cell.scenario)), text: value => value },
    size: { values: unique(data.cells.map(cell => cell.size)).sort((a, b) => (a ?? -1) - (b ?? -1)), text: sizeText },
    placement: { values: unique(data.cells.map(cell => cell.placement)), text: value => value },
    series: { values: unique(data.cells.map(cell => cell.series)), text: value => value },
  };
  const families = new Map(data.cells.map(cell => [cell.series, cell.family]));
  const boxes = [];
  const add = (field, value, text, parent) => {
    const box = make('input', { type: 'checkbox', checked: true });
    const label = make('label', {}, box, text);
    boxes.push({ field, value, box, label });
    parent.append(label);
  };
  for (const field of ['scenario', 'size', 'placement'])
    for (const value of groups[field].values) add(field, value, groups[field].text(value), element(`filter_${field}`));
  for (const family of unique(groups.series.values.map(series => families.get(series)))) {
    element('series').append(make('strong', {}, family));
    for (const series of groups.series.values)
      if (families.get(series) === family) add('series', series, series, element('series'));
  }
  const apply = () => {
    const chosen = Object.fromEntries(Object.keys(groups).map(field =>
      [field, new Set(boxes.filter(one => one.field === field && one.box.checked).map(one => one.value))]));
    page.cells = data.cells.filter(cell => Object.keys(groups).every(field => chosen[field].has(cell[field])));
    element('shown').textContent = page.cells.length === data.cells.length
      ? `all of ${countText(groups.series.values.length, 'transport')}, ${countText(data.cells.length, 'cell')}`
      : `${unique(page.cells.map(cell => cell.series)).length} of ${countText(groups.series.values.length, 'transport')}, ${page.cells.length} of ${countText(data.cells.length, 'cell')}`;
    page.update?.();
  };
  const set = isChecked => {
    for (const one of boxes) if (one.field === 'series' && !one.label.hidden) one.box.checked = isChecked;
    apply();
  };
  element('find').addEventListener('input', () => {
    const wanted = element('find').value.trim().toLowerCase();
    for (const one of boxes) if (one.field === 'series') {
      one.label.hidden = !one.value.toLowerCase().includes(wanted);
      one.label.style.display = one.label.hidden ? 'none' : '';
    }
  });
  element('all').addEventListener('click', () => set(true));
  element('none').addEventListener('click', () => set(false));
  element('filters').addEventListener('change', event => { if (event.target.type === 'checkbox') apply(); });
  element('filters').addEventListener('submit', event => event.preventDefault());
  element('filters').hidden = false;
  apply();
}

// ---- verdict ---------------------------------------------------------------------------------------

function showVerdicts({ data, cells }) {
  const all = verdicts(data, cells);
  const rows = all.map(one => {
    const ties = one.ties.slice(0, 6).map(cell => cell.series);
    if (one.ties.length > ties.length) ties.push(`${one.ties.length - ties.length} more`);
    return {
      file: data.files[one.file].name,
      where: [one.scenario, one.size === null ? '' : sizeText(one.size), one.placement, one.rate === null ? '' : `at ${tickText(one.rate, '/s')}`]
        .filter(Boolean).join(', '),
      best: one.best.series, value: `${one.measure.label} ${one.value} ${one.interval}`.trim(),
      ties: one.ties.length === 0 ? (one.repeats > 1 ? 'nothing' : 'one repeat has no interval') : ties.join(', '),
      next: one.next ? `${one.next.series}, ${nearTimesText(one.times)} ×` : '–', compared: one.compared,
    };
  });
  const several = data.files.length > 1 ? [['file', 'file']] : [];
  element('verdicts').replaceChildren(rows.length === 0 ? make('p', {}, 'Nothing that was measured is left by the filters.') : plainTable(rows,
    [...several, ['where', 'where'], ['best', 'best here'], ['value', 'by'], ['next', 'next, told apart'],
      ['ties', 'not told apart from it'], ['compared', 'compared']], 'The best of each scenario, size and placement', ['where', 'best', 'value', 'next', 'ties']));
}

/** Of quotients near 1 the second digit matters. */
function nearTimesText(ratio) { return ratio < 1.095 ? ratio.toFixed(2) : timesText(ratio); }

// ---- tables ----------------------------------------------------------------------------------------

function plainTable(rows, columns, caption, free = []) {
  const body = make('tbody');
  const add = some => body.append(...some.map(row => make('tr', {}, ...columns.map(([field]) =>
    make('td', { className: free.includes(field) ? 'free' : '' }, String(row[field] ?? '–'))))));
  add(rows.slice(0, firstRows));
  const scroll = make('div', { className: 'scroll short', tabIndex: 0, role: 'region', 'aria-label': caption }, make('table', {},
    make('thead', {}, make('tr', {}, ...columns.map(([, title]) => make('th', { scope: 'col' }, title)))), body));
  if (rows.length <= firstRows) return scroll;
  const more = make('button', { type: 'button' }, `Show all ${rows.length} rows`);
  more.addEventListener('click', () => { add(rows.slice(firstRows)); more.remove(); });
  return make('div', {}, scroll, more);
}

/** The columns of the table of all cells: what the scenarios that are shown are judged by. */
function cellColumns(data, cells) {
  const scenarios = unique(cells.map(cell => cell.scenario)).map(name => data.scenarios[name]);
  const present = new Set(cells.flatMap(cell => Object.keys(cell.measures)));
  const names = unique([...scenarios.flatMap(({ main, tail }) => [main, tail]), 'bytes_per_s', 'fairness', 'cpu_ns_per_message'])
    .filter(name => name && present.has(name));
  const text = (field, title) => ({ title, text: cell => String(cell[field]), order: cell => cell[field] });
  const best = new Map();
  const column = cell => JSON.stringify([cell.file, cell.scenario, cell.size, cell.placement, cell.rate]);
  for (const cell of data.cells) if (!cell.isRoofline) best.set(column(cell), Math.min(best.get(column(cell)) ?? Infinity, data.cost(cell)));
  const times = cell => data.cost(cell) < Infinity && best.get(column(cell)) < Infinity ? data.cost(cell) / best.get(column(cell)) : null;
  return [
    ...(data.files.length > 1 ? [{ title: 'file', text: cell => data.files[cell.file].name, order: cell => cell.file }] : []),
    text('scenario', 'scenario'), text('label', 'transport'),
    { title: 'size', isNumber: true, text: cell => cell.size === null ? '–' : sizeText(cell.size), order: cell => cell.size ?? -1 },
    text('placement', 'placement'),
    { title: '× best', isNumber: true, text: cell => cell.isRoofline ? 'roofline' : times(cell) === null ? '–' : timesText(times(cell)), order: times },
    ...names.map(name => ({
      title: data.measure(name).label, isNumber: true,
      text: cell => cell.measures[name] ? `${valueText(cell.measures[name][0], data.measure(name).unit)} ${intervalText(cell.measures[name])}`.trim() : '–',
      order: cell => cell.measures[name]?.[0] ?? null,
    })),
    { title: 'repeats', isNumber: true, text: cell => String(cell.ok + cell.suspect), order: cell => cell.ok + cell.suspect },
    { title: 'notes', isFree: true, text: cell => data.main(cell) ? cell.marks : data.note(cell), order: cell => data.note(cell) },
  ];
}

function showCells(page) {
  const { data, cells } = page;
  const columns = cellColumns(data, cells);
  const sort = page.sort ?? { title: '', isDown: false };
  // Before a column is chosen: each scenario, placement and size, the best first.
  const by = columns.find(column => column.title === sort.title) ?? { order: () => 0 };
  // What has no value stands at the end, whichever way it is sorted.
  const ranked = panelsBy(cells, ['file', 'scenario', 'placement', 'size', 'rate'])
    .flatMap(panel => panel.cells.sort((a, b) => data.cost(a) - data.cost(b) || 0));
  const sorted = ranked.map(cell => [by.order(cell), cell]).sort(([a], [b]) => {
    if (a === null || b === null) return (a === null) - (b === null);
    const difference = typeof a === 'string' ? a.localeCompare(b, 'en') : a - b;
    return sort.isDown ? -difference : difference;
  }).map(([, cell]) => cell);
  const body = make('tbody');
  const add = some => body.append(...some.map(cell => make('tr', {}, ...columns.map(column =>
    make('td', { className: column.isNumber ? 'number' : column.isFree ? 'free' : '' }, column.text(cell))))));
  const limit = page.isWhole ? sorted.length : firstRows;
  add(sorted.slice(0, limit));
  const head = make('tr', {}, ...columns.map(column => {
    const isSorted = column === by;
    const button = make('button', { type: 'button' }, column.title + (isSorted ? (sort.isDown ? ' ▼' : ' ▲') : ''));
    button.addEventListener('click', () => {
      page.sort = { title: column.title, isDown: isSorted ? !sort.isDown : false };
      showCells(page);
      [...element('cells').querySelectorAll('th button')][columns.indexOf(column)]?.focus();
    });
    return make('th', { scope: 'col', className: column.isNumber ? 'number' : '', 'aria-sort': isSorted ? (sort.isDown ? 'descending' : 'ascending') : 'none' }, button);
  }));
  const parts = [make('div', { className: 'scroll', tabIndex: 0, role: 'region', 'aria-label': 'All numbers' }, make('table', {}, make('thead', {}, head), body))];
  if (sorted.length > limit) {
    const more = make('button', { type: 'button', id: 'more' }, `Show all ${sorted.length} rows`);
    more.addEventListener('click', () => { page.isWhole = true; add(sorted.slice(limit)); more.remove(); });
    parts.push(more);
  }
  element('cells').replaceChildren(...parts);
}

// ---- charts ----------------------------------------------------------------------------------------

const tooltip = new Handler({ theme: 'ipcbench', id: 'tooltip', disableDefaultStyle: true });

function chartSection(page, chart) {
  const select = make('select', { 'aria-label': `${chart.heading}: which part` });
  const holder = make('div');
  const section = make('section', { id: chart.name }, make('h2', {}, chart.heading), make('p', { className: 'help' }, chart.help),
    make('div', { className: 'row' }, select), holder);
  (chart.name === 'forest' ? element('first') ?? element('charts') : element('charts')).append(section);
  let panels = [];
  let drawn = [];
  const show = () => {
    drawn.forEach(one => one.stop());
    const chosen = select.value === 'all' ? panels : [panels[Number(select.value)] ?? panels[0]];
    drawn = chosen.map(panel => chartPanel(page, panel));
    holder.replaceChildren(...drawn.map(one => one.figure));
    page.redraw = page.redraw.filter(draw => draw.section !== section);
    for (const one of drawn) page.redraw.push(Object.assign(one.draw, { section }));
  };
  // A choice that the filters have removed counts again once they have brought it back.
  let wanted = '';
  select.addEventListener('change', () => {
    wanted = select.selectedOptions[0].textContent;
    show();
  });
  return {
    update() {
      panels = chart.draw(page.data, page.cells);
      section.hidden = panels.length === 0;
      if (panels.length === 0) {
        drawn.forEach(one => one.stop());
        drawn = [];
        holder.replaceChildren();
        return;
      }
      const names = panels.map(panel => panelName(page.data, panel));
      select.replaceChildren(...names.map((text, i) => make('option', { value: String(i), selected: text === wanted }, text)));
      if (panels.length > 1) select.append(make('option', { value: 'all', selected: wanted.startsWith('All ') }, `All ${panels.length}, one below the other`));
      select.parentElement.hidden = panels.length === 1;
      select.parentElement.style.display = panels.length === 1 ? 'none' : '';
      show();
    },
  };
}

/** One panel: drawn when it comes into sight, again when the width or the theme changes. */
function chartPanel(page, panel) {
  const holder = make('div', { className: 'chart', role: 'group', 'aria-label': `${panel.title}. ${panel.subtitle}`, tabIndex: 0 });
  const table = make('details', {}, make('summary', {}, 'The same as a table'));
  table.addEventListener('toggle', () => {
    if (table.open && table.children.length === 1) table.append(plainTable(panel.rows, panel.columns, panel.title, ['note']));
  });
  const figure = make('figure', { className: 'panel' }, make('figcaption', {}, make('h3', {}, panel.title), make('p', {}, panel.subtitle)), holder, table);
  let current = null;
  let isInSight = false;
  let latest = 0;
  const draw = async () => {
    if (!isInSight) return;
    const turn = ++latest;
    const width = Math.max(320, Math.min(1180, holder.clientWidth));
    try {
      const made = view(panel.spec({ width, theme: themes[page.theme] }), { renderer: panel.rows.length > canvasRows ? 'canvas' : 'svg', hover: true });
      const inside = make('div');
      made.initialize(inside).tooltip(tooltip.call);
      await made.runAsync();
      if (turn !== latest) return made.finalize();
      current?.finalize();
      current = made;
      holder.replaceChildren(inside);
      holder.dataset.drawn = page.theme;
    } catch (error) {
      console.error(error);
      holder.replaceChildren(make('p', { className: 'problem' }, `This chart can't be drawn: ${error.message}`));
    }
  };
  const observer = new IntersectionObserver(entries => {
    if (!entries.some(entry => entry.isIntersecting)) return;
    isInSight = true;
    observer.disconnect();
    draw();
  }, { rootMargin: '400px' });
  observer.observe(figure);
  return { figure, draw, stop: () => { observer.disconnect(); latest = -1; current?.finalize(); } };
}

function showSections() {
  element('sections').replaceChildren(...[...document.querySelectorAll('section')].filter(section => !section.hidden)
    .map(section => make('a', { href: `#${section.id}` }, section.querySelector('h2').textContent)));
}

// ---- machine, command, data ------------------------------------------------------------------------

function showMachine(data) {
  element('machines').append(...data.files.map((file, index) => make('details', { open: data.files.length === 1 },
    make('summary', {}, data.files.length > 1 ? `${file.name}: ${file.machine}` : `${file.machine}, Linux ${file.kernel}`),
    ...(index > 0 && file.identity_digest !== data.files[0].identity_digest
      ? [make('p', { className: 'problem' }, 'Another machine or build than that of the first file: compare with care.')] : []),
    make('p', { className: 'help' }, `Comparable where the identity is ${file.identity_digest}; made under the same conditions where the state is ${file.state_digest}.`),
    plainTable(file.record.map(([name, value]) => ({ name, value })), [['name', 'what'], ['value', 'found']], `The machine of ${file.name}`, ['value']))));
}

function showFiles(data) {
  const blocks = [...document.querySelectorAll('.ipcbench-results')];
  element('files').append(...data.files.map((file, index) => {
    const page = decodeURIComponent(location.pathname.split('/').at(-1)) || 'report.html';
    const again = data.files.length === 1 ? `\nipcbench run --from ${/^[\w.-]+$/.test(page) ? page : 'FILE'} -o again.json` : '';
    const command = make('pre', { tabIndex: 0 }, (file.command || 'not recorded') + again);
    const copy = make('button', { type: 'button' }, 'Copy the command');
    copy.addEventListener('click', async () => {
      getSelection().selectAllChildren(command);
      try {
        await navigator.clipboard.writeText(file.command);
        copy.textContent = 'Copied';
      } catch { copy.textContent = 'Selected: copy it with Ctrl-C'; }
    });
    const save = make('button', { type: 'button' }, 'Save the results file');
    save.addEventListener('click', () => {
      const url = URL.createObjectURL(new Blob([blocks[index].textContent.trim(), '\n'], { type: 'application/json' }));
      make('a', { href: url, download: file.name.replace(/[^\w.-]/g, '_').replace(/(\.json|\.html)?$/, '.json') }).click();
      setTimeout(() => URL.revokeObjectURL(url), 10_000);
    });
    return make('div', {}, make('h3', {}, file.name), make('p', { className: 'help' }, 'The same runs in the same order, from the command or from this page:'), command,
      make('div', { className: 'row' }, copy, save));
  }));
}

try {
  start();
} catch (error) {
  element('problem').hidden = false;
  element('problem').textContent = `This page can't be shown: ${error.message}`;
  console.error(error);
}
