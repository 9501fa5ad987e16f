// Runs vsce for each case. Arguments: the folder of @vscode/vsce, and an empty folder for the
// cases. Input: a JSON list of [options, files, package.nls.json, package.json] per case, with
// package.json in base64. Output: a JSON list of [ls, package, warnings] per case.
const fs = require('fs');
const path = require('path');
const api = require(path.join(process.argv[2], 'out', 'api.js'));

const home = process.argv[3];
let warnings = [];
let errors = [];
console.log = () => {};
console.warn = (tag, text) => warnings.push(firstLine(text));
console.error = (tag, text) => errors.push(firstLine(text ?? tag));
process.exit = () => { throw new Error(errors.join(' ')); };

function firstLine(text) {
	return String(text).replaceAll(home, '').replace(/\u001b\[\d+m/g, '').replace(/[\u0000-\u001f\u007f]+/g, ' ').trim().slice(0, 120);
}

function writeCase(dir, files, nls, manifest) {
	const write = (name, text) => {
		fs.mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
		fs.writeFileSync(path.join(dir, name), text);
	};
	write('package.json', Buffer.from(manifest, 'base64'));
	if (nls !== '-') write('package.nls.json', nls);
	for (const name of files.split(' ')) {
		const many = /^(\d+)\*(\w+)$/.exec(name);
		if (many) for (let i = 0; i < many[1]; i++) write(`many/${i}.${many[2]}`, '');
		else if (name !== '-') write(name, '');
	}
}

function parse(options) {
	const o = { dependencies: false, useYarn: false, allowPackageAllSecrets: true, allowPackageEnvFile: true };
	for (const word of options.split(' ')) {
		const [key, value] = word.split('=');
		if (key === 'target') o.target = value;
		if (key === 'version') Object.assign(o, { version: value, updatePackageJson: false });
		if (key === 'pre-release') o.preRelease = true;
		if (key === 'star') o.allowStarActivation = true;
		if (key === 'repository') o.allowMissingRepository = true;
		if (key === 'license') o.skipLicense = true;
		if (key === 'allow-unused') o.allowUnusedFilesPattern = true;
	}
	return o;
}

async function outcome(run) {
	warnings = [];
	errors = [];
	try {
		await run();
		return 'ok';
	} catch (e) {
		return firstLine(e.message ?? e);
	}
}

async function main() {
	const results = [];
	for (const [options, files, nls, manifest] of JSON.parse(fs.readFileSync(0, 'utf8'))) {
		const cwd = path.join(home, String(results.length));
		writeCase(cwd, files, nls, manifest);
		const ls = await outcome(() => api.listFiles({ cwd, packageManager: api.PackageManager.None }));
		const packed = await outcome(() => api.createVSIX({ cwd, packagePath: path.join(home, 'out.vsix'), ...parse(options) }));
		results.push([ls, packed, [...new Set(warnings)].join(' | ') || '-']);
		fs.rmSync(cwd, { recursive: true });
	}
	process.stdout.write(JSON.stringify(results));
}

main();
