const vscode = require('vscode');

function summarise() {
  const lines = vscode.window.activeTextEditor?.document.getText().split('\n') ?? [];
  const count = level => lines.filter(line => line.includes(` ${level} `)).length;
  return vscode.window.showInformationMessage(`Log: ${count('ERROR')} errors, ${count('WARN')} warnings`);
}

exports.activate = context => context.subscriptions.push(vscode.commands.registerCommand('acme.logSummary', summarise));
