const vscode = require('vscode');
const { builtFor } = require('./package.json');

function probe() {
  return vscode.window.showInformationMessage(`Built for ${builtFor}, running on ${process.platform}-${process.arch}`);
}

exports.activate = context => context.subscriptions.push(vscode.commands.registerCommand('acme.systemProbe', probe));
