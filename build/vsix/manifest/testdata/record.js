// Packs folders with the real vsce, and reads repositories as it does.
//
//	node record.js FOLDER-OF-VSCE <jobs.json >answers.json
//
// A job is {"dir", "out", "target", "preRelease"}; its answer is "", or why vsce
// refuses. Jobs that are texts are repositories, answered by {url, issues,
// readme}, or null if they are on no known host.
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
	const answers = [];
	for (const job of JSON.parse(input)) {
		answers.push(typeof job === 'string' ? locate(job) : await pack(job));
	}
	process.stdout.write(JSON.stringify(answers));
}

main();
