// The steps of plans: what a user does on the editor's page, and the expected result. Each is a
// function of the Workbench that returns a detail for the log, or throws an error. The extensions
// are those of ../packages.go.

'use strict';

const assert = require('assert');
const { patience, until } = require('./workbench');

const steps = {
  async 'popular list'(w) {
    const names = await w.search('@popular', 'list of extensions', names => names.length >= 8);
    return names.join(', ');
  },

  // The icons are files of the gallery, not the editor's default icon.
  async 'icons'(w) {
    await w.search('acme', 'extensions of acme', names => names.length >= 6);
    const icons = `img.icon[src^="${w.plan.content}/"]`;
    const loaded = () => w.page.$$eval(`.extension-list-item ${icons}`, icons => icons.map(icon => icon.complete && icon.naturalWidth));
    const widths = await until('icons, 128 pixels wide', async () => {
      const widths = await loaded();
      return widths.length >= 6 && widths.every(width => width === 128) && widths;
    });
    return `${widths.length} icons`;
  },

  async 'search'(w) {
    const names = await w.search('greeting hello', 'Acme Hello alone', names => names.join() === 'Acme Hello');
    return names.join(', ');
  },

  async 'search with a typo'(w) {
    const names = await w.search('midnigth', 'Acme Midnight first', names => names[0] === 'Acme Midnight');
    return names.join(', ');
  },

  async 'category'(w) {
    const themes = ['Acme Midnight', 'Monokai Theme', 'Solarized Dark Theme'];
    const names = await w.search('@category:themes', 'themes and nothing else', names => names.toSorted().join() === themes.join());
    return names.join(', ');
  },

  // The numbers, dates and lists are those of ../testdata and ../packages.go.
  async 'featured'(w) {
    return w.search('@featured', 'what is featured', names => names.toSorted().join() === 'Acme Midnight,Acme Notes');
  },

  // Without other words, the editor ignores @sort. For @sort:updateDate, it asks galleries for no
  // order, because that is one of installed extensions.
  async 'orders'(w) {
    const byName = (a, b) => a.toLowerCase() < b.toLowerCase() ? -1 : 1;
    for (const [query, wanted] of [
      ['@popular', names => names.slice(0, 3).join() === 'Acme Midnight,Acme Hello,Acme Notes'],
      ['acme @sort:installs', names => names.slice(0, 3).join() === 'Acme Midnight,Acme Hello,Acme Notes'],
      ['acme @sort:rating', names => names.slice(0, 2).join() === 'Acme Notes,Acme Hello'],
      ['acme @sort:name', names => names.length >= 8 && names.join() === names.toSorted(byName).join()],
      ['acme @sort:publishedDate', names => names[0] === 'Acme Word Count'],
      ['@recentlyPublished', names => names[0] === 'Acme Word Count'],
      ['@category:"themes" @sort:installs', names => names.length === 3 && names[0] === 'Acme Midnight'],
    ]) await w.search(query, query, wanted);
  },

  // The recommendations of the workspace: see serve in ../browser.go.
  async 'recommended'(w) {
    for (const query of ['@recommended:workspace', '@recommended acme']) {
      await w.search(query, query, names => names.toSorted().join() === 'Acme Log Language,Acme Word Count');
    }
  },

  async 'no extensions found'(w) {
    await w.type('zzzzzzzz');
    await w.page.locator('.extensions-viewlet').getByText('No extensions found.').first().waitFor({ timeout: patience });
  },

  // The readme shows a file of the package, which the gallery serves.
  async 'picture in a readme'(w) {
    await w.show('acme.workshop', 'Acme Workshop');
    const address = `${w.plan.content}/files/acme/workshop/1.0.0/extension/media/square.png`;
    return until(`picture ${address}`, async () => {
      for (const frame of w.page.frames()) {
        if (await frame.evaluate(src => [...document.images].some(i => i.src === src && i.naturalWidth === 16), address).catch(() => false)) return address;
      }
    });
  },

  async 'id'(w) {
    const names = await w.search('@id:acme.hello', 'Acme Hello alone', names => names.join() === 'Acme Hello');
    return names.join(', ');
  },

  async 'readme'(w) {
    await w.show('acme.hello', 'Acme Hello');
    await w.text('Greets whoever is at the keyboard.');
  },

  async 'changelog'(w) {
    await w.show('acme.hello', 'Acme Hello');
    await w.tab('Changelog');
    await w.text('First release: says hello in English.');
  },

  async 'features'(w) {
    await w.show('acme.hello', 'Acme Hello');
    await w.tab('Features');
    await w.editor.getByText('Say Hello', { exact: true }).waitFor({ timeout: patience });
  },

  // Versions have no signature, and the page must not require one.
  async 'install'(w) {
    await w.show('acme.hello', 'Acme Hello');
    const refused = w.editor.getByText(/not signed/i).first();
    await until('Install button', async () => await w.action('Install').isVisible() || await refused.isVisible());
    assert.ok(!await refused.isVisible(), 'the page says that the extension is not signed');
    await w.install();
    assert.deepEqual(w.dialogs.filter(text => /sign|verif/i.test(text)), [], 'dialogs about signing');
    return w.untilOnDisk('acme.hello', '1.1.0');
  },

  async 'web extension'(w) {
    await w.show('acme.word-count', 'Acme Word Count');
    await w.install();
    assert.equal(w.onDisk('acme.word-count'), undefined, 'installed on the server, not in the browser');
    const notification = await w.notified('Acme: Count Words', /Word Count: \d+ words/);
    const request = await w.requested('/acme/word-count/1.0.0/extension/extension.js');
    return `${notification}, from ${request.url}`;
  },

  async 'web extension after a reload'(w) {
    const before = w.requests.length;
    await w.reload();
    const notification = await w.notified('Acme: Count Words', /Word Count: \d+ words/);
    return `${notification}, ${w.requests.length - before} requests`;
  },

  async 'pre-release'(w) {
    await w.show('acme.notes', 'Acme Notes');
    await w.install();
    await w.untilOnDisk('acme.notes', '1.0.0');
    await w.action('Switch to Pre-Release Version').click({ timeout: patience });
    return w.untilOnDisk('acme.notes', '1.1.0');
  },

  async 'list of versions'(w) {
    await w.run('Install Specific Version of Extension');
    await until('list of extensions', async () => !(await w.quickInput.inputValue()).startsWith('>'));
    await w.quickInput.fill('Acme Hello');
    await until('row of Acme Hello', async () => (await w.quickRows.first().textContent()).includes('Acme Hello'));
    await w.page.keyboard.press('Enter');
    const versions = await until('versions', async () => {
      const rows = await w.quickRows.allTextContents();
      return rows.some(row => row.startsWith('1.1.0')) && rows.some(row => row.startsWith('1.0.0')) && rows;
    });
    await w.page.keyboard.press('Escape');
    return versions.join('; ');
  },

  // The theme of an extension that is not installed: its files are requested one by one.
  async 'theme browsing'(w) {
    await w.run('Browse Color Themes in Marketplace');
    await w.quickInput.waitFor({ timeout: patience });
    await w.quickInput.fill('Midnight');
    await until('row of Acme Midnight', async () => {
      const row = await w.quickRows.and(w.page.locator('.focused')).textContent();
      if (row.startsWith('Acme Midnight')) return true;
      await w.page.keyboard.press('ArrowDown'); // its two themes are listed
    });
    await until('preview', () => w.page.evaluate(midnight));
    await w.requested('/acme/midnight/1.0.0/extension/themes/midnight.json');
    assert.equal(w.onDisk('acme.midnight'), undefined, 'a preview installs nothing');
    await w.page.keyboard.press('Enter');
    await w.untilOnDisk('acme.midnight', '1.0.0');
    await until('theme', () => w.page.evaluate(midnight));
    return 'previewed and installed';
  },

  // A web extension that loads a file of every kind that browsers treat differently, directly
  // from the gallery. Its webview shows the results.
  async 'workshop'(w) {
    await w.show('acme.workshop', 'Acme Workshop');
    await w.install();
    assert.equal(w.onDisk('acme.workshop'), undefined, 'installed on the server, not in the browser');
    await until('webview', async () => {
      await w.run('Acme: Open Workshop');
      await w.text('webview script: runs');
      return true;
    }, 3 * patience);
    await w.requested('/acme/workshop/1.0.0/extension/media/script.js');
  },
  'webview script': w => w.text('webview script: runs'),
  'webview module': w => w.text('webview module: imported'),
  'webview style': w => w.text('webview style: square'),
  'webview font': w => w.text('webview font: loaded'),
  'webview picture': w => w.text('webview picture: 16'),
  'webview worker': w => w.text('webview worker: runs'),
  'nested worker': w => w.text('nested worker: 42 and 42'),
  'streamed WebAssembly': w => w.text('streamed WebAssembly: 42'),

  async 'SVG icon theme'(w) {
    await w.page.keyboard.press('Control+Shift+E');
    return until('icon of a file', () => w.page.evaluate(async end => {
      const row = document.querySelector('.explorer-folders-view .file-icon');
      const address = getComputedStyle(row, '::before').backgroundImage.match(/^url\("(.*)"\)$/)[1];
      const picture = new Image();
      picture.src = address;
      await picture.decode();
      return new URL(address).pathname.endsWith(end) && picture.naturalWidth === 16 && address;
    }, '/acme/workshop/1.0.0/extension/icons/file.svg'));
  },

  // The page loads fonts from its own host only (font-src 'self' blob:), so the theme is
  // installed on the server.
  async 'product icon font'(w) {
    await w.ready();
    await w.show('acme.signs', 'Acme Signs');
    await w.install();
    await w.untilOnDisk('acme.signs', '1.0.0');
    await until('Acme Signs chosen', async () => {
      await w.page.keyboard.press('Escape'); // the editor may have opened a list of themes
      await w.action('Set Product Icon Theme').click();
      await w.quickInput.fill('Acme Signs');
      await until('row', async () => (await w.quickRows.first().textContent()).includes('Acme Signs'), 5000);
      await w.page.keyboard.press('Enter');
      return true;
    });
    return until('font', () => w.page.evaluate(() =>
      [...document.fonts].find(font => font.family.includes('acme-signs') && font.status === 'loaded')?.family));
  },

  // From the version that was the newest one before.
  async 'automatic update'(w) {
    return w.untilOnDisk('acme.hello', '1.2.0');
  },

  // What the editor does by itself after its start, for each installed extension.
  async 'check for updates'(w) {
    const updates = () => w.requests.filter(r => r.status === 200 && new URL(r.url).pathname.endsWith('/latest')).length;
    return until('update checks', () => updates() >= 5 && `${updates()} update checks`);
  },

  // The last step: no request of the page was refused, by the gallery or by a policy.
  async 'nothing blocked'(w) {
    const blocked = w.console.filter(text => /content security|cors|mixed content/i.test(text) && (text.includes(w.plan.gallery) || text.includes(w.plan.content)));
    assert.deepEqual(blocked, []);
    const probes = /\/extension$|\/package\.nls[^/]*\.json$/; // the editor tries these, and they may be missing
    const refused = w.requests.filter(r => (r.failed && r.failed !== 'net::ERR_ABORTED') || (r.status >= 400 && !probes.test(new URL(r.url).pathname)));
    assert.deepEqual(refused, []);
    return `${w.requests.length} requests`;
  },
};

// midnight reports whether the page has the theme Acme Midnight. It is evaluated in the page.
function midnight() {
  const workbench = document.querySelector('.monaco-workbench');
  return getComputedStyle(workbench).getPropertyValue('--vscode-editor-background').trim().toLowerCase() === '#0b1d3a';
}

module.exports = steps;
