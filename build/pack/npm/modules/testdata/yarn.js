// Lists the files of extensions with the real vsce and yarn 1. Argument: the folder of
// @vscode/vsce. Input: a JSON list of {"dir", "only"}, where only, which may be missing, has
// the values of --packagedDependencies. Output: a JSON list of {"files"} or {"error"}.
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
	const results = [];
	for (const job of JSON.parse(fs.readFileSync(0, 'utf8'))) results.push(await list(job));
	process.stdout.write(JSON.stringify(results));
}

main();
