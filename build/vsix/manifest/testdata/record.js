// Packs folders with the real vsce, and parses repositories with the library that it uses.
//
//	node record.js FOLDER-OF-VSCE <jobs.json >results.json
//
// A job is {"dir", "out", "target", "preRelease"}. Its result is "", or the error of vsce. A job
// that is a string is a repository. Its result is {url, issues, readme}, or null if the host is
// unknown.
const path = require('path');

const folder = process.argv[2];
const vsce = require(path.join(folder, 'out', 'api.js'));
const hosted = require(require.resolve('hosted-git-info', { paths: [folder] }));

async function pack(job) {
	try {
		await vsce.createVSIX({
			cwd: job.dir, packagePath: job.out, target: job.target, preRelease: job.preRelease,
			dependencies: false, skipLicense: true, allowMissingRepository: true, allowStarActivation: true,
			allowUnusedFilesPattern: true,
		});
		return '';
	} catch (e) {
		return String(e.message ?? e);
	}
}

function locate(text) {
	const found = hosted.fromUrl(text, { noGitPlus: true });
	return found ? { url: found.https(), issues: found.bugs(), readme: found.docs() } : null;
}

async function main() {
	let input = '';
	for await (const part of process.stdin) {
		input += part;
	}
	console.log = console.warn = console.error = () => {};
	const results = [];
	for (const job of JSON.parse(input)) {
		results.push(typeof job === 'string' ? locate(job) : await pack(job));
	}
	process.stdout.write(JSON.stringify(results));
}

main();
