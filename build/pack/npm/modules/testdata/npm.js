// Runs npm list in folders, as vsce does. One process runs them all, because npm takes longer
// to start than to list. Argument: the path of npm. Input: a JSON list of folders. Output: a
// JSON list of {"output", "errors", "failed"}, with the standard output and error of npm.
const fs = require('fs');
const path = require('path');
const { Writable } = require('stream');

const npm = fs.realpathSync(process.argv[2]);
const Npm = require(path.join(path.dirname(npm), '..', 'lib', 'npm.js'));
const environment = { ...process.env };

class Text extends Writable {
	text = '';
	_write(part, encoding, done) {
		this.text += part;
		done();
	}
}

async function list(dir) {
	process.chdir(dir);
	process.env = { ...environment }; // npm adds its configuration to it
	process.argv = [process.execPath, npm, 'list', '--omit=dev', '--parseable', '--depth=99999', '--loglevel=error'];
	process.exitCode = 0;
	const stdout = new Text(), stderr = new Text();
	const run = new Npm({ stdout, stderr });
	let failed = false;
	try {
		const { command, args } = await run.load();
		await run.exec(command, args);
	} catch {
		failed = true;
	}
	failed ||= process.exitCode !== 0;
	run.unload();
	return { output: stdout.text, errors: stderr.text, failed };
}

async function main() {
	const results = [];
	for (const dir of JSON.parse(fs.readFileSync(0, 'utf8'))) results.push(await list(dir));
	process.chdir('/');
	process.exitCode = 0;
	process.stdout.write(JSON.stringify(results));
}

main();
