// Runs the steps of a plan on the sample pages in Chromium.
//
//   node browser.js PLAN.json
//
// The plan names the folder of playwright-core, the programs, the address of the gallery and a folder
// for screenshots. For each step, a line {"step": …, "ok": …, "detail": …} is printed.

'use strict';

const fs = require('fs');
const path = require('path');
const assert = require('assert');

const plan = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const { chromium } = require(plan.playwright);
const axe = fs.readFileSync(plan.axe, 'utf8');
const pages = ['index.html', 'item/acme.notes.html', 'item/mallory.hello.html', 'item/acme.hello.html', 'categories/index.html', 'publishers/acme.html',
  'letters/a.html', 'recent/1.html', 'about/editors.html', 'about/messages.html', 'about/report.html', 'about/new.html', 'index.html?q=note', 'item/index.html', '404.html'];
const phone = { width: 360, height: 740 }, tablet = { width: 768, height: 900 }, desk = { width: 1280, height: 860 };

// response returns what galshim responds to a query.
function response(query) {
  const [filter] = query.filters, text = filter.criteria.find(c => c.filterType === 10)?.value || '';
  const all = Array.from({ length: 60 }, (_, i) => `note ${i}`).concat('Acme Notes').filter(name => name.toLowerCase().includes(text.toLowerCase()));
  const extensions = all.slice((filter.pageNumber - 1) * filter.pageSize, filter.pageNumber * filter.pageSize).map(displayName => ({
    publisher: { publisherName: 'acme', displayName: 'Acme Tools' }, extensionName: displayName === 'Acme Notes' ? 'notes' : displayName.replace(' ', '-'),
    displayName, shortDescription: '<b>text</b>', statistics: [{ statisticName: 'install', value: 4711 }],
    versions: [{ version: '1.0.0', assetUri: 'javascript:alert(1)', files: [{ assetType: 'Microsoft.VisualStudio.Services.Icons.Default' }] }],
  }));
  return { results: [{ extensions, resultMetadata: [{ metadataItems: [{ count: all.length }] }] }] };
}

const steps = {
  // No page is wider than its window, in both themes, and axe-core finds nothing.
  async 'width and axe-core'({ open }) {
    for (const [viewport, colorScheme] of [[phone, 'light'], [desk, 'light'], [desk, 'dark']]) {
      for (const address of pages) {
        const page = await open(address, { colorScheme, viewport });
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(width <= viewport.width, `${address}: ${width} pixels wide at ${viewport.width}`);
        for (const details of await page.$$('details')) await details.evaluate(d => { d.open = true; });
        const opened = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(opened <= viewport.width, `${address}: ${opened} pixels wide at ${viewport.width}, opened`);
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => axe.run());
        assert.deepEqual(violations.map(v => `${address}: ${v.id}: ${v.nodes.map(n => n.html).join(' ').slice(0, 300)}`), []);
        await page.close();
      }
    }
  },

  // Every page of the gallery is as wide as its window, with all details opened.
  async 'width of all pages'({ open }) {
    for (const viewport of [phone, tablet]) {
      const page = await open('index.html', { viewport });
      for (const address of plan.pages) {
        await page.goto(plan.gallery + address);
        const width = await page.evaluate(() => {
          for (const details of document.querySelectorAll('details')) details.open = true;
          return document.documentElement.scrollWidth;
        });
        assert.ok(width <= viewport.width, `${address}: ${width} pixels wide at ${viewport.width}`);
      }
    }
  },

  async 'without JavaScript'({ open }) {
    const page = await open('index.html', { javaScriptEnabled: false });
    assert.equal(await page.locator('.search:visible').count(), 0);
    await page.click('#categories + ul a >> nth=0');
    await page.click('.card a >> nth=0');
    assert.match(page.url(), /\/item\/[a-z.-]+\.html$/);
    assert.ok(await page.getByText('Download').first().isVisible());
    await page.goto(`${plan.gallery}item/acme.notes.html`);
    assert.ok(await page.getByText('Keeps notes next to the code they are about. A note').isVisible());
    await page.click('text=Change log >> nth=0');
    assert.match(page.url(), /#changelog$/);
  },

  async 'search, and back to the row'({ open }) {
    const page = await open('item/acme.hello.html');
    await page.fill('#q', 'note');
    await page.press('#q', 'Enter');
    await page.waitForURL('**/index.html?q=note');
    await page.locator('#count', { hasText: '61 extensions' }).waitFor();
    assert.equal(await page.getAttribute('#count', 'role'), 'status');
    assert.ok(await page.locator('#browse').isHidden());
    await page.click('#more');
    await page.waitForFunction(() => document.querySelectorAll('#rows li').length === 48);
    await page.click('#more');
    await page.locator('#rows a', { hasText: 'Acme Notes' }).click();
    await page.waitForURL('**/item/acme.notes.html');
    await page.goBack();
    await page.waitForFunction(() => document.activeElement?.textContent === 'Acme Notes');
    assert.ok(await page.evaluate(() => scrollY > 500));
    await page.selectOption('#sort', '4');
    await page.waitForURL('**/index.html?q=note&sort=4');
    await page.fill('#q', 'zzz');
    await page.locator('#count', { hasText: /^0 extensions$/ }).waitFor();
    await page.locator('#browse').waitFor(); // there is a way on
    await page.fill('#q', 'note');
    await page.locator('#browse').waitFor({ state: 'hidden' });
    await page.fill('#q', '');
    await page.selectOption('#sort', '');
    await page.locator('#browse').waitFor();
  },

  // The pages are on an object store: no server answers queries.
  async 'search without a server'({ open, requests }) {
    const page = await open('index.html', { api: false });
    const find = async (text, count, names) => {
      await page.fill('#q', text);
      await page.waitForURL(`**/index.html${text && '?q=' + encodeURIComponent(text).replace(/%20/g, '+')}*`);
      const rows = () => page.locator('#rows h3').allTextContents();
      for (let i = 0; i < 100 && (await rows()).join() !== names.join(); i++) await page.waitForTimeout(50);
      assert.deepEqual(await rows(), names, text);
      assert.equal(await page.textContent('#count'), count);
    };
    await find('note', '1 extension', ['Acme Notes']);
    assert.match(await page.textContent('#rows .small'), /^Acme Tools · 2\.4\.0 · 2026-11-20$/);
    assert.ok(await page.evaluate(() => document.querySelector('#rows img').naturalWidth > 0), 'there is no icon');
    await find('mid', '1 extension', ['Midnight Theme']);
    await find('theme', '1 extension', ['Midnight Theme']);
    await find('programming lang', '5 extensions', ['Log Language', 'LaTeX Workshop', 'Python Environments', 'Rust Analyser', 'Terraform Tools']);
    await page.selectOption('#sort', '2');
    await find('programming language', '5 extensions', ['LaTeX Workshop', 'Log Language', 'Python Environments', 'Rust Analyser', 'Terraform Tools']);
    await page.selectOption('#sort', '');
    await find('language LOG', '1 extension', ['Log Language']);
    await find('go', '1 extension', ['Go Snippets']);
    await find('zzz', '0 extensions', []);
    assert.equal(requests.filter(url => url.endsWith('api/extensionquery')).length, 1);
    const loaded = () => requests.filter(url => url.includes('/search/')).length, before = loaded();
    await find('theme', '1 extension', ['Midnight Theme']);
    assert.equal(loaded(), before, 'files are loaded again');
    // All extensions in an order, and back to the row.
    await page.fill('#q', '');
    await page.selectOption('#sort', '2');
    await page.locator('#count', { hasText: '21 extensions' }).waitFor();
    await page.locator('#rows li').nth(20).waitFor();
    const names = await page.locator('#rows h3').allTextContents();
    assert.deepEqual(names, names.toSorted((a, b) => a.toLowerCase() < b.toLowerCase() ? -1 : 1));
    await page.selectOption('#sort', '4');
    await page.locator('#rows li').first().locator('text=10,000+ installs').waitFor();
    await page.locator('#rows a', { hasText: 'Reports' }).click();
    await page.waitForURL('**/item/initech.reports.html');
    await page.goBack();
    await page.waitForFunction(() => document.activeElement?.textContent === 'Reports');
    // A word that more extensions have than its file names.
    const common = await open('index.html', { api: false });
    await common.route('**/search/terms/*.json', async route => {
      const response = await route.fetch(), json = response.ok() ? await response.json() : { terms: {} };
      if (json.terms.notes) json.terms.notes = [json.terms.notes, 'AAAA'];
      await route.fulfill({ response, json });
    });
    await common.fill('#q', 'notes');
    await common.locator('#count', { hasText: /^More than 1 extension$/ }).waitFor();
    await common.fill('#q', 'notes tools');
    await common.locator('#count', { hasText: /^1 extension$/ }).waitFor();
    return { errors: /status of 404/ };
  },

  async 'keyboard'({ open }) {
    const page = await open('item/acme.notes.html');
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the content');
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
    const seen = new Set();
    for (let i = 0; i < 200; i++) {
      await page.keyboard.press('Tab');
      const focus = await page.evaluate(() => {
        const e = document.activeElement, r = e.getBoundingClientRect(), style = getComputedStyle(e);
        return { name: e.outerHTML.slice(0, 80), text: e.textContent, inside: e !== document.body, visible: r.width > 0 && style.outlineStyle !== 'none' };
      });
      if (!focus.inside) break;
      assert.ok(focus.visible, `focus is not visible on ${focus.name}`);
      seen.add(focus.text);
    }
    for (const text of ['Acme Tools', 'Open in VS Code', 'Copy', 'Repository', 'c++', '5 older versions', 'Contact']) {
      assert.ok([...seen].some(s => s.includes(text)), `${text} cannot be reached; there are: ${[...seen].join(' | ').slice(0, 1000)}`);
    }
  },

  async 'search with the keyboard only'({ open }) {
    const page = await open('index.html');
    const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.textContent);
    for (let i = 0; i < 10 && await focused() !== 'q'; i++) await page.keyboard.press('Tab');
    await page.keyboard.type('acme');
    await page.locator('#count', { hasText: '1 extension' }).waitFor();
    for (let i = 0; i < 6 && await focused() !== 'Acme Notes'; i++) await page.keyboard.press('Tab');
    assert.equal(await focused(), 'Acme Notes');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/item/acme.notes.html');
    await page.goBack();
    await page.waitForFunction(() => document.activeElement?.textContent === 'Acme Notes');
    // The live region has the number of results, and nothing else.
    assert.equal(await page.locator('[role=status]').textContent(), '1 extension');
    assert.equal(await page.locator('[role=status], [aria-live]').count(), 1);
  },

  async 'back in a paged list'({ open }) {
    const page = await open('recent/1.html', { viewport: phone });
    await page.click('[rel=next]');
    await page.waitForURL('**/recent/2.html');
    const last = page.locator('.card a').last(), name = await last.textContent();
    await last.scrollIntoViewIfNeeded();
    const top = await page.evaluate(() => scrollY);
    assert.ok(top > 200, `only ${top} pixels were scrolled`);
    await last.click();
    await page.waitForURL('**/item/*.html');
    await page.goBack();
    await page.waitForURL('**/recent/2.html');
    await page.waitForFunction(top => Math.abs(scrollY - top) < 5, top);
    assert.ok(await page.locator('.card a', { hasText: name }).last().isVisible());
  },

  // Paper has what the extension is, and not the navigation, in dark ink also from a dark window.
  async 'print'({ open }) {
    const page = await open('item/acme.notes.html', { colorScheme: 'dark' });
    await page.emulateMedia({ media: 'print' });
    for (const hidden of ['.top', 'footer', '.sections', '.search', '.copying', '.buttons']) {
      assert.equal(await page.locator(hidden).filter({ visible: true }).count(), 0, `${hidden} is printed`);
    }
    for (const text of ['Acme Notes', 'A note is attached to a', '2.4.0', 'Notes: Find', 'Midnight', '0.5.0']) {
      assert.ok(await page.locator('main').getByText(text).first().isVisible(), `${text} is not printed`);
    }
    const look = await page.evaluate(() => {
      const link = document.querySelector('.prose a[href^=http]');
      return { ink: getComputedStyle(document.querySelector('.prose p')).color, lead: getComputedStyle(document.querySelector('.lead')).color, paper: getComputedStyle(document.body).backgroundColor,
        address: getComputedStyle(link, '::after').content, width: document.documentElement.scrollWidth };
    });
    assert.deepEqual([look.ink, look.lead, look.paper], ['rgb(0, 0, 0)', 'rgb(95, 91, 83)', 'rgb(255, 255, 255)']);
    assert.match(look.address, /https:/);
    assert.ok((await page.pdf()).length > 10_000);
  },

  async 'numbers and addresses that the script fills in'({ open }) {
    let page = await open('item/acme.notes.html');
    await page.locator('.numbers', { hasText: '48,211 installs' }).waitFor();
    await page.locator('.numbers', { hasText: '★ 4.6 (131)' }).waitFor();
    page = await open('about/editors.html');
    assert.ok((await page.textContent('code.base')).includes(`${plan.gallery}api`));
    page = await open('item/index.html?itemName=ACME.Notes');
    await page.waitForURL('**/item/acme.notes.html');
    page = await open('item/index.html?itemName=..%2F..%2Fevil.x');
    assert.match(page.url(), /item\/index\.html\?/);
  },

  // Nothing moves while a page loads.
  async 'layout'({ open }) {
    for (const viewport of [phone, desk]) {
      for (const address of ['index.html?q=note', 'item/acme.notes.html', 'letters/a.html']) {
        const page = await open(address, { viewport });
        await page.waitForLoadState('networkidle');
        const moved = await page.evaluate(() => new Promise(resolve => {
          const names = [];
          new PerformanceObserver(list => {
            for (const e of list.getEntries()) names.push(...e.sources.map(s => `${e.value}: ${s.node?.outerHTML?.slice(0, 80)}`));
          }).observe({ type: 'layout-shift', buffered: true });
          setTimeout(() => resolve(names), 300);
        }));
        assert.ok(moved.length === 0, `${address}: these have moved: ${moved.join(' | ')}`);
      }
    }
  },

  async 'hostile readme'({ open, requests }) {
    const page = await open('item/mallory.hello.html');
    assert.match(await page.title(), /^<script>/);
    assert.equal(await page.locator('.prose iframe, .prose script, .prose form, .prose input, .prose style, .prose [style]').count(), 0);
    assert.equal(await page.locator('main > article > .versions').count(), 1, 'the readme has left its element');
    await page.locator('.prose a', { hasText: 'Picture at evil.example' }).waitFor();
    assert.equal(await page.locator('.prose a', { hasText: 'click' }).count(), 0);
    const place = await page.getByText('Sign in to continue').boundingBox();
    assert.ok(place.height < 200, 'text covers the page');
    assert.deepEqual(requests.filter(url => !url.startsWith(plan.gallery)), []);
  },

  async 'screenshots'({ open }) {
    const results = await open('index.html?q=note');
    await results.locator('#rows li').first().waitFor();
    await results.screenshot({ path: path.join(plan.artefacts, 'search.png') });
    for (const colorScheme of ['light', 'dark']) {
      for (const [name, viewport] of [['phone', phone], ['tablet', tablet], ['desk', desk]]) {
        for (const address of pages) {
          const page = await open(address, { colorScheme, viewport });
          await page.waitForLoadState('networkidle');
          await page.screenshot({ path: path.join(plan.artefacts, `${address.replace(/\W+/g, '-')}-${name}-${colorScheme}.png`), fullPage: true });
          await page.close();
        }
      }
    }
    const page = await open('item/acme.notes.html');
    await page.pdf({ path: path.join(plan.artefacts, 'item-acme-notes.pdf') });
  },
};

async function run(name, browser) {
  const errors = [], requests = [], contexts = [];
  let allowed = /^$/;
  // open returns a page of the gallery in a context of its own.
  async function open(address, { viewport = desk, colorScheme = 'light', javaScriptEnabled = true, api = true } = {}) {
    const context = await browser.newContext({ viewport, colorScheme, javaScriptEnabled, bypassCSP: false, reducedMotion: 'reduce' });
    contexts.push(context);
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    page.on('request', request => requests.push(request.url()));
    page.on('console', message => { if (message.type() === 'error' || /Content Security Policy/.test(message.text())) errors.push(message.text()); });
    page.on('pageerror', error => errors.push(error.stack));
    if (api) await page.route('**/api/extensionquery', route => route.fulfill({ json: response(route.request().postDataJSON()) }));
    await page.goto(plan.gallery + address);
    return page;
  }
  try {
    const result = await steps[name]({ open, requests });
    if (result?.errors) allowed = result.errors;
    assert.deepEqual(errors.filter(text => !allowed.test(text)), [], 'errors in the console');
    return { step: name, ok: true, detail: '' };
  } catch (error) {
    return { step: name, ok: false, detail: `${error.stack}\n${errors.join('\n')}` };
  } finally {
    for (const context of contexts) await context.close();
  }
}

async function main() {
  const browser = await chromium.launch({ executablePath: plan.chromium, headless: true, args: ['--no-sandbox', '--disable-gpu', '--no-proxy-server'] });
  try {
    for (const name of plan.steps || Object.keys(steps)) console.log(JSON.stringify(await run(name, browser)));
  } finally {
    await browser.close();
  }
}

main().catch(error => {
  console.error(error.stack);
  process.exitCode = 1;
});
