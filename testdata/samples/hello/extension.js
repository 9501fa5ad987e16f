const vscode = require('vscode');

const greetings = { de: 'Hallo', en: 'Hello', es: 'Hola', fr: 'Bonjour', ja: 'こんにちは' };

function greet() {
  const name = vscode.workspace.getConfiguration('acme.hello').get('name') || 'world';
  const greeting = greetings[vscode.env.language.split('-')[0]] ?? greetings.en;
  return vscode.window.showInformationMessage(`${greeting}, ${name}!`);
}

exports.activate = context => context.subscriptions.push(vscode.commands.registerCommand('acme.hello', greet));
