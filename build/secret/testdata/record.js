// Packages folders with the real vsce, and returns what it prints. Arguments: the folder of
// @vscode/vsce, and an empty one for the packages. Input: a JSON list of {"dir", "options"}, with
// options of vsce's API. Output: a JSON list of strings.
const fs = require('fs');
const path = require('path');
const api = require(path.join(process.argv[2], 'out', 'api.js'));
const packagePath = path.join(process.argv[3], 'out.vsix');

let printed;
console.log = console.warn = console.error = (...parts) => { printed += parts.join(' ') + '\n'; };

// vsce prints the reason before it exits.
const exited = new Error('process.exit was called');
process.exit = () => { throw exited; };

async function pack({ dir, options }) {
	printed = '';
	process.chdir(dir); // names of files are relative to it
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
	const results = [];
	for (const job of JSON.parse(fs.readFileSync(0, 'utf8'))) results.push(await pack(job));
	process.chdir('/');
	process.stdout.write(JSON.stringify(results));
}

main();
