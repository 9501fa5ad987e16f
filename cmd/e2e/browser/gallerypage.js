// Runs the steps of a plan on the gallery's own page in Chromium.
//
//   node gallerypage.js PLAN.json
//
// It reads the same plan and prints the same lines as driver.js.

'use strict';

const fs = require('fs');
const path = require('path');
const assert = require('assert');
const { until, patience } = require('./workbench');

const plan = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const asset = `${plan.content}/assets/acme/hello/1.1.0/Microsoft.VisualStudio.Services.`;

// Each step has a new page, whose requests and console are recorded.
const steps = {
  async 'start page'({ page }) {
    await page.goto(`${plan.gallery}/`);
    const names = await rows(page, names => names.length >= 8);
    assert.match(await page.textContent('main'), new RegExp(`^${names.length} extensions`));
    return names.join(', ');
  },

  async 'search'({ page }) {
    await page.goto(`${plan.gallery}/index.html`);
    await page.fill('#text', 'greeting hello');
    await rows(page, names => names.join() === 'Acme Hello');
    assert.equal(page.url(), `${plan.gallery}/#greeting%20hello`);
    await page.reload();
    await rows(page, names => names.join() === 'Acme Hello');
  },

  async 'page of an extension'({ page }) {
    await page.goto(`${plan.gallery}/#greeting hello`);
    await page.click('h3 a');
    await hello(page);
    assert.equal(page.url(), `${plan.gallery}/item?itemName=acme.hello`);
    await page.getByText('Greets whoever is at the keyboard.').waitFor();
    await page.getByText('First release: says hello in English.').waitFor();
    assert.equal(await page.locator('td a').first().getAttribute('href'), `${asset}VSIXPackage`);
    await until('icon', () => page.$eval('.head img', (icon, src) => icon.src === src && icon.naturalWidth === 128, `${asset}Icons.Default`));
  },

  async 'other addresses of that page'({ page }) {
    for (const address of ['item/?itemName=acme.hello', 'vscode/item?itemName=ACME.hello', 'item/index.html?itemName=acme.hello']) {
      await page.goto(`${plan.gallery}/${address}`);
      await hello(page);
    }
  },

  async 'page of a publisher'({ page }) {
    await page.goto(`${plan.gallery}/item?itemName=acme.hello`);
    await page.click('.head p a');
    const names = await rows(page, names => names.length >= 6);
    assert.equal(page.url(), `${plan.gallery}/publishers/acme`);
    await page.click('#home');
    await rows(page, all => all.length > names.length);
    return names.join(', ');
  },

  // A link to the gallery's host must not make its page send requests to another host.
  async 'links that name another gallery'({ page, hosts, console }) {
    const origin = new URL(plan.gallery).origin;
    for (const address of ['//evil.example:9/item/..%2f..%2fitem?itemName=company.login', '//evil.example:9/publishers/..%2f..%2f',
      '//evil.example:9/item?itemName=company.login', '/%2fevil.example:9/item/..%2f..%2fitem?itemName=company.login',
      '//evil.example:9/', '/publishers/%2f%2fevil.example:9', '//evil.example:9/publishers/x', '//item?itemName=acme.hello', '//publishers/x', '//index.html']) {
      await page.goto(origin + address).catch(() => {}); // a response may have no body
      await page.waitForLoadState('networkidle');
    }
    assert.deepEqual(console.filter(text => /Content Security Policy/.test(text)), [], 'only the policy prevented a request');
    assert.deepEqual([...hosts].filter(host => host !== new URL(plan.gallery).host && host !== new URL(plan.content).host), []);
  },

  // Addresses in responses come from packages. Those that are not http must not be links.
  async 'addresses that are not http'({ page }) {
    await page.route('**/extensionquery', async route => {
      const response = await (await route.fetch()).json();
      const [version] = response.results[0].extensions[0].versions;
      version.assetUri = 'javascript:void(document.title="acted")//';
      version.properties.push({ key: 'Microsoft.VisualStudio.Services.Links.Source', value: 'javascript:void(document.title="acted")' });
      await route.fulfill({ json: response });
    });
    await page.goto(`${plan.gallery}/item?itemName=acme.hello`);
    await page.getByText('Download').first().waitFor();
    const hrefs = await page.$$eval('a', links => links.map(link => link.getAttribute('href')));
    assert.ok(hrefs.includes(null) && !hrefs.some(href => /^javascript/i.test(href)), hrefs);
    await page.getByText('Download').first().click();
    assert.notEqual(await page.title(), 'acted');
  },

  async 'no frames in other pages'({ page, console }) {
    for (const [address, framed] of [['', false], ['item', false], ['publishers/acme', false], ['control.json', true]]) {
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

// rows waits until the names of the extensions in a list are as wanted, and returns them.
async function rows(page, wanted) {
  let names = [];
  try {
    return await until('rows', async () => wanted(names = await page.locator('h3 a').allTextContents()) && names);
  } catch (error) {
    throw new Error(`${error.message}; there are: ${names.join(', ') || 'none'}`);
  }
}

// hello waits for the page of Acme Hello.
async function hello(page) {
  await until('page of Acme Hello', async () => await page.textContent('h1') === 'Acme Hello');
  const versions = await page.locator('tr').count();
  assert.ok(versions >= 2, `${versions} versions`);
}

async function runStep(name, context) {
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  const hosts = new Set(), console = [];
  page.on('request', request => { if (/^http/.test(request.url())) hosts.add(new URL(request.url()).host); });
  page.on('console', message => console.push(message.text()));
  page.on('pageerror', error => console.push(error.stack));
  try {
    const detail = await steps[name]({ page, hosts, console });
    const errors = console.filter(text => !/status of 40[04]/.test(text) && name !== 'links that name another gallery');
    assert.deepEqual(errors, [], 'errors in the console');
    return { step: name, ok: true, detail: String(detail ?? '') };
  } catch (error) {
    return { step: name, ok: false, detail: `${error.stack}\n${console.join('\n')}` };
  } finally {
    await page.screenshot({ path: path.join(plan.artefacts, name.replace(/\W+/g, '-') + '.png') }).catch(() => {});
    await page.close();
  }
}

async function main() {
  const { chromium } = require(plan.playwright);
  const browser = await chromium.launch({
    executablePath: plan.chromium, headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--no-proxy-server'],
  });
  try {
    // The private authority is not in the system's store.
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    for (const name of plan.steps) console.log(JSON.stringify(await runStep(name, context)));
  } finally {
    await browser.close();
  }
}

main().catch(error => {
  console.error(error.stack);
  process.exitCode = 1;
});
