// Runs vsce many times in one process, see vsce.go. The argument is the folder of vsce.
//
// A line of standard input is a command line {"dir": folder, "args": [arguments of vsce]}. For each,
// a line is written to standard output:
//
//   {"output": what was printed, "errors": [...], "warnings": [...]}
//
// Errors and warnings are the messages without their tags. vsce does not ask for confirmation,
// because standard output is not a terminal.
'use strict';
const { join } = require('path');
const { createInterface } = require('readline');

const vsce = name => require(join(process.argv[1], 'out', name));
const commandLine = vsce('main.js');
const { log } = vsce('util.js');
const commands = vsce('package.js');

const exited = new Error('process.exit was called');
process.exit = () => { throw exited; };

const write = process.stdout.write.bind(process.stdout);
let run; // the result so far, and the promise of the command that is running

log.warn = (...message) => run.warnings.push(message.join(' '));
log.error = (...message) => run.errors.push(message.join(' '));
log.info = log.done = () => {};
process.stdout.write = text => run.output += text;
process.stderr.write = text => run.errors.push(String(text).trimEnd());
console.log = (...text) => run.output += text.join(' ') + '\n';

function failed(error) {
	if (error !== exited) run.errors.push(String(error?.message ?? error));
}

// The command line starts a command, and does not return its promise.
for (const name of ['packageCommand', 'ls']) {
	const command = commands[name];
	commands[name] = options => run.ended = command(options).catch(failed);
}

// Some errors do not reject the promise of the command. Some occur after their command has failed
// for another reason and its folder was removed.
let uncaught;
process.on('uncaughtException', error => {
	if (error?.path && !error.path.startsWith(run.dir)) return;
	failed(error);
	uncaught?.();
});

async function runCommand({ dir, args }) {
	run = { dir, output: '', errors: [], warnings: [], ended: undefined };
	process.chdir(dir);
	try {
		commandLine(['node', 'vsce', ...args]);
		await Promise.race([run.ended, new Promise(resolve => uncaught = resolve)]);
	} catch (error) {
		failed(error);
	}
	const { output, errors, warnings } = run;
	process.chdir('/');
	write(JSON.stringify({ output, errors, warnings }) + '\n');
}

(async () => {
	for await (const line of createInterface({ input: process.stdin })) await runCommand(JSON.parse(line));
})();
