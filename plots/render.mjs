// `ipcbench plot` draws with this: charts' data on stdin, [{name, svg}] on stdout. An argument names
// the charts, between commas; without it, all. Exit status 2: a name is wrong, or nothing fits.
import fs from 'node:fs';
import { Data } from './data.mjs';
import { charts, chartsOf, panelName } from './charts.mjs';
import { themes } from './frame.mjs';
import { widthOf } from './text.mjs';
import { measureTextBy, view } from './vega.mjs';

const width = 860;  // pixels

function fail(message) {
  fs.writeSync(2, `${message}\n`);
  process.exit(2);
}

function slug(text) {
  return text.toLowerCase().replace(/[^a-z0-9_]+/g, '-').replace(/^-|-$/g, '').slice(0, 100);
}

function escape(text) {
  return text.replace(/[&<>"']/g, letter => `&#${letter.charCodeAt(0)};`);
}

/** Lines of so many pixels at most. */
function wrap(text, size, room = width - 90) {
  const lines = [''];
  for (const word of text.split(' '))
    if (lines.at(-1) && widthOf(`${lines.at(-1)} ${word}`, size) > room) lines.push(word);
    else lines.push(`${lines.pop()} ${word}`.trim());
  return lines;
}

/** Adds lines below the picture: machine, date, commit, and the command to get it again. */
function withFooter(svg, lines, theme) {
  const [, drawn, high] = /width="([\d.]+)" height="([\d.]+)"/.exec(svg).map(Number);
  const wide = Math.max(drawn, 640);
  const shown = lines.flatMap(line => wrap(line, 9, wide - 16)).slice(0, 8);
  const tall = high + shown.length * 13 + 8;
  const footer = shown.map((line, i) =>
    `<text x="8" y="${high + 10 + i * 13}" font-family="DejaVu Sans, Liberation Sans, sans-serif" font-size="9" fill="${theme.soft}">${escape(line)}</text>`).join('');
  return svg
    .replace(/width="[\d.]+" height="[\d.]+" viewBox="0 0 [\d.]+ [\d.]+"/, `width="${wide}" height="${tall}" viewBox="0 0 ${wide} ${tall}"`)
    .replace(/(<rect width=")[\d.]+(" height=")[\d.]+/, `$1${wide}$2${tall}`)
    .replace(/<\/svg>\s*$/, () => `${footer}</svg>`);
}

/** What only a pointer would show is left out of a picture. */
function withoutHover(spec) {
  if (spec.layer) spec.layer = spec.layer.filter(layer => !layer.name?.startsWith('hover'));
  return spec;
}

measureTextBy(widthOf);
const wanted = (process.argv[2] ?? '').split(',').filter(Boolean);
for (const name of wanted)
  if (!charts.some(chart => chart.name === name))
    fail(`--chart '${name}': expected some of ${charts.map(chart => chart.name).join(', ')}`);

const data = new Data(JSON.parse(fs.readFileSync(0, 'utf8')));
const theme = themes.light;
const pictures = [];
const names = new Set();
for (const chart of chartsOf(data).filter(({ name }) => wanted.length === 0 || wanted.includes(name)))
  for (const panel of chart.draw(data, data.cells)) {
    const spec = withoutHover(panel.spec({ width, theme }));
    spec.title = { text: wrap(panel.title, 14 * 1.1), subtitle: wrap(panel.subtitle, 11) };
    const svg = await view(spec, { renderer: 'none' }).toSVG();
    const base = [chart.name, slug(panelName(data, panel))].join('.');
    let name = base;
    for (let i = 2; names.has(name); ++i) name = `${base}-${i}`;
    names.add(name);
    pictures.push({ name, svg: withFooter(svg, data.provenance(panel), theme) });
  }
if (pictures.length === 0)
  fail(`nothing of this can be drawn${wanted.length ? ` as ${wanted.join(', ')}` : ''}; 'ipcbench table' shows what there is`);
fs.writeFileSync(1, JSON.stringify(pictures));
