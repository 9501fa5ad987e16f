// Returns the extensions of file names, in lower case, and their media types. Argument: the folder
// of @vscode/vsce. Input: a JSON list of names. Output: a JSON list of [extension, type].
const fs = require('fs');
const path = require('path');
const mime = require(require.resolve('mime', { paths: [process.argv[2]] }));

function typed(name) {
	const ext = path.extname(name).toLowerCase();
	return [ext, mime.lookup(ext || '.')];
}

process.stdout.write(JSON.stringify(JSON.parse(fs.readFileSync(0, 'utf8')).map(typed)));
