// Evaluates ranges with node-semver. Argument: a folder in which Node.js finds the package
// semver. Input: a JSON list of lists, each RANGE or RANGE VERSION. Output: a JSON list of
// strings. For RANGE, in the strict grammar: its minVersion, - if there is none, or ! if it is
// not a range. For RANGE VERSION, in the loose grammar: true or false, or - if it is not a range.
const fs = require('fs');
const semver = require(require.resolve('semver', { paths: [process.argv[2]] }));

function lowest(range) {
	if (semver.validRange(range) === null) return '!';
	const v = semver.minVersion(range);
	return v ? v.version : '-';
}

function contains(range, version) {
	if (semver.validRange(range, true) === null) return '-';
	return String(semver.satisfies(version, range, true));
}

const result = ([range, version]) => version === undefined ? lowest(range) : contains(range, version);
process.stdout.write(JSON.stringify(JSON.parse(fs.readFileSync(0, 'utf8')).map(result)));
