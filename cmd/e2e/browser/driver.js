// Runs the steps of a plan on the editor's page in Chromium.
//
//   node driver.js PLAN.json
//
// The plan is that of browser.go. For each step, it prints a JSON object {"step", "ok", "detail"}.
// If a step fails, the next ones are run nevertheless. The exit status is 0 if all steps were run,
// and 1, with the reason on standard error, if the page could not be opened. The plan's folder of
// artefacts gets a screenshot of each step, console.log, and requests.jsonl with the requests of
// the page to the gallery.

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
      // This key is trusted, as if the private authority were in the system's store.
      `--ignore-certificate-errors-spki-list=${plan.trust}`,
    ],
  });
}

// record records the requests to the gallery: {method, url, sent, status} or {method, url, failed}.
function record(context) {
  const requests = [];
  const add = entry => {
    requests.push(entry);
    fs.appendFileSync(artefact('requests.jsonl'), JSON.stringify(entry) + '\n');
  };
  const toGallery = request => request.url().startsWith(plan.gallery + '/') || request.url().startsWith(plan.content + '/');
  context.on('response', response => {
    const request = response.request();
    if (toGallery(request)) add({ method: request.method(), url: request.url(), sent: request.postData() ?? undefined, status: response.status() });
  });
  context.on('requestfailed', request => {
    if (toGallery(request)) add({ method: request.method(), url: request.url(), failed: request.failure()?.errorText });
  });
  return requests;
}

async function runStep(name, workbench) {
  try {
    return { step: name, ok: true, detail: String(await steps[name](workbench) ?? '') };
  } catch (error) {
    return { step: name, ok: false, detail: error.stack };
  } finally {
    const file = name.replace(/\W+/g, '-') + '.png';
    await workbench.page.screenshot({ path: artefact(file) }).catch(() => {}); // the page may be closed
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
    for (const name of plan.steps) console.log(JSON.stringify(await runStep(name, workbench)));
  } finally {
    await context.close();
  }
}

main().catch(error => {
  console.error(error.stack);
  process.exitCode = 1;
});
