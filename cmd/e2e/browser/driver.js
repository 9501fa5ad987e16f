// Drives the editor's page in Chromium through the steps of a plan.
//
//   node driver.js PLAN.json
//
// The plan is what browser.go calls so. stdout: one JSON object per step,
// {"step", "ok", "detail"}. A step that fails does not keep the next from being
// tried. Exit 0 if all steps were taken, however they went; 1 with the reason on
// stderr if the page could not be opened at all. Into the plan's folder of
// artefacts go a screenshot per step, console.log, and requests.jsonl: what the
// page itself asked of the gallery.

'use strict';

const fs = require('fs');
const path = require('path');
const { Workbench } = require('./workbench');
const steps = require('./steps');

const plan = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const artefact = name => path.join(plan.artefacts, name);

async function launch() {
  const { chromium } = require(plan.playwright);
  return chromium.launchPersistentContext(artefact('profile'), {
    executablePath: plan.chromium,
    headless: true,
    viewport: { width: 1280, height: 900 },
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update',
      // As if the private CA were in the system's store: this one key is trusted, no other.
      `--ignore-certificate-errors-spki-list=${plan.trust}`,
    ],
  });
}

// What the page asks of the gallery, as it goes: {method, url, status} or {…, failed}.
function record(context) {
  const requests = [];
  const add = entry => {
    requests.push(entry);
    fs.appendFileSync(artefact('requests.jsonl'), JSON.stringify(entry) + '\n');
  };
  const ours = request => request.url().startsWith(plan.gallery + '/') || request.url().startsWith(plan.content + '/');
  context.on('response', response => {
    const request = response.request();
    if (ours(request)) add({ method: request.method(), url: request.url(), status: response.status() });
  });
  context.on('requestfailed', request => {
    if (ours(request)) add({ method: request.method(), url: request.url(), failed: request.failure()?.errorText });
  });
  return requests;
}

async function take(name, workbench) {
  try {
    return { step: name, ok: true, detail: String(await steps[name](workbench) ?? '') };
  } catch (error) {
    return { step: name, ok: false, detail: error.stack };
  } finally {
    const file = name.replace(/\W+/g, '-') + '.png';
    await workbench.page.screenshot({ path: artefact(file) }).catch(() => {}); // the page may be gone
  }
}

async function main() {
  const unknown = plan.steps.filter(name => !(name in steps));
  if (unknown.length) throw new Error(`unknown steps: ${unknown}`);
  const context = await launch();
  try {
    const workbench = new Workbench(context.pages()[0], plan, record(context));
    workbench.page.on('console', message => {
      workbench.console.push(message.text());
      fs.appendFileSync(artefact('console.log'), `[${message.type()}] ${message.text()}\n`);
    });
    await workbench.open();
    for (const name of plan.steps) console.log(JSON.stringify(await take(name, workbench)));
  } finally {
    await context.close();
  }
}

main().catch(error => {
  console.error(error.stack);
  process.exitCode = 1;
});
