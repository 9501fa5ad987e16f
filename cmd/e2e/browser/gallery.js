// Runs the steps of a plan on the gallery's own pages in Chromium.
//
//   node gallery.js PLAN.json
//
// It reads the same plan and prints the same lines as driver.js. In every step, no request may go to
// a host that is not the gallery's, and nothing may be in the console.

'use strict';

const fs = require('fs');
const path = require('path');
const assert = require('assert');
const { until, patience } = require('./workbench');

const plan = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const asset = `${plan.content}/assets/acme/hello/1.1.0/Microsoft.VisualStudio.Services.`;

// A page of each kind.
const kinds = ['index.html', 'index.html?q=acme', 'item/acme.hello.html', 'item/acme.starter-pack.html', 'item/index.html', 'publishers/acme.html',
  'categories/index.html', 'categories/themes.html', 'letters/a.html', 'recent/1.html', 'about/editors.html', 'about/messages.html', 'about/new.html',
  'about/report.html', '404.html'];

// Each step has a new page, whose requests and console are recorded.
const steps = {
  async 'home'({ page }) {
    await page.goto(`${plan.gallery}/`);
    const names = await page.locator('.card h3 a').allTextContents();
    assert.ok(names.includes('Acme Hello'), names.join(', '));
    assert.equal(await page.locator('#browse').isVisible(), true);
    return names.join(', ');
  },

  async 'search'({ page }) {
    await page.goto(`${plan.gallery}/`);
    await page.fill('#q', 'greeting hello');
    await found(page, ['Acme Hello'], '1 extension');
    await page.reload();
    await found(page, ['Acme Hello'], '1 extension');
    assert.equal(new URL(page.url()).search, '?q=greeting+hello');
    await page.click('#rows h3 a');
    await hello(page);
    await page.goBack();
    await until('the row that was left', () => page.evaluate(() => document.activeElement.textContent === 'Acme Hello'));
  },

  async 'address that editors open'({ page }) {
    for (const address of ['item?itemName=ACME.Hello', 'item/?itemName=acme.hello', 'vscode/item?itemName=acme.HELLO', 'item/Acme.Hello', 'item/index.html?itemName=Acme.Hello']) {
      await page.goto(`${plan.gallery}/${address}`);
      await hello(page);
    }
  },

  async 'page of an extension'({ page }) {
    await page.goto(`${plan.gallery}/item/acme.hello.html`);
    await page.getByText('Greets whoever is at the keyboard.').waitFor();
    await page.getByText('First release: says hello in English.').waitFor();
    await until('icon', () => page.$eval('header.title img', (icon, src) => icon.src === src && icon.naturalWidth === 128, `${asset}Icons.Default`));
    const versions = await page.locator('table.rows tbody th').allTextContents();
    assert.deepEqual(versions.map(text => text.trim().split(/\s/)[0]).slice(0, 2), ['1.1.0', '1.0.0']);
  },

  // What a person needs to install it: a link that opens the editor, a command, and the file.
  async 'install box'({ page, context }) {
    await page.goto(`${plan.gallery}/item/acme.hello.html`);
    const box = page.locator('section.box');
    const links = await box.locator('a.button').evaluateAll(all => all.map(a => [a.textContent.trim().replace(/\s+/g, ' '), a.href]));
    assert.deepEqual(links.map(([, href]) => href).filter(href => !/^http/.test(href)), ['vscode:extension/acme.hello', 'vscodium:extension/acme.hello']);
    const commands = await box.locator('code').allTextContents();
    assert.ok(commands.some(text => text.trim() === 'code-server --install-extension acme.hello'), commands.join());
    const file = links.find(([, href]) => /^http/.test(href))[1];
    assert.equal(file, `${asset}VSIXPackage`);
    const response = await context.request.get(file);
    assert.match(response.headers()['content-disposition'], /acme\.hello-1\.1\.0\.vsix/);
    const packed = fs.readFileSync(plan.hello);
    assert.ok(packed.equals(await response.body()), 'the downloaded file is not the one that was packed');
  },

  // An unknown id is an error with a search, which works from an address of any depth.
  async 'unknown extension'({ page, console }) {
    for (const address of ['item?itemName=acme.nobody', 'item/acme.nobody.html', 'no/such/page']) {
      const response = await page.goto(`${plan.gallery}/${address}`);
      assert.equal(response.status(), 404, address);
      await page.fill('#q', 'hello');
      await page.press('#q', 'Enter');
      await page.waitForURL(`${plan.gallery}/index.html?q=hello`);
      await found(page, ['Acme Hello']);
    }
    expect(console, /status of 404/, 3);
  },

  // Every address of this gallery in any of its pages exists.
  async 'links'({ page }) {
    await page.goto(`${plan.gallery}/`);
    const { pages, broken } = await page.evaluate(crawl, [plan.gallery, plan.content]);
    assert.deepEqual(broken, []);
    for (const kind of ['item/acme.hello.html', 'publishers/acme.html', 'categories/themes.html', 'letters/a.html', 'recent/1.html', 'about/messages.html']) {
      assert.ok(pages.includes(`${plan.gallery}/${kind}`), `${kind} cannot be reached from the home page; there are: ${pages.join(' ')}`);
    }
    return `${pages.length} pages`;
  },

  async 'axe-core'({ page }) {
    const axe = fs.readFileSync(plan.axe, 'utf8');
    const found = [];
    for (const address of kinds) {
      await page.goto(`${plan.gallery}/${address}`);
      if (address.includes('?q=')) await page.locator('#rows li').first().waitFor();
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => window.axe.run());
      found.push(...violations.map(v => `${address}: ${v.id}: ${v.nodes.map(n => n.html).join(' ').slice(0, 300)}`));
    }
    assert.deepEqual(found, []);
  },

  // The same files on a web server that knows nothing of galleries: the page searches in files.
  async 'search without galshim'({ page, console, requests }) {
    await page.goto(`${plan.files}/index.html`);
    await page.fill('#q', 'greeting hello');
    await found(page, ['Acme Hello'], '1 extension');
    await page.fill('#q', 'midnight');
    await found(page, ['Acme Midnight'], '1 extension');
    assert.ok(await page.evaluate(() => document.querySelector('#rows img').naturalWidth > 0), 'the icon is missing');
    assert.equal(requests.filter(url => url.endsWith('/api/extensionquery')).length, 1);
    await page.click('#rows h3 a');
    await page.waitForURL(`${plan.files}/item/acme.midnight.html`);
    await page.goto(`${plan.files}/item/index.html?itemName=ACME.Hello`);
    await page.waitForURL(`${plan.files}/item/acme.hello.html`);
    expect(console, /status of (404|405)/, 1);
  },

  // A link to the gallery's host must not make its page send requests to another host.
  async 'links that name another gallery'({ context, console }) {
    const open = async address => {
      const page = await context.newPage();
      await page.goto(address).catch(() => {}); // a response may have no body
      await page.waitForLoadState('networkidle');
    };
    const addresses = ['//evil.example:9/item/..%2f..%2fitem?itemName=company.login', '//evil.example:9/publishers/..%2f..%2f',
      '//evil.example:9/item?itemName=company.login', '/%2fevil.example:9/item/..%2f..%2fitem?itemName=company.login', '/item/index.html?itemName=//evil.example:9/x',
      '//evil.example:9/', '/publishers/%2f%2fevil.example:9', '//evil.example:9/publishers/x', '//item?itemName=acme.hello', '//publishers/x', '//index.html'];
    await Promise.all([new URL(plan.gallery).origin, plan.gallery].flatMap(base => addresses.map(address => open(base + address))));
    assert.deepEqual(console.filter(text => /Content Security Policy/.test(text)), [], 'only the policy prevented a request');
    console.length = 0; // most of these are errors
  },

  async 'no frames in other pages'({ page, console }) {
    for (const [address, framed] of [['', false], ['item/acme.hello.html', false], ['publishers/acme.html', false], ['no/such/page', false], ['control.json', true]]) {
      await page.goto(`${plan.gallery}/control.json`); // a page of this host, since browsers restrict requests from other hosts
      await page.evaluate(address => document.body.append(Object.assign(document.createElement('iframe'), { src: address })), `${plan.gallery}/${address}`);
      await until(`frame of /${address}`, () => page.frames()[1].url().startsWith(framed ? `${plan.gallery}/control` : 'chrome-error:'));
    }
    console.length = 0; // the browser has reported the refusals
  },

  // Files of packages that are opened as pages are shown without their scripts.
  async 'no scripts in files of packages'({ page, console }) {
    for (const name of ['acting.html', 'acting.svg']) {
      const response = await page.goto(`${plan.content}/files/acme/workshop/1.0.0/extension/media/${name}`);
      assert.equal(response.status(), 200);
      assert.equal(await page.title(), 'still');
      assert.equal(await page.evaluate(() => origin), 'null');
    }
    await until('two scripts that were refused', () => console.filter(text => /sandboxed/.test(text)).length === 2);
    console.length = 0;
  },
};

// found waits until the results are these extensions.
async function found(page, wanted, count) {
  let names = [];
  try {
    await until('results', async () => (names = await page.locator('#rows h3 a').allTextContents()).join() === wanted.join());
  } catch (error) {
    throw new Error(`${error.message}; there are: ${names.join(', ') || 'none'}, want ${wanted.join(', ')}`);
  }
  if (count) assert.equal(await page.textContent('#count'), count);
}

// hello waits for the page of Acme Hello at its own address.
async function hello(page) {
  await page.waitForURL(`${plan.gallery}/item/acme.hello.html`);
  assert.equal(await page.textContent('h1'), 'Acme Hello');
}

// expect takes lines out of the console, of which there must be at least some.
function expect(console, pattern, least) {
  const expected = console.filter(text => pattern.test(text));
  assert.ok(expected.length >= least, `the console has ${expected.length} lines that match ${pattern}, want ${least}`);
  for (const text of expected) console.splice(console.indexOf(text), 1);
}

// crawl reads all pages that can be reached from the current one, and requests everything else of
// the gallery that they name. It is evaluated in the page.
async function crawl([gallery, content]) {
  const own = address => address.startsWith(gallery + '/') || address.startsWith(content + '/');
  const pages = [], broken = [], seen = new Set(), left = [[location.href, 'the start']];
  while (left.length) {
    const next = left.splice(0, 8);
    await Promise.all(next.map(async ([address, from]) => {
      const page = /(\/|\.html)$/.test(address) && !address.includes('/files/');
      const response = await fetch(address, { method: page ? 'GET' : 'HEAD' });
      if (!response.ok) return broken.push(`${address} in ${from}: status ${response.status}`);
      if (!page) return;
      pages.push(address);
      const shown = new DOMParser().parseFromString(await response.text(), 'text/html');
      for (const node of shown.querySelectorAll('[href], [src]')) {
        const found = new URL(node.getAttribute('href') ?? node.getAttribute('src'), address);
        found.hash = '';
        if (!own(found.href) || seen.has(found.href)) continue;
        seen.add(found.href);
        left.push([found.href, address]);
      }
    }));
  }
  return { pages, broken };
}

async function runStep(name, browser) {
  // The private authority is not in the system's store.
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  const requests = [], console = [], hosts = [plan.gallery, plan.content, plan.files].filter(Boolean).map(address => new URL(address).host);
  context.on('request', request => { if (/^(http|ws)/.test(request.url())) requests.push(request.url()); });
  context.on('console', message => console.push(message.text()));
  context.on('weberror', error => console.push(error.error().stack));
  try {
    const detail = await steps[name]({ page, context, console, requests });
    assert.deepEqual(requests.filter(url => !hosts.includes(new URL(url).host)), [], 'requests to other hosts');
    assert.deepEqual(console, [], 'the console');
    return { step: name, ok: true, detail: String(detail ?? '') };
  } catch (error) {
    return { step: name, ok: false, detail: `${error.stack}\n${console.join('\n')}` };
  } finally {
    await page.screenshot({ path: path.join(plan.artefacts, name.replace(/\W+/g, '-') + '.png') }).catch(() => {});
    await context.close();
  }
}

async function main() {
  const { chromium } = require(plan.playwright);
  const browser = await chromium.launch({
    executablePath: plan.chromium, headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--no-proxy-server'],
  });
  try {
    for (const name of plan.steps) console.log(JSON.stringify(await runStep(name, browser)));
  } finally {
    await browser.close();
  }
}

main().catch(error => {
  console.error(error.stack);
  process.exitCode = 1;
});
