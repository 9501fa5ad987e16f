// Runs the real vsce, many times in one process: see vsce.go. Its one argument is the
// folder of vsce.
//
// A line of standard input is one command line, as {"dir": folder, "args": [words
// after vsce]}; it is answered by one line on standard output,
//
//   {"output": what was printed, "errors": [...], "warnings": [...]}
//
// Errors and warnings are the messages without their tags. Nothing is asked:
// standard output is no terminal.
'use strict';
const { join } = require('path');
const { createInterface } = require('readline');

const vsce = name => require(join(process.argv[1], 'out', name));
const commandLine = vsce('main.js');
const { log } = vsce('util.js');
const commands = vsce('package.js');

const exited = new Error('process.exit was called');
process.exit = () => { throw exited; };

const answer = process.stdout.write.bind(process.stdout);
let run; // the answer to be, and the promise of the command that is running

log.warn = (...message) => run.warnings.push(message.join(' '));
log.error = (...message) => run.errors.push(message.join(' '));
log.info = log.done = () => {};
process.stdout.write = text => run.output += text;
process.stderr.write = text => run.errors.push(String(text).trimEnd());
console.log = (...text) => run.output += text.join(' ') + '\n';

function failed(error) {
	if (error !== exited) run.errors.push(String(error?.message ?? error));
}

// The command line starts a command and does not say when it has ended.
for (const name of ['packageCommand', 'ls']) {
	const command = commands[name];
	commands[name] = options => run.ended = command(options).catch(failed);
}

// Some errors reach nobody who waits for them, and some come when their command has
// failed for another reason and its folder is gone.
let uncaught;
process.on('uncaughtException', error => {
	if (error?.path && !error.path.startsWith(run.dir)) return;
	failed(error);
	uncaught?.();
});

async function one({ dir, args }) {
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
	answer(JSON.stringify({ output, errors, warnings }) + '\n');
}

(async () => {
	for await (const line of createInterface({ input: process.stdin })) await one(JSON.parse(line));
})();
