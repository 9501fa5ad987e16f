// A worker inside the extension host, which is one itself. It takes its policy from
// the response that this file came with, and loads and fetches others.
self.onmessage = async ({ data }) => {
  try {
    importScripts(data.helper);
    const { answer } = await (await fetch(data.data)).json();
    self.postMessage(`${self.addTwo(40)} and ${answer}`);
  } catch (error) {
    self.postMessage(`failed: ${error}`);
  }
};
