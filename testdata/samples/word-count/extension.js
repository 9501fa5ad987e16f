const vscode = require('vscode');

const words = text => (text.match(/[\p{L}\p{N}]+/gu) ?? []).length;

function activate(context) {
  const item = vscode.window.createStatusBarItem(vscode.StatusBarAlignment.Right);
  const show = editor => {
    item.text = editor ? `${words(editor.document.getText())} words` : '';
    editor ? item.show() : item.hide();
  };
  const tell = () => {
    const text = vscode.window.activeTextEditor?.document.getText() ?? '';
    return vscode.window.showInformationMessage(`Word Count: ${words(text)} words in ${text.split('\n').length} lines`);
  };
  context.subscriptions.push(
    item,
    vscode.commands.registerCommand('acme.wordCount', tell),
    vscode.window.onDidChangeActiveTextEditor(show),
    vscode.workspace.onDidChangeTextDocument(() => show(vscode.window.activeTextEditor)));
  show(vscode.window.activeTextEditor);
}

exports.activate = activate;
