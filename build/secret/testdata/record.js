// Packs folders with the real vsce, and tells what it prints. Arguments: the folder of
// @vscode/vsce, and one for the packages. Input: a JSON list of {"dir", "options"},
// options as vsce's API has them. Output: a JSON list of texts.
const fs = require('fs');
const path = require('path');
const api = require(path.join(process.argv[2], 'out', 'api.js'));
const packagePath = path.join(process.argv[3], 'out.vsix');

let printed;
console.log = console.warn = console.error = (...parts) => { printed += parts.join(' ') + '\n'; };

// A refusal is printed before it.
const exited = new Error('process.exit was called');
process.exit = () => { throw exited; };

async function pack({ dir, options }) {
	printed = '';
	process.chdir(dir); // files are named as seen from here
	try {
		await api.createVSIX({
			packagePath, dependencies: false, allowMissingRepository: true, skipLicense: true,
			rewriteRelativeLinks: false, ...options,
		});
	} catch (e) {
		if (e !== exited) throw e;
	}
	return printed;
}

async function main() {
	const answers = [];
	for (const job of JSON.parse(fs.readFileSync(0, 'utf8'))) answers.push(await pack(job));
	process.chdir('/');
	process.stdout.write(JSON.stringify(answers));
}

main();
