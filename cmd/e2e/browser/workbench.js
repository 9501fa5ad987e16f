// The editor's page as a user sees it: the Extensions view, the page of an extension, and the
// command palette. It waits for conditions, with deadlines that are long enough for a busy machine.

'use strict';

const fs = require('fs');
const path = require('path');
const assert = require('assert');

const patience = 30_000;
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

// until calls f until it returns a true value, and returns that. Errors of f in the meantime are
// ignored: an element may be about to be replaced.
async function until(what, f, deadline = patience) {
  const end = Date.now() + deadline;
  for (let last; ; await sleep(100)) {
    try {
      const value = await f();
      if (value) return value;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`no ${what} after ${deadline / 1000} s${last ? `: ${last.message}` : ''}`);
  }
}

class Workbench {
  constructor(page, plan, requests) {
    page.setDefaultTimeout(5000); // of one attempt; until tries again
    this.page = page;
    this.plan = plan;
    this.requests = requests; // to the gallery, see driver.js
    this.console = [];
    this.dialogs = []; // texts of the dialogs that were opened
    this.input = page.locator('.extensions-viewlet .suggest-input-container .monaco-editor').first();
    this.rows = page.locator('.extensions-viewlet .extension-list-item');
    this.editor = page.locator('.extension-editor');
    this.quickInput = page.locator('.quick-input-widget .quick-input-box input');
    this.quickRows = page.locator('.quick-input-widget .monaco-list-row');
  }

  async open() {
    await this.page.goto(this.plan.editor, { timeout: 2 * patience });
    await this.ready();
  }

  async reload() {
    await this.page.reload({ timeout: 2 * patience });
    await this.ready();
  }

  // ready waits for the workbench and opens the Extensions view. It tries again, because a key
  // that is pressed while the page is loading has no effect.
  async ready() {
    await this.page.waitForSelector('.monaco-workbench .activitybar', { timeout: 2 * patience });
    await until('Extensions view', async () => {
      if (await this.input.isVisible()) return true;
      await this.page.keyboard.press('Control+Shift+X');
      await this.input.waitFor({ timeout: 3000 });
      return true;
    });
  }

  // search types a query into the Extensions view, waits until the names of the rows are as
  // wanted, and returns them.
  async search(query, what, wanted) {
    let names = [];
    try {
      return await until(what, async () => {
        await this.type(query);
        return until(what, async () => wanted(names = await this.names()) && names, 8000);
      });
    } catch (error) {
      throw new Error(`${error.message}; rows: ${names.join(', ') || 'none'}`);
    }
  }

  // type enters a whole query at once, so that the editor does not search for a part of it.
  async type(query) {
    await this.input.click();
    await this.page.keyboard.press('Control+A');
    await this.page.keyboard.press('Delete');
    await this.page.keyboard.insertText(query);
  }

  async names() {
    return (await this.rows.locator('.name').allTextContents()).filter(Boolean);
  }

  // show opens the page of an extension.
  async show(id, name) {
    await this.search(`@id:${id}`, `row of ${id}`, names => names.length === 1 && names[0] === name);
    await until(`page of ${id}`, async () => {
      await this.rows.first().click();
      await this.editor.locator('.name').filter({ hasText: name }).first().waitFor();
      return true;
    });
  }

  async tab(label) {
    const tab = this.editor.locator('.navbar .action-label').filter({ hasText: new RegExp(`^${label}$`, 'i') });
    await tab.first().click({ timeout: patience });
  }

  // text waits until a frame of the page, such as a webview, shows a text.
  async text(wanted) {
    await until(`text ${JSON.stringify(wanted)}`, async () => {
      for (const frame of this.page.frames()) {
        const shown = await frame.evaluate(() => document.body?.innerText ?? '').catch(() => '');
        if (shown.includes(wanted)) return true;
      }
    });
  }

  action(label) {
    return this.editor.locator('.action-label:not(.disabled):not(.hide)').filter({ hasText: new RegExp(`^${label}$`) }).first();
  }

  // install presses Install on the page of an extension, and waits until it is installed.
  async install() {
    await this.action('Install').click({ timeout: patience });
    await until('Uninstall button', async () => {
      await this.confirm();
      return this.action('Uninstall').isVisible();
    });
  }

  // confirm confirms a dialog, and records its text.
  async confirm() {
    const dialog = this.page.locator('.monaco-dialog-box');
    if (!(await dialog.isVisible())) return;
    const text = (await dialog.innerText()).replace(/\s+/g, ' ');
    if (this.dialogs.at(-1) !== text) this.dialogs.push(text);
    await dialog.getByRole('button', { name: /trust|install|continue|yes|ok/i }).first().click({ timeout: 2000 });
  }

  // onDisk returns the entry of an installed extension in the editor's list.
  onDisk(id) {
    const file = path.join(this.plan.extensions, 'extensions.json');
    if (!fs.existsSync(file)) return undefined;
    return JSON.parse(fs.readFileSync(file, 'utf8')).find(extension => extension.identifier.id === id);
  }

  async untilOnDisk(id, version) {
    let found;
    await until(`${id}@${version} on disk`, async () => {
      await this.confirm();
      found = this.onDisk(id);
      return found?.version === version;
    });
    assert.ok(fs.existsSync(path.join(this.plan.extensions, found.relativeLocation, 'package.json')), `${id} is listed, but is not installed`);
    return `${id}@${version} on disk`;
  }

  // run runs a command from the palette.
  async run(command) {
    await until(`command ${command}`, async () => {
      await this.page.keyboard.press('Escape');
      await this.page.keyboard.press('F1');
      await this.quickInput.waitFor({ timeout: 3000 });
      await this.quickInput.fill('>' + command);
      await until('row', async () => (await this.quickRows.first().textContent()).includes(command), 5000);
      await this.page.keyboard.press('Enter');
      return true;
    });
  }

  // notified runs a command until a notification matches, and returns its text. The command is
  // in the palette only after the extension was loaded.
  async notified(command, pattern) {
    return until(`notification ${pattern} from ${command}`, async () => {
      await this.run(command);
      const message = this.page.locator('.notification-list-item-message').filter({ hasText: pattern }).first();
      await message.waitFor({ timeout: 15_000 });
      return message.textContent();
    }, 2 * patience);
  }

  // requested waits for a request to the gallery whose response has status 200.
  async requested(end) {
    return until(`successful request for …${end}`, () => this.requests.find(r => r.status === 200 && new URL(r.url).pathname.endsWith(end)));
  }
}

module.exports = { Workbench, patience, until };
