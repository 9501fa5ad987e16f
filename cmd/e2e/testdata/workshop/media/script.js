// Reports what has been loaded into the webview, and what the extension says.
const vscode = acquireVsCodeApi();

function tell(name, value) {
  const item = document.createElement('li');
  item.textContent = `${name}: ${value}`;
  document.getElementById('report').append(item);
}

function fromBlob(source) {
  const worker = new Worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
  worker.onmessage = ({ data }) => tell('webview worker', data);
}

tell('webview script', 'runs');
addEventListener('message', ({ data }) => { if (data.name) tell(data.name, data.value); });
addEventListener('load', async () => {
  tell('webview style', getComputedStyle(document.getElementById('report')).listStyleType);
  tell('webview picture', document.getElementById('picture').naturalWidth);
  const faces = await document.fonts.load('16px AcmeWorkshop');
  tell('webview font', faces.map(face => face.status).join() || 'none');
  fromBlob(await (await fetch(document.body.dataset.worker)).text());
});
vscode.postMessage('ready');
