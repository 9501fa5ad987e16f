const vscode = require('vscode');

function activate(context) {
  context.subscriptions.push(vscode.commands.registerCommand('acme.workshop', () => open(context.extensionUri)));
}

async function open(root) {
  const at = (...path) => vscode.Uri.joinPath(root, ...path);
  const settings = vscode.workspace.getConfiguration('workbench');
  await settings.update('iconTheme', 'acme-workshop-icons', vscode.ConfigurationTarget.Global);
  const panel = vscode.window.createWebviewPanel('acme.workshop', 'Acme Workshop', vscode.ViewColumn.One,
    { enableScripts: true, localResourceRoots: [root] });
  panel.webview.onDidReceiveMessage(async () => {
    await report(panel, 'nested worker', () => nestedWorker(at));
    await report(panel, 'streamed WebAssembly', () => streamed(at));
  });
  panel.webview.html = page(panel.webview, at);
}

async function report(panel, name, work) {
  let value;
  try { value = await work(); } catch (error) { value = `failed: ${error}`; }
  panel.webview.postMessage({ name, value });
}

function nestedWorker(at) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(at('dist', 'worker.js').toString(true));
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = event => reject(event.message);
    worker.postMessage({ helper: at('dist', 'helper.js').toString(true), data: at('dist', 'data.json').toString(true) });
  });
}

async function streamed(at) {
  const { instance } = await WebAssembly.instantiateStreaming(fetch(at('dist', 'add.wasm').toString(true)));
  return instance.exports.add(20, 22);
}

function page(webview, at) {
  const url = (...path) => webview.asWebviewUri(at('media', ...path));
  const own = webview.cspSource;
  return `<!doctype html>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src ${own}; style-src ${own}; font-src ${own}; img-src ${own}; connect-src ${own}; worker-src blob:">
<link rel="stylesheet" href="${url('style.css')}">
<body data-worker="${url('worker.js')}">
<ul id="report"></ul>
<img id="picture" src="${url('..', 'icons', 'file.svg')}" alt="">
<script src="${url('script.js')}"></script>
<script type="module" src="${url('module.mjs')}"></script>`;
}

exports.activate = activate;
