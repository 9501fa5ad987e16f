const vscode = require('vscode');

async function open() {
  const notes = await vscode.workspace.openTextDocument({ language: 'markdown', content: '# Notes\n\n' });
  return vscode.window.showTextDocument(notes, vscode.ViewColumn.Beside);
}

exports.activate = context => context.subscriptions.push(vscode.commands.registerCommand('acme.notes', open));
