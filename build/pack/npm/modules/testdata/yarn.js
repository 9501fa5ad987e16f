// Lists the files of extensions with the real vsce and yarn 1. Argument: the folder of
// @vscode/vsce. Input: a JSON list of {"dir", "only"}, only being left out or what the option
// --packagedDependencies names. Output: a JSON list of {"files"} or {"error"}.
const fs = require('fs');
const path = require('path');
const api = require(path.join(process.argv[2], 'out', 'api.js'));

async function list({ dir, only }) {
	try {
		return { files: await api.listFiles({ cwd: dir, packageManager: api.PackageManager.Yarn, packagedDependencies: only }) };
	} catch (e) {
		return { error: String(e.message ?? e) };
	}
}

async function main() {
	console.log = console.warn = console.error = () => {};
	const answers = [];
	for (const job of JSON.parse(fs.readFileSync(0, 'utf8'))) answers.push(await list(job));
	process.stdout.write(JSON.stringify(answers));
}

main();
