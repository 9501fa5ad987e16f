// Packages extensions with the real vsce, and returns their readmes in the packages.
//
//   node vsce.cjs FOLDER-OF-VSCE EMPTY-FOLDER < cases > results
//
// Cases and results are JSON lists. A case is {"readme", "manifest", "options"}, with the readme
// in base64; a result is {"readme"} or {"error"}.
const fs = require('fs'), path = require('path');
const vsce = path.resolve(process.argv[2]);
const { createVSIX } = require(path.join(vsce, 'out/api.js'));
const yauzl = require(require.resolve('yauzl', { paths: [vsce] }));

const dir = process.argv[3];
console.log = console.info = console.warn = console.error = () => {};

// readme returns the readme in a package, in base64.
function readme(file) {
	return new Promise((resolve, reject) => {
		yauzl.open(file, { lazyEntries: true }, (err, zip) => {
			if (err) return reject(err);
			zip.on('end', () => reject(new Error('no readme was packed')));
			zip.on('entry', entry => {
				if (entry.fileName !== 'extension/readme.md') return zip.readEntry();
				zip.openReadStream(entry, (err, stream) => {
					if (err) return reject(err);
					const parts = [];
					stream.on('data', part => parts.push(part));
					stream.on('end', () => resolve(Buffer.concat(parts).toString('base64')));
				});
			});
			zip.readEntry();
		});
	});
}

async function run(c) {
	const packagePath = path.join(dir, 'out.vsix');
	fs.writeFileSync(path.join(dir, 'README.md'), Buffer.from(c.readme, 'base64'));
	const manifest = { name: 'a', publisher: 'b', version: '1.0.0', engines: { vscode: '^1.90.0' }, ...c.manifest };
	fs.writeFileSync(path.join(dir, 'package.json'), JSON.stringify(manifest));
	try {
		await createVSIX({ cwd: dir, packagePath, dependencies: false, allowMissingRepository: true, skipLicense: true, ...c.options });
		return { readme: await readme(packagePath) };
	} catch (err) {
		return { error: err.message };
	}
}

(async () => {
	const results = [];
	for (const c of JSON.parse(fs.readFileSync(0, 'utf8'))) results.push(await run(c));
	process.stdout.write(JSON.stringify(results));
})();
