// The report's page in headless Chromium, and the pictures of `ipcbench plot`, as a user meets them.
// Usage: node report_test.mjs PROGRAM DIRECTORY [WORDS]; screenshots are kept in the directory; of the
// tests, those run whose names have the words.
// Exit status 77: there is no Chromium, or no playwright-core.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const [program, screenshots] = process.argv.slice(2, 4).map(argument => path.resolve(argument));
const wanted = process.argv[4] ?? '';
const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(fs.existsSync);
const playwright = await import('playwright-core').catch(() => null);
if (!executablePath || !playwright) {
  console.log(`${playwright ? 'chromium' : 'playwright-core'} is missing; scripts/setup --check installs it`);
  process.exit(77);
}
const patience = 120_000;  // milliseconds; a busy machine draws slowly
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'test-ipcbench.'));
fs.mkdirSync(screenshots, { recursive: true });
const at = name => path.join(directory, name);
const reference = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../results/quick-2cpu-vm.json');

function ipcbench(...words) {
  const { status, stdout, stderr } = spawnSync(program, words, { encoding: 'utf8', maxBuffer: 1 << 28, env: { ...process.env, TMPDIR: directory, XDG_STATE_HOME: directory } });
  assert.equal(status, 0, `ipcbench ${words.join(' ')}: ${stderr}`);
  return stdout;
}

// ---- results files ----------------------------------------------------------------------------------

/** The reference results with its runs as `change` makes them: [run, …] of each. */
function derive(name, change) {
  const document = JSON.parse(fs.readFileSync(reference, 'utf8'));
  document.runs = document.runs.flatMap(change);
  fs.writeFileSync(at(name), JSON.stringify(document));
  return at(name);
}

/** 66 transports, each a little slower than the one before. */
function crowd() {
  return derive('crowd.json', run => {
    if (!['pipe', 'fifo', 'tcp', 'shm_posix.yield', 'unix_dgram', 'posix_mq'].includes(run.transport) || run.repeat > 6) return [];
    return Array.from({ length: 11 }, (_, i) => {
      const copy = { ...run, transport: `${run.transport}_number_${i}` };
      for (const key of Object.keys(copy)) if (/_(ns|per_s|per_message)$/.test(key) && typeof copy[key] === 'number') copy[key] *= 1 + i / 7;
      delete copy.histogram;
      return i === 0 ? { ...run, transport: copy.transport } : [copy];
    }).flat();
  });
}

/** 10,000 cells of one run each, half of them with histograms. */
function tenThousand() {
  const document = JSON.parse(fs.readFileSync(reference, 'utf8'));
  const patterns = ['ping_pong', 'flood'].map(scenario => document.runs.find(run => run.scenario === scenario && run.transport === 'pipe' && run.size === 4096));
  document.runs = [];
  for (let i = 0; i < 10_000; ++i)
    document.runs.push({ ...patterns[i % 2], transport: `transport_${Math.floor(i / 2) % 100}`, size: 64 << (Math.floor(i / 200) % 10), placement: `pin:${Math.floor(i / 2000)},1`, repeat: 1, order: i });
  fs.writeFileSync(at('ten_thousand.json'), JSON.stringify(document));
  return at('ten_thousand.json');
}

const attacks = [
  '</script><script>window.hacked = 1</script>', '<img src=x onerror="window.hacked = 2">', '"><svg onload=window.hacked=3>',
  '<!--<script>', 'javascript:window.hacked=4', '${window.hacked=5}', '{{constructor.constructor("window.hacked=6")()}}', '\u202Eevil\u0000',
];

function hostile() {
  const transports = new Map();
  return derive('hostile.json', run => {
    if (run.repeat > 3) return [];
    if (!transports.has(run.transport)) transports.set(run.transport, attacks[transports.size % attacks.length] + transports.size);
    return [{ ...run, transport: transports.get(run.transport), placement: `<b>${run.placement}</b>`, reason: run.status === 'ok' ? null : attacks[1] }];
  });
}

// ---- the page ---------------------------------------------------------------------------------------

const browser = await playwright.chromium.launch({ executablePath, timeout: patience, args: ['--no-sandbox', '--disable-dev-shm-usage'] });

/** Opens a page and fails on whatever a quiet, offline page wouldn't do. */
async function open(file, { width = 1280, height = 800, colorScheme = 'light' } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, offline: true, acceptDownloads: true });
  context.setDefaultTimeout(patience);
  const page = await context.newPage();
  page.problems = [];
  page.on('console', message => { if (['error', 'warning'].includes(message.type())) page.problems.push(message.text()); });
  page.on('pageerror', error => page.problems.push(error.message));
  page.on('dialog', dialog => { page.problems.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on('request', request => { if (!/^(file|blob):/.test(request.url())) page.problems.push(`request: ${request.url().slice(0, 100)}`); });
  await page.goto(pathToFileURL(file).href);
  await page.waitForSelector('html[data-ready]', { timeout: patience });
  return page;
}

/** Scrolls to each chart until it is drawn. */
async function drawAll(page) {
  for (const section of await page.locator('#charts > section:not([hidden])').all()) {
    await section.scrollIntoViewIfNeeded();
    await section.locator('[data-drawn] svg, [data-drawn] canvas').first().waitFor({ timeout: patience });
  }
}

/** Texts of a chart that lie upon each other by more than a hair. */
function overlaps(page) {
  return page.evaluate(() => [...document.querySelectorAll('.chart svg')].flatMap(svg => {
    const boxes = [...svg.querySelectorAll('text')].filter(text => text.textContent.trim() && getComputedStyle(text).opacity !== '0')
      .map(text => ({ text: text.textContent, box: text.getBoundingClientRect() }));
    return boxes.flatMap((one, i) => boxes.slice(i + 1).filter(other =>
      Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left) > 2 &&
      Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top) > 4).map(other => `${one.text} | ${other.text}`));
  }));
}

const drawn = page => page.locator('#charts > section:not([hidden])').evaluateAll(sections => sections.map(section => section.id));
const keep = (page, name, options) => page.screenshot({ path: path.join(screenshots, `${name}.png`), ...options });

const tests = {
  async 'the page holds its results file, and the program reads it'() {
    ipcbench('report', reference, '-o', at('page.html'));
    assert.equal(ipcbench('table', at('page.html')), ipcbench('table', reference));
    const template = fs.statSync(path.join(path.dirname(program), 'plots/report.html')).size;
    console.log(`  the page without data: ${(template / 1e6).toFixed(2)} MB`);
    assert.ok(template < 2e6);
    const html = fs.readFileSync(at('page.html'), 'utf8').replace(/<script[^]*?<\/script>/g, '');
    assert.doesNotMatch(html, /\b(src|href)\s*=\s*["']?(https?:)?\/\//, 'nothing comes from a network');
  },

  async 'charts are drawn, without a word on the console or to the network'() {
    for (const [name, options] of [['wide', {}], ['narrow', { width: 400, height: 800 }], ['dark', { colorScheme: 'dark' }]]) {
      const page = await open(at('page.html'), options);
      assert.deepEqual(await drawn(page), ['heat_map', 'percentiles', 'by_size', 'pareto', 'placements', 'run_order']);
      await drawAll(page);
      await page.evaluate(() => scrollTo(0, 0));
      await keep(page, `quick_${name}`, { fullPage: true });
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), options.width ?? 1280, 'the page itself needs no scrolling sideways');
      assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), options.colorScheme ?? 'light');
      assert.deepEqual(await overlaps(page), []);
      assert.deepEqual(page.problems, []);
      await page.context().close();
    }
  },

  async 'every panel of every chart can be drawn'() {
    const page = await open(at('page.html'));
    for (const select of await page.locator('#charts select').all())
      if (await select.isVisible()) await select.selectOption('all');
    for (const figure of await page.locator('figure').all()) {
      await figure.scrollIntoViewIfNeeded();
      await figure.locator('[data-drawn] svg').waitFor();
    }
    assert.ok(await page.locator('figure').count() > 30);
    assert.deepEqual(await overlaps(page), []);
    assert.deepEqual(page.problems, []);
    await page.context().close();
  },

  async 'filters, sorting, read-outs and themes work'() {
    const page = await open(at('page.html'));
    const rows = () => page.locator('#cells tbody tr').count();
    const all = await rows();
    await page.locator('#filter_box summary').click();
    await page.getByRole('checkbox', { name: 'flood', exact: true }).uncheck();
    assert.ok(await rows() < all);
    assert.doesNotMatch(await page.locator('#cells tbody').innerText(), /flood/);
    assert.doesNotMatch((await page.locator('#charts select').allInnerTexts()).join(), /flood/);
    await page.locator('#filter_size').getByRole('checkbox', { name: '64 B', exact: true }).uncheck();
    assert.doesNotMatch((await page.locator('#cells tbody td:nth-child(3)').allInnerTexts()).join('|'), /(^|\|)64 B/);
    await page.locator('#filter_placement').getByRole('checkbox', { name: 'same-core', exact: true }).uncheck();
    assert.deepEqual(new Set(await page.locator('#cells tbody td:nth-child(4)').allInnerTexts()), new Set(['cross-core']));
    assert.ok(!(await drawn(page)).includes('placements'), 'one placement is no comparison');
    await page.locator('#find').fill('unix');
    assert.equal(await page.locator('#series input:visible').count(), 3);
    await page.locator('#none').click();
    assert.match(await page.locator('#shown').innerText(), /of 16 transports/);
    assert.doesNotMatch(await page.locator('#cells tbody').innerText(), /unix_/);
    await page.locator('#find').fill('');
    await page.locator('#none').click();
    assert.match(await page.locator('#verdicts').innerText(), /Nothing that was measured is left/);
    assert.deepEqual(await drawn(page), []);
    await page.locator('#all').click();
    for (const box of await page.locator('#filters input[type=checkbox]').all()) await box.check();
    assert.equal(await rows(), all);
    await page.locator('#filter_box summary').click();

    // Sorting by keyboard alone.
    const head = page.getByRole('button', { name: 'messages', exact: true });
    await head.focus();
    await page.keyboard.press('Enter');
    assert.equal(await page.locator('th[aria-sort=ascending]').innerText(), 'messages ▲');
    await page.keyboard.press('Enter');
    assert.match(await page.locator('#cells tbody tr:first-child').innerText(), /memcpy.*M\/s/s);

    await drawAll(page);
    await page.locator('#heat_map .chart').scrollIntoViewIfNeeded();
    await page.locator('#heat_map .chart [aria-label^="shm_posix.yield, 64 B, cross-core"]').hover();
    await page.locator('#tooltip.visible').waitFor();
    assert.match(await page.locator('#tooltip').innerText(), /shm_posix\.yield[^]*270 ns|271 ns/);
    await keep(page, 'read_out');

    await page.locator('#theme').click();
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
    await page.locator('#heat_map [data-drawn=dark]').waitFor();

    // What a screen reader finds: a name for every control and chart, the chart's numbers as a table.
    await page.locator('#percentiles details summary').click();
    assert.match(await page.locator('#percentiles details table').innerText(), /shm_posix.yield\s+p50/);
    const nameless = await page.evaluate(() => [...document.querySelectorAll('button, select, input, [role=group], [role=region]')].filter(one =>
      !(one.getAttribute('aria-label') || one.textContent.trim() || one.closest('label')?.textContent.trim())).map(one => one.outerHTML.slice(0, 100)));
    assert.deepEqual(nameless, []);

    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save the results file' }).click();
    await (await download).saveAs(at('saved.json'));
    assert.deepEqual(JSON.parse(fs.readFileSync(at('saved.json'))), JSON.parse(fs.readFileSync(reference)));
    assert.match(await page.locator('#files pre').innerText(), /ipcbench run --suite quick .*--seed 1/);
    assert.deepEqual(page.problems, []);
    await page.context().close();
  },

  async '66 transports stay readable'() {
    ipcbench('report', crowd(), '-o', at('crowd.html'));
    for (const width of [1280, 400]) {
      const page = await open(at('crowd.html'), { width });
      await drawAll(page);
      await page.evaluate(() => scrollTo(0, 0));
      await keep(page, `crowd_${width}`, { fullPage: true });
      assert.match(await page.locator('#shown').innerText(), /66 transports/);
      assert.deepEqual(await overlaps(page), []);
      assert.deepEqual(page.problems, []);
      await page.context().close();
    }
  },

  async 'two files stand side by side'() {
    const slower = derive('slower.json', run => run.round_trip_p50_ns ? [{ ...run, round_trip_p50_ns: run.round_trip_p50_ns * 2, histogram: undefined, round_trip_source: 'sub-batches' }] : [run]);
    ipcbench('report', reference, slower, '-o', at('two.html'));
    const page = await open(at('two.html'));
    assert.ok((await drawn(page)).includes('forest'));
    await drawAll(page);
    assert.match(await page.locator('#forest svg').innerText(), /regressed/);
    await page.locator('#forest').screenshot({ path: path.join(screenshots, 'forest.png') });
    assert.deepEqual(await overlaps(page), []);
    assert.deepEqual(page.problems, []);
    await page.context().close();
  },

  async 'nothing of a hostile file is executed'() {
    ipcbench('report', hostile(), '-o', at('hostile.html'));
    const page = await open(at('hostile.html'));
    await drawAll(page);
    for (const details of await page.locator('details:not(#filter_box) summary').all()) await details.click();
    const mark = page.locator('#heat_map svg [aria-roledescription]').first();
    if (await mark.count()) await mark.hover({ force: true });
    await page.waitForTimeout(300);
    assert.equal(await page.evaluate(() => window.hacked), undefined);
    assert.equal(await page.locator('main img, main b, main svg svg, script:not([type])').count(), 1, 'the page has its own script and nothing of the file’s');
    assert.match(await page.locator('#cells').innerText(), /<img src=x onerror="window.hacked = 2">/);
    assert.deepEqual(page.problems, []);
    // Were a script to come in after all, the policy would stop it.
    await page.evaluate(() => { const script = document.createElement('script'); script.textContent = 'window.hacked = 7'; document.body.append(script); });
    assert.equal(await page.evaluate(() => window.hacked), undefined);
    await page.context().close();
  },

  async '10,000 cells are reported in under five seconds'() {
    const file = tenThousand();
    // Processor time, which other processes on the machine don't add to.
    const times = spawnSync('bash', ['-c', 'TIMEFORMAT="%U %S"; time "$0" report "$1" -o "$2" >/dev/null', program, file, at('ten_thousand.html')], { encoding: 'utf8' });
    const seconds = times.stderr.trim().split(' ').reduce((sum, part) => sum + Number(part), 0);
    console.log(`  ${seconds.toFixed(1)} s of processor time for a file of ${(fs.statSync(file).size / 1e6).toFixed(0)} MB`);
    assert.ok(seconds < 5);
    const page = await open(at('ten_thousand.html'));
    assert.match(await page.locator('#shown').innerText(), /10000 cells/);
    await page.locator('#heat_map [data-drawn]').waitFor();
    assert.equal(await page.locator('#cells tbody tr').count(), 200);
    await page.locator('#more').click();
    assert.equal(await page.locator('#cells tbody tr').count(), 10_000);
    assert.deepEqual(page.problems, []);
    await page.context().close();
  },

  async 'plot writes pictures'() {
    const pictures = ipcbench('plot', reference, '-o', at('pictures'), '--chart', 'heat_map,pareto').trim().split('\n');
    assert.ok(pictures.length > 10);
    for (const picture of pictures) {
      const svg = fs.readFileSync(picture, 'utf8');
      assert.match(svg, /^<svg [^]*ipcbench run --suite quick[^]*<\/svg>$/);
      assert.doesNotMatch(svg, /NaN|undefined|<script/);
    }
    for (const [format, magic] of [['png', '\x89PNG'], ['pdf', '%PDF']]) {
      const [picture] = ipcbench('plot', reference, '-o', at('pictures'), '--format', format, '--chart', 'run_order').trim().split('\n');
      assert.equal(fs.readFileSync(picture, 'latin1').slice(0, 4), magic);
    }
    const wrong = spawnSync(program, ['plot', reference, '-o', at('pictures'), '--chart', 'pie'], { encoding: 'utf8' });
    assert.equal(wrong.status, 2);
    assert.match(wrong.stderr, /'pie'.*heat_map/);
    const evil = ipcbench('plot', at('hostile.json'), '-o', at('evil'), '--chart', 'heat_map,percentiles').trim().split('\n');
    for (const picture of evil) assert.doesNotMatch(fs.readFileSync(picture, 'utf8'), /<(script|img)/);
  },
};

let failed = 0;
const chosen = Object.entries(tests).filter(([name]) => name.includes(wanted));
for (const [name, run] of chosen) {
  try {
    await run();
    console.log(`ok      ${name}`);
  } catch (error) {
    ++failed;
    console.log(`FAILED  ${name}\n${error.stack}`);
  }
}
await browser.close();
fs.rmSync(directory, { recursive: true });
console.log(`${chosen.length - failed} passed, ${failed} failed; screenshots in ${screenshots}`);
process.exit(failed ? 1 : 0);
