// Writes the gallery https://host.example/tools/gallery into VS Code's product.json.
// Close VS Code, save this script as patch.js, and run it with VS Code's own program, which
// contains Node.js, as a user who may write to its folder. Each update of VS Code restores the
// original file: run the script again after it.
//
//   Linux    sudo env ELECTRON_RUN_AS_NODE=1 /usr/share/code/code patch.js
//   macOS    sudo env ELECTRON_RUN_AS_NODE=1 "/Applications/Visual Studio Code.app/Contents/MacOS/Electron" patch.js
//   Windows  set ELECTRON_RUN_AS_NODE=1
//            "%LOCALAPPDATA%\Programs\Microsoft VS Code\Code.exe" patch.js
//   others   node patch.js FOLDER            the folder that contains product.json
//
// --restore writes the original file back, which is kept as product.json.original.
'use strict';
const fs = require('fs');
const path = require('path');

const gallery = {"serviceUrl":"https://host.example/tools/gallery/api","itemUrl":"https://host.example/tools/gallery/item","publisherUrl":"https://host.example/tools/gallery/publishers","resourceUrlTemplate":"https://host.example/tools/gallery/files/{publisher}/{name}/{version}/{path}","extensionUrlTemplate":"https://host.example/tools/gallery/api/vscode/{publisher}/{name}/latest","controlUrl":"https://host.example/tools/gallery/control.json","nlsBaseUrl":""};

// productFolder returns the folder of product.json: the argument, or the one of the program that
// runs this script.
function productFolder(argument) {
  const program = path.dirname(process.execPath);
  const candidates = argument ? [argument] : [
    path.join(program, 'resources', 'app'),       // Linux and Windows
    path.join(program, '..', 'Resources', 'app'), // macOS
    ...subfolders(program).map((name) => path.join(program, name, 'resources', 'app')), // Windows, by commit
    program,                                      // servers
  ];
  const found = candidates.find((folder) => fs.existsSync(path.join(folder, 'product.json')));
  if (!found) {
    throw new Error(`no product.json in ${candidates.join(' or ')}; name its folder: patch.js FOLDER`);
  }
  return found;
}

function subfolders(folder) {
  return fs.readdirSync(folder, { withFileTypes: true }).filter((e) => e.isDirectory()).map((e) => e.name);
}

// replace writes a file in one step.
function replace(file, text) {
  fs.writeFileSync(`${file}.new`, text);
  fs.renameSync(`${file}.new`, file);
}

function main(args) {
  const restore = args.includes('--restore');
  const file = path.join(productFolder(args.find((a) => a !== '--restore')), 'product.json');
  const original = `${file}.original`;
  if (restore) {
    fs.renameSync(original, file);
    console.log(`${file}: restored`);
    return;
  }
  const text = fs.readFileSync(file, 'utf8');
  const product = JSON.parse(text);
  if (JSON.stringify(product.extensionsGallery) === JSON.stringify(gallery)) {
    console.log(`${file}: has this gallery already`);
    return;
  }
  // The original of an earlier version of VS Code is of no use.
  if (!fs.existsSync(original) || JSON.parse(fs.readFileSync(original, 'utf8')).version !== product.version) {
    replace(original, text);
  }
  product.extensionsGallery = gallery;
  replace(file, JSON.stringify(product, null, '\t') + '\n');
  console.log(`${file}: extensionsGallery is https://host.example/tools/gallery now; the original is ${original}`);
}

try {
  main(process.argv.slice(2));
} catch (e) {
  console.error(`patch.js: ${e.message}`);
  process.exitCode = 1;
}
