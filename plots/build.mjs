// Makes what `ipcbench report` and `ipcbench plot` need out of this folder: report.html, one page
// that needs nothing else, and render.mjs. Usage: node build.mjs DIRECTORY
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = path.dirname(fileURLToPath(import.meta.url));
const directory = process.argv[2];
if (!directory) {
  console.error('Usage: node build.mjs DIRECTORY');
  process.exit(2);
}

const common = {
  absWorkingDir: here, bundle: true, minify: true, write: false, metafile: true, legalComments: 'none',
  logLevel: 'warning', loader: { '.json': 'json' },
};

/** Name, version and licence of every package in a bundle: their licences ask for that. */
function notices({ inputs }) {
  const packages = new Map();
  for (const input of Object.keys(inputs)) {
    const match = /^(.*node_modules\/((?:@[^/]+\/)?[^/]+))\//.exec(input);
    if (!match || packages.has(match[2])) continue;
    const folder = path.join(here, match[1]);
    const { version, license } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
    const file = fs.readdirSync(folder).find(name => /^licen[cs]e/i.test(name));
    const text = file ? fs.readFileSync(path.join(folder, file), 'utf8').trim() : '';
    packages.set(match[2], { title: `${match[2]} ${version} (${license})`, text });
  }
  const byText = new Map();
  for (const { title, text } of [...packages.values()].sort((a, b) => a.title.localeCompare(b.title)))
    byText.set(text, [...(byText.get(text) ?? []), title]);
  return [...byText].map(([text, titles]) => `${titles.join(', ')}\n\n${text}`).join('\n\n----\n\n');
}

const [page, renderer] = await Promise.all([
  build({ ...common, entryPoints: ['page.mjs'], platform: 'browser', format: 'iife', target: 'es2022' }),
  build({ ...common, entryPoints: ['render.mjs'], platform: 'node', format: 'esm', target: 'node18', external: ['canvas'] }),
]);

// A closing tag inside of the script would end it.
const script = page.outputFiles[0].text.replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--');
const style = fs.readFileSync(path.join(here, 'page.css'), 'utf8');
const hash = createHash('sha256').update(script).digest('base64');
const licences = notices(page.metafile).replaceAll('--', '- -');
const html = fs.readFileSync(path.join(here, 'page.html'), 'utf8')
  .replace('<!-- build: hash -->', () => `'sha256-${hash}'`)
  .replace('/* build: style */', () => style)
  .replace('<!-- build: licences -->', () => `<!--\n${licences}\n-->`)
  .replace('/* build: script */', () => script);

fs.mkdirSync(directory, { recursive: true });
for (const [name, text] of [['report.html', html], ['render.mjs', renderer.outputFiles[0].text]]) {
  const temporary = path.join(directory, `.${name}.${process.pid}`);
  fs.writeFileSync(temporary, text);
  fs.renameSync(temporary, path.join(directory, name));
}
